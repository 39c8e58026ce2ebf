from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import FeedConfigError
from bank_python.market_data.periods import PERIODS, check_period, first_in_period

MONTHS = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60, "10y": 120}
ENDS = st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (bounds)


@given(ENDS, st.sampled_from(sorted(MONTHS)))
def test_months_reach_back_as_pandas_has_it(end, period):
    days = [end - timedelta(days=back) for back in range(4000, -1, -1)]
    start = pd.Timestamp(end) - pd.DateOffset(months=MONTHS[period])
    first = first_in_period(days, period)
    assert all(day >= start for day in days[first:])
    assert all(day < start for day in days[:first])


def test_days_are_bars_not_days():
    days = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=30 * n) for n in range(8)]
    assert first_in_period(days, "5d") == 3
    assert first_in_period(days, "1d") == 7
    assert first_in_period(days[:2], "5d") == 0


def test_the_year_to_date_and_everything():
    days = [datetime(2019, 12, 31, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 5, 1, tzinfo=UTC)]
    assert first_in_period(days, "ytd") == 1
    assert first_in_period(days, "max") == 0


@pytest.mark.parametrize("period", PERIODS)
def test_no_dates_have_no_first(period):
    assert first_in_period([], period) == 0
    assert check_period(period) == period


def test_an_unknown_period_lists_the_choices():
    with pytest.raises(FeedConfigError, match="1d 5d 1mo") as caught:
        check_period("1w")
    assert caught.value.value == "1w"
