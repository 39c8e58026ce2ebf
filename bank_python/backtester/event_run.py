"""A back-test bar by bar, through the very engine that trades.

At each bar, in this order: orders of the bar before meet it; equity is taken at its close; the strategy sees it and
decides. With ``fill="next_open"`` a market order fills at the open of the next bar, with ``"next_close"`` at its close,
with ``"close"`` at the close of the very bar that made the decision. Limit and stop orders meet the next bars as
:func:`~bank_python.trading_engine.fill_on_bar` says. A ticker without a bar keeps its last price and does not trade.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.backtester.strategy import Targets, decision_of, end_strategy
from bank_python.backtester.window import Tape
from bank_python.errors import BacktestError
from bank_python.market_data.feed import Bar
from bank_python.trading_engine import (
    DepositEvent,
    Fill,
    InterestEvent,
    Ledger,
    Order,
    PositionLimits,
    Rejection,
    Side,
    TradingEngine,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.costs import Costs
    from bank_python.backtester.strategy import BacktestStrategy

__all__ = ["EventRun", "FillAt"]

_DIGITS = 12  # after the point: cents would round the equity
_DUST = 1e-9  # share of a position up to which a difference to its target is rounding
_FREE = PositionLimits(max_position=math.inf, max_concentration=math.inf)
_YEAR = 365.0 * 86_400.0


class FillAt(enum.StrEnum):
    """Where a market order fills."""

    NEXT_OPEN = "next_open"
    """At the open of the bar after the decision."""
    NEXT_CLOSE = "next_close"
    """At the close of the bar after the decision."""
    CLOSE = "close"
    """At the close of the bar of the decision itself, which its signal has seen."""


class EventRun:
    """One replay.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy to replay.
    panel : BarPanel
        Bars to replay.
    cash : float
        Cash at the start, in money, above 0.
    costs : Costs
        Costs of fills, cash and borrowing.
    fill : FillAt
        Price at which market orders fill.
    limits : PositionLimits, optional
        Limits before an order; none by default.
    whole_units : bool, default False
        Whether targets are rounded towards 0 to whole units.
    """

    def __init__(
        self,
        strategy: BacktestStrategy,
        panel: BarPanel,
        cash: float,
        costs: Costs,
        fill: FillAt,
        *,
        limits: PositionLimits | None = None,
        whole_units: bool = False,
    ) -> None:
        self._strategy, self._panel, self._costs, self._fill = strategy, panel, costs, fill
        self._whole = whole_units
        self._tape = Tape(panel)
        self._last = np.full(len(panel.tickers), np.nan)
        self.engine = TradingEngine(
            costs.execution(),
            _FREE if limits is None else limits,
            ledger=Ledger("USD", {"USD": _DIGITS}),
            clock=lambda: panel.dates[max(self._tape.now, 0)],
        )
        self.engine.ledger.book(DepositEvent(panel.dates[0], cash))
        self._cash, self._units = cash, np.zeros(len(panel.tickers))
        self.fills: list[Fill] = []
        self.refusals: list[Rejection] = []
        self.equity = np.empty(len(panel))
        self.held = np.empty((len(panel), len(panel.tickers)))
        self.cash = np.empty(len(panel))

    def run(self) -> EventRun:
        """Replay all bars.

        Raises
        ------
        BacktestError
            The strategy raises or returns nonsense; the message names the bar.
        """
        window = self._tape.window
        window.follow(lambda: (self._equity(), self._by_name()))
        self._strategy.on_start(window)
        for t in range(len(self._panel)):
            if self.engine.order_book.waiting:
                self._meet(t)
            self._tape.reveal(t)
            self._last = np.where(np.isnan(self._panel.close[t]), self._last, self._panel.close[t])
            self._accrue(t)
            self.equity[t], self.held[t], self.cash[t] = self._equity(), self._units, self._cash
            decision = decision_of(self._strategy, window)
            if decision is not None:
                self._act(self._orders(decision))
                if self._fill is FillAt.CLOSE:
                    self.equity[t], self.held[t], self.cash[t] = self._equity(), self._units, self._cash
        end_strategy(self._strategy, window)
        return self

    # --- one bar ----------------------------------------------------------------------------------

    def _meet(self, t: int) -> None:
        """Let working orders meet the bars of a time."""
        names = {waiting.instrument for waiting in self.engine.order_book.waiting}
        bars = {name: self._bar(t, name) for name in sorted(names)}
        self._take(self.engine.on_bar({name: bar for name, bar in bars.items() if bar is not None}))

    def _bar(self, t: int, name: str) -> Bar | None:
        bar = self._panel.bar(t, self._tape.column(name))
        if bar is None or self._fill is not FillAt.NEXT_CLOSE:
            return bar
        return Bar(bar.date, bar.close, bar.close, bar.close, bar.close, bar.volume)

    def _take(self, fills: tuple[Fill, ...]) -> None:
        for fill in fills:
            self.fills.append(fill)
            self._units[self._tape.column(fill.order.instrument_name)] += fill.signed_quantity
            self._cash += fill.cost.cash

    def _accrue(self, t: int) -> None:
        """Book interest on cash and the fee of short positions since the bar before."""
        costs = self._costs
        if t == 0 or not (costs.cash_rate or costs.borrow_rate):
            return
        years = (self._panel.dates[t] - self._panel.dates[t - 1]).total_seconds() / _YEAR
        short = float(np.minimum(self._units * np.nan_to_num(self._last), 0.0).sum())
        amount = years * (costs.cash_rate * self._cash + costs.borrow_rate * short)
        if amount:
            self.engine.book(InterestEvent(self._panel.dates[t], amount))
            self._cash += amount

    def _equity(self) -> float:
        return self._cash + float(np.where(self._units != 0.0, self._units * self._last, 0.0).sum())

    def _by_name(self) -> dict[str, float]:
        return {
            name: float(units) for name, units in zip(self._panel.tickers, self._units, strict=True) if units != 0.0
        }

    # --- from a decision to orders -------------------------------------------------------------------

    def _orders(self, decision: Targets | tuple[Order, ...]) -> list[Order]:
        if not isinstance(decision, Targets):
            return list(decision)
        wanted = {**self._from_weights(decision.weights), **dict(decision.units)}
        pending = self._pending()
        orders = []
        for name, units in wanted.items():
            j = self._tape.column(name)
            if np.isnan(self._last[j]):
                raise BacktestError(f"{name} has had no bar yet, so that it has no price for a target", name=name)
            aim = math.trunc(units) if self._whole else float(units)
            change = aim - float(self._units[j]) - pending.get(name, 0.0)
            if abs(change) > _DUST * max(abs(aim), abs(float(self._units[j])), 1e-12):
                side = Side.BUY if change > 0.0 else Side.SELL
                price = float(self._last[j])
                orders.append(Order("", "Backtest", name, side, abs(change), price=price, reason=decision.reason))
        return sorted(orders, key=lambda order: (order.side is Side.BUY, order.quantity * (order.price or 0.0)))

    def _from_weights(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Return the units that make up shares of equity at the last closes."""
        equity = self._equity() if weights else 0.0
        return {name: weight * equity / float(self._last[self._tape.column(name)]) for name, weight in weights.items()}

    def _pending(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for order in self.engine.working:
            signed = order.side.sign * order.remaining
            found[order.instrument_name] = found.get(order.instrument_name, 0.0) + signed
        return found

    def _act(self, orders: list[Order]) -> None:
        for order in orders:
            self._tape.column(order.instrument_name)  # refuses what has no bars
            at_once = self._fill is FillAt.CLOSE and self._tape.window.is_quoted(order.instrument_name)
            reply = self.engine.submit(self._priced(order), at_once=at_once)
            if isinstance(reply, Rejection):
                self.refusals.append(reply)
            elif isinstance(reply, Fill):
                self._take((reply,))

    def _priced(self, order: Order) -> Order:
        """Return an order with the last close, which it is checked at, in place of the price that it carries."""
        close = float(self._last[self._tape.column(order.instrument_name)])
        return order if order.price == close or math.isnan(close) else order.at_price(close)
