"""The legs of a credit default swap in the midpoint approximation.

A default in a period is assumed to occur on its middle day, as in textbooks and older systems, instead of the exact
integrals of :mod:`bank_python.risk_models.cds_legs`.

Examples
--------
>>> from bank_python.risk_models.cds_legs import cds_legs
>>> from bank_python.risk_models.curve import Curve
>>> from bank_python.risk_models.premium_schedule import quarterly_schedule
>>> from bank_python.risk_models.survival import SurvivalCurve
>>> terms = quarterly_schedule(5.0), Curve.flat(0.03), SurvivalCurve.flat(0.02)
>>> round(midpoint_legs(*terms).protection, 4), round(cds_legs(*terms).protection, 4)
(0.0885, 0.0885)

References
----------
J. C. Hull and A. White, "Valuing credit default swaps I: no counterparty default risk", Journal of
Derivatives 8 (2000), 29-40.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.risk_models.cds_legs import CdsLegs
from bank_python.risk_models.premium_schedule import DAYS_OF_YEAR_OVER_360

if TYPE_CHECKING:
    from bank_python.risk_models.curve import Curve
    from bank_python.risk_models.premium_schedule import PremiumSchedule
    from bank_python.risk_models.survival import SurvivalCurve

__all__ = ["midpoint_legs"]

_DAYS = 365.0
# A midpoint that is a whole number of days up to rounding is not moved to the day before.
_SLACK = 1e-6


def midpoint_legs(schedule: PremiumSchedule, discount: Curve, survival: SurvivalCurve) -> CdsLegs:
    """Return the values of both legs for a notional of 1, with defaults on the middle day of each period.

    Parameters
    ----------
    schedule : PremiumSchedule
        Remaining premium periods; protection ends with the last.
    discount : Curve
        Discount curve from the valuation date.
    survival : SurvivalCurve
        Survival probabilities of the reference entity.
    """
    ends = schedule.accrual_ends
    starts = np.concatenate([[0.0], ends[:-1]])
    middle = starts + np.floor(0.5 * (ends - starts) * _DAYS + _SLACK) / _DAYS
    default = np.exp(survival.log_survival(starts)) - np.exp(survival.log_survival(ends))
    at_default = default * np.exp(discount.log_discount(middle))
    paid = schedule.fractions * np.exp(discount.log_discount(schedule.payments) + survival.log_survival(ends))
    owed = (middle - schedule.accrual_starts) * DAYS_OF_YEAR_OVER_360 * at_default
    at_settlement = float(np.exp(discount.log_discount(schedule.settlement)))
    return CdsLegs(float(at_default.sum()), float((paid + owed).sum()), schedule.accrued * at_settlement, at_settlement)
