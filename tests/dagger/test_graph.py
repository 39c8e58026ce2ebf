"""Documented properties of the graph, one per test; evaluations are counted, never timed."""

import contextvars
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bank_python.barbara import BarbaraDB
from bank_python.dagger import ArrayNode, DependencyGraph, DerivedNode, Leaf, Source, SumNode, Term, node_function
from bank_python.errors import (
    CycleError,
    DomainError,
    DuplicateNodeError,
    GraphError,
    NotQuotedError,
    UnknownNodeError,
    UpstreamError,
)


class Exponential(ArrayNode):
    """exp(source × factor): a function whose bits would show a scalar path beside the vector one."""

    source = Source("exponent")
    factor = Term("factor")

    def __init__(self, name, source, factor):
        super().__init__(name, {"source": source}, {"factor": factor})

    @staticmethod
    def price(source, factor):
        return np.exp(source * factor)


@pytest.fixture
def graph():
    return DependencyGraph()


def counted(calls):
    def function(*values):
        calls.append(values)
        return math.fsum(values)

    return function


def test_a_diamond_ladder_evaluates_each_node_once(graph):
    calls = []
    top = graph.register(Leaf("L", 1.0))
    for i in range(20):
        left = graph.derive(f"A{i}", counted(calls), [top])
        right = graph.derive(f"B{i}", counted(calls), [top])
        top = graph.derive(f"C{i}", counted(calls), [left, right])
    graph.recalculate()
    calls.clear()
    graph["L"].set(2.0)
    assert graph.recalculate().evaluated == len(calls) == 60
    assert top.value == 2.0 * 2**20


def test_the_wave_stops_where_nothing_changed(graph):
    calls = []
    leaf = graph.register(Leaf("L", 1.5))
    floor = graph.derive("FLOOR", math.floor, [leaf])
    for i in range(300):
        graph.derive(f"D{i}", counted(calls), [floor])
    graph.recalculate()
    calls.clear()
    leaf.set(1.7)
    done = graph.recalculate()
    assert (done.evaluated, done.changed, calls) == (1, 0, [])
    leaf.set(1.7)
    assert graph.recalculate().evaluated == 0


def test_a_tolerance_is_against_the_last_propagated_value(graph):
    leaf = graph.register(Leaf("L", 1.0))
    near = graph.derive("NEAR", lambda x: x, [leaf], equal=lambda old, new: abs(old - new) < 0.1)
    seen = []
    graph.derive("SEEN", seen.append, [near])
    graph.recalculate()
    for value in (1.04, 1.08, 1.12, 1.16):
        leaf.set(value)
        graph.recalculate()
    assert seen == [1.0, 1.12]


def test_reading_computes_just_what_it_needs(graph):
    calls = []
    leaf = graph.register(Leaf("L", 1.0))
    wanted = graph.derive("WANTED", counted(calls), [leaf])
    graph.derive("OTHER", counted(calls), [leaf])
    assert wanted.value == 1.0
    assert len(calls) == 1
    assert graph.dirty == 1


def test_a_very_deep_chain(graph):
    node = leaf = graph.register(Leaf("L", 0.0))
    for i in range(100_000):
        node = graph.register(DerivedNode(f"D{i}", lambda x: x + 1.0, [node]))
    assert node.value == 100_000.0
    leaf.set(1.0)
    assert graph.recalculate().evaluated == 100_000
    assert node.value == 100_001.0


def test_a_deep_chain_outside_a_graph():
    node = leaf = Leaf("L", 0.0)
    for i in range(20_000):
        node = SumNode(f"S{i}", [node])
    leaf.set(2.0)
    assert node.value == 2.0


def test_values_do_not_depend_on_grouping(graph):
    rng = np.random.default_rng(3)
    leaves = [graph.register(Leaf(f"L{i}", x)) for i, x in enumerate(rng.normal(size=257))]
    nodes = [graph.register(Exponential(f"E{i}", leaf, 0.7)) for i, leaf in enumerate(leaves)]
    alone = [Exponential("ALONE", float(leaf.value), 0.7).value for leaf in leaves]
    graph.recalculate()
    assert [node.value for node in nodes] == alone
    for i in range(0, 257, 7):
        value = leaves[i].value
        leaves[i].set(0.0)
        graph.recalculate()
        leaves[i].set(value)
        assert nodes[i].value == alone[i]


