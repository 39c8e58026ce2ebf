"""The engine that a strategy of the form ``on_bar(context, engine, date)`` trades with.

It takes orders and hands them to the replay after the bar, which checks them against the limits and lets them fill
where the back-test says: by default at the open of the next bar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.errors import TradingError
from bank_python.trading_engine import Order, Rejection, Working

if TYPE_CHECKING:
    from bank_python.backtester.window import Window
    from bank_python.trading_engine import OrderType, Side

__all__ = ["StrategyEngine"]


class StrategyEngine:
    """Takes the orders of one strategy during a replay.

    Parameters
    ----------
    window : Window
        Window of the bars up to now.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self._placed: list[Order] = []
        self._refused: list[Rejection] = []
        self._count = 0
        self._is_over = False

    @property
    def positions(self) -> dict[str, float]:
        """Units held by instrument, negative for short positions."""
        return dict(self._window.units)

    @property
    def equity(self) -> float:
        """Equity at the last closes, in money."""
        return self._window.equity

    @property
    def refusals(self) -> tuple[Rejection, ...]:
        """Orders that were refused here, as they had no price; those of limits are in the result."""
        return tuple(self._refused)

    def submit(self, order: Order) -> Working | Rejection:
        """Place an order; it is pending until the next bar.

        Parameters
        ----------
        order : Order
            Pending order; one without a name gets one.

        Raises
        ------
        TradingError
            It is no order.
        """
        given: Any = order
        if not isinstance(given, Order):
            raise TradingError(f"{order!r:.60} is no order; give an Order", value=order)
        self._count += 1
        named = order.submitted(order.order_id or f"BT-{self._count:06d}", self._now)
        reason = self._objection(order.instrument_name)
        if reason:
            refused = Rejection(named.rejected(reason), reason)
            self._refused.append(refused)
            return refused
        self._placed.append(named)
        return Working(named)

    def submit_order(
        self,
        trader: str,
        instrument_name: str,
        side: Side | str,
        quantity: float,
        order_type: OrderType | str = "MARKET",
        limit_price: float | None = None,
        current_price: float | None = None,
        book_value: float | None = None,  # noqa: ARG002 - see below
    ) -> Order:
        """Place an order and return it: pending, or rejected with the reason where there is no price.

        Parameters
        ----------
        trader, instrument_name : str
            Names of the trader and of the instrument.
        side : Side or str
            BUY or SELL.
        quantity : float
            Number of units, above 0.
        order_type : OrderType or str, default "MARKET"
            Kind of order.
        limit_price : float, optional
            Limit of a limit order.
        current_price : float, optional
            Price that the strategy saw; the order fills at one of the replay all the same.
        book_value : float, optional
            Value of the book; not used, as the limits of a back-test know the equity.

        Raises
        ------
        TradingError
            A word is unknown or a number out of range: this is a fault of the strategy, not a refusal.
        """
        kind: Any = order_type
        return self.submit(
            Order("", trader, instrument_name, side, quantity, kind, limit_price, price=current_price)  # type: ignore[arg-type]  # words are read
        ).order

    def take(self) -> tuple[Order, ...]:
        """Return the orders placed since the last call, which the replay submits."""
        placed, self._placed = tuple(self._placed), []
        return placed

    def close(self) -> None:
        """Refuse orders from now on, as no bar follows."""
        self._is_over = True

    def __repr__(self) -> str:
        return f"<StrategyEngine: {self._count:,} orders, {len(self._refused):,} refused>"

    @property
    def _now(self) -> str:
        return self._window.date.isoformat() if self._window.index >= 0 else ""

    def _objection(self, instrument: str) -> str:
        if self._is_over:
            return "the back-test is over: no bar follows at which the order could fill"
        if instrument not in self._window:
            return f"no price available: there are no bars of {instrument}"
        return "" if len(self._window[instrument]) else f"no price available: {instrument} has had no bar yet"
