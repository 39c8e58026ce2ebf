r"""The critical line algorithm: a parametric quadratic program, solved for every weight of its linear term.

.. math:: x(s) = \arg\min_x\ \tfrac12 x^\top P x - s\, m^\top x \quad\text{subject to}\quad A x = b,\ l \le x \le u

for all :math:`s \ge 0`. As long as the same variables are at their bounds, the optimality conditions are linear
equations whose right side is linear in s, so x(s) is piecewise linear. It has a *turning point* where a free variable
reaches a bound, or where the multiplier of a bound falls to 0 and its variable becomes free. The turning points
describe the whole path: linear interpolation between two of them is exact.

The path starts at s = 0, where one quadratic program is solved, and proceeds to larger s. Each turning point changes
the linear system of the free variables by one row and column, and its inverse by a matrix of rank one; the gradient
components of the fixed variables follow from one product of a matrix and a vector.

Where several variables change status at one point, a small quadratic program determines which of them become free: the
direction of the path minimises :math:`\tfrac12 d^\top P d - m^\top d` over the directions that satisfy the constraints
and leave the objective unchanged to first order. Its solution is unique and is valid over a positive length of the
path, so no set of free variables occurs twice.

Examples
--------
>>> P, m = np.array([[0.04, 0.0], [0.0, 0.09]]), np.array([0.05, 0.10])
>>> path = critical_line(P, m, [[1.0, 1.0]], [1.0], lower=0.0, upper=1.0)
>>> path.scales.round(6), path.points.round(6).tolist(), path.is_ray
(array([0. , 1.8]), [[0.692308, 0.307692], [0.0, 1.0]], False)
>>> path.at(0.9).round(6)
array([0.346154, 0.653846])

References
----------
H. M. Markowitz, "The optimization of a quadratic function subject to linear constraints", Naval Research Logistics
Quarterly 3 (1956), 111-133.

M. J. Best, "An algorithm for the solution of the parametric quadratic programming problem", in: Applied Mathematics
and Parallel Computing (1996), 57-76.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.qp import solve_qp
from bank_python.numerics.tolerances import EPSILON, LAST_DIGITS, SYMMETRIC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics.columns import FloatArray

__all__ = ["CriticalLine", "critical_line"]

_BETWEEN_POLISHES = 16  # turning points between corrections of the rounding errors of rank-one updates
_SLIGHT = 1e-6  # relative to the largest terms on the path: the least size that residuals are measured against
_FAR = 1e4  # relative to the s at which both terms of the objective are equal: beyond, motion may be rounding
_SLOW = 1e-8  # relative to the width: a slower motion may be rounding
_DETERMINED = 1e-11  # relative to a variance: a variable with less freedom is determined by the equalities
_MOST = 1000  # turning points, and a hundred more for each variable; a finite path needs fewer
_FEW_ROUNDINGS = 16.0 * EPSILON  # relative to the width: the distance from a bound that rounding can leave
_LEAST = 1e-300  # replaces a divisor of 0; the quotients still have the right order


@dataclass(frozen=True, slots=True, eq=False)
class CriticalLine(Record):
    """The solutions of a parametric quadratic program for all s >= 0, as returned by :func:`critical_line`.

    Parameters
    ----------
    scales : ndarray, shape (n_points,)
        Values of s at the turning points, ascending from 0.
    points : ndarray, shape (n_points, n)
        Solutions x at the turning points.
    multipliers : ndarray, shape (n_points, equalities)
        Multipliers y of the equalities at the turning points. The gradient ``P x - s m - A' y`` is 0 for free
        variables, at least 0 for those at a lower bound and at most 0 for those at an upper bound.
    direction : ndarray, shape (n,)
        Derivative dx/ds beyond the last turning point; all 0 if the path is constant there.
    certificate_residual : float
        Largest violation of an optimality condition at a turning point, relative to the terms in it, recomputed from
        the given matrices.
    drift : float
        Largest error of the direction, relative to m, due to updates of the inverse; it was then corrected.
    """

    scales: FloatArray
    points: FloatArray
    multipliers: FloatArray
    direction: FloatArray
    certificate_residual: float
    drift: float

    @property
    def is_ray(self) -> bool:
        """Whether the path is unbounded: it still moves beyond its last turning point."""
        return bool(self.direction.any())

    def at(self, s: float) -> FloatArray:
        """Return the solution x(s), shape (n,).

        Parameters
        ----------
        s : float
            Weight of the linear term, finite and at least 0.

        Raises
        ------
        ModelError
            `s` is negative or not finite.
        """
        if not 0.0 <= s < np.inf:
            raise ModelError(f"s={s!r} is negative or not finite; the path is defined for finite s >= 0", value=s)
        i = int(np.searchsorted(self.scales, s, side="right")) - 1
        start, along = self.points[i], s - float(self.scales[i])
        if i + 1 == len(self.scales):
            return np.asarray(start + along * self.direction)
        share = along / float(self.scales[i + 1] - self.scales[i])
        return np.asarray(start + share * (self.points[i + 1] - start))


def critical_line(
    P: ArrayLike, m: ArrayLike, A: ArrayLike, b: ArrayLike, lower: ArrayLike, upper: ArrayLike
) -> CriticalLine:
    """Solve a parametric quadratic program for all s >= 0.

    Parameters
    ----------
    P : array_like, shape (n, n)
        Symmetric, positive definite matrix of the quadratic term.
    m : array_like, shape (n,)
        Coefficients of the linear term, which s multiplies; finite.
    A, b : array_like, shape (equalities, n) and (equalities,)
        Equality constraints ``A x = b``, the rows of A linearly independent; there may be none.
    lower, upper : array_like, shape (n,) or ()
        Bounds of the variables; infinite where there is none.

    Raises
    ------
    ModelError
        The shapes do not match, a value is not finite, or P is not symmetric and positive definite.
    InfeasibleError
        No point satisfies the constraints.
    """
    gain = np.asarray(m, dtype=np.float64).reshape(-1)
    n = len(gain)
    if not n or not np.isfinite(gain).all():
        raise ModelError("m is empty or has a value that is not finite; give one finite value for each variable")
    rows, right = np.atleast_2d(np.asarray(A, dtype=np.float64)), np.asarray(b, dtype=np.float64).reshape(-1)
    rows = rows if rows.size else np.zeros((0, n))
    matrix, (low, high) = np.asarray(P, dtype=np.float64), (_bound(bound, n) for bound in (lower, upper))
    if matrix.shape == (n, n) and float(np.abs(matrix - matrix.T).max()) > SYMMETRIC * float(np.abs(matrix).max()):
        raise ModelError("P is not symmetric; give the symmetric matrix of the quadratic term")
    program = _Program(matrix, gain, rows, right, low, high)
    path = _Path(program)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        path.run()
    scales, points = np.array(path.scales), np.array(path.points)
    for bound in (low, high):
        # The other variables may keep a free variable at its bound; remove what rounding leaves between the two.
        points = np.where(np.abs(points - bound) <= _FEW_ROUNDINGS * path.width, bound, points)
    multipliers = np.array(path.multipliers).reshape(len(scales), len(right)) - np.outer(scales, path.shift)
    residual = _residual(program, scales, points, multipliers)
    for array in (scales, points, multipliers, path.direction):
        array.setflags(write=False)
    return CriticalLine(scales, points, multipliers, path.direction, residual, path.drift)


def _bound(bound: ArrayLike, n: int) -> FloatArray:
    given = np.asarray(bound, dtype=np.float64)
    if given.shape not in {(), (n,)}:
        raise ModelError(f"bounds of shape {given.shape} for {n} variables; give one value, or one for each")
    return np.asarray(given + np.zeros(n))


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    P: FloatArray
    m: FloatArray
    A: FloatArray
    b: FloatArray
    lower: FloatArray
    upper: FloatArray


def _residual(program: _Program, scales: FloatArray, points: FloatArray, multipliers: FloatArray) -> float:
    """Return the largest violation of stationarity, sign and feasibility over all points."""
    quadratic, linear, dual = points @ program.P, np.outer(scales, program.m), multipliers @ program.A
    size = np.maximum(np.abs(quadratic).max(axis=1), np.abs(linear).max(axis=1))
    # Where x and s are 0 up to rounding, residuals are measured against the rest of the path.
    size = np.maximum(size, max(_SLIGHT * float(size.max()), _LEAST))
    slope = (quadratic - linear - dual) / size[:, None]
    wide = max(float(np.abs(points).max()), float(np.abs(program.b).max(initial=0.0)), _LEAST)
    # A positive gradient requires x at its lower bound, a negative one x at its upper bound; the violation is the
    # smaller of the gradient and the distance to that bound.
    down, up = (points - program.lower) / wide, (program.upper - points) / wide
    wrong = np.minimum(np.abs(slope), np.where(slope > 0.0, down, up))
    outside = max(0.0, -float(down.min()), -float(up.min()))
    equal = float(np.abs(points @ program.A.T - program.b).max(initial=0.0)) / wide
    return max(float(wrong.max()), outside, equal)


class _Path:
    """The state of the algorithm along the path.

    ``value`` has x for the free variables and the gradient for the fixed ones; ``floor`` and ``ceiling`` are its
    limits, so that both kinds of turning point are found in one pass. The first rows of ``inverse`` and ``rows`` belong
    to the equalities, the others to the free variables in the order in which they became free.
    """

    def __init__(self, program: _Program) -> None:
        n, self._fixed_rows = len(program.m), len(program.b)
        self._program = program
        start = solve_qp(program.P, np.zeros(n), A=program.A, b=program.b, lower=program.lower, upper=program.upper)
        # The part of m in the row space of A changes only the multipliers. Without it, ties in m cancel exactly.
        self.shift = np.linalg.solve(program.A @ program.A.T, program.A @ program.m)
        self._m = program.m - self.shift @ program.A
        self._steepest = max(float(np.abs(self._m).max()), _LEAST)
        self._still = max(_FEW_ROUNDINGS * float(np.abs(program.m).max()), LAST_DIGITS * self._steepest)
        self.width = float(np.abs(start.x).max()) or 1.0
        self._spread = np.diag(program.P)
        self._pull = self.width * float(self._spread.max())
        self._natural = self._pull / self._steepest
        self._pinned = program.lower == program.upper
        self._s, self._y, self._side = 0.0, -start.equality_duals, np.zeros(n, dtype=np.int8)
        self._side[start.at_lower], self._side[start.at_upper] = -1, 1
        size = n + self._fixed_rows
        self._inverse, self._rows, self._solved = np.empty((size, size)), np.empty((size, n)), np.empty(size)
        self._rows[: self._fixed_rows] = program.A
        self._order: NDArray[np.intp] = np.zeros(size, dtype=np.intp)
        self._place: NDArray[np.intp] = np.zeros(n, dtype=np.intp)
        self._fastest, self._count, self.drift, self.direction = 0.0, self._fixed_rows, 0.0, np.zeros(n)
        self._place_all(start.x)
        self.scales: list[float] = [0.0]
        self.points: list[FloatArray] = [self._x()]
        self.multipliers: list[FloatArray] = [self._y.copy()]

    def run(self) -> None:
        """Follow the path until there is no further turning point."""
        for step in range(1, _MOST + 100 * len(self._m)):
            if step % _BETWEEN_POLISHES == 0:
                self._polish()
            rate, lengths, first = self._lengths()
            shortest = LAST_DIGITS * max(self._s, self._natural)
            if lengths[first] <= shortest:
                self._resolve(rate, lengths <= shortest)
                # All changes of status at this point are resolved; another one as near is rounding.
                rate, lengths, first = self._lengths(shortest)
            if lengths[first] == np.inf:
                self.direction = np.where(self._side == 0, rate, 0.0)
                self._polish()
                self.points[-1], self.multipliers[-1] = self._x(), self._y
                return
            self._advance(rate, float(lengths[first]))
            self._exchange(first, up=bool(rate[first] > 0.0))
            self._record()
        raise ModelError(
            f"the critical line has more than {len(self.scales)} turning points, the last at s={self._s:g}; "
            "P may be nearly singular",
            value=self._s,
        )

    def _x(self) -> FloatArray:
        return np.where(self._side == 0, self._value, self._held)

    def _record(self) -> None:
        self.scales.append(self._s)
        self.points.append(self._x())
        self.multipliers.append(self._y.copy())

    def _lengths(self, beyond: float = 0.0) -> tuple[FloatArray, FloatArray, int]:
        """Return the rates of all values, the increases of s at which each reaches its limit, and the first of them.

        Increases up to `beyond` are ignored.
        """
        rate, lengths, first = self._measured(self._refined(), beyond)
        slow = self._fastest * self._natural < _SLOW * self.width
        if (slow or self._s + lengths[first] > _FAR * self._natural) and self._stops():
            return self._measured(self._rates(), beyond)
        return rate, lengths, first

    def _measured(self, rate: FloatArray, beyond: float) -> tuple[FloatArray, FloatArray, int]:
        first, last = self._fixed_rows, self._count
        free, direction = self._order[first:last], self._solved[first:last]
        speed = np.abs(rate)
        speed[speed <= self._still] = 0.0
        move = np.abs(direction)
        self._fastest = float(np.maximum.reduce(move, initial=0.0))
        move[move <= LAST_DIGITS * self._fastest] = 0.0
        if first > 1:
            # A variable that the equalities determine cannot move: its diagonal entry of the inverse is 0.
            move[self._inverse.diagonal()[first:last] * self._spread[free] <= _DETERMINED] = 0.0
        rate[free], speed[free] = direction, move
        room = np.where(rate > 0.0, self._ceiling - self._value, self._value - self._floor)
        lengths = np.maximum(room, _LEAST) / speed
        if beyond > 0.0:
            lengths[lengths <= beyond] = np.inf
        return rate, lengths, int(lengths.argmin())

    def _rates(self) -> FloatArray:
        """Return the rates of change of all variables' gradients."""
        rate: FloatArray = self._solved[: self._count] @ self._rows[: self._count]
        rate -= self._m
        return rate

    def _refined(self) -> FloatArray:
        """Return the rates of the gradients, and correct the direction for the residuals of the free variables."""
        rate, off = self._residuals()
        drift = math.sqrt(off[self._fixed_rows :] @ off[self._fixed_rows :]) / self._steepest
        self.drift = max(self.drift, drift)
        if drift > LAST_DIGITS:
            self._factor()
            self._polish()
            rate, off = self._residuals()
        self._solved[: self._count] -= self._inverse[: self._count, : self._count] @ off
        return rate

    def _residuals(self) -> tuple[FloatArray, FloatArray]:
        """Return the rates of the gradients, and the residuals of the linear system for the direction."""
        first, last = self._fixed_rows, self._count
        free, solved = self._order[first:last], self._solved[:last]
        rate, off = self._rates(), np.empty(last)
        off[:first], off[first:] = self._rows[:first, free] @ solved[first:], rate[free]
        return rate, off

    def _stops(self) -> bool:
        """Set the direction to 0 if the equalities determine m on all free variables up to rounding."""
        first, last = self._fixed_rows, self._count
        free = self._order[first:last]
        across, gain = self._rows[:first, free].T, self._m[free]
        even = np.linalg.lstsq(across, gain, rcond=None)[0]
        if np.abs(gain - across @ even).max(initial=0.0) > self._still:
            return False
        self._solved[:first], self._solved[first:last] = even, 0.0
        return True

    def _advance(self, rate: FloatArray, length: float) -> None:
        self._value += length * rate
        self._y -= length * self._solved[: self._fixed_rows]
        self._s += length

    def _exchange(self, i: int, *, up: bool) -> None:
        if self._side[i] == 0:
            self._leave(i)
            self._hold(i, 1 if up else -1)
            self._value[i] = 0.0
        else:
            self._join(i)
            self._side[i], self._value[i] = 0, self._held[i]
            self._floor[i], self._ceiling[i] = self._program.lower[i], self._program.upper[i]

    def _hold(self, i: int, side: int) -> None:
        """Fix a variable at a bound. Its gradient must stay at least 0 at a lower bound, at most 0 at an upper one."""
        self._side[i] = side
        self._held[i] = self._program.lower[i] if side < 0 else self._program.upper[i]
        self._floor[i] = -np.inf if side > 0 or self._pinned[i] else 0.0
        self._ceiling[i] = np.inf if side < 0 or self._pinned[i] else 0.0

    def _join(self, i: int) -> None:
        last = self._count
        column = self._rows[:last, i]
        along = self._inverse[:last, :last] @ column
        pivot = self._program.P[i, i] - column @ along
        moved = (self._m[i] - column @ self._solved[:last]) / pivot
        self._inverse[:last, :last] += along[:, None] * (along / pivot)
        self._inverse[last, :last] = self._inverse[:last, last] = along / -pivot
        self._inverse[last, last] = 1.0 / pivot
        self._solved[:last] -= moved * along
        self._solved[last] = moved
        self._rows[last], self._order[last], self._place[i] = self._program.P[i], i, last
        self._count += 1

    def _leave(self, i: int) -> None:
        last, at = self._count - 1, int(self._place[i])
        along = self._inverse[: last + 1, at].copy()
        pivot, moved = along[at], self._solved[at]
        along[at] = along[last]
        self._inverse[at, : last + 1] = self._inverse[last, : last + 1]
        self._inverse[: last + 1, at] = self._inverse[: last + 1, last]
        self._rows[at], self._order[at], self._solved[at] = self._rows[last], self._order[last], self._solved[last]
        self._place[self._order[at]] = at
        along = along[:last]
        self._inverse[:last, :last] -= along[:, None] * (along / pivot)
        self._solved[:last] -= (moved / pivot) * along
        self._count = last

    def _place_all(self, x: FloatArray) -> None:
        """Rebuild the state for the present set of free variables."""
        first, free = self._fixed_rows, np.flatnonzero(self._side == 0)
        self._count = last = first + len(free)
        self._order[first:last], self._place[free] = free, np.arange(first, last)
        self._rows[first:last] = self._program.P[free]
        low, high, given = self._side < 0, self._side > 0, self._program
        self._value = x.copy()
        self._held = np.where(low, given.lower, np.where(high, given.upper, 0.0))
        self._floor = np.where(low, 0.0, np.where(high, -np.inf, given.lower))
        self._ceiling = np.where(high, 0.0, np.where(low, np.inf, given.upper))
        self._floor[low & self._pinned], self._ceiling[high & self._pinned] = -np.inf, np.inf
        self._factor()
        self._polish()

    def _factor(self) -> None:
        first, last = self._fixed_rows, self._count
        free = self._order[first:last]
        system = np.zeros((last, last))
        system[:, first:] = self._rows[:last, free]
        system[first:, :first] = system[:first, first:].T
        self._inverse[:last, :last] = np.linalg.inv(system)
        self._solved[:last] = self._inverse[:last, first:last] @ self._m[free]

    def _polish(self) -> None:
        """Recompute the gradients, and correct x and the multipliers for the residuals of the free variables."""
        first, last = self._fixed_rows, self._count
        free, x, given = self._order[first:last], self._x(), self._program
        slope = given.P @ x - self._s * self._m - self._y @ given.A
        off = self._inverse[:last, :last] @ np.concatenate([given.A @ x - given.b, slope[free]])
        self._y += off[:first]
        self._value = slope - off @ self._rows[:last]
        self._value[free] = x[free] - off[first:]

    def _resolve(self, rate: FloatArray, near: NDArray[np.bool_]) -> None:
        """Determine which variables are free beyond a point where several change status: those that move."""
        x, free = self._x(), self._side == 0
        close = LAST_DIGITS * self.width
        low = free & ((x - self._program.lower <= close) | (near & (rate < 0.0)))
        high = free & ((self._program.upper - x <= close) | (near & (rate > 0.0)))
        slight = LAST_DIGITS * max(self._pull, self._s * self._steepest)
        loose = ~free & ~self._pinned & (near | (np.abs(self._value) <= slight))
        low |= loose & (self._side < 0)
        high |= loose & (self._side > 0)
        of = np.flatnonzero(free | loose)
        P = self._program.P[np.ix_(of, of)]
        unit = float(np.diag(P).max())
        turned = solve_qp(
            P / unit,
            -self._m[of] / self._steepest,
            A=self._program.A[:, of],
            b=np.zeros(self._fixed_rows),
            lower=np.where(low[of], 0.0, -np.inf),
            upper=np.where(high[of], 0.0, np.inf),
        )
        self._side[of] = 0
        self._side[of[turned.at_lower]], self._side[of[turned.at_upper]] = -1, 1
        self._place_all(x)
