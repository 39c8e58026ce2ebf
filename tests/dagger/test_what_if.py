"""What-if layers: nothing is lost, leaks or is computed twice, one known failure of other engines per test."""

import contextvars
import inspect
import math
import threading
from collections import Counter
from contextlib import ExitStack

import numpy as np
import pytest

from bank_python.dagger import ArrayNode, DependencyGraph, DerivedNode, Leaf, Source, Term
from bank_python.errors import DomainError, GraphError, UnknownNodeError, UpstreamError

CAN_PIN = "override" in inspect.signature(DependencyGraph.derive).parameters
pins = pytest.mark.skipif(not CAN_PIN, reason="derive() takes no `override` in this version")


class Growth(ArrayNode):
    """level × exp(rate × years)."""

    level = Source("what grows")
    rate = Source("how fast")
    years = Term("how long")

    def __init__(self, name, level, rate, years):
        super().__init__(name, {"level": level, "rate": rate}, {"years": years})

    @staticmethod
    def price(level, rate, years):
        return level * np.exp(rate * years)


@pytest.fixture
def graph():
    return DependencyGraph()


@pytest.fixture
def calls():
    return Counter()


@pytest.fixture
def tree(graph, calls):
    """Two leaves; LEFT and RIGHT on one each, BOTH on the two, TOTAL the sum of all three."""

    def counted(name, function):
        def called(*values):
            calls[name] += 1
            return function(*values)

        return called

    a, b = graph.register(Leaf("A", 1.0)), graph.register(Leaf("B", 10.0))
    graph.derive("LEFT", counted("LEFT", lambda x: 2.0 * x), [a])
    graph.derive("RIGHT", counted("RIGHT", lambda x: 3.0 * x), [b])
    graph.derive("BOTH", counted("BOTH", lambda x, y: x * y), ["LEFT", "RIGHT"])
    graph.sum("TOTAL", ["LEFT", "RIGHT", "BOTH"])
    return graph


def values(graph, *names):
    return [graph[name].value for name in names]


def expected(a, b):
    left, right = 2.0 * a, 3.0 * b
    return [a, b, left, right, left * right, math.fsum([left, right, left * right])]


ALL = ("A", "B", "LEFT", "RIGHT", "BOTH", "TOTAL")


# --- nothing is lost --------------------------------------------------------------------------


def test_an_override_before_the_first_read_of_anything_is_not_lost(tree, calls):
    with tree.scenario({"A": 5.0}):
        assert values(tree, *ALL) == expected(5.0, 10.0)
    assert values(tree, *ALL) == expected(1.0, 10.0)


def test_overriding_a_leaf_that_was_never_read_leaves_its_own_value(graph):
    leaf = graph.register(Leaf("L", 3.0))
    with graph.scenario({leaf: 4.0}):
        pass
    assert leaf.value == 3.0
    with graph.scenario({leaf: 4.0}):
        assert leaf.value == 4.0
    assert leaf.value == 3.0


def test_overriding_a_leaf_that_is_not_quoted_gives_its_dependents_a_value_inside_only(graph):
    spot = graph.register(Leaf("SPOT", 0.0, domain="positive"))
    twice = graph.derive("TWICE", lambda x: 2.0 * x, [spot])
    with graph.scenario({spot: 4.0}):
        assert (twice.value, twice.error) == (8.0, None)
    with pytest.raises(UpstreamError, match="SPOT"):
        _ = twice.value


def test_a_node_made_inside_sees_the_override_and_outside_the_base(tree):
    with tree.scenario({"A": 5.0}):
        late = tree.derive("LATE", lambda x: x + 0.5, ["LEFT"])
        assert late.value == 10.5
    assert late.value == 2.5


def test_a_dependent_that_belongs_to_another_object_sees_it(tree):
    """The peer's layer knew only nodes of the object that it was opened on."""

    class Desk:
        def __init__(self, graph):
            self.pnl = graph.register(DerivedNode("DESK_PNL", lambda x: x - 100.0, [graph["TOTAL"]]))

    class Firm:
        def __init__(self, graph, desk):
            self.risk = graph.register(Growth("FIRM_RISK", desk.pnl, graph["A"], 1.0))

    desk = Desk(tree)
    firm = Firm(tree, desk)
    outside = desk.pnl.value, firm.risk.value
    with tree.scenario({"A": 5.0}):
        total = expected(5.0, 10.0)[-1]
        assert desk.pnl.value == total - 100.0
        assert firm.risk.value == Growth("ALONE", total - 100.0, 5.0, 1.0).value
    assert (desk.pnl.value, firm.risk.value) == outside


