r"""The least of a quadratic cost over a feasible set, by whichever of the two solvers fits, with its proof.

.. math:: \min_w\ \tfrac12 w^\top P w + q^\top w + \kappa \sum_i c_i\,|w_i - w_i^0|

Where no size of a trade or a weight counts and P is positive definite, that is a quadratic program for
:func:`bank_python.numerics.solve_qp`. Otherwise it is one with prices, for :func:`bank_python.numerics.solve_hinges`.
A limit on turnover or leverage is taken in only where the portfolio without it would break it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, MatrixError, ModelError
from bank_python.numerics import solve_hinges, solve_qp
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.infeasible import contradiction
from bank_python.optimizer.sizes import with_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray, HingeSolution, QpSolution
    from bank_python.optimizer.feasible import FeasibleSet

__all__ = ["Minimum", "minimise"]

_ROUNDING = 1e-12
_NEAR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Weights of least cost.

    Parameters
    ----------
    weights : ndarray, shape (n_assets,)
        The weights.
    objective : float
        Their cost.
    certificate : Certificate
        The proof.
    curvature : ndarray, shape (k, k)
        The quadratic cost over weights and sizes.
    rows : ndarray, shape (active, k)
        The normals of the constraints that are active, bounds apart.
    pull : ndarray, shape (n_assets,)
        What the next unit of each weight adds to the cost of trading.
    free : ndarray of int
        The weights and sizes that no bound holds.
    """

    weights: FloatArray
    objective: float
    certificate: Certificate
    curvature: FloatArray
    rows: FloatArray
    pull: FloatArray
    free: NDArray[np.intp]

    def slope(self, reward: FloatArray) -> FloatArray:
        """Return how the weights move as a reward, less the cost of trading, is scaled up; shape (n_assets,).

        It holds as long as the same constraints are active.
        """
        k, across = len(self.free), self.rows[:, self.free]
        system = np.block(
            [[self.curvature[np.ix_(self.free, self.free)], across.T], [across, np.zeros((len(across), len(across)))]]
        )
        gain = np.zeros(len(self.curvature))
        gain[: len(self.weights)] = reward - self.pull
        moved = np.zeros(len(self.curvature))
        moved[self.free] = _solved(system, np.concatenate([gain[self.free], np.zeros(len(across))]))[:k]
        return moved[: len(self.weights)]


def minimise(
    allowed: FeasibleSet,
    P: FloatArray,
    q: FloatArray,
    *,
    cost_scale: float = 1.0,
    start: FloatArray | None = None,
    definite: bool = True,
) -> Minimum:
    """Return the weights of least cost.

    Parameters
    ----------
    allowed : FeasibleSet
        The portfolios to choose from.
    P, q : ndarray, shape (n_assets, n_assets) and (n_assets,)
        The quadratic cost, positive semidefinite, and the linear one.
    cost_scale : float, default 1
        By which trading costs are multiplied, above 0.
    start : ndarray, shape (n_assets,), optional
        Weights that may be near.
    definite : bool, default True
        Whether P is positive definite.

    Raises
    ------
    InfeasibleError
        Nothing satisfies all constraints; the message says which contradict each other, and by how much.
    """
    if definite and not allowed.cost.any():
        found = _by_pivoting(allowed, P, q, start)
        if found is not None and allowed.breach(found.weights) <= _room(found.weights):
            return found
    return _by_prices(allowed, P, q, cost_scale)


def _room(weights: FloatArray) -> float:
    return _ROUNDING * max(1.0, float(np.abs(weights).sum()))


def _by_pivoting(allowed: FeasibleSet, P: FloatArray, q: FloatArray, start: FloatArray | None) -> Minimum | None:
    """Return the least cost without turnover and leverage; None where the solver finds its constraints dependent."""
    try:
        solved = solve_qp(
            P,
            q,
            A=allowed.A,
            b=allowed.b,
            G=allowed.G,
            h=allowed.h,
            lower=allowed.lower,
            upper=allowed.upper,
            start=start,
        )
    except InfeasibleError:
        reason = contradiction(allowed)
        if reason is not None:
            raise reason from None
        return None
    except ModelError:
        return None
    return _pivoted(allowed, P, solved)


