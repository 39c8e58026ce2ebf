"""Parsing of Yahoo's chart responses, without network or client."""

from __future__ import annotations

import copy
import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import FeedError, UnknownTickerError
from bank_python.market_data.yahoo_chart import read_chart

JAN_2, JAN_3 = (int(datetime(2024, 1, day, 14, 30, tzinfo=UTC).timestamp()) for day in (2, 3))
RESULT = {
    "meta": {"regularMarketTime": JAN_3 + 23_000, "exchangeTimezoneName": "America/New_York", "gmtoffset": -18_000},
    "timestamp": [JAN_2, JAN_3],
    "indicators": {
        "quote": [
            {
                "open": [10.0, 11.0],
                "high": [12.0, 13.0],
                "low": [9.0, 10.0],
                "close": [11.0, 12.0],
                "volume": [100, 200],
            }
        ],
        "adjclose": [{"adjclose": [5.5, 12.0]}],
    },
}


def result() -> dict:
    return copy.deepcopy(RESULT)


def body(*results: dict, error: dict | None = None) -> str:
    return json.dumps({"chart": {"result": [*results], "error": error}})


def test_last_close_at_the_time_of_the_last_trade():
    tick = read_chart("AAPL", 200, body(result())).tick("HOUSE")
    assert (tick.symbol, tick.price, tick.source) == ("HOUSE", 12.0, "yahoo")
    assert tick.time == datetime.fromtimestamp(JAN_3 + 23_000, UTC)


def test_without_a_time_of_the_last_trade_the_period_counts():
    data = result()
    del data["meta"]["regularMarketTime"]
    assert read_chart("AAPL", 200, body(data)).tick("AAPL").time == datetime.fromtimestamp(JAN_3, UTC)


def test_bars_are_adjusted_by_their_days_factor_and_dated_by_the_exchange():
    first, last = read_chart("AAPL", 200, body(result())).daily_bars()
    assert (first.open, first.high, first.low, first.close, first.volume) == (5.0, 6.0, 4.5, 5.5, 100.0)
    assert (last.open, last.high, last.low, last.close, last.volume) == (11.0, 13.0, 10.0, 12.0, 200.0)
    assert [bar.date for bar in (first, last)] == [datetime(2024, 1, day, tzinfo=UTC) for day in (2, 3)]


@pytest.mark.parametrize(
    ("zone", "stamp", "date"),
    [
        # Sydney opens on the previous day in UTC; London's summer midnight is 23:00 UTC.
        ("Australia/Sydney", datetime(2024, 1, 1, 23, 0, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)),
        ("Europe/London", datetime(2024, 6, 30, 23, 0, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)),
        ("Europe/London", datetime(2024, 1, 2, 0, 0, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)),
    ],
)
def test_a_bar_belongs_to_the_exchanges_own_date(zone, stamp, date):
    data = result()
    data["meta"]["exchangeTimezoneName"] = zone
    data["timestamp"] = [int(stamp.timestamp()) - 86_400, int(stamp.timestamp())]
    assert read_chart("BHP.AX", 200, body(data)).daily_bars()[-1].date == date


def test_an_unknown_time_zone_falls_back_to_the_offset():
    data = result()
    data["meta"] |= {"exchangeTimezoneName": "Mars/Olympus", "gmtoffset": 39_600}
    data["timestamp"] = [stamp + 3_600 * 8 for stamp in data["timestamp"]]  # 22:30 UTC is the next day at +11 h
    assert [bar.date.day for bar in read_chart("X", 200, body(data)).daily_bars()] == [3, 4]


def test_of_a_day_given_twice_the_live_period_stands():
    data = result()
    data["timestamp"] = [JAN_3, JAN_3 + 3_600]
    (bar,) = read_chart("AAPL", 200, body(data)).daily_bars()
    assert bar.close == 12.0


def test_a_day_without_a_close_is_left_out_of_history_and_is_no_quote():
    data = result()
    data["indicators"]["quote"][0]["close"][1] = None
    data["indicators"]["adjclose"][0]["adjclose"][1] = None
    chart = read_chart("AAPL", 200, body(data))
    assert [bar.date.day for bar in chart.daily_bars()] == [2]
    with pytest.raises(FeedError, match=r"no close of 'AAPL' .* \(2024-01-03\)") as caught:
        chart.tick("AAPL")
    assert caught.value.symbol == "AAPL"


def test_what_yahoo_does_not_carry_is_none():
    data = result()
    quote = data["indicators"]["quote"][0]
    del quote["volume"], data["indicators"]["adjclose"]
    quote["open"] = [None, 11.0]
    first, last = read_chart("EURUSD=X", 200, body(data)).daily_bars()
    assert (first.open, first.close, first.volume, last.volume) == (None, 11.0, None, None)


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (429, "Too Many Requests", r"429 Too Many Requests: rate limited"),
        (401, "", r"401 Unauthorized: it blocks this client"),
        (403, "", r"403 Forbidden: it blocks this client"),
        (500, "oops", r"500 Internal Server Error: an outage"),
        (502, "<html>", r"502 Bad Gateway: an outage"),
        (599, "", r"returned 599: an outage"),
        (418, "", r"returned 418"),
        (200, "<!doctype html><p>Will be right back", r"a web page instead of prices \('<!doctype html>"),
        (200, "", r"empty response"),
        (200, '{"chart": {"result": [', r"not a chart in JSON"),
        (200, "null", r"not a chart in JSON \('null'\)"),
        (200, "[]", r"not a chart in JSON"),
        (200, '{"chart": null}', r"not a chart in JSON"),
        (200, body(), r"an empty result"),
        (200, '{"chart": {"result": null, "error": null}}', r"an empty result"),
        (200, body(error={"code": "Bad Request", "description": "no such range"}), r"\(Bad Request: no such range\)"),
        (200, body({"meta": {}}), r"a missing or invalid field \(ValueError: no timestamps"),
        (200, body({"timestamp": [JAN_2]}), r"a missing or invalid field \(KeyError: 'indicators'\)"),
        (200, body({**RESULT, "timestamp": [JAN_2]}), r"a missing or invalid field \(ValueError"),
    ],
)
def test_every_failure_has_its_reason(status, text, reason):
    with pytest.raises(FeedError, match=reason) as caught:
        read_chart("AAPL", status, text)
    assert (caught.value.feed, caught.value.symbol) == ("yahoo", "AAPL")


@pytest.mark.parametrize("status", [200, 404])
def test_an_unknown_symbol_is_not_an_outage(status):
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    with pytest.raises(UnknownTickerError, match=r"no symbol 'NOPE' \(Not Found: .*map it with symbols=") as caught:
        read_chart("NOPE", status, body(error=error))
    assert caught.value.ticker == "NOPE"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.sampled_from(["meta", "timestamp", "indicators", "quote", "adjclose", "close", "exchangeTimezoneName"]),
    JSON,
)
def test_whatever_stands_in_a_field_is_read_or_refused(field, junk):
    data = result()
    place = {
        "quote": data["indicators"],
        "adjclose": data["indicators"],
        "close": data["indicators"]["quote"][0],
        "exchangeTimezoneName": data["meta"],
    }.get(field, data)
    place[field] = junk
    try:
        price = read_chart("AAPL", 200, body(data)).tick("AAPL").price
    except FeedError:  # anything else fails the test
        return
    assert math.isfinite(price)
