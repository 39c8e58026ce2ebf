"""What can be replayed as a strategy, and how each form becomes one.

=======================================================  =======================================================
form                                                     what it returns or does after a bar
=======================================================  =======================================================
:class:`BacktestStrategy`                                ``on_bar(window)`` returns targets, weights or orders
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

from typing import TYPE_CHECKING, Any

from bank_python.backtester.context_strategy import ContextStrategy, takes_a_context
from bank_python.backtester.strategy import BacktestStrategy
from bank_python.errors import BacktestError
from bank_python.trading_engine import SignalRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.backtester.window import Window
    from bank_python.trading_engine import Order

__all__ = ["strategy_of"]


class _Rule(BacktestStrategy):
    """A rule of the trading engine as a strategy."""

    def __init__(self, rule: SignalRule) -> None:
        self._rule = rule

    @property
    def name(self) -> str:
        return type(self._rule).__name__

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(self._rule.inputs)

    def on_bar(self, window: Window) -> list[Order]:
        return self._rule.generate(window)

    def __repr__(self) -> str:
        return repr(self._rule)


class _Function(BacktestStrategy):
    """A function of the window as a strategy."""

    def __init__(self, function: Callable[[Window], Any]) -> None:
        self._function = function

    @property
    def name(self) -> str:
        return getattr(self._function, "__name__", type(self._function).__name__)

    def on_bar(self, window: Window) -> Any:
        return self._function(window)

    def __repr__(self) -> str:
        return self.name


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
    if callable(given) and not isinstance(given, type):
        return _Function(given)
    hint = "; give an instance, with brackets" if isinstance(given, type) else ""
    raise BacktestError(
        f"strategy={given!r:.60} is no BacktestStrategy, rule or function of the window{hint}", name="strategy"
    )
