r"""The two legs of a credit default swap, integrated exactly under a discount and a survival curve.

Between neighbouring nodes of the two curves the forward rate f and the hazard rate h are constant, so each
integral over a segment has a closed form. With D Q at the segment's start, x = (f + h)Δt and t from the
start of the accrual,

.. math::
    \int D\,dQ = D Q\,h\Delta t\; g(x), \qquad
    \int t\,D\,dQ = D Q\,h\Delta t\,\bigl(t_0\,g(x) + \Delta t\,\varphi(x)\bigr),

.. math::
    g(x) = \int_0^1 e^{-xu}\,du = \frac{1 - e^{-x}}{x}, \qquad
    \varphi(x) = \int_0^1 u\,e^{-xu}\,du = \frac{1 - (1 + x)e^{-x}}{x^2} .

The first is the protection leg; the second is the premium owed at default. Both functions keep all their
digits as x goes through zero, where the closed forms as written lose theirs.

Examples
--------
>>> from bank_python.risk_models.curve import Curve
>>> from bank_python.risk_models.premium_schedule import quarterly_schedule
>>> from bank_python.risk_models.survival import SurvivalCurve
>>> legs = cds_legs(quarterly_schedule(5.0), Curve.flat(0.03), SurvivalCurve.flat(0.02))
>>> round(legs.protection, 6), round(legs.annuity, 6)
(0.08848, 4.468643)

References
----------
R. White, "The Pricing and Risk Management of Credit Default Swaps, with a Focus on the ISDA Model",
OpenGamma Quantitative Research 16 (2013), sections 4.1 and 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.horner import horner
from bank_python.risk_models.premium_schedule import DAYS_OF_YEAR_OVER_360

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray
    from bank_python.risk_models.curve import Curve
    from bank_python.risk_models.premium_schedule import PremiumSchedule
    from bank_python.risk_models.survival import SurvivalCurve

__all__ = ["CdsLegs", "LegsGrid", "cds_legs", "first_moment", "mean_decay"]


@dataclass(frozen=True, slots=True)
class CdsLegs:
    """Values on the valuation date, for a notional of 1.

    Parameters
    ----------
    protection : float
        Of 1 paid at default.
    premium : float
        Years: of a premium of 1 a year, and of what of it is owed at default; the accrued part included.
    accrued : float
        Years: of the accrued part, given back at settlement.
    settlement_discount : float
        Discount factor to settlement.
    """

    protection: float
    premium: float
    accrued: float
    settlement_discount: float

    @property
    def annuity(self) -> float:
        """Premium without its accrued part, in years: the risky annuity, or risky PV01 of 1."""
        return self.premium - self.accrued


def cds_legs(schedule: PremiumSchedule, discount: Curve, survival: SurvivalCurve) -> CdsLegs:
    """Value both legs of `schedule` for a notional of 1.

    Parameters
    ----------
    schedule : PremiumSchedule
        What is still to be paid.
    discount : Curve
        Discount factors.
    survival : SurvivalCurve
        Survival probabilities.
    """
    grid = LegsGrid.of(schedule, discount, survival.times)
    return grid.legs(survival.log_survival(grid.knots))


@dataclass(frozen=True, slots=True, eq=False)
class LegsGrid:
    """What the legs of one schedule have in common under all hazard rates: for those who look for one.

    Parameters
    ----------
    knots : ndarray, shape (n,)
        Times from 0 on, between which forward and hazard rate are constant; the rest is about the n − 1
        segments between them, or about the premiums.
    log_discount, forward : ndarray, shape (n − 1,)
        At the segment's start, and the fall of its logarithm over the segment.
    since, length : ndarray, shape (n − 1,)
        From the start of the accrual to the segment's, and how long it is.
    protects, accrues : ndarray of bool, shape (n − 1,)
        Whether a default in the segment is protected, and whether it owes premium.
    paid, alive_at : ndarray, shape (n_premiums,)
        The premiums' present values if the name is alive at these of the knots.
    accrued, settlement_discount : float
        As in :class:`CdsLegs`.
    """

    knots: FloatArray
    log_discount: FloatArray
    forward: FloatArray
    since: FloatArray
    length: FloatArray
    protects: NDArray[np.bool_]
    accrues: NDArray[np.bool_]
    paid: FloatArray
    alive_at: NDArray[np.intp]
    accrued: float
    settlement_discount: float

    @classmethod
    def of(cls, schedule: PremiumSchedule, discount: Curve, hazard_changes: FloatArray) -> LegsGrid:
        """Lay out the segments of `schedule` between the nodes of the two curves."""
        ends = schedule.accrual_ends
        last = max(float(ends[-1]), schedule.maturity)
        nodes = np.concatenate([[0.0, schedule.maturity], ends, discount.times, hazard_changes])
        knots = np.unique(nodes[(nodes >= 0.0) & (nodes <= last)])
        log_discount = discount.log_discount(knots)
        start = knots[:-1]
        period = np.minimum(np.searchsorted(ends, start, side="right"), len(ends) - 1)
        settled = float(np.exp(discount.log_discount(schedule.settlement)))
        return cls(
            knots=knots,
            log_discount=log_discount[:-1],
            forward=-np.diff(log_discount),
            since=start - schedule.accrual_starts[period],
            length=np.diff(knots),
            protects=start < schedule.maturity,
            accrues=start < ends[-1],
            paid=schedule.fractions * np.exp(discount.log_discount(schedule.payments)),
            alive_at=np.searchsorted(knots, ends),
            accrued=schedule.accrued * settled,
            settlement_discount=settled,
        )

    def legs(self, log_survival: FloatArray) -> CdsLegs:
        """Value the legs under the logarithms of the survival probabilities at the knots."""
        default = -np.diff(log_survival)
        x = default + self.forward
        weight = default * np.exp(self.log_discount + log_survival[:-1])
        decay = mean_decay(x)
        owed = weight * (self.since * decay + self.length * first_moment(x))
        premium = float((self.paid * np.exp(log_survival[self.alive_at])).sum())
        premium += float(owed[self.accrues].sum()) * DAYS_OF_YEAR_OVER_360
        protection = float((weight * decay)[self.protects].sum())
        return CdsLegs(protection, premium, self.accrued, self.settlement_discount)


def mean_decay(x: FloatArray) -> FloatArray:
    """Return g(x), the mean of exp(−x u) for u in [0, 1]; 1 at 0."""
    with np.errstate(all="ignore"):
        return np.where(x == 0.0, 1.0, -np.expm1(-x) / x)


# φ by its Taylor series Σ (−x)^k / (k! (k + 2)) where the closed form would lose digits: to |x| = ¼, where the
# first term left out is 1e-17 of the sum.
_SERIES_TO = 0.25
_TERMS = 12


def _taylor_coefficients() -> tuple[float, ...]:
    coefficients, factorial = [], 1.0
    for k in range(_TERMS):
        factorial *= max(k, 1)
        coefficients.append((-1.0) ** k / (factorial * (k + 2)))
    return tuple(reversed(coefficients))


_MOMENT_SERIES = _taylor_coefficients()


def first_moment(x: FloatArray) -> FloatArray:
    """Return φ(x), the mean of u exp(−x u) for u in [0, 1]; a half at 0."""
    with np.errstate(all="ignore"):
        closed = (-np.expm1(-x) - x * np.exp(-x)) / (x * x)
        return np.where(np.abs(x) < _SERIES_TO, horner(_MOMENT_SERIES, x), closed)
