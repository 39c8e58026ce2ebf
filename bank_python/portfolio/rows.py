"""Positions in whatever they come as, as rows of cells: a CSV, TOML or Parquet file, a data frame, a table, a list."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bank_python.cells import DecimalMark, is_blank, is_missing
from bank_python.errors import PositionsError
from bank_python.source_records import Records, numbered, read_csv, read_parquet, records_of
from bank_python.wording import did_you_mean

__all__ = ["COLUMNS", "Row", "Rows", "read_rows"]

COLUMNS: dict[str, tuple[str, ...]] = {
    "ticker": ("ticker", "symbol", "instrument", "name", "contract"),
    "quantity": ("quantity", "qty", "shares", "units", "contracts", "position", "amount"),
    "cost": ("cost", "cost_price", "avg_cost", "average_cost", "avg_price", "entry", "entry_price", "unit_cost"),
    "price": ("price", "last", "close", "market_price", "mark"),
    "book": ("book", "trader", "account", "portfolio", "strategy"),
    "kind": ("kind", "type", "asset_class", "asset_type"),
    "currency": ("currency", "ccy"),
    "sector": ("sector", "industry"),
    "multiplier": ("multiplier", "contract_size"),
    "vol": ("vol", "volatility", "implied_vol", "iv"),
    "coupon": ("coupon", "coupon_rate"),
    "maturity": ("maturity", "maturity_date"),
    "frequency": ("frequency",),
    "yield": ("yield", "ytm", "yield_to_maturity"),
    "spread": ("spread", "cds_spread"),
    "recovery": ("recovery", "recovery_rate"),
    "notional": ("notional", "face"),
}
"""Columns that are understood, each with its spellings; case, blanks and hyphens do not matter."""

REQUIRED = ("ticker", "quantity")
_WORDS = frozenset({*REQUIRED, "book", "kind", "sector"})  # NA may be a ticker; a missing quantity is an error
_SPELLED = {spelling: column for column, spellings in COLUMNS.items() for spelling in spellings}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of cells.

    Parameters
    ----------
    line : int
        Line of the file, or number of the row.
    cells : mapping of str to object
        Cells by column; blank and missing ones are left out.
    mark : DecimalMark
        Decimal mark of numbers that are text.
    """

    line: int
    cells: Mapping[str, object]
    mark: DecimalMark = DecimalMark.POINT


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one source.

    Parameters
    ----------
    source : str
        Name of the file, or kind of the object.
    spelled : mapping of str to str
        Spelling of each column in the source.
    rows : tuple of Row
        Rows in the order of the source; empty ones are left out.
    """

    source: str
    spelled: Mapping[str, str]
    rows: tuple[Row, ...]


def read_rows(positions: Any, decimal: DecimalMark | None = None) -> Rows:
    """Return positions as rows of cells.

    Parameters
    ----------
    positions : path, frame, table, or iterable
        A CSV, TOML (``[[positions]]``) or Parquet file; a pandas or polars frame; an Arrow or MnTable table; or a list
        of mappings, of ``(ticker, quantity)`` and ``(ticker, quantity, cost)``, or a mapping of quantities by ticker.
    decimal : DecimalMark, optional
        Decimal mark of numbers that are text.

    Raises
    ------
    PositionsError
        The file is not there or not of these kinds; a column is missing, unknown or there twice.
    """
    if isinstance(positions, str | os.PathLike):
        return _rows(_of_file(Path(positions), decimal), decimal)
    table = records_of(positions)
    if table is not None:
        return _rows(table, decimal)
    if isinstance(positions, Mapping):
        pairs = [{"ticker": key, "quantity": value} for key, value in positions.items()]
        return _rows(numbered("the mapping", pairs), decimal)
    if isinstance(positions, Iterable) and not isinstance(positions, bytes):
        return _rows(numbered("the list", [_record(i, item) for i, item in enumerate(positions, start=1)]), decimal)
    raise PositionsError(
        f"positions={positions!r} is a {type(positions).__name__}; give a path to a CSV, TOML or Parquet file, a "
        "DataFrame, a Table, or a list such as [('AAPL', 100, 180.0)]"
    )


def _of_file(path: Path, decimal: DecimalMark | None) -> Records:
    if not path.is_file():
        raise PositionsError(f"there is no file {path}; give a path to a CSV, TOML or Parquet file, or a list")
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv", ".txt"}:
        return read_csv(path, decimal)
    if suffix == ".toml":
        return _of_toml(path)
    if suffix == ".parquet":
        return read_parquet(path)
    raise PositionsError(f"{path.name}: positions are read from .csv, .tsv, .toml and .parquet files")


def _of_toml(path: Path) -> Records:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PositionsError(f"{path.name} is not TOML: {error}; correct it") from error
    tables = content.get("positions")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise PositionsError(f"{path.name} has no [[positions]]; write one such table for each position")
    return numbered(path.name, tables)


def _record(line: int, item: object) -> Mapping[str, object]:
    if isinstance(item, Mapping):
        return item
    if isinstance(item, tuple | list) and 2 <= len(item) <= 3:  # noqa: PLR2004 - ticker, quantity and perhaps cost
        return dict(zip(("ticker", "quantity", "cost"), item, strict=False))
    raise PositionsError(f"row {line}: {item!r} is not a position; give (ticker, quantity, cost) or a mapping")


def _rows(records: Records, decimal: DecimalMark | None) -> Rows:
    spelled = _columns(records.source, records.names)
    mark = decimal or records.mark
    rows = []
    for line, record in records.records:
        cells = {column: record[name] for column, name in spelled.items() if not _is_empty(column, record.get(name))}
        if cells:
            rows.append(Row(line, cells, mark))
    if not rows:
        raise PositionsError(f"{records.source} holds no position; give at least one row")
    return Rows(records.source, spelled, tuple(rows))


def _is_empty(column: str, cell: object) -> bool:
    return is_blank(cell) if column in _WORDS else is_missing(cell)


def _columns(source: str, names: Sequence[str]) -> dict[str, str]:
    spelled: dict[str, str] = {}
    for i, name in enumerate(names, start=1):
        if not name.strip():
            raise PositionsError(f"{source}: column {i} has no name; name it, or remove it (pandas: index=False)")
        column = _SPELLED.get(name.strip().lower().replace(" ", "_").replace("-", "_"))
        if column is None:
            guess = did_you_mean(name, list(_SPELLED), f"columns are {', '.join(COLUMNS)}")
            raise PositionsError(f"{source}: the column {name!r} is not known; {guess}")
        if column in spelled:
            raise PositionsError(f"{source}: the columns {spelled[column]!r} and {name!r} both mean {column}; keep one")
        spelled[column] = name
    missing = [column for column in REQUIRED if column not in spelled]
    if missing:
        raise PositionsError(
            f"{source} has no column {' and no column '.join(missing)} among {', '.join(names) or 'no columns'}; "
            f"spell it {' or '.join(COLUMNS[missing[0]][:3])} (an index is no column: frame.reset_index())"
        )
    return spelled
