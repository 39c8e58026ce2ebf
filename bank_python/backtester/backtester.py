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
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from bank_python.backtester.bars import bars_of
from bank_python.backtester.costs import Costs
from bank_python.backtester.event_run import EventRun, FillAt
from bank_python.backtester.feed_data import feed_history
from bank_python.backtester.result import BacktestResult
from bank_python.backtester.run_identity import state_hash
from bank_python.backtester.run_origin import RunOrigin
from bank_python.backtester.strategy import strategy_of
from bank_python.errors import BacktestError
from bank_python.numerics.ranges import number_in_range
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    import datetime as dt

    from bank_python.backtester.trials import Trials
    from bank_python.trading_engine import PositionLimits

__all__ = ["Backtester"]

Day: TypeAlias = "dt.date | str"


class Backtester:
    """A back-test of a strategy.

    Parameters
    ----------
    strategy : BacktestStrategy, SignalRule or callable
        Strategy to replay; a function takes the window and returns weights, targets or orders.
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
    trials : Trials, optional
        Record of trials that each run is added to; none by default.

    Raises
    ------
    BacktestError
        The strategy is none, the data cannot be read, or a setting is out of range.
    """

    def __init__(
        self,
        strategy: Any,
        start: Day | None = None,
        end: Day | None = None,
        *,
        data: Any = None,
        initial_cash: float = 1_000_000.0,
        fees_bps: float = 0.0,
        slippage_bps: float = 0.0,
        cash_rate: float = 0.0,
        borrow_rate: float = 0.0,
        fill: FillAt | str = "next_open",
        limits: PositionLimits | None = None,
        whole_units: bool = False,
        trials: Trials | None = None,
    ) -> None:
        self.strategy = strategy_of(strategy)
        given, source = feed_history(self.strategy) if data is None else (data, "")
        self.panel = bars_of(given, start, end)
        self._notes = (source,) if source else ()
        self.initial_cash = number_in_range("initial_cash", initial_cash, BacktestError, above=0.0)
        self.costs = Costs(fees_bps, slippage_bps, cash_rate, borrow_rate)
        self.fill = _fill_at(fill)
        self.limits, self.whole_units = limits, whole_units
        self.trials = trials

    def __repr__(self) -> str:
        return f"<Backtester: {self.strategy!r} on {len(self.panel):,} bars of {', '.join(self.panel.tickers)}>"

    def run(self) -> BacktestResult:
        """Replay the bars and return what came of it.

        Raises
        ------
        BacktestError
            The strategy raises or returns nonsense; the message names the bar.
        """
        result = self._replay(self.costs)
        if self.trials is not None:
            self.trials.record(result)
        return result

    def _replay(self, costs: Costs) -> BacktestResult:
        settings, state = repr(self.strategy), state_hash(self.strategy)  # before the run, which may change them
        fill, notes = self.fill, list(self._notes)
        if fill is FillAt.NEXT_OPEN and not self.panel.has_ranges:
            fill = FillAt.NEXT_CLOSE
            notes.append("the data have no opens: orders filled at the next close")
        if fill is FillAt.CLOSE:
            notes.append("orders filled at the close that their signals have seen")
        done = EventRun(
            self.strategy,
            self.panel,
            self.initial_cash,
            costs,
            fill,
            limits=self.limits,
            whole_units=self.whole_units,
        ).run()
        lowest = float(done.cash.min())
        if lowest < 0.0:
            notes.append(f"cash was negative at {int((done.cash < 0.0).sum())} closes, at worst {lowest:,.2f}: a loan")
        return BacktestResult(
            self.strategy.name,
            settings,
            self.panel,
            done.equity,
            done.cash,
            done.held,
            tuple(done.fills),
            tuple(done.refusals),
            self.initial_cash,
            costs,
            fill,
            done.engine.audit,
            tuple(notes),
            RunOrigin(self.strategy.code_hash, state, self.limits, self.whole_units, self.trials, self._replay),
        )


def _fill_at(given: FillAt | str) -> FillAt:
    known = [member.value for member in FillAt]
    if given in known:
        return FillAt(given)
    advice = did_you_mean(given, known, f"give one of {', '.join(known)}")
    raise BacktestError(f"no fill {given!r:.40}; {advice}", name="fill")