def test_errors_are_values_and_recover(graph):
    leaf = graph.register(Leaf("L", 0.0))
    inverse = graph.derive("INVERSE", lambda x: 1.0 / x, [leaf])
    middle = graph.derive("MIDDLE", lambda x: x + 1, [inverse])
    top = graph.derive("TOP", lambda x: x + 1, [middle])
    sibling = graph.derive("SIBLING", lambda x: x + 1, [leaf])
    assert graph.recalculate().failed == 3
    assert isinstance(inverse.error, ZeroDivisionError)
    with pytest.raises(UpstreamError, match="INVERSE failed") as caught:
        _ = top.value
    assert (caught.value.name, caught.value.cause_name) == ("TOP", "INVERSE")
    assert sibling.value == 1.0
    leaf.set(2.0)
    assert (top.value, top.error) == (2.5, None)


def test_an_unquoted_positive_leaf_has_no_value(graph):
    leaf = Leaf("SPOT", 0.0, domain="positive")
    node = graph.derive("TWICE", lambda x: 2 * x, [leaf])
    assert not leaf.quoted
    with pytest.raises(NotQuotedError, match="SPOT is not yet quoted"):
        _ = leaf.value
    with pytest.raises(UpstreamError, match="SPOT"):
        _ = node.value
    leaf.set(1.0)
    assert (node.value, leaf.quoted) == (2.0, True)


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1", None, True, 1j, [1.0]])
def test_bad_values_leave_the_leaf_as_it_was(graph, bad):
    leaf = graph.register(Leaf("L", 1.0))
    with pytest.raises(DomainError) as caught:
        leaf.set(bad)
    assert (caught.value.name, leaf.value, graph.tick) == ("L", 1.0, 0)


def test_a_cycle_is_refused_with_its_path(graph):
    total = graph.sum("TOTAL", [graph.register(Leaf("L", 1.0))])
    above = graph.derive("ABOVE", lambda x: x, [total])
    with pytest.raises(CycleError) as caught:
        total.add(above)
    assert caught.value.path == ["TOTAL", "ABOVE", "TOTAL"]
    assert (above.value, total.underliers) == (1.0, (graph["L"],))


def test_a_second_node_of_a_name_is_refused_and_nothing_is_half_registered(graph):
    graph.register(Leaf("L", 1.0))
    node = DerivedNode("D", lambda a, b: a + b, [Leaf("NEW", 1.0), Leaf("L", 2.0)])
    with pytest.raises(DuplicateNodeError, match="'L' is taken"):
        graph.register(node)
    assert len(graph) == 1
    assert node.value == 3.0


def test_a_node_lives_in_one_graph(graph):
    leaf = graph.register(Leaf("L", 1.0))
    with pytest.raises(GraphError, match="another graph"):
        DependencyGraph().derive("D", lambda x: x, [leaf])


def test_unknown_names_are_answered_with_close_ones(graph):
    graph.register(Leaf("AAPL_SPOT", 1.0))
    with pytest.raises(UnknownNodeError, match="did you mean 'AAPL_SPOT'"):
        graph.node("APPL_SPOT")


def test_replacing_a_node_moves_its_dependents(graph):
    old = graph.register(Leaf("L", 1.0))
    columns = graph.register(Exponential("E", old, 1.0))
    total = graph.sum("S", [old, columns])
    new = graph.register(Leaf("L", 2.0), replace=True)
    assert total.value == 2.0 + math.exp(2.0)
    assert columns.source is new
    assert old.graph is None
    with pytest.raises(CycleError, match="depends on it"):
        graph.derive("L", lambda x: x, [total], replace=True)


def test_unregistering_wants_nothing_above(graph):
    leaf = graph.register(Leaf("L", 1.0))
    node = graph.register(Exponential("E", leaf, 1.0))
    with pytest.raises(GraphError, match="E depend on it"):
        graph.unregister("L")
    graph.unregister(node)
    other = graph.register(Exponential("F", leaf, 2.0))
    assert (other.value, len(graph)) == (math.exp(2.0), 2)


def test_a_scenario_leaves_no_trace(graph):
    leaf = graph.register(Leaf("L", 1.0))
    node = graph.derive("D", lambda x: 10 * x, [leaf])
    graph.recalculate()
    evaluations, tick = graph.evaluations, graph.tick

    def crash_inside():
        with graph.scenario({leaf: 5.0}):
            assert node.value == 50.0
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash_inside()
    assert (node.value, graph.evaluations, graph.tick, graph.dirty) == (10.0, evaluations, tick, 0)


def test_scenarios_set_leaves_within_their_domain(graph):
    leaf = graph.register(Leaf("L", 1.0, domain="positive"))
    node = graph.derive("D", lambda x: x, [leaf])
    with pytest.raises(GraphError, match="D is derived from L"), graph.scenario({"D": 1.0}):
        pass
    with pytest.raises(DomainError), graph.scenario({leaf: -1.0}):
        pass
    assert node.value == 1.0


