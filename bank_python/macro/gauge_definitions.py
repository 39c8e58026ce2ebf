"""The gauges: what each is computed from, in which unit, with which thresholds, and how it reads.

Thresholds marked *assumption* are round figures without a source. Those marked *percentiles* are the 5th, 10th, 75th,
90th or 95th percentile in :data:`~bank_python.macro.percentiles.STATED_PERCENTILES`.

References
----------
A. Estrella and F. S. Mishkin, "The yield curve as a predictor of U.S. recessions", Federal Reserve Bank of New York,
Current Issues in Economics and Finance 2 (1996), no. 7: inverted curves before recessions.

C. Sahm, "Direct stimulus payments to individuals", in *Recession Ready*, Brookings (2019): the unemployment rate, mean
of three months, half a point above its lowest of the year before.

Federal Reserve Bank of Chicago, National Financial Conditions Index: figures above 0 are tighter than average, for the
adjusted index given the state of the economy. Federal Reserve Bank of St. Louis, Financial Stress Index: 0 is normal.

Federal Open Market Committee, Statement on Longer-Run Goals and Monetary Policy Strategy: inflation of 2 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.display import Record
from bank_python.macro.frequency import Frequency
from bank_python.macro.months import change_over_months
from bank_python.macro.thresholds import GaugeThresholds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bank_python.macro.history import MacroSeries
    from bank_python.numerics import FloatArray

__all__ = ["GAUGES", "Formula", "GaugeDefinition", "GaugeGroup", "Track"]

Track: TypeAlias = "tuple[NDArray[Any], FloatArray]"
"""Dates and figures of a gauge."""

_THREE_MONTHS, _YEAR = 3, 12


class GaugeGroup(Enum):
    """What a gauge speaks of."""

    GROWTH = "growth"
    INFLATION = "inflation"
    POLICY = "policy"
    CREDIT = "credit"
    VOLATILITY = "liquidity and volatility"
    DOLLAR = "dollar"


@dataclass(frozen=True, slots=True)
class Formula(Record):
    """One way to compute a gauge.

    Parameters
    ----------
    needs : tuple of str
        Names of the series that are needed, in the order of the arguments of `compute`.
    compute : callable
        Function of these series that returns dates and figures.
    """

    needs: tuple[str, ...]
    compute: Callable[..., Track]


@dataclass(frozen=True, slots=True)
class GaugeDefinition(Record):
    """What a gauge is.

    Parameters
    ----------
    key : str
        Short name of the gauge.
    title : str
        Plain name of the gauge.
    group : GaugeGroup
        Subject of the gauge.
    unit : str
        Unit of its figures.
    formulas : tuple of Formula
        Ways to compute it; the first one whose series are there is used.
    thresholds : GaugeThresholds
        Figures from which on it is watched and shows stress.
    words : callable
        Function of a figure that returns a reading in words.
    """

    key: str
    title: str
    group: GaugeGroup
    unit: str
    formulas: tuple[Formula, ...]
    thresholds: GaugeThresholds
    words: Callable[[float], str]

    @property
    def needed(self) -> str:
        """The series of which the gauge can be computed, in words."""
        return ", or ".join(" and ".join(formula.needs) for formula in self.formulas)


# --- figures --------------------------------------------------------------------------------------------


def _level(series: MacroSeries) -> Track:
    return series.dates, series.values


def _common(first: MacroSeries, second: MacroSeries) -> tuple[NDArray[Any], FloatArray, FloatArray]:
    """Return common dates and figures; a month's figure stands for all its days if only one series is daily."""
    if first.frequency.is_slower_than_weekly == second.frequency.is_slower_than_weekly:
        dates, at, other = np.intersect1d(first.dates, second.dates, assume_unique=True, return_indices=True)
        return dates, first.values[at], second.values[other]
    return _by_month(first, second) if first.frequency.is_slower_than_weekly else _swapped(_by_month(second, first))


def _by_month(slow: MacroSeries, fast: MacroSeries) -> tuple[NDArray[Any], FloatArray, FloatArray]:
    months = slow.dates.astype("datetime64[M]")
    at = np.searchsorted(months, fast.dates.astype("datetime64[M]"), side="right") - 1
    known = at >= 0
    known[known] &= months[at[known]] == fast.dates[known].astype("datetime64[M]")
    return fast.dates[known], slow.values[at[known]], fast.values[known]


def _swapped(found: tuple[NDArray[Any], FloatArray, FloatArray]) -> tuple[NDArray[Any], FloatArray, FloatArray]:
    return found[0], found[2], found[1]


def _less(first: MacroSeries, second: MacroSeries) -> Track:
    dates, one, other = _common(first, second)
    return dates, one - other


def _over(first: MacroSeries, second: MacroSeries) -> Track:
    dates, one, other = _common(first, second)
    return dates[other > 0.0], one[other > 0.0] / other[other > 0.0]


def _growth(months: int, series: MacroSeries) -> Track:
    positive = series.values > 0.0
    return change_over_months(series.dates[positive], series.values[positive], months, relative=True)


