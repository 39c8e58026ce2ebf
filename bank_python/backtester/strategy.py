"""Strategies: what a back-test asks after each bar, in the form of targets or orders.

A strategy is one of

- a :class:`BacktestStrategy`, with a method ``on_bar``;
- a rule of the trading engine (:class:`~bank_python.trading_engine.SignalRule`), unchanged: its signals are orders;
- a function of the window.

What it returns is a :class:`Targets`, a mapping from ticker to share of equity, a list of orders, or None for nothing.

Examples
--------
>>> class Half(BacktestStrategy):
...     def on_bar(self, window):
...         return {"A": 0.5} if len(window["A"]) == 1 else None
>>> strategy_of(Half()).name
'Half'
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from bank_python.backtester.run_identity import code_hash, settings_of, value_text
from bank_python.display import Record
from bank_python.errors import BacktestError
from bank_python.trading_engine import Order, SignalRule
from bank_python.wording import message_of

if TYPE_CHECKING:
    from bank_python.backtester.window import Window

__all__ = ["BacktestStrategy", "Decision", "Targets", "decision_of", "strategy_of"]


@dataclass(frozen=True, slots=True)
class Targets(Record):
    """What a strategy wants to hold after its orders.

    Parameters
    ----------
    weights : mapping of str to float, optional
        Value of the position in each ticker as a share of equity, negative for a short position. Tickers that are left
        out stay as they are.
    units : mapping of str to float, optional
        Units of each ticker, in place of weights.
    reason : str, default ""
        Reason for the orders.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        both = self.weights.keys() & self.units.keys()
        if both:
            raise BacktestError(f"{min(both)} has a weight and a number of units; give one of the two", name=min(both))
        for what, given in (("weight", self.weights), ("number of units", self.units)):
            for ticker, value in given.items():
                if isinstance(value, bool) or not math.isfinite(_number(value)):
                    raise BacktestError(f"the {what} of {ticker} is {value!r:.40}, not a finite number", name=ticker)


Decision: TypeAlias = Targets | tuple[Order, ...]
"""What a strategy wants: targets, or orders."""


class BacktestStrategy(ABC):
    """Base class of strategies."""

    @property
    def name(self) -> str:
        """Name of the strategy, that of its class by default."""
        return type(self).__name__

    @property
    def code_hash(self) -> str:
        """SHA-256 over the version of the library and the source of its class."""
        return code_hash(type(self))

    def on_start(self, window: Window) -> None:  # noqa: B027 - for those who override it
        """Prepare for a run; the window has no bars yet.

        Parameters
        ----------
        window : Window
            Window on the bars.
        """

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers that it looks at; empty if it does not say."""
        return ()

    @abstractmethod
    def on_bar(self, window: Window) -> Any:
        """Return what to hold or to order after a bar: targets, weights by ticker, orders, or None.

        Parameters
        ----------
        window : Window
            Window of the bars up to now.
        """

    def __repr__(self) -> str:
        settings = ", ".join(
            f"{name}={value_text(value)}" for name, value in vars(self).items() if not name.startswith("_")
        )
        return f"{type(self).__name__}({settings})"


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

    @property
    def code_hash(self) -> str:
        return code_hash(type(self._rule))

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

    @property
    def code_hash(self) -> str:
        return code_hash(self._function)

    def on_bar(self, window: Window) -> Any:
        return self._function(window)

    def __repr__(self) -> str:
        return settings_of(self._function)


def strategy_of(given: Any) -> BacktestStrategy:
    """Return a strategy, a rule or a function as a strategy.

    Parameters
    ----------
    given : BacktestStrategy, SignalRule or callable
        Strategy, signal rule or function to be tested.

    Raises
    ------
    BacktestError
        It is none of these.
    """
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


def decision_of(strategy: BacktestStrategy, window: Window) -> Decision | None:
    """Return what a strategy wants after a bar, None for nothing.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy to ask.
    window : Window
        Window of the bars up to now.

    Raises
    ------
    BacktestError
        The strategy raises, or returns nonsense; the message names the bar.
    """
    try:
        given = strategy.on_bar(window)
    except Exception as error:  # a strategy is the code of users, which may raise anything
        at = f"{window.date:%Y-%m-%d %H:%M}"
        raise BacktestError(
            f"{strategy.name} raised {type(error).__name__} at the bar of {at}: {message_of(error)}", name=strategy.name
        ) from error
    try:
        return _read(given)
    except BacktestError as error:
        error.add_note(f"returned by {strategy.name} at the bar of {window.date:%Y-%m-%d %H:%M}")
        raise


def _read(given: Any) -> Decision | None:
    if given is None or isinstance(given, Targets):
        return given
    if isinstance(given, Mapping):
        return Targets(weights={str(ticker): weight for ticker, weight in given.items()})
    if isinstance(given, Order):
        return (given,)
    if isinstance(given, Sequence | Iterable) and not isinstance(given, str | bytes):
        orders = tuple(given)
        wrong = next((each for each in orders if not isinstance(each, Order)), None)
        if wrong is None:
            return orders or None
        given = wrong
    raise BacktestError(f"a strategy returned {given!r:.60}; return targets, weights by ticker, orders or None")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
