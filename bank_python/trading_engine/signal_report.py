"""What a rule finds: signals, and the series that gave none, with the reason.

Examples
--------
>>> found = collected(["A", "B"], lambda ticker: [Signal(ticker, Side.BUY, 1.0, 1.0, "up")] if ticker == "A" else [])
>>> [each.instrument for each in found]
['A']
>>> str(SignalProblem("B", "the last close of B is nan"))
'the last close of B is nan'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from bank_python.display import Record
from bank_python.errors import BankError, TradingError
from bank_python.trading_engine.checks import finite_number, positive
from bank_python.trading_engine.words import Side, read_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Found", "Signal", "SignalProblem", "SignalReport", "collected"]

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Signal(Record):
    """What a rule wants.

    Parameters
    ----------
    instrument : str
        Name of the instrument, not empty.
    side : Side or str
        Direction of the trade.
    quantity : float
        Number of units, finite and above 0.
    strength : float
        Strength of the signal, in [0, 1].
    reason : str
        Figures behind the signal, in words.
    price : float or None, default None
        Last price that the rule saw, finite.
    decision : str, default ""
        Name that the legs of one decision share, as of a pair: a desk sends all of them or none. Empty for one alone.

    Raises
    ------
    TradingError
        The instrument has no name, the side is no side, or a number is out of range.
    """

    instrument: str
    side: Side
    quantity: float
    strength: float
    reason: str
    price: float | None = None
    decision: str = ""

    def __post_init__(self) -> None:
        name: Any = self.instrument
        if not isinstance(name, str) or not name:
            raise TradingError(f"instrument={name!r:.60}; give the name of what is traded", name="instrument")
        object.__setattr__(self, "side", read_word(Side, self.side))
        positive("quantity", self.quantity)
        if not 0.0 <= finite_number("strength", self.strength) <= 1.0:
            raise TradingError(f"strength={self.strength!r} is outside [0, 1]", name="strength", value=self.strength)
        if self.price is not None:
            finite_number("price", self.price)


@dataclass(frozen=True, slots=True)
class SignalProblem(Record):
    """Why a series gave no signal.

    Parameters
    ----------
    ticker : str
        Name of the series.
    reason : str
        Fault of the series, with its figure.
    waits : bool, default False
        Whether more data will mend it, as the series is missing or too short; otherwise a figure is wrong.
    """

    ticker: str
    reason: str
    waits: bool = False

    def __str__(self) -> str:
        return self.reason if self.ticker in self.reason else f"{self.ticker}: {self.reason}"


Found: TypeAlias = list[Signal | SignalProblem]


@dataclass(frozen=True, slots=True)
class SignalReport(Record):
    """The signals of a rule, and the series that gave none.

    Parameters
    ----------
    signals : tuple of Signal
        Signals of the series that could be read.
    problems : tuple of SignalProblem
        Series that could not be used, each with the reason.
    """

    signals: tuple[Signal, ...]
    problems: tuple[SignalProblem, ...]

    @property
    def faults(self) -> tuple[SignalProblem, ...]:
        """Problems that more data will not mend."""
        return tuple(each for each in self.problems if not each.waits)


def collected(parts: Iterable[_Part], find: Callable[[_Part], Iterable[Signal]]) -> Found:
    """Return the signals of each part of a rule, and a problem for each part at fault.

    Parameters
    ----------
    parts : iterable of str or of tuple of str
        Tickers, pairs or whatever else the rule looks at by itself.
    find : callable
        Function from a part to its signals, which raises a BankError where there is a fault.
    """
    found: Found = []
    for part in parts:
        try:
            with np.errstate(all="ignore"):  # what overflows is refused as a signal, and named
                found += find(part)
        except BankError as error:
            found.append(problem_of(error, part))
        except ArithmeticError as error:
            found.append(SignalProblem(_label(part), f"the figures of {_label(part)} are out of range: {error}"))
    return found


def problem_of(error: BankError, part: object) -> SignalProblem:
    """Return the problem that an error tells of: of its ``series``, or else of the whole part."""
    return SignalProblem(
        str(error.facts.get("series", _label(part))), str(error), bool(error.facts.get("waits", False))
    )


def _label(part: object) -> str:
    return "/".join(map(str, part)) if isinstance(part, tuple) else str(part)
