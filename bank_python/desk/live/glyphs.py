"""The characters a screen is drawn with: fine ones where the terminal can show them, ASCII where it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ASCII", "FINE", "Glyphs", "glyphs_for"]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of characters, each one cell wide.

    Parameters
    ----------
    across, down : str
        The lines of a frame.
    corners : str
        Top left, top right, bottom left, bottom right.
    levels : str
        A bar's heights, lowest first.
    cut : str
        Ends what was cut off.
    missing : str
        Stands where there is no number: never a zero.
    encoding : str
        What everything shown must be written in.
    """

    across: str
    down: str
    corners: str
    levels: str
    cut: str
    missing: str
    encoding: str = "utf-8"

    def clean(self, text: str) -> str:
        """Return `text` on one line, with only characters that can be shown: a feed's reason may hold anything."""
        shown = "".join(c if c.isprintable() else " " for c in text)
        writable = shown.encode(self.encoding, "replace").decode(self.encoding)
        return " ".join(writable.split())

    def bars(self, values: Sequence[float]) -> str:
        """Return a bar for each value, scaled from the least to the greatest.

        Examples
        --------
        >>> FINE.bars([1.0, 2.0, 4.0])
        '▁▃█'
        """
        if not values:
            return ""
        low, high = min(values), max(values)
        top = len(self.levels) - 1
        scale = top / (high - low) if high > low else 0.0
        return "".join(self.levels[round((value - low) * scale)] for value in values)


FINE = Glyphs(across="─", down="│", corners="╭╮╰╯", levels="▁▂▃▄▅▆▇█", cut="…", missing="—")
ASCII = Glyphs(across="-", down="|", corners="++++", levels="_.-=+*#", cut="~", missing="-", encoding="ascii")


def glyphs_for(encoding: str) -> Glyphs:
    """Return the finest set that can be written in `encoding`.

    Examples
    --------
    >>> glyphs_for("utf-8") is FINE, glyphs_for("latin-1") is ASCII
    (True, True)
    """
    try:
        (FINE.across + FINE.down + FINE.corners + FINE.levels + FINE.cut + FINE.missing).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return FINE
