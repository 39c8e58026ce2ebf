r"""The capital asset pricing model: beta, alpha, how sure they are, and what the security market line asks for.

.. math:: r_i - r_f = \alpha + \beta\,(r_m - r_f) + \varepsilon, \qquad E[r_i] = r_f + \beta\,(E[r_m] - r_f)

Returns are simple, of one period; rates and expected returns are a year's. Confidence intervals are those of ordinary
least squares with independent normal residuals.

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
from bank_python.numerics import student_t_quantile
from bank_python.results import Figures
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["CapmFit", "blume_beta", "capm_beta", "capm_fit", "capm_return", "rolling_beta", "vasicek_betas"]

_PARAMETERS = 2


class Interval(NamedTuple):
    """Between which figures something lies."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CapmFit(Figures):
    """A regression of an asset's excess returns on the market's.

    Parameters
    ----------
    alpha, beta : float
        Alpha a year; beta without unit.
    alpha_error, beta_error : float
        Their standard errors.
    alpha_interval, beta_interval : Interval
        Where they lie with the given confidence.
    r_squared : float
        Share of the asset's variance that the market explains, in [0, 1].
    residual_volatility : float
        Of what it does not explain, a year.
    n_obs : int
        Periods.
    confidence : float
        Of the intervals.
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
        Of the same periods, at least two; finite. A constant rate taken from both changes nothing.

    Raises
    ------
    RiskError
        They differ in length, are too short, hold a gap, or the market never moves.
    """
    asset, market = _pair(asset_returns, market_returns, _PARAMETERS)
    away = market - market.mean()
    return float(away @ asset / (away @ away))


@admits(RiskError)
def capm_fit(
    asset_returns: ArrayLike,
    market_returns: ArrayLike,
    *,
    risk_free_rate: float = RISK_FREE_RATE,
    periods_per_year: float = 252.0,
    confidence: float = 0.95,
) -> CapmFit:
    """Fit the model by ordinary least squares.

    Parameters
    ----------
    asset_returns, market_returns : array_like, shape (n_obs,)
        Of the same periods, at least three; finite.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's, spread evenly over its periods.
    periods_per_year : float, default 252
        Above 0.
    confidence : float, default 0.95
        Of the intervals, in (0, 1).

    Raises
    ------
    RiskError
        As for :func:`capm_beta`, or a parameter is out of range.
    """
    if not 0.0 < confidence < 1.0:
        raise RiskError(f"confidence={confidence!r} lies outside (0, 1); 0.95 is usual", value=confidence)
    if not 0.0 < periods_per_year < math.inf:
        raise RiskError(f"periods_per_year={periods_per_year!r}; 252 for days, 12 for months", value=periods_per_year)
    asset, market = _pair(asset_returns, market_returns, _PARAMETERS + 1)
    n, a_period = len(asset), risk_free_rate / periods_per_year
    away, mean = market - market.mean(), float(market.mean()) - a_period
    spread = float(away @ away)
    beta = float(away @ asset) / spread
    alpha = float(asset.mean()) - a_period - beta * mean
    unexplained = float(((asset - asset.mean() - beta * away) ** 2).sum())
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
    """Return the beta of every window of periods, shape (n_obs - window + 1,); oldest first.

    Parameters
    ----------
    asset_returns, market_returns : array_like, shape (n_obs,)
        Of the same periods; finite.
    window : int
        Periods, from 2 to n_obs.

    Raises
    ------
    RiskError
        As for :func:`capm_beta`, the window does not fit, or the market never moves in one of them.
    """
    asset, market = _pair(asset_returns, market_returns, _PARAMETERS)
    if not _PARAMETERS <= window <= len(asset):
        raise RiskError(f"window={window!r} of {len(asset)} periods; give from 2 to {len(asset)}", value=window)
    ours, theirs = (np.lib.stride_tricks.sliding_window_view(side, window) for side in (asset, market))
    still = np.flatnonzero(np.ptp(theirs, axis=1) == 0.0)
    if len(still):
        raise RiskError(f"the market never moves in the {window} periods from number {still[0]}", value=int(still[0]))
    away = theirs - theirs.mean(axis=1, keepdims=True)
    return np.asarray((away * ours).sum(axis=1) / (away**2).sum(axis=1))


@admits(RiskError)
def vasicek_betas(betas: ArrayLike, errors: ArrayLike) -> FloatArray:
    """Draw betas of many assets towards their mean, each by as much as it is uncertain (Vasicek 1973).

    Parameters
    ----------
    betas, errors : array_like, shape (n_assets,)
        Estimates and their standard errors, at least two; errors at least 0.

    Raises
    ------
    RiskError
        They do not fit, or are out of range.
    """
    given, error = np.asarray(betas, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if given.ndim != 1 or given.shape != error.shape or len(given) < _PARAMETERS:
        raise RiskError(f"betas of shape {given.shape} with errors of shape {error.shape}; give two or more of each")
    if not (np.isfinite(given).all() and np.isfinite(error).all() and (error >= 0.0).all()):
        raise RiskError("a beta is not finite, or an error is below 0 or not finite; leave that asset out")
    prior = float(given.var(ddof=1))
    total = prior + error**2
    weight = np.divide(error**2, total, out=np.zeros_like(total), where=total > 0.0)
    return np.asarray(weight * given.mean() + (1.0 - weight) * given)


@admits(RiskError)
def blume_beta(beta: float) -> float:
    """Return a beta a third of the way to one, which betas tend to over the years (Blume 1975)."""
    return beta * 2.0 / 3.0 + 1.0 / 3.0


@admits(RiskError)
def capm_return(beta: float, *, risk_free_rate: float, market_return: float) -> float:
    """Return the return a year that the security market line asks of a beta."""
    return risk_free_rate + beta * (market_return - risk_free_rate)


def _around(centre: float, width: float) -> Interval:
    return Interval(centre - width, centre + width)


def _pair(asset_returns: ArrayLike, market_returns: ArrayLike, fewest: int) -> tuple[FloatArray, FloatArray]:
    asset, market = (np.asarray(side, dtype=np.float64) for side in (asset_returns, market_returns))
    if asset.ndim != 1 or asset.shape != market.shape:
        raise RiskError(
            f"the asset has returns of shape {asset.shape}, the market {market.shape}; give the same periods"
        )
    if len(asset) < fewest:
        raise RiskError(f"{len(asset)} periods are too few; give at least {fewest}", value=len(asset))
    for name, side in (("asset", asset), ("market", market)):
        gaps = np.flatnonzero(~np.isfinite(side))
        if len(gaps):
            raise RiskError(f"the {name}'s return in row {gaps[0]} is {side[gaps[0]]}; drop that row from both sides")
    if np.ptp(market) == 0.0:
        raise RiskError(f"the market never moves: every return is {market[0]:g}; nothing can be told from it")
    return asset, market
