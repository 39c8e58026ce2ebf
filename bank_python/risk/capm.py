r"""The capital asset pricing model: alpha and beta with confidence intervals, and required returns.

.. math:: r_i - r_f = \alpha + \beta\,(r_m - r_f) + \varepsilon, \qquad E[r_i] = r_f + \beta\,(E[r_m] - r_f)

Returns are simple returns of one period; rates and expected returns are annual. Confidence intervals are those of
ordinary least squares with independent normal residuals.

Examples
--------
>>> market = np.array([0.01, -0.02, 0.015, 0.005, -0.01])
>>> round(capm_beta(1.82 * market, market), 12)
1.82
>>> round(capm_return(1.82, risk_free_rate=0.05, market_return=0.12), 4)
0.1774

References
----------
W. F. Sharpe, "Capital asset prices: a theory of market equilibrium under conditions of risk", Journal of Finance 19
(1964), 425-442.

O. A. Vasicek, "A note on using cross-sectional information in Bayesian estimation of security betas", Journal of
Finance 28 (1973), 1233-1239.

M. E. Blume, "Betas and their regression tendencies", Journal of Finance 30 (1975), 785-795.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.figures import Figures
from bank_python.numerics import student_t_quantile
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["CapmFit", "blume_beta", "capm_beta", "capm_fit", "capm_return", "rolling_beta", "vasicek_betas"]

_PARAMETERS = 2


class Interval(NamedTuple):
    """A confidence interval.

    Parameters
    ----------
    low, high : float
        Lower and upper end of the interval.
    """

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CapmFit(Figures):
    """Regression of an asset's excess returns on the market's.

    Parameters
    ----------
    alpha, beta : float
        Intercept per year, as a decimal, and slope of the regression.
    alpha_error, beta_error : float
        Standard errors of `alpha` and `beta`.
    alpha_interval, beta_interval : Interval
        Confidence intervals of `alpha` and `beta`.
    r_squared : float
        Share of the asset's variance that the market explains, in [0, 1].
    residual_volatility : float
        Annual volatility of the residuals, as a decimal.
    n_obs : int
        Number of periods.
    confidence : float
        Confidence level of the intervals, in (0, 1).
    """

    alpha: float
    beta: float
    alpha_error: float
    beta_error: float
    alpha_interval: Interval
    beta_interval: Interval
    r_squared: float
    residual_volatility: float
    n_obs: int
    confidence: float


@admits(RiskError)
def capm_beta(asset_returns: ArrayLike, market_returns: ArrayLike) -> float:
    """Return the slope of an asset's returns on the market's.

    Parameters
    ----------
    asset_returns, market_returns : array_like, shape (n_obs,)
        Simple returns over the same periods, finite, at least two. Excess returns over a constant rate give the same
        beta.

    Raises
    ------
    RiskError
        The arrays differ in length, are too short or hold a missing return, or the market return is constant.
    """
    asset, market = _pair(asset_returns, market_returns, _PARAMETERS)
    deviation = market - market.mean()
    return float(deviation @ asset / (deviation @ deviation))


@admits(RiskError)
def capm_fit(
    asset_returns: ArrayLike,
    market_returns: ArrayLike,
    *,
    risk_free_rate: float = RISK_FREE_RATE,
    periods_per_year: float = 252.0,
    confidence: float = 0.95,
) -> CapmFit:
    """Fit the capital asset pricing model by ordinary least squares.

    Parameters
    ----------
    asset_returns, market_returns : array_like, shape (n_obs,)
        Simple returns over the same periods, finite, at least three.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal; divided evenly over the periods of a year.
    periods_per_year : float, default 252
        Number of return periods in a year, above 0: 252 for days, 12 for months.
    confidence : float, default 0.95
        Confidence level of the intervals, in (0, 1).

    Raises
    ------
    RiskError
        The returns are unusable as in :func:`capm_beta`, or a parameter is out of range.
    """
    if not 0.0 < confidence < 1.0:
        raise RiskError(f"confidence={confidence!r} lies outside (0, 1); 0.95 is usual", value=confidence)
    if not 0.0 < periods_per_year < math.inf:
        raise RiskError(
            f"periods_per_year={periods_per_year!r} is not finite and above 0; give 252 for days, 12 for months",
            value=periods_per_year,
        )
    asset, market = _pair(asset_returns, market_returns, _PARAMETERS + 1)
    n, period_rate = len(asset), risk_free_rate / periods_per_year
    deviation, mean = market - market.mean(), float(market.mean()) - period_rate
    spread = float(deviation @ deviation)
    beta = float(deviation @ asset) / spread
    alpha = float(asset.mean()) - period_rate - beta * mean
    unexplained = float(((asset - asset.mean() - beta * deviation) ** 2).sum())
    variance = unexplained / (n - _PARAMETERS)
    beta_error = math.sqrt(variance / spread)
    alpha_error = math.sqrt(variance * (1.0 / n + mean**2 / spread)) * periods_per_year
    width = student_t_quantile(0.5 + 0.5 * confidence, n - _PARAMETERS)
    total = float(((asset - asset.mean()) ** 2).sum())
    return CapmFit(
        alpha=alpha * periods_per_year,
        beta=beta,
        alpha_error=alpha_error,
        beta_error=beta_error,
        alpha_interval=_around(alpha * periods_per_year, width * alpha_error),
        beta_interval=_around(beta, width * beta_error),
        r_squared=1.0 - unexplained / total if total > 0.0 else 0.0,
        residual_volatility=math.sqrt(variance * periods_per_year),
        n_obs=n,
        confidence=confidence,
    )


@admits(RiskError)
def rolling_beta(asset_returns: ArrayLike, market_returns: ArrayLike, window: int) -> FloatArray:
    """Return the beta over every window of consecutive periods.

    Parameters
    ----------
    asset_returns, market_returns : array_like, shape (n_obs,)
        Simple returns over the same periods, finite.
    window : int
        Number of periods in a window, from 2 to `n_obs`.

    Returns
    -------
    ndarray, shape (n_obs - window + 1,)
        Betas, the oldest window first.

    Raises
    ------
    RiskError
        The returns are unusable as in :func:`capm_beta`, `window` is out of range, or the market return is constant in
        a window.
    """
    asset, market = _pair(asset_returns, market_returns, _PARAMETERS)
    if not _PARAMETERS <= window <= len(asset):
        raise RiskError(f"window={window!r} for {len(asset)} periods; give 2 to {len(asset)}", value=window)
    assets, markets = (np.lib.stride_tricks.sliding_window_view(side, window) for side in (asset, market))
    constant = np.flatnonzero(np.ptp(markets, axis=1) == 0.0)
    if len(constant):
        raise RiskError(
            f"the market return is constant in the {window} periods from row {constant[0]}, so beta is undefined; "
            "widen the window",
            value=int(constant[0]),
        )
    deviation = markets - markets.mean(axis=1, keepdims=True)
    return np.asarray((deviation * assets).sum(axis=1) / (deviation**2).sum(axis=1))


@admits(RiskError)
def vasicek_betas(betas: ArrayLike, errors: ArrayLike) -> FloatArray:
    """Shrink the betas of many assets towards their mean in proportion to their uncertainty (Vasicek 1973).

    Parameters
    ----------
    betas, errors : array_like, shape (n_assets,)
        Estimated betas of at least two assets, and their standard errors, at least 0.

    Returns
    -------
    ndarray, shape (n_assets,)
        Shrunk betas.

    Raises
    ------
    RiskError
        The shapes differ, there are fewer than two assets, or a value is not finite or negative.
    """
    given, error = np.asarray(betas, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if given.ndim != 1 or given.shape != error.shape or len(given) < _PARAMETERS:
        raise RiskError(f"betas of shape {given.shape} with errors of shape {error.shape}; give two or more of each")
    if not (np.isfinite(given).all() and np.isfinite(error).all() and (error >= 0.0).all()):
        raise RiskError("a beta is not finite, or a standard error is not finite or below 0; leave that asset out")
    prior = float(given.var(ddof=1))
    total = prior + error**2
    weight = np.divide(error**2, total, out=np.zeros_like(total), where=total > 0.0)
    return np.asarray(weight * given.mean() + (1.0 - weight) * given)


@admits(RiskError)
def blume_beta(beta: float) -> float:
    """Return a beta shrunk by a third towards 1, its long-run mean (Blume 1975).

    Parameters
    ----------
    beta : float
        Estimated beta.
    """
    return beta * 2.0 / 3.0 + 1.0 / 3.0


@admits(RiskError)
def capm_return(beta: float, *, risk_free_rate: float, market_return: float) -> float:
    """Return the required return of a beta by the security market line.

    Parameters
    ----------
    beta : float
        Beta of the asset to the market.
    risk_free_rate, market_return : float
        Risk-free rate and expected market return per year, as decimals.

    Returns
    -------
    float
        Required return per year, as a decimal.
    """
    return risk_free_rate + beta * (market_return - risk_free_rate)


def _around(centre: float, width: float) -> Interval:
    return Interval(centre - width, centre + width)


def _pair(asset_returns: ArrayLike, market_returns: ArrayLike, fewest: int) -> tuple[FloatArray, FloatArray]:
    asset, market = (np.asarray(side, dtype=np.float64) for side in (asset_returns, market_returns))
    if asset.ndim != 1 or asset.shape != market.shape:
        raise RiskError(f"asset returns have shape {asset.shape}, market returns {market.shape}; give the same periods")
    if len(asset) < fewest:
        raise RiskError(f"{len(asset)} periods are too few; give at least {fewest}", value=len(asset))
    for name, side in (("asset", asset), ("market", market)):
        bad = np.flatnonzero(~np.isfinite(side))
        if len(bad):
            raise RiskError(f"the {name} return in row {bad[0]} is {side[bad[0]]}; drop that row from both arrays")
    if np.ptp(market) == 0.0:
        raise RiskError(f"every market return is {market[0]:g}, so beta is undefined; give returns that vary")
    return asset, market