def _pivoted(allowed: FeasibleSet, P: FloatArray, solved: QpSolution) -> Minimum:
    held = np.concatenate([solved.at_lower, solved.at_upper])
    free = np.setdiff1d(np.arange(len(solved.x)), held, assume_unique=True)
    proof = _proof(allowed, solved, tuple(allowed.row_names[i] for i in solved.active_rows))
    rows = np.vstack([allowed.A, allowed.G[solved.active_rows]])
    return Minimum(solved.x, solved.objective, proof, P, rows, np.zeros(len(solved.x)), free)


def _by_prices(allowed: FeasibleSet, P: FloatArray, q: FloatArray, cost_scale: float) -> Minimum:
    """Take in the limits on turnover and leverage only where one alone, or none, is not enough."""
    turnovers = (False, True) if allowed.turnover is not None else (False,)
    leverages = (False, True) if allowed.leverage is not None else (False,)
    for leverage, turnover in product(leverages, turnovers):
        found = _priced(allowed, P, q, cost_scale, turnover=turnover, leverage=leverage)
        if allowed.breach(found.weights) <= _NEAR * max(1.0, float(np.abs(found.weights).sum())):
            break
    return found


def _priced(
    allowed: FeasibleSet, P: FloatArray, q: FloatArray, cost_scale: float, *, turnover: bool, leverage: bool
) -> Minimum:
    sized = with_sizes(allowed, turnover=turnover, leverage=leverage)
    n, more = len(allowed.tickers), sized.width - len(allowed.tickers)
    costly = np.flatnonzero(allowed.cost)
    unit = np.eye(sized.width)[costly]
    rows = np.vstack([sized.rows, sized.hard, unit, -unit])
    hard = len(sized.sides) + len(sized.hard_sides)
    solved = solve_hinges(
        np.pad(P, (0, more)),
        np.pad(q, (0, more)),
        E=rows,
        f=np.concatenate([sized.sides, sized.hard_sides, allowed.current[costly], -allowed.current[costly]]),
        price=np.concatenate([np.full(hard, np.inf), np.tile(cost_scale * allowed.cost[costly], 2)]),
        A=sized.A,
        b=sized.b,
        lower=np.pad(allowed.lower, (0, more), constant_values=-np.inf),
        upper=np.pad(allowed.upper, (0, more), constant_values=np.inf),
    )
    if not solved.converged:
        raise contradiction(allowed) or _unsolved(solved)
    bought, sold = np.split(solved.above[hard:].astype(np.float64), 2)
    pull = np.zeros(n)
    pull[costly] = allowed.cost[costly] * (bought - sold)
    free = np.setdiff1d(np.arange(sized.width), np.concatenate([solved.at_lower, solved.at_upper]))
    active = np.vstack([sized.A, rows[solved.on]])
    proof = _proof(allowed, solved, tuple(name for name, on in zip(sized.row_names, solved.on, strict=False) if on))
    return Minimum(solved.x[:n], solved.objective, proof, np.pad(P, (0, more)), active, pull, free)


def _proof(allowed: FeasibleSet, solved: QpSolution | HingeSolution, binding: tuple[str, ...]) -> Certificate:
    return Certificate(
        kkt_residual=solved.kkt_residual,
        duality_gap=solved.duality_gap,
        at_lower=tuple(allowed.tickers[i] for i in solved.at_lower),
        at_upper=tuple(allowed.tickers[i] for i in solved.at_upper),
        binding=binding,
        iterations=solved.iterations,
    )


def _unsolved(solved: HingeSolution) -> MatrixError:
    return MatrixError(
        f"no solution to nine digits was found: the conditions are off by {solved.kkt_residual:.2g}; "
        "are two assets the same, or is there a weight without bounds and without risk?",
        value=solved.kkt_residual,
    )


def _solved(system: FloatArray, right: FloatArray) -> FloatArray:
    try:
        found = np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(system, right, rcond=None)[0])
    return np.asarray(found) if np.isfinite(found).all() else np.asarray(np.linalg.lstsq(system, right, rcond=None)[0])
