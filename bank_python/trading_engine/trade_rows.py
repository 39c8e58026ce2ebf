"""Trades in whatever they come as, as fills in the order of time: frames, tables, mappings, orders of an engine.

Columns are known by several spellings; rows with an entry and an exit price are whole round trips.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bank_python.cells import CellError, as_number, is_blank, is_missing
from bank_python.errors import PositionsError, TradingError
from bank_python.mntable import Relation
from bank_python.source_records import records_of
from bank_python.trading_engine.lot_matching import Fill

__all__ = ["TradeRows", "as_moment", "read_trades"]

_SPELLINGS = {
    "instrument": ("instrument_name", "instrument", "ticker", "symbol", "asset", "name"),
    "side": ("side", "action", "direction"),
    "quantity": ("filled_qty", "filled_quantity", "quantity", "qty", "shares", "size", "amount"),
    "price": ("filled_price", "fill_price", "avg_price", "price"),
    "time": ("filled_at", "time", "when", "timestamp", "date", "datetime", "executed_at"),
    "fees": ("fees", "fill_cost", "fee", "commission", "commissions"),
    "multiplier": ("multiplier", "contract_size"),
    "expected": ("expected_price", "expected", "decision_price", "signal_price", "arrival_price"),
    "exit_expected": ("exit_expected", "exit_expected_price", "exit_signal_price"),
    "trader": ("trader", "account", "book"),
    "signal": ("signal", "strategy", "strategy_name"),
    "regime": ("regime", "state"),
    "status": ("status",),
    "filled": ("filled_qty", "filled_quantity"),
    "entry_price": ("entry_price", "entry"),
    "exit_price": ("exit_price", "exit"),
    "entry_time": ("entry_time", "entry_date", "opened", "opened_at"),
    "exit_time": ("exit_time", "exit_date", "closed", "closed_at"),
}
_TAGS = ("trader", "signal", "regime")
_BUYS = frozenset({"BUY", "B", "LONG", "BOT", "BOUGHT", "BUY_OPEN", "BUY_CLOSE", "1"})
_SELLS = frozenset({"SELL", "S", "SHORT", "SLD", "SOLD", "SELL_OPEN", "SELL_CLOSE", "-1"})
_UNFILLED = frozenset({"REJECTED", "CANCELLED", "EXPIRED", "PENDING", "WORKING", "NEW"})


@dataclass(frozen=True, slots=True)
class TradeRows:
    """Trades as fills.

    Parameters
    ----------
    fills : tuple of Fill
        Fills in the order of time.
    pairs : tuple of (Fill, Fill)
        Entries and exits of rows that are round trips.
    unfilled : int
        Number of orders that were not filled, and were left out.
    """

    fills: tuple[Fill, ...] = ()
    pairs: tuple[tuple[Fill, Fill], ...] = ()
    unfilled: int = 0


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: Mapping[str, Any] = field(default_factory=dict)

    def figure(self, name: str, default: float | None = None, *, above: float | None = None) -> float:
        cell = self.cells.get(name)
        if is_missing(cell) and default is not None:
            return default
        value = self._number(name, cell)
        if above is not None and value <= above:
            raise TradingError(f"trade {self.number}: {name}={cell!r} is not above {above:g}", name=name, value=cell)
        return value

    def optional(self, name: str) -> float | None:
        cell = self.cells.get(name)
        return None if is_missing(cell) else self.figure(name, above=0.0)

    def _number(self, name: str, cell: object) -> float:
        if is_missing(cell):
            raise TradingError(f"trade {self.number} has no {name}; give one", name=name, value=cell)
        try:
            return as_number(cell)
        except CellError as error:
            raise TradingError(f"trade {self.number}: {name}={cell!r} {error}", name=name, value=cell) from error

    def word(self, name: str) -> str:
        cell = self.cells.get(name)
        if isinstance(cell, enum.Enum):
            cell = cell.value
        return "" if is_blank(cell) else str(cell).strip()

    def moment(self, name: str) -> dt.date:
        return as_moment(self.cells.get(name), f"trade {self.number}: {name}")


def read_trades(trades: Any) -> TradeRows:
    """Return trades as fills.

    Parameters
    ----------
    trades : frame, table, or iterable of mappings, fills or orders
        Trades with instrument, quantity (negative for a sale, or a side), price and time; optional fees, multiplier,
        expected price, trader, signal and regime. Or round trips with entry and exit prices and times.

    Raises
    ------
    TradingError
        A column is missing, or a figure, a side or a time cannot be read; the message names the trade.
    """
    rows = [_Row(i, _cells(i, record)) for i, record in enumerate(_records(trades), start=1)]
    filled = [row for row in rows if not _is_unfilled(row)]
    unfilled = len(rows) - len(filled)
    if any("entry_price" in row.cells for row in filled):
        pairs = [_pair(row) for row in filled]
        return TradeRows((), tuple(pairs), unfilled)
    fills = _in_one_zone([_fill(row) for row in filled])
    return TradeRows(tuple(sorted(fills, key=lambda fill: fill.time)), (), unfilled)


def _records(trades: Any) -> list[Any]:
    try:
        table = records_of(trades)
    except PositionsError as error:
        raise TradingError(f"trades: {error}", name="trades") from error
    if table is not None:
        return [record for _, record in table.records]
    if isinstance(trades, Iterable) and not isinstance(trades, str | bytes | Mapping | np.ndarray | Relation):
        return list(trades)
    raise TradingError(
        f"trades={type(trades).__name__} is no list of trades; give a frame, a table, or a list of mappings or fills",
        name="trades",
    )


def _cells(number: int, record: Any) -> dict[str, Any]:
    if isinstance(record, Fill):
        names = ("instrument", "quantity", "price", "time", "fees", "multiplier", "expected")
        return {name: getattr(record, name) for name in names} | dict(record.tags)
    given = _given(number, record)
    cells = {
        column: next(given[name] for name in spellings if name in given and not is_blank(given[name]))
        for column, spellings in _SPELLINGS.items()
        if any(name in given and not is_blank(given[name]) for name in spellings)
    }
    if "expected" not in cells and "price" in given and "price" in cells and cells["price"] is not given["price"]:
        cells["expected"] = given["price"]  # an order has the price that its signal saw, beside that of its fill
    return cells


def _given(number: int, record: Any) -> dict[str, Any]:
    """Return the fields of a mapping, of an order, or of a fill with its order."""
    if isinstance(record, Mapping):
        given = {str(key).strip().lower().replace(" ", "_"): value for key, value in record.items()}
    elif isinstance(record, str | bytes | int | float | tuple | list):
        given = {}
    else:
        known = [name for spellings in _SPELLINGS.values() for name in spellings]
        given = {name: getattr(record, name) for name in known if hasattr(record, name)}
        order = getattr(record, "order", None)
        if order is not None:
            given = _with_order(given, order, is_filled=getattr(record, "is_filled", True))
    if not given:
        raise TradingError(
            f"trade {number}: {record!r} is no trade; give mappings with instrument, quantity, price and time",
            name="trades",
        )
    return given


def _with_order(fill: dict[str, Any], order: Any, *, is_filled: bool) -> dict[str, Any]:
    """Return the fields of a fill with those of its order that it lacks."""
    names = ("trader", "instrument_name", "side", "strategy")
    of_order = {name: getattr(order, name) for name in names if hasattr(order, name)}
    filled = {"filled_qty": fill.get("quantity", 0.0) if is_filled else 0.0}
    return of_order | fill | filled | {"expected_price": getattr(order, "price", None)}


def _is_unfilled(row: _Row) -> bool:
    if "filled" in row.cells:  # an order that was filled in part and then cancelled was filled too
        return not row.figure("filled")
    return row.word("status").upper() in _UNFILLED


def _tags(row: _Row) -> dict[str, str]:
    return {name: row.word(name) for name in _TAGS}


def _instrument(row: _Row) -> str:
    name = row.word("instrument")
    if not name:
        raise TradingError(f"trade {row.number} has no instrument; give its name", name="instrument")
    return name


def _fill(row: _Row) -> Fill:
    quantity = row.figure("quantity") * _sign(row, row.cells.get("quantity"))
    if not quantity:
        raise TradingError(f"trade {row.number}: quantity=0 is no trade; leave it out", name="quantity", value=0.0)
    return Fill(
        _instrument(row),
        quantity,
        row.figure("price"),
        row.moment("time"),
        row.figure("fees", 0.0),
        row.figure("multiplier", 1.0, above=0.0),
        expected=row.optional("expected"),
        tags=_tags(row),
    )


def _sign(row: _Row, quantity: object) -> float:
    side = row.word("side").upper()
    if not side:
        return 1.0
    if side not in _BUYS | _SELLS:
        raise TradingError(f"trade {row.number}: side={side!r} is neither BUY nor SELL", name="side", value=side)
    if row.figure("quantity") < 0.0:
        raise TradingError(
            f"trade {row.number}: quantity={quantity!r} has a sign and a side; give one of them", name="quantity"
        )
    return 1.0 if side in _BUYS else -1.0


def _pair(row: _Row) -> tuple[Fill, Fill]:
    size = row.figure("quantity", 1.0)
    quantity = size * _sign(row, size)
    if not quantity:
        raise TradingError(f"trade {row.number}: quantity=0 is no trade; leave it out", name="quantity", value=0.0)
    name, multiplier, tags = _instrument(row), row.figure("multiplier", 1.0, above=0.0), _tags(row)
    entry = Fill(
        name,
        quantity,
        row.figure("entry_price"),
        row.moment("entry_time"),
        row.figure("fees", 0.0),
        multiplier,
        expected=row.optional("expected"),
        tags=tags,
    )
    left = replace(entry, quantity=-quantity, price=row.figure("exit_price"), time=row.moment("exit_time"), fees=0.0)
    entry, left = _in_one_zone([entry, replace(left, expected=row.optional("exit_expected"))])
    if left.time < entry.time:
        raise TradingError(
            f"trade {row.number} ends on {left.time}, before its entry on {entry.time}", name="exit_time"
        )
    return entry, left


def as_moment(value: Any, what: str) -> dt.date:
    """Return a date, or a datetime with a zone, from what names one.

    Parameters
    ----------
    value : date, datetime, numpy.datetime64, pandas.Timestamp or str
        Date or time; text is ISO 8601. A time without a zone is UTC; one at midnight without a zone is a date.
    what : str
        Name of the value in messages.

    Raises
    ------
    TradingError
        It is none of these.
    """
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            raise TradingError(f"{what}={value!r} is no ISO date; write it as 2026-03-20", value=value) from None
    if not isinstance(value, dt.date) or value != value:  # noqa: PLR0124 - NaT differs from itself
        raise TradingError(f"{what}={value!r} is no date; give a date or a time", value=value)
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        return value.date() if value.time() == dt.time() else value.replace(tzinfo=dt.UTC)
    return value


def _in_one_zone(fills: list[Fill]) -> list[Fill]:
    """Return fills whose times can be compared: all dates, or all datetimes."""
    if not any(isinstance(fill.time, dt.datetime) for fill in fills):
        return fills
    return [
        fill
        if isinstance(fill.time, dt.datetime)
        else replace(fill, time=dt.datetime.combine(fill.time, dt.time(), tzinfo=dt.UTC))
        for fill in fills
    ]
