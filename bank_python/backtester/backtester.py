"""The back-test: a strategy, a period, data, costs and where orders fill; ``run()`` gives the result.

Examples
--------
>>> def hold(window):
...     return {"A": 1.0} if window.index == 0 else None
>>> rows = [{"date": f"2026-01-0{day}", "open": 9.0 + day, "high": 11.0 + day, "low": 8.0 + day, "close": 10.0 + day}
...         for day in range(5, 9)]
>>> result = Backtester(hold, "2026-01-05", "2026-01-08", data={"A": rows}, initial_cash=1_500.0).run()
>>> result.equity.tolist(), [(fill.quantity, fill.price) for fill in result.fills]
([1500.0, 1600.0, 1700.0, 1800.0], [(100.0, 15.0)])

Several strategies on the same bars, each with its own capital; the results are stored:

>>> tried = Backtester()
>>> tried.add_strategy(hold, initial_capital=1_500.0)
>>> tried.add_strategy(lambda window: None)
>>> results = tried.run(["A"], "2026-01-05", "2026-01-08", data={"A": rows})
>>> [result.final_value for result in results], len(tried.barbara.keys("/Backtest/results/"))
([1800.0, 1000000.0], 2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from bank_python.backtester.bars import bars_of
from bank_python.backtester.costs import Costs
from bank_python.backtester.data_loader import HistoricalDataLoader, days_between
from bank_python.backtester.feed_data import feed_history
from bank_python.backtester.replay import Period, Replay, require_bars
from bank_python.backtester.replay_settings import ReplaySettings, fill_at
from bank_python.backtester.stored_results import store_result
from bank_python.backtester.strategy_forms import strategy_of
from bank_python.backtester.trials import Trials
from bank_python.barbara import BarbaraDB
from bank_python.errors import BacktestError
from bank_python.numerics.dates import as_date
from bank_python.numerics.ranges import number_in_range
from bank_python.trading_engine import PositionLimits
from bank_python.trading_engine.checks import names_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.result import BacktestResult
    from bank_python.backtester.strategy import BacktestStrategy

__all__ = ["Backtester"]

Day: TypeAlias = "dt.date | str | None"
Limits: TypeAlias = "PositionLimits | None"
Record: TypeAlias = "Trials | None"
Store: TypeAlias = "BarbaraDB | None"

_MOST_CASH = 1e15  # as much as a ledger takes


class Backtester:
    """A back-test of a strategy, or of several on the same bars.

    Parameters
    ----------
    strategy : BacktestStrategy, object with ``on_bar(context, engine, date)``, SignalRule or callable, optional
        Strategy to replay; a function takes the window and returns weights, targets or orders. Without one,
        strategies are added by :meth:`add_strategy`. A store here is taken for `barbara`.
    start, end : date or ISO 8601 text, optional
        First and last day, both included; those of the data by default.
    data : mapping, DataFrame, Table or BarPanel, optional
        Bars or closes; see :func:`~bank_python.backtester.bars_of`. By default the history of the feed that the
        environment variable ``BANK_PYTHON_FEED`` names, or of the simulated market, which a note says.
    initial_cash : float, default 1,000,000
        Cash at the start, in money, above 0.
    fees_bps : float, default 0.0
        Commission in basis points of the value of a fill.
    slippage_bps : float, default 0.0
        Slippage in basis points of the price.
    cash_rate, borrow_rate : float, default 0.0
        Interest a year on cash, and fee a year on short positions, decimals.
    fill : {"next_open", "next_close", "close"}, default "next_open"
        Price at which market orders fill. Without opens in the data ``"next_open"`` is the next close, with a note.
    limits : PositionLimits, optional
        Limits before an order; none by default.
    whole_units : bool, default False
        Whether targets are rounded towards 0 to whole units.
    vols : float or mapping of str to float, optional
        Implied volatility a year of options where the data have no ``<ticker>_VOL``, a decimal from 0.01 to 5: of all
        tickers or of each. By default the realised volatility of up to a year before, which a note says.
    trials : Trials, optional
        Record of trials that each run is added to; none by default.
    barbara : BarbaraDB, optional
        Store that results are written to. Without one, those of several strategies go to a store in memory.

    Raises
    ------
    BacktestError
        The strategy is none, the data cannot be read, or a setting is out of range.
    """

    def __init__(
        self,
        strategy: Any = None,
        start: Day = None,
        end: Day = None,
        *,
        data: Any = None,
        initial_cash: float = 1_000_000.0,
        fees_bps: float = 0.0,
        slippage_bps: float = 0.0,
        cash_rate: float = 0.0,
        borrow_rate: float = 0.0,
        fill: str = "next_open",
        limits: Limits = None,
        whole_units: bool = False,
        vols: Any = None,
        trials: Record = None,
        barbara: Store = None,
    ) -> None:
        if isinstance(strategy, BarbaraDB):
            strategy, barbara = None, strategy
        self.initial_cash = number_in_range("initial_cash", initial_cash, BacktestError, above=0.0, most=_MOST_CASH)
        if not (limits is None or isinstance(limits, PositionLimits)):
            raise BacktestError(f"limits={limits!r:.40} are no PositionLimits; give those, or None", name="limits")
        for name, value, kind in (("trials", trials, Trials), ("barbara", barbara, BarbaraDB)):
            if not (value is None or isinstance(value, kind)):
                raise BacktestError(f"{name}={value!r:.40} is no {kind.__name__}; give one, or None", name=name)
        if not isinstance(whole_units, bool | np.bool_):
            raise BacktestError(f"whole_units={whole_units!r:.40} is not true or false", name="whole_units")
        costs = Costs(fees_bps, slippage_bps, cash_rate, borrow_rate)
        self.settings = ReplaySettings(costs, fill_at(fill), limits, bool(whole_units), vols)
        self.trials = trials
        self._store = barbara
        self._period = (_day("start", start), _day("end", end))
        self._data = data
        self._entries: list[_Entry] = []
        self._panel: BarPanel | None = None
        self._notes: tuple[str, ...] = ()
        if strategy is not None:
            self._entries.append(_Entry(strategy_of(strategy), "Backtest", self.initial_cash))
            given, source = feed_history(self.strategy) if data is None else (data, "")
            read = bars_of(given, start, end)
            self._panel = _named(read, self.strategy)
            require_bars(self.strategy, self._panel)
            taken = f"the bars have no name: taken for those of {self._panel.tickers[0]}"
            self._notes = tuple(filter(None, (source, taken if self._panel is not read else "")))

    def __repr__(self) -> str:
        if self._panel is None:
            return f"<Backtester: {len(self._entries)} strategies>"
        return f"<Backtester: {self.strategy!r} on {len(self.panel):,} bars of {', '.join(self.panel.tickers)}>"

    @property
    def strategy(self) -> BacktestStrategy:
        """The strategy, the first of several.

        Raises
        ------
        BacktestError
            There is none yet.
        """
        if not self._entries:
            raise BacktestError("there is no strategy; give strategy=, or add_strategy(strategy)", name="strategy")
        return self._entries[0].strategy

    @property
    def panel(self) -> BarPanel:
        """The bars of the strategy that was given at the start.

        Raises
        ------
        BacktestError
            None was given: the bars of added strategies are those of their run.
        """
        if self._panel is None:
            raise BacktestError(
                "no strategy= was given; added strategies are replayed by run(tickers, start_date, end_date, data)",
                name="strategy",
            )
        return self._panel

    @property
    def barbara(self) -> BarbaraDB:
        """The store of results: the one that was given, or one in memory."""
        if self._store is None:
            self._store = BarbaraDB.open("backtest", path=":memory:")
        return self._store

    def add_strategy(self, strategy: Any, trader_name: str = "Backtest", initial_capital: float = 1_000_000.0) -> None:
        """Add a strategy to those that :meth:`run` replays on given tickers.

        Parameters
        ----------
        strategy : BacktestStrategy, object with ``on_bar(context, engine, date)``, SignalRule or callable
            Strategy to replay.
        trader_name : str, default "Backtest"
            Name of the trader whose account it is, kept with the result.
        initial_capital : float, default 1,000,000
            Cash at the start, in money, above 0.

        Raises
        ------
        BacktestError
            The strategy is none, or the capital is not above 0.
        """
        capital = number_in_range("initial_capital", initial_capital, BacktestError, above=0.0, most=_MOST_CASH)
        self._entries.append(_Entry(strategy_of(strategy), str(trader_name), capital))

    @overload
    def run(self) -> BacktestResult: ...

    @overload
    def run(
        self, tickers: Sequence[str], start_date: dt.date | str, end_date: dt.date | str, data: Any = None
    ) -> list[BacktestResult]: ...

    def run(
        self,
        tickers: Sequence[str] | None = None,
        start_date: Day = None,
        end_date: Day = None,
        data: Any = None,
    ) -> BacktestResult | list[BacktestResult]:
        """Replay the bars and return what came of it.

        Without arguments that is the result of the strategy that was given at the start. With tickers and a period it
        is a list with a result for each strategy, the one from the start first; results and bars are stored.

        Parameters
        ----------
        tickers : sequence of str, optional
            Names of the tickers.
        start_date, end_date : date or ISO 8601 text, optional
            First and last day, both included.
        data : mapping, DataFrame, Table or BarPanel, optional
            Bars or closes, cut to the tickers and the period; by default those of the back-test, of the store, or of
            the configured feed. Without a bar in the period the list is empty.

        Raises
        ------
        BacktestError
            A strategy raises or returns nonsense; the message names the bar. Or tickers come without a period.
        """
        if tickers is None:
            if data is not None or start_date is not None or end_date is not None:
                raise BacktestError("data and dates come with tickers=; give those, or data to Backtester", name="data")
            panel = self.panel  # raises unless the first entry is the strategy from the start
            result = self._recorded(self._entries[0].on(panel, self._notes, self._period))
            if self._store is not None:
                store_result(self._store, result)
            return result
        if start_date is None or end_date is None:
            raise BacktestError("tickers come without start_date and end_date; give both days", name="start_date")
        return self._run_all(tickers, days_between(start_date, end_date), self._data if data is None else data)

    def _run_all(self, tickers: Sequence[str], period: tuple[dt.date, dt.date], data: Any) -> list[BacktestResult]:
        """Replay each strategy on the bars of some tickers in a period, and store what came of it."""
        loader = HistoricalDataLoader(self.barbara)
        if data is None:
            loader.load(tickers, *period)
        else:
            named = names_of("tickers", tickers)
            known = data if isinstance(data, Mapping) else {}
            wanted = [*named, *(name for name in (f"{ticker}_VOL" for ticker in named) if name in known)]
            loader.load_from_arrays({name: known[name] for name in wanted if name in known} if known else data)
            loader.keep(wanted, *period)
        panel = loader.panel
        if panel is None:
            return []
        for each in self._entries:
            require_bars(each.strategy, panel)
        results = [self._recorded(each.on(panel, loader.notes, period)) for each in self._entries]
        for result in results:
            store_result(self.barbara, result)
        return results

    def _recorded(self, task: Replay) -> BacktestResult:
        """Replay one strategy on some bars, and record it as a trial."""
        result = task.run(self.trials, self.settings)
        if self.trials is not None:
            self.trials.record(result)
        return result


@dataclass(frozen=True, slots=True)
class _Entry:
    """A strategy with the account that it trades for."""

    strategy: BacktestStrategy
    trader: str
    capital: float

    def on(self, panel: BarPanel, notes: tuple[str, ...], period: Period) -> Replay:
        """Return the replay of the strategy on some bars."""
        return Replay(self.strategy, self.trader, self.capital, panel, notes, period)


def _named(panel: BarPanel, strategy: BacktestStrategy) -> BarPanel:
    """Return the bars of one ticker without a name as those of the only ticker that a strategy looks at."""
    if panel.tickers != ("ASSET",) or len(strategy.inputs) != 1:
        return panel
    return replace(panel, tickers=strategy.inputs)


def _day(name: str, given: Day) -> dt.date | None:
    return None if given is None else as_date(given, BacktestError, name)
