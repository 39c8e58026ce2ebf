"""Base class of the optimisers, with data, constraints and risk-free rate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.inputs import checked_rate
from bank_python.optimizer.portfolio import portfolio_of
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.certificate import Certificate
    from bank_python.optimizer.minimum import Minimum
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["Optimizer"]


_WORDS = {
    **dict.fromkeys(
        ("solve", "fit", "run", "allocate", "optimise", "compute", "max_sharpe", "weights", "result"), ".optimize()"
    ),
    **dict.fromkeys(("clean_weights", "sharpe", "volatility", "performance"), ".optimize(), whose portfolio has it"),
}


class Optimizer(ABC):
    """Abstract base class of the optimisers.

    Parameters
    ----------
    cov_data : CovarianceData
        Covariance and, if required by the optimiser, expected or past returns of the assets.
    constraints : Constraints, optional
        Constraints on the weights; fully invested and long only if omitted.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratio, per year, as a decimal.

    Raises
    ------
    ModelError
        If `cov_data` or `constraints` has another type, a constraint contains an unknown ticker, or the rate is not
        finite.
    InfeasibleError
        If no weights within the bounds have the required sum.
    """

    kind: ClassVar[str]
    """Name of the optimiser in :func:`~bank_python.optimizer.create_optimizer`."""

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        self._data = CovarianceData.checked(cov_data, self.kind)
        self._constraints = Constraints.checked(constraints)
        self._rate = checked_rate(risk_free_rate)
        self._allowed = FeasibleSet.of(cov_data.tickers, self._constraints)

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @abstractmethod
    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""

    def _result(self, found: Minimum, **figures: float) -> OptimalPortfolio:
        """Return the portfolio of a solution."""
        return self._result_of_weights(found.weights, found.certificate, **figures)

    def _result_of_weights(self, weights: FloatArray, proof: Certificate, **figures: float) -> OptimalPortfolio:
        """Return the portfolio of given weights, after a check of all constraints.

        Transaction costs and turnover are added to the figures where they are defined.
        """
        proof = self._allowed.certified(weights, proof)
        all_figures: Mapping[str, float] = figures
        if self._allowed.charges:
            all_figures = {**figures, "transaction_cost": self._allowed.paid(weights)}
        if self._constraints.current is not None:
            all_figures = {**all_figures, "turnover": self._allowed.turnover(weights)}
        return portfolio_of(self._data, self.kind, weights, proof, risk_free_rate=self._rate, figures=all_figures)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.kind} of {len(self._data.tickers):,} assets>"