def _annualised(series: MacroSeries) -> Track:
    """Return the growth of three months as a rate per year."""
    dates, growth = _growth(_THREE_MONTHS, series)
    return dates, 100.0 * ((1.0 + growth / 100.0) ** (_YEAR / _THREE_MONTHS) - 1.0)


def _change(months: int, series: MacroSeries) -> Track:
    return change_over_months(series.dates, series.values, months, relative=False)


def _sahm(series: MacroSeries) -> Track:
    """Return the three-month mean of the unemployment rate less its lowest of the twelve months before."""
    if series.frequency is not Frequency.MONTHLY or len(series) < _THREE_MONTHS + _YEAR:
        return series.dates[:0], series.values[:0]
    means = np.lib.stride_tricks.sliding_window_view(series.values, _THREE_MONTHS).mean(axis=1)
    lowest = np.lib.stride_tricks.sliding_window_view(means[:-1], _YEAR).min(axis=1)
    return series.dates[_THREE_MONTHS - 1 + _YEAR :], means[_YEAR:] - lowest


# --- words ----------------------------------------------------------------------------------------------


def _slope_words(value: float) -> str:
    if value < 0.0:
        return f"the curve is inverted by {-value:.2f} points"
    return f"the curve slopes up by {value:.2f} points"


def _term_words(value: float) -> str:
    if value > 1.0:
        return f"the VIX is above the 3-month VIX (ratio {value:.2f}): backwardation"
    return f"the VIX is below the 3-month VIX (ratio {value:.2f})"


def _conditions_words(who: str, value: float) -> str:
    side = "tighter" if value > 0.0 else "looser" if value < 0.0 else "neither tighter nor looser"
    return f"{who} are {side} than average by {abs(value):.2f} standard deviations"


def _stress_words(value: float) -> str:
    side = "above" if value > 0.0 else "below"
    return f"financial stress is {abs(value):.2f} standard deviations {side} normal"


def _sahm_words(value: float) -> str:
    side = "above" if value >= 0.0 else "below"
    return f"the unemployment rate (mean of three months) is {abs(value):.2f} points {side} its low of the year before"


def _path_words(value: float) -> str:
    side, what = ("below", "cuts") if value < 0.0 else ("above", "rises")
    return f"the 2-year yield is {abs(value):.2f} points {side} the policy rate: {what} priced"


def _moved(what: str, period: str, unit: str, value: float) -> str:
    if round(abs(value), 2) == 0.0:
        return f"{what} is unchanged over {period}"
    return f"{what} has {'risen' if value > 0.0 else 'fallen'} by {abs(value):.2f} {unit} over {period}"


def _at(what: str, unit: str, value: float) -> str:
    return f"{what} is {value:.2f} {unit}".rstrip()


# --- gauges ---------------------------------------------------------------------------------------------

_ASSUMED = "assumption"
_GOAL = "assumption, about the goal of 2 % (FOMC)"
_PRICES = {"watch_above": 3.0, "stress_above": 4.0, "watch_below": 1.0, "stress_below": 0.0}


_GROWTH = (
    GaugeDefinition(
        "curve_slope", "curve slope, 10y less 2y", GaugeGroup.GROWTH, "points",
        (Formula(("T10Y2Y",), _level), Formula(("DGS10", "DGS2"), _less)),
        GaugeThresholds("below 0 (Estrella and Mishkin); watch: percentiles", watch_below=0.21, stress_below=0.0),
        _slope_words,
    ),
    GaugeDefinition(
        "production", "industrial production, 12 months", GaugeGroup.GROWTH, "%",
        (Formula(("INDPRO",), partial(_growth, 12)),),
        GaugeThresholds(_ASSUMED, watch_below=1.0, stress_below=-1.0),
        partial(_moved, "industrial production", "12 months", "%"),
    ),
    GaugeDefinition(
        "sahm", "unemployment above its low (Sahm)", GaugeGroup.GROWTH, "points", (Formula(("UNRATE",), _sahm),),
        GaugeThresholds("0.5 points (Sahm); watch: assumption", watch_above=0.3, stress_above=0.5),
        _sahm_words,
    ),
)  # fmt: skip

_INFLATION = (
    *(
        GaugeDefinition(
            f"{key}_{span}", f"{title}, {period}", GaugeGroup.INFLATION, "%", (Formula((series,), compute),),
            GaugeThresholds(_GOAL, **_PRICES), partial(_at, f"{title} over {period}", "%"),
        )
        for key, title, series in (("cpi", "CPI inflation", "CPIAUCSL"), ("pce", "PCE inflation", "PCEPI"))
        for span, period, compute in (
            ("year", "12 months", partial(_growth, 12)), ("quarter", "3 months a year", _annualised)
        )
    ),
    GaugeDefinition(
        "breakeven", "10y breakeven inflation", GaugeGroup.INFLATION, "%",
        (Formula(("T10YIE",), _level), Formula(("DGS10", "DFII10"), _less)),
        GaugeThresholds(
            "percentiles", watch_above=2.5, stress_above=2.58, watch_below=1.59, stress_below=1.44
        ),
        partial(_at, "10-year breakeven inflation", "%"),
    ),
)  # fmt: skip


