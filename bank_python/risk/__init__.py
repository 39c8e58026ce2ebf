"""Risk: what prices and P&L rest on, and how they move."""

from bank_python.risk.attribution import EFFECTS, AttributionMode, PnLAttribution
from bank_python.risk.backtests import (
    AcerbiSzekely,
    ChristoffersenTest,
    KupiecTest,
    TrafficLight,
    acerbi_szekely_test,
    christoffersen_test,
    kupiec_test,
    traffic_light,
)
from bank_python.risk.contracts import ContractColumns, group_contracts
from bank_python.risk.derivatives import Derivatives, take_derivatives
from bank_python.risk.greeks import GREEKS, BookGreeks, Unit, take_greeks
from bank_python.risk.state import DeskState, PositionState, capture
from bank_python.risk.tail_risk import TailMethod, TailRisk, expected_shortfall, tail_risk, value_at_risk

__all__ = [
    "EFFECTS",
    "GREEKS",
    "AcerbiSzekely",
    "AttributionMode",
    "BookGreeks",
    "ChristoffersenTest",
    "ContractColumns",
    "Derivatives",
    "DeskState",
    "KupiecTest",
    "PnLAttribution",
    "PositionState",
    "TailMethod",
    "TailRisk",
    "TrafficLight",
    "Unit",
    "acerbi_szekely_test",
    "capture",
    "christoffersen_test",
    "expected_shortfall",
    "group_contracts",
    "kupiec_test",
    "tail_risk",
    "take_derivatives",
    "take_greeks",
    "traffic_light",
    "value_at_risk",
]
