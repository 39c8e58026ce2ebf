"""Optimal weights as nodes: equal to a fresh optimum, no superfluous work, policies, what-ifs, failures."""

import datetime as dt
import threading
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.dagger import Background, DependencyGraph, Every, Leaf, Moved, OnRead
from bank_python.dagger.journals import MemoryJournal
from bank_python.errors import (
    CalibrationError,
    DuplicateNodeError,
    GraphError,
    InfeasibleError,
    ModelError,
    UnknownNodeError,
    UnknownTickerError,
    UpstreamError,
)
from bank_python.market_data import MarketData
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.optimizer import reactive
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.factory import create_optimizer
from bank_python.optimizer.groups import Group
from bank_python.optimizer.reactive import ReactivePortfolio

START = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
TICKERS = ("A", "B", "C", "D")
ROWS = 80


def past(assets, rows=ROWS, seed=1):
    """Closes of assets that move together, all on a rising trend."""
    noise = 0.01 * np.random.default_rng(seed).standard_normal((rows, assets))
    return 100.0 * np.cumprod(1.003 + noise @ (np.eye(assets) + 0.2), axis=0)


def bars(ticker, closes, first=0):
    days = (START + dt.timedelta(days=first + i) for i in range(len(closes)))
    made = (Bar(day, None, None, None, float(close), None) for day, close in zip(days, closes, strict=True))
    return PriceHistory(ticker, "by hand", tuple(made))


class World:
    """Four assets with a past, each a little above its last close."""

    def __init__(self, seed=1):
        self.closes = past(len(TICKERS), seed=seed)
        self.graph, self.history = DependencyGraph(), PriceHistoryTable()
        for ticker, column in zip(TICKERS, self.closes.T, strict=True):
            self.history.load(ticker, bars(ticker, column))
            self.graph.register(MarketData(f"{ticker}_SPOT", 1.001 * float(column[-1])))

    def spot(self, ticker):
        return self.graph[f"{ticker}_SPOT"]

    @property
    def prices(self):
        return [self.spot(ticker).value for ticker in TICKERS]

    @property
    def names(self):
        return {node.name for node in self.graph}

    def load_another_past(self):
        """Load further and more volatile bars for A."""
        wild = 100.0 * np.cumprod(1.003 + 0.05 * np.random.default_rng(5).standard_normal(ROWS))
        self.history.load("A", bars("A", wild))

    def reactive(self, kind="min_variance", **more):
        return ReactivePortfolio(self.graph, self.history, TICKERS, kind, **more)

    def anew(self, kind="min_variance", estimation=None, **params):
        how = {"estimator": "ledoit_wolf", **(estimation or {})}
        prices = np.vstack([self.history.panel(TICKERS).closes, self.prices])
        return create_optimizer(kind, CovarianceData.from_prices(prices, TICKERS, **how), **params).optimize()


@pytest.fixture
def world():
    return World()


@pytest.fixture
def optima(monkeypatch):
    """Record the kind of each optimisation."""
    looked_for = []

    def counted(kind, data, **params):
        looked_for.append(kind)
        return create_optimizer(kind, data, **params)

    monkeypatch.setattr(reactive, "create_optimizer", counted)
    return looked_for


def assert_same(portfolio, expected):
    assert portfolio.tickers == expected.tickers
    assert portfolio.weights.tolist() == expected.weights.tolist()
    assert portfolio.risk_shares.tolist() == expected.risk_shares.tolist()
    assert portfolio.performance() == expected.performance()
    assert portfolio.certificate == expected.certificate
    assert (portfolio.method, portfolio.estimator) == (expected.method, expected.estimator)
    assert dict(portfolio.figures) == dict(expected.figures)


# --- equal to a fresh optimum -------------------------------------------------------------------------

