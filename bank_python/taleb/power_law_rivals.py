r"""Laws beside which a power law is put: lognormal, stretched exponential, exponential, and with a cutoff.

All are laws of a tail from xmin on. In :math:`y = \log(x / x_{min})`, the power law is :math:`a e^{-a y}`, and three of
the four bend it by a second parameter that is 0 for the power law itself:

.. math:: \text{lognormal: } e^{-a y - c y^2 / 2} / Z, \qquad
          \text{stretched exponential: } P(Y > y) = \exp\Big(-a \frac{e^{\beta y} - 1}{\beta}\Big), \qquad
          \text{cutoff: } e^{-a y - \lambda e^y} / Z .

Written so, the likelihood stays regular where the usual parameters run away: the lognormal that fits a power law best
has its mean at minus infinity. If no bend makes the data likelier, the fit is the power law (c = 0, β = 0, λ = 0). For
whole numbers, lognormal and stretched exponential are rounded, :math:`P(k) = P(k - 1/2 < X < k + 1/2)` with the tail
beginning at xmin − 1/2, while exponential and cutoff are proportional to their density.

Examples
--------
>>> tail = RivalData(np.exp(np.linspace(0.0, 2.0, 50)), 1.0, is_whole=False)
>>> fit_rival(Rival.LOGNORMAL, tail).parameters["sigma"] > 0.0
True

References
----------
A. Clauset, C. R. Shalizi and M. E. J. Newman, "Power-law distributions in empirical data", SIAM Review 51 (2009),
661-703, table 2.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.errors import CalibrationError
from bank_python.numerics.error_function import erfcx
from bank_python.numerics.normal import normal_cdf
from bank_python.numerics.quadrature import gauss_legendre
from bank_python.numerics.scoring import LinearLimits, minimise_by_scoring

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics import FloatArray

__all__ = ["Rival", "RivalData", "RivalFit", "fit_rival"]

_STEP = 1e-5  # of the differences that give the scores
_LEAST = 1e-9  # bend below which the limit is taken
_FAR = -5.0  # argument below which the Mills ratio is that of a whole normal law
_NEGLIGIBLE = 45.0  # exponent beyond which an integrand is below the last digit
_SUMMED = 200  # whole numbers whose probabilities are summed one by one; the rest is integrated
_PER_UNIT = 12  # nodes of the quadrature in a unit of y
_WIDEST = 700.0
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_HALF = 0.5
_CONVERGED = 1e-10  # in log-likelihood
_NO_GAIN = 1e-7  # of the log-likelihood by a bend: below, the fit is the power law


class Rival(Enum):
    """A law beside which the power law is put."""

    LOGNORMAL = "lognormal"
    STRETCHED_EXPONENTIAL = "stretched_exponential"
    EXPONENTIAL = "exponential"
    TRUNCATED_POWER_LAW = "truncated_power_law"


@dataclass(frozen=True)
class RivalData:
    """A tail as the laws need it: different values with their numbers.

    Parameters
    ----------
    tail : ndarray, shape (n,)
        Observations of at least `xmin`.
    xmin : float
        Start of the tail.
    is_whole : bool
        Whether the data are whole numbers.
    """

    tail: FloatArray
    xmin: float
    is_whole: bool

    @cached_property
    def _unique(self) -> tuple[FloatArray, FloatArray]:
        values, counts = np.unique(self.tail, return_counts=True)
        return values, counts.astype(np.float64)

    @property
    def values(self) -> FloatArray:
        """Different values, increasing."""
        return self._unique[0]

    @property
    def counts(self) -> FloatArray:
        """Number of observations of each value."""
        return self._unique[1]

    @cached_property
    def start(self) -> float:
        """Start of a rounded law: half a unit below the first whole number."""
        return self.xmin - _HALF if self.is_whole else self.xmin


class RivalFit(NamedTuple):
    """A fitted law: its parameters by name, log densities of the values, and whether it is the power law itself."""

    parameters: dict[str, float]
    log_densities: FloatArray
    is_limit: bool


def fit_rival(law: Rival, data: RivalData) -> RivalFit:
    """Fit a law to a tail by maximum likelihood.

    Parameters
    ----------
    law : Rival
        Law to fit.
    data : RivalData
        Tail with at least two different values.
    """
    if law is Rival.EXPONENTIAL:
        return _exponential(data)
    bend = data.xmin / float(data.values[-1]) if law is Rival.TRUNCATED_POWER_LAW else 1.0
    y = np.log(data.values / data.start)
    slope = float(data.counts.sum() / (data.counts @ y))

    def density(at: FloatArray) -> FloatArray | None:
        return _DENSITIES[law](float(at[0]), bend * float(at[1]) if len(at) > 1 else 0.0, data)

    limit, straight = _most_likely(density, data, np.array([slope]))
    bent, curved = _most_likely(density, data, np.array([float(limit[0]), 0.1]))
    if not data.counts @ (curved - straight) > _NO_GAIN:
        return RivalFit(_NAMED[law](float(limit[0]), 0.0, data), straight, is_limit=True)
    return RivalFit(_NAMED[law](float(bent[0]), bend * float(bent[1]), data), curved, is_limit=False)


def _most_likely(
    density: Callable[[FloatArray], FloatArray | None], data: RivalData, start: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the slope, and bend if there is a start for it, with the highest likelihood, and the log densities."""
    counts = data.counts

    def evaluate(at: FloatArray) -> tuple[float, FloatArray, FloatArray] | None:
        here = density(at)
        if here is None:
            return None
        scores = np.empty((len(here), len(at)))
        for i, size in enumerate(np.maximum(np.abs(at), 1.0) * _STEP):
            step = np.zeros(len(at))
            step[i] = size
            once, twice = density(at + step), density(at + 2.0 * step)
            if once is None or twice is None:
                return None
            scores[:, i] = (4.0 * once - 3.0 * here - twice) / (2.0 * size)
        return -float(counts @ here), -(counts @ scores), (scores * counts[:, None]).T @ scores

    limits = LinearLimits(np.eye(len(start))[1:], np.zeros(len(start) - 1))
    found = minimise_by_scoring(evaluate, start, limits, tolerance=_CONVERGED).parameters
    found[1:] = np.maximum(found[1:], 0.0)
    log_densities = density(found)
    if log_densities is None:
        raise CalibrationError("a law beside the power law has no finite likelihood; check the tail for outliers")
    return found, log_densities


