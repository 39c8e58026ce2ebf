"""Orders of the desk: ``trade``, ``order``, ``orders``, ``kill``, ``resume``, ``audit``, ``signals``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bank_python.desk.commands.order_views import (
    events_view,
    facts_view,
    orders_view,
    problems_view,
    reply_view,
    signals_view,
)
from bank_python.desk.commands.result import CommandResult
from bank_python.desk.console import working
from bank_python.desk.trading import DeskTrading
from bank_python.errors import DeskError, TradingError
from bank_python.market_data import QuoteState
from bank_python.mntable import Table
from bank_python.trading_engine import OrderStatus, Rejection
from bank_python.trading_engine.order_book import order_table
from bank_python.trading_engine.words import read_word
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    import datetime as dt

    from bank_python.desk.desk import Desk
    from bank_python.desk.trading import TraderSignals
    from bank_python.trading_engine import Fill, Order, Working

__all__ = [
    "cancel_order",
    "fresh_trading",
    "list_events",
    "list_orders",
    "list_signals",
    "resume_trading",
    "stop_trading",
    "submit_order",
    "trade_signals",
]

_SIGNAL = [("trader", str), ("strategy", str), ("instrument", str), ("side", str), ("reason", str)]
_FIGURES = [("quantity", float), ("strength", float)]


def submit_order(
    desk: Desk,
    trader: str,
    instrument: str,
    side: str,
    quantity: float,
    order_type: str = "MARKET",
    **terms: Any,
) -> CommandResult:
    """Submit an order, with the limits and costs of the desk's settings.

    Parameters
    ----------
    desk : Desk
        Desk that owns its store.
    trader : str
        Name of the trader.
    instrument : str
        Name of a contract; see :mod:`bank_python.desk.contract_names`.
    side : {"BUY", "SELL"}
        Side of the order.
    quantity : float
        Number of units, above 0.
    order_type : str, default "MARKET"
        Type of the order.
    **terms
        Further fields of the order; ``stop_loss=`` and ``take_profit=`` for a bracket.

    Raises
    ------
    TradingError
        The order is not valid, or was rejected; the audit trail has the rejection.
    DeskError
        There is no such trader.
    """
    trading, meanwhile = fresh_trading(desk)
    reply = trading.order(trader, instrument, side, quantity, order_type, **terms)
    if isinstance(reply, Rejection):
        raise TradingError(f"{reply.order_id} was rejected: {reply.reason}", name=reply.order_id)
    facts = {**_facts(reply), "meanwhile": [_order_facts(fill.order) for fill in meanwhile]}
    views = [reply_view(reply, desk.traders[trader]), *_meanwhile(meanwhile)]
    return CommandResult(facts, views, order_table([reply.order]))


def list_orders(desk: Desk, *, trader: str | None = None, status: str | None = None) -> CommandResult:
    """List the orders of the audit trail in their present states, the latest last.

    Parameters
    ----------
    desk : Desk
        Desk with its trail.
    trader : str, optional
        Name of the only trader to list.
    status : str, optional
        State of the orders to list; ``"OPEN"`` for those that work.

    Raises
    ------
    DeskError
        There is no such trader.
    TradingError
        There is no such state.
    """
    trading = DeskTrading(desk)
    if trader is not None:
        trader = desk.traders[trader].name
    states = _states(status)
    found = [
        order for order in trading.engine.orders.values() if trader in {None, order.trader} and order.status in states
    ]
    facts = {"orders": [_order_facts(order) for order in found]}
    return CommandResult(facts, [orders_view(found)], order_table(found))


def cancel_order(desk: Desk, order_id: str) -> CommandResult:
    """Cancel a working order.

    Parameters
    ----------
    desk : Desk
        Desk that owns its store.
    order_id : str
        Name of the order.

    Raises
    ------
    TradingError
        No such order works.
    """
    desk.require_tradable()
    trading = DeskTrading(desk)
    done = trading.engine.cancel(order_id, why="by hand")
    return CommandResult({"order": _order_facts(done)}, [orders_view([done])], order_table([done]))


def stop_trading(desk: Desk, reason: str) -> CommandResult:
    """Stop all trading: every working order is cancelled, and every order rejected until trading is resumed.

    Parameters
    ----------
    desk : Desk
        Desk that owns its store.
    reason : str
        Reason, which rejections repeat; not empty.

    Raises
    ------
    TradingError
        The reason is empty.
    """
    desk.require_tradable()
    cancelled = DeskTrading(desk).engine.kill(reason)
    facts = {"stopped": reason, "cancelled": [_order_facts(order) for order in cancelled]}
    view = facts_view(f"Trading is stopped: {reason}", {"orders cancelled": len(cancelled)})
    return CommandResult(facts, [view, *([orders_view(cancelled)] if cancelled else [])], order_table(cancelled))


def resume_trading(desk: Desk, reason: str) -> CommandResult:
    """Allow trading again after a stop.

    Parameters
    ----------
    desk : Desk
        Desk that owns its store.
    reason : str
        Reason for the audit trail.

    Raises
    ------
    TradingError
        Trading is not stopped.
    """
    desk.require_tradable()
    engine = DeskTrading(desk).engine
    was = engine.killed
    if not was:
        raise TradingError("trading is not stopped; nothing to resume", name="resume")
    engine.resume(reason)
    view = facts_view(f"Trading goes on: {reason}", {"it was stopped for": was})
    return CommandResult({"resumed": reason, "was": was}, [view], order_table([]))


def list_events(
    desk: Desk, *, trader: str | None = None, kind: str | None = None, since: dt.datetime | None = None
) -> CommandResult:
    """List the events of the audit trail, after its chain has been verified.

    Parameters
    ----------
    desk : Desk
        Desk with its trail.
    trader : str, optional
        Name of the only trader to list.
    kind : str, optional
        Kind of the events to list, such as ``"FILL"``.
    since : datetime, optional
        Time from which on events are listed, UTC.

    Raises
    ------
    DeskError
        There is no such trader.
    TradingError
        The trail is broken, or has no events of that kind.
    """
    trail = DeskTrading(desk).engine.audit
    if trader is not None:
        trader = desk.traders[trader].name
    kinds = sorted({row["event_type"] for row in trail.table})
    wanted = None if kind is None else kind.strip().upper().replace("-", "_")
    if wanted is not None and wanted not in kinds:
        advice = did_you_mean(wanted, kinds, f"it has {', '.join(kinds)}" if kinds else "it has no events yet")
        raise TradingError(f"the trail has no events of the kind {wanted!r:.40}; {advice}", name="type")
    view = trail.query(trader, wanted, since)
    rows, check = list(view), trail.verify()
    facts = {"events": rows, "intact": check.holds, "in_all": check.events}
    return CommandResult(facts, [events_view(rows, check)], view)


def list_signals(desk: Desk, *, strategy: str | None = None) -> CommandResult:
    """List what the traders' rules want at present.

    Parameters
    ----------
    desk : Desk
        Desk with quotes and books.
    strategy : str, optional
        Name of the only strategy, or of its trader.

    Raises
    ------
    DeskError
        There is no such strategy.
    """
    trading = DeskTrading(desk)
    with working("Reading price histories ..."):
        found = trading.signals(_traders_of(desk, trading, strategy))
    return _signals_result(found, ())


def trade_signals(desk: Desk, *, strategy: str | None = None) -> CommandResult:
    """Submit orders for the traders' signals, and list both.

    Parameters
    ----------
    desk : Desk
        Desk that owns its store.
    strategy : str, optional
        Name of the only strategy, or of its trader.

    Raises
    ------
    DeskError
        There is no such strategy.
    """
    desk.require_tradable()
    trading, meanwhile = fresh_trading(desk)
    names = _traders_of(desk, trading, strategy)
    with working("Reading price histories ..."):
        found = trading.signals(names)
    done = trading.trade_signals(names)
    orders = tuple(reply.order for reply in (*meanwhile, *done.replies))
    return _signals_result(found, orders, done.summary)


def fresh_trading(desk: Desk) -> tuple[DeskTrading, tuple[Fill, ...]]:
    """Return the trading of a desk whose market has been polled since it was opened, and what has filled thereby.

    Parameters
    ----------
    desk : Desk
        Desk that owns its store.

    Raises
    ------
    TradingError
        The stored audit trail is broken.
    """
    if not any(quote.state is QuoteState.FRESH for quote in desk.market.quotes):
        desk.tick()
    trading = DeskTrading(desk)
    return trading, trading.follow_prices()


def _signals_result(
    found: tuple[TraderSignals, ...], orders: tuple[Order, ...], summary: str | None = None
) -> CommandResult:
    rows = [
        {
            "trader": each.trader,
            "strategy": each.strategy,
            "instrument": signal.instrument,
            "side": signal.side.value,
            "reason": signal.reason,
            "quantity": signal.quantity,
            "strength": signal.strength,
        }
        for each in found
        for signal in each.signals
    ]
    problems = {each.trader: list(each.problems) for each in found if each.problems}
    facts: dict[str, Any] = {"signals": rows, "problems": problems}
    views: list[Any] = [signals_view(rows, found), *([problems_view(problems)] if problems else [])]
    if summary is not None:
        facts["orders"] = [_order_facts(order) for order in orders]
        views += [orders_view(list(orders)), f"{summary[0].upper()}{summary[1:]}."]
    return CommandResult(facts, views, Table.from_rows([*_SIGNAL, *_FIGURES], rows))


def _meanwhile(fills: tuple[Fill, ...]) -> list[str]:
    return [f"{fill.order_id} of {fill.order.trader} has filled meanwhile, at {fill.price:,.6g}." for fill in fills]


def _traders_of(desk: Desk, trading: DeskTrading, strategy: str | None) -> tuple[str, ...]:
    if strategy is None:
        return tuple(trading.rules)
    found = tuple(name for name in trading.rules if strategy in {name, desk.traders[name].strategy})
    if not found:
        known = [desk.traders[name].strategy for name in trading.rules]
        advice = did_you_mean(strategy, [*known, *trading.rules], f"there are {', '.join(known)}")
        raise DeskError(f"there is no strategy {strategy!r:.40} with a rule; {advice}", name="strategy", value=strategy)
    return found


def _states(status: str | None) -> frozenset[OrderStatus]:
    if status is None:
        return frozenset(OrderStatus)
    if status.strip().upper() == "OPEN":
        return frozenset(state for state in OrderStatus if state.is_open)
    return frozenset({read_word(OrderStatus, status)})


def _facts(reply: Fill | Working) -> dict[str, Any]:
    facts: dict[str, Any] = {"order": _order_facts(reply.order), "filled": reply.is_filled}
    return {**facts, **({"cost": asdict(reply.cost)} if hasattr(reply, "cost") else {})}


def _order_facts(order: Order) -> dict[str, Any]:
    return {name: value for name, value in asdict(order).items() if value not in (None, "", ())}
