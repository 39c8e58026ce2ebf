"""Rolling of the valuation date with the market, and booking of the cash that falls due.

The date depends on the market. A replayed history and the simulated market have their own dates, and the desk uses
that of the latest quote. With a live market (:class:`~bank_python.market_data.LiveFeed`) the date is today, UTC,
whatever the date of the last trade. The clock never moves backwards: earlier dates are ignored.

The date is rolled before the quotes of the new day are set, so a contract that has ended is settled at the last quotes
before its end. Cash of contracts is booked only by :func:`roll_to`: coupons and premiums when they fall due, and the
payoff of an option once the clock has passed its expiry. The cash is added to the trader's cash in the contract's
currency by lowering the position's cost; the position of a contract that has ended has a quantity of 0.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bank_python.desk.blotter import CASH_FLOWS
from bank_python.instruments import Instrument
from bank_python.instruments.cash_flows import ROUNDING, cash_between, end_of
from bank_python.market_data import live_date
from bank_python.market_data.utc import as_utc, utc_now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from bank_python.barbara import BarbaraDB
    from bank_python.desk.parts import DeskParts
    from bank_python.desk.trader import Trader
    from bank_python.instruments import Position
    from bank_python.market_data import Feed, MarketDataManager, Tick

__all__ = ["CashPosting", "cash_postings", "market_date", "opening_date", "roll_to", "roll_with"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CashPosting:
    """Cash that a contract paid into a trader's account when the valuation date was rolled.

    Parameters
    ----------
    valuation_date : datetime.date
        Date to which the clock was rolled.
    trader, position, instrument : str
        Names of the trader, of the position and of its contract.
    quantity : float
        Number of units in the position, negative if it is short.
    amount : float
        Cash in units of `currency`; negative if the trader pays.
    currency : str
        ISO 4217 code of the currency.
    closed : bool
        Whether the contract has ended, which closes the position.
    """

    valuation_date: dt.date
    trader: str
    position: str
    instrument: str
    quantity: float
    amount: float
    currency: str
    closed: bool


def market_date(feed: Feed, ticks: Iterable[Tick]) -> dt.date | None:
    """Return the current date of a market: today for a live one, else the date of its latest quote.

    Parameters
    ----------
    feed : Feed
        Feed of the market.
    ticks : iterable of Tick
        Valid new quotes; those of other sources are ignored.

    Returns
    -------
    datetime.date or None
        Date in UTC; ``None`` if the market is not live and none of the quotes comes from it.
    """
    today = live_date(feed)
    if today is not None:
        return today
    return max((as_utc(tick.time).date() for tick in ticks if tick.source == feed.name), default=None)


def opening_date(market: MarketDataManager) -> dt.date:
    """Return the first valuation date of a new desk: that of its market, else of its quotes, else today."""
    today = live_date(market.feed)
    if today is not None:
        return today
    quotes = [market.quote(ticker) for ticker in market.tickers]
    times = {quote.source: quote.time.date() for quote in quotes if quote.time is not None}
    return times.get(market.feed.name) or max(times.values(), default=utc_now().date())


def roll_with(desk: DeskParts, ticks: Sequence[Tick]) -> tuple[CashPosting, ...]:
    """Roll a desk to the date of its market, if that is not before the valuation date.

    Parameters
    ----------
    desk : DeskParts
        Desk whose leaves still have the previous quotes.
    ticks : sequence of Tick
        Valid new quotes, not set yet.
    """
    day = market_date(desk.feed, ticks)
    return roll_to(desk, day) if day is not None and day >= desk.clock.date else ()


def roll_to(desk: DeskParts, day: dt.date) -> tuple[CashPosting, ...]:
    """Move the valuation date of a desk to `day` and book the cash that falls due until then.

    Clock, positions, the traders' cash and the postings change together, in the graph and in the store.

    Parameters
    ----------
    desk : DeskParts
        Desk to roll; contracts that have ended are settled at its current quotes.
    day : datetime.date
        New valuation date.

    Returns
    -------
    tuple of CashPosting
        Booked postings. A contract whose payment has no value at present is skipped, with a warning in the log, and
        settled by a later roll.

    Raises
    ------
    DomainError
        `day` lies before the valuation date; nothing has changed.
    """
    before = desk.cash_until
    try:
        with desk.changing():  # other threads that roll or trade wait until this block ends
            due = list(_due(desk, day)) if desk.clock.years_at(day) > before else []
            _book(desk, due)
            desk.clock.roll(day)
            desk.db[desk.clock.record_key] = desk.clock
            desk.cash_until = max(before, desk.clock.years)
    except BaseException:
        desk.cash_until = before
        raise
    return tuple(posting for _, _, posting in due)


def _book(desk: DeskParts, due: Sequence[tuple[Trader, Position, CashPosting]]) -> None:
    for _, position, posting in due:
        (position.close_out if posting.closed else position.collect)(posting.amount)
    for trader in {trader.name: trader for trader, _, _ in due}.values():
        trader.pnl.update_cash()
        desk.db[trader.pnl.record_key] = trader.pnl
    for _, position, posting in due:
        desk.db[position.record_key] = position
        desk.db[f"{CASH_FLOWS}{posting.valuation_date.isoformat()}/{posting.position}"] = asdict(posting)


def cash_postings(db: BarbaraDB) -> tuple[CashPosting, ...]:
    """Return all cash postings in a store, by date."""
    return tuple(CashPosting(**record) for _, record in db.items(CASH_FLOWS))


def _due(desk: DeskParts, day: dt.date) -> Iterator[tuple[Trader, Position, CashPosting]]:
    for trader in desk.traders:
        for position in trader.positions:
            contract = position.instrument
            if position.quantity and isinstance(contract, Instrument) and _uses_clock(contract, desk):
                posting = _posting(desk, trader, position, contract, day)
                if posting is not None:
                    yield trader, position, posting


def _uses_clock(contract: Instrument, desk: DeskParts) -> bool:
    return "clock" in contract.source_names and contract.source_at("clock") is desk.clock


def _posting(
    desk: DeskParts, trader: Trader, position: Position, contract: Instrument, day: dt.date
) -> CashPosting | None:
    """Return the cash that a position receives until `day`; ``None`` if there is none and the contract goes on."""
    until, end = desk.clock.years_at(day), end_of(contract)
    try:
        paid = cash_between(contract, min(desk.cash_until, end), until)
    except Exception as error:  # noqa: BLE001 - for example a missing quote; a later roll tries again
        _LOG.warning("%s has ended, but cannot be settled yet: %s", position.name, error)
        return None
    closed = end + ROUNDING < until
    if not paid and not closed:
        return None
    amount = position.quantity * position.multiplier * paid + 0.0  # turns −0.0 into 0.0
    names = (trader.name, position.name, contract.name)
    return CashPosting(day, *names, position.quantity, amount, position.currency, closed)
