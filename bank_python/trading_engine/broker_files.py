"""Files of a broker: closed positions, the history of orders, and positions held.

The kind of a file is known by its columns. Rows that are no options, such as shares, cash and dividends, are left out
and counted by reason; cells that cannot be read are named with their line.

=========  ===================================================================================================
kind       columns
=========  ===================================================================================================
realised   Symbol, Cost Basis, Proceeds, Total Term Gain/Loss; Account Name
history    Run Date (MM/DD/YYYY), Action, Symbol, Price, Quantity; Amount, Account
positions  Symbol, Quantity, Cost Basis Total; Current Value, Account Name
=========  ===================================================================================================
"""

from __future__ import annotations

import datetime as dt
import enum
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_python.cells import CellError, as_date, as_number, as_word, is_blank, is_missing
from bank_python.display import Record
from bank_python.errors import PositionsError, TradingError
from bank_python.row_problems import RowProblem
from bank_python.source_records import numbered, read_csv, records_of
from bank_python.trading_engine.option_trade import (
    MULTIPLIER,
    OptionTrade,
    RealisedTrade,
    StatedOption,
    TradeAction,
    content_hash,
    parse_contract,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.source_records import Records

__all__ = ["BrokerRows", "FileKind", "day_named", "read_broker_rows"]

_COLUMNS = {
    "symbol": ("symbol",),
    "account": ("account", "account name", "account number"),
    "cost": ("cost basis", "cost basis total"),
    "proceeds": ("proceeds",),
    "gain": ("total term gain/loss", "total gain/loss dollar", "gain/loss"),
    "date": ("run date", "date", "trade date"),
    "action": ("action",),
    "price": ("price", "price ($)"),
    "quantity": ("quantity",),
    "amount": ("amount", "amount ($)"),
    "value": ("current value",),
}
_SPELLED = {spelling: column for column, spellings in _COLUMNS.items() for spelling in spellings}
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_CASH_SYMBOL = re.compile(r"\*\*$")
_CENT = 0.005
_NAMED_DAYS = {
    re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)"): "%Y-%m-%d",
    re.compile(r"(?<![A-Za-z])[A-Za-z]{3}-\d{2}-\d{4}(?!\d)"): "%b-%d-%Y",
}


class FileKind(enum.Enum):
    """Kind of a broker's file, with the columns by which it is known."""

    REALISED = ("symbol", "cost", "proceeds", "gain")
    HISTORY = ("date", "action", "symbol", "price", "quantity")
    POSITIONS = ("symbol", "quantity", "cost")


