"""Invariants after Ctrl-C, of memory, of notifications, and of blocks of quotes."""

import gc
import math
import threading
import weakref
from contextlib import suppress

import numpy as np
import pytest

from bank_python.dagger import ArrayNode, DependencyGraph, DerivedNode, Leaf, Source, Term
from bank_python.errors import CycleError, DomainError, GraphError, UpstreamError, ValuationError


class Times(ArrayNode):
    """source × factor."""

    source = Source("input")
    factor = Term("factor")
    fuse = None

    def __init__(self, name, source, factor):
        super().__init__(name, {"source": source}, {"factor": factor})

    @staticmethod
    def price(source, factor):
        if Times.fuse is not None:
            Times.fuse()
        return source * factor


class Fuse:
    """Raises KeyboardInterrupt at the k-th call."""

    def __init__(self):
        self.left = math.inf

    def __call__(self):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def build(fuse):
    def function(*values):
        fuse()
        return sum(values)

    graph = DependencyGraph()
    a, b = graph.register(Leaf("A", 1.0)), graph.register(Leaf("B", 2.0))
    low = graph.derive("LOW", function, [a])
    both = graph.derive("BOTH", function, [low, b])
    arrays = [graph.register(Times(f"T{i}", source, 2.0 + i)) for i, source in enumerate([a, low, both])]
    total = graph.sum("TOTAL", [*arrays, both, a], [1.0, 2.0, 1.0, -1.0, 0.5])
    plain = graph.sum("PLAIN", [*arrays, both, a])
    graph.derive("TOP", function, [total, plain])
    graph.recalculate()
    return graph


def values(graph):
    return {node.name: node.value for node in graph}


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize("k", range(7))
def test_an_interrupted_run_loses_nothing(k, lazily, monkeypatch):
    fuse = Fuse()
    monkeypatch.setattr(Times, "fuse", fuse)
    graph, fresh = build(fuse), build(lambda: None)
    graph["A"].set(5.0)
    fuse.left = k
    with suppress(KeyboardInterrupt):
        _ = graph["T2"].value if lazily else graph.recalculate()
    fuse.left = math.inf
    fresh["A"].set(5.0)
    assert values(graph) == values(fresh)
    graph["B"].set(7.0)
    fresh["B"].set(7.0)
    graph.recalculate()
    assert values(graph) == values(fresh)


def test_a_graph_and_its_nodes_can_be_collected():
    graph = build(lambda: None)
    with graph.scenario({"A": 3.0}), graph.snapshot() as snapshot:
        _ = graph["TOP"].value, snapshot["TOP"]
    graph["A"].set(9.0)
    graph.recalculate()
    top, whole = weakref.ref(graph["TOP"]), weakref.ref(graph)
    graph.unregister("TOP")
    gc.collect()
    assert top() is None
    del graph, snapshot
    gc.collect()
    assert whole() is None


def test_a_weak_subscription_ends_with_its_owner():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    node = graph.derive("D", lambda x: x, [leaf])
    heard = []

    class Panel:
        def hear(self, node):
            heard.append(node.value)

    panel = Panel()
    graph.recalculate()
    subscription = graph.subscribe(node, panel.hear, weak=True)
    leaf.set(2.0)
    graph.recalculate()
    gone = weakref.ref(panel)
    del panel
    gc.collect()
    leaf.set(3.0)
    graph.recalculate()
    assert (heard, gone(), subscription.callback, subscription.calls) == ([2.0], None, None, 1)


def test_subscribers_may_set_read_and_leave():
    graph = DependencyGraph()
    a, b = graph.register(Leaf("A", 1.0)), graph.register(Leaf("B", 0.0))
    follows = graph.derive("F", lambda x: x + 1.0, [b])
    heard = []

    def copy(node):
        b.set(node.value)
        heard.append(follows.value)
        subscription.cancel()

    subscription = graph.subscribe(a, copy)
    a.set(5.0)
    a.set(6.0)
    assert (heard, b.value) == ([6.0], 5.0)


def test_a_swap_is_undone_with_its_batch():
    graph = DependencyGraph()
    a, b = graph.register(Leaf("A", 1.0)), graph.register(Leaf("B", 10.0))
    deep = graph.derive("DEEP", lambda x: x, [graph.derive("MID", lambda x: x + 0.0, [b])])
    node, twice = graph.register(Times("T", a, 2.0)), graph.derive("TWICE", lambda x, y: x + y, [a, a])
    total = graph.sum("S", [node, twice, a])
    assert total.value == 5.0

    def fails():
        with graph.batch():
            for dependent in (node, twice, total):
                graph.swap(dependent, a, deep)
            assert total.value == 50.0
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert (total.value, node.source, twice.underliers, graph.tick) == (5.0, a, (a, a), 0)
    graph.swap("T", "A", "DEEP")
    assert (total.value, graph.plan("B").nodes[-1]) == (23.0, "S")
    with pytest.raises(CycleError):
        graph.swap(node, deep, total)
    with pytest.raises(GraphError, match="does not depend on A"):
        graph.swap(node, a, b)
    assert total.value == 23.0


def test_not_a_number_is_never_a_value():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    nan = graph.derive("NAN", lambda x: math.nan if x > 1.0 else x, [leaf])
    two = graph.derive("TWO", lambda x, y: x + y, [leaf, nan])
    array = graph.derive("ARRAY", lambda x: np.array([x, math.nan]), [leaf])
    total = graph.sum("S", [nan, leaf])
    leaf.set(2.0)
    assert isinstance(nan.error, ValuationError)
    assert isinstance(two.error, UpstreamError)
    assert isinstance(total.error, UpstreamError)
    assert array.error is None
    leaf.set(0.5)
    assert (two.value, total.value) == (1.0, 1.0)
    with pytest.raises(DomainError):
        leaf.set(math.nan)


