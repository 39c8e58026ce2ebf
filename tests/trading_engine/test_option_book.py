"""Greeks of the option book: against QuantLib, against differences of its own P&L, and against hand-worked figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python import AmericanOption, Book, Equity, MarketData, Option, Position
from bank_python.errors import TradingError
from bank_python.market_data import Clock
from bank_python.risk import take_greeks
from bank_python.trading_engine import OptionBook, OptionLine, TradeTracker, VolRule
from bank_python.trading_engine.greek_ladder import greek_ladder
from bank_python.trading_engine.large_moves import large_moves
from bank_python.trading_engine.ruin import ruin_distance
from bank_python.trading_engine.shadow_greeks import shadow_greeks


def line_of(name, underlying, strike, years, is_call, units, spot, vol, rate=0.0, dividend=0.0, **more):
    return OptionLine(name, underlying, spot, strike, years, rate, vol, dividend, is_call, units, **more)


PUT = line_of("P", "SPY", 500.0, 0.25, False, 1_000.0, 550.0, 0.25, 0.04, 0.01, multiplier=100.0)
CALL = line_of("C", "NVDA", 150.0, 0.5, True, -300.0, 120.0, 0.5, 0.04, 0.0, multiplier=100.0)
STRADDLE = [
    line_of("SC", "A", 100.0, 0.1, True, 100.0, 100.0, 0.2),
    line_of("SP", "A", 100.0, 0.1, False, 100.0, 100.0, 0.2),
]
lines = st.builds(
    OptionLine,
    name=st.just("O"),
    underlying=st.sampled_from(["A", "B"]),
    strike=st.floats(60.0, 160.0),
    years=st.floats(0.2, 2.0),
    is_call=st.booleans(),
    units=st.floats(-500.0, 500.0),
    spot=st.just(100.0),
    vol=st.floats(0.1, 0.8),
    rate=st.floats(-0.01, 0.05),
    dividend=st.floats(0.0, 0.03),
    spot_vol=st.just(0.3),
)


def quantlib_greeks(line):
    ql = pytest.importorskip("QuantLib")
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    days = ql.Actual365Fixed()
    expiry = today + round(line.years * 365)
    assert (expiry - today) / 365 == line.years
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(today, r, days)) for r in (line.dividend, line.rate)]
    vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), line.vol, days))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(line.spot)), *flat, vol)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if line.is_call else ql.Option.Put, line.strike)
    option = ql.VanillaOption(payoff, ql.EuropeanExercise(expiry))
    option.setPricingEngine(ql.AnalyticEuropeanEngine(process))
    return option.NPV(), option.delta(), option.gamma(), option.vega(), option.theta()


def test_the_ladder_is_that_of_quantlib():
    held = [
        line_of("P", "SPY", 500.0, 73 / 365, False, 1_000.0, 550.0, 0.25, 0.04, 0.01, multiplier=100.0),
        line_of("C", "SPY", 600.0, 146 / 365, True, -300.0, 550.0, 0.18, 0.04, 0.01, multiplier=100.0),
    ]
    ladder = greek_ladder(OptionBook.of(held), "strike")
    assert ladder.labels == ("SPY 500", "SPY 600")
    assert ladder.columns["contracts"].tolist() == [10.0, -3.0]
    for i, line in enumerate(held):
        value, delta, gamma, vega, theta = (line.units * figure for figure in quantlib_greeks(line))
        expected = {
            "value": value,
            "delta": 0.01 * delta * line.spot,
            "gamma": 0.5 * gamma * (0.01 * line.spot) ** 2,
            "vega": 0.01 * vega,
            "theta": theta / 365,
        }
        for name, figure in expected.items():
            assert ladder.columns[name][i] == pytest.approx(figure, rel=1e-9), (line.name, name)


def test_gamma_pays_for_theta_at_one_deviation_without_carry():
    """With rates of 0 Black-Scholes has theta = -½ Γ S² σ²: the break-even is one deviation."""
    ladder = greek_ladder(OptionBook.of(STRADDLE), "underlying")
    assert ladder.breakeven == pytest.approx(1.0, rel=1e-12)
    # Half the volatility for the moves: they have to be twice as many deviations.
    half = [OptionLine(**{**_fields(line), "spot_vol": 0.1}) for line in STRADDLE]
    assert greek_ladder(OptionBook.of(half), "underlying").breakeven == pytest.approx(2.0, rel=1e-12)
    assert ladder.gamma_rent == pytest.approx(-ladder.total("theta") / ladder.total("gamma"))


def _fields(line):
    return {name: getattr(line, name) for name in OptionLine.__slots__}


def test_gamma_and_theta_of_one_sign_have_no_break_even():
    deep = line_of("P", "A", 200.0, 2.0, False, 100.0, 100.0, 0.05, 0.10)  # a European put below its exercise value
    ladder = greek_ladder(OptionBook.of([deep]), "expiry")
    assert (ladder.breakeven, ladder.gamma_rent) == (None, None)
    assert "no move pays" in repr(ladder)


@settings(max_examples=40, deadline=None)
@given(st.lists(lines, min_size=1, max_size=4), st.floats(-2.0, 3.0), st.sampled_from([-3.0, 0.0, 2.0]))
def test_shadow_greeks_are_the_derivatives_of_the_pnl_along_the_rule(held, elasticity, move):
    """Central differences of the P&L by the log of the spots; d²V/dx² = S² d²V/dS² + S dV/dS."""
    book, rule = OptionBook.of(held), VolRule(elasticity)
    slopes = book.slopes([move], rule)
    x = 1e-3
    step = x / book.deviations[0]
    below, at, above = book.pnl([move - step, move, move + step], 0.0, rule)[0]
    first, second = (above - below) / (2 * x), (above - 2 * at + below) / x**2
    scale = float(np.abs(book.units).sum()) * 100.0 + 1e-9
    assert first == pytest.approx(slopes.shadow_delta[0], abs=3e-5 * scale)
    assert second - first == pytest.approx(slopes.shadow_gamma[0], abs=2e-3 * scale)


@settings(max_examples=20, deadline=None)
@given(st.lists(lines, min_size=1, max_size=3))
def test_without_elasticity_the_shadow_is_the_greek(held):
    found = shadow_greeks(OptionBook.of(held), [-2.0, 0.0, 2.0], VolRule(0.0))
    assert found.shadow_delta == pytest.approx(found.delta, abs=1e-9)
    assert found.shadow_gamma == pytest.approx(found.gamma, abs=1e-9)
    assert found.pnl == pytest.approx(found.pnl_fixed_vol)


def test_each_underlying_moves_by_its_own_volatility():
    book = OptionBook.of([PUT, CALL], horizon_days=4.0)
    assert book.deviations == pytest.approx([0.25 * math.sqrt(4 / 252), 0.5 * math.sqrt(4 / 252)])
    alone = book.of_underlying("SPY").pnl([-2.0]) + book.of_underlying("NVDA").pnl([-2.0])
    assert book.pnl([-2.0]) == pytest.approx(alone)
    with pytest.raises(TradingError, match="open are options on SPY, NVDA"):
        book.of_underlying("AAPL")


def test_the_rule_of_volatilities_by_hand():
    """90 days are three times the reference of 30: an elasticity of 1 is 1/√3 there, and 1 at 20 days."""
    rule = VolRule(1.0, reference_days=30.0)
    assert rule.exponents(np.array([20 / 365, 90 / 365])) == pytest.approx([1.0, 1 / math.sqrt(3)])
    assert VolRule(2.0, None).exponents(np.array([1.0])) == pytest.approx([2.0])
    assert str(VolRule(0.0)) == "volatilities stay where they are"
    for bad in ({"elasticity": math.nan}, {"elasticity": True}, {"reference_days": 0.0}, {"elasticity": "x"}):
        with pytest.raises(TradingError, match=next(iter(bad))):
            VolRule(**bad)


def test_large_moves_of_a_put_by_hand():
    """At expiry a put 50 below the spot gains (K - S) for a fall, and loses its premium for a rise."""
    now = line_of("P", "A", 95.0, 0.0, False, 100.0, 100.0, 0.2)
    spread = math.sqrt(1 / 252) * 0.2
    found = large_moves(OptionBook.of([now]), [5.0, 2.0])
    assert found.sizes.tolist() == [2.0, 5.0]
    assert found.down == pytest.approx([max(0.0, 100.0 * (95.0 - 100.0 * math.exp(-n * spread))) for n in (2, 5)])
    assert found.up == pytest.approx([0.0, 0.0])
    assert found.asymmetry == (None, 1.0)
    assert found.curvature + found.direction == pytest.approx(found.up)
    assert found.relative_down[1] == pytest.approx(math.exp(-5 * spread) - 1)


def test_sellers_of_straddles_lose_both_ways_and_buyers_gain():
    bought = large_moves(OptionBook.of(STRADDLE), [10.0])
    sold = large_moves(OptionBook.of([OptionLine(**{**_fields(line), "units": -100.0}) for line in STRADDLE]), [10.0])
    assert (bought.asymmetry, sold.asymmetry) == ((1.0,), (-1.0,))
    assert bought.up == pytest.approx(-sold.up)


@settings(max_examples=10, deadline=None)
@given(st.lists(lines, min_size=1, max_size=3), st.floats(50.0, 5_000.0))
def test_ruin_is_where_a_fine_search_finds_it(held, budget):
    """By brute force today: no loss of the budget within the smallest move, and one just beyond it."""
    book = OptionBook.of(held)
    found = ruin_distance(book, budget, VolRule(0.0))
    moves = np.linspace(-60.0, 60.0, 1_201)
    pnl = book.pnl(moves)[0]
    for point in found.immediate:
        assert book.pnl([point.move])[0, 0] == pytest.approx(-budget, rel=1e-6)
        inside = (np.sign(moves) == np.sign(point.move)) & (np.abs(moves) < abs(point.move) - 0.05)
        assert (pnl[inside] > -budget).all()
    if (pnl <= -budget).any() and found.bleed_days != 0:
        assert found.immediate


def test_ruin_of_a_short_put_at_expiry_by_hand():
    """A put sold for what it is worth loses K - S - premium at expiry: 500 for 100 units at S = K - premium - 5."""
    line = line_of("P", "A", 95.0, 0.25, False, -100.0, 100.0, 0.2)
    book = OptionBook.of([line])
    premium = -book.values[0] / 100.0
    found = ruin_distance(book, 500.0)
    last = max(point.days for point in found.points)
    at_expiry = next(point for point in found.points if point.days == last)
    assert last == math.ceil(0.25 * 365)
    assert 100.0 * (1.0 + at_expiry.relative_move) == pytest.approx(95.0 - premium - 5.0, rel=1e-9)
    assert at_expiry.deviations == pytest.approx(
        -math.log(1.0 + at_expiry.relative_move) / (0.2 * math.sqrt(last / 365)), rel=1e-9
    )
    assert found.smallest.days == 0
    assert found.bleed_days is None
    assert found.likeliest.days > 0


def test_a_bought_option_loses_its_premium_by_time_alone():
    line = line_of("C", "A", 120.0, 0.5, True, 100.0, 100.0, 0.3, 0.02)
    book = OptionBook.of([line])
    half = 0.5 * float(book.values[0])
    found = ruin_distance(book, half, VolRule(0.0))
    days = found.bleed_days
    assert book.pnl([0.0], days / 365)[0, 0] <= -half < book.pnl([0.0], (days - 1) / 365)[0, 0]
    assert (found.smallest.move, found.smallest.days) == (0.0, days)
    never = ruin_distance(book, 1.01 * float(book.values[0]))
    assert (never.points, never.smallest, never.likeliest, never.bleed_days) == ((), None, None, None)
    assert never.worst == pytest.approx(-float(book.values[0]))
    assert "not reached" in repr(never)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda book: ruin_distance(book, 0.0), "budget=0.0 is not a finite number above 0"),
        (lambda book: ruin_distance(book, math.nan), "budget=nan"),
        (lambda book: large_moves(book, [0.0]), "0 standard deviations is not above 0"),
        (lambda book: shadow_greeks(book, []), "are not finite numbers"),
        (lambda book: shadow_greeks(book, [math.inf]), "are not finite numbers"),
        (lambda book: shadow_greeks(book, [1e6]), "beyond 200 standard deviations"),
        (lambda book: greek_ladder(book, "delta"), "by='delta' is none of expiry, strike"),
        (lambda book: greek_ladder(book).total("rho"), "there is no column 'rho'"),
        (lambda book: OptionBook.of(book.lines, math.inf), "horizon_days=inf"),
        (lambda _: OptionBook.of([]), "no option is open"),
    ],
)
def test_bad_arguments_are_named(call, said):
    with pytest.raises(TradingError, match=said):
        call(OptionBook.of([PUT]))


def test_options_of_a_book_have_the_greeks_of_the_book():
    clock = Clock("CLOCK", origin="2026-01-05")
    spot = MarketData("SPY", 550.0)
    terms = {"spot_source": spot, "vol_source": 0.25, "rate_source": 0.04, "clock_source": clock}
    put = Option("PUT", **terms, strike=500.0, expiry="2026-04-06", is_call=False)
    american = AmericanOption("AM", **terms, strike=500.0, expiry="2026-04-06", is_call=False)
    held = [
        Position("A", instrument=put, quantity=10, multiplier=100),
        Position("B", instrument=american, quantity=1),
        Position("C", instrument=Equity("E", spot_source=spot), quantity=1),
    ]
    book = Book("BOOK", held)
    tracker = TradeTracker.from_book(book, today="2026-01-05")
    ladder = tracker.greeks("strike")
    theirs = take_greeks([Book("ONE", held[:1])])
    for name in ("delta", "gamma", "vega", "theta"):
        assert ladder.total(name) == pytest.approx(theirs.total(name, unit="percent"), rel=1e-12), name
    assert ladder.total("value") == pytest.approx(held[0].value)
    assert sorted(tracker.skipped) == ["B", "C"]
    assert "European" in tracker.skipped["B"]
    (position,) = tracker.open_options().positions
    assert (position.quantity, position.expiry.isoformat(), position.bucket) == (10.0, "2026-04-06", "insurance")


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_unit_of_money_does_not_matter(scale):
    scaled = OptionLine(**{**_fields(PUT), "strike": 500.0 * scale, "spot": 550.0 * scale})
    one, other = shadow_greeks(OptionBook.of([PUT])), shadow_greeks(OptionBook.of([scaled]))
    for name in ("pnl", "shadow_delta", "shadow_gamma"):
        assert getattr(other, name) / scale == pytest.approx(getattr(one, name), rel=1e-7, abs=1e-6)
    found = ruin_distance(OptionBook.of([scaled]), 5_000.0 * scale)
    assert found.smallest.days == ruin_distance(OptionBook.of([PUT]), 5_000.0).smallest.days


def test_tracker_passes_its_arguments_on():
    tracker = TradeTracker(today="2026-01-05", spots={"A": 100.0}, vols={"A": 0.2})
    tracker.log("A 2026-06-19 P 90", 1, 1.0)
    assert tracker.shadow([0.0, 1.0], horizon_days=9.0).book.horizon_days == 9.0
    assert tracker.large_moves([2.0], VolRule(0.0), underlying="a").rule == VolRule(0.0)
    assert tracker.ruin(100.0).budget == 100.0
    assert tracker.ruin().budget == 11_000.0
