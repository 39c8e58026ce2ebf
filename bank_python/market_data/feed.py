"""What a feed is: the one protocol behind simulated, historical, live and replayed markets.

A :class:`Feed` is asked for the newest price of some symbols (:meth:`Feed.poll`) and for their past
(:meth:`Feed.history`). A poll never raises for what markets and networks do: a symbol that could not be
quoted comes back as a :class:`QuoteFailure` with the reason, and the others are delivered. Whether a
tick is believed (finite, in its leaf's domain, not older than the last) is the manager's decision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

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
class Tick:
    """One price of one symbol.

    Parameters
    ----------
    symbol : str
        The symbol as it was asked for.
    price : float
        In the symbol's own unit: currency for a share, a decimal for a rate, spread or volatility.
    time : datetime
        When the price was made, timezone-aware, UTC.
    source : str
        Where it comes from, e.g. ``"simulated"`` or ``"yahoo"``.
    """

    symbol: str
    price: float
    time: datetime
    source: str


@dataclass(frozen=True, slots=True)
class QuoteFailure:
    """Why a symbol has no new price: an outage, a bad answer, no such symbol."""

    symbol: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll brought: the ticks, and a failure for each symbol asked for that has none."""

    ticks: tuple[Tick, ...]
    failures: tuple[QuoteFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """One period's prices. What the source does not carry is ``None``, never zero.

    Parameters
    ----------
    date : datetime
        Start of the period, timezone-aware, UTC.
    open, high, low, close : float or None
        Prices in the symbol's own unit.
    volume : float or None
        Units traded.
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
        """Short name of the source, as shown on the desk and kept with every quote."""
        ...

    @property
    def symbols(self) -> frozenset[str] | None:
        """Every symbol the feed carries, or ``None`` when only asking can tell."""
        ...

    def poll(self, symbols: Sequence[str]) -> Poll:
        """Return the newest price of each symbol; never raises for an outage or a bad answer.

        Each symbol is answered once, by a tick or by a failure, however often it was asked for.
        """
        ...

    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return the bars of the last `period`.

        Parameters
        ----------
        symbol : str
            The symbol, in the feed's own spelling.
        period : str
            yfinance's spelling: ``1d 5d 1mo 3mo 6mo 1y 2y 5y 10y ytd max``.

        Raises
        ------
        UnknownTickerError
            The feed does not carry the symbol.
        FeedConfigError
            There is no such period.
        FeedError
            The source could not deliver; the message says why.
        """
        ...

    def close(self) -> None:
        """Release connections; a closed feed is not polled again."""
        ...


@runtime_checkable
class LiveFeed(Protocol):
    """What a feed has beside the rest if its market is open now: prices dated after today are not believed."""

    @property
    def today(self) -> date | None:
        """The present day, UTC; None for one that wraps a feed which is not live."""
        ...


def live_date(feed: Feed) -> date | None:
    """Return the present day of a live feed, UTC; None for a market that has dates of its own."""
    return feed.today if isinstance(feed, LiveFeed) else None
