r"""Value at risk and expected shortfall of a sample of P&L, by six methods.

Both measures are positive for a loss. The *value at risk* at a confidence level α is the loss that is exceeded with
probability 1 − α; the *expected shortfall* is the mean of the losses beyond it.

================  ==================================================================================================
historical        quantile of the sample, and mean of the losses not below it
weighted          the same with weights that halve every `half_life` observations (Boudoukh, Richardson, Whitelaw)
filtered          historical, of P&L rescaled from its past to its present volatility, EWMA or GARCH (Barone-Adesi)
parametric        normal distribution with the sample's mean and standard deviation
cornish_fisher    normal quantile corrected for the sample's skewness and kurtosis, where the correction is monotone
evt               generalised Pareto distribution fitted to the losses beyond their 90 % quantile
================  ==================================================================================================

For a Monte Carlo sample ``historical`` is the usual estimator; its result has standard errors.

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
from bank_python.risk.filtered_losses import filtered_losses
from bank_python.risk_models.extremes import fit_tail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.risk_models.garch_fit import GarchFit

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
_MONEY_FROM = 100.0
_NODES = 64


@storable("risk.TailMethod", version=1)
class TailMethod(enum.Enum):
    """Method of estimating the tail; see the table in :mod:`bank_python.risk.tail_risk`."""

    HISTORICAL = "historical"
    WEIGHTED = "weighted"
    FILTERED = "filtered"
    PARAMETRIC = "parametric"
    CORNISH_FISHER = "cornish_fisher"
    EVT = "evt"


def _since_version_1(fields: Mapping[str, object], version: int) -> Mapping[str, object]:  # noqa: ARG001 - version 1 is the only old one
    return {"confidence" if name == "level" else name: value for name, value in fields.items()}


@storable("risk.TailRisk", version=2, upgrade=_since_version_1)
@dataclass(frozen=True, slots=True)
class TailRisk(Figures):
    """Value at risk and expected shortfall of a sample of P&L.

    Parameters
    ----------
    method : TailMethod
        Method of estimation.
    confidence : float
        Confidence level of the measures, in (0.5, 1).
    var, es : float
        Value at risk and expected shortfall in currency units, positive for a loss.
    observations : int
        Number of observations in the sample.
    var_error : float
        Standard error of `var`: from order statistics (historical) or for a normal distribution (parametric); NaN for
        the other methods.
    es_error : float
        Standard error of `es` for the historical method, from the variance of the tail and of its threshold; NaN for
        the other methods.
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
        """Confidence level; the old name of :attr:`confidence`."""
        warn_of("TailRisk.level", "confidence")
        return self.confidence

    def __str__(self) -> str:
        return f"VaR {self.confidence:.0%} {_amount(self.var)}, ES {_amount(self.es)}"


@renamed(level="confidence")
@admits(RiskError)
def value_at_risk(
    pnl: ArrayLike,
    confidence: float,
    method: TailMethod | str = TailMethod.HISTORICAL,
    *,
    half_life: float = 250.0,
    decay: float = 0.94,
    vol_model: str | GarchFit = "ewma",
) -> float:
    """Return the value at risk, the loss exceeded with probability 1 − `confidence`; see :func:`tail_risk`."""
    return tail_risk(pnl, confidence, method, half_life=half_life, decay=decay, vol_model=vol_model).var


@renamed(level="confidence")
@admits(RiskError)
def expected_shortfall(
    pnl: ArrayLike,
    confidence: float,
    method: TailMethod | str = TailMethod.HISTORICAL,
    *,
    half_life: float = 250.0,
    decay: float = 0.94,
    vol_model: str | GarchFit = "ewma",
) -> float:
    """Return the expected shortfall, the mean of the losses beyond the value at risk; see :func:`tail_risk`."""
    return tail_risk(pnl, confidence, method, half_life=half_life, decay=decay, vol_model=vol_model).es


@renamed(level="confidence")
@admits(RiskError)
def tail_risk(
    pnl: ArrayLike,
    confidence: float,
    method: TailMethod | str = TailMethod.HISTORICAL,
    *,
    half_life: float = 250.0,
    decay: float = 0.94,
    vol_model: str | GarchFit = "ewma",
) -> TailRisk:
    """Estimate value at risk and expected shortfall from a sample of P&L.

    Parameters
    ----------
    pnl : array_like, shape (n_obs,)
        P&L in currency units or as returns, profits positive; finite. For the methods ``weighted`` and ``filtered`` in
        order of time, the latest last.
    confidence : float
        Confidence level of the measures, in (0.5, 1).
    method : TailMethod or str, default "historical"
        Method of estimation, one of the six of :class:`TailMethod`.
    half_life : float, default 250.0
        Number of observations in which the weights of method ``weighted`` halve, above 0.
    decay : float, default 0.94
        Decay factor of the EWMA variance of method ``filtered``, in (0, 1); 0.94 is that of RiskMetrics for daily data.
    vol_model : {"ewma", "garch", "gjr", "egarch"} or GarchFit, default "ewma"
        Volatility model of method ``filtered``: EWMA, a model that is fitted to the P&L, or one fitted to it before.

    Raises
    ------
    ModelError
        The sample is too small or not finite, a parameter is out of range, or the method fails for this sample (a
        Cornish–Fisher expansion that is not monotone, a GARCH model that has not converged).
    """
    losses = _losses(pnl)
    check_confidence(confidence)
    chosen = _method(method)
    if chosen is not TailMethod.FILTERED and vol_model != "ewma":
        raise ModelError(
            f"vol_model={vol_model!r:.40} is for the method 'filtered', not {chosen.value!r}", name="vol_model"
        )
    if chosen is TailMethod.HISTORICAL:
        return tail_of_sorted(np.sort(losses), confidence)
    error = math.nan
    if chosen is TailMethod.WEIGHTED:
        var, es = _weighted(losses, confidence, half_life)
    elif chosen is TailMethod.FILTERED:
        filtered = tail_of_sorted(np.sort(filtered_losses(losses, decay, vol_model)), confidence)
        var, es = filtered.var, filtered.es
    elif chosen is TailMethod.PARAMETRIC:
        var, es, error = _parametric(losses, confidence)
    elif chosen is TailMethod.CORNISH_FISHER:
        var, es = _cornish_fisher(losses, confidence)
    else:
        tail = fit_tail(losses, share=max(0.1, 2.0 * (1.0 - confidence)))
        var, es = tail.value_at_risk(confidence), tail.expected_shortfall(confidence)
    return TailRisk(chosen, confidence, var, es, len(losses), error)


