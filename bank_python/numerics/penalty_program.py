"""A convex program with prices on what is exceeded, and its solution; solved by an interior point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.tolerances import TINY

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics.columns import FloatArray

__all__ = ["PenaltyProgram", "PenaltySolution"]

_FLOOR = 1e-6  # of the program's own figures: lengths and slopes that are smaller count as this
_NARROW = 2  # variables of a row that is multiplied out entry by entry


@dataclass(frozen=True, slots=True, eq=False)
class PenaltySolution:
    """A solution and its proof.

    Parameters
    ----------
    x : ndarray, shape (n,)
        The minimum.
    objective : float
        Its cost.
    y : ndarray, shape (equalities,)
        Multipliers of the equalities.
    z : ndarray, shape (rows,)
        Multipliers of the rows, from 0 to their prices.
    bounds : ndarray, shape (n,)
        Multipliers of the bounds: above 0 at an upper one, below 0 at a lower one.
    on, above : ndarray of bool, shape (rows,)
        The rows that hold with equality, and those that are exceeded.
    at_lower, at_upper : ndarray of int
        The variables that their bounds hold.
    kkt_residual : float
        The largest violation of an optimality condition, relative to the terms in it.
    duality_gap : float
        Of the objective and what the multipliers prove, relative to the objective's terms.
    iterations : int
        Linear systems solved.
    converged : bool
        Whether the conditions hold to nine digits; where not, nothing may satisfy the constraints.
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
    """The program with its bounds as rows of their own, which are not multiplied out.

    Parameters
    ----------
    P, q, A, b, E : ndarray
        As given to :func:`~bank_python.numerics.solve_penalties`.
    sizes : ndarray, shape (rows, n)
        Of E's entries.
    side, price : ndarray, shape (rows and bounds,)
        Of the rows, then of the upper and of the lower bounds; what must hold has an infinite price.
    high, low : ndarray of int
        The variables that have an upper and a lower bound.
    broad : ndarray of int
        The rows over more than two variables.
    narrow : tuple of ndarray of int
        The other rows, and the first and the last variable of each: a size has two rows of two variables for each
        weight, of which a product of matrices would make nearly all of the work.
    """

    P: FloatArray
    q: FloatArray
    A: FloatArray
    b: FloatArray
    E: FloatArray
    sizes: FloatArray
    side: FloatArray
    price: FloatArray
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
        price: ArrayLike,
        A: ArrayLike | None,
        b: ArrayLike | None,
        lower: ArrayLike | None,
        upper: ArrayLike | None,
    ) -> PenaltyProgram:
        """Return the program.

        Raises
        ------
        ModelError
            The arrays do not fit, or hold what is no number.
        """
        cost = np.asarray(q, dtype=np.float64)
        n = cost.size
        if cost.ndim != 1 or not n:
            raise ModelError(f"q of shape {cost.shape}; give the cost of one variable or more", value=cost.shape)
        rows = np.asarray(E, dtype=np.float64)
        equal = np.zeros((0, n)) if A is None else np.asarray(A, dtype=np.float64)
        k, m = len(rows) if rows.ndim else 0, len(equal) if equal.ndim else 0
        matrix, sides = _shaped("P", P, (n, n)), _shaped("f", f, (k,))
        rows, prices = _shaped("E", rows, (k, n)), _shaped("price", price, (k,))
        equal, right = _shaped("A", equal, (m, n)), _shaped("b", np.zeros(0) if b is None else b, (m,))
        least = _shaped("lower", _for_all(-np.inf if lower is None else lower, n), (n,))
        most = _shaped("upper", _for_all(np.inf if upper is None else upper, n), (n,))
        if not all(np.isfinite(part).all() for part in (matrix, cost, equal, right, rows, sides)):
            raise ModelError("a figure of the program is not finite; correct it")
        if not ((prices > 0.0).all() and (least < np.inf).all() and (most > -np.inf).all()):
            raise ModelError("a price is not above 0, or a bound is not a number or leaves nothing; correct it")
        high, low = np.flatnonzero(most < np.inf), np.flatnonzero(least > -np.inf)
        side = np.concatenate([sides, most[high], -least[low]])
        prices = np.append(prices, np.full(len(high) + len(low), np.inf))
        there = rows != 0.0
        is_narrow = there.sum(axis=1) <= _NARROW
        thin = np.flatnonzero(is_narrow)
        ends = there[thin].argmax(axis=1), n - 1 - there[thin, ::-1].argmax(axis=1)
        last = np.where(there[thin].any(axis=1), ends[1], ends[0])
        return cls(
            matrix,
            cost,
            equal,
            right,
            rows,
            np.abs(rows),
            side,
            prices,
            high,
            low,
            np.flatnonzero(~is_narrow),
            (thin, ends[0], last),
        )

    @property
    def count(self) -> int:
        """Rows that are multiplied out."""
        return len(self.E)

    def ahead(self, x: FloatArray) -> FloatArray:
        """Return the rows' products with x."""
        return np.concatenate([self.E @ x, x[self.high], -x[self.low]])

    def back(self, z: FloatArray) -> FloatArray:
        """Return the sum of the rows, weighted."""
        total = z[: self.count] @ self.E
        total[self.high] += z[self.count : self.count + len(self.high)]
        total[self.low] -= z[self.count + len(self.high) :]
        return np.asarray(total)

    def weighed(self, z: FloatArray) -> FloatArray:
        """Return the weighted sum of the rows' sizes: the terms of :meth:`back`, which cancel at a minimum."""
        total = z[: self.count] @ self.sizes
        total[self.high] += z[self.count : self.count + len(self.high)]
        total[self.low] += z[self.count + len(self.high) :]
        return np.asarray(total)

    def floors(self) -> tuple[float, float, float]:
        """Return the least length and the least slope that count, and the largest length.

        So a minimum at nothing can be told, and a point that runs off. They come from the program's figures alone:
        taken from the point they would excuse it.
        """
        held = np.concatenate([self.sizes.max(axis=1, initial=0.0), np.ones(len(self.side) - self.count)])
        size, side = np.append(held, np.abs(self.A).max(axis=1, initial=0.0)), np.abs(np.append(self.side, self.b))
        told = (side > 0.0) & (size > 0.0)
        length = float(np.median(side[told] / size[told])) if told.any() else 0.0
        slope = float(np.abs(self.q).max(initial=0.0)) + length * float(np.abs(self.P).max(initial=0.0))
        soft = np.isfinite(self.price)
        if slope == 0.0 and soft.any():
            slope = float(np.median(self.price[soft] * held[soft]))
        far = length / _FLOOR if length > 0.0 else np.inf
        return max(_FLOOR * length, TINY), max(_FLOOR * slope, TINY), far

    def curved(self, weight: FloatArray) -> FloatArray:
        """Return P and the weighted sum of the rows' squares."""
        full, (rows, first, second) = self.E[self.broad], self.narrow
        total = self.P + (full * weight[self.broad, None]).T @ full
        one, other, held = self.E[rows, first], np.where(first == second, 0.0, self.E[rows, second]), weight[rows]
        np.add.at(total, (first, first), held * one * one)
        np.add.at(total, (second, second), held * other * other)
        np.add.at(total, (first, second), held * one * other)
        np.add.at(total, (second, first), held * one * other)
        diagonal = np.einsum("ii->i", total)
        diagonal[self.high] += weight[self.count : self.count + len(self.high)]
        diagonal[self.low] += weight[self.count + len(self.high) :]
        return np.asarray(total)


def _shaped(name: str, given: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    array = np.asarray(given, dtype=np.float64)
    if array.shape != shape:
        raise ModelError(f"the parts do not fit: {name} has shape {array.shape} and needs {shape}", value=array.shape)
    return array


def _for_all(bound: ArrayLike, n: int) -> ArrayLike:
    return np.full(n, bound) if np.ndim(bound) == 0 else bound
