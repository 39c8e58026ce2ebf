"""Bumps, ladders and Greeks: one pass equals as many what-if layers, bit for bit, and leaves the graph unchanged."""

import functools
import math
import struct
import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bank_python.dagger import (
    ArrayNode,
    DependencyGraph,
    Every,
    Failure,
    Leaf,
    Moved,
    OnRead,
    Source,
    Term,
)
from bank_python.dagger.bumps import Bump, Greeks, Slope, pinned
from bank_python.errors import DomainError, GraphError, NotQuotedError, UnknownNodeError, UpstreamError, ValuationError
from bank_python.instruments import Equity, Option
from bank_python.risk_models import black_scholes_greeks


class Growth(ArrayNode):
    """level × exp(rate × years); NaN where the level is 3."""

    level = Source("what grows")
    rate = Source("how fast")
    years = Term("how long")

    def __init__(self, name, level, rate, years):
        super().__init__(name, {"level": level, "rate": rate}, {"years": years})

    @staticmethod
    def price(level, rate, years):
        return np.where(level == 3.0, np.nan, level * np.exp(np.clip(rate * years, -40.0, 40.0)))


class Root(ArrayNode):
    """√of: nothing below zero has one."""

    of = Source("a number")

    def __init__(self, name, of):
        super().__init__(name, {"of": of}, {})

    @staticmethod
    def price(of):
        return np.sqrt(of)


class Picky(ArrayNode):
    """Twice a number, and an exception as soon as one of them is above 2."""

    of = Source("a number")

    def __init__(self, name, of):
        super().__init__(name, {"of": of}, {})

    @staticmethod
    def price(of):
        if (of > 2.0).any():
            raise ArithmeticError("above two")
        return of * 2.0


def inverse(x, *_):
    return 1.0 / x


def floored(x, *_):
    return math.floor(x)  # an int, and often the same


def both(x, y=1.0):
    return (x, y)  # not a number


def product(x, y=1.0):
    return x * y if isinstance(x, float | int) and isinstance(y, float | int) else str((x, y))


def unloved(x, *_):
    return math.nan


FUNCTIONS = [inverse, floored, both, product, unloved]
LEVELS = [-1.0, -0.0, 0.0, 0.1, 0.3, 1.0, 2.0, 3.0, 1e16, 1e300]
levels = st.sampled_from(LEVELS) | st.floats(-4.0, 4.0)


def told(outcome):
    """The type and bits of an outcome, or the type and message of its error."""
    if isinstance(outcome, Failure):
        return type(outcome.error).__name__, str(outcome.error), outcome.cause_name
    return struct.pack("<d", outcome) if isinstance(outcome, float) else (type(outcome).__name__, repr(outcome))


def read(node):
    try:
        return node.value
    except Exception as error:  # noqa: BLE001 - errors of the nodes
        return Failure(error, getattr(error, "cause_name", None) or node.name, error)


@st.composite
def graphs(draw, kinds=("growth", "root", "picky", "derive", "sum", "sum")):
    """A graph of two to four leaves and up to twelve nodes, after some ticks."""
    graph = DependencyGraph()
    nodes = [graph.register(Leaf(f"L{i}", draw(levels))) for i in range(draw(st.integers(2, 4)))]
    leaves = list(nodes)
    for i in range(draw(st.integers(1, 12))):
        kind, name = draw(st.sampled_from(kinds)), f"N{i}"
        first, second = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        if kind == "growth":
            source = draw(st.sampled_from([second, 0.25]))
            node = graph.register(Growth(name, first, source, draw(st.sampled_from([0.0, 1.0, -2.0]))))
        elif kind in ("root", "picky"):
            node = graph.register((Root if kind == "root" else Picky)(name, first))
        elif kind == "sum":
            inputs = draw(st.lists(st.sampled_from(nodes), max_size=8))
            weight = st.lists(st.sampled_from([1.0, -1.0, 0.1, 3.0]), min_size=len(inputs), max_size=len(inputs))
            node = graph.sum(name, inputs, draw(st.none() | weight))
        else:
            policy = draw(st.sampled_from([None, None, None, OnRead(), Moved(0.5)]))
            equal = draw(st.sampled_from([None, None, 0.4]))
            inputs = draw(st.sampled_from([[first], [first, second]]))
            node = graph.derive(name, draw(st.sampled_from(FUNCTIONS)), inputs, policy, equal=equal)
        nodes.append(node)
    graph.recalculate()
    for leaf in leaves:  # so that tolerances and policies have changes to throttle
        leaf.set(draw(levels))
        graph.recalculate()
    return graph, leaves, nodes