KINDS = [
    ("min_variance", {}),
    ("min_variance", {"bounds": (0.05, 0.5), "groups": [Group("pair", ["A", "B"], 0.3, 0.6)]}),
    ("mean_variance", {"risk_aversion": 4.0}),
    ("max_sharpe", {"risk_free_rate": 0.02, "bounds": {"A": (0.1, 0.4)}}),
    ("risk_parity", {"budgets": {"A": 1.0, "B": 2.0, "C": 1.0, "D": 1.0}}),
    ("max_diversification", {}),
    ("hrp", {"linkage": "average"}),
    ("black_litterman", {"views": {"A": 0.1}}),
    ("min_cvar", {"confidence": 0.9}),
    ("barbell", {"risk_free_rate": 0.03}),
    ("tracking", {"benchmark": np.linspace(-0.01, 0.012, ROWS)}),
]


@pytest.mark.parametrize(("kind", "params"), KINDS)
def test_at_every_tick_it_equals_a_fresh_optimum(world, kind, params):
    optimal, rng = world.reactive(kind, **params), np.random.default_rng(3)
    assert_same(optimal.portfolio, world.anew(kind, **params))
    opening = world.prices
    for _ in range(4):
        ticker = rng.choice(TICKERS)
        world.spot(ticker).set_price(opening[TICKERS.index(ticker)] * float(np.exp(0.02 * rng.standard_normal())))
        assert_same(optimal.portfolio, world.anew(kind, **params))


@pytest.mark.parametrize(
    "estimation",
    [
        {"estimator": "sample"},
        {"estimator": "oas", "mean": "arithmetic"},
        {"estimator": "ewma", "decay": 0.9, "mean": "ewma"},
        {"estimator": "pca", "components": 2, "periods_per_year": 12.0},
    ],
)
def test_the_estimation_is_the_one_chosen(world, estimation):
    optimal = world.reactive("mean_variance", estimation=estimation, risk_aversion=3.0)
    world.spot("B").set_price(130.0)
    expected = world.anew("mean_variance", estimation, risk_aversion=3.0)
    assert_same(optimal.portfolio, expected)
    assert optimal.portfolio.estimator == estimation["estimator"]


def test_each_weight_is_a_node(world):
    optimal = world.reactive("risk_parity")
    world.spot("C").set_price(140.0)
    weights = {ticker: optimal.weight(ticker).value for ticker in TICKERS}
    assert weights == optimal.portfolio.by_ticker()
    assert {f"OPTIMAL:WEIGHT:{ticker}" for ticker in TICKERS} | {"OPTIMAL:PORTFOLIO"} <= world.names
    assert world.graph["OPTIMAL:WEIGHT:C"] is optimal.weight("C")
    assert sum(weights.values()) == pytest.approx(1.0, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    ticks=st.lists(st.tuples(st.integers(0, 3), st.floats(-0.2, 0.2), st.booleans()), min_size=1, max_size=8),
)
def test_the_way_there_does_not_matter(ticks):
    world = World()
    optimal, opening = world.reactive("risk_parity"), world.prices
    for place, move, read in ticks:
        world.spot(TICKERS[place]).set_price(opening[place] * (1.0 + move))
        if read:
            assert optimal.node.error is None
    assert_same(optimal.portfolio, world.anew("risk_parity"))
    other = World()
    for place, move in {place: move for place, move, _ in ticks}.items():
        other.spot(TICKERS[place]).set_price(opening[place] * (1.0 + move))
    assert_same(optimal.portfolio, other.reactive("risk_parity").portfolio)


def test_its_covariance_data_are_available(world):
    optimal = world.reactive()
    world.spot("A").set_price(150.0)
    data, expected = (
        optimal.data(),
        CovarianceData.from_graph(world.graph, world.history, TICKERS, estimator="ledoit_wolf"),
    )
    assert data.returns.tolist() == expected.returns.tolist()
    assert data.covariance.tolist() == expected.covariance.tolist()
    assert data.returns[-1, 0] == 150.0 / world.closes[-1, 0] - 1.0


def test_an_optimum_at_other_prices_leaves_the_node_alone(world):
    optimal = world.reactive()
    before, tick = optimal.portfolio, world.graph.tick
    found = optimal.find(*(1.1 * price for price in world.prices))
    assert found.weights.tolist() != before.weights.tolist()
    assert (optimal.portfolio is before, world.graph.tick) == (True, tick)


