r"""Maximisation of the Sharpe ratio and of the diversification ratio.

The diversification ratio is the weighted mean of the assets' volatilities over the volatility of the portfolio: 1 for a
single asset, :math:`\sqrt{n}` for n uncorrelated assets with equal risk. Both ratios are invariant to scaling the
portfolio, and their optimum is the tangent portfolio of the respective efficient path.

References
----------
W. F. Sharpe, "Mutual fund performance", Journal of Business 39 (1966), 119-138.

Y. Choueifaty and Y. Coignard, "Toward maximum diversification", Journal of Portfolio Management 35 (2008), 40-51.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.optimizer.efficient_path import EfficientPath
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["MaxDiversificationOptimizer", "MaxSharpeOptimizer"]


@guessable
class MaxSharpeOptimizer(Optimizer):
    """Optimiser of the Sharpe ratio; trading costs are deducted from the return.

    Requires expected returns. :meth:`optimize` raises :class:`~bank_python.errors.InfeasibleError` if no feasible
    portfolio is expected to earn more than the risk-free rate.
    """

    kind: ClassVar[str] = "max_sharpe"

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""
        path = EfficientPath(self._data, self._allowed, self._data.means_for(self.kind))
        return self._result(path.best_ratio(self._rate))


@guessable
class MaxDiversificationOptimizer(Optimizer):
    """Optimiser of the diversification ratio, ``figures["diversification_ratio"]`` of the result; without cash."""

    kind: ClassVar[str] = "max_diversification"

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        super().__init__(cov_data, constraints, risk_free_rate=risk_free_rate)
        if not self._constraints.invested > 0.0:
            raise ModelError(
                f"invested={self._constraints.invested:g}; the diversification ratio requires a sum of weights above 0"
            )

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""
        self._data.require_risk(self.kind)
        deviation = self._data.volatilities
        found = EfficientPath(self._data, self._allowed, deviation).best_ratio(0.0)
        volatility = float(found.weights @ self._data.covariance @ found.weights) ** 0.5
        return self._result(found, diversification_ratio=float(deviation @ found.weights) / volatility)
