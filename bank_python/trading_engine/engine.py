"""The trading engine: orders are checked, filled, booked and audited, or refused with the reason.

An order carries the last price that its signal saw, and fills there plus costs, unless a market is attached whose price
counts. Orders that have to wait work until a bar reaches them (:meth:`TradingEngine.on_bar`). Everything that happens
is one event of the audit trail, and the fills of the trail replay into the same positions and cash.

Examples
--------
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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from bank_python.display import Displayed
from bank_python.errors import BankError, TradingError
from bank_python.market_data.utc import utc_now
from bank_python.trading_engine.audit import AuditTrail
from bank_python.trading_engine.bar_fills import BarOrder, fill_on_bar
from bank_python.trading_engine.event_rules import booking_of
from bank_python.trading_engine.events import FillEvent, event_from_dict
from bank_python.trading_engine.execution import ExecutionModel
from bank_python.trading_engine.ledger import Ledger
from bank_python.trading_engine.limits import Exposure, LimitBreach, PositionLimits
from bank_python.trading_engine.order import Order
from bank_python.trading_engine.replies import Fill, Rejection, Working
from bank_python.trading_engine.words import OrderType, Side, TimeInForce
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.market_data.feed import Bar

__all__ = ["TradingEngine", "replay"]

Clock: TypeAlias = "Callable[[], dt.datetime]"
Prices: TypeAlias = "Callable[[str], float | None]"

_FILL = "FILL"
_PROBE = BarOrder(Side.BUY, OrderType.MARKET)


@dataclass(slots=True)
class _Waiting:
    """An order that works: as the bars see it, and how many bars it still has to wait."""

    order: Order
    seen: BarOrder
    bars: int


class TradingEngine(Displayed):
    """Takes orders of one account: checks, fills, books and audits them.

    Parameters
    ----------
    execution : ExecutionModel, optional
        Model of the costs of fills; no costs by default.
    limits : PositionLimits, optional
        Limits that are checked before an order goes to the market; those of :class:`PositionLimits` by default.
    ledger : Ledger, optional
        Books of the account; new ones in USD by default.
    audit : AuditTrail, optional
        Trail of all events; one in memory by default.
    market : callable, optional
        Function from the name of an instrument to its present price; by default an order's own price counts.
    volumes : mapping of str to float, optional
        Average daily volume by instrument in units, for impact and participation.
    vols : mapping of str to float, optional
        Daily volatility by instrument as a decimal, for the impact.
    sectors : mapping of str to str, optional
        Sector by instrument, for the limit on sectors.
    clock : callable, optional
        Function that returns the present time in UTC; by default that of the last bar, or of the machine before one.
    """

    def __init__(
        self,
        execution: ExecutionModel | None = None,
        limits: PositionLimits | None = None,
        *,
        ledger: Ledger | None = None,
        audit: AuditTrail | None = None,
        market: Prices | None = None,
        volumes: Mapping[str, float] | None = None,
        vols: Mapping[str, float] | None = None,
        sectors: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.execution = ExecutionModel() if execution is None else execution
        self.limits = PositionLimits() if limits is None else limits
        self.ledger = Ledger() if ledger is None else ledger
        self.audit = AuditTrail() if audit is None else audit
        self.orders: dict[str, Order] = {}
        self.prices: dict[str, float] = {}
        self.killed = ""
        self._market, self._clock = market, clock
        self._volumes, self._vols, self._sectors = dict(volumes or {}), dict(vols or {}), dict(sectors or {})
        self._waiting: dict[str, _Waiting] = {}
        self._bar_time: dt.datetime | None = None

    @property
    def now(self) -> dt.datetime:
        """Present time of the engine, UTC."""
        if self._clock is not None:
            return self._clock()
        return utc_now() if self._bar_time is None else self._bar_time

    @property
    def positions(self) -> dict[str, float]:
        """Units held by instrument."""
        return {name: held.quantity for name, held in self.ledger.positions.items()}

    @property
    def working(self) -> tuple[Order, ...]:
        """Orders that wait for their price."""
        return tuple(waiting.order for waiting in self._waiting.values())

    def submit(self, order: Order) -> Fill | Working | Rejection:
        """Submit an order: it is filled, works, or is rejected.

        Parameters
        ----------
        order : Order
            Pending order; one without a name gets one.

        Raises
        ------
        TradingError
            It is no order, not pending, or its name is in use; nothing happens.
        """
        if not isinstance(order, Order):
            raise TradingError(f"{order!r:.60} is no order; give an Order", value=order)
        if order.status.value != "PENDING":
            raise TradingError(f"{order.order_id} is {order.status.value}; submit pending orders", name=order.order_id)
        if order.order_id in self.orders:
            raise TradingError(f"{order.order_id} was submitted before; give another name", name=order.order_id)
        name = order.order_id or f"ORD-{len(self.orders) + 1:06d}"
        named = order.submitted(name, self.now.isoformat())
        self._log("ORDER_SUBMIT", named, _terms(named), why=named.reason)
        self.orders[name] = named
        if self.killed:
            return self._reject(named, f"trading was stopped: {self.killed}")
        price, fault = self._price_of(named)
        if price is None:
            return self._reject(named, f"no price available for {named.instrument_name}{fault}")
        breaches = self.limits.breaches(named, price, self._exposure())
        if breaches:
            return self._reject(named, "; ".join(map(str, breaches)), breaches)
        self.prices[named.instrument_name] = price
        return self._placed(named, price)

    def on_bar(self, bars: Bar | Mapping[str, Bar], instrument: str | None = None) -> tuple[Fill, ...]:
        """Let working orders meet a bar, or the bars of several instruments; return the fills.

        Parameters
        ----------
        bars : Bar or mapping of str to Bar
            The bar of `instrument`, or bars by instrument, all of the same time.
        instrument : str, optional
            Instrument of a single bar; may be left out while orders of one instrument work.

        Raises
        ------
        TradingError
            It is not clear whose bar it is, a bar is not valid, or it is older than the last one.
        """
        by_name = bars if isinstance(bars, Mapping) else {self._whose(instrument): bars}
        times = {bar.date for bar in by_name.values()}
        if len(times) > 1:
            raise TradingError("the bars have different times; give those of one time", value=sorted(times))
        moment = next(iter(times), None)
        if moment is None:
            return ()
        if self._bar_time is not None and moment < self._bar_time:
            raise TradingError(f"the bar of {moment} is older than the last one, {self._bar_time}", value=moment)
        for bar in by_name.values():
            fill_on_bar(_PROBE, bar)  # refuses a bar that is not valid before any order meets one
        self._bar_time = moment
        fills: list[Fill] = []
        for name, bar in by_name.items():
            fills += self._met(name, bar, moment)
            self.prices[name] = bar.close
        return tuple(fills)

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
        if order_id not in self._waiting:
            state = f"is {self.orders[order_id].status.value}" if order_id in self.orders else "was never submitted"
            raise TradingError(f"{order_id} {state}; only working orders can be cancelled", name=order_id)
        done = self._waiting[order_id].order.cancelled()
        self._log("CANCEL", done, {"filled": done.filled_qty}, why=why)
        return self._ended(done)

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
        if not reason:
            raise TradingError("a stop of trading needs a reason", name="reason")
        self.killed = reason
        self.audit.log("KILL", why=reason)
        return tuple(self.cancel(name, why=reason) for name in list(self._waiting))

    def resume(self, reason: str) -> None:
        """Allow trading again.

        Parameters
        ----------
        reason : str
            Reason for the audit trail.
        """
        self.killed = ""
        self.audit.log("RESUME", why=reason)

    # --- from an order to a fill ----------------------------------------------------------------

    def _price_of(self, order: Order) -> tuple[float | None, str]:
        """Return the present price of an order's instrument, or None and why there is none."""
        try:
            given: Any = order.price if self._market is None else self._market(order.instrument_name)
            price = None if given is None else float(given)
        except Exception as error:  # noqa: BLE001 - the market is the code of users, which may raise anything
            return None, f": the market raised {type(error).__name__}: {message_of(error)}"
        return (price, "") if price is not None and math.isfinite(price) and price > 0.0 else (None, "")

    def _placed(self, order: Order, price: float) -> Fill | Working | Rejection:
        """Fill an order that can be filled at once, else let it work."""
        limit = order.limit_price if order.order_type is OrderType.LIMIT else None
        reached = limit is None or order.side.sign * (price - limit) <= 0.0
        if order.order_type in {OrderType.MARKET, OrderType.LIMIT} and reached and not self.execution.latency:
            try:
                return self._filled(order, order.remaining, price, limit, self.now, None)
            except TradingError as error:  # the order needs more volume, or figures, than there are
                return self._reject(order, error.message)
        if order.time_in_force is TimeInForce.IOC:
            return self._reject(order, f"cannot be filled at once: the price is {price:g}")
        seen = BarOrder(order.side, order.order_type, order.limit_price, order.stop_price, trail_amount=order.trail)
        self._waiting[order.order_id] = _Waiting(order, seen, self.execution.latency)
        return Working(order)

    def _met(self, instrument: str, bar: Bar, moment: dt.datetime) -> list[Fill]:
        """Let the working orders of an instrument meet its bar, in the order of their submission."""
        fills = []
        left = math.inf if bar.volume is None else self.execution.maximum_quantity(bar.volume)
        for waiting in [each for each in self._waiting.values() if each.order.instrument_name == instrument]:
            if self._has_expired(waiting.order, moment):
                done = waiting.order.expired()
                self._log("EXPIRE", done, {"filled": done.filled_qty})
                self._ended(done)
                continue
            if waiting.bars > 0:
                waiting.bars -= 1
                continue
            met = fill_on_bar(waiting.seen, bar)
            waiting.seen = met.order if isinstance(met.order, BarOrder) else waiting.seen
            units = min(waiting.order.remaining, left)
            if met.price is not None and units > 0.0:
                fill = self._filled(
                    waiting.order, units, met.price, waiting.order.limit_price, moment, bar.volume or None
                )
                fills.append(fill)
                left -= units
                if fill.order.status.is_open:
                    waiting.order, waiting.seen = fill.order, _rest_of(waiting.seen)
        return fills

    def _filled(
        self,
        order: Order,
        units: float,
        reference: float,
        limit: float | None,
        when: dt.datetime,
        volume: float | None,
    ) -> Fill:
        """Fill units of an order at a reference price plus costs: booked and audited together, or not at all."""
        name = order.instrument_name
        volume = self._volumes.get(name, volume)
        cost = self.execution.price_of(order.side, units, reference, volume, self._vols.get(name), limit_price=limit)
        event = FillEvent(when, name, order.side.sign * units, cost.price, cost.fees)
        booking_of(self.ledger.state, event)  # refuses what the ledger would refuse, before the trail says it happened
        done = order.filled(units, cost.price, fees=cost.fees, at=when.isoformat())
        self._log(_FILL, done, {"event": event.to_dict(), "reference": reference}, why=order.reason)
        self.ledger.book(event)
        self.orders[done.order_id] = done
        if not done.status.is_open:
            self._waiting.pop(done.order_id, None)
        return Fill(done, units, cost.price, cost.fees, cost, when)

    def _reject(self, order: Order, reason: str, breaches: tuple[LimitBreach, ...] = ()) -> Rejection:
        done = order.rejected(reason)
        self._log("REJECT", done, {"limits": [breach.limit for breach in breaches]}, why=reason)
        self._ended(done)
        return Rejection(done, reason, breaches)

    def _ended(self, order: Order) -> Order:
        self._waiting.pop(order.order_id, None)
        self.orders[order.order_id] = order
        return order

    def _has_expired(self, order: Order, moment: dt.datetime) -> bool:
        day = dt.datetime.fromisoformat(order.created_at).date()
        return order.time_in_force is TimeInForce.DAY and moment.date() > day

    def _exposure(self) -> Exposure:
        pending: dict[str, tuple[float, float]] = {}
        for waiting in self._waiting.values():
            bought, sold = pending.get(waiting.order.instrument_name, (0.0, 0.0))
            units = waiting.order.remaining
            is_purchase = waiting.order.side.sign > 0.0
            pending[waiting.order.instrument_name] = (bought + units, sold) if is_purchase else (bought, sold + units)
        return Exposure(self.positions, self.prices, pending, self._pnl(), sectors=self._sectors)

    def _pnl(self) -> float:
        """Return the P&L of the account at the last known prices."""
        try:
            return self.ledger.statement(self.prices).pnl
        except BankError:  # a position whose price is not known: what is realised counts
            return math.fsum(self.ledger.realised.values())

    def _whose(self, instrument: str | None) -> str:
        if instrument is not None:
            return instrument
        names = {waiting.order.instrument_name for waiting in self._waiting.values()}
        if len(names) != 1:
            raise TradingError(
                f"orders of {len(names)} instruments work; say whose bar it is: on_bar(bar, 'AAPL')",
                value=sorted(names),
            )
        return names.pop()

    def _log(self, kind: str, order: Order, details: Mapping[str, Any], *, why: str = "") -> None:
        self.audit.log(kind, order.trader, order.instrument_name, details, order.order_id, why=why)

    def __rich__(self) -> object:
        from bank_python.render_orders import engine_view

        return engine_view(self)


