r"""Premium schedules of credit default swaps: payment dates and accrual periods.

Standard contracts pay on the twentieth of March, June, September and December, the *IMM dates* of credit. A date on a
weekend is moved to the next Monday. Each period ends where the next begins; the last period ends on the maturity date,
which is not moved and is included, so it is a day longer. Accrual is ACT/360. The first premium is paid in full
whatever the trade date, and the seller of protection refunds the part accrued up to and including the trade date.

A contract that is given by its years to maturity pays quarterly, counted back from maturity; a year accrues 365/360.

Both kinds of schedule are a :class:`PremiumSchedule`, in years from the valuation date, from which the legs are valued.

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
(cdsmodel.com, 26 October 2012): dates, accruals, and the first premium of a trade.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.day_count import act_365f

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["PremiumSchedule", "imm_schedule", "next_weekday", "quarterly_schedule"]

DAYS_OF_YEAR_OVER_360 = 365.0 / 360.0
"""Accrual of a year of 365 days under ACT/360."""

QUARTER = 0.25
"""Length of a premium period in years."""

_DAY = dt.timedelta(days=1)
_DAYS = 365.0
# From version 1.8.2 on, the standard model assumes that defaults occur on average at noon.
_HALF_A_DAY = 0.5 / _DAYS
_SATURDAY = 5
_IMM_DAY = 20
_CASH_SETTLEMENT_DAYS = 3


@dataclass(frozen=True, slots=True, eq=False)
class PremiumSchedule(Record):
    """The remaining premium periods of a credit default swap, in years from the valuation date.

    Parameters
    ----------
    accrual_starts : ndarray, shape (n,)
        Start times of the premium accrual on default in each period; below 0 for a period already begun.
    accrual_ends : ndarray, shape (n,)
        End times of the premium accrual. If the reference entity survives to it, the premium is paid in full.
    payments : ndarray, shape (n,)
        Payment times of the premiums.
    fractions : ndarray, shape (n,)
        Lengths of the periods in years, ACT/360.
    maturity : float
        End time of the protection.
    accrued : float, default 0.0
        Accrued part of the current period in years, ACT/360.
    settlement : float, default 0.0
        Settlement time of the upfront amount and the accrued premium.
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
    """Return the premium schedule of a standard contract on its trade date.

    Parameters
    ----------
    trade_date : datetime.date
        Trade date, which is also the valuation date; protection begins on the next day.
    maturity : datetime.date
        Maturity date, a 20 March, June, September or December.

    Raises
    ------
    ModelError
        `maturity` is not such a date, or is not after the trade date.

    Notes
    -----
    Only weekends are holidays, as in the standard model. Defaults are observed at the end of a day: a premium is paid
    in full if the reference entity is alive at the end of the day before payment. On default, half of the day of
    default accrues, the half-day bias of version 1.8.2 of the standard model.
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
    """Return the quarterly premium schedule of a contract with `years` to maturity, counted back from maturity.

    Raises
    ------
    ModelError
        `years` is not a finite number above zero.
    """
    if not (math.isfinite(years) and years > 0.0):
        raise ModelError(
            f"the years to maturity of a credit default swap must be finite and above 0, not {years!r}", value=years
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
    """Return `day`, or the next Monday if it is on a weekend."""
    return day + max(7 - day.weekday(), 0) * _DAY if day.weekday() >= _SATURDAY else day


def _imm_dates(trade_date: dt.date, maturity: dt.date) -> list[dt.date]:
    """Return the IMM dates from the start of the current period to maturity."""
    dates = [maturity]
    # The current period is the one in which the day after the trade date lies.
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
