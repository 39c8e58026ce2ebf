"""Risk as nodes: bitwise equal to a full run, minimal work, what-if, trades, throttled inputs, the proxy."""

import datetime as dt
import gc
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python import MCConfig, MonteCarloEngine, ReactiveRisk, build_desk
from bank_python.dagger import DependencyGraph, LargeNode, Leaf
from bank_python.errors import SimulationError
from bank_python.instruments import Book, DiscountCurve, Equity, InterestRateSwap, Option, Position
from bank_python.market_data import MarketData
from bank_python.mc_engine import FactorModel, GridProxy, choose_paths
from bank_python.mc_engine.pairwise import WIDTH, pairwise_sum
from tests.mc_engine.books import Mixed

CONFIG = MCConfig(n_paths=6_000, random_seed=11, stresses=(), validate_greeks=False)


def reactive(held, **more):
    return ReactiveRisk(held.books, held.graph, held.factor_model, CONFIG, **more)


def full(held, config=CONFIG):
    return MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model).run(config)


def assert_equal_to_a_full_run(risk, held):
    result = full(held)
    gross = np.abs(result.trader_pnl).sum(axis=0).max()
    assert np.abs(risk.pnl.value - result.pnl).max() <= 1e-12 * gross
    for node, value in (
        (risk.var_95, result.var_95),
        (risk.var_99, result.var_99),
        (risk.cvar_95, result.cvar_95),
        (risk.cvar_99, result.cvar_99),
    ):
        assert node.value == pytest.approx(value, rel=1e-12)


# --- equal to the full run -------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gbm", "heston", "merton", "student_t"])
def test_it_is_a_full_run_under_every_model(model):
    held = Mixed()
    config = MCConfig(n_paths=3_000, model=model, random_seed=4, stresses=(), validate_greeks=False)
    risk = ReactiveRisk(held.books, held.graph, held.factor_model, config)
    assert risk.var_99.value == pytest.approx(full(held, config).var_99, rel=1e-12)


def test_after_any_ticks_it_is_the_full_run_and_bit_equal_to_being_made_anew():
    held, rng = Mixed(), np.random.default_rng(2)
    risk = reactive(held)
    for _ in range(6):
        for leaf in rng.choice([*held.spots, *held.vols, held.sofr, held.euro], 3, replace=False):
            leaf.set_price(leaf.price * float(np.exp(0.02 * rng.standard_normal())))
        assert_equal_to_a_full_run(risk, held)
    ticked = risk.pnl.value.copy()
    anew = reactive(held, name="ANEW")
    assert np.array_equal(anew.pnl.value, ticked)
    assert anew.measures.value == risk.measures.value


@settings(max_examples=25, deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 4), st.floats(-0.2, 0.2)), min_size=1, max_size=6))
def test_the_way_there_does_not_matter(moves):
    held = Mixed()
    risk = reactive(held)
    opening = [leaf.price for leaf in held.spots]
    for place, move in moves:
        held.spots[place].set_price(opening[place] * (1.0 + move))
        assert risk.var_99.error is None
    last = dict(moves)
    other = Mixed()
    for place, move in last.items():
        other.spots[place].set_price(opening[place] * (1.0 + move))
    assert reactive(other).var_99.value == risk.var_99.value


def test_pairwise_sums_do_not_depend_on_what_changed():
    rng = np.random.default_rng(0)
    vectors = list(rng.standard_normal((37, 50)) * 10.0 ** rng.integers(-8, 8, (37, 1)))
    levels = [vectors]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([pairwise_sum(*below[i : i + WIDTH]) for i in range(0, len(below), WIDTH)])
    assert [len(level) for level in levels] == [37, 3, 1]
    exact = np.array([sum(column) for column in np.array(vectors, dtype=object).T], dtype=float)
    assert np.allclose(levels[-1][0], exact, rtol=1e-9, atol=1e-7)

    def binary(parts):  # the full binary tree
        if len(parts) == 1:
            return parts[0]
        size = 1
        while size * 2 < len(parts):
            size *= 2
        return binary(parts[:size]) + binary(parts[size:])

    assert np.array_equal(levels[-1][0], binary(vectors))


