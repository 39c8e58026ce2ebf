r"""Exponentially weighted moving average (EWMA) of squared returns: the volatility of RiskMetrics.

.. math:: \sigma^2_{t+1} = \lambda\, \sigma^2_t + (1 - \lambda)\, r_t^2

The mean return is taken as 0. All forecasts of the variance per period beyond the next one are equal to it. The
recursion needs a variance to start with; its weight after t returns is :math:`\lambda^t`.

Examples
--------
>>> ewma_variance([0.01, -0.02, 0.03], start=1e-4).round(7).tolist()
[0.0001, 0.0001, 0.000118, 0.0001649]

References
----------
J. P. Morgan and Reuters, *RiskMetrics Technical Document* (1996), section 5.2: λ = 0.94 for daily and 0.97 for monthly
data.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.smoothing import smoothed
from bank_python.risk_models.observations import finite_series, periods_in_year

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["ewma_variance", "ewma_volatility"]

_BACKCAST_LENGTH = 75
_BACKCAST_DECAY = 0.94
_STARTS = ("mean_square", "backcast", "first")


@admits(ModelError)
def ewma_variance(returns: ArrayLike, decay: float = 0.94, *, start: float | str = "mean_square") -> FloatArray:
    """Return the EWMA variance before each return, and after the last one.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Returns of equal periods, oldest first, in any unit; finite.
    decay : float, default 0.94
        Decay factor λ per period, in (0, 1).
    start : float or str, default "mean_square"
        Variance before the first return: a number above 0 in the squared unit of the returns; ``"mean_square"`` of
        all returns; ``"backcast"``, the mean square of the first 75 with weights 0.94ⁱ; ``"first"`` squared return.

    Returns
    -------
    ndarray, shape (n + 1,)
        Variance per period in the squared unit of the returns. Entry t uses the returns before t (and `start`, which
        may use all of them); the last entry is the forecast for the next period, and for each one after it.

    Raises
    ------
    ModelError
        There are no returns, one is not finite, all are 0, `decay` or `start` is out of range, or the start is a
        variance of 0.
    """
    known = finite_series("returns", returns)
    if not 0.0 < decay < 1.0:
        raise ModelError(f"decay={decay!r} lies outside (0, 1); 0.94 is usual for days", name="decay", value=decay)
    squares = known * known
    if not (squares > 0.0).any():
        raise ModelError(f"all {len(known)} returns are 0 and have no volatility; check the series", value=0.0)
    before = _start(squares, start)
    if not before > 0.0:
        said = f"start={start!r} is a variance of 0, as the first returns are 0; give start='mean_square', or a number"
        raise ModelError(said, name="start", value=start)
    return np.concatenate([[before], smoothed(squares, 1.0 - decay, before)])


@admits(ModelError)
def ewma_volatility(
    returns: ArrayLike, decay: float = 0.94, *, periods_per_year: float, start: float | str = "mean_square"
) -> FloatArray:
    """Return the EWMA volatility per year before each return, and after the last one.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Returns of equal periods, oldest first; finite. Decimals give a volatility in decimals.
    decay : float, default 0.94
        Decay factor λ per period, in (0, 1).
    periods_per_year : float
        Number of periods in a year: 252 for daily returns of shares, 365 of crypto, 24 × 365 for hourly ones; 1 gives
        the volatility per period.
    start : float or str, default "mean_square"
        Variance per period before the first return; see :func:`ewma_variance`.

    Returns
    -------
    ndarray, shape (n + 1,)
        Volatility per year; the last entry is the forecast.

    Raises
    ------
    ModelError
        As :func:`ewma_variance`, or `periods_per_year` is not above 0.
    """
    periods = periods_in_year(periods_per_year)
    return np.asarray(np.sqrt(periods * ewma_variance(returns, decay, start=start)))


def _start(squares: FloatArray, start: float | str) -> float:
    if not isinstance(start, str):
        if not (start > 0.0 and math.isfinite(start)):
            said = f"start={start!r} is not a variance; give a finite number above 0, or one of {', '.join(_STARTS)}"
            raise ModelError(said, name="start", value=start)
        return float(start)
    if start == "mean_square":
        return float(squares.mean())
    if start == "first":
        return float(squares[0])
    if start == "backcast":
        first = squares[:_BACKCAST_LENGTH]
        return float(np.average(first, weights=_BACKCAST_DECAY ** np.arange(len(first))))
    raise ModelError(f"no start {start!r}; give a variance, or one of {', '.join(_STARTS)}", name="start", value=start)
