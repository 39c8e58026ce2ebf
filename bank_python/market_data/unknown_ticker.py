"""The error for an unknown ticker, with suggestions of similar names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.errors import UnknownTickerError
from bank_python.wording import near_names

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["unknown_ticker"]


def unknown_ticker(ticker: str, known: Iterable[str], where: str, way_out: str) -> UnknownTickerError:
    """Return the error for a `ticker` that is not among the `known` ones; the caller raises it.

    Parameters
    ----------
    ticker : str
        Name of the unknown ticker.
    known : iterable of str
        Names of the available tickers.
    where : str
        Feed, table or manager that does not have the ticker; the first words of the message.
    way_out : str
        Advice for the case that none of the similar names was meant.
    """
    near = near_names(ticker, known)
    hint = f"did you mean {' or '.join(map(repr, near))}? Otherwise {way_out}" if near else way_out
    return UnknownTickerError(f"{where} has no ticker {ticker!r}: {hint}", ticker=ticker, close=near)
