r"""Minimisation of the expected shortfall of past returns (Rockafellar and Uryasev 2000).

Each past period is a scenario; the expected shortfall, or conditional value at risk, at a confidence level is the mean
loss of the worst scenarios. It is minimised by a program in the weights and the value at risk, with n + 1 variables for
any number of scenarios.

References
----------
R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000), 21-41.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.optimizer.efficient_path import subject_to_return
from bank_python.optimizer.minimum import Tail, minimise
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.feasible import FeasibleSet
    from bank_python.optimizer.minimum import Minimum
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["MinCvarOptimizer"]


@guessable
class MinCvarOptimizer(Optimizer):
    """Optimiser of the expected shortfall; ``figures["cvar"]`` of the result is the loss of one period, positive.

    Parameters
    ----------
    cov_data : CovarianceData
        Past returns of the assets; expected returns if there is a target.
    constraints : Constraints, optional
        Constraints on the weights; fully invested and long only if omitted. Trading costs are spread over the periods
        of a year.
    confidence : float, default 0.95
        Confidence level of the expected shortfall, in (0, 1), with at least one scenario in the tail.
    target_return : float, optional
        Least expected return per year, as a decimal.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratio, per year, as a decimal.

    Raises
    ------
    ModelError
        If the confidence level is out of range or leaves no scenario in the tail.
    CalibrationError
        If there are no past returns, or a target but no expected returns.
    InfeasibleError
        Raised by :meth:`optimize` if no feasible portfolio reaches the target.
    """

    kind: ClassVar[str] = "min_cvar"

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        confidence: float = 0.95,
        target_return: float | None = None,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        super().__init__(cov_data, constraints, risk_free_rate=risk_free_rate)
        returns = cov_data.returns_for(self.kind)
        if not 0.0 < confidence < 1.0:
            raise ModelError(f"confidence={confidence!r} lies outside (0, 1); 0.95 is usual", value=confidence)
        if (1.0 - confidence) * len(returns) < 1.0:
            raise ModelError(
                f"confidence={confidence:g} leaves less than one of {len(returns)} scenarios in the tail; "
                f"give at most {1.0 - 1.0 / len(returns):.6g}",
                value=confidence,
            )
        if target_return is not None:
            cov_data.means_for("target_return")
            if not math.isfinite(target_return):
                raise ModelError(f"target_return={target_return!r}; give a finite return per year", value=target_return)
        self._tail = Tail(returns, confidence)
        self._target = target_return

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""
        data = self._data
        found = self._least(self._allowed) if self._target is None else self._with_target_return(self._target)
        return self._result(found, cvar=found.objective - self._allowed.paid(found.weights) / data.periods_per_year)

    def _with_target_return(self, least: float) -> Minimum:
        return subject_to_return(self._data, self._allowed, least, self._least)

    def _least(self, allowed: FeasibleSet) -> Minimum:
        n = len(self._data.tickers)
        cost_scale = 1.0 / self._data.periods_per_year
        return minimise(allowed, np.zeros((n, n)), np.zeros(n), cost_scale=cost_scale, tail=self._tail)