def _amount(value: float) -> str:
    """Return an amount of money without cents, and a return with four digits."""
    return f"{value:,.0f}" if abs(value) >= _MONEY_FROM else f"{value:.4g}"


def tail_of_sorted(losses: FloatArray, confidence: float) -> TailRisk:
    """Estimate the measures by the historical method from sorted losses.

    Parameters
    ----------
    losses : ndarray, shape (n_obs,)
        Losses in ascending order, positive for a loss.
    confidence : float
        Confidence level of the measures, in (0.5, 1).
    """
    n = len(losses)
    var = _quantile(losses, confidence)
    tail = losses[int(np.searchsorted(losses, var)) :]
    es = float(tail.mean(dtype=np.float64))
    width = math.sqrt(confidence * (1.0 - confidence) / n)
    error = 0.5 * (_quantile(losses, min(confidence + width, 1.0)) - _quantile(losses, max(confidence - width, 0.0)))
    spread = float(tail.var(dtype=np.float64)) + confidence * (es - var) ** 2
    return TailRisk(TailMethod.HISTORICAL, confidence, var, es, n, error, math.sqrt(spread / (n * (1.0 - confidence))))


def _quantile(losses: FloatArray, confidence: float) -> float:
    """Return a quantile of sorted losses by linear interpolation."""
    position = (len(losses) - 1) * confidence
    below = int(position)
    low, high = float(losses[below]), float(losses[min(below + 1, len(losses) - 1)])
    return low + (high - low) * (position - below)


def _method(method: TailMethod | str) -> TailMethod:
    try:
        return TailMethod(method)
    except ValueError:
        known = ", ".join(item.value for item in TailMethod)
        raise ModelError(f"no method {method!r}; choose one of {known}", value=method) from None


def check_confidence(confidence: float) -> None:
    """Raise an error unless a confidence level is in (0.5, 1).

    Parameters
    ----------
    confidence : float
        Confidence level to check.

    Raises
    ------
    ModelError
        The confidence level is not in (0.5, 1).
    """
    if not 0.5 < confidence < 1.0:  # noqa: PLR2004 - a tail is less than half of the distribution
        raise ModelError(f"confidence={confidence!r} is not in (0.5, 1); 0.99 is usual", value=confidence)


def _losses(pnl: ArrayLike) -> FloatArray:
    sample = -np.asarray(pnl, dtype=float).reshape(-1)
    if len(sample) < _FEWEST:
        raise ModelError(f"{len(sample)} observations are too few; give at least {_FEWEST}", value=len(sample))
    bad = np.flatnonzero(~np.isfinite(sample))
    if bad.size:
        raise ModelError(
            f"observation {int(bad[0])} is {-sample[bad[0]]}; leave it out, or correct it", value=int(bad[0])
        )
    return sample


def _weighted(losses: FloatArray, confidence: float, half_life: float) -> tuple[float, float]:
    if not half_life > 0.0 or not math.isfinite(half_life):
        raise ModelError(
            f"half_life={half_life!r} is not a finite number above 0; 250 is usual for days", value=half_life
        )
    weights = 0.5 ** (np.arange(len(losses))[::-1] / half_life)
    weights /= weights.sum()
    order = np.argsort(losses)[::-1]
    worst, cumulative = losses[order], np.cumsum(weights[order])
    i = int(np.searchsorted(cumulative, 1.0 - confidence))
    i = min(i, len(losses) - 1)
    inside = weights[order][: i + 1]
    return float(worst[i]), float((worst[: i + 1] * inside).sum() / inside.sum())


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

    def corrected(z: FloatArray) -> FloatArray:
        cubic = (z**3 - 3.0 * z) * excess / 24.0 - (2.0 * z**3 - 5.0 * z) * skewness**2 / 36.0
        return z + (z * z - 1.0) * skewness / 6.0 + cubic

    tail = gauss_legendre(_NODES, confidence, 1.0)  # the shortfall is the mean of the quantiles beyond the confidence
    grid = np.asarray(normal_quantile(np.linspace(confidence, 1.0 - 1e-9, 400)))
    if not (np.diff(corrected(grid)) > 0.0).all():
        raise ModelError(
            f"the Cornish–Fisher expansion is not monotone for a skewness of {skewness:.2f} and an excess kurtosis of "
            f"{excess:.2f}; use another method",
            value=(skewness, excess),
        )
    var = float(corrected(np.asarray([normal_quantile(confidence)]))[0])
    es = tail.integrate(lambda p: corrected(np.asarray(normal_quantile(p)))) / (1.0 - confidence)
    return mean + deviation * var, mean + deviation * es
