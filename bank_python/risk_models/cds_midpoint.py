"""The legs of a credit default swap with default in the middle of each period.

What textbooks and older systems do in place of the exact integrals of
:mod:`bank_python.risk_models.cds_legs`: a default in a period happens on its middle day.

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
# A middle that is a whole day but for rounding stays that day.
_SLACK = 1e-6


def midpoint_legs(schedule: PremiumSchedule, discount: Curve, survival: SurvivalCurve) -> CdsLegs:
    """Value both legs of `schedule` for a notional of 1, default on the middle day of each period.

    Parameters
    ----------
    schedule : PremiumSchedule
        What is still to be paid. Protection ends with the last period.
    discount : Curve
        Discount factors.
    survival : SurvivalCurve
        Survival probabilities.
    """
    ends = schedule.accrual_ends
    starts = np.concatenate([[0.0], ends[:-1]])
    middle = starts + np.floor(0.5 * (ends - starts) * _DAYS + _SLACK) / _DAYS
    default = np.exp(survival.log_survival(starts)) - np.exp(survival.log_survival(ends))
    at_default = default * np.exp(discount.log_discount(middle))
    paid = schedule.fractions * np.exp(discount.log_discount(schedule.payments) + survival.log_survival(ends))
    owed = (middle - schedule.accrual_starts) * DAYS_OF_YEAR_OVER_360 * at_default
    settled = float(np.exp(discount.log_discount(schedule.settlement)))
    return CdsLegs(float(at_default.sum()), float((paid + owed).sum()), schedule.accrued * settled, settled)
