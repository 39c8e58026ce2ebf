"""The characters a screen is drawn with: fine ones where the terminal can show them, ASCII where it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from bank_python.terminal import clean

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
        r"""Return `text` on one line, with only characters that can be shown: a feed's reason may hold anything.

        Examples
        --------
        >>> print(ASCII.clean("漢\x1b[2J"))
        ?\x1b[2J
        """
        return clean(text).encode(self.encoding, "replace").decode(self.encoding)

    def legible(self, seen: Any) -> Any:
        """Return what is to be shown with every text in it clean: a text, a dataclass, a tuple or a mapping of them.

        A screen is drawn from what comes out here alone, so that no panel has to remember which texts are its own.
        """
        if isinstance(seen, str):
            return seen if isinstance(seen, Enum) else self.clean(seen)
        if isinstance(seen, tuple):
            return tuple(map(self.legible, seen))
        if isinstance(seen, Mapping):
            return {self.legible(key): self.legible(value) for key, value in seen.items()}
        if is_dataclass(seen) and not isinstance(seen, type):
            return replace(seen, **{part.name: self.legible(getattr(seen, part.name)) for part in fields(seen)})
        return seen

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
