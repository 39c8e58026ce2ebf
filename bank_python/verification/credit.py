"""Values of credit default swaps and of the curves behind them: Markit's calculator, ISDA's own examples."""

from __future__ import annotations

import datetime as dt
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from bank_python.risk_models import (
    ISDA_USD,
    Curve,
    PremiumSchedule,
    Quote,
    StandardCds,
    SurvivalCurve,
    bootstrap,
    imm_schedule,
)
from bank_python.risk_models.cds_midpoint import midpoint_legs
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.risk_models.cds_legs import CdsLegs
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "credit"

_MARKIT = Source(
    "Markit",
    2009,
    "ISDA CDS Standard Model calculator, trades of 21 May 2009",
    "as in QuantLib's test suite, creditdefaultswap.cpp, testIsdaEngine",
)
_NODES = Source("QuantLib", None, "discount factors that release 1.44 bootstraps from Markit's rates of 21 May 2009")
_EXAMPLES = Source(
    "ISDA", 2012, "Standard CDS Examples: supporting document for the implementation of the ISDA CDS Standard Model"
)
_MIDPOINT = Source("QuantLib", None, "test suite, creditdefaultswap.cpp, testCachedValue")

_TRADED = dt.date(2009, 5, 21)
_DEPOSITS = {"1M": 0.003081, "2M": 0.005525, "3M": 0.007163, "6M": 0.012413, "9M": 0.014, "12M": 0.015488}
_SWAPS = {
    "2Y": 0.011907,
    "3Y": 0.01699,
    "4Y": 0.021198,
    "5Y": 0.02444,
    "6Y": 0.026937,
    "7Y": 0.028967,
    "8Y": 0.030504,
    "9Y": 0.031719,
    "10Y": 0.03279,
    "12Y": 0.034535,
    "15Y": 0.036217,
    "20Y": 0.036981,
    "25Y": 0.037246,
    "30Y": 0.037605,
}
_FACTORS = {
    "2009-06-25": "0.999700542908",
    "2009-11-25": "0.993661563289",
    "2010-05-25": "0.984505965231",
    "2012-05-25": "0.950280936432",
    "2014-05-26": "0.883984999415",
    "2019-05-27": "0.714896077851",
    "2029-05-25": "0.466943901969",
    "2039-05-25": "0.314084948090",
}
# maturity, quoted spread, recovery, upfront of 10 million at 100 bp
_UPFRONTS = (
    ("2010-06-20", 0.001, 0.2, "-97798.29358"),
    ("2010-06-20", 0.001, 0.4, "-97776.11889"),
    ("2010-06-20", 0.1, 0.2, "914971.5977"),
    ("2010-06-20", 0.1, 0.4, "894985.6298"),
    ("2011-06-20", 0.001, 0.2, "-186921.3594"),
    ("2011-06-20", 0.001, 0.4, "-186839.8148"),
    ("2011-06-20", 0.1, 0.2, "1646623.672"),
    ("2011-06-20", 0.1, 0.4, "1579803.626"),
    ("2012-06-20", 0.001, 0.2, "-274298.9203"),
    ("2012-06-20", 0.001, 0.4, "-274122.4725"),
    ("2012-06-20", 0.1, 0.2, "2279730.93"),
    ("2012-06-20", 0.1, 0.4, "2147972.527"),
    ("2016-06-20", 0.001, 0.2, "-592420.2297"),
    ("2016-06-20", 0.001, 0.4, "-591571.2294"),
    ("2016-06-20", 0.1, 0.2, "3993550.206"),
    ("2016-06-20", 0.1, 0.4, "3545843.418"),
    ("2019-06-20", 0.001, 0.2, "-797501.1422"),
    ("2019-06-20", 0.001, 0.4, "-795915.9787"),
    ("2019-06-20", 0.1, 0.2, "4702034.688"),
    ("2019-06-20", 0.1, 0.4, "4042340.999"),
)
_WIDE = 0.1
_CURVE = "a fraction of a cent of ten million; the curve behind the print is not known to more digits"
_PREMIUM_DATES = (
    *("2006-06-09", "2006-12-11", "2007-06-11", "2007-12-10", "2008-06-09", "2008-12-09", "2009-06-09", "2009-12-09"),
    *("2010-06-09", "2010-12-09", "2011-06-09", "2011-12-09", "2012-06-11", "2012-12-10", "2013-06-10", "2013-12-09"),
    *("2014-06-09", "2014-12-09", "2015-06-09"),
)


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    curve = cache(_curve)
    yield from _upfronts(curve)
    yield from _factors(curve)
    yield from _schedules()
    yield from _midpoint()


def _curve() -> Curve:
    quotes = [Quote(tenor, rate) for tenor, rate in _DEPOSITS.items()]
    quotes += [Quote(tenor, rate, swap=True) for tenor, rate in _SWAPS.items()]
    return bootstrap(quotes, _TRADED, ISDA_USD).curve


