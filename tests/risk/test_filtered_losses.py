"""Filtered historical simulation with a volatility model, beside arch's conditional volatilities."""

from __future__ import annotations

import numpy as np
import pytest

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk import tail_risk, value_at_risk
from bank_python.risk_models import fit_garch


@pytest.fixture(scope="module")
def returns():
    # S&P 500, the last 1,500 days to 31 December 2018, as bundled with arch
    prices = pytest.importorskip("arch.data.sp500").load()["Adj Close"].to_numpy()
    return np.diff(np.log(prices))[-1500:]


def test_the_filter_is_that_of_the_volatilities_of_arch(returns):
    arch_model = pytest.importorskip("arch").arch_model
    theirs = arch_model(100.0 * returns).fit(disp="off")
    ahead = theirs.forecast(horizon=1).variance.to_numpy()[-1, 0]
    sample = theirs.params["mu"] + theirs.std_resid * np.sqrt(ahead)
    expected = -np.quantile(sample, 0.01) / 100.0
    assert value_at_risk(returns, 0.99, "filtered", vol_model="garch") == pytest.approx(expected, rel=1e-5)


def test_a_model_that_was_fitted_before_gives_the_same(returns):
    fit = fit_garch(returns, "gjr")
    given = tail_risk(returns, 0.975, "filtered", vol_model=fit)
    assert given == tail_risk(returns, 0.975, "filtered", vol_model="gjr")


def test_the_unit_of_the_returns_does_not_matter(returns):
    per_cent = value_at_risk(100.0 * returns, 0.99, "filtered", vol_model="gjr")
    assert per_cent == pytest.approx(100.0 * value_at_risk(returns, 0.99, "filtered", vol_model="gjr"), rel=1e-9)


def test_after_a_quiet_year_the_filter_lowers_the_value_at_risk():
    rng = np.random.default_rng(5)
    pnl = np.concatenate([2.0 * rng.standard_normal(500), 0.5 * rng.standard_normal(500)])
    plain = value_at_risk(pnl, 0.99)
    assert value_at_risk(pnl, 0.99, "filtered", vol_model="garch") < 0.5 * plain


def test_what_does_not_fit_is_refused(returns):
    with pytest.raises(ModelError, match="did you mean 'garch'"):
        tail_risk(returns, 0.99, "filtered", vol_model="garhc")
    with pytest.raises(ModelError, match=r"fitted to 1,500 returns that are not this P&L of 1,499"):
        tail_risk(returns[1:], 0.99, "filtered", vol_model=fit_garch(returns))
    with pytest.raises(ModelError, match="not this P&L"):
        tail_risk(returns, 0.99, "filtered", vol_model=fit_garch(100.0 * returns))
    with pytest.raises(ModelError, match="is for the method 'filtered', not 'historical'"):
        tail_risk(returns, 0.99, vol_model="garch")
    with pytest.raises(CalibrationError, match="40 returns are too few"):
        tail_risk(returns[:40], 0.99, "filtered", vol_model="garch")


def test_a_model_that_has_not_converged_is_refused():
    rng = np.random.default_rng(0)
    noise = next(
        sample for sample in (rng.standard_normal(100) for _ in range(50)) if not fit_garch(sample, "egarch").converged
    )
    with pytest.raises(ModelError, match='use vol_model="ewma"'):
        tail_risk(noise, 0.95, "filtered", vol_model="egarch")


def test_figures_of_returns_are_not_written_as_zero(returns):
    assert str(tail_risk(returns, 0.99)).startswith("VaR 99% 0.02")
    assert str(tail_risk(1e6 * returns, 0.99)).startswith("VaR 99% 2")