several = st.lists(levels, min_size=1, max_size=5)
slowly = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def swept(graph, column, targets):
    with pinned(graph._engine) as pin:
        columns = {leaf: np.array(values) for leaf, values in column.items()}
        return [found.outcomes for found in Bump(pin, columns).run(targets)]


def layered(graph, column, target):
    """The same outcomes from one layer per shock."""
    outcomes = []
    for values in zip(*column.values(), strict=True):
        with graph.scenario(dict(zip(column, values, strict=True))):
            outcomes.append(read(target))
    return outcomes


def standing(graph):
    """Everything that a bump might have changed."""
    held = {node.name: (told(node.outcome_), told(node.previous_), node.changed_tick_) for node in graph}
    return held, graph.tick, graph.evaluations, graph.dirty, graph._engine.snapshots()


# --- equal bit for bit ------------------------------------------------------------------------


def test_a_layer_that_puts_a_lazy_chain_back_to_what_was_last_read():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    graph.derive("LAZY", lambda x: 10.0 * x, [leaf], OnRead())
    above = graph.derive("ABOVE", lambda x: x + 1.0, ["LAZY"])
    assert above.value == 11.0
    leaf.set(5.0)
    assert graph.ladder(above, leaf, [-4.0, 0.0]).values.tolist() == [11.0, 51.0]
    with graph.scenario({leaf: 1.0}):
        assert above.value == 11.0


def test_an_inner_layer_that_puts_a_leaf_back_evaluates_nothing():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    near = graph.derive("NEAR", lambda x: 2.0 * x, [leaf], equal=0.5)
    assert near.value == 2.0
    leaf.set(1.1)
    assert near.value == 2.0  # kept, within the tolerance
    with graph.scenario({leaf: 5.0}):
        assert near.value == 10.0
        assert graph.ladder(near, leaf, [-0.78], relative=True).values.tolist() == [2.0]
        with graph.scenario({leaf: 1.1}) as inner:
            assert near.value == 2.0
        assert inner.evaluations == 0


def test_a_comparison_that_raises_is_the_nodes_error_in_a_layer_too():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    word = graph.derive("WORD", lambda x: "low" if x < 2.0 else "high", [leaf], equal=0.1)
    above = graph.derive("ABOVE", len, [word])
    graph.recalculate()
    assert [type(error) for error in graph.ladder(above, leaf, [2.0, 0.0]).errors] == [UpstreamError, type(None)]
    with graph.scenario({leaf: 3.0}):
        assert isinstance(word.error, TypeError)
        assert isinstance(above.error, UpstreamError)


@slowly
@given(made=graphs(), data=st.data())
def test_a_bump_equals_one_layer_per_shock(made, data):
    graph, leaves, nodes = made
    column = {data.draw(st.sampled_from(leaves)): data.draw(several)}
    before = standing(graph)
    for target in nodes:
        [outcomes] = swept(graph, column, [target])
        assert list(map(told, outcomes)) == list(map(told, layered(graph, column, target))), target
    assert standing(graph) == before


@slowly
@given(made=graphs(("growth", "root", "derive", "sum", "sum")), data=st.data())
def test_leaves_that_move_together_and_many_targets_in_one_bump(made, data):
    graph, leaves, nodes = made
    pair = leaves[:2]
    shocks = data.draw(st.lists(st.tuples(levels, levels), min_size=1, max_size=5))
    column = {leaf: [shock[i] for shock in shocks] for i, leaf in enumerate(pair)}
    before = standing(graph)
    for target, outcomes in zip(nodes, swept(graph, column, nodes), strict=True):
        assert list(map(told, outcomes)) == list(map(told, layered(graph, column, target))), target
    assert standing(graph) == before