def test_prices_may_be_any_nodes(world):
    double = world.graph.derive("DOUBLE", lambda price: 2.0 * price, ["A_SPOT"])
    spots = {"A": double, "B": "C_SPOT", "not held": "nowhere"}
    optimal = ReactivePortfolio(world.graph, world.history, ["A", "B", "D"], "min_variance", spots=spots)
    assert {ticker: node.name for ticker, node in optimal.spots.items()} == {
        "A": "DOUBLE",
        "B": "C_SPOT",
        "D": "D_SPOT",
    }
    last = [2.0 * world.spot("A").value, world.spot("C").value, world.spot("D").value]
    closes = np.vstack([world.history.panel(["A", "B", "D"]).closes, last])
    data = CovarianceData.from_prices(closes, ["A", "B", "D"], estimator="ledoit_wolf")
    assert_same(optimal.portfolio, create_optimizer("min_variance", data).optimize())
    assert double in optimal.node.underliers


def test_the_assets_stand_in_their_own_order(world):
    forth = world.reactive("risk_parity", name="FORTH")
    back = ReactivePortfolio(world.graph, world.history, TICKERS[::-1], "risk_parity", name="BACK")
    for ticker in TICKERS:
        assert back.weight(ticker).value == pytest.approx(forth.weight(ticker).value, rel=1e-10)


def test_one_asset_is_held_whole(world):
    optimal = ReactivePortfolio(world.graph, world.history, ["B"], "min_variance")
    assert optimal.weight("B").value == 1.0


# --- how much is evaluated ---------------------------------------------------------------------------


def test_one_tick_is_one_optimum(world, optima):
    optimal = world.reactive()
    assert optima == ["min_variance"]  # invalid input is found at once
    world.graph.recalculate()
    optima.clear()
    world.spot("A").set_price(150.0)
    done = world.graph.recalculate()
    assert (optima, done.by_class) == (["min_variance"], {"LargeNode": 1, "DerivedNode": 4})
    assert [optimal.weight(ticker).value for ticker in TICKERS] == optimal.portfolio.weights.tolist()
    assert world.graph.recalculate().evaluated == 0
    assert optima == ["min_variance"]


def test_reading_a_weight_finds_one_optimum(world, optima):
    optimal = world.reactive()
    world.graph.recalculate()
    optima.clear()
    world.spot("A").set_price(150.0)
    assert {ticker: optimal.weight(ticker).value for ticker in TICKERS} == optimal.portfolio.by_ticker()
    assert len(optima) == 1


def test_a_batch_of_all_prices_is_one_optimum(world, optima):
    optimal = world.reactive()
    world.graph.recalculate()
    optima.clear()
    with world.graph.batch():
        for ticker in TICKERS:
            world.spot(ticker).set_price(1.05 * world.spot(ticker).value)
    world.graph.recalculate()
    block = world.graph.block([f"{ticker}_SPOT" for ticker in TICKERS])
    assert len(optima) == 1
    block.set(np.array(world.prices) * [1.0, 1.1, 1.0, 0.9])
    world.graph.recalculate()
    assert len(optima) == 2
    assert_same(optimal.portfolio, world.anew())


def test_what_does_not_move_its_prices_does_not_move_it(world, optima):
    other = world.graph.register(Leaf("OTHER", 1.0))
    world.graph.derive("TWICE", lambda x: 2.0 * x, [other])
    world.reactive()
    world.graph.recalculate()
    optima.clear()
    other.set(2.0)
    same = world.spot("A").value
    world.spot("A").set_price(same)
    assert (world.graph.recalculate().by_class, optima) == ({"DerivedNode": 1}, [])
    world.spot("A").set_price(150.0)
    world.spot("A").set_price(same)  # away and back
    assert (world.graph.recalculate().evaluated, optima) == (0, [])


def test_an_unchanged_weight_evaluates_no_dependents(world):
    optimal = ReactivePortfolio(world.graph, world.history, ["B"], "min_variance")
    calls = []
    above = world.graph.derive("ABOVE", lambda weight: calls.append(weight) or weight, [optimal.weight("B")])
    assert (above.value, calls) == (1.0, [1.0])
    world.spot("B").set_price(150.0)
    assert (world.graph.recalculate().evaluated, calls) == (2, [1.0])


