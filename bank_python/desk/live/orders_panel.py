"""The ORDERS panel: the last orders in their states, with price and reason, and how many there are in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.amounts import WARNING
from bank_python.desk.live.columns import Column, fit, fitted
from bank_python.desk.live.pane import BORDER_HEIGHT, BORDER_WIDTH, pane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import DeskView, OrderView, TradingView

__all__ = ["orders_panel"]

_TITLE = "ORDERS"
_STATES = {"PARTIALLY_FILLED": "partly filled", "PENDING": "working"}


def orders_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw the last orders, the latest first."""
    inside, room = width - BORDER_WIDTH, height - BORDER_HEIGHT
    known = view.trading
    if known is None or not known.orders:
        return pane(_TITLE, [Text("no orders yet", style="dim")], width, height, glyphs)
    shown = list(reversed(known.last[-room:]))
    table = fitted(_columns(shown), inside, glyphs)
    lines = list(table.rows)
    if known.killed:
        lines = [fit(Text(f"trading was stopped: {known.killed}", style=WARNING), inside, glyphs), *lines[: room - 1]]
    return pane(_TITLE, lines, width, height, glyphs, headings=table.headings, legend=_legend(known))


def _legend(known: TradingView) -> str:
    working = f", {known.working:,} working" if known.working else ""
    return f"{known.filled:,} filled{working}, {known.rejected:,} rejected, {known.events:,} events audited"


def _columns(orders: Sequence[OrderView]) -> list[Column]:
    return [
        Column("", [Text(order.instrument) for order in orders], left=True, width=9, shrinks_to=16),
        Column("trader", [Text(order.trader, style="dim") for order in orders], left=True, width=7),
        Column("quantity", [Text(_signed(order)) for order in orders], rank=1, width=8),
        Column("state", [_state(order) for order in orders], rank=2, left=True, width=8),
        Column(
            "price", [Text("" if order.price is None else f"{order.price:,.6g}") for order in orders], rank=3, width=8
        ),
        Column("at", [Text(f"{order.submitted:%H:%M:%S}", style="dim") for order in orders], rank=5, width=8),
        Column("why", [Text(order.why, style="dim") for order in orders], rank=4, left=True, shrinks_to=24),
    ]


def _signed(order: OrderView) -> str:
    return f"{'+' if order.side == 'BUY' else '-'}{order.quantity:,.6g}"


def _price(order: OrderView) -> Text:
    return Text("" if order.price is None else f"{order.price:,.6g}")


def _state(order: OrderView) -> Text:
    said = _STATES.get(order.status, order.status.lower())
    return Text(said, style=WARNING if order.status == "REJECTED" else "")
