"""The state of a ticker's quote (:class:`Quote`) and the result of a market update (:class:`MarketUpdate`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bank_python.display import Record

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["MarketUpdate", "Quote", "QuoteProblem", "QuoteState"]


class QuoteState(Enum):
    """Whether the price of a ticker is up to date.

    ``FRESH``: the last update delivered it. ``STALE``: there is a price, but the last update delivered no valid one
    or is too long ago; the reason says which. ``UNQUOTED``: there has never been a price.
    """

    FRESH = "fresh"
    STALE = "stale"
    UNQUOTED = "unquoted"


@dataclass(frozen=True, slots=True)
class Quote(Record):
    """The current price of a ticker on the desk.

    Parameters
    ----------
    ticker : str
        Name on the desk.
    price : float or None
        Price of the leaf, in the ticker's unit; ``None`` if there has been no quote.
    time : datetime or None
        Time of the price, UTC; ``None`` if its source did not give one.
    source : str
        Name of the price's source; ``""`` if there has been no quote.
    state : QuoteState
        Whether the quote is fresh, stale or missing.
    reason : str
        Reason why the quote is not fresh; ``""`` if it is.
    rejected : int
        Number of invalid quotes rejected so far.
    """

    ticker: str
    price: float | None
    time: datetime | None
    source: str
    state: QuoteState
    reason: str = ""
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class QuoteProblem:
    """A ticker that was not updated, and the reason."""

    ticker: str
    reason: str


@dataclass(frozen=True, slots=True)
class MarketUpdate(Record):
    """The result of one update of the market.

    Parameters
    ----------
    time : datetime
        Time of the update by the manager's clock, UTC.
    updated : tuple of str
        Tickers with a valid new quote.
    rejected : tuple of QuoteProblem
        Tickers whose quote was invalid and was rejected.
    failed : tuple of QuoteProblem
        Tickers without a quote.
    """

    time: datetime
    updated: tuple[str, ...]
    rejected: tuple[QuoteProblem, ...]
    failed: tuple[QuoteProblem, ...]

    @property
    def complete(self) -> bool:
        """Whether every ticker was updated."""
        return not self.rejected and not self.failed
