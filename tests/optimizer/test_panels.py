"""Panels of prices and returns: positional estimators, dates that sort themselves, rows that begin with the newest."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, CallError
from bank_python.optimizer import CovarianceData

NAMES = ["A", "B", "C"]
RNG = np.random.default_rng(1)
RETURNS = RNG.normal(0.001, 0.01, (40, 3)) + 0.001 * np.arange(40)[:, None]
PRICES = 100.0 * np.cumprod(1.0 + RETURNS, axis=0)
DATES = pd.bdate_range("2026-01-01", periods=40)


def same(a, b):
    return (
        np.array_equal(a.covariance, b.covariance) and np.array_equal(a.returns, b.returns) and a.tickers == b.tickers
    )


@pytest.mark.parametrize(("make", "panel"), [("from_returns", RETURNS), ("from_prices", PRICES)])
def test_the_estimator_goes_third(make, panel):
    build = getattr(CovarianceData, make)
    data = build(panel, NAMES, "oas")
    assert data.estimator == "oas"
    assert same(data, build(panel, NAMES, estimator="oas"))
    with pytest.raises(
        CalibrationError, match=r"tickers='oas' is the name of an estimator; did you mean estimator='oas'\?"
    ):
        build(panel, "oas")
    with pytest.raises(CallError, match=r"positional arguments but 5 were given; it takes returns|it takes prices"):
        build(panel, NAMES, "oas", "ewma")


@pytest.mark.parametrize(("make", "panel"), [("from_returns", RETURNS), ("from_prices", PRICES)])
@pytest.mark.parametrize(
    "labels", [DATES, DATES.date, DATES.strftime("%Y-%m-%d"), DATES.tz_localize("UTC"), DATES.to_period("D")]
)
def test_rows_with_dates_are_sorted_by_them(make, panel, labels, caplog):
    build = getattr(CovarianceData, make)
    frame = pd.DataFrame(panel, index=labels, columns=NAMES)
    with caplog.at_level(logging.INFO):
        plain = build(frame)
        assert not caplog.records
        turned = build(frame.iloc[::-1])
        assert "were not in the order of their dates, and were sorted" in caplog.text
    assert same(plain, build(panel, NAMES))
    assert same(turned, plain)
    assert same(build(frame.sample(frac=1.0, random_state=3)), plain)
    assert same(build(frame.iloc[::-1], newest_first=True), plain)
    with pytest.raises(CalibrationError, match=r"newest_first=True, and the .* run from 2026-01-01"):
        build(frame, newest_first=True)


@pytest.mark.parametrize(("make", "panel"), [("from_returns", RETURNS), ("from_prices", PRICES)])
def test_rows_without_dates_may_begin_with_the_newest(make, panel):
    build = getattr(CovarianceData, make)
    assert same(build(panel[::-1], NAMES, newest_first=True), build(panel, NAMES))
    assert same(build(pd.DataFrame(panel[::-1], columns=NAMES), newest_first=True), build(panel, NAMES))
    with pytest.raises(CallError, match=r"no argument reverse; did you mean newest_first\?"):
        build(panel, NAMES, reverse=True)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(40)))
def test_any_order_of_dates_gives_the_same_data(order):
    frame = pd.DataFrame(PRICES, index=DATES, columns=NAMES)
    assert same(CovarianceData.from_prices(frame.iloc[order]), CovarianceData.from_prices(PRICES, NAMES))


def test_a_date_twice_or_missing_is_refused():
    frame = pd.DataFrame(PRICES, index=[DATES[0], *DATES[:-1]], columns=NAMES)
    with pytest.raises(CalibrationError, match=r"have the date 2026-01-01.* twice"):
        CovarianceData.from_prices(frame)
    with pytest.raises(CalibrationError, match="row 2 of the prices has no date"):
        CovarianceData.from_prices(frame.set_axis([*DATES[:2], pd.NaT, *DATES[3:]]))


def test_a_column_of_dates_is_pointed_at():
    frame = pd.DataFrame(PRICES, columns=NAMES)
    frame.insert(0, "Date", DATES.strftime("%d/%m/%Y"))
    with pytest.raises(
        CalibrationError, match=r"prices are not a panel of numbers: column 'Date' holds '01/01/2026'.*set_index"
    ):
        CovarianceData.from_prices(frame)
    with pytest.raises(CalibrationError, match="returns are not a panel of numbers"):
        CovarianceData.from_returns([["a", "b"]], ["A", "B"])


def test_by_other_names_the_right_ones_are_told():
    with pytest.raises(CallError, match=r"no argument method; did you mean estimator\?"):
        CovarianceData.from_returns(RETURNS, NAMES, method="oas")
    with pytest.raises(CallError, match=r"no argument names, cov; did you mean tickers, covariance\?"):
        CovarianceData(names=NAMES, cov=np.eye(3))
