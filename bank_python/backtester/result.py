"""The result of a back-test: equity, holdings, fills and what was refused, with all that is needed to repeat it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester.equity_curve import EquityCurve
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

    from bank_python.backtester.account import AccountHistory
    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.costs import Costs
    from bank_python.backtester.finished_run import FinishedRun
    from bank_python.backtester.replay_settings import FillAt
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
    account : AccountHistory
        Equity, cash and positions at each close.
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
    period : tuple of (date or None, date or None), optional
        First and last day that were asked for; those of the bars by default.
    trader : str, default "Backtest"
        Name of the trader whose account it is.
    origin : RunOrigin, optional
        Code of the strategy, settings of the replay, and how the run is repeated.
    """

    strategy: str
    settings: str
    panel: BarPanel
    account: AccountHistory
    fills: tuple[Fill, ...]
    refusals: tuple[Rejection, ...]
    initial_cash: float
    costs: Costs
    fill: FillAt
    audit: AuditTrail
    notes: tuple[str, ...] = ()
    period: tuple[dt.date | None, dt.date | None] = (None, None)
    trader: str = "Backtest"
    origin: RunOrigin = field(default_factory=RunOrigin)

    @property
    def equity(self) -> FloatArray:
        """Equity at each close, in money, shape (n_bars,)."""
        return self.account.equity

    @property
    def cash(self) -> FloatArray:
        """Cash at each close, in money, shape (n_bars,)."""
        return self.account.cash

    @property
    def held(self) -> FloatArray:
        """Units of each ticker held at each close, shape (n_bars, n_tickers); options are in `account`."""
        return self.account.held

    @property
    def contracts(self) -> tuple[str, ...]:
        """Names of the options that were held; their units and values are in `account`."""
        return self.account.contracts

    @property
    def dates(self) -> tuple[dt.datetime, ...]:
        """Start of each bar, UTC."""
        return self.panel.dates

    @property
    def final_value(self) -> float:
        """Equity at the last close."""
        return float(self.equity[-1])

    @property
    def initial_capital(self) -> float:
        """Cash at the start, as a tearsheet calls it."""
        return self.initial_cash

    @property
    def strategy_name(self) -> str:
        """Name of the strategy, that of its class unless it gives itself another."""
        return self.strategy

    @property
    def start_date(self) -> str:
        """First day of the period, as ISO 8601 text: the one that was asked for, or that of the first bar."""
        return (self.period[0] or self.dates[0].date()).isoformat()

    @property
    def end_date(self) -> str:
        """Last day of the period, as ISO 8601 text: the one that was asked for, or that of the last bar."""
        return (self.period[1] or self.dates[-1].date()).isoformat()

    @cached_property
    def equity_curve(self) -> EquityCurve:
        """The equity with its dates as a curve: returns, drawdowns and highs from the initial cash on."""
        return EquityCurve.of(self.dates, self.equity, self.initial_cash)

    @property
    def trade_count(self) -> int:
        """Number of fills."""
        return len(self.fills)

    @cached_property
    def trades(self) -> TradeAnalysis:
        """The round trips of fills and settlements, one after the other."""
        return TradeAnalysis([*self.fills, *self.account.settlements])

    @cached_property
    def exposure(self) -> FloatArray:
        """Gross value of the positions as a share of equity at each close; NaN without an equity above 0."""
        was = self.account
        gross = np.where(was.held != 0.0, np.abs(was.held) * self.panel.last_closes, 0.0).sum(axis=1)
        gross += np.abs(was.contract_values).sum(axis=1)
        return np.asarray(np.divide(gross, self.equity, out=np.full(len(gross), np.nan), where=self.equity > 0.0))

    @cached_property
    def turnover_by_bar(self) -> FloatArray:
        """Value of the fills of each bar as a share of equity at its close, shape (n_bars,); NaN without equity."""
        place, traded = {when: t for t, when in enumerate(self.dates)}, np.zeros(len(self.dates))
        for fill in self.fills:
            traded[place[fill.when]] += fill.quantity * fill.cost.reference_price * fill.multiplier
        return np.asarray(np.divide(traded, self.equity, out=np.full(len(traded), np.nan), where=self.equity > 0.0))

    @property
    def turnover(self) -> float:
        """Value of all fills divided by twice the mean equity; NaN unless that is above 0."""
        traded = sum(fill.quantity * fill.cost.reference_price * fill.multiplier for fill in self.fills)
        mean = float(self.equity.mean())
        return traded / (2.0 * mean) if mean > 0.0 else float("nan")

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
        others = (self.origin.settings, self.origin.state_hash)
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

        The strategy is replayed twice more on the same bars, to double the costs, with all that it does.

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

    @property
    def _solvent(self) -> int:
        """Number of bars before the first without an equity above 0, at least one."""
        ruined = np.flatnonzero(self.equity <= 0.0)
        return max(int(ruined[0]), 1) if ruined.size else len(self.equity)

    @cached_property
    def tearsheet(self) -> Tearsheet:
        """The tearsheet of the equity, with the exposure and costs of the run and its round trips.

        Called with another benchmark or rate, as in ``result.tearsheet(benchmark=index, risk_free_rate=0.02)``, it
        returns the sheet with these.
        """
        return make_tearsheet(
            self.equity,
            self.dates,
            trades=self.trades,
            exposure=self.exposure[: self._solvent],
            turnover=self.turnover_by_bar[: self._solvent],
            costs=self.cost,
            initial_capital=self.initial_cash,
            title=self.strategy,
        )

    def to_table(self) -> Table:
        """Return a table with a row for each bar: date, equity, cash, exposure, daily return, drawdown.

        Exposure and return are None where they would be shares of an equity that is not above 0.
        """
        before = np.concatenate([[self.initial_cash], self.equity[:-1]])
        returns = np.divide(self.equity, before, out=np.full(len(before), np.nan), where=before > 0.0) - 1.0
        peaks = np.maximum.accumulate(np.maximum(self.equity, self.initial_cash))
        columns: dict[str, Any] = {
            "date": self.dates,
            "equity": self.equity.tolist(),
            "cash": self.cash.tolist(),
            "exposure": _known(self.exposure),
            "daily_return": _known(returns),
            "drawdown": (self.equity / peaks - 1.0).tolist(),
        }
        kinds: dict[str, Any] = {"date": type(self.dates[0]), "exposure": float | None, "daily_return": float | None}
        schema = [(name, kinds.get(name, float)) for name in columns]
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


def _known(figures: FloatArray) -> list[float | None]:
    return [None if np.isnan(figure) else float(figure) for figure in figures]
