"""The definition of a panel on the live desk: title, minimum size, priority, place and drawing function."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import DeskView

__all__ = ["Panel", "Place"]


class Place(Enum):
    """Position of a panel on the screen; several panels of one place are stacked."""

    HEAD = "head"
    """Across the top."""
    MAIN = "main"
    """Left column."""
    SIDE = "side"
    """Right column; on a wide screen, left column below MAIN."""
    LOWER = "lower"
    """Below MAIN or SIDE, where there is room; on a wide screen, lower half of the right column."""
    FOOT = "foot"
    """Across the bottom; on a wide screen, beside MAIN."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the live desk.

    Parameters
    ----------
    title : str
        Title in the upper border, unique on the screen.
    width, height : int
        Minimum size in characters and lines, including the border; with less room the panel is left out.
    priority : int
        Importance, 1 being the highest. If not all panels fit, those with the largest numbers are left out.
    place : Place
        Position on the screen.
    draw : callable
        Function ``draw(view, width, height, glyphs)`` that returns exactly `height` lines of exactly `width`
        characters. It formats the figures of the view and computes nothing.
    complete_at : callable, optional
        Function of a view that returns the height at which the panel shows everything; further lines go to other
        panels. By default the panel can use any number of lines.
    is_needed : callable, optional
        Function of a view that returns whether there is anything to show; otherwise the panel is left out. By default
        it is always needed.
    needs_whole_main : bool, default False
        Whether the panel is left out where the panels of MAIN would not show everything beside it.
    """

    title: str
    width: int
    height: int
    priority: int
    place: Place
    draw: Callable[[DeskView, int, int, Glyphs], list[Text]]
    complete_at: Callable[[DeskView], int] | None = None
    is_needed: Callable[[DeskView], bool] | None = None
    needs_whole_main: bool = False