def test_edits_of_the_base_made_inside_are_not_seen_there_and_not_lost(tree):
    with tree.scenario({"A": 5.0}):
        tree["B"].set(20.0)
        tree["A"].set(2.0)
        assert values(tree, *ALL) == expected(5.0, 10.0)
        tree.recalculate()
        assert values(tree, *ALL) == expected(5.0, 10.0)
    assert values(tree, *ALL) == expected(2.0, 20.0)


def test_edits_of_the_base_between_layers_are_seen_by_the_next(tree):
    with tree.scenario({"A": 5.0}):
        assert tree["TOTAL"].value == expected(5.0, 10.0)[-1]
    tree["B"].set(20.0)
    with tree.scenario({"A": 5.0}):
        assert values(tree, *ALL) == expected(5.0, 20.0)
    tree["A"].set(7.0)
    assert values(tree, *ALL) == expected(7.0, 20.0)


def test_edits_of_the_base_between_an_outer_and_an_inner_layer(tree):
    with tree.scenario({"A": 5.0}):
        tree["B"].set(20.0)
        with tree.scenario({"A": 6.0}):
            assert values(tree, *ALL) == expected(6.0, 10.0)
        assert values(tree, *ALL) == expected(5.0, 10.0)
    assert values(tree, *ALL) == expected(1.0, 20.0)


def test_a_batch_inside_a_layer_writes_the_base(tree):
    with tree.scenario({"A": 5.0}):
        with tree.batch():
            tree["A"].set(3.0)
            tree["B"].set(4.0)
        assert values(tree, *ALL) == expected(5.0, 10.0)
    assert values(tree, *ALL) == expected(3.0, 4.0)


# --- nothing leaks ----------------------------------------------------------------------------


def test_an_exception_inside_restores_everything(tree):
    before = values(tree, *ALL)
    evaluations, tick = tree.evaluations, tree.tick

    def fails():
        with tree.scenario({"A": 5.0}), tree.scenario({"B": 6.0}):
            assert values(tree, *ALL) == expected(5.0, 6.0)
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fails()
    assert values(tree, *ALL) == before
    assert (tree.evaluations, tree.tick, tree.dirty) == (evaluations, tick, 0)


def test_an_exception_in_the_inner_layer_leaves_the_outer_one_as_it_was(tree):
    def fails():
        with tree.scenario({"B": 6.0}):
            raise KeyError("inside")

    with tree.scenario({"A": 5.0}):
        with pytest.raises(KeyError):
            fails()
        assert values(tree, *ALL) == expected(5.0, 10.0)
    assert values(tree, *ALL) == expected(1.0, 10.0)


def test_a_failure_inside_stays_inside(graph):
    leaf = graph.register(Leaf("L", 1.0))
    inverse = graph.derive("INVERSE", lambda x: 1.0 / x, [leaf])
    total = graph.sum("TOTAL", [inverse, leaf])
    assert total.value == 2.0
    with graph.scenario({leaf: 0.0}):
        assert isinstance(inverse.error, ZeroDivisionError)
        assert total.error.cause_name == "INVERSE"
        with graph.scenario({leaf: 4.0}):
            assert (inverse.value, total.value) == (0.25, 4.25)
        assert isinstance(total.error, UpstreamError)
    assert (inverse.error, total.value) == (None, 2.0)


def test_a_failure_of_the_base_is_cured_inside_only(graph):
    leaf = graph.register(Leaf("L", 0.0))
    inverse = graph.derive("INVERSE", lambda x: 1.0 / x, [leaf])
    total = graph.sum("TOTAL", [inverse, leaf])
    assert isinstance(total.error, UpstreamError)
    with graph.scenario({leaf: 4.0}):
        assert (inverse.value, total.value) == (0.25, 4.25)
    assert isinstance(total.error, UpstreamError)


