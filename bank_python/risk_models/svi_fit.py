r"""Fitting one smile to its quotes, free of arbitrage in itself and against the expiry before.

A fit goes as far as it must, and says how far that was:

1. *plain*: weighted least squares in total variance, within Lee's wings and with the variance above zero
   (:mod:`bank_python.risk_models.svi_least_squares`). Quotes that lie on an SVI smile give that smile back.
2. *refit*, if the plain fit has a butterfly or a calendar arbitrage: the same least squares with a penalty on every
   negative value of Durrleman's function and of the rise in variance since the expiry before, made heavier step by
   step. The penalty looks at points; where the result fails between them, a point is added and the search goes on.
3. *blend*, if a trace is left: the shortest step towards a smile that is known to be free of arbitrage, which is the
   expiry before, lifted, or else the flat smile. The result is checked over the whole line, and not over the
   quoted strikes alone.

The :class:`SliceFit` carries the smile, its errors, and a :class:`SliceRepair` if the plain fit would not do.

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
_LEAST_SHARE = 0.1  # near a variance of zero g has no bounds, and a search that strays there does not come back
_MARGIN = 1.0e-4  # how far above zero the penalised quantities are asked to be, so that the result is above zero
_WATCHED = np.sinh(np.linspace(-7.0, 7.0, 113))  # where they are looked at, in units of sigma from the vertex
_HALVINGS = 40
_DRAWN = 300
_DEVIATIONS = 2.5


class ArbitragePolicy(enum.Enum):
    """What to do when the plain fit has an arbitrage: mend it and say so, or raise."""

    REPAIR = "repair"
    REFUSE = "refuse"


class RepairMethod(enum.Enum):
    """How an arbitrage was removed."""

    REFIT = "refit"
    BLEND = "blend"


@dataclass(frozen=True, slots=True)
class SliceRepair:
    """What was wrong with the plain fit, and what was done.

    Parameters
    ----------
    found : ArbitrageReport
        The arbitrage of the plain fit.
    before : SviSlice
        The plain fit.
    method : RepairMethod
        A penalised refit; or that and a blend.
    blend : float
        The share of the arbitrage-free smile in the result, in [0, 1]; 0 for a refit, 1 where that smile itself fits
        as well as any.
    largest_move : float
        The largest change of a volatility at the quoted strikes, a decimal.
    """

    found: ArbitrageReport
    before: SviSlice
    method: RepairMethod
    blend: float
    largest_move: float

    def __str__(self) -> str:
        done = f"{self.method.value}, {self.blend:.3g} of it" if self.blend else self.method.value
        return f"{self.found}; repaired by {done}: volatilities moved by up to {self.largest_move:.3g}"


@dataclass(frozen=True, slots=True)
class SliceFit(Plotted):
    """A fitted smile.

    Parameters
    ----------
    expiry : float
        Years.
    smile : SviSlice
        Free of butterfly arbitrage, and of calendar arbitrage against the expiry before if one was given.
    rms_error : float
        Root mean square, by weight, of fitted less quoted volatility; a decimal.
    worst_error : float
        The largest absolute difference in volatility; a decimal.
    repair : SliceRepair or None
        What was changed to remove arbitrage, if anything.
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
        At least five.
    previous : SviSlice, optional
        The smile of the expiry before, free of butterfly arbitrage, than which the total variance must be no lower.
    policy : ArbitragePolicy, default REPAIR
        Whether an arbitrage in the plain fit is mended or refused.

    Returns
    -------
    SliceFit

    Raises
    ------
    CalibrationError
        The plain fit has an arbitrage and `policy` refuses it; or `previous` has one in itself.

    Notes
    -----
    Five parameters and a search from several starts: quotes on an SVI smile recover it to about 1e-10; from noisy
    quotes the least squares optimum is found unless it is hidden from all starts. Quotes nearly on a straight line
    leave `m` and `sigma` undetermined, and the smile between them not.
    """
    theta = _plain(quotes)
    before = slice_at(theta)
    found = _check(quotes.expiry, before, previous)
    if found.free:
        return _fitted(quotes, before, None)
    if policy is ArbitragePolicy.REFUSE:
        raise CalibrationError(
            f"the quotes of T={quotes.expiry:g} fit a smile with arbitrage: {found}; correct the quotes, or let the "
            "fit repair it",
            expiry=quotes.expiry,
            report=found,
        )
    smile, blend = _repaired(quotes, previous, theta)
    moved = np.abs(_vols(quotes, smile) - _vols(quotes, before)).max()
    method = RepairMethod.BLEND if blend else RepairMethod.REFIT
    return _fitted(quotes, smile, SliceRepair(found, before, method, blend, float(moved)))


def _plain(quotes: SmileQuotes) -> FloatArray:
    box = Box.around(quotes)
    scale = _scale(quotes)

    def residuals(theta: NDArray[Any]) -> NDArray[Any]:
        variance = hyperbola(quotes.log_moneyness, *raw_parameters(theta))[0]
        return (variance - quotes.total_variance) * scale

    return search(residuals, starts(quotes, box), box)


def _repaired(quotes: SmileQuotes, previous: SviSlice | None, plain: FloatArray) -> tuple[SviSlice, float]:
    """Return a smile free of arbitrage, and how much of the fallback is in it."""
    box = Box.around(quotes, (0.0, 0.0) if previous is None else previous.wing_slopes, _LEAST_SHARE)
    fallback = _fallback(quotes, previous, plain)
    theta, watched = box.clip(plain), _WATCHED
    for penalty in _PENALTIES:
        candidates = box.clip(np.stack([theta, coordinates(fallback)]))
        theta = search(_penalised(quotes, previous, watched, penalty), candidates, box)
    for _ in range(_CUTS):
        smile = slice_at(theta)
        found = _check(quotes.expiry, smile, previous)
        if found.free:
            # Quotes wholly below the expiry before leave the wings open; its own are then as good as any.
            return (smile, 0.0) if _cost(quotes, smile) < _cost(quotes, fallback) else (fallback, 1.0)
        # Where the condition still fails, between the points or beyond them, is watched too from now on.
        places = np.array([violation.log_moneyness for violation in found.violations])
        watched = np.concatenate([watched, (places[np.isfinite(places)] - smile.m) / smile.sigma])
        for penalty in _PENALTIES[1:]:
            theta = search(_penalised(quotes, previous, watched, penalty), theta[None], box)
    return _blended(quotes, previous, theta, coordinates(fallback))


def _penalised(
    quotes: SmileQuotes, previous: SviSlice | None, watched: FloatArray, penalty: float
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    scale, level = _scale(quotes), float(quotes.total_variance.mean())

    def residuals(theta: NDArray[Any]) -> NDArray[Any]:
        raw = raw_parameters(theta)
        errors = (hyperbola(quotes.log_moneyness, *raw)[0] - quotes.total_variance) * scale
        at = raw[3] + raw[4] * watched
        variance, slope, curvature = hyperbola(at, *raw)
        parts = [errors, _shortfall(butterfly_g(at, variance, slope, curvature)) * penalty]
        if previous is not None:
            rise = (variance - hyperbola(at, *previous.parameters)[0]) / level
            parts.append(_shortfall(rise) * penalty)
        return np.concatenate(parts, axis=-1)

    return residuals


def _shortfall(values: NDArray[Any]) -> NDArray[Any]:
    return np.where(values.real < _MARGIN, values - _MARGIN, 0.0)


def _fallback(quotes: SmileQuotes, previous: SviSlice | None, plain: FloatArray) -> SviSlice:
    """Return a smile free of arbitrage that goes through the middle of the quotes as well as such a smile may."""
    if previous is None:
        level = float(np.average(quotes.total_variance, weights=quotes.weights))
        return SviSlice(level, 0.0, 0.0, float(plain[3]), float(np.exp(plain[4])))
    if previous.minimum_g().value < 0.0:
        raise CalibrationError(
            f"the smile before T={quotes.expiry:g} has a butterfly arbitrage: {previous}; repair it first",
            expiry=quotes.expiry,
            value=previous,
        )
    rise = quotes.total_variance - np.asarray(previous.total_variance(quotes.log_moneyness))
    lift = max(float(np.average(rise, weights=quotes.weights)), 0.0)
    for _ in range(_HALVINGS):
        if previous.lifted(lift).minimum_g().value >= 0.0:
            return previous.lifted(lift)
        lift *= 0.5
    return previous


def _blended(
    quotes: SmileQuotes, previous: SviSlice | None, theta: FloatArray, fallback: FloatArray
) -> tuple[SviSlice, float]:
    """Return the smile nearest to `theta`, on the way to `fallback`, that is free of arbitrage, and its share."""

    def blend(share: float) -> SviSlice:
        return slice_at((1.0 - share) * theta + share * fallback)

    share = find_edge(lambda share: _check(quotes.expiry, blend(share), previous).free, 0.0, 1.0)
    return blend(share), share


def _check(expiry: float, smile: SviSlice, previous: SviSlice | None) -> ArbitrageReport:
    alone = check_slices([expiry], [smile])
    if previous is None or calendar_gap(previous, smile).value >= 0.0:
        return alone
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
    # Relative to the smile's own size, so that the search's tolerances mean the same for every expiry.
    return np.asarray(np.sqrt(quotes.weights / (quotes.weights @ quotes.total_variance**2)))
