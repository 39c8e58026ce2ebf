r"""Bootstrapping: the discount curve that reprices the quotes of deposits and swaps.

Every quote is one equation in discount factors: the present value of its flows is 0.

* a deposit from s to e at the rate r: :math:`-D(s) + (1 + r\,\alpha)\,D(e) = 0`;
* a par swap from s, fixed r against floating: :math:`-D(s) + \sum_i r\,\alpha_i D(t_i) + D(t_n) = 0`, as a floating
  leg that is projected and discounted on the same curve has the value :math:`D(s) - D(t_n)`. Overnight swaps (OIS,
  SOFR) have the same form.

The quotes are processed in the order of their last dates, and each adds a node there. Between the last known node and
the new one log D is linear, so each equation has one unknown, log D at the new node. It is solved by Newton's method to
the last digit; :attr:`Bootstrap.residuals` are the remaining errors.

Examples
--------
>>> import datetime as dt
>>> quotes = [Quote("3M", 0.0530), Quote("1Y", 0.0510, swap=True), Quote("2Y", 0.0470, swap=True)]
>>> curve = bootstrap(quotes, dt.date(2024, 1, 16), USD_SOFR_OIS).curve
>>> curve.discount(curve.times).round(6)
array([0.986491, 0.950044, 0.910662])

References
----------
P. S. Hagan and G. West, "Interpolation methods for curve construction", Applied Mathematical Finance 13 (2006),
89-129: bootstrapping and raw interpolation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import CurveError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.calendars import NEW_YORK, WEEKENDS_ONLY, Calendar, Roll
from bank_python.numerics.day_count import DayCount, act_365f, year_fraction
from bank_python.numerics.schedule import Tenor, make_schedule
from bank_python.risk_models.curve import Curve

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bank_python.numerics import FloatArray

__all__ = ["CONVENTIONS", "ISDA_USD", "USD_SOFR_OIS", "Bootstrap", "CurveConvention", "Quote", "bootstrap", "pillar"]

_MOST_STEPS = 100
_CONVERGED = 4.0 * 2.0**-52
_LONGEST_STEP = 50.0  # a longer step in log D means divergence


@guessable
@dataclass(frozen=True, slots=True)
class CurveConvention(Record):
    """The market conventions of a set of quotes.

    Parameters
    ----------
    name : str
        Name of the convention, as it is shown and stored.
    calendar : Calendar
        Business day calendar of the market.
    spot_days : int
        Number of business days from the trade date to the start of deposits and swaps.
    deposit_day_count, fixed_day_count : DayCount
        Day count conventions of deposits and of the fixed leg of swaps.
    fixed_every : Tenor
        Length of the periods of the fixed leg.
    roll : Roll, default modified following
        Business day convention by which dates are moved.
    """

    name: str
    calendar: Calendar
    spot_days: int
    deposit_day_count: DayCount
    fixed_day_count: DayCount
    fixed_every: Tenor
    roll: Roll = Roll.MODIFIED_FOLLOWING

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


USD_SOFR_OIS = CurveConvention("USD SOFR OIS", NEW_YORK, 2, DayCount.ACT_360, DayCount.ACT_360, Tenor(months=12))
"""Overnight index swaps on SOFR: fixed annually, ACT/360. Payment lags are ignored."""

ISDA_USD = CurveConvention("ISDA USD", WEEKENDS_ONLY, 2, DayCount.ACT_360, DayCount.THIRTY_360, Tenor(months=6))
"""The US dollar curve of the ISDA standard CDS model: deposits, and swaps fixed semiannually, 30/360."""

CONVENTIONS = {convention.name: convention for convention in (USD_SOFR_OIS, ISDA_USD)}
"""The conventions by name."""


@guessable
@dataclass(frozen=True, slots=True)
class Quote(Record):
    """The quote of a deposit or a swap.

    Parameters
    ----------
    tenor : str
        Tenor such as ``"3M"``; ``"1D"`` is overnight, from the trade date.
    rate : float
        Simple rate of a deposit or par rate of a swap, as a decimal per year; may be negative.
    swap : bool, default False
        Whether the quote is of a par swap instead of a deposit.
    """

    tenor: str
    rate: float
    swap: bool = False

    def __str__(self) -> str:
        return f"{'swap' if self.swap else 'deposit'} {self.tenor} at {self.rate!r}"


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap(Record):
    """A bootstrapped curve and its quotes.

    Parameters
    ----------
    curve : Curve
        Discount curve, with times in years (ACT/365F) from the trade date.
    quotes : tuple of Quote
        Quotes in the order of their last dates, one for each node.
    dates : tuple of datetime.date
        Dates of the nodes.
    residuals : ndarray, shape (n,)
        Present value of each quote's flows on the curve, for a notional of 1; 0 up to rounding.
    """

    curve: Curve
    quotes: tuple[Quote, ...]
    dates: tuple[dt.date, ...]
    residuals: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Flows:
    """The equation of one quote: the present value of its amounts at these times is 0."""

    quote: Quote
    end: dt.date
    times: FloatArray
    amounts: FloatArray


@admits(ModelError)
def bootstrap(quotes: Sequence[Quote], trade_date: dt.date, convention: CurveConvention = USD_SOFR_OIS) -> Bootstrap:
    """Build the discount curve that reprices all `quotes`.

    Parameters
    ----------
    quotes : sequence of Quote
        Deposits and swaps, in any order.
    trade_date : datetime.date
        Trade date of the quotes, which is time 0 of the curve.
    convention : CurveConvention, default USD_SOFR_OIS
        Market conventions of the quotes.

    Raises
    ------
    CurveError
        There are no quotes, two end on the same date, a rate is not finite, or no positive discount factor reprices a
        quote, which the message names.
    """
    if not quotes:
        raise CurveError("a curve needs at least one quote; give deposits or swaps")
    legs = sorted((_flows(quote, trade_date, convention) for quote in quotes), key=lambda flows: flows.end)
    times, logs = [0.0], [0.0]
    for leg, before in zip(legs, [None, *legs], strict=False):
        if before is not None and leg.end == before.end:
            raise CurveError(f"{leg.quote} and {before.quote} both end on {leg.end}; remove one", value=leg.quote.tenor)
        time = act_365f(trade_date, leg.end)
        logs.append(_solve(leg, np.array(times), np.array(logs), time))
        times.append(time)
    curve = Curve(times[1:], np.exp(logs[1:]))
    residuals = np.array([math.fsum(leg.amounts * np.exp(curve.log_discount(leg.times))) for leg in legs])
    return Bootstrap(curve, tuple(leg.quote for leg in legs), tuple(leg.end for leg in legs), residuals)


def pillar(quote: Quote, trade_date: dt.date, convention: CurveConvention) -> dt.date:
    """Return the date of the node that a quote adds."""
    return _flows(quote, trade_date, convention).end


def _flows(quote: Quote, trade_date: dt.date, convention: CurveConvention) -> _Flows:
    if not math.isfinite(quote.rate):
        raise CurveError(f"{quote} is not a finite number; correct the quote", value=quote.rate)
    tenor = Tenor.parse(quote.tenor)
    overnight = tenor == Tenor(days=1)
    start = trade_date if overnight else convention.calendar.advance(trade_date, convention.spot_days)
    if quote.swap:
        schedule = make_schedule(
            start, tenor.after(start), convention.fixed_every, convention.calendar, convention.roll
        )
        days, counted = schedule.dates, convention.fixed_day_count
    else:
        end = tenor.after(start)
        days = (start, convention.calendar.adjust(end, Roll.FOLLOWING if overnight else convention.roll))
        counted = convention.deposit_day_count
    amounts = [quote.rate * year_fraction(a, b, counted) for a, b in pairwise(days)]
    amounts[-1] += 1.0
    times = [act_365f(trade_date, day) for day in days]
    return _Flows(quote, days[-1], np.array(times), np.array([-1.0, *amounts]))


def _solve(flows: _Flows, times: FloatArray, logs: FloatArray, end: float) -> float:
    """Return log D(end) at which the present value of the flows is 0, given the curve up to the last of `times`."""
    last, base = times[-1], logs[-1]
    weight = np.maximum(flows.times - last, 0.0) / (end - last)
    known = np.where(weight > 0.0, base, np.interp(flows.times, times, logs))
    slope = -logs[-1] / last if last else 0.0
    x = base - slope * (end - last)
    for _ in range(_MOST_STEPS):
        present = flows.amounts * np.exp(known + weight * (x - base))
        value, derivative = math.fsum(present), math.fsum(present * weight)
        step = -value / derivative if derivative else math.inf
        if not abs(step) < _LONGEST_STEP:
            break
        x += step
        if abs(step) <= _CONVERGED * max(abs(x), 1.0):
            return float(x)
    raise CurveError(
        f"no positive discount factor reprices {flows.quote} given the earlier quotes; check it against them",
        value=flows.quote.rate,
    )
