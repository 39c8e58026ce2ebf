"""Closes by name, from whatever holds them: what signals read.

Examples
--------
>>> closes, faults = closes_of({"AAPL": [226.0, 228.0], "KO": ["dear"]})
>>> closes["AAPL"].tolist(), faults
([226.0, 228.0], {'KO': 'the closes of KO are no row of numbers'})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import as_numbers
from bank_python.errors import TradingError
from bank_python.market_data.feed import PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.mntable import Table, View

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["closes_of"]


def closes_of(market_data: Any) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """Return closes by name, oldest first, and the names that have something else, with what is wrong.

    Parameters
    ----------
    market_data : mapping, DataFrame, Table or PriceHistoryTable
        Closes by ticker: a mapping of ticker to numbers or histories; a data frame with a column for each ticker; a
        table with a row for each ticker and date, and the columns ticker, date and close.

    Raises
    ------
    TradingError
        It is none of these.
    """
    closes: dict[str, FloatArray] = {}
    faults: dict[str, str] = {}
    for name, values in _columns(market_data):
        numbers = as_numbers([bar.close for bar in values.bars] if isinstance(values, PriceHistory) else values)
        if numbers is None or numbers.ndim > 1:
            faults[name] = f"the closes of {name} are no row of numbers"
        else:
            closes[name] = np.atleast_1d(numbers)
    return closes, faults


def _columns(market_data: Any) -> list[tuple[str, Any]]:
    if isinstance(market_data, PriceHistoryTable):
        return [(ticker, market_data.closes(ticker)) for ticker in market_data.tickers]
    if isinstance(market_data, Table | View):
        return _of_rows(market_data)
    if isinstance(market_data, Mapping):
        return [(str(name), values) for name, values in market_data.items()]
    if hasattr(market_data, "columns") and hasattr(market_data, "to_numpy"):
        return [(str(name), market_data[name].to_numpy()) for name in market_data.columns]
    raise TradingError(
        f"{type(market_data).__name__} is no market data; give a mapping of ticker to closes, a data frame or a table",
        value=market_data,
    )


def _of_rows(table: Table | View) -> list[tuple[str, Any]]:
    missing = [name for name in ("ticker", "date", "close") if name not in table.columns]
    if missing:
        raise TradingError(f"the table has no column {missing[0]}; closes need ticker, date and close", name=missing[0])
    found: dict[str, list[float]] = {}
    for row in table.order_by("date"):
        found.setdefault(row["ticker"], []).append(row["close"])
    return list(found.items())
