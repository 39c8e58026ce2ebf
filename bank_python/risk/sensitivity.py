"""Sensitivity ladders and two-way grids: what holdings make along one factor, or over two.

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

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["SensitivityGrid", "SensitivityLadder", "sensitivity_grid", "sensitivity_ladder"]


@dataclass(frozen=True, slots=True, eq=False)
class SensitivityLadder:
    """What holdings make along one factor.

    Parameters
    ----------
    factor : str
        Its name.
    shocks : ndarray, shape (steps,)
        Relative moves, or shifts of a rate.
    levels : ndarray, shape (steps,)
        Where it stands.
    by_unit : ndarray, shape (units, steps)
        P&L.
    units : tuple of str
        Names of the traders or books, a row of `by_unit` each.
    currency : str
        Of the P&L.
    """

    factor: str
    shocks: FloatArray
    levels: FloatArray
    by_unit: FloatArray
    units: tuple[str, ...]
    currency: str

    @property
    def pnl(self) -> FloatArray:
        """The whole's, shape (steps,)."""
        return np.asarray(self.by_unit.sum(axis=0))

    def by_trader(self) -> dict[str, FloatArray]:
        """Return the P&L of each trader (or book, where books were given), as :attr:`pnl` is the whole's."""
        return dict(zip(self.units, self.by_unit, strict=True))

    def to_table(self) -> Table:
        """Return a row for each step."""
        from bank_python.mntable import Table

        rows = [
            {"factor": self.factor, "shock": shock, "level": level, "pnl": made}
            for shock, level, made in zip(self.shocks.tolist(), self.levels.tolist(), self.pnl.tolist(), strict=True)
        ]
        return Table.from_rows([("factor", str), ("shock", float), ("level", float), ("pnl", float)], rows)

    def __rich__(self) -> object:
        from bank_python.render_risk import sensitivity_ladder_view

        return sensitivity_ladder_view(self)


@dataclass(frozen=True, slots=True, eq=False)
class SensitivityGrid:
    """What holdings make over two factors.

    Parameters
    ----------
    factors : tuple of str
        Both names: down, and across.
    down, across : ndarray
        Their shocks.
    pnl : ndarray, shape (down, across)
        The whole's P&L.
    currency : str
        ISO 4217 code of the currency of the P&L.
    """

    factors: tuple[str, str]
    down: FloatArray
    across: FloatArray
    pnl: FloatArray
    currency: str

    def to_table(self) -> Table:
        """Return a row for each cell."""
        from bank_python.mntable import Table

        first, second = self.factors
        rows = [
            {first: float(a), second: float(b), "pnl": float(self.pnl[i, j])}
            for i, a in enumerate(self.down.tolist())
            for j, b in enumerate(self.across.tolist())
        ]
        return Table.from_rows([(first, float), (second, float), ("pnl", float)], rows)

    def __rich__(self) -> object:
        from bank_python.render_risk import sensitivity_grid_view

        return sensitivity_grid_view(self)


@admits(RiskError)
def sensitivity_ladder(plan: ValuationPlan, factor: str, shocks: ArrayLike) -> SensitivityLadder:
    """Revalue along one factor, the others where they are.

    Parameters
    ----------
    plan : ValuationPlan
        What is held.
    factor : str
        Its name.
    shocks : array_like, shape (steps,)
        Relative moves above -1 of a price, volatility or spread; shifts of a rate.

    Raises
    ------
    RiskError
        Nothing depends on the factor, or a shock makes no sense.
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
    """Revalue over two factors, the others where they are.

    Parameters
    ----------
    plan : ValuationPlan
        What is held.
    down, across : tuple of str and sequence of float
        A factor and its shocks, each as for :func:`sensitivity_ladder`.

    Raises
    ------
    RiskError
        Both are the same factor, nothing depends on one, or a shock makes no sense.
    """
    for side in (down, across):
        _check_axis(side)
    first, second = plan.index(down[0]), plan.index(across[0])
    if first == second:
        raise RiskError(f"a grid over {down[0]} twice is a ladder; name two factors", name=down[0])
    rows, columns = _shocks(plan, first, down[1]), _shocks(plan, second, across[1])
    levels = np.repeat(plan.base[:, None], len(rows) * len(columns), axis=1)
    levels[first] = np.repeat(_moved(plan, first, rows), len(columns))
    levels[second] = np.tile(_moved(plan, second, columns), len(rows))
    made = _revalued(plan, levels).sum(axis=0).reshape(len(rows), len(columns))
    return SensitivityGrid((down[0], across[0]), rows, columns, made, plan.currency)


def _check_axis(axis: object) -> None:
    if not isinstance(axis, Sequence) or len(axis) != 2 or not isinstance(axis[0], str):  # noqa: PLR2004 - a pair
        raise RiskError(f"{axis!r} is no axis; give a factor's name and its shocks, a pair", value=axis)


def _shocks(plan: ValuationPlan, place: int, shocks: ArrayLike) -> FloatArray:
    steps = np.asarray(shocks, dtype=np.float64).reshape(-1)
    factor = plan.factors[place]
    bad = ~np.isfinite(steps) | (factor.relative & (steps <= -1.0))
    if not len(steps) or bad.any():
        value = float(steps[bad][0]) if bad.any() else None
        raise RiskError(
            f"{factor.name}: shocks {steps.tolist()!r}; give finite ones, above -1 where they are relative",
            name=factor.name,
            value=value,
        )
    return steps


def _moved(plan: ValuationPlan, place: int, steps: FloatArray) -> FloatArray:
    factor = plan.factors[place]
    return factor.level * (1.0 + steps) if factor.relative else factor.level + steps


def _revalued(plan: ValuationPlan, levels: FloatArray) -> FloatArray:
    made: FloatArray = plan.pnl(levels)
    if not np.isfinite(made).all():
        raise plan.fault(levels)
    return made
