"""Optimiser of hierarchical risk parity under constraints.

Bounds are respected at every split of the tree. If the resulting weights violate other constraints, the optimiser
returns the feasible portfolio with the smallest variance of the difference from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.numerics.linkage import LinkageMethod
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.hierarchy import AssetDistance, hierarchical_weights
from bank_python.optimizer.minimum import minimise
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["HierarchicalRiskParityOptimizer"]


@guessable
class HierarchicalRiskParityOptimizer(Optimizer):
    """Hierarchical risk parity (López de Prado 2016); see :mod:`bank_python.optimizer.hierarchy`.

    Parameters
    ----------
    cov_data : CovarianceData
        Covariance of the assets, without cash.
    constraints : Constraints, optional
        Constraints on the weights; fully invested and long only if omitted.
    linkage : LinkageMethod or str, default "single"
        Linkage method of the clustering.
    distance : AssetDistance or str, default "direct"
        Distance between assets for the clustering.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratio, per year, as a decimal.

    Raises
    ------
    ModelError
        If the sum of weights is not above 0, or the linkage method or distance is unknown.
    CalibrationError
        Raised by :meth:`optimize` if the assets include cash.
    """

    kind: ClassVar[str] = "hrp"

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        linkage: LinkageMethod | str = LinkageMethod.SINGLE,
        distance: AssetDistance | str = AssetDistance.DIRECT,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        super().__init__(cov_data, constraints, risk_free_rate=risk_free_rate)
        if not self._constraints.invested > 0.0:
            raise ModelError(
                f"invested={self._constraints.invested:g}; hierarchical risk parity requires a sum of weights above 0"
            )
        self._linkage, self._distance = LinkageMethod.parse(linkage), AssetDistance.parse(distance)

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""
        data, allowed = self._data, self._allowed
        data.require_risk(self.kind)
        wanted = hierarchical_weights(
            data.covariance,
            allowed.lower,
            allowed.upper,
            self._constraints.invested,
            distance=self._distance,
            method=self._linkage,
            tickers=data.tickers,
        )
        breach = allowed.breach(wanted)
        if breach > LAST_DIGITS or allowed.charges:
            return self._result(minimise(allowed, data.covariance, -data.covariance @ wanted))
        at_lower = tuple(name for name, w, low in zip(data.tickers, wanted, allowed.lower, strict=True) if w == low)
        at_upper = tuple(name for name, w, high in zip(data.tickers, wanted, allowed.upper, strict=True) if w == high)
        proof = Certificate(kkt_residual=breach, duality_gap=0.0, at_lower=at_lower, at_upper=at_upper, iterations=1)
        return self._result_of_weights(wanted, proof)
