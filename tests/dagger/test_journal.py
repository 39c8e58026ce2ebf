"""Recorded ticks give back the same values, bit for bit, from every kind of journal."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.dagger import (
    ArrayNode,
    Background,
    BarbaraJournal,
    DependencyGraph,
    Entry,
    Every,
    FileJournal,
    Leaf,
    MemoryJournal,
    Moved,
    OnRead,
    Source,
    Term,
)
from bank_python.errors import GraphError, JournalError


class Scaled(ArrayNode):
    """source × factor; NaN below −50."""

    source = Source("input")
    factor = Term("factor")

    def __init__(self, name, source, factor):
        super().__init__(name, {"source": source}, {"factor": factor})

    @staticmethod
    def price(source, factor):
        return np.where(source < -50.0, np.nan, source * factor)


class ByHand:
    """An executor that runs submitted calls on demand."""

    def __init__(self):
        self.waiting = []

    def submit(self, function, *arguments):
        self.waiting.append((function, arguments))

    def run(self):
        waiting, self.waiting = self.waiting, []
        for function, arguments in waiting:
            function(*arguments)


class World:
    """One definition of a graph, with a clock and an executor that are moved by hand."""

    def __init__(self):
        self.now, self.executor, self.calls = 0.0, ByHand(), 0
        self.graph = graph = DependencyGraph()
        self.leaves = [graph.register(Leaf(f"L{i}", float(i))) for i in range(3)]
        a, b, c = self.leaves
        scaled = graph.register(Scaled("SCALED", a, 3.0))
        total = graph.sum("TOTAL", [a, b, c, scaled], [0.1, 0.7, 1.0, 1.0])
        slow = [
            graph.derive("EVERY", self.slow, [total], Every(10.0, clock=lambda: self.now)),
            graph.derive("MOVED", self.slow, [total], Moved(2.0)),
            graph.derive("BACK", self.slow, [total], Background(self.executor)),
        ]
        near = graph.derive("NEAR", lambda x: x, [a], equal=0.5)
        graph.derive("READ", lambda x, y: x - y, [total, slow[0]], OnRead())
        graph.sum("ALL", [*slow, total, near])
        graph.recalculate()

    def slow(self, x):
        self.calls += 1
        if x > 80.0:
            raise ValueError("too large")
        return x / 3.0

    def look(self):
        self.graph.recalculate()
        return self.state()

    def state(self):
        return {node.name: shown(node) for node in self.graph}


def shown(node):
    return node.value.hex() if node.error is None else "failed"


def journals(kind, directory):
    if kind == "memory":
        return MemoryJournal()
    if kind == "file":
        return FileJournal(directory / "ticks.jsonl")
    return BarbaraJournal(BarbaraDB.open("desk", path=":memory:"), "desk")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 2), st.floats(-100, 100, allow_nan=False)),
        st.tuples(st.just("amend"), st.integers(0, 9), st.floats(-3, 3, allow_nan=False)),
        st.tuples(st.just("undone"), st.integers(0, 2), st.floats(-100, 100, allow_nan=False)),
        st.tuples(st.just("near"), st.just(0), st.floats(-1, 1, allow_nan=False)),
        st.tuples(st.just("later"), st.integers(0, 20), st.just(0.0)),
        st.tuples(st.just("arrive"), st.just(0), st.just(0.0)),
    ),
    max_size=25,
)


def act(world, step):
    what, number, value = step
    if what in ("set", "near"):
        world.leaves[number].set(value)
    elif what == "amend":
        world.graph["SCALED"].amend(factor=value)
    elif what == "later":
        world.now += number
    elif what == "arrive":
        world.executor.run()
    else:
        with suppress(RuntimeError), world.graph.batch():
            world.leaves[number].set(value)
            world.graph.recalculate()
            raise RuntimeError


@pytest.mark.parametrize("kind", ["memory", "file", "barbara"])
@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_a_replay_is_the_same_to_the_bit(kind, steps, tmp_path_factory):
    journal = journals(kind, tmp_path_factory.mktemp("journal"))
    world, states = World(), {}
    world.leaves[0].set(7.0)  # before the recording: it is in the opening entry
    with world.graph.record(journal) as recording:
        states[world.graph.tick] = world.look()
        for step in steps:
            act(world, step)
            if step[0] != "near":  # several sets before a read
                states[world.graph.tick] = world.look()
        states[world.graph.tick] = world.look()
    again, replayed = World(), {}
    calls = again.calls
    again.graph.replay(journal, lambda tick: replayed.update({tick: again.state()}))
    assert again.calls == calls
    assert all(replayed[tick] == states[tick] for tick in states)
    assert again.state() == world.state()
    assert recording.error is None


@pytest.mark.parametrize("kind", ["memory", "file", "barbara"])
def test_one_entry_a_tick_and_none_for_what_was_undone(kind, tmp_path):
    journal, graph = journals(kind, tmp_path), DependencyGraph()
    leaf, text = graph.register(Leaf("L", 1.0)), graph.register(Leaf("T", "a", domain="any"))
    with graph.record(journal) as recording:
        leaf.set(0.1)
        with suppress(RuntimeError), graph.batch():
            leaf.set(5.0)
            raise RuntimeError
        with graph.batch():
            leaf.set(float("1e300"))
            text.set([1, "two", None, np.array([0.1, -0.0])])
        leaf.set(1e300)
    leaf.set(3.0)
    entries = list(journal)
    assert [dict(entry.leaves).keys() for entry in entries] == [{"L", "T"}, {"L"}, {"L", "T"}]
    assert [entry.tick for entry in entries] == [0, 1, 2]
    assert recording.ticks == 2
    kept = entries[2].leaves["T"]
    assert kept[:3] == [1, "two", None]
    assert kept[3].tobytes() == np.array([0.1, -0.0]).tobytes()


def test_one_recording_at_a_time():
    graph = DependencyGraph()
    with graph.record(MemoryJournal()):
        with pytest.raises(GraphError, match="recorded already"), graph.record(MemoryJournal()):
            pass
        graph.register(Leaf("L", 1.0)).set(2.0)
    with graph.record(MemoryJournal()):
        pass


def test_a_journal_that_cannot_be_written_does_not_hurt_the_graph(tmp_path, caplog):
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0, domain="any"))

    def recorded():
        with graph.record(FileJournal(tmp_path / "ticks.jsonl")):
            leaf.set(2.0)
            leaf.set(object())
            leaf.set(3.0)

    with pytest.raises(JournalError, match="ends after 1 ticks"):
        recorded()
    assert leaf.value == 3.0
    assert "cannot be written" in caplog.text
    fresh = DependencyGraph()
    fresh.register(Leaf("L", 1.0, domain="any"))
    assert fresh.replay(FileJournal(tmp_path / "ticks.jsonl")) == 1
    assert fresh["L"].value == 2.0


def test_a_graph_of_another_definition_is_refused_and_left_as_it_was():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    entries = [Entry(0, {"L": 4.0}), Entry(1, {"L": 5.0, "NOBODY": 1.0})]
    with pytest.raises(JournalError, match="NOBODY") as caught:
        graph.replay(entries)
    assert (caught.value.tick, leaf.value) == (1, 4.0)
    with pytest.raises(JournalError, match="contract 'L'"):
        graph.replay([Entry(0, {}, {"L": {"strike": 1.0}})])
    node = graph.register(Scaled("A", leaf, 2.0))
    with pytest.raises(JournalError, match="no term bogus"):
        graph.replay([Entry(0, {}, {"A": {"bogus": 1.0}})])
    assert (node.value, node.terms) == (8.0, {"factor": 2.0})


def test_what_was_amended_before_is_in_the_opening():
    def build():
        graph = DependencyGraph()
        graph.register(Scaled("A", Leaf("L", 1.0), 2.0))
        return graph

    graph, again, journal = build(), build(), MemoryJournal()
    graph["A"].amend(factor=5.0)
    with graph.record(journal):
        graph["L"].set(3.0)
    assert again.replay(journal) == 1
    assert again["A"].value == graph["A"].value == 15.0


def test_a_recording_starts_from_a_whole_tick():
    graph = DependencyGraph()
    graph.register(Leaf("L", 1.0))
    with graph.batch(), pytest.raises(GraphError, match="inside a batch"), graph.record(MemoryJournal()):
        pass
    with graph.record(MemoryJournal()):
        pass


@pytest.mark.parametrize("value", [(1, 2), {1: "a"}, {2.0, 3.0}, b"x"])
def test_a_file_refuses_what_it_would_give_back_changed(value, tmp_path):
    with pytest.raises(JournalError, match="Barbara"):
        FileJournal(tmp_path / "ticks.jsonl").append(Entry(1, {"L": value}))


def test_a_memory_journal_keeps_what_was_and_not_what_became_of_it():
    graph, journal, value = DependencyGraph(), MemoryJournal(), [1]
    graph.register(Leaf("L", None, domain="any"))
    with graph.record(journal):
        graph["L"].set(value)
    value.append(2)
    assert list(journal)[-1].leaves == {"L": [1]}


def test_damage_raises_and_a_torn_end_is_skipped(tmp_path):
    path, graph = tmp_path / "ticks.jsonl", DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    with graph.record(FileJournal(path)):
        for value in (2.0, 3.0):
            leaf.set(value)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert len(list(FileJournal(path))) == 2
    FileJournal(path).append(Entry(9, {"L": 9.0}))
    assert [entry.tick for entry in FileJournal(path)] == [0, 1, 9]
    path.write_bytes(whole.replace(b'"leaves"', b'"leafes"', 1))
    with pytest.raises(JournalError, match="line 2") as caught:
        list(FileJournal(path))
    assert caught.value.line == 2
    path.write_bytes(b'{"dagger_jou')
    assert list(FileJournal(path)) == []
    path.write_text(json.dumps([1]) + "\n")
    with pytest.raises(JournalError, match="not a journal"):
        FileJournal(path)


_WRITER = """
import sys
from bank_python.dagger import DependencyGraph, FileJournal, Leaf
graph = DependencyGraph()
leaf = graph.register(Leaf("L", 0.0))
graph.derive("D", lambda x: x / 3.0, [leaf])
with graph.record(FileJournal(sys.argv[1])):
    for i in range(1, 10_000_000):
        leaf.set(i / 7.0)
        print(i, flush=True)
