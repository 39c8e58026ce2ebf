"""Tables for a terminal; all result tables of the library are drawn by this module.

A :class:`Sheet` has a title, typed columns, rows and notes. Its layout is computed when it is displayed. If the
terminal is too narrow for all columns, the following is done, in this order:

1. headings are broken at blanks, and long texts into lines;
2. names longer than 32 characters, or than their share of half the line, are cut with an ellipsis;
3. bars are shortened, then left out;
4. the columns are split into several tables one below the other, each with the names repeated.

Numbers are never cut, and no line is longer than the terminal is wide. All texts are cleaned of control characters
(:func:`bank_python.terminal.clean`) and are not interpreted as markup.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from bank_python.numerals import MISSING, number
from bank_python.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

__all__ = ["Bar", "Column", "Kind", "Sheet", "bars", "names", "numbers", "shares", "span_bar", "text", "words"]

_MAX_NAME = 32
_MIN_NAME, _MIN_WORDS, _MIN_BAR, _MIN_REMARK = 4, 16, 6, 12
_FULL = "█"


class Kind(Enum):
    """Type of a column, which decides its alignment and how it is shortened."""

    NAME = "name"
    NUMBER = "number"
    SHARE = "share"
    BAR = "bar"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
        Heading of the column; may be empty.
    kind : Kind
        Type of the contents.
    digits : int, default 2
        Number of decimals, of a number or of a percentage.
    sign : bool, default False
        Whether positive percentages have a plus sign.
    width : int, default 0
        Width of a bar in characters if there is room.
    wraps : bool, default False
        Whether a text that is too long is broken into lines; otherwise it is cut with an ellipsis.
    """

    title: str
    kind: Kind
    digits: int = 2
    sign: bool = False
    width: int = 0
    wraps: bool = False


def names(title: str = "") -> Column:
    """Return a column of names: aligned left, on one line, and repeated if the sheet is split into several tables."""
    return Column(title, Kind.NAME)


def numbers(title: str = "", digits: int = 2) -> Column:
    """Return a column of numbers; see :func:`bank_python.numerals.number`."""
    return Column(title, Kind.NUMBER, digits)


def shares(title: str = "", digits: int = 1, *, sign: bool = False) -> Column:
    """Return a column of fractions of 1, shown as percentages."""
    return Column(title, Kind.SHARE, digits, sign)


def bars(title: str = "", width: int = 24) -> Column:
    """Return a column of :class:`Bar`, `width` characters wide if there is room."""
    return Column(title, Kind.BAR, width=width)


