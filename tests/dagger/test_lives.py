"""Unreferenced objects are freed; and a journal cut anywhere replays complete ticks and reports its loss."""

import contextlib
import gc
import logging
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from bank_python.dagger import DependencyGraph, Every, FileJournal, Leaf, MemoryJournal, Moved
from bank_python.errors import JournalError

_ROOT = Path(__file__).parents[2]


# --- subscriptions and snapshots --------------------------------------------------------------------


class Owner:
    def __init__(self):
        self.heard = []

    def hear(self, node):
        self.heard.append(node.value)


@pytest.fixture
def graph():
    made = DependencyGraph()
    made.register(Leaf("A", 1.0))
    made.derive("D", lambda a: 2 * a, ["A"])
    made.recalculate()
    return made


@pytest.mark.parametrize("node", ["A", "D"])
def test_a_weak_subscription_to_a_node_that_never_changes_goes_with_its_owner(graph, node):
    owner = Owner()
    subscription = graph.subscribe(node, owner.hear, weak=True)
    gone = weakref.ref(owner), weakref.ref(subscription)
    del owner, subscription
    gc.collect()
    assert [reference() for reference in gone] == [None, None]
    assert len(graph._engine.listeners) == 0
    graph["A"].set(2.0)
    assert graph["D"].value == 4.0


def test_of_many_weak_subscriptions_those_whose_owners_live_stay(graph):
    owners = [Owner() for _ in range(1000)]
    subscriptions = [graph.subscribe("A", owner.hear, weak=True) for owner in owners]
    del owners[1:]
    gc.collect()
    assert [subscription.is_active for subscription in subscriptions].count(True) == 1
    graph["A"].set(2.0)
    assert owners[0].heard == [2.0]


def test_a_weak_subscription_held_by_its_holder_says_that_it_is_over(graph):
    owner = Owner()
    subscription = graph.subscribe("A", owner.hear, weak=True)
    assert subscription.is_active
    del owner
    gc.collect()
    assert not subscription.is_active
    assert subscription.callback is None
    subscription.cancel()


def test_snapshots_dropped_without_a_with_block_are_not_kept(graph):
    for _ in range(1000):
        graph.snapshot()
    gc.collect()
    assert graph._engine.snapshots() == []
    assert not graph._engine.keeps_previous()
    kept = graph.snapshot()
    graph["A"].set(5.0)
    assert (kept["A"], kept["D"], graph["D"].value) == (1.0, 2.0, 10.0)
    assert len(graph._engine.snapshots()) == 1


def test_an_unreferenced_graph_is_freed():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("A", 1.0))
    graph.subscribe(graph.derive("D", lambda a: a, [leaf]), lambda _node: None)
    with graph.batch():
        leaf.set(2.0)
    with graph.scenario({"A": 3.0}):
        assert graph["D"].value == 3.0
    gone = weakref.ref(graph)
    del graph, leaf
    gc.collect()
    assert gone() is None


# --- journals ---------------------------------------------------------------------------------------


