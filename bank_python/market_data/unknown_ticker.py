"""The one way to say that a ticker is not known: with the names it may have been meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.errors import UnknownTickerError
from bank_python.wording import near_names

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["unknown_ticker"]


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
    near = near_names(ticker, known)
    hint = f"did you mean {' or '.join(map(repr, near))}? Otherwise {way_out}" if near else way_out
    return UnknownTickerError(f"{where} has no ticker {ticker!r}: {hint}", ticker=ticker, close=near)
