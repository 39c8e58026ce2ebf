"""Risk factors: the leaves of the graph that some positions depend on, and what each is by kind.

A factor moves *relatively* (a price, a volatility, a spread: it stays positive and what is drawn is its growth) or
*absolutely* (a rate, a dividend yield: what is drawn is its shift). Which of the two follows from what contracts use it
for.
"""

from __future__ import annotations

from dataclasses import dataclass

from bank_python.instruments.factor import Factor

__all__ = ["RiskFactor"]

_RELATIVE = frozenset({Factor.SPOT, Factor.VOL, Factor.CREDIT, Factor.FX})


@dataclass(frozen=True, slots=True)
class RiskFactor:
    """A market quantity that positions depend on.

    Parameters
    ----------
    name : str
        Of the leaf.
    kind : Factor
        What contracts use it for.
    level : float
        Its present quote.
    sector : str, default ""
        Of a share, where its contract says.
    """

    name: str
    kind: Factor
    level: float
    sector: str = ""

    @property
    def relative(self) -> bool:
        """Whether it moves in proportion to its level."""
        return self.kind in _RELATIVE
