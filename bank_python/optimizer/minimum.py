r"""Minimisation of a quadratic objective over a feasible set, with a certificate.

.. math:: \min_w\ \tfrac12 w^\top P w + q^\top w + \kappa \sum_i c_i\,|w_i - w_i^0|

optionally with the expected shortfall of scenarios, :math:`\min_a\ a + E(-r^\top w - a)_+ / (1 - \beta)`, as a further
term (Rockafellar and Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000), 21-41: theorem 1).

Without absolute values and scenarios, and with P positive definite, this is a quadratic program for
:func:`bank_python.numerics.solve_qp`; otherwise it is one with soft constraints, for
:func:`bank_python.numerics.solve_penalties`. A limit with auxiliary variables, such as turnover or leverage, is
included only where the optimum without it violates it. The code does not depend on the kinds of constraints: it uses
the rows and violations of the feasible set, and every solution is checked against all violations.
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
    """Solution of a minimisation: weights, objective and certificate.

    Parameters
    ----------
    weights : ndarray, shape (n_assets,)
        Optimal weights of the assets.
    objective : float
        Objective at the weights, including trading costs.
    certificate : Certificate
        Certificate of optimality.
    curvature : ndarray, shape (k, k)
        Quadratic coefficients of the objective over weights and auxiliary variables.
    rows : ndarray, shape (active, k)
        Normals of the active constraints other than bounds.
    marginal_cost : ndarray, shape (n_assets,)
        Derivative of the trading cost with respect to each weight.
    free : ndarray of int
        Indices of the weights and auxiliary variables that are not at a bound.
    """

    weights: FloatArray
    objective: float
    certificate: Certificate
    curvature: FloatArray
    rows: FloatArray
    marginal_cost: FloatArray
    free: NDArray[np.intp]

    def slope(self, reward: FloatArray) -> FloatArray:
        """Return the derivative of the weights with respect to a scale of reward less trading cost, shape (n_assets,).

        It is valid as long as the same constraints are active.
        """
        k, rows = len(self.free), self.rows[:, self.free]
        system = np.block(
            [[self.curvature[np.ix_(self.free, self.free)], rows.T], [rows, np.zeros((len(rows), len(rows)))]]
        )
        gain = np.zeros(len(self.curvature))
        gain[: len(self.weights)] = reward - self.marginal_cost
        moved = np.zeros(len(self.curvature))
        moved[self.free] = solved_or_nearest(system, np.concatenate([gain[self.free], np.zeros(len(rows))]))[:k]
        return moved[: len(self.weights)]


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """Tail of a sample of scenarios, whose expected shortfall is added to the objective.

    Parameters
    ----------
    returns : ndarray, shape (n_scenarios, n_assets)
        Return of each asset in each scenario.
    confidence : float
        Confidence level, in (0, 1); the expected shortfall is the mean loss of the worst share 1 - confidence.
    """

    returns: FloatArray
    confidence: float

    @property
    def unit(self) -> float:
        """Largest absolute return, the unit of losses in the solver, so that they are of the size of weights."""
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
    """Return the weights that minimise the objective.

    Parameters
    ----------
    allowed : FeasibleSet
        Set of the feasible portfolios.
    P, q : ndarray, shape (n_assets, n_assets) and (n_assets,)
        Quadratic coefficients, positive semidefinite, and linear coefficients of the objective.
    cost_scale : float, default 1
        Factor of the trading costs in the objective, above 0.
    start : ndarray, shape (n_assets,), optional
        Initial guess of the weights.
    definite : bool, default True
        Whether P is positive definite.
    tail : Tail, optional
        Scenarios whose expected shortfall is added to the objective.

    Raises
    ------
    InfeasibleError
        If no weights satisfy all constraints; the message names those that contradict each other, and by how much.
    """
    if definite and tail is None and not allowed.charges:
        found = _solve_plain(allowed, P, q, start)
        if found is not None and allowed.breach(found.weights) <= _tolerance(found.weights):
            return found
    found = _solve_soft(allowed, P, q, cost_scale, tail)
    return replace(found, certificate=allowed.certified(found.weights, found.certificate))


def _tolerance(weights: FloatArray) -> float:
    return LAST_DIGITS * max(1.0, float(np.abs(weights).sum()))


def _solve_plain(allowed: FeasibleSet, P: FloatArray, q: FloatArray, start: FloatArray | None) -> Minimum | None:
    """Return the minimum without limits that need auxiliary variables; None if the solver rejects the problem."""
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
    return _minimum_of(allowed, P, solved)


def _minimum_of(allowed: FeasibleSet, P: FloatArray, solved: QpSolution) -> Minimum:
    loose = np.ones(len(solved.x), dtype=bool)
    loose[solved.at_lower] = loose[solved.at_upper] = False
    free = np.flatnonzero(loose)
    proof = _proof(allowed, solved, tuple(allowed.plain.row_names[i] for i in solved.active_rows))
    rows = np.vstack([allowed.plain.A, allowed.plain.G[solved.active_rows]])
    weights = np.clip(solved.x, allowed.lower, allowed.upper)  # rounding may violate bounds by a last digit
    return Minimum(weights, solved.objective, proof, P, rows, np.zeros(len(solved.x)), free)


def _solve_soft(allowed: FeasibleSet, P: FloatArray, q: FloatArray, cost_scale: float, tail: Tail | None) -> Minimum:
    """Solve with soft constraints, including limits with auxiliary variables once the solution violates them."""
    included: tuple[Limit, ...] = ()
    while True:
        try:
            found = _solve_penalty_program(allowed, P, q, cost_scale, tail, included)
        except MatrixError:  # without the omitted limits the problem may be unbounded
            if len(included) == len(allowed.further):
                raise
            included = allowed.further
            continue
        tolerance = NINE_DIGITS * max(1.0, float(np.abs(found.weights).sum()))
        violated = allowed.violated(found.weights, tolerance)
        missing = [limit for limit in violated if limit.rows.further and limit not in included]
        if not missing:
            return found
        included = (*included, *missing)


def _solve_penalty_program(
    allowed: FeasibleSet,
    P: FloatArray,
    q: FloatArray,
    cost_scale: float,
    tail: Tail | None,
    included: tuple[Limit, ...],
) -> Minimum:
    system = allowed.system(included)
    n, width = len(allowed.tickers), system.width + (tail is not None)
    hard = [_padded(system.G, width), _padded(system.definitions, width)]
    soft, sides, prices = _soft_rows(allowed, cost_scale, tail, width)
    rows, count = np.vstack([*hard, soft]), len(system.h) + len(system.sides)
    equal = _padded(system.A, width)
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
    weights = np.clip(solved.x[:n], allowed.lower, allowed.upper)  # rounding may violate bounds by a last digit
    active = np.vstack([equal, rows[solved.on]])
    return Minimum(
        weights, solved.objective, proof, curved, active, _marginal_cost(allowed, solved.above[count:]), free
    )


def _marginal_cost(allowed: FeasibleSet, above: NDArray[np.bool_]) -> FloatArray:
    """Return the derivative of the trading cost, given the charged rows that exceed their thresholds."""
    marginal, start = np.zeros(len(allowed.tickers)), 0
    for charge in allowed.charges:
        marginal += (charge.prices * above[start : start + len(charge.prices)]) @ charge.rows
        start += len(charge.prices)
    return marginal


def _soft_rows(
    allowed: FeasibleSet, cost_scale: float, tail: Tail | None, width: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rows, right-hand sides and penalties of trading costs and of losses beyond the value at risk."""
    rows = [np.zeros((0, width)), *(_padded(charge.rows, width) for charge in allowed.charges)]
    sides = [np.zeros(0), *(charge.sides for charge in allowed.charges)]
    prices = [np.zeros(0), *(cost_scale * charge.prices for charge in allowed.charges)]
    if tail is not None:
        losses = _padded(-tail.returns / tail.unit, width)
        losses[:, -1] = -1.0
        rows.append(losses)
        sides.append(np.zeros(len(losses)))
        prices.append(np.full(len(losses), tail.unit / ((1.0 - tail.confidence) * len(losses))))
    return np.vstack(rows), np.concatenate(sides), np.concatenate(prices)


def _padded(rows: FloatArray, width: int) -> FloatArray:
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
        f"no solution to nine digits was found: the KKT residual is {solved.kkt_residual:.2g}; "
        "check for two identical assets, or an unbounded weight without risk",
        value=solved.kkt_residual,
    )
