"""P&L attribution: closed forms on small books, exact sums under random moves, and a day of the standard desk."""

from __future__ import annotations

import datetime as dt
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bank_python.dagger import DependencyGraph
from bank_python.desk import build_desk
from bank_python.errors import InstrumentError
from bank_python.instruments import Bond, Book, DiscountCurve, Equity, FXRate, Option, Position, ProfitAndLoss
from bank_python.market_data import Clock, MarketData
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.risk import EFFECTS, PnLAttribution, capture
from bank_python.risk_models import black_scholes_greeks, black_scholes_price

LEVELS = {"SPOT": 100.0, "VOL": 0.25, "RATE": 0.03, "DIV": 0.01, "EUR": 1.1}


class Market:
    """A book with a call in euros, a share and a bond in dollars."""

    def __init__(self):
        self.graph = DependencyGraph()
        self.leaf = {name: self.graph.register(MarketData(name, value)) for name, value in LEVELS.items()}
        self.clock = self.graph.register(Clock("CLOCK", origin=dt.date(2026, 1, 2)))
        self.graph.register(FXRate("EURUSD", rate_source=self.leaf["EUR"], base="EUR", quote="USD"))
        self.call = Option(
            "CALL",
            spot_source=self.leaf["SPOT"],
            vol_source=self.leaf["VOL"],
            rate_source=self.leaf["RATE"],
            dividend_source=self.leaf["DIV"],
            strike=105.0,
            expiry=0.75,
            clock_source=self.clock,
            currency="EUR",
        )
        self.bond = Bond("BOND", rate_source=self.leaf["RATE"], face=100, coupon_rate=0.05, maturity=5)
        self.share = Equity("SHARE", spot_source=self.leaf["SPOT"])
        self.held = [
            Position("OPT", instrument=self.call, quantity=-3.0, multiplier=100.0, cost=6.0),
            Position("LONG", instrument=self.share, quantity=50.0, cost=99.0),
            Position("BONDS", instrument=self.bond, quantity=20.0, cost=105.0),
        ]
        self.books = [Book("ALICE", self.held[:1]), Book("BOB", self.held[1:])]
        self.pnl = []
        for book in self.books:
            self.graph.register(book)
            self.pnl.append(self.graph.register(ProfitAndLoss(f"{book.name}:PNL", book)))

    def total(self):
        return math.fsum(node.value for node in self.pnl)

    def capture(self):
        return capture(self.books)

    def set(self, **levels):
        with self.graph.batch():
            for name, value in levels.items():
                self.leaf[name].set_price(value)

    def trade(self, position, quantity, price):
        with self.graph.batch():
            position.trade(quantity, price)
            for node in self.pnl:
                node.update_cash()


def test_taylor_terms_of_one_option_by_hand():
    market = Market()
    opening = market.capture()
    market.set(SPOT=102.0, VOL=0.26, RATE=0.031, DIV=0.012, EUR=1.12)
    market.clock.roll(dt.date(2026, 1, 5))
    day = PnLAttribution.between(opening, market.capture())
    left = 0.75 - 3 / 365
    before = black_scholes_price(100.0, 105.0, 0.75, 0.03, 0.25, 0.01)
    greeks = black_scholes_greeks(100.0, 105.0, left, 0.03, 0.25, 0.01)
    after = black_scholes_price(102.0, 105.0, left, 0.031, 0.26, 0.012)
    units, effects = -300.0, day.by_trader()["ALICE"]
    assert effects["theta"] == pytest.approx(units * (greeks.price - before) * 1.1, rel=1e-10)
    assert effects["delta"] == pytest.approx(units * greeks.delta * 2.0 * 1.1, rel=1e-10)
    assert effects["gamma"] == pytest.approx(units * 0.5 * greeks.gamma * 4.0 * 1.1, rel=1e-10)
    assert effects["vega"] == pytest.approx(units * (greeks.vega * 0.01 + 0.5 * greeks.volga * 1e-4) * 1.1, rel=1e-9)
    assert effects["rho"] == pytest.approx(units * greeks.rho * 0.001 * 1.1, rel=1e-2)
    assert effects["dividend"] == pytest.approx(units * greeks.dividend_rho * 0.002 * 1.1, rel=1e-2)
    assert effects["fx"] == pytest.approx((units * before - units * 6.0) * 0.02, rel=1e-10)
    assert effects["new_trades"] == 0.0
    assert abs(effects["unexplained"]) < 0.01 * sum(abs(value) for value in effects.values())
    actual = (units * after - units * 6.0) * 1.12 - (units * before - units * 6.0) * 1.1
    assert math.fsum(effects.values()) == pytest.approx(actual, rel=1e-12)