def test_a_layer_belongs_to_the_context_that_opened_it(graph):
    leaf = graph.register(Leaf("L", 1.0))
    node = graph.derive("D", lambda x: x, [leaf])
    graph.recalculate()
    with ThreadPoolExecutor(1) as pool, graph.scenario({leaf: 5.0}):
        assert pool.submit(lambda: node.value).result() == 1.0
        assert pool.submit(contextvars.copy_context().run, lambda: node.value).result() == 5.0
        pool.submit(leaf.set, 7.0).result()
        assert node.value == 5.0
    assert node.value == 7.0


def test_subscribers_hear_each_tick_once_and_cannot_hurt(graph, caplog):
    a, b = graph.register(Leaf("A", 1.0)), graph.register(Leaf("B", 1.0))
    total = graph.sum("S", [a, b])
    graph.recalculate()
    heard = []
    fine = graph.subscribe(total, lambda node: heard.append(node.value))
    broken = graph.subscribe(total, lambda _: 1 / 0)
    with graph.batch():
        a.set(2.0)
        _ = total.value
        b.set(3.0)
    graph.recalculate()
    assert heard == [5.0]
    assert (broken.failures, broken.calls) == (1, 1)
    assert "a subscriber of S raised" in caplog.text
    fine.cancel()
    a.set(9.0)
    graph.recalculate()
    assert heard[-1] == 5.0


def test_explain_plan_and_dot(graph):
    leaf = graph.register(Leaf("L", 1.0))
    node = graph.register(Exponential("E", leaf, 2.0))
    graph.sum("S", [node])
    leaf.set(0.0)
    graph.recalculate()
    why = graph.explain("S")
    assert (why.name, why.outcome, why.inputs[0].function, why.inputs[0].terms) == (
        "S", 1.0, "Exponential.price", {"factor": 2.0},
    )  # fmt: skip
    assert (why.inputs[0].inputs[0].name, why.inputs[0].changed_tick) == ("L", 1)
    assert "E = 1.0" in str(why)
    plan = graph.plan("L")
    assert (plan.nodes, plan.levels, plan.by_class) == (("E", "S"), 2, {"Exponential": 1, "SumNode": 1})
    assert '"L" -> "E";' in graph.to_dot()


def test_named_functions_are_stored_and_lambdas_refused(graph):
    @node_function("tests.dagger.twice")
    def twice(x):
        return 2 * x

    with BarbaraDB.open("desk", path=":memory:") as db:
        db["/Nodes/D"] = graph.derive("D", twice, [graph.register(Leaf("L", 4.0))])
        assert db["/Nodes/D"].value == 8.0
    with pytest.raises(GraphError, match="already names"):
        node_function("tests.dagger.twice")(math.sqrt)


def test_no_reader_sees_half_a_batch(graph):
    a, b = graph.register(Leaf("A", 1.0)), graph.register(Leaf("B", -1.0))
    total = graph.sum("S", [a, b])
    graph.recalculate()
    stop, wrong, reads = threading.Event(), [], []

    def read():
        while not stop.is_set():
            with graph.snapshot() as snapshot:
                if snapshot[a] + snapshot[b] != 0.0 or snapshot[total] != 0.0:
                    wrong.append(snapshot.tick)
            if total.value != 0.0:
                wrong.append("plain")
            reads.append(1)

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for i in range(1, 1500):
        with graph.batch():
            a.set(float(i))
            b.set(-float(i))
        if i % 3 == 0:
            graph.recalculate()
    stop.set()
    for reader in readers:
        reader.join()
    assert (wrong, bool(reads)) == ([], True)


def test_the_nodes_are_a_mapping_that_follows_the_graph_and_cannot_be_written():
    graph = DependencyGraph()
    nodes = graph.nodes
    assert (len(nodes), list(nodes)) == (0, [])
    spot = graph.register(Leaf("SPOT", 2.0))
    twice = graph.derive("TWICE", lambda x: 2.0 * x, [spot])
    assert dict(nodes) == {"SPOT": spot, "TWICE": twice}
    assert "SPOT" in nodes
    assert "SPOTS" not in nodes
    assert nodes.get("NONE") is None
    with pytest.raises(UnknownNodeError, match="did you mean 'SPOT'"):
        nodes["SPOTS"]
    with pytest.raises(TypeError):
        nodes["SPOT"] = twice
    for name in nodes:
        graph.register(Leaf(f"{name}_TOO", 1.0))  # an iteration covers the nodes that were there when it began
    assert list(nodes) == ["SPOT", "TWICE", "SPOT_TOO", "TWICE_TOO"]
    graph.unregister("TWICE")
    assert "TWICE" not in nodes
