r"""Risk shared out by budgets: every asset makes its part of the variance.

.. math:: \frac{w_i\,(\Sigma w)_i}{w^\top \Sigma w} = b_i, \qquad w \ge 0

The weights are the minimum of :math:`\tfrac12 x^\top \Sigma x - \sum_i b_i \ln x_i`, scaled to what is invested (Spinu
2013): strictly convex, so there is one answer. Two sweeps of coordinate descent (Griveau-Billion, Richard and Roncalli
2013), each coordinate a quadratic equation, come near it, and Newton's steps finish it to the last digit.

Where constraints do not allow these weights, the answer is the allowed w that is the minimum of
:math:`\tfrac12 w^\top \Sigma w - \lambda \sum_i b_i \ln w_i` with the :math:`\lambda` (its variance) for which the
unconstrained minimum is risk parity itself: the same convex problem, on fewer portfolios. Each Newton step is then a
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

from bank_python.errors import InfeasibleError, ModelError
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

_SWEEPS = 2  # of coordinate descent: a third costs more than the Newton step that it saves
_MOST = 100  # Newton steps; ten are many
_EXACT = 1e-14  # relative: the rounding of a sum over the assets
_BACK = 0.9  # of the way to a weight of 0, where the logarithm ends
_STARTS = (1e-2, 1e-4, 1e-6, 1e-8)  # of the free weights, which all must have at first


@dataclass(frozen=True, slots=True, eq=False)
class RiskBudget:
    """Weights whose shares of the variance are the budgets.

    Parameters
    ----------
    weights : ndarray, shape (n_assets,)
        Above 0; they add up to one.
    residual : float
        The largest relative distance of a share from its budget.
    gap : float
        How far the objective is from its minimum, relative to it, as Newton's decrement tells.
    iterations : int
        Newton steps.
    """

    weights: FloatArray
    residual: float
    gap: float
    iterations: int


def budgeted_weights(covariance: FloatArray, budgets: FloatArray) -> RiskBudget:
    """Return the long-only weights whose shares of the variance are the budgets.

    Parameters
    ----------
    covariance : ndarray, shape (n_assets, n_assets)
        Positive definite.
    budgets : ndarray, shape (n_assets,)
        Above 0; they add up to one.

    Raises
    ------
    ModelError
        Newton's steps do not come to an end, as with a covariance that is all but singular.

    Examples
    --------
    >>> budgeted_weights(np.diag([0.04, 0.01]), np.array([0.5, 0.5])).weights.round(12).tolist()
    [0.333333333333, 0.666666666667]
    """
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    x = _swept(correlation, budgets)
    for step in range(1, _MOST + 1):
        slope = correlation @ x - budgets / x
        move = -definite_solve(correlation + np.diag(budgets / x**2), slope[:, None])[:, 0]
        decrement = float(-slope @ move)
        x = x + _length(correlation, budgets, x, move, decrement) * move
        residual = float(np.abs(x * (correlation @ x) / budgets - 1.0).max())
        if residual <= _EXACT or (decrement <= _EXACT**2 and step > 1):
            held = x / deviation
            size = abs(0.5 - float(budgets @ np.log(x)))
            return RiskBudget(held / held.sum(), residual, 0.5 * decrement / max(size, 1.0), step)
    raise ModelError(f"risk budgets were not met in {_MOST} steps: a share is off by {residual:.2g}", value=residual)


def _swept(correlation: FloatArray, budgets: FloatArray) -> FloatArray:
    """Return x after some sweeps of coordinate descent, from weights of equal volatility."""
    x = np.sqrt(budgets) / np.sqrt(max(float(np.sqrt(budgets) @ correlation @ np.sqrt(budgets)), LAST_DIGITS))
    pull = correlation @ x
    for _ in range(_SWEEPS):
        for i, budget in enumerate(budgets.tolist()):
            rest = float(pull[i]) - float(x[i])
            new = 0.5 * (-rest + (rest * rest + 4.0 * budget) ** 0.5)
            pull += correlation[i] * (new - x[i])
            x[i] = new
    return np.asarray(x)


def _length(correlation: FloatArray, budgets: FloatArray, x: FloatArray, move: FloatArray, decrement: float) -> float:
    """Return how much of a Newton step to take: all of it, unless x would leave its domain or the objective rise."""
    first = min(1.0, _BACK * step_to_zero(x, move))
    if decrement <= LAST_DIGITS:
        return first

    def value(step: float) -> float:
        there = x + step * move
        return 0.5 * float(there @ correlation @ there) - float(budgets @ np.log(there))

    return backtracked(value, start=value(0.0), slope=-decrement, first=first)


class RiskParityOptimizer(Optimizer):
    """Equal risk from every asset, or risk by budgets.

    Parameters
    ----------
    cov_data : CovarianceData
        The assets; no cash.
    constraints : Constraints, optional
        What is allowed.
    budgets : mapping of str to float, optional
        Each asset's part of the risk, above 0 for every asset; they are scaled to add up to one. Equal if left out.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's.

    Raises
    ------
    ModelError
        A budget is missing or not above 0, or nothing is to be invested.
    CalibrationError
        Of :meth:`optimize`: cash has no risk to share.
    InfeasibleError
        Of :meth:`optimize`: no allowed portfolio holds some of every asset.
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
            raise ModelError(f"the risk budget of {name} is {parts[none[0]]:g}; give one above 0, or leave it out")
        if not self._constraints.invested > 0.0:
            raise ModelError(
                f"invested={self._constraints.invested:g}; risk parity holds some of every asset, so give more than 0"
            )
        self._budgets = parts / parts.sum()

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
        self._data.require_risk(self.kind)
        free = budgeted_weights(self._data.covariance, self._budgets)
        wanted = self._constraints.invested * free.weights
        if self._allowed.charges or self._allowed.breach(wanted) > LAST_DIGITS:
            return self._told(self._nearest(wanted))
        proof = Certificate(kkt_residual=free.residual, duality_gap=free.gap, iterations=free.iterations)
        return self._measured(wanted, proof)

    def _nearest(self, wanted: FloatArray) -> Minimum:
        """Return the minimum among the allowed weights, by Newton's steps that are quadratic programs."""
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
        raise ModelError(f"risk parity within the constraints was not found in {_MOST} steps")

    def _stepped(self, w: FloatArray, move: FloatArray, decrement: float, scale: FloatArray) -> FloatArray:
        variance = float(w @ self._data.covariance @ w)
        terms = variance + float(np.abs(scale * np.log(w)).sum()) + self._allowed.paid(w)
        step = backtracked(
            lambda step: self._cost(w + step * move, scale),
            start=self._cost(w, scale) + _EXACT * terms,  # no more than rounding
            slope=-decrement,
            first=min(1.0, _BACK * step_to_zero(w, move)),
        )
        return w + step * move

    def _cost(self, w: FloatArray, scale: FloatArray) -> float:
        return float(0.5 * w @ self._data.covariance @ w - scale @ np.log(w)) + self._allowed.paid(w)

    def _inside(self, wanted: FloatArray) -> FloatArray:
        """Return allowed weights above 0 to start from: the nearest to what is wanted."""
        allowed = self._allowed
        none = np.flatnonzero(allowed.upper <= 0.0)
        if len(none):
            name = allowed.tickers[int(none[0])]
            raise InfeasibleError(f"risk parity holds some of every asset, and {name} may not be held; leave it out")
        for part in _STARTS:
            low = np.minimum(np.maximum(allowed.lower, part * wanted), allowed.upper)
            with suppress(InfeasibleError):
                inside = allowed.without_costs().plus(WeightBounds([*zip(low, allowed.upper, strict=True)]))
                return minimise(inside, np.eye(len(low)), -wanted).weights
        raise InfeasibleError(
            f"no allowed portfolio holds a {1.0 / _STARTS[-1]:.0e}th of what risk parity wants of every asset; "
            "loosen a group, or leave out who may not be held"
        )
