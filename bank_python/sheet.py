"""A result as a table in a terminal: the one place where result tables get their style and their widths.

A :class:`Sheet` has a title, columns by kind, rows and notes. It knows how wide the terminal is only when it is shown.
Where that is too narrow for everything side by side, it gives way in this order:

1. headings break at their blanks, and long texts into lines;
2. names longer than 32 cells, or than their share of half the line, end in an ellipsis;
3. bars get shorter, then go;
4. the columns are told in several tables one below the other, each with the names again.

Numbers are always whole, and no line is longer than the terminal is wide. What comes from outside is clean
(:func:`bank_python.terminal.clean`), and never markup.
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

_LONGEST_NAME = 32
_LEAST_NAME, _LEAST_WORDS, _LEAST_BAR, _LEAST_REMARK = 4, 16, 6, 12
_FULL = "█"


class Kind(Enum):
    """What a column holds, which decides on which side it stands and how it gives way."""

    NAME = "name"
    NUMBER = "number"
    SHARE = "share"
    BAR = "bar"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Parameters
    ----------
    title : str
        Its heading; may be empty.
    kind : Kind
        What it holds.
    digits : int
        After the point, of a number or of a share's per cent.
    sign : bool
        Whether what is above 0 has a sign too.
    width : int
        Cells that a bar has where there is room.
    wraps : bool
        Whether a text breaks into lines where there is no room, in the place of ending in an ellipsis.
    """

    title: str
    kind: Kind
    digits: int = 2
    sign: bool = False
    width: int = 0
    wraps: bool = False


def names(title: str = "") -> Column:
    """Return a column of names: on the left, on one line, told again in every table that the sheet needs."""
    return Column(title, Kind.NAME)


def numbers(title: str = "", digits: int = 2) -> Column:
    """Return a column of numbers; see :func:`bank_python.numerals.number`."""
    return Column(title, Kind.NUMBER, digits)


def shares(title: str = "", digits: int = 1, *, sign: bool = False) -> Column:
    """Return a column of shares of 1, told in per cent."""
    return Column(title, Kind.SHARE, digits, sign)


def bars(title: str = "", width: int = 24) -> Column:
    """Return a column of :class:`Bar`, `width` cells wide where there is room."""
    return Column(title, Kind.BAR, width=width)


def words(title: str = "", *, wraps: bool = True) -> Column:
    """Return a column of text, which breaks into lines where there is no room, or is cut if that matters little."""
    return Column(title, Kind.WORDS, wraps=wraps)


@dataclass(frozen=True, slots=True)
class Bar:
    """A length beside others, drawn as wide as its column came out.

    Parameters
    ----------
    start, end : float
        Where it begins and ends, as parts of the column, in [0, 1].
    style : str
        Its colour.
    rest : str
        What fills the column after it.
    mark : bool
        Whether a bar of no length leaves a mark.
    """

    start: float
    end: float
    style: str = ""
    rest: str = ""
    mark: bool = False

    @classmethod
    def of(cls, value: float, widest: float) -> Bar:
        """Return a bar as long as `value` is large, `widest` filling the column: green above 0, else red."""
        length = min(abs(value) / widest, 1.0) if widest > 0.0 else 0.0
        return cls(0.0, 0.0 if math.isnan(length) else length, "green" if value > 0.0 else "red")

    def drawn(self, width: int) -> Text:
        """Return it in at most `width` cells."""
        left, right = sorted((round(self.start * width), round(self.end * width)))
        if left == right and self.mark:
            return Text(" " * min(left, width - 1) + "│")
        bar = Text(" " * left).append(_FULL * (right - left), style=self.style)
        return bar.append(self.rest * (width - right), style=self.style)


def span_bar(known: Sequence[float], origin: float, value: float) -> Bar:
    """Return how far `value` lies from `origin` on an axis of all that is known; an infinite one reaches its end."""
    low, high = min(known, default=0.0), max(known, default=0.0)
    if not high > low:
        return Bar(0.0, 0.0, mark=True)
    value = min(max(value, low), high)
    start, end = ((x - low) / (high - low) for x in (origin, value))
    return Bar(start, end, "green" if end > start else "red", mark=True)


def text(said: object, style: str = "") -> Text:
    """Return words for a terminal: clean, on one line of their own, and never markup."""
    return Text(clean(str(said)), style=style)