@slowly
@given(made=graphs(), data=st.data(), read_first=st.booleans())
def test_a_bump_inside_a_layer_starts_from_its_values(made, data, read_first):
    graph, leaves, nodes = made
    column = {data.draw(st.sampled_from(leaves)): data.draw(several)}
    around = {leaf: data.draw(levels) for leaf in data.draw(st.lists(st.sampled_from(leaves), max_size=3))}
    before = standing(graph)
    with graph.scenario(around):
        if read_first:
            seen = [told(read(node)) for node in nodes]
        for target in nodes:
            [outcomes] = swept(graph, column, [target])
            assert list(map(told, outcomes)) == list(map(told, layered(graph, column, target))), target
        assert not read_first or [told(read(node)) for node in nodes] == seen
    assert standing(graph) == before


def test_around_a_pinned_derived_node():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    vol = graph.derive("VOL", lambda x: x / 10.0, [leaf], override=True)
    above = graph.derive("ABOVE", lambda v, x: 100.0 * v + x, [vol, leaf])
    total = graph.sum("TOTAL", [vol, above, leaf])
    with graph.scenario({vol: 0.5}):
        assert graph.ladder(above, leaf, [0.0, 1.0]).values.tolist() == [51.0, 52.0]
        assert graph.ladder(total, leaf, [0.0, 1.0]).values.tolist() == [52.5, 54.5]
        assert graph.ladder(vol, leaf, [0.0, 1.0]).values.tolist() == [0.5, 0.5]
    assert graph.ladder(above, leaf, [0.0, 1.0]).values.tolist() == [11.0, 22.0]


def test_a_ladder_of_the_firm_is_fsum_at_every_rung():
    graph, spots, _, firm = make_firm()
    ladder = graph.ladder(firm, spots[0], np.linspace(-30.0, 30.0, 13))
    for level, value in zip(ladder.levels.tolist(), ladder.values.tolist(), strict=True):
        with graph.scenario({spots[0]: level}):
            assert firm.value == value
            assert value == math.fsum(book.value for book in firm.underliers)
    assert len(set(ladder.values.tolist())) == 13


def test_in_mid_batch_a_ladder_starts_from_what_was_set():
    graph, spots, _, firm = make_firm()
    with graph.batch():
        spots[0].set(123.0)
        ladder = graph.ladder(firm, spots[0], [0.0, 1.0])
        assert (ladder.level, ladder.values[0]) == (123.0, firm.value)
        with graph.scenario({spots[0]: 124.0}):
            assert ladder.values[1] == firm.value


def test_a_sum_that_overflows_on_the_way_is_still_what_a_layer_gives():
    graph = DependencyGraph()
    a, b, c = (graph.register(Leaf(name, 1e308)) for name in "ABC")
    total = graph.sum("TOTAL", [a, b, c], weights=[1.0, -1.0, 1.0])
    shocks = {a: [-1e308, 0.0, 1e308, 1.7e308]}
    [outcomes] = swept(graph, shocks, [total])
    assert list(map(told, outcomes)) == list(map(told, layered(graph, shocks, total)))


def test_a_sum_is_right_although_its_lazy_input_moved_on_without_it():
    """The terms of a sum of lazy nodes are not updated, so they must not be used."""
    graph = DependencyGraph()
    leaf, other = graph.register(Leaf("L", 1.0)), graph.register(Leaf("K", 0.0))
    lazy = graph.derive("LAZY", lambda x: 10.0 * x, [leaf], OnRead())
    total = graph.sum("TOTAL", [lazy, other])
    assert total.value == 10.0
    leaf.set(5.0)
    assert lazy.value == 50.0
    assert graph.ladder(total, other, [3.0]).values.tolist() == [53.0]
    with graph.scenario({other: 3.0}):
        assert total.value == 53.0


# --- no needless evaluation -------------------------------------------------------------------


