r"""Worst-case correlation for a given book: the correlation matrix near an estimate with the highest volatility.

For exposures x (weights times volatilities, signed) the variance of the book is :math:`x^\top R\,x`, linear in the
correlation matrix R. Over a set of matrices around the estimate :math:`R_0`, all of them correlation matrices (unit
diagonal, no negative eigenvalue), the largest value is the optimum of one of three problems:

==============  ===========================================================================  ==========================
``within``      set                                                                          how it is solved
==============  ===========================================================================  ==========================
``shift``       the same shift of all pairs, :math:`R_0 + \delta (11^\top - I)`,             closed form
                :math:`|\delta| \le` radius
``box``         each correlation within ± radius of its estimate                             semidefinite program
``ball``        Frobenius distance from :math:`R_0` at most the radius                       semidefinite program
==============  ===========================================================================  ==========================

*Shift.* The variance is linear in δ with slope :math:`(\sum_i x_i)^2 - \sum_i x_i^2`, so the worst shift is at an end
of the interval of shifts that leave a correlation matrix, whose ends are known from an eigenvalue problem.

*Box and ball.* Without the condition on the eigenvalues the optimum is known: each correlation goes to the end of its
interval that has the sign of :math:`x_i x_j`, or the matrix moves along :math:`xx^\top` off the diagonal. If that
matrix has no negative eigenvalue, it is the solution. Otherwise the semidefinite program is solved by alternating
directions (ADMM), and the answer carries its proof: for every positive semidefinite S,

.. math:: x^\top R\,x \le \langle xx^\top + S, R \rangle \le \max_{Q} \langle xx^\top + S, Q \rangle ,

with Q over the box or ball without the condition on eigenvalues, a maximum in closed form. The multiplier of that
condition is such an S, so each solution has an upper bound; the matrix that is returned is valid and within the set,
and ``gap`` is what a still worse one could add to the volatility at most.

No correlations at all can make the volatility higher than :math:`\sum_i |x_i|`, with all correlations ±1.

Examples
--------
>>> from bank_python.optimizer.covariance_data import CovarianceData
>>> cov = [[0.04, 0.006, 0.0], [0.006, 0.09, 0.0], [0.0, 0.0, 0.01]]
>>> data = CovarianceData(tickers=["A", "B", "C"], covariance=cov)
>>> worst = worst_case_correlation(data, {"A": 0.5, "B": 0.5, "C": -1.0}, 0.3)
>>> round(worst.base_volatility, 4), round(worst.volatility, 4), round(worst.limit, 4)
(0.2133, 0.2636, 0.35)
>>> worst.correlation.round(2).tolist()[0], worst.gap < 1e-9
([1.0, 0.4, -0.3], True)

References
----------
M. S. Lobo and S. Boyd, "The worst-case risk of a portfolio", technical report, Stanford University (2000): the program.

S. Boyd, N. Parikh, E. Chu, B. Peleato and J. Eckstein, "Distributed optimization and statistical learning via the
alternating direction method of multipliers", Foundations and Trends in Machine Learning 3 (2011), 1-122.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import EPSILON
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.inputs import in_order
from bank_python.optimizer.named import by_asset
from bank_python.optimizer.portfolio import OptimalPortfolio
from bank_python.plotting import Plotted, draw_correlations, literal
from bank_python.results import Tabular
from bank_python.taleb.correlation_shift import common_shift, shift_range

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["CorrelationSet", "WorstCaseCorrelation", "worst_case_correlation"]

_ENOUGH = 1e-8  # gap, relative to the variance, at which the iteration ends
_MOST = 4_000
_CHECKED_EVERY = 20
_VALID = 64.0 * EPSILON  # negative eigenvalue per row that is due to rounding
_UNBALANCED = 10.0  # ratio of the two residuals at which the step changes
_FASTER = 2.0


class CorrelationSet(enum.Enum):
    """Set of correlation matrices around an estimate; see :mod:`bank_python.taleb.worst_case_correlation`."""

    SHIFT = "shift"
    BOX = "box"
    BALL = "ball"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WorstCaseCorrelation(Plotted, Tabular):
    """Correlation matrix near an estimate with the highest volatility; returned by :func:`worst_case_correlation`.

    Parameters
    ----------
    tickers : tuple of str
        Tickers of the assets.
    within : CorrelationSet
        Set of matrices.
    radius : float
        Size of the set.
    base : ndarray, shape (n_assets, n_assets)
        Estimated correlation matrix.
    correlation : ndarray, shape (n_assets, n_assets)
        Worst correlation matrix.
    exposures : ndarray, shape (n_assets,)
        Weights times volatilities.
    bound : float
        Volatility that no matrix of the set exceeds.
    """

    tickers: tuple[str, ...]
    within: CorrelationSet
    radius: float
    base: FloatArray
    correlation: FloatArray
    exposures: FloatArray
    bound: float

    @property
    def base_volatility(self) -> float:
        """Volatility of the book with the estimated correlations."""
        return _volatility(self.base, self.exposures)

    @property
    def volatility(self) -> float:
        """Volatility of the book with the worst correlations."""
        return _volatility(self.correlation, self.exposures)

    @property
    def limit(self) -> float:
        """Volatility with all correlations ±1 against the book, the highest of all."""
        return float(np.abs(self.exposures).sum())

    @property
    def gap(self) -> float:
        """Proven limit of what a still worse matrix of the set could add to the volatility; 0 up to rounding."""
        return max(self.bound - self.volatility, 0.0)

    @property
    def increase(self) -> float:
        """Volatility with the worst correlations over that with the estimated ones, less 1."""
        base = self.base_volatility
        return self.volatility / base - 1.0 if base > 0.0 else math.inf

    def to_table(self) -> Table:
        """Return a table with a row for each pair: estimated and worst correlation, and what the change adds."""
        from bank_python.mntable import Table

        kinds = [("first", str), ("second", str), ("base", float), ("worst", float), ("variance_added", float)]
        x, changed = self.exposures, self.correlation - self.base
        rows = [
            {
                "first": self.tickers[i],
                "second": self.tickers[j],
                "base": float(self.base[i, j]),
                "worst": float(self.correlation[i, j]),
                "variance_added": float(2.0 * changed[i, j] * x[i] * x[j]),
            }
            for i, j in zip(*np.triu_indices(len(x), 1), strict=True)
        ]
        return Table.from_rows(kinds, rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the worst correlations as a heat map."""
        names = [literal(ticker) for ticker in self.tickers]
        draw_correlations(axes, self.correlation, names, names)
        axes.set_title(f"Worst correlations: volatility {self.base_volatility:.2%} → {self.volatility:.2%}")

    def __rich__(self) -> object:
        from bank_python.render_fragility import worst_case_view

        return worst_case_view(self)


