"""One writer, eight readers: nobody ever sees half a batch, nobody raises, nobody waits for ever.

Every batch of the writer moves several leaves so that a sum stays zero; some batches fail half-way and are undone. A
reader that sees anything but the invariant has seen a tick that was not finished. What the readers do is bounded by a
deadline, not by a count, so that the stress is the same on any machine; results and a minimum of work are asserted.
"""

import contextvars
import itertools
import sys
import threading
import time
from contextlib import suppress
from functools import partial

import pytest

from bank_python.dagger import ArrayNode, DependencyGraph, Leaf, Source, Term

HUNDRED = 100.0
NEVER = 1e9  # a value that only batches which fail set
PATIENCE = 60.0  # seconds until a thread that does not end counts as stuck


class Times(ArrayNode):
    """source × factor."""

    source = Source("what is multiplied")
    factor = Term("by how much")

    def __init__(self, name, source, factor):
        super().__init__(name, {"source": source}, {"factor": factor})

    @staticmethod
    def price(source, factor):
        return source * factor


class Market:
    """Leaves A, B = −A, C = 100 − A and a counter N; their dependents are zero, or a hundred, at every tick."""

    def __init__(self):
        self.graph = graph = DependencyGraph()
        start = {"A": 1.0, "B": -1.0, "C": 99.0, "N": 0.0, "M": 0.0}
        self.leaves = {name: graph.register(Leaf(name, value)) for name, value in start.items()}
        a, b, c, n, m = self.leaves.values()
        derived = [graph.derive(f"DERIVED_{leaf.name}", lambda x: 2.0 * x, [leaf]) for leaf in (a, b)]
        arrays = [graph.register(Times(f"ARRAY_{leaf.name}_{i}", leaf, i + 1.0)) for leaf in (a, b) for i in range(5)]
        chain = a
        for i in range(20):
            chain = graph.derive(f"CHAIN{i}", lambda x: x + 1.0, [chain])
        self.zeros = [
            graph.sum("LEAVES", [a, b]),
            graph.sum("DERIVED", derived),
            graph.sum("ARRAYS", arrays),
            graph.derive("FUNCTION", lambda x, y: x + y, [a, b]),
            graph.sum("CHAINED", [chain, b], [1.0, 1.0]),
        ]
        graph.rewire(self.zeros[-1], [chain, graph.derive("LOWER", lambda x: x - 20.0, [b])])
        self.zeros.append(graph.sum("FIRM", [*self.zeros, *derived]))
        self.hundreds = [
            graph.sum("A_AND_C", [a, c]),
            graph.derive("HUNDRED", lambda x, y: x + y, [a, c]),
            graph.sum("TENTHS", [a, c, arrays[0], graph.register(Times("ARRAY_C", c, 1.0))], [0.5] * 4),
        ]
        self.counters = [n, graph.sum("COUNT", [n, m], [0.5, 0.5]), graph.derive("COUNTED", lambda x: x, [n])]
        graph.recalculate()

    def invariant(self, read):
        """Names of the nodes whose values, as `read` returns them, violate the invariant."""
        wrong = [(node.name, read(node)) for node in self.zeros if read(node) != 0.0]
        return wrong + [(node.name, read(node)) for node in self.hundreds if read(node) != HUNDRED]


