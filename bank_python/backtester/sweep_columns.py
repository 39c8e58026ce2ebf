"""Tables of parameters and metrics: columns whose type follows from their cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bank_python.mntable import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["table_of"]

_KINDS: tuple[tuple[type, ...], ...] = ((bool,), (int,), (int, float), (str,))


def table_of(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of rows; what has no column type of its own is text, and what is not finite is missing.

    Parameters
    ----------
    rows : sequence of mappings
        Cells by column; a column that a row lacks is missing there.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    schema = [(name, kind | None) for name, (kind, _) in columns.items()]
    cells = [dict(zip(names, row, strict=True)) for row in zip(*(found for _, found in columns.values()), strict=True)]
    return Table.from_rows(schema, cells)


def _column(cells: Sequence[Any]) -> tuple[type, list[Any]]:
    known = [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in cells]
    present = [cell for cell in known if cell is not None]
    if not present:
        return (float if any(isinstance(cell, float) for cell in cells) else str), known
    for kinds in _KINDS:
        if all(type(cell) in kinds for cell in present):
            kind = kinds[-1]
            return kind, [None if cell is None else kind(cell) for cell in known]
    return str, [None if cell is None else str(cell) for cell in known]
