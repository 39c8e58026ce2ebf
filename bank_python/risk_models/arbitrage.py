r"""Static arbitrage checks of volatility smiles and surfaces.

A surface of total variances :math:`w(k, T)` is free of static arbitrage if three inequalities hold:

*butterfly*
    in each smile, Durrleman's function is nowhere negative and the variance is above zero;
*wing*
    the total variance of a wing rises by at most 2 per unit of log-moneyness (Lee);
*calendar*
    at equal log-moneyness (log of the strike over the expiry's own forward), the total variance does not decrease with
    the expiry.

A check returns an :class:`ArbitrageReport`, which lists the violations with their location and size.

Examples
--------
>>> from bank_python.risk_models.svi import SviSlice
>>> vogt = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
>>> print(check_slices([1.0], [vogt]))
butterfly arbitrage at T=1, k=0.8793: g = -0.0328636 is below 0
>>> check_slices([1.0, 2.0], [SviSlice.flat(0.04), SviSlice.flat(0.09)]).free
True

References
----------
J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014), 59-71,
lemmas 2.1 and 2.2.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.line_minimum import LineMinimum, line_minimum
from bank_python.numerics.tolerances import ROUNDED_SUM
from bank_python.risk_models.svi import LEE_SLOPE, hyperbola

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.risk_models.svi import SviSlice

__all__ = ["ArbitrageKind", "ArbitrageReport", "Violation", "calendar_gap", "check_slices"]


class ArbitrageKind(enum.Enum):
    """The kind of static arbitrage: the inequality that is violated."""

    BUTTERFLY = "butterfly"
    CALENDAR = "calendar"
    WING = "wing"


_AMOUNTS = {
    ArbitrageKind.BUTTERFLY: "g = {0:.6g} is below 0",
    ArbitrageKind.CALENDAR: "the total variance changes by {0:.6g} from the previous expiry",
    ArbitrageKind.WING: "the wing's slope exceeds 2 by {0:.6g}",
}


@dataclass(frozen=True, slots=True)
class Violation(Record):
    """A violated inequality, at the point where it is violated most.

    Parameters
    ----------
    kind : ArbitrageKind
        Inequality that is violated.
    expiry : float
        Years to the expiry of the smile; the later one for a calendar arbitrage.
    log_moneyness : float
        Log-moneyness of the largest violation; ±∞ for a wing.
    amount : float
        Size of the violation: the negative value of g, the (negative) change of total variance, or the excess of the
        slope over 2.
    """

    kind: ArbitrageKind
    expiry: float
    log_moneyness: float
    amount: float

    def __str__(self) -> str:
        amount = _AMOUNTS[self.kind].format(self.amount)
        return f"{self.kind.value} arbitrage at T={self.expiry:g}, k={self.log_moneyness:.4g}: {amount}"


@dataclass(frozen=True, slots=True)
class ArbitrageReport(Record):
    """The result of an arbitrage check; empty if the smiles are free of static arbitrage.

    Parameters
    ----------
    violations : tuple of Violation
        Violations found, at most one of each kind and wing for each smile.
    """

    violations: tuple[Violation, ...] = ()

    @property
    def free(self) -> bool:
        """Whether the smiles are free of static arbitrage."""
        return not self.violations

    def __str__(self) -> str:
        return "\n".join(map(str, self.violations)) or "free of static arbitrage"


@admits(ModelError)
def calendar_gap(earlier: SviSlice, later: SviSlice) -> LineMinimum:
    """Return the least increase of total variance from a smile to a later one, over all log-moneyness.

    Parameters
    ----------
    earlier, later : SviSlice
        Smiles of the two expiries, in log-moneyness to their own forwards.

    Returns
    -------
    LineMinimum
        Least increase and its log-moneyness. It is negative if the smiles cross, and −∞ at ±∞ if a wing of the later
        smile is flatter and falls below that of the earlier one within a log-moneyness of 1,000.
    """
    first, second = earlier.parameters, later.parameters
    grid = np.unique(np.concatenate([earlier.points(), later.points()]))
    found = line_minimum(lambda k: hyperbola(k, *second)[0] - hyperbola(k, *first)[0], grid)
    if abs(found.value) <= ROUNDED_SUM * abs(float(hyperbola(np.array(found.where), *second)[0])):
        return LineMinimum(found.where, 0.0)
    # Wings that cross on the grid stay crossed. Slopes alone are no evidence: those of two flat smiles are rounding.
    for sign, before, after in zip((-1.0, 1.0), earlier.wing_slopes, later.wing_slopes, strict=True):
        if found.value < 0.0 and after < before and not grid[1] < found.where < grid[-2] and sign * found.where > 0.0:
            return LineMinimum(sign * math.inf, -math.inf)
    return found


@admits(ModelError)
def check_slices(expiries: Sequence[float], slices: Sequence[SviSlice]) -> ArbitrageReport:
    """Check smiles for static arbitrage, each by itself and against the smile of the previous expiry.

    Parameters
    ----------
    expiries : sequence of float
        Years to the expiries, increasing.
    slices : sequence of SviSlice
        Smiles of the expiries, one for each.
    """
    if len(expiries) != len(slices):
        raise ModelError(f"{len(expiries)} expiries for {len(slices)} slices; give an expiry for each")
    found: list[Violation] = []
    for index, (expiry, smile) in enumerate(zip(expiries, slices, strict=True)):
        found.extend(_within(expiry, smile))
        if index:
            gap = calendar_gap(slices[index - 1], smile)
            if gap.value < 0.0:
                found.append(Violation(ArbitrageKind.CALENDAR, expiry, gap.where, gap.value))
    return ArbitrageReport(tuple(found))


def _within(expiry: float, smile: SviSlice) -> list[Violation]:
    found = [
        Violation(ArbitrageKind.WING, expiry, sign * math.inf, slope - LEE_SLOPE)
        for sign, slope in zip((-1.0, 1.0), smile.wing_slopes, strict=True)
        if slope > LEE_SLOPE
    ]
    lowest = smile.minimum_g()
    if lowest.value < 0.0:
        found.append(Violation(ArbitrageKind.BUTTERFLY, expiry, lowest.where, lowest.value))
    return found
