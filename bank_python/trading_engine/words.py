"""The words of orders: sides, kinds, lifetimes and states, models of impact.

Examples
--------
>>> Side("BUY").sign, Side.SELL.sign
(1.0, -1.0)
>>> OrderStatus.PENDING.is_open, OrderStatus.FILLED.is_open
(True, False)
>>> read_word(OrderType, "stop-limit").name
'STOP_LIMIT'
"""

from __future__ import annotations

import enum
from typing import Any, TypeVar

from bank_python.errors import TradingError

__all__ = ["ImpactModel", "OrderStatus", "OrderType", "Side", "TimeInForce", "read_word"]

_Word = TypeVar("_Word", bound=enum.Enum)


class Side(enum.StrEnum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> float:
        """1 for a purchase, -1 for a sale."""
        return 1.0 if self is Side.BUY else -1.0


class OrderType(enum.StrEnum):
    """When an order may be filled, and at which price."""

    MARKET = "MARKET"
    """At once, at the market."""
    LIMIT = "LIMIT"
    """At the limit or better."""
    STOP = "STOP"
    """At the market, once the price has reached the stop."""
    STOP_LIMIT = "STOP_LIMIT"
    """At the limit or better, once the price has reached the stop."""
    TRAILING_STOP = "TRAILING_STOP"
    """As a stop that follows the best price at a distance."""


class TimeInForce(enum.StrEnum):
    """How long an order works."""

    DAY = "DAY"
    """Until the end of the day."""
    GTC = "GTC"
    """Until it is cancelled."""
    IOC = "IOC"
    """At once; what is not filled is cancelled."""


class OrderStatus(enum.StrEnum):
    """State of an order."""

    PENDING = "PENDING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_open(self) -> bool:
        """Whether the order can still be filled."""
        return self in {OrderStatus.PENDING, OrderStatus.PARTIALLY_FILLED}


class ImpactModel(enum.StrEnum):
    """How the impact of an order grows with its share of the daily volume."""

    NONE = "NONE"
    """Not at all."""
    SQUARE_ROOT = "SQUARE_ROOT"
    """As its square root."""
    THREE_FIFTHS = "THREE_FIFTHS"
    """As its power 3/5."""


def read_word(kind: type[_Word], word: object) -> _Word:
    """Return the member of an enumeration that a word names, in any case, with blanks or hyphens for underscores.

    Parameters
    ----------
    kind : type of Enum
        Enumeration of the members.
    word : str
        Name of the member, or the member itself.

    Raises
    ------
    TradingError
        There is no such member, or `kind` is no enumeration.
    """
    given: Any = kind
    if not (isinstance(given, type) and issubclass(given, enum.Enum)):
        raise TradingError(f"kind={kind!r:.60} is no enumeration; give one, such as Side", name="kind", value=kind)
    if isinstance(word, kind):
        return word
    known = word.strip().upper().replace(" ", "_").replace("-", "_") if isinstance(word, str) else ""
    if known in kind.__members__:
        return kind[known]
    raise TradingError(f"{word!r:.60} is no {kind.__name__}; give one of {', '.join(kind.__members__)}", value=word)