def replay(audit: AuditTrail, ledger: Ledger | None = None) -> Ledger:
    """Return the books to which the fills of an audit trail lead.

    Parameters
    ----------
    audit : AuditTrail
        Trail of an engine.
    ledger : Ledger, optional
        Books before the first fill; new ones in USD by default.

    Raises
    ------
    TradingError
        The trail is broken, or a fill cannot be booked.
    """
    if not isinstance(audit, AuditTrail):
        raise TradingError(f"{audit!r:.60} is no audit trail; give that of an engine", value=audit)
    check = audit.verify()
    if not check.holds:
        raise TradingError(
            f"the audit trail is broken at event {check.first_bad}: {check.reason}", value=check.first_bad
        )
    made = Ledger() if ledger is None else ledger
    for event in audit:
        if event.event_type == _FILL:
            made.book(event_from_dict(event.figures["event"]))
    return made


def _terms(order: Order) -> dict[str, Any]:
    return {
        "side": order.side.value,
        "quantity": order.quantity,
        "order_type": order.order_type.value,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "trail": order.trail,
        "time_in_force": order.time_in_force.value,
        "price": order.price,
        "strategy": order.strategy,
    }


def _rest_of(seen: BarOrder) -> BarOrder:
    """Return what is left of an order after a partial fill: a triggered stop goes on at the market."""
    is_stop = seen.order_type in {OrderType.STOP, OrderType.TRAILING_STOP}
    return BarOrder(seen.side, OrderType.MARKET) if is_stop else seen