def test_the_plan_names_what_a_tick_will_evaluate(world):
    world.reactive()
    plan = world.graph.plan("A_SPOT")
    assert plan.nodes == ("OPTIMAL:PORTFOLIO", *(f"OPTIMAL:WEIGHT:{ticker}" for ticker in TICKERS))


def test_a_subscriber_is_notified_once_a_tick(world):
    optimal, told = world.reactive(), []
    world.graph.recalculate()
    world.graph.subscribe(optimal.node, lambda node: told.append(node.value.weights.tolist()))
    with world.graph.batch():
        for ticker in TICKERS:
            world.spot(ticker).set_price(1.05 * world.spot(ticker).value)
        world.spot("A").set_price(150.0)
    world.graph.recalculate()
    assert told == [world.anew().weights.tolist()]


# --- policies ----------------------------------------------------------------------------------------


def test_every_holds_it_back_and_catches_up(world, optima):
    now = [0.0]
    optimal = world.reactive(policy=Every(60.0, clock=lambda: now[0]))
    first = optimal.portfolio
    optima.clear()
    for price in (140.0, 141.0):
        world.spot("A").set_price(price)
        world.graph.recalculate()
    assert (optimal.portfolio is first, optima) == (True, [])
    assert (optimal.node.as_of_tick, world.graph.tick) == (0, 2)
    assert optimal.weight("A").value == first.weights[0]
    now[0] = 60.0
    world.graph.recalculate()
    assert_same(optimal.portfolio, world.anew())
    assert (optimal.node.as_of_tick, len(optima)) == (2, 1)


def test_moved_waits_for_a_move(world, optima):
    optimal = world.reactive(policy=Moved(0.05, relative=True))
    opening, first = world.spot("A").value, optimal.portfolio
    optima.clear()
    for move in (1.02, 1.04, 0.96):
        world.spot("A").set_price(opening * move)
        world.graph.recalculate()
    assert (optimal.portfolio is first, optima, optimal.node.as_of_tick) == (True, [], 0)
    world.spot("A").set_price(opening * 1.06)
    world.graph.recalculate()
    assert_same(optimal.portfolio, world.anew())
    assert (len(optima), optimal.node.as_of_tick, world.graph.tick) == (1, 4, 4)
    world.spot("A").set_price(opening * 1.02)  # within 5 % of the last that was used
    assert world.graph.recalculate().evaluated == 0


def test_on_read_no_recalculation_finds_it(world, optima):
    optimal = world.reactive(policy=OnRead())
    optima.clear()
    for price in (140.0, 141.0):
        world.spot("A").set_price(price)
        assert world.graph.recalculate().evaluated == 0
    assert optima == []
    assert optimal.weight("A").value == world.anew().weights[0]
    assert (len(optima), optimal.node.as_of_tick) == (1, 2)


def test_in_the_background_the_last_one_is_served_meanwhile(world):
    class ByHand:
        waiting = ()

        def submit(self, function, *arguments):
            self.waiting = (*self.waiting, (function, arguments))

    hands = ByHand()
    optimal = world.reactive(policy=Background(hands))
    first = optimal.portfolio
    world.spot("A").set_price(150.0)
    world.graph.recalculate()
    assert optimal.portfolio is first
    ((function, arguments),) = hands.waiting
    function(*arguments)
    assert_same(optimal.portfolio, world.anew())


def test_a_journal_brings_back_what_a_policy_came_to(world):
    recorded, again, journal = world.reactive(policy=Moved(5.0)), World(), MemoryJournal()
    assert recorded.node.error is None
    with world.graph.record(journal):
        for price in (125.0, 128.0, 140.0, 141.0):
            world.spot("A").set_price(price)
            world.graph.recalculate()
    replayed = again.reactive(policy=Moved(5.0))
    again.graph.replay(journal)
    assert_same(replayed.portfolio, recorded.portfolio)
    assert recorded.portfolio.volatility != world.anew().volatility