def test_cross_terms_by_hand():
    market = Market()
    opening = market.capture()
    market.set(SPOT=102.0, VOL=0.26, EUR=1.12)
    effects = PnLAttribution.between(opening, market.capture()).by_trader()["ALICE"]
    before, after = (black_scholes_price(S, 105.0, 0.75, 0.03, v, 0.01) for S, v in ((100.0, 0.25), (102.0, 0.26)))
    vanna = black_scholes_greeks(100.0, 105.0, 0.75, 0.03, 0.25, 0.01).vanna
    expected = -300.0 * (vanna * 2.0 * 0.01 * 1.1 + (after - before) * 0.02)
    assert effects["cross"] == pytest.approx(expected, rel=1e-9)


def test_an_option_that_expires_on_its_strike():
    market = Market()
    opening, had = market.capture(), market.total()
    market.clock.roll(dt.date(2027, 1, 2))
    market.set(SPOT=105.0)
    at_the_strike = market.capture()
    market.set(SPOT=106.0)
    first = PnLAttribution.between(opening, at_the_strike)
    second = PnLAttribution.between(at_the_strike, market.capture())
    assert first.actual + second.actual == pytest.approx(market.total() - had, abs=1e-9)


def test_the_waterfall_by_hand():
    market = Market()
    opening = market.capture()
    market.set(SPOT=104.0, VOL=0.22, RATE=0.033, DIV=0.0, EUR=1.05)
    market.clock.roll(dt.date(2026, 2, 2))
    day = PnLAttribution.between(opening, market.capture(), "waterfall")
    left, units = 0.75 - 31 / 365, -300.0 * 1.1
    steps = [
        (100.0, 0.25, 0.03, 0.01, 0.75),
        (100.0, 0.25, 0.03, 0.01, left),
        (104.0, 0.25, 0.03, 0.01, left),
        (104.0, 0.22, 0.03, 0.01, left),
        (104.0, 0.22, 0.033, 0.01, left),
        (104.0, 0.22, 0.033, 0.0, left),
    ]
    values = [black_scholes_price(S, 105.0, T, r, vol, q) for S, vol, r, q, T in steps]
    effects = day.by_trader()["ALICE"]
    for effect, low, high in zip(("theta", "delta", "vega", "rho", "dividend"), values, values[1:], strict=False):
        assert effects[effect] == pytest.approx(units * (high - low), rel=1e-10), effect
    assert effects["fx"] == pytest.approx(-300.0 * (values[-1] - 6.0) * -0.05, rel=1e-10)
    assert effects["gamma"] == effects["cross"] == effects["new_trades"] == 0.0
    assert abs(effects["unexplained"]) < 1e-9


@pytest.mark.parametrize("mode", ["taylor", "waterfall"])
def test_trades_closed_and_new_positions(mode):
    market = Market()
    opening, had = market.capture(), market.total()
    market.set(SPOT=101.0)
    market.trade(market.held[1], -20.0, 100.5)  # part sold
    market.trade(market.held[2], -20.0, 108.0)  # closed
    extra = Position("NEW", instrument=market.share, quantity=0.0, cost=100.0)
    with market.graph.batch():
        market.books[0].add(extra)
        extra.trade(10.0, 100.8)
        for node in market.pnl:
            node.update_cash()
    market.set(SPOT=103.0)
    closing = market.capture()
    day = PnLAttribution.between(opening, closing, mode)
    rows = {row["position"]: row for row in day.to_table()}
    assert rows["LONG"]["delta"] == pytest.approx(50.0 * 3.0)  # on what was held at the opening
    assert rows["LONG"]["new_trades"] == pytest.approx(-20.0 * (103.0 - 100.5))
    assert rows["BONDS"]["new_trades"] == pytest.approx(20.0 * (108.0 - market.bond.value))
    assert rows["NEW"]["new_trades"] == pytest.approx(10.0 * (103.0 - 100.8))
    assert rows["NEW"]["delta"] == 0.0
    assert day.actual == pytest.approx(market.total() - had, abs=1e-8)
    assert set(day.by_instrument()) == {"CALL", "SHARE", "BOND"}


