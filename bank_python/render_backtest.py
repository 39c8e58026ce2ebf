"""Terminal views of back-tests: the tearsheet."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group

from bank_python.backtester.figure_words import said_figure
from bank_python.backtester.metric_list import METRICS
from bank_python.backtester.sheet_tables import MONTHS
from bank_python.numerals import MISSING
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words

if TYPE_CHECKING:
    from bank_python.backtester.tearsheet import Tearsheet

__all__ = ["tearsheet_view"]

_MOST_YEARS = 12
_ABSENT = ("no benchmark was given", "no trades were given", "no exposure was given", "no turnover was given")


def tearsheet_view(sheet: Tearsheet) -> Group:
    """Show the headline figures, years and drawdowns, and each metric with its convention."""
    return Group(_headline(sheet), *_years(sheet), *_months(sheet), *_falls(sheet), *_metrics(sheet))


def _headline(sheet: Tearsheet) -> Sheet:
    title = f"{sheet.title or 'Tearsheet'}, {_span(sheet)}"
    shown = Sheet(title, [names("Return"), numbers(), names("Risk"), numbers(), names("Ratios"), numbers()])
    rows = (
        ("total_return", "annualized_vol", "sharpe_ratio"),
        ("annualized_return", "max_drawdown", "sortino_ratio"),
        ("best_month", "current_drawdown", "calmar_ratio"),
        ("worst_month", "cvar_95", "omega"),
    )
    by_name = {metric.name: metric for metric in METRICS}
    for row in rows:
        cells: list[object] = []
        for name in row:
            cells += [by_name[name].label.removesuffix(" ratio"), text(said_figure(by_name[name].unit, sheet[name]))]
        shown.add(*cells)
    shown.note(f"{sheet.periods.basis}; risk-free rate {sheet.risk_free_rate:.2%}")
    for note in sheet.notes:
        shown.note(note)
    return shown


def _span(sheet: Tearsheet) -> str:
    series = sheet.series
    if not series.n_values:
        return "no values"
    if series.dates is None:
        return f"{series.n_values:,} values"
    return f"{_day(series.dates[0])} to {_day(series.dates[-1])}"


def _years(sheet: Tearsheet) -> list[Sheet]:
    rows = list(sheet.yearly_returns())
    if not rows:
        return []
    columns = [names("Year"), shares("Return", sign=True), bars(width=12), shares("Benchmark", sign=True)]
    shown = Sheet("Years", [*columns, shares("Volatility"), numbers("Sharpe"), shares("Max. drawdown")])
    widest = max(abs(row["return"]) for row in rows)
    for row in rows[-_MOST_YEARS:]:
        figures = (row["benchmark"], row["vol"], row["sharpe"], row["max_drawdown"])
        shown.add(str(row["year"]), row["return"], Bar.of(row["return"], widest), *figures)
    if len(rows) > _MOST_YEARS:
        shown.note(f"{len(rows) - _MOST_YEARS:,} earlier ones")
    return [shown]


def _months(sheet: Tearsheet) -> list[Sheet]:
    rows = list(sheet.monthly_returns())[-_MOST_YEARS:]
    if not rows:
        return []
    shown = Sheet("Monthly returns, %", [names("Year"), *(numbers(month, 1) for month in MONTHS)])
    for row in rows:
        shown.add(str(row["year"]), *(None if row[name] is None else f"{100.0 * row[name]:.1f}" for name in MONTHS))
    return [shown]


def _falls(sheet: Tearsheet) -> list[Sheet]:
    rows = list(sheet.top_drawdowns())
    if not rows:
        return []
    length = "Days" if sheet.series.dates is not None else "Periods"
    shown = Sheet(
        "Largest drawdowns", [shares("Depth"), names("Peak"), names("Trough"), names("Recovery"), numbers(length)]
    )
    for row in rows:
        moments = (_day(row["peak"]), _day(row["trough"]), _day(row["recovery"]))
        shown.add(row["depth"], *moments, f"{row['days']:,.4g}")
    return [shown]


def _metrics(sheet: Tearsheet) -> list[Sheet]:
    """Return a table for each group, with conventions and reasons; groups of which nothing is known are named only."""
    shown, conventions, reasons = [], sheet.conventions, sheet.reasons
    for group, metrics in groupby(METRICS, key=lambda metric: metric.group):
        known = [metric for metric in metrics if reasons.get(metric.name) not in _ABSENT]
        if not known:
            continue
        table = Sheet(group, [names("Metric"), numbers("Figure"), words("Convention")])
        for metric in known:
            why = reasons.get(metric.name)
            how = conventions[metric.name] if why is None else f"{conventions[metric.name]}; {why}"
            table.add(metric.label, text(said_figure(metric.unit, sheet[metric.name])), how)
        shown.append(table)
    return shown


def _day(moment: object) -> str:
    if isinstance(moment, dt.datetime):
        return f"{moment:%Y-%m-%d %H:%M}"
    return MISSING if moment is None else str(moment)