# --- what if, and why --------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [None, OnRead(), Moved(1e9), Every(1e9, clock=lambda: 0.0)])
def test_a_what_if_leaves_the_live_one_alone(world, optima, policy):
    optimal = world.reactive(policy=policy)
    live, tick = optimal.portfolio, world.graph.tick
    optima.clear()
    with world.graph.scenario({"A_SPOT": 150.0}):
        asked = optimal.portfolio
        weights = [optimal.weight(ticker).value for ticker in TICKERS]
        assert optimal.data().returns[-1, 0] == 150.0 / world.closes[-1, 0] - 1.0
    assert len(optima) == 1
    assert (optimal.portfolio is live, world.graph.tick) == (True, tick)
    world.spot("A").set_price(150.0)
    assert_same(asked, world.anew())
    assert weights == asked.weights.tolist()


def test_what_ifs_may_lie_in_each_other(world):
    optimal = world.reactive()
    with world.graph.scenario({"A_SPOT": 150.0}):
        with world.graph.scenario({"B_SPOT": 150.0}):
            both = optimal.portfolio
        one = optimal.portfolio
    world.spot("A").set_price(150.0)
    assert_same(one, world.anew())
    world.spot("B").set_price(150.0)
    assert_same(both, world.anew())


def test_a_ladder_of_a_weight_is_its_what_ifs(world):
    optimal = world.reactive()
    ladder = world.graph.ladder(optimal.weight("A"), "A_SPOT", [-0.05, 0.0, 0.02], relative=True)
    for level, value in zip(ladder.levels, ladder.values, strict=True):
        with world.graph.scenario({"A_SPOT": level}):
            assert optimal.weight("A").value == value
    assert ladder.values[1] == optimal.weight("A").value
    assert len(set(ladder.values.tolist())) == 3


def test_a_snapshot_holds_what_was(world):
    optimal = world.reactive()
    before = optimal.portfolio
    with world.graph.snapshot() as snapshot:
        world.spot("A").set_price(150.0)
        world.graph.recalculate()
        assert snapshot[optimal.node].weights.tolist() == before.weights.tolist()
        assert snapshot[optimal.weight("A")] == before.weights[0]
    assert optimal.portfolio.weights.tolist() != before.weights.tolist()


def test_a_batch_that_fails_changes_nothing(world):
    optimal = world.reactive()
    before = optimal.portfolio.weights.tolist()

    with suppress(KeyError), world.graph.batch():
        world.spot("A").set_price(150.0)
        assert optimal.portfolio.weights.tolist() != before
        raise KeyError
    assert optimal.portfolio.weights.tolist() == before


def test_it_says_why_it_moved(world):
    optimal = world.reactive()
    world.graph.recalculate()
    before, old = optimal.weight("A").value, world.spot("A").value
    world.spot("A").set_price(150.0)
    said = str(world.graph.explain(optimal.weight("A")))
    assert f"OPTIMAL:WEIGHT:A = {before} → {optimal.weight('A').value}" in said
    assert "OPTIMAL:PORTFOLIO" in said
    assert f"A_SPOT = {old} → 150.0" in said
    assert f"B_SPOT = {world.spot('B').value} " in said


def test_readers_in_other_threads_see_whole_portfolios(world):
    optimal, seen = world.reactive(), []
    closes = [130.0, 140.0, 150.0, 160.0] * 5
    world.graph.recalculate()
    stop = threading.Event()

    def read():
        while not stop.is_set():
            seen.append(optimal.portfolio.weights.tolist())

    reader = threading.Thread(target=read)
    expected = [optimal.portfolio.weights.tolist()]
    reader.start()
    for price in closes:
        world.spot("A").set_price(price)
        world.graph.recalculate()
        expected.append(optimal.portfolio.weights.tolist())
    stop.set()
    reader.join()
    assert seen
    assert all(weights in expected for weights in seen)


# --- failing and recovering --------------------------------------------------------------------------


