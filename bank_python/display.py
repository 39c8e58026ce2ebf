"""Results as people see them: one drawing for the terminal, for ``repr`` and for notebooks.

A class that can be shown has a ``__rich__``, which returns what Rich draws. :class:`Displayed` derives the other two
forms from it, so that there is no second set of tables: ``repr`` is the drawing as plain text, at most 20 lines of it,
and ``_repr_html_`` the drawing as HTML, with a small picture below where the class can be plotted.

Examples
--------
>>> from rich.text import Text
>>> class Quote(Displayed):
...     def __rich__(self):
...         return Text("AAPL 228.00")
>>> Quote()
AAPL 228.00
>>> "AAPL 228.00" in Quote()._repr_html_()
True
"""

from __future__ import annotations

import dataclasses
import html
import io
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.segment import Segment
    from rich.terminal_theme import TerminalTheme

__all__ = ["Displayed", "Record", "as_html", "as_text", "entry_text", "short_text"]

WIDTH = 100
TEXT_LINES = 20
HTML_LINES = 40

_FEW = 3  # lines that are not worth leaving out
_MOST_ENTRIES = (100, 8, 0)
_LONGEST_RECORD = 2_000

_WAYS_ON = ("to_table", "to_pandas", "to_csv", "to_json", "plot")
_FONT = "Menlo,'DejaVu Sans Mono',Consolas,monospace"
_PRE = (
    f'<pre style="white-space:pre;overflow-x:auto;line-height:1.15;margin:0;background:transparent;'
    f'font-family:{_FONT};font-size:12px">{{code}}</pre>'
)


class Displayed:
    """A class whose instances Rich can draw: shown the same way as text and in notebooks."""

    __slots__ = ()

    def __rich__(self) -> object:
        """Return the drawing, for :func:`rich.print` and consoles."""
        raise NotImplementedError(f"{type(self).__name__} defines no __rich__")

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


class Record(Displayed):
    """A dataclass: shown with its fields one per line, while its ``repr`` is that of dataclasses, kept short.

    Arrays and containers are written out as long as the whole stays short, else by their size.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Path(Record):
    ...     name: str
    ...     levels: tuple[float, ...]
    >>> Path("SPY", (1.0, 2.0))
    Path(name='SPY', levels=(1.0, 2.0))
    >>> Path("SPY", (1.0,) * 5_000)
    Path(name='SPY', levels=<tuple of 5,000>)
    """

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written: Any = getattr(cls, "__repr__", None)
        if _is_given(written):
            cls.__repr__ = Record.__repr__  # type: ignore[method-assign]  # @dataclass keeps it

    def __rich__(self) -> object:
        from bank_python.render_objects import fields_view

        return fields_view(self)

    def __repr__(self) -> str:
        return short_text(self)


def _is_given(written: Any) -> bool:
    """Whether a ``repr`` is that of records, or one that @dataclass has written, which is wrapped."""
    return written is Record.__repr__ or hasattr(written, "__wrapped__")


def short_text(record: Any) -> str:
    """Return the text of a dataclass or a named tuple with its fields; long ones are given by their size.

    Parameters
    ----------
    record : dataclass or named tuple
        Value to describe.
    """
    said = ""
    for most in _MOST_ENTRIES:
        said = _fields_as_text(record, most)
        if len(said) <= _LONGEST_RECORD and said.count("\n") < TEXT_LINES:
            return said
    return f"{said[: _LONGEST_RECORD - 1].replace(chr(10), ' ')}…"


def _fields_as_text(record: Any, most: int) -> str:
    if dataclasses.is_dataclass(record):
        names = [field.name for field in dataclasses.fields(record) if field.repr]
    else:
        names = record._fields
    values = [f"{name}={entry_text(getattr(record, name), most)}" for name in names]
    return f"{type(record).__qualname__}({', '.join(values)})"


