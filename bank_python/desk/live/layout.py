"""Layout of the panels on the screen, for any terminal of at least 80×24.

A screen is a stack of *bands* of full width: one panel, or two columns of panels side by side. There are three layouts,
and the first that shows all panels is used; if none does, the one that leaves out the least important panels. In each
layout, panels are added one after another, the most important first, as long as all of them fit. So a panel is never
left out in favour of a less important one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rich.text import Text

from bank_python.desk.live.amounts import money, signed_money
from bank_python.desk.live.columns import fit
from bank_python.desk.live.pane import beside
from bank_python.desk.live.panel import Panel, Place
from bank_python.desk.live.panels import PANELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import DeskView

__all__ = ["LEAST_HEIGHT", "LEAST_WIDTH", "arranged"]

LEAST_WIDTH, LEAST_HEIGHT = 80, 24

_WIDE_FROM, _HIGH_FROM = 140, 36
_STRIP = 4  # lines of a panel of full width
_ROOMY_STRIP = 6
_MAIN_NARROW, _MAIN_WIDER_BY = 51, 0.5
_LEFT_SHARE = 0.58

_Column: TypeAlias = tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class _Screen:
    """The view to display, and the size of the screen."""

    view: DeskView
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Band:
    """A part of the screen of full width: one column of panels, or two, the left one `split` characters wide."""

    height: int
    left: _Column
    right: _Column = ()
    split: int = 0


_Layout: TypeAlias = "Callable[[_Screen, Sequence[Panel]], list[_Band] | None]"


def arranged(view: DeskView, width: int, height: int, glyphs: Glyphs, panels: Sequence[Panel] = PANELS) -> list[Text]:
    """Return the whole screen: exactly `height` lines of exactly `width` characters.

    Parameters
    ----------
    view : DeskView
        View of the desk to display.
    width, height : int
        Size of the terminal in characters and lines. Below 80×24 the screen has only the firm's value and P&L, and the
        required size.
    glyphs : Glyphs
        Characters to draw with. The texts of the view are cleaned with them (:meth:`Glyphs.legible`).
    panels : sequence of Panel, optional
        Panels to show, in order of position; those that do not fit are left out, the least important first.
    """
    view = glyphs.legible(view)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return _too_small(view, width, height, glyphs)
    screen = _Screen(view, width, height)
    panels = [panel for panel in panels if panel.is_needed is None or panel.is_needed(view)]
    layouts = [_tall, _short] if width < _WIDE_FROM or height < _HIGH_FROM else [_wide, _tall, _short]
    tried = [_chosen(screen, layout, panels) for layout in layouts]
    bands, _ = min(tried, key=lambda result: result[1])
    return [line for band in bands for line in _drawn(screen, band, glyphs)]


# --- choice of panels ------------------------------------------------------------------------------


def _chosen(screen: _Screen, layout: _Layout, panels: Sequence[Panel]) -> tuple[list[_Band], list[int]]:
    """Return the bands of the panels that fit, and the negative priorities of the others, most important first."""
    chosen: set[str] = set()
    bands: list[_Band] = [_Band(screen.height, ())]
    for panel in sorted(panels, key=lambda panel: panel.priority):
        tried = layout(screen, [other for other in panels if other.title in chosen or other is panel])
        if tried is not None and _fits(screen, tried) and _leaves_main_whole(screen, panel, tried):
            chosen.add(panel.title)
            bands = tried
    return bands, [-priority for priority in sorted(panel.priority for panel in panels if panel.title not in chosen)]


def _fits(screen: _Screen, bands: Sequence[_Band]) -> bool:
    return all(
        _least(column) <= band.height and all(panel.width <= width for panel in column)
        for band in bands
        for column, width in _columns(screen, band)
    )


def _leaves_main_whole(screen: _Screen, panel: Panel, bands: Sequence[_Band]) -> bool:
    """Whether MAIN shows everything, if the panel asks for that."""
    if not panel.needs_whole_main:
        return True
    columns = [(column, band.height) for band in bands for column in (band.left, band.right) if column]
    return all(
        _complete(screen, main) + _least(column) - _least(main) <= height
        for column, height in columns
        if (main := _of(column, Place.MAIN))
    )


def _columns(screen: _Screen, band: _Band) -> list[tuple[_Column, int]]:
    """Return the columns of a band with their widths; a single column has the whole width."""
    if band.left and band.right:
        return [(band.left, band.split), (band.right, screen.width - band.split)]
    return [(band.left or band.right, screen.width)]


def _least(column: _Column) -> int:
    return sum(panel.height for panel in column)


def _complete(screen: _Screen, column: _Column) -> int:
    """Return the lines that a column needs to show everything, with the minimum for panels that can always use more."""
    whole = [panel.complete_at(screen.view) if panel.complete_at else 0 for panel in column]
    return sum(max(panel.height, lines) for panel, lines in zip(column, whole, strict=True))


def _of(panels: Sequence[Panel], place: Place) -> _Column:
    return tuple(panel for panel in panels if panel.place is place)


# --- the three layouts; None if one does not apply ---------------------------------------------------


def _wide(screen: _Screen, panels: Sequence[Panel]) -> list[_Band] | None:
    """Place FOOT beside MAIN, and below them SIDE beside LOWER."""
    head, main, side, lower, foot = (_of(panels, place) for place in Place)
    strips = _strips(head, _ROOMY_STRIP)
    body = screen.height - sum(strip.height for strip in strips)
    split = int(screen.width * _LEFT_SHARE)
    below = max(_least(side), _least(lower))
    upper = min(max(_complete(screen, main), _least(foot)), body - below) if below else body
    if not main and not foot:
        upper = 0
    return [*strips, _Band(upper, main, foot, split), _Band(body - upper, side, lower, split)]


def _tall(screen: _Screen, panels: Sequence[Panel]) -> list[_Band] | None:
    """Place LOWER below a MAIN of full height, and SIDE beside both."""
    head, main, side, lower, foot = (_of(panels, place) for place in Place)
    above, below = _strips(head, _STRIP), _strips(foot, _STRIP)
    body = screen.height - sum(strip.height for strip in (*above, *below))
    if lower and _complete(screen, main) + _least(lower) > body:
        return None
    return [*above, _Band(body, (*main, *lower), side, _narrow(screen)), *below]


def _short(screen: _Screen, panels: Sequence[Panel]) -> list[_Band] | None:
    """Place LOWER below SIDE, and both beside MAIN."""
    head, main, side, lower, foot = (_of(panels, place) for place in Place)
    above, below = _strips(head, _STRIP), _strips(foot, _STRIP)
    body = screen.height - sum(strip.height for strip in (*above, *below))
    return [*above, _Band(body, main, (*side, *lower), _narrow(screen)), *below]


def _strips(panels: Sequence[Panel], height: int) -> list[_Band]:
    return [_Band(max(height, panel.height), (panel,)) for panel in panels]


def _narrow(screen: _Screen) -> int:
    return int(_MAIN_NARROW + (screen.width - LEAST_WIDTH) * _MAIN_WIDER_BY)


# --- drawing ---------------------------------------------------------------------------------------


def _drawn(screen: _Screen, band: _Band, glyphs: Glyphs) -> list[Text]:
    if not band.left and not band.right:
        return [Text(" " * screen.width) for _ in range(band.height)]
    drawn = [_drawn_column(screen, column, width, band.height, glyphs) for column, width in _columns(screen, band)]
    return drawn[0] if len(drawn) == 1 else beside(*drawn)


def _drawn_column(screen: _Screen, column: _Column, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    heights = _shared_out(screen, column, height)
    return [
        line
        for panel, lines in zip(column, heights, strict=True)
        for line in panel.draw(screen.view, width, lines, glyphs)
    ]


def _shared_out(screen: _Screen, column: _Column, height: int) -> list[int]:
    """Return the lines of each panel: as many as panels of limited height need, and the rest shared by the others."""
    lines = [panel.height for panel in column]
    spare = height - sum(lines)
    growing = [i for i, panel in enumerate(column) if panel.complete_at is None] or [0]
    for i, panel in enumerate(column):
        if i not in growing:
            more = min(_complete(screen, (panel,)) - lines[i], spare)
            lines[i] += more
            spare -= more
    share = (sum(lines[i] for i in growing) + spare) // (len(growing) + 1)
    for i in growing[1:]:
        more = min(max(share - lines[i], 0), spare)
        lines[i] += more
        spare -= more
    lines[growing[0]] += spare
    return lines


def _too_small(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    lines = [
        Text(f"The desk needs {LEAST_WIDTH}x{LEAST_HEIGHT}, this is {width}x{height}."),
        Text.assemble("Value $ ", money(view.firm.value, glyphs)),
        Text.assemble("P&L $ ", signed_money(view.firm.pnl, glyphs)),
    ]
    return [fit(line, width, glyphs) for line in [*lines, *[Text()] * height][:height]]
