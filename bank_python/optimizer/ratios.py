r"""The best ratio of reward to risk: of excess return (Sharpe), or of the volatility that was put in (diversification).

The diversification ratio is the weighted mean of the volatilities over the volatility of the whole: 1 for a single
asset, :math:`\sqrt{n}` for n independent ones. Both ratios do not change when a portfolio is scaled, and their optimum
is the point of the efficient path where a line from the riskless rate touches it.

References
----------
W. F. Sharpe, "Mutual fund performance", Journal of Business 39 (1966), 119-138.

Y. Choueifaty and Y. Coignard, "Toward maximum diversification", Journal of Portfolio Management 35 (2008), 40-51.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.errors import ModelError
from bank_python.optimizer.efficient_path import EfficientPath
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["MaxDiversificationOptimizer", "MaxSharpeOptimizer"]


class MaxSharpeOptimizer(Optimizer):
    """The largest Sharpe ratio; trading costs are taken off the return.

    Needs expected returns. :meth:`optimize` raises :class:`~bank_python.errors.InfeasibleError` where no allowed
    portfolio is expected to earn more than the riskless rate.
    """

    kind: ClassVar[str] = "max_sharpe"

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
        path = EfficientPath(self._data, self._allowed, self._data.means_for(self.kind))
        return self._told(path.best_ratio(self._rate))


class MaxDiversificationOptimizer(Optimizer):
    """The largest diversification ratio, told as ``figures["diversification_ratio"]``; cash has no place in it."""

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
                f"invested={self._constraints.invested:g}; what is not held is not diversified: give above 0"
            )

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
        self._data.require_risk(self.kind)
        deviation = self._data.volatilities
        found = EfficientPath(self._data, self._allowed, deviation).best_ratio(0.0)
        mixed = float(found.weights @ self._data.covariance @ found.weights) ** 0.5
        return self._told(found, diversification_ratio=float(deviation @ found.weights) / mixed)
