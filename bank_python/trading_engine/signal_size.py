"""How many units a signal asks for: a number of units, or what an amount of money buys; and what closes a position.

Examples
--------
>>> units_of(100.0, None, 138.0), units_of(100.0, 50_000.0, 138.0)
(100.0, 362.0)
>>> [each.side.value for each in closing({"A": 10.0, "B": -5.0}, {"A": 99.0, "B": 198.0}, "done")]
['SELL', 'BUY']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.trading_engine.signal_report import Signal
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["closing", "rounded_units", "units_of"]

_WHOLE_FROM = 10.0


def rounded_units(units: float) -> float:
    """Return a number of units as one orders it: whole from 10 on, with three digits below."""
    return float(round(units)) if units >= _WHOLE_FROM else float(f"{units:.3g}")


def units_of(quantity: float, order_value: float | None, price: float) -> float:
    """Return the units of an order: `quantity`, or what `order_value` buys.

    Parameters
    ----------
    quantity : float
        Number of units, above 0.
    order_value : float or None
        Money of the order, above 0.
    price : float
        Price per unit, above 0.
    """
    return quantity if order_value is None else rounded_units(order_value / price)


def closing(held: Mapping[str, float], prices: Mapping[str, float], reason: str) -> list[Signal]:
    """Return the signals that close what is held, with full strength.

    Parameters
    ----------
    held : mapping of str to float
        Units by instrument, negative for short positions.
    prices : mapping of str to float
        Last price by instrument.
    reason : str
        Reason of the exit, with its figures.
    """
    decision = "/".join(held) if len(held) > 1 else ""
    return [
        Signal(name, Side.SELL if units > 0.0 else Side.BUY, abs(units), 1.0, reason, prices[name], decision)
        for name, units in held.items()
        if units
    ]
