"""Trading: orders and their words, what fills cost, and when an order fills on a bar."""

from bank_python.completion import public_names
from bank_python.trading_engine.bar_fills import BarBracket, BarFill, BarOrder, FillReason, fill_bracket, fill_on_bar
from bank_python.trading_engine.execution import ExecutionModel, FillCost
from bank_python.trading_engine.words import ImpactModel, OrderStatus, OrderType, Side, TimeInForce, read_word

__all__ = [
    "BarBracket",
    "BarFill",
    "BarOrder",
    "ExecutionModel",
    "FillCost",
    "FillReason",
    "ImpactModel",
    "OrderStatus",
    "OrderType",
    "Side",
    "TimeInForce",
    "fill_bracket",
    "fill_on_bar",
    "read_word",
]

__dir__ = public_names(__name__)
