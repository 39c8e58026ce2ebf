"""Drawdowns: against a brute-force search over all pairs of times, and in words where there is none."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import RiskError
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.numerics import drawdowns
from bank_python.risk import drawdown

PRICES = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=40)
FEW_LEVELS = st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=1, max_size=20)
ON = [dt.date(2026, 1, day) for day in range(5, 10)]


@given(PRICES | FEW_LEVELS)
def test_the_maximum_is_the_worst_of_all_pairs(prices):
    worst = max(1.0 - prices[j] / prices[i] for i in range(len(prices)) for j in range(i, len(prices)))
    assert drawdown(prices).maximum == pytest.approx(worst, abs=1e-15)


@given(PRICES | FEW_LEVELS)
def test_peak_trough_and_recovery_are_where_they_say(prices):
    fall = drawdown(prices)
    peak, trough, recovery = fall.peak, fall.trough, fall.recovery
    assert fall.maximum == pytest.approx(1.0 - prices[trough] / prices[peak], abs=1e-15)
    assert peak <= trough
    assert prices[peak] == max(prices[: trough + 1])
    assert all(price < prices[peak] for price in prices[peak + 1 : trough + 1])
    assert all(price < prices[peak] for price in prices[trough + 1 : recovery])
    if fall.maximum > 0.0 and recovery is not None:
        assert prices[recovery] >= prices[peak]


@given(PRICES, st.floats(0.1, 10.0))
def test_the_unit_of_the_prices_does_not_matter(prices, factor):
    assert drawdown(np.multiply(prices, factor)).drawdowns == pytest.approx(drawdown(prices).drawdowns, abs=1e-12)


@given(PRICES)
def test_a_series_that_only_rises_has_no_drawdown(prices):
    fall = drawdown(sorted(prices))
    assert (fall.maximum, fall.current, fall.peak, fall.trough, fall.recovery) == (0.0, 0.0, 0, 0, 0)


def test_dates_are_those_of_the_prices():
    fall = drawdown([100.0, 120.0, 90.0, 96.0, 125.0], ON)
    assert (fall.peak, fall.trough, fall.recovery) == (ON[1], ON[2], ON[4])
    assert "2026-01-06" in repr(fall)


def test_a_fall_that_goes_on_has_no_recovery():
    fall = drawdown([2.0, 1.0, 1.5])
    assert fall.recovery is None
    assert fall.current == 0.25
    assert "not yet" in repr(fall)


def test_a_history_brings_its_dates():
    when = [dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (5, 6)]
    bars = tuple(Bar(day, None, None, None, close, None) for day, close in zip(when, (2.0, 1.0), strict=True))
    assert drawdown(PriceHistory("X", "test", bars)).trough == when[1]


def test_the_table_has_a_row_for_each_price():
    rows = list(drawdown([2.0, 1.0], ON[:2]).to_table())
    assert rows[1] == {"date": ON[1], "price": 1.0, "highest": 2.0, "drawdown": 0.5}
    assert list(drawdown([2.0]).to_table()) == [{"observation": 0, "price": 2.0, "highest": 2.0, "drawdown": 0.0}]


def test_drawdowns_of_columns_with_gaps():
    levels = np.array([[np.nan, 1.0], [4.0, np.nan], [3.0, 2.0]])
    assert drawdowns(levels) == pytest.approx(np.array([[np.nan, 0.0], [0.0, np.nan], [0.25, 0.0]]), nan_ok=True)


@pytest.mark.parametrize(
    ("prices", "dates", "said"),
    [
        ([], None, r"prices of shape \(0,\)"),
        ([[1.0]], None, r"prices of shape \(1, 1\)"),
        ([1.0, 0.0], None, r"price 0.0 \(number 1\) is not a finite number above 0"),
        ([1.0, np.nan], None, r"price nan \(number 1\)"),
        ([1.0, 2.0], ON[:1], "1 dates for 2 observations"),
        ([1.0, 2.0], [None, ON[0]], "None is not a date"),
        ([1.0, 2.0], [np.datetime64("NaT"), ON[0]], "is not a date"),
        ([1.0, 2.0], [ON[0], dt.datetime(2026, 1, 6, tzinfo=dt.UTC)], "cannot be compared"),
        ([1.0, 2.0], [ON[1], ON[0]], "the date 2026-01-05 follows 2026-01-06"),
    ],
)
def test_what_has_no_drawdown_is_refused(prices, dates, said):
    with pytest.raises(RiskError, match=said):
        drawdown(prices, dates)


def test_dates_of_pandas_and_numpy_are_plain_dates():
    pandas = pytest.importorskip("pandas")
    index = pandas.date_range("2026-01-05", periods=3)
    series = pandas.Series([3.0, 2.0, 1.0], index=index)
    for fall in (drawdown(series), drawdown([3.0, 2.0, 1.0], index), drawdown([3.0, 2.0, 1.0], index.to_numpy())):
        assert list(fall.dates) == ON[:3]
        assert len(list(fall.to_table())) == 3
    assert drawdown(pandas.Series([3.0, 2.0])).dates is None
    noon = index + pandas.Timedelta(hours=12)
    assert drawdown(series.to_numpy(), noon).dates[0] == dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
