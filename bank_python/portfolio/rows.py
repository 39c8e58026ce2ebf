"""Positions in whatever they come as, as rows of cells: a CSV, TOML or Parquet file, a data frame, a table, a list."""

from __future__ import annotations

import csv
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bank_python.errors import PositionsError
from bank_python.mntable import Relation, Table
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
    """

    line: int
    cells: Mapping[str, object]


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


def read_rows(positions: Any) -> Rows:
    """Return positions as rows of cells.

    Parameters
    ----------
    positions : path, DataFrame, Table, or iterable
        A CSV, TOML (``[[positions]]``) or Parquet file; a pandas frame; an MnTable relation; or a list of mappings, of
        ``(ticker, quantity)`` and ``(ticker, quantity, cost)``, or a mapping of quantities by ticker.

    Raises
    ------
    PositionsError
        The file is not there or not of these kinds; a column is missing, unknown or there twice.
    """
    if isinstance(positions, str | os.PathLike):
        return _of_file(Path(positions))
    if isinstance(positions, Relation):
        return _of_records("the table", positions.to_list())
    if hasattr(positions, "columns") and hasattr(positions, "to_dict"):
        return _of_records("the frame", positions.to_dict("records"))
    if isinstance(positions, Mapping):
        return _of_records("the mapping", [{"ticker": key, "quantity": value} for key, value in positions.items()])
    if isinstance(positions, Iterable) and not isinstance(positions, bytes):
        return _of_records("the list", [_record(i, item) for i, item in enumerate(positions, start=1)])
    raise PositionsError(
        f"positions={positions!r} is a {type(positions).__name__}; give a path to a CSV, TOML or Parquet file, a "
        "DataFrame, a Table, or a list such as [('AAPL', 100, 180.0)]"
    )


def _of_file(path: Path) -> Rows:
    if not path.is_file():
        raise PositionsError(f"there is no file {path}; give a path to a CSV, TOML or Parquet file, or a list")
    readers = {".csv": _of_csv, ".txt": _of_csv, ".tsv": _of_csv, ".toml": _of_toml, ".parquet": _of_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise PositionsError(f"{path.name}: positions are read from .csv, .tsv, .toml and .parquet files")
    return reader(path)


def _of_csv(path: Path) -> Rows:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PositionsError(f"{path.name} is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    lines = text.splitlines()
    header = lines[0] if lines else ""
    delimiter = max(",;\t|", key=header.count)
    reader = csv.reader(lines, delimiter=delimiter)
    names = next(reader, [])
    records: list[tuple[int, dict[str, object]]] = []
    for cells in reader:
        if len(cells) > len(names):
            raise PositionsError(
                f"{path.name}, line {reader.line_num}: {len(cells)} cells for {len(names)} columns; quote a cell that "
                f"holds {delimiter!r}"
            )
        records.append((reader.line_num, dict(zip(names, cells, strict=False))))
    return _rows(path.name, names, records)


def _of_toml(path: Path) -> Rows:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PositionsError(f"{path.name} is not TOML: {error}") from error
    tables = content.get("positions")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise PositionsError(f"{path.name} has no [[positions]]; write one such table for each position")
    return _of_records(path.name, tables)


def _of_parquet(path: Path) -> Rows:
    return _of_records(path.name, Table.from_parquet(path).to_list())


def _record(line: int, item: object) -> Mapping[str, object]:
    if isinstance(item, Mapping):
        return item
    if isinstance(item, tuple | list) and 2 <= len(item) <= 3:  # noqa: PLR2004 - ticker, quantity and perhaps cost
        return dict(zip(("ticker", "quantity", "cost"), item, strict=False))
    raise PositionsError(f"row {line}: {item!r} is not a position; give (ticker, quantity, cost) or a mapping")


def _of_records(source: str, records: Iterable[Mapping[Any, object]]) -> Rows:
    numbered = [(line, dict(record)) for line, record in enumerate(records, start=1)]
    names = list(dict.fromkeys(str(name) for _, record in numbered for name in record))
    return _rows(source, names, [(line, {str(k): v for k, v in record.items()}) for line, record in numbered])


def _rows(source: str, names: list[str], records: list[tuple[int, dict[str, object]]]) -> Rows:
    spelled = _columns(source, names)
    rows = []
    for line, record in records:
        cells = {column: record[name] for column, name in spelled.items() if not _is_blank(record.get(name))}
        if cells:
            rows.append(Row(line, cells))
    if not rows:
        raise PositionsError(f"{source} holds no position; give at least one row")
    return Rows(source, spelled, tuple(rows))


def _columns(source: str, names: list[str]) -> dict[str, str]:
    spelled: dict[str, str] = {}
    for name in names:
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
            f"spell it {' or '.join(COLUMNS[missing[0]][:3])}"
        )
    return spelled


def _is_blank(cell: object) -> bool:
    if cell is None or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124 - NaN, as a frame has it
        return True
    return isinstance(cell, str) and not cell.strip()
