"""The order book of an engine: every order in its present state, what works, and the events of their lives.

Each change of an order's state is an event of the audit trail. A book that is made on a stored trail has its orders
again, and those that were open work on. What is changed inside :meth:`OrderBook.repaired` is read from the trail again
if it is interrupted, so that orders and trail agree at any time.

Examples
--------
>>> from bank_python.trading_engine import AuditTrail, Order
>>> from bank_python.trading_engine.working import Resting
>>> book = OrderBook(AuditTrail())
>>> wanted = Order("", "Alice", "AAPL", "BUY", 100, "LIMIT", 90.0)
>>> order = book.enter(book.named(wanted, "2026-01-05T15:00:00+00:00"))
>>> book.rest(Resting(order))
>>> [each.order_id for each in book.get_open_orders("Alice")], book.cancel(order, "no longer wanted").status.value
(['ORD-000001'], 'CANCELLED')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from bank_python.display import Displayed
from bank_python.errors import TradingError
from bank_python.mntable import Table
from bank_python.trading_engine.replays import FILL, SUBMIT, known_orders, terms_of, waiting_in
from bank_python.trading_engine.words import TimeInForce
from bank_python.trading_engine.working import Protection, Waiting, is_dust, protection_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.trading_engine.audit import AuditTrail
    from bank_python.trading_engine.limits import LimitBreach
    from bank_python.trading_engine.order import Order

__all__ = ["OrderBook", "order_table"]

Figures: TypeAlias = Mapping[str, Any]

_SCHEMA = [(name, str) for name in ("order_id", "trader", "instrument", "side", "order_type", "status")]
_NUMBERS = [(name, float) for name in ("quantity", "filled_qty", "filled_price", "fill_cost")]
_WORDS = [(name, str) for name in ("created_at", "filled_at", "strategy", "reason", "reject_reason")]


class OrderBook(Displayed):
    """The orders of an engine.

    Parameters
    ----------
    audit : AuditTrail
        Trail of all events.
    """

    def __init__(self, audit: AuditTrail) -> None:
        self.audit = audit
        self.orders: dict[str, Order] = {}
        self._waiting: dict[str, Waiting] = {}
        self._on: dict[str, dict[str, Waiting]] = {}  # the same by instrument
        self._of_day: dict[str, Waiting] = {}  # those of orders that are good for their day
        self._repair = _Repair(self._read)
        self._read()

    def __len__(self) -> int:
        return len(self.orders)

    # --- questions -------------------------------------------------------------------------------

    def get_order(self, order_id: str) -> Order:
        """Return an order in its present state.

        Parameters
        ----------
        order_id : str
            Name of the order.

        Raises
        ------
        TradingError
            There is none of that name.
        """
        if order_id not in self.orders:
            raise TradingError(f"there is no order {order_id!r}; get_open_orders() has those that work", name=order_id)
        return self.orders[order_id]

    def get_open_orders(self, trader: str | None = None) -> tuple[Order, ...]:
        """Return the orders that work, in the order of their submission.

        Parameters
        ----------
        trader : str, optional
            Name of the trader; all by default.
        """
        working = (order for waiting in self.waiting for order in waiting.orders)
        return tuple(order for order in working if trader in {None, order.trader})

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """All that works, each once, in the order of submission."""
        return tuple(dict.fromkeys(self._waiting.values()))

    @property
    def is_waited_for(self) -> bool:
        """Whether any order works."""
        return bool(self._waiting)

    @property
    def waited_for(self) -> tuple[str, ...]:
        """Names of the instruments on which orders work, sorted."""
        return tuple(sorted(self._on))

    def waiting_on(self, instrument: str) -> tuple[Waiting, ...]:
        """Return what works on an instrument, each once, in the order of submission.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        """
        return tuple(dict.fromkeys(self._on.get(instrument, {}).values()))

    @property
    def day_orders(self) -> tuple[Order, ...]:
        """Working orders that expire when their day is over, in the order of submission."""
        return tuple(self.orders[name] for name in self._of_day)

    def is_working(self, order: Order) -> bool:
        """Return whether an order works, in the state that is given.

        Parameters
        ----------
        order : Order
            Order with a name.
        """
        return order.order_id in self._waiting and self.orders[order.order_id] == order

    @property
    def table(self) -> Table:
        """A table with a row for each order."""
        return order_table(self.orders.values())

    def require_working(self, order_id: str) -> Order:
        """Return a working order.

        Parameters
        ----------
        order_id : str
            Name of the order.

        Raises
        ------
        TradingError
            No such order works.
        """
        if order_id not in self._waiting:
            state = f"is {self.orders[order_id].status.value}" if order_id in self.orders else "was never submitted"
            raise TradingError(f"{order_id} {state}; only working orders can be cancelled", name=order_id)
        return self.orders[order_id]

    # --- the life of an order ----------------------------------------------------------------------

    def repaired(self) -> AbstractContextManager[None]:
        """Read the orders from the trail again if the block is interrupted or fails: it says what has happened.

        What works on unchanged keeps what it knows of past bars.
        """
        return self._repair

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all changes of the block, here and in the trail, or none of them."""
        with self.repaired(), self.audit.together():
            yield

    def named(self, order: Order, at: str) -> Order:
        """Return an order with its name and time, which is not in the book yet.

        Parameters
        ----------
        order : Order
            Pending order; one without a name gets one.
        at : str
            Present time, ISO 8601.
        """
        return order.submitted(order.order_id or self._free_name(), at)

    def enter(self, order: Order, figures: Figures | None = None) -> Order:
        """Take an order, once the trail has it, and return it.

        Parameters
        ----------
        order : Order
            Pending order with a name.
        figures : mapping of str to object, optional
            Further figures of the event.
        """
        self.note(SUBMIT, order, lambda: {**terms_of(order), **(figures or {})})
        self.orders[order.order_id] = order
        return order

    def rest(self, waiting: Waiting) -> None:
        """Let an order work, or a stop and a target together.

        Parameters
        ----------
        waiting : Waiting
            Order, or pair of orders, that works from now on.
        """
        for order in waiting.orders:
            self._waiting[order.order_id] = waiting
            self._on.setdefault(waiting.instrument, {})[order.order_id] = waiting
            if order.time_in_force is TimeInForce.DAY:
                self._of_day[order.order_id] = waiting

    def protect(self, entry: Order, units: float, at: str) -> Protection | None:
        """Let the stop and the target work that an order has for what it opens; return them.

        Parameters
        ----------
        entry : Order
            Order after a fill.
        units : float
            Units that it has opened, above 0.
        at : str
            Present time, ISO 8601.
        """
        if entry.stop_loss is None and entry.take_profit is None:
            return None
        stop, target = (
            None if each is None else self.enter(self.named(each, at)) for each in protection_of(entry, units)
        )
        made = Protection(stop, target)
        self.rest(made)
        return made

    def release(self, done: Order, held: float) -> None:
        """Cancel the stops and targets that have nothing left to close after a fill.

        Parameters
        ----------
        done : Order
            Order after its fill.
        held : float
            Units that its trader holds of the instrument now, negative for a short position.
        """
        for waiting in self.waiting_on(done.instrument_name):
            first = waiting.orders[0]
            if (
                isinstance(waiting, Protection)
                and first.trader == done.trader
                and is_dust(-first.side.sign * held, first)
            ):
                for order in waiting.orders:
                    self.cancel(order, "nothing is left to close")

    def fill(self, done: Order, figures: Callable[[], Figures]) -> None:
        """Take an order after its fill, once the trail has it; the one that it makes superfluous is cancelled.

        Parameters
        ----------
        done : Order
            Order in its new state.
        figures : callable
            Function that returns the fill as the ledger books it, as ``event``, its price before costs, as
            ``reference``, and the price paid, as ``price``, if that is another one than the ledger's.
        """
        self.note(FILL, done, figures)
        self.orders[done.order_id] = done
        waiting = self._waiting.get(done.order_id)
        for other in () if waiting is None else waiting.after_fill(done):
            self.cancel(other, f"{done.order_id} has filled")
        if not done.status.is_open:
            self._forget(done.order_id)

    def reject(self, order: Order, reason: str, breaches: tuple[LimitBreach, ...] = ()) -> Order:
        """Reject a pending order and return it.

        Parameters
        ----------
        order : Order
            Pending order.
        reason : str
            Reason in words.
        breaches : tuple of LimitBreach, default ()
            Limits that it would break.
        """
        limits = {"limits": [breach.limit for breach in breaches]} if breaches else {}
        return self._ended(order.rejected(reason), "REJECT", reason, limits)

    def cancel(self, order: Order, why: str) -> Order:
        """Cancel an open order and return it.

        Parameters
        ----------
        order : Order
            Open order.
        why : str
            Reason in words.
        """
        return self._ended(order.cancelled(), "CANCEL", why, {"filled": order.filled_qty})

    def expire(self, order: Order) -> Order:
        """Let an open order expire and return it.

        Parameters
        ----------
        order : Order
            Open order.
        """
        return self._ended(order.expired(), "EXPIRE", "", {"filled": order.filled_qty})

    def log(self, kind: str, order: Order, details: Figures, *, why: str = "") -> None:
        """Write an event of an order to the trail.

        Parameters
        ----------
        kind : str
            Kind of event.
        order : Order
            Order concerned.
        details : mapping of str to object
            Figures of the event.
        why : str, default ""
            Reason in words.
        """
        self.audit.log(kind, order.trader, order.instrument_name, details, order.order_id, why=why)

    def note(self, kind: str, order: Order, details: Callable[[], Figures]) -> None:
        """Write an event of an order, for its own reason, whose figures are the same whenever they are asked for.

        Parameters
        ----------
        kind : str
            Kind of event.
        order : Order
            Order concerned.
        details : callable
            Function that returns the figures of the event.
        """
        self.audit.note(kind, order.trader, order.instrument_name, details, order.order_id, why=order.reason)

    def _ended(self, order: Order, kind: str, why: str, figures: Figures) -> Order:
        self.log(kind, order, figures, why=why)
        self._forget(order.order_id)
        self.orders[order.order_id] = order
        return order

    def _forget(self, order_id: str) -> None:
        waiting = self._waiting.pop(order_id, None)
        if waiting is None:
            return
        self._of_day.pop(order_id, None)
        on = self._on[waiting.instrument]
        del on[order_id]
        if not on:
            del self._on[waiting.instrument]
        rest = waiting.without(order_id)
        if rest is not None:
            self.rest(rest)

    def _read(self) -> None:
        """Read orders, and what works, from the trail."""
        before, self.orders = self._waiting, known_orders(self.audit)
        self._waiting, self._on, self._of_day = {}, {}, {}
        for name, waiting in waiting_in(self.audit, self.orders).items():
            known = before.get(name)
            self.rest(waiting if known is None or known.orders != waiting.orders else known)

    def _free_name(self) -> str:
        number = len(self.orders) + 1
        while f"ORD-{number:06d}" in self.orders:
            number += 1
        return f"ORD-{number:06d}"

    def __rich__(self) -> object:
        from bank_python.render_orders import orders_view

        return orders_view(list(self.orders.values()))


class _Repair(AbstractContextManager[None]):
    """Calls a function when its block is interrupted or fails; made once, as most changes of orders are in it."""

    def __init__(self, repair: Callable[[], None]) -> None:
        self._repair = repair

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._repair()


def order_table(orders: Iterable[Order]) -> Table:
    """Return a table with a row for each order: names, words, numbers, times and reasons.

    Parameters
    ----------
    orders : iterable of Order
        Orders in their present states.
    """
    schema = [*_SCHEMA, *_NUMBERS, *_WORDS]
    rows = []
    for order in orders:
        figures = {**asdict(order), "instrument": order.instrument_name}
        rows.append({name: kind(figures[name]) for name, kind in schema})
    return Table.from_rows(schema, rows)
