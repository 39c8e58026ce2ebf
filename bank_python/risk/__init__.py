"""Risk: what prices and P&L rest on, and how they move."""

from bank_python.risk.contracts import ContractColumns, group_contracts
from bank_python.risk.derivatives import Derivatives, take_derivatives
from bank_python.risk.greeks import GREEKS, BookGreeks, Unit, take_greeks

__all__ = [
    "GREEKS",
    "BookGreeks",
    "ContractColumns",
    "Derivatives",
    "Unit",
    "group_contracts",
    "take_derivatives",
    "take_greeks",
]
