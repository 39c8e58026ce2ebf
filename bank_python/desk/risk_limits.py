"""The risk limits of the desk, as data: change the tables of this module, or load limits from a TOML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.risk import Concentration, GreekExposure, Limit, StressLoss

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.risk import Measure

__all__ = ["BALANCED", "DRIFT", "FIRM", "MEASURES", "VAR", "standard_limits"]

FIRM = "firm"
"""Scope of the limits on all books together."""
VAR = "VaR 99"
"""Name of the limits on the simulated one-day value at risk at 99 %."""
DRIFT = "Drift"
"""Name of the limits on the drift of a trader's weights from the optimal ones."""

BALANCED: Mapping[str, str] = {"Oscar": "risk_parity"}
"""Optimiser by trader, for traders whose shares and coins are rebalanced to optimal weights."""

MEASURES: Mapping[str, Measure] = {
    "Stress loss": StressLoss(),
    "Concentration": Concentration(),
    "Delta 1%": GreekExposure("delta"),
    "Vega 1pt": GreekExposure("vega"),
}
"""Other limited measures by name: amounts in USD, except the concentration, a fraction of the book value."""

# Measure -> maximum of each trader, maximum of the firm.
_USUAL = {
    VAR: (250_000.0, 1_200_000.0),
    "Stress loss": (6_000_000.0, 15_000_000.0),
    "Concentration": (0.95, 0.35),
    "Delta 1%": (200_000.0, 600_000.0),
    "Vega 1pt": (80_000.0, 200_000.0),
}
_BAND = 0.10  # maximum drift of a weight, up or down
# Maxima that differ from the usual ones.
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