@guessable
@admits(ModelError)
def worst_case_correlation(
    cov_data: CovarianceData,
    weights: Mapping[str, float] | OptimalPortfolio | ArrayLike,
    radius: float,
    *,
    within: CorrelationSet | str = CorrelationSet.BOX,
) -> WorstCaseCorrelation:
    """Return the correlation matrix within a set around the estimate at which a book has the highest volatility.

    Parameters
    ----------
    cov_data : CovarianceData
        Volatilities and estimated correlations of the assets; volatilities stay as they are.
    weights : mapping of str to float, OptimalPortfolio or array_like, shape (n_assets,)
        Holdings, as shares of the wealth or in money, negative if short; 0 for assets that a mapping leaves out.
    radius : float
        Size of the set, above 0: of the change of each correlation (``shift``, ``box``), or of the Frobenius norm of
        the change of the whole matrix (``ball``).
    within : CorrelationSet or str, default "box"
        Set of matrices: ``shift``, ``box`` or ``ball``.

    Raises
    ------
    ModelError
        The set is unknown, the radius or a weight is out of range, or the weights do not match the assets.
    CalibrationError
        An asset has no variance, or nothing is held.

    Notes
    -----
    Whether the set is plausible is not decided here: :func:`~bank_python.taleb.rolling_correlations` tells how much
    correlations have moved.
    """
    data = CovarianceData.checked(cov_data, "the worst correlations")
    data.require_risk("the worst-case correlation")
    number_in_range("radius", radius, ModelError, above=0.0)
    chosen = _parsed(within)
    x = _exposures(data, weights)
    base = _unit(data.correlation)
    if chosen is CorrelationSet.SHIFT:
        worst = _worst_shift(base, x, radius)
        bound = _volatility(worst, x)
    else:
        worst, bound = _worst_of(_Box(base, radius) if chosen is CorrelationSet.BOX else _Ball(base, radius), base, x)
    worst.setflags(write=False)
    return WorstCaseCorrelation(data.tickers, chosen, float(radius), base, worst, x, bound)


def _parsed(within: CorrelationSet | str) -> CorrelationSet:
    try:
        return CorrelationSet(within)
    except ValueError:
        known = ", ".join(item.value for item in CorrelationSet)
        raise ModelError(f"no set {within!r} of correlations; there are {known}", value=within) from None


def _exposures(data: CovarianceData, weights: Mapping[str, float] | OptimalPortfolio | ArrayLike) -> FloatArray:
    given = weights.by_ticker() if isinstance(weights, OptimalPortfolio) else weights
    if isinstance(given, Mapping):
        held = by_asset(data.tickers, given, "weights")
    else:
        held = figures_in_range("weights", in_order(data.tickers, given), ModelError)
        if held.shape != (len(data.tickers),):
            raise ModelError(
                f"weights of shape {held.shape} for {len(data.tickers)} assets; give one for each", name="weights"
            )
    if not held.any():
        raise CalibrationError("the book holds nothing, so no correlation matters; give a weight", value=0.0)
    return np.asarray(held * data.volatilities)


def _volatility(correlation: FloatArray, x: FloatArray) -> float:
    return math.sqrt(max(float(x @ correlation @ x), 0.0))


def _worst_shift(base: FloatArray, x: FloatArray, radius: float) -> FloatArray:
    low, high = shift_range(base)
    slope = float(x.sum()) ** 2 - float(x @ x)
    return common_shift(base, min(radius, high) if slope >= 0.0 else max(-radius, low))