class TestBlock:
    """Setting many leaves at once is equivalent to setting them one by one."""

    @pytest.fixture
    def graph(self):
        graph = DependencyGraph()
        leaves = [graph.register(Leaf(f"L{i}", 1.0 + i, domain="positive")) for i in range(6)]
        arrays = [graph.register(Times(f"T{i}", leaf, 2.0)) for i, leaf in enumerate(leaves)]
        graph.derive("PAIR", lambda x, y: x - y, leaves[:2])
        graph.register(Times("HIGH", graph["PAIR"], 3.0))
        graph.sum("S", [*arrays, leaves[0], graph["PAIR"], graph["HIGH"]])
        graph.recalculate()
        return graph

    @pytest.mark.parametrize("around", ["plain", "batch", "snapshot", "subscriber", "single before", "single after"])
    def test_the_same_as_one_by_one(self, graph, around):
        block = graph.block([f"L{i}" for i in range(6)])
        page = np.array([1.0, 5.0, 7.0, 4.0, 9.0, 6.0])  # some stay as they are
        tick, heard = graph.tick, []
        if around == "single before":
            graph["L2"].set(50.0)
        if around == "batch":
            with graph.batch():
                block.set(page)
        elif around == "snapshot":
            with graph.snapshot() as snapshot:
                block.set(page)
                assert [snapshot[f"L{i}"] for i in range(6)] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
                graph.recalculate()
                assert snapshot["T1"] == 4.0
        else:
            if around == "subscriber":
                graph.subscribe("L1", lambda leaf: heard.append(leaf.value))
            block.set(page)
        if around == "single after":
            graph["L3"].set(40.0)
            page[3] = 40.0
        assert [graph[f"T{i}"].value for i in range(6)] == (2.0 * page).tolist()
        assert graph["S"].value == math.fsum([*(2.0 * page), page[0], page[0] - page[1], 3.0 * (page[0] - page[1])])
        assert heard == ([5.0] if around == "subscriber" else [])
        assert graph.tick > tick

    def test_a_bad_page_changes_nothing(self, graph):
        block = graph.block(["L0", "L1"])
        for bad in ([1.0], [1.0, -1.0], [math.nan, 1.0], [[1.0, 2.0]]):
            with pytest.raises(DomainError):
                block.set(bad)
        assert (graph["L0"].value, graph["L1"].value, graph.tick) == (1.0, 2.0, 0)

    def test_a_block_is_of_number_leaves_named_once(self, graph):
        graph.register(Leaf("ANY", None, domain="any"))
        for names in (["T0"], ["ANY"], ["L0", "L0"]):
            with pytest.raises(GraphError):
                graph.block(names)

    def test_undone_with_its_batch(self, graph):
        before = values(graph)
        with suppress(RuntimeError), graph.batch():
            graph.block(["L0", "L1"]).set([8.0, 9.0])
            assert graph["PAIR"].value == -1.0
            raise RuntimeError
        assert values(graph) == before

    def test_set_twice_and_back(self, graph):
        block = graph.block(["L0", "L1"])
        block.set([8.0, 9.0])
        block.set([1.0, 2.0])
        assert graph.recalculate().evaluated == 0


def test_profile_agrees_with_the_recalculation():
    graph = build(lambda: None)
    graph["A"].set(3.0)
    with graph.profile() as profile:
        done = graph.recalculate()
    assert {row.name: row.evaluations for row in profile.rows} == done.by_class
    assert profile.evaluations == done.evaluated
    assert all(row.calls <= row.evaluations and row.seconds >= 0.0 for row in profile.rows)


def test_an_override_of_a_derived_node_wants_permission():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    fixed = graph.derive("FIXED", lambda x: x, [leaf])
    free = graph.derive("FREE", lambda x: x, [fixed], override=True)
    top = graph.derive("TOP", lambda x, y: x + y, [fixed, free])
    with pytest.raises(GraphError, match="override=True"), graph.scenario({"FIXED": 2.0}):
        pass
    with graph.scenario({"FREE": 10.0, "L": 2.0}):
        assert (free.value, top.value) == (10.0, 12.0)
    assert top.value == 2.0


def test_a_tolerance_may_be_a_number():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    near = graph.derive("NEAR", lambda x: x, [leaf], equal=0.25)
    seen = []
    graph.derive("SEEN", seen.append, [near])
    for value in (1.1, 1.25, 1.26, 1.4, 2.0):
        leaf.set(value)
        graph.recalculate()
    assert seen == [1.1, 1.4, 2.0]
    with pytest.raises(GraphError, match="tolerance"):
        DerivedNode("X", abs, [leaf], equal=-1.0)


def test_leaving_a_layer_does_not_wait_for_a_writer():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    node = graph.derive("D", lambda x: 2.0 * x, [leaf])
    inside, leave = threading.Event(), threading.Event()
    seen = []

    def look():
        with graph.scenario({"L": 5.0}):
            inside.set()
            leave.wait(30.0)
            seen.append(node.value)

    reader = threading.Thread(target=look, daemon=True)
    reader.start()
    assert inside.wait(30.0)
    with graph.batch():
        leaf.set(3.0)
        leave.set()
        reader.join(30.0)
        assert (reader.is_alive(), seen) == (False, [10.0])
    assert node.value == 6.0