def _upfronts(curve: Callable[[], Curve]) -> Iterator[PublishedValue]:
    markit = Cited(TOPIC, _MARKIT, Provenance.QUOTED, "upfront of 10 million at 100 bp")
    for maturity, spread, recovery, printed in _UPFRONTS:
        swap = StandardCds(_TRADED, dt.date.fromisoformat(maturity), coupon=0.01, recovery=recovery, notional=1e7)
        yield markit.value(
            f"markit-{maturity}-{spread:g}-{recovery:g}",
            f"upfront to {maturity}, spread {1e4 * spread:g} bp, recovery {recovery:.0%}",
            printed,
            partial(_upfront, swap, spread, curve),
            within=0.003 if spread == _WIDE else 1e-4,
            note=_CURVE,
        )


def _upfront(swap: StandardCds, spread: float, curve: Callable[[], Curve]) -> float:
    return float(swap.analytics(spread, curve()).upfront)


def _factors(curve: Callable[[], Curve]) -> Iterator[PublishedValue]:
    nodes = Cited(TOPIC, _NODES, Provenance.COMPUTED)
    for day, printed in _FACTORS.items():
        compute = partial(_discount, curve, (dt.date.fromisoformat(day) - _TRADED).days / 365)
        yield nodes.value(f"discount-{day}", f"discount factor to {day}", printed, compute)


def _discount(curve: Callable[[], Curve], at: float) -> float:
    return float(curve().discount(at))


def _schedules() -> Iterator[PublishedValue]:
    isda = Cited(TOPIC, _EXAMPLES, Provenance.QUOTED, "section on standardizing coupon dates")
    year = imm_schedule(dt.date(2009, 2, 20), dt.date(2010, 3, 20))
    for count, printed in enumerate(("88", "94", "91", "91", "90")):
        what = f"days of premium {count + 1}, traded 2009-02-20, to 2010-03-20"
        compute = partial(_premium_days, year, count)
        yield isda.value(
            f"isda-premium-{count + 1}", what, printed, compute, kind=Provenance.PUBLISHED, place="table 1"
        )
    yield isda.value(
        "isda-second-premium",
        "premium of 10 million at 100 bp in the second quarter of 2009",
        "26,111",
        lambda: 1e7 * 0.01 * float(year.fractions[1]),
        kind=Provenance.PUBLISHED,
        place="example 4a",
    )
    firsts = (
        (dt.date(2009, 2, 20), "88"),
        (dt.date(2009, 3, 18), "88"),
        (dt.date(2009, 3, 19), "94"),
        (dt.date(2009, 6, 20), "94"),
        (dt.date(2009, 6, 21), "91"),
    )
    for traded, printed in firsts:
        what = f"days of the first premium, traded {traded}"
        compute = partial(_premium_days, imm_schedule(traded, dt.date(2014, 6, 20)), 0)
        yield isda.value(f"isda-first-premium-{traded}", what, printed, compute, place="examples 5a to 5c")
    last = imm_schedule(_TRADED, dt.date(2009, 6, 20))
    yield isda.value(
        "isda-last-premium",
        "premium of 10 million at 100 bp, traded 2009-05-21, to 2009-06-20",
        "25,833",
        lambda: 1e7 * 0.01 * float(last.fractions[0]),
        place="example 5d",
    )


def _premium_days(schedule: PremiumSchedule, count: int) -> float:
    return 360.0 * float(schedule.fractions[count])


def _midpoint() -> Iterator[PublishedValue]:
    cached = Cited(TOPIC, _MIDPOINT, Provenance.COMPUTED, "120 bp, hazard 1.234 %, rate 6 %, recovery 40 %")
    legs = cache(_midpoint_legs)
    yield cached.value(
        "quantlib-midpoint-value",
        "value of 10,000 sold, midpoint method",
        "295.0153398",
        lambda: 1e4 * (0.012 * legs().annuity - 0.6 * legs().protection),
    )
    yield cached.value(
        "quantlib-midpoint-spread",
        "fair spread, midpoint method",
        "0.007517539081",
        lambda: 0.6 * legs().protection / legs().annuity,
        within=1e-7,
        note="QuantLib compares its own fair spread with this figure to 1e-7",
    )


def _midpoint_legs() -> CdsLegs:
    dates = [dt.date.fromisoformat(date) for date in _PREMIUM_DATES]
    days = np.array([(date - dates[0]).days for date in dates])
    schedule = PremiumSchedule(
        days[:-1] / 365, days[1:] / 365, days[1:] / 365, np.diff(days) / 360, float(days[-1] / 365)
    )
    return midpoint_legs(schedule, Curve.flat(0.06 * 365 / 360), SurvivalCurve.flat(0.01234 * 365 / 360))
