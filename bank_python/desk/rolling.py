"""Time passes on a desk: the valuation date follows the market, and what falls due is paid.

Which date a desk follows depends on its market. A replayed history and the simulated market have dates of their own:
the desk takes that of the newest quote. On a live market (:class:`~bank_python.market_data.LiveFeed`) it is today, UTC,
whatever the date of the last trade. The clock never moves backward: an earlier date is left out.

The date moves before the quotes of the new day are set. So what ends in between is settled at the last market known by
its end. :func:`roll_to` is the one place in which cash of contracts is booked: coupons and premiums as they fall due,
the payment of an option once the clock has passed its expiry. It goes to the trader's cash in the contract's currency,
by way of the position's cost; a contract that is over leaves its position with a quantity of 0.
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
    """Cash that a contract paid into a trader's account when the valuation date moved on.

    Parameters
    ----------
    valuation_date : datetime.date
        The day to which the clock was rolled.
    trader, position, instrument : str
        Whose account, for which position, and what that holds.
    quantity : float
        Units held, negative if short.
    amount : float
        Cash in `currency`; negative if the trader pays.
    currency : str
        ISO 4217 code.
    closed : bool
        Whether the contract has ended, and the position with it.
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
    """Return the day at which a market is: today for a live one, else that of its newest quote.

    Parameters
    ----------
    feed : Feed
        The market.
    ticks : iterable of Tick
        Quotes that are believed; those of other sources do not count.

    Returns
    -------
    datetime.date or None
        UTC; None if the market is not live and none of the quotes is its own.
    """
    today = live_date(feed)
    if today is not None:
        return today
    return max((as_utc(tick.time).date() for tick in ticks if tick.source == feed.name), default=None)


def opening_date(market: MarketDataManager) -> dt.date:
    """Return the day on which a desk opens: that of its market, else of any quote, else today."""
    today = live_date(market.feed)
    if today is not None:
        return today
    quotes = [market.quote(ticker) for ticker in market.tickers]
    times = {quote.source: quote.time.date() for quote in quotes if quote.time is not None}
    return times.get(market.feed.name) or max(times.values(), default=utc_now().date())


def roll_with(desk: DeskParts, ticks: Sequence[Tick]) -> tuple[CashPosting, ...]:
    """Roll a desk to the day at which its market is, if that is later than the valuation date.

    Parameters
    ----------
    desk : DeskParts
        The desk, whose quotes are still those of before.
    ticks : sequence of Tick
        The quotes that are about to be set.
    """
    day = market_date(desk.feed, ticks)
    return roll_to(desk, day) if day is not None and day >= desk.clock.date else ()


def roll_to(desk: DeskParts, day: dt.date) -> tuple[CashPosting, ...]:
    """Move a desk's valuation date to `day` and book the cash that falls due by then.

    Clock, positions, the traders' cash and the postings change together, in the graph and in the store.

    Parameters
    ----------
    desk : DeskParts
        The desk; what has ended is settled at its present market.
    day : datetime.date
        The new valuation date.

    Returns
    -------
    tuple of CashPosting
        What was booked. A contract whose payment cannot be valued now is left, with a warning in the log, and
        settled by a later roll.

    Raises
    ------
    DomainError
        `day` lies before the valuation date; nothing has changed.
    """
    before = desk.cash_until
    try:
        with desk.changing():  # whoever else rolls or trades waits from here on
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
    """Return all cash postings that a store keeps, by day."""
    return tuple(CashPosting(**record) for _, record in db.items(CASH_FLOWS))


def _due(desk: DeskParts, day: dt.date) -> Iterator[tuple[Trader, Position, CashPosting]]:
    for trader in desk.traders:
        for position in trader.positions:
            contract = position.instrument
            if position.quantity and isinstance(contract, Instrument) and _runs_on(contract, desk):
                posting = _posting(desk, trader, position, contract, day)
                if posting is not None:
                    yield trader, position, posting


def _runs_on(contract: Instrument, desk: DeskParts) -> bool:
    return "clock" in contract.source_names and contract.source_at("clock") is desk.clock


def _posting(
    desk: DeskParts, trader: Trader, position: Position, contract: Instrument, day: dt.date
) -> CashPosting | None:
    """Return what a position is paid by `day`; None if that is nothing, and it goes on."""
    until, end = desk.clock.years_at(day), end_of(contract)
    try:
        paid = cash_between(contract, min(desk.cash_until, end), until)
    except Exception as error:  # noqa: BLE001 - whatever a contract's value is missing for
        _LOG.warning("%s has ended and cannot be settled yet: %s", position.name, error)
        return None
    closed = end + ROUNDING < until
    if not paid and not closed:
        return None
    amount = position.quantity * position.multiplier * paid + 0.0  # no −0
    words = (trader.name, position.name, contract.name)
    return CashPosting(day, *words, position.quantity, amount, position.currency, closed)
