r"""Value at risk and expected shortfall of a sample of P&L, by six methods behind one result.

Both are positive for a loss. The *value at risk* at a level α is the loss that is exceeded with probability 1 − α, the
*expected shortfall* the mean of the losses from there on.

================  ==================================================================================================
historical        the sample's own quantile, and the mean of the losses not below it
weighted          the same with weights that halve every `half_life` observations back (Boudoukh, Richardson, Whitelaw)
filtered          historical, of P&L divided by its EWMA volatility and multiplied by the present one (Barone-Adesi)
parametric        of a normal distribution with the sample's mean and standard deviation
cornish_fisher    the normal quantile bent by the sample's skewness and kurtosis, where that bend is monotone
evt               a generalised Pareto distribution fitted beyond the losses' 90 % quantile
================  ==================================================================================================

A Monte Carlo sample is a sample: ``historical`` is its estimator, and the result carries a standard error.

Examples
--------
>>> pnl = np.random.default_rng(0).normal(0.0, 1e6, 100_000)
>>> [round(value_at_risk(pnl, 0.99, method) / 1e6, 2) for method in ("historical", "parametric", "cornish_fisher")]
[2.34, 2.33, 2.34]
>>> round(expected_shortfall(pnl, 0.975) / 1e6, 2)
2.35

References
----------
A. J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management* (2015), sections 2.3 and 9.2.

J. Boudoukh, M. Richardson and R. Whitelaw, "The best of both worlds", Risk 11 (May 1998), 64-67.

G. Barone-Adesi, K. Giannopoulos and L. Vosper, "VaR without correlations for portfolios of derivative securities",
Journal of Futures Markets 19 (1999), 583-602.

B. J. Manistre and G. H. Hancock, "Variance of the CTE estimator", North American Actuarial Journal 9 (2005), 129-156.

D. Maillard, "A user's guide to the Cornish Fisher expansion" (2012): the domain in which it is monotone.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import storable
from bank_python.deprecation import renamed, warn_of
from bank_python.errors import ModelError, RiskError
from bank_python.numerics import gauss_legendre, normal_pdf, normal_quantile
from bank_python.results import Figures
from bank_python.risk_models.extremes import fit_tail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = [
    "TailMethod",
    "TailRisk",
    "check_confidence",
    "expected_shortfall",
    "tail_of_sorted",
    "tail_risk",
    "value_at_risk",
]

_FEWEST = 2
_NODES = 64


@storable("risk.TailMethod", version=1)
class TailMethod(enum.Enum):
    """How the tail is estimated; see :mod:`bank_python.risk.tail_risk`."""

    HISTORICAL = "historical"
    WEIGHTED = "weighted"
    FILTERED = "filtered"
    PARAMETRIC = "parametric"
    CORNISH_FISHER = "cornish_fisher"
    EVT = "evt"


def _since_version_1(fields: Mapping[str, object], version: int) -> Mapping[str, object]:  # noqa: ARG001 - there was one
    return {"confidence" if name == "level" else name: value for name, value in fields.items()}


@storable("risk.TailRisk", version=2, upgrade=_since_version_1)
@dataclass(frozen=True, slots=True)
class TailRisk(Figures):
    """The tail of a sample of P&L.

    Parameters
    ----------
    method : TailMethod
        How it was estimated.
    confidence : float
        Of the measures, such as 0.99.
    var, es : float
        Value at risk and expected shortfall, positive for a loss.
    observations : int
        The sample's size.
    var_error : float
        Standard error of `var`: of the sample's quantile (historical, by the spread of its order statistics), of the
        normal distribution's (parametric); NaN for the other methods.
    es_error : float
        Standard error of `es`, for the historical method: by the spread of the tail, and of where it begins.
    """

    method: TailMethod
    confidence: float
    var: float
    es: float
    observations: int
    var_error: float
    es_error: float = math.nan

    @property
    def level(self) -> float:
        """:attr:`confidence`, by its old name."""
        warn_of("TailRisk.level", "confidence")
        return self.confidence

    def __str__(self) -> str:
        return f"VaR {self.confidence:.0%} {self.var:,.0f}, ES {self.es:,.0f}"


@renamed(level="confidence")
@admits(RiskError)
def value_at_risk(
    pnl: ArrayLike,
    confidence: float,
    method: TailMethod | str = TailMethod.HISTORICAL,
    *,
    half_life: float = 250.0,
    decay: float = 0.94,
) -> float:
    """Return the loss that is exceeded with probability 1 − `confidence`; see :func:`tail_risk`."""
    return tail_risk(pnl, confidence, method, half_life=half_life, decay=decay).var


@renamed(level="confidence")
@admits(RiskError)
def expected_shortfall(
    pnl: ArrayLike,
    confidence: float,
    method: TailMethod | str = TailMethod.HISTORICAL,
    *,
    half_life: float = 250.0,
    decay: float = 0.94,
) -> float:
    """Return the mean of the losses from the value at risk on; see :func:`tail_risk`."""
    return tail_risk(pnl, confidence, method, half_life=half_life, decay=decay).es


@renamed(level="confidence")
@admits(RiskError)
def tail_risk(
    pnl: ArrayLike,
    confidence: float,
    method: TailMethod | str = TailMethod.HISTORICAL,
    *,
    half_life: float = 250.0,
    decay: float = 0.94,
) -> TailRisk:
    """Estimate value at risk and expected shortfall.

    Parameters
    ----------
    pnl : array_like, shape (n_obs,)
        Profits positive, losses negative; in the order of time, the latest last, where the method weighs by age.
    confidence : float
        The confidence, in (0.5, 1).
    method : TailMethod or str, default "historical"
        One of the six.
    half_life : float, default 250.0
        For ``weighted``: observations after which a weight has halved.
    decay : float, default 0.94
        For ``filtered``: of the EWMA variance, in (0, 1); RiskMetrics' for days.

    Raises
    ------
    ModelError
        The sample is too small or not finite, `confidence` or another parameter is out of range, or the method has no
        answer for this sample (a Cornish–Fisher bend that is not monotone); the message says which.
    """
    losses = _losses(pnl)
    check_confidence(confidence)
    chosen = _method(method)
    if chosen is TailMethod.HISTORICAL:
        return tail_of_sorted(np.sort(losses), confidence)
    error = math.nan
    if chosen is TailMethod.WEIGHTED:
        var, es = _weighted(losses, confidence, half_life)
    elif chosen is TailMethod.FILTERED:
        filtered = tail_of_sorted(np.sort(_filtered(losses, decay)), confidence)
        var, es = filtered.var, filtered.es
    elif chosen is TailMethod.PARAMETRIC:
        var, es, error = _parametric(losses, confidence)
    elif chosen is TailMethod.CORNISH_FISHER:
        var, es = _cornish_fisher(losses, confidence)
    else:
        tail = fit_tail(losses, share=max(0.1, 2.0 * (1.0 - confidence)))
        var, es = tail.value_at_risk(confidence), tail.expected_shortfall(confidence)
    return TailRisk(chosen, confidence, var, es, len(losses), error)


def tail_of_sorted(losses: FloatArray, confidence: float) -> TailRisk:
    """Return the historical measures of losses that are sorted already, the largest last; see :func:`tail_risk`."""
    n = len(losses)
    var = _ordered(losses, confidence)
    tail = losses[int(np.searchsorted(losses, var)) :]
    es = float(tail.mean(dtype=np.float64))
    width = math.sqrt(confidence * (1.0 - confidence) / n)
    error = 0.5 * (_ordered(losses, min(confidence + width, 1.0)) - _ordered(losses, max(confidence - width, 0.0)))
    spread = float(tail.var(dtype=np.float64)) + confidence * (es - var) ** 2
    return TailRisk(TailMethod.HISTORICAL, confidence, var, es, n, error, math.sqrt(spread / (n * (1.0 - confidence))))


def _ordered(losses: FloatArray, confidence: float) -> float:
    """Return the quantile of sorted losses, between two of them in proportion."""
    place = (len(losses) - 1) * confidence
    below = int(place)
    low, high = float(losses[below]), float(losses[min(below + 1, len(losses) - 1)])
    return low + (high - low) * (place - below)


def _method(method: TailMethod | str) -> TailMethod:
    try:
        return TailMethod(method)
    except ValueError:
        known = ", ".join(item.value for item in TailMethod)
        raise ModelError(f"no method {method!r}; there are {known}", value=method) from None


def check_confidence(confidence: float) -> None:
    """Refuse what is no confidence.

    Raises
    ------
    ModelError
        It is not in (0.5, 1).
    """
    if not 0.5 < confidence < 1.0:  # noqa: PLR2004 - a tail is less than half
        raise ModelError(f"confidence={confidence!r} is not in (0.5, 1); 0.99 is usual", value=confidence)


def _losses(pnl: ArrayLike) -> FloatArray:
    sample = -np.asarray(pnl, dtype=float).reshape(-1)
    if len(sample) < _FEWEST:
        raise ModelError(f"{len(sample)} observations: a tail needs at least two", value=len(sample))
    bad = np.flatnonzero(~np.isfinite(sample))
    if bad.size:
        raise ModelError(
            f"observation {int(bad[0])} is {-sample[bad[0]]}: leave it out, or correct it", value=int(bad[0])
        )
    return sample


def _weighted(losses: FloatArray, confidence: float, half_life: float) -> tuple[float, float]:
    if not half_life > 0.0 or not math.isfinite(half_life):
        raise ModelError(f"half_life={half_life!r} is not a finite number above 0", value=half_life)
    weights = 0.5 ** (np.arange(len(losses))[::-1] / half_life)
    weights /= weights.sum()
    order = np.argsort(losses)[::-1]
    worst, gathered = losses[order], np.cumsum(weights[order])
    i = int(np.searchsorted(gathered, 1.0 - confidence))
    i = min(i, len(losses) - 1)
    inside = weights[order][: i + 1]
    return float(worst[i]), float((worst[: i + 1] * inside).sum() / inside.sum())


def _filtered(losses: FloatArray, decay: float) -> FloatArray:
    if not 0.0 < decay < 1.0:
        raise ModelError(f"decay={decay!r} lies outside (0, 1); 0.94 is usual for days", value=decay)
    variance = np.empty(len(losses) + 1)
    variance[0] = losses.var()
    for i, loss in enumerate(losses.tolist()):
        variance[i + 1] = decay * variance[i] + (1.0 - decay) * loss * loss
    vol = np.sqrt(variance)
    if not (vol > 0.0).all():
        raise ModelError("the P&L does not move: it has no volatility to be filtered by", value=0.0)
    return np.asarray(losses / vol[:-1] * vol[-1])


def _parametric(losses: FloatArray, confidence: float) -> tuple[float, float, float]:
    mean, deviation, n = float(losses.mean()), float(losses.std(ddof=1)), len(losses)
    z = cast("float", normal_quantile(confidence))
    error = deviation * math.sqrt(1.0 / n + z * z / (2.0 * (n - 1)))
    return mean + deviation * z, mean + deviation * cast("float", normal_pdf(z)) / (1.0 - confidence), error


def _cornish_fisher(losses: FloatArray, confidence: float) -> tuple[float, float]:
    mean, deviation = float(losses.mean()), float(losses.std())
    if deviation == 0.0:
        return mean, mean
    standard = (losses - mean) / deviation
    skewness, excess = float((standard**3).mean()), float((standard**4).mean()) - 3.0

    def bent(z: FloatArray) -> FloatArray:
        cubic = (z**3 - 3.0 * z) * excess / 24.0 - (2.0 * z**3 - 5.0 * z) * skewness**2 / 36.0
        return z + (z * z - 1.0) * skewness / 6.0 + cubic

    tail = gauss_legendre(_NODES, confidence, 1.0)  # the shortfall is the mean of the quantiles beyond the level
    grid = np.asarray(normal_quantile(np.linspace(confidence, 1.0 - 1e-9, 400)))
    if not (np.diff(bent(grid)) > 0.0).all():
        raise ModelError(
            f"the Cornish–Fisher bend is not monotone for a skewness of {skewness:.2f} and an excess kurtosis of "
            f"{excess:.2f}; use another method",
            value=(skewness, excess),
        )
    var = float(bent(np.asarray([normal_quantile(confidence)]))[0])
    es = tail.integrate(lambda p: bent(np.asarray(normal_quantile(p)))) / (1.0 - confidence)
    return mean + deviation * var, mean + deviation * es
