"""The characters that a screen is drawn with: box-drawing characters, or ASCII if the terminal cannot show them."""

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
    """A set of characters for frames and bars, each one cell wide.

    Parameters
    ----------
    across, down : str
        Horizontal and vertical line of a frame.
    corners : str
        Corners of a frame: top left, top right, bottom left, bottom right.
    levels : str
        Bars of increasing height, the lowest first.
    cut : str
        Ellipsis at the end of a shortened text.
    missing : str
        Placeholder for a missing number.
    encoding : str, default "utf-8"
        Encoding of the terminal; characters that it cannot represent are replaced.
    """

    across: str
    down: str
    corners: str
    levels: str
    cut: str
    missing: str
    encoding: str = "utf-8"

    def clean(self, text: str) -> str:
        r"""Return `text` on one line, without control characters and characters that the encoding lacks.

        Examples
        --------
        >>> print(ASCII.clean("漢\x1b[2J"))
        ?\x1b[2J
        """
        return clean(text).encode(self.encoding, "replace").decode(self.encoding)

    def legible(self, seen: Any) -> Any:
        """Return a text, dataclass, tuple or mapping with all texts in it cleaned by :meth:`clean`.

        The whole view is cleaned before it is drawn, so no panel has to clean texts that come from outside.
        """
        if isinstance(seen, str):
            return seen if isinstance(seen, Enum) else self.clean(seen)
        if isinstance(seen, tuple):
            return tuple(map(self.legible, seen))
        if isinstance(seen, Mapping):
            return {self.legible(key): self.legible(value) for key, value in seen.items()}
        if is_dataclass(seen) and not isinstance(seen, type):
            return replace(seen, **{field.name: self.legible(getattr(seen, field.name)) for field in fields(seen)})
        return seen

    def bars(self, values: Sequence[float]) -> str:
        """Return a bar for each value, scaled from the smallest to the largest.

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
    """Return the box-drawing characters if `encoding` has them, else the ASCII ones.

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
