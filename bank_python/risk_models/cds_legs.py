r"""The legs of a credit default swap, integrated exactly on a discount and a survival curve.

Between adjacent nodes of the two curves the forward rate f and the hazard rate h are constant, so the integral over
each segment has a closed form. With D Q at the start of the segment, x = (f + h)Δt and t measured from the start of the
accrual,

.. math::
    \int D\,dQ = D Q\,h\Delta t\; g(x), \qquad
    \int t\,D\,dQ = D Q\,h\Delta t\,\bigl(t_0\,g(x) + \Delta t\,\varphi(x)\bigr),

.. math::
    g(x) = \int_0^1 e^{-xu}\,du = \frac{1 - e^{-x}}{x}, \qquad
    \varphi(x) = \int_0^1 u\,e^{-xu}\,du = \frac{1 - (1 + x)e^{-x}}{x^2} .

The first is the protection leg; the second is the premium accrued at default. Both functions are evaluated to full
precision near x = 0, where the closed forms as written lose digits.

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
    """Present values of the legs of a credit default swap, for a notional of 1.

    Parameters
    ----------
    protection : float
        Value of a payment of 1 at default.
    premium : float
        Value of a premium of 1 per year, in years, with the premium accrued at default and the part accrued by now.
    accrued : float
        Value of the part accrued by now, in years, which is refunded at settlement.
    settlement_discount : float
        Discount factor to the settlement date.
    """

    protection: float
    premium: float
    accrued: float
    settlement_discount: float

    @property
    def annuity(self) -> float:
        """Premium leg without its accrued part, in years: the risky annuity, or risky PV01."""
        return self.premium - self.accrued


def cds_legs(schedule: PremiumSchedule, discount: Curve, survival: SurvivalCurve) -> CdsLegs:
    """Return the values of both legs for a notional of 1.

    Parameters
    ----------
    schedule : PremiumSchedule
        Remaining premium periods.
    discount : Curve
        Discount curve from the valuation date.
    survival : SurvivalCurve
        Survival probabilities of the reference entity.
    """
    grid = LegsGrid.of(schedule, discount, survival.times)
    return grid.legs(survival.log_survival(grid.knots))


@dataclass(frozen=True, slots=True, eq=False)
class LegsGrid:
    """The parts of the legs that do not depend on hazard rates, computed once when solving for a hazard rate.

    Parameters
    ----------
    knots : ndarray, shape (n,)
        Times in years, from 0, between which the forward rate and the hazard rate are constant. They are the ends of
        n − 1 segments.
    log_discount : ndarray, shape (n − 1,)
        Logarithm of the discount factor at the start of each segment.
    forward : ndarray, shape (n − 1,)
        Decrease of the log discount factor over each segment.
    since : ndarray, shape (n − 1,)
        Years from the start of the accrual to the start of each segment.
    length : ndarray, shape (n − 1,)
        Lengths of the segments in years.
    protects, accrues : ndarray of bool, shape (n − 1,)
        Masks of the segments in which a default triggers the protection payment, and those in which premium accrues.
    paid : ndarray, shape (n_premiums,)
        Present values of the premiums, without default risk.
    alive_at : ndarray of int, shape (n_premiums,)
        Indices of the knots to which the reference entity must survive for each premium to be paid in full.
    accrued, settlement_discount : float
        Accrued premium in years and discount factor to settlement, as in :class:`CdsLegs`.
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
        """Divide a schedule into segments at the nodes of the discount curve and the times of hazard rate changes."""
        ends = schedule.accrual_ends
        last = max(float(ends[-1]), schedule.maturity)
        nodes = np.concatenate([[0.0, schedule.maturity], ends, discount.times, hazard_changes])
        knots = np.unique(nodes[(nodes >= 0.0) & (nodes <= last)])
        log_discount = discount.log_discount(knots)
        start = knots[:-1]
        period = np.minimum(np.searchsorted(ends, start, side="right"), len(ends) - 1)
        at_settlement = float(np.exp(discount.log_discount(schedule.settlement)))
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
            accrued=schedule.accrued * at_settlement,
            settlement_discount=at_settlement,
        )

    def legs(self, log_survival: FloatArray) -> CdsLegs:
        """Return the values of the legs for given logarithms of the survival probabilities at the knots."""
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


# φ is computed by its Taylor series Σ (−x)^k / (k! (k + 2)) where the closed form would lose digits: up to |x| = ¼,
# where the first neglected term is 1e-17 of the sum.
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
    """Return φ(x), the mean of u exp(−x u) for u in [0, 1]; 0.5 at 0."""
    with np.errstate(all="ignore"):
        closed = (-np.expm1(-x) - x * np.exp(-x)) / (x * x)
        return np.where(np.abs(x) < _SERIES_TO, horner(_MOMENT_SERIES, x), closed)
