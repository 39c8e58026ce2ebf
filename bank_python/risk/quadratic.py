r"""Delta-gamma approximation of P&L, as a fast proxy for full revaluation.

.. math:: \Delta v \approx \sum_a f_a\,\Delta_a + \tfrac12 \sum_{a,b} f_{ab}\,\Delta_a \Delta_b

over the inputs a, b of each contract (delta, gamma, vega, vanna, volga, rho and others), converted at the exchange rate
of each scenario. The approximation is accurate near the present market and poor where the curvature of an option
changes; a simulation measures its error on the scenarios in its tail.

Examples
--------
>>> from bank_python.instruments import Book, Option, Position
>>> from bank_python.market_data import MarketData
>>> from bank_python.risk.valuation import plan_valuation
>>> call = Option("C", spot_source=MarketData("S", 100.0), vol_source=0.2, rate_source=0.0, strike=100.0, expiry=0.5)
>>> plan = plan_valuation([Book("ALICE", [Position("P", instrument=call, quantity=1)])])
>>> levels = [[90.0, 99.0, 100.0, 101.0, 110.0]]
>>> plan.pnl(levels).round(2), quadratic_plan(plan).pnl(levels).round(2)
(array([[-3.86, -0.51,  0.  ,  0.54,  6.57]]), array([[-3.87, -0.51,  0.  ,  0.54,  6.69]]))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import warn_of
from bank_python.display import Record
from bank_python.errors import RiskError, SimulationError
from bank_python.instruments.derivatives import Derivatives, take_derivatives

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray
    from bank_python.risk.valuation import PricedBlock, ValuationPlan

__all__ = ["QuadraticPlan", "quadratic_plan"]


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticPlan(Record):
    """A proxy for a :class:`~bank_python.risk.valuation.ValuationPlan`; returned by :func:`quadratic_plan`.

    Parameters
    ----------
    plan : ValuationPlan
        Plan for full revaluation of the same holdings.
    derivatives : tuple of Derivatives
        First and second derivatives of the contracts, one set for each block of the plan.
    """

    plan: ValuationPlan
    derivatives: tuple[Derivatives, ...]

    @property
    def base(self) -> FloatArray:
        """Present levels of the factors, shape (factors,)."""
        return self.plan.base

    def pnl(self, levels: ArrayLike, years: float = 0.0) -> NDArray[Any]:
        """Return the approximate P&L of each unit.

        Parameters
        ----------
        levels : array_like, shape (factors, scenarios)
            Levels of all factors in each scenario, float64 or float32.
        years : float, default 0.0
            Time that passes up to the scenarios, in years.

        Returns
        -------
        ndarray, shape (units, scenarios)
            P&L in the plan's currency, with the dtype of `levels`.
        """
        market = np.asarray(levels)
        if market.dtype != np.float32:
            market = np.asarray(market, dtype=np.float64)
        total = np.zeros((len(self.plan.units), market.shape[1]), dtype=market.dtype)
        for block, derivatives in zip(self.plan.blocks, self.derivatives, strict=True):
            total += _block_pnl(block, derivatives, market, self.base, years).astype(market.dtype, copy=False)
        return total

    def single_factor_pnl(self, levels: NDArray[Any], factors: Iterable[int] | None = None) -> FloatArray:
        """Return the P&L of one factor's move at a time, by full revaluation; see the same method of the full plan."""
        return self.plan.single_factor_pnl(levels, factors)

    def alone(self, levels: NDArray[Any], factors: Iterable[int] | None = None) -> FloatArray:
        """Return the result of :meth:`single_factor_pnl`, which is the new name of this method."""
        warn_of("QuadraticPlan.alone", "single_factor_pnl")
        return self.single_factor_pnl(levels, factors)

    def fault(self, levels: FloatArray, years: float = 0.0) -> SimulationError:  # noqa: ARG002 - signature of the full plan
        """Return an error that names a contract without derivatives."""
        for block, derivatives in zip(self.plan.blocks, self.derivatives, strict=True):
            held = _is_held(block)
            for slope in (*derivatives.first.values(), *derivatives.second.values()):
                for i in np.flatnonzero(held & ~np.isfinite(slope))[:1].tolist():
                    return SimulationError(
                        f"{block.names[i]} has no derivatives at its present inputs; use full revaluation",
                        name=block.names[i],
                    )
        return SimulationError("a factor level is not finite in some scenario; check the factor model")


@admits(RiskError)
def quadratic_plan(plan: ValuationPlan) -> QuadraticPlan:
    """Compute the derivatives of all contracts of a plan.

    Parameters
    ----------
    plan : ValuationPlan
        Plan for full revaluation of the holdings.
    """
    return QuadraticPlan(plan, tuple(take_derivatives(block.batch) for block in plan.blocks))


def _block_pnl(
    block: PricedBlock, derivatives: Derivatives, levels: NDArray[Any], base: FloatArray, years: float
) -> NDArray[Any]:
    names = block.kind.source_names
    moved: dict[str, NDArray[Any] | float] = {
        names[row]: movement.levels(block.table[row], levels, base) - block.table[row][:, None]
        for row, movement in block.movements
    }
    if years:
        moved |= {names[row]: years for row in block.clocks}
    change = np.zeros((len(block.names), levels.shape[1]))
    with np.errstate(all="ignore"):  # without a derivative the P&L is NaN, as it is without a price
        for i, (a, move) in enumerate(moved.items()):
            change += derivatives.first[a][:, None] * move
            for b in list(moved)[i:]:
                weight = 0.5 if a == b else 1.0
                change += weight * derivatives.second[min(a, b), max(a, b)][:, None] * (move * moved[b])
    change[~_is_held(block)] = 0.0  # an expired contract has no derivatives
    return block.converted(change, levels, base)


def _is_held(block: PricedBlock) -> NDArray[np.bool_]:
    """Return whether any unit holds each contract, shape (contracts,)."""
    held: NDArray[np.bool_] = np.any(block.holdings != 0.0, axis=0)
    return held
