"""A feed that records the polls and histories of another feed in a journal.

Wrap any feed in a :class:`RecordingFeed` and use the wrapper in its place;
:class:`~bank_python.market_data.replay.ReplayFeed` then returns the same polls and histories again.

Examples
--------
>>> import tempfile, pathlib
>>> from bank_python.market_data.replay import ReplayFeed
>>> from bank_python.market_data.simulated import SimulatedFeed
>>> path = pathlib.Path(tempfile.mkdtemp()) / "monday.jsonl"
>>> with RecordingFeed(SimulatedFeed(seed=3), path) as feed:
...     seen = feed.poll(["AAPL", "SOFR"])
>>> ReplayFeed(path).poll(["AAPL", "SOFR"]) == seen
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.errors import MarketDataError
from bank_python.guessing import guessable
from bank_python.market_data.feed import live_date
from bank_python.market_data.journal import Journal, journal_at
from bank_python.market_data.journal_records import (
    header_record,
    history_failure_record,
    history_record,
    poll_record,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from bank_python.barbara import BarbaraDB
    from bank_python.market_data.feed import Feed, Poll, PriceHistory

__all__ = ["RecordingFeed"]


@guessable
class RecordingFeed:
    """A wrapper around a feed that writes all its results to a journal.

    Parameters
    ----------
    feed : Feed
        Feed to record; the wrapper has the same name.
    journal : str, Path, BarbaraDB or Journal
        Destination of the recording: the path of a new file, a store, or a journal object.

    Raises
    ------
    FeedConfigError
        The destination has a recording already.
    """

    def __init__(self, feed: Feed, journal: str | Path | BarbaraDB | Journal) -> None:
        self._feed = feed
        self._journal = journal_at(journal)
        self._journal.append(header_record(feed.name, feed.symbols))

    @property
    def name(self) -> str:
        """Name of the recorded feed."""
        return self._feed.name

    @property
    def today(self) -> date | None:
        """The current date (UTC) if the recorded feed is live, else ``None``."""
        return live_date(self._feed)

    @property
    def symbols(self) -> frozenset[str] | None:
        """All symbols of the recorded feed, or ``None`` if it does not list them."""
        return self._feed.symbols

    @guessable
    def poll(self, symbols: Sequence[str]) -> Poll:
        """Poll the feed and write the result to the journal before returning it."""
        poll = self._feed.poll(symbols)
        self._journal.append(poll_record(symbols, poll))
        return poll

    @guessable
    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return a history from the feed; the result or the error is written to the journal first."""
        try:
            history = self._feed.history(symbol, period)
        except MarketDataError as error:
            self._journal.append(history_failure_record(symbol, period, error))
            raise
        self._journal.append(history_record(symbol, period, history))
        return history

    def close(self) -> None:
        """Close the journal and the feed."""
        self._journal.close()
        self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RecordingFeed({self._feed!r})"
