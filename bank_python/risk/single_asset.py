"""Paths and value at risk of a single asset that follows a geometric Brownian motion.

Times are in years: thirty days in steps of one day are ``T=30/365, dt=1/365``. Losses are positive and relative to the
present price.

Examples
--------
>>> paths = gbm_paths(S0=97_420.0, mu=0.25, sigma=0.72, T=30 / 365, dt=1 / 365, n=10_000, seed=1)
>>> paths.shape, bool((paths[0] == 97_420.0).all())
((31, 10000), True)
>>> risk = gbm_var(S0=97_420.0, mu=0.25, sigma=0.72, T=30 / 365, dt=1 / 365, n=100_000, confidence=0.99, seed=1)
>>> round(risk.var / 97_420.0, 2), round(risk.cvar / 97_420.0, 2)
(0.38, 0.42)

References
----------
P. Glasserman, *Monte Carlo Methods in Financial Engineering* (2004), section 3.2: exact steps in the logarithm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import also_called, warn_of
from bank_python.errors import RiskError
from bank_python.figures import Figures
from bank_python.risk.tail_risk import tail_risk

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["GbmRisk", "gbm_paths", "gbm_var"]

_WHOLE = 1e-6


@dataclass(frozen=True, slots=True)
class GbmRisk(Figures):
    """Risk of a long position of one unit of an asset; losses are positive.

    Parameters
    ----------
    confidence : float
        Confidence level of the measures, in (0.5, 1).
    var, cvar : float
        Value at risk and expected shortfall, in the asset's currency.
    var_error, cvar_error : float
        Standard errors of `var` and `cvar`.
    """

    confidence: float
    var: float
    cvar: float
    var_error: float
    cvar_error: float

    @property
    def level(self) -> float:
        """Confidence level; the old name of :attr:`confidence`."""
        warn_of("GbmRisk.level", "confidence")
        return self.confidence


@admits(RiskError)
def gbm_paths(S0: float, mu: float, sigma: float, T: float, dt: float, n: int, seed: int | None = None) -> FloatArray:
    """Simulate price paths by exact steps of a geometric Brownian motion.

    Parameters
    ----------
    S0 : float
        Present price, above 0.
    mu : float
        Expected growth rate per year, continuously compounded, as a decimal.
    sigma : float
        Annual volatility as a decimal, at least 0.
    T : float
        Length of the paths in years, above 0.
    dt : float
        Length of a step in years, above 0; `T` must be a multiple of it.
    n : int
        Number of paths, at least 1.
    seed : int, optional
        Seed of the random generator. The same seed gives the same paths; by default they differ each time.

    Returns
    -------
    ndarray, shape (steps + 1, n)
        Prices, a column for each path; the first row is the present price.

    Raises
    ------
    RiskError
        An argument is out of range, or `dt` does not divide `T`.
    """
    _check(S0, mu, sigma, T, dt, n)
    steps = round(T / dt)
    rng = np.random.default_rng(seed)
    logs = np.zeros((steps + 1, n))
    rng.standard_normal(out=logs[1:])
    logs[1:] *= sigma * math.sqrt(dt)
    logs[1:] += (mu - 0.5 * sigma**2) * dt
    np.cumsum(logs, axis=0, out=logs)
    return np.asarray(S0 * np.exp(logs))


@also_called(level="confidence")
@admits(RiskError)
def gbm_var(
    S0: float,
    mu: float,
    sigma: float,
    T: float,
    dt: float,
    n: int,
    confidence: float = 0.99,
    seed: int | None = None,
) -> GbmRisk:
    """Estimate value at risk and expected shortfall of a position of one unit held until `T`.

    Parameters
    ----------
    S0, mu, sigma, T, dt, n, seed
        Parameters of the simulation, as for :func:`gbm_paths`.
    confidence : float, default 0.99
        Confidence level of the measures, in (0.5, 1). It can also be given as `level`.

    Raises
    ------
    RiskError
        An argument is out of range, or `dt` does not divide `T`.
    ModelError
        `confidence` is not in (0.5, 1), or there are fewer than two paths.
    """
    ends = gbm_paths(S0, mu, sigma, T, dt, n, seed)[-1]
    found = tail_risk(ends - S0, confidence)
    return GbmRisk(confidence, found.var, found.es, found.var_error, found.es_error)


def _check(S0: float, mu: float, sigma: float, T: float, dt: float, n: int) -> None:
    if not (0.0 < S0 < math.inf and math.isfinite(mu) and 0.0 <= sigma < math.inf):
        raise RiskError(f"S0={S0!r}, mu={mu!r}, sigma={sigma!r}: give S0 above 0, sigma at least 0, all finite")
    if not isinstance(n, int | np.integer) or n < 1:  # type: ignore[redundant-expr]  # checked for untyped callers
        raise RiskError(f"n={n!r} is not a whole number of at least 1; give a number of paths", value=n)
    if not (0.0 < T < math.inf and 0.0 < dt <= T * (1.0 + _WHOLE)):
        raise RiskError(
            f"T={T!r}, dt={dt!r}: give both in years, above 0, with dt not above T; a day is 1/365", value=dt
        )
    if abs(T / dt - round(T / dt)) > _WHOLE * T / dt:
        raise RiskError(f"dt={dt!r} does not divide T={T!r}; choose dt=T/steps, with a whole number of steps", value=dt)
