"""The data and the solution of a convex quadratic program with piecewise linear penalties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.tolerances import TINY

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics.columns import FloatArray

__all__ = ["PenaltyProgram", "PenaltySolution"]

_FLOOR = (
    1e-6  # relative to the program's data: the least size of x and of gradients that residuals are measured against
)
_NARROW = 2  # most variables of a row whose products are computed entry by entry


@dataclass(frozen=True, slots=True, eq=False)
class PenaltySolution(Record):
    """A solution with its certificate: the residual of the optimality conditions and the duality gap.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Minimiser of the objective.
    objective : float
        Value of the objective at `x`, penalties included.
    y : ndarray, shape (equalities,)
        Multipliers of the equality constraints.
    z : ndarray, shape (rows,)
        Multipliers of the rows, each between 0 and its penalty weight.
    bounds : ndarray, shape (n,)
        Multipliers of the bounds: above 0 at an upper bound, below 0 at a lower bound.
    on, above : ndarray of bool, shape (rows,)
        Masks of the active rows (equal to their right side) and of the rows that exceed it.
    at_lower, at_upper : ndarray of int
        Indices of the variables at their lower and upper bounds.
    kkt_residual : float
        Largest violation of an optimality (KKT) condition, relative to the terms in it.
    duality_gap : float
        Difference of primal and dual objective, relative to the terms of the objective.
    iterations : int
        Number of linear systems solved.
    converged : bool
        Whether the optimality conditions hold to nine digits. If not, the constraints may be infeasible.
    """

    x: FloatArray
    objective: float
    y: FloatArray
    z: FloatArray
    bounds: FloatArray
    on: NDArray[np.bool_]
    above: NDArray[np.bool_]
    at_lower: NDArray[np.intp]
    at_upper: NDArray[np.intp]
    kkt_residual: float
    duality_gap: float
    iterations: int
    converged: bool


@dataclass(frozen=True, slots=True, eq=False)
class PenaltyProgram:
    """A program whose bounds are further rows, stored by their variables instead of as matrix rows.

    Parameters
    ----------
    P, q, A, b, E : ndarray
        Matrices and vectors of the program, as in :func:`~bank_python.numerics.solve_penalties`.
    sizes : ndarray, shape (rows, n)
        Absolute values of the entries of E.
    side, penalty : ndarray, shape (rows and bounds,)
        Right sides and penalty weights of the rows, then of the upper and of the lower bounds; an infinite weight for
        hard constraints.
    high, low : ndarray of int
        Indices of the variables that have an upper and a lower bound.
    broad : ndarray of int
        Indices of the rows with more than two variables.
    narrow : tuple of ndarray of int
        Indices of the other rows, and the first and last variable of each. The absolute value of a weight takes two
        such rows, and matrix products with them would be most of the work.
    """

    P: FloatArray
    q: FloatArray
    A: FloatArray
    b: FloatArray
    E: FloatArray
    sizes: FloatArray
    side: FloatArray
    penalty: FloatArray
    high: NDArray[np.intp]
    low: NDArray[np.intp]
    broad: NDArray[np.intp]
    narrow: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]

    @classmethod
    def of(
        cls,
        P: ArrayLike,
        q: ArrayLike,
        E: ArrayLike,
        f: ArrayLike,
        penalty: ArrayLike,
        A: ArrayLike | None,
        b: ArrayLike | None,
        lower: ArrayLike | None,
        upper: ArrayLike | None,
    ) -> PenaltyProgram:
        """Check the arguments of :func:`~bank_python.numerics.solve_penalties` and return their program.

        Raises
        ------
        ModelError
            The shapes do not match, a value is not finite, or a penalty weight is not above 0.
        """
        cost = np.asarray(q, dtype=np.float64)
        n = cost.size
        if cost.ndim != 1 or not n:
            raise ModelError(
                f"q has shape {cost.shape}; give a vector with one entry for each variable", value=cost.shape
            )
        rows = np.asarray(E, dtype=np.float64)
        equal = np.zeros((0, n)) if A is None else np.asarray(A, dtype=np.float64)
        k, m = len(rows) if rows.ndim else 0, len(equal) if equal.ndim else 0
        matrix, sides = _shaped("P", P, (n, n)), _shaped("f", f, (k,))
        rows, penalties = _shaped("E", rows, (k, n)), _shaped("penalty", penalty, (k,))
        equal, right = _shaped("A", equal, (m, n)), _shaped("b", np.zeros(0) if b is None else b, (m,))
        least = _shaped("lower", _for_all(-np.inf if lower is None else lower, n), (n,))
        most = _shaped("upper", _for_all(np.inf if upper is None else upper, n), (n,))
        if not all(np.isfinite(part).all() for part in (matrix, cost, equal, right, rows, sides)):
            raise ModelError("a value of P, q, A, b, E or f is not finite; correct it")
        if not ((penalties > 0.0).all() and (least < np.inf).all() and (most > -np.inf).all()):
            raise ModelError(
                "a penalty weight is not above 0, a bound is NaN, or a lower bound is inf or an upper bound -inf; "
                "correct it"
            )
        high, low = np.flatnonzero(most < np.inf), np.flatnonzero(least > -np.inf)
        side = np.concatenate([sides, most[high], -least[low]])
        penalties = np.append(penalties, np.full(len(high) + len(low), np.inf))
        used = rows != 0.0
        is_narrow = used.sum(axis=1) <= _NARROW
        thin = np.flatnonzero(is_narrow)
        ends = used[thin].argmax(axis=1), n - 1 - used[thin, ::-1].argmax(axis=1)
        last = np.where(used[thin].any(axis=1), ends[1], ends[0])
        return cls(
            matrix,
            cost,
            equal,
            right,
            rows,
            np.abs(rows),
            side,
            penalties,
            high,
            low,
            np.flatnonzero(~is_narrow),
            (thin, ends[0], last),
        )

    @property
    def count(self) -> int:
        """Number of rows of E, without the bounds."""
        return len(self.E)

    def values(self, x: FloatArray) -> FloatArray:
        """Return the left sides of all rows and bounds at x."""
        return np.concatenate([self.E @ x, x[self.high], -x[self.low]])

    def combination(self, z: FloatArray) -> FloatArray:
        """Return the sum of the rows, weighted with z."""
        total = z[: self.count] @ self.E
        total[self.high] += z[self.count : self.count + len(self.high)]
        total[self.low] -= z[self.count + len(self.high) :]
        return np.asarray(total)

    def absolute_combination(self, z: FloatArray) -> FloatArray:
        """Return the sum of the absolute rows, weighted with z: the size of what cancels in :meth:`combination`."""
        total = z[: self.count] @ self.sizes
        total[self.high] += z[self.count : self.count + len(self.high)]
        total[self.low] += z[self.count + len(self.high) :]
        return np.asarray(total)

    def scale_limits(self) -> tuple[float, float, float]:
        """Return the least size of x, the least size of a gradient and the largest size of x that residuals allow for.

        They make a minimum at 0 and a diverging point recognisable. They depend on the program's data only, as a
        diverging point would otherwise make its own violations look small.
        """
        largest = np.concatenate([self.sizes.max(axis=1, initial=0.0), np.ones(len(self.side) - self.count)])
        size, side = np.append(largest, np.abs(self.A).max(axis=1, initial=0.0)), np.abs(np.append(self.side, self.b))
        counted = (side > 0.0) & (size > 0.0)
        length = float(np.median(side[counted] / size[counted])) if counted.any() else 0.0
        slope = float(np.abs(self.q).max(initial=0.0)) + length * float(np.abs(self.P).max(initial=0.0))
        soft = np.isfinite(self.penalty)
        if slope == 0.0 and soft.any():
            slope = float(np.median(self.penalty[soft] * largest[soft]))
        far = length / _FLOOR if length > 0.0 else np.inf
        return max(_FLOOR * length, TINY), max(_FLOOR * slope, TINY), far

    def curvature(self, weight: FloatArray) -> FloatArray:
        """Return P plus the weighted sum of the rows' outer products with themselves."""
        full, (rows, first, second) = self.E[self.broad], self.narrow
        total = self.P + (full * weight[self.broad, None]).T @ full
        one, other, scale = self.E[rows, first], np.where(first == second, 0.0, self.E[rows, second]), weight[rows]
        np.add.at(total, (first, first), scale * one * one)
        np.add.at(total, (second, second), scale * other * other)
        np.add.at(total, (first, second), scale * one * other)
        np.add.at(total, (second, first), scale * one * other)
        diagonal = np.einsum("ii->i", total)
        diagonal[self.high] += weight[self.count : self.count + len(self.high)]
        diagonal[self.low] += weight[self.count + len(self.high) :]
        return np.asarray(total)


def _shaped(name: str, given: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    array = np.asarray(given, dtype=np.float64)
    if array.shape != shape:
        raise ModelError(f"the shapes do not match: {name} has shape {array.shape}, not {shape}", value=array.shape)
    return array


def _for_all(bound: ArrayLike, n: int) -> ArrayLike:
    return np.full(n, bound) if np.ndim(bound) == 0 else bound
