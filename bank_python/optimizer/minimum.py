r"""The least of a quadratic cost over a feasible set, by whichever of the two solvers fits, with its proof.

.. math:: \min_w\ \tfrac12 w^\top P w + q^\top w + \kappa \sum_i c_i\,|w_i - w_i^0|

to which the expected shortfall of scenarios may be added, :math:`\min_a\ a + E(-r^\top w - a)_+ / (1 - \beta)`
(Rockafellar and Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000), 21-41: theorem 1).

Where no size of a trade or a weight and no scenario counts, and P is positive definite, that is a quadratic program for
:func:`bank_python.numerics.solve_qp`. Otherwise it is one with prices, for :func:`bank_python.numerics.solve_penalties`.
A limit with variables of its own, as on turnover or leverage, is taken in only where the portfolio without it would
break it. No kind of constraint is known here: rows and violations come from the list that the set holds, and whatever
was found is measured against every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, MatrixError, ModelError
from bank_python.numerics import solve_penalties, solve_qp
from bank_python.numerics.tolerances import LAST_DIGITS, NINE_DIGITS
from bank_python.numerics.triangular import solved_or_nearest
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.infeasible import contradiction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray, PenaltySolution, QpSolution
    from bank_python.optimizer.constraint import Limit
    from bank_python.optimizer.feasible import FeasibleSet

__all__ = ["Minimum", "Tail", "minimise"]


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
        moved[self.free] = solved_or_nearest(system, np.concatenate([gain[self.free], np.zeros(len(across))]))[:k]
        return moved[: len(self.weights)]


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The worst of many scenarios.

    Parameters
    ----------
    returns : ndarray, shape (n_scenarios, n_assets)
        Of each asset in each.
    confidence : float
        In (0, 1): the expected shortfall is the mean loss of the worst 1 - confidence of them.
    """

    returns: FloatArray
    confidence: float

    @property
    def unit(self) -> float:
        """The largest return: losses are counted in it, so that they are of the size of weights."""
        return float(np.abs(self.returns).max(initial=0.0)) or 1.0


