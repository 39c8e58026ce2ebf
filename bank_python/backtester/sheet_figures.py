"""The figures of a tearsheet: all metrics computed once, and the reason for each that is missing or infinite."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.backtester import metrics as m
from bank_python.backtester.metric_list import METRICS, NEEDS, Facts
from bank_python.backtester.sheet_tables import calendar_returns, fall_spells
from bank_python.risk.capm import capm_fit
from bank_python.risk_models.sharpe_inference import annualised_sharpe, probabilistic_sharpe, sharpe_standard_error
from bank_python.trading_engine.trade_statistics import trade_statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.backtester.equity_series import Comparison, EquitySeries
    from bank_python.backtester.periods import PeriodsPerYear
    from bank_python.backtester.sheet_tables import FallSpell
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine import RoundTrip

__all__ = ["Figure", "SheetInput", "figures_of", "reasons_of", "said_conventions"]

Figure: TypeAlias = float | int | dt.date | None
"""A figure of the sheet: a number, or a date (a number of values without dates); None for no date."""

_FEWEST_FOR_FIT = 3
_FEWEST_RESAMPLES = 100  # its bootstrap is not shown
_DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True, eq=False)
class SheetInput:
    """What a tearsheet is computed from.

    Parameters
    ----------
    series : EquitySeries
        Equity curve.
    periods, common_periods : PeriodsPerYear
        Periods a year of the curve, and of its dates in common with the benchmark.
    risk_free_rate : float
        Risk-free rate per year, as a decimal.
    comparison : Comparison, optional
        Curve and benchmark on common dates.
    trips : tuple of RoundTrip, optional
        Round trips of the trades; None without trades.
    given : mapping of str to float
        Exposure, turnover and costs, those that were given.
    """

    series: EquitySeries
    periods: PeriodsPerYear
    common_periods: PeriodsPerYear
    risk_free_rate: float
    comparison: Comparison | None
    trips: tuple[RoundTrip, ...] | None
    given: Mapping[str, float]


def figures_of(source: SheetInput) -> dict[str, Figure]:
    """Return all metrics by name.

    Parameters
    ----------
    source : SheetInput
        Equity curve, benchmark, trades and settings.
    """
    found = {
        **_of_returns(source),
        **_of_levels(source),
        **_of_calendar(source),
        **_of_trades(source),
        **_of_benchmark(source),
    }
    return {metric.name: found[metric.name] for metric in METRICS}


def reasons_of(source: SheetInput, figures: Mapping[str, Figure]) -> dict[str, str]:
    """Return the reason for each figure that is missing or not finite.

    Parameters
    ----------
    source : SheetInput
        Equity curve, benchmark, trades and settings.
    figures : mapping of str to number or date
        Metrics by name, as :func:`figures_of` returns them.
    """
    facts = _facts(source, figures)
    reasons = {}
    for metric in METRICS:
        value = figures[metric.name]
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            unmet = (said for is_met, said in (NEEDS[need] for need in metric.needs) if not is_met(facts))
            reasons[metric.name] = next(unmet, "the figure is too large for a number")
    return reasons


def _of_returns(source: SheetInput) -> dict[str, Figure]:
    r, p, rf = source.series.returns, source.periods.value, source.risk_free_rate
    sharpe = m.sharpe_ratio(r, rf, p)
    return {
        "annualized_vol": m.annualized_vol(r, p),
        "sharpe_ratio": sharpe,
        **_sharpe_inference(r, sharpe, p),
        "sortino_ratio": m.sortino_ratio(r, rf, p),
        "omega": m.omega(r, rf, p),
        "win_rate": m.win_rate(r),
        "profit_factor": m.profit_factor(r),
        "tail_ratio": m.tail_ratio(r),
        "var_95": m.var(r, 0.95),
        "var_99": m.var(r, 0.99),
        "cvar_95": m.cvar(r, 0.95),
        "cvar_99": m.cvar(r, 0.99),
        "skew": m.skew(r),
        "kurtosis": m.kurtosis(r),
    }


def _sharpe_inference(returns: FloatArray, sharpe: float, p: float) -> dict[str, Figure]:
    """Return how well a Sharpe ratio is known."""
    names = ("sharpe_error", "sharpe_probability", "sharpe_autocorrelated")
    if not math.isfinite(sharpe):
        return dict.fromkeys(names, math.nan)
    one, n, skew = sharpe / math.sqrt(p), float(len(returns)), m.skew(returns)
    kurtosis = max(m.kurtosis(returns), 1.0 + skew**2)  # below that by rounding only
    rho = m.autocorrelation(returns)
    whole = max(float(round(p)), 1.0)
    with_lag = math.nan if math.isnan(rho) else annualised_sharpe(one, whole, autocorrelation=rho)
    figures: tuple[Figure, ...] = (
        math.sqrt(p) * sharpe_standard_error(one, n, skew=skew, kurtosis=kurtosis),
        probabilistic_sharpe(one, n, skew=skew, kurtosis=kurtosis),
        with_lag,
    )
    return dict(zip(names, figures, strict=True))


def _of_levels(source: SheetInput) -> dict[str, Figure]:
    series, p = source.series, source.periods.value
    levels = series.levels
    is_one = len(levels) == 1  # no return, of which a total of 0 would speak
    return {
        "total_return": math.nan if is_one else m.total_return(levels),
        "annualized_return": m.annualized_return(levels, p),
        "calendar_cagr": _calendar_growth(series),
        "max_drawdown": m.max_drawdown(levels),
        "current_drawdown": m.current_drawdown(levels),
        "ulcer_index": m.ulcer_index(levels),
        "calmar_ratio": m.calmar_ratio(levels, p),
        "recovery_factor": math.nan if is_one else m.recovery_factor(levels),
        "n_trading_days": series.n_values,
        "initial_capital": float(levels[0]) if len(levels) else math.nan,
        "final_value": float(levels[-1]) if len(levels) else math.nan,
        **_of_falls(series),
    }


def _calendar_growth(series: EquitySeries) -> float:
    if series.dates is None or len(series.levels) < 2 or series.dates[0] == series.dates[-1]:  # noqa: PLR2004
        return math.nan
    days = (series.dates[-1] - series.dates[0]) / dt.timedelta(days=1)
    return m.compound_growth(m.total_return(series.levels) + 1.0, _DAYS_A_YEAR / days)


def _of_falls(series: EquitySeries) -> dict[str, Figure]:
    spells = fall_spells(series)
    if not spells:
        known: Figure = 0.0 if len(series.levels) else math.nan
        empty: dict[str, Figure] = dict.fromkeys(("max_dd_peak", "max_dd_trough", "max_dd_recovery"))
        return {**empty, "max_dd_duration_days": known, "max_underwater_periods": 0}
    deepest: FallSpell = min(spells, key=lambda spell: spell.depth)
    return {
        "max_dd_peak": deepest.peak,
        "max_dd_trough": deepest.trough,
        "max_dd_recovery": deepest.recovery,
        "max_dd_duration_days": max(spell.days for spell in spells),
        "max_underwater_periods": max(spell.periods for spell in spells),
    }


def _of_calendar(source: SheetInput) -> dict[str, Figure]:
    """Return the best and worst day, month and year."""
    found: dict[str, Figure] = {}
    for unit in ("day", "month", "year"):
        if unit == "day" and not source.periods.is_intraday:
            values = source.series.returns
        else:
            known = calendar_returns(source.series, unit)
            values = np.array([one.value for one in known], dtype=np.float64)
        found |= {f"best_{unit}": m.best(values), f"worst_{unit}": m.worst(values)}
    return found


def _of_trades(source: SheetInput) -> dict[str, Figure]:
    trips = source.trips
    found: dict[str, Figure] = dict.fromkeys(("avg_trade", "hit_rate", "payoff", "trade_profit_factor"), math.nan)
    found["n_trades"] = math.nan if trips is None else len(trips)
    if trips:
        one = trade_statistics("all", trips, resamples=_FEWEST_RESAMPLES)
        no_loss = math.inf if one.wins else math.nan
        found |= {
            "avg_trade": one.expectancy,
            "hit_rate": one.hit_rate,
            "payoff": math.nan if one.payoff is None else one.payoff,
            "trade_profit_factor": no_loss if one.profit_factor is None else one.profit_factor,
        }
    for name in ("exposure", "turnover", "costs"):
        found[name] = source.given.get(name, math.nan)
    levels = source.series.levels
    capital = float(levels[0]) if len(levels) else math.nan
    return {**found, "cost_share": source.given.get("costs", math.nan) / capital}


def _of_benchmark(source: SheetInput) -> dict[str, Figure]:
    names = (
        *("alpha", "beta", "correlation", "tracking_error", "information_ratio", "up_capture", "down_capture"),
        "benchmark_return",
    )
    found: dict[str, Figure] = dict.fromkeys(names, math.nan)
    if source.comparison is None:
        return found
    (ours, theirs), p = source.comparison.returns, source.common_periods.value
    if len(ours) >= _FEWEST_FOR_FIT and not m.is_constant(theirs):
        fit = capm_fit(ours, theirs, risk_free_rate=source.risk_free_rate, periods_per_year=p)
        found |= {"alpha": fit.alpha, "beta": fit.beta}
    if len(ours) < 2:  # noqa: PLR2004 - a deviation needs two
        return found
    return {
        **found,
        "correlation": m.correlation(ours, theirs),
        "tracking_error": m.tracking_error(ours, theirs, p),
        "information_ratio": m.information_ratio(ours, theirs, p),
        "up_capture": m.capture(ours, theirs, up=True),
        "down_capture": m.capture(ours, theirs, up=False),
        "benchmark_return": m.annualized_return(source.comparison.benchmark, p),
    }


def _facts(source: SheetInput, figures: Mapping[str, Figure]) -> Facts:
    series, r, trips = source.series, source.series.returns, source.trips
    none = np.zeros(0)
    ours, theirs = (none, none) if source.comparison is None else source.comparison.returns
    levels = series.levels
    gains = [trip.gain for trip in trips or ()]
    return Facts(
        n_values=len(levels),
        n_returns=len(r),
        is_constant=m.is_constant(r),
        has_loss=bool((r < 0.0).any()),
        has_shortfall=bool((m.excess_returns(r, source.risk_free_rate, source.periods.value) < 0.0).any()),
        has_fall=figures["max_dd_trough"] is not None,
        last=float(levels[-1]) if len(levels) else math.nan,
        low_tail=float(np.quantile(r, 0.05)) if len(r) else 0.0,
        is_recovered=figures["max_dd_recovery"] is not None,
        is_dated=series.dates is not None,
        n_common=-1 if source.comparison is None else len(ours),
        is_benchmark_constant=m.is_constant(theirs),
        is_active_constant=m.is_constant(ours - theirs),
        n_up=int((theirs > 0.0).sum()),
        n_down=int((theirs < 0.0).sum()),
        n_trips=-1 if trips is None else len(trips),
        n_wins=sum(gain > 0.0 for gain in gains),
        n_losses=sum(gain < 0.0 for gain in gains),
        given=frozenset(source.given),
    )


def said_conventions(source: SheetInput) -> dict[str, str]:
    """Return the convention of each metric in words.

    Parameters
    ----------
    source : SheetInput
        Equity curve, benchmark, trades and settings.
    """
    periods, series = source.periods, source.series
    words: dict[str, Any] = {
        "p": f"{periods.value:.6g}",
        "pb": f"{source.common_periods.value:.6g}",
        "period": periods.period,
        "day": "day, of all its bars" if periods.is_intraday and series.dates is not None else periods.period,
        "rf": f"{source.risk_free_rate:.4g}",
        "span": "in calendar days" if series.dates is not None else f"in {periods.period}s, as there are no dates",
        "capital": "capital given, before the first value" if series.is_led else "first value",
    }
    return {metric.name: metric.convention.format(**words) for metric in METRICS}
