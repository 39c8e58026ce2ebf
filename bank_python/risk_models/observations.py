"""Checks of series of returns and of bars: what is wrong is named with its row.

Examples
--------
>>> finite_series("returns", [0.01, float("nan")])
Traceback (most recent call last):
    ...
bank_python.errors.ModelError: returns: row 1 is nan; leave that row out, or correct it
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray

__all__ = ["finite_series", "periods_in_year", "price_columns", "price_series", "window_length"]

_ROUNDED = 1e-9  # adjusted prices may leave the range of their bar by that share


def finite_series(name: str, values: ArrayLike, least: int = 1) -> FloatArray:
    """Return values as an array, or raise an error that names the first bad row.

    Parameters
    ----------
    name : str
        Name of the series in messages.
    values : array_like, shape (n,)
        Values of the series, oldest first.
    least : int, default 1
        Smallest number of values.

    Raises
    ------
    ModelError
        It is not one series of at least `least` values, or one of them is not finite.
    """
    known = np.asarray(values, dtype=np.float64)
    if known.ndim != 1 or len(known) < least:
        rows = "row" if least == 1 else "rows"
        raise ModelError(
            f"{name} of shape {known.shape}; give one series of at least {least} {rows}", name=name, value=known.shape
        )
    _refuse(name, known, ~np.isfinite(known), "leave that row out, or correct it")
    return known


def price_series(name: str, prices: ArrayLike, least: int = 1) -> FloatArray:
    """Return prices as an array, or raise an error that names the first row that is no price.

    Parameters
    ----------
    name : str
        Name of the series in messages.
    prices : array_like, shape (n,)
        Prices, oldest first.
    least : int, default 1
        Smallest number of prices.

    Raises
    ------
    ModelError
        It is not one series of at least `least` prices, or one of them is not a finite number above 0.
    """
    known = finite_series(name, prices, least)
    _refuse(name, known, known <= 0.0, "prices are above 0: correct it, or leave that row out")
    return known


def price_columns(columns: Mapping[str, ArrayLike], least: int = 1) -> list[FloatArray]:
    """Return the columns of bars as arrays after checking that every bar is possible.

    Parameters
    ----------
    columns : mapping of str to array_like, shape (n,)
        Prices of the bars by name: ``high`` and ``low``, and ``open`` and ``close`` if they are used.
    least : int, default 1
        Smallest number of bars.

    Raises
    ------
    ModelError
        A price is not a finite number above 0, the lengths differ, or a price lies outside its bar's range.
    """
    known = {name: price_series(name, values, least) for name, values in columns.items()}
    lengths = {name: len(values) for name, values in known.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{length} of {name}" for name, length in lengths.items())
        raise ModelError(f"the columns have different lengths: {said}; give one value of each for each bar")
    crossed = known["high"] < known["low"] * (1.0 - _ROUNDED)
    if crossed.any():
        row = int(crossed.argmax())
        high, low = float(known["high"][row]), float(known["low"][row])
        raise ModelError(
            f"high: row {row} is {high!r}, below its low of {low!r}; correct that bar", name="high", value=high
        )
    for name, values in known.items():
        outside = (values > known["high"] * (1.0 + _ROUNDED)) | (values < known["low"] * (1.0 - _ROUNDED))
        if outside.any():
            row = int(outside.argmax())
            low, high = float(known["low"][row]), float(known["high"][row])
            raise ModelError(
                f"{name}: row {row} is {float(values[row])!r}, outside its bar from low {low!r} to high {high!r}; "
                "correct that bar",
                name=name,
                value=float(values[row]),
            )
    return list(known.values())


def periods_in_year(periods_per_year: float) -> float:
    """Return the number of periods in a year, or raise an error if it is none.

    Parameters
    ----------
    periods_per_year : float
        Number of periods in a year, above 0.

    Raises
    ------
    ModelError
        It is not a finite number above 0.
    """
    if not (periods_per_year > 0.0 and math.isfinite(periods_per_year)):
        raise ModelError(
            f"periods_per_year={periods_per_year!r} is not a finite number above 0; give 252 for daily bars of shares, "
            "365 of crypto, 24 * 365 for hourly bars of crypto",
            name="periods_per_year",
            value=periods_per_year,
        )
    return float(periods_per_year)


def window_length(name: str, length: int, rows: int, least: int = 1) -> int:
    """Return the length of a window, or raise an error if it does not fit the rows.

    Parameters
    ----------
    name : str
        Name of the argument in messages.
    length : int
        Number of rows in the window.
    rows : int
        Number of rows that there are.
    least : int, default 1
        Smallest length of the window.

    Raises
    ------
    ModelError
        The length is below `least`, or above the number of rows.
    """
    if length < least:
        raise ModelError(f"{name}={length!r} is below {least}; 14 or 20 are usual", name=name, value=length)
    if length > rows:
        raise ModelError(
            f"{name}={length!r} is longer than the series, which gives {rows}; give more rows, or a shorter window",
            name=name,
            value=length,
        )
    return int(length)


def _refuse(name: str, values: FloatArray, bad: NDArray[np.bool_], remedy: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise ModelError(f"{name}: row {row} is {float(values[row])!r}; {remedy}", name=name, value=float(values[row]))
