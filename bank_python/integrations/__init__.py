"""Other libraries beside ours: found when asked for, and never needed."""

from bank_python.integrations.comparison import Comparison, Figure
from bank_python.integrations.quantlib import QuantLibPricing

__all__ = ["Comparison", "Figure", "QuantLibPricing"]
