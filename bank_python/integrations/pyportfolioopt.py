"""Portfolios by the optimisers of PyPortfolioOpt, if it is installed."""

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

_DEFAULT_CONFIDENCE = 0.5


class PyPortfolioOptimizer(PeerOptimizer):
    """Portfolio optimisers of PyPortfolioOpt with the library's defaults; cvxpy chooses the solver.

    HRP uses the covariance, supports no bounds, and rounds correlations to six digits before building its tree. The
    Black–Litterman posterior is computed by the library, with Idzorek's confidences; the weights maximise its quadratic
    utility on that posterior within the bounds.

    Parameters
    ----------
    kind, cov_data, **params
        Arguments of :class:`~bank_python.integrations.peer_optimizer.PeerOptimizer`.

    Raises
    ------
    ModelError, MissingExtraError
        In the cases listed for :class:`~bank_python.integrations.peer_optimizer.PeerOptimizer`.
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

    def _solve(self) -> FloatArray | None:
        if self._kind == "hrp":
            found = self._module.HRPOpt(cov_matrix=self._square(self._data.covariance)).optimize()
            return np.array([found[name] for name in self._data.tickers])  # the library sorts by name
        found = self._min_cvar() if self._kind == "min_cvar" else self._on_frontier()
        return np.array(list(found.values()))

    def _min_cvar(self) -> Any:
        settings, data = self._settings, self._data
        past, bounds = data.returns_for(self._kind), self._bounds()
        tail = self._module.EfficientCVaR(data.expected_returns, past, settings["confidence"], weight_bounds=bounds)
        target = settings["target_return"]
        return tail.min_cvar() if target is None else tail.efficient_return(target)

    def _on_frontier(self) -> Any:
        settings, data = self._settings, self._data
        means, sigma = data.expected_returns, self._square(data.covariance)
        if self._kind == "black_litterman":
            means, sigma = self._posterior()
        frontier = self._module.EfficientFrontier(means, sigma, weight_bounds=self._bounds())
        if self._kind == "min_variance":
            return frontier.min_volatility()
        if self._kind == "max_sharpe":
            return frontier.max_sharpe(risk_free_rate=settings["risk_free_rate"])
        if settings.get("target_return") is not None:
            return frontier.efficient_return(settings["target_return"])
        return frontier.max_quadratic_utility(risk_aversion=settings["risk_aversion"])

    def _posterior(self) -> tuple[Any, Any]:
        settings, ours = self._settings, self.posterior
        returns, confidences = _views_of(settings["views"], settings["confidences"])
        model = self._module.BlackLittermanModel(
            self._square(self._prior_data.covariance),
            pi=ours.prior.reshape(-1, 1),
            P=ours.views,
            Q=np.array(returns).reshape(-1, 1),
            omega="idzorek",
            view_confidences=np.array(confidences),
            tau=settings["tau"],
            risk_aversion=settings["risk_aversion"],
        )
        return model.bl_returns(), model.bl_cov()

    def _failures(self) -> tuple[type[Exception], ...]:
        own = importlib.import_module("pypfopt.exceptions")
        solver = importlib.import_module("cvxpy.error")
        return (own.OptimizationError, solver.SolverError, ValueError, ArithmeticError, np.linalg.LinAlgError)

    def _check_bounds(self) -> None:
        if self._kind == "hrp" and not self.long_only:
            raise ModelError("hrp of PyPortfolioOpt takes no bounds; leave them out, or use create_optimizer")

    def _bounds(self) -> list[tuple[float, float]]:
        return list(zip(self.goal.lower.tolist(), self.goal.upper.tolist(), strict=True))


def _views_of(
    views: Mapping[str, float] | Sequence[View], confidences: Mapping[str, float] | None
) -> tuple[list[float], list[float]]:
    """Return the expected return and the confidence of each view."""
    if isinstance(views, Mapping):
        given = confidences or {}
        return list(views.values()), [given.get(name, _DEFAULT_CONFIDENCE) for name in views]
    return [view.expected_return for view in views], [view.confidence for view in views]
