"""A back-test bar by bar, through the very engine that trades.

At each bar, in this order: interest accrues; orders of the bar before meet it; options that end are settled; equity is
taken at its close; the strategy sees it and decides. With ``fill="next_open"`` a market order fills at the open of the
next bar, with ``"next_close"`` at its close, with ``"close"`` at the close of the very bar that made the decision.
Limit and stop orders meet the next bars as :func:`~bank_python.trading_engine.fill_on_bar` says. A ticker without a bar
keeps its last price and does not trade.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.backtester.account import Account
from bank_python.backtester.costs import SECONDS_A_YEAR
from bank_python.backtester.decision_orders import DecisionOrders
from bank_python.backtester.option_market import OptionMarket
from bank_python.backtester.option_quotes import OptionQuotes
from bank_python.backtester.replay_settings import FillAt
from bank_python.backtester.run_identity import state_hash
from bank_python.backtester.strategy import decision_of, raised_at, raised_in, refused_at
from bank_python.backtester.tape import Tape
from bank_python.backtester.window import Window
from bank_python.errors import BankError
from bank_python.trading_engine import (
    DelistingEvent,
    DepositEvent,
    Fill,
    InterestEvent,
    PositionLimits,
    Rejection,
    TimeInForce,
    TradingEngine,
)
from bank_python.trading_engine.late_trail import LateTrail

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.replay_settings import ReplaySettings
    from bank_python.backtester.strategy import BacktestStrategy
    from bank_python.market_data.feed import Bar
    from bank_python.trading_engine import Order

__all__ = ["EventRun"]

_FREE = PositionLimits(max_position=math.inf, max_concentration=math.inf)


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
    settings : ReplaySettings
        Costs, limits, and where orders fill.
    trader : str, default "Backtest"
        Name of the trader of orders that are made of targets.
    """

    def __init__(
        self,
        strategy: BacktestStrategy,
        panel: BarPanel,
        cash: float,
        settings: ReplaySettings,
        trader: str = "Backtest",
    ) -> None:
        self._strategy, self._panel, self._costs, self._fill = strategy, panel, settings.costs, settings.fill
        self._tape = tape = Tape(panel)
        self._window = Window(tape)
        self.options = OptionQuotes(tape, settings.vols, settings.costs.cash_rate)
        self.account = Account(tape, self.options, cash)
        self.state_hash = ""  # of all attributes of the strategy as it starts
        self._immediate: list[Order] = []  # that are cancelled if they do not fill on their first bar
        self._ahead = 0  # bars by which the engine's clock is ahead of the present one

        def clock() -> dt.datetime:
            return panel.dates[min(max(tape.now + self._ahead, 0), len(panel) - 1)]

        self.engine = TradingEngine(
            settings.costs.execution(),
            _FREE if settings.limits is None else settings.limits,
            ledger=self.account,
            market=OptionMarket(self.options),
            audit=LateTrail(clock=clock),
            clock=clock,
        )
        self.engine.book(DepositEvent(panel.dates[0], cash))
        self._orders = DecisionOrders(
            tape, self.options, self.account, self.engine, trader, whole_units=settings.whole_units
        )
        self.fills: list[Fill] = []
        self.refusals: list[Rejection] = []

    def run(self) -> EventRun:
        """Replay all bars.

        Raises
        ------
        BacktestError
            The strategy raises or returns nonsense; the message names the bar.
        """
        tape, window, strategy = self._tape, self._window, self._strategy
        window.follow(self.account, self.options)
        self._call(strategy.on_start, "in on_start, before the first bar")
        self.state_hash = state_hash(strategy)
        on_bar, is_busy = strategy.on_bar, self._is_busy
        for t in range(len(self._panel)):
            tape.now = t
            if is_busy:
                self._before_decision(t)
            try:
                decision = on_bar(window)
            except Exception as error:  # a strategy is the code of users, which may raise anything
                raise raised_at(strategy, window, error) from error
            if is_busy or decision is not None:
                self._after_decision(decision)
                is_busy = self._is_busy
        self._call(strategy.on_end, "in on_end, after the last bar")
        return self

    def _call(self, method: Callable[[Window], None], where: str) -> None:
        try:
            method(self._window)
        except Exception as error:  # as above
            raise raised_in(self._strategy, where, error) from error

    # --- one bar ----------------------------------------------------------------------------------

    @property
    def _is_busy(self) -> bool:
        """Whether more than the strategy has something to do on the next bar."""
        costs = self._costs
        is_accruing = bool(costs.cash_rate or costs.borrow_rate)
        return self.engine.order_book.is_waited_for or is_accruing or self.options.are_used

    def _before_decision(self, t: int) -> None:
        """Let interest accrue until the bar, orders meet it, and options end."""
        self._accrue(t)
        if self.engine.order_book.is_waited_for:
            self._meet(t)
        if self.options.are_used:
            self._settle(t)

    def _after_decision(self, decision: object) -> None:
        """Submit the orders of a decision, if there is one, and value options."""
        if decision is not None:
            strategy, window = self._strategy, self._window
            known = decision_of(strategy, window, decision)
            try:
                self._act(self._orders.of(known))
            except BankError as error:
                raise refused_at(strategy, window, error) from error
        if self.options.are_used:
            self.account.mark_options()

    def _meet(self, t: int) -> None:
        """Let working orders meet the bars of a time."""
        bars = {name: self._bar(t, name) for name in self.engine.order_book.waited_for}
        known = {name: bar for name, bar in bars.items() if bar is not None}
        self.fills += self.engine.on_bar(known, at_close=self._fill is FillAt.NEXT_CLOSE)
        if self._immediate:
            self._cancel_immediate(known)

    def _cancel_immediate(self, bars: Mapping[str, Bar]) -> None:
        """Cancel what is left of orders that were to fill at once and have met a bar."""
        working = {order.order_id for order in self.engine.working}
        left = [order for order in self._immediate if order.order_id in working]
        self._immediate = [order for order in left if order.instrument_name not in bars]
        for order in left:
            if order.instrument_name in bars:
                self.engine.cancel(order.order_id, why="not filled on the first bar")

    def _bar(self, t: int, name: str) -> Bar | None:
        option = self.options.symbol(name)
        bar = self._panel.bar(t, self._tape.column(name if option is None else option.underlying))
        if bar is None or (option is not None and option.expiry < bar.date.date()):
            return None
        return bar if option is None else self.options.bar(name, bar)

    def _accrue(self, t: int) -> None:
        """Book interest on cash and the fee of short positions since the bar before, as they were then."""
        if t == 0 or not (self._costs.cash_rate or self._costs.borrow_rate):
            return
        account, dates = self.account, self._panel.dates
        years = (dates[t] - dates[t - 1]).total_seconds() / SECONDS_A_YEAR
        shares = [(name, units) for name, units in account.held_units.items() if self.options.symbol(name) is None]
        short = sum(min(units * self._tape.last(name, 1), 0.0) for name, units in shares)
        amount = self._costs.accrued(years, account.cash, short)
        if amount:
            self.engine.book(InterestEvent(dates[t], amount))

    def _settle(self, t: int) -> None:
        """Pay what options that have ended are worth, and cancel orders in them."""
        for name, value in self.options.expired(self.account.held_units).items():
            self.engine.book(DelistingEvent(self._panel.dates[t], name, value))
        for order in self.engine.working:
            if self.options.has_ended(order.instrument_name):
                self.engine.cancel(order.order_id, why="the option has expired")

    def _act(self, orders: Iterable[Order]) -> None:
        for order in orders:
            is_for_day = order.time_in_force is TimeInForce.DAY
            self._ahead = int(is_for_day and self._fill is not FillAt.CLOSE)  # the day is that of the next bar
            at_once = self._fill is FillAt.CLOSE and self._orders.is_traded(order.instrument_name)
            reply = self.engine.submit(order, at_once=at_once)
            if isinstance(reply, Rejection):
                self.refusals.append(reply)
            elif isinstance(reply, Fill):
                self.fills.append(reply)
            elif order.time_in_force is TimeInForce.IOC:
                self._immediate.append(reply.order)
        self._ahead = 0
