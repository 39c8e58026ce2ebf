"""Full revaluation against the graph: each scenario of a plan agrees with ``graph.scenario`` and with closed forms."""

from __future__ import annotations

import datetime as dt
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from bank_python.dagger import DependencyGraph
from bank_python.desk import build_desk
from bank_python.errors import InstrumentError, RiskError, SimulationError
from bank_python.instruments import (
    AmericanOption,
    Bond,
    Book,
    CreditDefaultSwap,
    DiscountCurve,
    Equity,
    FloatingBond,
    ForwardOption,
    FXForward,
    FXOption,
    FXRate,
    InterestRateSwap,
    Option,
    PerpetualFuture,
    Position,
    PowerLawOption,
    ProfitAndLoss,
    VolSurface,
)
from bank_python.instruments.factor import Factor
from bank_python.market_data import Clock, MarketData
from bank_python.risk.holdings import Holding
from bank_python.risk.quadratic import quadratic_plan
from bank_python.risk.valuation import plan_holdings, plan_valuation

# --- the desk ------------------------------------------------------------------------------------


def drawn(plan, scenarios, *, seed, size=0.15):
    """Return levels of all factors, shape (factors, scenarios): relative moves of `size`, rate shifts of 80 bp."""
    z = np.random.default_rng(seed).standard_normal((len(plan.factors), scenarios))
    relative = np.array([factor.relative for factor in plan.factors])[:, None]
    base = plan.base[:, None]
    return np.where(relative, base * np.exp(size * z), base + 0.008 * z)


def by_graph(graph, nodes, plan, levels):
    """Return the changes of the nodes' values in each scenario, shape (nodes, scenarios), by what-if layers."""
    now = np.array([node.value for node in nodes])
    then = np.empty((len(nodes), levels.shape[1]))
    for s in range(levels.shape[1]):
        with graph.scenario({factor.name: level for factor, level in zip(plan.factors, levels[:, s], strict=True)}):
            then[:, s] = [node.value for node in nodes]
    return then - now[:, None]


@pytest.fixture(scope="module")
def desk():
    built = build_desk(seed=7)
    for _ in range(5):
        built.tick()
    return built


@pytest.fixture(scope="module")
def desk_plan(desk):
    return plan_valuation([trader.book for trader in desk.traders])


def test_the_plan_of_the_desk_agrees_with_its_pnl_nodes(desk, desk_plan):
    levels = drawn(desk_plan, 60, seed=1)
    wanted = by_graph(desk.graph, [trader.pnl for trader in desk.traders] + [desk.firm_pnl], desk_plan, levels)
    found = desk_plan.pnl(levels)
    assert desk_plan.units == tuple(trader.book.name for trader in desk.traders)
    np.testing.assert_allclose(found, wanted[:-1], rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=0), wanted[-1], rtol=1e-9, atol=1e-6)


def test_single_factor_pnl_of_the_desk_agrees_with_a_what_if_of_each_leaf(desk, desk_plan):
    levels = desk_plan.base[:, None] * np.array([0.9, 1.15])
    single = desk_plan.single_factor_pnl(levels)
    for j, factor in enumerate(desk_plan.factors):
        for s in range(2):
            with desk.graph.scenario({factor.name: levels[j, s]}):
                then = desk.firm_pnl.value
            gained = then - desk.firm_pnl.value
            assert single[j, s] == pytest.approx(gained, rel=1e-8, abs=1e-5), (factor, levels[j, s])


def test_every_quoted_leaf_that_the_books_depend_on_is_a_factor(desk, desk_plan):
    known = {factor.name for factor in desk_plan.factors}
    for leaf in desk.graph:
        if not isinstance(leaf, MarketData) or not leaf.quoted:
            continue
        with desk.graph.scenario({leaf: leaf.value * 1.01}):
            moved = desk.firm_pnl.value
        assert (moved != desk.firm_pnl.value) <= (leaf.name in known), leaf.name


def test_exposures_are_gross_values_of_positions(desk, desk_plan):
    def worth(position):
        currency = position.currency
        if currency == "USD":
            return abs(position.value)
        straight = desk.graph.find(f"{currency}USD")
        rate = straight.value if straight is not None else 1.0 / desk.graph.node(f"USD{currency}").value
        return abs(position.value) * rate

    wanted = [math.fsum(worth(position) for position in trader.book.positions) for trader in desk.traders]
    np.testing.assert_allclose(desk_plan.exposures(), wanted, rtol=1e-12)


