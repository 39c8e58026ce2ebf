"""Format of numbers in terminal tables: thousands separators, signs where they matter, a dash for a missing number."""

from __future__ import annotations

import numpy as np
from rich.text import Text

__all__ = ["MISSING", "number", "signed"]

MISSING = "—"
"""Placeholder for a missing number."""

_MAX_LENGTH = 60
_EXACT_BELOW = 1e15  # from about here on, a float has no decimals, and not all of its digits are significant


def number(value: object, digits: int = 2) -> str:
    """Return a number as text, with thousands separators and with more decimals below 1.

    Parameters
    ----------
    value : object
        Number, ``None``, tuple or array of numbers; another object is shown as its text, cut to 60 characters.
    digits : int, default 2
        Number of decimals; two more are shown below 1.

    Examples
    --------
    >>> number(1234.5), number(0.25), number(None), number(2e300)
    ('1,234.50', '0.2500', '—', '2.0000e+300')
    """
    if isinstance(value, np.ndarray):
        return f"{value.size:,} numbers" if value.size != 1 else number(value.item(), digits)
    if isinstance(value, tuple):
        return f"({', '.join(number(item, digits) for item in value)})"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return MISSING if value is None else _brief(str(value))
    return f"{value:,}" if isinstance(value, int) else _decimal(value, digits)


def signed(value: float, digits: int = 0) -> Text:
    """Return an amount with its sign, green for a profit and red for a loss."""
    style = "green" if value > 0.0 else "red" if value < 0.0 else "dim"
    return Text(f"{value:+.4e}" if abs(value) >= _EXACT_BELOW else f"{value:+,.{digits}f}", style=style)


def _decimal(value: float, digits: int) -> str:
    if abs(value) >= _EXACT_BELOW:
        return f"{value:.4e}"
    return f"{value:,.{digits}f}" if abs(value) >= 1.0 or value == 0.0 else f"{value:.{digits + 2}f}"


def _brief(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"