def _interval(survival: Callable[[FloatArray], FloatArray], data: RivalData) -> FloatArray:
    """Return the log probabilities of whole numbers from the log survival function of y."""
    low = np.log((data.values - _HALF) / data.start)
    high = np.log((data.values + _HALF) / data.start)
    before, after = survival(low), survival(high)
    return np.asarray(before + np.log(-np.expm1(after - before)))


def _log_mills(z: FloatArray) -> FloatArray:
    """Return the logarithm of Mills' ratio, the normal tail probability over the density."""
    with np.errstate(over="ignore", divide="ignore"):
        near = np.log(math.sqrt(0.5 * math.pi) * np.asarray(erfcx(np.maximum(z, _FAR) / math.sqrt(2.0))))
        far = np.log(np.asarray(normal_cdf(-z))) + 0.5 * z * z + _LOG_ROOT_TWO_PI
    return np.asarray(np.where(z < _FAR, far, near))


def _lognormal(slope: float, bend: float, data: RivalData) -> FloatArray | None:
    if bend < 0.0 or (bend <= _LEAST and slope <= 0.0):
        return None
    root = math.sqrt(bend)

    def survival(y: FloatArray) -> FloatArray:
        if bend <= _LEAST:
            return np.asarray(-slope * y)
        there, here = _log_mills((slope + bend * y) / root), _log_mills(np.array([slope / root]))
        return np.asarray(-slope * y - 0.5 * bend * y * y + there - here)

    with np.errstate(all="ignore"):
        if data.is_whole:
            found = _interval(survival, data)
        else:
            y = np.log(data.values / data.xmin)
            whole = (
                -math.log(slope) if bend <= _LEAST else float(_log_mills(np.array([slope / root]))[0]) - math.log(root)
            )
            found = -slope * y - 0.5 * bend * y * y - whole - np.log(data.values)
    return np.asarray(found) if np.isfinite(found).all() else None


