"""What a strategy sees: the bars up to now, and nothing after.

A :class:`Tape` copies one row of bars after another into arrays that are empty before. A :class:`Window` gives views of
them, so that a strategy cannot look ahead even by following a view to its base: what is still to come is not there.

Examples
--------
>>> from bank_python.backtester.bars import bars_of
>>> tape = Tape(bars_of({"A": [10.0, 11.0, 12.0]}))
>>> tape.reveal(0)
>>> tape.reveal(1)
>>> tape.window["A"].tolist(), tape.window.close.base.tolist()
([10.0, 11.0], [[10.0], [11.0], [nan]])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import BacktestError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from bank_python.backtester.bars import BarPanel
    from bank_python.numerics import FloatArray

__all__ = ["Tape", "Window"]

_PRICES = ("open", "high", "low", "close", "volume")


class Window(Mapping[str, "FloatArray"]):
    """The closes of each ticker up to now, oldest first, without bars that are missing; and the bars themselves.

    As a mapping it is what :meth:`SignalRule.generate <bank_python.trading_engine.SignalRule.generate>` takes.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._account: Callable[[], tuple[float, Mapping[str, float]]] = lambda: (0.0, {})

    def __getitem__(self, ticker: str) -> FloatArray:
        return self._tape.closes(ticker)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tape.tickers)

    def __len__(self) -> int:
        return len(self._tape.tickers)

    def __repr__(self) -> str:
        return f"<Window: {self.index + 1} bars of {len(self)} tickers, until {self.date:%Y-%m-%d %H:%M}>"

    @property
    def index(self) -> int:
        """Number of the present bar, from 0."""
        return self._tape.now

    @property
    def date(self) -> dt.datetime:
        """Time of the present bar, UTC."""
        return self._tape.date

    @property
    def open(self) -> FloatArray:
        """Opens up to now, shape (index + 1, n_tickers), NaN where a ticker has no bar."""
        return self._tape.until_now("open")

    @property
    def high(self) -> FloatArray:
        """Highs up to now, shape (index + 1, n_tickers)."""
        return self._tape.until_now("high")

    @property
    def low(self) -> FloatArray:
        """Lows up to now, shape (index + 1, n_tickers)."""
        return self._tape.until_now("low")

    @property
    def close(self) -> FloatArray:
        """Closes up to now, shape (index + 1, n_tickers)."""
        return self._tape.until_now("close")

    @property
    def volume(self) -> FloatArray:
        """Volumes up to now, shape (index + 1, n_tickers)."""
        return self._tape.until_now("volume")

    @property
    def equity(self) -> float:
        """Equity at the last closes, in money."""
        return self._account()[0]

    @property
    def units(self) -> Mapping[str, float]:
        """Units held by instrument, negative for short positions."""
        return self._account()[1]

    def is_quoted(self, ticker: str) -> bool:
        """Whether a ticker has a bar now.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        """
        return not np.isnan(self.close[-1, self._tape.column(ticker)])

    def follow(self, account: Callable[[], tuple[float, Mapping[str, float]]]) -> None:
        """Take equity and units from a function from now on.

        Parameters
        ----------
        account : callable
            Function that returns equity and units by instrument.
        """
        self._account = account


class Tape:
    """A panel of bars that is revealed one row after another.

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
        self._seen = {name: np.full(panel.close.shape, np.nan) for name in _PRICES}
        self._known = np.full(panel.close.shape, np.nan)
        self._counts = [0] * len(panel.tickers)
        self.window = Window(self)

    @property
    def date(self) -> dt.datetime:
        """Time of the present bar."""
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
            raise BacktestError(
                f"there are no bars of {ticker!r:.40}; there are those of {', '.join(self.tickers)}", name=ticker
            )
        return self._columns[ticker]

    def reveal(self, t: int) -> None:
        """Show the bars of a time, the next after the last one shown.

        Parameters
        ----------
        t : int
            Number of the time.
        """
        self.now = t
        for name, seen in self._seen.items():
            seen[t] = getattr(self._panel, name)[t]
        closes = self._panel.close[t]
        for j, count in enumerate(self._counts):
            if closes[j] == closes[j]:
                self._known[count, j] = closes[j]
                self._counts[j] = count + 1

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
        j = self._columns[ticker]
        return self._known[: self._counts[j], j]

    def until_now(self, name: str) -> FloatArray:
        """Return a field of the bars up to now, shape (now + 1, n_tickers).

        Parameters
        ----------
        name : str
            Name of the field: open, high, low, close or volume.
        """
        return self._seen[name][: self.now + 1]
