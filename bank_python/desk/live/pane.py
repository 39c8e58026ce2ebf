"""A pane: a frame of a given size, with the title and the headings of its table in the border.

The headings are in the upper border and the legend is in the lower one, because a screen of 24 lines with fourteen
traders and four other panels has no lines left for them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from bank_python.desk.live.columns import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.live.glyphs import Glyphs

__all__ = ["BORDER_HEIGHT", "BORDER_WIDTH", "beside", "pane"]

BORDER_WIDTH = 4
"""Width of the frame and its inner margins, in characters."""
BORDER_HEIGHT = 2
"""Height of the frame, in lines."""

_LINE = "dim"


def pane(
    title: str,
    lines: Sequence[Text],
    width: int,
    height: int,
    glyphs: Glyphs,
    *,
    headings: str = "",
    legend: str = "",
) -> list[Text]:
    """Return a frame around `lines`, as `height` lines of `width` characters.

    Parameters
    ----------
    title : str
        Title in the upper border, at the left.
    lines : sequence of Text
        Contents, which are cut or padded to fit.
    width, height : int
        Size in characters and lines, including the frame.
    glyphs : Glyphs
        Characters to draw with.
    headings : str, default ""
        Headings of a table, shown in the upper border above their columns, except those under the title.
    legend : str, default ""
        Text in the lower border; left out if it does not fit.
    """
    inside = max(width - BORDER_WIDTH, 0)
    shown = [*lines, *[Text()] * height][: max(height - BORDER_HEIGHT, 0)]
    edge = Text(glyphs.down, style=_LINE)
    body = [Text.assemble(edge, " ", fit(line, inside, glyphs), " ", edge) for line in shown]
    return [_top(title, headings, width, glyphs), *body, _bottom(legend, width, glyphs)]


def beside(left: Sequence[Text], right: Sequence[Text]) -> list[Text]:
    """Return two panes of the same height side by side."""
    return [Text.assemble(a, b) for a, b in zip(left, right, strict=True)]


def _top(title: str, headings: str, width: int, glyphs: Glyphs) -> Text:
    line = _border(glyphs.corners[:2], width, glyphs)
    line = _engraved(line, 1, f" {title} ", "bold")
    taken = len(title) + 3
    for heading in re.finditer(r"\S+(?: \S+)*", headings):
        start = heading.start() + 1
        if start >= taken - 1 and heading.end() <= width - BORDER_WIDTH:
            line = _engraved(line, start, f" {heading.group()} ", "dim")
    return line


def _bottom(legend: str, width: int, glyphs: Glyphs) -> Text:
    line = _border(glyphs.corners[2:], width, glyphs)
    return _engraved(line, 1, f" {legend} ", "dim") if legend and cell_len(legend) + BORDER_WIDTH <= width else line


def _border(corners: str, width: int, glyphs: Glyphs) -> Text:
    return Text(corners[0] + glyphs.across * (width - 2) + corners[1], style=_LINE)


def _engraved(line: Text, at: int, words: str, style: str) -> Text:
    return Text.assemble(line[:at], (words, style), line[at + cell_len(words) :])
