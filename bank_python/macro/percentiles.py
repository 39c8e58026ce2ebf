"""Where a figure lies among past figures: percentiles of nine gauges as stated figures, or of a history of one's own.

The stated ones are the 5th to the 99th percentile of all daily (for the two conditions indices, weekly) figures between
two dates. In between they are interpolated; outside nothing is known but the side.

Examples
--------
>>> stated_percentile("vix", 17.61).said, stated_percentile("vix", 60.0).said
('about the 50th percentile since 1990', 'above the 99th percentile since 1990')
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import MacroError
from bank_python.results import Figures
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import ArrayLike, NDArray

__all__ = ["STATED_PERCENTILES", "GaugePercentiles", "Percentile", "own_percentile", "stated_percentile"]

LEVELS = (5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0)
OWN_HISTORY = "own history"
SOURCE = "FRED and Cboe, computed from the daily histories"
_TEENS = range(11, 14)
_FIRST, _SECOND, _THIRD = 1, 2, 3


@dataclass(frozen=True, slots=True)
class GaugePercentiles(Figures):
    """Percentiles of a gauge over a stated period.

    Parameters
    ----------
    title : str
        Name of the series, with its unit.
    start, end : datetime.date
        First and last date of the period.
    values : tuple of float
        Percentiles 5, 10, 25, 50, 75, 90, 95 and 99, in the unit of the gauge.
    last : float
        Figure of the last date.
    source : str
        Origin of the figures.
    """

    title: str
    start: dt.date
    end: dt.date
    values: tuple[float, ...]
    last: float
    source: str = SOURCE


@dataclass(frozen=True, slots=True)
class Percentile(Figures):
    """The place of a figure among past ones.

    Parameters
    ----------
    value : float
        Percentile from 0 to 100; the nearest known one if the figure lies outside the known ones.
    side : str, optional
        ``"below"`` or ``"above"`` if all that is known is that the figure lies beyond `value`.
    basis : str
        Origin of the past figures.
    start, end : datetime.date
        First and last date of the past figures.
    observations : int, optional
        Number of past figures; None for stated percentiles, which do not say.
    """

    value: float
    side: str | None
    basis: str
    start: dt.date
    end: dt.date
    observations: int | None = None

    @property
    def rank(self) -> str:
        """The percentile as a short text, such as ``"84th"``, ``"> 99th"`` or ``"84th, own"``."""
        sign = {"below": "< ", "above": "> "}.get(self.side or "", "")
        return f"{sign}{_ordinal(self.value)}{', own' if self.is_own else ''}"

    @property
    def is_own(self) -> bool:
        """Whether the past figures are those of the history that was given."""
        return self.basis == OWN_HISTORY

    @property
    def said(self) -> str:
        """The percentile in words, with the year in which the past figures begin."""
        history = " of its own history" if self.is_own else ""
        return f"{self.side or 'about'} the {_ordinal(self.value)} percentile{history} since {self.start.year}"


def _stated(title: str, start: str, end: str, values: tuple[float, ...], last: float) -> GaugePercentiles:
    return GaugePercentiles(title, dt.date.fromisoformat(start), dt.date.fromisoformat(end), values, last)


STATED_PERCENTILES: Mapping[str, GaugePercentiles] = {
    "high_yield_spread": _stated(
        "high-yield spread, %", "1996-12-31", "2025-12-30", (2.82, 3.03, 3.52, 4.55, 6.18, 8.08, 9.21, 16.75), 2.84
    ),
    "investment_grade_spread": _stated(
        "investment-grade spread, %", "1996-12-31", "2025-12-30", (0.76, 0.87, 0.98, 1.28, 1.67, 2.18, 2.6, 5.82), 0.79
    ),
    "vix": _stated(
        "VIX, points", "1990-01-02", "2026-07-23", (11.44, 12.15, 13.98, 17.61, 22.7, 28.55, 32.94, 46.71), 18.7
    ),
    "curve_slope": _stated(
        "10-year less 2-year yield, points", "1980-01-02", "2025-12-31",
        (-0.45, -0.18, 0.21, 0.82, 1.52, 2.22, 2.46, 2.75), 0.71,
    ),
    "real_yield": _stated(
        "10-year real yield, %", "2003-01-02", "2025-09-25", (-0.85, -0.6, 0.26, 0.93, 1.85, 2.2, 2.36, 2.67), 1.8
    ),
    "breakeven": _stated(
        "10-year breakeven inflation, %", "2003-01-02", "2025-12-31",
        (1.44, 1.59, 1.86, 2.21, 2.36, 2.5, 2.58, 2.74), 2.25,
    ),
    "financial_conditions": _stated(
        "ANFCI, standard deviations", "1980-01-04", "2025-12-26",
        (-0.84, -0.75, -0.59, -0.4, 0.02, 0.98, 2.09, 3.48), -0.56262,
    ),
    "financial_stress": _stated(
        "STLFSI4, standard deviations", "1993-12-31", "2025-12-26",
        (-0.85, -0.77, -0.53, -0.21, 0.25, 0.84, 1.36, 4.63), -0.5822,
    ),
    "dollar": _stated(
        "broad dollar index, points", "2006-01-02", "2025-12-26",
        (88.53, 90.54, 93.67, 109.09, 116.35, 121.7, 123.61, 127.92), 119.8529,
    ),
}  # fmt: skip
"""Stated percentiles, by the key of the gauge."""


@admits(MacroError)
def stated_percentile(gauge: str, value: float) -> Percentile:
    """Return the place of a figure among the stated percentiles of a gauge.

    Parameters
    ----------
    gauge : str
        Key of one of the nine gauges in :data:`STATED_PERCENTILES`.
    value : float
        Figure in the gauge's unit, finite.

    Raises
    ------
    MacroError
        The gauge has no stated percentiles, or the figure is not finite.
    """
    _require_finite(value)
    if gauge not in STATED_PERCENTILES:
        hint = did_you_mean(gauge, STATED_PERCENTILES, f"there are those of {', '.join(STATED_PERCENTILES)}")
        raise MacroError(f"there are no stated percentiles of {gauge!r}; {hint}", name=gauge)
    found = STATED_PERCENTILES[gauge]
    place = (found.source, found.start, found.end)
    if value < found.values[0]:
        return Percentile(LEVELS[0], "below", *place)
    if value > found.values[-1]:
        return Percentile(LEVELS[-1], "above", *place)
    return Percentile(float(np.interp(value, found.values, LEVELS)), None, *place)


@admits(MacroError)
def own_percentile(values: ArrayLike, value: float, dates: Any) -> Percentile:
    """Return the place of a figure in a history: the share of figures below it, those equal to it counted half.

    Parameters
    ----------
    values : array_like, shape (n,)
        Past figures, finite; at least one.
    value : float
        Figure in the same unit, finite.
    dates : sequence of datetime.date, length n
        Dates of the past figures, ascending.

    Raises
    ------
    MacroError
        There is no past figure, one is not finite, or the lengths differ.
    """
    _require_finite(value)
    past = np.asarray(values, dtype=np.float64)
    try:
        days: NDArray[np.datetime64] = np.asarray(dates, dtype="datetime64[D]")
    except (TypeError, ValueError) as error:
        raise MacroError(f"dates are no dates ({error}); give one for each figure", name="dates") from error
    if (
        past.ndim != 1
        or not len(past)
        or days.shape != past.shape
        or not np.isfinite(past).all()
        or np.isnat(days).any()
    ):
        raise MacroError(
            f"{past.shape} figures and {days.shape} dates; give one date for each finite figure, at least one",
            name="values",
        )
    share = 100.0 * float((past < value).mean() + 0.5 * (past == value).mean())
    return Percentile(share, None, OWN_HISTORY, days[0].item(), days[-1].item(), len(past))


def _require_finite(value: float) -> None:
    if not np.isfinite(value):
        raise MacroError(f"value={value!r} is not finite; give a number", name="value", value=value)


def _ordinal(percentile: float) -> str:
    """Return a percentile rounded to a whole number between 0 and 100, as an ordinal number."""
    whole = round(percentile)
    if whole % 100 in _TEENS:
        return f"{whole}th"
    ending = {_FIRST: "st", _SECOND: "nd", _THIRD: "rd"}.get(whole % 10, "th")
    return f"{whole}{ending}"
