"""Tables and lines that are fitted to a width by leaving out the least important parts.

Rich's tables shrink all columns if there is not enough room, and wrap or cut their cells. On a trading desk a number
must be complete or absent: :func:`fitted` leaves out whole columns, the least important first, and shortens only
columns for which this is allowed (a description, for example).
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
        Heading of the column.
    cells : sequence of Text
        Cell of each row.
    rank : int, default 0
        Order in which columns are left out, the highest rank first; a column of rank 0 is never left out.
    left : bool, default False
        Whether the cells are aligned left, as text is; numbers are aligned right.
    width : int, default 0
        Minimum width in characters, which keeps the layout stable when the contents change.
    shrinks_to : int, optional
        Width in characters to which the column may be shortened; by default it may not. A column of rank 0 is
        shortened only if no other column can be left out.
    """

    title: str
    cells: Sequence[Text]
    rank: int = 0
    left: bool = False
    width: int = 0
    shrinks_to: int | None = None

    @property
    def natural(self) -> int:
        """Width of the contents, in characters."""
        return max([self.width, len(self.title), *(cell.cell_len for cell in self.cells)])

    @property
    def least(self) -> int:
        """Smallest allowed width, in characters."""
        natural = self.natural
        return natural if self.shrinks_to is None else min(self.shrinks_to, natural)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A table fitted to a width: the headings as one line, and the rows."""

    headings: str
    rows: tuple[Text, ...]


def fitted(columns: Sequence[Column], width: int, glyphs: Glyphs) -> Fitted:
    """Return the table of those columns that fit a width in characters.

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
    """Return the width of each column, and of the gap between two columns."""
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
        widths[0] += max(spare, 0) - wider * (len(columns) - 1)  # aligns the last column with the right edge
    return widths, gap + wider


def _heading(column: Column, width: int) -> str:
    return column.title.ljust(width) if column.left else column.title.rjust(width)


def _placed(column: Column, cell: Text, width: int, glyphs: Glyphs) -> Text:
    return fit(cell, width, glyphs, left=column.left)


def fit(text: Text, width: int, glyphs: Glyphs, *, left: bool = True) -> Text:
    """Return `text` with exactly `width` characters: padded, or cut and marked with an ellipsis."""
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
    """Return a line of those `parts`, in order, that fit a width in characters; parts are never cut."""
    line = Text()
    for part in parts:
        wanted = part.cell_len + (gap if line else 0)
        if part and line.cell_len + wanted <= width:
            line.append(" " * gap if line else "").append_text(part)
    return line