class _Set(Protocol):
    """A set of symmetric matrices with a unit diagonal, without the condition on eigenvalues."""

    def nearest(self, matrix: FloatArray) -> FloatArray:
        """Return the nearest matrix of the set."""
        ...

    def highest(self, direction: FloatArray) -> FloatArray:
        """Return the matrix of the set with the largest inner product with `direction`."""
        ...

    def reach(self, matrix: FloatArray) -> float:
        """Return the share of the way from the centre to `matrix`, up to 1, that is in the set."""
        ...


@dataclass(frozen=True, slots=True)
class _Box:
    centre: FloatArray
    radius: float

    def nearest(self, matrix: FloatArray) -> FloatArray:
        low, high = self._ends()
        return _unit(np.clip(matrix, low, high))

    def highest(self, direction: FloatArray) -> FloatArray:
        low, high = self._ends()
        return _unit(np.where(direction > 0.0, high, np.where(direction < 0.0, low, self.centre)))

    def reach(self, matrix: FloatArray) -> float:
        furthest = float(np.abs(matrix - self.centre).max())
        return min(1.0, self.radius / furthest) if furthest > 0.0 else 1.0

    def _ends(self) -> tuple[FloatArray, FloatArray]:
        return np.maximum(self.centre - self.radius, -1.0), np.minimum(self.centre + self.radius, 1.0)


@dataclass(frozen=True, slots=True)
class _Ball:
    centre: FloatArray
    radius: float

    def nearest(self, matrix: FloatArray) -> FloatArray:
        moved = _unit(matrix) - self.centre
        return np.asarray(self.centre + moved * self._share(moved))

    def highest(self, direction: FloatArray) -> FloatArray:
        moved = direction - np.diag(np.diag(direction))
        size = float(np.linalg.norm(moved))
        return np.asarray(self.centre + moved * (self.radius / size if size > 0.0 else 0.0))

    def reach(self, matrix: FloatArray) -> float:
        return self._share(matrix - self.centre)

    def _share(self, moved: FloatArray) -> float:
        size = float(np.linalg.norm(moved))
        return min(1.0, self.radius / size) if size > 0.0 else 1.0


def _worst_of(region: _Set, base: FloatArray, x: FloatArray) -> tuple[FloatArray, float]:
    """Return the worst matrix of a region and the proven bound of the volatility."""
    largest = float(np.abs(x).max())
    unit = x / largest  # squares of very small or large exposures are no numbers
    gain = np.outer(unit, unit)
    free = region.highest(gain)
    if float(np.linalg.eigvalsh(free)[0]) >= -_VALID * len(x):
        return free, _volatility(free, x)
    scale = float(unit @ unit)
    found, bound = _by_alternating(region, base, gain / scale)
    return found, largest * math.sqrt(scale * bound)


def _by_alternating(region: _Set, base: FloatArray, gain: FloatArray) -> tuple[FloatArray, float]:
    """Return the best valid matrix found and the least upper bound, by alternating directions.

    `gain` has a trace of 1. The set takes one step, the positive semidefinite matrices the other; the scaled multiplier
    of their equality gives the bound.
    """
    valid, multiplier, weight = base, np.zeros_like(base), 1.0
    best, highest, bound = base, float((gain * base).sum()), math.inf
    for step in range(_MOST):
        inside = region.nearest(valid - multiplier + gain / weight)
        before = valid
        valid = _positive(inside + multiplier)
        multiplier = multiplier + inside - valid
        if step % _CHECKED_EVERY:
            continue
        slack = gain - weight * _negative(multiplier)
        bound = min(bound, float((slack * region.highest(slack)).sum()))
        candidate = _within(region, base, valid)
        value = float((gain * candidate).sum())
        if value > highest:
            best, highest = candidate, value
        if bound - highest <= _ENOUGH * bound:
            break
        ratio = float(np.linalg.norm(inside - valid)) / max(weight * float(np.linalg.norm(valid - before)), EPSILON)
        change = _FASTER if ratio > _UNBALANCED else 1.0 / _FASTER if ratio < 1.0 / _UNBALANCED else 1.0
        weight, multiplier = weight * change, multiplier / change
    return best, max(bound, highest)


def _within(region: _Set, base: FloatArray, valid: FloatArray) -> FloatArray:
    """Return a correlation matrix of the region from a positive semidefinite one near it."""
    root = np.sqrt(np.maximum(np.diag(valid), EPSILON))
    scaled = _unit(valid / np.outer(root, root))
    return _unit(base + region.reach(scaled) * (scaled - base))


def _positive(matrix: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    kept = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return np.asarray(0.5 * (kept + kept.T))


def _negative(matrix: FloatArray) -> FloatArray:
    """Return the negative semidefinite part, so that the bound holds to rounding."""
    return -_positive(-matrix)


def _unit(matrix: FloatArray) -> FloatArray:
    """Return the matrix with ones on its diagonal, in a copy."""
    copy = np.array(matrix)
    np.fill_diagonal(copy, 1.0)
    return copy
