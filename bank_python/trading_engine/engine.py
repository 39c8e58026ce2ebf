"""The trading engine: orders are checked, filled, booked and audited, or refused with the reason.

An order carries the last price that its signal saw, and fills there plus costs, unless a market is attached whose price
counts. Orders that have to wait work until a bar or a price reaches them (:meth:`TradingEngine.on_bar`,
:meth:`TradingEngine.on_prices`). Everything that happens is one event of the audit trail, and the events of the trail
replay into the same positions and cash (:func:`~bank_python.trading_engine.replays.replay`).

Examples
--------
>>> from bank_python.trading_engine import replay
>>> limits = PositionLimits(max_position=50_000.0, book_value=200_000.0)
>>> engine = TradingEngine(ExecutionModel(slippage_bps=2.0), limits)
>>> fill = engine.submit(Order("", "Alice", "AAPL", "BUY", 100, price=228.0, reason="20-day momentum"))
>>> fill.order.status.value, round(fill.price, 4), engine.positions
('FILLED', 228.0456, {'AAPL': 100.0})
>>> print(engine.submit(Order("", "Alice", "AAPL", "BUY", 200, price=228.0)).reason)
Position of AAPL after the order: 68,400 is above 50,000 (money)
>>> engine.audit.verify().holds, replay(engine.audit).positions == engine.ledger.positions
(True, True)
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.admission import as_numbers
from bank_python.display import Displayed
from bank_python.errors import TradingError
from bank_python.market_data.feed import Bar
from bank_python.market_data.utc import utc_now
from bank_python.trading_engine.audit import AuditTrail
from bank_python.trading_engine.bar_fills import checked_bar
from bank_python.trading_engine.books import Books, LedgerBooks, books_of
from bank_python.trading_engine.events import (
    DelistingEvent,
    FillEvent,
    LedgerEvent,
    MergerEvent,
    SplitEvent,
    SymbolChangeEvent,
)
from bank_python.trading_engine.execution import ExecutionModel
from bank_python.trading_engine.exposures import exposure_of
from bank_python.trading_engine.limits import LimitBreach, PositionLimits
from bank_python.trading_engine.loss_stop import entries_beyond_the_stop
from bank_python.trading_engine.margin import liquidation_plan
from bank_python.trading_engine.market import CheckedMarket, Market, market_of
from bank_python.trading_engine.moments import checked_time, is_before, present_time
from bank_python.trading_engine.order import Order
from bank_python.trading_engine.order_book import OrderBook
from bank_python.trading_engine.replays import BOOK, KILL, RESUME, fills_in, replay, stop_in
from bank_python.trading_engine.replies import Fill, Rejection, Working
from bank_python.trading_engine.volume_use import VolumeUse
from bank_python.trading_engine.words import OrderStatus, OrderType, Side, TimeInForce
from bank_python.trading_engine.working import Protection, Resting, bracket_fault, is_dust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bank_python.mntable import Table
    from bank_python.trading_engine.bar_fills import CheckedBar
    from bank_python.trading_engine.execution import FillCost
    from bank_python.trading_engine.ledger import Ledger
    from bank_python.trading_engine.margin import LiquidationOrder
    from bank_python.trading_engine.market import ContractTerms
    from bank_python.trading_engine.working import Meeting, Waiting

__all__ = ["TradingEngine"]

Clock: TypeAlias = "Callable[[], dt.datetime]"
Prices: TypeAlias = "Callable[[str], float | None]"
Figures: TypeAlias = "Mapping[str, Any]"
Accounts: TypeAlias = "Ledger | Mapping[str, Ledger] | Books"
Limits: TypeAlias = "PositionLimits | Mapping[str, PositionLimits]"
ByName: TypeAlias = "Mapping[str, float]"

_CHANGES = (SplitEvent, SymbolChangeEvent, DelistingEvent, MergerEvent)  # of what an instrument is
_ROUNDED = 1e-9  # share of a quantity up to which the parts of a schedule may miss it


class TradingEngine(Displayed):
    """Takes orders: checks, fills, books and audits them.

    Parameters
    ----------
    execution : ExecutionModel, optional
        Model of the costs of fills; no costs by default.
    limits : PositionLimits or mapping of str to PositionLimits, optional
        Limits that are checked before an order goes to the market: the same for all traders, or those of each.
    ledger : Ledger, mapping of str to Ledger, or Books, optional
        Books of the account, or of each trader. By default those to which the trail's events lead, in USD.
    audit : AuditTrail, optional
        Trail of all events; by default one in memory with the engine's clock. Orders that were open at its end work on.
    market : Market or callable, optional
        Market, or function from the name of an instrument to its present price; by default an order's own price counts.
    volumes : mapping of str to float, optional
        Average daily volume by instrument in units, for impact and participation.
    vols : mapping of str to float, optional
        Daily volatility by instrument as a decimal, for the impact.
    sectors : mapping of str to str, optional
        Sector by instrument, for the limit on sectors.
    clock : callable, optional
        Function that returns the present time, in UTC or another zone; by default that of the last bar, or of the
        machine before one.
    firm : PositionLimits, optional
        Limits on all traders together.
    """

    def __init__(
        self,
        execution: ExecutionModel | None = None,
        limits: Limits | None = None,
        *,
        ledger: Accounts | None = None,
        audit: AuditTrail | None = None,
        market: Market | Prices | None = None,
        volumes: ByName | None = None,
        vols: ByName | None = None,
        sectors: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        firm: PositionLimits | None = None,
    ) -> None:
        self.execution = ExecutionModel() if execution is None else execution
        self.limits = PositionLimits() if limits is None else limits
        self.firm = firm
        made = AuditTrail() if clock is None else AuditTrail(clock=clock)
        self.audit = made if audit is None else audit
        self.books = books_of(replay(self.audit) if ledger is None else ledger)
        self.order_book = OrderBook(self.audit)
        self.prices: dict[str, float] = {}
        self.killed = stop_in(self.audit)
        self._market, self._clock = CheckedMarket(market_of(market, volumes, vols, sectors)), clock
        self._used = VolumeUse()
        self._bar_time: dt.datetime | None = None

    @property
    def now(self) -> dt.datetime:
        """Present time of the engine, UTC.

        Raises
        ------
        TradingError
            The clock raises, or returns no time with a zone.
        """
        if self._clock is not None:
            return present_time(self._clock, "engine")
        return utc_now() if self._bar_time is None else self._bar_time

    @property
    def ledger(self) -> Ledger:
        """The ledger of the account.

        Raises
        ------
        TradingError
            Several traders have one each, or the books are kept elsewhere: see :attr:`books`.
        """
        if not isinstance(self.books, LedgerBooks):
            raise TradingError(f"the books are kept by {type(self.books).__name__}, without a ledger", name="ledger")
        return self.books.ledger(None)

    @property
    def positions(self) -> dict[str, float]:
        """Units held by instrument, of all traders together."""
        return dict(self.books.units(None))

    @property
    def orders(self) -> dict[str, Order]:
        """All orders by name, each in its present state."""
        return self.order_book.orders

    @property
    def working(self) -> tuple[Order, ...]:
        """Orders that wait for their price."""
        return self.order_book.get_open_orders()

    @property
    def fills(self) -> Table:
        """A table with a row for each fill of the trail, also of those before a restart."""
        return fills_in(self.audit)

    # --- what users do ---------------------------------------------------------------------------

    def submit(self, order: Order, *, at_once: bool = True) -> Fill | Working | Rejection:
        """Submit an order: it is filled, works, or is rejected.

        Parameters
        ----------
        order : Order
            Pending order; one without a name gets one.
        at_once : bool, default True
            Whether the order may fill at the present price; otherwise it works from the next bar on.

        Raises
        ------
        TradingError
            It is no order, not pending, or its name is in use; nothing happens.
        """
        named = self._named(order)
        found = self._admitted(named)
        if isinstance(found, Rejection):
            return found
        return self._placed(found, self.prices[named.instrument_name]) if at_once else self._resting(found)

    def submit_schedule(self, order: Order, schedule: Any) -> Working | Rejection:
        """Submit a parent order that is traded in parts at the market, one on each of the next bars.

        Parameters
        ----------
        order : Order
            Pending market order.
        schedule : ExecutionSchedule or sequence of float
            Units to trade on each bar, at least 0, which add up to the quantity; or a schedule with such ``trades``.

        Raises
        ------
        TradingError
            It is no market order, or the parts are not numbers of at least 0 that add up to it; nothing happens.
        """
        named = self._named(order)
        parts = _parts(named, getattr(schedule, "trades", schedule))
        found = self._admitted(named, parts)
        return found if isinstance(found, Rejection) else self._resting(found, {"schedule": parts})

    def on_bar(
        self, bars: Bar | Mapping[str, Bar], instrument: str | None = None, *, at_close: bool = False
    ) -> tuple[Fill, ...]:
        """Let working orders meet a bar, or the bars of several instruments; return the fills.

        An order that cannot be filled, such as one that needs figures which the market does not have, is rejected, or
        cancelled if a part of it has filled; the others go on.

        Parameters
        ----------
        bars : Bar or mapping of str to Bar
            The bar of `instrument`, or bars by instrument, all of the same time.
        instrument : str, optional
            Instrument of a single bar; may be left out while orders of one instrument work.
        at_close : bool, default False
            Whether market orders fill at the close of the bar, and not at its open.

        Raises
        ------
        TradingError
            It is not clear whose bar it is, a bar is not valid, or it is older than the last one.
        """
        by_name = dict(bars) if isinstance(bars, Mapping) else {self._whose(instrument): bars}
        return self._on_bars(by_name, fill_on_touch=False, at_close=at_close)

    def on_prices(self, prices: Mapping[str, float], when: dt.datetime | None = None) -> tuple[Fill, ...]:
        """Let working orders meet present prices; a limit that the price equals fills. Return the fills.

        Parameters
        ----------
        prices : mapping of str to float
            Present price by instrument, above 0; those that no order waits for are only remembered.
        when : datetime, optional
            Time of the prices; by default the present time of the engine.

        Raises
        ------
        TradingError
            A price is not a finite number above 0, or the time is before that of the last bar; nothing happens.
        """
        given: Any = prices
        if not isinstance(given, Mapping):
            raise TradingError(f"prices={prices!r:.60} is no mapping; give prices by instrument", name="prices")
        moment = self.now if when is None else when
        quotes = {name: Bar(moment, price, price, price, price, None) for name, price in prices.items()}
        return self._on_bars(quotes, fill_on_touch=True)

    def cancel(self, order_id: str, *, why: str = "") -> Order:
        """Cancel a working order and return it.

        Parameters
        ----------
        order_id : str
            Name of the order.
        why : str, default ""
            Reason for the audit trail.

        Raises
        ------
        TradingError
            No such order works.
        """
        self._require_idle()
        with self.order_book.repaired():
            return self.order_book.cancel(self.order_book.require_working(order_id), why)

    def kill(self, reason: str) -> tuple[Order, ...]:
        """Stop trading: cancel all working orders and reject every order until :meth:`resume`.

        Parameters
        ----------
        reason : str
            Reason, which rejections repeat; not empty.

        Raises
        ------
        TradingError
            The reason is empty.
        """
        given: Any = reason
        if not isinstance(given, str) or not reason:
            raise TradingError("a stop of trading needs a reason", name="reason", value=reason)
        self.killed = reason  # first: nothing trades any longer, even if the trail cannot be written
        with self.order_book.together():
            self.audit.log(KILL, why=reason)
            return tuple(self.order_book.cancel(order, reason) for order in self.working)

    def resume(self, reason: str) -> None:
        """Allow trading again.

        Parameters
        ----------
        reason : str
            Reason for the audit trail.
        """
        self._require_idle()
        self.audit.log(RESUME, why=reason)
        self.killed = ""

    def book(self, event: LedgerEvent, trader: str = "") -> None:
        """Book an event that no order brings, such as a deposit, a dividend or a split, and audit it.

        Working orders in an instrument that is split, renamed, delisted or merged are cancelled: their prices and
        quantities are those of before.

        Parameters
        ----------
        event : LedgerEvent
            Event other than a fill.
        trader : str, default ""
            Trader whose books it concerns, if traders have books of their own.

        Raises
        ------
        TradingError
            It is a fill, or does not fit the books; nothing has changed.
        """
        if isinstance(event, FillEvent) or not isinstance(event, LedgerEvent):
            raise TradingError(f"{event!r:.60} is booked by an order; give a deposit, a dividend …", name="event")
        self._require_idle()
        self.books.check(trader, event)
        subject = Order("", trader, event.subject or "cash", Side.BUY, 1.0)
        with self.order_book.repaired(), self.books.booked(subject, event, self.audit):
            self.audit.log(BOOK, trader, event.subject, {"event": event.to_dict()}, why=event.why)
            if isinstance(event, _CHANGES):
                for waiting in self.order_book.waiting_on(event.subject):
                    for order in waiting.orders:
                        self.order_book.cancel(order, f"{event.kind} of {event.subject}")
        self._carry_price(event)

    def margin_call(self, trader: str = "") -> tuple[Fill | Working | Rejection, ...]:
        """Close positions of a book below its maintenance margin, the largest risk first, no more than needed.

        Parameters
        ----------
        trader : str, default ""
            Trader whose book is checked, if traders have books of their own.

        Returns
        -------
        tuple of Fill, Working or Rejection
            Answers to the orders that close positions; empty if the margin is met, or the limits have no margin rates.

        Raises
        ------
        TradingError
            The price of a position is unknown.
        """
        self._require_idle()
        limits = self._limits_of(trader)
        if limits.margin is None:
            return ()
        units, equity = self.books.units(trader), self.books.equity(trader, self.prices, self._market)
        points = {name: self.books.value_per_point(name, self._market) for name in units}
        held = limits.margin_positions(units, self.prices, points)
        plan = liquidation_plan(equity, held)
        if not plan.orders:
            return ()
        figures = {"equity": equity, "maintenance": plan.before.maintenance, "call": plan.before.call}
        self.audit.log("MARGIN_CALL", trader, details=figures)
        why = f"margin call of {plan.before.call:,.2f}"
        return tuple(self.submit(self._liquidating(each, trader, why)) for each in plan.orders)

    def _carry_price(self, event: LedgerEvent) -> None:
        """Keep the last price of an instrument in the units, and under the name, that it has after an event."""
        price = self.prices.pop(event.subject, None) if isinstance(event, _CHANGES) else None
        if price is not None and isinstance(event, SplitEvent):
            self.prices[event.subject] = price * event.old / event.new
        if price is not None and isinstance(event, SymbolChangeEvent):
            self.prices[event.new_name] = price

    def _liquidating(self, each: LiquidationOrder, trader: str, why: str) -> Order:
        side = Side.BUY if each.quantity > 0.0 else Side.SELL
        price = self.prices[each.instrument]
        return Order("", trader, each.instrument, side, abs(each.quantity), price=price, reason=why)

    def objection(self, order: Order) -> str:
        """Return why an order would be refused now, empty if it would pass; nothing is logged.

        Parameters
        ----------
        order : Order
            Order to check.
        """
        return self._objection(order)[1]

    # --- from an order to a fill ----------------------------------------------------------------

    def _require_idle(self) -> None:
        if self._market.is_asked:
            raise TradingError("the market called the engine while it was asked; let it answer, and act afterwards")

    def _named(self, order: Order) -> Order:
        """Return a pending order with its name and time; nothing has happened yet."""
        self._require_idle()
        given: Any = order
        if not isinstance(given, Order):
            raise TradingError(f"{order!r:.60} is no order; give an Order", value=order)
        if order.status is not OrderStatus.PENDING:
            raise TradingError(f"{order.order_id} is {order.status.value}; submit pending orders", name=order.order_id)
        if order.order_id in self.orders:
            raise TradingError(f"{order.order_id} was submitted before; give another name", name=order.order_id)
        return self.order_book.named(order, self.now.isoformat())

    def _admitted(self, order: Order, parts: tuple[float, ...] = ()) -> Resting | Rejection:
        """Check an order; return how it would work, or its rejection."""
        try:
            resting = Resting(order, self.execution.latency, parts)
        except TradingError as error:  # a price that its kind does not have
            return self._refused(order, error.message)
        price, reason, breaches = self._objection(order)
        if reason or self.killed:
            return self._refused(order, reason or self._stopped, breaches, {"schedule": parts} if parts else {})
        self.prices[order.instrument_name] = price
        return resting

    @property
    def _stopped(self) -> str:
        return f"trading was stopped: {self.killed}"

    def _refused(
        self, order: Order, reason: str, breaches: tuple[LimitBreach, ...] = (), figures: Figures | None = None
    ) -> Rejection:
        book = self.order_book
        with book.together():
            rejected = book.reject(book.enter(order, figures), reason, breaches)
        return Rejection(rejected, reason, breaches)

    def _objection(self, order: Order) -> tuple[float, str, tuple[LimitBreach, ...]]:
        """Return the price of an order and why it is refused: the reason, empty if it passes, and the limits."""
        name = order.instrument_name
        if self.killed:
            return math.nan, self._stopped, ()
        try:
            price = self._market.price(order)
        except TradingError as error:
            return math.nan, f"no price available for {name}: {error.message}", ()
        if price is None:
            return math.nan, f"no price available for {name}", ()
        try:
            if not self._market.is_open(name, self.now):
                return price, f"the market of {name} is closed", ()
            breaches = self._breaches(order, price)
        except TradingError as error:
            return price, error.message, ()
        reasons = [bracket_fault(order, price), *map(str, breaches)]
        return price, "; ".join(filter(None, reasons)), breaches

    def _breaches(self, order: Order, price: float) -> tuple[LimitBreach, ...]:
        limits = self._limits_of(order.trader)
        if limits.are_none and (self.firm is None or self.firm.are_none):
            return ()
        seen = {**self.prices, order.instrument_name: price}
        waiting = [each for each in self._counted(order, limits) if each.trader == order.trader]
        prices = self.books.prices(order.trader, {**_last_prices(waiting), **seen})
        own = exposure_of(order, self.books, self._market, limits, prices, waiting)
        found = limits.breaches(order, price, own)
        if self.firm is None:
            return found
        waiting = [*self._counted(order, self.firm)]
        prices = self.books.prices(None, {**_last_prices(waiting), **seen})
        everyone = exposure_of(order, self.books, self._market, self.firm, prices, waiting, of_all=True)
        of_firm = self.firm.breaches(order, price, everyone)
        return (*found, *(replace(each, what=f"Firm: {each.what}") for each in of_firm))

    def _counted(self, order: Order, limits: PositionLimits) -> tuple[Waiting, ...]:
        """Return what works and counts for limits: on all instruments if a limit spans them, or on the order's own."""
        book = self.order_book
        return book.waiting if limits.spans_instruments else book.waiting_on(order.instrument_name)

    def _limits_of(self, trader: str) -> PositionLimits:
        if isinstance(self.limits, PositionLimits):
            return self.limits
        if trader not in self.limits:
            raise TradingError(
                f"{trader!r} has no limits; there are those of {', '.join(self.limits)}", name="trader", value=trader
            )
        return self.limits[trader]

    def _placed(self, resting: Resting, price: float) -> Fill | Working | Rejection:
        """Fill an order that can be filled at once, as far as the volume allows, and let the rest work."""
        (order,) = resting.orders
        limit = order.limit_price if order.order_type is OrderType.LIMIT else None
        reached = limit is None or order.side.sign * (price - limit) <= 0.0
        if not reached or self.execution.latency or order.order_type not in {OrderType.MARKET, OrderType.LIMIT}:
            if order.time_in_force is TimeInForce.IOC:
                return self._refused(order, f"cannot be filled at once: the price is {price:g}")
            return self._resting(resting)
        try:
            deal = self._deal(order, self._allowed(order), price, limit, self.now, None)
        except TradingError as error:  # the order needs more volume, or figures, than there are
            return self._refused(order, error.message)
        if self.killed:  # by the market, as it was asked
            return self._refused(order, self._stopped)
        return self._booked(deal, resting)[0]

    def _resting(self, resting: Resting, figures: Figures | None = None) -> Working:
        (order,) = resting.orders
        with self.order_book.repaired():
            self.order_book.enter(order, figures)
            self.order_book.rest(resting)
        return Working(order)

    def _allowed(self, order: Order) -> float:
        """Return the units of an order that the present day's volume allows to fill at once."""
        left = self._left_today(order.instrument_name, self._costs(order.instrument_name), self.now)
        if is_dust(left, order):
            raise TradingError(f"the day's share of the volume of {order.instrument_name} is used up", name="volume")
        return min(order.remaining, left)

    def _left_today(self, instrument: str, model: ExecutionModel, when: dt.datetime) -> float:
        """Return the units that the day's volume still allows; infinite without a cap, or where it is unknown."""
        volume = self._market.volume(instrument)
        if model.participation_cap is None or volume is None:
            return math.inf
        return model.maximum_quantity(volume) - self._used.taken(instrument, when.date())

    def _on_bars(self, bars: Mapping[str, Bar], *, fill_on_touch: bool, at_close: bool = False) -> tuple[Fill, ...]:
        self._require_idle()
        checked = {name: _in_utc(name, checked_bar(bar)) for name, bar in bars.items()}
        times = {bar.date for bar in checked.values()}
        if len(times) > 1:
            raise TradingError("the bars have different times; give those of one time", value=sorted(times))
        moment = next(iter(times), None)
        if moment is None:
            return ()
        if self._bar_time is not None and moment < self._bar_time:
            raise TradingError(f"the bar of {moment} is older than the last one, {self._bar_time}", value=moment)
        booked = self.books.last
        if booked is not None and is_before(moment, booked):
            raise TradingError(
                f"the bar of {moment} is older than the last event in the books, {booked}; give the engine a clock "
                "that goes with the bars",
                value=moment,
            )
        self._bar_time = moment
        self._expire(moment)
        fills: list[Fill] = []
        for name, bar in checked.items():
            fills += self._met(name, bar, fill_on_touch=fill_on_touch, at_close=at_close)
            self.prices[name] = bar.close
        self._stop_losses()
        return tuple(fills)

    def _met(self, instrument: str, bar: CheckedBar, *, fill_on_touch: bool, at_close: bool) -> list[Fill]:
        """Let the working orders of an instrument meet its bar, in the order of their submission.

        What fills at the close comes after what fills inside the bar.
        """
        fills: list[Fill] = []
        queue = list(self.order_book.waiting_on(instrument))
        if at_close:
            queue.sort(key=_fills_at_close)
        left, fault = self._room(instrument, bar) if queue else (0.0, "")
        for waiting in queue:
            if self.killed:
                break
            met = waiting.meet(bar, fill_on_touch=fill_on_touch, at_close=at_close)
            units = 0.0 if met is None else min(met.units, left, self._most(waiting))
            if met is None or is_dust(units, met.order):
                continue
            filled = self._filled_on_bar(met, units, bar, fault)
            if filled is not None:
                fills.append(filled[0])
                left -= units
                if filled[1] is not None and not (at_close and _fills_at_close(waiting)):
                    # Protection of a fill meets the rest of the bar, and knows at which price that was.
                    queue.append(filled[1].entered_at(met.price))
        return fills

    def _held(self, order: Order) -> float:
        """Return the units that an order's trader holds of its instrument."""
        return self.books.held(order.trader, order.instrument_name)

    def _most(self, waiting: Waiting) -> float:
        """Return the units that what works may trade: a stop and a target close what is held, and open nothing."""
        order = waiting.orders[0]
        return max(0.0, -order.side.sign * self._held(order)) if isinstance(waiting, Protection) else math.inf

    def _stop_losses(self) -> None:
        """Cancel the entries that work for traders, or a firm, whose loss has reached the stop."""
        book = self.order_book
        found = entries_beyond_the_stop(book, self.books, self._market, self.limits, self.firm, self.prices)
        for order, why in found:
            with book.repaired():
                book.cancel(order, why)

    def _room(self, instrument: str, bar: CheckedBar) -> tuple[float, str]:
        """Return the units that the volume lets fill on a bar, and why nothing can if the market does not say it."""
        try:
            model = self._costs(instrument)
            today = self._market.volume(instrument)
            if bar.volume is None or model.participation_cap is None:
                return self._left_today(instrument, model, bar.date), ""
            return model.maximum_quantity(bar.volume if today is None else min(bar.volume, today)), ""
        except TradingError as error:
            return math.inf, error.message

    def _filled_on_bar(
        self, met: Meeting, units: float, bar: CheckedBar, fault: str
    ) -> tuple[Fill, Protection | None] | None:
        """Fill units of a working order; one that cannot be filled ends with the reason, and costs no other its bar."""
        order, reason = met.order, fault
        limit = order.limit_price if order.order_type in {OrderType.LIMIT, OrderType.STOP_LIMIT} else None
        try:
            deal = None if fault else self._deal(order, units, met.price, limit, bar.date, bar.volume or None)
        except TradingError as error:
            deal, reason = None, error.message
        if not self.order_book.is_working(order):  # the market stopped trading as it was asked
            return None
        if deal is not None:
            return self._booked(deal)
        end = self.order_book.reject if order.status is OrderStatus.PENDING else self.order_book.cancel
        with self.order_book.repaired():
            end(order, reason)
        return None

    def _deal(
        self, order: Order, units: float, reference: float, limit: float | None, when: dt.datetime, volume: float | None
    ) -> _Deal:
        """Return the fill of units of an order at a reference price plus costs; nothing is booked yet."""
        name, market = order.instrument_name, self._market
        known, terms = market.volume(name), self.books.terms(name, market)
        adv = volume if known is None else known
        cost = self._costs(name).price_of(
            order.side, units, reference, adv, market.vol(name),
            limit_price=limit, multiplier=terms.multiplier,
        )  # fmt: skip
        event = self._event(order, units, cost, when, terms)
        self.books.check(order.trader, event)  # before the trail says that it happened
        done = order.filled(units, cost.price, fees=cost.fees, at=when.isoformat())
        return _Deal(order, event, Fill(done, units, cost.price, cost.fees, cost, when))

    def _booked(self, deal: _Deal, new: Resting | None = None) -> tuple[Fill, Protection | None]:
        """Book and audit a fill, and what it opens and cancels, all together or not at all.

        Return it with the protection that it has opened.
        """
        book, fill, done = self.order_book, deal.fill, deal.fill.order
        left = self._held(done) + fill.signed_quantity
        opened = min(fill.quantity, done.side.sign * left)
        with book.repaired(), self.books.booked(done, deal.event, self.audit):
            if new is not None:
                book.enter(deal.order)
                book.rest(new)
            book.fill(done, deal.figures)
            protection = None if is_dust(opened, done) else book.protect(done, opened, fill.when.isoformat())
            book.release(done, left)
            if done.status.is_open and done.time_in_force is TimeInForce.IOC:
                book.cancel(done, "not filled at once")
        self._used.add(done.instrument_name, fill.quantity, fill.when.date())
        now = book.orders[done.order_id]
        return fill if now is done else replace(fill, order=now), protection

    def _costs(self, instrument: str) -> ExecutionModel:
        return self._market.execution(instrument, self.execution)

    def _event(self, order: Order, units: float, cost: FillCost, when: dt.datetime, terms: ContractTerms) -> FillEvent:
        """Return a fill as the books take it; lots that an earlier part of the order has closed are no longer named."""
        held = self.books.lots(order.trader, order.instrument_name) if order.filled_qty else order.closes
        return FillEvent(
            when, order.instrument_name, order.side.sign * units, cost.price - terms.par, cost.fees,
            terms.currency,
            None if terms.multiplier == 1.0 else terms.multiplier, terms.margined or None,
            closes=tuple(lot for lot in order.closes if lot in held) or None,
        )  # fmt: skip

    def _expire(self, moment: dt.datetime) -> None:
        """Let the orders expire whose day, in UTC, is over."""
        for order in self.order_book.day_orders:
            if moment.date() > _day_of(order.created_at):
                with self.order_book.repaired():
                    self.order_book.expire(order)

    def _whose(self, instrument: str | None) -> str:
        if instrument is not None:
            return instrument
        names = {order.instrument_name for order in self.working}
        if len(names) != 1:
            raise TradingError(
                f"orders of {len(names)} instruments work; say whose bar it is: on_bar(bar, 'AAPL')",
                value=sorted(names),
            )
        return names.pop()

    def __rich__(self) -> object:
        from bank_python.render_orders import engine_view

        return engine_view(self)


