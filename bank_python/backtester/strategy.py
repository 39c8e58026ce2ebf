"""Strategies: what a back-test asks after each bar, in the form of targets or orders.

A strategy is one of

- a :class:`BacktestStrategy`, with a method ``on_bar``;
- an object with ``on_bar(context, engine, date)``, which submits orders;
- a rule of the trading engine (:class:`~bank_python.trading_engine.SignalRule`), unchanged: its signals are orders;
- a function of the window.

What it returns is a :class:`Targets`, a mapping from ticker to share of equity, a list of orders, or None for nothing.

Examples
--------
>>> class Half(BacktestStrategy):
...     def on_bar(self, window):
...         return {"A": 0.5} if len(window["A"]) == 1 else None
>>> Half().name
'Half'
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeAlias

from bank_python.backtester.run_identity import attributes_of, code_hash, value_text
from bank_python.display import Record
from bank_python.errors import BacktestError, BankError
from bank_python.trading_engine import Order, OrderStatus
from bank_python.wording import message_of

if TYPE_CHECKING:
    from bank_python.backtester.window import Window

__all__ = [
    "BacktestStrategy",
    "Decision",
    "Targets",
    "decision_of",
    "raised_at",
    "raised_in",
    "refused_at",
    "settings_text",
]

_HINT = {"weight": ", 0.95 for 95 per cent of equity", "number of units": ""}
_MOST = {"weight": 20.0, "number of units": 1e15}


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
                if isinstance(value, bool) or not abs(_number(value)) <= _MOST[what]:
                    wanted = f"a finite number up to {_MOST[what]:g}{_HINT[what]}"
                    raise BacktestError(f"the {what} of {ticker} is {value!r:.40}; give {wanted}", name=ticker)


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

    def on_end(self, window: Window) -> None:  # noqa: B027 - for those who override it
        """Finish a run, after the last bar; nothing can be ordered any more.

        Parameters
        ----------
        window : Window
            Window of all bars.
        """

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers that it looks at; empty if it does not say."""
        return ()

    @property
    def needs_inputs(self) -> bool:
        """Whether the strategy fails without bars of one of its inputs."""
        return True

    @abstractmethod
    def on_bar(self, window: Window) -> Any:
        """Return what to hold or to order after a bar: targets, weights by ticker, orders, or None.

        Parameters
        ----------
        window : Window
            Window of the bars up to now.
        """

    @recursive_repr("...")
    def __repr__(self) -> str:
        return settings_text(self)


def settings_text(strategy: object) -> str:
    """Return a strategy as text: its class with its public attributes.

    Parameters
    ----------
    strategy : object
        Strategy of any form.
    """
    known = attributes_of(strategy).items()
    settings = ", ".join(f"{name}={value_text(value)}" for name, value in known if not name.startswith("_"))
    return f"{type(strategy).__name__}({settings})"


def raised_at(strategy: BacktestStrategy, window: Window, error: Exception) -> BacktestError:
    """Return the error that names the bar at which a strategy has raised one.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy that raised it.
    window : Window
        Window of the bars up to then.
    error : Exception
        Error of the strategy.
    """
    return raised_in(strategy, f"at the bar of {window.date:%Y-%m-%d %H:%M}", error)


def raised_in(strategy: BacktestStrategy, where: str, error: Exception) -> BacktestError:
    """Return the error that says where a strategy has raised one.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy that raised it.
    where : str
        Place in words, such as "in on_end, after the last bar".
    error : Exception
        Error of the strategy.
    """
    said = f"{strategy.name} raised {type(error).__name__} {where}: {message_of(error)}"
    return BacktestError(said, name=strategy.name)


def refused_at(strategy: BacktestStrategy, window: Window, error: BankError) -> BacktestError:
    """Return the error that names the bar at which what a strategy wants is refused.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy to ask.
    window : Window
        Window of the bars up to then.
    error : BankError
        Error that says why.
    """
    at = f"{window.date:%Y-%m-%d %H:%M}"
    return BacktestError(f"{strategy.name} at the bar of {at}: {message_of(error)}", name=strategy.name)


def decision_of(strategy: BacktestStrategy, window: Window, given: Any) -> Decision:
    """Return what a strategy wants after a bar.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy to ask.
    window : Window
        Window of the bars up to now.
    given : object
        Answer of the strategy.

    Raises
    ------
    BacktestError
        It is nonsense, or a generator that raises; the message names the bar.
    """
    try:
        known = tuple(given) if isinstance(given, Iterator) else given  # the code of a function with yield runs now
    except Exception as error:  # a strategy is the code of users, which may raise anything
        raise raised_at(strategy, window, error) from error
    try:
        return _read(known)
    except BacktestError as error:
        raise refused_at(strategy, window, error) from error


def _read(given: Any) -> Decision:
    if isinstance(given, Targets):
        return given
    if hasattr(given, "items") and not isinstance(given, Mapping):  # a Series of pandas
        given = dict(given.items())
    if isinstance(given, Mapping):
        return Targets(weights={str(ticker): weight for ticker, weight in given.items()})
    if isinstance(given, Order):
        return (_pending(given),)
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        return tuple(map(_pending, given))
    raise _nonsense(given)


def _pending(order: Any) -> Order:
    if not isinstance(order, Order):
        raise _nonsense(order)
    if order.status is not OrderStatus.PENDING:
        raise BacktestError(
            f"a strategy returned the order {order.order_id}, which is {order.status.value}; make a new one"
        )
    return order


def _nonsense(given: Any) -> BacktestError:
    return BacktestError(f"a strategy returned {given!r:.60}; return targets, weights by ticker, orders or None")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
