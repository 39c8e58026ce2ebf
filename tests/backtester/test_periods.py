"""Periods a year from dates: days, weeks, months, bars of sessions and around the clock, with days missing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.backtester import infer_periods_per_year
from bank_python.backtester.periods import given_periods
from bank_python.errors import BacktestError

MONDAY = dt.date(2026, 1, 5)
OPEN = dt.datetime(2026, 1, 5, 14, 30, tzinfo=dt.UTC)


def business_days(n):
    return np.busday_offset(np.datetime64(MONDAY), np.arange(n)).tolist()


def bars(minutes, a_day, days):
    return [
        OPEN + dt.timedelta(days=day, minutes=minutes * i)
        for day in range(days)
        if (OPEN + dt.timedelta(days=day)).weekday() < 5
        for i in range(a_day)
    ]


@pytest.mark.parametrize(
    ("dates", "value", "period"),
    [
        (business_days(300), 252.0, "day"),
        ([MONDAY + dt.timedelta(days=i) for i in range(300)], 365.0, "day"),
        ([MONDAY + dt.timedelta(weeks=i) for i in range(60)], 52.0, "week"),
        ([dt.date(2020 + i // 12, i % 12 + 1, 28) for i in range(30)], 12.0, "month"),
        ([dt.date(2010 + i // 4, 3 * (i % 4) + 1, 1) for i in range(20)], 4.0, "quarter"),
        ([dt.date(2010 + i, 12, 31) for i in range(6)], 1.0, "year"),
        (bars(5, 78, 14), 78 * 252.0, "bar"),
        (bars(60, 7, 14), 7 * 252.0, "bar"),
        ([OPEN + dt.timedelta(hours=i) for i in range(24 * 20)], 24 * 365.0, "bar"),
        ([dt.date(2026, 1, 2), dt.date(2026, 1, 5), dt.date(2026, 1, 6)], 252.0, "day"),  # a weekend and a day
        ([MONDAY + dt.timedelta(days=20 * i) for i in range(30)], 365.25 / 20, "period"),
        (None, 252.0, "day"),
        ([MONDAY], 252.0, "day"),
        ([], 252.0, "day"),
    ],
)
def test_periods(dates, value, period):
    found = infer_periods_per_year(dates)
    assert (found.value, found.period) == (value, period)
    assert f"{value:.4g}" in found.basis or period == "bar"


@given(st.sets(st.integers(0, 299), max_size=60))
def test_missing_days_do_not_matter(missing):
    kept = [day for i, day in enumerate(business_days(300)) if i not in missing]
    assert infer_periods_per_year(kept).value == 252.0


@pytest.mark.parametrize("kind", ["text", "numpy", "pandas", "midnight"])
def test_dates_in_any_form(kind):
    days = business_days(30)
    if kind == "pandas":
        pandas = pytest.importorskip("pandas")
        forms = pandas.DatetimeIndex(days)
    else:
        forms = {
            "text": [day.isoformat() for day in days],
            "numpy": np.array(days, dtype="datetime64[D]"),
            "midnight": [dt.datetime(day.year, day.month, day.day) for day in days],  # noqa: DTZ001 - days as pandas has
        }[kind]
    assert infer_periods_per_year(forms) == infer_periods_per_year(days)


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (["today", "tomorrow"], "'today' is not a date"),
        ([MONDAY, MONDAY], "follows"),
        ("2026-01-05", "no list of dates"),
        (5, "no list of dates"),
        (np.array(["2026-01-05", "NaT"], dtype="datetime64[D]"), "date 1 is missing"),
    ],
)
def test_what_is_no_date_is_named(dates, said):
    with pytest.raises(BacktestError, match=said):
        infer_periods_per_year(dates)


def test_a_number_that_is_given_names_its_period():
    assert given_periods(12.0, None).period == "month"
    assert given_periods(260.0, None).period == "period"
    assert given_periods(260.0, business_days(30)).period == "day"
    with pytest.raises(BacktestError, match="periods_per_year=0"):
        given_periods(0.0, None)
