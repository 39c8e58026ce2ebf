r"""Objective, constraint violation and optimality residual of portfolio weights, independent of the solver.

The objective is computed from the weights by the same formula for all libraries, and so is the largest violation of a
bound or of the sum of weights. Where the objective is smooth and the only constraints are bounds and the sum, so is the
*natural residual* of the optimality conditions,

.. math:: \max_i\,\bigl|\,w - \Pi\bigl(w - g(w)/s\bigr)\bigr|_i

with g the gradient of the objective, s the largest absolute value in its terms and :math:`\Pi` the projection onto the
feasible set: it is zero at an optimum and nowhere else (Facchinei and Pang 2003, proposition 1.5.8), and needs no
multipliers, which other libraries do not return. For risk parity, the residual is the largest relative difference of a
risk contribution from its budget.

References
----------
F. Facchinei and J.-S. Pang, "Finite-Dimensional Variational Inequalities and Complementarity Problems" (Springer 2003).
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.optimizer.bounds import bounds_of
from bank_python.optimizer.factory import OPTIMIZERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData

__all__ = ["PortfolioGoal", "mean_of_worst", "portfolio_goal", "settings_of"]

_HALVINGS = 200
_DOUBLINGS = 60


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioGoal:
    """Optimisation problem of one kind of portfolio, within bounds and fully invested.

    Parameters
    ----------
    name : str
        Name of the objective; an empty string for a rule without one (``hrp``).
    lower, upper : ndarray, shape (n_assets,)
        Bounds of the weights.
    value : callable, optional
        Function from weights to the objective, which is minimised.
    unit : callable, optional
        Function from weights to the positive scale that differences of objectives are divided by.
    off : callable, optional
        Function from weights to the residual of the optimality conditions, where it can be computed from weights alone.
    reward : ndarray, shape (n_assets,), optional
        Expected return of each asset, per year, that counts towards the target.
    target : float
        Least expected return of the portfolio, per year.
    """

    name: str
    lower: FloatArray
    upper: FloatArray
    value: Callable[[FloatArray], float] | None = None
    unit: Callable[[FloatArray], float] | None = None
    off: Callable[[FloatArray], float] | None = None
    reward: FloatArray | None = None
    target: float = -math.inf

    def objective(self, weights: FloatArray) -> float | None:
        """Return the objective of weights; ``None`` if there is no objective."""
        return None if self.value is None else self.value(weights)

    def gap(self, weights: FloatArray, best: FloatArray) -> float | None:
        """Return the relative excess of the objective of `weights` over that of `best`; ``None`` without an objective.

        A negative gap proves that `best` is not optimal, unless `weights` violate a constraint.
        """
        if self.value is None or self.unit is None:
            return None
        return (self.value(weights) - self.value(best)) / self.unit(best)

    def breach(self, weights: FloatArray) -> float:
        """Return the largest violation of a bound, of the sum of weights, or of the target return."""
        short = -math.inf if self.reward is None else self.target - float(self.reward @ weights)
        outside = max(float((self.lower - weights).max()), float((weights - self.upper).max()))
        return max(outside, abs(float(weights.sum()) - 1.0), short, 0.0)

    def residual(self, weights: FloatArray) -> float:
        """Return the larger of the residual of the optimality conditions, if defined, and the largest violation."""
        return max(self.breach(weights), 0.0 if self.off is None else self.off(weights))


def settings_of(kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of an optimiser: `params`, and our defaults for those not given."""
    own = inspect.signature(OPTIMIZERS[kind]).parameters.values()
    return {each.name: each.default for each in own if each.default is not inspect.Parameter.empty} | dict(params)


def portfolio_goal(kind: str, data: CovarianceData, params: Mapping[str, Any]) -> PortfolioGoal:
    """Return the optimisation problem of a kind of portfolio.

    Parameters
    ----------
    kind : str
        ``min_variance``, ``mean_variance``, ``black_litterman``, ``max_sharpe``, ``risk_parity``, ``min_cvar`` or
        ``hrp``.
    data : CovarianceData
        Covariance and expected returns of the assets; for ``black_litterman``, those of the posterior.
    params : mapping of str to object
        Parameters of :func:`~bank_python.optimizer.create_optimizer`; ``bounds`` is the only constraint supported.

    Examples
    --------
    >>> from bank_python.optimizer.covariance_data import CovarianceData
    >>> data = CovarianceData(tickers=["BND", "SPY"], covariance=[[0.0025, 0.0], [0.0, 0.0075]])
    >>> goal = portfolio_goal("min_variance", data, {})
    >>> goal.residual(np.array([0.75, 0.25])) < 1e-15, goal.residual(np.array([0.5, 0.5])) > 0.1
    (True, True)
    """
    lower, upper = bounds_of(data.tickers, params.get("bounds", (0.0, 1.0)))
    settings = settings_of(kind, params)
    if kind == "hrp":
        return PortfolioGoal("", lower, upper)
    if kind == "max_sharpe":
        return _sharpe(data, lower, upper, settings["risk_free_rate"])
    if kind == "risk_parity":
        return _parity(data, lower, upper, settings["budgets"])
    if kind == "min_cvar":
        return _shortfall(data, lower, upper, settings["confidence"], settings["target_return"])
    if kind == "min_variance" or settings.get("target_return") is not None:
        return _variance(data, lower, upper, settings.get("target_return"))
    return _utility(data, lower, upper, settings["risk_aversion"])