def words(title: str = "", *, wraps: bool = True) -> Column:
    """Return a column of text; if it is too long, it is broken into lines, or cut if `wraps` is False."""
    return Column(title, Kind.WORDS, wraps=wraps)


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar, scaled to the width of its column.

    Parameters
    ----------
    start, end : float
        Ends of the bar as fractions of the column's width, in [0, 1].
    style : str, default ""
        Colour of the bar.
    rest : str, default ""
        Character that fills the column after the bar.
    mark : bool, default False
        Whether a bar of zero length is shown as a vertical line.
    """

    start: float
    end: float
    style: str = ""
    rest: str = ""
    mark: bool = False

    @classmethod
    def of(cls, value: float, widest: float) -> Bar:
        """Return a bar of length ``|value| / widest``, green for a positive value and red otherwise."""
        length = min(abs(value) / widest, 1.0) if widest > 0.0 else 0.0
        return cls(0.0, 0.0 if math.isnan(length) else length, "green" if value > 0.0 else "red")

    def drawn(self, width: int) -> Text:
        """Return the bar as text of at most `width` characters."""
        left, right = sorted((round(self.start * width), round(self.end * width)))
        if left == right and self.mark:
            return Text(" " * min(left, width - 1) + "│")
        bar = Text(" " * left).append(_FULL * (right - left), style=self.style)
        return bar.append(self.rest * (width - right), style=self.style)


def span_bar(known: Sequence[float], origin: float, value: float) -> Bar:
    """Return the bar from `origin` to `value` on the axis of the `known` values; an infinite value is clipped."""
    low, high = min(known, default=0.0), max(known, default=0.0)
    if not high > low:
        return Bar(0.0, 0.0, mark=True)
    value = min(max(value, low), high)
    start, end = ((x - low) / (high - low) for x in (origin, value))
    return Bar(start, end, "green" if end > start else "red", mark=True)


def text(content: object, style: str = "") -> Text:
    """Return the text of an object for a terminal: cleaned, on one line, and not interpreted as markup."""
    return Text(clean(str(content)), style=style)


@dataclass(slots=True, eq=False)
class Sheet:
    """A table of results.

    Parameters
    ----------
    title : str
        Title above the table; may be empty.
    columns : sequence of Column
        Columns from left to right.
    framed : bool, default True
        Whether the table has a frame; not needed inside a panel.
    title_style : str, default "bold"
        Style of the title.
    lists_notes : bool, default False
        Whether each note begins a line; otherwise they follow one another.

    Examples
    --------
    >>> from rich.console import Console
    >>> sheet = Sheet("Weights", [names("Ticker"), shares("Weight"), bars(width=8)])
    >>> sheet.add("SPY", 0.6, Bar.of(0.6, 0.6))
    >>> sheet.add("BND", 0.4, Bar.of(0.4, 0.6))
    >>> Console(width=40).print(sheet)
    Weights
    ┏━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━┓
    ┃ Ticker ┃ Weight ┃          ┃
    ┡━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━┩
    │ SPY    │  60.0% │ ████████ │
    │ BND    │  40.0% │ █████    │
    └────────┴────────┴──────────┘
    """

    title: str
    columns: Sequence[Column]
    framed: bool = True
    title_style: str = "bold"
    rows: list[list[Text | Bar]] = field(default_factory=list)
    rules: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    lists_notes: bool = False

    def add(self, *cells: object) -> None:
        """Add a row of numbers, texts, :class:`Bar` or :class:`rich.text.Text`; ``None`` is shown as a dash.

        Raises
        ------
        ValueError
            The numbers of cells and columns differ.
        """
        if len(cells) != len(self.columns):
            raise ValueError(
                f"{self.title!r}: a row has {len(cells)} cells, but there are {len(self.columns)} columns; give one "
                "cell for each column"
            )
        self.rows.append([_cell(column, value) for column, value in zip(self.columns, cells, strict=True)])

    def rule(self) -> None:
        """Add a horizontal line below the last row."""
        self.rules.add(len(self.rows))

    def note(self, remark: str) -> None:
        """Add a remark below the table."""
        self.notes.append(remark)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the table, fitted to the width of the console."""
        if self.title:
            yield text(self.title, self.title_style)
        for part, widths in self._parts(options.max_width):
            yield self._table(part, widths)
        for line in self._note_lines():
            yield text(line, "dim italic")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the minimum and the preferred width."""
        indices = range(len(self.columns))
        texts = [cell_len(clean(line)) for line in (self.title, *self._note_lines())]
        wanted = max([sum(map(self._natural, indices)) + self._frame(len(self.columns)), *texts])
        return Measurement(1, max(wanted, 1)).with_maximum(options.max_width)

    def _note_lines(self) -> list[str]:
        """Return the notes as one text, or each below the other."""
        if self.lists_notes:
            return [f"· {note}" for note in self.notes]
        return ["; ".join(self.notes)] if self.notes else []

    # --- widths ---------------------------------------------------------------------------------------

    def _frame(self, count: int) -> int:
        """Return the width of the lines and margins of `count` columns."""
        return 3 * count + 1 if self.framed else 2 * count

    def _cells(self, i: int) -> list[Text]:
        """Return the texts of a column, without its bars."""
        return [cell for row in self.rows if isinstance(cell := row[i], Text)]

    def _natural(self, i: int) -> int:
        column = self.columns[i]
        longest = max((cell.cell_len for cell in self._cells(i)), default=0)
        return max(longest, cell_len(clean(column.title)), column.width, 1)

    def _least(self, i: int) -> int:
        """Return the minimum width of a column; 0 if it may be left out."""
        column, natural = self.columns[i], self._natural(i)
        longest = max((cell.cell_len for cell in self._cells(i)), default=0)
        if column.kind is Kind.BAR:
            return min(longest, _MIN_REMARK)
        heading = max(map(cell_len, clean(column.title).split()), default=1)
        least = max(min(longest, _MIN_WORDS) if column.kind is Kind.WORDS else longest, heading, 2)
        return min(least, natural)

    def _keys(self) -> list[int]:
        """Return the columns that identify the rows."""
        return [i for i, column in enumerate(self.columns) if column.kind is Kind.NAME] or [0]

    def _parts(self, width: int) -> list[tuple[list[int], list[int]]]:
        """Return the tables that the sheet is split into at a width, each with its columns and their widths."""
        everything = list(range(len(self.columns)))
        keys = self._keys()
        room = max(width - self._frame(len(keys)), 1)
        least = {i: self._least(i) for i in everything if i not in keys}
        most = sum(self._natural(i) if self.columns[i].kind is not Kind.NAME else 0 for i in keys)
        short = _shared({i: min(self._natural(i), _MAX_NAME) for i in keys}, max(room // 2, most))
        least |= short
        if self._total(everything, {**least, **self._short_bars(everything)}) <= width:
            return [self._stretched(everything, {**least, **self._short_bars(everything)}, width)]
        return [self._stretched(part, least, width) for part in self._split(least, keys, width)]

    def _short_bars(self, part: Sequence[int]) -> dict[int, int]:
        shortest = {i: max(self._least(i), _MIN_BAR) for i in part if self.columns[i].kind is Kind.BAR}
        return {i: min(cells, self._natural(i)) for i, cells in shortest.items()}

    def _total(self, part: Sequence[int], widths: dict[int, int]) -> int:
        shown = [widths[i] for i in part if widths[i]]
        return sum(shown) + self._frame(len(shown))

    def _split(self, least: dict[int, int], keys: list[int], width: int) -> list[list[int]]:
        """Return the columns of each table: as many as fit, with the identifying ones in all tables."""
        others = [i for i in range(len(self.columns)) if i not in keys and least[i]]
        greedy = self._distributed(others, least, keys, width, len(others))
        even = self._distributed(others, least, keys, width, -(-len(others) // len(greedy)) if greedy else 1)
        return (even if len(even) == len(greedy) else greedy) or [keys]

    def _distributed(
        self, others: list[int], least: dict[int, int], keys: list[int], width: int, most: int
    ) -> list[list[int]]:
        """Return tables of at most `most` columns beside the identifying ones."""
        parts: list[list[int]] = []
        for i in others:
            if parts and len(parts[-1]) < most + len(keys) and self._total([*parts[-1], i], least) <= width:
                parts[-1].append(i)
            else:
                parts.append(sorted([*keys, i]))
        return parts

    def _stretched(self, part: list[int], least: dict[int, int], width: int) -> tuple[list[int], list[int]]:
        """Widen the columns of a table to fill the width: names first, up to a limit, then numbers, texts and bars."""
        shown = [i for i in part if least[i]]
        room = max(width - self._frame(len(shown)), 1)
        widths = {i: least[i] for i in shown}
        if sum(widths.values()) > room:
            widths = self._squeezed(widths, room)
        for kind, most in _ORDER:
            wanted = {i: max(min(self._natural(i), most) - widths[i], 0) for i in shown if self.columns[i].kind is kind}
            more = _shared(wanted, room - sum(widths.values()), at_least=0)
            widths |= {i: widths[i] + cells for i, cells in more.items()}
        return shown, [widths[i] for i in shown]

    def _squeezed(self, widths: dict[int, int], room: int) -> dict[int, int]:
        """Shorten columns that do not fit even at their minimum widths: names first, down to a limit."""
        named = {i: cells for i, cells in widths.items() if self.columns[i].kind is Kind.NAME}
        others = {i: cells for i, cells in widths.items() if i not in named}
        short = _shared(named, max(room - sum(others.values()), _MIN_NAME * len(named)))
        return short | _shared(others, max(room - sum(short.values()), len(others)))

    # --- drawing --------------------------------------------------------------------------------------

    def _table(self, part: Sequence[int], widths: Sequence[int]) -> RichTable:
        frame = box.HEAVY_HEAD if self.framed else None
        headed = any(self.columns[i].title for i in part)
        drawn = RichTable(box=frame, show_header=headed, header_style="bold" if self.framed else "dim", padding=(0, 1))
        for i, width in zip(part, widths, strict=True):
            column = self.columns[i]
            heading = Text(clean(column.title), no_wrap=column.kind is Kind.BAR, overflow="ellipsis")
            drawn.add_column(heading, justify="right" if column.kind in _ON_THE_RIGHT else "left", width=width)
        for count, row in enumerate(self.rows, start=1):
            shown = [_placed(row[i], self.columns[i], width) for i, width in zip(part, widths, strict=True)]
            drawn.add_row(*shown, end_section=count in self.rules)
        return drawn


_ORDER = (
    (Kind.NAME, _MAX_NAME),
    (Kind.NUMBER, sys.maxsize),
    (Kind.SHARE, sys.maxsize),
    (Kind.WORDS, sys.maxsize),
    (Kind.BAR, sys.maxsize),
    (Kind.NAME, sys.maxsize),
)
_ON_THE_RIGHT = frozenset({Kind.NUMBER, Kind.SHARE})


def _shared(wanted: dict[int, int], room: int, at_least: int = 1) -> dict[int, int]:
    """Divide `room`: requests below an equal share are met in full, and the others share the rest."""
    given: dict[int, int] = {}
    for done, i in enumerate(sorted(wanted, key=lambda i: wanted[i])):
        given[i] = max(min(wanted[i], (room - sum(given.values())) // (len(wanted) - done)), at_least)
    return {i: given[i] for i in wanted}


def _cell(column: Column, value: object) -> Text | Bar:
    if isinstance(value, Bar):
        return value
    if isinstance(value, Text):
        return value if value.plain == clean(value.plain) else Text(clean(value.plain), style=value.style)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Text(MISSING)
    if column.kind is Kind.SHARE and isinstance(value, float):
        return Text(f"{value:{'+' if column.sign else ''}.{column.digits}%}")
    return Text(clean(value if isinstance(value, str) else number(value, column.digits)))


def _placed(cell: Text | Bar, column: Column, width: int) -> Text:
    """Return a cell fitted to the width of its column."""
    if isinstance(cell, Bar):
        return cell.drawn(width)
    shown = cell.copy()
    shown.no_wrap, shown.overflow = not column.wraps, "fold" if column.wraps else "ellipsis"
    return shown
