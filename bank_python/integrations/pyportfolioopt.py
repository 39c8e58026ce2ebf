"""PyPortfolioOpt's optimisers, if it is there."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.errors import ModelError
from bank_python.integrations.peer_optimizer import PeerOptimizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.views import View

__all__ = ["PyPortfolioOptimizer"]

_AS_UNCERTAIN = 0.5


class PyPortfolioOptimizer(PeerOptimizer):
    """PyPortfolioOpt, with its own defaults: solvers are those that cvxpy picks.

    HRP is made from the covariance, takes no bounds, and rounds correlations to six digits before it makes its tree.
    Black–Litterman's posterior is its own, with Idzorek's confidences; the weights are those of its largest quadratic
    utility on that posterior within the bounds.

    Parameters
    ----------
    kind, cov_data, **params
        As for :class:`~bank_python.integrations.peer_optimizer.PeerOptimizer`.

    Raises
    ------
    ModelError, MissingExtraError
        As there.
    """

    library: ClassVar[str] = "PyPortfolioOpt"
    package: ClassVar[str] = "pypfopt"
    distribution: ClassVar[str] = "pyportfolioopt"
    takes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "min_variance": (),
        "max_sharpe": (),
        "mean_variance": ("risk_aversion", "target_return"),
        "hrp": (),
        "min_cvar": ("confidence", "target_return"),
        "black_litterman": ("views", "confidences", "market_weights", "risk_aversion", "tau"),
    }

    def _solved(self) -> FloatArray | None:
        if self._kind == "hrp":
            found = self._module.HRPOpt(cov_matrix=self._square(self._data.covariance)).optimize()
            return np.array([found[name] for name in self._data.tickers])  # which it has sorted by name
        found = self._of_tail() if self._kind == "min_cvar" else self._on_frontier()
        return np.array(list(found.values()))

    def _of_tail(self) -> Any:
        asked, data = self._settings, self._data
        past, bounds = data.returns_for(self._kind), self._bounds()
        tail = self._module.EfficientCVaR(data.expected_returns, past, asked["confidence"], weight_bounds=bounds)
        target = asked["target_return"]
        return tail.min_cvar() if target is None else tail.efficient_return(target)

    def _on_frontier(self) -> Any:
        asked, data = self._settings, self._data
        means, sigma = data.expected_returns, self._square(data.covariance)
        if self._kind == "black_litterman":
            means, sigma = self._posterior()
        frontier = self._module.EfficientFrontier(means, sigma, weight_bounds=self._bounds())
        if self._kind == "min_variance":
            return frontier.min_volatility()
        if self._kind == "max_sharpe":
            return frontier.max_sharpe(risk_free_rate=asked["risk_free_rate"])
        if asked.get("target_return") is not None:
            return frontier.efficient_return(asked["target_return"])
        return frontier.max_quadratic_utility(risk_aversion=asked["risk_aversion"])

    def _posterior(self) -> tuple[Any, Any]:
        asked, ours = self._settings, self.believed
        backs, sure = _opinions(asked["views"], asked["confidences"])
        model = self._module.BlackLittermanModel(
            self._square(self._given.covariance),
            pi=ours.prior.reshape(-1, 1),
            P=ours.views,
            Q=np.array(backs).reshape(-1, 1),
            omega="idzorek",
            view_confidences=np.array(sure),
            tau=asked["tau"],
            risk_aversion=asked["risk_aversion"],
        )
        return model.bl_returns(), model.bl_cov()

    def _failures(self) -> tuple[type[Exception], ...]:
        own = importlib.import_module("pypfopt.exceptions")
        solver = importlib.import_module("cvxpy.error")
        return (own.OptimizationError, solver.SolverError, ValueError, ArithmeticError, np.linalg.LinAlgError)

    def _refuse(self) -> None:
        if self._kind == "hrp" and not self.long_only:
            raise ModelError("hrp of PyPortfolioOpt takes no bounds; leave them out, or take ours")

    def _bounds(self) -> list[tuple[float, float]]:
        return list(zip(self.goal.lower.tolist(), self.goal.upper.tolist(), strict=True))


def _opinions(
    views: Mapping[str, float] | Sequence[View], confidences: Mapping[str, float] | None
) -> tuple[list[float], list[float]]:
    """Return what each view expects, and how sure it is."""
    if isinstance(views, Mapping):
        sure = confidences or {}
        return list(views.values()), [sure.get(name, _AS_UNCERTAIN) for name in views]
    return [view.expected_return for view in views], [view.confidence for view in views]
