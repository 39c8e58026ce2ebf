"""Back-tests: a replay that sees no future, and a tearsheet that says its conventions."""

from bank_python.backtester.bars import BarPanel, bars_of
from bank_python.completion import public_names

__all__ = ["BarPanel", "bars_of"]

__dir__ = public_names(__name__)
