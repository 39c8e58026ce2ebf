"""The words of orders: sides, kinds, lifetimes and states.

Examples
--------
>>> Side("BUY").sign, Side.SELL.sign
(1.0, -1.0)
>>> OrderStatus.PENDING.is_open, OrderStatus.FILLED.is_open
(True, False)
"""

from __future__ import annotations

import enum

__all__ = ["OrderStatus", "OrderType", "Side", "TimeInForce"]


class Side(enum.Enum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> float:
        """1 for a purchase, -1 for a sale."""
        return 1.0 if self is Side.BUY else -1.0


class OrderType(enum.Enum):
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


class TimeInForce(enum.Enum):
    """How long an order works."""

    DAY = "DAY"
    """Until the end of the day."""
    GTC = "GTC"
    """Until it is cancelled."""
    IOC = "IOC"
    """At once; what is not filled is cancelled."""


class OrderStatus(enum.Enum):
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