def test_unmoved_factors_give_no_pnl(desk_plan):
    assert not desk_plan.pnl(np.repeat(desk_plan.base[:, None], 3, axis=1)).any()


def test_a_scenario_does_not_depend_on_its_batch(desk_plan):
    levels = drawn(desk_plan, 5_000, seed=2)  # more columns than are priced at a time
    whole = desk_plan.pnl(levels)
    for s in (0, 1, 2_477, 4_999):
        np.testing.assert_allclose(desk_plan.pnl(levels[:, [s]])[:, 0], whole[:, s], rtol=1e-12, atol=1e-8)


def test_single_precision_is_the_same_to_its_own_rounding(desk_plan):
    levels = drawn(desk_plan, 400, seed=3, size=0.05)
    single = desk_plan.pnl(levels.astype(np.float32))
    assert single.dtype == np.float32
    off = np.abs(single - desk_plan.pnl(levels.astype(np.float32).astype(np.float64)))
    gross = desk_plan.exposures()[:, None]
    assert (off <= 64 * np.finfo(np.float32).eps * gross).all(), float((off / gross).max())


def test_a_plan_can_be_sent_to_another_process(desk_plan):
    levels = drawn(desk_plan, 3, seed=4)
    sent = pickle.loads(pickle.dumps(desk_plan))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(sent.pnl(levels), desk_plan.pnl(levels))


def test_passing_years_agree_with_the_clock(desk, desk_plan):
    now = [trader.pnl.value for trader in desk.traders]
    years = 10 / 365
    with desk.graph.scenario({"CLOCK": desk.clock.value + years}):
        then = [trader.pnl.value for trader in desk.traders]
    found = desk_plan.pnl(desk_plan.base[:, None], years)[:, 0]
    np.testing.assert_allclose(found, np.subtract(then, now), rtol=1e-9, atol=1e-6)
    assert found.any()


# --- a book in three currencies ------------------------------------------------------------------


class World:
    """Two books in dollars, euros and yen, long and short, with costs that differ from the present prices."""

    def __init__(self):
        self.graph = DependencyGraph()
        quotes = {
            "SAP_SPOT": 180.0,
            "SAP_VOL": 0.25,
            "EUR_RATE": 0.03,
            "USD_RATE": 0.05,
            "JPY_RATE": 0.001,
            "EURUSD_SPOT": 1.1,
            "USDJPY_SPOT": 150.0,
            "EURJPY_SPOT": 165.0,
            "EURUSD_VOL": 0.09,
            "EURJPY_VOL": 0.11,
        }
        leaf = {name: self.graph.register(MarketData(name, level)) for name, level in quotes.items()}
        eurusd = FXRate("EURUSD", rate_source=leaf["EURUSD_SPOT"], base="EUR", quote="USD")
        usdjpy = FXRate("USDJPY", rate_source=leaf["USDJPY_SPOT"], base="USD", quote="JPY")
        for rate in (eurusd, usdjpy):
            self.graph.register(rate)
        sap = Equity("SAP", spot_source=leaf["SAP_SPOT"], currency="EUR")
        put = Option(
            "SAP_PUT",
            spot_source=leaf["SAP_SPOT"],
            vol_source=leaf["SAP_VOL"],
            rate_source=leaf["EUR_RATE"],
            strike=170.0,
            expiry=0.75,
            is_call=False,
            currency="EUR",
        )
        euro_call = FXOption(
            "EUR_CALL",
            spot_source=leaf["EURUSD_SPOT"],
            vol_source=leaf["EURUSD_VOL"],
            rate_source=leaf["USD_RATE"],
            foreign_rate_source=leaf["EUR_RATE"],
            strike=1.12,
            expiry=0.5,
        )
        yen_put = FXOption(
            "EURJPY_PUT",
            spot_source=leaf["EURJPY_SPOT"],
            vol_source=leaf["EURJPY_VOL"],
            rate_source=leaf["JPY_RATE"],
            foreign_rate_source=leaf["EUR_RATE"],
            strike=160.0,
            expiry=0.5,
            is_call=False,
            currency="JPY",
        )
        forward = FXForward(
            "EURUSD_FWD",
            spot_source=leaf["EURUSD_SPOT"],
            rate_source=leaf["USD_RATE"],
            foreign_rate_source=leaf["EUR_RATE"],
            strike=1.08,
            expiry=1.0,
        )
        note = Bond("NOTE", rate_source=leaf["USD_RATE"], face=100.0, coupon_rate=0.04, maturity=5.0)
        self.contracts = {c.name: c for c in (sap, put, euro_call, yen_put, forward, note, usdjpy)}

        def held(owner, contract, quantity, cost, multiplier=1.0):
            return Position(
                f"{owner}_{contract.name}",
                instrument=contract,
                quantity=quantity,
                cost=cost,
                multiplier=multiplier,
            )

        self.alice = self.graph.register(
            Book(
                "ALICE",
                [
                    held("A", sap, 300, 150.0),
                    held("A", put, 5, 9.0, 100.0),
                    held("A", euro_call, 1e5, 0.01),
                    held("A", usdjpy, 2_000, 140.0),
                ],
            )
        )
        self.bob = self.graph.register(
            Book(
                "BOB",
                [
                    held("B", put, -8, 14.0, 100.0),
                    held("B", yen_put, -2_000, 3.0),
                    held("B", forward, 5e4, 0.0),
                    held("B", note, -50, 101.0),
                ],
                base_currency="EUR",
            )
        )
        self.pnl = [self.graph.register(ProfitAndLoss(f"{book.name}:PNL", book)) for book in (self.alice, self.bob)]

    def wanted(self, plan, levels):
        """Return P&L in dollars by what-if layers; BOB's is in euros, converted at the rate of each scenario."""
        now = self.dollars()
        changes = []
        for column in levels.T:
            with self.graph.scenario({factor.name: x for factor, x in zip(plan.factors, column, strict=True)}):
                changes.append(np.subtract(self.dollars(), now))
        return np.array(changes).T

    def dollars(self):
        """Return both P&Ls in dollars."""
        return [self.pnl[0].value, self.pnl[1].value * self.graph.node("EURUSD").value]


