"""What a strategy sees: the bars up to now, and nothing after.

A :class:`Window` gives views of a :class:`~bank_python.backtester.tape.Tape`, so that a strategy cannot look ahead even
by following a view to its base. Single figures, :meth:`Window.last` and :meth:`Window.mean`, are read without arrays.

Examples
--------
>>> from bank_python.backtester.bars import bars_of
>>> from bank_python.backtester.tape import Tape
>>> tape = Tape(bars_of({"A": [10.0, 11.0, 12.0]}))
>>> window = Window(tape)
>>> tape.now = 1
>>> window["A"].tolist(), window.close.base.tolist(), window.mean("A", 2)
([10.0, 11.0], [[10.0], [11.0], [nan]], 10.5)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt

    from bank_python.backtester.tape import Tape
    from bank_python.numerics import FloatArray

__all__ = ["AccountView", "OptionView", "Window"]


class AccountView(Protocol):
    """What a strategy sees of its account."""

    @property
    def equity_now(self) -> float:
        """Equity at the last closes, in money."""

    @property
    def held_units(self) -> Mapping[str, float]:
        """Units held by instrument."""


class OptionView(Protocol):
    """What a strategy sees of options."""

    def implied_vol(self, ticker: str) -> float:
        """Return the implied volatility of a ticker a year."""

    def delta(self, name: str) -> float:
        """Return the units of the underlying that move as one unit of an instrument does."""


class Window(Mapping[str, "FloatArray"]):
    """The closes of each ticker up to now, oldest first, without bars that are missing; and the bars themselves.

    Arrays are read-only. As a mapping it is what
    :meth:`SignalRule.generate <bank_python.trading_engine.SignalRule.generate>` takes.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._account: AccountView | None = None
        self._options: OptionView | None = None

    def __getitem__(self, ticker: str) -> FloatArray:
        return self._tape.closes(ticker)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tape.tickers)

    def __len__(self) -> int:
        return len(self._tape.tickers)

    def __repr__(self) -> str:
        until = f"until {self.date:%Y-%m-%d %H:%M}" if self.index >= 0 else "before the first"
        return f"<Window: {self.index + 1} bars of {len(self)} tickers, {until}>"

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
        return 0.0 if self._account is None else self._account.equity_now

    @property
    def units(self) -> Mapping[str, float]:
        """Units held by instrument, negative for short positions."""
        return {} if self._account is None else dict(self._account.held_units)

    def last(self, ticker: str) -> float:
        """Return the last close of a ticker, NaN before its first bar.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        """
        tape = self._tape
        return (tape.lasts.get(ticker) or tape.lasts_of(ticker))[tape.now]

    def mean(self, ticker: str, bars: int) -> float:
        """Return the mean of a ticker's last closes, NaN while it has fewer.

        All means of the ticker are computed when the first is asked for; each is made of the closes up to its bar.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        bars : int
            Number of closes, at least 1.
        """
        tape = self._tape
        return (tape.means.get((ticker, bars)) or tape.means_of(ticker, bars))[tape.now]

    def is_quoted(self, ticker: str) -> bool:
        """Whether a ticker has a bar now.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        """
        return self._tape.is_quoted(ticker)

    def volatility(self, ticker: str, bars: int) -> float:
        """Return the realised volatility a year of a ticker's last log returns, NaN while it has fewer.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        bars : int
            Number of returns, at least 1; their mean is taken for 0.
        """
        return self._tape.volatility(ticker, bars, bars)

    def implied_vol(self, ticker: str) -> float:
        """Return the implied volatility of a ticker a year, as options are priced; NaN where it is not known yet.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        """
        return math.nan if self._options is None else self._options.implied_vol(ticker)

    def delta(self, instrument: str) -> float:
        """Return the units of the underlying that move as one option does; 1 for a ticker.

        Parameters
        ----------
        instrument : str
            Name of a ticker or an option, such as ``AAPL 2026-03-20 C 230``.
        """
        return 1.0 if self._options is None else self._options.delta(instrument)

    def follow(self, account: AccountView, options: OptionView) -> None:
        """Show an account and the prices of options from now on.

        Parameters
        ----------
        account : AccountView
            Account of the replay.
        options : OptionView
            Prices of options.
        """
        self._account, self._options = account, options