def test_where_nothing_beats_the_rate_it_fails_and_recovers(world):
    optimal = world.reactive("max_sharpe", risk_free_rate=0.02)
    opening = world.prices
    with world.graph.batch():
        for ticker in TICKERS:
            world.spot(ticker).set_price(10.0)
    world.graph.recalculate()
    assert isinstance(optimal.node.error, InfeasibleError)
    assert isinstance(optimal.weight("A").error, UpstreamError)
    assert optimal.weight("A").error.cause_name == "OPTIMAL:PORTFOLIO"
    with pytest.raises(InfeasibleError, match=r"no allowed portfolio earns more than 0\.02"):
        _ = optimal.portfolio
    with world.graph.batch():
        for ticker, price in zip(TICKERS, opening, strict=True):
            world.spot(ticker).set_price(price)
    assert_same(optimal.portfolio, world.anew("max_sharpe", risk_free_rate=0.02))
    assert optimal.weight("A").error is None


def test_a_what_if_may_fail_by_itself(world):
    optimal = world.reactive("max_sharpe", risk_free_rate=0.02)
    live = optimal.portfolio
    with world.graph.scenario({f"{ticker}_SPOT": 10.0 for ticker in TICKERS}):
        assert isinstance(optimal.node.error, InfeasibleError)
    assert optimal.portfolio is live


def test_one_that_fails_does_not_hurt_another(world):
    bold, calm = world.reactive("max_sharpe", risk_free_rate=0.02), world.reactive(name="CALM")
    for ticker in TICKERS:
        world.spot(ticker).set_price(10.0)
    assert world.graph.recalculate().failed
    assert isinstance(bold.node.error, InfeasibleError)
    assert_same(calm.portfolio, world.anew())


# --- new bars ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [None, OnRead(), Every(1e-9)])
def test_new_bars_are_taken_in(world, policy):
    optimal = world.reactive(policy=policy)
    before = optimal.portfolio
    assert optimal.follow_history() is False
    world.load_another_past()
    assert optimal.portfolio is before  # not by themselves: a reload is many tables, and not one tick
    assert optimal.follow_history() is True
    world.graph.recalculate()
    assert_same(optimal.portfolio, world.anew())
    assert optimal.portfolio.weights[0] < before.weights[0]
    assert optimal.follow_history() is False
    world.spot("B").set_price(150.0)
    if not isinstance(policy, Every):
        assert_same(optimal.portfolio, world.anew())


def test_new_bars_wait_as_the_policy_says(world):
    now = [0.0]
    optimal = world.reactive(policy=Every(60.0, clock=lambda: now[0]))
    before = optimal.portfolio
    world.load_another_past()
    assert optimal.follow_history()
    world.graph.recalculate()
    assert optimal.portfolio is before
    now[0] = 61.0
    world.graph.recalculate()
    assert_same(optimal.portfolio, world.anew())


def test_the_same_bars_again_are_nothing_new(world, optima):
    optimal = world.reactive()
    world.graph.recalculate()
    optima.clear()
    world.history.load("A", bars("A", world.closes[:, 0]))
    assert optimal.follow_history() is False
    assert (world.graph.recalculate().evaluated, optima) == (0, [])


def test_more_bars_lengthen_the_past(world):
    optimal = world.reactive()
    grown = np.vstack([world.closes, world.prices])
    for ticker, column in zip(TICKERS, grown.T, strict=True):
        world.history.load(ticker, bars(ticker, column))
    assert optimal.follow_history()
    assert len(optimal.data().returns) == ROWS + 1
    assert optimal.data().returns[-1].tolist() == [0.0] * 4  # the last close is the present price
    assert_same(optimal.portfolio, world.anew())


def test_a_past_that_is_too_short_fails_until_there_is_another(world):
    optimal = world.reactive()
    world.history.load("A", bars("A", [100.0], first=10_000))  # no day in common with the others
    assert optimal.follow_history()
    assert isinstance(optimal.node.error, CalibrationError)
    assert "0 rows of returns" in str(optimal.node.error)
    world.history.load("A", bars("A", world.closes[:, 0]))
    assert optimal.follow_history()
    assert_same(optimal.portfolio, world.anew())


# --- its place in the graph --------------------------------------------------------------------------


def test_removed_it_leaves_the_graph_as_it_was(world):
    before = world.names
    optimal = world.reactive()
    world.graph.recalculate()
    optimal.remove()
    assert world.names == before
    assert all(not world.spot(ticker).dependents for ticker in TICKERS)
    world.spot("A").set_price(150.0)
    assert (world.graph.recalculate().evaluated, world.graph.dirty) == (0, 0)
    again = world.reactive()
    assert_same(again.portfolio, world.anew())