def entry_text(value: Any, most: int) -> str:
    """Return the ``repr`` of a value; functions by their names, arrays and containers by their size if it is large.

    Parameters
    ----------
    value : object
        Value to describe.
    most : int
        Largest number of entries that are written out.
    """
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape and getattr(value, "size", 0) > most:
        return f"<{kind} of {' × '.join(f'{length:,}' for length in shape)}>"
    if isinstance(value, tuple | list | set | frozenset | Mapping) and len(value) > most:
        return f"<{kind} of {len(value):,}>"
    if getattr(type(value), "__repr__", None) is object.__repr__ or (callable(value) and not isinstance(value, type)):
        return f"<{getattr(value, '__qualname__', kind)}>"
    return repr(value)


def as_text(shown: object, width: int = WIDTH, lines: int = TEXT_LINES) -> str:
    """Return the drawing of an object as plain text.

    Parameters
    ----------
    shown : object
        Object with a ``__rich__``, or anything else that Rich draws.
    width : int, default 100
        Width of a line in characters.
    lines : int, default 20
        Largest number of lines; the last one says how to get the rest.
    """
    drawn = [
        "".join(segment.text for segment in line if not segment.control).rstrip()
        for line in _lines(_console(width), shown)
    ]
    if len(drawn) > lines:
        drawn = [*drawn[: lines - 1], _the_rest(shown, len(drawn) - lines + 1)]
    return "\n".join(drawn)


def as_html(shown: object, width: int = WIDTH, lines: int = HTML_LINES, *, picture: bool = True) -> str:
    """Return the drawing of an object as HTML, readable on light and dark pages.

    Parameters
    ----------
    shown : object
        Object with a ``__rich__``, or anything else that Rich draws; one with a ``_picture_`` is followed by it.
    width : int, default 100
        Width of a line in characters.
    lines : int, default 40
        Number of lines of text from which on the rest is left out; below them stands how to get it.
    picture : bool, default True
        Whether the picture follows, if there is one.
    """
    from rich.segment import Segments

    console = _console(width)
    drawn = _lines(console, shown)
    if len(drawn) <= lines + _FEW:
        lines = len(drawn)
    console.print(Segments([segment for line in drawn[:lines] for segment in (*line, _line_end())]), end="")
    page = console.export_html(theme=_theme(), inline_styles=True, code_format=_PRE)
    left = len(drawn) - lines
    note = f'<div style="font-size:11px;opacity:.7">{html.escape(_the_rest(shown, left))}</div>' if left > 0 else ""
    draw = getattr(shown, "_picture_", None) if picture else None
    return f"<div>{page}{note}{'' if draw is None else draw()}</div>"


def _console(width: int) -> Console:
    from rich.console import Console

    return Console(
        file=io.StringIO(),
        record=True,
        width=width,
        force_terminal=True,
        force_jupyter=False,
        color_system="truecolor",
        legacy_windows=False,
        highlight=False,
        markup=False,
    )


def _lines(console: Console, shown: Any) -> list[list[Segment]]:
    drawn = console.render_lines(shown, console.options, pad=False)
    while drawn and not "".join(segment.text for segment in drawn[-1]).strip():
        drawn.pop()
    return drawn


def _line_end() -> Segment:
    from rich.segment import Segment

    return Segment.line()


def _the_rest(shown: object, left: int) -> str:
    ways = [f"{name}()" for name in _WAYS_ON if hasattr(shown, name)]
    return f"… {left:,} more lines" + (f"; {', '.join(ways)} for all of it" if ways else "")


@cache
def _theme() -> TerminalTheme:
    """Return colours that stand out from white and from black pages alike."""
    from rich.terminal_theme import TerminalTheme

    black, red, green, yellow = (110, 110, 110), (208, 60, 60), (30, 140, 70), (170, 120, 0)
    blue, magenta, cyan, white = (60, 120, 216), (170, 80, 190), (0, 135, 150), (128, 128, 128)
    colours = [black, red, green, yellow, blue, magenta, cyan, white]
    return TerminalTheme((150, 150, 150), (110, 110, 110), colours, colours)
