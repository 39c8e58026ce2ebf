r"""The least expected shortfall of past periods (Rockafellar and Uryasev 2000).

Each past period is a scenario; the conditional value at risk at a confidence is the mean loss of the worst of them. It
is made small by one program over the weights and the value at risk: n + 1 variables, whatever the number of scenarios.

References
----------
R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000), 21-41.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import ModelError
from bank_python.optimizer.efficient_path import earning
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


class MinCvarOptimizer(Optimizer):
    """The least expected shortfall, told as ``figures["cvar"]``: a loss of one period, above 0.

    Parameters
    ----------
    cov_data : CovarianceData
        With past returns.
    constraints : Constraints, optional
        What is allowed; costs of trading are spread over a year's periods.
    confidence : float, default 0.95
        In (0, 1), so that at least one scenario is worse.
    target_return : float, optional
        The least expected return a year.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's.

    Raises
    ------
    ModelError
        The confidence is out of range, or no scenario would be worse.
    CalibrationError
        There are no past returns, or no expected ones where a target is given.
    InfeasibleError
        Of :meth:`optimize`: no allowed portfolio reaches the target.
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
                f"confidence={confidence:g} of {len(returns)} scenarios leaves less than one in the tail; "
                f"give at most {1.0 - 1.0 / len(returns):.6g}",
                value=confidence,
            )
        if target_return is not None:
            cov_data.means_for("target_return")
            if not math.isfinite(target_return):
                raise ModelError(f"target_return={target_return!r}; give a return a year", value=target_return)
        self._tail = Tail(returns, confidence)
        self._target = target_return

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
        data = self._data
        found = self._least(self._allowed) if self._target is None else self._earning(self._target)
        return self._told(found, cvar=found.objective - self._allowed.paid(found.weights) / data.periods_per_year)

    def _earning(self, least: float) -> Minimum:
        return earning(self._data, self._allowed, least, self._least)

    def _least(self, allowed: FeasibleSet) -> Minimum:
        n = len(self._data.tickers)
        a_period = 1.0 / self._data.periods_per_year
        return minimise(allowed, np.zeros((n, n)), np.zeros(n), cost_scale=a_period, tail=self._tail)
