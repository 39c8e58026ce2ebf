"""Trading: orders and their words."""

from bank_python.completion import public_names
from bank_python.trading_engine.words import OrderStatus, OrderType, Side, TimeInForce

__all__ = ["OrderStatus", "OrderType", "Side", "TimeInForce"]

__dir__ = public_names(__name__)
