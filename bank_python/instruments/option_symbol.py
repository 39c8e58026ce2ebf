"""Option symbols as people and exchanges write them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from bank_python.barbara import storable
from bank_python.cells import as_number
from bank_python.display import Record

__all__ = ["OptionSymbol", "parse_option"]

_WRITTEN = re.compile(
    r"(?P<underlying>[A-Z][A-Z0-9.\-]*)\s+(?P<expiry>\d{4}-\d{2}-\d{2})\s+"
    r"(?:(?P<first>[CP]|CALL|PUT)\s+(?P<after>[\d.,]+)|(?P<before>[\d.,]+)\s*(?P<last>[CP]|CALL|PUT))",
    re.IGNORECASE,
)
_OCC = re.compile(
    r"(?P<underlying>[A-Z][A-Z0-9.]{0,5}?)\s*(?P<expiry>\d{6})(?P<kind>[CP])(?P<strike>\d{8})", re.IGNORECASE
)
_SHORT = re.compile(  # thinkorswim writes a point before it, Fidelity a hyphen
    r"[.\-](?P<underlying>[A-Z][A-Z0-9]{0,5}?)(?P<expiry>\d{6})(?P<kind>[CP])(?P<strike>\d{1,5}(\.\d+)?)", re.IGNORECASE
)
_MONTH = re.compile(  # Interactive Brokers
    r"(?P<underlying>[A-Z][A-Z0-9.\-]*)\s+(?P<day>\d{2})(?P<month>[A-Z]{3})(?P<year>\d{2})\s+(?P<strike>[\d.]+)\s+"
    r"(?P<kind>C|P|CALL|PUT)",
    re.IGNORECASE,
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_SLASHED = re.compile(
    r"[A-Z][A-Z0-9.\-]*(\s[A-Z]{2})?\s+\d{1,2}/\d{1,2}/\d{2,4}\s+([CP]\s?[\d.]+|[\d.]+\s*(C|P|CALL|PUT))\b.*",
    re.IGNORECASE,
)


@storable("instruments.OptionSymbol", version=1)
@dataclass(frozen=True, slots=True)
class OptionSymbol(Record):
    """A listed option.

    Parameters
    ----------
    underlying : str
        Ticker of the underlying.
    expiry : date
        Day of expiry.
    strike : float
        Strike, in the underlying's currency.
    is_call : bool
        Call or put.
    """

    underlying: str
    expiry: dt.date
    strike: float
    is_call: bool

    @property
    def name(self) -> str:
        """Name of the contract: ``SPY 2026-03-20 C 600``."""
        return f"{self.underlying} {self.expiry.isoformat()} {'C' if self.is_call else 'P'} {self.strike:.10g}"


def parse_option(text: str) -> OptionSymbol | None:
    """Return the option that a symbol names, None if it names none.

    Parameters
    ----------
    text : str
        ``SPY 2026-03-20 C 600``, ``SPY 2026-03-20 600 C``; the 21 characters of the Options Clearing Corporation, with
        or without the blanks: ``SPY   260320C00600000``; or as brokers write it: ``SPY 20MAR26 600 C``,
        ``.SPY260320C600``.

    Raises
    ------
    ValueError
        It has the form of an option symbol, and its date or strike does not exist, or its date is 03/04/2026, which is
        two dates.

    Examples
    --------
    >>> parse_option("SPY 2026-03-20 C 600").name
    'SPY 2026-03-20 C 600'
    >>> parse_option("SPY260320P00600500").strike, parse_option("AAPL")
    (600.5, None)
    """
    symbol = text.strip()
    written = _WRITTEN.fullmatch(symbol)
    if written:
        kind = (written["first"] or written["last"]).upper()
        strike = as_number(written["after"] or written["before"])
        return _option(written["underlying"], dt.date.fromisoformat(written["expiry"]), strike, is_call=kind[0] == "C")
    listed = _OCC.fullmatch(symbol)
    short = listed or _SHORT.fullmatch(symbol)
    if short:
        strike = int(short["strike"]) / 1000.0 if listed else float(short["strike"])
        return _option(short["underlying"], _expiry(short["expiry"]), strike, is_call=short["kind"].upper() == "C")
    named = _MONTH.fullmatch(symbol)
    if named and named["month"].upper() in _MONTHS:
        month = _MONTHS.index(named["month"].upper()) + 1
        expiry = dt.date(2000 + int(named["year"]), month, int(named["day"]))
        return _option(named["underlying"], expiry, as_number(named["strike"]), is_call=named["kind"][0] in "Cc")
    if _SLASHED.fullmatch(symbol):
        raise ValueError("its date has slashes, which may be day or month first")
    return None


def _expiry(digits: str) -> dt.date:
    return dt.date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))


def _option(underlying: str, expiry: dt.date, strike: float, *, is_call: bool) -> OptionSymbol:
    if strike <= 0.0:
        raise ValueError(f"strike {strike:g} is not above 0")
    return OptionSymbol(underlying.upper(), expiry, strike, is_call)
