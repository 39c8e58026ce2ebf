"""What can be replayed as a strategy, and how each form becomes one.

=======================================================  =======================================================
form                                                     what it returns or does after a bar
=======================================================  =======================================================
:class:`BacktestStrategy`, or an object like one         ``on_bar(window)`` returns targets, weights or orders
an object with ``on_bar(context, engine, date)``         it submits orders to the engine
:class:`~bank_python.trading_engine.SignalRule`          its signals are orders
a function of the window                                 as ``on_bar(window)``
=======================================================  =======================================================

Examples
--------
>>> strategy_of(lambda window: {"A": 0.5}).name
'<lambda>'
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester.context_strategy import ContextStrategy, takes_a_context
from bank_python.backtester.run_identity import code_hash, settings_of
from bank_python.backtester.strategy import BacktestStrategy, settings_text
from bank_python.errors import BacktestError
from bank_python.trading_engine import SignalRule
from bank_python.trading_engine.market_closes import DatedCloses

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.backtester.window import Window
    from bank_python.trading_engine import Order

__all__ = ["strategy_of"]


class _Rule(BacktestStrategy):
    """A rule of the trading engine as a strategy.

    It sees the closes of the tickers that have a bar now, and as ``A_UNITS`` what is held of A. Where bars are missing
    the closes have the numbers of their bars as dates, so that the rule compares series on bars that both have.
    """

    def __init__(self, rule: SignalRule) -> None:
        self._rule = rule
        self._bars: dict[str, list[int]] = {}

    @property
    def name(self) -> str:
        return type(self._rule).__name__

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(self._rule.inputs)

    @property
    def code_hash(self) -> str:
        return code_hash(type(self._rule))

    @property
    def needs_inputs(self) -> bool:
        return False

    def on_start(self, window: Window) -> None:
        self._bars = {ticker: [] for ticker in window}

    def on_bar(self, window: Window) -> list[Order]:
        quoted = [ticker for ticker in window if window.is_quoted(ticker)]
        for ticker in quoted:
            self._bars[ticker].append(window.index)
        has_gaps = any(len(bars) <= window.index for bars in self._bars.values())
        seen, units = DatedCloses(self._bars if has_gaps else None), window.units
        seen.update({f"{ticker}_UNITS": np.array([units.get(ticker, 0.0)]) for ticker in quoted})
        seen.update({ticker: window[ticker] for ticker in quoted})
        return self._rule.generate(seen)

    def __repr__(self) -> str:
        return repr(self._rule)


class _Function(BacktestStrategy):
    """A function of the window as a strategy."""

    def __init__(self, function: Callable[[Window], Any]) -> None:
        self._function = function

    @property
    def name(self) -> str:
        function = self._function
        while isinstance(function, partial):
            function = function.func
        return getattr(function, "__name__", type(function).__name__)

    @property
    def code_hash(self) -> str:
        return code_hash(self._function)

    def on_bar(self, window: Window) -> Any:
        return self._function(window)

    def __repr__(self) -> str:
        return settings_of(self._function)


class _Object(BacktestStrategy):
    """An object with ``on_bar(window)`` that is no :class:`BacktestStrategy`."""

    def __init__(self, given: Any) -> None:
        self._given = given

    @property
    def name(self) -> str:
        return type(self._given).__name__

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(map(str, getattr(self._given, "tickers", ())))

    @property
    def needs_inputs(self) -> bool:
        return False

    @property
    def code_hash(self) -> str:
        return code_hash(type(self._given))

    def on_start(self, window: Window) -> None:
        getattr(self._given, "on_start", _nothing)(window)

    def on_bar(self, window: Window) -> Any:
        return self._given.on_bar(window)

    def on_end(self, window: Window) -> None:
        getattr(self._given, "on_end", _nothing)(window)

    def __repr__(self) -> str:
        return settings_text(self._given)


def _nothing(_: Window) -> None: ...


def require_factory(given: Any) -> None:
    """Refuse what cannot be called with parameters to make a strategy.

    Parameters
    ----------
    given : object
        Class or function that returns a strategy.

    Raises
    ------
    BacktestError
        It cannot be called, or is a function of the window, which is a strategy itself.
    """
    if not callable(given):
        raise BacktestError(
            f"strategy={given!r:.60} cannot be called with the parameters of a point; give the class, or a function "
            "that returns a strategy",
            name="strategy",
        )
    function = given.func if isinstance(given, partial) else given
    first = next(iter(getattr(getattr(function, "__code__", None), "co_varnames", ())), "")
    if first == "window":
        name = getattr(function, "__name__", "strategy")
        raise BacktestError(
            f"{name} is a function of the window; give one of the parameters that returns it: "
            f"lambda **parameters: partial({name}, **parameters)",
            name="strategy",
        )


def strategy_of(given: Any) -> BacktestStrategy:
    """Return a strategy, a rule or a function as a strategy.

    Parameters
    ----------
    given : BacktestStrategy, object with ``on_bar(context, engine, date)``, SignalRule or callable
        Strategy, signal rule or function to be tested.

    Raises
    ------
    BacktestError
        It is none of these.
    """
    if not isinstance(given, type) and takes_a_context(given):
        return ContextStrategy(given)
    if isinstance(given, BacktestStrategy):
        return given
    if isinstance(given, SignalRule):
        return _Rule(given)
    if callable(getattr(given, "on_bar", None)) and not isinstance(given, type):
        return _Object(given)
    if callable(given) and not isinstance(given, type):
        return _Function(given)
    hint = "; give an instance, with brackets" if isinstance(given, type) else ""
    raise BacktestError(
        f"strategy={given!r:.60} is no BacktestStrategy, rule or function of the window{hint}", name="strategy"
    )
