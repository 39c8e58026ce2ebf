"""Results of back-tests in the store: written once, listed, and shown again as the tearsheets that they were.

=====================================================  ==========================================================
key                                                    value
=====================================================  ==========================================================
/Backtest/results/{strategy}/{start}_{end}/{time}      metrics of the tearsheet by name
/Backtest/curves/{strategy}/{start}_{end}/{time}       :class:`StoredResult`: equity with its dates, fills, costs
=====================================================  ==========================================================

Both are written in one transaction. The time is when the result was stored, UTC; a result is given the next
microsecond after the last one if the clock says no later, so that no result replaces another.

Examples
--------
>>> from bank_python.backtester import Backtester
>>> from bank_python.barbara import BarbaraDB
>>> data = {"A": [10.0, 11.0, 12.0, 12.5]}
>>> result = Backtester(lambda window: {"A": 0.5}, data=data).run()
>>> with BarbaraDB.open("desk", path=":memory:") as store:
...     key = store_result(store, result)
...     again = last_result(store)
...     store[key]["total_return"] == again.tearsheet()["total_return"] == result.tearsheet()["total_return"]
True
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote

from bank_python.admission import admits
from bank_python.backtester.finished_run import checked_run
from bank_python.backtester.return_figures import finite_or_none
from bank_python.backtester.series_dates import times_of
from bank_python.backtester.tearsheet import make_tearsheet
from bank_python.barbara import storable
from bank_python.display import Record
from bank_python.errors import BacktestError
from bank_python.market_data.utc import utc_now
from bank_python.mntable import Table
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.trading_engine import TradeAnalysis
from bank_python.trading_engine.trade_rows import read_trades

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from bank_python.backtester.account import Settlement
    from bank_python.backtester.result import BacktestResult
    from bank_python.backtester.tearsheet import Tearsheet
    from bank_python.barbara import BarbaraDB
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine import Fill

__all__ = [
    "CURVES",
    "RESULTS",
    "StoredResult",
    "last_keys",
    "last_result",
    "read_result",
    "store_result",
    "stored_results",
]

RESULTS = "/Backtest/results/"
"""Prefix of the keys of metrics."""

CURVES = "/Backtest/curves/"
"""Prefix of the keys of what the metrics are computed from."""

_SIMULATED = "simulated"
_TIME = "%Y-%m-%dT%H:%M:%S.%f"
_FILLS = {
    **dict.fromkeys(("instrument", "trader", "signal"), str),
    **dict.fromkeys(("quantity", "price", "fees", "multiplier"), float),
    "expected": float | None,
    "time": dt.datetime,
}


Moment: TypeAlias = dt.datetime
Times: TypeAlias = "np.ndarray[Any, Any]"


@storable("backtester.StoredResult", version=1)
@dataclass(frozen=True, slots=True, eq=False)
class StoredResult(Record):
    """A result of a back-test as it is stored.

    Parameters
    ----------
    strategy, settings : str
        Name of the strategy, and the strategy with its settings, as text.
    tickers : tuple of str
        Names of the tickers.
    start, end : datetime
        Times of the first and of the last bar, UTC.
    saved : datetime
        Time at which the result was stored, UTC.
    times : ndarray of datetime64, shape (n_bars,)
        Time of each bar, UTC.
    equity : ndarray, shape (n_bars,)
        Equity at each close, in money.
    fills : Table
        Rows of the fills: instrument, trader, signal, signed quantity, price, fees, multiplier, expected price, time.
    initial_cash : float
        Cash at the start, in money.
    exposure : float or None
        Mean exposure as a share of equity, up to any ruin; None if it is not known.
    cost : float
        Fees and slippage of all fills, in money.
    fill : str
        Price at which market orders filled.
    risk_free_rate : float
        Risk-free rate per year of the metrics, as a decimal.
    fingerprint : str
        Fingerprint of data, settings, costs and the version of the library.
    notes : tuple of str
        Notes on the run for its reader.
    settlements : Table, optional
        Rows of the options that were held when they expired, as trades at their final value, like the fills.
    turnover : float, optional
        Turnover a year as a multiple of equity.
    """

    strategy: str
    settings: str
    tickers: tuple[str, ...]
    start: Moment
    end: Moment
    saved: Moment
    times: Times
    equity: FloatArray
    fills: Table
    initial_cash: float
    exposure: float | None
    cost: float
    fill: str
    risk_free_rate: float
    fingerprint: str
    notes: tuple[str, ...] = ()
    settlements: Table | None = None
    turnover: float | None = None

    @property
    def dates(self) -> tuple[dt.datetime, ...]:
        """Start of each bar, UTC."""
        return tuple(time.replace(tzinfo=dt.UTC) for time in self.times.tolist())

    @property
    def final_value(self) -> float:
        """Equity at the last close."""
        return float(self.equity[-1])

    @property
    def trade_count(self) -> int:
        """Number of fills."""
        return len(self.fills)

    @property
    def is_simulated(self) -> bool:
        """Whether a note says that prices were simulated, all or some."""
        return any(_SIMULATED in note for note in self.notes)

    @property
    def key(self) -> str:
        """Key of the metrics in the store."""
        return RESULTS + _tail(self.strategy, self.start, self.end, self.saved)

    @admits(BacktestError)
    def tearsheet(
        self, benchmark: Any = None, *, risk_free_rate: float | None = None, periods_per_year: float | None = None
    ) -> Tearsheet:
        """Return the tearsheet, with the same figures as that of the run.

        Parameters
        ----------
        benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory, optional
            Levels of a benchmark; those on common dates count.
        risk_free_rate : float, optional
            Risk-free rate per year, as a decimal; by default that of the stored metrics.
        periods_per_year : float, optional
            Number of periods in a year; by default inferred from the dates.

        Raises
        ------
        BacktestError
            The benchmark or a setting cannot be read.
        """
        trades = [*self.fills, *(self.settlements or ())]
        return make_tearsheet(
            self.equity,
            self.dates,
            trades=TradeAnalysis(trades) if trades else None,
            benchmark=benchmark,
            risk_free_rate=self.risk_free_rate if risk_free_rate is None else risk_free_rate,
            periods_per_year=periods_per_year,
            turnover=self.turnover,
            exposure=self.exposure,
            costs=self.cost,
            initial_capital=self.initial_cash,
            title=self.strategy,
        )


@admits(BacktestError)
def store_result(
    db: BarbaraDB,
    result: BacktestResult,
    *,
    risk_free_rate: float = RISK_FREE_RATE,
    now: Callable[[], dt.datetime] = utc_now,
) -> str:
    """Write a result to a store and return the key of its metrics.

    Parameters
    ----------
    db : BarbaraDB
        Store, whose first ring is written to.
    result : BacktestResult
        Result of a back-test.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year of the metrics, as a decimal.
    now : callable, optional
        Clock that gives the time of storing, UTC.

    Raises
    ------
    BacktestError
        It is no result, or a figure is out of range.
    StoreError
        The store cannot be written to; nothing was written.
    """
    checked_run(result)
    metrics = result.tearsheet(risk_free_rate=risk_free_rate).metrics
    with db.transaction():
        stored = _stored(result, metrics, risk_free_rate, _next_time(db, now()))
        tail = _tail(stored.strategy, stored.start, stored.end, stored.saved)
        db.update({RESULTS + tail: metrics, CURVES + tail: stored})
    return RESULTS + tail


@admits(BacktestError)
def stored_results(db: BarbaraDB, strategy: str | None = None) -> tuple[StoredResult, ...]:
    """Return the results in a store in the order in which they were stored.

    Parameters
    ----------
    db : BarbaraDB
        Store to read.
    strategy : str, optional
        Name of one strategy; all by default.

    Raises
    ------
    BacktestError
        A value under the keys of results is none; the message names the key.
    """
    return tuple(_read(db, key) for key in _keys(db, strategy))


@admits(BacktestError)
def last_result(db: BarbaraDB, strategy: str | None = None) -> StoredResult | None:
    """Return the result that was stored last; None if there is none.

    Parameters
    ----------
    db : BarbaraDB
        Store to read.
    strategy : str, optional
        Name of one strategy; all by default.

    Raises
    ------
    BacktestError
        The value under the last key is no result; the message names the key.
    """
    keys = _keys(db, strategy)
    return _read(db, keys[-1]) if keys else None


@admits(BacktestError)
def last_keys(db: BarbaraDB) -> dict[str, str]:
    """Return the key of the metrics of the result that was stored last, by strategy, in the order of storing.

    Nothing but keys is read, so that it can be asked often.

    Parameters
    ----------
    db : BarbaraDB
        Store to read.
    """
    found: dict[str, str] = {}
    for key in _keys(db, None):
        tail = key.removeprefix(CURVES)
        strategy = unquote(tail.partition("/")[0])
        found.pop(strategy, None)
        found[strategy] = RESULTS + tail
    return found


@admits(BacktestError)
def read_result(db: BarbaraDB, key: str) -> StoredResult:
    """Return the result of a key.

    Parameters
    ----------
    db : BarbaraDB
        Store to read.
    key : str
        Key of the metrics, as :func:`store_result` and :func:`last_keys` return it.

    Raises
    ------
    BacktestError
        There is no result of that key.
    """
    place = CURVES + key.removeprefix(RESULTS)
    if not key.startswith(RESULTS) or place not in db:
        raise BacktestError(f"no result of a back-test is stored under {key!r:.80}; last_keys has the keys", name=key)
    return _read(db, place)


def _keys(db: BarbaraDB, strategy: str | None) -> Sequence[str]:
    prefix = CURVES if strategy is None else f"{CURVES}{quote(strategy, safe=' ')}/"
    return sorted(db.keys(prefix), key=_time_in)


def _read(db: BarbaraDB, key: str) -> StoredResult:
    found = db[key]
    if not isinstance(found, StoredResult):
        raise BacktestError(f"{key!r} holds no result of a back-test; delete the key, or restore a copy", name=key)
    return found


def _stored(
    result: BacktestResult, metrics: Mapping[str, Any], risk_free_rate: float, saved: dt.datetime
) -> StoredResult:
    return StoredResult(
        strategy=result.strategy,
        settings=result.settings,
        tickers=tuple(result.panel.tickers),
        start=result.dates[0],
        end=result.dates[-1],
        saved=saved,
        times=times_of(result.dates),
        equity=result.equity,
        fills=_trade_table(result.fills),
        initial_cash=float(result.initial_cash),
        exposure=finite_or_none(metrics["exposure"]),
        cost=float(result.cost),
        fill=str(result.fill.value),
        risk_free_rate=float(risk_free_rate),
        fingerprint=result.fingerprint,
        notes=tuple(result.notes),
        settlements=_trade_table(result.account.settlements),
        turnover=finite_or_none(metrics["turnover"]),
    )


def _trade_table(trades: Sequence[Fill | Settlement]) -> Table:
    rows = [
        {name: fill.tags.get(name, "") if name in {"trader", "signal"} else getattr(fill, name) for name in _FILLS}
        for fill in read_trades(trades).fills
    ]
    return Table.from_rows(list(_FILLS.items()), rows)


def _next_time(db: BarbaraDB, now: dt.datetime) -> dt.datetime:
    """Return the present time, or a microsecond after the last result if that is later."""
    last = next((time for key in reversed(_keys(db, None)) if (time := _saved(key)) is not None), None)
    return now if last is None else max(now, last + dt.timedelta(microseconds=1))


def _saved(key: str) -> dt.datetime | None:
    """Return the time in a key, None if the key is no result's."""
    try:
        return dt.datetime.strptime(_time_in(key), _TIME).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _time_in(key: str) -> str:
    return key.rpartition("/")[2]


def _tail(strategy: str, start: dt.datetime, end: dt.datetime, saved: dt.datetime) -> str:
    period = f"{start.date().isoformat()}_{end.date().isoformat()}"
    return f"{quote(strategy, safe=' ')}/{period}/{saved.astimezone(dt.UTC).strftime(_TIME)}"
