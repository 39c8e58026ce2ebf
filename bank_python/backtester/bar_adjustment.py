"""Prices adjusted by the adjusted closes that some sources give beside the closes, such as Yahoo's ``Adj Close``.

Open, high, low and close of a bar are multiplied by its adjusted close divided by its close, so that returns hold
dividends and splits. Volumes stay as they are.

Examples
--------
>>> import numpy as np
>>> times, closes = np.array([0, 1]), {"close": np.array([100.0, 50.0]), "adjusted": np.array([50.0, 50.0])}
>>> adjusted_figures("A", times, closes)
({'close': array([50., 50.])}, True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.backtester.bar_columns import ADJUSTED, first_of
from bank_python.errors import BacktestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["adjusted_figures"]

_PRICES = ("open", "high", "low", "close")
_ROUNDED = 1e-9


def adjusted_figures(
    ticker: str, times: NDArray[np.int64], figures: Mapping[str, FloatArray]
) -> tuple[dict[str, FloatArray], bool]:
    """Return the columns of a ticker's bars after adjustment, and whether there was any.

    Parameters
    ----------
    ticker : str
        Name of the ticker.
    times : ndarray of int
        Starts of the bars in microseconds since 1970.
    figures : mapping of str to ndarray
        Columns of the bars by field.

    Raises
    ------
    BacktestError
        The adjusted close of a bar is missing or not above 0; the first is named.
    """
    kept = {name: column for name, column in figures.items() if name != ADJUSTED}
    if ADJUSTED not in figures:
        return kept, False
    known, adjusted = ~np.isnan(kept["close"]), figures[ADJUSTED]
    wrong = known & ~((adjusted > 0.0) & (adjusted < np.inf))
    if wrong.any():
        t, when = first_of(wrong, times)
        said = f"the adjusted close of {ticker} at {when} is {float(adjusted[t])!r}, not above 0"
        raise BacktestError(f"{said}; correct it, or leave the column out", name=ticker)
    factors = adjusted / kept["close"]
    if not (np.abs(factors[known] - 1.0) > _ROUNDED).any():
        return kept, False
    return {name: column * factors if name in _PRICES else column for name, column in kept.items()}, True
