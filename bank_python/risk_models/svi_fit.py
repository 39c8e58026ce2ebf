r"""Fitting of an SVI smile to the quotes of one expiry, without butterfly or calendar arbitrage.

A fit has up to three stages:

1. *plain*: weighted least squares in total variance, with a positive variance and wings within Lee's bound
   (:mod:`bank_python.risk_models.svi_least_squares`). Quotes on an SVI smile are reproduced exactly.
2. *refit*, if the plain fit has a butterfly or a calendar arbitrage: the same least squares with a penalty on negative
   values of Durrleman's function and of the increase of total variance from the previous expiry. The weight of the
   penalty is raised step by step. The penalty is evaluated at points; where the result violates the conditions between
   them, a point is added and the search is continued.
3. *blend*, if a small arbitrage remains: the shortest step towards a smile known to be free of arbitrage, which is the
   smile of the previous expiry, raised, or without one the flat smile. The result is checked at all strikes and not
   only at the quoted ones.

The :class:`SliceFit` has the smile, its errors, and a :class:`SliceRepair` if the plain fit has an arbitrage.

Examples
--------
>>> from bank_python.risk_models.smile_quotes import SmileQuotes
>>> true = SviSlice(0.01, 0.1, -0.4, 0.05, 0.2)
>>> k = np.linspace(-0.5, 0.5, 11)
>>> fit = fit_slice(SmileQuotes(0.5, k, true.total_variance(k)))
>>> np.allclose(fit.smile.parameters, true.parameters, atol=1e-8), fit.repair
(True, None)
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.roots import find_edge
from bank_python.plotting import Plotted, percent
from bank_python.risk_models.arbitrage import ArbitrageReport, calendar_gap, check_slices
from bank_python.risk_models.svi import SviSlice, butterfly_g, hyperbola
from bank_python.risk_models.svi_least_squares import Box, coordinates, raw_parameters, search, slice_at, starts

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray
    from bank_python.risk_models.smile_quotes import SmileQuotes

__all__ = ["ArbitragePolicy", "RepairMethod", "SliceFit", "SliceRepair", "fit_slice"]

_PENALTIES: Final = (1.0, 30.0, 1000.0)
_CUTS = 10
_LEAST_SHARE = 0.1  # a lower limit of the variance, as g is unbounded near 0, where a search would not recover
_MARGIN = 1.0e-4  # target of the penalised quantities, above zero so that the result is above zero
_PENALTY_POINTS = np.sinh(np.linspace(-7.0, 7.0, 113))  # distances from the vertex in units of sigma
_HALVINGS = 40
_DRAWN = 300
_DEVIATIONS = 2.5


class ArbitragePolicy(enum.Enum):
    """The action if the plain fit has an arbitrage: repair it and report the repair, or raise an error."""

    REPAIR = "repair"
    REFUSE = "refuse"


class RepairMethod(enum.Enum):
    """The method by which an arbitrage was removed: a penalised refit, or a refit and a blend."""

    REFIT = "refit"
    BLEND = "blend"


@dataclass(frozen=True, slots=True)
class SliceRepair(Record):
    """The repair of a fit with arbitrage.

    Parameters
    ----------
    found : ArbitrageReport
        Arbitrage of the plain fit.
    before : SviSlice
        Smile of the plain fit.
    method : RepairMethod
        Method of the repair: a penalised refit, or a refit and a blend.
    blend : float
        Share of the known arbitrage-free smile in the result, in [0, 1]; 0 for a refit, 1 if no smile fits better.
    largest_move : float
        Largest change of volatility at the quoted strikes, a decimal.
    """

    found: ArbitrageReport
    before: SviSlice
    method: RepairMethod
    blend: float
    largest_move: float

    def __str__(self) -> str:
        method = f"{self.method.value} with a share of {self.blend:.3g}" if self.blend else self.method.value
        return f"{self.found}; repaired by {method}, which changed volatilities by up to {self.largest_move:.3g}"


@dataclass(frozen=True, slots=True)
class SliceFit(Plotted, Record):
    """A fitted smile.

    Parameters
    ----------
    expiry : float
        Years to expiry.
    smile : SviSlice
        Fitted smile, free of butterfly arbitrage, and of calendar arbitrage with the previous expiry if one was given.
    rms_error : float
        Weighted root mean square difference of fitted and quoted volatilities, a decimal.
    worst_error : float
        Largest absolute difference of fitted and quoted volatilities, a decimal.
    repair : SliceRepair or None
        Repair that removed an arbitrage of the plain fit; None if there was none.
    quotes : SmileQuotes, optional
        Quotes that were fitted; None if the smile was given.
    """

    expiry: float
    smile: SviSlice
    rms_error: float
    worst_error: float
    repair: SliceRepair | None
    quotes: SmileQuotes | None = field(default=None, compare=False, repr=False)

    def _draw_(self, axes: Axes) -> None:
        """Draw the smile with its quotes, and the plain fit if that was repaired."""
        if self.quotes is not None:
            self.quotes._draw_(axes)
        k = self._log_moneyness()
        if self.repair is not None:
            axes.plot(k, self._vols(self.repair.before, k), color="C1", linestyle="--", label="with arbitrage")
        label = "fit" if self.repair is None else f"repaired by {self.repair.method.value}"
        axes.plot(k, self._vols(self.smile, k), color="C0", linestyle="-", label=label)
        axes.set(xlabel="log-moneyness, log(strike/forward)", ylabel="volatility per year")
        axes.set_title(
            f"Smile, expiry {self.expiry:.3g} y: errors {self.rms_error:.2%} rms, {self.worst_error:.2%} worst"
        )
        percent(axes.yaxis)
        axes.legend()

    def _log_moneyness(self) -> FloatArray:
        """Return where the smile is drawn: a little beyond the quotes, or 2.5 standard deviations."""
        if self.quotes is not None:
            low, high = self.quotes.log_moneyness[[0, -1]].tolist()
            return np.linspace(low - 0.05 * (high - low), high + 0.05 * (high - low), _DRAWN)
        side = _DEVIATIONS * float(np.sqrt(max(float(self.smile.total_variance(0.0)), 0.0)))
        return np.linspace(-side, side, _DRAWN)

    def _vols(self, smile: SviSlice, k: FloatArray) -> FloatArray:
        variance = np.asarray(smile.total_variance(k))
        return np.sqrt(np.where(variance >= 0.0, variance, np.nan) / self.expiry)


@admits(ModelError)
def fit_slice(
    quotes: SmileQuotes, previous: SviSlice | None = None, policy: ArbitragePolicy = ArbitragePolicy.REPAIR
) -> SliceFit:
    """Fit raw SVI to the quotes of one expiry.

    Parameters
    ----------
    quotes : SmileQuotes
        Quotes of the expiry, at least five.
    previous : SviSlice, optional
        Smile of the previous expiry, free of butterfly arbitrage. Total variance must be at least as high at every
        log-moneyness.
    policy : ArbitragePolicy, default REPAIR
        Whether an arbitrage of the plain fit is repaired or raises an error.

    Returns
    -------
    SliceFit
        Smile, its errors and its repair, if any.

    Raises
    ------
    CalibrationError
        The plain fit has an arbitrage and `policy` is REFUSE; or `previous` has a butterfly arbitrage.

    Notes
    -----
    Quotes on an SVI smile recover its parameters to about 1e-10. For noisy quotes the least-squares optimum is found
    unless the search ends in local minima from all starting points. If the quotes are nearly on a straight line, `m`
    and `sigma` are not determined, but the smile between the quotes is.
    """
    theta = _plain(quotes)
    before = slice_at(theta)
    found = _check(quotes.expiry, before, previous)
    if found.free:
        return _fitted(quotes, before, None)
    if policy is ArbitragePolicy.REFUSE:
        raise CalibrationError(
            f"the smile fitted to the quotes of T={quotes.expiry:g} has an arbitrage: {found}; correct the quotes, or "
            "repair it with policy=ArbitragePolicy.REPAIR",
            expiry=quotes.expiry,
            report=found,
        )
    smile, blend = _repaired(quotes, previous, theta)
    change = np.abs(_vols(quotes, smile) - _vols(quotes, before)).max()
    method = RepairMethod.BLEND if blend else RepairMethod.REFIT
    return _fitted(quotes, smile, SliceRepair(found, before, method, blend, float(change)))


def _plain(quotes: SmileQuotes) -> FloatArray:
    box = Box.around(quotes)
    scale = _scale(quotes)

    def residuals(theta: NDArray[Any]) -> NDArray[Any]:
        variance = hyperbola(quotes.log_moneyness, *raw_parameters(theta))[0]
        return (variance - quotes.total_variance) * scale

    return search(residuals, starts(quotes, box), box)


def _repaired(quotes: SmileQuotes, previous: SviSlice | None, plain: FloatArray) -> tuple[SviSlice, float]:
    """Return a smile free of arbitrage, and the share of the fallback in it."""
    box = Box.around(quotes, (0.0, 0.0) if previous is None else previous.wing_slopes, _LEAST_SHARE)
    fallback = _fallback(quotes, previous, plain)
    theta, points = box.clip(plain), _PENALTY_POINTS
    for penalty in _PENALTIES:
        candidates = box.clip(np.stack([theta, coordinates(fallback)]))
        theta = search(_penalised(quotes, previous, points, penalty), candidates, box)
    for _ in range(_CUTS):
        smile = slice_at(theta)
        found = _check(quotes.expiry, smile, previous)
        if found.free:
            # Quotes that are all below the previous expiry do not determine the wings; those of the fallback are as
            # good.
            return (smile, 0.0) if _cost(quotes, smile) < _cost(quotes, fallback) else (fallback, 1.0)
        # Add the points, between or beyond the others, at which a condition is still violated.
        places = np.array([violation.log_moneyness for violation in found.violations])
        points = np.concatenate([points, (places[np.isfinite(places)] - smile.m) / smile.sigma])
        for penalty in _PENALTIES[1:]:
            theta = search(_penalised(quotes, previous, points, penalty), theta[None], box)
    return _blended(quotes, previous, theta, coordinates(fallback))


def _penalised(
    quotes: SmileQuotes, previous: SviSlice | None, points: FloatArray, penalty: float
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    scale, level = _scale(quotes), float(quotes.total_variance.mean())

    def residuals(theta: NDArray[Any]) -> NDArray[Any]:
        raw = raw_parameters(theta)
        errors = (hyperbola(quotes.log_moneyness, *raw)[0] - quotes.total_variance) * scale
        at = raw[3] + raw[4] * points
        variance, slope, curvature = hyperbola(at, *raw)
        parts = [errors, _shortfall(butterfly_g(at, variance, slope, curvature)) * penalty]
        if previous is not None:
            increase = (variance - hyperbola(at, *previous.parameters)[0]) / level
            parts.append(_shortfall(increase) * penalty)
        return np.concatenate(parts, axis=-1)

    return residuals


def _shortfall(values: NDArray[Any]) -> NDArray[Any]:
    return np.where(values.real < _MARGIN, values - _MARGIN, 0.0)


def _fallback(quotes: SmileQuotes, previous: SviSlice | None, plain: FloatArray) -> SviSlice:
    """Return a smile known to be free of arbitrage: flat, or that of the previous expiry raised to the quotes."""
    if previous is None:
        level = float(np.average(quotes.total_variance, weights=quotes.weights))
        return SviSlice(level, 0.0, 0.0, float(plain[3]), float(np.exp(plain[4])))
    if previous.minimum_g().value < 0.0:
        raise CalibrationError(
            f"the smile of the expiry before T={quotes.expiry:g} has a butterfly arbitrage: {previous}; repair it "
            "first",
            expiry=quotes.expiry,
            value=previous,
        )
    increase = quotes.total_variance - np.asarray(previous.total_variance(quotes.log_moneyness))
    lift = max(float(np.average(increase, weights=quotes.weights)), 0.0)
    for _ in range(_HALVINGS):
        if previous.lifted(lift).minimum_g().value >= 0.0:
            return previous.lifted(lift)
        lift *= 0.5
    return previous


def _blended(
    quotes: SmileQuotes, previous: SviSlice | None, theta: FloatArray, fallback: FloatArray
) -> tuple[SviSlice, float]:
    """Return the arbitrage-free smile nearest to `theta` between it and `fallback`, and the share of `fallback`."""

    def blend(share: float) -> SviSlice:
        return slice_at((1.0 - share) * theta + share * fallback)

    share = find_edge(lambda share: _check(quotes.expiry, blend(share), previous).free, 0.0, 1.0)
    return blend(share), share


def _check(expiry: float, smile: SviSlice, previous: SviSlice | None) -> ArbitrageReport:
    butterfly = check_slices([expiry], [smile])
    if previous is None or calendar_gap(previous, smile).value >= 0.0:
        return butterfly
    both = check_slices([0.0, expiry], [previous, smile])
    return ArbitrageReport(tuple(found for found in both.violations if found.expiry == expiry))


def _fitted(quotes: SmileQuotes, smile: SviSlice, repair: SliceRepair | None) -> SliceFit:
    errors = _vols(quotes, smile) - quotes.vols
    rms = float(np.sqrt(np.average(errors**2, weights=quotes.weights)))
    return SliceFit(quotes.expiry, smile, rms, float(np.abs(errors).max()), repair, quotes)


def _cost(quotes: SmileQuotes, smile: SviSlice) -> float:
    errors = np.asarray(smile.total_variance(quotes.log_moneyness)) - quotes.total_variance
    return float(quotes.weights @ errors**2)


def _vols(quotes: SmileQuotes, smile: SviSlice) -> FloatArray:
    return np.asarray(np.sqrt(np.asarray(smile.total_variance(quotes.log_moneyness)) / quotes.expiry))


def _scale(quotes: SmileQuotes) -> FloatArray:
    # Relative to the size of the smile, so that the tolerances of the search are the same for every expiry.
    return np.asarray(np.sqrt(quotes.weights / (quotes.weights @ quotes.total_variance**2)))
