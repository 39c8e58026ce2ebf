r"""The least of a quadratic cost over a feasible set, by whichever of the two solvers fits, with its proof.

.. math:: \min_w\ \tfrac12 w^\top P w + q^\top w + \kappa \sum_i c_i\,|w_i - w_i^0|

to which the expected shortfall of scenarios may be added, :math:`\min_a\ a + E(-r^\top w - a)_+ / (1 - \beta)`
(Rockafellar and Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000), 21-41: theorem 1).

Where no size of a trade or a weight and no scenario counts, and P is positive definite, that is a quadratic program for
:func:`bank_python.numerics.solve_qp`. Otherwise it is one with prices, for :func:`bank_python.numerics.solve_hinges`.
A limit on turnover or leverage is taken in only where the portfolio without it would break it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, MatrixError, ModelError
from bank_python.numerics import solve_hinges, solve_qp
from bank_python.numerics.triangular import solved_or_nearest
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.infeasible import contradiction
from bank_python.optimizer.sizes import with_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray, HingeSolution, QpSolution
    from bank_python.optimizer.feasible import FeasibleSet

__all__ = ["Minimum", "Tail", "minimise"]

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
    if definite and tail is None and not allowed.cost.any():
        found = _by_pivoting(allowed, P, q, start)
        if found is not None and allowed.breach(found.weights) <= _room(found.weights):
            return found
    return _by_prices(allowed, P, q, cost_scale, tail)


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
    proof = _proof(allowed, solved, tuple(allowed.row_names[i] for i in solved.active_rows))
    rows = np.vstack([allowed.A, allowed.G[solved.active_rows]])
    held = np.clip(solved.x, allowed.lower, allowed.upper)  # rounding may leave them by a last digit
    return Minimum(held, solved.objective, proof, P, rows, np.zeros(len(solved.x)), free)


def _by_prices(allowed: FeasibleSet, P: FloatArray, q: FloatArray, cost_scale: float, tail: Tail | None) -> Minimum:
    """Take in the limits on turnover and leverage that the answer without them breaks."""
    turnover = leverage = False
    while True:
        try:
            found = _priced(allowed, P, q, cost_scale, tail, turnover=turnover, leverage=leverage)
        except MatrixError:  # without the limits that were left out the cost may fall for ever
            if turnover == (allowed.turnover is not None) and leverage == (allowed.leverage is not None):
                raise
            turnover, leverage = allowed.turnover is not None, allowed.leverage is not None
            continue
        room = _NEAR * max(1.0, float(np.abs(found.weights).sum()))
        trades, sizes = allowed.over_turnover(found.weights) > room, allowed.over_leverage(found.weights) > room
        if not ((trades and not turnover) or (sizes and not leverage)):
            return found
        turnover, leverage = turnover or trades, leverage or sizes


def _priced(
    allowed: FeasibleSet,
    P: FloatArray,
    q: FloatArray,
    cost_scale: float,
    tail: Tail | None,
    *,
    turnover: bool,
    leverage: bool,
) -> Minimum:
    sized = with_sizes(allowed, turnover=turnover, leverage=leverage)
    n, more = len(allowed.tickers), sized.width - len(allowed.tickers) + (tail is not None)
    hard = [_widened(sized.rows, n + more), _widened(sized.hard, n + more)]
    soft, sides, prices = _soft_rows(allowed, cost_scale, tail, n + more)
    rows, count = np.vstack([*hard, soft]), len(hard[0]) + len(hard[1])
    cost = np.pad(q, (0, more))
    cost[-1] += 0.0 if tail is None else tail.unit
    curved = np.pad(P, (0, more))
    solved = solve_hinges(
        curved,
        cost,
        E=rows,
        f=np.concatenate([sized.sides, sized.hard_sides, sides]),
        price=np.concatenate([np.full(count, np.inf), prices]),
        A=_widened(sized.A, n + more),
        b=sized.b,
        lower=np.pad(allowed.lower, (0, more), constant_values=-np.inf),
        upper=np.pad(allowed.upper, (0, more), constant_values=np.inf),
    )
    if not solved.converged:
        raise contradiction(allowed) or _unsolved(solved)
    costly = np.flatnonzero(allowed.cost)
    bought, sold = np.split(solved.above[count : count + 2 * len(costly)].astype(np.float64), 2)
    pull = np.zeros(n)
    pull[costly] = allowed.cost[costly] * (bought - sold)
    free = np.setdiff1d(np.arange(n + more), np.concatenate([solved.at_lower, solved.at_upper]))
    active = np.vstack([_widened(sized.A, n + more), rows[solved.on]])
    proof = _proof(allowed, solved, tuple(name for name, on in zip(sized.row_names, solved.on, strict=False) if on))
    held = np.clip(solved.x[:n], allowed.lower, allowed.upper)  # rounding may leave them by a last digit
    return Minimum(held, solved.objective, proof, curved, active, pull, free)


def _soft_rows(
    allowed: FeasibleSet, cost_scale: float, tail: Tail | None, width: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the rows that may be exceeded, their sides and prices: trades, and losses beyond the last variable."""
    costly = np.flatnonzero(allowed.cost)
    unit, price = np.eye(width)[costly], cost_scale * allowed.cost[costly]
    rows, sides, prices = [unit, -unit], [allowed.current[costly], -allowed.current[costly]], [price, price]
    if tail is not None:
        losses = _widened(-tail.returns / tail.unit, width)
        losses[:, -1] = -1.0
        rows.append(losses)
        sides.append(np.zeros(len(losses)))
        prices.append(np.full(len(losses), tail.unit / ((1.0 - tail.confidence) * len(losses))))
    return np.vstack(rows), np.concatenate(sides), np.concatenate(prices)


def _widened(rows: FloatArray, width: int) -> FloatArray:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))


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