@dataclass(frozen=True, slots=True)
class BrokerRows(Record):
    """What a broker's file holds on options.

    Parameters
    ----------
    source : str
        Name of the file, or kind of the object.
    kind : FileKind
        Kind of the file.
    trades : tuple of OptionTrade
        Fills and settlements of a history, in the order of their dates.
    realised : tuple of RealisedTrade
        Closed positions.
    stated : tuple of StatedOption
        Open positions on the day of the statement.
    skipped : mapping of str to int
        Number of rows that were left out, by reason.
    problems : tuple of RowProblem
        Cells that cannot be read; their rows are left out.
    """

    source: str
    kind: FileKind
    trades: tuple[OptionTrade, ...] = ()
    realised: tuple[RealisedTrade, ...] = ()
    stated: tuple[StatedOption, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with its cells by our names of the columns."""

    line: int
    cells: Mapping[str, object]
    spelled: Mapping[str, str]

    def number(self, column: str) -> float:
        """Return a cell as a number; a missing one is an error too."""
        return float(self._read(column, as_number))

    def optional(self, column: str) -> float | None:
        """Return a cell as a number, None for one that is empty or says that there is no figure, such as n/a."""
        return None if is_missing(self.cells.get(column)) else self._read(column, as_number)

    def date(self, column: str) -> dt.date:
        read: dt.date = self._read(column, _as_date)
        return read

    def word(self, column: str) -> str:
        cell = self.cells.get(column)
        return "" if is_blank(cell) else as_word(cell)

    def _read(self, column: str, read: Callable[[object], Any]) -> Any:
        cell = self.cells.get(column)
        if is_missing(cell):
            raise _BadCellError(self.problem(column, "is missing; give the figure, or remove the row"))
        try:
            return read(cell)
        except CellError as error:
            raise _BadCellError(self.problem(column, str(error))) from error

    def problem(self, column: str, reason: str) -> RowProblem:
        """Return the problem of a cell."""
        cell = self.cells.get(column)
        return RowProblem(self.line, self.spelled.get(column, column), "" if cell is None else str(cell), reason)


class _BadCellError(Exception):
    """A cell that cannot be read."""

    def __init__(self, problem: RowProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _NoOptionError(Exception):
    """A row about something else; its message says what."""


def read_broker_rows(source: Any, today: dt.date) -> BrokerRows:
    """Read a broker's file.

    Parameters
    ----------
    source : path, frame, table or iterable of mappings
        CSV file, or rows with the columns of one.
    today : date
        Date of a statement of positions.

    Raises
    ------
    PositionsError
        There is no such file, its columns are those of no kind, or a column is there twice.
    """
    records = _records(source)
    spelled = _spelled(records)
    kind = next((kind for kind in FileKind if all(column in spelled for column in kind.value)), None)
    if kind is None:
        raise PositionsError(
            f"{records.source} has the columns {', '.join(records.names) or 'none'}, which are those of no file of "
            "closed positions (Symbol, Cost Basis, Proceeds, Total Term Gain/Loss), history (Run Date, Action, Symbol, "
            "Price, Quantity) or positions (Symbol, Quantity, Cost Basis Total)"
        )
    found: list[Any] = []
    problems: list[RowProblem] = []
    skipped: Counter[str] = Counter()
    for line, record in records.records:
        row = _Row(line, {column: record.get(name) for column, name in spelled.items()}, spelled)
        try:
            found.append(_READERS[kind](row, today))
        except _NoOptionError as other:
            skipped[str(other)] += 1
        except _BadCellError as bad:
            problems.append(bad.problem)
    return _gathered(records.source, kind, found, dict(skipped), tuple(problems))


def day_named(name: str) -> dt.date | None:
    """Return the day in the name of a file, None if it has none.

    Parameters
    ----------
    name : str
        Name such as ``Portfolio_Positions_Mar-03-2025.csv`` or ``positions 2025-03-03.csv``.
    """
    for pattern, form in _NAMED_DAYS.items():
        found = pattern.search(name)
        if found is not None:
            try:
                return dt.datetime.strptime(found[0].title(), form).date()  # noqa: DTZ007 - a day has no time zone
            except ValueError:
                continue
    return None


def _records(source: Any) -> Records:
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        if not path.is_file():
            raise PositionsError(f"there is no file {path}; give the path of a broker's CSV file")
        return read_csv(path)
    table = records_of(source)
    if table is not None:
        return table
    if isinstance(source, Iterable) and not isinstance(source, bytes | Mapping):
        rows = list(source)
        if all(isinstance(row, Mapping) for row in rows):
            return numbered("the list", rows)
    raise PositionsError(
        f"a {type(source).__name__} is no broker's file; give a path, a DataFrame or a list of mappings"
    )


def _spelled(records: Records) -> dict[str, str]:
    spelled: dict[str, str] = {}
    for name in records.names:
        column = _SPELLED.get(" ".join(name.lower().split()))
        if column == "account" and column in spelled:
            continue  # a name and a number of the account: the first one identifies it
        if column in spelled:
            raise PositionsError(
                f"{records.source}: the columns {spelled[column]!r} and {name!r} both mean {column}; keep one"
            )
        if column is not None:
            spelled[column] = name
    return spelled


def _gathered(
    source: str, kind: FileKind, found: list[Any], skipped: dict[str, int], problems: tuple[RowProblem, ...]
) -> BrokerRows:
    rows = BrokerRows(source, kind, skipped=skipped, problems=problems)
    if kind is FileKind.POSITIONS:
        return replace(rows, stated=tuple(found))
    if kind is FileKind.REALISED:
        return replace(rows, realised=_keyed(found, lambda one: (one.contract, one.cost, one.proceeds, one.gain)))
    trades = _keyed(found, lambda one: one.contents)
    # A broker lists the latest first: a day's openings go before its closings.
    return replace(rows, trades=tuple(sorted(trades, key=lambda one: (one.date, one.action.closes))))


def _keyed(found: list[Any], contents: Callable[[Any], tuple[object, ...]]) -> tuple[Any, ...]:
    """Return the rows with their keys: equal rows of one file are several trades, and are counted."""
    seen: Counter[str] = Counter()
    keyed = []
    for one in found:
        name = content_hash(one.account, *contents(one))
        seen[name] += 1
        keyed.append(replace(one, key=f"{name}-{seen[name]}"))
    return tuple(keyed)


def _contract(row: _Row) -> Any:
    symbol = row.word("symbol")
    if not symbol or _CASH_SYMBOL.search(symbol):
        raise _NoOptionError("cash" if symbol else "no symbol")
    if not re.search(r"\d", symbol):
        raise _NoOptionError("no option")
    try:
        return parse_contract(symbol)
    except TradingError as error:
        if "is no option symbol" in str(error):
            raise _NoOptionError("no option") from error
        raise _BadCellError(row.problem("symbol", str(error.__cause__))) from error


def _realised(row: _Row, _: dt.date) -> RealisedTrade:
    contract = _contract(row)
    cost, proceeds = row.number("cost"), row.number("proceeds")
    gain = row.optional("gain")
    if gain is not None and abs(gain - (proceeds - cost)) > max(1.0, 1e-6 * abs(cost)):
        reason = f"is not the proceeds less the cost, {proceeds - cost:,.2f}; correct one of them"
        raise _BadCellError(row.problem("gain", reason))
    return RealisedTrade(contract, cost, proceeds, proceeds - cost if gain is None else gain, row.word("account"))


def _trade(row: _Row, _: dt.date) -> OptionTrade:
    action = row.word("action").upper()
    contract = _contract(row)
    quantity = row.number("quantity")
    if not quantity:
        raise _BadCellError(row.problem("quantity", "is 0; give the number of contracts"))
    settles = any(word in action for word in ("EXPIRED", "ASSIGNED", "EXERCISED"))
    bought = quantity > 0.0 if settles else "BOUGHT" in action or action.startswith("BUY")
    if not settles and not bought and "SOLD" not in action and not action.startswith("SELL"):
        raise _NoOptionError("no purchase or sale")
    closes = settles or "CLOS" in action
    does = {
        (True, False): "BUY_OPEN",
        (True, True): "BUY_CLOSE",
        (False, False): "SELL_OPEN",
        (False, True): "SELL_CLOSE",
    }
    price = row.optional("price")
    if price is None and not settles:
        raise _BadCellError(row.problem("price", "is missing; give the price per unit of the underlying"))
    if price is not None and price < 0.0:
        raise _BadCellError(row.problem("price", "is below 0; give the price per unit of the underlying"))
    trade = OptionTrade(
        contract,
        row.date("date"),
        TradeAction(does[bought, closes]),
        abs(quantity),
        price or 0.0,
        account=row.word("account"),
        settles=settles,
    )
    amount = row.optional("amount")
    return trade if amount is None or settles else replace(trade, fees=_fees(row, trade, amount))


def _fees(row: _Row, trade: OptionTrade, amount: float) -> float:
    fees = trade.cash - amount
    if abs(fees) > max(1.0, 0.5 * abs(trade.cash)) and abs(fees) > trade.quantity * _LARGEST_FEE:
        reason = f"is far from price times {MULTIPLIER:g} times quantity, {trade.cash:,.2f}; correct one of them"
        raise _BadCellError(row.problem("amount", reason))
    return fees if abs(fees) > _CENT else 0.0


_LARGEST_FEE = 5.0  # per contract


def _stated(row: _Row, today: dt.date) -> StatedOption:
    contract = _contract(row)
    quantity = row.number("quantity")
    if not quantity:
        raise _NoOptionError("closed")
    cost, value = row.number("cost"), row.optional("value")
    if quantity < 0.0:  # brokers state both as amounts, whatever the side
        cost, value = -abs(cost), None if value is None else -abs(value)
    return StatedOption(contract, today, quantity, cost, value, account=row.word("account"))


_READERS: dict[FileKind, Callable[[_Row, dt.date], Any]] = {
    FileKind.REALISED: _realised,
    FileKind.HISTORY: _trade,
    FileKind.POSITIONS: _stated,
}


def _as_date(cell: object) -> dt.date:
    """Return a date; the broker's columns have the month first."""
    match = _AMERICAN.fullmatch(cell.strip()) if isinstance(cell, str) else None
    if match is None:
        return as_date(cell)
    month, day, year = map(int, match.groups())
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise CellError(f"is no date ({error}); write it as MM/DD/YYYY") from error
