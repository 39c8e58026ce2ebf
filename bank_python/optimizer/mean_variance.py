r"""Mean-variance optimisation (Markowitz 1952).

.. math:: \max_w\ \mu^\top w - \tfrac{\gamma}{2}\, w^\top \Sigma w

or the least risk for a target return, or the highest return for a target risk.

References
----------
H. Markowitz, "Portfolio selection", Journal of Finance 7 (1952), 77-91.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.optimizer.efficient_path import EfficientPath, subject_to_return
from bank_python.optimizer.minimum import minimise
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["MeanVarianceOptimizer", "MinVarianceOptimizer"]


@guessable
class MeanVarianceOptimizer(Optimizer):
    """Mean-variance optimiser; trading costs are deducted from the return.

    Parameters
    ----------
    cov_data : CovarianceData
        Covariance and expected returns of the assets.
    constraints : Constraints, optional
        Constraints on the weights; fully invested and long only if omitted.
    risk_aversion : float, default 1
        Risk aversion γ, above 0; used if there is no target.
    target_return : float, optional
        Least expected return per year, as a decimal; the portfolio of least risk with this return is computed.
    target_risk : float, optional
        Largest volatility per year, as a decimal; the portfolio of highest return with this volatility is computed.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratio, per year, as a decimal.

    Raises
    ------
    ModelError
        If both targets are given, or a parameter is out of range.
    CalibrationError
        If there are no expected returns.
    InfeasibleError
        Raised by :meth:`optimize` if no feasible portfolio reaches the target; the message contains the best value.
    """

    kind: ClassVar[str] = "mean_variance"

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        risk_aversion: float = 1.0,
        target_return: float | None = None,
        target_risk: float | None = None,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        super().__init__(cov_data, constraints, risk_free_rate=risk_free_rate)
        if target_return is not None and target_risk is not None:
            raise ModelError("target_return and target_risk were both given; give one")
        if not 0.0 < risk_aversion < math.inf:
            raise ModelError(f"risk_aversion={risk_aversion!r}; give a number above 0", value=risk_aversion)
        if target_return is not None and not math.isfinite(target_return):
            raise ModelError(f"target_return={target_return!r}; give a finite return per year", value=target_return)
        if target_risk is not None and not 0.0 < target_risk < math.inf:
            raise ModelError(f"target_risk={target_risk!r}; give a volatility per year above 0", value=target_risk)
        self._means = cov_data.means_for(self.kind)
        self._aversion, self._return, self._risk = risk_aversion, target_return, target_risk

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""
        if self._risk is not None:
            path = EfficientPath(self._data, self._allowed, self._means)
            return self._result(path.of_risk(self._risk))
        definite = not self._data.riskless
        if self._return is not None:
            flat = np.zeros(len(self._means))
            return self._result(
                subject_to_return(
                    self._data,
                    self._allowed,
                    self._return,
                    lambda allowed: minimise(allowed, self._data.covariance, flat, definite=definite),
                )
            )
        return self._result(
            minimise(self._allowed, self._aversion * self._data.covariance, -self._means, definite=definite)
        )


@guessable
class MinVarianceOptimizer(Optimizer):
    """Optimiser of the portfolio with the least variance; trading costs are added to half the variance."""

    kind: ClassVar[str] = "min_variance"

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""
        data = self._data
        return self._result(
            minimise(self._allowed, data.covariance, np.zeros(len(data.tickers)), definite=not data.riskless)
        )