class Stress:
    """Threads that run until a deadline; the violations they found, and the number of their reads."""

    def __init__(self, seconds):
        self.market = Market()
        self.deadline = time.monotonic() + seconds
        self.wrong = []
        self.work = {}
        self.threads = []

    def start(self, name, look):
        self.work[name] = 0

        def run():
            try:
                for i in itertools.count():
                    if time.monotonic() > self.deadline or self.wrong:
                        return
                    found = look(i)
                    if found:
                        self.wrong.append((name, i, found))
                    self.work[name] = i + 1
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test reports it
                self.wrong.append((name, repr(error)))

        thread = threading.Thread(target=run, name=name, daemon=True)
        self.threads.append(thread)
        thread.start()

    def finish(self):
        for thread in self.threads:
            thread.join(max(self.deadline - time.monotonic(), 0.0) + PATIENCE)
        stuck = [thread.name for thread in self.threads if thread.is_alive()]
        self.wrong += [(name, "is stuck") for name in stuck]

    # --- the writer ---

    def write(self, i):
        graph, leaves = self.market.graph, self.market.leaves
        level = float(i % 1_000 - 500)
        if i % 5 == 4:
            self.fail(i)
            return
        with graph.batch():
            leaves["A"].set(level)
            leaves["N"].set(float(i))
            if i % 7 == 0:
                graph.recalculate()  # in the middle: the writer's own view of half a batch
                _ = self.market.zeros[-1].value
            leaves["B"].set(-level)
            if i % 11 == 0:
                _ = self.market.hundreds[0].value
            leaves["M"].set(float(i))
            leaves["C"].set(HUNDRED - level)
        if i % 3 == 0:
            graph.recalculate()
        if i % 13 == 0:
            _ = self.market.zeros[-1].value

    def fail(self, i):
        graph, leaves = self.market.graph, self.market.leaves
        with suppress(InterruptedError), graph.batch():
            leaves["A"].set(NEVER)
            leaves["N"].set(NEVER)
            if i % 2:
                graph.recalculate()
            leaves["C"].set(NEVER)
            raise InterruptedError

    # --- the readers ---

    def read_snapshots(self, _):
        market = self.market
        with market.graph.snapshot() as snapshot:
            wrong = market.invariant(snapshot.__getitem__)
            a, b, c = (snapshot[name] for name in "ABC")
            counts = {snapshot[node] for node in market.counters}
            again = snapshot["A"], snapshot["N"]
        if a + b != 0.0 or a + c != HUNDRED or len(counts) != 1 or again != (a, *counts):
            wrong.append((a, b, c, counts, again))
        return wrong

    def hold_a_snapshot(self, _):
        """Read one snapshot over several of the writer's ticks, in another order each time."""
        market = self.market
        nodes = [*market.zeros, *market.hundreds, *market.counters, *market.leaves.values()]
        with market.graph.snapshot() as snapshot:
            first = {node.name: snapshot[node] for node in nodes}
            tick = market.graph.tick
            while market.graph.tick < tick + 3 and time.monotonic() < self.deadline:
                if {node.name: snapshot[node] for node in reversed(nodes)} != dict(reversed(first.items())):
                    return ["a snapshot moved"]
        return []

    def read_aggregates(self, _):
        return self.market.invariant(lambda node: node.value)

    def read_forward(self, last, _):
        """Committed ticks only go forward, and never to a tick that was undone."""
        for node in self.market.counters:
            now = node.value
            if not last.get(node, 0.0) <= now < NEVER:
                return [(node.name, last[node], now)]
            last[node] = now
        return []

    def what_if(self, shock, i):
        """A layer of this thread's own: pinned to a complete tick, with the same values at every read."""
        market = self.market
        a = market.leaves["A"]
        level = shock + i % 50
        with market.graph.scenario({a: level}):
            pinned = -market.leaves["B"].value
            expected = [a.value, market.zeros[0].value, market.zeros[1].value, market.hundreds[0].value]
            if expected != [level, level - pinned, 2.0 * (level - pinned), level + HUNDRED - pinned]:
                return [("layer", level, pinned, expected)]
            with market.graph.scenario({"B": -level, "C": HUNDRED - level}):
                wrong = market.invariant(lambda node: node.value)
            if market.zeros[0].value != expected[1]:
                wrong.append(("after the inner layer", level, pinned, market.zeros[0].value))
        return wrong

    def explain(self, _):
        """Everything else that reads: none of it may raise while the writer writes."""
        graph = self.market.graph
        why = graph.explain("LEAVES", depth=0)
        plan = graph.plan("A")
        return [] if why.outcome == 0.0 and len(plan) > 30 and "FIRM" in graph.to_dot() else [str(why)]


def stress(seconds):
    run = Stress(seconds)
    run.start("writer", run.write)
    run.start("snapshots", run.read_snapshots)
    run.start("held snapshot", run.hold_a_snapshot)
    run.start("aggregates", run.read_aggregates)
    run.start("more aggregates", run.read_aggregates)
    run.start("forward", partial(run.read_forward, {}))
    run.start("what if", partial(run.what_if, 1_000.0))
    run.start("another what if", partial(run.what_if, 5_000.0))
    run.start("explain", run.explain)
    run.finish()
    return run


def assert_whole(run):
    """Nobody saw half a batch, every thread has read, and the graph has the values of the last good batch."""
    assert run.wrong == []
    assert min(run.work.values()) > 0, run.work
    assert run.work["writer"] > 20, run.work
    assert sum(run.work.values()) > 200, run.work
    market = run.market
    market.graph.recalculate()
    assert market.invariant(lambda node: node.value) == []
    last = max(i for i in range(run.work["writer"]) if i % 5 != 4)
    assert [node.value for node in market.counters] == [float(last)] * 3
    assert market.leaves["A"].value == float(last % 1_000 - 500)