def test_subscribers_hear_nothing_of_a_layer(tree):
    tree.recalculate()
    heard = []
    for name in ALL:
        tree.subscribe(name, lambda node: heard.append(node.name))
    with tree.scenario({"A": 5.0, "B": 6.0}):
        values(tree, *ALL)
    tree.recalculate()
    assert heard == []


def test_a_snapshot_taken_before_is_the_base_inside_a_layer_too(tree):
    with tree.snapshot() as snapshot, tree.scenario({"A": 5.0}):
        assert tree["TOTAL"].value == expected(5.0, 10.0)[-1]
        assert snapshot["TOTAL"] == expected(1.0, 10.0)[-1]


def test_refused_overrides_open_no_layer(tree):
    for overrides, error in [
        ({"A": math.nan}, DomainError),
        ({"A": 2.0, "B": "text"}, DomainError),
        ({"NOBODY": 1.0}, UnknownNodeError),
        ({"A": 2.0, "LEFT": 1.0}, GraphError),
    ]:
        with pytest.raises(error), tree.scenario(overrides):
            pytest.fail("the block must not be entered")
        assert values(tree, *ALL) == expected(1.0, 10.0)


# --- layers in layers -------------------------------------------------------------------------


def test_nested_layers_add_up_and_peel_off(tree):
    with tree.scenario({"A": 5.0}):
        assert values(tree, *ALL) == expected(5.0, 10.0)
        with tree.scenario({"B": 6.0}):
            assert values(tree, *ALL) == expected(5.0, 6.0)
            with tree.scenario({"A": 7.0, "B": 8.0}):
                assert values(tree, *ALL) == expected(7.0, 8.0)
            assert values(tree, *ALL) == expected(5.0, 6.0)
        assert values(tree, *ALL) == expected(5.0, 10.0)
    assert values(tree, *ALL) == expected(1.0, 10.0)


def test_the_inner_layer_may_override_the_same_leaf_and_even_with_the_bases_value(tree):
    with tree.scenario({"A": 5.0}):
        assert tree["TOTAL"].value == expected(5.0, 10.0)[-1]
        with tree.scenario({"A": 1.0}):
            assert values(tree, *ALL) == expected(1.0, 10.0)
        with tree.scenario({"A": 5.0}):
            assert values(tree, *ALL) == expected(5.0, 10.0)
        assert values(tree, *ALL) == expected(5.0, 10.0)


@pytest.mark.parametrize("read_first", [True, False])
def test_what_an_inner_layer_computed_does_not_stay_in_the_outer_one(tree, read_first):
    with tree.scenario({"A": 5.0}):
        if read_first:
            values(tree, *ALL)
        with tree.scenario({"B": 6.0}):
            values(tree, *reversed(ALL))
        assert values(tree, *reversed(ALL)) == expected(5.0, 10.0)[::-1]


def test_an_empty_layer_is_the_base(tree, calls):
    tree.recalculate()
    calls.clear()
    with tree.scenario({}) as layer:
        assert values(tree, *ALL) == expected(1.0, 10.0)
    assert (layer.evaluations, calls) == (0, Counter())


def test_many_layers_deep(tree):
    with ExitStack() as stack:
        for i in range(1, 61):
            stack.enter_context(tree.scenario({"A": float(i)}))
        assert values(tree, *ALL) == expected(60.0, 10.0)
    assert values(tree, *ALL) == expected(1.0, 10.0)


# --- ownership of layers ----------------------------------------------------------------------


def test_two_threads_have_two_layers(tree):
    """Both are open at the same time, and the main thread, without one, reads the base."""
    inside, leave = threading.Barrier(3, timeout=30), threading.Barrier(3, timeout=30)
    seen = {}

    def explore(shock):
        with tree.scenario({"A": shock}):
            first = values(tree, *ALL)
            inside.wait()
            leave.wait()
            seen[shock] = first, values(tree, *ALL)
        seen[shock] = (*seen[shock], values(tree, *ALL))

    threads = [threading.Thread(target=explore, args=(shock,)) for shock in (5.0, 50.0)]
    for thread in threads:
        thread.start()
    inside.wait()
    assert values(tree, *ALL) == expected(1.0, 10.0)
    leave.wait()
    for thread in threads:
        thread.join(30)
    assert seen == {shock: (expected(shock, 10.0), expected(shock, 10.0), expected(1.0, 10.0)) for shock in (5.0, 50.0)}


