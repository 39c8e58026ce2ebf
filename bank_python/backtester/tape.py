"""The bars of a replay up to the present one, and figures of the last closes.

A :class:`Tape` copies bars into arrays that are empty before, when they are asked for, up to the present one: what is
still to come is not there, not even in the base of a view. Single figures are read without arrays.

Examples
--------
>>> from bank_python.backtester.bars import bars_of
>>> tape = Tape(bars_of({"A": [10.0, 11.0, 12.0]}))
>>> tape.now = 1
>>> tape.closes("A").tolist(), tape.until_now("close").base.tolist(), tape.last("A")
([10.0, 11.0], [[10.0], [11.0], [nan]], 11.0)
"""

from __future__ import annotations

import datetime as dt
import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bank_python.backtester.bars import read_only
from bank_python.backtester.periods import infer_periods_per_year
from bank_python.backtester.rolling import rolling_mean, rolling_volatility
from bank_python.errors import BacktestError
from bank_python.trading_engine.checks import whole_number

if TYPE_CHECKING:
    from bank_python.backtester.bars import BarPanel
    from bank_python.numerics import FloatArray

__all__ = ["Tape"]

_SHOWN = 8  # tickers in a message


class Tape:
    """A panel of bars that is revealed one row after another: the present one is ``now``, -1 before the first.

    Parameters
    ----------
    panel : BarPanel
        Bars to reveal.
    """

    def __init__(self, panel: BarPanel) -> None:
        self._panel = panel
        self.tickers = panel.tickers
        self.now = -1
        self._columns = {ticker: j for j, ticker in enumerate(panel.tickers)}
        self._fields: dict[str, _Field] = {}
        self._closes: dict[str, _Closes] = {}
        self.lasts: dict[str, list[float]] = {}
        self.means: dict[tuple[str, int], list[float]] = {}
        self._vols: dict[tuple[str, int, int], list[float]] = {}
        self._periods: dict[tuple[str, int], float] = {}

    @property
    def date(self) -> dt.datetime:
        """Time of the present bar."""
        if self.now < 0:
            raise BacktestError("there is no bar yet; ask for its date in on_bar", name="date")
        return self._panel.dates[self.now]

    def column(self, ticker: str) -> int:
        """Return the number of a ticker's column.

        Parameters
        ----------
        ticker : str
            Name of the ticker.

        Raises
        ------
        BacktestError
            There is none of that name.
        """
        if ticker not in self._columns:
            raise BacktestError(self._absent(ticker), name=ticker)
        return self._columns[ticker]

    @cached_property
    def is_daily(self) -> bool:
        """Whether bars are of whole days."""
        return all(when.time() == dt.time() for when in self._panel.dates)

    @cached_property
    def last_closes(self) -> FloatArray:
        """Last known close at each time of the panel, shape (n_bars, n_tickers): for the replay, not for strategies."""
        return self._panel.last_closes

    def last(self, ticker: str, bars_ago: int = 0) -> float:
        """Return the last known close of a ticker, NaN before its first bar.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        bars_ago : int, default 0
            Number of bars before the present one.
        """
        return self._at(self.lasts.get(ticker) or self.lasts_of(ticker), bars_ago)

    def lasts_of(self, ticker: str) -> list[float]:
        """Return, and keep, the last known close of a ticker at each bar; at its end NaN, for before the first bar.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        """
        known = self.lasts[ticker] = [*self._panel.last_closes[:, self.column(ticker)].tolist(), np.nan]
        return known

    def means_of(self, ticker: str, bars: int) -> list[float]:
        """Return, and keep, the mean of a ticker's last closes at each bar; at its end NaN, for before the first bar.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        bars : int
            Number of closes, at least 1.
        """
        closes = self._panel.close[:, self.column(ticker)]
        known = self.means[ticker, bars] = [*rolling_mean(closes, bars).tolist(), np.nan]
        return known

    def volatility(self, ticker: str, fewest: int, most: int, bars_ago: int = 0) -> float:
        """Return the realised volatility of a ticker's last returns a year, NaN while it has too few.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        fewest, most : int
            Least and largest number of log returns.
        bars_ago : int, default 0
            Number of bars before the present one.
        """
        known = self._vols.get((ticker, fewest, most))
        if known is None:
            closes, most_known = self._panel.close[:, self.column(ticker)], whole_number("bars", most, 1)
            known = self._vols[ticker, fewest, most] = rolling_volatility(closes, fewest, most_known).tolist()
        return self._at(known, bars_ago) * math.sqrt(self._periods_per_year(ticker))

    def _periods_per_year(self, ticker: str) -> float:
        """Return the bars that a ticker has in a year, by those up to now: anew whenever their number has doubled."""
        count = 1 << max(self.now + 1, 2).bit_length() - 1
        if (ticker, count) not in self._periods:
            rows = np.flatnonzero(~np.isnan(self._panel.close[:count, self.column(ticker)])).tolist()
            dates = [self._panel.dates[t] for t in rows] if len(rows) > 1 else self._panel.dates[:count]
            self._periods[ticker, count] = infer_periods_per_year(dates).value
        return self._periods[ticker, count]

    def _absent(self, ticker: str) -> str:
        known = ", ".join(self.tickers[:_SHOWN])
        hint = f"; bars without a name are ASSET: give data={{{ticker!r:.40}: …}}" if self.tickers == ("ASSET",) else ""
        return f"there are no bars of {ticker!r:.40}; there are those of {known}{hint}"

    def _at(self, known: list[float], bars_ago: int) -> float:
        """Return the figure of a bar, NaN before the first."""
        t = self.now - bars_ago
        return known[t] if t >= 0 else np.nan

    def is_quoted(self, ticker: str) -> bool:
        """Return whether a ticker has a bar now.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        """
        return self.now >= 0 and not math.isnan(self._panel.close[self.now, self.column(ticker)])

    def is_traded(self, ticker: str) -> bool:
        """Return whether a ticker has a bar now that is not one without volume; an unknown volume is none to be 0.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        """
        return self.is_quoted(ticker) and self._panel.volume[self.now, self.column(ticker)] != 0.0

    def closes(self, ticker: str) -> FloatArray:
        """Return the closes of a ticker up to now, without bars that are missing.

        Parameters
        ----------
        ticker : str
            Name of the ticker.

        Raises
        ------
        KeyError
            There is none of that name.
        """
        if ticker not in self._columns:
            raise KeyError(self._absent(ticker))
        known = self._closes.get(ticker)
        if known is None:
            known = self._closes[ticker] = _Closes(self._panel.close[:, self._columns[ticker]])
        return known.until(self.now + 1)

    def until_now(self, name: str) -> FloatArray:
        """Return a field of the bars up to now, shape (now + 1, n_tickers).

        Parameters
        ----------
        name : str
            Name of the field: open, high, low, close or volume.
        """
        known = self._fields.get(name)
        if known is None:
            known = self._fields[name] = _Field(getattr(self._panel, name))
        return known.until(self.now + 1)


class _Field:
    """Rows of an array that are copied when they are asked for; those after them are NaN."""

    def __init__(self, source: FloatArray) -> None:
        self._source, self._copied = source, 0
        self._seen = np.full(source.shape, np.nan)
        self._shown = read_only(self._seen.view())

    def until(self, end: int) -> FloatArray:
        """Return the rows before one."""
        if end > self._copied:
            self._seen[self._copied : end] = self._source[self._copied : end]
            self._copied = end
        return self._shown[:end]


class _Closes:
    """Closes of one ticker, without missing bars, that are copied when they are asked for."""

    def __init__(self, source: FloatArray) -> None:
        is_known = ~np.isnan(source)
        self._places = np.concatenate([[0], np.cumsum(is_known)]).tolist()  # number of closes before each row
        self._field = _Field(source[is_known])

    def until(self, end: int) -> FloatArray:
        """Return the closes before a row."""
        return self._field.until(self._places[end])