def counted(kind, calls):
    """Return a class like `kind` that notes the size of each call, less than zero if the arguments are strided."""

    class Counted(kind):
        @staticmethod
        @functools.wraps(kind.price)
        def price(*arguments):
            whole = all(argument.flags["C_CONTIGUOUS"] for argument in arguments)
            calls.append(len(arguments[0]) if whole else -len(arguments[0]))
            return kind.price(*arguments)

    return Counted


def test_one_call_for_each_class_and_height():
    graph, calls, roots = DependencyGraph(), [], []
    grown, rooted = counted(Growth, calls), counted(Root, roots)
    level, rate = graph.register(Leaf("LEVEL", 2.0)), graph.register(Leaf("RATE", 0.1))
    low = [graph.register(grown(f"G{i}", level, rate, 0.1 * i)) for i in range(20)]
    high = [graph.register(grown(f"H{i}", node, rate, 0.2)) for i, node in enumerate(low)]
    side = [graph.register(rooted(f"R{i}", node)) for i, node in enumerate(low[:5])]
    apart = [graph.register(rooted(f"A{i}", level)) for i in range(7)]
    total = graph.sum("TOTAL", high + side)
    graph.recalculate()
    evaluations, tick = graph.evaluations, graph.tick
    calls.clear(), roots.clear()
    graph.ladder(total, rate, [0.1, 0.2, 0.3, 0.4])
    assert (calls, roots) == ([80, 80], [20 - 4])  # G0, of 0.0 years, is unchanged: R0 is not evaluated
    calls.clear(), roots.clear()
    graph.greeks([total, *high, *apart], [level, rate])
    assert (calls, roots) == ([40, 40, 40, 40], [14, 10, 8])  # by LEVEL, A and R at two heights; by RATE
    assert (graph.evaluations, graph.tick, graph.dirty) == (evaluations, tick, 0)


def test_a_function_is_called_once_for_each_shock_that_moves_it_and_the_target_needs():
    graph, calls = DependencyGraph(), Counter()

    def noted(name, function):
        def called(*values):
            calls[name] += 1
            return function(*values)

        return called

    leaf, other = graph.register(Leaf("L", 1.5)), graph.register(Leaf("M", 1.0))
    floor = graph.derive("FLOOR", noted("FLOOR", math.floor), [leaf])
    top = graph.derive("TOP", noted("TOP", lambda x, y: x + y), [floor, other])
    graph.derive("ASIDE", noted("ASIDE", abs), [leaf])
    graph.recalculate()
    calls.clear()
    ladder = graph.ladder(top, leaf, [-1.0, 0.0, 0.2, 0.4, 0.6])
    assert ladder.values.tolist() == [1.0, 2.0, 2.0, 2.0, 3.0]
    assert calls == Counter(FLOOR=4, TOP=2)  # the third shock does not change L, three do not change FLOOR
    calls.clear()
    assert graph.ladder("ASIDE", other, [1.0, 2.0]).values.tolist() == [1.5, 1.5]
    assert calls == Counter()


def test_a_bump_counts_its_own_evaluations():
    graph, spots, _, firm = make_firm()
    with pinned(graph._engine) as pin:
        bump = Bump(pin, {spots[0]: np.array([1.0, 100.0, 2.0])})
        bump.run([firm])
    with graph.scenario({spots[0]: 1.0}) as layer:
        _ = firm.value
    assert bump.evaluations == 2 * layer.evaluations  # a spot of 100 is unchanged


def test_a_held_back_node_is_evaluated_under_every_shock_as_in_a_layer():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    slow = graph.derive("SLOW", lambda x: 10.0 * x, [leaf], Every(1e9))
    assert slow.value == 10.0
    leaf.set(2.0)
    assert slow.value == 10.0
    assert graph.ladder(slow, leaf, [-0.5, 0.0, 1.0]).values.tolist() == [15.0, 10.0, 30.0]
    assert slow.value == 10.0


# --- failures under single shocks -------------------------------------------------------------


