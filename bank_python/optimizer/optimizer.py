"""What all optimisers have in common: data, constraints, a rate to beat, and a portfolio at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.inputs import checked_rate
from bank_python.optimizer.portfolio import portfolio_of
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.certificate import Certificate
    from bank_python.optimizer.minimum import Minimum
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["Optimizer"]


class Optimizer(ABC):
    """A rule that makes a portfolio.

    Parameters
    ----------
    cov_data : CovarianceData
        The assets.
    constraints : Constraints, optional
        What is allowed; fully invested and long only if left out.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's; the Sharpe ratio is measured from it.

    Raises
    ------
    ModelError
        The data is no :class:`CovarianceData`, the constraints are no :class:`Constraints` or name what is no asset, or
        the rate is not finite.
    InfeasibleError
        The bounds contradict what is to be invested.
    """

    kind: ClassVar[str]
    """By which :func:`~bank_python.optimizer.create_optimizer` knows it."""

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

    @abstractmethod
    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""

    def _told(self, found: Minimum, **figures: float) -> OptimalPortfolio:
        """Return what was found, measured."""
        return self._measured(found.weights, found.certificate, **figures)

    def _measured(self, weights: FloatArray, proof: Certificate, **figures: float) -> OptimalPortfolio:
        """Return weights, measured, and every constraint with them, by whatever rule they were found.

        How much is traded to come there and what it costs is told where it counts.
        """
        proof = self._allowed.certified(weights, proof)
        told: Mapping[str, float] = figures
        if self._allowed.charges:
            told = {**figures, "transaction_cost": self._allowed.paid(weights)}
        if self._constraints.current is not None:
            told = {**told, "turnover": self._allowed.traded(weights)}
        return portfolio_of(self._data, self.kind, weights, proof, risk_free_rate=self._rate, figures=told)
