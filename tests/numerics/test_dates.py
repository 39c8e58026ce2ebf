"""Day counts, calendars and schedules against QuantLib."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.numerics.calendars import NEW_YORK, NYSE, TARGET, WEEKENDS_ONLY, Calendar, Roll
from bank_python.numerics.day_count import DayCount, year_fraction
from bank_python.numerics.schedule import Tenor, make_schedule

DATES = st.dates(date(1950, 1, 1), date(2120, 12, 31))
COUNTS = {
    DayCount.ACT_365F: ql.Actual365Fixed(),
    DayCount.ACT_360: ql.Actual360(),
    DayCount.THIRTY_360: ql.Thirty360(ql.Thirty360.BondBasis),
    DayCount.THIRTY_E_360: ql.Thirty360(ql.Thirty360.European),
    DayCount.ACT_ACT_ISDA: ql.ActualActual(ql.ActualActual.ISDA),
}
CALENDARS = {
    "TARGET": (TARGET, ql.TARGET()),
    "New York": (NEW_YORK, ql.UnitedStates(ql.UnitedStates.Settlement)),
    "NYSE": (NYSE, ql.UnitedStates(ql.UnitedStates.NYSE)),
    "weekends": (WEEKENDS_ONLY, ql.WeekendsOnly()),
}
ROLLS = {
    Roll.UNADJUSTED: ql.Unadjusted,
    Roll.FOLLOWING: ql.Following,
    Roll.MODIFIED_FOLLOWING: ql.ModifiedFollowing,
    Roll.PRECEDING: ql.Preceding,
    Roll.MODIFIED_PRECEDING: ql.ModifiedPreceding,
}


def to_quantlib(day: date) -> ql.Date:
    return ql.Date(day.day, day.month, day.year)


def from_quantlib(day: ql.Date) -> date:
    return date(day.year(), day.month(), day.dayOfMonth())


@given(DATES, DATES, st.sampled_from(list(COUNTS)))
def test_day_counts(start, end, convention):
    expected = COUNTS[convention].yearFraction(to_quantlib(start), to_quantlib(end))
    assert year_fraction(start, end, convention) == pytest.approx(expected, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize(
    ("start", "end", "period", "frequency", "expected"),
    [
        # ISDA, "EMU and market conventions: recent developments" (1998), examples of Actual/Actual of bonds
        (date(2003, 11, 1), date(2004, 5, 1), None, 2, 0.5),
        (date(1999, 2, 1), date(1999, 7, 1), (date(1998, 7, 1), date(1999, 7, 1)), 1, 150 / 365),
        (date(2002, 8, 15), date(2003, 7, 15), None, 1, 1.0),
        (date(1999, 7, 30), date(2000, 1, 30), None, 2, 0.5),
        (date(2000, 1, 30), date(2000, 6, 30), (date(2000, 1, 30), date(2000, 7, 30)), 2, 152 / 364),
    ],
)
def test_act_act_icma(start, end, period, frequency, expected):
    computed = year_fraction(start, end, "ACT/ACT ICMA", period, frequency)
    assert computed == pytest.approx(expected, rel=1e-14)


def test_act_act_isda_published():
    # The same memorandum: 1 November 2003 to 1 May 2004 under ISDA's method
    assert year_fraction(date(2003, 11, 1), date(2004, 5, 1), "ACT/ACT") == pytest.approx(61 / 365 + 121 / 366)


def test_unknown_day_count():
    with pytest.raises(ModelError, match="no day count 'ACT/364'; there are ACT/365F"):
        year_fraction(date(2025, 1, 1), date(2026, 1, 1), "ACT/364")
    day = date(2025, 1, 1)
    with pytest.raises(ModelError, match="has no days"):
        year_fraction(day, date(2025, 2, 1), "ACT/ACT ICMA", (day, day))


@pytest.mark.parametrize("name", CALENDARS)
def test_holidays(name):
    ours, theirs = CALENDARS[name]
    # Before 2000 the ECB had no long-term calendar; QuantLib's has only New Year and Christmas there, as ours.
    day, end = date(1990, 1, 1), date(2060, 12, 31)
    different = []
    while day <= end:
        if ours.is_business_day(day) != theirs.isBusinessDay(to_quantlib(day)):
            different.append(day)
        day += timedelta(days=1)
    assert not different


@given(
    DATES.filter(lambda day: 1990 <= day.year <= 2060), st.sampled_from(list(ROLLS)), st.sampled_from(list(CALENDARS))
)
def test_adjusting(day, roll, name):
    ours, theirs = CALENDARS[name]
    assert ours.adjust(day, roll) == from_quantlib(theirs.adjust(to_quantlib(day), ROLLS[roll]))


@given(DATES.filter(lambda day: 1991 <= day.year <= 2059), st.integers(-30, 30), st.sampled_from(list(CALENDARS)))
def test_advancing(day, days, name):
    ours, theirs = CALENDARS[name]
    assert ours.advance(day, days) == from_quantlib(theirs.advance(to_quantlib(day), days, ql.Days))


def test_a_calendar_of_ones_own():
    ours = Calendar("mine", lambda year: frozenset({date(year, 3, 3)}))
    assert ours.adjust(date(2025, 3, 3), "following") == date(2025, 3, 4)
    assert ours.adjust(date(2025, 3, 3), "preceding") == date(2025, 2, 28)


@given(
    DATES.filter(lambda day: 1991 <= day.year <= 2030),
    st.integers(20, 11_000),
    st.sampled_from(["1M", "3M", "6M", "1Y", "4W"]),
    st.sampled_from(list(ROLLS)),
    st.booleans(),
)
def test_schedules(start, length, every, roll, forward):
    end = start + timedelta(days=length)
    rule = ql.DateGeneration.Forward if forward else ql.DateGeneration.Backward
    expected = ql.Schedule(
        to_quantlib(start), to_quantlib(end), ql.Period(every), ql.TARGET(), ROLLS[roll], ROLLS[roll], rule, False
    )
    computed = make_schedule(start, end, every, TARGET, roll, forward=forward)
    assert list(computed.dates) == sorted({from_quantlib(day) for day in expected})
    assert computed.starts == computed.dates[:-1]
    assert computed.ends == computed.dates[1:]


def test_end_of_month():
    dates = make_schedule(
        date(2024, 8, 31), date(2025, 2, 28), "3M", WEEKENDS_ONLY, "unadjusted", end_of_month=True
    ).dates
    assert dates == (date(2024, 8, 31), date(2024, 11, 30), date(2025, 2, 28))


@given(DATES, st.integers(1, 400), st.sampled_from(["D", "W", "M", "Y"]))
def test_tenors(day, count, unit):
    tenor = Tenor.parse(f"{count}{unit}")
    if tenor.years < 60:
        expected = to_quantlib(day) + ql.Period(f"{count}{unit}")
        assert tenor.after(day) == from_quantlib(expected)
    assert Tenor.parse(str(tenor)) == tenor


@pytest.mark.parametrize("text", ["", "M", "0M", "3Q", "-1Y", "1.5Y", 3])
def test_no_tenor(text):
    with pytest.raises(ModelError, match="is no tenor; give a number and D, W, M or Y"):
        Tenor.parse(text)


def test_a_schedule_needs_days():
    with pytest.raises(ModelError, match="has no days"):
        make_schedule(date(2025, 1, 1), date(2025, 1, 1), "3M", TARGET)
