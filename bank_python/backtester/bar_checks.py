"""Checks of the bars of a ticker: times ascend, prices and volumes can be, and all bars have the same fields.

The checks are made on whole columns. Once one has failed, the first bar that fails is looked at alone, for the message.

Examples
--------
>>> import numpy as np
>>> days = 86_400_000_000 * np.array([20_000, 20_001])
>>> try:
...     require_possible("A", days, {"high": np.array([10.0, 11.0]), "close": np.array([9.0, 12.0])})
... except BacktestError as error:
...     print(error)
the high 11 of A at 2024-10-05 is below another price
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.backtester.bar_columns import datetimes_of, first_of, said_time
from bank_python.errors import BacktestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["have_ranges", "require_ascending", "require_possible", "require_same_fields"]

_PRICES = ("open", "high", "low", "close")
_RANGES = _PRICES[:3]
_ROUNDED = 1e-9  # adjusted prices may leave the range of their bar by that share


def require_ascending(ticker: str, times: NDArray[np.int64]) -> None:
    """Raise an error if a bar is not after the one before it.

    Parameters
    ----------
    ticker : str
        Name of the ticker.
    times : ndarray of int
        Starts of the bars in microseconds since 1970.

    Raises
    ------
    BacktestError
        Times are not ascending; the first that is not is named.
    """
    late = times[1:] <= times[:-1]
    if not late.any():
        return
    at = int(late.argmax())
    before, when = datetimes_of(times[at : at + 2])
    said = "occurs twice" if when == before else f"comes after {said_time(before)}"
    raise BacktestError(f"the bar of {ticker} at {said_time(when)} {said}; sort the bars, each time once", name=ticker)


def require_possible(ticker: str, times: NDArray[np.int64], figures: Mapping[str, FloatArray]) -> None:
    """Raise an error for bars that cannot be.

    Parameters
    ----------
    ticker : str
        Name of the ticker.
    times : ndarray of int
        Starts of the bars in microseconds since 1970.
    figures : mapping of str to ndarray
        Columns of the bars by field, NaN where a figure is missing.

    Raises
    ------
    BacktestError
        A price is not above 0 or outside its bar, or a volume below 0; the first such bar is named.
    """
    wrong = _impossible(figures)
    if wrong.any():
        t, when = first_of(wrong, times)
        raise _refused(ticker, when, {name: float(column[t]) for name, column in figures.items()})


def _impossible(figures: Mapping[str, FloatArray]) -> NDArray[np.bool_]:
    """Return which bars cannot be; comparisons with NaN are false, so that missing figures pass."""
    prices = [figures[name] for name in _PRICES if name in figures]
    wrong = np.logical_or.reduce([(price <= 0.0) | (price == np.inf) for price in prices])
    if "volume" in figures:
        wrong |= (figures["volume"] < 0.0) | (figures["volume"] == np.inf)
    if "high" in figures:
        wrong |= figures["high"] * (1.0 + _ROUNDED) < np.fmax.reduce(prices)
    if "low" in figures:
        wrong |= figures["low"] * (1.0 - _ROUNDED) > np.fmin.reduce(prices)
    return np.asarray(wrong)


def _refused(ticker: str, when: str, bar: Mapping[str, float]) -> BacktestError:
    """Return the error about a bar that cannot be."""
    prices = {name: bar[name] for name in _PRICES if not np.isnan(bar.get(name, np.nan))}
    for name, price in prices.items():
        if not 0.0 < price < np.inf:
            return BacktestError(f"the {name} of {ticker} at {when} is {price!r}, not above 0", name=ticker)
    volume = bar.get("volume", np.nan)
    if volume < 0.0 or np.isinf(volume):
        return BacktestError(f"the volume of {ticker} at {when} is {volume!r}, not from 0 on", name=ticker)
    if "high" in prices and prices["high"] * (1.0 + _ROUNDED) < max(prices.values()):
        return BacktestError(f"the high {bar['high']:g} of {ticker} at {when} is below another price", name=ticker)
    return BacktestError(f"the low {bar['low']:g} of {ticker} at {when} is above another price", name=ticker)


def require_same_fields(ticker: str, times: NDArray[np.int64], figures: Mapping[str, FloatArray]) -> None:
    """Raise an error where some bars of a ticker have an open, a high or a low, and others do not.

    Parameters
    ----------
    ticker : str
        Name of the ticker.
    times : ndarray of int
        Starts of the bars in microseconds since 1970.
    figures : mapping of str to ndarray
        Columns of the bars by field, NaN where a figure is missing.

    Raises
    ------
    BacktestError
        A bar with a close lacks a price that others have; the first is named.
    """
    known = ~np.isnan(figures["close"])
    for name in _RANGES:
        lacking = known & np.isnan(figures[name]) if name in figures else known
        if 0 < np.count_nonzero(lacking) < np.count_nonzero(known):
            _, when = first_of(lacking, times)
            said = f"the {name} of {ticker} at {when} is missing, others are there; give it"
            raise BacktestError(f"{said}, or leave the bar out", name=ticker)


def have_ranges(figures: Mapping[str, FloatArray]) -> bool:
    """Return whether every bar has an open, a high and a low.

    Parameters
    ----------
    figures : mapping of str to ndarray
        Columns of the bars by field, NaN where a figure is missing.
    """
    known = ~np.isnan(figures["close"])
    if not known.any():
        return True
    return all(name in figures and not np.isnan(figures[name][known]).any() for name in _RANGES)
