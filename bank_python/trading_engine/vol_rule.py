r"""How implied volatilities move with the spot, for shadow Greeks.

.. math:: \sigma_i(S') = \sigma_i \left(\frac{S'}{S}\right)^{-k_i}, \qquad k_i = k\,\min\!\left(1, \sqrt{d/D_i}\right)

:math:`k` is the elasticity: a spot 1 % lower raises each volatility by about :math:`k` % of itself. At 0 volatilities
stay where they are; at 1 the volatility in money, :math:`\sigma S`, does. Options with more than :math:`d` days
:math:`D_i` to expiry move less, by the square root of time.

References
----------
N. N. Taleb, *Dynamic Hedging: Managing Vanilla and Exotic Options*, Wiley 1997, chapters 8 (gamma and shadow gamma) and
9 (vega and the volatility surface).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import TradingError

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["VolRule", "as_rule"]

_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class VolRule(Record):
    """How implied volatilities move with the spot.

    Parameters
    ----------
    elasticity : float, default 1.0
        Per cent by which a volatility rises, relative to itself, when the spot falls by one per cent. To be taken from
        data: minus the slope of log changes of the implied volatility on log returns.
    reference_days : float or None, default 30.0
        Days to expiry up to which that holds in full; longer options move less, by the square root of time. None for
        all options alike.

    Raises
    ------
    TradingError
        The elasticity is not finite, or the days are not above 0.
    """

    elasticity: float = 1.0
    reference_days: float | None = 30.0

    def __post_init__(self) -> None:
        if not _is_number(self.elasticity) or not math.isfinite(self.elasticity):
            raise TradingError(f"elasticity={self.elasticity!r} is not a finite number", name="elasticity")
        days = self.reference_days
        if days is not None and not (_is_number(days) and days > 0.0):
            raise TradingError(f"reference_days={days!r} is not above 0; give days, or None", name="reference_days")

    def exponents(self, years: FloatArray) -> FloatArray:
        """Return the elasticity of each option.

        Parameters
        ----------
        years : ndarray
            Years to expiry of each option.
        """
        if self.reference_days is None:
            return np.full(np.shape(years), float(self.elasticity))
        days = np.maximum(_DAYS * years, self.reference_days)
        return np.asarray(self.elasticity * np.sqrt(self.reference_days / days))

    def __str__(self) -> str:
        if not self.elasticity:
            return "volatilities stay where they are"
        moved = f"a spot 1% lower raises volatilities by {self.elasticity:g}% of themselves"
        if self.reference_days is None:
            return moved
        return f"{moved}, beyond {self.reference_days:g} days less by the root of time"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_rule(rule: object) -> VolRule:
    """Return a rule, the default one for None.

    Raises
    ------
    TradingError
        It is no rule.
    """
    if rule is None:
        return VolRule()
    if not isinstance(rule, VolRule):
        raise TradingError(f"rule={rule!r} is no VolRule; give VolRule(elasticity=1.0)", name="rule", value=rule)
    return rule
