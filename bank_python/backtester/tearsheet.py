"""The tearsheet of an equity curve: its metrics with their conventions, tables by calendar, and its drawdowns.

Examples
--------
>>> sheet = make_tearsheet([100.0, 110.0, 99.0, 121.0], ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"])
>>> round(sheet["total_return"], 4), round(sheet["max_drawdown"], 4), sheet["max_dd_trough"]
(0.21, -0.1, datetime.date(2026, 1, 7))
>>> sheet.reasons["beta"]
'no benchmark was given'
>>> sheet.conventions["sharpe_ratio"]
'mean(r − rf/252) / std(r − rf/252, ddof 1) · √252, rf 0 a year'
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_python.admission import admits
from bank_python.backtester.equity_series import Comparison, EquitySeries, read_benchmark, read_equity
from bank_python.backtester.metric_list import ALIASES, METRICS
from bank_python.backtester.sheet_figures import Figure, figures_of, reasons_of, said_conventions
from bank_python.backtester.sheet_html import SheetPage, sheet_page
from bank_python.backtester.sheet_request import SheetRequest, input_of, notes_on
from bank_python.backtester.sheet_tables import (
    fall_spells,
    fall_table,
    month_table,
    rolling_figures,
    rolling_table,
    year_table,
)
from bank_python.errors import BacktestError
from bank_python.market_data.picture import draw_prices
from bank_python.mntable.replacement import replacing
from bank_python.plotting import Plotted, nothing
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.trading_engine import TradeAnalysis

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes

    from bank_python.backtester.periods import PeriodsPerYear
    from bank_python.mntable import Table
    from bank_python.trading_engine import RoundTrip

__all__ = ["Tearsheet", "make_tearsheet"]

_FEW_PERIODS = 2


@dataclass(frozen=True, slots=True)
class _Findings:
    """What is computed for a sheet: figures by name, the reasons for missing ones, conventions in words."""

    figures: dict[str, Figure]
    reasons: dict[str, str]
    conventions: dict[str, str]


class Tearsheet(Mapping[str, Any], Plotted, Tabular):
    """Metrics of an equity curve: a mapping from names to figures that does not change.

    The figures are computed when one is first asked for. Called with other settings, a sheet returns another one.

    Parameters
    ----------
    equity_curve : array_like, pandas.Series, mapping, list of pairs, or object with ``to_arrays``
        Values of an account, oldest first. Values that are not finite are left out, and said to be.
    trade_history : TradeAnalysis, or trades as :class:`TradeAnalysis` takes them, optional
        Trades for the figures of round trips.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal; divided evenly over its periods.
    dates : iterable of date, datetime, str, numpy.datetime64 or pandas.Timestamp, optional
        A date for each value; by default those that `equity_curve` holds.
    benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory, optional
        Levels of a benchmark; those on common dates count.
    periods_per_year : float, optional
        Number of periods in a year; by default inferred from the dates (:func:`infer_periods_per_year`).
    turnover, exposure : float or array_like, optional
        Turnover a year as a multiple of equity, or that of each period; exposure as a share of equity, or that at
        each time, whose mean counts.
    costs : float or array_like, optional
        Costs in money, or those of each period.
    initial_capital : float, optional
        Money at the start; if the first value differs from it, the difference is the return of a first period.
    title : str, default ""
        Title of the sheet.

    Raises
    ------
    BacktestError
        The values, dates or settings cannot be read; the message names which.
    TradingError
        A trade cannot be read.
    """

    __slots__ = ("_found", "_request", "_source", "_title")

    @admits(BacktestError)
    def __init__(
        self,
        equity_curve: Any,
        trade_history: Any = None,
        risk_free_rate: float = RISK_FREE_RATE,
        *,
        dates: Any = None,
        benchmark: Any = None,
        periods_per_year: float | None = None,
        turnover: Any = None,
        exposure: Any = None,
        costs: Any = None,
        initial_capital: float | None = None,
        title: str = "",
    ) -> None:
        request = SheetRequest(
            read_equity(equity_curve, dates, initial_capital),
            None if benchmark is None else read_benchmark(benchmark),
            risk_free_rate,
            periods_per_year,
            _trips(trade_history),
            {"turnover": turnover, "exposure": exposure, "costs": costs},
        )
        self._set(request, title)

    def _set(self, request: SheetRequest, title: str) -> None:
        self._request, self._title = request, title
        self._source = input_of(request)
        self._found: _Findings | None = None

    @property
    def _findings(self) -> _Findings:
        """Figures, their reasons and conventions, computed when they are first asked for."""
        if self._found is None:
            figures = figures_of(self._source)
            self._found = _Findings(figures, reasons_of(self._source, figures), said_conventions(self._source))
        return self._found

    # --- as a mapping -----------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Any:
        return self._findings.figures[ALIASES.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        yield from self._findings.figures
        yield from ALIASES

    def __len__(self) -> int:
        return len(self._findings.figures) + len(ALIASES)

    @admits(BacktestError)
    def __call__(
        self, benchmark: Any = None, *, risk_free_rate: float | None = None, periods_per_year: float | None = None
    ) -> Tearsheet:
        """Return the sheet of the same curve and trades with other settings; without any, this one.

        Parameters
        ----------
        benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory, optional
            Levels of a benchmark; those on common dates count. By default that of this sheet.
        risk_free_rate : float, optional
            Risk-free rate per year, as a decimal; by default that of this sheet.
        periods_per_year : float, optional
            Number of periods in a year; by default as in this sheet.

        Raises
        ------
        BacktestError
            The benchmark or a setting cannot be read.
        """
        changes: dict[str, Any] = {"risk_free_rate": risk_free_rate, "periods_per_year": periods_per_year}
        if benchmark is not None:
            changes["benchmark"] = read_benchmark(benchmark)
        changes = {name: value for name, value in changes.items() if value is not None}
        if not changes:
            return self
        made = object.__new__(type(self))
        made._set(replace(self._request, **changes), self._title)
        return made

    @property
    def metrics(self) -> dict[str, Any]:
        """All metrics by name, aliases included; of a curve without values, the reason under ``error``."""
        return dict(self) if self._source.series.n_values else {"error": "the equity curve has no days"}

    def compute(self) -> dict[str, Any]:
        """Return all metrics by name; of a curve without values, the reason under ``error``."""
        return self.metrics

    # --- what is said beside the figures ----------------------------------------------------------------

    @property
    def title(self) -> str:
        """Title of the sheet."""
        return self._title

    @property
    def conventions(self) -> dict[str, str]:
        """Definition of each metric in words: periods, degrees of freedom, risk-free rate."""
        return dict(self._findings.conventions)

    @property
    def reasons(self) -> dict[str, str]:
        """Reason for each metric that is missing or not finite, aliases included."""
        short = {
            alias: self._findings.reasons[name] for alias, name in ALIASES.items() if name in self._findings.reasons
        }
        return {**self._findings.reasons, **short}

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on the data, such as values that were left out."""
        return notes_on(self._request, self._source)

    @property
    def periods(self) -> PeriodsPerYear:
        """Number of periods in a year, and where it comes from."""
        return self._source.periods

    @property
    def risk_free_rate(self) -> float:
        """Risk-free rate per year, as a decimal."""
        return self._source.risk_free_rate

    @property
    def series(self) -> EquitySeries:
        """Equity curve as it was read."""
        return self._source.series

    @property
    def comparison(self) -> Comparison | None:
        """Equity curve and benchmark on common dates; None without a benchmark."""
        return self._source.comparison

    # --- tables -----------------------------------------------------------------------------------------

    def monthly_returns(self) -> Table:
        """Return the returns of calendar months: a row for each year, and the year's total."""
        return month_table(self.series)

    def yearly_returns(self) -> Table:
        """Return a table of calendar years: return, benchmark's, volatility, Sharpe ratio, maximum drawdown."""
        rate, periods = self.risk_free_rate, self.periods.value
        return year_table(self.series, self.comparison, risk_free_rate=rate, periods_per_year=periods)

    @admits(BacktestError)
    def top_drawdowns(self, count: int = 5) -> Table:
        """Return the deepest falls from a high: depth, peak, trough, recovery, days and periods below the high.

        Parameters
        ----------
        count : int, default 5
            Largest number of rows, at least 1.

        Raises
        ------
        BacktestError
            The number is below 1.
        """
        if count < 1:
            raise BacktestError(f"count={count} is below 1; give the number of drawdowns", name="count", value=count)
        deepest = sorted(fall_spells(self.series), key=lambda spell: spell.depth)[:count]
        return fall_table(deepest, is_dated=self.series.dates is not None)

    @admits(BacktestError)
    def rolling(self, window: int | None = None) -> Table:
        """Return Sharpe ratio, volatility and beta over a moving window of returns.

        Parameters
        ----------
        window : int, optional
            Number of returns, from 3 to all; by default half a year, or half of a series that is shorter.

        Raises
        ------
        BacktestError
            The window is out of range.
        """
        rate, periods = self.risk_free_rate, self.periods.value
        found = rolling_figures(self.series, self.comparison, window, risk_free_rate=rate, periods_per_year=periods)
        if found is None and window is not None:
            n = len(self.series.returns)
            raise BacktestError(f"window={window} for {n} returns; give 3 to {n}", name="window", value=window)
        return rolling_table(found)

    def to_table(self) -> Table:
        """Return a table with a row for each metric: name, figure, or its text if it is a date, convention, reason."""
        from bank_python.mntable import Table

        rows = []
        for metric in METRICS:
            figure = self._findings.figures[metric.name]
            is_number = isinstance(figure, int | float) and math.isfinite(figure)
            rows.append(
                {
                    "metric": metric.name,
                    "value": float(figure) if is_number and isinstance(figure, int | float) else None,
                    "text": None if figure is None else str(figure),
                    "convention": self._findings.conventions[metric.name],
                    "reason": self._findings.reasons.get(metric.name),
                }
            )
        names = [("metric", str), ("value", float | None), ("text", str | None), ("convention", str)]
        return Table.from_rows([*names, ("reason", str | None)], rows)

    # --- exports ----------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return the whole sheet: metrics, conventions, reasons, notes, periods, and the tables as lists of rows."""
        return {
            "title": self._title,
            "periods": self.periods.to_dict(),
            "risk_free_rate": self.risk_free_rate,
            "metrics": self.metrics,
            "conventions": self.conventions,
            "reasons": self.reasons,
            "notes": list(self.notes),
            "monthly": list(self.monthly_returns()),
            "yearly": list(self.yearly_returns()),
            "drawdowns": list(self.top_drawdowns()),
        }

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the sheet as one HTML page with its charts, which requests nothing, and write it if a path is given.

        Parameters
        ----------
        path : path, optional
            File to write or to replace, which appears when it is complete.
        """
        page = SheetPage(
            self._title,
            self._source,
            self._findings.figures,
            self._findings.conventions,
            self._findings.reasons,
            self.notes,
            self.monthly_returns(),
            self.yearly_returns(),
        )
        return _written(sheet_page(page), path)

    def render(self, console: Any) -> None:
        """Show the sheet on a console of Rich.

        Parameters
        ----------
        console : rich.console.Console
            Console to write to.
        """
        console.print(self)

    def render_monthly_returns(self, console: Any) -> None:
        """Show the returns of calendar months on a console of Rich.

        Parameters
        ----------
        console : rich.console.Console
            Console to write to.
        """
        console.print(self.monthly_returns())

    def _draw_(self, axes: Axes) -> None:
        """Draw the equity and its benchmark, indexed to 100, with their drawdowns below."""
        title = self._title or "Equity"
        if len(self.series.levels) < _FEW_PERIODS:
            nothing(axes, f"{title}: no returns to draw")
            return
        import numpy as np

        both = self.comparison
        if both is not None and len(both.levels) >= _FEW_PERIODS:
            at: Any = both.dates or range(len(both.levels))
            draw_prices(axes, at, np.column_stack([both.levels, both.benchmark]), ["equity", "benchmark"], title)
        else:
            at = self.series.dates or range(len(self.series.levels))
            draw_prices(axes, at, self.series.levels[:, None], ["equity"], title)

    def __rich__(self) -> object:
        from bank_python.render_backtest import tearsheet_view

        return tearsheet_view(self)


@admits(BacktestError)
def make_tearsheet(
    equity: Any,
    dates: Any = None,
    *,
    trades: Any = None,
    benchmark: Any = None,
    risk_free_rate: float = RISK_FREE_RATE,
    periods_per_year: float | None = None,
    turnover: Any = None,
    exposure: Any = None,
    costs: Any = None,
    initial_capital: float | None = None,
    title: str = "",
) -> Tearsheet:
    """Return the tearsheet of an equity curve.

    Parameters
    ----------
    equity : array_like, pandas.Series, mapping, list of pairs, or object with ``to_arrays``
        Values of an account, oldest first.
    dates : iterable of date, datetime, str, numpy.datetime64 or pandas.Timestamp, optional
        A date for each value; by default those that `equity` holds.
    trades : TradeAnalysis, or trades as :class:`TradeAnalysis` takes them, optional
        Trades for the figures of round trips.
    benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory, optional
        Levels of a benchmark; those on common dates count.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal; divided evenly over its periods.
    periods_per_year : float, optional
        Number of periods in a year; by default inferred from the dates.
    turnover, exposure, costs : float or array_like, optional
        Figures of the strategy, as :class:`Tearsheet` takes them.
    initial_capital : float, optional
        Money at the start; if the first value differs from it, the difference is the return of a first period.
    title : str, default ""
        Title of the sheet.

    Raises
    ------
    BacktestError
        The values, dates or settings cannot be read; the message names which.
    TradingError
        A trade cannot be read.

    Examples
    --------
    >>> sheet = make_tearsheet([100.0, 101.0, 103.0], risk_free_rate=0.02)
    >>> sheet["sortino"], sheet.reasons["sortino"]
    (inf, 'no return is below the risk-free rate: there is no downside to divide by')
    """
    return Tearsheet(
        equity,
        trades,
        risk_free_rate,
        dates=dates,
        benchmark=benchmark,
        periods_per_year=periods_per_year,
        turnover=turnover,
        exposure=exposure,
        costs=costs,
        initial_capital=initial_capital,
        title=title,
    )


def _trips(trades: Any) -> tuple[RoundTrip, ...] | None:
    if trades is None:
        return None
    return trades.round_trips if isinstance(trades, TradeAnalysis) else TradeAnalysis(trades).round_trips


def _written(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        with replacing(Path(path).expanduser()) as part:
            part.write_text(text, encoding="utf-8")
    return text
