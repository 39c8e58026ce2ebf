"""What a tearsheet is asked for, read once: the same curve may be asked again with another benchmark or rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.admission import as_numbers
from bank_python.backtester.equity_series import compare
from bank_python.backtester.periods import PeriodsPerYear, given_periods, periods_of
from bank_python.backtester.sheet_figures import SheetInput
from bank_python.errors import BacktestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.backtester.equity_series import Comparison, EquitySeries
    from bank_python.trading_engine import RoundTrip

__all__ = ["SheetRequest", "input_of", "notes_on"]

_FEW_PERIODS = 2


@dataclass(frozen=True, slots=True, eq=False)
class SheetRequest:
    """Curve, benchmark, trades and settings of a tearsheet, as they were given.

    Parameters
    ----------
    series : EquitySeries
        Equity curve.
    benchmark : EquitySeries, optional
        Levels of the benchmark.
    risk_free_rate : float
        Risk-free rate per year, as a decimal, finite.
    periods_per_year : float, optional
        Number of periods in a year; None to infer it from the dates.
    trips : tuple of RoundTrip, optional
        Round trips of the trades; None without trades.
    extras : mapping of str to number or array_like
        Turnover, exposure and costs, None where one was not given.
    """

    series: EquitySeries
    benchmark: EquitySeries | None
    risk_free_rate: float
    periods_per_year: float | None
    trips: tuple[RoundTrip, ...] | None
    extras: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not math.isfinite(self.risk_free_rate):
            raise BacktestError(
                f"risk_free_rate={self.risk_free_rate!r} is not finite; give a decimal such as 0.04",
                name="risk_free_rate",
            )


def input_of(request: SheetRequest) -> SheetInput:
    """Return what the figures of a tearsheet are computed from.

    Parameters
    ----------
    request : SheetRequest
        Curve, benchmark, trades and settings.

    Raises
    ------
    BacktestError
        The benchmark does not go with the curve, or a setting is not valid.
    """
    series = request.series
    comparison = None if request.benchmark is None else compare(series, request.benchmark)
    periods, common = _periods(series, comparison, request.periods_per_year)
    given = _given(request.extras, periods.value)
    return SheetInput(series, periods, common, float(request.risk_free_rate), comparison, request.trips, given)


def notes_on(request: SheetRequest, source: SheetInput) -> tuple[str, ...]:
    """Return remarks on the data for the reader of a tearsheet.

    Parameters
    ----------
    request : SheetRequest
        Curve, benchmark, trades and settings.
    source : SheetInput
        Curve, comparison, trades and figures that the sheet is computed from.
    """
    series, both = source.series, source.comparison
    notes = [*series.notes]
    if series.n_alive < len(series.levels) or (len(series.levels) and series.levels[-1] <= 0.0):
        at, level = series.moment(series.n_alive - 1), series.levels[series.n_alive - 1]
        notes.append(f"the equity is {level:,.6g} on {at}: returns end there; growth and drawdowns use all values")
    if 0 < len(series.returns) < source.periods.value:
        notes.append(f"returns counted {len(series.returns):,}, less than a year: annual figures extend them")
    if both is not None and both.dropped:
        notes.append(f"{both.dropped:,} dates without a level of the benchmark are left out of the comparison")
    if both is not None and source.common_periods.value != source.periods.value:
        notes.append(f"common dates with the benchmark: {source.common_periods.basis}")
    return (*notes, *(request.benchmark.notes if request.benchmark is not None else ()))


def _periods(
    series: EquitySeries, comparison: Comparison | None, given: float | None
) -> tuple[PeriodsPerYear, PeriodsPerYear]:
    """Return the periods a year of a curve and of its dates in common with a benchmark."""
    dates = series.dates[series.is_led :] if series.dates else None
    inferred = periods_of(dates)
    periods = inferred if given is None else given_periods(float(given), dates)
    if comparison is None or comparison.dates is None or len(comparison.dates) < _FEW_PERIODS:
        return periods, periods
    common = periods_of(comparison.dates)
    if common.value == inferred.value:
        return periods, periods
    return periods, PeriodsPerYear(common.value / inferred.value * periods.value, common.period, common.basis)


def _given(extras: Mapping[str, Any], periods: float) -> dict[str, float]:
    """Return turnover a year, mean exposure and sum of costs, of numbers or of series of them."""
    found = {}
    for name, value in extras.items():
        if value is None:
            continue
        numbers = as_numbers(value)
        if numbers is None or not numbers.size or not bool((abs(numbers) < math.inf).all()):
            raise BacktestError(
                f"{name}={value!r:.60} is no finite number or series of them; correct it or leave it out", name=name
            )
        if numbers.ndim == 0:
            found[name] = float(numbers)
        elif name == "costs":
            found[name] = float(numbers.sum())
        else:
            found[name] = float(numbers.mean()) * (periods if name == "turnover" else 1.0)
    return found
