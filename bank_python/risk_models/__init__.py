"""Pricing formulas as pure functions of arrays: market inputs and contract terms in, values out.

Every function broadcasts, keeps no state, and never raises for a value: a lane whose inputs make no sense is
NaN. A lane's result is the same, to the bit, whatever else is in the batch.
"""

from bank_python.risk_models.black_scholes import Greeks, black_scholes_greeks, black_scholes_price
from bank_python.risk_models.bond import bond_price
from bank_python.risk_models.cds import cds_value, risky_annuity, survival_probability
from bank_python.risk_models.power_law import power_law_price

__all__ = [
    "Greeks",
    "black_scholes_greeks",
    "black_scholes_price",
    "bond_price",
    "cds_value",
    "power_law_price",
    "risky_annuity",
    "survival_probability",
]
