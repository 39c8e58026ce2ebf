"""Option symbols as people and exchanges write them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

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
        return f"{self.underlying} {self.expiry.isoformat()} {'C' if self.is_call else 'P'} {self.strike:g}"


def parse_option(text: str) -> OptionSymbol | None:
    """Return the option that a symbol names, None if it names none.

    Parameters
    ----------
    text : str
        ``SPY 2026-03-20 C 600``, ``SPY 2026-03-20 600 C``, or the 21 characters of the Options Clearing Corporation:
        ``SPY   260320C00600000``.

    Raises
    ------
    ValueError
        It has the form of an option symbol, and its date or strike does not exist.

    Examples
    --------
    >>> parse_option("SPY 2026-03-20 C 600").name
    'SPY 2026-03-20 C 600'
    >>> parse_option("SPY260320P00600500").strike, parse_option("AAPL")
    (600.5, None)
    """
    written = _WRITTEN.fullmatch(text.strip())
    if written:
        kind = (written["first"] or written["last"]).upper()
        strike = float((written["after"] or written["before"]).replace(",", ""))
        return _option(written["underlying"], dt.date.fromisoformat(written["expiry"]), strike, is_call=kind[0] == "C")
    listed = _OCC.fullmatch(text.strip())
    if listed:
        expiry = dt.datetime.strptime(listed["expiry"], "%y%m%d").replace(tzinfo=dt.UTC).date()
        strike = int(listed["strike"]) / 1000.0
        return _option(listed["underlying"], expiry, strike, is_call=listed["kind"].upper() == "C")
    return None


def _option(underlying: str, expiry: dt.date, strike: float, *, is_call: bool) -> OptionSymbol:
    if strike <= 0.0:
        raise ValueError(f"strike {strike:g} is not above 0")
    return OptionSymbol(underlying.upper(), expiry, strike, is_call)
