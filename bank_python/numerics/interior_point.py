r"""Convex programs with prices on what is exceeded, by an interior point and then exactly.

.. math:: \min_x\ \tfrac12 x^\top P x + q^\top x + \sum_k p_k\,(E_k x - f_k)_+
          \quad\text{subject to}\quad A x = b,\quad l \le x \le u

with P positive semidefinite. A row with an infinite price is a constraint that must hold; one with a finite price may
be exceeded and costs what it is exceeded by. Two rows with prices make an absolute value, a thousand rows of scenarios
make an expected shortfall, and n rows more a limit on turnover.

The multiplier of row k lies between 0 and its price. That makes a row with a price as cheap as one without: the Newton
step is eliminated down to the variables, :math:`(P + E^\top D E)\,dx`, however many rows there are. Steps are those of
Mehrotra's predictor and corrector. The interior point tells which rows are below their side, above it, or just on it;
one linear system of those on it then gives the solution to the last digit.

Examples
--------
>>> solved = solve_hinges(  # the median of three numbers: half of each distance costs, whichever way
...     np.zeros((1, 1)),
...     np.zeros(1),
...     E=[[1.0], [1.0], [1.0], [-1.0], [-1.0], [-1.0]],
...     f=[1.0, 2.0, 9.0, -1.0, -2.0, -9.0],
...     price=np.full(6, 0.5),
... )
>>> solved.x.round(9).tolist(), round(solved.objective, 9)
([2.0], 4.0)

References
----------
S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM Journal on Optimization 2 (1992),
575-601.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.triangular import cholesky_solve, solved_or_nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics.lanes import FloatArray

__all__ = ["HingeSolution", "solve_hinges"]

_MOST = 100
_CLOSE = 1e-11
_BACK = 0.995
_REFINEMENTS = 12
_EXACT = 1e-13
_LEAST = 1e-10
_FLOOR = 1e-6
_TINY = 1e-150
_RIDGE = 1e-14
_NARROW = 2
_PROGRESS = 0.9
_MIDDLE = 0.3
_ROUNDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class HingeSolution:
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


def solve_hinges(
    P: ArrayLike,
    q: ArrayLike,
    *,
    E: ArrayLike,
    f: ArrayLike,
    price: ArrayLike,
    A: ArrayLike | None = None,
    b: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> HingeSolution:
    """Solve a convex program with prices on what is exceeded.

    Parameters
    ----------
    P : array_like, shape (n, n)
        Symmetric, positive semidefinite; positive definite together with the rows and the bounds.
    q : array_like, shape (n,)
        Linear cost.
    E, f, price : array_like, shape (rows, n), (rows,) and (rows,)
        Rows, their sides, and what a unit above the side costs: above 0, infinite for what must hold.
    A, b : array_like, shape (equalities, n) and (equalities,), optional
        Equalities.
    lower, upper : array_like, shape (n,), optional
        Bounds; infinite where there is none.

    Raises
    ------
    ModelError
        The arrays do not fit, or hold figures that are not finite.
    """
    rows = _Rows.of(P, q, E, f, price, A, b, lower, upper)
    point, steps = _Path(rows).run()
    return _exact(rows, point, steps)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The program with its bounds as rows of their own, which are not multiplied out."""

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
    ) -> _Rows:
        cost = np.asarray(q, dtype=np.float64)
        n = len(cost)
        matrix, rows = np.asarray(P, dtype=np.float64), np.asarray(E, dtype=np.float64).reshape(-1, n)
        equal = np.zeros((0, n)) if A is None else np.asarray(A, dtype=np.float64).reshape(-1, n)
        right = np.zeros(0) if b is None else np.asarray(b, dtype=np.float64).reshape(-1)
        sides, prices = np.asarray(f, dtype=np.float64), np.asarray(price, dtype=np.float64)
        least = np.broadcast_to(np.asarray(-np.inf if lower is None else lower, dtype=np.float64), (n,))
        most = np.broadcast_to(np.asarray(np.inf if upper is None else upper, dtype=np.float64), (n,))
        if matrix.shape != (n, n) or len(equal) != len(right) or not len(rows) == len(sides) == len(prices):
            raise ModelError(f"the parts of a program of {n} variables do not fit: P {matrix.shape}, E {rows.shape}")
        if not all(np.isfinite(part).all() for part in (matrix, cost, equal, right, rows, sides)):
            raise ModelError("a figure of the program is not finite; correct it")
        if not ((prices > 0.0).all() and not np.isnan(least).any() and not np.isnan(most).any()):
            raise ModelError("a price is not above 0, or a bound is not a number; correct it")
        high, low = np.flatnonzero(np.isfinite(most)), np.flatnonzero(np.isfinite(least))
        side = np.concatenate([sides, most[high], -least[low]])
        hard = np.full(len(high) + len(low), np.inf)
        return cls(matrix, cost, equal, right, rows, np.abs(rows), side, np.concatenate([prices, hard]), high, low)

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

    def floors(self) -> tuple[float, float]:
        """Return the least length and the least slope that count, so that a minimum at nothing can be told.

        They come from the program's figures alone: taken from a point that runs off they would excuse it.
        """
        held = np.concatenate([self.sizes.max(axis=1, initial=0.0), np.ones(len(self.side) - self.count)])
        size, side = np.append(held, np.abs(self.A).max(axis=1, initial=0.0)), np.abs(np.append(self.side, self.b))
        told = (side > 0.0) & (size > 0.0)
        length = float(np.median(side[told] / size[told])) if told.any() else 0.0
        slope = float(np.abs(self.q).max(initial=0.0)) + length * float(np.abs(self.P).max(initial=0.0))
        soft = np.isfinite(self.price)
        if slope == 0.0 and soft.any():
            slope = float(np.median(self.price[soft] * held[soft]))
        return max(_FLOOR * length, _TINY), max(_FLOOR * slope, _TINY)

    def curved(self, weight: FloatArray) -> FloatArray:
        """Return P and the weighted sum of the rows' squares."""
        total = self.P + (self.E * weight[: self.count, None]).T @ self.E
        diagonal = np.einsum("ii->i", total)
        diagonal[self.high] += weight[self.count : self.count + len(self.high)]
        diagonal[self.low] += weight[self.count + len(self.high) :]
        return np.asarray(total)


