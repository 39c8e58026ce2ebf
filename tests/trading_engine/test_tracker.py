"""The option tracker: trades by hand, expiries, budgets and rules, against hand-worked sheets."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python import TradeTracker, VolSurface
from bank_python.barbara import BarbaraDB
from bank_python.errors import TradingError
from bank_python.risk.alerts import AlertBook
from bank_python.trading_engine import (
    NameFlag,
    NameResult,
    TrackerConfig,
    Urgency,
    bucket_of,
    convexity,
    parse_contract,
)
from bank_python.trading_engine.closed_options import ClosedTrade, closed_by_name
from bank_python.trading_engine.lot_matching import Fill, match_fills

MARKET = {"spots": {"SPY": 560.0, "NVDA": 120.0}, "vols": {"SPY": 0.2, "NVDA": 0.5}, "rate": 0.04}
MARCH = "2025-03-03"


def tracker(**options):
    return TradeTracker(**({"today": MARCH} | MARKET | options))


# --- convexity ----------------------------------------------------------------------------------------


def test_convexity_by_hand():
    """Twelve trades: the best and the worst tenth are two trades each."""
    gains = [-100.0, -50.0, -150.0, -100.0, 0.0, -100.0, -200.0, 50.0, 400.0, 1000.0, -100.0, -50.0]
    costs = [100.0, 100.0, 200.0, 100.0, 100.0, 100.0, 200.0, 100.0, 100.0, 200.0, 100.0, -50.0]
    found = convexity(gains, costs)
    assert (found.n_trades, found.n_wins, found.n_losses) == (12, 3, 8)
    assert found.win_rate == 0.25
    assert found.avg_win == pytest.approx(1450.0 / 3)
    assert found.avg_loss == pytest.approx(-850.0 / 8)
    assert found.convexity_ratio == pytest.approx((1450.0 / 3) / (850.0 / 8))
    assert (found.top_tail_avg, found.bottom_tail_avg) == (700.0, -175.0)
    assert found.tail_ratio == 4.0
    assert (found.max_win, found.max_loss, found.total_gl) == (1000.0, -200.0, 600.0)
    assert found.expected_value == 50.0
    # Returns of the eleven with a cost: -1, -.5, -.75, -1, 0, -1, -1, .5, 4, 5, -1.
    assert found.roi_median == -0.75


def test_convexity_without_losses_or_wins_has_no_ratio():
    for gains in ([100.0, 50.0], [-1.0], [0.0, 0.0]):
        found = convexity(gains)
        assert found.convexity_ratio is None
        assert found.roi_median is None
    assert (convexity([0.0, 0.0]).win_rate, convexity([0.0]).tail_ratio) == (0.0, None)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(1e-9, 1e9))
def test_convexity_ratios_do_not_depend_on_the_unit_of_money(gains, unit):
    one, other = convexity(gains), convexity([gain * unit for gain in gains])
    if all(abs(gain * unit) > 1e-300 or gain == 0.0 for gain in gains) and one.convexity_ratio is not None:
        assert other.convexity_ratio == pytest.approx(one.convexity_ratio, rel=1e-9)
    assert one.bottom_tail_avg <= one.expected_value + 1e-6 * abs(one.expected_value) + 1e-9


@pytest.mark.parametrize(
    ("gains", "costs", "said"),
    [
        ([], None, "no closed trades"),
        ([math.nan], None, "nan .number 0. is not finite"),
        ([[1.0]], None, "one figure for each trade"),
        ([1.0], [1.0, 2.0], "2 costs for 1 gains"),
        ([1.0], [math.inf], "inf"),
    ],
)
def test_what_has_no_convexity_is_refused(gains, costs, said):
    with pytest.raises(TradingError, match=said):
        convexity(gains, costs)


# --- trades by hand -----------------------------------------------------------------------------------


def test_trades_by_hand_are_matched_first_in_first_out():
    held = tracker()
    held.log("-SPY250620P500", 2, 4.0, date="2025-01-10", fees=1.3)
    held.log("-SPY250620P500", 3, 5.0, date="2025-02-10")
    held.log("-SPY250620P500", 4, 7.0, "SELL_CLOSE", fees=2.6)
    first, second = held.closed()
    assert first.gain == pytest.approx(2 * 300.0 - 1.3 - 1.3)
    assert second.gain == pytest.approx(2 * 200.0 - 1.3)
    assert (first.opened, first.closed) == (dt.date(2025, 1, 10), dt.date(2025, 3, 3))
    (left,) = held.open_options().positions
    assert (left.quantity, left.cost, left.opened) == (1.0, 500.0, dt.date(2025, 2, 10))
    assert held.concentration().names[0].to_dict() == {
        "name": "SPY",
        "n": 2,
        "cost": pytest.approx(1_000.0 + 800.0 + 1.3 + 2.6),
        "gl": pytest.approx(1_000.0 - 3.9),
        "wins": 2,
        "losses": 0,
    }


def test_a_short_option_has_a_credit_and_a_negative_value():
    held = tracker()
    held.log("-NVDA250919C150", 3, 7.0, "SELL_OPEN", bucket="income")
    (one,) = held.open_options().positions
    assert (one.quantity, one.cost, one.bucket) == (-3.0, -2100.0, "income")
    assert one.value < 0.0
    assert one.pnl_pct == pytest.approx((one.value + 2100.0) / 2100.0)
    held.log("-NVDA250919C150", 3, 2.0, "BUY_CLOSE")
    assert held.closed()[0].gain == pytest.approx(1_500.0)
    assert held.open_options().positions == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-SPY250620P500", 0, 4.0), "quantity=0 is not a finite number above 0"),
        (("-SPY250620P500", -1, 4.0), "quantity=-1"),
        (("-SPY250620P500", math.nan, 4.0), "quantity=nan"),
        (("-SPY250620P500", 1, math.inf), "price=inf"),
        (("-SPY250620P500", 1, -0.01), "price=-0.01"),
        (("-SPY250620P500", 1, 4.0, "HOLD"), "action='HOLD' is none of BUY_OPEN, SELL_CLOSE"),
        (("SPY", 1, 4.0), "'SPY' is no option symbol"),
        (("-SPY250117P500", 1, 4.0), "expired before 2025-03-03"),
        (("-SPY250620P500", 1, 4.0, "SELL_CLOSE"), "of which 0 are held long"),
        (("-SPY250620P500", 1, 4.0, "BUY_CLOSE"), "of which 0 are held short"),
        ((None, 1, 4.0), "symbol=None is not text"),
    ],
)
def test_a_bad_trade_is_named_and_nothing_is_recorded(arguments, said):
    held = tracker()
    with pytest.raises(TradingError, match=said):
        held.log(*arguments)
    assert held.trades == ()


def test_closing_trades_without_an_opening_one_open_nothing():
    """A history that begins after the purchase holds the sale alone: no short position comes of it."""
    rows = [
        {"Run Date": "03/03/2025", "Action": "YOU SOLD CLOSING TRANSACTION", "Symbol": "-SPY250620P500", "Quantity": -4}
        | {"Price": 6.0}
    ]
    held = tracker()
    held.import_csv(rows)
    assert held.open_options().positions == ()
    assert held.unmatched() == {"SPY 2025-06-20 P 500": -4.0}
    assert "closing trades without an opening one" in " ".join(repr(held).split())


@given(st.lists(st.integers(-5, 5).filter(bool), min_size=1, max_size=20), st.integers(0, 3))
def test_matched_lots_add_up(quantities, seed):
    """Brute force: one unit at a time in two queues gives the same gain and the same rest."""
    prices = np.random.default_rng(seed).uniform(1.0, 9.0, len(quantities)).tolist()
    day = dt.date(2026, 1, 5)
    fills = [Fill("A", float(q), p, day) for q, p in zip(quantities, prices, strict=True)]
    found = match_fills(fills)
    queue, gain = [], 0.0
    for quantity, price in zip(quantities, prices, strict=True):
        sign = 1 if quantity > 0 else -1
        for _ in range(abs(quantity)):
            if queue and queue[0][0] == -sign:
                gain += -sign * (price - queue.pop(0)[1])
            else:
                queue.append((sign, price))
    assert sum(lot.gain for lot in found.lots) == pytest.approx(gain, abs=1e-9)
    assert sum(lot.quantity for lot in found.open) == sum(quantities) == sum(sign for sign, _ in queue)


# --- expiry -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expiry", "urgency"),
    [
        ("250303", Urgency.CRITICAL),
        ("250317", Urgency.CRITICAL),
        ("250318", Urgency.SOON),
        ("250402", Urgency.SOON),
        ("250403", Urgency.WATCH),
        ("250601", Urgency.WATCH),
        ("250602", Urgency.OK),
    ],
)
def test_urgency_by_days_to_expiry(expiry, urgency):
    held = tracker()
    held.log(f"-SPY{expiry}P500", 1, 4.0)
    (one,) = held.open_options().positions
    assert one.urgency is urgency
    assert ("EXPIRY_CRITICAL" in held.alerts().rules) is (urgency is Urgency.CRITICAL)


def test_expired_options_are_settled_and_do_not_stay_critical():
    held = tracker()
    held.log("-SPY250307P560", 2, 4.0)
    held.log("-SPY250307P500", 1, 1.0)
    held.log("-NVDA250919C150", 1, 7.0)
    assert held.alerts().rules[0] == "EXPIRY_CRITICAL"
    held.roll("2025-03-10")
    assert "EXPIRY_CRITICAL" not in held.alerts().rules
    assert [one.urgency for one in held.open_options().expired] == [Urgency.EXPIRED] * 2
    assert [line.underlying for line in held.book().lines] == ["NVDA"]
    closes = {"SPY": [("2025-03-06", 571.0), ("2025-03-07", 552.5), ("2025-03-10", 548.0)]}
    worthless, settled = sorted(held.settle(closes), key=lambda trade: trade.price)
    assert (worthless.price, settled.price, settled.date) == (0.0, 7.5, dt.date(2025, 3, 7))
    assert sorted(trade.gain for trade in held.closed()) == [-100.0, pytest.approx(2 * 350.0)]
    assert [one.underlying for one in held.open_options().positions] == ["NVDA"]
    assert held.settle(closes) == ()


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({}, "the price of SPY on 2025-03-07 is missing"),
        ({"SPY": math.nan}, "is nan, not a finite number"),
        ({"SPY": [("2025-03-06", 571.0)]}, "SPY has no close on 2025-03-07"),
        ({"SPY": "x"}, "have no closes of SPY"),
        (None, "have no closes of SPY"),
    ],
)
def test_a_settlement_without_a_price_settles_nothing(prices, said):
    held = tracker()
    held.log("-SPY250307P560", 2, 4.0)
    held.roll("2025-03-10")
    with pytest.raises(TradingError, match=said):
        held.settle(prices)
    assert len(held.trades) == 1


# --- market data --------------------------------------------------------------------------------------


def test_missing_market_data_is_listed_whole():
    held = TradeTracker(today=MARCH)
    held.log("-SPY250620P500", 1, 4.0)
    held.log("-NVDA250919C150", 1, 7.0)
    with pytest.raises(TradingError, match=r"the spot of SPY .*, the spot of NVDA"):
        held.greeks()
    held.quote(spots={"spy": 560.0, "NVDA": 120.0})
    with pytest.raises(TradingError, match=r"a volatility for SPY 2025-06-20 P 500.*NVDA 2025-09-19 C 150"):
        held.greeks()
    assert "quote(spots=, vols=)" in repr(held)
    held.quote(marks={"-SPY250620P500": 5.0, "NVDA 2025-09-19 C 150": 6.0})
    assert held.greeks().total("value") == pytest.approx(1_100.0)


def test_which_volatility_an_option_gets():
    held = tracker(marks={"-SPY250620P500": 5.0})
    held.log("-SPY250620P500", 1, 4.0)
    implied = held.book().lines[0].vol
    assert implied != 0.2
    assert held.book().lines[0].spot_vol == 0.2
    held.quote(vols={"-SPY250620P500": 0.31})
    assert held.book().lines[0].vol == 0.31
    strikes, smile = [400.0, 450.0, 500.0, 550.0, 600.0], [0.31, 0.28, 0.25, 0.22, 0.2]
    surface = VolSurface.from_vols("S", strikes, [0.1, 1.0], [smile] * 2, spot_source=560.0)
    other = TradeTracker(today=MARCH, spots={"SPY": 560.0}, vols={"SPY": surface})
    other.log("-SPY250620P500", 1, 4.0)
    other.log("-SPY250620P560", 1, 14.0)
    lines = other.book().lines
    assert lines[0].vol == pytest.approx(surface.vol(500.0, 109 / 365))
    assert {line.spot_vol for line in lines} == {lines[1].vol}  # of the option nearest to the money


@pytest.mark.parametrize(
    ("quotes", "said"),
    [
        ({"spots": {"SPY": 0.0}}, "spots: SPY is 0.0"),
        ({"spots": {"SPY": math.nan}}, "spots: SPY is nan"),
        ({"spots": {"SPY": "560"}}, "spots={'SPY': '560'} is not a mapping in which each is a number"),
        ({"vols": {"SPY": True}}, "vols: SPY is True"),
        ({"vols": 0.2}, "vols=0.2 is not a mapping"),
        ({"rate": math.inf}, "rate=inf"),
        ({"today": "tomorrow"}, "today"),
    ],
)
def test_bad_market_data_is_named(quotes, said):
    with pytest.raises(TradingError, match=said):
        tracker(**quotes)


# --- budgets and rules --------------------------------------------------------------------------------


def test_buckets_by_rule_and_by_word():
    assert bucket_of(parse_contract("-SPY250620P500")) == "insurance"
    assert bucket_of(parse_contract("-SPY250620C500")) == "conviction"
    assert bucket_of(parse_contract("-NVDA250620P100")) == "conviction"
    held = tracker()
    held.log("-SPY250620P500", 10, 4.2)
    held.log("-SPY250620P500", 1, 4.2, bucket="conviction")
    held.log("-NVDA250919C150", 1, 7.0)
    uses = {one.bucket: (one.n_open, one.spent, one.remaining) for one in held.buckets()}
    assert uses == {"insurance": (1, 4200.0, -200.0), "conviction": (2, pytest.approx(1120.0), pytest.approx(5880.0))}
    overspent = next(one for one in held.alerts().alerts if one.rule.value == "BUCKET_OVERSPEND")
    assert (overspent.scope, overspent.value, overspent.limit) == ("insurance", 4200.0, 4000.0)
    assert held.greeks("bucket").labels == ("conviction", "insurance")


def test_every_rule_is_broken_and_kept():
    config = TrackerConfig(insurance_budget=100.0, conviction_budget=1e6, monthly_bleed_limit=50.0, max_trades_losing=2)
    held = tracker(config=config)
    for strike in (500, 510, 520):
        held.log(f"-SPY250620P{strike}", 1, 4.0)
        held.log(f"-SPY250620P{strike}", 1, 3.0, "SELL_CLOSE")
    held.log("-NVDA250620C150", 1, 1.0)
    held.log("-NVDA250620C150", 1, 1.5, "SELL_CLOSE")
    held.log("-SPY250310P500", 1, 4.0)
    held.log("-NVDA250919C150", 1, 7.0)
    walk = 0.01 * np.random.default_rng(1).standard_normal(60).cumsum()
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(60)]
    same = {
        name: list(zip(days, (level * np.exp(walk)).tolist(), strict=True)) for name, level in MARKET["spots"].items()
    }
    found = held.alerts(same)
    assert set(found.rules) == {
        *("OVERTRADE", "BLEED_OVER", "BUCKET_OVERSPEND", "CONVEXITY_DROP", "CORRELATION_HIGH", "EXPIRY_CRITICAL")
    }
    assert found.unchecked == {}
    assert found.alerts[0].rule.value == "EXPIRY_CRITICAL"  # the most urgent first
    by_rule = {one.rule.value: one for one in found.alerts}
    assert by_rule["CONVEXITY_DROP"].value == pytest.approx(0.5)
    assert by_rule["CORRELATION_HIGH"].value == 0.0
    assert by_rule["BLEED_OVER"].value == pytest.approx(3 * 100.0 - 50.0 + 400.0 + 700.0)
    other = np.random.default_rng(2).standard_normal(60).cumsum() * 0.01
    apart = {**same, "NVDA": list(zip(days, np.exp(other).tolist(), strict=True))}
    assert "CORRELATION_HIGH" not in held.alerts(apart).rules
    book = AlertBook(BarbaraDB.open("alerts", path=":memory:"))
    assert len(held.raise_alerts(book, same)) == len(found)
    assert len(held.raise_alerts(book, same)) == len(found) == len(book.open_alerts())
    kept = TradeTracker(today=MARCH).alerts()
    assert (kept.rules, set(kept.unchecked)) == ((), {"CONVEXITY_DROP", "CORRELATION_HIGH"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda prices: {"SPY": prices["SPY"]}, "there are no prices of NVDA"),
        (lambda prices: {**prices, "NVDA": prices["NVDA"][:10]}, "prices: 10 dates are common"),
        (lambda prices: {**prices, "NVDA": [(day, 1.0) for day, _ in prices["NVDA"]]}, "NVDA do not vary"),
        (lambda _: 3, "prices: a int has no series"),
    ],
)
def test_prices_that_give_no_correlation_are_refused(change, said):
    held = tracker()
    held.log("-SPY250620P500", 1, 4.0)
    held.log("-NVDA250919C150", 1, 7.0)
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(40)]
    prices = {
        name: [(day, 100.0 + i % 7 + k * i) for i, day in enumerate(days)] for k, name in enumerate(("SPY", "NVDA"))
    }
    with pytest.raises(TradingError, match=said):
        held.alerts(change(prices))


@pytest.mark.parametrize(
    ("n", "cost", "gl", "flag"),
    [
        (5, 1000.0, 49.0, NameFlag.DIMINISHING),
        (4, 1000.0, 49.0, NameFlag.NONE),
        (5, 1000.0, 50.0, NameFlag.NONE),
        (3, 1000.0, -201.0, NameFlag.BLEEDING),
        (3, 1000.0, -200.0, NameFlag.NONE),
        (2, 1000.0, -900.0, NameFlag.NONE),
        (9, 0.0, -900.0, NameFlag.NONE),
    ],
)
def test_flags_of_underlyings(n, cost, gl, flag):
    assert NameResult("A", n, cost, gl, 0, n).flag is flag


def test_underlyings_are_sorted_by_cost():
    trades = [ClosedTrade(name, name, cost, 0.0, -cost) for name, cost in (("A", 1.0), ("B", 3.0), ("A", 1.5))]
    assert [(one.name, one.n, one.gl) for one in closed_by_name(trades).names] == [("B", 1, -3.0), ("A", 2, -2.5)]


@pytest.mark.parametrize(
    "bad", [{"insurance_budget": -1.0}, {"max_trades_losing": math.nan}, {"min_convexity_ratio": "2"}]
)
def test_a_bad_setting_is_named(bad):
    with pytest.raises(TradingError, match=next(iter(bad))):
        TrackerConfig(**bad)


def test_round_trips_of_the_tracker_have_excursions():
    held = tracker(today="2025-03-10")
    held.log("-SPY250620P500", 2, 4.0, date="2025-03-03")
    held.log("-SPY250620P500", 2, 5.0, "SELL_CLOSE")
    marks = {"SPY 2025-06-20 P 500": [(f"2025-03-0{day}", price) for day, price in ((3, 4.0), (5, 8.0), (7, 3.0))]}
    (trip,) = held.analysis(marks).round_trips
    assert (trip.gain, trip.mfe, trip.mae, trip.capture) == (200.0, 1.0, -0.25, 0.25)
    assert trip.signal == "insurance"


def test_the_report_says_what_is_missing():
    held = TradeTracker(today=MARCH)
    assert "none; log(symbol, quantity, price)" in repr(held)
    assert len(held.to_table()) == 0
    assert held.bleed().months == ()
    with pytest.raises(TradingError, match="no option is open"):
        held.greeks()
    with pytest.raises(TradingError, match="no closed trades"):
        held.convexity()