def minimise(
    allowed: FeasibleSet,
    P: FloatArray,
    q: FloatArray,
    *,
    cost_scale: float = 1.0,
    start: FloatArray | None = None,
    definite: bool = True,
    tail: Tail | None = None,
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
    tail : Tail, optional
        Whose expected shortfall is added to the cost.

    Raises
    ------
    InfeasibleError
        Nothing satisfies all constraints; the message says which contradict each other, and by how much.
    """
    if definite and tail is None and not allowed.charges:
        found = _by_pivoting(allowed, P, q, start)
        if found is not None and allowed.breach(found.weights) <= _room(found.weights):
            return found
    found = _by_prices(allowed, P, q, cost_scale, tail)
    return replace(found, certificate=allowed.certified(found.weights, found.certificate))


def _room(weights: FloatArray) -> float:
    return LAST_DIGITS * max(1.0, float(np.abs(weights).sum()))


def _by_pivoting(allowed: FeasibleSet, P: FloatArray, q: FloatArray, start: FloatArray | None) -> Minimum | None:
    """Return the least cost under the plain limits; None where the solver finds its constraints dependent."""
    try:
        solved = solve_qp(
            P,
            q,
            A=allowed.plain.A,
            b=allowed.plain.b,
            G=allowed.plain.G,
            h=allowed.plain.h,
            lower=allowed.lower,
            upper=allowed.upper,
            start=start,
            definite=True,
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
    loose = np.ones(len(solved.x), dtype=bool)
    loose[solved.at_lower] = loose[solved.at_upper] = False
    free = np.flatnonzero(loose)
    proof = _proof(allowed, solved, tuple(allowed.plain.row_names[i] for i in solved.active_rows))
    rows = np.vstack([allowed.plain.A, allowed.plain.G[solved.active_rows]])
    held = np.clip(solved.x, allowed.lower, allowed.upper)  # rounding may leave them by a last digit
    return Minimum(held, solved.objective, proof, P, rows, np.zeros(len(solved.x)), free)


def _by_prices(allowed: FeasibleSet, P: FloatArray, q: FloatArray, cost_scale: float, tail: Tail | None) -> Minimum:
    """Take in the limits with further variables that the portfolio without them breaks."""
    taken: tuple[Limit, ...] = ()
    while True:
        try:
            found = _priced(allowed, P, q, cost_scale, tail, taken)
        except MatrixError:  # without the limits that were left out the cost may fall for ever
            if len(taken) == len(allowed.further):
                raise
            taken = allowed.further
            continue
        room = NINE_DIGITS * max(1.0, float(np.abs(found.weights).sum()))
        broken = [limit for limit in allowed.broken(found.weights, room) if limit.rows.further and limit not in taken]
        if not broken:
            return found
        taken = (*taken, *broken)


def _priced(
    allowed: FeasibleSet,
    P: FloatArray,
    q: FloatArray,
    cost_scale: float,
    tail: Tail | None,
    taken: tuple[Limit, ...],
) -> Minimum:
    system = allowed.system(taken)
    n, width = len(allowed.tickers), system.width + (tail is not None)
    hard = [_widened(system.G, width), _widened(system.definitions, width)]
    soft, sides, prices = _soft_rows(allowed, cost_scale, tail, width)
    rows, count = np.vstack([*hard, soft]), len(system.h) + len(system.sides)
    equal = _widened(system.A, width)
    cost = np.pad(q, (0, width - n))
    cost[-1] += 0.0 if tail is None else tail.unit
    curved = np.pad(P, (0, width - n))
    solved = solve_penalties(
        curved,
        cost,
        E=rows,
        f=np.concatenate([system.h, system.sides, sides]),
        penalty=np.concatenate([np.full(count, np.inf), prices]),
        A=equal,
        b=system.b,
        lower=np.pad(allowed.lower, (0, width - n), constant_values=-np.inf),
        upper=np.pad(allowed.upper, (0, width - n), constant_values=np.inf),
    )
    if not solved.converged:
        raise contradiction(allowed) or _unsolved(solved)
    free = np.setdiff1d(np.arange(width), np.concatenate([solved.at_lower, solved.at_upper]))
    proof = _proof(allowed, solved, tuple(name for name, on in zip(system.row_names, solved.on, strict=False) if on))
    held = np.clip(solved.x[:n], allowed.lower, allowed.upper)  # rounding may leave them by a last digit
    active = np.vstack([equal, rows[solved.on]])
    return Minimum(held, solved.objective, proof, curved, active, _pull(allowed, solved.above[count:]), free)


def _pull(allowed: FeasibleSet, above: NDArray[np.bool_]) -> FloatArray:
    """Return what the next unit of each weight costs, by which of the charged rows are exceeded."""
    pull, start = np.zeros(len(allowed.tickers)), 0
    for charge in allowed.charges:
        pull += (charge.prices * above[start : start + len(charge.prices)]) @ charge.rows
        start += len(charge.prices)
    return pull


def _soft_rows(
    allowed: FeasibleSet, cost_scale: float, tail: Tail | None, width: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the rows that may be exceeded, their sides and prices: charges, and losses beyond the last variable."""
    rows = [np.zeros((0, width)), *(_widened(charge.rows, width) for charge in allowed.charges)]
    sides = [np.zeros(0), *(charge.sides for charge in allowed.charges)]
    prices = [np.zeros(0), *(cost_scale * charge.prices for charge in allowed.charges)]
    if tail is not None:
        losses = _widened(-tail.returns / tail.unit, width)
        losses[:, -1] = -1.0
        rows.append(losses)
        sides.append(np.zeros(len(losses)))
        prices.append(np.full(len(losses), tail.unit / ((1.0 - tail.confidence) * len(losses))))
    return np.vstack(rows), np.concatenate(sides), np.concatenate(prices)


def _widened(rows: FloatArray, width: int) -> FloatArray:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))


def _proof(allowed: FeasibleSet, solved: QpSolution | PenaltySolution, binding: tuple[str, ...]) -> Certificate:
    return Certificate(
        kkt_residual=solved.kkt_residual,
        duality_gap=solved.duality_gap,
        at_lower=tuple(allowed.tickers[i] for i in solved.at_lower),
        at_upper=tuple(allowed.tickers[i] for i in solved.at_upper),
        binding=binding,
        iterations=solved.iterations,
    )


def _unsolved(solved: PenaltySolution) -> MatrixError:
    return MatrixError(
        f"no solution to nine digits was found: the conditions are off by {solved.kkt_residual:.2g}; "
        "are two assets the same, or is there a weight without bounds and without risk?",
        value=solved.kkt_residual,
    )
