"""Shadow Greeks: delta and gamma at moved spots, with volatilities that follow the spot.

The delta of a model holds volatility fixed; when the spot falls, volatilities rise, and a book of puts gains more delta
than its gamma says. The shadow delta is the whole derivative of the value by the spot along the rule of the
volatilities, the shadow gamma that of the shadow delta.

References
----------
N. N. Taleb, *Dynamic Hedging: Managing Vanilla and Exotic Options*, Wiley 1997, chapter 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import TradingError
from bank_python.plotting import Plotted, axes_below, legend_beside, literal, money
from bank_python.results import Tabular
from bank_python.trading_engine.vol_rule import as_rule

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.option_book import OptionBook
    from bank_python.trading_engine.vol_rule import VolRule

__all__ = ["DEFAULT_MOVES", "ShadowGreeks", "as_moves", "shadow_greeks"]

DEFAULT_MOVES = (-5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0)
"""Moves in standard deviations."""

_FINE = 121
_FIGURES = ("pnl", "pnl_fixed_vol", "delta", "shadow_delta", "gamma", "shadow_gamma")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ShadowGreeks(Plotted, Tabular):
    """P&L and Greeks at moved spots; returned by ``TradeTracker.shadow``.

    Parameters
    ----------
    book : OptionBook
        Open options with their market data.
    rule : VolRule
        How volatilities follow the spot.
    moves : ndarray, shape (n_moves,)
        Moves in standard deviations over the book's horizon, ascending.
    pnl, pnl_fixed_vol : ndarray, shape (n_moves,)
        P&L with volatilities that follow, and with volatilities that stay, in money.
    delta, gamma : ndarray, shape (n_moves,)
        P&L of a further 1 % of all spots, and of its curvature, in money; volatilities stay.
    shadow_delta, shadow_gamma : ndarray, shape (n_moves,)
        The same figures with volatilities that follow.
    """

    book: OptionBook
    rule: VolRule
    moves: FloatArray
    pnl: FloatArray
    pnl_fixed_vol: FloatArray
    delta: FloatArray
    shadow_delta: FloatArray
    gamma: FloatArray
    shadow_gamma: FloatArray

    def to_table(self) -> Table:
        """Return a table with a row for each move."""
        from bank_python.mntable import Table

        schema = [("move", float), ("spot", float | None), *((name, float) for name in _FIGURES)]
        rows = [
            {"move": float(move), "spot": self.spot_at(float(move))}
            | {name: float(getattr(self, name)[i]) for name in _FIGURES}
            for i, move in enumerate(self.moves)
        ]
        return Table.from_rows(schema, rows)

    def spot_at(self, move: float) -> float | None:
        """Return the spot after a move; None for several underlyings."""
        moved = self.book.relative_move(move)
        return None if moved is None else float(self.book.spots[0]) * (1.0 + moved)

    def _draw_(self, axes: Axes) -> None:
        """Draw the P&L against the spot, and below it delta and shadow delta."""
        fine = np.linspace(self.moves[0], self.moves[-1], _FINE)
        single = len(self.book.underlyings) == 1
        x = self.book.spots[0] * np.exp(fine * self.book.deviations[0]) if single else fine
        followed = self.book.pnl(fine, 0.0, self.rule)[0]
        axes.plot(x, followed, color="C0", label="volatilities follow")
        axes.plot(x, self.book.pnl(fine)[0], color="C1", linestyle="--", label="volatilities stay")
        axes.axhline(0.0, color="black", linewidth=0.8)
        held = literal(", ".join(self.book.underlyings[:4]))
        axes.set(ylabel="P&L", title=f"P&L against spot, {held}")
        money(axes.yaxis)
        legend_beside(axes)
        below = axes_below(axes, 0.4)
        slopes = self.book.slopes(fine, self.rule)
        below.plot(x, 1e-2 * slopes.shadow_delta, color="C0", label="shadow delta, 1%")
        below.plot(x, 1e-2 * slopes.delta, color="C1", linestyle="--", label="delta, 1%")
        below.axhline(0.0, color="black", linewidth=0.8)
        days = self.book.horizon_days
        unit = f"standard deviations over {days:g} trading day{'s' if days != 1.0 else ''}"
        below.set(ylabel="P&L of 1%", xlabel="spot" if single else unit)
        money(below.yaxis)
        legend_beside(below)

    def __rich__(self) -> object:
        from bank_python.render_tracker import shadow_greeks_view

        return shadow_greeks_view(self)


def shadow_greeks(book: OptionBook, moves: ArrayLike = DEFAULT_MOVES, rule: VolRule | None = None) -> ShadowGreeks:
    """Return P&L and Greeks at moved spots.

    Parameters
    ----------
    book : OptionBook
        Open options with their market data.
    moves : array_like, shape (n_moves,), default (-5, -3, -2, -1, 0, 1, 2, 3, 5)
        Moves in standard deviations over the book's horizon.
    rule : VolRule, optional
        How volatilities follow the spot; by default with an elasticity of 1.

    Raises
    ------
    TradingError
        A move is not finite, or there is none.
    """
    rule = as_rule(rule)
    shifts = as_moves(moves)
    slopes = book.slopes(shifts, rule)
    return ShadowGreeks(
        book,
        rule,
        shifts,
        pnl=book.pnl(shifts, 0.0, rule)[0],
        pnl_fixed_vol=book.pnl(shifts)[0],
        delta=1e-2 * slopes.delta,
        shadow_delta=1e-2 * slopes.shadow_delta,
        gamma=0.5e-4 * slopes.gamma,
        shadow_gamma=0.5e-4 * slopes.shadow_gamma,
    )


def as_moves(moves: ArrayLike) -> FloatArray:
    """Return moves in ascending order, each once.

    Raises
    ------
    TradingError
        A move is not finite, or there is none.
    """
    shifts = np.unique(np.asarray(moves, dtype=np.float64))
    if not shifts.size or not np.isfinite(shifts).all():
        raise TradingError(
            f"moves={moves!r} are not finite numbers; give moves in standard deviations, such as [-2, 2]", name="moves"
        )
    if np.abs(shifts).max() > _WIDEST:
        raise TradingError(
            f"a move of {np.abs(shifts).max():g} is beyond {_WIDEST:g} standard deviations", name="moves"
        )
    return shifts


_WIDEST = 200.0