def _stretched(slope: float, bend: float, data: RivalData) -> FloatArray | None:
    if slope <= 0.0 or bend < 0.0:
        return None

    def survival(y: FloatArray) -> FloatArray:
        return np.asarray(-slope * (y if bend <= _LEAST else np.expm1(bend * y) / bend))

    with np.errstate(all="ignore"):
        if data.is_whole:
            found = _interval(survival, data)
        else:
            y = np.log(data.values / data.xmin)
            found = math.log(slope) + bend * y + survival(y) - np.log(data.values)
    return np.asarray(found) if np.isfinite(found).all() else None


def _cutoff(slope: float, bend: float, data: RivalData) -> FloatArray | None:
    if bend < 0.0 or (bend <= 0.0 and slope <= 0.0):
        return None

    def log_weight(ratio: FloatArray) -> FloatArray:
        return np.asarray(-(slope + 1.0) * np.log(ratio) - bend * (ratio - 1.0))

    start, summed = 1.0, 0.0
    if data.is_whole:
        ratios = (data.xmin + np.arange(float(_SUMMED))) / data.xmin
        summed = float(np.exp(log_weight(ratios)).sum())
        start = (data.xmin + _SUMMED - _HALF) / data.xmin
    rest = _integral(slope, bend, math.log(start))
    if data.is_whole:  # midpoint rule with its first correction: sum f = integral of f + f'/24
        change = -((slope + 1.0) / start + bend) * math.exp(float(log_weight(np.array(start))))
        summed += data.xmin * rest + change / (24.0 * data.xmin)
        return np.asarray(log_weight(data.values / data.xmin) - math.log(summed))
    return np.asarray(log_weight(data.values / data.xmin) - math.log(rest) - math.log(data.xmin))


def _integral(slope: float, rate: float, start: float) -> float:
    """Return the integral of exp(−slope·y − rate·(eʸ − 1)) from a start to infinity."""
    end = _WIDEST
    if slope > 0.0:
        end = min(end, start + _NEGLIGIBLE / slope)
    if rate > 0.0:
        end = min(end, math.log(math.exp(start) + (_NEGLIGIBLE + max(-slope, 0.0) * _WIDEST) / rate))
    panels = max(1, math.ceil(end - start))
    rule = gauss_legendre(_PER_UNIT)
    width = (end - start) / panels
    y = start + width * (np.arange(panels)[:, None] + 0.5 * (1.0 + rule.nodes))
    with np.errstate(over="ignore"):
        inside = np.exp(-slope * y - rate * np.expm1(y))
    return float((inside @ rule.weights).sum() * 0.5 * width)


def _exponential(data: RivalData) -> RivalFit:
    excess = data.values - data.xmin
    mean = float(data.counts @ excess / data.counts.sum())
    if data.is_whole:
        rate = math.log1p(1.0 / mean)
        found = math.log(-math.expm1(-rate)) - rate * excess
    else:
        rate = 1.0 / mean
        found = math.log(rate) - rate * excess
    return RivalFit({"rate": rate}, found, is_limit=False)


def _lognormal_names(slope: float, bend: float, data: RivalData) -> dict[str, float]:
    if bend <= _LEAST:
        return {"mu": -math.inf, "sigma": math.inf}
    return {"mu": math.log(data.start) - slope / bend, "sigma": 1.0 / math.sqrt(bend)}


def _stretched_names(slope: float, bend: float, data: RivalData) -> dict[str, float]:
    if bend <= _LEAST:
        return {"rate": math.inf, "beta": 0.0}
    # exp(−(rate·x)^β) with (rate·start)^β = slope/β
    log_rate = math.log(slope / bend) / bend - math.log(data.start)
    return {"rate": math.exp(log_rate) if log_rate < _WIDEST else math.inf, "beta": bend}


def _cutoff_names(slope: float, bend: float, data: RivalData) -> dict[str, float]:
    return {"alpha": slope + 1.0, "rate": bend / data.xmin}


_DENSITIES = {
    Rival.LOGNORMAL: _lognormal,
    Rival.STRETCHED_EXPONENTIAL: _stretched,
    Rival.TRUNCATED_POWER_LAW: _cutoff,
}
_NAMED = {
    Rival.LOGNORMAL: _lognormal_names,
    Rival.STRETCHED_EXPONENTIAL: _stretched_names,
    Rival.TRUNCATED_POWER_LAW: _cutoff_names,
}
