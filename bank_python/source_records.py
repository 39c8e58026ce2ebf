"""Files, frames and tables of other programs as numbered records, before anybody asks what the columns mean."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.cells import DecimalMark, is_blank
from bank_python.errors import MissingExtraError, PositionsError
from bank_python.mntable import Relation
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Records", "decimal_mark", "numbered", "read_csv", "read_parquet", "records_of"]

_COMMENT = "#"
_DIRECTIVE = "sep="  # Excel's first line, which names the delimiter


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one source.

    Parameters
    ----------
    source : str
        Name of the file, or kind of the object.
    names : tuple of str
        Names of the columns, each once.
    records : tuple of (int, mapping of str to object)
        Line of the file, or number of the row, and cells by column.
    mark : DecimalMark
        Decimal mark of numbers that are text.
    """

    source: str
    names: tuple[str, ...]
    records: tuple[tuple[int, Mapping[str, object]], ...]
    mark: DecimalMark = DecimalMark.POINT


def decimal_mark(decimal: str | None) -> DecimalMark | None:
    """Return the decimal mark that the caller gave, None without one.

    Raises
    ------
    PositionsError
        It is neither a point nor a comma.
    """
    if decimal is None:
        return None
    if decimal not in {".", ","}:
        raise PositionsError(f'decimal={decimal!r}; give "." or ","')
    return DecimalMark(decimal)


def numbered(source: str, records: Iterable[Mapping[Any, object]], names: Iterable[object] = ()) -> Records:
    """Return records that have no lines, numbered from 1.

    Parameters
    ----------
    source : str
        Kind of the object.
    records : iterable of mapping
        Cells by column.
    names : iterable, optional
        Columns, in case there is no record.
    """
    rows = [(line, {str(name): cell for name, cell in record.items()}) for line, record in enumerate(records, start=1)]
    known = dict.fromkeys([*map(str, names), *(name for _, row in rows for name in row)])
    return Records(source, tuple(known), tuple(rows))


def records_of(table: Any) -> Records | None:
    """Return the records of a pandas or polars frame, an Arrow or MnTable table; None for anything else.

    Raises
    ------
    PositionsError
        A pandas frame has two columns of one name, or columns of several levels.
    """
    if isinstance(table, Relation):
        return numbered("the table", table.to_list(), table.columns)
    if hasattr(table, "to_pylist") and hasattr(table, "column_names"):
        return numbered("the Arrow table", table.to_pylist(), _once("the Arrow table", table.column_names))
    if hasattr(table, "to_dicts") and hasattr(table, "columns"):
        return numbered("the frame", table.to_dicts(), table.columns)
    if hasattr(table, "to_dict") and hasattr(table, "columns") and hasattr(table, "index"):
        check_frame(table)
        return numbered("the frame", table.to_dict("records"), table.columns)
    return None


def check_frame(frame: Any) -> None:
    """Raise an error if the columns of a pandas frame cannot be told apart.

    Raises
    ------
    PositionsError
        The message names the column.
    """
    if frame.columns.nlevels > 1:
        first = frame.columns[0]
        raise PositionsError(
            f"the frame has columns of {frame.columns.nlevels} levels, the first {first!r}; choose one level: "
            f"frame[{first[0]!r}]"
        )
    _once("the frame", [str(name) for name in frame.columns])


def read_parquet(path: Path) -> Records:
    """Return the records of a Parquet file.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    PositionsError
        It is not such a file.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(f"{path.name} needs pyarrow: {how_to_install('data')}", extra="data") from None
    try:
        table = pq.read_table(path)
        rows = table.to_pylist()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PositionsError(f"{path.name} cannot be read as Parquet: {error}; write it again") from error
    return numbered(path.name, rows, _once(path.name, table.column_names))


def read_csv(path: Path, decimal: DecimalMark | None = None) -> Records:
    """Return the records of a text file with delimiters.

    Parameters
    ----------
    path : Path
        File in UTF-8, or in UTF-16 with a byte-order mark. The delimiter is a comma, semicolon, tab or bar; empty lines
        and lines that begin with ``#`` are left out, and so are columns without a name and without a cell.
    decimal : DecimalMark, optional
        Decimal mark of its numbers. By default a point in a file with commas, and otherwise unsaid, as the numbers of a
        file with semicolons often have decimal commas.

    Raises
    ------
    PositionsError
        The message names the line: text in another encoding, a NUL byte, a quote that is not closed, a row with more
        cells than the header.
    """
    text, said = _without_directive(_decoded(path))
    delimiter = said or _delimiter(text)
    rows = _parsed(path.name, text, delimiter)
    if not rows:
        return Records(path.name, (), ())
    width = max(len(cells) for _, cells in rows)
    header = [name.strip() for name in rows[0][1]]
    named = [*header, *[""] * (width - len(header))]
    kept = [i for i, name in enumerate(named) if name or not _is_empty(rows, i)]
    _check_width(path.name, rows, kept, header, delimiter)
    names = _once(path.name, [named[i] for i in kept])
    records = [
        (line, {name: cells[i] for name, i in zip(names, kept, strict=True) if i < len(cells)})
        for line, cells in rows[1:]
    ]
    mark = decimal or (DecimalMark.POINT if delimiter == "," else DecimalMark.UNSAID)
    return Records(path.name, tuple(names), tuple(records), mark)


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise PositionsError(
            f"{path.name}, line {line}, is not UTF-8 text ({error.reason}); save it as UTF-8"
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise PositionsError(
            f"{path.name}, line {line}, holds a NUL byte, as text that is not UTF-8 does; save it as UTF-8"
        )
    return text


def _without_directive(text: str) -> tuple[str, str]:
    """Return the text, in which Excel's ``sep=;`` is a comment that keeps the lines' numbers, and its delimiter."""
    first = text.split("\n", 1)[0].strip()
    if first.lower().startswith(_DIRECTIVE) and len(first) == len(_DIRECTIVE) + 1:
        return _COMMENT + text, first[-1]
    return text, ""


def _delimiter(text: str) -> str:
    lines = (line.strip(" \r") for line in io.StringIO(text))
    header = next((line for line in lines if line.strip(",;\t|") and not line.startswith(_COMMENT)), "")
    return max(",;\t|", key=header.count)


def _parsed(source: str, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith(_COMMENT):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise PositionsError(f"{source}, line {line}: {error}; close and double the quotes in its cells") from error
    return rows


def _is_empty(rows: Sequence[tuple[int, list[str]]], column: int) -> bool:
    return all(column >= len(cells) or is_blank(cells[column]) for _, cells in rows)


def _check_width(
    source: str, rows: Sequence[tuple[int, list[str]]], kept: Sequence[int], header: Sequence[str], delimiter: str
) -> None:
    beyond = next((i for i in kept if i >= len(header)), None)
    if beyond is None:
        return
    line, cells = next((line, cells) for line, cells in rows if beyond < len(cells) and not is_blank(cells[beyond]))
    raise PositionsError(
        f"{source}, line {line}: {len(cells)} cells for {len(header)} columns (the header is line {rows[0][0]}); quote "
        f"a cell that holds {delimiter!r}, and remove lines above the header"
    )


def _once(source: str, names: Sequence[str]) -> Sequence[str]:
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise PositionsError(f"{source} has two columns {twice!r}; rename or remove one")
    return names