def _both_ways(watch: float) -> GaugeThresholds:
    """Return thresholds that a move of either sign passes, for stress twice as large."""
    return GaugeThresholds(
        _ASSUMED, watch_above=watch, stress_above=2.0 * watch, watch_below=-watch, stress_below=-2.0 * watch
    )


_POLICY_RATES = ("DFF", "FEDFUNDS")

_POLICY = (
    GaugeDefinition(
        "real_yield", "10y real yield", GaugeGroup.POLICY, "%",
        (Formula(("DFII10",), _level), Formula(("DGS10", "T10YIE"), _less)),
        GaugeThresholds("percentiles", watch_above=2.2, stress_above=2.36),
        partial(_at, "the 10-year real yield", "%"),
    ),
    *(
        GaugeDefinition(
            f"policy_{months}m", f"policy rate, change over {months} months", GaugeGroup.POLICY, "points",
            tuple(Formula((rate,), partial(_change, months)) for rate in _POLICY_RATES),
            _both_ways(high),
            partial(_moved, "the policy rate", f"{months} months", "points"),
        )
        for months, high in ((6, 0.75), (12, 1.25))
    ),
    GaugeDefinition(
        "policy_path", "implied policy path, 2y less policy rate", GaugeGroup.POLICY, "points",
        tuple(Formula(("DGS2", rate), _less) for rate in _POLICY_RATES),
        GaugeThresholds(_ASSUMED, watch_below=-0.5, stress_below=-1.0, watch_above=1.0, stress_above=2.0),
        _path_words,
    ),
)  # fmt: skip

_CREDIT = (
    GaugeDefinition(
        "high_yield_spread", "high-yield spread", GaugeGroup.CREDIT, "%", (Formula(("BAMLH0A0HYM2",), _level),),
        GaugeThresholds("5 and 8 %, convention; the 90th percentile is 8.08 %", watch_above=5.0, stress_above=8.0),
        partial(_at, "the high-yield spread", "%"),
    ),
    GaugeDefinition(
        "investment_grade_spread", "investment-grade spread", GaugeGroup.CREDIT, "%",
        (Formula(("BAMLC0A0CM",), _level),),
        GaugeThresholds("percentiles", watch_above=1.67, stress_above=2.18),
        partial(_at, "the investment-grade spread", "%"),
    ),
)  # fmt: skip

_VOLATILITY = (
    GaugeDefinition(
        "vix", "VIX", GaugeGroup.VOLATILITY, "index points", (Formula(("VIXCLS",), _level),),
        GaugeThresholds("20 and 30, convention", watch_above=20.0, stress_above=30.0),
        partial(_at, "the VIX", ""),
    ),
    GaugeDefinition(
        "vix_term", "VIX over 3-month VIX", GaugeGroup.VOLATILITY, "ratio", (Formula(("VIXCLS", "VXVCLS"), _over),),
        GaugeThresholds("backwardation above 1, convention; watch: assumption", watch_above=0.95, stress_above=1.0),
        _term_words,
    ),
    GaugeDefinition(
        "financial_conditions", "financial conditions, ANFCI", GaugeGroup.VOLATILITY, "deviations",
        (Formula(("ANFCI",), _level),),
        GaugeThresholds("0 is average (Chicago Fed); stress: one deviation", watch_above=0.0, stress_above=1.0),
        partial(_conditions_words, "financial conditions"),
    ),
    GaugeDefinition(
        "financial_stress", "financial stress, STLFSI4", GaugeGroup.VOLATILITY, "deviations",
        (Formula(("STLFSI4",), _level),),
        GaugeThresholds("0 is normal (St. Louis Fed); stress: one deviation", watch_above=0.0, stress_above=1.0),
        _stress_words,
    ),
    GaugeDefinition(
        "money", "money stock M2, 12 months", GaugeGroup.VOLATILITY, "%", (Formula(("M2SL",), partial(_growth, 12)),),
        GaugeThresholds(_ASSUMED, watch_below=2.0, stress_below=0.0, watch_above=10.0, stress_above=15.0),
        partial(_moved, "the money stock M2", "12 months", "%"),
    ),
)  # fmt: skip

_DOLLAR = (
    GaugeDefinition(
        "dollar", "broad dollar index", GaugeGroup.DOLLAR, "index points", (Formula(("DTWEXBGS",), _level),),
        GaugeThresholds("percentiles", watch_above=121.7, stress_above=123.61),
        partial(_at, "the broad dollar index", ""),
    ),
    GaugeDefinition(
        "dollar_trend", "broad dollar, change over 6 months", GaugeGroup.DOLLAR, "%",
        (Formula(("DTWEXBGS",), partial(_growth, 6)),),
        GaugeThresholds(_ASSUMED, watch_above=4.0, stress_above=7.0, watch_below=-6.0),
        partial(_moved, "the broad dollar", "6 months", "%"),
    ),
)  # fmt: skip

GAUGES: tuple[GaugeDefinition, ...] = (*_GROWTH, *_INFLATION, *_POLICY, *_CREDIT, *_VOLATILITY, *_DOLLAR)
"""All gauges, by group."""
