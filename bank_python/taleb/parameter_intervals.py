r"""Intervals of quantities that depend on fitted parameters, by three methods, and their table.

*Profile likelihood* takes the values of a quantity where the log-likelihood is near enough to its maximum
(:mod:`.likelihood_bounds`): not symmetric, never out of range. *Wald* takes the estimate plus and minus its standard
error by the delta method: fast, symmetric, too short above for quantities of heavy tails. *Bootstrap* takes percentiles
of the estimates of resamples.

Where a method has no bound, the bound is infinite (or the end of the quantity's range), and its reason is said.

Examples
--------
>>> table = Intervals(("xi",), np.array([0.2]), np.array([-0.1]), np.array([0.5]), ("",), 0.95, IntervalMethod.WALD)
>>> table["xi"].low, table["xi"].high
(-0.1, 0.5)
>>> table["chi"]
Traceback (most recent call last):
    ...
bank_python.errors.ModelError: there is no interval of 'chi'; there are xi

References
----------
S. Coles, *An Introduction to Statistical Modeling of Extreme Values* (2001), sections 2.6.6 and 2.7.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.normal import normal_quantile
from bank_python.results import Tabular
from bank_python.taleb.likelihood_bounds import likelihood_bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.taleb.likelihood_bounds import Likelihood

__all__ = [
    "Interval",
    "IntervalMethod",
    "Intervals",
    "Quantities",
    "bootstrap_intervals",
    "interval_method",
    "no_intervals",
    "profile_intervals",
    "require_confidence",
    "wald_intervals",
]

_DIFFERENCE = 1e-5  # relative step of the differences for the delta method
_OPEN = "the likelihood falls too little before ξ = −1, below which it is unbounded"
_FLAT = "the likelihood is flat at the estimate, so that it has no standard error"


class IntervalMethod(enum.Enum):
    """How intervals are made."""

    PROFILE = "profile"
    WALD = "wald"
    BOOTSTRAP = "bootstrap"


@dataclass(frozen=True, slots=True)
class Interval(Record):
    """An estimate with its interval.

    Parameters
    ----------
    estimate : float
        Estimate of the quantity.
    low, high : float
        Ends of the interval; infinite where there is none.
    reason : str
        Reason why an end is infinite or at the end of the range; empty otherwise.
    """

    estimate: float
    low: float
    high: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Intervals(Tabular):
    """Estimates with their intervals, to be read by name: ``intervals["xi"]``.

    Parameters
    ----------
    names : tuple of str
        Names of the quantities.
    estimates, low, high : ndarray, shape (n_quantities,)
        Estimates and the ends of their intervals; an end is infinite where there is none.
    reasons : tuple of str
        Reason of a missing end for each quantity; empty where there is none.
    confidence : float
        Probability of each interval, for example 0.95.
    method : IntervalMethod
        Method by which the intervals were made.
    """

    names: tuple[str, ...]
    estimates: FloatArray
    low: FloatArray
    high: FloatArray
    reasons: tuple[str, ...]
    confidence: float
    method: IntervalMethod

    def __getitem__(self, name: str) -> Interval:
        if name not in self.names:
            known = ", ".join(self.names)
            raise ModelError(f"there is no interval of {name!r}; there are {known}", name="name", value=name)
        i = self.names.index(name)
        return Interval(float(self.estimates[i]), float(self.low[i]), float(self.high[i]), self.reasons[i])

    def to_table(self) -> Table:
        """Return a table with a row for each quantity."""
        from bank_python.mntable import Table

        rows = [
            {"quantity": name, "estimate": row.estimate, "low": row.low, "high": row.high, "reason": row.reason or None}
            for name, row in ((name, self[name]) for name in self.names)
        ]
        schema = [("quantity", str), ("estimate", float), ("low", float), ("high", float), ("reason", str | None)]
        return Table.from_rows(schema, rows)

    def __rich__(self) -> object:
        from bank_python.render_extremes import intervals_view

        return intervals_view(self)


class Quantities(Protocol):
    """Quantities of fitted parameters, as the methods need them.

    A *measure* is a smooth increasing function of a quantity: the quantity itself, or one that stays finite.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities."""

    def measure(self, points: FloatArray) -> FloatArray:
        """Return the measures, shape (n_quantities, m), of each quantity at its own m points of parameters."""

    def value(self, measures: FloatArray) -> FloatArray:
        """Return the quantities from their measures, both of shape (n_quantities, m)."""

    def ends(self) -> FloatArray:
        """Return the ends of the ranges of the quantities, shape (n_quantities, 2)."""

    def infinite(self) -> str:
        """Return why a quantity can be infinite."""


@admits(ModelError)
def require_confidence(confidence: float) -> float:
    """Return the normal quantile of a two-sided interval.

    Parameters
    ----------
    confidence : float
        Probability of the interval, in (0, 1).

    Raises
    ------
    ModelError
        It is not in (0, 1).
    """
    if not 0.0 < confidence < 1.0:
        raise ModelError(
            f"confidence={confidence!r} is outside (0, 1); 0.95 is usual", name="confidence", value=confidence
        )
    return float(normal_quantile(0.5 * (1.0 + confidence)))


def interval_method(method: IntervalMethod | str) -> IntervalMethod:
    """Return a method by its word; a :class:`ModelError` names the words."""
    try:
        return IntervalMethod(method)
    except ValueError:
        words = ", ".join(known.value for known in IntervalMethod)
        raise ModelError(f"method={method!r} is no method of intervals; give one of {words}", value=method) from None


def profile_intervals(
    quantities: Quantities, likelihood: Callable[[FloatArray], Likelihood], best: FloatArray, confidence: float
) -> Intervals:
    """Return profile-likelihood intervals.

    Parameters
    ----------
    quantities : Quantities
        Quantities of the parameters.
    likelihood : callable
        Function from parameters, shape (rows, p), to the log-likelihood with its derivatives.
    best : ndarray, shape (p,)
        Parameters of the maximum.
    confidence : float
        Probability of each interval, in (0, 1).
    """
    count = len(quantities.names)
    bounds = likelihood_bounds(likelihood, quantities.measure, best, count, require_confidence(confidence))
    if bounds is None:
        return no_intervals(quantities, best, confidence, IntervalMethod.PROFILE, _FLAT)
    found = quantities.value(quantities.measure(bounds.points))
    found = np.where(bounds.closed, found, quantities.ends())
    open_ends = np.any(~bounds.closed, axis=1).tolist()
    infinite = np.isposinf(found[:, 1]).tolist()
    reasons = [
        _OPEN if is_open else quantities.infinite() if no_end else ""
        for is_open, no_end in zip(open_ends, infinite, strict=True)
    ]
    return _table(quantities, best, found, reasons, confidence, IntervalMethod.PROFILE)


def wald_intervals(
    quantities: Quantities, likelihood: Callable[[FloatArray], Likelihood], best: FloatArray, confidence: float
) -> Intervals:
    """Return symmetric intervals by standard errors and the delta method; as :func:`profile_intervals`."""
    information = -likelihood(best[None, :]).hessian[0]
    if not (np.isfinite(information).all() and np.linalg.eigvalsh(information)[0] > 0.0):
        return no_intervals(quantities, best, confidence, IntervalMethod.WALD, _FLAT)
    count, p = len(quantities.names), len(best)
    steps = _DIFFERENCE * np.sqrt(np.diag(np.linalg.inv(information)))
    stencil = np.concatenate([[best], best + np.diag(steps), best - np.diag(steps)])
    values = quantities.value(quantities.measure(np.broadcast_to(stencil, (count, *stencil.shape))))
    with np.errstate(invalid="ignore"):
        slopes = (values[:, 1 : 1 + p] - values[:, 1 + p :]) / (2.0 * steps)
    variances = np.einsum("qi,ij,qj->q", slopes, np.linalg.inv(information), slopes)
    reach = require_confidence(confidence) * np.sqrt(variances)
    known = np.isfinite(reach)
    low, high = (np.where(known, values[:, 0] + sign * reach, sign * np.inf) for sign in (-1.0, 1.0))
    reasons = ["" if is_known else quantities.infinite() for is_known in known.tolist()]
    return _table(quantities, best, np.stack([low, high], axis=1), reasons, confidence, IntervalMethod.WALD)


def bootstrap_intervals(quantities: Quantities, samples: FloatArray, best: FloatArray, confidence: float) -> Intervals:
    """Return percentiles of the quantities over the fits of resamples.

    Parameters
    ----------
    quantities : Quantities
        Quantities of the parameters.
    samples : ndarray, shape (n_samples, p)
        Parameters fitted to resamples.
    best : ndarray, shape (p,)
        Parameters fitted to the sample.
    confidence : float
        Probability of each interval, in (0, 1).
    """
    require_confidence(confidence)
    measures = quantities.measure(np.broadcast_to(samples, (len(quantities.names), *samples.shape)))
    tails = [0.5 * (1.0 - confidence), 0.5 * (1.0 + confidence)]
    found = quantities.value(np.quantile(measures, tails, axis=1).T)
    reasons = [quantities.infinite() if math.isinf(high) else "" for high in found[:, 1].tolist()]
    return _table(quantities, best, found, reasons, confidence, IntervalMethod.BOOTSTRAP)


def no_intervals(
    quantities: Quantities, best: FloatArray, confidence: float, method: IntervalMethod, reason: str
) -> Intervals:
    """Return estimates whose intervals are the whole ranges of the quantities, with the reason why."""
    return _table(quantities, best, quantities.ends(), [reason] * len(quantities.names), confidence, method)


def _table(
    quantities: Quantities,
    best: FloatArray,
    found: FloatArray,
    reasons: list[str],
    confidence: float,
    method: IntervalMethod,
) -> Intervals:
    names = quantities.names
    estimates = quantities.value(quantities.measure(np.broadcast_to(best, (len(names), 1, len(best)))))[:, 0]
    return Intervals(names, estimates, found[:, 0], found[:, 1], tuple(reasons), confidence, method)
