"""A recorded market, played again: the same ticks, failures and times, to the bit.

The n-th poll of a :class:`ReplayFeed` is the n-th recorded poll. Asked for the same symbols, it answers exactly what
the recorded feed answered; of a wider recording it gives the part asked for, and a symbol that the recorded poll
did not ask for fails with that reason. Histories come back as they were asked for, errors included.
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
    """A journal replayed as a feed.

    Parameters
    ----------
    journal : str, Path, BarbaraDB or Journal
        What a :class:`~bank_python.market_data.recording.RecordingFeed` wrote. The whole of it is read and checked
        once, here; polls are then read again one at a time, so a long recording does not fill the memory.

    Raises
    ------
    FeedError
        There is no journal, it is of another version, or a record is damaged (the message names the line). A last
        line that its writer could not finish is left out, and logged.
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
        """The recorded feed's name: ticks carry its source, not the replay's."""
        return self._name

    @property
    def symbols(self) -> frozenset[str] | None:
        """What the recorded feed carried."""
        return self._symbols

    @property
    def recorded_polls(self) -> int:
        """How many polls were recorded."""
        return self._recorded

    @guessable
    def poll(self, symbols: Sequence[str]) -> Poll:
        """Return the next recorded poll, as far as `symbols` were asked for in it."""
        where, record = next(self._polls, ("", {}))
        if not record:
            return self._failing(symbols, f"the journal ended after {self._recorded} polls")
        self._polled += 1
        recorded = poll_of(record, where)
        wanted = dict.fromkeys(symbols)
        absent = self._failing(
            [symbol for symbol in wanted if symbol not in set(record["poll"])],
            f"the recorded poll {self._polled} did not ask for it",
        )
        return Poll(
            tuple(tick for tick in recorded.ticks if tick.symbol in wanted),
            tuple(failure for failure in recorded.failures if failure.symbol in wanted) + absent.failures,
        )

    @guessable
    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return the history as it was recorded; asked again, the next one recorded, and at last the last.

        Raises
        ------
        UnknownTickerError, FeedError, FeedConfigError
            The recorded feed raised it, or (a FeedError) this history was not recorded.
        """
        recorded = self._histories.get((symbol, period))
        if not recorded:
            known = ", ".join(f"{s} {p}" for s, p in self._histories) or "none"
            message = f"the journal holds no history of {symbol!r} over {period!r}; recorded: {known}"
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


def _check_history(record: Record, where: str) -> None:
    asked = record["history"]
    if not isinstance(asked, list) or len(asked) != 2:  # noqa: PLR2004  (a symbol and a period)
        raise FeedError(f"{where} is no history: asked for {asked!r}", feed="replay")
    if "error" not in record:
        history_of(record, where)
