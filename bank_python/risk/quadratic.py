r"""The fast stand-in for full revaluation: first and second derivatives.

.. math:: \Delta v \approx \sum_a f_a\,\Delta_a + \tfrac12 \sum_{a,b} f_{ab}\,\Delta_a \Delta_b

over the sources a, b of each contract (delta, gamma, vega, vanna, volga, rho and the rest), converted at each
scenario's own rate of exchange. Right near the present market, and off where an option's curvature changes: how far, a
simulation measures on its own tail.

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
from bank_python.errors import RiskError, SimulationError
from bank_python.instruments.derivatives import Derivatives, take_derivatives

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray
    from bank_python.risk.valuation import PricedBlock, ValuationPlan

__all__ = ["QuadraticPlan", "quadratic_plan"]


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticPlan:
    """A :class:`~bank_python.risk.valuation.ValuationPlan` by derivatives; made by :func:`quadratic_plan`."""

    plan: ValuationPlan
    derivatives: tuple[Derivatives, ...]

    @property
    def base(self) -> FloatArray:
        """The factors' present levels, shape (factors,)."""
        return self.plan.base

    def pnl(self, levels: ArrayLike, years: float = 0.0) -> NDArray[Any]:
        """Return P&L by unit, shape (units, scenarios); arguments as for the full plan's."""
        stood = np.asarray(levels)
        if stood.dtype != np.float32:
            stood = np.asarray(stood, dtype=np.float64)
        total = np.zeros((len(self.plan.units), stood.shape[1]), dtype=stood.dtype)
        for block, derivatives in zip(self.plan.blocks, self.derivatives, strict=True):
            total += _block_pnl(block, derivatives, stood, self.base, years).astype(stood.dtype, copy=False)
        return total

    def alone(self, levels: NDArray[Any], factors: Iterable[int] | None = None) -> FloatArray:
        """Return P&L of one factor's move at a time, in full: shape (factors, scenarios)."""
        return self.plan.alone(levels, factors)

    def fault(self, levels: FloatArray, years: float = 0.0) -> SimulationError:  # noqa: ARG002 - as the full plan's
        """Return the error that says what has no derivative."""
        for block, derivatives in zip(self.plan.blocks, self.derivatives, strict=True):
            held = _held(block)
            for slope in (*derivatives.first.values(), *derivatives.second.values()):
                for i in np.flatnonzero(held & ~np.isfinite(slope))[:1].tolist():
                    return SimulationError(
                        f"{block.names[i]} has no derivatives at its present inputs: revalue in full",
                        name=block.names[i],
                    )
        return SimulationError("a scenario is not finite; check the factor model")


@admits(RiskError)
def quadratic_plan(plan: ValuationPlan) -> QuadraticPlan:
    """Take the derivatives of everything in `plan`."""
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
    with np.errstate(all="ignore"):  # a contract without a derivative is not a number, as one without a price
        for i, (a, move) in enumerate(moved.items()):
            change += derivatives.first[a][:, None] * move
            for b in list(moved)[i:]:
                weight = 0.5 if a == b else 1.0
                change += weight * derivatives.second[min(a, b), max(a, b)][:, None] * (move * moved[b])
    change[~_held(block)] = 0.0  # one that has ended has no derivatives
    return block.converted(change, levels, base)


def _held(block: PricedBlock) -> NDArray[np.bool_]:
    """Return of which contracts something is left, shape (contracts,)."""
    held: NDArray[np.bool_] = np.any(block.holdings != 0.0, axis=0)
    return held
