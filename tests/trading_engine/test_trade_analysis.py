"""Analysis of trades: against hand-worked sheets, brute force, exact binomial probabilities, and the forms of input."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python import Table, TradeAnalysis
from bank_python.errors import TradingError
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.trading_engine import trade_luck
from bank_python.trading_engine.trade_luck import at_least

DAY = dt.date(2026, 1, 5)
FEW = {"resamples": 500}


def day(i):
    return DAY + dt.timedelta(days=i)


def trade(quantity, price, i, **more):
    return {"instrument": "A", "quantity": quantity, "price": price, "time": day(i), **more}


def closes(*prices):
    return {"A": [(day(i), price) for i, price in enumerate(prices)]}


# --- round trips --------------------------------------------------------------------------------------


def test_a_long_and_a_short_trip_by_hand():
    rows = [trade(10, 100.0, 0, fees=1.0), trade(-10, 104.0, 4, fees=2.0), trade(-5, 104.0, 5), trade(5, 106.6, 8)]
    found = TradeAnalysis(rows, closes(100.0, 95.0, 110.0, 108.0, 104.0, 104.0, 98.8, 109.2, 106.6), **FEW)
    bought, sold = found.round_trips
    assert (bought.is_long, bought.gain, bought.fees, bought.hold_days) == (True, 37.0, 3.0, 4.0)
    assert (bought.actual, bought.mfe, bought.mae) == pytest.approx((0.04, 0.10, -0.05))
    # Range 95 to 110: 10 of 15 were ahead of the entry, the exit had 9 of 15.
    assert bought.entry_efficiency == pytest.approx(10 / 15)
    assert bought.exit_efficiency == pytest.approx(9 / 15)
    assert bought.capture == pytest.approx(0.4)
    assert (sold.is_long, sold.gain) == (False, pytest.approx(-13.0))
    assert (sold.actual, sold.mfe, sold.mae) == pytest.approx((-0.025, 0.05, -0.05))
    assert sold.exit_efficiency == pytest.approx(0.25)
    assert sold.capture == pytest.approx(-0.5)


def test_scaling_in_and_out_is_one_trip_or_three_lots():
    rows = [trade(10, 100.0, 0), trade(10, 110.0, 1), trade(-5, 120.0, 2), trade(-15, 108.0, 3)]
    (trip,) = TradeAnalysis(rows, **FEW).round_trips
    assert (trip.entry_price, trip.exit_price, trip.quantity) == (105.0, 111.0, 20.0)
    assert trip.gain == pytest.approx(120.0)
    lots = TradeAnalysis(rows, matching="fifo", **FEW).round_trips
    assert [lot.gain for lot in lots] == pytest.approx([100.0, 40.0, -20.0])


def test_a_change_of_sides_ends_a_trip():
    found = TradeAnalysis([trade(10, 100.0, 0), trade(-15, 101.0, 1), trade(5, 99.0, 2)], **FEW)
    assert [(trip.is_long, trip.gain) for trip in found.round_trips] == [(True, 10.0), (False, 10.0)]


def test_what_is_open_is_no_trip():
    found = TradeAnalysis([trade(10, 100.0, 0), trade(-4, 101.0, 1)], **FEW)
    assert (len(found), found.open_lots[0].quantity) == (0, 6.0)
    with pytest.raises(TradingError, match="no round trip is complete, so there are no figures; 1 lots are still open"):
        found.statistics  # noqa: B018 - the access is the test
    assert len(TradeAnalysis([trade(10, 100.0, 0), trade(-4, 101.0, 1)], matching="fifo", **FEW)) == 1
    assert "1 lot still open" in repr(found)


def test_traders_are_not_matched_with_each_other():
    rows = [trade(10, 100.0, 0, trader="Alice"), trade(-10, 101.0, 1, trader="Bob"), trade(10, 99.0, 2, trader="Bob")]
    rows.append(trade(-10, 103.0, 3, trader="Alice"))
    found = TradeAnalysis(rows, **FEW).by("trader")
    assert {one.name: one.total for one in found.groups} == {"Alice": 30.0, "Bob": 20.0}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(50.0, 150.0), st.floats(0.0, 5.0), st.floats(0.0, 5.0)), min_size=6, max_size=20),
    st.integers(0, 4),
    st.booleans(),
    st.data(),
)
def test_excursions_by_brute_force(bars, start, is_long, data):
    """Bar by bar: the close of the entry day, then highs and lows until the day before the exit, and both fills."""
    stop = data.draw(st.integers(start + 1, len(bars) - 1))
    entry, left = data.draw(st.floats(50.0, 150.0)), data.draw(st.floats(50.0, 150.0))
    history = PriceHistory(
        "A",
        "test",
        tuple(
            Bar(dt.datetime.combine(day(i), dt.time(), tzinfo=dt.UTC), close, close + up, close - down, close, None)
            for i, (close, up, down) in enumerate(bars)
        ),
    )
    way = 1.0 if is_long else -1.0
    (trip,) = TradeAnalysis([trade(way, entry, start), trade(-way, left, stop)], {"A": history}, **FEW).round_trips
    seen = [entry, left, bars[start][0]]
    for i in range(start + 1, stop):
        seen += [bars[i][0] + bars[i][1], bars[i][0] - bars[i][2]]
    returns = [way * (price / entry - 1.0) for price in seen]
    assert (trip.mae, trip.mfe) == pytest.approx((min(returns), max(returns)), abs=1e-12)
    assert trip.mae <= trip.actual <= trip.mfe
    for efficiency in (trip.entry_efficiency, trip.exit_efficiency):
        assert efficiency is None or 0.0 <= efficiency <= 1.0


def test_prices_before_the_entry_and_after_the_exit_do_not_count():
    prices = closes(500.0, 100.0, 102.0, 103.0, 1.0)
    (trip,) = TradeAnalysis([trade(1, 100.0, 1), trade(-1, 101.0, 3)], prices, **FEW).round_trips
    assert (trip.mae, trip.mfe) == pytest.approx((0.0, 0.02))
    (short_day,) = TradeAnalysis([trade(1, 100.0, 1), trade(-1, 101.0, 1)], prices, **FEW).round_trips
    assert (short_day.mae, short_day.mfe, short_day.hold_days) == pytest.approx((0.0, 0.01, 0.0))


def test_times_of_a_day_are_compared_with_bars_of_minutes():
    start = dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC)

    def at(minutes):
        return start + dt.timedelta(minutes=minutes)

    bars = [(0, 100.0, 90.0, 95.0), (5, 130.0, 80.0, 99.0), (10, 105.0, 97.0, 100.0), (15, 200.0, 1.0, 100.0)]
    history = PriceHistory("A", "t", tuple(Bar(at(i), None, high, low, close, None) for i, high, low, close in bars))
    rows = [{**trade(1, 100.0, 0), "time": at(2)}, {**trade(-1, 101.0, 0), "time": at(12)}]
    (trip,) = TradeAnalysis(rows, {"A": history}, **FEW).round_trips
    assert (trip.mae, trip.mfe) == pytest.approx((-0.03, 0.05))  # the bar of the entry by its close alone
    assert trip.hold_days == pytest.approx(10 / 1440)


def test_without_prices_of_the_whole_trade_there_are_no_excursions():
    rows = [trade(1, 100.0, 0), trade(-1, 101.0, 20)]
    found = TradeAnalysis(rows, closes(100.0, 99.0, 98.0), **FEW)
    assert (found.round_trips[0].mfe, found.without_prices) == (None, ("A",))
    assert "no excursions without prices of A" in repr(found)


# --- figures ------------------------------------------------------------------------------------------


def test_figures_by_hand():
    rows = []
    for i, gain in enumerate((30.0, -10.0, 20.0, -10.0, 0.0)):
        tags = {"trader": "Alice" if i < 3 else "Bob", "signal": "trend" if i % 2 else "carry"}
        rows += [trade(10, 100.0, 3 * i, expected_price=99.9, **tags)]
        rows += [trade(-10, 100.0 + gain / 10, 3 * i + 2, expected_price=100.1 + gain / 10, fees=0.0, **tags)]
    found = TradeAnalysis(rows, regimes={day(0): "calm", day(7): "stormy"}, resamples=2_000)
    all_of_them = found.statistics
    assert (all_of_them.n, all_of_them.wins, all_of_them.losses, all_of_them.hit_rate) == (5, 2, 2, 0.4)
    assert all_of_them.total == pytest.approx(30.0)
    assert (all_of_them.avg_win, all_of_them.avg_loss) == pytest.approx((25.0, -10.0))
    assert (all_of_them.payoff, all_of_them.profit_factor) == pytest.approx((2.5, 2.5))
    assert (all_of_them.expectancy, all_of_them.hold_days) == pytest.approx((6.0, 2.0))
    # Paid 0.1 more and got 0.1 less on 10 units: 2.0 of 999 + 1001 + gain.
    assert found.round_trips[4].slippage == pytest.approx(2.0)
    assert found.round_trips[4].slippage_bps == pytest.approx(1e4 * 2.0 / 2000.0)
    assert all_of_them.luck.chance_hit_rate == pytest.approx(1 / 3.5)
    assert all_of_them.is_few
    assert all_of_them.luck.verdict.startswith("only 5 trades")
    assert {one.name: one.total for one in found.by("signal").groups} == pytest.approx({"carry": 50.0, "trend": -20.0})
    assert {one.name: one.n for one in found.by("regime").groups} == {"calm": 3, "stormy": 2}
    assert found.by("trader")["Alice"].n == 3
    assert found.by("instrument")["A"].n == 5
    assert TradeAnalysis(rows[:2], **FEW).by("regime").groups[0].name == "none stated"
    with pytest.raises(KeyError, match="there is no trader 'Carol'"):
        found.by("trader")["Carol"]
    with pytest.raises(TradingError, match="key='desk' is none of"):
        found.by("desk")


def test_bootstrap_of_two_outcomes_is_binomial():
    """With k wins of a and n - k losses of b the resampled mean is at most 0 iff wins ≤ n b/(a + b): exact by SciPy."""
    stats = pytest.importorskip("scipy.stats")
    wins, n, gain, loss = 14, 24, 120.0, 100.0
    found = trade_luck([gain] * wins + [-loss] * (n - wins), resamples=50_000, seed=3)
    exact = stats.binom.cdf(math.floor(n * loss / (gain + loss)), n, wins / n)
    assert found.p_not_positive == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 50_000))
    assert found.hit_p_value == pytest.approx(stats.binom.sf(wins - 1, n, loss / (gain + loss)), rel=1e-12)
    assert at_least(0, 5, 0.3) == pytest.approx(1.0)
    assert at_least(5, 5, 0.3) == pytest.approx(0.3**5)


def test_bootstrap_of_many_trades_is_the_normal_distribution():
    """The closed form for many trades: Φ(-mean/(sd/√n)), the interval mean ± 1.645 sd/√n."""
    gains = np.random.default_rng(5).normal(3.0, 50.0, 1_500)
    found = trade_luck(gains, resamples=20_000)
    error = gains.std() / math.sqrt(len(gains))
    assert found.p_not_positive == pytest.approx(NormalDist().cdf(-gains.mean() / error), abs=0.006)
    assert found.low == pytest.approx(gains.mean() - 1.645 * error, abs=0.06 * error)
    assert found.high == pytest.approx(gains.mean() + 1.645 * error, abs=0.06 * error)


def test_an_expectation_of_zero_is_not_positive():
    """Rounding does not turn a sum of 0 into a gain: draws of 0.1, 0.2 and -0.3 that cancel count as not positive."""
    share = trade_luck([0.1, 0.2, -0.3], resamples=50_000).p_not_positive
    exact = sum(a + b + c <= 0 for a in (1, 2, -3) for b in (1, 2, -3) for c in (1, 2, -3)) / 27
    assert share == pytest.approx(exact, abs=0.01)
    assert trade_luck([0.0, 0.0]).p_not_positive == 1.0


def test_words_of_luck():
    assert trade_luck([5.0]).verdict == "one trade says nothing about luck"
    assert trade_luck([5.0]).p_not_positive is None
    assert "cannot be distinguished" in trade_luck([5.0, -5.0] * 20).verdict
    assert trade_luck([5.0, 4.0] * 20).verdict == "a gain by luck alone is improbable"
    assert trade_luck([-5.0, -4.0] * 20).verdict == "a loss by bad luck alone is improbable"
    assert trade_luck([5.0] * 3).payoff is None
    assert trade_luck([1e-18, -1e300]).hit_p_value == pytest.approx(1.0)


@given(
    st.lists(st.floats(-1e3, 1e3).filter(lambda gain: gain == 0.0 or abs(gain) > 1e-9), min_size=1, max_size=12),
    st.sampled_from([1e-12, 1e12]),
)
@settings(max_examples=25, deadline=None)
def test_luck_does_not_depend_on_the_unit_of_money(gains, unit):
    one, other = (trade_luck([scale * gain for gain in gains], resamples=200) for scale in (1.0, unit))
    if min(abs(gain) for gain in gains) > 1e-3:
        assert other.p_not_positive == one.p_not_positive
        assert other.hit_rate == one.hit_rate


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"gains": []}, "at least one trade"),
        ({"gains": [math.nan]}, "not finite"),
        ({"gains": [1.0], "resamples": 10}, "resamples=10"),
        ({"gains": [1.0], "seed": -1}, "seed=-1"),
        ({"gains": "x"}, "is not a number or an array of numbers"),
    ],
)
def test_what_has_no_luck_is_refused(arguments, said):
    with pytest.raises(TradingError, match=said):
        trade_luck(**arguments)


# --- forms of input -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class EngineOrder:
    trader: str
    instrument_name: str
    side: str
    quantity: float
    filled_qty: float
    filled_price: float
    fill_cost: float
    filled_at: str
    status: str = "FILLED"
    strategy: str = "momentum"
    price: float | None = None


@dataclass(frozen=True)
class EngineFill:
    order: EngineOrder
    quantity: float
    price: float
    fees: float
    when: dt.datetime
    is_filled: bool = True


def test_orders_and_fills_of_an_engine_are_trades():
    bought = EngineOrder("Alice", "A", "BUY", 10, 10.0, 100.1, 1.0, "2026-01-05T15:00:00+00:00", price=100.0)
    sold = EngineOrder("Alice", "A", "SELL", 10, 10.0, 102.0, 1.0, "2026-01-06T15:00:00+00:00", price=102.1)
    other = EngineOrder("Alice", "A", "BUY", 10, 0.0, 0.0, 0.0, "", "REJECTED")
    found = TradeAnalysis([bought, other, sold], **FEW)
    (trip,) = found.round_trips
    assert (trip.trader, trip.signal, found.unfilled) == ("Alice", "momentum", 1)
    assert (trip.gain, trip.slippage) == pytest.approx((17.0, 2.0))
    when = dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC)
    fills = [
        EngineFill(bought, 10.0, 100.1, 1.0, when),
        EngineFill(sold, 10.0, 102.0, 1.0, when + dt.timedelta(days=1)),
    ]
    fills.append(EngineFill(other, 10.0, 0.0, 0.0, when, is_filled=False))
    again = TradeAnalysis(fills, **FEW)
    assert again.round_trips == found.round_trips
    assert again.unfilled == 1


def test_frames_tables_and_whole_trips_are_read():
    pandas = pytest.importorskip("pandas")
    rows = [trade(10.0, 100.0, 0, trader="Al"), trade(-10.0, 101.0, 2, trader="Al")]
    schema = [("instrument", str), ("quantity", float), ("price", float), ("time", dt.date), ("trader", str)]
    frame = pandas.DataFrame(rows)
    frame["time"] = pandas.to_datetime(frame["time"])
    trips = [
        TradeAnalysis(given, **FEW).round_trips for given in (rows, iter(rows), frame, Table.from_rows(schema, rows))
    ]
    assert all(each == trips[0] for each in trips)
    whole = {"ticker": "A", "entry_price": 100.0, "exit_price": 101.0, "entry_time": day(0), "exit_time": day(2)}
    (trip,) = TradeAnalysis([{**whole, "qty": 10, "account": "Al"}], **FEW).round_trips
    assert trip == trips[0][0]
    (sold,) = TradeAnalysis([{**whole, "qty": 10, "side": "short"}], **FEW).round_trips
    assert (sold.gain, sold.is_long) == (-10.0, False)
    bars = pandas.DataFrame({"High": [101.0, 109.0], "Low": [99.0, 95.0], "Close": [100.0, 100.0]})
    bars.index = pandas.date_range(day(0), periods=2)
    (with_bars,) = TradeAnalysis(frame, {"A": bars}, regimes=pandas.Series(["calm"], [day(0)]), **FEW).round_trips
    assert (with_bars.mae, with_bars.mfe, with_bars.regime) == pytest.approx((-0.05, 0.09, "calm"))


def test_the_table_has_a_row_for_each_trip():
    found = TradeAnalysis([trade(10.0, 100.0, 0), trade(-10.0, 101.0, 2)], **FEW)
    (row,) = found.to_table()
    assert (row["entry_time"], row["gain"], row["mae"], row["hold_days"]) == (day(0), 10.0, None, 2.0)
    (group,) = found.by("instrument").to_table()
    assert (group["instrument"], group["n"], group["total"]) == ("A", 1, 10.0)
    assert len(TradeAnalysis([]).to_table()) == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([trade(0, 100.0, 0)], "trade 1: quantity=0 is no trade"),
        ([trade(1, math.nan, 0)], "trade 1 has no price"),
        ([trade(1, math.inf, 0)], "trade 1: price=inf is not finite"),
        ([trade(1, "x", 0)], "trade 1: price='x' is not a number"),
        ([trade(True, 1.0, 0)], "trade 1: quantity=True is not a number"),
        ([trade(-1, 1.0, 0, side="SELL")], "has a sign and a side"),
        ([trade(1, 1.0, 0, side="HOLD")], "side='HOLD' is neither BUY nor SELL"),
        ([trade(1, 1.0, 0, multiplier=0)], "multiplier=0 is not above 0"),
        ([{**trade(1, 1.0, 0), "time": "soon"}], "time='soon' is no ISO date"),
        ([{**trade(1, 1.0, 0), "time": None}], "time=None is no date"),
        ([{**trade(1, 1.0, 0), "instrument": ""}], "trade 1 has no instrument"),
        ([3], "trade 1: 3 is no trade"),
        ([object()], "is no trade"),
        ("x", "trades=str is no list of trades"),
        (None, "trades=NoneType is no list"),
        (
            [{"ticker": "A", "entry_price": 1, "exit_price": 1, "entry_time": day(2), "exit_time": day(0)}],
            "before its entry",
        ),
    ],
)
def test_a_bad_trade_is_named(rows, said):
    with pytest.raises(TradingError, match=said):
        TradeAnalysis(rows)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prices": 3}, "prices: a int has no series"),
        ({"prices": {"A": [("soon", 1.0)]}}, "prices of A: the date='soon'"),
        ({"matching": "lifo"}, "matching='lifo' is neither"),
        ({"resamples": 1}, "resamples=1"),
        ({"regimes": 3}, "regimes=3 are no regimes"),
        ({"regimes": [1]}, "are not pairs"),
        ({"regimes": {"soon": "calm"}}, "regimes='soon' is no ISO date"),
    ],
)
def test_a_bad_option_is_named(options, said):
    with pytest.raises(TradingError, match=said):
        TradeAnalysis([trade(1, 1.0, 0)], **options)


def test_frames_with_a_time_zone_are_read_without_a_warning(recwarn):
    pd = pytest.importorskip("pandas")
    days = pd.date_range("2026-01-05", periods=5, freq="D")
    bars = pd.DataFrame({key: [100.0, 90.0, 120.0, 110.0, 105.0] for key in ("high", "low", "close")}, index=days)
    trades = [
        {"instrument": "A", "side": side, "quantity": 1, "price": price, "time": day}
        for side, price, day in (("BUY", 100.0, "2026-01-05"), ("SELL", 110.0, "2026-01-08"))
    ]
    for frame in (bars, bars.tz_localize("UTC"), bars.tz_localize("UTC").tz_convert("America/New_York")):
        (trip,) = TradeAnalysis(trades, {"A": frame}).round_trips
        assert (round(trip.mfe, 12), round(trip.mae, 12)) == (0.2, -0.1)
    assert not recwarn.list
