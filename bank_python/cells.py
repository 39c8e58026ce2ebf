"""Cells as numbers, dates and words, with the spellings that people and brokers use: 12%, 85bp, $1,250.00, (300)."""

from __future__ import annotations

import datetime as dt
import enum
import math
import numbers
import re
from decimal import Decimal

import numpy as np

__all__ = ["CellError", "DecimalMark", "as_date", "as_number", "as_word", "currency_sign", "is_blank", "is_missing"]

_UNITS = {"%": 1e-2, "bp": 1e-4, "bps": 1e-4}
_GROUPED = re.compile(r"[+-]?\d{1,3}(?P<mark>[,'’ ])\d{3}(?:(?P=mark)\d{3})*(\.\d+)?", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d[\d_]*)?\.?\d+([eE][+-]?\d+)?|[+-]?\d[\d_]*\.?", re.ASCII)
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_SIGN = re.compile(r"(?P<before>[+-]?)\s*(?P<sign>[$€£¥]?)\s*(?P<digits>[^$€£¥]*?)\s*(?P<after>[$€£¥]?)")
_BLANKS = str.maketrans({"−": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " "})
_SWAPPED = str.maketrans(",.", ".,")
_MISSING = frozenset({"na", "n/a", "#n/a", "nan", "nat", "<na>", "null", "none", "-", "--", "---", "–", "—"})


class CellError(ValueError):
    """A cell that cannot be read; its message is the reason."""


class DecimalMark(enum.Enum):
    """Character before the decimals of numbers that are text."""

    POINT = "."
    COMMA = ","
    UNSAID = ""
    """A point; a figure such as 1,250 or 1.250 is rejected, as it may be either number."""


def as_number(cell: object, mark: DecimalMark = DecimalMark.POINT) -> float:
    """Return a cell as a finite number.

    Parameters
    ----------
    cell : object
        A number, or text such as ``1250``, ``1,250.50``, ``$1,250.50``, ``(300)`` and ``300-`` for −300, ``4.25%`` or
        ``85bp``.
    mark : DecimalMark, default DecimalMark.POINT
        Decimal mark of text.

    Raises
    ------
    CellError
        It is not such a text, or the number is not finite.
    """
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, str | numbers.Real | Decimal):
        raise CellError("is not a number; give a figure such as 1250 or 4.25%")
    try:
        value = _parsed(cell.translate(_BLANKS).strip(), mark) if isinstance(cell, str) else float(cell)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise CellError("is not finite; give a finite number")
    return value


def _parsed(text: str, mark: DecimalMark) -> float:
    if text.startswith("(") and text.endswith(")") and not text[1:].lstrip().startswith(("-", "+", "(")):
        return -_parsed(text[1:-1].strip(), mark)
    if text.endswith("-") and text[:1] not in "+-":
        return -_parsed(text[:-1].rstrip(), mark)
    match = re.fullmatch(r"(.*?)\s*(%|bps?)?", text)
    digits, unit = (match.group(1), match.group(2)) if match else (text, None)
    signed = _SIGN.fullmatch(digits)
    if signed and not (signed["sign"] and signed["after"]):
        digits = signed["before"] + signed["digits"]
    return _plain(digits, mark) * (_UNITS[unit] if unit else 1.0)


def _plain(digits: str, mark: DecimalMark) -> float:
    if mark is DecimalMark.UNSAID and _EITHER.fullmatch(digits):
        raise CellError('may have decimals or thousands; pass decimal="," or decimal="."')
    if mark is DecimalMark.COMMA:
        digits = digits.translate(_SWAPPED)
    grouped = _GROUPED.fullmatch(digits)
    if grouped:
        digits = digits.replace(grouped["mark"], "")
    elif "," in digits:
        raise CellError('has a comma that separates no thousands; write 1250.5 or 1,250.5, or pass decimal=","')
    if not _PLAIN.fullmatch(digits):
        raise CellError("is not a number; give a figure such as 1250, 1,250.50, 4.25% or 85bp")
    return float(digits)


def currency_sign(cell: object) -> str:
    """Return the currency sign in a cell, an empty text without one."""
    return next((char for char in cell if char in "$€£¥"), "") if isinstance(cell, str) else ""


def as_date(cell: object) -> dt.date:
    """Return a cell as a date.

    Parameters
    ----------
    cell : object
        A date, a time (its date is taken), or ISO text: ``2026-03-20``.

    Raises
    ------
    CellError
        It is none of these; other formats are not guessed, because 03/04/2026 is two dates.
    """
    if is_blank(cell):
        raise CellError("is no date; write it as 2026-03-20")
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, np.datetime64):
        return as_date(cell.astype("datetime64[us]").item())
    try:
        return dt.datetime.fromisoformat(str(cell).strip()).date()
    except ValueError:
        raise CellError("is not an ISO date; write it as 2026-03-20") from None


def as_word(cell: object) -> str:
    """Return a cell as text without blanks around it."""
    return str(cell).strip()


def is_blank(cell: object) -> bool:
    """Return whether a cell is empty: blank text, None, NaN or what pandas has for a missing value."""
    if isinstance(cell, str):
        return not cell.strip()
    if isinstance(cell, Decimal):
        return cell.is_nan()
    if cell is None or type(cell).__name__ in {"NAType", "NaTType"}:  # pandas need not be installed
        return True
    return isinstance(cell, float | np.generic) and bool(cell != cell)  # noqa: PLR0124 - NaN and NaT


def is_missing(cell: object) -> bool:
    """Return whether a figure is missing: the cell is empty, or a word for that such as ``N/A``, ``--`` or ``null``."""
    return is_blank(cell) or (isinstance(cell, str) and cell.strip().lower() in _MISSING)