def _variance(data: CovarianceData, lower: FloatArray, upper: FloatArray, target: float | None) -> PortfolioGoal:
    sigma = data.covariance

    def value(w: FloatArray) -> float:
        return float(w @ sigma @ w)

    if target is None:
        return PortfolioGoal("variance", lower, upper, value, value, lambda w: _natural(w, (sigma @ w,), lower, upper))
    means = data.means_for("target_return")
    return PortfolioGoal("variance", lower, upper, value, value, reward=means, target=target)


def _utility(data: CovarianceData, lower: FloatArray, upper: FloatArray, aversion: float) -> PortfolioGoal:
    sigma, means = data.covariance, data.means_for("mean_variance")

    def value(w: FloatArray) -> float:
        return 0.5 * aversion * float(w @ sigma @ w) - float(means @ w)

    def unit(w: FloatArray) -> float:
        return max(abs(value(w)), 0.5 * aversion * float(w @ sigma @ w))

    def off(w: FloatArray) -> float:
        return _natural(w, (aversion * (sigma @ w), -means), lower, upper)

    return PortfolioGoal("minus utility", lower, upper, value, unit, off)


def _sharpe(data: CovarianceData, lower: FloatArray, upper: FloatArray, rate: float) -> PortfolioGoal:
    sigma, means = data.covariance, data.means_for("max_sharpe")

    def value(w: FloatArray) -> float:
        return (rate - float(means @ w)) / math.sqrt(float(w @ sigma @ w))

    def off(w: FloatArray) -> float:
        # The gradient times the volatility, less a constant for all assets, which the projection onto the sum removes.
        marginal = sigma @ w
        return _natural(w, (marginal * (float(means @ w) - rate) / float(w @ marginal), rate - means), lower, upper)

    return PortfolioGoal("minus Sharpe ratio", lower, upper, value, lambda w: abs(value(w)), off)


def _parity(
    data: CovarianceData, lower: FloatArray, upper: FloatArray, budgets: Mapping[str, float] | None
) -> PortfolioGoal:
    sigma = data.covariance
    given = np.array([1.0 if budgets is None else budgets[name] for name in data.tickers])
    parts = given / given.sum()

    def value(w: FloatArray) -> float:
        # Spinu's objective minimised over the scale of w, less a constant: the logarithm of a ratio.
        return 0.5 * math.log(float(w @ sigma @ w)) - float(parts @ np.log(w)) if w.min() > 0.0 else math.inf

    def off(w: FloatArray) -> float:
        marginal = sigma @ w
        return float(np.abs(w * marginal / (float(w @ marginal) * parts) - 1.0).max())

    return PortfolioGoal("log of volatility over weights' geometric mean", lower, upper, value, lambda _: 1.0, off)


def _shortfall(
    data: CovarianceData, lower: FloatArray, upper: FloatArray, confidence: float, target: float | None
) -> PortfolioGoal:
    past = data.returns_for("min_cvar")

    def value(w: FloatArray) -> float:
        return mean_of_worst(-(past @ w), confidence)

    if target is None:
        return PortfolioGoal("CVaR", lower, upper, value, lambda w: abs(value(w)))
    means = data.means_for("target_return")
    return PortfolioGoal("CVaR", lower, upper, value, lambda w: abs(value(w)), reward=means, target=target)


def mean_of_worst(losses: FloatArray, confidence: float) -> float:
    """Return the mean of the worst 1 - confidence of the losses; a fractional loss enters with its fraction as weight.

    Parameters
    ----------
    losses : ndarray, shape (n_scenarios,)
        Losses, positive for a loss, negative for a gain.
    confidence : float
        Confidence level, in (0, 1).

    Examples
    --------
    >>> round(mean_of_worst(np.array([1.0, 2.0, 3.0, 10.0]), 0.625), 12)
    7.666666666667
    """
    count = (1.0 - confidence) * len(losses)
    worst = np.sort(losses)[::-1]
    whole = min(int(count), len(losses) - 1)
    return (float(worst[:whole].sum()) + (count - whole) * float(worst[whole])) / count


def _natural(w: FloatArray, terms: tuple[FloatArray, ...], lower: FloatArray, upper: FloatArray) -> float:
    """Return the natural residual at `w` for a gradient that is the sum of the terms."""
    size = max(float(np.abs(term).max()) for term in terms)
    gradient = np.sum(terms, axis=0)
    return float(np.abs(w - _projected(w - gradient / size, lower, upper)).max())


def _projected(y: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return the nearest weights within the bounds that add up to one: y less a multiplier, clipped to the bounds."""
    low, high = _bracket(y, lower, upper)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if float(np.clip(y - middle, lower, upper).sum()) > 1.0 else (low, middle)
    # Bisection is exact to rounding of the multiplier; the remaining error of the sum is spread over the free weights.
    cut = np.clip(y - high, lower, upper)
    free = (cut > lower) & (cut < upper)
    return cut + free * ((1.0 - float(cut.sum())) / max(int(free.sum()), 1))


def _bracket(y: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[float, float]:
    low, high, step = float(y.mean()), float(y.mean()), 1.0
    for _ in range(_DOUBLINGS):
        if float(np.clip(y - low, lower, upper).sum()) < 1.0:
            low -= step
        elif float(np.clip(y - high, lower, upper).sum()) > 1.0:
            high += step
        else:
            break
        step *= 2.0
    return low, high