@dataclass(slots=True, eq=False)
class Sheet:
    """A result as a table.

    Parameters
    ----------
    title : str
        Stands above it; may be empty.
    columns : sequence of Column
        From left to right.
    framed : bool, default True
        Whether it has lines; without, it is part of a panel that has.
    title_style : str
        Of the title.

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

    def add(self, *cells: object) -> None:
        """Add a row: a number, a text, a :class:`Bar`, or ready-made :class:`rich.text.Text`; ``None`` is a dash.

        Raises
        ------
        ValueError
            There are not as many cells as columns.
        """
        if len(cells) != len(self.columns):
            raise ValueError(
                f"{self.title!r}: a row of {len(cells)} cells for {len(self.columns)} columns; give each one"
            )
        self.rows.append([_cell(column, value) for column, value in zip(self.columns, cells, strict=True)])

    def rule(self) -> None:
        """Draw a line below the rows that there are."""
        self.rules.add(len(self.rows))

    def note(self, said: str) -> None:
        """Say something below the table."""
        self.notes.append(said)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as wide as there is room."""
        if self.title:
            yield text(self.title, self.title_style)
        for part, widths in self._parts(options.max_width):
            yield self._table(part, widths)
        if self.notes:
            yield text("; ".join(self.notes), "dim italic")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Say how wide it would like to be."""
        indices = range(len(self.columns))
        told = [cell_len(clean(said)) for said in (self.title, "; ".join(self.notes))]
        wanted = max([sum(map(self._natural, indices)) + self._frame(len(self.columns)), *told])
        return Measurement(1, max(wanted, 1)).with_maximum(options.max_width)

    # --- widths ---------------------------------------------------------------------------------------

    def _frame(self, count: int) -> int:
        """Return the cells that lines and margins of so many columns take."""
        return 3 * count + 1 if self.framed else 2 * count

    def _cells(self, i: int) -> list[Text]:
        """Return what a column says beside its bars."""
        return [cell for row in self.rows if isinstance(cell := row[i], Text)]

    def _natural(self, i: int) -> int:
        column = self.columns[i]
        said = max((cell.cell_len for cell in self._cells(i)), default=0)
        return max(said, cell_len(clean(column.title)), column.width, 1)

    def _least(self, i: int) -> int:
        """Return the cells without which a column is not worth showing; 0 of one that may go."""
        column, natural = self.columns[i], self._natural(i)
        said = max((cell.cell_len for cell in self._cells(i)), default=0)
        if column.kind is Kind.BAR:
            return min(said, _LEAST_REMARK)
        heading = max(map(cell_len, clean(column.title).split()), default=1)
        least = max(min(said, _LEAST_WORDS) if column.kind is Kind.WORDS else said, heading, 2)
        return min(least, natural)

    def _keys(self) -> list[int]:
        """Return the columns that tell rows apart."""
        return [i for i, column in enumerate(self.columns) if column.kind is Kind.NAME] or [0]

    def _parts(self, width: int) -> list[tuple[list[int], list[int]]]:
        """Return the tables that the sheet needs at a width: the columns of each, and how wide they are."""
        everything = list(range(len(self.columns)))
        keys = self._keys()
        room = max(width - self._frame(len(keys)), 1)
        least = {i: self._least(i) for i in everything if i not in keys}
        most = sum(self._natural(i) if self.columns[i].kind is not Kind.NAME else 0 for i in keys)
        short = _shared({i: min(self._natural(i), _LONGEST_NAME) for i in keys}, max(room // 2, most))
        least |= short
        if self._total(everything, {**least, **self._short_bars(everything)}) <= width:
            return [self._stretched(everything, {**least, **self._short_bars(everything)}, width)]
        return [self._stretched(part, least, width) for part in self._split(least, keys, width)]

    def _short_bars(self, part: Sequence[int]) -> dict[int, int]:
        shortest = {i: max(self._least(i), _LEAST_BAR) for i in part if self.columns[i].kind is Kind.BAR}
        return {i: min(cells, self._natural(i)) for i, cells in shortest.items()}

    def _total(self, part: Sequence[int], widths: dict[int, int]) -> int:
        shown = [widths[i] for i in part if widths[i]]
        return sum(shown) + self._frame(len(shown))

    def _split(self, least: dict[int, int], keys: list[int], width: int) -> list[list[int]]:
        """Return the columns of each table: as many as fit, those that tell rows apart in all of them."""
        others = [i for i in range(len(self.columns)) if i not in keys and least[i]]
        greedy = self._poured(others, least, keys, width, len(others))
        even = self._poured(others, least, keys, width, -(-len(others) // len(greedy)) if greedy else 1)
        return (even if len(even) == len(greedy) else greedy) or [keys]

    def _poured(
        self, others: list[int], least: dict[int, int], keys: list[int], width: int, most: int
    ) -> list[list[int]]:
        """Return tables of at most so many columns beside those that tell rows apart."""
        parts: list[list[int]] = []
        for i in others:
            if parts and len(parts[-1]) < most + len(keys) and self._total([*parts[-1], i], least) <= width:
                parts[-1].append(i)
            else:
                parts.append(sorted([*keys, i]))
        return parts

    def _stretched(self, part: list[int], least: dict[int, int], width: int) -> tuple[list[int], list[int]]:
        """Give the columns of a table what room is left: names first, up to a point, then numbers, texts, bars."""
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
        """Make columns fit that are too wide even alone: names give way first, to a point."""
        named = {i: cells for i, cells in widths.items() if self.columns[i].kind is Kind.NAME}
        others = {i: cells for i, cells in widths.items() if i not in named}
        short = _shared(named, max(room - sum(others.values()), _LEAST_NAME * len(named)))
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
    (Kind.NAME, _LONGEST_NAME),
    (Kind.NUMBER, sys.maxsize),
    (Kind.SHARE, sys.maxsize),
    (Kind.WORDS, sys.maxsize),
    (Kind.BAR, sys.maxsize),
    (Kind.NAME, sys.maxsize),
)
_ON_THE_RIGHT = frozenset({Kind.NUMBER, Kind.SHARE})


def _shared(wanted: dict[int, int], room: int, at_least: int = 1) -> dict[int, int]:
    """Share out room: who wants less than an equal part gets it all, and the others share the rest."""
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
    """Return a cell as it stands in a column of so many cells."""
    if isinstance(cell, Bar):
        return cell.drawn(width)
    shown = cell.copy()
    shown.no_wrap, shown.overflow = not column.wraps, "fold" if column.wraps else "ellipsis"
    return shown
