r"""The least expected shortfall of past periods (Rockafellar and Uryasev 2000).

Each past period is a scenario; the conditional value at risk at a confidence is the mean loss of the worst of them. It
is made small by one program over the weights and the value at risk: n + 1 variables, whatever the number of scenarios.

References
----------
R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000), 21-41.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import InfeasibleError, ModelError
from bank_python.optimizer.efficient_path import EfficientPath
from bank_python.optimizer.minimum import Tail, minimise
from bank_python.optimizer.optimizer import Optimizer

if TYPE_CHECKING:
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
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
    risk_free_rate : float, default 0
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
        risk_free_rate: float = 0.0,
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
        self._tail = Tail(returns, confidence)
        self._target = target_return

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
        data, allowed, n = self._data, self._allowed, len(self._data.tickers)
        if self._target is not None:
            means = data.means_for("target_return")
            most = EfficientPath(data, allowed, means).most_reward() if self._target > 0.0 else np.inf
            if self._target > most:
                raise InfeasibleError(
                    f"target_return={self._target:g} is out of reach: the most that is allowed is {most:.6g} a year",
                    value=most,
                )
            allowed = allowed.with_row(f"return at least {self._target:g}", -means, -self._target)
        found = minimise(
            allowed, np.zeros((n, n)), np.zeros(n), cost_scale=1.0 / data.periods_per_year, tail=self._tail
        )
        return self._told(found, cvar=found.objective - allowed.paid(found.weights) / data.periods_per_year)
