"""Comparisons with other libraries (QuantLib, PyPortfolioOpt, Riskfolio-Lib), each optional and imported on use."""

from bank_python.completion import public_names
from bank_python.integrations.comparison import Comparison, Figure
from bank_python.integrations.peer_optimizer import PeerOptimizer
from bank_python.integrations.portfolio_comparison import PEER_OPTIMIZERS, PortfolioComparison, PortfolioRow, compare
from bank_python.integrations.pyportfolioopt import PyPortfolioOptimizer
from bank_python.integrations.quantlib import QuantLibPricing
from bank_python.integrations.quantlib_portfolio import QuantLibOptimizer
from bank_python.integrations.riskfolio import RiskfolioOptimizer

__all__ = [
    "PEER_OPTIMIZERS",
    "Comparison",
    "Figure",
    "PeerOptimizer",
    "PortfolioComparison",
    "PortfolioRow",
    "PyPortfolioOptimizer",
    "QuantLibOptimizer",
    "QuantLibPricing",
    "RiskfolioOptimizer",
    "compare",
]

__dir__ = public_names(__name__)