def test_failures_are_values_by_shock():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    root = graph.register(Root("ROOT", leaf))
    picky = graph.register(Picky("PICKY", root))
    graph.derive("OVER", lambda x: 1.0 / (x - 2.0), [picky])
    graph.sum("TOTAL", [root, picky, "OVER"])
    ladder = graph.ladder("TOTAL", leaf, [-5.0, 0.0, 3.0, 24.0])
    assert np.isnan(ladder.values).tolist() == [True, True, False, True]
    assert ladder.values[2] == math.fsum([2.0, 4.0, 0.5])
    kinds = [(type(error).__name__, getattr(error, "cause_name", None)) for error in ladder.errors]
    assert kinds == [
        ("UpstreamError", "ROOT"),
        ("UpstreamError", "OVER"),
        ("NoneType", None),
        ("UpstreamError", "PICKY"),
    ]
    assert [type(error) for error in graph.ladder(root, leaf, [-5.0, 3.0]).errors] == [ValuationError, type(None)]
    assert math.isnan(ladder.base)
    assert isinstance(graph["TOTAL"].error, UpstreamError)  # the error in the graph


def test_a_target_that_recovers_under_a_shock():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 0.0))
    ratio = graph.derive("RATIO", lambda x: 1.0 / x, [leaf])
    total = graph.sum("TOTAL", [ratio, leaf])
    assert isinstance(total.error, UpstreamError)
    ladder = graph.ladder(total, leaf, [0.0, 1.0, 2.0])
    assert ladder.values.tolist()[1:] == [2.0, 2.5]
    assert isinstance(ladder.errors[0], UpstreamError)
    assert str(ladder.errors[0]) == str(total.error)


def test_a_target_without_a_number_has_a_ladder_of_errors():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    graph.derive("WORD", lambda x: "low" if x < 2.0 else x, [leaf])
    ladder = graph.ladder("WORD", leaf, [0.0, 2.0])
    assert (math.isnan(ladder.values[0]), ladder.values[1]) == (True, 3.0)
    assert isinstance(ladder.errors[0], ValuationError)
    assert "'low'" in str(ladder.errors[0])


# --- Greeks -----------------------------------------------------------------------------------


def make_firm(books=3, each=5):
    """Four spots, one volatility; books of options and a share each, and the firm."""
    graph = DependencyGraph()
    spots = [graph.register(Leaf(f"S{i}", 100.0 + 10.0 * i, domain="positive")) for i in range(4)]
    vol = graph.register(Leaf("VOL", 0.25, domain="positive"))
    options = []
    for i in range(books * each):
        strike, spot = 80.0 + 3.0 * i, spots[i % 4]
        option = Option(
            f"O{i}",
            spot_source=spot,
            vol_source=vol,
            rate_source=0.03,
            strike=strike,
            expiry=0.2 + 0.1 * i,
            is_call=bool(i % 2),
        )
        options.append(graph.register(option))
    shares = [graph.register(Equity(f"E{i}", spot_source=spots[i % 4])) for i in range(books)]
    totals = [graph.sum(f"BOOK{i}", [*options[i::books], shares[i]]) for i in range(books)]
    firm = graph.sum("FIRM", totals)
    graph.recalculate()
    return graph, spots, options, firm


def closed_form(option, spot, vol):
    terms = option.terms
    return black_scholes_greeks(spot, terms["strike"], terms["expiry"], 0.03, vol, 0.0, terms["is_call"])


def bounds(option, spot, vol, h):
    """The documented errors of delta and gamma: h²/6 f''' and h²/12 f'''', from gamma's own slopes around."""
    x = spot + np.linspace(-1.0, 1.0, 21) * h
    gamma = np.asarray(closed_form(option, x, vol).gamma)
    third = np.abs(np.gradient(gamma, x)).max()
    fourth = np.abs(np.gradient(np.gradient(gamma, x), x)).max()
    rounding = 2.0**-53 * (spot + option.value)
    return 1.5 * h * h / 6 * third + 8 * rounding / h, 1.5 * h * h / 12 * fourth + 32 * rounding / h**2


