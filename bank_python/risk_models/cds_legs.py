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
OpenGamma Quantitative Research 16 (2014), sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.horner import horner

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray
    from bank_python.risk_models.curve import Curve
    from bank_python.risk_models.premium_schedule import PremiumSchedule
    from bank_python.risk_models.survival import SurvivalCurve

__all__ = ["CdsLegs", "cds_legs", "first_moment", "mean_decay"]


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
    paid = schedule.fractions * np.exp(
        discount.log_discount(schedule.payments) + survival.log_survival(schedule.accrual_ends)
    )
    settled = float(np.exp(discount.log_discount(schedule.settlement)))
    protection, owed = _default_integrals(schedule, discount, survival)
    return CdsLegs(protection, float(paid.sum()) + owed, schedule.accrued * settled, settled)


def _default_integrals(schedule: PremiumSchedule, discount: Curve, survival: SurvivalCurve) -> tuple[float, float]:
    """Return the values of 1 paid at default, and of the premium owed at default."""
    ends = schedule.accrual_ends
    last = max(float(ends[-1]), schedule.maturity)
    nodes = np.concatenate([[0.0, schedule.maturity], ends, discount.times, survival.times])
    knots = np.unique(nodes[(nodes >= 0.0) & (nodes <= last)])
    log_discount, log_survival = discount.log_discount(knots), survival.log_survival(knots)
    default = -np.diff(log_survival)
    x = default - np.diff(log_discount)
    weight = default * np.exp(log_discount[:-1] + log_survival[:-1])
    decay = mean_decay(x)
    start, length = knots[:-1], np.diff(knots)
    period = np.minimum(np.searchsorted(ends, start, side="right"), len(ends) - 1)
    since = start - schedule.accrual_starts[period]
    owed = weight * (since * decay + length * first_moment(x))
    return (
        float((weight * decay)[start < schedule.maturity].sum()),
        float(owed[start < ends[-1]].sum()) * 365.0 / 360.0,
    )


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
