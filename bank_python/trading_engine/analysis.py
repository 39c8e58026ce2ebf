"""Retrospective analysis of trades: round trips, how well they were entered and left, and what chance could have done.

Examples
--------
>>> trades = [
...     {"instrument": "SPY", "side": "BUY", "quantity": 10, "price": 500.0, "time": "2026-01-05", "signal": "trend"},
...     {"instrument": "SPY", "side": "SELL", "quantity": 10, "price": 510.0, "time": "2026-01-09", "signal": "trend"},
... ]
>>> closes = {"SPY": [("2026-01-05", 500.0), ("2026-01-06", 490.0), ("2026-01-07", 515.0), ("2026-01-08", 512.0)]}
>>> trip = TradeAnalysis(trades, closes).round_trips[0]
>>> trip.gain, round(trip.mae, 4), round(trip.mfe, 4), round(trip.exit_efficiency, 4)
(100.0, -0.02, 0.03, 0.8)
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.plotting import Plotted, legend_beside, nothing, percent
from bank_python.results import Tabular
from bank_python.trading_engine.price_paths import price_paths
from bank_python.trading_engine.round_trips import RoundTrip, TripMatching, matched_lots, round_trip
from bank_python.trading_engine.trade_rows import as_moment, read_trades
from bank_python.trading_engine.trade_statistics import TradeGroups, TradeStatistics, trade_statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

    from bank_python.mntable import Table

__all__ = ["TradeAnalysis"]

_GROUPS = ("instrument", "trader", "signal", "regime")
_NONE = "none stated"
_COLUMNS = (
    *("instrument", "trader", "signal", "regime", "is_long", "quantity", "entry_time", "exit_time", "entry_price"),
    *("exit_price", "fees", "gain", "actual", "mae", "mfe", "entry_efficiency", "exit_efficiency", "capture"),
    *("hold_days", "slippage", "slippage_bps"),
)
_WORDS = frozenset({"instrument", "trader", "signal", "regime"})
_TIMES = frozenset({"entry_time", "exit_time"})


class TradeAnalysis(Plotted, Tabular):
    """Round trips of trades and their figures.

    Parameters
    ----------
    trades : frame, table, or iterable of mappings, fills or orders
        Fills with ``instrument``, ``quantity`` (negative for a sale, or with a ``side``), ``price`` and ``time``;
        optional ``fees``, ``multiplier``, ``expected_price`` (which slippage is measured against), ``trader``,
        ``signal`` and ``regime``. Or whole round trips with ``entry_price``, ``exit_price``, ``entry_time`` and
        ``exit_time``. Orders that were not filled are left out.
    prices : mapping or frame, optional
        Prices by instrument with their dates, for excursions: price histories or frames of bars, whose highs and lows
        are used, or closes.
    regimes : mapping, series or list of pairs, optional
        Regime by date, for trades that state none; the last one until the entry counts.
    matching : {"flat", "fifo"}, default "flat"
        Meaning of a round trip: all fills from leaving zero to zero again, or each matched lot.
    resamples : int, default 10,000
        Number of bootstrap samples.
    seed : int, default 0
        Seed of the bootstrap.

    Raises
    ------
    TradingError
        A trade, a price or an argument cannot be read; the message names it.
    """

    @admits(TradingError)
    def __init__(
        self,
        trades: Any,
        prices: Any = None,
        *,
        regimes: Any = None,
        matching: str | TripMatching = TripMatching.FLAT,
        resamples: int = 10_000,
        seed: int = 0,
    ) -> None:
        try:
            self.matching = TripMatching(matching)
        except ValueError:
            raise TradingError(f"matching={matching!r} is neither 'flat' nor 'fifo'", name="matching") from None
        if not 100 <= resamples <= 1_000_000 or seed < 0:  # noqa: PLR2004 - as trade_luck
            raise TradingError(
                f"resamples={resamples}, seed={seed}: give 100 to 1,000,000 resamples and a seed from 0 on"
            )
        rows = read_trades(trades)
        paths, regime_at = price_paths(prices), _regimes(regimes)
        trips, self.open_lots = matched_lots(rows, self.matching)
        self.round_trips: tuple[RoundTrip, ...] = tuple(
            round_trip(lots, paths.get(lots[0].entry.instrument), regime_at) for lots in trips
        )
        self.unfilled = rows.unfilled
        self._options = {"resamples": resamples, "seed": seed}

    def __iter__(self) -> Iterator[RoundTrip]:
        return iter(self.round_trips)

    def __len__(self) -> int:
        return len(self.round_trips)

    @property
    def statistics(self) -> TradeStatistics:
        """Figures of all round trips.

        Raises
        ------
        TradingError
            No round trip is complete.
        """
        if not self.round_trips:
            still = f"; {len(self.open_lots)} lots are still open" if self.open_lots else ""
            raise TradingError(f"no round trip is complete, so there are no figures{still}")
        return trade_statistics("all", self.round_trips, **self._options)

    @admits(TradingError)
    def by(self, key: str) -> TradeGroups:
        """Return the figures by instrument, trader, signal or regime.

        Parameters
        ----------
        key : {"instrument", "trader", "signal", "regime"}
            Name of the grouping.

        Raises
        ------
        TradingError
            The name is none of these.
        """
        if key not in _GROUPS:
            raise TradingError(f"key={key!r} is none of {', '.join(_GROUPS)}", name="key", value=key)
        groups: dict[str, list[RoundTrip]] = defaultdict(list)
        for trip in self.round_trips:
            groups[getattr(trip, key) or _NONE].append(trip)
        found = [trade_statistics(name, trips, **self._options) for name, trips in groups.items()]
        return TradeGroups(key, tuple(sorted(found, key=lambda one: (-one.total, one.name))))

    @property
    def without_prices(self) -> tuple[str, ...]:
        """Instruments of round trips without excursions, as no prices cover them."""
        return tuple(dict.fromkeys(trip.instrument for trip in self.round_trips if trip.mfe is None))

    def to_table(self) -> Table:
        """Return a table with a row for each round trip."""
        from bank_python.mntable import Table

        timed = any(isinstance(trip.exit_time, dt.datetime) for trip in self.round_trips)
        moment = dt.datetime if timed else dt.date

        def kind(name: str) -> Any:
            if name in _TIMES:
                return moment
            if name in _WORDS:
                return str if name == "instrument" else str | None
            return bool if name == "is_long" else float | None

        rows = [{name: getattr(trip, name) for name in _COLUMNS} for trip in self.round_trips]
        return Table.from_rows([(name, kind(name)) for name in _COLUMNS], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the return that each round trip made against the worst and the best that it had."""
        known = [trip for trip in self.round_trips if trip.mfe is not None]
        if not known:
            nothing(axes, "no excursions: prices= of the instruments are needed")
            return
        made = np.array([trip.actual for trip in known], dtype=np.float64)
        worst, best = (np.array([getattr(trip, name) for trip in known], dtype=np.float64) for name in ("mae", "mfe"))
        axes.plot(worst, made, linestyle="", marker="v", color="tab:red", label="worst (MAE)")
        axes.plot(best, made, linestyle="", marker="^", color="tab:green", label="best (MFE)")
        ends = np.array([min(worst.min(), made.min()), max(best.max(), made.max())])
        axes.plot(ends, ends, color="0.5", linewidth=0.8, label="left at worst or best")
        axes.axhline(0.0, color="black", linewidth=0.8)
        axes.set(xlabel="return while open", ylabel="return made", title=f"Excursions of {len(known):,} round trips")
        percent(axes.xaxis)
        percent(axes.yaxis)
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_trade_analysis import trade_analysis_view

        return trade_analysis_view(self)


def _regimes(regimes: Any) -> Callable[[dt.date], str]:
    """Return the function from a time to the last regime until then; empty text before the first."""
    if regimes is None:
        return lambda _: ""
    if hasattr(regimes, "items"):
        pairs = list(regimes.items())
    elif isinstance(regimes, Iterable) and not isinstance(regimes, str | bytes | Mapping):
        pairs = list(regimes)
    else:
        raise TradingError(f"regimes={regimes!r} are no regimes by date; give a mapping or a series", name="regimes")
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):  # noqa: PLR2004 - date and regime
        raise TradingError("regimes are not pairs of a date and a regime; give a mapping or a series", name="regimes")
    known = sorted(
        ((_time(as_moment(moment, "regimes")), str(word)) for moment, word in pairs), key=lambda pair: pair[0]
    )
    times = [moment for moment, _ in known]

    def regime_at(moment: dt.date) -> str:
        place = bisect.bisect_right(times, _time(moment))
        return known[place - 1][1] if place else ""

    return regime_at


def _time(moment: dt.date) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.combine(moment, dt.time(), tzinfo=dt.UTC)