@dataclass(frozen=True, slots=True)
class _Deal:
    """A fill that is priced and not booked: the order before it, what the books take, and the answer."""

    order: Order
    event: FillEvent
    fill: Fill

    def figures(self) -> dict[str, Any]:
        """Figures of the fill for the trail; its price where the books take another one."""
        price = {} if self.event.price == self.fill.price else {"price": self.fill.price}
        return {"event": self.event.to_dict(), "reference": self.fill.cost.reference_price, **price}


def _fills_at_close(waiting: Waiting) -> bool:
    """Whether what works is a market order, of those that fill at the close of a bar."""
    return not isinstance(waiting, Protection) and waiting.orders[0].order_type is OrderType.MARKET


def _last_prices(waiting: Iterable[Waiting]) -> dict[str, float]:
    """Return the prices that orders saw when they were submitted, for instruments of which none is known since."""
    orders = [each.orders[0] for each in waiting]
    return {order.instrument_name: order.price for order in orders if order.price is not None}


def _in_utc(name: str, bar: CheckedBar) -> CheckedBar:
    """Return a bar with its time in UTC."""
    moment = checked_time(bar.date, f"bar of {name}")
    return bar if moment is bar.date else bar._replace(date=moment)


def _day_of(time: str) -> dt.date:
    return dt.datetime.fromisoformat(time).astimezone(dt.UTC).date()


def _parts(order: Order, given: Any) -> tuple[float, ...]:
    """Return the parts of a schedule, checked against the order that it trades."""
    numbers = as_numbers(given)
    if numbers is None or numbers.ndim != 1 or not numbers.size or not ((numbers >= 0.0) & (numbers < np.inf)).all():
        raise TradingError(f"schedule={given!r:.60} is no row of numbers of at least 0", name="schedule", value=given)
    if order.order_type is not OrderType.MARKET:
        raise TradingError(f"a schedule trades at the market; the order is {order.order_type.value}", name="order")
    total = float(numbers.sum())
    if abs(total - order.quantity) > _ROUNDED * order.quantity:
        raise TradingError(
            f"the parts of the schedule add up to {total:g}, the order has {order.quantity:g} units", name="schedule"
        )
    return tuple(numbers.tolist())
