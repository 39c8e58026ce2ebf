r"""All tails of a sample at once: the power law of each, its distance from the data, and the tail with the smallest.

Clauset, Shalizi and Newman take each observed value as the start of the tail in turn, fit a power law to what is at or
above it, and keep the start with the smallest Kolmogorov–Smirnov distance between the fit and the data. That is a
minimum over starts of a maximum over values,

.. math:: \min_j \max_{i \ge j} |F_j(x_i) - \hat F_j(x_i)| .

It is found without computing all of the n²/2 differences, and is the same. Every difference of a start is a lower bound
of its distance; and where one start has its largest difference, its neighbours have large ones too. So the start with
the lowest bound is computed in full, and the value of its largest difference raises the bounds of all other starts.
When no bound is below the smallest distance found, that is the minimum. Ten to thirty starts of thousands are computed.

Continuous data are compared before each observation, :math:`\hat F(x_i) = (i - 1)/n`, equal observations one after the
other, as in the authors' own program, whose published values depend on it. The supremum over all x is larger by at most
1/n. Whole numbers are compared at every whole number.

Examples
--------
>>> tails = ContinuousTails(np.array([1.0, 2.0, 3.0, 5.0, 9.0, 30.0]))
>>> found = closest_tail(tails)
>>> float(tails.starts[found.start]), round(found.distance, 4)
(2.0, 0.163)

References
----------
A. Clauset, C. R. Shalizi and M. E. J. Newman, "Power-law distributions in empirical data", SIAM Review 51 (2009),
661-703, sections 3.1 to 3.3 and appendix B.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.errors import CalibrationError
from bank_python.numerics.roots import find_roots
from bank_python.numerics.zeta import scaled_zeta
from bank_python.taleb.sample import log_ratios

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["ClosestTail", "ContinuousTails", "DiscreteTails", "NestedTails", "closest_tail", "tails_of"]

_EQUAL = 1e-12  # mean logarithm above the start, below which the values of a tail are equal to rounding
_FIRST = 9  # starts computed before the bounds choose
_NEAR_ONE = 1e-8  # exponent less 1 below which the zeta function is its pole
_DOUBLINGS = 60


class ClosestTail(NamedTuple):
    """The tail closest to its power law: its number (`start`), its distance, and how many tails were computed."""

    start: int
    distance: float
    computed: int


class NestedTails(ABC):
    """The tails of a sample, each part of the one before, with the exponent of each.

    Parameters
    ----------
    ordered : ndarray, shape (n,)
        Sample in increasing order, above 0.
    start : float, optional
        Start of the only tail; by default every value except the largest starts one.

    Attributes
    ----------
    starts : ndarray, shape (n_starts,)
        Start of each tail, increasing.
    sizes : ndarray, shape (n_starts,)
        Number of observations in each tail.
    exponents : ndarray, shape (n_starts,)
        Exponent of the density that is most likely.
    """

    starts: FloatArray
    sizes: FloatArray
    exponents: FloatArray

    def __init__(self, ordered: FloatArray, start: float | None = None) -> None:
        self.values, first, counts = np.unique(ordered, return_index=True, return_counts=True)
        below = first.astype(np.float64)
        starts = self.values[:-1] if start is None else np.array([start])
        offsets = np.searchsorted(self.values, starts)
        logs = log_ratios(self.values, float(self.values[0]))
        totals = np.append(np.cumsum((counts * logs)[::-1])[::-1], 0.0)
        before = np.append(below, float(len(ordered)))
        sizes = len(ordered) - before[offsets]
        log_starts = log_ratios(starts, float(self.values[0]))
        with np.errstate(invalid="ignore"):
            mean_logs = (totals[offsets] - sizes * log_starts) / sizes
        self.is_tied = len(self.values) < len(ordered)
        self.below, self.through = below, below + counts
        chosen = mean_logs > _EQUAL
        if not chosen.any():
            raise CalibrationError("no tail has two different values; give a sample that is not constant")
        self.starts, self.sizes = starts[chosen], sizes[chosen]
        self.offsets, self.before = offsets[chosen], before[offsets[chosen]]
        self.logs, self.log_starts, self.mean_logs = logs, log_starts[chosen], mean_logs[chosen]
        self.exponents = self._fitted()

    def gaps_from(self, start: int) -> FloatArray:
        """Return the differences between one tail and its power law, at each of its values."""
        values = slice(int(self.offsets[start]), None)
        tails = slice(start, start + 1)
        return self._gaps(tails, values)

    def gaps_at(self, value: int) -> FloatArray:
        """Return the differences at one value between each tail that contains it and that tail's power law."""
        last = int(np.searchsorted(self.offsets, value, side="right"))
        return self._gaps(slice(0, last), slice(value, value + 1))

    @abstractmethod
    def _fitted(self) -> FloatArray:
        """Return the exponents."""

    @abstractmethod
    def _gaps(self, tails: slice, values: slice) -> FloatArray:
        """Return the absolute differences for one tail and some values, or for some tails and one value."""

    @abstractmethod
    def log_likelihood(self, start: int) -> float:
        """Return the log-likelihood of one tail."""

    @abstractmethod
    def standard_error(self, start: int) -> float:
        """Return the standard error of the exponent of one tail, from the information."""


