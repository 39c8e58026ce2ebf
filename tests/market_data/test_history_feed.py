import sys
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from arch.data import sp500 as arch_sp500
from hypothesis import given
from hypothesis import strategies as st
from skfolio.datasets import load_sp500_dataset

from bank_python.errors import BankError, FeedConfigError, FeedError, MissingExtraError, UnknownTickerError
from bank_python.market_data.feed import Bar
from bank_python.market_data.history_feed import HistoryFeed
from bank_python.market_data.price_table import PriceTable
from bank_python.mntable import Table

DAYS = [datetime(2020, 1, day, tzinfo=UTC) for day in (2, 3, 6, 7)]
CLOSES = {"A": [10.0, 11.0, 12.0, 13.0], "B": [5.0, None, 5.5, float("nan")]}


def pairs():
    return {symbol: list(zip(DAYS, closes, strict=True)) for symbol, closes in CLOSES.items()}


def frame():
    return pd.DataFrame(CLOSES, index=pd.DatetimeIndex([day.replace(tzinfo=None) for day in DAYS]))


def table():
    rows = [{"date": day, "ticker": s, "close": c} for s, column in pairs().items() for day, c in column]
    stored = Table([("date", datetime), ("ticker", str), ("close", float | None)])
    stored.extend(rows if not any(row["close"] != row["close"] for row in rows) else [_null_nan(row) for row in rows])
    return stored.order_by("ticker")


def _null_nan(row):
    return row | {"close": None if row["close"] != row["close"] else row["close"]}


def seen(poll):
    return {tick.symbol: (tick.price, tick.time) for tick in poll.ticks}


@pytest.mark.parametrize("form", [pairs, frame, table])
def test_every_form_of_table_gives_the_same_market(form):
    feed = HistoryFeed(form())
    got = [seen(feed.poll(["A", "B"])) for _ in DAYS]
    assert got == [
        {"A": (10.0, DAYS[0]), "B": (5.0, DAYS[0])},
        {"A": (11.0, DAYS[1])},
        {"A": (12.0, DAYS[2]), "B": (5.5, DAYS[2])},
        {"A": (13.0, DAYS[3])},
    ]


def test_a_missing_price_is_a_failure_that_says_when():
    feed = HistoryFeed(pairs(), source="mine")
    feed.poll(["B"])
    (failure,) = feed.poll(["B"]).failures
    assert (failure.symbol, failure.reason, failure.source) == ("B", "no price on 2020-01-03", "mine")


def test_the_end_of_the_table_is_a_failure_and_stays_one():
    feed = HistoryFeed(pairs(), start=date(2020, 1, 7))
    assert len(feed.poll(["A"]).ticks) == 1
    for _ in range(2):
        poll = feed.poll(["A", "B"])
        assert not poll.ticks
        assert [failure.symbol for failure in poll.failures] == ["A", "B"]
        assert "2020-01-07" in poll.failures[0].reason
    assert feed.now == DAYS[-1]
    assert len(feed.history("A", "max").bars) == 4


def test_start_leaves_a_past_and_the_future_stays_unseen():
    feed = HistoryFeed(pairs(), start=date(2020, 1, 4))  # a Saturday: the next date is the 6th
    assert [bar.close for bar in feed.history("A", "max").bars] == [10.0, 11.0]
    assert feed.poll(["A"]).ticks[0].time == DAYS[2]
    assert [bar.close for bar in feed.history("A", "max").bars] == [10.0, 11.0, 12.0]
    assert [bar.close for bar in feed.history("B", "max").bars] == [5.0, 5.5]


def test_no_past_yet_is_an_error_that_names_start():
    with pytest.raises(FeedError, match="start="):
        HistoryFeed(pairs()).history("A", "1mo")


def test_speed_skips_dates():
    feed = HistoryFeed(pairs(), speed=2)
    assert [feed.poll(["A"]).ticks[0].price for _ in range(2)] == [10.0, 12.0]
    assert feed.poll(["A"]).failures


def test_a_loop_begins_again_with_time_moved_on():
    feed = HistoryFeed(pairs(), loop=True)
    ticks = [feed.poll(["A"]).ticks[0] for _ in range(9)]
    assert [tick.price for tick in ticks] == [10.0, 11.0, 12.0, 13.0] * 2 + [10.0]
    assert [tick.time for tick in ticks] == sorted({tick.time for tick in ticks})
    assert ticks[4].time == DAYS[0] + timedelta(days=6)


def test_state_puts_another_feed_at_the_same_place():
    feed, other = HistoryFeed(pairs()), HistoryFeed(pairs())
    feed.poll(["A"])
    feed.poll(["A"])
    other.advance_to(feed.state())
    assert other.poll(["A", "B"]) == feed.poll(["A", "B"])


@pytest.mark.parametrize("state", [{}, {"polls": -1}, {"polls": "2"}])
def test_a_state_that_is_none_is_refused(state):
    feed = HistoryFeed(pairs())
    with pytest.raises(FeedConfigError):
        feed.advance_to(state)
    assert feed.state() == {"polls": 0}


def test_bars_keep_what_they_have_and_lack():
    bars = [Bar(DAYS[0], 1.0, 2.0, 0.5, 1.5, 100.0), Bar(DAYS[1], None, None, None, 1.6, None)]
    feed = HistoryFeed({"A": bars}, start=DAYS[1])
    feed.poll(["A"])
    assert list(feed.history("A", "max").bars) == bars


