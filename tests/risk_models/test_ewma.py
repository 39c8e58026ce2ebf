"""EWMA variances: against arch's RiskMetrics model, a plain loop, and pandas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from arch.univariate import EWMAVariance
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.risk_models import ewma_variance, ewma_volatility

RETURNS = np.random.default_rng(5).standard_t(4, size=700) * 0.01
SCALES = [1e-12, 1e-6, 100.0, 1e12]


def step_by_step(returns, decay, variance):
    series = [variance]
    for one in returns:
        variance = decay * variance + (1.0 - decay) * one * one
        series.append(variance)
    return series


@pytest.mark.parametrize("decay", [0.5, 0.94, 0.97, 0.999])
def test_the_series_and_the_forecast_are_those_of_arch(decay):
    model, variances = EWMAVariance(lam=decay), np.empty(len(RETURNS))
    first = model.backcast(RETURNS)
    model.compute_variance(np.array([]), RETURNS, variances, first, model.variance_bounds(RETURNS))
    ours = ewma_variance(RETURNS, decay, start="backcast")
    assert ours[0] == pytest.approx(first, rel=1e-13)
    assert ours[:-1] == pytest.approx(variances, rel=1e-12)
    assert ours[-1] == pytest.approx(decay * variances[-1] + (1.0 - decay) * RETURNS[-1] ** 2, rel=1e-12)


@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=30), st.floats(0.01, 0.99), st.floats(1e-8, 1.0))
def test_a_stated_start_gives_the_recursion(returns, decay, start):
    if any(one * one > 0.0 for one in returns):
        expected = step_by_step(returns, decay, start)
        assert ewma_variance(returns, decay, start=start) == pytest.approx(expected, rel=1e-12)


def test_the_starts_are_what_they_say():
    squares = RETURNS**2
    assert ewma_variance(RETURNS)[0] == pytest.approx(squares.mean(), rel=1e-14)
    assert ewma_variance(RETURNS, start="first")[0] == squares[0]
    pandas = pd.Series(squares).ewm(alpha=0.06, adjust=False).mean()
    assert ewma_variance(RETURNS, start="first")[1:] == pytest.approx(pandas.to_numpy(), rel=1e-12)


def test_the_volatility_is_annual():
    expected = np.sqrt(252.0 * ewma_variance(RETURNS, 0.9))
    assert ewma_volatility(RETURNS, 0.9, periods_per_year=252) == pytest.approx(expected, rel=1e-15)
    assert ewma_volatility([1, -2, 1], periods_per_year=1, start=4)[0] == 2.0


@pytest.mark.parametrize("scale", SCALES)
def test_the_unit_of_the_returns_does_not_matter(scale):
    for start in ("mean_square", "backcast", "first"):
        ours = ewma_variance(scale * RETURNS, start=start) / scale**2
        assert ours == pytest.approx(ewma_variance(RETURNS, start=start), rel=1e-12)


def test_a_series_and_a_list_give_the_same():
    assert (ewma_variance(pd.Series(RETURNS)) == ewma_variance(RETURNS.tolist())).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ewma_variance([]), r"returns of shape \(0,\); give one series of at least 1 row"),
        (lambda: ewma_variance([[0.1, 0.2]]), r"returns of shape \(1, 2\)"),
        (lambda: ewma_variance([0.1, math.nan]), "returns: row 1 is nan; leave that row out, or correct it"),
        (lambda: ewma_variance([0.1, math.inf]), "row 1 is inf"),
        (lambda: ewma_variance([0.0, 0.0]), "all 2 returns are 0 and have no volatility"),
        (lambda: ewma_variance([0.1], 1.0), r"decay=1.0 lies outside \(0, 1\); 0.94 is usual for days"),
        (lambda: ewma_variance([0.1], start=0.0), "start=0.0 is not a variance"),
        (lambda: ewma_variance([0.1], start="zero"), "no start 'zero'; give a variance, or one of mean_square"),
        (lambda: ewma_variance("x"), "is not a number or an array of numbers"),
        (lambda: ewma_volatility([0.1], periods_per_year=0.0), "periods_per_year=0.0 .* give 252 for daily bars"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()


@pytest.mark.parametrize(("start", "zeros"), [("first", 1), ("backcast", 80)])
def test_a_start_without_variance_is_refused(start, zeros):
    with pytest.raises(ModelError, match=f"start='{start}' is a variance of 0.*mean_square"):
        ewma_variance([0.0] * zeros + [0.01], start=start)
