"""The result of a back-test: equity, holdings, fills and what was refused, with all that is needed to repeat it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester.run_identity import array_hash
from bank_python.backtester.run_origin import RunOrigin
from bank_python.backtester.tearsheet import make_tearsheet
from bank_python.backtester.verdict import make_verdict
from bank_python.mntable import Table
from bank_python.plotting import Plotted, money
from bank_python.plotting import dates as label_dates
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.trading_engine import TradeAnalysis

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.costs import Costs
    from bank_python.backtester.event_run import FillAt
    from bank_python.backtester.finished_run import FinishedRun
    from bank_python.backtester.tearsheet import Tearsheet
    from bank_python.backtester.trials import Trials
    from bank_python.backtester.verdict import Verdict
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine import AuditTrail, Fill, Rejection

__all__ = ["BacktestResult"]


@dataclass(frozen=True, eq=False, repr=False)
class BacktestResult(Plotted, Tabular):
    """What a strategy did on some bars; returned by :meth:`Backtester.run <bank_python.backtester.Backtester.run>`.

    Parameters
    ----------
    strategy : str
        Name of the strategy.
    settings : str
        The strategy with its settings, as text.
    panel : BarPanel
        Bars that were replayed.
    equity, cash : ndarray, shape (n_bars,)
        Equity and cash at each close, in money.
    held : ndarray, shape (n_bars, n_tickers)
        Units held at each close.
    fills : tuple of Fill
        Fills in the order of time.
    refusals : tuple of Rejection
        Orders that were refused, with the reasons.
    initial_cash : float
        Cash at the start.
    costs : Costs
        Costs of fills, cash and borrowing.
    fill : FillAt
        Price at which market orders filled.
    audit : AuditTrail
        Trail of all orders, which replays into the same books.
    notes : tuple of str, default ()
        Notes on the run for its reader.
    origin : RunOrigin, optional
        Code of the strategy, other settings, and how the run is repeated.
    """

    strategy: str
    settings: str
    panel: BarPanel
    equity: FloatArray
    cash: FloatArray
    held: FloatArray
    fills: tuple[Fill, ...]
    refusals: tuple[Rejection, ...]
    initial_cash: float
    costs: Costs
    fill: FillAt
    audit: AuditTrail
    notes: tuple[str, ...] = ()
    origin: RunOrigin = field(default_factory=RunOrigin)

    @property
    def dates(self) -> tuple[dt.datetime, ...]:
        """Start of each bar, UTC."""
        return self.panel.dates

    @property
    def final_value(self) -> float:
        """Equity at the last close."""
        return float(self.equity[-1])

    @property
    def trade_count(self) -> int:
        """Number of fills."""
        return len(self.fills)

    @cached_property
    def trades(self) -> TradeAnalysis | None:
        """The round trips of the fills; None without fills."""
        return TradeAnalysis(self.fills) if self.fills else None

    @cached_property
    def exposure(self) -> FloatArray:
        """Gross value of the positions as a share of equity at each close."""
        last = self.panel.last_closes
        gross = np.where(self.held != 0.0, np.abs(self.held) * last, 0.0).sum(axis=1)
        return np.asarray(gross / self.equity)

    @property
    def turnover(self) -> float:
        """Value of all fills divided by twice the mean equity."""
        traded = sum(fill.quantity * fill.cost.reference_price for fill in self.fills)
        return traded / (2.0 * float(self.equity.mean()))

    @property
    def cost(self) -> float:
        """Fees and slippage of all fills, in money."""
        return float(sum(fill.cost.total for fill in self.fills))

    @property
    def data_hash(self) -> str:
        """SHA-256 over the bars that were replayed."""
        return self.panel.data_hash

    @property
    def code_hash(self) -> str:
        """SHA-256 over the version of the library and the source of the strategy."""
        return self.origin.code_hash

    @property
    def rerun(self) -> Callable[[Costs], FinishedRun] | None:
        """Function that replays the same bars at other costs; None if the strategy is not known."""
        return self.origin.rerun

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the hashes of data and code, and all settings: equal runs have equal ones."""
        others = (self.origin.limits, self.origin.whole_units, self.origin.state_hash)
        settings = (self.settings, self.initial_cash, self.costs, self.fill.value, *others)
        return array_hash((), self.data_hash, self.code_hash, settings)

    def verdict(
        self,
        trials: Trials | None = None,
        benchmark: Any = None,
        risk_free_rate: float = RISK_FREE_RATE,
        n_random: int = 100,
        seed: int = 0,
    ) -> Verdict:
        """Return the verdict on the run: costs doubled, null books, out of sample, what search explains.

        Parameters
        ----------
        trials : Trials, optional
            Record of the trials that led to the run; by default that of the back-test.
        benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory, optional
            Levels of a benchmark to do better than.
        risk_free_rate : float, default RISK_FREE_RATE
            Risk-free rate per year, as a decimal.
        n_random : int, default 100
            Number of random books, at least 1, and of shuffled ones.
        seed : int, default 0
            Seed of the random books.

        Raises
        ------
        BacktestError
            The benchmark or a setting cannot be read.
        """
        return make_verdict(
            self,
            self.origin.trials if trials is None else trials,
            benchmark,
            risk_free_rate=risk_free_rate,
            n_random=n_random,
            seed=seed,
        )

    def tearsheet(
        self, benchmark: Any = None, *, risk_free_rate: float = RISK_FREE_RATE, periods_per_year: float | None = None
    ) -> Tearsheet:
        """Return the tearsheet of the equity, with the exposure and costs of the run and its round trips.

        Parameters
        ----------
        benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory, optional
            Levels of a benchmark; those on common dates count.
        risk_free_rate : float, default RISK_FREE_RATE
            Risk-free rate per year, as a decimal.
        periods_per_year : float, optional
            Number of periods in a year; by default inferred from the dates.

        Raises
        ------
        BacktestError
            The benchmark or a setting cannot be read.
        """
        return make_tearsheet(
            self.equity,
            self.dates,
            trades=self.trades,
            benchmark=benchmark,
            risk_free_rate=risk_free_rate,
            periods_per_year=periods_per_year,
            exposure=self.exposure,
            costs=self.cost,
            initial_capital=self.initial_cash,
            title=self.strategy,
        )

    def to_table(self) -> Table:
        """Return a table with a row for each bar: date, equity, cash, exposure, daily return, drawdown."""
        before = np.concatenate([[self.initial_cash], self.equity[:-1]])
        peaks = np.maximum.accumulate(np.maximum(self.equity, self.initial_cash))
        columns: dict[str, Any] = {
            "date": self.dates,
            "equity": self.equity.tolist(),
            "cash": self.cash.tolist(),
            "exposure": self.exposure.tolist(),
            "daily_return": (self.equity / before - 1.0).tolist(),
            "drawdown": (self.equity / peaks - 1.0).tolist(),
        }
        schema = [(name, type(self.dates[0]) if name == "date" else float) for name in columns]
        return Table.from_rows(
            schema, [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        )

    def _draw_(self, axes: Axes) -> None:
        axes.plot(np.array(self.dates), self.equity)
        axes.set_title(f"{self.strategy}, equity")
        money(axes.yaxis)
        label_dates(axes.xaxis)

    def __rich__(self) -> object:
        from bank_python.render_backtest_result import result_view

        return result_view(self)
