"""Past prices in tables: what :meth:`MarketDataManager.load_history` loads and ``mgr.history`` answers from.

Each ticker's bars are an MnTable :class:`~bank_python.mntable.Table` of their own, so loading a ticker again puts a
new table in the old one's place: nothing is duplicated, nothing of the old load lingers, and whoever is reading the
old one reads it to its end.
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
        The columns, in the order asked for.
    dates : tuple of datetime
        The rows, ascending, UTC.
    closes : ndarray, shape (n_obs, n_assets)
        One close for each date and ticker; nothing is missing.
    """

    tickers: tuple[str, ...]
    dates: tuple[datetime, ...]
    closes: NDArray[np.float64]

    def returns(self) -> NDArray[np.float64]:
        """Return the simple returns from each date to the next, shape (n_obs - 1, n_assets)."""
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
    """The loaded bars of every ticker.

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
        """The tickers with a history, in the order first loaded."""
        return tuple(self._tables)

    def __contains__(self, ticker: object) -> bool:
        return ticker in self._tables

    def load(self, ticker: str, history: PriceHistory) -> int:
        """Put a history in the place of whatever the ticker had.

        Parameters
        ----------
        ticker : str
            The name on the desk, which may differ from the feed's symbol.
        history : PriceHistory
            Its bars.

        Returns
        -------
        int
            The number of bars.

        Raises
        ------
        FeedError
            There are no bars; the former history stands.
        """
        if not history.bars:
            message = f"{history.source} gave no bars of {history.symbol}: ask for a longer period"
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
        """Return the ticker's bars, oldest first, as a lazy view.

        Rows are dicts: date, open, high, low, close, volume (``None`` where the source has none), ticker, source.

        Raises
        ------
        UnknownTickerError
            No history of the ticker has been loaded.
        """
        if ticker not in self._tables:
            raise unknown_ticker(ticker, self._tables, "the price history", "load_history() it first")
        return self._tables[ticker].order_by("date")

    def closes(self, ticker: str) -> NDArray[np.float64]:
        """Return the ticker's closes, oldest first, shape (n_obs,).

        Raises
        ------
        UnknownTickerError
            No history of the ticker has been loaded.
        """
        return np.array([row["close"] for row in self.query(ticker)], dtype=np.float64)

    def panel(self, tickers: Sequence[str]) -> PricePanel:
        """Return the closes of several tickers on the dates all of them have.

        Raises
        ------
        UnknownTickerError
            No history of one of them has been loaded.
        """
        columns = [{row["date"]: row["close"] for row in self.query(ticker)} for ticker in tickers]
        common = sorted(set.intersection(*map(set, columns))) if columns else []
        closes = np.array([[column[date] for column in columns] for date in common], dtype=np.float64)
        return PricePanel(tuple(tickers), tuple(common), closes.reshape(len(common), len(columns)))
