r"""The critical line: a quadratic program for every weight of its linear part at once.

.. math:: x(s) = \arg\min_x\ \tfrac12 x^\top P x - s\, m^\top x \quad\text{subject to}\quad A x = b,\ l \le x \le u

for all :math:`s \ge 0`. While the same variables stay at their bounds, the conditions of the optimum are linear
equations whose right side is linear in s, so x(s) moves on a straight line. It turns where a free variable meets a
bound, or where the multiplier of a bound falls to 0 and its variable comes free. The whole path is therefore its
*turning points*: between two of them x is interpolated and is exact.

The path starts at s = 0, where a quadratic program is solved once, and goes up. Each turn changes the system of the
free variables by one row and column, and its inverse by a matrix of rank one; the slopes of the fixed variables follow
from one product of a matrix and a vector.

Where several variables turn at once, which of them come free is itself a small quadratic program: the direction of the
path minimises :math:`\tfrac12 d^\top P d - m^\top d` over the directions that keep the constraints and cost nothing to
first order. Its solution is unique and can be followed for some way, so no set of free variables comes twice.

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

from bank_python.errors import ModelError
from bank_python.numerics.qp import solve_qp
from bank_python.numerics.tolerances import EPSILON, LAST_DIGITS, SYMMETRIC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics.columns import FloatArray

__all__ = ["CriticalLine", "critical_line"]

_BETWEEN_POLISHES = 16  # turns, after which updates of rank one have left some digits to win back
_SLIGHT = 1e-6  # of the largest terms on the path: terms that are smaller are measured against this
_FAR = 1e4  # of the scale where both parts of the cost are alike: a path that still moves may only seem to
_SLOW = 1e-8  # of the width: a path that moves less may only seem to
_HELD = 1e-11  # of a variance: a variable that the equalities hold in its place
_MOST = 1000  # turns, and a hundred more for each variable; a path of finite length needs fewer
_FEW_ROUNDINGS = 16.0 * EPSILON  # of the width: what lies between a variable and the bound that others hold it at
_LEAST = 1e-300  # in the place of a 0 that is divided by; its quotients still order turns


@dataclass(frozen=True, slots=True, eq=False)
class CriticalLine:
    """The solutions for all s from 0 on; made by :func:`critical_line`.

    Parameters
    ----------
    scales : ndarray, shape (n_points,)
        s at the turning points, ascending from 0.
    points : ndarray, shape (n_points, n)
        x there.
    multipliers : ndarray, shape (n_points, equalities)
        y there: ``P x - s m - A' y`` is 0 where x is free, at least 0 at a lower bound, at most 0 at an upper one.
    direction : ndarray, shape (n,)
        dx/ds behind the last turning point; all 0 where the path has come to rest.
    certificate_residual : float
        The largest violation of a condition of the optimum at a turning point, relative to the terms in it; computed
        anew from the given matrices.
    drift : float
        How far the updated inverse let the direction be off, at most, before that was refined or the inverse computed
        anew; relative to m.
    """

    scales: FloatArray
    points: FloatArray
    multipliers: FloatArray
    direction: FloatArray
    certificate_residual: float
    drift: float

    @property
    def is_ray(self) -> bool:
        """Whether the path goes on for ever behind its last turning point."""
        return bool(self.direction.any())

    def at(self, s: float) -> FloatArray:
        """Return x(s), shape (n,).

        Parameters
        ----------
        s : float
            At least 0, finite.

        Raises
        ------
        ModelError
            It is not.
        """
        if not 0.0 <= s < np.inf:
            raise ModelError(f"s={s!r}; the path goes from 0 to infinity", value=s)
        i = int(np.searchsorted(self.scales, s, side="right")) - 1
        start, along = self.points[i], s - float(self.scales[i])
        if i + 1 == len(self.scales):
            return np.asarray(start + along * self.direction)
        share = along / float(self.scales[i + 1] - self.scales[i])
        return np.asarray(start + share * (self.points[i + 1] - start))


def critical_line(
    P: ArrayLike, m: ArrayLike, A: ArrayLike, b: ArrayLike, lower: ArrayLike, upper: ArrayLike
) -> CriticalLine:
    """Return the solutions for all s from 0 on.

    Parameters
    ----------
    P : array_like, shape (n, n)
        Symmetric and positive definite.
    m : array_like, shape (n,)
        What s weighs; finite.
    A, b : array_like, shape (equalities, n) and (equalities,)
        Equalities, the rows of A independent; there may be none.
    lower, upper : array_like, shape (n,) or ()
        Bounds; infinite for none.

    Raises
    ------
    ModelError
        The matrices do not fit, are not finite, or P is not symmetric and positive definite.
    InfeasibleError
        Nothing satisfies the constraints.
    """
    gain = np.asarray(m, dtype=np.float64).reshape(-1)
    n = len(gain)
    if not n or not np.isfinite(gain).all():
        raise ModelError("m is empty, or holds a figure that is not finite; give one for each variable")
    rows, right = np.atleast_2d(np.asarray(A, dtype=np.float64)), np.asarray(b, dtype=np.float64).reshape(-1)
    rows = rows if rows.size else np.zeros((0, n))
    matrix, (low, high) = np.asarray(P, dtype=np.float64), (_bound(bound, n) for bound in (lower, upper))
    if matrix.shape == (n, n) and float(np.abs(matrix - matrix.T).max()) > SYMMETRIC * float(np.abs(matrix).max()):
        raise ModelError("P is not symmetric; give the matrix of the quadratic form")
    program = _Program(matrix, gain, rows, right, low, high)
    path = _Path(program)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        path.run()
    scales, points = np.array(path.scales), np.array(path.points)
    for bound in (low, high):
        # A free variable may meet a bound that others hold it at; what rounding leaves between them is no weight.
        points = np.where(np.abs(points - bound) <= _FEW_ROUNDINGS * path.width, bound, points)
    multipliers = np.array(path.multipliers).reshape(len(scales), len(right)) - np.outer(scales, path.shift)
    residual = _residual(program, scales, points, multipliers)
    for array in (scales, points, multipliers, path.direction):
        array.setflags(write=False)
    return CriticalLine(scales, points, multipliers, path.direction, residual, path.drift)


def _bound(bound: ArrayLike, n: int) -> FloatArray:
    given = np.asarray(bound, dtype=np.float64)
    if given.shape not in {(), (n,)}:
        raise ModelError(f"bounds of shape {given.shape} for {n} variables; give one figure, or one each")
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
    """Return the largest violation of slope, sign and constraint over all points."""
    pull, gain, held = points @ program.P, np.outer(scales, program.m), multipliers @ program.A
    size = np.maximum(np.abs(pull).max(axis=1), np.abs(gain).max(axis=1))
    # Where x and s are 0 up to rounding there is nothing to be relative to but the rest of the path.
    size = np.maximum(size, max(_SLIGHT * float(size.max()), _LEAST))
    slope = (pull - gain - held) / size[:, None]
    wide = max(float(np.abs(points).max()), float(np.abs(program.b).max(initial=0.0)), _LEAST)
    # A slope above 0 asks for x at its lower bound, one below 0 for x at its upper bound; the smaller of slope and way
    # to that bound is how far this is off.
    down, up = (points - program.lower) / wide, (program.upper - points) / wide
    wrong = np.minimum(np.abs(slope), np.where(slope > 0.0, down, up))
    outside = max(0.0, -float(down.min()), -float(up.min()))
    equal = float(np.abs(points @ program.A.T - program.b).max(initial=0.0)) / wide
    return max(float(wrong.max()), outside, equal)


class _Path:
    """The state of the walk.

    ``value`` holds x of the free variables and the slopes of the fixed ones; ``floor`` and ``ceiling`` are what it must
    stay between, so both kinds of turn are found in one pass. The first rows of ``inverse`` and ``rows`` belong to the
    equalities, the others to the free variables in the order in which they came.
    """

    def __init__(self, program: _Program) -> None:
        n, self._fixed_rows = len(program.m), len(program.b)
        self._program = program
        start = solve_qp(program.P, np.zeros(n), A=program.A, b=program.b, lower=program.lower, upper=program.upper)
        # What of m the equalities fix moves only their multipliers; without it, ties in m cancel to the last digit.
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
        """Walk until no variable turns any more."""
        for step in range(1, _MOST + 100 * len(self._m)):
            if step % _BETWEEN_POLISHES == 0:
                self._polish()
            rate, lengths, first = self._lengths()
            shortest = LAST_DIGITS * max(self._s, self._natural)
            if lengths[first] <= shortest:
                self._resolve(rate, lengths <= shortest)
                # It is resolved who turns here: a turn that is still as near is rounding.
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
            f"the critical line still turns after {len(self.scales)} points, at s={self._s:g}; P may be near singular",
            value=self._s,
        )

    def _x(self) -> FloatArray:
        return np.where(self._side == 0, self._value, self._held)

    def _record(self) -> None:
        self.scales.append(self._s)
        self.points.append(self._x())
        self.multipliers.append(self._y.copy())

    def _lengths(self, beyond: float = 0.0) -> tuple[FloatArray, FloatArray, int]:
        """Return the rates of all values, how far s can rise until each meets its limit, and whose is the nearest.

        Limits that are not beyond a given length do not count.
        """
        rate, lengths, first = self._measured(self._refined(), beyond)
        slow = self._fastest * self._natural < _SLOW * self.width
        if (slow or self._s + lengths[first] > _FAR * self._natural) and self._comes_to_rest():
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
            # What the equalities alone hold in its place has a zero here; without it the system would be singular.
            move[self._inverse.diagonal()[first:last] * self._spread[free] <= _HELD] = 0.0
        rate[free], speed[free] = direction, move
        room = np.where(rate > 0.0, self._ceiling - self._value, self._value - self._floor)
        lengths = np.maximum(room, _LEAST) / speed
        if beyond > 0.0:
            lengths[lengths <= beyond] = np.inf
        return rate, lengths, int(lengths.argmin())

    def _rates(self) -> FloatArray:
        """Return the rates of the slopes of all variables."""
        rate: FloatArray = self._solved[: self._count] @ self._rows[: self._count]
        rate -= self._m
        return rate

    def _refined(self) -> FloatArray:
        """Return the rates of the slopes, and put the direction right by what those of the free variables are off 0."""
        rate, off = self._off()
        drift = math.sqrt(off[self._fixed_rows :] @ off[self._fixed_rows :]) / self._steepest
        self.drift = max(self.drift, drift)
        if drift > LAST_DIGITS:
            self._factor()
            self._polish()
            rate, off = self._off()
        self._solved[: self._count] -= self._inverse[: self._count, : self._count] @ off
        return rate

    def _off(self) -> tuple[FloatArray, FloatArray]:
        """Return the rates of the slopes, and by how much the direction misses what it solves."""
        first, last = self._fixed_rows, self._count
        free, solved = self._order[first:last], self._solved[:last]
        rate, off = self._rates(), np.empty(last)
        off[:first], off[first:] = self._rows[:first, free] @ solved[first:], rate[free]
        return rate, off

    def _comes_to_rest(self) -> bool:
        """Set the direction to 0 if m is the same along all of the free variables, which rounding would hide."""
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
        """Fix a variable at a bound: its slope must stay at least 0 at the lower one, at most 0 at the upper one."""
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
        """Set all up anew for the variables that are free now."""
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
        """Compute slopes anew, and correct x and the multipliers by what those of the free variables are off."""
        first, last = self._fixed_rows, self._count
        free, x, given = self._order[first:last], self._x(), self._program
        slope = given.P @ x - self._s * self._m - self._y @ given.A
        off = self._inverse[:last, :last] @ np.concatenate([given.A @ x - given.b, slope[free]])
        self._y += off[:first]
        self._value = slope - off @ self._rows[:last]
        self._value[free] = x[free] - off[first:]

    def _resolve(self, rate: FloatArray, near: NDArray[np.bool_]) -> None:
        """Find which of the variables that turn here come free: those that move in the direction of the path."""
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
