import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import JobConfigError
from bank_python.walpole import CronExpression


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Checked by hand against a calendar. 2026-01-01 is a Thursday; 2028, 2096 and 2104 are leap years, 2100 is not.
CASES = [
    ("* * * * *", "2026-01-01 00:00:00", "2026-01-01 00:01"),
    ("* * * * *", "2026-01-01 00:00:59.5", "2026-01-01 00:01"),
    ("*/15 * * * *", "2026-01-01 00:45:00", "2026-01-01 01:00"),
    ("5,10-12 * * * *", "2026-01-01 00:10:30", "2026-01-01 00:11"),
    ("0 0 * * *", "2026-12-31 23:59:59", "2027-01-01 00:00"),
    ("30 8 * * MON-FRI", "2026-01-02 08:30:00", "2026-01-05 08:30"),  # Friday's has passed, the next is Monday's
    ("0 0 31 * *", "2026-01-31 00:00", "2026-03-31 00:00"),  # February has none
    ("0 0 31 * *", "2026-03-31 00:00", "2026-05-31 00:00"),
    ("0 0 29 2 *", "2025-01-01 00:00", "2028-02-29 00:00"),
    ("0 0 29 2 *", "2096-02-29 00:00", "2104-02-29 00:00"),
    ("59 23 28-31 2 *", "2027-02-28 23:58", "2027-02-28 23:59"),
    ("59 23 28-31 2 *", "2027-02-28 23:59", "2028-02-28 23:59"),
    ("30 4 1,15 * 5", "2026-01-01 04:30", "2026-01-02 04:30"),  # crontab(5)'s own example: 1st, 15th and Fridays
    ("30 4 1,15 * 5", "2026-01-09 04:30", "2026-01-15 04:30"),
    ("0 0 13 * FRI", "2026-02-06 00:00", "2026-02-13 00:00"),
    ("0 0 13 * FRI", "2026-02-13 00:00", "2026-02-20 00:00"),  # either, so any Friday will do
    ("0 0 */2 * MON", "2026-01-05 00:00", "2026-01-19 00:00"),  # a star in it: both (12th is even)
    ("0 0 * * 7", "2026-01-01 00:00", "2026-01-04 00:00"),
    ("0 0 * * 0", "2026-01-01 00:00", "2026-01-04 00:00"),
    ("0 0 * * 5-7", "2026-01-03 00:00", "2026-01-04 00:00"),
    ("0 12 1 jan-mar/2 *", "2026-01-01 12:00", "2026-03-01 12:00"),
    ("0 22 * * 1-5", "2026-10-30 22:00", "2026-11-02 22:00"),
    ("23 0-23/2 * * *", "2026-01-01 22:23", "2026-01-02 00:23"),
]


@pytest.mark.parametrize(("text", "start", "expected"), CASES)
def test_next_time_of_hand_checked_cases(text, start, expected):
    assert CronExpression(text).next_after(at(start)) == at(expected)


def test_a_local_moment_is_read_as_the_utc_instant_it_is():
    tokyo = timezone(timedelta(hours=9))
    assert CronExpression("0 0 * * *").next_after(datetime(2026, 1, 2, 8, 0, tzinfo=tokyo)) == at("2026-01-02 00:00")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("60 * * * *", "60"),
        ("* 24 * * *", "24"),
        ("* * 0 * *", "'0'"),
        ("* * * 13 *", "13"),
        ("* * * * 8", "'8'"),
        ("*/0 * * * *", "*/0"),
        ("5/15 * * * *", "5-59/15"),
        ("30-10 * * * *", "30-10"),
        ("1,,2 * * * *", "''"),
        ("* * * FOO *", "FOO"),
        ("* * * * MON-", "MON-"),
        ("-1 * * * *", "-1"),
        ("٣ * * * *", "٣"),
        ("* * * *", "4 fields"),
        ("@daily", "1 fields"),
        ("0 0 30 2 *", "never"),
        ("0 0 31 4,6,9,11 *", "never"),
    ],
)
def test_what_is_not_understood_or_never_comes_is_refused(text, part):
    with pytest.raises(JobConfigError) as caught:
        CronExpression(text)
    assert part in str(caught.value)


def test_an_impossible_day_beside_a_weekday_is_fine():
    assert CronExpression("0 0 30 2 SUN").next_after(at("2026-01-01 00:00")) == at("2026-02-01 00:00")


# --- an independent implementation of the five fields, minute by minute -----------------------------

LIMITS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]


@st.composite
def parts(draw, low, high):
    kind = draw(st.sampled_from(["star", "number", "range", "step", "range_step"]))
    first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
    step = draw(st.integers(1, high))
    return {
        "star": "*",
        "number": str(first),
        "range": f"{first}-{last}",
        "step": f"*/{step}",
        "range_step": f"{first}-{last}/{step}",
    }[kind]


@st.composite
def expressions(draw):
    # Dense in the hour and minute, so that a walk by minutes ends within days.
    fields = [",".join(draw(st.lists(parts(low, high), min_size=1, max_size=3))) for low, high in LIMITS]
    fields[3] = "*"
    return " ".join(fields)


def slow_values(text, low, high):
    found = set()
    for part in text.split(","):
        body, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if body == "*" else body).partition("-")
        found |= {v for v in range(int(first), int(last or first) + 1) if (v - int(first)) % int(step or 1) == 0}
    return found


def slow_matcher(text):
    fields = text.split()
    minute, hour, day, month, weekday = (slow_values(f, *limit) for f, limit in zip(fields, LIMITS, strict=True))
    both = fields[2][0] == "*" or fields[4][0] == "*"

    def match(moment):
        if moment.minute not in minute or moment.hour not in hour or moment.month not in month:
            return False
        in_month, in_week = moment.day in day, not weekday.isdisjoint({moment.isoweekday(), moment.isoweekday() % 7})
        return in_month and in_week if both else in_month or in_week

    return match


WALK = 2 * 24 * 60


@settings(max_examples=60, deadline=None)
@given(expressions(), st.datetimes(datetime(1999, 12, 1), datetime(2101, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_next_time_is_what_walking_minute_by_minute_finds(text, start):
    match, found, minute = slow_matcher(text), CronExpression(text).next_after(start), timedelta(minutes=1)
    assert found > start
    assert match(found)
    first = start.replace(second=0, microsecond=0) + minute
    between = (found - first) // minute
    assert not any(match(first + n * minute) for n in range(min(between, WALK)))
    # If it is further away than that, no minute just before it may match either.
    assert not any(match(found - n * minute) for n in range(1, min(between, WALK) + 1))


@pytest.mark.parametrize("method", ["next_after", "matches"])
def test_a_moment_without_a_time_zone_is_refused(method):
    with pytest.raises(JobConfigError, match="has no time zone"):
        getattr(CronExpression("0 6 * * *"), method)(datetime(2026, 1, 1))  # noqa: DTZ001  (naive on purpose)


def test_an_expression_that_was_pickled_or_copied_is_the_same():
    expression = CronExpression("0 6 * JAN MON-FRI")
    assert pickle.loads(pickle.dumps(expression)) == copy.copy(expression) == expression  # noqa: S301  (pickled above)
    assert hash(copy.copy(expression)) == hash(expression)
