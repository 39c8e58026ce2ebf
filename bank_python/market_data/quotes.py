"""What the manager says about a ticker (:class:`Quote`) and about an update (:class:`MarketUpdate`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bank_python.display import Record

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["MarketUpdate", "Quote", "QuoteProblem", "QuoteState"]


class QuoteState(Enum):
    """How far a ticker's price can be trusted.

    ``FRESH``: the last update brought it. ``STALE``: there is a price, but the last update did not bring a good
    one, or too long ago; the reason says which. ``UNQUOTED``: there has never been a price.
    """

    FRESH = "fresh"
    STALE = "stale"
    UNQUOTED = "unquoted"


@dataclass(frozen=True, slots=True)
class Quote(Record):
    """A ticker's price as the desk has it.

    Parameters
    ----------
    ticker : str
        The name on the desk.
    price : float or None
        The leaf's price; ``None`` while it has none.
    time : datetime or None
        When that price was made, UTC, as far as its source said.
    source : str
        Where it comes from; ``""`` while there is none.
    state : QuoteState
        Fresh, stale or unquoted.
    reason : str
        Why it is not fresh; ``""`` when it is.
    rejected : int
        How many bad quotes have been kept out.
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
    """A ticker that an update did not move, and why."""

    ticker: str
    reason: str


@dataclass(frozen=True, slots=True)
class MarketUpdate(Record):
    """What one update of the market did.

    Parameters
    ----------
    time : datetime
        When it was made, by the manager's clock.
    updated : tuple of str
        Tickers whose quote was accepted.
    rejected : tuple of QuoteProblem
        Tickers whose quote was bad and was kept out.
    failed : tuple of QuoteProblem
        Tickers that had no quote.
    """

    time: datetime
    updated: tuple[str, ...]
    rejected: tuple[QuoteProblem, ...]
    failed: tuple[QuoteProblem, ...]

    @property
    def complete(self) -> bool:
        """Whether every ticker was updated."""
        return not self.rejected and not self.failed
