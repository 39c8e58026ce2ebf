"""The desk's limits, as data: to change what a trader may risk, change this table, or give a TOML file of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.risk import Concentration, GreekExposure, Limit, StressLoss

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.risk import Measure

__all__ = ["BALANCED", "DRIFT", "FIRM", "MEASURES", "VAR", "standard_limits"]

FIRM = "firm"
"""The scope of limits on all books together."""
VAR = "VaR 99"
"""The name of limits on the simulated value at risk."""
DRIFT = "Drift"
"""The name of limits on how far a trader's shares may be from their optimal weights."""

BALANCED: Mapping[str, str] = {"Oscar": "risk_parity"}
"""Whose shares and coins are held to optimal weights, and by which optimiser."""

MEASURES: Mapping[str, Measure] = {
    "Stress loss": StressLoss(),
    "Concentration": Concentration(),
    "Delta 1%": GreekExposure("delta"),
    "Vega 1pt": GreekExposure("vega"),
}
"""What else is limited: dollars, but for the concentration, which is a share of what is held."""

# Measure: what each trader may have, and the firm.
_USUAL = {
    VAR: (250_000.0, 1_200_000.0),
    "Stress loss": (6_000_000.0, 15_000_000.0),
    "Concentration": (0.95, 0.35),
    "Delta 1%": (200_000.0, 600_000.0),
    "Vega 1pt": (80_000.0, 200_000.0),
}
_BAND = 0.10  # of drift, either way
# Who has more, or less.
_OWN = {("Tony", VAR): 500_000.0, ("Tony", "Stress loss"): 10_000_000.0, ("Bob", "Stress loss"): 8_000_000.0}


def standard_limits(traders: Sequence[str]) -> tuple[Limit, ...]:
    """Return the limits of the firm and of each trader."""
    of_firm = [_limit(name, FIRM, most) for name, (_, most) in _USUAL.items()]
    of_traders = [
        _limit(name, trader, _OWN.get((trader, name), most)) for trader in traders for name, (most, _) in _USUAL.items()
    ]
    of_balanced = [_limit(DRIFT, trader, _BAND) for trader in traders if trader in BALANCED]
    return (*of_firm, *of_traders, *of_balanced)


def _limit(name: str, scope: str, most: float) -> Limit:
    return Limit(name, scope, most, absolute=isinstance(MEASURES.get(name), GreekExposure))
