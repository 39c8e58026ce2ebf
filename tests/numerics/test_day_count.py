"""ACT/365F against QuantLib and general properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given
from hypothesis import strategies as st

from bank_python.numerics import act_365f, add_years

DATES = st.dates(date(1901, 1, 2), date(2199, 12, 30))  # QuantLib's own range


def quantlib_date(day: date) -> ql.Date:
    return ql.Date(day.day, day.month, day.year)


@given(DATES, DATES)
def test_against_quantlib(start, end):
    expected = ql.Actual365Fixed().yearFraction(quantlib_date(start), quantlib_date(end))
    assert act_365f(start, end) == pytest.approx(expected, rel=1e-15, abs=0.0)


@given(DATES, DATES)
def test_add_years_is_the_inverse(start, end):
    assert add_years(start, act_365f(start, end)) == end


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2023, 1, 1), date(2024, 1, 1), 365),
        (date(2024, 1, 1), date(2025, 1, 1), 366),
        (date(2024, 2, 28), date(2024, 3, 1), 2),
        (date(2025, 6, 30), date(2025, 6, 30), 0),
        (date(2025, 6, 30), date(2025, 6, 29), -1),
    ],
)
def test_counts_days(start, end, days):
    assert act_365f(start, end) == days / 365


def test_stamps_count_the_part_of_the_day():
    noon = datetime(2025, 3, 3, 12, tzinfo=UTC)
    assert act_365f(noon, noon + timedelta(hours=6)) == 0.25 / 365
    assert add_years(noon, 1.0) == datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2025, 3, 3), datetime(2025, 3, 4, tzinfo=UTC)),
        (datetime(2025, 3, 3, tzinfo=UTC), datetime(2025, 3, 4)),  # noqa: DTZ001 - the naive stamp is the point
    ],
)
def test_mixed_kinds_are_refused(start, end):
    with pytest.raises(TypeError):
        act_365f(start, end)


def test_years_that_are_no_date_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        add_years(date(2025, 1, 1), float("nan"))
    with pytest.raises(OverflowError):
        add_years(date(2025, 1, 1), 1e5)
