"""Risk factors: the leaves of the graph that positions depend on, with their kind and level.

A factor moves *relatively* (a price, a volatility or a credit spread stays positive, and a simulation draws its log
return) or *absolutely* (a rate or a dividend yield, of which a simulation draws the change). The kind of the factor
decides which.
"""

from __future__ import annotations

from dataclasses import dataclass

from bank_python.display import Record
from bank_python.guessing import guessable
from bank_python.instruments.factor import Factor

__all__ = ["RiskFactor"]

_RELATIVE = frozenset({Factor.SPOT, Factor.VOL, Factor.CREDIT, Factor.FX})


@guessable
@dataclass(frozen=True, slots=True)
class RiskFactor(Record):
    """A market quantity that positions depend on.

    Parameters
    ----------
    name : str
        Name of the leaf.
    kind : Factor
        Role of the factor in contracts: spot, volatility, rate and so on.
    level : float
        Present quote, in the unit of the leaf.
    sector : str, default ""
        Sector of a share, if its contract is labelled with one.
    """

    name: str
    kind: Factor
    level: float
    sector: str = ""

    @property
    def relative(self) -> bool:
        """Whether the factor moves in proportion to its level."""
        return self.kind in _RELATIVE
