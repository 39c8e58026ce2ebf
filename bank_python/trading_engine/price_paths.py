"""Prices during a trade: the best and the worst that it could have had.

Only prices that were quoted while the trade was open count. Of the first bar after an entry only the close does, as its
high and low may have been before; of the day of the exit only the price of the exit. Daily bars are compared by days,
others by their times, which are those of their ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import MacroError, TradingError
from bank_python.macro.panel import dated_series
from bank_python.market_data.feed import PriceHistory
from bank_python.trading_engine.trade_rows import as_moment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["PricePath", "price_paths", "with_moments"]


@dataclass(frozen=True, slots=True, eq=False)
class PricePath:
    """Prices of one instrument.

    Parameters
    ----------
    times : ndarray of datetime64, shape (n,)
        Times in UTC, ascending.
    high, low, close : ndarray, shape (n,)
        Prices of the bars; all the same where only closes are known.
    """

    times: NDArray[Any]
    high: FloatArray
    low: FloatArray
    close: FloatArray

    def range(self, since: dt.date, until: dt.date) -> tuple[float, float] | None:
        """Return the highest and the lowest price between two times; None if none is known."""
        days = self.times.astype("datetime64[D]")
        if (days == self.times).all():
            first, last = (np.datetime64(moment.isoformat()[:10]) for moment in (since, until))
            inside = np.flatnonzero((self.times >= first) & (self.times < last))
        else:
            first, last = _utc(since), _utc(until)
            inside = np.flatnonzero((self.times > first) & (self.times <= last))
        if not inside.size:
            return None
        start, rest = inside[0], inside[1:]
        highest = max(float(self.close[start]), float(self.high[rest].max(initial=-np.inf)))
        lowest = min(float(self.close[start]), float(self.low[rest].min(initial=np.inf)))
        return highest, lowest

    def covers(self, since: dt.date, until: dt.date) -> bool:
        """Return whether the prices begin by the entry and last until the day before the exit."""
        first, last = np.datetime64(since.isoformat()[:10]), np.datetime64(until.isoformat()[:10])
        slack = np.timedelta64(_GAP, "D")
        return bool(
            len(self.times) and self.times[0] <= first + np.timedelta64(1, "D") and self.times[-1] >= last - slack
        )


_GAP = 4  # days: a weekend and a holiday


def _utc(moment: dt.date) -> np.datetime64:
    if isinstance(moment, dt.datetime):
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return np.datetime64(moment)


def price_paths(prices: Any) -> dict[str, PricePath]:
    """Return prices by instrument.

    Parameters
    ----------
    prices : mapping, frame, price history table or list of price histories
        Price histories, whose highs and lows are used, or closes with their dates, by instrument; None for no prices.

    Raises
    ------
    TradingError
        The form is none of these, or a date or figure cannot be read.
    """
    if prices is None:
        return {}
    if isinstance(prices, PriceHistory):
        prices = {prices.symbol: prices}
    given = dict(prices.items()) if isinstance(prices, Mapping) else None
    bars = {} if given is None else {name: one for name, one in given.items() if _has_bars(one)}
    closes = prices if given is None else {name: one for name, one in given.items() if name not in bars}
    paths = {str(name): _of_bars(str(name), one) for name, one in bars.items()}
    if closes is prices or closes:
        try:
            series = dated_series(with_moments(closes))
        except MacroError as error:
            raise TradingError(f"prices: {error}", name="prices") from error
        paths |= {name: PricePath(_fine(dates), values, values, values) for name, (dates, values) in series.items()}
    return paths


def _has_bars(one: Any) -> bool:
    if isinstance(one, PriceHistory):
        return bool(one.bars)
    return hasattr(one, "columns") and {"high", "low", "close"} <= {str(name).lower() for name in one.columns}


def _of_bars(name: str, one: Any) -> PricePath:
    if isinstance(one, PriceHistory):
        times = [_utc(bar.date) for bar in one.bars]
        figures = [
            (bar.high if bar.high is not None else bar.close, bar.low if bar.low is not None else bar.close, bar.close)
            for bar in one.bars
        ]
        high, low, close = np.array(figures, dtype=np.float64).T
        dates = np.array(times, dtype="datetime64[us]")
    else:
        columns = {str(column).lower(): column for column in one.columns}
        high, low, close = (np.asarray(one[columns[key]], dtype=np.float64) for key in ("high", "low", "close"))
        dates = _of_index(name, one.index)
    known = np.isfinite(high) & np.isfinite(low) & np.isfinite(close)
    dates, high, low, close = dates[known], high[known], low[known], close[known]
    if (np.diff(dates) <= np.timedelta64(0, "us")).any():
        raise TradingError(f"prices of {name}: the dates do not ascend; sort them, each once", name=name)
    if (low > high).any():
        raise TradingError(f"prices of {name}: a low is above the high of its bar; correct it", name=name)
    return PricePath(dates, high, low, close)


def _of_index(name: str, index: Any) -> NDArray[Any]:
    if getattr(index.dtype, "kind", "") != "M":
        raise TradingError(f"prices of {name}: the index of the frame holds no dates; set it to the dates", name=name)
    zoned = getattr(index, "tz", None) is not None
    return np.asarray((index.tz_convert(None) if zoned else index).to_numpy()).astype("datetime64[us]")


def _fine(dates: NDArray[Any]) -> NDArray[Any]:
    return dates.astype("datetime64[us]")


def with_moments(prices: Any) -> Any:
    """Return prices with ISO texts as dates, where they are lists of pairs by instrument; others as they are.

    Parameters
    ----------
    prices : mapping or anything with prices
        Prices by instrument.

    Raises
    ------
    TradingError
        A text is no ISO date.
    """
    if not isinstance(prices, Mapping):
        return prices
    return {name: _pairs(str(name), one) if isinstance(one, list | tuple) else one for name, one in prices.items()}


def _pairs(name: str, pairs: Any) -> Any:
    if not any(isinstance(pair, tuple | list) and pair and isinstance(pair[0], str) for pair in pairs):
        return pairs
    return [(as_moment(pair[0], f"prices of {name}: the date"), *pair[1:]) for pair in pairs]