def test_a_position_that_is_gone_or_holds_something_else():
    market = Market()
    opening = market.capture()
    gone = PnLAttribution.between(opening, capture(market.books[:1]))
    assert gone.by_trader()["BOB"]["new_trades"] == pytest.approx(-market.pnl[1].value)
    first = Book("X", [Position("P", instrument=market.share, quantity=1.0, cost=90.0)])
    second = Book("X", [Position("P", instrument=market.bond, quantity=1.0, cost=90.0)])
    swapped = PnLAttribution.between(capture([first]), capture([second]))
    assert swapped.by_factor()["new_trades"] == pytest.approx(market.bond.value - 100.0)
    assert swapped.by_instrument().keys() == {"BOND"}


def test_an_amended_contract():
    market = Market()
    opening, had = market.capture(), market.total()
    market.call.amend(strike=110.0)
    market.set(SPOT=101.0)
    day = PnLAttribution.between(opening, market.capture())
    old, new = (black_scholes_price(101.0, k, 0.75, 0.03, 0.25, 0.01) for k in (105.0, 110.0))
    assert day.by_factor()["new_trades"] == pytest.approx(-300.0 * (new - old) * 1.1, rel=1e-10)
    assert day.actual == pytest.approx(market.total() - had, abs=1e-8)


moves = st.fixed_dictionaries(
    {
        "SPOT": st.floats(40.0, 200.0),
        "VOL": st.floats(0.05, 0.9),
        "RATE": st.floats(-0.02, 0.12),
        "DIV": st.floats(0.0, 0.06),
        "EUR": st.floats(0.5, 2.0),
    }
)
trades = st.lists(st.tuples(st.integers(0, 2), st.floats(-500.0, 500.0), st.floats(1.0, 200.0)), max_size=4)


@settings(max_examples=60, deadline=None)
@given(moves, trades, st.integers(0, 400), st.sampled_from(["taylor", "waterfall"]))
def test_effects_add_up_under_random_moves_and_trades(levels, done, days, mode):
    market = Market()
    opening, had = market.capture(), market.total()
    for which, quantity, price in done:
        market.trade(market.held[which], quantity, price)
    market.set(**levels)
    market.clock.roll(dt.date(2026, 1, 2) + dt.timedelta(days=days))
    day = PnLAttribution.between(opening, market.capture(), mode)
    scale = sum(abs(value) for value in day.by_factor().values()) + 1e5
    assert day.actual == math.fsum(day.by_factor().values())
    assert day.actual == pytest.approx(market.total() - had, abs=1e-12 * scale)
    assert math.fsum(math.fsum(row.values()) for row in day.by_trader().values()) == pytest.approx(
        day.actual, abs=1e-12 * scale
    )
    assert math.fsum(row["actual"] for row in day.to_table()) == pytest.approx(day.actual, abs=1e-12 * scale)
    assert day.explained + day.unexplained == pytest.approx(day.actual, abs=1e-12 * scale)
    if mode == "waterfall":
        assert abs(day.unexplained) <= 1e-12 * scale


def test_no_change_has_no_effect():
    market = Market()
    day = PnLAttribution.between(market.capture(), market.capture())
    assert set(day.by_factor().values()) == {0.0}
    assert (day.actual, day.unexplained_share) == (0.0, 0.0)
    assert tuple(day.by_factor()) == EFFECTS


def test_a_failing_contract_is_reported_and_left_out():
    market = Market()
    opening, had = market.capture(), market.pnl[1].value
    market.set(VOL=-0.1, SPOT=101.0)
    day = PnLAttribution.between(opening, market.capture())
    assert list(day.errors) == ["OPT"]
    assert "vol" in str(day.errors["OPT"])
    assert day.actual == pytest.approx(market.pnl[1].value - had)
    console = Console(width=120, file=io.StringIO())
    console.print(day)
    assert "without a value: OPT" in console.file.getvalue()