# --- minimal work ----------------------------------------------------------------------------------


def evaluated(graph):
    done = graph.recalculate()
    return {name: count for name, count in done.by_class.items() if name == "LargeNode"}, done


def test_a_tick_of_one_quote_revalues_one_group():
    desk = build_desk(seed=7)
    books = [trader.book for trader in desk.traders]
    risk = ReactiveRisk(books, desk.graph, config=CONFIG)
    assert risk.var_99.value > 0.0
    sums = sum(name.startswith("FIRM:RISK:SUM:") for name in [node.name for node in desk.graph])
    assert (len(risk.groups), sums) == (46, 4)
    leaf = desk.leaf("KO")
    leaf.set_price(leaf.price * 1.01)
    large, _ = evaluated(desk.graph)
    # its group, one sum of sixteen, the sum of sums, the total, the measures
    assert large == {"LargeNode": 5}
    leaf.set_price(leaf.price)
    assert evaluated(desk.graph)[0] == {}


def test_explain_leads_from_the_value_at_risk_to_the_quote():
    held = Mixed()
    risk = reactive(held)
    held.spots[0].set_price(81.0)
    names, node = [], held.graph.explain(risk.var_99, depth=9, breadth=99)
    stack = [node]
    while stack:
        item = stack.pop()
        names.append(item.name)
        stack += item.inputs
    assert names[0] == "FIRM:VAR_99"
    assert {"FIRM:RISK:MEASURES", "FIRM:RISK:PNL", "FIRM:RISK:PNL:S0_SPOT", "S0_SPOT", "SOFR"} <= set(names)


def test_inputs_of_nearly_all_groups_may_be_throttled():
    held, time = Mixed(underlyings=12), [0.0]
    risk = reactive(held, slow_seconds=3_600.0)
    before = risk.var_99.value
    assert [node.name for node in risk.throttled] == ["FIRM:RISK:THROTTLED:SOFR"]
    tick = held.graph.tick
    held.sofr.set_price(0.09)
    assert risk.var_99.value == before  # SOFR is throttled
    assert risk.as_of_tick <= tick < held.graph.tick
    held.spots[3].set_price(held.spots[3].price * 1.05)
    assert risk.var_99.value != before  # spots are not
    assert time == [0.0]
    free = ReactiveRisk(held.books, held.graph, held.factor_model, CONFIG, name="FREE")
    assert free.throttled == ()
    assert free.as_of_tick == held.graph.tick
    assert free.var_99.value != risk.var_99.value


# --- what if, and trades ---------------------------------------------------------------------------


def test_what_if_layers_give_the_risk_of_another_market():
    held = Mixed()
    risk = reactive(held)
    held.graph.recalculate()
    before, evaluations = risk.var_99.value, held.graph.evaluations
    with held.graph.scenario({held.spots[1]: 60.0, held.sofr: 0.01}):
        supposed = risk.var_99.value
    assert (risk.var_99.value, held.graph.evaluations) == (before, evaluations)
    held.spots[1].set_price(60.0)
    held.sofr.set_price(0.01)
    assert risk.var_99.value == pytest.approx(supposed, rel=1e-12)


def test_if_traded_is_the_risk_after_the_trade():
    held = Mixed()
    risk = reactive(held)
    share = held.graph.node("S1")
    before = risk.var_99.value
    supposed = risk.if_traded(share, 250.0)
    assert risk.var_99.value == before
    held.books[0].positions[1].trade(250.0, share.value)
    assert risk.follow_books() is True
    assert risk.follow_books() is False
    assert risk.measures.value[1].var == pytest.approx(supposed[1].var, rel=1e-12)
    assert_equal_to_a_full_run(risk, held)


