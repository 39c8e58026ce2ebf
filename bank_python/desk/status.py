"""The status of a desk at one moment: states and ages of quotes, background jobs, counters of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.deprecation import renamed
from bank_python.desk.view import QuoteTrouble, Status, TroubleView
from bank_python.market_data import QuoteState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bank_python.desk.parts import DeskParts
    from bank_python.desk.view import JobView, WhatIf
    from bank_python.market_data import Quote

__all__ = ["status_of"]


@renamed(asking="polling")
def status_of(
    desk: DeskParts,
    now: datetime,
    *,
    renewed: Mapping[str, datetime] | None = None,
    jobs: Sequence[JobView] = (),
    polling: float | None = None,
    what_if: WhatIf | None = None,
) -> Status:
    """Return the status of quotes, graph and jobs, without waiting for any of them.

    Parameters
    ----------
    desk : DeskParts
        Desk with a market and a graph.
    now : datetime
        Current time, UTC, from which ages are counted.
    renewed : mapping of str to datetime, optional
        Time of the last valid quote by symbol, UTC; the age of other quotes is unknown.
    jobs : sequence of JobView, optional
        Background jobs.
    polling : float, optional
        Seconds since the start of a poll that has not returned yet; ``None`` if there is none.
    what_if : WhatIf, optional
        Result of the last what-if.
    """
    times = {} if renewed is None else renewed
    quotes = desk.market.quotes
    states = [quote.state for quote in quotes]
    troubles = {
        quote.ticker: _trouble(quote, times.get(quote.ticker), now)
        for quote in quotes
        if quote.state is not QuoteState.FRESH
    }
    return Status(
        now=now,
        fresh=states.count(QuoteState.FRESH),
        stale=states.count(QuoteState.STALE),
        unquoted=states.count(QuoteState.UNQUOTED),
        troubles=troubles,
        reasons=_by_reason(troubles),
        polling=polling,
        dirty=desk.graph.dirty,
        evaluations=desk.graph.evaluations,
        ticks=desk.graph.tick,
        what_if=what_if,
        jobs=tuple(jobs),
    )


def _trouble(quote: Quote, renewed: datetime | None, now: datetime) -> QuoteTrouble:
    age = None if renewed is None else (now - renewed).total_seconds()
    return QuoteTrouble(quote.state.value, age, quote.reason)


def _by_reason(troubles: Mapping[str, QuoteTrouble]) -> tuple[TroubleView, ...]:
    symbols: dict[tuple[str, str], list[str]] = {}
    for symbol, trouble in troubles.items():
        symbols.setdefault((trouble.state, trouble.reason), []).append(symbol)
    lines = []
    for (state, reason), names in symbols.items():
        ages = [age for name in names if (age := troubles[name].age) is not None]
        lines.append(TroubleView(state, tuple(names), max(ages, default=None), reason))
    return tuple(lines)
