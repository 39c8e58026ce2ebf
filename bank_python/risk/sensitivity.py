"""Sensitivity ladders and two-way grids: P&L of holdings for shocks to one factor, or to two.

Examples
--------
>>> from bank_python.instruments import Book, Option, Position
>>> from bank_python.market_data import MarketData
>>> from bank_python.risk.valuation import plan_valuation
>>> spot, vol = MarketData("S", 100.0), MarketData("V", 0.2)
>>> call = Option("C", spot_source=spot, vol_source=vol, rate_source=0.0, strike=100.0, expiry=0.5)
>>> plan = plan_valuation([Book("ALICE", [Position("P", instrument=call, quantity=100)])])
>>> sensitivity_ladder(plan, "S", [-0.1, 0.0, 0.1]).pnl.round()
array([-386.,    0.,  657.])
>>> sensitivity_grid(plan, ("S", [-0.1, 0.0, 0.1]), ("V", [0.0, 0.5])).pnl.round()
array([[-386., -165.],
       [   0.,  281.],
       [ 657.,  911.]])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.plotting import Plotted, literal, money, percent
from bank_python.results import Tabular

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["SensitivityGrid", "SensitivityLadder", "sensitivity_grid", "sensitivity_ladder"]

_WHOLE = 100.0
_DARK = 0.6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SensitivityLadder(Plotted, Tabular):
    """P&L of holdings for a series of shocks to one factor.

    Parameters
    ----------
    factor : str
        Name of the factor.
    shocks : ndarray, shape (steps,)
        Relative moves of the factor, or absolute shifts of a rate; decimals.
    levels : ndarray, shape (steps,)
        Level of the factor at each step.
    by_unit : ndarray, shape (units, steps)
        P&L of each unit at each step, in currency units.
    units : tuple of str
        Names of the traders or books, one for each row of `by_unit`.
    currency : str
        ISO 4217 code of the currency of the P&L.
    """

    factor: str
    shocks: FloatArray
    levels: FloatArray
    by_unit: FloatArray
    units: tuple[str, ...]
    currency: str

    @property
    def pnl(self) -> FloatArray:
        """Total P&L of all units at each step, shape (steps,)."""
        return np.asarray(self.by_unit.sum(axis=0))

    def by_trader(self) -> dict[str, FloatArray]:
        """Return the P&L of each trader (or book, if books were given) at each step; they add up to :attr:`pnl`."""
        return dict(zip(self.units, self.by_unit, strict=True))

    def to_table(self) -> Table:
        """Return a table with a row for each step: factor, shock, level and P&L."""
        from bank_python.mntable import Table

        rows = [
            {"factor": self.factor, "shock": shock, "level": level, "pnl": pnl}
            for shock, level, pnl in zip(self.shocks.tolist(), self.levels.tolist(), self.pnl.tolist(), strict=True)
        ]
        return Table.from_rows([("factor", str), ("shock", float), ("level", float), ("pnl", float)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the P&L by shock."""
        axes.plot(self.shocks, self.pnl, marker="o", markersize=3)
        axes.axhline(0.0, color="black", linewidth=0.8)
        factor = literal(self.factor)
        axes.set(xlabel=f"shock to {factor}", ylabel=f"P&L, {self.currency}", title=f"Ladder of {factor}")
        percent(axes.xaxis)
        money(axes.yaxis)

    def __rich__(self) -> object:
        from bank_python.render_risk import sensitivity_ladder_view

        return sensitivity_ladder_view(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SensitivityGrid(Plotted, Tabular):
    """P&L of holdings for combined shocks to two factors.

    Parameters
    ----------
    factors : tuple of str
        Names of the factor shocked down the rows, and of that shocked across the columns.
    down, across : ndarray
        Shocks to the two factors: relative moves, or absolute shifts of a rate.
    pnl : ndarray, shape (down, across)
        Total P&L of all units, in currency units.
    currency : str
        ISO 4217 code of the currency of the P&L.
    """

    factors: tuple[str, str]
    down: FloatArray
    across: FloatArray
    pnl: FloatArray
    currency: str

    def to_table(self) -> Table:
        """Return a table with a row for each cell: both shocks and the P&L."""
        from bank_python.mntable import Table

        first, second = self.factors
        rows = [
            {first: float(a), second: float(b), "pnl": float(self.pnl[i, j])}
            for i, a in enumerate(self.down.tolist())
            for j, b in enumerate(self.across.tolist())
        ]
        return Table.from_rows([(first, float), (second, float), ("pnl", float)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the P&L as a heat map, each cell with its figure."""
        largest = float(np.abs(self.pnl).max()) or 1.0
        axes.imshow(self.pnl, cmap="RdBu", vmin=-largest, vmax=largest, aspect="auto", origin="lower")
        axes.set_xticks(range(len(self.across)), [f"{shock:+.1%}" for shock in self.across.tolist()])
        axes.set_yticks(range(len(self.down)), [f"{shock:+.1%}" for shock in self.down.tolist()])
        for i, j in np.ndindex(self.pnl.shape):
            pnl = float(self.pnl[i, j])
            said = f"{pnl:+,.0f}" if largest >= _WHOLE else f"{pnl:+.2g}"
            color = "white" if abs(pnl) > _DARK * largest else "black"
            axes.text(j, i, said, ha="center", va="center", fontsize=7, color=color)
        axes.set(xlabel=literal(self.factors[1]), ylabel=literal(self.factors[0]), title=f"P&L, {self.currency}")
        axes.grid(visible=False)

    def __rich__(self) -> object:
        from bank_python.render_risk import sensitivity_grid_view

        return sensitivity_grid_view(self)


@admits(RiskError)
def sensitivity_ladder(plan: ValuationPlan, factor: str, shocks: ArrayLike) -> SensitivityLadder:
    """Revalue holdings for shocks to one factor, with all others unchanged.

    Parameters
    ----------
    plan : ValuationPlan
        Holdings to revalue.
    factor : str
        Name of the factor.
    shocks : array_like, shape (steps,)
        Relative moves above -1 of a price, volatility or spread, or absolute shifts of a rate.

    Raises
    ------
    RiskError
        No holding depends on the factor, or a shock is out of range.
    """
    place = plan.index(factor)
    steps = _shocks(plan, place, shocks)
    levels = np.repeat(plan.base[:, None], len(steps), axis=1)
    levels[place] = _moved(plan, place, steps)
    return SensitivityLadder(factor, steps, levels[place].copy(), _revalued(plan, levels), plan.units, plan.currency)


@admits(RiskError)
def sensitivity_grid(
    plan: ValuationPlan, down: tuple[str, Sequence[float]], across: tuple[str, Sequence[float]]
) -> SensitivityGrid:
    """Revalue holdings for combined shocks to two factors, with all others unchanged.

    Parameters
    ----------
    plan : ValuationPlan
        Holdings to revalue.
    down, across : tuple of str and sequence of float
        Name of a factor and its shocks, as for :func:`sensitivity_ladder`.

    Raises
    ------
    RiskError
        Both factors are the same, no holding depends on one of them, or a shock is out of range.
    """
    for side in (down, across):
        _check_axis(side)
    first, second = plan.index(down[0]), plan.index(across[0])
    if first == second:
        raise RiskError(f"both axes of the grid are {down[0]}; give two factors, or use a ladder", name=down[0])
    rows, columns = _shocks(plan, first, down[1]), _shocks(plan, second, across[1])
    levels = np.repeat(plan.base[:, None], len(rows) * len(columns), axis=1)
    levels[first] = np.repeat(_moved(plan, first, rows), len(columns))
    levels[second] = np.tile(_moved(plan, second, columns), len(rows))
    pnl = _revalued(plan, levels).sum(axis=0).reshape(len(rows), len(columns))
    return SensitivityGrid((down[0], across[0]), rows, columns, pnl, plan.currency)


def _check_axis(axis: object) -> None:
    if not isinstance(axis, Sequence) or len(axis) != 2 or not isinstance(axis[0], str):  # noqa: PLR2004 - a pair
        raise RiskError(f"{axis!r} is not an axis; give a pair of a factor's name and its shocks", value=axis)


def _shocks(plan: ValuationPlan, place: int, shocks: ArrayLike) -> FloatArray:
    steps = np.asarray(shocks, dtype=np.float64).reshape(-1)
    factor = plan.factors[place]
    bad = ~np.isfinite(steps) | (factor.relative & (steps <= -1.0))
    if not len(steps) or bad.any():
        value = float(steps[bad][0]) if bad.any() else None
        raise RiskError(
            f"{factor.name}: shocks {steps.tolist()!r}; give finite shocks, above -1 if they are relative",
            name=factor.name,
            value=value,
        )
    return steps


def _moved(plan: ValuationPlan, place: int, steps: FloatArray) -> FloatArray:
    factor = plan.factors[place]
    return factor.level * (1.0 + steps) if factor.relative else factor.level + steps


def _revalued(plan: ValuationPlan, levels: FloatArray) -> FloatArray:
    pnl: FloatArray = plan.pnl(levels)
    if not np.isfinite(pnl).all():
        raise plan.fault(levels)
    return pnl