def test_if_traded_takes_contracts_that_nobody_holds_and_refuses_what_was_not_drawn():
    held = Mixed()
    risk = reactive(held)
    hedge = Option(
        "HEDGE",
        spot_source=held.spots[0],
        vol_source=held.vols[0],
        rate_source=held.sofr,
        strike=75.0,
        expiry=0.25,
        is_call=False,
    )
    assert risk.if_traded(hedge, 2_000.0)[1].var < risk.var_99.value
    assert "HEDGE" not in held.graph
    stranger = Equity("STRANGER", spot_source=MarketData("STRANGER_SPOT", 10.0))
    with pytest.raises(SimulationError, match="STRANGER_SPOT was not drawn"):
        risk.if_traded(stranger, 1.0)


def test_a_holding_on_something_new_is_drawn_anew():
    held = Mixed()
    held.factor_model = FactorModel.given(
        {**dict(zip(held.factor_model.names, held.factor_model.vols, strict=True)), "NEW_SPOT": 0.4}, absolute={"SOFR"}
    )
    risk = reactive(held)
    new = held.graph.register(Equity("NEW", spot_source=held.graph.register(MarketData("NEW_SPOT", 50.0))))
    held.books[0].add(Position("ANN:NEW", instrument=new, quantity=500.0))
    assert risk.follow_books() is True
    assert "NEW_SPOT" in risk.groups
    assert_equal_to_a_full_run(risk, held)
    risk.remove()
    assert not [node.name for node in held.graph if node.name.startswith("FIRM")]


def test_contributions_of_groups_add_up():
    held = Mixed()
    risk = reactive(held)
    parts = risk.contributions()
    assert [part.es for part in parts] == sorted((part.es for part in parts), reverse=True)
    assert sum(part.es for part in parts) == pytest.approx(risk.cvar_99.value, rel=1e-10)
    assert sum(part.var for part in parts) == pytest.approx(risk.var_99.value, rel=1e-10)


def test_it_takes_no_other_nodes_name():
    desk = build_desk(seed=7)
    before = desk.graph.node("Tony:PNL")
    risk = ReactiveRisk([desk.traders["Tony"].book], desk.graph, config=CONFIG, name="Tony")
    assert desk.graph.node("Tony:PNL") is before
    assert risk.var_99.value > 0.0


def test_nothing_held_is_nothing_to_simulate():
    held = Mixed()
    with pytest.raises(SimulationError):
        ReactiveRisk([], held.graph, held.factor_model, CONFIG)


def test_an_input_that_fails_is_a_failure_not_a_number_and_mends():
    held = Mixed()
    risk = reactive(held)
    good = risk.var_99.value
    wild = FactorModel.given(dict.fromkeys(held.factor_model.names, 0.1), absolute=set(held.factor_model.names))
    shifted = ReactiveRisk(held.books, held.graph, wild, CONFIG, name="SHIFTED")
    fine = shifted.var_99.value
    held.vols[0].set_price(0.001)  # shifts take it below 0
    assert "has no price in scenario" in str(shifted.var_99.error)
    assert risk.var_99.error is None
    held.vols[0].set_price(0.2)
    assert (shifted.var_99.value, risk.var_99.value) == (fine, good)


# --- the proxy and the number of paths --------------------------------------------------------------


def test_the_proxy_is_close_and_tells_how_close():
    held = Mixed()
    exact, quick = reactive(held), reactive(held, name="QUICK", value=GridProxy())
    assert quick.var_99.value == pytest.approx(exact.var_99.value, rel=1e-4)
    off = np.sqrt(np.mean((quick.pnl.value - exact.pnl.value) ** 2))
    assert 0.0 < quick.value_error(2_000) < 10.0 * off
    assert quick.value_error() < 5e-4 * exact.var_99.value
    assert exact.value_error() == pytest.approx(0.0, abs=1e-8)
    coarse = reactive(held, name="COARSE", value=GridProxy(spots=3, vols=2))
    assert coarse.value_error() > 5.0 * quick.value_error()


