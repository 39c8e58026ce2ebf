"""The one way to say that a ticker is not known: with the names it may have been meant for."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from bank_python.errors import UnknownTickerError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["close_matches", "unknown_ticker"]


def close_matches(ticker: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three of `known` that look like `ticker`, best first.

    Examples
    --------
    >>> close_matches("APPL", ["AAPL", "MSFT"])
    ('AAPL',)
    """
    by_upper = {name.upper(): name for name in sorted(known)}
    return tuple(by_upper[match] for match in get_close_matches(ticker.upper(), by_upper, n=3, cutoff=0.6))


def unknown_ticker(ticker: str, known: Iterable[str], where: str, way_out: str) -> UnknownTickerError:
    """Return (for the caller to raise) the error for a `ticker` that is not in `known`.

    Parameters
    ----------
    ticker : str
        What was asked for.
    known : iterable of str
        What there is.
    where : str
        Which feed, table or manager does not have it; begins the sentence.
    way_out : str
        What to do when none of the close matches was meant.
    """
    near = close_matches(ticker, known)
    hint = f"did you mean {' or '.join(near)}? Otherwise {way_out}" if near else way_out
    return UnknownTickerError(f"{where} has no ticker {ticker!r}: {hint}", ticker=ticker, close=near)
