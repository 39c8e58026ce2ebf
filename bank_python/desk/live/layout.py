"""Where the panels stand, for any size of terminal from 80×24 up.

A screen is a pile of *bands*, each as wide as the screen: one panel across it, or two columns of panels side by side.
There are three ways to lay out a screen, and the first that leaves no panel out is taken. In each, panels are taken in
one after another, the most important first, as long as all that are in fit; so a panel that finds no room is left out,
and never another one that matters more.
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
_STRIP = 4  # lines of a panel that is one strip across the screen
_ROOMY_STRIP = 6
_MAIN_NARROW, _MAIN_WIDER_BY = 51, 0.5
_LEFT_SHARE = 0.58

_Column: TypeAlias = tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class _Screen:
    """What is shown, and the size it is shown in."""

    view: DeskView
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Band:
    """Part of the screen, as wide as it is: panels in one column, or in two of which the left is `split` cells wide."""

    height: int
    left: _Column
    right: _Column = ()
    split: int = 0


_Way: TypeAlias = "Callable[[_Screen, Sequence[Panel]], list[_Band] | None]"


def arranged(view: DeskView, width: int, height: int, glyphs: Glyphs, panels: Sequence[Panel] = PANELS) -> list[Text]:
    """Return the whole screen: exactly `height` lines of exactly `width` cells.

    Parameters
    ----------
    view : DeskView
        The desk.
    width, height : int
        Of the terminal. Below 80×24 only the firm's value and P&L are shown, and what size is needed.
    glyphs : Glyphs
        What to draw with; no character beyond theirs and no control reaches a panel (:meth:`Glyphs.legible`).
    panels : sequence of Panel, optional
        What is to be shown, in the order of standing; those that do not fit are left out, the least important first.
    """
    view = glyphs.legible(view)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return _too_small(view, width, height, glyphs)
    screen = _Screen(view, width, height)
    ways = [_tall, _short] if width < _WIDE_FROM or height < _HIGH_FROM else [_wide, _tall, _short]
    taken = [_taken_in(screen, way, panels) for way in ways]
    bands, _ = min(taken, key=lambda found: found[1])
    return [line for band in bands for line in _drawn(screen, band, glyphs)]


# --- which panels ----------------------------------------------------------------------------------


def _taken_in(screen: _Screen, way: _Way, panels: Sequence[Panel]) -> tuple[list[_Band], list[int]]:
    """Return the bands of the panels that fit, and the priorities of the others, negative, the most important first."""
    chosen: set[str] = set()
    bands: list[_Band] = [_Band(screen.height, ())]
    for panel in sorted(panels, key=lambda panel: panel.priority):
        tried = way(screen, [one for one in panels if one.title in chosen or one is panel])
        if tried is not None and _fits(screen, tried):
            chosen.add(panel.title)
            bands = tried
    return bands, [-priority for priority in sorted(panel.priority for panel in panels if panel.title not in chosen)]


def _fits(screen: _Screen, bands: Sequence[_Band]) -> bool:
    return all(
        _least(column) <= band.height and all(panel.width <= width for panel in column)
        for band in bands
        for column, width in _columns(screen, band)
    )


def _columns(screen: _Screen, band: _Band) -> list[tuple[_Column, int]]:
    """Return a band's columns with their widths; one that is empty leaves the other the whole width."""
    if band.left and band.right:
        return [(band.left, band.split), (band.right, screen.width - band.split)]
    return [(band.left or band.right, screen.width)]


def _least(column: _Column) -> int:
    return sum(panel.height for panel in column)


def _complete(screen: _Screen, column: _Column) -> int:
    """Return the lines at which a column shows everything; its least ones where more lines always show more."""
    whole = [panel.complete_at(screen.view) if panel.complete_at else 0 for panel in column]
    return sum(max(panel.height, lines) for panel, lines in zip(column, whole, strict=True))


def _of(panels: Sequence[Panel], place: Place) -> _Column:
    return tuple(panel for panel in panels if panel.place is place)


# --- three ways to lay out a screen; None where one does not apply ----------------------------------


def _wide(screen: _Screen, panels: Sequence[Panel]) -> list[_Band] | None:
    """Put FOOT beside MAIN, and below them LOWER beside SIDE."""
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
    """Put LOWER below a MAIN that shows everything, beside SIDE."""
    head, main, side, lower, foot = (_of(panels, place) for place in Place)
    above, below = _strips(head, _STRIP), _strips(foot, _STRIP)
    body = screen.height - sum(strip.height for strip in (*above, *below))
    if lower and _complete(screen, main) + _least(lower) > body:
        return None
    return [*above, _Band(body, (*main, *lower), side, _narrow(screen)), *below]


def _short(screen: _Screen, panels: Sequence[Panel]) -> list[_Band] | None:
    """Put LOWER below SIDE, beside a MAIN as high as there is room."""
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
    """Return the lines of each panel: first what completes one, then a share for each that goes on growing."""
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
    said = [
        Text(f"The desk needs {LEAST_WIDTH}x{LEAST_HEIGHT}, this is {width}x{height}."),
        Text.assemble("Value $ ", money(view.firm.value, glyphs)),
        Text.assemble("P&L $ ", signed_money(view.firm.pnl, glyphs)),
    ]
    return [fit(line, width, glyphs) for line in [*said, *[Text()] * height][:height]]
