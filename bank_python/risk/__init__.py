"""Risk: what prices and P&L rest on, and how they move."""

from bank_python.risk.attribution import EFFECTS, AttributionMode, PnLAttribution
from bank_python.risk.contracts import ContractColumns, group_contracts
from bank_python.risk.derivatives import Derivatives, take_derivatives
from bank_python.risk.greeks import GREEKS, BookGreeks, Unit, take_greeks
from bank_python.risk.state import DeskState, PositionState, capture

__all__ = [
    "EFFECTS",
    "GREEKS",
    "AttributionMode",
    "BookGreeks",
    "ContractColumns",
    "Derivatives",
    "DeskState",
    "PnLAttribution",
    "PositionState",
    "Unit",
    "capture",
    "group_contracts",
    "take_derivatives",
    "take_greeks",
]
