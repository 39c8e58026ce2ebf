"""Policies: when costly nodes are evaluated, their values in between, and the age of these."""

import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.dagger import Background, DependencyGraph, Every, Leaf, Moved, OnRead
from bank_python.errors import GraphError, UpstreamError


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


@pytest.fixture
def graph():
    graph = DependencyGraph()
    graph.register(Leaf("L", 1.0))
    return graph


def counted(calls):
    def function(x):
        calls.append(x)
        return 10.0 * x

    return function


def test_on_read_is_never_recalculated(graph):
    calls, leaf = [], graph["L"]
    node = graph.derive("READ", counted(calls), [leaf], OnRead())
    above = graph.sum("ABOVE", [node, leaf])
    eager = graph.derive("EAGER", lambda x: x, [leaf])
    for value in (2.0, 3.0):
        leaf.set(value)
        assert graph.recalculate().by_class == {"DerivedNode": 1}
    assert (calls, eager.value, graph.dirty) == ([], 3.0, 0)
    assert (above.value, calls) == (33.0, [3.0])
    assert (node.value, node.value, calls) == (30.0, 30.0, [3.0])
    leaf.set(4.0)
    with graph.snapshot() as snapshot:
        assert snapshot[above] == 44.0
    with graph.scenario({"L": 5.0}):
        assert above.value == 55.0
    assert above.value == 44.0


def test_every_holds_back_and_catches_up(graph):
    calls, leaf, now = [], graph["L"], [0.0]
    node = graph.derive("EVERY", counted(calls), [leaf], Every(10.0, clock=lambda: now[0]))
    above = graph.derive("ABOVE", lambda x: x + 1, [node])
    assert (above.value, calls) == (11.0, [1.0])
    leaf.set(2.0)
    graph.recalculate()
    leaf.set(3.0)
    assert (graph.recalculate().evaluated, above.value) == (0, 11.0)
    assert (node.as_of_tick, graph.tick) == (0, 2)
    now[0] = 10.0
    assert graph.recalculate().evaluated == 2
    assert (above.value, node.as_of_tick, calls) == (31.0, 2, [1.0, 3.0])
    leaf.set(4.0)
    assert node.value == 30.0
    now[0] = 20.0
    assert above.value == 41.0


def test_moved_counts_from_the_last_evaluation(graph):
    calls, leaf = [], graph["L"]
    absolute = graph.derive("ABSOLUTE", counted(calls), [leaf], Moved(0.5))
    relative = graph.derive("RELATIVE", lambda x: x, [leaf], Moved(0.5, relative=True))
    for value in (1.2, 1.4, 1.5, 1.6, 1.0, 2.2):
        leaf.set(value)
        graph.recalculate()
    assert calls == [1.2, 2.2]
    assert (absolute.value, relative.value) == (22.0, 2.2)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(-10, 10), max_size=30), tolerance=st.floats(0, 5))
def test_moved_is_what_a_simple_loop_says(values, tolerance):
    graph, calls = DependencyGraph(), []
    leaf = graph.register(Leaf("L", 0.5))
    node = graph.derive("N", counted(calls), [leaf], Moved(tolerance))
    graph.recalculate()
    used, expected = 0.5, [0.5]
    for value in values:
        leaf.set(value)
        graph.recalculate()
        if abs(value - used) > tolerance:
            used = value
            expected.append(value)
    assert calls == expected
    assert node.value == 10.0 * used


def test_background_serves_the_last_value_until_the_new_one_arrives(graph):
    leaf, executor, heard = graph["L"], ByHand(), []
    node = graph.derive("BACK", lambda x: 1.0 / x, [leaf], Background(executor))
    above = graph.derive("ABOVE", lambda x: x + 1, [node])
    graph.recalculate()
    graph.subscribe(above, lambda node: heard.append(node.value))
    leaf.set(2.0)
    graph.recalculate()
    leaf.set(4.0)  # while it runs
    graph.recalculate()
    assert (above.value, node.as_of_tick, graph.tick, len(executor.waiting)) == (2.0, 0, 2, 1)
    executor.run()
    graph.recalculate()
    assert (above.value, node.as_of_tick, graph.tick, len(executor.waiting)) == (1.5, 1, 3, 1)
    executor.run()
    assert (above.value, node.as_of_tick, heard) == (1.25, 3, [1.5, 1.25])
    leaf.set(0.0)
    graph.recalculate()
    executor.run()
    assert isinstance(node.error, ZeroDivisionError)
    assert isinstance(above.error, UpstreamError)


def test_background_in_a_thread_of_its_own(graph):
    arrived = threading.Event()
    node = graph.derive("BACK", lambda x: 2.0 * x, [graph["L"]], Background())
    graph.recalculate()
    graph.subscribe(node, lambda _: arrived.set())
    graph["L"].set(8.0)
    graph.recalculate()
    assert arrived.wait(30.0)
    assert node.value == 16.0


def test_an_arrival_for_a_node_that_has_left_is_dropped(graph):
    executor = ByHand()
    node = graph.derive("BACK", lambda x: x, [graph["L"]], Background(executor))
    graph.recalculate()
    graph["L"].set(2.0)
    graph.recalculate()
    graph.unregister(node)
    executor.run()
    assert (len(graph), graph.tick) == (1, 1)


def test_a_layer_evaluates_whatever_the_policy(graph):
    node = graph.derive("MOVED", lambda x: x, [graph["L"]], Moved(100.0))
    graph.recalculate()
    graph["L"].set(2.0)
    graph.recalculate()
    assert node.value == 1.0
    with graph.scenario({"L": 3.0}):
        assert node.value == 3.0
    assert node.value == 1.0


@pytest.mark.parametrize(("policy", "bad"), [(Every, 0.0), (Every, float("nan")), (Moved, -1.0), (Every, "1")])
def test_policies_that_make_no_sense_are_refused(policy, bad):
    with pytest.raises(GraphError, match="give one"):
        policy(bad)


def test_an_undone_batch_leaves_no_mark_on_a_policy(graph):
    calls, leaf, executor = [], graph["L"], ByHand()
    moved = graph.derive("MOVED", counted(calls), [leaf], Moved(0.5))
    back = graph.derive("BACK", lambda x: -x, [leaf], Background(executor))
    graph.recalculate()
    leaf.set(1.0)
    with suppress(RuntimeError), graph.batch():
        leaf.set(9.0)
        graph.recalculate()
        assert moved.value == 90.0
        raise RuntimeError
    executor.run()
    graph.recalculate()
    assert (moved.value, back.value, moved.as_of_tick) == (10.0, -1.0, 0)
    leaf.set(1.4)
    graph.recalculate()
    assert moved.value == 10.0
    leaf.set(1.6)
    graph.recalculate()
    executor.run()  # the evaluation started by 1.4
    executor.run()  # the evaluation requested by 1.6 in between
    assert (moved.value, back.value) == (16.0, -1.6)
