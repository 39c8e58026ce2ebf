"""Commands about orders: ``trade``, ``order``, ``orders``, ``kill``, ``resume``, ``audit``, ``signals``."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from bank_python.cli.options import Given, command

__all__ = ["add_to"]


class SideWord(StrEnum):
    """Sides of an order."""

    BUY = "BUY"
    SELL = "SELL"


class TypeWord(StrEnum):
    """Types of an order."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    TRAILING_STOP = "TRAILING_STOP"


class Lifetime(StrEnum):
    """Lifetimes of an order."""

    GTC = "GTC"
    DAY = "DAY"
    IOC = "IOC"


_Trader = Annotated[str, typer.Argument(metavar="TRADER", help="Name of the trader, such as Alice.")]
_Symbol = Annotated[
    str,
    typer.Argument(
        metavar="SYMBOL",
        help="Contract: AAPL, EURUSD, BTC, UST10Y_NOTE, CDX_HY_5Y, NVDA_30D_105C (days, per cent of the spot), "
        "NVDA_270115_140C (date, strike).",
    ),
]
_Type = Annotated[TypeWord, typer.Option("--type", help="Type of the order.", case_sensitive=False)]
_Limit = Annotated[float | None, typer.Option(help="Limit of a LIMIT or STOP_LIMIT order.", show_default=False)]
_OnlyTrader = Annotated[str | None, typer.Option("--trader", help="List only this trader.", show_default=False)]


def add_to(program: typer.Typer) -> None:
    """Add the commands to a program."""
    command(program, "trade", has_negatives=True)(trade)
    for function in (order, orders, kill, resume, audit, signals):
        command(program, function.__name__)(function)


def trade(
    given: Given,
    trader: _Trader,
    symbol: _Symbol,
    quantity: Annotated[float, typer.Argument(metavar="QTY", help="Units to buy; negative to sell.")],
) -> None:
    """Buy or sell at the market, with the limits and costs of the settings.

    Examples: prop_desk.py trade Alice AAPL 100 --db desk.db;  prop_desk.py trade Alice AAPL -100 --db desk.db
    """
    from bank_python.desk.commands.orders import submit_order

    side = SideWord.SELL if quantity < 0.0 else SideWord.BUY
    work = partial(
        submit_order, trader=trader, instrument=symbol, side=side.value, quantity=abs(quantity), reason="by hand"
    )
    given.change("trade", work)


def order(
    given: Given,
    trader: _Trader,
    symbol: _Symbol,
    side: Annotated[SideWord, typer.Argument(help="BUY or SELL.", case_sensitive=False)],
    quantity: Annotated[float, typer.Argument(metavar="QTY", help="Units, above 0.")],
    *,
    type_: _Type = TypeWord.MARKET,
    price: _Limit = None,
    stop: Annotated[float | None, typer.Option(help="Stop of a STOP or STOP_LIMIT order.", show_default=False)] = None,
    trail: Annotated[
        float | None, typer.Option(help="Distance of a TRAILING_STOP from the best price.", show_default=False)
    ] = None,
    tif: Annotated[
        Lifetime, typer.Option(help="Until cancelled, until the end of the day, or at once.", case_sensitive=False)
    ] = Lifetime.GTC,
    stop_loss: Annotated[
        float | None, typer.Option(help="Price at which what is opened is closed for a loss.", show_default=False)
    ] = None,
    take_profit: Annotated[
        float | None, typer.Option(help="Price at which it is closed for a profit.", show_default=False)
    ] = None,
    why: Annotated[str, typer.Option(help="Reason, which the audit trail keeps.")] = "by hand",
) -> None:
    """Submit an order: it fills, works until the market reaches it, or is rejected with the figure and the limit.

    A working order meets the prices of the live desk, and of every later order command on the same file.

    Examples: prop_desk.py order Alice AAPL BUY 100 --db desk.db;
    prop_desk.py order Alice AAPL BUY 100 --type LIMIT --price 220 --stop-loss 200 --db desk.db
    """
    from bank_python.desk.commands.orders import submit_order

    terms: dict[str, Any] = {
        "limit_price": price,
        "stop_price": stop,
        "trail": trail,
        "stop_loss": stop_loss,
        "take_profit": take_profit,
    }
    work = partial(
        submit_order,
        trader=trader,
        instrument=symbol,
        side=side.value,
        quantity=quantity,
        order_type=type_.value,
        time_in_force=tif.value,
        reason=why,
        **{name: value for name, value in terms.items() if value is not None},
    )
    given.change("order", work)


def orders(
    given: Given,
    *,
    trader: _OnlyTrader = None,
    status: Annotated[
        str | None,
        typer.Option(help="open, filled, cancelled, rejected, expired or partially_filled.", show_default=False),
    ] = None,
    cancel: Annotated[
        str | None, typer.Option(metavar="ORDER", help="Cancel this working order.", show_default=False)
    ] = None,
) -> None:
    """List orders in their present states, or cancel one.

    Examples: prop_desk.py orders --db desk.db --status open;  prop_desk.py orders --db desk.db --cancel ORD-000007
    """
    from bank_python.desk.commands.orders import cancel_order, list_orders

    if cancel is not None:
        given.change("orders", partial(cancel_order, order_id=cancel))
    else:
        given.read("orders", partial(list_orders, trader=trader, status=status))


def kill(
    given: Given,
    reason: Annotated[str, typer.Argument(metavar="REASON", help="Reason, which every rejection repeats.")],
) -> None:
    """Stop all trading: cancel the working orders and reject every order until ``resume``.

    While the live desk runs it owns its file: end it first, then stop trading.

    Example: prop_desk.py kill "prices look wrong" --db desk.db
    """
    from bank_python.desk.commands.orders import stop_trading

    given.change("kill", partial(stop_trading, reason=reason))


def resume(
    given: Given,
    reason: Annotated[str, typer.Argument(metavar="REASON", help="Reason, which the audit trail keeps.")],
) -> None:
    """Allow trading again after ``kill``.

    Example: prop_desk.py resume "the feed was repaired" --db desk.db
    """
    from bank_python.desk.commands.orders import resume_trading

    given.change("resume", partial(resume_trading, reason=reason))


def audit(
    given: Given,
    *,
    trader: _OnlyTrader = None,
    type_: Annotated[
        str | None,
        typer.Option("--type", help="Kind of event: order_submit, fill, reject, cancel, signal …", show_default=False),
    ] = None,
    since: Annotated[
        dt.datetime | None, typer.Option(help="Time in UTC from which on events are listed.", show_default=False)
    ] = None,
) -> None:
    """List the audit trail: who, what, why and when, after its chain of hashes has been verified.

    Example: prop_desk.py audit --db desk.db --type fill --csv fills.csv
    """
    from bank_python.desk.commands.orders import list_events

    moment = None if since is None else since.replace(tzinfo=since.tzinfo or dt.UTC)
    given.read("audit", partial(list_events, trader=trader, kind=type_, since=moment))


def signals(
    given: Given,
    *,
    strategy: Annotated[
        str | None, typer.Option(help="Only this strategy, such as momentum, or its trader.", show_default=False)
    ] = None,
    trade_them: Annotated[bool, typer.Option("--trade", help="Submit orders for them.")] = False,
) -> None:
    """List what the traders' rules want at present, each with its strength and reason, or trade it.

    Examples: prop_desk.py signals --strategy momentum;  prop_desk.py signals --trade --db desk.db
    """
    from bank_python.desk.commands.orders import list_signals, trade_signals

    if trade_them:
        given.change("signals", partial(trade_signals, strategy=strategy))
    else:
        given.read("signals", partial(list_signals, strategy=strategy))
