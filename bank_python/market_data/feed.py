"""The feed protocol, which simulated, historical, live and replayed markets implement.

A :class:`Feed` returns the latest prices of symbols (:meth:`Feed.poll`) and their past prices
(:meth:`Feed.history`). A poll does not raise for an outage or a bad response: a symbol without a price is
returned as a :class:`QuoteFailure` with the reason, and the others as ticks. Whether a tick is valid (finite, in
the domain of its leaf, not older than the last one) is checked by the
:class:`~bank_python.market_data.manager.MarketDataManager`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from bank_python.display import Record
from bank_python.market_data.picture import draw_prices
from bank_python.plotting import Plotted
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from matplotlib.axes import Axes

    from bank_python.mntable import Table

__all__ = ["Bar", "Feed", "LiveFeed", "Poll", "PriceHistory", "QuoteFailure", "Tick", "live_date"]


@dataclass(frozen=True, slots=True)
class Tick(Record):
    """One price of one symbol.

    Parameters
    ----------
    symbol : str
        Symbol as it was requested.
    price : float
        Price in the symbol's unit: currency units for a share, a decimal for a rate, spread or volatility.
    time : datetime
        Time of the price, timezone-aware, UTC.
    source : str
        Name of the source, e.g. ``"simulated"`` or ``"yahoo"``.
    """

    symbol: str
    price: float
    time: datetime
    source: str


@dataclass(frozen=True, slots=True)
class QuoteFailure(Record):
    """The reason why a symbol has no new price: an outage, a bad response, an unknown symbol."""

    symbol: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Poll(Record):
    """The result of one poll: the ticks, and a failure for each requested symbol without a tick."""

    ticks: tuple[Tick, ...]
    failures: tuple[QuoteFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar(Record):
    """Prices of one period. A figure that the source does not have is ``None``, never zero.

    Parameters
    ----------
    date : datetime
        Start of the period, timezone-aware, UTC.
    open, high, low, close : float or None
        Prices in the symbol's unit; the close is always given.
    volume : float or None
        Number of units traded in the period.
    """

    date: datetime
    open: float | None
    high: float | None
    low: float | None
    close: float
    volume: float | None


@dataclass(frozen=True, slots=True, repr=False)
class PriceHistory(Plotted, Tabular):
    """A symbol's past, oldest bar first, with its source."""

    symbol: str
    source: str
    bars: tuple[Bar, ...]

    def to_table(self) -> Table:
        """Return a table with a row for each bar: date, open, high, low, close, volume."""
        from bank_python.mntable import Table

        names = ("open", "high", "low", "close", "volume")
        rows = [{"date": bar.date, **{name: _known(getattr(bar, name)) for name in names}} for bar in self.bars]
        return Table.from_rows([("date", datetime), *((name, float | None) for name in names)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the closes indexed to 100, with their drawdown below."""
        closes = np.array([bar.close for bar in self.bars], dtype=np.float64)[:, None]
        draw_prices(axes, [bar.date for bar in self.bars], closes, [self.symbol], f"{self.symbol} ({self.source})")

    def __rich__(self) -> object:
        from bank_python.render import table_view

        return table_view(self.to_table(), f"{self.symbol}, {self.source}")


def _known(figure: float | None) -> float | None:
    return None if figure is None or math.isnan(figure) else figure


@runtime_checkable
class Feed(Protocol):
    """A source of prices."""

    @property
    def name(self) -> str:
        """Short name of the source, as shown on the desk and stored with every quote."""
        ...

    @property
    def symbols(self) -> frozenset[str] | None:
        """All symbols of the feed, or ``None`` if the source does not list them."""
        ...

    def poll(self, symbols: Sequence[str]) -> Poll:
        """Return the latest price of each symbol; an outage or a bad response does not raise.

        The result has one tick or one failure for each distinct symbol.
        """
        ...

    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return the bars of the last `period`.

        Parameters
        ----------
        symbol : str
            Symbol in the feed's own spelling.
        period : str
            Length of the history, as in yfinance: ``1d 5d 1mo 3mo 6mo 1y 2y 5y 10y ytd max``.

        Raises
        ------
        UnknownTickerError
            The feed does not have the symbol.
        FeedConfigError
            There is no such period.
        FeedError
            The request failed; the message gives the reason.
        """
        ...

    def close(self) -> None:
        """Release connections; a closed feed cannot be polled."""
        ...


@runtime_checkable
class LiveFeed(Protocol):
    """A feed whose market runs in real time: prices dated after today are rejected."""

    @property
    def today(self) -> date | None:
        """The current date, UTC; ``None`` for a wrapper around a feed that is not live."""
        ...


def live_date(feed: Feed) -> date | None:
    """Return the current date (UTC) for a live feed; ``None`` for a simulated or replayed market."""
    return feed.today if isinstance(feed, LiveFeed) else None
