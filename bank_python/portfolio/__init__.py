"""A portfolio of one's own in one call, from positions and prices to risk; see ``docs/own_portfolio.md``."""

from bank_python.completion import public_names
from bank_python.instruments.option_symbol import OptionSymbol, parse_option
from bank_python.portfolio.build import load_portfolio
from bank_python.portfolio.history import History, HistoryForm, read_history
from bank_python.portfolio.portfolio import Portfolio
from bank_python.portfolio.specs import Kind, PositionSpec
from bank_python.row_problems import RowProblem

__all__ = [
    "History",
    "HistoryForm",
    "Kind",
    "OptionSymbol",
    "Portfolio",
    "PositionSpec",
    "RowProblem",
    "load_portfolio",
    "parse_option",
    "read_history",
]

__dir__ = public_names(__name__)
