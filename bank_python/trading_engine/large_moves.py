"""Asymmetry of large moves: what a book makes if the market falls far, beside what it makes if it rises as far.

The P&L of +n and -n standard deviations has an even part, their mean, which is the convexity of the book, and an odd
part, half of their difference, which is its direction. The asymmetry is the even part as a share of the sizes: 1 if the
book gains both ways, -1 if it loses both ways, 0 if it gains one way what it loses the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import TradingError
from bank_python.results import Tabular
from bank_python.trading_engine.shadow_greeks import as_moves
from bank_python.trading_engine.vol_rule import as_rule

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.option_book import OptionBook
    from bank_python.trading_engine.vol_rule import VolRule

__all__ = ["LargeMoves", "large_moves"]

DEFAULT_SIZES = (1.0, 2.0, 3.0, 5.0, 10.0)
"""Sizes of moves in standard deviations."""

_ROUNDED = 1e-12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LargeMoves(Tabular):
    """P&L of equal moves up and down; returned by ``TradeTracker.large_moves``.

    Parameters
    ----------
    sizes : ndarray, shape (n_sizes,)
        Sizes of the moves in standard deviations, ascending.
    up, down : ndarray, shape (n_sizes,)
        P&L of the moves upwards and downwards, in money.
    relative_up, relative_down : tuple of float or None
        Relative moves of the spot; None for several underlyings.
    horizon_days : float
        Trading days over which a standard deviation is measured.
    rule : VolRule
        How volatilities follow the spot.
    """

    sizes: FloatArray
    up: FloatArray
    down: FloatArray
    relative_up: tuple[float | None, ...]
    relative_down: tuple[float | None, ...]
    horizon_days: float
    rule: VolRule

    @property
    def curvature(self) -> FloatArray:
        """Mean of the P&L up and down: what the book makes of a move whatever its direction; shape (n_sizes,)."""
        return 0.5 * (self.up + self.down)

    @property
    def direction(self) -> FloatArray:
        """Half of the P&L up less that down; shape (n_sizes,)."""
        return 0.5 * (self.up - self.down)

    @property
    def asymmetry(self) -> tuple[float | None, ...]:
        """Sum of the P&L up and down divided by that of their sizes, in [-1, 1]; None where there is no P&L."""
        sums, sizes = self.up + self.down, np.abs(self.up) + np.abs(self.down)
        return tuple(float(total / size) if size > _ROUNDED else None for total, size in zip(sums, sizes, strict=True))

    def to_table(self) -> Table:
        """Return a table with a row for each size."""
        from bank_python.mntable import Table

        columns = (self.sizes, self.down, self.up, self.curvature, self.direction)
        names = ("deviations", "down", "up", "curvature", "direction")
        rows = [
            dict(zip(names, map(float, figures), strict=True)) | {"asymmetry": share}
            for *figures, share in zip(*columns, self.asymmetry, strict=True)
        ]
        return Table.from_rows([*((name, float) for name in names), ("asymmetry", float | None)], rows)

    def __rich__(self) -> object:
        from bank_python.render_tracker import large_moves_view

        return large_moves_view(self)


def large_moves(book: OptionBook, sizes: ArrayLike = DEFAULT_SIZES, rule: VolRule | None = None) -> LargeMoves:
    """Return the P&L of equal moves up and down.

    Parameters
    ----------
    book : OptionBook
        Open options with their market data.
    sizes : array_like, shape (n_sizes,), default (1, 2, 3, 5, 10)
        Sizes of the moves in standard deviations over the book's horizon, above 0.
    rule : VolRule, optional
        How volatilities follow the spot; by default with an elasticity of 1.

    Raises
    ------
    TradingError
        A size is not a finite number above 0.
    """
    rule = as_rule(rule)
    steps = as_moves(sizes)
    if steps[0] <= 0.0:
        raise TradingError(
            f"a size of {steps[0]:g} standard deviations is not above 0; give sizes of moves", name="sizes"
        )
    up, down = (book.pnl(sign * steps, 0.0, rule)[0] for sign in (1.0, -1.0))
    relative = [tuple(book.relative_move(sign * size) for size in steps.tolist()) for sign in (1.0, -1.0)]
    return LargeMoves(steps, up, down, relative[0], relative[1], book.horizon_days, rule)
