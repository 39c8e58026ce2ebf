"""The direction of growth and of inflation, and a phrase for both together: the quadrant of the economy.

Growth is accelerating if the twelve-month growth of industrial production (or of payrolls, or of real GDP) is higher
than six months before, by more than a quarter of a point; without these, if the unemployment rate has fallen by as
much. Inflation is rising if the last three months, annualised, exceed the last twelve by more than a quarter of a
point. Where only market prices are known, the curve and breakeven inflation stand in, and the basis says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from bank_python.macro.months import change_over_months
from bank_python.results import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.macro.history import MacroHistory, MacroSeries

__all__ = ["Direction", "Quadrant", "find_quadrant"]

_BAND, _NARROW_BAND = 0.25, 0.1
_HALF_YEAR, _YEAR, _QUARTER = 6, 12, 3
_ACTIVITY = ("INDPRO", "PAYEMS", "GDPC1")
_PRICES = ("CPIAUCSL", "PCEPI")


class Direction(Enum):
    """Where a quantity is heading."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    UNKNOWN = "unknown"


_GROWTH_WORDS = {
    Direction.RISING: "accelerating growth",
    Direction.FALLING: "slowing growth",
    Direction.STEADY: "steady growth",
    Direction.UNKNOWN: "growth unknown",
}
_INFLATION_WORDS = {
    Direction.RISING: "rising inflation",
    Direction.FALLING: "falling inflation",
    Direction.STEADY: "steady inflation",
    Direction.UNKNOWN: "inflation unknown",
}


@dataclass(frozen=True, slots=True)
class Quadrant(Figures):
    """Directions of growth and inflation.

    Parameters
    ----------
    growth, inflation : Direction
        Directions of the two.
    growth_basis, inflation_basis : str
        Figures that the directions are taken from, or what is missing.
    """

    growth: Direction
    inflation: Direction
    growth_basis: str
    inflation_basis: str

    @property
    def phrase(self) -> str:
        """Both directions in words, such as ``"slowing growth, falling inflation"``."""
        return f"{_GROWTH_WORDS[self.growth]}, {_INFLATION_WORDS[self.inflation]}"


def find_quadrant(history: MacroHistory) -> Quadrant:
    """Return the directions of growth and inflation at the date of a history.

    Parameters
    ----------
    history : MacroHistory
        Series by name; those that are stale are not used.
    """
    growth, growth_basis = _growth(history)
    inflation, inflation_basis = _inflation(history)
    return Quadrant(growth, inflation, growth_basis, inflation_basis)


def _is_stale(series: MacroSeries, history: MacroHistory) -> bool:
    """Whether the last figure of a series is older than its frequency explains."""
    limit = series.frequency.stale_after
    return limit is not None and (history.as_of - series.last_date).days > limit


def _usable(history: MacroHistory, names: Sequence[str]) -> list[MacroSeries]:
    return [history[name] for name in names if name in history and not _is_stale(history[name], history)]


def _growth(history: MacroHistory) -> tuple[Direction, str]:
    for series in _usable(history, _ACTIVITY):
        dates, yearly = change_over_months(series.dates, series.values, _YEAR, relative=True)
        _, turned = change_over_months(dates, yearly, _HALF_YEAR, relative=False) if len(dates) else (dates, yearly)
        if len(turned):
            now, change = float(yearly[-1]), float(turned[-1])
            basis = f"{series.title} {now:+.1f} % over 12 months, {now - change:+.1f} % six months before"
            return _direction(change, _BAND), basis
    for series in _usable(history, ("UNRATE",)):
        _, change_of = change_over_months(series.dates, series.values, _HALF_YEAR, relative=False)
        if len(change_of):
            change = float(change_of[-1])
            return _direction(-change, _BAND), f"unemployment rate {change:+.1f} points over six months"
    return _growth_by_curve(history)


def _growth_by_curve(history: MacroHistory) -> tuple[Direction, str]:
    missing = f"none of {', '.join(_ACTIVITY)}, UNRATE is there, up to date and long enough"
    slope = _slope(history)
    if slope is None:
        return Direction.UNKNOWN, missing
    if slope < 0.0:
        return Direction.FALLING, f"the inverted curve ({slope:.2f} points), in place of figures on activity: {missing}"
    return Direction.UNKNOWN, f"{missing}, and a curve that is not inverted says too little"


def _slope(history: MacroHistory) -> float | None:
    found = _usable(history, ("T10Y2Y",))
    if found:
        return found[0].last
    pair = _usable(history, ("DGS10", "DGS2"))
    if len(pair) < 2:  # noqa: PLR2004 - a difference
        return None
    common, at, other = np.intersect1d(pair[0].dates, pair[1].dates, assume_unique=True, return_indices=True)
    return float(pair[0].values[at[-1]] - pair[1].values[other[-1]]) if len(common) else None


def _inflation(history: MacroHistory) -> tuple[Direction, str]:
    for series in _usable(history, _PRICES):
        _, yearly = change_over_months(series.dates, series.values, _YEAR, relative=True)
        _, growth = change_over_months(series.dates, series.values, _QUARTER, relative=True)
        if len(yearly) and len(growth):
            long = float(yearly[-1])
            short = 100.0 * ((1.0 + float(growth[-1]) / 100.0) ** (_YEAR / _QUARTER) - 1.0)
            basis = f"{series.title} {short:+.1f} % a year over 3 months, {long:+.1f} % over 12"
            return _direction(short - long, _BAND), basis
    missing = f"none of {', '.join(_PRICES)} is there, up to date and long enough"
    for series in _usable(history, ("T10YIE",)):
        _, change = change_over_months(series.dates, series.values, _HALF_YEAR, relative=False)
        if len(change):
            moved = float(change[-1])
            basis = f"breakeven inflation ({moved:+.2f} points over six months), in place of prices: {missing}"
            return _direction(moved, _NARROW_BAND), basis
    return Direction.UNKNOWN, missing


def _direction(change: float, band: float) -> Direction:
    if abs(change) <= band:
        return Direction.STEADY
    return Direction.RISING if change > 0.0 else Direction.FALLING
