"""Strategies of the form ``on_start(context, engine)``, ``on_bar(context, engine, date)``, ``on_end(context, engine)``.

They say what to do by orders to an engine, and see the market as a graph. Replayed they are strategies like others:
what they order after a bar fills where the back-test says, so that they cannot look ahead either.

Examples
--------
>>> from bank_python.backtester import Backtester
>>> class BuyOnce:
...     def on_bar(self, context, engine, date):
...         if not engine.positions:
...             print(date, engine.submit_order("Ann", "A", "BUY", 10, current_price=context.prices["A"]).status.value)
>>> result = Backtester(BuyOnce(), "2026-01-05", data={"A": [10.0, 11.0, 12.0]}).run()
2026-01-05 PENDING
>>> [(fill.price, fill.order.trader) for fill in result.fills]
[(11.0, 'Ann')]
"""

from __future__ import annotations

import datetime as dt
import inspect
from typing import TYPE_CHECKING, Any

from bank_python.backtester.backtest_context import BacktestContext
from bank_python.backtester.run_identity import code_hash
from bank_python.backtester.strategy import BacktestStrategy, settings_text
from bank_python.backtester.strategy_engine import StrategyEngine
from bank_python.errors import BacktestError

if TYPE_CHECKING:
    from bank_python.backtester.window import Window
    from bank_python.trading_engine import Order, Rejection

__all__ = ["ContextStrategy", "takes_a_context"]

_MIDNIGHT = dt.time()


def takes_a_context(given: Any) -> bool:
    """Whether an object has a method ``on_bar(context, engine, date)``.

    Parameters
    ----------
    given : object
        Object that may be a strategy.
    """
    on_bar = getattr(given, "on_bar", None)
    return on_bar is not None and _takes(on_bar, 3) and not _takes(on_bar, 1)


class ContextStrategy(BacktestStrategy):
    """A strategy with ``on_bar(context, engine, date)`` as one that the replay asks.

    Parameters
    ----------
    given : object
        Object with ``on_bar(context, engine, date)``; ``on_start(context, engine)`` and ``on_end(context, engine)`` are
        called if it has them.

    Raises
    ------
    BacktestError
        ``on_start`` or ``on_end`` takes other arguments.
    """

    def __init__(self, given: Any) -> None:
        self._given = given
        for name in ("on_start", "on_end"):
            self._method(name)
        self._context: BacktestContext
        self._engine: StrategyEngine

    @property
    def name(self) -> str:
        """Name of the strategy, that of its class unless it gives itself another."""
        return self._given.name if isinstance(self._given, BacktestStrategy) else type(self._given).__name__

    @property
    def code_hash(self) -> str:
        """SHA-256 over the version of the library and the source of the strategy's class."""
        return code_hash(type(self._given))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers, if the strategy has an attribute ``tickers`` or says its inputs."""
        if isinstance(self._given, BacktestStrategy) and self._given.inputs:
            return self._given.inputs
        return tuple(map(str, getattr(self._given, "tickers", ())))

    @property
    def needs_inputs(self) -> bool:
        """No: its tickers may be more than it needs."""
        return False

    @property
    def refusals(self) -> tuple[Rejection, ...]:
        """Orders of the last run that had no price."""
        return self._engine.refusals

    def on_start(self, window: Window) -> None:
        """Make context and engine of a run, and let the strategy prepare."""
        self._context, self._engine = BacktestContext.of_tickers(window), StrategyEngine(window)
        self._call("on_start")

    def on_bar(self, window: Window) -> tuple[Order, ...]:
        """Show the bar to the strategy, and return what it has ordered."""
        context, date = self._context, _said(window.date)
        context.date = date
        known = {ticker: window[ticker] for ticker in window}
        context.prices = {ticker: float(closes[-1]) for ticker, closes in known.items() if len(closes)}
        context.stale = frozenset(ticker for ticker in context.prices if not window.is_quoted(ticker))
        context.apply()
        self._given.on_bar(context, self._engine, date)
        return self._engine.take()

    def on_end(self, window: Window) -> None:  # noqa: ARG002 - the context has the last bar
        """Let the strategy end; orders are refused."""
        self._engine.close()
        self._call("on_end")

    def _call(self, name: str) -> None:
        method = self._method(name)
        if method is not None:
            method(self._context, self._engine)

    def _method(self, name: str) -> Any:
        """Return a method of the strategy that takes context and engine; None if it has none of its own."""
        method = getattr(self._given, name, None)
        if method is None or getattr(method, "__func__", None) is getattr(BacktestStrategy, name):
            return None
        if not _takes(method, 2):
            said = f"{name} of {self.name} takes other arguments than (context, engine), while on_bar takes a context"
            raise BacktestError(f"{said}; write {name}(self, context, engine)", name=name)
        return method

    def __repr__(self) -> str:
        said = repr(self._given)
        return settings_text(self._given) if " object at 0x" in said else said  # an address is new in each process


def _takes(function: Any, count: int) -> bool:
    """Whether a function can be called with so many arguments by position."""
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


def _said(when: dt.datetime) -> str:
    """Return the day of a bar that starts at midnight, else its time, ISO 8601."""
    return when.date().isoformat() if when.time() == _MIDNIGHT else when.isoformat()
