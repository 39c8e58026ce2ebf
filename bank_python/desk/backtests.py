"""Back-tests of the traders' strategies on the histories of the desk's feeds.

To add a strategy, add a line to :data:`BACKTESTS`. The default universes are what the traders hold: Alice's shares,
the underlyings of Bob's options, Charlie's pairs, and Diana's funds and currencies that are quoted in dollars.

Examples
--------
>>> BACKTESTS["stat_arb"].make(["JPM/GS"])
StatArbBacktest(pairs=(('JPM', 'GS'),), lookback=60, z_threshold=2.0, exit_z=0.5, leg=0.2, trade_qty=None)
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.backtester import Backtester, MacroBacktest, MomentumBacktest, StatArbBacktest, VolArbBacktest
from bank_python.desk.assets import with_common_past
from bank_python.desk.strategies import PAIRS, TICKERS
from bank_python.display import Record
from bank_python.errors import BacktestError, DeskError
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.numerics.dates import as_date
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_python.backtester import BacktestResult, BacktestStrategy
    from bank_python.desk.desk import Desk

__all__ = ["BACKTESTS", "DeskBacktest", "backtest_of", "desk_bars", "run_backtest"]

_RECENT, _WHOLE = "2y", "max"
_SIMULATED = "simulated"
_INVESTED = 0.9
_STRADDLES = 2.0  # of each ticker: on 200 shares
_WEEK = 5
_LENGTHS, _DAYS_A_YEAR = (2, 5, 10), 365.25
_HOLIDAY = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DeskBacktest(Record):
    """A strategy of the desk that can be tested.

    Parameters
    ----------
    name : str
        Name of the strategy.
    trader : str
        Name of the trader whose strategy it is.
    universe : tuple of str
        Tickers by default, or pairs of them such as ``"JPM/GS"``.
    make : callable
        Function that makes the strategy of such a universe.
    """

    name: str
    trader: str
    universe: tuple[str, ...]
    make: Callable[[Sequence[str]], BacktestStrategy]


def _momentum(universe: Sequence[str]) -> BacktestStrategy:
    return MomentumBacktest(universe, lookback=20, top_n=3, weight=_INVESTED, every=_WEEK)


def _stat_arb(universe: Sequence[str]) -> BacktestStrategy:
    return StatArbBacktest([_pair(item) for item in universe])


def _vol_arb(universe: Sequence[str]) -> BacktestStrategy:
    return VolArbBacktest(universe, trade_qty=_STRADDLES)


def _macro(universe: Sequence[str]) -> BacktestStrategy:
    return MacroBacktest(universe)


BACKTESTS: dict[str, DeskBacktest] = {
    test.name: test
    for test in (
        DeskBacktest("momentum", "Alice", TICKERS["momentum"], _momentum),
        DeskBacktest("vol_arb", "Bob", TICKERS["vol_arb"], _vol_arb),
        DeskBacktest("stat_arb", "Charlie", tuple("/".join(pair) for pair in PAIRS["stat_arb"]), _stat_arb),
        DeskBacktest("macro", "Diana", ("SPY", "TLT", "EURUSD"), _macro),
    )
}
"""Strategies by name."""


def backtest_of(name: str) -> DeskBacktest:
    """Return a strategy of the desk by its name.

    Parameters
    ----------
    name : str
        Name of a strategy of :data:`BACKTESTS`, in any spelling of ``stat_arb``, ``stat-arb``.

    Raises
    ------
    DeskError
        There is none of that name.
    """
    key = name.strip().lower().replace("-", "_")
    if key not in BACKTESTS:
        hint = did_you_mean(name, BACKTESTS, f"choose one of {', '.join(BACKTESTS)}, or all")
        raise DeskError(f"there is no back-test of the strategy {name!r:.40}; {hint}", name=name, value=name)
    return BACKTESTS[key]


def desk_bars(desk: Desk, tickers: Sequence[str], period: str = _RECENT) -> PriceHistoryTable:
    """Return the daily bars of some tickers from the desk's feeds, apart from the histories that the desk keeps.

    Parameters
    ----------
    desk : Desk
        Desk that quotes them.
    tickers : sequence of str
        Names of the tickers.
    period : str, default "2y"
        Length of the histories, as :meth:`~bank_python.market_data.MarketDataManager.load_history` takes it.

    Raises
    ------
    BankError
        A feed does not have a ticker, or cannot be reached.
    """
    bars = PriceHistoryTable()
    for ticker in tickers:
        desk.market.load_history(ticker, period, into=bars)
    return bars


def run_backtest(
    desk: Desk,
    name: str,
    *,
    start: dt.date | str | None = None,
    end: dt.date | str | None = None,
    universe: Sequence[str] | None = None,
    **settings: Any,
) -> BacktestResult:
    """Run a strategy of the desk on the histories of its feeds.

    Parameters
    ----------
    desk : Desk
        Desk with the feeds.
    name : str
        Name of a strategy of :data:`BACKTESTS`.
    start, end : date or ISO 8601 text, optional
        First and last day, both included; the last two years of the histories by default.
    universe : sequence of str, optional
        Tickers, or pairs such as ``"JPM/GS"``; by default those that the trader holds, as far as they are quoted.
    **settings
        Further settings of :class:`~bank_python.backtester.Backtester`.

    Raises
    ------
    BankError
        There is no such strategy, a ticker has no history, or a date or a setting cannot be read.
    """
    chosen = backtest_of(name)
    items = _quoted(desk, chosen.universe) if universe is None else tuple(universe)
    strategy = chosen.make(items)
    bars = desk_bars(desk, strategy.inputs, _period(desk, start, end))
    result = Backtester(strategy, start, end, data=bars, **settings).run()
    notes = (_source(desk, strategy.inputs), *_shorter(result, start, end), *result.notes)
    return dataclasses.replace(result, notes=notes)


def _period(desk: Desk, start: dt.date | str | None, end: dt.date | str | None) -> str:
    """Return the shortest length of histories that begin on a date or before."""
    if start is None:
        return _RECENT if end is None else _WHOLE
    years = (desk.clock.date - as_date(start, BacktestError, "start")).days / _DAYS_A_YEAR
    return next((f"{length}y" for length in _LENGTHS if years < length), _WHOLE)


def _shorter(result: BacktestResult, start: dt.date | str | None, end: dt.date | str | None) -> list[str]:
    """Say where the histories end before the period that was asked for, by more than a holiday."""
    first, last = result.dates[0].date(), result.dates[-1].date()
    said = []
    if start is not None and first - as_date(start, BacktestError, "start") > _HOLIDAY:
        said.append(f"the histories begin on {first}, after {start}")
    if end is not None and as_date(end, BacktestError, "end") - last > _HOLIDAY:
        said.append(f"the histories end on {last}, before {end}")
    return said


def _quoted(desk: Desk, universe: Sequence[str]) -> tuple[str, ...]:
    """Return what of a universe the desk quotes by one feed."""
    tickers = list(dict.fromkeys(ticker for item in universe for ticker in item.split("/")))
    known = with_common_past(desk, tickers)
    left = tuple(item for item in universe if all(ticker in known for ticker in item.split("/")))
    if not left:
        raise DeskError(
            f"the {desk.feed.name} market quotes none of {', '.join(universe)}; give other tickers",
            value=tuple(universe),
        )
    return left


def _source(desk: Desk, tickers: Sequence[str]) -> str:
    """Return where prices come from, naming those that are simulated among others."""
    feeds = {
        ticker: desk.listings[ticker].feed.name if ticker in desk.listings else desk.feed.name for ticker in tickers
    }
    invented = [ticker for ticker, feed in feeds.items() if feed == _SIMULATED]
    if len(invented) == len(feeds):
        return "simulated prices, not those of a market"
    said = f"prices of {', '.join(sorted(set(feeds.values()) - {_SIMULATED}))}"
    return f"{said}, but those of {', '.join(invented)} simulated" if invented else said


def _pair(item: str) -> tuple[str, str]:
    first, slash, second = (part.strip() for part in item.partition("/"))
    if not (first and slash and second):
        raise DeskError(f"{item!r:.40} is no pair of tickers; write JPM/GS", value=item)
    return first, second