class Clock:
    """A clock that only the test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def desk():
    """Return a graph whose values are not functions of its leaves alone, with its clock."""
    graph, clock = DependencyGraph(), Clock()
    for name in ("A", "B"):
        graph.register(Leaf(name, 1.0))
    graph.derive("SLOW", lambda a, b: a + 10 * b, ["A", "B"], policy=Every(1.0, clock))
    graph.derive("MOVED", lambda a: 3 * a, ["A"], policy=Moved(0.5))
    graph.derive("NEAR", lambda b: b, ["B"], equal=0.5)
    graph.derive("TOP", lambda slow, moved, near: slow + moved + near, ["SLOW", "MOVED", "NEAR"])
    graph.recalculate()
    return graph, clock


def state(graph):
    return {node.name: node.value for node in graph}


def run(graph, clock, after=lambda _tick: None):
    """Make ticks, some of which evaluate nodes that were throttled in earlier ones."""
    for i in range(6):
        with graph.batch():
            graph["A"].set(1.0 + 0.3 * i)
            graph["B"].set(1.0 - 0.2 * i * i)
        clock.now += 0.4 * i
        graph.recalculate()
        after(graph.tick)
    clock.now += 5.0
    graph.recalculate()
    after(graph.tick)


def recorded(journal):
    """Record a run and return the values of the graph by tick."""
    graph, clock = desk()
    states = {}
    with graph.record(journal):
        states[graph.tick] = [state(graph)]
        run(graph, clock, lambda tick: states.setdefault(tick, []).append(state(graph)))
    return states


def replayed(journal):
    graph, _ = desk()
    states = {}
    result = graph.replay(journal, lambda tick: states.__setitem__(tick, state(graph)))
    return states, result


def test_a_replay_gives_back_every_tick_with_what_its_policies_came_to():
    journal = MemoryJournal()
    states = recorded(journal)
    again, result = replayed(journal)
    assert result.lost is None
    assert again == {tick: held[-1] for tick, held in states.items()}


def test_a_journal_cut_at_any_byte_replays_whole_ticks_and_says_what_it_lost(tmp_path, caplog):
    path = tmp_path / "ticks.jsonl"
    states = recorded(FileJournal(path))
    text = path.read_bytes()
    ends = {i + 1 for i, byte in enumerate(text) if byte == ord("\n")}
    cut = tmp_path / "cut.jsonl"
    for size in range(len(text) + 1):
        caplog.clear()
        cut.write_bytes(text[:size])
        with caplog.at_level(logging.WARNING):
            again, result = replayed(FileJournal(cut))
        assert all(again[tick] in states[tick] for tick in again), f"a state that never was, cut at byte {size}"
        assert sorted(again) == sorted(states)[: len(again)]
        is_whole = size in ends or not size
        assert (result.lost is None) == is_whole, f"cut at byte {size}: {result!r}"
        assert bool(caplog.records) != is_whole
    assert len(again) == len(states)


_WRITER = """
import os, sys
sys.path.insert(0, sys.argv[2])
from tests.dagger.test_lives import desk, run
from bank_python.dagger import FileJournal
graph, clock = desk()
def after(tick):
    print(tick, flush=True)
    if tick == int(sys.argv[3]):
        os._exit(9)
with graph.record(FileJournal(sys.argv[1])):
    run(graph, clock, after)
"""


def test_a_killed_writer_leaves_whole_ticks(tmp_path):
    states = recorded(MemoryJournal())
    path, last = tmp_path / "ticks.jsonl", sorted(states)[3]
    writer = subprocess.run(
        [sys.executable, "-c", _WRITER, str(path), str(_ROOT), str(last)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert writer.returncode == 9, writer.stderr
    again, result = replayed(FileJournal(path))
    assert sorted(again) == sorted(states)[: len(again)]
    assert len(again) >= 3
    assert all(again[tick] in states[tick] for tick in again)
    assert result.lost is None


class Interrupted(MemoryJournal):
    """Is interrupted in the middle of an append, once."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def append(self, entry):
        self.at -= 1
        if not self.at:
            raise KeyboardInterrupt
        super().append(entry)


@pytest.mark.parametrize("at", [2, 3])
def test_an_interrupted_append_leaves_no_unreported_gap(at):
    graph = DependencyGraph()
    a, b = graph.register(Leaf("A", 1.0)), graph.register(Leaf("B", 1.0))
    journal, states, told = Interrupted(at), [], False
    try:
        with graph.record(journal):
            for x in (2.0, 3.0, 4.0):
                with contextlib.suppress(KeyboardInterrupt):
                    (a if x == 2.0 else b).set(x)
                states.append((a.value, b.value))
    except JournalError:  # the recording says on leaving that it ended early
        told = True
    twin = DependencyGraph()
    a, b = twin.register(Leaf("A", 1.0)), twin.register(Leaf("B", 1.0))
    again = []
    result = twin.replay(journal, lambda _tick: again.append((a.value, b.value)))
    assert again[1:] == states[: len(again) - 1]
    assert told or result.lost or again[-1] == states[-1]


def test_a_log_handler_that_raises_does_not_reach_the_graph_from_its_journal(graph):
    class Broken(MemoryJournal):
        def append(self, entry):
            if entry.tick > graph_tick:
                raise OSError("the disk is full")
            super().append(entry)

    class Raising(logging.Handler):
        def emit(self, _):
            raise RuntimeError("the disk is full here too")

    graph_tick, told = graph.tick, []
    graph.subscribe("A", lambda node: told.append(node.value))
    logger, handler = logging.getLogger("bank_python"), Raising()
    logger.addHandler(handler)
    try:
        with pytest.raises(Exception, match="the journal ends"), graph.record(Broken()):
            graph["A"].set(2.0)
    finally:
        logger.removeHandler(handler)
    assert told == [2.0]
    assert graph["D"].value == 4.0