def test_stamps_come_out_in_utc_wherever_they_were_made():
    tokyo = timezone(timedelta(hours=9))
    feed = HistoryFeed(
        {"A": [(datetime(2020, 1, 6, 15, tzinfo=tokyo), 1.0)], "B": [(np.datetime64("2020-01-06T06"), 2.0)]}
    )
    assert {tick.time for tick in feed.poll(["A", "B"]).ticks} == {datetime(2020, 1, 6, 6, tzinfo=UTC)}


@given(
    st.dictionaries(
        st.dates(date(1970, 1, 1), date(2060, 1, 1)), st.floats(allow_nan=False, width=64), min_size=1, max_size=20
    )
)
def test_prices_come_out_as_they_went_in_whatever_the_order(closes):
    feed = HistoryFeed({"A": list(closes.items())})
    got = [feed.poll(["A"]).ticks[0] for _ in closes]
    assert [(tick.time.date(), tick.price.hex()) for tick in got] == [(d, closes[d].hex()) for d in sorted(closes)]


def test_the_real_panel_comes_out_to_the_bit():
    panel = load_sp500_dataset()
    feed = HistoryFeed.sp500(start=date(2020, 3, 9))
    symbols = list(panel.columns)
    for day in panel.index[panel.index >= "2020-03-09"][:20]:
        ticks = feed.poll(symbols).ticks
        assert [tick.price.hex() for tick in ticks] == [float(price).hex() for price in panel.loc[day]]
        assert {tick.time for tick in ticks} == {day.to_pydatetime().replace(tzinfo=UTC)}
    assert {tick.source for tick in ticks} == {"history:sp500"}


def test_the_real_panel_has_a_past_by_default_and_only_closes():
    feed = HistoryFeed.sp500()
    assert len(feed.symbols) == 20
    bars = feed.history("AAPL", "max").bars
    assert bars[0].date == datetime(1990, 1, 2, tzinfo=UTC)
    assert len(bars) > 7000
    assert all((bar.open, bar.high, bar.low, bar.volume) == (None,) * 4 for bar in bars)


def test_arch_ohlcv_comes_out_to_the_bit():
    loaded = arch_sp500.load()
    feed = HistoryFeed.from_arch("sp500", start=date(2018, 12, 31))
    feed.poll(["SPX"])
    bars = feed.history("SPX", "max").bars
    assert len(bars) == len(loaded)
    columns = ["Open", "High", "Low", "Close", "Volume"]
    got = np.array([[bar.open, bar.high, bar.low, bar.close, bar.volume] for bar in bars])
    np.testing.assert_array_equal(got, loaded[columns].to_numpy(dtype=float))


@pytest.mark.parametrize(("series", "symbol"), [("nasdaq", "IXIC"), ("vix", "VIX"), ("wti", "WTI")])
def test_the_other_bundled_series(series, symbol):
    feed = HistoryFeed.from_arch(series)
    assert feed.symbols == {symbol}
    assert feed.poll([symbol]).ticks[0].source == f"history:arch-{series}"


def test_an_unknown_series_names_those_there_are():
    with pytest.raises(FeedConfigError, match="sp500, nasdaq, vix, wti"):
        HistoryFeed.from_arch("dax")


@pytest.mark.parametrize(
    ("package", "make"), [("skfolio", HistoryFeed.sp500), ("arch", lambda: HistoryFeed.from_arch("vix"))]
)
def test_a_missing_package_names_the_extra(monkeypatch, package, make):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError) as caught:
        make()
    assert caught.value.extra == "history"


@pytest.mark.parametrize(
    "prices",
    [
        {},
        {"A": []},
        {"A": [(DAYS[0], float("nan"))]},
        {"A": [(DAYS[0], 1.0), (DAYS[0], 2.0)]},
        {"A": [(DAYS[0], "dear")]},
        {"A": [("2020-01-02", 1.0)]},
        {"A": [(pd.NaT, 1.0)]},
        {"A": [(np.datetime64("NaT"), 1.0)]},
        {"A": [1.0]},
        [{"date": DAYS[0], "close": 1.0}],
        [1.0],
        "prices.csv",
        7,
        pd.DataFrame([[1.0, 2.0]], index=[DAYS[0]], columns=["A", "A"]),
        pd.DataFrame([[1.0, 2.0]], index=[DAYS[0]], columns=pd.MultiIndex.from_tuples([("A", "x"), ("A", "y")])),
        pd.DataFrame([[1.0], [2.0]], index=[DAYS[0], DAYS[0]], columns=["A"]),
        pd.DataFrame([[1.0]], columns=["A"]),
    ],
    ids=lambda prices: type(prices).__name__,
)
def test_a_malformed_table_is_refused(prices):
    with pytest.raises(FeedConfigError):
        HistoryFeed(prices)


@pytest.mark.parametrize("options", [{"start": date(2020, 1, 8)}, {"speed": 0}, {"start": "2020"}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(BankError):
        HistoryFeed(pairs(), **options)


def test_a_frame_without_a_close_is_refused():
    with pytest.raises(FeedConfigError, match="Close"):
        PriceTable.from_ohlc("A", pd.DataFrame({"Open": [1.0]}, index=[DAYS[0]]))


def test_an_unknown_symbol_names_close_matches():
    with pytest.raises(UnknownTickerError, match="AAPL"):
        HistoryFeed.sp500().history("APPL", "1y")