@pytest.mark.parametrize("bump", [0.02, 0.01, 0.002])
def test_greeks_of_options_are_the_closed_forms_within_the_documented_error(bump):
    graph, spots, options, _ = make_firm()
    greeks = graph.greeks(options, spots, bump=bump)
    for option in options:
        for spot in spots:
            slope = greeks[option, spot]
            if spot is not option.spot:
                assert (slope.delta, slope.gamma, slope.value) == (0.0, 0.0, option.value)
                continue
            exact = closed_form(option, spot.value, 0.25)
            allowed = bounds(option, spot.value, 0.25, slope.bump)
            assert abs(slope.delta - exact.delta) <= allowed[0], (option, slope, exact)
            assert abs(slope.gamma - exact.gamma) <= allowed[1], (option, slope, exact)
            assert slope.bump == pytest.approx(bump * spot.value, rel=1e-12)


def test_vega_and_the_order_of_the_error():
    graph, _, options, _ = make_firm()
    errors = []
    for bump in (0.02, 0.01):
        slope = graph.greeks(options[3], "VOL", bump=bump, relative=False)["O3", "VOL"]
        errors.append(slope.delta - closed_form(options[3], options[3].spot.value, 0.25).vega)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.05)


def test_a_book_of_options_and_a_share_is_the_sum_of_its_parts():
    graph, spots, _, firm = make_firm()
    greeks = graph.greeks([firm, *firm.underliers], spots)
    assert len(greeks) == 16
    assert list(greeks)[:2] == [("FIRM", "S0"), ("FIRM", "S1")]
    for book in firm.underliers:
        parts = graph.greeks(book.underliers, spots)
        np.testing.assert_allclose(greeks.delta[greeks.targets.index(book.name)], parts.delta.sum(axis=0), rtol=1e-9)
        np.testing.assert_allclose(
            greeks.gamma[greeks.targets.index(book.name)], parts.gamma.sum(axis=0), rtol=1e-6, atol=1e-11
        )
    np.testing.assert_allclose(greeks.delta[0], greeks.delta[1:].sum(axis=0), rtol=1e-9)
    assert greeks.value.tolist() == [node.value for node in (firm, *firm.underliers)]
    share = graph.greeks("E0", "S0")["E0", "S0"]
    assert share.delta == pytest.approx(1.0, rel=1e-12)
    assert abs(share.gamma) < 1e-12


def test_greeks_are_central_differences_of_layers_to_the_bit():
    graph, spots, _, firm = make_firm()
    slope = graph.greeks("FIRM", "S2", bump=0.5, relative=False)["FIRM", spots[2]]
    seen = []
    for level in (119.5, 120.0, 120.5):
        with graph.scenario({"S2": level}):
            seen.append(firm.value)
    down, middle, up = seen
    assert slope == Slope(middle, (up - down) / 1.0, (up - 2.0 * middle + down) / 0.25, 0.5, None)


def test_greeks_inside_a_layer_are_taken_around_it():
    graph, spots, options, _ = make_firm()
    with graph.scenario({spots[0]: 80.0}):
        slope = graph.greeks(options[0], spots[0])["O0", "S0"]
        assert slope.bump == pytest.approx(0.8)
        assert slope.value == options[0].value
        assert slope.delta == pytest.approx(closed_form(options[0], 80.0, 0.25).delta, rel=1e-2)
        vega = graph.greeks(options[0], "VOL")["O0", "VOL"].delta
        assert vega == pytest.approx(closed_form(options[0], 80.0, 0.25).vega, rel=1e-2)


def test_a_failure_at_one_level_is_a_nan_with_its_reason_there_only():
    graph = DependencyGraph()
    x, y = graph.register(Leaf("X", 1.0)), graph.register(Leaf("Y", 2.0))
    graph.derive("EDGE", lambda x, y: math.sqrt(1.0 - x) + y, [x, y])
    greeks = graph.greeks("EDGE", [x, y])
    assert math.isnan(greeks["EDGE", "X"].delta)
    assert math.isnan(greeks["EDGE", "X"].gamma)
    assert isinstance(greeks["EDGE", "X"].error, ValueError)
    assert (greeks["EDGE", "X"].value, greeks["EDGE", "Y"].error) == (2.0, None)
    assert greeks["EDGE", "Y"].delta == pytest.approx(1.0)
    assert set(greeks.errors) == {("EDGE", "X")}