@pytest.fixture(scope="module")
def world():
    return World()


def test_foreign_currency_is_converted_at_the_rate_of_each_scenario(world):
    plan = plan_valuation([world.alice, world.bob])
    levels = drawn(plan, 80, seed=5, size=0.2)
    np.testing.assert_allclose(plan.pnl(levels), world.wanted(plan, levels), rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_a_plan_in_another_currency_is_the_books_kept_in_it(world, currency):
    graph = world.graph
    names = [f"{book.name}_{currency}" for book in (world.alice, world.bob)]
    books = [
        Book(name, book.positions, base_currency=currency)
        for name, book in zip(names, (world.alice, world.bob), strict=True)
    ]
    nodes = [graph.register(ProfitAndLoss(f"{book.name}:PNL", graph.register(book))) for book in books]
    plan = plan_valuation(books, currency)
    levels = drawn(plan, 30, seed=6)
    np.testing.assert_allclose(plan.pnl(levels), by_graph(graph, nodes, plan, levels), rtol=1e-9, atol=1e-6)
    assert plan.currency == currency
    for node in (*nodes, *books):
        graph.unregister(node)


def test_currency_options_by_garman_and_kohlhagen_by_hand(world):
    plan = plan_valuation([world.alice])
    spot, vol, usd, eur, strike, years = 1.1, 0.09, 0.05, 0.03, 1.12, 0.5

    def worth(spot, vol):
        spread = vol * math.sqrt(years)
        d1 = (math.log(spot / strike) + (usd - eur + 0.5 * vol * vol) * years) / spread
        straight = spot * math.exp(-eur * years) * norm.cdf(d1)
        return straight - strike * math.exp(-usd * years) * norm.cdf(d1 - spread)

    levels = np.repeat(plan.base[:, None], 2, axis=1)
    levels[plan.index("EURUSD_VOL")] = [0.09, 0.14]
    option = 1e5 * (worth(spot, 0.14) - worth(spot, vol))
    assert plan.pnl(levels)[0].tolist() == pytest.approx([0.0, option], rel=1e-9)
    levels = np.repeat(plan.base[:, None], 1, axis=1)
    levels[plan.index("EURUSD_SPOT")] = 1.25
    sap, put = world.contracts["SAP"].value, world.contracts["SAP_PUT"].value
    net = 300 * (sap - 150.0) + 500 * (put - 9.0)  # P&L so far, in euros
    wanted = 1e5 * (worth(1.25, vol) - worth(spot, vol)) + net * 0.15
    assert plan.pnl(levels)[0, 0] == pytest.approx(wanted, rel=1e-9)


def test_kinds_of_factors(world):
    plan = plan_valuation([world.alice, world.bob])
    kinds = {factor.name: factor.kind for factor in plan.factors}
    for name, kind in kinds.items():
        wanted = Factor.RATE if name.endswith("RATE") else Factor.VOL if name.endswith("VOL") else Factor.FX
        assert kind is (Factor.SPOT if name == "SAP_SPOT" else wanted), name
    assert {factor.name for factor in plan.factors if not factor.relative} == {"EUR_RATE", "USD_RATE", "JPY_RATE"}


def test_single_factor_pnl_moves_one_factor_at_a_time(world):
    plan = plan_valuation([world.alice, world.bob])
    levels = drawn(plan, 4, seed=8)
    single = plan.single_factor_pnl(levels)
    for j in range(len(plan.factors)):
        still = np.repeat(plan.base[:, None], 4, axis=1)
        still[j] = levels[j]
        np.testing.assert_allclose(single[j], plan.pnl(still).sum(axis=0), rtol=1e-10, atol=1e-7)
    np.testing.assert_allclose(plan.single_factor_pnl(levels, [5, 2]), single[[5, 2]], rtol=1e-12, atol=1e-9)


def test_alone_is_called_single_factor_pnl(world):
    plan = plan_valuation([world.alice, world.bob])
    levels = drawn(plan, 3, seed=5)
    for revaluer in (plan, quadratic_plan(plan)):
        with pytest.warns(DeprecationWarning, match="alone is now called single_factor_pnl"):
            old = revaluer.alone(levels, [1])
        np.testing.assert_array_equal(old, plan.single_factor_pnl(levels, [1]))


def test_without_is_a_plan_of_the_rest(world):
    plan = plan_valuation([world.alice, world.bob])
    rest, left_out = plan.without([plan.index("SAP_VOL"), plan.index("JPY_RATE")])
    assert set(left_out) == {"SAP_PUT", "EURJPY_PUT"}
    assert rest.contracts == plan.contracts - 2
    kept = [
        Book("X", [p for p in book.positions if p.instrument.name not in left_out]) for book in (world.alice, world.bob)
    ]
    levels = drawn(plan, 6, seed=9)
    moved = {factor.name: level for factor, level in zip(plan.factors, levels, strict=True)}
    for row, book in zip(rest.pnl(levels), kept, strict=True):
        fresh = plan_holdings(_holdings(book, world.graph), ["X"])
        wanted = fresh.pnl(np.array([moved[factor.name] for factor in fresh.factors]))[0]
        np.testing.assert_allclose(row, wanted, rtol=1e-10, atol=1e-7)


def _holdings(book, graph):
    return [
        Holding("X", p.instrument, p.quantity * p.multiplier, p.cost_basis, p.currency, graph) for p in book.positions
    ]


def test_without_a_currency_everything_in_it_is_left_out(world):
    plan = plan_valuation([world.alice, world.bob])
    rest, left_out = plan.without([plan.index("USDJPY_SPOT")])
    assert set(left_out) == {"EURJPY_PUT", "USDJPY"}
    levels = drawn(plan, 2, seed=10)
    moved = levels.copy()
    moved[plan.index("USDJPY_SPOT")] *= 3.0
    np.testing.assert_array_equal(rest.pnl(levels), rest.pnl(moved))
    nothing, all_out = plan.without(range(len(plan.factors)))
    assert (nothing.blocks, len(all_out)) == ((), plan.contracts)
    assert not nothing.pnl(levels).any()


def test_factor_exposures_are_gross_values_of_dependent_contracts(world):
    plan = plan_valuation([world.alice, world.bob])
    c = {name: contract.value for name, contract in world.contracts.items()}
    found = dict(zip((factor.name for factor in plan.factors), plan.factor_exposures(), strict=True))
    assert found["SAP_SPOT"] == pytest.approx((300 * c["SAP"] + 300 * c["SAP_PUT"]) * 1.1)
    assert found["JPY_RATE"] == pytest.approx(2_000 * c["EURJPY_PUT"] / 150.0)
    assert found["USDJPY_SPOT"] == pytest.approx((2_000 * c["EURJPY_PUT"] + 2_000 * 150.0) / 150.0)
    assert found["EURUSD_VOL"] == pytest.approx(1e5 * c["EUR_CALL"])


def test_amended_terms_and_trades_are_in_the_next_plan_and_not_in_the_last():
    world = World()
    before = plan_valuation([world.alice, world.bob])
    levels = drawn(before, 10, seed=11)
    then = before.pnl(levels)
    world.contracts["SAP_PUT"].amend(strike=185.0)
    for book, pnl in zip((world.alice, world.bob), world.pnl, strict=True):
        book.positions[0].trade(-100, 175.0)
        pnl.update_cash()
    np.testing.assert_array_equal(before.pnl(levels), then)
    after = plan_valuation([world.alice, world.bob])
    np.testing.assert_allclose(after.pnl(levels), world.wanted(after, levels), rtol=1e-9, atol=1e-7)
    assert not np.allclose(after.pnl(levels), then)


def test_a_position_sold_out_keeps_its_foreign_profit():
    graph = DependencyGraph()
    euro = graph.register(MarketData("EURUSD_SPOT", 1.1))
    graph.register(FXRate("EURUSD", rate_source=euro, base="EUR", quote="USD"))
    share = Equity("SAP", spot_source=MarketData("SAP_SPOT", 180.0), currency="EUR")
    held = Position("P", instrument=share, quantity=10, cost=100.0)
    book = graph.register(Book("B", [held]))
    held.trade(-10, 180.0)  # a profit of 800 euros
    plan = plan_valuation([book])
    levels = np.repeat(plan.base[:, None], 2, axis=1)
    levels[plan.index("EURUSD_SPOT")] = [1.0, 1.2]
    np.testing.assert_allclose(plan.pnl(levels), [[-80.0, 80.0]], rtol=1e-12)


def test_two_positions_in_one_contract_are_both_held():
    share = Equity("E", spot_source=MarketData("S", 100.0))
    book = Book("B", [Position(f"P{i}", instrument=share, quantity=q, cost=90.0) for i, q in enumerate((10, -4))])
    plan = plan_valuation([book, Book("C", [Position("P2", instrument=share, quantity=1)])])
    assert plan.contracts == 1
    np.testing.assert_allclose(plan.pnl([[110.0]]), [[60.0], [10.0]], rtol=1e-12)
    np.testing.assert_allclose(plan.exposures(), [600.0, 100.0])


@given(
    st.floats(-1e5, 1e5).filter(lambda x: abs(x) > 1e-3),
    st.floats(0.5, 2.0),
    st.floats(0.5, 2.0),
    st.floats(0.0, 300.0),
)
def test_a_foreign_share_by_hand(quantity, growth, rate, cost):
    graph = DependencyGraph()
    leaf = graph.register(MarketData("USDCHF_SPOT", 0.9))
    graph.register(FXRate("USDCHF", rate_source=leaf, base="USD", quote="CHF"))
    share = Equity("ROG", spot_source=MarketData("ROG_SPOT", 250.0), currency="CHF")
    book = graph.register(Book("B", [Position("P", instrument=share, quantity=quantity, cost=cost)]))
    plan = plan_valuation([book])
    levels = np.empty((2, 1))
    levels[plan.index("ROG_SPOT")] = 250.0 * growth
    levels[plan.index("USDCHF_SPOT")] = 0.9 * rate
    wanted = quantity * ((250.0 * growth - cost) / (0.9 * rate) - (250.0 - cost) / 0.9)
    assert plan.pnl(levels)[0, 0] == pytest.approx(wanted, rel=1e-9, abs=1e-9 * abs(quantity) * 550.0)


# --- every class of contract ---------------------------------------------------------------------

QUOTES = {"S": 100.0, "V": 0.25, "R": 0.04, "D": 0.01, "C": 0.02, "A": 4.0, "M": 6e4, "F": 1e-4}
OPTION = {"vol_source": "V", "rate_source": "R", "strike": 105.0, "expiry": 0.75, "clock_source": "CLOCK"}
RATES = {"rate_source": "R", "maturity": 4.0, "clock_source": "CLOCK"}
FUTURE = {"mark_source": "M", "entry_price": 5e4, "funding_source": "F"}
CONTRACTS = {
    "european": (Option, OPTION | {"spot_source": "S", "dividend_source": "D"}),
    "american": (AmericanOption, OPTION | {"spot_source": "S", "dividend_source": "D", "is_call": False}),
    "on a future": (ForwardOption, OPTION | {"forward_source": "S", "is_call": False}),
    "bond": (Bond, RATES | {"face": 100.0, "coupon_rate": 0.05}),
    "floater": (FloatingBond, RATES | {"face": 100.0, "margin": 0.01}),
    "swap": (InterestRateSwap, RATES | {"notional": 1e4, "fixed_rate": 0.03}),
    "protection": (CreditDefaultSwap, RATES | {"spread_source": "C", "notional": 1e4}),
    "power factor_model": (
        PowerLawOption,
        {"spot_source": "S", "anchor_source": "A", "anchor_strike": 190.0, "strike": 210.0, "alpha": 3.0},
    ),
    "linear future": (PerpetualFuture, FUTURE | {"contract_size": 0.1}),
    "inverse future": (PerpetualFuture, FUTURE | {"contract_size": 100.0, "is_inverse": True}),
}


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_class_of_contract_against_the_graph(name):
    graph = DependencyGraph()
    nodes = {quote: graph.register(MarketData(quote, level)) for quote, level in QUOTES.items()}
    nodes["CLOCK"] = graph.register(Clock("CLOCK", origin=dt.date(2026, 1, 2)))
    kind, terms = CONTRACTS[name]
    contract = kind(name, **{key: nodes.get(value, value) for key, value in terms.items()})
    book = graph.register(Book("B", [Position("P", instrument=contract, quantity=-10)]))
    plan = plan_valuation([book])
    sources = {value for key, value in terms.items() if key.endswith("_source")}
    assert {factor.name for factor in plan.factors} == sources - {"CLOCK"}
    levels = drawn(plan, 25, seed=13, size=0.12)
    wanted = by_graph(graph, [book], plan, levels)
    gross = plan.exposures()[0] + np.abs(wanted).max()
    np.testing.assert_allclose(plan.pnl(levels), wanted, rtol=1e-9, atol=1e-12 * gross)
    single = plan.pnl(levels.astype(np.float32))
    np.testing.assert_allclose(single, wanted, rtol=0, atol=1e-5 * gross)
    if "CLOCK" in sources:
        now = book.value
        with graph.scenario({"CLOCK": nodes["CLOCK"].value + 0.1}):
            later = book.value
        aged = plan.pnl(plan.base[:, None], 0.1)[0, 0]
        assert aged == pytest.approx(later - now, rel=1e-9, abs=1e-12 * gross), name


# --- curves and surfaces -------------------------------------------------------------------------


def curve_world():
    graph = DependencyGraph()
    quotes = {
        tenor: graph.register(MarketData(f"USD_{tenor}", rate))
        for tenor, rate in {"1Y": 0.05, "2Y": 0.045, "5Y": 0.042, "10Y": 0.043}.items()
    }
    curve = DiscountCurve("CURVE", zero_rates=quotes)
    spot, vol = (graph.register(MarketData(*quote)) for quote in (("S", 100.0), ("V", 0.2)))
    call = Option("CALL", spot_source=spot, vol_source=vol, rate_source=curve, strike=105.0, expiry=3.0)
    note = Bond("NOTE", rate_source=curve, face=100.0, coupon_rate=0.05, maturity=7.0)
    book = Book(
        "B",
        [
            Position("P1", instrument=call, quantity=1_000, cost=12.0),
            Position("P2", instrument=note, quantity=-300, cost=100.0),
        ],
    )
    return graph, graph.register(book)


def test_a_curve_lookup_moves_to_first_order_with_an_error_of_second():
    graph, book = curve_world()
    plan = plan_valuation([book])
    names = [factor.name for factor in plan.factors]
    assert {"S", "V", "USD_2Y", "USD_5Y", "USD_10Y"} <= set(names)
    direction = np.array([0.01 if name.startswith("USD") else 0.0 for name in names])
    direction *= np.random.default_rng(12).uniform(0.5, 1.0, len(names))
    sizes = np.array([1.0, 0.5, 0.25, 0.125])
    levels = plan.base[:, None] + direction[:, None] * sizes
    wanted = by_graph(graph, [book], plan, levels)[0]
    off = np.abs(plan.pnl(levels)[0] - wanted)
    assert (off <= 2e-3 * np.abs(wanted)).all(), (off, wanted)
    floor = 1e-6 * np.abs(wanted)
    assert (off[1:] <= off[:-1] / 3.0 + floor[1:]).all(), off
    assert np.abs(wanted).min() > 100.0


def test_a_contract_on_a_curve_is_exact_in_its_leaves():
    graph, book = curve_world()
    plan = plan_valuation([book])
    levels = np.repeat(plan.base[:, None], 3, axis=1)
    levels[plan.index("S")] = [60.0, 110.0, 150.0]
    levels[plan.index("V")] = [0.5, 0.1, 0.3]
    np.testing.assert_allclose(plan.pnl(levels), by_graph(graph, [book], plan, levels), rtol=1e-9)


def test_a_surface_lookup_moves_to_first_order_with_an_error_of_second():
    graph = DependencyGraph()
    spot = graph.register(MarketData("S", 100.0))
    strikes = (80.0, 90.0, 100.0, 110.0, 120.0)
    smile = (0.27, 0.23, 0.20, 0.19, 0.19)
    quotes = {
        (strike, expiry): graph.register(MarketData(f"V_{strike:.0f}_{expiry}", vol))
        for expiry in (0.5, 1.0)
        for strike, vol in zip(strikes, smile, strict=True)
    }
    surface = VolSurface("SURFACE", spot_source=spot, quotes=quotes)
    put = Option("PUT", spot_source=spot, vol_source=surface, rate_source=0.02, strike=92.0, expiry=0.75, is_call=False)
    book = graph.register(Book("B", [Position("P", instrument=put, quantity=1_000, cost=5.0)]))
    plan = plan_valuation([book])
    sizes = np.array([1.0, 0.5, 0.25, 0.125])
    levels = np.repeat(plan.base[:, None], 4, axis=1)
    for j, factor in enumerate(plan.factors):
        if factor.name.startswith("V_"):
            levels[j] *= 1.0 + 0.2 * sizes
    wanted = by_graph(graph, [book], plan, levels)[0]
    off = np.abs(plan.pnl(levels)[0] - wanted)
    assert len(plan.factors) == 1 + len(quotes)
    assert (off <= 0.01 * np.abs(wanted)).all(), (off, wanted)
    assert np.abs(wanted).min() > 100.0


# --- errors --------------------------------------------------------------------------------------


def test_the_fault_names_the_contract_the_scenario_and_the_input(world):
    plan = plan_valuation([world.alice, world.bob])
    levels = np.repeat(plan.base[:, None], 5, axis=1)
    levels[plan.index("SAP_VOL"), 3] = -0.2
    pnl = plan.pnl(levels)
    assert np.isnan(pnl[:, 3]).all()
    assert not pnl[:, [0, 1, 2, 4]].any()
    error = plan.fault(levels)
    assert isinstance(error, SimulationError)
    assert error.name == "SAP_PUT"
    assert "scenario 3" in str(error)
    assert "vol=-0.2" in str(error)


def test_an_exchange_rate_that_is_not_finite_is_reported(world):
    plan = plan_valuation([world.alice])
    levels = plan.base[:, None].copy()
    levels[plan.index("EURUSD_SPOT")] = np.inf
    with np.errstate(all="ignore"):
        assert not np.isfinite(plan.pnl(levels)).all()
    assert isinstance(plan.fault(levels), SimulationError)


def test_a_factor_that_is_not_there_is_named_with_those_that_are(world):
    with pytest.raises(RiskError, match=r"'KO_SPOT'.*SAP_SPOT") as caught:
        plan_valuation([world.alice]).index("KO_SPOT")
    assert caught.value.name == "KO_SPOT"


def test_a_plan_needs_exchange_rates():
    share = Equity("SAP", spot_source=MarketData("SAP_SPOT", 180.0), currency="EUR")
    loose = Book("LOOSE", [Position("P", instrument=share, quantity=1, cost=1.0)], base_currency="EUR")
    with pytest.raises(RiskError, match="LOOSE holds EUR"):
        plan_valuation([loose])
    DependencyGraph().register(loose)
    with pytest.raises(InstrumentError, match="no rate from EUR to USD"):
        plan_valuation([loose])


def test_a_derived_exchange_rate_is_refused():
    graph = DependencyGraph()
    legs = [graph.register(MarketData(name, level)) for name, level in (("LEG1", 1.5), ("LEG2", 0.75))]
    crossed = graph.derive("CROSSED", lambda a, b: a * b, legs)
    graph.register(FXRate("EURUSD", rate_source=crossed, base="EUR", quote="USD"))
    share = Equity("SAP", spot_source=MarketData("SAP_SPOT", 180.0), currency="EUR")
    book = graph.register(Book("B", [Position("P", instrument=share, quantity=1, cost=1.0)]))
    with pytest.raises(RiskError, match="the exchange rate EURUSD is not quoted"):
        plan_valuation([book])


def test_a_position_without_a_quote_or_instrument_is_named():
    quiet = Equity("QUIET", spot_source=MarketData("QUIET_SPOT"))
    unmarked = Book("B", [Position("P", instrument=quiet, quantity=1)])
    with pytest.raises(RiskError, match="P has no opening mark"):
        plan_valuation([unmarked])
    vol = MarketData("VOL", -0.2)
    failed = Option("FAILED", spot_source=100.0, vol_source=vol, rate_source=0.0, strike=90.0, expiry=1.0)
    with pytest.raises(RiskError, match="FAILED has no value, and so no risk") as caught:
        plan_valuation([Book("C", [Position("Q", instrument=failed, quantity=1, cost=1.0)])])
    assert caught.value.name == "FAILED"
    number = Book("D", [Position("R", instrument=MarketData("N", 3.0), quantity=1)])
    with pytest.raises(RiskError, match="R holds a node that is not an instrument"):
        plan_valuation([number])


def test_books_without_positions_have_no_pnl():
    plan = plan_valuation([Book("EMPTY", [])])
    assert (plan.units, plan.factors, plan.contracts) == (("EMPTY",), (), 0)
    np.testing.assert_array_equal(plan.pnl(np.empty((0, 4))), np.zeros((1, 4)))
    np.testing.assert_array_equal(plan.exposures(), [0.0])


def test_a_snapshot_is_planned_as_it_was():
    graph = DependencyGraph()
    spot = graph.register(MarketData("S", 100.0))
    call = Option("C", spot_source=spot, vol_source=0.2, rate_source=0.01, strike=100.0, expiry=1.0)
    book = graph.register(Book("B", [Position("P", instrument=call, quantity=10)]))
    with graph.snapshot() as snapshot:
        spot.set_price(80.0)
        held = plan_valuation([book], read=snapshot.__getitem__)
    assert held.base.tolist() == [100.0]
    assert plan_valuation([book]).base.tolist() == [80.0]
    then = held.pnl([[80.0]])[0, 0]
    assert then == pytest.approx(-plan_valuation([book]).pnl([[100.0]])[0, 0], rel=1e-12)


def test_a_clock_is_no_factor():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 2))
    call = Option(
        "C",
        spot_source=MarketData("S", 100.0),
        vol_source=0.2,
        rate_source=0.0,
        strike=100,
        expiry=1.0,
        clock_source=clock,
    )
    plan = plan_valuation([Book("B", [Position("P", instrument=call, quantity=1)])])
    assert [factor.name for factor in plan.factors] == ["S"]
    worth = 100.0 * (2.0 * norm.cdf(0.1 * math.sqrt(0.5)) - 1.0)
    assert plan.pnl([[100.0]], 0.5)[0, 0] == pytest.approx(worth - call.value, rel=1e-12)


def test_a_coupon_that_falls_due_while_time_passes_is_part_of_the_pnl():
    rate = MarketData("Y", 0.05)
    bond = Bond("B", rate_source=rate, face=100.0, coupon_rate=0.06, maturity=1.004, clock_source=0.0)
    call = Option("C", spot_source=MarketData("S", 100.0), vol_source=0.2, rate_source=0.0, strike=95.0, expiry=0.004)
    positions = [Position("P", instrument=bond, quantity=10.0), Position("Q", instrument=call, quantity=-1.0)]
    plan = plan_valuation([Book("BOOK", positions)])
    levels = plan.base[:, None]
    before, after = bond.value, Bond.price(0.005, 0.05, 0.0, 100.0, 0.06, 1.004, 1.0, 1.0)
    assert before - after > 5.0  # its first coupon has been paid
    expected = 10.0 * (after + 6.0 - before) - (5.0 - call.value)
    assert plan.pnl(levels, years=0.005) == pytest.approx(np.array([[expected]]), rel=1e-9)