@pytest.fixture
def hasty():
    """Threads that take turns a hundred times as often as usual meet in more places."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 100.0)
    yield
    sys.setswitchinterval(interval)


def test_no_reader_sees_half_a_batch():
    assert_whole(stress(3.0))


def test_no_reader_sees_half_a_batch_in_haste(hasty):
    assert_whole(stress(3.0))


@pytest.mark.slow
def test_no_reader_sees_half_a_batch_for_a_minute():
    assert_whole(stress(60.0))


@pytest.mark.slow
def test_no_reader_sees_half_a_batch_for_a_minute_in_haste(hasty):
    assert_whole(stress(60.0))


# --- one step at a time -----------------------------------------------------------------------


class Elsewhere:
    """Runs calls in one other thread, one by one, while this thread holds its locks."""

    def __call__(self, function):
        answer = []
        thread = threading.Thread(target=lambda: answer.append(contextvars.Context().run(function)), daemon=True)
        thread.start()
        thread.join(PATIENCE)
        assert answer, "the other thread is stuck, or raised"
        return answer[0]


@pytest.fixture
def market():
    return Market()


elsewhere = Elsewhere()


@pytest.mark.parametrize("recalculates", [False, True])
def test_half_a_batch_is_seen_by_the_writer_alone(market, recalculates):
    graph, leaves = market.graph, market.leaves

    def seen():
        return [node.value for node in (leaves["A"], *market.zeros, *market.hundreds, *market.counters)]

    before = seen()
    with graph.batch():
        leaves["A"].set(7.0)
        leaves["N"].set(5.0)
        if recalculates:
            graph.recalculate()
        assert seen() != before
        assert elsewhere(seen) == before
        leaves["B"].set(-7.0)
        assert elsewhere(seen) == before
        leaves["C"].set(93.0)
        leaves["M"].set(5.0)
        assert elsewhere(seen) == before
    assert elsewhere(seen) == seen() != before
    assert market.invariant(lambda node: node.value) == []


@pytest.mark.parametrize("recalculates", [False, True])
def test_a_batch_that_fails_is_never_seen(market, recalculates):
    graph, leaves = market.graph, market.leaves
    before = elsewhere(lambda: market.zeros[-1].value)

    def fails():
        with graph.batch():
            leaves["A"].set(NEVER)
            if recalculates:
                graph.recalculate()
            assert elsewhere(lambda: market.invariant(lambda node: node.value)) == []
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fails()
    assert elsewhere(lambda: market.zeros[-1].value) == before == 0.0
    assert elsewhere(lambda: market.invariant(lambda node: node.value)) == []


@pytest.mark.parametrize("reads", [False, True])
def test_what_was_computed_in_mid_batch_is_not_seen_after_it(market, reads):
    """It belongs to no tick: a reader that cannot get the lock to compute must get the last whole tick's value."""
    graph, leaves = market.graph, market.leaves
    with graph.batch():
        leaves["A"].set(7.0)
        leaves["N"].set(5.0)
        if reads:
            for node in (*market.zeros, *market.hundreds, *market.counters):
                _ = node.value
        else:
            graph.recalculate()
        leaves["B"].set(-7.0)
        leaves["C"].set(93.0)
        leaves["M"].set(5.0)
    with graph.batch():  # an open batch in which nothing is set
        assert elsewhere(lambda: market.invariant(lambda node: node.value)) == []
        assert elsewhere(lambda: market.counters[1].value) in (1.0, 5.0)
        assert elsewhere(lambda: graph.explain("LEAVES", depth=0).outcome) == 0.0
    assert market.invariant(lambda node: node.value) == []
    assert elsewhere(lambda: market.counters[1].value) == 5.0


def test_a_layer_that_another_thread_opened_before_the_batch_goes_on_inside_it(market):
    """Its base is the tick at which it was opened; the writer's lock is not needed to read from it."""
    opened, written, seen, done = (threading.Event() for _ in range(4))
    found = []

    def explore():
        with market.graph.scenario({"A": 50.0}):
            opened.set()
            written.wait(PATIENCE)
            found.extend([market.zeros[0].value, market.zeros[1].value, market.hundreds[0].value])
            seen.set()
        done.set()

    threading.Thread(target=explore, daemon=True).start()
    assert opened.wait(PATIENCE)
    with market.graph.batch():
        market.leaves["A"].set(7.0)
        market.leaves["B"].set(-7.0)
        market.graph.recalculate()
        written.set()
        assert seen.wait(PATIENCE)
        assert found == [49.0, 98.0, 149.0]
        market.leaves["C"].set(93.0)
    assert done.wait(PATIENCE)
    assert market.invariant(lambda node: node.value) == []


def test_writers_take_turns(market):
    """Several threads may write: each batch is whole."""
    run = Stress(0.5)
    run.market = market
    locked = threading.Lock()
    levels = itertools.count()

    def write(i):
        with locked:
            level = float(next(levels) % 1_000)
        with market.graph.batch():
            market.leaves["A"].set(level)
            market.leaves["B"].set(-level)
            market.leaves["C"].set(HUNDRED - level)
            return market.invariant(lambda node: node.value)

    for i in range(4):
        run.start(f"writer {i}", write)
    run.start("reader", run.read_aggregates)
    run.finish()
    assert run.wrong == []
    assert min(run.work.values()) > 0