def test_draws_may_be_shared():
    held = Mixed()
    firm = reactive(held)
    parts = [
        ReactiveRisk([book], held.graph, held.factor_model, CONFIG, name=book.name, draws=firm.draws)
        for book in held.books
    ]
    total = sum(part.pnl.value for part in parts)
    assert np.abs(total - firm.pnl.value).max() < 1e-9 * np.abs(total).max()


def test_the_pace_is_what_time_allows():
    plan = MonteCarloEngine(Mixed().books, Mixed().graph).plan()
    assert choose_paths(plan, 1e-9) == 2_000
    assert choose_paths(plan, 1e9) == 100_000
    assert choose_paths(plan, 1e9, most=5_000) == 5_000
    with pytest.raises(SimulationError, match=r"seconds=0\.0"):
        choose_paths(plan, 0.0)


# --- large nodes -----------------------------------------------------------------------------------


def test_a_large_node_keeps_one_value():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("X", 1.0))
    node = graph.register(LargeNode("BIG", lambda x: np.full(1_000, x), [leaf]))
    assert node.value[0] == 1.0
    leaf.set(2.0)
    assert node.value[0] == 2.0
    assert node.previous_ is None
    with graph.snapshot() as held:
        leaf.set(3.0)
        assert (node.value[0], held[node][0]) == (3.0, 2.0)
    gc.collect()
    leaf.set(4.0)
    assert (node.value[0], node.previous_) == (4.0, None)


def test_a_large_node_survives_a_batch_that_is_undone():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("X", 1.0))
    node = graph.register(LargeNode("BIG", lambda x: np.full(3, x), [leaf]))
    assert node.value[0] == 1.0

    def undone():
        with graph.batch():
            leaf.set(2.0)
            assert node.value[0] == 2.0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert (leaf.value, node.value[0]) == (1.0, 1.0)


def test_a_reader_in_the_middle_of_a_tick_gets_a_whole_value():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("X", 0.0))
    node = graph.register(LargeNode("BIG", lambda x: np.full(20_000, x), [leaf]))
    assert node.value[0] == 0.0
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            value = node.value
            seen.append((float(value[0]), float(value[-1])))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for i in range(300):
        leaf.set(float(i))
        graph.recalculate()
    stop.set()
    for reader in readers:
        reader.join()
    assert seen
    assert all(first == last for first, last in seen)


def test_slopes_of_a_curve_are_renewed_with_the_books():
    quotes = {tenor: MarketData(f"USD_{tenor}", price=0.03) for tenor in ("1Y", "5Y", "10Y")}
    curve = DiscountCurve("USD", swaps=dict(quotes), as_of=dt.date(2026, 1, 15))
    swap = InterestRateSwap("SWAP", rate_source=curve, notional=1e6, fixed_rate=0.03, current_fixing=0.03, maturity=7.0)
    graph = DependencyGraph()
    book = graph.register(Book("RATES", [Position("RATES:SWAP", instrument=swap, quantity=1.0)]))
    model = FactorModel.given(
        dict.fromkeys((leaf.name for leaf in quotes.values()), 0.01), absolute=[q.name for q in quotes.values()]
    )
    config = MCConfig(n_paths=4_000, stresses=(), validate_greeks=False)
    risk = ReactiveRisk([book], graph, model, config)
    assert not risk.follow_books()
    for leaf in quotes.values():
        leaf.set_price(0.05)
    fresh = MonteCarloEngine([book], graph, factor_model=model).run(config).var_99
    assert abs(risk.var_99.value / fresh - 1.0) > 1e-3
    assert risk.follow_books()
    assert risk.var_99.value == pytest.approx(fresh, rel=1e-9)
    assert not risk.follow_books()