def test_moves_of_a_curve_are_rates():
    zero = MarketData("Z", 0.03)
    curve = DiscountCurve("CURVE", zero_rates={"1Y": zero})
    bond = Bond("B", rate_source=curve, face=100, coupon_rate=0.05, maturity=5)
    book = Book("X", [Position("P", instrument=bond, quantity=1000.0)])
    graph = DependencyGraph()
    graph.register(book)
    opening = capture([book])
    zero.set_price(0.031)
    day = PnLAttribution.between(opening, capture([book]))
    assert day.by_factor()["rho"] == pytest.approx(day.actual, rel=1e-4)


def test_refused():
    market = Market()
    state = market.capture()
    with pytest.raises(ValueError, match="one state is in USD, the other in EUR"):
        PnLAttribution.between(state, capture(market.books, "EUR"))
    with pytest.raises(ValueError, match="mode='guess' is not an attribution method"):
        PnLAttribution.between(state, state, "guess")
    with pytest.raises(InstrumentError, match="no rate from"):
        capture(market.books, "JPY")


def standard_day(spot, vol, rate, credit):
    desk = build_desk(seed=7)
    desk.tick()
    books = [trader.book for trader in desk.traders]
    opening, had, tick = capture(books), desk.firm_pnl.value, desk.graph.tick
    relative = {SymbolKind.EQUITY, SymbolKind.ETF, SymbolKind.CRYPTO, SymbolKind.INDEX, SymbolKind.FX}
    absolute = {SymbolKind.VOL: 0.01 * vol, SymbolKind.RATE: 0.001 * rate, SymbolKind.CREDIT: 0.001 * credit}
    assert desk.graph.tick == tick
    with desk.graph.batch():
        for symbol, listing in desk.listings.items():
            leaf = desk.leaf(symbol)
            if listing.kind in relative:
                leaf.set_price(leaf.price * (1.0 + 0.01 * spot))
            elif listing.kind in absolute:
                leaf.set_price(leaf.price + absolute[listing.kind])
    desk.roll(desk.clock.date + dt.timedelta(days=1))
    return desk, opening, capture(books), desk.firm_pnl.value - had


@pytest.mark.parametrize(
    "signs", [(1, 1, 1, 1), (-1, -1, -1, -1), (1, -1, 1, -1), (-1, 1, -1, 1), (1, 1, -1, -1), (-1, 1, 1, 1)]
)
def test_a_day_of_the_standard_desk(signs):
    desk, opening, closing, expected = standard_day(*signs)
    tick, evaluations = desk.graph.tick, desk.graph.evaluations
    day = PnLAttribution.between(opening, closing)
    assert day.actual == pytest.approx(expected, abs=1e-4)
    assert day.unexplained_share < 0.01
    for trader, row in day.by_trader().items():
        sizes = sum(abs(value) for effect, value in row.items() if effect != "unexplained")
        assert abs(row["unexplained"]) <= 0.01 * sizes, trader
    waterfall = PnLAttribution.between(opening, closing, "waterfall")
    assert waterfall.actual == pytest.approx(expected, abs=1e-4)
    assert abs(waterfall.unexplained) < 1e-4
    assert (desk.graph.tick, desk.graph.evaluations) == (tick, evaluations)
    assert not day.errors


def test_views_and_plots(tmp_path):
    market = Market()
    opening = market.capture()
    market.set(SPOT=102.0, VOL=0.26, EUR=1.12)
    day = PnLAttribution.between(opening, market.capture())
    console = Console(width=120, file=io.StringIO())
    console.print(day)
    shown = console.file.getvalue()
    for word in ("delta", "vega", "fx", "P&L", "ALICE -"):
        assert word in shown, word
    day.plot(tmp_path / "day.png")
    assert (tmp_path / "day.png").stat().st_size > 10_000
    np.testing.assert_array_equal(sorted(day.effects), sorted(EFFECTS))
