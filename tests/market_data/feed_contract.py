"""What every feed has to do, whatever market is behind it: one suite, run over each implementation.

A test module makes a fresh feed with a few symbols it carries (at least two) and one it does not, and calls the
functions of ``FEED_CONTRACT`` on it, e.g. by ``@pytest.mark.parametrize("check", FEED_CONTRACT)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bank_python.errors import BankError, FeedConfigError, FeedError, UnknownTickerError
from bank_python.market_data.feed import Feed, PriceHistory, QuoteFailure, Tick

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass
class FeedUnderTest:
    """A new feed, and the symbols and times that the suite uses with it."""

    feed: Feed
    symbols: Sequence[str]
    unknown: str = "NO_SUCH_SYMBOL"
    period: str = "1mo"
    unknown_error: type[BankError] = field(default=UnknownTickerError)


def is_a_feed_with_a_name(case: FeedUnderTest) -> None:
    assert isinstance(case.feed, Feed)
    assert case.feed.name
    assert case.feed.symbols is None or set(case.symbols) <= case.feed.symbols


def answers_each_symbol_once(case: FeedUnderTest) -> None:
    poll = case.feed.poll([*case.symbols, case.unknown])
    answered = [answer.symbol for answer in (*poll.ticks, *poll.failures)]
    assert sorted(answered) == sorted([*case.symbols, case.unknown])


def ticks_are_numbers_with_utc_time_and_source(case: FeedUnderTest) -> None:
    ticks = case.feed.poll(case.symbols).ticks
    assert [tick.symbol for tick in ticks] == list(case.symbols)
    for tick in ticks:
        assert isinstance(tick, Tick)
        assert type(tick.price) is float
        assert tick.time.utcoffset() == timedelta(0)
        assert tick.source


def an_unknown_symbol_fails_alone_with_a_reason(case: FeedUnderTest) -> None:
    poll = case.feed.poll([case.symbols[0], case.unknown, case.symbols[1]])
    assert [tick.symbol for tick in poll.ticks] == [case.symbols[0], case.symbols[1]]
    (failure,) = poll.failures
    assert isinstance(failure, QuoteFailure)
    assert failure.symbol == case.unknown
    assert failure.reason


def asking_for_nothing_gives_nothing(case: FeedUnderTest) -> None:
    poll = case.feed.poll([])
    assert (poll.ticks, poll.failures) == ((), ())


def a_symbol_asked_for_twice_is_answered_once(case: FeedUnderTest) -> None:
    poll = case.feed.poll([case.symbols[0], case.symbols[0]])
    assert [tick.symbol for tick in poll.ticks] == [case.symbols[0]]


def time_never_runs_backwards(case: FeedUnderTest) -> None:
    stamps = [tick.time for _ in range(3) for tick in case.feed.poll([case.symbols[0]]).ticks]
    assert stamps
    assert stamps == sorted(stamps)


def history_is_ascending_bars_with_a_source(case: FeedUnderTest) -> None:
    history = case.feed.history(case.symbols[0], case.period)
    assert isinstance(history, PriceHistory)
    assert history.symbol == case.symbols[0]
    assert history.source
    dates = [bar.date for bar in history.bars]
    assert dates
    assert dates == sorted(set(dates))
    assert all(date.utcoffset() == timedelta(0) for date in dates)


def history_bars_hold_together(case: FeedUnderTest) -> None:
    for bar in case.feed.history(case.symbols[0], case.period).bars:
        assert type(bar.close) is float
        body = [price for price in (bar.open, bar.close) if price is not None]
        assert bar.high is None or bar.high >= max(body)
        assert bar.low is None or bar.low <= min(body)
        assert bar.volume is None or bar.volume >= 0.0


def history_of_an_unknown_symbol_is_refused(case: FeedUnderTest) -> None:
    with pytest.raises(case.unknown_error) as caught:
        case.feed.history(case.unknown, case.period)
    assert case.unknown in str(caught.value)


def an_unknown_period_is_refused(case: FeedUnderTest) -> None:
    with pytest.raises((FeedConfigError, FeedError)) as caught:
        case.feed.history(case.symbols[0], "fortnight")
    assert "fortnight" in str(caught.value)


def closing_is_possible_at_once_and_twice(case: FeedUnderTest) -> None:
    case.feed.close()
    case.feed.close()


FEED_CONTRACT: tuple[Callable[[FeedUnderTest], None], ...] = (
    is_a_feed_with_a_name,
    answers_each_symbol_once,
    ticks_are_numbers_with_utc_time_and_source,
    an_unknown_symbol_fails_alone_with_a_reason,
    asking_for_nothing_gives_nothing,
    a_symbol_asked_for_twice_is_answered_once,
    time_never_runs_backwards,
    history_is_ascending_bars_with_a_source,
    history_bars_hold_together,
    history_of_an_unknown_symbol_is_refused,
    an_unknown_period_is_refused,
    closing_is_possible_at_once_and_twice,
)