def test_a_tick_of_another_thread_is_not_seen_inside_and_is_there_outside(tree):
    with tree.scenario({"A": 5.0}):
        thread = threading.Thread(target=lambda: (tree["B"].set(20.0), tree.recalculate()))
        thread.start()
        thread.join(30)
        assert values(tree, *ALL) == expected(5.0, 10.0)
    assert values(tree, *ALL) == expected(1.0, 20.0)


def test_a_copied_context_joins_the_layer(tree):
    results = []
    with tree.scenario({"A": 5.0}):
        context = contextvars.copy_context()
        thread = threading.Thread(target=lambda: results.append(context.run(values, tree, *ALL)))
        thread.start()
        thread.join(30)
    assert results == [expected(5.0, 10.0)]


def test_layers_of_two_graphs_do_not_meet(tree):
    other = DependencyGraph()
    leaf = other.register(Leaf("A", 100.0))
    twice = other.derive("TWICE", lambda x: 2 * x, [leaf])
    with tree.scenario({"A": 5.0}):
        assert twice.value == 200.0
        with other.scenario({"A": 1.0}):
            assert twice.value == 2.0
            assert values(tree, *ALL) == expected(5.0, 10.0)
        assert twice.value == 200.0
    assert values(tree, *ALL) == expected(1.0, 10.0)


# --- no needless evaluation -------------------------------------------------------------------


def test_entering_and_leaving_evaluate_nothing(tree, calls):
    tree.recalculate()
    calls.clear()
    evaluations = tree.evaluations
    with tree.scenario({"A": 5.0}) as layer:
        pass
    assert (layer.evaluations, tree.evaluations, tree.dirty, calls) == (0, evaluations, 0, Counter())
    with tree.scenario({"A": 5.0}) as layer:
        values(tree, *ALL)
        calls.clear()
    assert tree.recalculate().evaluated == 0
    values(tree, *ALL)
    assert (tree.evaluations, tree.dirty, calls) == (evaluations, 0, Counter())


def test_a_layer_evaluates_the_dependents_that_the_read_needs(tree, calls):
    tree.recalculate()
    calls.clear()
    with tree.scenario({"A": 5.0}) as layer:
        _ = tree["RIGHT"].value
        assert (layer.evaluations, calls) == (0, Counter())
        _ = tree["LEFT"].value
        assert (layer.evaluations, calls) == (1, Counter(LEFT=1))
        _ = tree["TOTAL"].value
        assert (layer.evaluations, calls) == (3, Counter(LEFT=1, BOTH=1))
        values(tree, *ALL)
        assert (layer.evaluations, calls) == (3, Counter(LEFT=1, BOTH=1))


def test_an_override_equal_to_the_current_value_evaluates_nothing(tree, calls):
    tree.recalculate()
    calls.clear()
    with tree.scenario({"A": 1.0}) as layer:
        assert values(tree, *ALL) == expected(1.0, 10.0)
    assert (layer.evaluations, calls) == (0, Counter())


def test_of_two_overrides_one_equal_only_the_other_counts(tree, calls):
    tree.recalculate()
    calls.clear()
    with tree.scenario({"A": 1.0, "B": 6.0}) as layer:
        assert values(tree, *ALL) == expected(1.0, 6.0)
    assert (layer.evaluations, calls) == (3, Counter(RIGHT=1, BOTH=1))


def test_a_layer_stops_where_nothing_changed(graph, calls):
    leaf = graph.register(Leaf("L", 1.5))
    floor = graph.derive("FLOOR", math.floor, [leaf])
    tops = [graph.derive(f"TOP{i}", lambda x: x + 1, [floor]) for i in range(50)]
    graph.recalculate()
    with graph.scenario({leaf: 1.75}) as layer:
        assert [top.value for top in tops] == [2] * 50
        assert layer.evaluations == 1


