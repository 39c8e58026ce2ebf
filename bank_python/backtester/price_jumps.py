"""Moves of a close that look like a split: prices that were not adjusted make losses, or gains, that nobody had.

Examples
--------
>>> from bank_python.backtester.bars import bars_of
>>> jumps_of(bars_of({"A": [400.0, 404.0, 101.5, 102.0]}, "2026-01-05"))
('A goes from 404 to 101.5 on 2026-01-07, as by a split of 4 for 1: give adjusted prices if it is one',)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bank_python.backtester.bars import BarPanel
    from bank_python.numerics import FloatArray

__all__ = ["jumps_of"]

_SPLITS = {
    (new, old): old / new for new, old in ((3, 2), (2, 1), (3, 1), (4, 1), (5, 1), (7, 1), (8, 1), (10, 1), (20, 1))
}
_FACTORS = _SPLITS | {(old, new): 1.0 / factor for (new, old), factor in _SPLITS.items()}
_NEAR = 0.02  # relative distance from such a factor: an ordinary day lies between
_LARGE = 0.3  # of a log return, below that of 3 for 2
_MOST = 3  # jumps that are named


def jumps_of(panel: BarPanel, held: FloatArray | None = None) -> tuple[str, ...]:
    """Return notes on moves of closes that look like splits, the first few of them.

    Parameters
    ----------
    panel : BarPanel
        Bars to look at.
    held : ndarray, shape (n_bars, n_tickers), optional
        Units held at each close: moves before which nothing was held do not count. By default all do.
    """
    last = panel.last_closes
    with np.errstate(invalid="ignore"):
        moves = np.log(last[1:] / last[:-1])
        large = np.abs(moves) > _LARGE
    rows, columns = np.nonzero(large if held is None else large & (held[:-1] != 0.0))
    said = []
    for t, j in zip(rows.tolist(), columns.tolist(), strict=True):
        before, after = float(last[t, j]), float(last[t + 1, j])
        new, old = min(_FACTORS, key=lambda split: abs(after / before / _FACTORS[split] - 1.0))
        if abs(after / before / _FACTORS[new, old] - 1.0) <= _NEAR:
            move = f"{panel.tickers[j]} goes from {before:g} to {after:g} on {panel.dates[t + 1]:%Y-%m-%d}"
            said.append(f"{move}, as by a split of {new} for {old}: give adjusted prices if it is one")
    more = [f"{len(said) - _MOST} further moves look like splits"] if len(said) > _MOST else []
    return (*said[:_MOST], *more)
