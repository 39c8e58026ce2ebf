r"""Reward weighed against risk (Markowitz 1952).

.. math:: \max_w\ \mu^\top w - \tfrac{\gamma}{2}\, w^\top \Sigma w

or the least risk that earns a target, or the most reward that a target of risk allows.

References
----------
H. Markowitz, "Portfolio selection", Journal of Finance 7 (1952), 77-91.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import ModelError
from bank_python.optimizer.efficient_path import EfficientPath, earning
from bank_python.optimizer.minimum import minimise
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["MeanVarianceOptimizer", "MinVarianceOptimizer"]


class MeanVarianceOptimizer(Optimizer):
    """Reward weighed against risk; trading costs are taken off the reward.

    Parameters
    ----------
    cov_data : CovarianceData
        With expected returns.
    constraints : Constraints, optional
        What is allowed.
    risk_aversion : float, default 1
        How much a unit of variance costs, above 0; where no target is given.
    target_return : float, optional
        The least return a year; the risk is then as small as it can be.
    target_risk : float, optional
        The most volatility a year; the reward is then as large as it can be.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's.

    Raises
    ------
    ModelError
        Two targets, or a figure out of range.
    CalibrationError
        There are no expected returns.
    InfeasibleError
        Of :meth:`optimize`: no allowed portfolio reaches the target; the message says what can be reached.
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
            raise ModelError(f"target_return={target_return!r}; give a return a year", value=target_return)
        if target_risk is not None and not 0.0 < target_risk < math.inf:
            raise ModelError(f"target_risk={target_risk!r}; give a volatility a year above 0", value=target_risk)
        self._means = cov_data.means_for(self.kind)
        self._aversion, self._return, self._risk = risk_aversion, target_return, target_risk

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
        if self._risk is not None:
            path = EfficientPath(self._data, self._allowed, self._means)
            return self._told(path.of_risk(self._risk))
        definite = not self._data.riskless
        if self._return is not None:
            flat = np.zeros(len(self._means))
            return self._told(
                earning(
                    self._data,
                    self._allowed,
                    self._return,
                    lambda allowed: minimise(allowed, self._data.covariance, flat, definite=definite),
                )
            )
        return self._told(
            minimise(self._allowed, self._aversion * self._data.covariance, -self._means, definite=definite)
        )


class MinVarianceOptimizer(Optimizer):
    """The least risk that is allowed; trading costs are added to half the variance."""

    kind: ClassVar[str] = "min_variance"

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
        data = self._data
        return self._told(
            minimise(self._allowed, data.covariance, np.zeros(len(data.tickers)), definite=not data.riskless)
        )
