"""Macro: two rules on the level of rates and of the dollar.

They are rules, not advice: above five per cent of SOFR the rule buys a five-year bond; it buys euros below 1.05 dollars
and sells them above 1.12.

Examples
--------
>>> [order.instrument_name for order in MacroSignal().generate({"SOFR": [0.052], "EURUSD": [1.08]})]
['BOND_5Y']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.trading_engine.checks import names_of, positive
from bank_python.trading_engine.series_window import latest_rate, recent_prices
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["MacroSignal"]

_HIGH_RATE = 0.05
_LOW_EURO, _HIGH_EURO = 1.05, 1.12
_FULL_RATE, _FULL_EURO = 0.02, 0.10
_LEAST = 0.3  # a level beyond its threshold is a signal, however little beyond


class MacroSignal(SignalRule):
    """The rules of this module; the strength grows with the distance from the threshold.

    Parameters
    ----------
    bond : str, default "BOND_5Y"
        Name of the bond.
    bond_quantity, euro_quantity : float, default 100.0 and 10,000.0
        Units of the bond and of euros, above 0.

    Raises
    ------
    TradingError
        A number is out of range, or the bond has no name.
    """

    strategy: ClassVar[str] = "macro"

    @admits(TradingError, members=False)
    def __init__(self, bond: str = "BOND_5Y", *, bond_quantity: float = 100.0, euro_quantity: float = 10_000.0) -> None:
        (self.bond,) = names_of("bond", [bond])
        self.bond_quantity = positive("bond_quantity", bond_quantity)
        self.euro_quantity = positive("euro_quantity", euro_quantity)

    @property
    def inputs(self) -> tuple[str, ...]:
        """SOFR and EURUSD."""
        return "SOFR", "EURUSD"

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Name of the bond, whose last price the order then carries."""
        return (self.bond,)

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each rule whose level is reached."""
        rules = {"SOFR": self._of_rate, "EURUSD": self._of_euro}
        return collected(rules, lambda name: rules[name](closes))

    def _of_rate(self, closes: Mapping[str, FloatArray]) -> list[Signal]:
        rate = latest_rate(closes, "SOFR")
        if rate <= _HIGH_RATE:
            return []
        bond = closes.get(self.bond)
        price = None if bond is None or not len(bond) else float(recent_prices(closes, self.bond)[-1])
        strength = _strength(rate - _HIGH_RATE, _FULL_RATE)
        return [
            Signal(self.bond, Side.BUY, self.bond_quantity, strength, f"SOFR {rate:.2%} above {_HIGH_RATE:.0%}", price)
        ]

    def _of_euro(self, closes: Mapping[str, FloatArray]) -> list[Signal]:
        euro = float(recent_prices(closes, "EURUSD")[-1])
        if _LOW_EURO <= euro <= _HIGH_EURO:
            return []
        side, beyond, word = (Side.BUY, _LOW_EURO, "below") if euro < _LOW_EURO else (Side.SELL, _HIGH_EURO, "above")
        reason = f"EURUSD {euro:.4f} {word} {beyond:.2f}"
        return [Signal("EURUSD", side, self.euro_quantity, _strength(abs(euro - beyond), _FULL_EURO), reason, euro)]


def _strength(distance: float, full: float) -> float:
    return min(_LEAST + (1.0 - _LEAST) * distance / full, 1.0)