"""


def test_a_killed_writer_leaves_every_tick_it_has_reported(tmp_path):
    path = tmp_path / "ticks.jsonl"
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        deadline = time.monotonic() + 60.0
        told = 0
        while told < 300 and time.monotonic() < deadline:
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        told = max([told, *map(int, writer.stdout.read().split("\n")[:-1])])
    graph = DependencyGraph()
    graph.derive("D", lambda x: x / 3.0, [graph.register(Leaf("L", 0.0))])
    ticks = graph.replay(FileJournal(path))
    assert ticks in (told, told + 1)
    assert graph["D"].value == ticks / 7.0 / 3.0


def test_how_old_a_value_is_comes_back_too():
    def build():
        graph = DependencyGraph()
        graph.derive("P", lambda x: x, [graph.register(Leaf("L", 1.0))], Every(1000.0, clock=lambda: 0.0))
        graph.recalculate()
        return graph

    graph, again, journal = build(), build(), MemoryJournal()
    for value in (2.0, 3.0):
        graph["L"].set(value)
        graph.recalculate()
    with graph.record(journal):
        graph["L"].set(4.0)
        graph.recalculate()
    again.replay(journal)
    ages = [each.tick - each["P"].as_of_tick for each in (graph, again)]
    assert (ages, again["P"].value) == ([3, 3], 1.0)
    with again.batch(), pytest.raises(GraphError, match="inside a batch"):
        again.replay(journal)
