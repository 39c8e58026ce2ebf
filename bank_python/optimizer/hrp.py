"""Hierarchical risk parity as an optimiser: the tree's weights, within all constraints.

Bounds are kept at every split of the tree. Where other constraints do not allow what comes out, the answer is the
allowed portfolio that is nearest to it in risk: the one with the smallest variance of the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.errors import ModelError
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


class HierarchicalRiskParityOptimizer(Optimizer):
    """Hierarchical risk parity (López de Prado 2016); see :mod:`bank_python.optimizer.hierarchy`.

    Parameters
    ----------
    cov_data : CovarianceData
        The assets; no cash.
    constraints : Constraints, optional
        What is allowed.
    linkage : LinkageMethod or str, default "single"
        How the tree is made.
    distance : AssetDistance or str, default "direct"
        By what.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's.

    Raises
    ------
    ModelError
        Nothing is to be invested, or there is no such linkage or distance.
    CalibrationError
        Of :meth:`optimize`: cash has no risk to share.
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
            raise ModelError(f"invested={self._constraints.invested:g}; the tree shares out more than 0")
        self._linkage, self._distance = LinkageMethod.parse(linkage), AssetDistance.parse(distance)

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
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
            return self._told(minimise(allowed, data.covariance, -data.covariance @ wanted))
        at_lower = tuple(name for name, w, low in zip(data.tickers, wanted, allowed.lower, strict=True) if w == low)
        at_upper = tuple(name for name, w, high in zip(data.tickers, wanted, allowed.upper, strict=True) if w == high)
        proof = Certificate(kkt_residual=breach, duality_gap=0.0, at_lower=at_lower, at_upper=at_upper, iterations=1)
        return self._measured(wanted, proof)
