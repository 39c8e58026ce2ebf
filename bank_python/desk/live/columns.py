"""Tables and lines that fit the width there is, by leaving out what matters least.

Rich's own tables squeeze every column when there is no room, and wrap or cut words in all of them. On a desk a
number is shown whole or not at all: :func:`fitted` drops whole columns, the least important first, and only columns
that may be cut (a description, a trail of bars) give way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.live.glyphs import Glyphs

__all__ = ["Column", "Fitted", "fit", "fitted", "joined"]

_GAP, _LEAST_GAP, _WIDEST_GAP = 2, 1, 5


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
        Its heading.
    cells : sequence of Text
        One a row.
    rank : int, default 0
        0 is never left out; of the others, the highest goes first.
    left : bool, default False
        Words stand on the left, numbers on the right.
    width : int, default 0
        Cells it has at least, so that it does not dance when its contents change.
    shrinks_to : int, optional
        Cells it may be cut to; by default it is shown whole. One of rank 0 is cut only when there is nothing left to
        leave out.
    """

    title: str
    cells: Sequence[Text]
    rank: int = 0
    left: bool = False
    width: int = 0
    shrinks_to: int | None = None

    @property
    def natural(self) -> int:
        """Cells that its contents need."""
        return max([self.width, len(self.title), *(cell.cell_len for cell in self.cells)])

    @property
    def least(self) -> int:
        """Cells it must be given."""
        natural = self.natural
        return natural if self.shrinks_to is None else min(self.shrinks_to, natural)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A table that fits: its headings as one line, and its rows."""

    headings: str
    rows: tuple[Text, ...]


def fitted(columns: Sequence[Column], width: int, glyphs: Glyphs) -> Fitted:
    """Return the table of the columns that fit `width` cells.

    Examples
    --------
    >>> from bank_python.desk.live.glyphs import FINE
    >>> names = Column("", [Text("Alice"), Text("Bob")], left=True)
    >>> focus = Column("focus", [Text("Tech"), Text("Volatility")], rank=1, left=True)
    >>> pnl = Column("P&L", [Text("+1,200"), Text("-30")])
    >>> [row.plain for row in fitted([names, focus, pnl], 25, FINE).rows]
    ['Alice  Tech        +1,200', 'Bob    Volatility     -30']
    >>> [row.plain for row in fitted([names, focus, pnl], 13, FINE).rows]
    ['Alice  +1,200', 'Bob       -30']
    """
    kept = list(columns)
    while sum(_wanted(column) for column in kept) + _LEAST_GAP * (len(kept) - 1) > width:
        droppable = [column for column in kept if column.rank]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda column: column.rank))
    widths, gap = _shared_out(kept, width)
    headings = (" " * gap).join(_heading(column, cells) for column, cells in zip(kept, widths, strict=True))
    count = max((len(column.cells) for column in kept), default=0)
    rows = tuple(
        Text(" " * gap).join(
            _placed(column, column.cells[i], cells, glyphs) for column, cells in zip(kept, widths, strict=True)
        )
        for i in range(count)
    )
    return Fitted(headings, rows)


def _wanted(column: Column) -> int:
    return column.least if column.rank else column.natural


def _shared_out(columns: Sequence[Column], width: int) -> tuple[list[int], int]:
    """Return each column's cells, and the cells between two columns."""
    widths = [column.least for column in columns]
    between = max(len(columns) - 1, 1)
    gap = min(_GAP, max((width - sum(widths)) // between, _LEAST_GAP))
    spare = width - sum(widths) - gap * (len(columns) - 1)
    for i, column in enumerate(columns):
        more = max(min(column.natural - widths[i], spare), 0)
        widths[i] += more
        spare -= more
    wider = min(max(spare, 0) // between, _WIDEST_GAP - gap)
    if widths:
        widths[0] += max(spare, 0) - wider * (len(columns) - 1)  # so that the last column ends at the right edge
    return widths, gap + wider


def _heading(column: Column, width: int) -> str:
    return column.title.ljust(width) if column.left else column.title.rjust(width)


def _placed(column: Column, cell: Text, width: int, glyphs: Glyphs) -> Text:
    return fit(cell, width, glyphs, left=column.left)


def fit(text: Text, width: int, glyphs: Glyphs, *, left: bool = True) -> Text:
    """Return `text` in exactly `width` cells: padded, or cut with a mark at the end."""
    shown = text.copy()
    if shown.cell_len > width:
        shown.truncate(max(width - 1, 0), overflow="crop")
        shown.append(glyphs.cut[:width])
    padding = width - shown.cell_len
    if left:
        shown.pad_right(padding)
    else:
        shown.pad_left(padding)
    return shown


def joined(parts: Sequence[Text], width: int, gap: int = 3) -> Text:
    """Return as many whole `parts`, in order, as fit on a line of `width` cells; what does not fit is left out."""
    line = Text()
    for part in parts:
        wanted = part.cell_len + (gap if line else 0)
        if part and line.cell_len + wanted <= width:
            line.append(" " * gap if line else "").append_text(part)
    return line
