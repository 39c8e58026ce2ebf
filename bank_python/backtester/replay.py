"""One replay: a strategy with its account on some bars, from the settings to the result with its notes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from bank_python.backtester.context_strategy import ContextStrategy
from bank_python.backtester.event_run import EventRun
from bank_python.backtester.price_jumps import jumps_of
from bank_python.backtester.replay_settings import FillAt
from bank_python.backtester.result import BacktestResult
from bank_python.backtester.run_origin import RunOrigin
from bank_python.errors import BacktestError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bank_python.backtester.account import AccountHistory
    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.costs import Costs
    from bank_python.backtester.replay_settings import ReplaySettings
    from bank_python.backtester.strategy import BacktestStrategy
    from bank_python.backtester.trials import Trials

__all__ = ["Period", "Replay", "require_bars"]

BoolArray: TypeAlias = "NDArray[np.bool_]"
Period: TypeAlias = "tuple[dt.date | None, dt.date | None]"

_SHOWN = 8  # tickers in a message


@dataclass(frozen=True, slots=True)
class Replay:
    """One strategy with its account, and the bars that it is replayed on.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy to replay.
    trader : str
        Name of the trader whose account it is.
    capital : float
        Cash at the start, in money.
    panel : BarPanel
        Bars to replay.
    notes : tuple of str
        Notes on the bars.
    period : tuple of (date or None, date or None)
        First and last day that were asked for.
    """

    strategy: BacktestStrategy
    trader: str
    capital: float
    panel: BarPanel
    notes: tuple[str, ...]
    period: Period

    def run(self, trials: Trials | None, settings: ReplaySettings) -> BacktestResult:
        """Replay the bars and return what came of it.

        Parameters
        ----------
        trials : Trials or None
            Record of trials that the result belongs to.
        settings : ReplaySettings
            Costs, limits, and where orders fill.

        Raises
        ------
        BacktestError
            The strategy raises or returns nonsense; the message names the bar.
        """
        strategy, said = self.strategy, list(self.notes)
        if settings.fill is FillAt.NEXT_OPEN and not self.panel.has_ranges:
            settings = replace(settings, fill=FillAt.NEXT_CLOSE)
            said.append("the data have no opens: orders filled at the next close")
        elif settings.fill is FillAt.NEXT_OPEN:
            shown = [name for name in self.panel.closes_only if not name.endswith("_VOL")][:_SHOWN]
            said += [f"the data have no opens of {', '.join(shown)}: closes stand for them"] if shown else []
        if settings.fill is FillAt.CLOSE:
            said.append("orders filled at the close that their signals have seen")
        text = _text(strategy, settings)  # before the run, which may change it
        done = EventRun(strategy, self.panel, self.capital, settings, self.trader).run()
        was = done.account.history()
        unpriced = strategy.refusals if isinstance(strategy, ContextStrategy) else ()
        return BacktestResult(
            strategy.name,
            text,
            self.panel,
            was,
            tuple(done.fills),
            (*done.refusals, *unpriced),
            self.capital,
            settings.costs,
            settings.fill,
            done.engine.audit,
            (*said, *_remarks(self.panel, was, done.options.modelled), *_left(done)),
            self.period,
            self.trader,
            RunOrigin(strategy.code_hash, done.state_hash, settings, trials, partial(self._at_costs, settings)),
        )

    def _at_costs(self, settings: ReplaySettings, costs: Costs) -> BacktestResult:
        return self.run(None, replace(settings, costs=costs))


def require_bars(strategy: BacktestStrategy, panel: BarPanel) -> None:
    """Refuse a strategy one of whose tickers has no bars; rules of the engine do without.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy to replay.
    panel : BarPanel
        Bars to replay.

    Raises
    ------
    BacktestError
        A ticker has no bars.
    """
    missing = [ticker for ticker in strategy.inputs if ticker not in panel.tickers] if strategy.needs_inputs else []
    if missing:
        known = ", ".join(panel.tickers[:_SHOWN])
        raise BacktestError(f"there are no bars of {missing[0]!r:.40}; there are those of {known}", name=missing[0])


def _text(strategy: BacktestStrategy, settings: ReplaySettings) -> str:
    """Return a strategy with its settings, and those of the run that decide about orders."""
    said = [repr(strategy)]
    said += ["whole units"] if settings.whole_units else []
    said += [] if settings.limits is None else [repr(settings.limits)]
    return "; ".join(said)


def _remarks(panel: BarPanel, was: AccountHistory, modelled: set[str]) -> Iterator[str]:
    """Return notes on ruin, on loans, on volatilities that were modelled, and on prices that look unadjusted."""
    ruined, cash = was.equity <= 0.0, was.cash
    if ruined.any():
        yield f"equity was not above 0 from {panel.dates[int(ruined.argmax())]:%Y-%m-%d} on: ruin"
    if cash.min() < 0.0:
        yield f"cash was negative at {int((cash < 0.0).sum())} closes, at worst {cash.min():,.2f}: a loan"
    if modelled:
        names = ", ".join(sorted(modelled))
        yield f"implied volatilities of {names} are realised ones of up to a year: no quotes were given"
    if "adjusted" in panel.source:
        yield "prices are adjusted by the adjusted closes of the data"
    held = was.held != 0.0
    yield from _counted(panel, held & np.isnan(panel.close), "was held where it has no bar", "its last price counted")
    idle = held.any(axis=0) & (panel.volume == 0.0)
    yield from _counted(panel, idle, "has bars without volume", "nothing filled there")
    yield from jumps_of(panel, was.held)


def _counted(panel: BarPanel, bars: BoolArray, what: str, so: str) -> Iterator[str]:
    """Return notes on what is so of some bars, a note for each ticker with the number of bars and the first of them."""
    for j in np.flatnonzero(bars.any(axis=0)).tolist():
        first = panel.dates[int(bars[:, j].argmax())]
        yield f"{panel.tickers[j]} {what} ({int(bars[:, j].sum()):,} in all, first {first:%Y-%m-%d %H:%M}): {so}"


def _left(done: EventRun) -> Iterator[str]:
    """Return a note on orders that still worked after the last bar."""
    left = done.engine.working
    if left:
        names = ", ".join(dict.fromkeys(order.instrument_name for order in left))
        yield f"orders that had not filled at the end: {len(left):,}, in {names}"
