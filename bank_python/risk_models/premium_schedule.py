r"""When a credit default swap pays its premium, and for how many days.

Standard contracts pay on the twentieth of March, June, September and December, the *IMM dates* of credit.
Each date that falls on a weekend moves to the Monday after it, and the periods end where the next begins,
except that the last one ends on the maturity itself, which is not moved, and includes it: it is a day
longer. Days are counted over 360. The first premium is paid in full whenever the trade was made, and what
had accrued until the trade date, that day included, is given back by the seller of protection.

A contract that is known only by its years to maturity pays quarterly, counted back from maturity; its days
are years of 365 over 360.

Both become the same :class:`PremiumSchedule`, in years from the valuation date, which is all the legs need.

Examples
--------
>>> schedule = imm_schedule(dt.date(2009, 5, 21), dt.date(2010, 6, 20))
>>> len(schedule.payments), round(schedule.accrued * 360), (schedule.fractions * 360).round().tolist()
(5, 63, [94.0, 91.0, 91.0, 91.0, 91.0])
>>> quarterly_schedule(0.6).payments.round(6).tolist()
[0.1, 0.35, 0.6]

References
----------
"Standard CDS Examples. Supporting Document for the Implementation of the ISDA CDS Standard Model"
(cdsmodel.com, 26 October 2012): dates, accruals, and which premium a trade pays first.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.day_count import act_365f

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["PremiumSchedule", "imm_schedule", "next_weekday", "quarterly_schedule"]

DAYS_OF_YEAR_OVER_360 = 365.0 / 360.0
"""What a year of 365 days accrues over 360."""

QUARTER = 0.25
"""Years between premiums."""

_DAY = dt.timedelta(days=1)
_DAYS = 365.0
# The standard model, from version 1.8.2 on, has default on average at noon of its day.
_HALF_A_DAY = 0.5 / _DAYS
_SATURDAY = 5
_IMM_DAY = 20
_CASH_SETTLEMENT_DAYS = 3


@dataclass(frozen=True, slots=True, eq=False)
class PremiumSchedule:
    """Premiums still to be paid, in years from the valuation date.

    Parameters
    ----------
    accrual_starts : ndarray, shape (n,)
        From when a default in the period owes premium; below 0 for a period under way.
    accrual_ends : ndarray, shape (n,)
        Until when it does, and when the name must be alive for the premium to be paid in full.
    payments : ndarray, shape (n,)
        When the premiums are paid.
    fractions : ndarray, shape (n,)
        Years, days over 360, that each premium pays for.
    maturity : float
        When protection ends.
    accrued : float, default 0.0
        Years, days over 360, accrued in the period under way.
    settlement : float, default 0.0
        When the upfront amount and the accrued premium change hands.
    """

    accrual_starts: FloatArray
    accrual_ends: FloatArray
    payments: FloatArray
    fractions: FloatArray
    maturity: float
    accrued: float = 0.0
    settlement: float = 0.0


@admits(ModelError)
def imm_schedule(trade_date: dt.date, maturity: dt.date) -> PremiumSchedule:
    """Return the premiums of a standard contract, valued on the day it is traded.

    Parameters
    ----------
    trade_date : datetime.date
        The valuation date; protection begins with the day after it.
    maturity : datetime.date
        The twentieth of March, June, September or December.

    Raises
    ------
    ModelError
        `maturity` is no such date, or not after the trade date.

    Notes
    -----
    Holidays other than weekends do not count, as in the standard's valuation. Default is seen at the end
    of a day: a day's premium is survived if the name is alive at the end of the day before payment, and a
    default owes half of its own day, the half-day bias of the standard model's version 1.8.2.
    """
    if maturity.day != _IMM_DAY or maturity.month % 3 or maturity <= trade_date:
        raise ModelError(
            f"maturity={maturity} of a standard credit default swap must be a 20 March, June, September or December "
            f"after the trade date {trade_date}",
            name="maturity",
            value=maturity,
        )
    ends = _imm_dates(trade_date, maturity)
    payments = [next_weekday(end) for end in ends[1:]]
    starts = [next_weekday(ends[0]), *payments[:-1]]
    days = [(end - start).days for start, end in zip(starts, [*payments[:-1], maturity + _DAY], strict=True)]
    return PremiumSchedule(
        accrual_starts=np.array([act_365f(trade_date, start - _DAY) for start in starts]) - _HALF_A_DAY,
        accrual_ends=np.array([act_365f(trade_date, payment - _DAY) for payment in payments]),
        payments=np.array([act_365f(trade_date, payment) for payment in payments]),
        fractions=np.array(days) / 360.0,
        maturity=act_365f(trade_date, maturity),
        accrued=(trade_date + _DAY - starts[0]).days / 360.0,
        settlement=act_365f(trade_date, _cash_settlement(trade_date)),
    )


def quarterly_schedule(years: float) -> PremiumSchedule:
    """Return the premiums of a contract that ends in `years`, paid each quarter counted back from its end.

    Raises
    ------
    ModelError
        `years` is not a finite number above zero.
    """
    if not (math.isfinite(years) and years > 0.0):
        raise ModelError(
            f"a credit default swap's years to maturity are finite and above 0, not {years!r}", value=years
        )
    count = math.ceil(years / QUARTER)
    ends = years - QUARTER * np.arange(count - 1.0, -1.0, -1.0)
    return PremiumSchedule(
        accrual_starts=ends - QUARTER,
        accrual_ends=ends,
        payments=ends,
        fractions=np.full(count, QUARTER * DAYS_OF_YEAR_OVER_360),
        maturity=years,
        accrued=max(QUARTER - float(ends[0]), 0.0) * DAYS_OF_YEAR_OVER_360,
    )


def next_weekday(day: dt.date) -> dt.date:
    """Return `day`, or the Monday after it if it falls on a weekend."""
    return day + max(7 - day.weekday(), 0) * _DAY if day.weekday() >= _SATURDAY else day


def _imm_dates(trade_date: dt.date, maturity: dt.date) -> list[dt.date]:
    """Return the twentieths from the one that begins the period under way to maturity."""
    dates = [maturity]
    # The first premium is the one after the day after the trade; the period is then one that begins by that day.
    while len(dates) == 1 or next_weekday(dates[-1]) > trade_date + _DAY:
        end = dates[-1]
        months = end.year * 12 + end.month - 1 - 3
        dates.append(dt.date(months // 12, months % 12 + 1, _IMM_DAY))
    return dates[::-1]


def _cash_settlement(trade_date: dt.date) -> dt.date:
    day = trade_date
    for _ in range(_CASH_SETTLEMENT_DAYS):
        day = next_weekday(day + _DAY)
    return day
