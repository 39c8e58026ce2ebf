"""Replay of a recorded market, with the same ticks, failures and times.

The n-th poll of a :class:`ReplayFeed` is the n-th recorded poll. For the same symbols it returns exactly the recorded
result; for fewer symbols, their part of it. A symbol that was not part of the recorded poll is returned as a failure.
Histories are returned, and their errors raised, as recorded.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from bank_python.errors import FeedConfigError, FeedError, UnknownTickerError
from bank_python.guessing import guessable
from bank_python.market_data.feed import Poll, PriceHistory, QuoteFailure
from bank_python.market_data.journal import Journal, journal_at
from bank_python.market_data.journal_records import Record, check_header, history_of, poll_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bank_python.barbara import BarbaraDB

__all__ = ["ReplayFeed"]

_RAISED = {kind.__name__: kind for kind in (FeedConfigError, FeedError, UnknownTickerError)}


@guessable
class ReplayFeed:
    """A feed that replays a journal.

    Parameters
    ----------
    journal : str, Path, BarbaraDB or Journal
        Journal written by a :class:`~bank_python.market_data.recording.RecordingFeed`. The constructor reads and
        checks all of it; polls are then read one at a time, so a long recording needs little memory.

    Raises
    ------
    FeedError
        There is no journal, it has another version, or a record is damaged (the message names the line). An
        incomplete last line is skipped with a warning in the log.
    """

    def __init__(self, journal: str | Path | BarbaraDB | Journal) -> None:
        self._journal = journal_at(journal)
        records = self._journal.records()
        where, first = next(records, ("the journal", {}))
        head = check_header(first, where)
        self._name: str = head["feed"]
        self._symbols = None if head["symbols"] is None else frozenset(head["symbols"])
        self._histories: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
        self._recorded = self._read_through(records)
        self._polls = self._poll_records()
        self._polled = 0

    def _read_through(self, records: Iterator[tuple[str, Record]]) -> int:
        polls = 0
        for where, record in records:
            if "history" in record:
                _check_history(record, where)
                self._histories[tuple(record["history"])].append(record)
            elif "poll" in record:
                poll_of(record, where)
                polls += 1
            else:
                raise FeedError(f"{where} is neither a poll nor a history: {record!r}", feed="replay")
        return polls

    def _poll_records(self) -> Iterator[tuple[str, Record]]:
        return (item for item in self._journal.records() if "poll" in item[1])

    @property
    def name(self) -> str:
        """Name of the recorded feed, which is also the source of the ticks."""
        return self._name

    @property
    def symbols(self) -> frozenset[str] | None:
        """All symbols of the recorded feed, or ``None`` if it did not list them."""
        return self._symbols

    @property
    def recorded_polls(self) -> int:
        """Number of recorded polls."""
        return self._recorded

    @guessable
    def poll(self, symbols: Sequence[str]) -> Poll:
        """Return the next recorded poll, restricted to `symbols`."""
        where, record = next(self._polls, ("", {}))
        if not record:
            return self._failing(symbols, f"the journal ended after {self._recorded} polls")
        self._polled += 1
        recorded = poll_of(record, where)
        wanted = dict.fromkeys(symbols)
        absent = self._failing(
            [symbol for symbol in wanted if symbol not in set(record["poll"])],
            f"it was not requested in the recorded poll {self._polled}",
        )
        return Poll(
            tuple(tick for tick in recorded.ticks if tick.symbol in wanted),
            tuple(failure for failure in recorded.failures if failure.symbol in wanted) + absent.failures,
        )

    @guessable
    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return the history of a symbol as it was recorded.

        If it was recorded several times, each call returns the next recording; the last one is repeated.

        Raises
        ------
        UnknownTickerError, FeedError, FeedConfigError
            The recorded feed raised this error, or (FeedError) the history was not recorded.
        """
        recorded = self._histories.get((symbol, period))
        if not recorded:
            known = ", ".join(f"{s} {p}" for s, p in self._histories) or "none"
            message = f"the journal has no history of {symbol!r} over {period!r}; recorded: {known}"
            raise FeedError(message, feed=self._name, symbol=symbol)
        record = recorded.pop(0) if len(recorded) > 1 else recorded[0]
        if "error" in record:
            kind = _RAISED.get(record["error"], FeedError)
            raise kind(record["message"], feed=self._name, symbol=symbol, ticker=symbol, value=period)
        return history_of(record, "the journal")

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _failing(self, symbols: Sequence[str], reason: str) -> Poll:
        return Poll((), tuple(QuoteFailure(symbol, reason, self._name) for symbol in dict.fromkeys(symbols)))

    def __repr__(self) -> str:
        return f"<ReplayFeed of {self._name!r}: {self._polled:,} of {self._recorded:,} polls>"


def _check_history(record: Record, where: str) -> None:
    request = record["history"]
    if not isinstance(request, list) or len(request) != 2:  # noqa: PLR2004  (a symbol and a period)
        raise FeedError(f"{where} is not the record of a history: the request is {request!r}", feed="replay")
    if "error" not in record:
        history_of(record, where)