def test_one_that_waits_can_be_removed(world):
    before = world.names
    optimal = world.reactive(policy=Every(60.0, clock=lambda: 0.0))
    assert optimal.node.error is None
    world.spot("A").set_price(150.0)
    world.graph.recalculate()
    optimal.remove()
    assert (world.names, world.graph.recalculate().evaluated) == (before, 0)


def test_dependents_keep_it_in_the_graph(world):
    optimal = world.reactive()
    world.graph.derive("ABOVE", lambda portfolio: portfolio.volatility, [optimal.node])
    with pytest.raises(GraphError, match="ABOVE"):
        optimal.remove()
    assert optimal.node.graph is world.graph
    assert world.graph["ABOVE"].value == optimal.portfolio.volatility


def test_two_live_on_one_graph(world, optima):
    calm, parity = world.reactive(name="CALM"), world.reactive("risk_parity", name="PARITY")
    world.graph.recalculate()
    optima.clear()
    world.spot("A").set_price(150.0)
    world.graph.recalculate()
    assert sorted(optima) == ["min_variance", "risk_parity"]
    assert_same(calm.portfolio, world.anew())
    assert_same(parity.portfolio, world.anew("risk_parity"))
    calm.remove()
    assert parity.weight("A").value == world.anew("risk_parity").weights[0]
    assert not any(name.startswith("CALM") for name in world.names)


def test_a_second_of_the_same_name_is_refused(world):
    optimal, before = world.reactive(), world.names
    with pytest.raises(DuplicateNodeError, match="OPTIMAL:"):
        world.reactive("risk_parity")
    assert world.names == before
    assert_same(optimal.portfolio, world.anew())


# --- invalid input ------------------------------------------------------------------------------------


def test_a_weight_of_what_is_no_asset_is_refused(world):
    with pytest.raises(CalibrationError, match="no weight of 'Z'; there are A, B, C, D") as refused:
        world.reactive().weight("Z")
    assert refused.value.value == "Z"


@pytest.mark.parametrize(
    ("build", "error", "said"),
    [
        (lambda w: ReactivePortfolio(w.graph, w.history, ["A", "Z"]), UnknownNodeError, "Z_SPOT"),
        (lambda w: ReactivePortfolio(w.graph, w.history, ["A"], spots={"A": "NO"}), UnknownNodeError, "NO"),
        (lambda w: ReactivePortfolio(w.graph, w.history, ["A", "E"], spots={"E": "A_SPOT"}), UnknownTickerError, "E"),
        (lambda w: ReactivePortfolio(w.graph, w.history, []), CalibrationError, "no assets"),
        (lambda w: w.reactive("best_of_all"), ModelError, "no optimiser 'best_of_all'"),
        (lambda w: w.reactive("min_variance", cleverness=2), ModelError, "takes no 'cleverness'"),
        (lambda w: w.reactive("black_litterman"), ModelError, "black_litterman needs views="),
        (lambda w: w.reactive(bounds=(0.3, 1.0)), InfeasibleError, "add up to 1.2, 0.2 more than"),
        (lambda w: w.reactive(bounds={"Z": (0.0, 1.0)}), ModelError, "Z"),
        (lambda w: w.reactive("max_sharpe", risk_free_rate=1e6), InfeasibleError, "no allowed portfolio earns more"),
        (lambda w: w.reactive(estimation={"estimator": "magic"}), ModelError, "magic"),
    ],
)
def test_invalid_input_is_found_at_once_and_leaves_nothing(world, build, error, said):
    before = world.names
    with pytest.raises(error, match=said):
        build(world)
    assert world.names == before
    assert all(not world.spot(ticker).dependents for ticker in TICKERS)


def test_too_little_history_is_refused(world):
    for ticker in TICKERS:
        world.history.load(ticker, bars(ticker, [100.0]))
    with pytest.raises(CalibrationError, match="1 rows of returns; give at least two"):
        world.reactive()
