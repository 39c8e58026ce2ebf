r"""Convex quadratic programs, solved to the last digit and with a certificate of optimality.

.. math:: \min_x\ \tfrac12 x^\top P x + q^\top x \quad\text{subject to}\quad A x = b,\quad G x \le h,\quad l \le x \le u

with P positive definite. At the solution some bounds and rows of G are *active*; given the active set, one system of
linear equations has the exact solution. The active set is found by block pivoting: guess it, solve, then exchange every
bound and row at once that is violated or whose multiplier has the wrong sign, and repeat until there is none. That
takes a handful of linear systems, however many variables there are, but may cycle, or fix all variables; pivoting then
starts again from the active set of an interior point. If that fails too, the dual method of Goldfarb and Idnani is
used, which adds one constraint at a time and always terminates: with the solution, or with a proof of infeasibility.

Every solution has a *certificate*: the residual of the optimality conditions and the duality gap, both recomputed from
the given matrices.

Examples
--------
>>> P, q = np.array([[4.0, 1.0], [1.0, 2.0]]), np.array([1.0, 1.0])
>>> solved = solve_qp(P, q, A=[[1.0, 1.0]], b=[1.0], lower=[0.0, 0.0], upper=[0.7, 0.7])
>>> solved.x.round(6), round(solved.objective, 6), solved.kkt_residual < 1e-14
(array([0.3, 0.7]), 1.88, True)

References
----------
J. Júdice and F. Pires, "A block principal pivoting algorithm for large-scale strictly monotone linear complementarity
problems", Computers & Operations Research 21 (1994), 587-596.

D. Goldfarb and A. Idnani, "A numerically stable dual method for solving strictly convex quadratic programs",
Mathematical Programming 27 (1983), 1-33.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import InfeasibleError, ModelError
from bank_python.numerics.interior_point import solve_penalties
from bank_python.numerics.qp_dual import dual_active_set
from bank_python.numerics.qp_guess import guessed_bounds
from bank_python.numerics.qp_program import QuadraticProgram
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.numerics.triangular import cholesky_solve, definite_solve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics.columns import FloatArray

__all__ = ["QpSolution", "QuadraticProgram", "solve_qp"]

_PATIENCE = 10  # exchanges without fewer violations, after which pivoting is assumed to cycle
_MOST = 200  # linear systems
_LARGE = 200  # number of variables from which a guess takes less time than the systems that it saves


@dataclass(frozen=True, slots=True, eq=False)
class QpSolution(Record):
    """A solution with its certificate: the residual of the optimality conditions and the duality gap.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Minimiser of the objective.
    objective : float
        Value of the objective at `x`.
    equality_duals : ndarray, shape (equalities,)
        Multipliers of the equality constraints.
    row_duals : ndarray, shape (rows,)
        Multipliers of the inequality constraints, at least 0.
    bound_duals : ndarray, shape (n,)
        Multipliers of the bounds: below 0 at a lower bound, above 0 at an upper bound.
    active_rows : ndarray of int
        Indices of the inequality constraints in the active set.
    at_lower, at_upper : ndarray of int
        Indices of the variables at their lower and upper bounds.
    kkt_residual : float
        Largest violation of an optimality (KKT) condition, relative to the terms in it.
    duality_gap : float
        Difference of primal and dual objective, relative to the objective.
    iterations : int
        Number of linear systems solved.
    """

    x: FloatArray
    objective: float
    equality_duals: FloatArray
    row_duals: FloatArray
    bound_duals: FloatArray
    active_rows: NDArray[np.intp]
    at_lower: NDArray[np.intp]
    at_upper: NDArray[np.intp]
    kkt_residual: float
    duality_gap: float
    iterations: int


def solve_qp(
    P: ArrayLike,
    q: ArrayLike,
    *,
    A: ArrayLike | None = None,
    b: ArrayLike | None = None,
    G: ArrayLike | None = None,
    h: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    start: ArrayLike | None = None,
    definite: bool = False,
) -> QpSolution:
    """Solve a convex quadratic program.

    Parameters
    ----------
    P : array_like, shape (n, n)
        Symmetric, positive definite matrix of the quadratic term.
    q : array_like, shape (n,)
        Coefficients of the linear term.
    A, b : array_like, shape (equalities, n) and (equalities,), optional
        Equality constraints ``A x = b``, the rows of A linearly independent.
    G, h : array_like, shape (rows, n) and (rows,), optional
        Inequality constraints ``G x <= h``.
    lower, upper : array_like, shape (n,) or (), optional
        Bounds of the variables; infinite where there is none.
    start : array_like, shape (n,), optional
        Estimate of the solution, whose active bounds are the first guess of the active set. Without it, programs of
        200 variables and more compute a guess (:mod:`bank_python.numerics.qp_guess`).
    definite : bool, default False
        Whether P is known to be finite and positive definite; if True it is not checked.

    Raises
    ------
    ModelError
        The shapes do not match, a value is not finite, or P is not positive definite.
    InfeasibleError
        No point satisfies all constraints; the message names constraints that contradict each other.
    """
    program = _program(P, q, A, b, G, h, lower, upper, definite=definite)
    fixed, rows = _guess(program, start)
    pivoted = _pivot(program, fixed, rows)
    if pivoted is None:
        pivoted = _pivot_from_interior_point(program)
    if pivoted is None:
        fixed, rows, steps = dual_active_set(program)
        solved = _solve(program, fixed, rows)
        if solved is None:
            raise ModelError("the active constraints at the solution are linearly dependent; remove one of them")
        return _certified(program, fixed, rows, solved, steps)
    fixed, rows, solved, steps = pivoted
    return _certified(program, fixed, rows, solved, steps)


def _program(
    P: ArrayLike,
    q: ArrayLike,
    A: ArrayLike | None,
    b: ArrayLike | None,
    G: ArrayLike | None,
    h: ArrayLike | None,
    lower: ArrayLike | None,
    upper: ArrayLike | None,
    *,
    definite: bool,
) -> QuadraticProgram:
    matrix, cost = np.asarray(P, dtype=np.float64), np.asarray(q, dtype=np.float64).reshape(-1)
    n = len(cost)
    if matrix.shape != (n, n):
        raise ModelError(f"P has shape {matrix.shape}, but q has {n} variables; give shape {n, n}", value=matrix.shape)
    equal, right = _rows("A", A, b, n)
    unequal, most = _rows("G", G, h, n)
    low = np.broadcast_to(np.asarray(-np.inf if lower is None else lower, dtype=np.float64), (n,)).copy()
    high = np.broadcast_to(np.asarray(np.inf if upper is None else upper, dtype=np.float64), (n,)).copy()
    unchecked = (cost, equal, right, unequal, most) if definite else (matrix, cost, equal, right, unequal, most)
    if not all(np.isfinite(part).all() for part in unchecked):
        raise ModelError("a value of P, q, A, b, G or h is not finite; correct it")
    if np.isnan(low).any() or np.isnan(high).any():
        raise ModelError("a bound is NaN; use -inf or inf where there is none")
    crossed = np.flatnonzero(low > high)
    if crossed.size:
        i = int(crossed[0])
        raise InfeasibleError(
            f"the lower bound {low[i]:g} of variable {i} is above its upper bound {high[i]:g}, by "
            f"{low[i] - high[i]:g}; correct one of them",
            value=float(low[i] - high[i]),
        )
    factor = None if definite else _factor(matrix)
    return QuadraticProgram(matrix, cost, equal, right, unequal, most, low, high, factor)


def _factor(matrix: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError:
        least = float(np.linalg.eigvalsh(matrix)[0])
        raise ModelError(f"P is not positive definite: its least eigenvalue is {least:.3g}", value=least) from None


def _rows(name: str, matrix: ArrayLike | None, right: ArrayLike | None, n: int) -> tuple[FloatArray, FloatArray]:
    if matrix is None or right is None:
        if matrix is not right:
            raise ModelError(f"{name} was given without its right side, or the right side without {name}; give both")
        return np.zeros((0, n)), np.zeros(0)
    rows = np.atleast_2d(np.asarray(matrix, dtype=np.float64))
    side = np.atleast_1d(np.asarray(right, dtype=np.float64))
    if rows.shape != (len(side), n):
        raise ModelError(
            f"{name} has shape {rows.shape}, but there are {len(side)} right sides and {n} variables; make them match"
        )
    return rows, side


def _guess(program: QuadraticProgram, start: ArrayLike | None) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    n = len(program.q)
    fixed, rows = np.zeros(n, dtype=np.int8), np.zeros(len(program.h), dtype=bool)
    if start is not None:
        x = np.asarray(start, dtype=np.float64).reshape(-1)
        near = 1e-9 * np.maximum(1.0, np.abs(x))
        fixed[x <= program.lower + near] = -1
        fixed[x >= program.upper - near] = 1
    elif n >= _LARGE:
        fixed = guessed_bounds(program)
    fixed[program.lower == program.upper] = -1
    return fixed, rows


def _solve(
    program: QuadraticProgram, fixed: NDArray[np.int8], rows: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray] | None:
    """Return x and the multipliers of equalities and active rows for an active set; None if it is dependent."""
    free = np.flatnonzero(fixed == 0)
    x = np.where(fixed < 0, program.lower, np.where(fixed > 0, program.upper, 0.0))
    E = np.vstack([program.A, program.G[rows]])
    e = np.concatenate([program.b, program.h[rows]])
    k, m = len(free), len(e)
    if m > k:
        return None
    right = -(program.q + (program.P @ x if x.any() else 0.0))[free]
    across = E[:, free]
    solved = _inverted(program, free, np.column_stack([right, across.T]))
    duals = np.zeros(m)
    if m:
        schur, gap = across @ solved[:, 1:], across @ solved[:, 0] - (e - E @ x)
        if m > 1 and np.linalg.cond(schur) > 1.0 / (1e3 * np.finfo(float).eps):
            return None
        duals = np.linalg.solve(schur, gap) if m > 1 else gap / schur[0]
    x[free] = solved[:, 0] - solved[:, 1:] @ duals
    return x, duals


def _inverted(program: QuadraticProgram, free: NDArray[np.intp], right: FloatArray) -> FloatArray:
    """Solve linear systems with the matrix P restricted to the free variables."""
    whole = len(free) == len(program.q)
    if whole and program.factor is not None:
        return cholesky_solve(program.factor, right)
    return definite_solve(program.P if whole else program.P.take(free, 0).take(free, 1), right)


def _pivot(
    program: QuadraticProgram, fixed: NDArray[np.int8], rows: NDArray[np.bool_]
) -> tuple[NDArray[np.int8], NDArray[np.bool_], tuple[FloatArray, FloatArray], int] | None:
    fewest, patience = len(fixed) + len(rows) + 1, _PATIENCE
    pinned = program.lower == program.upper
    for step in range(1, _MOST + 1):
        solved = _solve(program, fixed, rows)
        if solved is None:
            return None
        x, duals = solved
        pull = program.P @ x
        slope = pull + program.q + program.A.T @ duals[: len(program.b)] + program.G[rows].T @ duals[len(program.b) :]
        scale = LAST_DIGITS * max(float(np.abs(part).max(initial=0.0)) for part in (program.q, pull))
        room = LAST_DIGITS * np.maximum(1.0, np.abs(x))
        low, high = (fixed == 0) & (x < program.lower - room), (fixed == 0) & (x > program.upper + room)
        leave = ((fixed < 0) & (slope < -scale) & ~pinned) | ((fixed > 0) & (slope > scale))
        drop = np.zeros(len(rows), dtype=bool)
        drop[np.flatnonzero(rows)[duals[len(program.b) :] < -scale]] = True
        join = ~rows & (program.G @ x > program.h + LAST_DIGITS * np.maximum(1.0, np.abs(program.h)))
        wrong = int(low.sum() + high.sum() + leave.sum() + drop.sum() + join.sum())
        if not wrong:
            return fixed, rows, solved, step
        if wrong < fewest:
            fewest, patience = wrong, _PATIENCE
        elif patience == 0:
            return None
        else:
            patience -= 1
        fixed = np.where(low, -1, np.where(high, 1, np.where(leave, 0, fixed))).astype(np.int8)
        rows = (rows & ~drop) | join
    return None


def _pivot_from_interior_point(
    program: QuadraticProgram,
) -> tuple[NDArray[np.int8], NDArray[np.bool_], tuple[FloatArray, FloatArray], int] | None:
    """Pivot from the active set of an interior point, which is near the solution where guesses fix all variables.

    The dual method adds constraints one by one, which for 500 variables takes a hundred times as long.
    """
    hard = np.full(len(program.h), np.inf)
    near = solve_penalties(
        program.P,
        program.q,
        E=program.G,
        f=program.h,
        penalty=hard,
        A=program.A,
        b=program.b,
        lower=program.lower,
        upper=program.upper,
    )
    if not near.converged:
        return None
    fixed, rows = np.zeros(len(program.q), dtype=np.int8), near.on.copy()
    fixed[near.at_lower], fixed[near.at_upper] = -1, 1
    fixed[program.lower == program.upper] = -1
    more = len(program.b) + int(rows.sum()) - int((fixed == 0).sum())
    if more > 0:  # more active constraints than variables: free those with the smallest bound multipliers
        size = np.where((fixed != 0) & (program.lower < program.upper), np.abs(near.bounds), np.inf)
        fixed[np.argsort(size, kind="stable")[:more]] = 0
    pivoted = _pivot(program, fixed, rows)
    if pivoted is None:
        return None
    fixed, rows, solved, steps = pivoted
    return fixed, rows, solved, steps + near.iterations


def _certified(
    program: QuadraticProgram,
    fixed: NDArray[np.int8],
    rows: NDArray[np.bool_],
    solved: tuple[FloatArray, FloatArray],
    steps: int,
) -> QpSolution:
    x, duals = solved
    y, z = duals[: len(program.b)], np.zeros(len(program.h))
    z[rows] = duals[len(program.b) :]
    terms = (program.P @ x, program.q, program.A.T @ y, program.G.T @ z)
    slope = terms[0] + terms[1] + terms[2] + terms[3]
    bounds = np.where(fixed == 0, 0.0, -slope)
    residual = _residual(program, x, z, slope + bounds, terms)
    quadratic, linear = float(x @ terms[0]), float(program.q @ x)
    at = np.where(fixed < 0, program.lower, np.where(fixed > 0, program.upper, 0.0))
    dual = -0.5 * quadratic - float(program.b @ y) - float(program.h @ z) - float(at @ bounds)
    objective = 0.5 * quadratic + linear
    size = max(abs(objective), 0.5 * quadratic, 1e-300)
    return QpSolution(
        x,
        objective,
        y,
        z,
        bounds,
        np.flatnonzero(rows),
        np.flatnonzero(fixed < 0),
        np.flatnonzero(fixed > 0),
        residual,
        abs(objective - dual) / size,
        steps,
    )


def _residual(
    program: QuadraticProgram, x: FloatArray, z: FloatArray, balance: FloatArray, terms: tuple[FloatArray, ...]
) -> float:
    """Return the largest violation of stationarity, feasibility and sign, each relative to the terms in it."""
    size = max(1e-300, *(float(np.abs(term).max(initial=0.0)) for term in terms))
    wide = max(float(np.abs(x).max(initial=0.0)), 1e-300)
    stationary = float(np.abs(balance).max(initial=0.0)) / size
    equal = float(np.abs(program.A @ x - program.b).max(initial=0.0)) / max(
        wide, float(np.abs(program.b).max(initial=0.0))
    )
    over = float(np.maximum(program.G @ x - program.h, 0.0).max(initial=0.0)) / max(
        wide, float(np.abs(program.h).max(initial=0.0))
    )
    outside = float(np.maximum(np.maximum(program.lower - x, x - program.upper), 0.0).max(initial=0.0)) / wide
    sign = float(np.maximum(-z, 0.0).max(initial=0.0)) / size
    return max(stationary, equal, over, outside, sign)