@dataclass(slots=True)
class _Point:
    """Where the interior point is: room below (v) and excess above (u) every side, and the multipliers (z).

    What these leave of the prices (spare) is kept apart, since it would be lost in rounding.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    spare: FloatArray
    v: FloatArray
    u: FloatArray


class _Path:
    """Mehrotra's steps towards the minimum."""

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows
        self._soft = np.isfinite(rows.price)
        self._wide = np.flatnonzero(~self._soft[: rows.count] & ((rows.E != 0.0).sum(axis=1) > _NARROW))
        self._paid = np.where(self._soft, rows.price, 0.0)
        self._pairs = len(rows.side) + int(self._soft.sum())
        self._at = self._start()
        self._floor = _LEAST * self._gap() * self._pairs  # of costs that vanish
        self._short, flat = rows.floors()
        self._flat = max(flat, _LEAST * float(self._at.z.max(initial=0.0)))  # of slopes that vanish

    def run(self) -> tuple[_Point, int]:
        """Step until the conditions hold or nothing is gained any more."""
        best, least = self._at, np.inf
        for step in range(_MOST):
            residuals = self._residuals()
            error = self._error(residuals)
            if error < least:
                best, least = self._at, error
            spent = self._gap() * self._pairs <= _EXACT * self._floor
            if error <= _CLOSE or spent or not self._advance(residuals):
                return best, step
        return best, _MOST

    def _start(self) -> _Point:
        rows = self._rows
        x = np.zeros(len(rows.q))
        x[rows.high] = rows.side[rows.count : rows.count + len(rows.high)]
        x[rows.low] = -rows.side[rows.count + len(rows.high) :]
        both = np.intersect1d(rows.high, rows.low)
        middle = np.zeros(len(rows.q))
        np.add.at(middle, rows.high, 0.5 * rows.side[rows.count : rows.count + len(rows.high)])
        np.add.at(middle, rows.low, -0.5 * rows.side[rows.count + len(rows.high) :])
        x[both] = middle[both]
        over = rows.ahead(x) - rows.side
        wide = max(float(np.abs(over).mean()) if over.size else 1.0, 1e-3)
        steep = max(float(np.abs(rows.q + rows.P @ x).max(initial=0.0)), 1e-3)
        v = np.maximum(-over, 0.0) + wide
        u = np.where(self._soft, np.maximum(over, 0.0) + wide, 0.0)
        half = np.where(self._soft, 0.5 * rows.price, 1.0)
        return _Point(x, np.zeros(len(rows.b)), np.where(self._soft, half, steep), half, v, u)

    def _residuals(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        rows, at = self._rows, self._at
        dual = rows.P @ at.x + rows.q + at.y @ rows.A + rows.back(at.z)
        return dual, rows.A @ at.x - rows.b, rows.ahead(at.x) - rows.side - at.u + at.v

    def _error(self, residuals: tuple[FloatArray, FloatArray, FloatArray]) -> float:
        dual, equal, row = residuals
        at, rows = self._at, self._rows
        slopes = (rows.q, rows.P @ at.x, rows.back(at.z))
        steep = max(self._flat, _TINY, *(float(np.abs(part).max(initial=0.0)) for part in slopes))
        wide = max(float(np.abs(at.x).max(initial=0.0)), self._short)
        cost = abs(float(rows.q @ at.x)) + abs(float(at.x @ rows.P @ at.x)) + float(at.u @ self._paid)
        return max(
            float(np.abs(dual).max(initial=0.0)) / steep,
            max(float(np.abs(equal).max(initial=0.0)), float(np.abs(row).max(initial=0.0))) / wide,
            self._gap() * self._pairs / max(cost, self._floor, self._short * self._flat, _TINY),
        )

    def _gap(self) -> float:
        at = self._at
        return float(at.v @ at.z + at.u @ at.spare) / max(self._pairs, 1)

    def _advance(self, residuals: tuple[FloatArray, FloatArray, FloatArray]) -> bool:
        """Take one step; False where it is nothing or cannot be told any more."""
        at = self._at
        weight = 1.0 / (at.v / at.z + at.u / at.spare)
        try:
            system = _System(self._rows, weight, self._wide)
        except np.linalg.LinAlgError:
            return False
        mu = self._gap()
        below, above = -at.v * at.z, -at.u * at.spare
        guess = self._move(system, residuals, below, above)
        reach = self._reach(guess, 1.0)
        ahead = self._ahead_gap(guess, reach)
        aim = mu * (ahead / mu) ** 3 if mu > 0.0 else 0.0
        corrected = np.where(self._soft, above + aim - guess.u * guess.spare, 0.0)
        move = self._move(system, residuals, below + aim - guess.v * guess.z, corrected)
        step = self._reach(move, _BACK)
        if self._ahead_gap(move, step) > _PROGRESS * mu:
            # The correction may lead round in a circle; a plain step towards the middle does not.
            middle = _MIDDLE * mu
            move = self._move(system, residuals, below + middle, np.where(self._soft, above + middle, 0.0))
            step = self._reach(move, _BACK)
        self._at = _Point(*(now + step * change for now, change in zip(_parts(at), _parts(move), strict=True)))
        return step > 1e-10 and all(np.isfinite(part).all() for part in _parts(self._at))  # noqa: PLR2004 - stuck

    def _move(
        self,
        system: _System,
        residuals: tuple[FloatArray, FloatArray, FloatArray],
        below: FloatArray,
        above: FloatArray,
    ) -> _Point:
        dual, equal, row = residuals
        at = self._at
        lifted = row + below / at.z - above / at.spare
        dx, dy, dz = system.solve(dual, equal, lifted)
        dv = (below - at.v * dz) / at.z
        du = np.where(self._soft, (above + at.u * dz) / at.spare, 0.0)
        return _Point(dx, dy, dz, np.where(self._soft, -dz, 0.0), dv, du)

    def _reach(self, move: _Point, part: float) -> float:
        at, soft = self._at, self._soft
        ends = (
            _first(at.v, move.v),
            _first(at.z, move.z),
            _first(at.u[soft], move.u[soft]),
            _first(at.spare[soft], move.spare[soft]),
        )
        return min(1.0, part * min(ends))

    def _ahead_gap(self, move: _Point, step: float) -> float:
        at = self._at
        below = (at.v + step * move.v) @ (at.z + step * move.z)
        above = (at.u + step * move.u) @ (at.spare + step * move.spare)
        return float(below + above) / max(self._pairs, 1)


class _System:
    """The Newton system with all rows eliminated but the equalities and the wide rows, factored.

    A row that must hold and is over many variables (a target, a group) would drown in its own weight what the others
    say, so it stands beside the equalities. Where variables do the same, as two equal assets, what is left is singular
    but for what their bounds add: then a little is added to its diagonal, and what that is off by is made good at the
    next step.
    """

    def __init__(self, rows: _Rows, weight: FloatArray, wide: NDArray[np.intp]) -> None:
        self._rows, self._wide, self._weight = rows, wide, weight.copy()
        self._weight[wide] = 0.0
        self._border = np.vstack([rows.A, rows.E[wide]])
        curved = rows.curved(self._weight)
        self._push = _push(curved, self._border)
        self._weight[wide] = np.minimum(0.5 * weight[wide], self._push)
        part = np.append(np.full(len(rows.b), self._push), self._weight[wide])
        curved = curved + (self._border * part[:, None]).T @ self._border
        self._unit = 1.0 / np.sqrt(np.maximum(np.diag(curved), _TINY))
        self._factor = _factor(curved * self._unit[:, None] * self._unit)
        self._spread = self._inverted(self._border.T)
        give = np.concatenate([np.zeros(len(rows.b)), 1.0 / (weight[wide] - self._weight[wide])])
        self._schur = self._border @ self._spread + np.diag(give)

    def solve(self, dual: FloatArray, equal: FloatArray, lifted: FloatArray) -> tuple[FloatArray, ...]:
        """Return the step of the variables, of the equalities' multipliers and of the rows'."""
        right = -dual - self._rows.back(self._weight * lifted) - self._push * equal @ self._rows.A
        dx = self._inverted(right[:, None])[:, 0]
        held = np.zeros(0)
        if len(self._border):
            held = self._nearest(self._border @ dx + np.concatenate([equal, lifted[self._wide]]))
            dx = dx - self._spread @ held
        dz = self._weight * (self._rows.ahead(dx) + lifted)
        dz[self._wide] += held[len(equal) :]
        return dx, held[: len(equal)], dz

    def _nearest(self, right: FloatArray) -> FloatArray:
        """Return the multipliers; where equalities depend on each other the least of them, so that none drifts off."""
        unit = 1.0 / np.sqrt(np.maximum(np.diag(self._schur), _TINY))
        scaled = self._schur * unit[:, None] * unit
        return np.asarray(unit * np.linalg.lstsq(scaled, unit * right, rcond=_EXACT)[0])

    def _inverted(self, right: FloatArray) -> FloatArray:
        return self._unit[:, None] * cholesky_solve(self._factor, self._unit[:, None] * right)


def _push(curved: FloatArray, border: FloatArray) -> float:
    """Return how much of the border's squares to put into the curvature, about as much as is there.

    Of an equality's squares that changes no step; of a wide row it is that part of its weight. It is wanted where
    nothing but these rows holds a variable.
    """
    size, there = float((border * border).sum()), float(np.trace(curved))
    return there / size if size > 0.0 and there > 0.0 else 1.0


def _factor(matrix: FloatArray) -> FloatArray:
    """Return the Cholesky factor of a matrix with ones on its diagonal, or of one that is a little more definite."""
    ridge = 0.0
    while ridge < 1.0:
        try:
            return np.asarray(np.linalg.cholesky(matrix + ridge * np.eye(len(matrix))))
        except np.linalg.LinAlgError:
            ridge = max(_RIDGE, 10.0 * ridge)
    raise np.linalg.LinAlgError("a figure is not finite")


def _parts(point: _Point) -> tuple[FloatArray, ...]:
    return point.x, point.y, point.z, point.spare, point.v, point.u


def _first(value: FloatArray, change: FloatArray) -> float:
    """Return how far one may go until a value is 0."""
    falls = change < 0.0
    return float((value[falls] / -change[falls]).min(initial=np.inf))


def _exact(rows: _Rows, point: _Point, steps: int) -> HingeSolution:
    """Solve once more with the rows that are just on their sides as equalities; keep whichever is closer."""
    spare = np.where(np.isfinite(rows.price), point.spare, np.inf)
    wide = max(float(np.abs(rows.ahead(point.x) - rows.side).max(initial=0.0)), _TINY)
    size = np.where(np.isfinite(rows.price), rows.price, max(float(point.z.max(initial=0.0)), _TINY))
    near = np.maximum(point.z / size, _LEAST)  # a row may be on its side and hold nothing
    on = (point.v / wide < near) & (point.u / wide < np.maximum(spare / size, _LEAST))
    above = ~on & np.isfinite(rows.price) & (point.u / wide >= spare / size)
    z = np.clip(point.z, 0.0, rows.price)
    best = _told(rows, point.x, point.y, z, on, above, steps)
    for _ in range(_REFINEMENTS):
        solved = _on_rows(rows, on, above, point)
        if solved is None:
            break
        steps += 1
        x, y, z = solved
        found = _told(rows, x, y, np.clip(z, 0.0, rows.price), on, above, steps)
        best = found if found.kkt_residual < best.kkt_residual else best
        if best.kkt_residual <= _EXACT:
            break
        over = rows.ahead(x) - rows.side
        room = _EXACT * max(float(np.abs(x).max(initial=0.0)), _TINY)
        joins = (~on & ~above & (over > room)) | (above & (over < -room))
        falls, rises = on & (z < 0.0), on & (z > rows.price)
        if not (joins.any() or falls.any() or rises.any()):
            break
        on, above = (on | joins) & ~falls & ~rises, (above & ~joins) | rises
    return best


def _on_rows(
    rows: _Rows, on: NDArray[np.bool_], above: NDArray[np.bool_], near: _Point
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return x and all multipliers where some rows hold with equality and some are exceeded.

    Where rows depend on each other there are many multipliers: those nearest to the point's are taken.
    """
    n, m = len(rows.q), len(rows.b)
    z = np.where(above, rows.price, 0.0)
    held = np.flatnonzero(on)
    unit = np.eye(n)
    normals = np.vstack([rows.E[held[held < rows.count]], unit[rows.high], -unit[rows.low]])
    normals = np.vstack([rows.A, normals[_kept(rows, held)]])
    size = n + len(normals)
    system = np.zeros((size, size))
    system[:n, :n] = rows.P
    system[:n, n:] = normals.T
    system[n:, :n] = normals
    right = np.concatenate([-rows.q - rows.back(z), rows.b, rows.side[held]])
    unit = _equilibrium(system)
    scaled = system * unit[:, None] * unit
    solved = np.concatenate([near.x, near.y, near.z[held]])
    for _ in range(_ROUNDS):
        solved = solved + unit * solved_or_nearest(scaled, unit * (right - system @ solved))
    if not np.isfinite(solved).all():
        return None
    z[held] = solved[n + m :]
    return solved[:n], solved[n : n + m], z


def _equilibrium(matrix: FloatArray) -> FloatArray:
    """Return a scaling of rows and columns that makes their largest entries about one."""
    unit = np.ones(len(matrix))
    for _ in range(_ROUNDS):
        largest = np.abs(matrix * unit[:, None] * unit).max(axis=1, initial=0.0)
        unit /= np.sqrt(np.where(largest > 0.0, largest, 1.0))
    return unit


def _kept(rows: _Rows, held: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where the held rows stand below those of E that were taken."""
    taken = int((held < rows.count).sum())
    return np.concatenate([np.arange(taken), held[taken:] - rows.count + taken])


def _told(
    rows: _Rows,
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    on: NDArray[np.bool_],
    above: NDArray[np.bool_],
    steps: int,
) -> HingeSolution:
    pull, count = rows.P @ x, rows.count
    over = rows.ahead(x) - rows.side
    soft = np.isfinite(rows.price)
    paid = float(rows.price[soft] @ np.maximum(over[soft], 0.0))
    quadratic, linear = float(x @ pull), float(rows.q @ x)
    objective = 0.5 * quadratic + linear + paid
    proven = -0.5 * quadratic - float(rows.b @ y) - float(rows.side @ z)
    short, flat = rows.floors()
    far = short / _FLOOR**2 if short > _TINY else np.inf  # a point that runs off may not excuse what it breaks
    wide = max(min(float(np.abs(x).max(initial=0.0)), far), float(np.abs(rows.b).max(initial=0.0)), short)
    size = max(abs(objective), 0.5 * quadratic, abs(linear), paid, wide * flat)
    slopes = (pull, rows.q, y @ rows.A, rows.weighed(z))
    steep = max(flat, *(float(np.abs(part).max(initial=0.0)) for part in slopes))
    residual = max(
        float(np.abs(pull + rows.q + y @ rows.A + rows.back(z)).max(initial=0.0)) / steep,
        float(np.abs(rows.A @ x - rows.b).max(initial=0.0)) / wide,
        float(np.maximum(over[~soft], 0.0).max(initial=0.0)) / wide,
        _slack(over, z, rows.price, soft) / (wide * steep),
    )
    high, low = count + np.arange(len(rows.high)), count + len(rows.high) + np.arange(len(rows.low))
    bounds = np.zeros(len(x))
    bounds[rows.high] += z[high]
    bounds[rows.low] -= z[low]
    return HingeSolution(
        x,
        objective,
        y,
        z[:count],
        bounds,
        on[:count],
        above[:count],
        rows.low[on[low]],
        rows.high[on[high]],
        residual,
        abs(objective - proven) / size,
        steps,
        residual <= 1e-9,  # noqa: PLR2004 - nine digits, as documented
    )


def _slack(over: FloatArray, z: FloatArray, price: FloatArray, soft: NDArray[np.bool_]) -> float:
    """Return the largest product of room and multiplier that ought to be 0."""
    below = np.maximum(-over, 0.0) * z
    beyond = np.maximum(over, 0.0)[soft] * (price - z)[soft]
    return max(float(below.max(initial=0.0)), float(beyond.max(initial=0.0)))