class ContinuousTails(NestedTails):
    """The tails of real numbers, with densities proportional to a power of x."""

    def _fitted(self) -> FloatArray:
        return np.asarray(1.0 + 1.0 / self.mean_logs)

    def _gaps(self, tails: slice, values: slice) -> FloatArray:
        above = self.logs[values] - self.log_starts[tails]
        fitted = 1.0 - np.exp((1.0 - self.exponents[tails]) * above)
        before, sizes = self.before[tails], self.sizes[tails]
        gaps = np.abs(fitted - (self.below[values] - before) / sizes)
        if self.is_tied:  # the last of equal observations is compared with the share before it
            np.maximum(gaps, (self.through[values] - 1.0 - before) / sizes - fitted, out=gaps)
        return np.asarray(gaps)

    def log_likelihood(self, start: int) -> float:
        """Return the log-likelihood of one tail."""
        alpha, size = float(self.exponents[start]), float(self.sizes[start])
        density = np.log(alpha - 1.0) - np.log(self.starts[start]) - alpha * self.mean_logs[start]
        return float(size * density)

    def standard_error(self, start: int) -> float:
        """Return the standard error of the exponent of one tail, from the information."""
        return float((self.exponents[start] - 1.0) / np.sqrt(self.sizes[start]))


class DiscreteTails(NestedTails):
    """The tails of whole numbers, with probabilities proportional to a power of k."""

    def _fitted(self) -> FloatArray:
        highest = 1.0 + 1.0 / self.mean_logs
        for _ in range(_DOUBLINGS):
            low = self._score(highest) < 0.0
            if not low.any():
                break
            highest = np.where(low, 2.0 * highest, highest)
        found = find_roots(self._score, np.full(len(highest), 1.0 + _NEAR_ONE), highest)
        self._wholes = scaled_zeta(found, self.starts)[0]
        return found

    def _score(self, exponents: FloatArray) -> FloatArray:
        """Return the mean logarithm of the data above the start, less that of the power law."""
        value, slope = scaled_zeta(exponents, self.starts)
        return np.asarray(self.mean_logs + slope / value)

    def _gaps(self, tails: slice, values: slice) -> FloatArray:
        exponents = self.exponents[tails]
        above = np.exp(-exponents * (self.logs[values] - self.log_starts[tails]))
        whole = self._wholes[tails]
        reached = scaled_zeta(exponents, self.values[values])[0]
        at_least, more = above * reached / whole, above * (reached - 1.0) / whole
        before, sizes = self.before[tails], self.sizes[tails]
        gaps = np.abs(at_least - (1.0 - (self.below[values] - before) / sizes))
        beyond = np.abs(more - (1.0 - (self.through[values] - before) / sizes))
        return np.asarray(np.maximum(gaps, beyond))

    def log_likelihood(self, start: int) -> float:
        """Return the log-likelihood of one tail."""
        alpha = float(self.exponents[start])
        return float(self.sizes[start] * (-np.log(self._wholes[start]) - alpha * self.mean_logs[start]))

    def standard_error(self, start: int) -> float:
        """Return the standard error of the exponent of one tail, from the information."""
        alpha, step = float(self.exponents[start]), 1e-4 * (float(self.exponents[start]) - 1.0)
        value, slope = scaled_zeta([alpha - step, alpha + step], self.starts[start])
        curvature = float(np.diff(slope / value)[0]) / (2.0 * step)
        return float(1.0 / np.sqrt(self.sizes[start] * curvature))


def tails_of(ordered: FloatArray, *, discrete: bool, start: float | None = None) -> NestedTails:
    """Return the tails of a sample of real or of whole numbers, in increasing order and above 0."""
    return DiscreteTails(ordered, start) if discrete else ContinuousTails(ordered, start)


def closest_tail(tails: NestedTails) -> ClosestTail:
    """Return the tail with the smallest distance from its power law, the lowest start of equal ones.

    Parameters
    ----------
    tails : NestedTails
        NestedTails of a sample.
    """
    count = len(tails.starts)
    bounds = np.zeros(count)
    best, distance, computed = 0, np.inf, 0
    first = np.unique(np.linspace(0.0, count - 1.0, _FIRST).astype(np.int64)).tolist()
    while computed < count:
        start = first.pop() if first else int(bounds.argmin())
        if bounds[start] > distance and computed >= _FIRST:
            break
        gaps = tails.gaps_from(start)
        widest = int(gaps.argmax())
        found, computed = float(gaps[widest]), computed + 1
        if found < distance or (found == distance and start < best):
            best, distance = start, found
        at = tails.gaps_at(int(tails.offsets[start]) + widest)
        np.maximum(bounds[: len(at)], at, out=bounds[: len(at)])
        bounds[start] = np.inf  # done
    return ClosestTail(best, distance, computed)
