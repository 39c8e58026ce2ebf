"""What a panel of the live desk is: a title, the size it needs, its priority, its place, and how it is drawn."""

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
    """Where on the screen a panel belongs; several panels of one place stand one below the other."""

    HEAD = "head"
    """A strip across the top."""
    MAIN = "main"
    """The left column."""
    SIDE = "side"
    """The right column; on a wide screen the left one, below MAIN."""
    LOWER = "lower"
    """Below MAIN or SIDE, wherever there is room; on a wide screen the right column's lower half."""
    FOOT = "foot"
    """A strip across the bottom; on a wide screen beside MAIN."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Parameters
    ----------
    title : str
        Stands in its upper border; unique on a screen.
    width, height : int
        The least size in which it says something, its border included; where there is less it is left out.
    priority : int
        1 matters most. Where not all panels fit, those with the greatest number are left out.
    place : Place
        Where it belongs.
    draw : callable
        ``draw(view, width, height, glyphs)`` returns exactly `height` lines of exactly `width` cells. It writes what
        the view says and computes nothing.
    complete_at : callable, optional
        The height at which it shows everything, for a view; it is given no more where others can use it. By default
        more lines always show more.
    """

    title: str
    width: int
    height: int
    priority: int
    place: Place
    draw: Callable[[DeskView, int, int, Glyphs], list[Text]]
    complete_at: Callable[[DeskView], int] | None = None
