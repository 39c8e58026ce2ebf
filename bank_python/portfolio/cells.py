"""Cells as numbers, dates and words, with the units that people write: 12%, 85bp, 1,000,000."""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re

__all__ = ["CellError", "as_date", "as_number", "as_word"]

_UNITS = {"%": 1e-2, "bp": 1e-4, "bps": 1e-4}
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d[\d_]*)?\.?\d+([eE][+-]?\d+)?|[+-]?\d[\d_]*\.?", re.ASCII)


class CellError(ValueError):
    """A cell that cannot be read; its message is the reason."""


def as_number(cell: object) -> float:
    """Return a cell as a finite number.

    Parameters
    ----------
    cell : object
        A number, or text such as ``1250``, ``1,250.50``, ``4.25%`` or ``85bp``.

    Raises
    ------
    CellError
        It is not such a text, or the number is not finite.
    """
    if isinstance(cell, bool) or not isinstance(cell, str | numbers.Real):
        raise CellError("is not a number; give a figure such as 1250 or 4.25%")
    value = float(cell) if isinstance(cell, numbers.Real) else _parsed(cell.strip())
    if not math.isfinite(value):
        raise CellError("is not finite; give a finite number")
    return value


def _parsed(text: str) -> float:
    match = re.fullmatch(r"(.*?)\s*(%|bps?)?", text)
    digits, unit = (match.group(1), match.group(2)) if match else (text, None)
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    elif "," in digits:
        raise CellError("has a comma that separates no thousands; write 1250.5 or 1,250.5")
    if not _PLAIN.fullmatch(digits):
        raise CellError("is not a number; give a figure such as 1250, 1,250.50, 4.25% or 85bp")
    return float(digits) * (_UNITS[unit] if unit else 1.0)


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
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if hasattr(cell, "to_pydatetime"):
        return cell.to_pydatetime().date()  # type: ignore[no-any-return]  # a pandas time stamp
    if hasattr(cell, "astype") and hasattr(cell, "item"):  # numpy's
        return as_date(cell.astype("datetime64[us]").item())
    try:
        return dt.datetime.fromisoformat(str(cell).strip()).date()
    except ValueError:
        raise CellError("is not an ISO date; write it as 2026-03-20") from None


def as_word(cell: object) -> str:
    """Return a cell as text without blanks around it."""
    return str(cell).strip()