def test_an_inner_layer_takes_over_what_its_overrides_do_not_reach(tree, calls):
    tree.recalculate()
    calls.clear()
    with tree.scenario({"A": 5.0}):
        values(tree, *ALL)
        calls.clear()
        with tree.scenario({"B": 6.0}) as inner:
            assert values(tree, *ALL) == expected(5.0, 6.0)
        assert (inner.evaluations, calls) == (3, Counter(RIGHT=1, BOTH=1))
        calls.clear()
        assert values(tree, *ALL) == expected(5.0, 10.0)
        assert calls == Counter()


def test_a_layer_prices_a_class_in_one_call(graph):
    columns = []

    class Counted(Growth):
        @staticmethod
        def price(level, rate, years):
            columns.append(len(level))
            return level * np.exp(rate * years)

    level, rate = graph.register(Leaf("LEVEL", 2.0)), graph.register(Leaf("RATE", 0.1))
    total = graph.sum("TOTAL", [Counted(f"G{i}", level, rate, 0.1 * i) for i in range(40)])
    graph.recalculate()
    columns.clear()
    with graph.scenario({rate: 0.2}) as layer:
        inside = total.value
    assert (layer.evaluations, sum(columns), len(columns)) == (41, 40, 1)
    rate.set(0.2)
    assert total.value == inside


# --- pinning a derived node -------------------------------------------------------------------


def test_a_derived_node_without_an_override_rule_is_refused_by_name(tree):
    with pytest.raises(GraphError, match="LEFT"), tree.scenario({"LEFT": 1.0}):
        pytest.fail("the block must not be entered")
    with pytest.raises(GraphError, match="TOTAL"), tree.scenario({tree["TOTAL"]: 1.0}):
        pytest.fail("the block must not be entered")
    assert values(tree, *ALL) == expected(1.0, 10.0)


@pins
def test_a_pinned_node_holds_for_its_dependents_and_for_nobody_else(graph):
    leaf = graph.register(Leaf("L", 1.0))
    vol = graph.derive("VOL", lambda x: x / 10.0, [leaf], override=True)
    sibling = graph.derive("SIBLING", lambda x: 5.0 * x, [leaf])
    above = graph.derive("ABOVE", lambda v: 100.0 * v, [vol])
    total = graph.sum("TOTAL", [vol, sibling, above])
    graph.recalculate()
    with graph.scenario({vol: 0.5}) as layer:
        assert (vol.value, sibling.value, above.value, leaf.value) == (0.5, 5.0, 50.0, 1.0)
        assert total.value == math.fsum([0.5, 5.0, 50.0])
        assert layer.evaluations == 2
    assert (vol.value, above.value, total.value) == (0.1, 10.0, math.fsum([0.1, 5.0, 10.0]))


@pins
def test_a_pinned_node_does_not_follow_its_own_inputs(graph):
    leaf = graph.register(Leaf("L", 1.0))
    calls = []
    vol = graph.derive("VOL", lambda x: calls.append(x) or x / 10.0, [leaf], override=True)
    above = graph.derive("ABOVE", lambda v, x: 100.0 * v + x, [vol, leaf])
    graph.recalculate()
    calls.clear()
    with graph.scenario({"VOL": 0.5, "L": 2.0}) as layer:
        assert (vol.value, above.value, leaf.value) == (0.5, 52.0, 2.0)
        assert (layer.evaluations, calls) == (1, [])
        with graph.scenario({"L": 3.0}):
            assert (vol.value, above.value) == (0.5, 53.0)
        assert above.value == 52.0
    assert (vol.value, above.value, calls) == (0.1, 11.0, [])


@pins
def test_an_inner_pin_and_a_pin_over_a_failure(graph):
    leaf = graph.register(Leaf("L", 0.0))
    vol = graph.derive("VOL", lambda x: 1.0 / x, [leaf], override=True)
    above = graph.derive("ABOVE", lambda v: v + 1.0, [vol])
    assert isinstance(above.error, UpstreamError)
    with graph.scenario({vol: 0.5}):
        assert (above.value, above.error) == (1.5, None)
        with graph.scenario({vol: 0.75}):
            assert above.value == 1.75
        assert above.value == 1.5
    assert isinstance(above.error, UpstreamError)
