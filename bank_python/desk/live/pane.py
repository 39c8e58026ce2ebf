"""A pane: a frame with a title and its table's headings in the border, exactly as large as it is told to be.

Headings stand in the upper border and the legend in the lower one, because on a screen of 24 lines fourteen traders
and four other panels leave no line for them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.columns import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.live.glyphs import Glyphs

__all__ = ["BORDER_HEIGHT", "BORDER_WIDTH", "beside", "pane"]

BORDER_WIDTH = 4
"""Cells that the frame and its inner margins take from the width."""
BORDER_HEIGHT = 2
"""Lines that the frame takes from the height."""

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
    """Return `height` lines of `width` cells: a frame around `lines`.

    Parameters
    ----------
    title : str
        Stands in the upper border, over the first column.
    lines : sequence of Text
        Cut and filled up to fit.
    width, height : int
        Cells and lines, the frame included.
    glyphs : Glyphs
        What to draw with.
    headings : str, default ""
        A table's headings, shown in the upper border above their columns; one under the title is left out.
    legend : str, default ""
        Stands in the lower border.
    """
    inside = max(width - BORDER_WIDTH, 0)
    shown = [*lines, *[Text()] * height][: max(height - BORDER_HEIGHT, 0)]
    edge = Text(glyphs.down, style=_LINE)
    body = [Text.assemble(edge, " ", fit(line, inside, glyphs), " ", edge) for line in shown]
    return [_top(title, headings, width, glyphs), *body, _bottom(legend, width, glyphs)]


def beside(left: Sequence[Text], right: Sequence[Text]) -> list[Text]:
    """Return two panes of one height side by side."""
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
    return _engraved(line, 1, f" {legend} ", "dim") if legend and len(legend) + BORDER_WIDTH <= width else line


def _border(corners: str, width: int, glyphs: Glyphs) -> Text:
    return Text(corners[0] + glyphs.across * (width - 2) + corners[1], style=_LINE)


def _engraved(line: Text, at: int, words: str, style: str) -> Text:
    return Text.assemble(line[:at], (words, style), line[at + len(words) :])