# --- errors -----------------------------------------------------------------------------------


@pytest.fixture
def small():
    graph = DependencyGraph()
    graph.register(Leaf("SPOT", 100.0, domain="positive"))
    graph.register(Leaf("RATE", 0.0))
    graph.register(Leaf("NEW", 0.0, domain="positive"))
    graph.register(Leaf("NOTE", "text", domain="any"))
    graph.register(Leaf("HUGE", 1e300))
    graph.derive("TWICE", lambda x, r: 2.0 * x + r, ["SPOT", "RATE"])
    graph.recalculate()
    return graph


REFUSED = [
    (lambda g: g.ladder("TWICE", "SPOT", []), DomainError, "at least one"),
    (lambda g: g.ladder("TWICE", "SPOT", [1.0, math.nan]), DomainError, "finite"),
    (lambda g: g.ladder("TWICE", "SPOT", [[1.0]]), DomainError, "list"),
    (lambda g: g.ladder("TWICE", "SPOT", 1.0), DomainError, "list"),
    (lambda g: g.ladder("TWICE", "SPOT", ["up"]), DomainError, "not numbers"),
    (lambda g: g.ladder("TWICE", "SPOT", [-1.0, -100.0]), DomainError, r"SPOT is 100 .* to 0: .*positive; use"),
    (lambda g: g.ladder("TWICE", "SPOT", [-1.5], relative=True), DomainError, "to -50"),
    (lambda g: g.ladder("TWICE", "HUGE", [1e9], relative=True), DomainError, "to inf"),
    (lambda g: g.ladder("TWICE", "RATE", [0.1], relative=True), DomainError, "relative=False"),
    (lambda g: g.ladder("TWICE", "NOTE", [1.0]), GraphError, "'text', not a number"),
    (lambda g: g.ladder("TWICE", "NEW", [1.0]), NotQuotedError, "NEW"),
    (lambda g: g.ladder("SPOT", "TWICE", [1.0]), GraphError, "derived from SPOT, RATE"),
    (lambda g: g.ladder("TWICE", "SPOTS", [1.0]), UnknownNodeError, "did you mean 'SPOT'"),
    (lambda g: g.ladder("TWO", "SPOT", [1.0]), UnknownNodeError, "TWO"),
    (lambda g: g.ladder(Leaf("SPOT", 1.0), "SPOT", [1.0]), UnknownNodeError, "SPOT"),
    (lambda g: g.greeks("TWICE", "RATE"), DomainError, "relative=False"),
    (lambda g: g.greeks("TWICE", ["SPOT", "NOTE"]), GraphError, "NOTE"),
    (lambda g: g.greeks("TWICE", "SPOT", bump=0.0), DomainError, "above zero"),
    (lambda g: g.greeks("TWICE", "SPOT", bump=math.nan), DomainError, "above zero"),
    (lambda g: g.greeks("TWICE", "SPOT", bump=True), DomainError, "above zero"),
    (lambda g: g.greeks("TWICE", "SPOT", bump=1.0), DomainError, "to 0: its domain is positive"),
    (lambda g: g.greeks("TWICE", "SPOT", bump=1e-20), DomainError, "larger bump"),
    (lambda g: g.greeks("TWICE", []), DomainError, "at least one leaf"),
    (lambda g: g.greeks([], "SPOT"), DomainError, "at least one target"),
    (lambda g: g.greeks("TWICE", ["SPOT", "GONE"]), UnknownNodeError, "GONE"),
    (lambda g: g.greeks("TWICE", "SPOT")["TWICE", "RATE"], UnknownNodeError, "only for SPOT"),
]


