"""Tables of past prices, which :meth:`MarketDataManager.load_history` fills and ``manager.history`` queries.

The bars of each ticker are a separate MnTable :class:`~bank_python.mntable.Table`. Loading a ticker again replaces its
table as a whole, so no bar is duplicated, and a reader of the old table is not disturbed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import FeedError
from bank_python.market_data.picture import draw_prices
from bank_python.market_data.unknown_ticker import unknown_ticker
from bank_python.mntable import Table
from bank_python.plotting import Plotted
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.market_data.feed import PriceHistory
    from bank_python.mntable import View

__all__ = ["PriceHistoryTable", "PricePanel"]

_SCHEMA = [
    ("date", datetime),
    ("open", float | None),
    ("high", float | None),
    ("low", float | None),
    ("close", float),
    ("volume", float | None),
    ("ticker", str),
    ("source", str),
]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PricePanel(Plotted, Tabular):
    """Closes of several tickers on the dates they have in common.

    Parameters
    ----------
    tickers : tuple of str
        Tickers of the columns, in the requested order.
    dates : tuple of datetime
        Dates of the rows, ascending, UTC.
    closes : ndarray, shape (n_obs, n_assets)
        Close of each ticker on each date, without missing values.
    """

    tickers: tuple[str, ...]
    dates: tuple[datetime, ...]
    closes: NDArray[np.float64]

    def returns(self) -> NDArray[np.float64]:
        """Return the simple returns between consecutive dates, shape (n_obs - 1, n_assets)."""
        simple: NDArray[np.float64] = self.closes[1:] / self.closes[:-1] - 1.0
        return simple

    def to_table(self) -> Table:
        """Return a table with a row for each date, and a column of closes for each ticker."""
        rows = [
            {"date": date, **dict(zip(self.tickers, closes, strict=True))}
            for date, closes in zip(self.dates, self.closes.tolist(), strict=True)
        ]
        return Table.from_rows([("date", datetime), *((ticker, float) for ticker in self.tickers)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the closes indexed to 100, with their drawdowns below."""
        draw_prices(axes, self.dates, self.closes, self.tickers, f"Closes of {len(self.tickers)} tickers")

    def __rich__(self) -> object:
        from bank_python.render import closes_view

        return closes_view(self)


class PriceHistoryTable:
    """The loaded price histories, by ticker.

    Examples
    --------
    >>> from bank_python.market_data.simulated import SimulatedFeed
    >>> store = PriceHistoryTable()
    >>> store.load("AAPL", SimulatedFeed(seed=1).history("AAPL", "5d"))
    5
    >>> [row["close"] for row in store.query("AAPL")][-1]
    228.0
    """

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers with a history, in the order in which they were first loaded."""
        return tuple(self._tables)

    def __contains__(self, ticker: object) -> bool:
        return ticker in self._tables

    def load(self, ticker: str, history: PriceHistory) -> int:
        """Load a history, replacing the ticker's earlier one.

        Parameters
        ----------
        ticker : str
            Name on the desk, which may differ from the feed's symbol.
        history : PriceHistory
            Price history with at least one bar.

        Returns
        -------
        int
            The number of bars.

        Raises
        ------
        FeedError
            `history` has no bars; the earlier history is kept.
        """
        if not history.bars:
            message = f"{history.source} returned no bars of {history.symbol}: choose a longer period"
            raise FeedError(message, feed=history.source, symbol=history.symbol)
        table = Table(_SCHEMA)
        table.extend(
            {
                "date": bar.date,
                "open": bar.open,
                "high": bar.high,
                "low": bar.low,
                "close": bar.close,
                "volume": bar.volume,
                "ticker": ticker,
                "source": history.source,
            }
            for bar in history.bars
        )
        self._tables[ticker] = table
        return len(history.bars)

    def query(self, ticker: str) -> View:
        """Return the bars of a ticker, oldest first, as a lazy view.

        Rows are dicts with the keys date, open, high, low, close, volume, ticker and source; figures that the source
        does not have are ``None``.

        Raises
        ------
        UnknownTickerError
            No history of the ticker has been loaded.
        """
        if ticker not in self._tables:
            raise unknown_ticker(ticker, self._tables, "the price history", "load_history() it first")
        return self._tables[ticker].order_by("date")

    def closes(self, ticker: str) -> NDArray[np.float64]:
        """Return the closes of a ticker, oldest first, shape (n_obs,).

        Raises
        ------
        UnknownTickerError
            No history of the ticker has been loaded.
        """
        return np.array([row["close"] for row in self.query(ticker)], dtype=np.float64)

    def panel(self, tickers: Sequence[str]) -> PricePanel:
        """Return the closes of several tickers on the dates that all of them have.

        Raises
        ------
        UnknownTickerError
            No history has been loaded for one of them.
        """
        columns = [{row["date"]: row["close"] for row in self.query(ticker)} for ticker in tickers]
        common = sorted(set.intersection(*map(set, columns))) if columns else []
        closes = np.array([[column[date] for column in columns] for date in common], dtype=np.float64)
        return PricePanel(tuple(tickers), tuple(common), closes.reshape(len(common), len(columns)))
