r"""Risk parity: the contribution of every asset to the variance equals its budget.

.. math:: \frac{w_i\,(\Sigma w)_i}{w^\top \Sigma w} = b_i, \qquad w \ge 0

The weights minimise :math:`\tfrac12 x^\top \Sigma x - \sum_i b_i \ln x_i`, scaled to the required sum (Spinu 2013); the
objective is strictly convex, so the solution is unique. Two passes of coordinate descent (Griveau-Billion, Richard and
Roncalli 2013), which solve a quadratic equation for each coordinate, are followed by Newton steps to full precision.

If constraints exclude these weights, the optimiser minimises
:math:`\tfrac12 w^\top \Sigma w - \lambda \sum_i b_i \ln w_i` under the constraints, with the :math:`\lambda` (the
variance of the unconstrained portfolio) for which the unconstrained minimum is risk parity. Each Newton step is then a
quadratic program.

References
----------
F. Spinu, "An algorithm for computing risk parity weights", SSRN 2297383 (2013).

T. Griveau-Billion, J.-C. Richard and T. Roncalli, "A fast algorithm for computing high-dimensional risk parity
portfolios", SSRN 2325255 (2013): equation 4.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.display import Record
from bank_python.errors import InfeasibleError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.line_search import backtracked, step_to_zero
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.numerics.triangular import definite_solve
from bank_python.optimizer.bounds import WeightBounds
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.minimum import minimise
from bank_python.optimizer.named import by_asset
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.minimum import Minimum
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["RiskBudget", "RiskParityOptimizer", "budgeted_weights"]

_PASSES = 2  # of coordinate descent: a third costs more than the Newton step that it saves
_MOST = 100  # Newton steps; usually at most ten are needed
_EXACT = 1e-14  # relative rounding error of a sum over the assets
_BACK = 0.9  # largest fraction of the step to a weight of 0, at which the logarithm is singular
_STARTS = (1e-2, 1e-4, 1e-6, 1e-8)  # least initial weights relative to the unconstrained ones, tried in turn


@guessable
@dataclass(frozen=True, slots=True, eq=False)
class RiskBudget(Record):
    """Weights whose contributions to the variance equal the budgets.

    Parameters
    ----------
    weights : ndarray, shape (n_assets,)
        Weights above 0 with a sum of one.
    residual : float
        Largest relative difference of a contribution from its budget.
    gap : float
        Relative distance of the objective from its minimum, estimated by the Newton decrement.
    iterations : int
        Number of Newton steps.
    """

    weights: FloatArray
    residual: float
    gap: float
    iterations: int


def budgeted_weights(covariance: FloatArray, budgets: FloatArray) -> RiskBudget:
    """Return the long-only weights whose contributions to the variance equal the budgets.

    Parameters
    ----------
    covariance : ndarray, shape (n_assets, n_assets)
        Positive definite covariance matrix.
    budgets : ndarray, shape (n_assets,)
        Risk budgets above 0 with a sum of one.

    Raises
    ------
    ModelError
        If Newton's method does not converge, as for an almost singular covariance.

    Examples
    --------
    >>> budgeted_weights(np.diag([0.04, 0.01]), np.array([0.5, 0.5])).weights.round(12).tolist()
    [0.333333333333, 0.666666666667]
    """
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    x = _coordinate_descent(correlation, budgets)
    for step in range(1, _MOST + 1):
        slope = correlation @ x - budgets / x
        move = -definite_solve(correlation + np.diag(budgets / x**2), slope[:, None])[:, 0]
        decrement = float(-slope @ move)
        x = x + _length(correlation, budgets, x, move, decrement) * move
        residual = float(np.abs(x * (correlation @ x) / budgets - 1.0).max())
        if residual <= _EXACT or (decrement <= _EXACT**2 and step > 1):
            weights = x / deviation
            size = abs(0.5 - float(budgets @ np.log(x)))
            return RiskBudget(weights / weights.sum(), residual, 0.5 * decrement / max(size, 1.0), step)
    raise ModelError(
        f"the risk budgets were not met in {_MOST} steps: the largest relative error is {residual:.2g}; check the "
        "covariance for almost identical assets",
        value=residual,
    )


def _coordinate_descent(correlation: FloatArray, budgets: FloatArray) -> FloatArray:
    """Return x after a few passes of coordinate descent, starting from weights by inverse volatility."""
    x = np.sqrt(budgets) / np.sqrt(max(float(np.sqrt(budgets) @ correlation @ np.sqrt(budgets)), LAST_DIGITS))
    marginal = correlation @ x
    for _ in range(_PASSES):
        for i, budget in enumerate(budgets.tolist()):
            rest = float(marginal[i]) - float(x[i])
            new = 0.5 * (-rest + (rest * rest + 4.0 * budget) ** 0.5)
            marginal += correlation[i] * (new - x[i])
            x[i] = new
    return np.asarray(x)


def _length(correlation: FloatArray, budgets: FloatArray, x: FloatArray, move: FloatArray, decrement: float) -> float:
    """Return the length of a Newton step: 1, unless x would leave its domain or the objective increase."""
    first = min(1.0, _BACK * step_to_zero(x, move))
    if decrement <= LAST_DIGITS:
        return first

    def value(step: float) -> float:
        there = x + step * move
        return 0.5 * float(there @ correlation @ there) - float(budgets @ np.log(there))

    return backtracked(value, start=value(0.0), slope=-decrement, first=first)


@guessable
class RiskParityOptimizer(Optimizer):
    """Risk parity optimiser: equal risk contributions of all assets, or contributions by budgets.

    Parameters
    ----------
    cov_data : CovarianceData
        Covariance of the assets, without cash.
    constraints : Constraints, optional
        Constraints on the weights; fully invested and long only if omitted.
    budgets : mapping of str to float, optional
        Risk budget of each asset by ticker, above 0, scaled to a sum of one. Equal budgets if omitted.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratio, per year, as a decimal.

    Raises
    ------
    ModelError
        If a budget is missing or not above 0, or the sum of weights is not above 0.
    CalibrationError
        Raised by :meth:`optimize` if the assets include cash.
    InfeasibleError
        Raised by :meth:`optimize` if no feasible portfolio has positive weights of all assets.
    """

    kind: ClassVar[str] = "risk_parity"

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        budgets: Mapping[str, float] | None = None,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        super().__init__(cov_data, constraints, risk_free_rate=risk_free_rate)
        given = dict.fromkeys(cov_data.tickers, 1.0) if budgets is None else budgets
        parts = by_asset(cov_data.tickers, given, "budgets")
        none = np.flatnonzero(parts <= 0.0)
        if len(none):
            name = cov_data.tickers[int(none[0])]
            raise ModelError(
                f"the risk budget of {name} is {parts[none[0]]:g}; give one above 0, or leave the asset out"
            )
        if not self._constraints.invested > 0.0:
            raise ModelError(f"invested={self._constraints.invested:g}; risk parity requires a sum of weights above 0")
        self._budgets = parts / parts.sum()

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""
        self._data.require_risk(self.kind)
        free = budgeted_weights(self._data.covariance, self._budgets)
        wanted = self._constraints.invested * free.weights
        if self._allowed.charges or self._allowed.breach(wanted) > LAST_DIGITS:
            return self._result(self._nearest(wanted))
        proof = Certificate(kkt_residual=free.residual, duality_gap=free.gap, iterations=free.iterations)
        return self._result_of_weights(wanted, proof)

    def _nearest(self, wanted: FloatArray) -> Minimum:
        """Return the constrained minimum, by Newton steps that are quadratic programs."""
        sigma = self._data.covariance
        scale = float(wanted @ sigma @ wanted) * self._budgets
        w = self._inside(wanted)
        for _ in range(_MOST):
            curved = sigma + np.diag(scale / w**2)
            slope = sigma @ w - scale / w
            found = minimise(self._allowed, curved, slope - curved @ w, start=w)
            move = found.weights - w
            decrement = float(move @ curved @ move)
            size = max(abs(found.objective), float(w @ sigma @ w))
            if decrement <= _EXACT * size:
                off = float(np.abs(move).max()) / float(np.abs(w).max())
                proof = found.certificate
                return replace(found, certificate=replace(proof, kkt_residual=max(proof.kkt_residual, off**2)))
            w = self._stepped(w, move, decrement, scale)
        raise ModelError(
            f"risk parity under constraints did not converge in {_MOST} steps; check for almost identical assets"
        )

    def _stepped(self, w: FloatArray, move: FloatArray, decrement: float, scale: FloatArray) -> FloatArray:
        variance = float(w @ self._data.covariance @ w)
        terms = variance + float(np.abs(scale * np.log(w)).sum()) + self._allowed.paid(w)
        step = backtracked(
            lambda step: self._cost(w + step * move, scale),
            start=self._cost(w, scale) + _EXACT * terms,  # tolerates rounding errors
            slope=-decrement,
            first=min(1.0, _BACK * step_to_zero(w, move)),
        )
        return w + step * move

    def _cost(self, w: FloatArray, scale: FloatArray) -> float:
        return float(0.5 * w @ self._data.covariance @ w - scale @ np.log(w)) + self._allowed.paid(w)

    def _inside(self, wanted: FloatArray) -> FloatArray:
        """Return feasible weights above 0 near the unconstrained ones, as a starting point."""
        allowed = self._allowed
        none = np.flatnonzero(allowed.upper <= 0.0)
        if len(none):
            name = allowed.tickers[int(none[0])]
            raise InfeasibleError(
                f"risk parity requires positive weights of all assets, and the upper bound of {name} is "
                f"{allowed.upper[none[0]]:g}; leave the asset out"
            )
        for part in _STARTS:
            low = np.minimum(np.maximum(allowed.lower, part * wanted), allowed.upper)
            with suppress(InfeasibleError):
                inside = allowed.without_costs().plus(WeightBounds([*zip(low, allowed.upper, strict=True)]))
                return minimise(inside, np.eye(len(low)), -wanted).weights
        raise InfeasibleError(
            f"no allowed portfolio has at least {_STARTS[-1]:g} times the risk parity weight of every asset; "
            "relax a constraint, or leave out assets that may not be held"
        )