@pytest.mark.parametrize(("attempt", "kind", "says"), REFUSED)
def test_what_is_refused_leaves_the_graph_as_it_was(small, attempt, kind, says):
    before = standing(small)
    with pytest.raises(kind, match=says):
        attempt(small)
    assert standing(small) == before
    with small.scenario({"SPOT": 50.0}):
        with pytest.raises(kind):
            attempt(small)
        assert small["TWICE"].value == 100.0


def test_a_relative_bump_of_zero_has_a_way_out(small):
    slope = small.greeks("TWICE", ["RATE"], bump=1e-4, relative=False)["TWICE", "RATE"]
    assert slope.delta == pytest.approx(1.0)


# --- threads ----------------------------------------------------------------------------------


def test_beside_a_ticking_writer_every_ladder_is_of_one_tick():
    """The writer keeps A + B = 0 and D = 2 C; a ladder along X sees that of one tick."""
    graph = DependencyGraph()
    a, b, x = (graph.register(Leaf(name, 0.0)) for name in "ABX")
    graph.register(Leaf("C", 1.0))
    grown = [graph.register(Growth(f"G{i}", x, 0.0, 1.0)) for i in range(6)]
    held = graph.derive("HELD", lambda p, q, c: p + q + c, [a, b, x])
    total = graph.sum("TOTAL", [a, b, held, *grown])
    graph.recalculate()
    done, trouble = threading.Event(), []

    def write():
        n = 0
        while not done.is_set():
            n += 1
            with graph.batch():
                a.set(float(n % 97) * 0.1)
                b.set(-float(n % 97) * 0.1)
            if n % 3 == 0:
                graph.recalculate()
        trouble.append(n)

    def look():
        for i in range(60):
            ladder = graph.ladder(total, x, [1.0, 5.0 + i])
            slope = graph.greeks([total, held], x, bump=0.5, relative=False)["TOTAL", "X"]
            if ladder.values.tolist() != [7.0, 7.0 * (5.0 + i)] or slope.delta != 7.0:
                trouble.append((ladder, slope))

    writer, readers = threading.Thread(target=write), [threading.Thread(target=look) for _ in range(2)]
    for thread in (writer, *readers):
        thread.start()
    for thread in readers:
        thread.join(60)
    done.set()
    writer.join(60)
    [ticks] = trouble
    assert ticks > 0
    assert not graph._engine.snapshots()
    assert total.value == 0.0


# --- results and their display ----------------------------------------------------------------


def test_a_ladder_as_a_table_and_as_it_is():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("X", 2.0))
    graph.derive("INV", lambda x: 1.0 / x, [leaf])
    ladder = graph.ladder("INV", "X", [-2.0, 2.0])
    assert (ladder.target, ladder.leaf, ladder.level, ladder.base, len(ladder)) == ("INV", "X", 2.0, 0.5, 2)
    assert list(ladder.to_table()) == [
        {"shock": -2.0, "level": 0.0, "value": None, "error": "float division by zero"},
        {"shock": 2.0, "level": 4.0, "value": 0.25, "error": None},
    ]
    with pytest.raises(ValueError, match="read-only"):
        ladder.values[0] = 1.0
    relative = graph.ladder("INV", "X", [-0.5, 1.0], relative=True)
    assert (relative.levels.tolist(), relative.values.tolist()) == ([1.0, 4.0], [1.0, 0.25])


def test_greeks_as_a_table():
    graph = DependencyGraph()
    graph.register(Leaf("X", 10.0)), graph.register(Leaf("Y", 1.0))
    graph.derive("Z", lambda x, y: 3.0 * x + 1.0 / (y - 1.0), ["X", "Y"])
    graph.derive("LINE", lambda x: 3.0 * x, ["X"])
    greeks = graph.greeks(["LINE", "Z"], ["X"], bump=0.5, relative=False)
    assert isinstance(greeks, Greeks)
    why = "float division by zero"
    none = dict.fromkeys(["value", "delta", "gamma"])
    assert list(greeks.to_table()) == [
        {"target": "LINE", "leaf": "X", "value": 30.0, "delta": 3.0, "gamma": 0.0, "bump": 0.5, "error": None},
        {"target": "Z", "leaf": "X", **none, "bump": 0.5, "error": why},
    ]
