"""A table of past prices replayed as a market: each poll returns the prices of the table's next date.

Prices and dates are those of the table, unchanged; a symbol without a price on a date is returned as a failure.
Prices before `start` are the history that :meth:`HistoryFeed.history` returns; later prices are not visible before
they have been polled, so a backtest on this feed has no look-ahead bias.

Two data sets can be loaded: :meth:`HistoryFeed.sp500` (twenty large US shares, 1990 to 2022, adjusted closes, from
skfolio) and :meth:`HistoryFeed.from_arch` (indices, the VIX and crude oil, from arch). Both are bundled with those
packages: nothing is downloaded.

Examples
--------
>>> from datetime import date
>>> closes = [(date(2020, 3, 13), 269.32), (date(2020, 3, 16), 239.85), (date(2020, 3, 17), 252.80)]
>>> feed = HistoryFeed({"SPY": closes}, start=date(2020, 3, 16))
>>> [bar.close for bar in feed.history("SPY", "max").bars]
[269.32]
>>> feed.poll(["SPY"]).ticks[0].price
239.85
>>> [bar.close for bar in feed.history("SPY", "max").bars]
[269.32, 239.85]
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bank_python.admission import admits
from bank_python.errors import FeedConfigError, FeedError, MissingExtraError
from bank_python.guessing import guessable
from bank_python.market_data.feed import Poll, PriceHistory, QuoteFailure, Tick
from bank_python.market_data.periods import check_period, first_in_period
from bank_python.market_data.price_table import PriceTable
from bank_python.market_data.unknown_ticker import unknown_ticker
from bank_python.market_data.utc import as_utc
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from bank_python.errors import UnknownTickerError

__all__ = ["HistoryFeed"]

# Name in arch.data -> symbol on the desk, and the column of closes (None: the frame is OHLCV).
_ARCH_SERIES = {
    "sp500": ("SPX", None),
    "nasdaq": ("IXIC", None),
    "vix": ("VIX", "vix"),
    "wti": ("WTI", "DCOILWTICO"),
}

_REPLAYED_YEARS = 3  # replayed part of a bundled series if no start is given; what comes before is history


@guessable
@admits(FeedConfigError)
class HistoryFeed:
    """A price table replayed as ticks.

    Parameters
    ----------
    prices : DataFrame, mapping, rows or PriceTable
        Closes as a frame with dates as index and symbols as columns; a mapping from symbol to :class:`Bar` or
        ``(date, close)`` pairs; or rows with ``date``, ``ticker``, ``close`` (and open, high, low, volume if known),
        such as an MnTable view. Naive dates are UTC. NaN and ``None`` mean that a price is missing. Dates may be in
        any order; a symbol must not have two prices on one date.
    source : str, default "history"
        Name of the source, in every tick and history.
    start : date or datetime, optional
        Start of the replay: the first poll returns the first date on or after it. The table's first date by default.
    speed : int, default 1
        Number of dates by which each poll advances, at least 1.
    loop : bool, default False
        Whether the replay starts again after the last date; otherwise later polls return failures. In the k-th
        repetition the dates of ticks are moved forward by k times the span of the table plus one day, so that time
        never goes backwards; :meth:`history` returns the table's own dates.

    Raises
    ------
    FeedConfigError
        The table is empty or malformed, `start` lies after its last date, or `speed` is below 1.
    """

    def __init__(
        self,
        prices: Any,
        *,
        source: str = "history",
        start: date | datetime | None = None,
        speed: int = 1,
        loop: bool = False,
    ) -> None:
        self._table = PriceTable.of(prices)
        self._source = source
        self._loop = loop
        if speed < 1:
            raise FeedConfigError(f"speed is {speed!r} dates per poll: give at least 1", value=speed)
        self._speed = speed
        dates = self._table.dates
        self._start = 0 if start is None else bisect_left(dates, as_utc(start))
        if self._start == len(dates):
            raise FeedConfigError(
                f"start {start} lies after the table's last date, {dates[-1].date()}: give an earlier one", value=start
            )
        self._polls = 0

    @classmethod
    @guessable
    def sp500(cls, *, start: date | datetime | None = None, speed: int = 1, loop: bool = False) -> HistoryFeed:
        """Return a feed of skfolio's bundled panel: 20 S&P 500 shares, 1990-01-02 to 2022-12-28, adjusted closes.

        Parameters
        ----------
        start : date or datetime, optional
            Start of the replay; earlier prices are history. Three years before the last date by default.
        speed : int, default 1
            Number of dates by which each poll advances, at least 1.
        loop : bool, default False
            Whether the replay starts again after the last date.

        Raises
        ------
        MissingExtraError
            skfolio is not installed.
        """
        loaded = _module("skfolio.datasets").load_sp500_dataset()
        return cls._bundled(PriceTable.of(loaded), "history:sp500", start, speed=speed, loop=loop)

    @classmethod
    @guessable
    def from_arch(
        cls, series: str, *, start: date | datetime | None = None, speed: int = 1, loop: bool = False
    ) -> HistoryFeed:
        """Return a feed of one of arch's bundled daily series.

        Parameters
        ----------
        series : str
            Name of the series: ``"sp500"`` (symbol SPX, OHLCV, 1999–2018), ``"nasdaq"`` (IXIC, OHLCV, 1999–2018),
            ``"vix"`` (VIX, closes, 2014–2019) or ``"wti"`` (WTI crude, closes, 1986–2019).
        start : date or datetime, optional
            Start of the replay; earlier prices are history. Three years before the last date by default.
        speed : int, default 1
            Number of dates by which each poll advances, at least 1.
        loop : bool, default False
            Whether the replay starts again after the last date.

        Raises
        ------
        FeedConfigError
            There is no such series; the message lists the names.
        MissingExtraError
            arch is not installed.
        """
        if series not in _ARCH_SERIES:
            raise FeedConfigError(f"arch series {series!r}: choose one of {', '.join(_ARCH_SERIES)}", value=series)
        symbol, column = _ARCH_SERIES[series]
        frame = _module(f"arch.data.{series}").load()
        table = PriceTable.from_ohlc(symbol, frame if column is None else frame.rename(columns={column: "Close"}))
        return cls._bundled(table, f"history:arch-{series}", start, speed=speed, loop=loop)

    @classmethod
    def _bundled(
        cls, table: PriceTable, source: str, start: date | datetime | None, *, speed: int, loop: bool
    ) -> HistoryFeed:
        begin = table.dates[-1] - timedelta(days=365 * _REPLAYED_YEARS) if start is None else start
        return cls(table, source=source, start=begin, speed=speed, loop=loop)

    @property
    def name(self) -> str:
        """Name of the source, as given."""
        return self._source

    @property
    def symbols(self) -> frozenset[str]:
        """All symbols of the table."""
        return frozenset(self._table.symbols)

    @property
    def now(self) -> datetime | None:
        """Date of the last poll, ``None`` before the first; the last date once the table has ended."""
        return None if self._polls == 0 else self._table.dates[min(self._position()[1], len(self._table.dates) - 1)]

    @guessable
    def poll(self, symbols: Sequence[str]) -> Poll:
        """Advance to the next date and return its prices; a symbol without a price on that date is a failure."""
        self._polls += 1
        rounds, at = self._position()
        if at >= len(self._table.dates):
            end = self._table.dates[-1].date().isoformat()
            reason = f"the table ended on {end}: give loop=True, or start earlier"
            return Poll((), tuple(QuoteFailure(symbol, reason, self._source) for symbol in dict.fromkeys(symbols)))
        results = [self._quote(symbol, self._table.dates[at], rounds) for symbol in dict.fromkeys(symbols)]
        return Poll(
            ticks=tuple(result for result in results if isinstance(result, Tick)),
            failures=tuple(result for result in results if isinstance(result, QuoteFailure)),
        )

    @guessable
    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return the bars up to the current date (before the first poll: up to the start of the replay).

        Figures that the table does not have are ``None``.

        Raises
        ------
        UnknownTickerError
            The table has no such symbol.
        FeedConfigError
            There is no such period.
        FeedError
            There is no earlier price; give a later `start`.
        """
        check_period(period)
        if symbol not in self._table:
            raise self._unknown(symbol)
        known = self._table.dates_of(symbol)
        past = known[: self._seen(known)]
        if not past:
            raise FeedError(
                f"{self._source} has no price of {symbol} yet: give a start= later than the table's first date",
                feed=self._source,
                symbol=symbol,
            )
        bars = (self._table.bar(symbol, day) for day in past[first_in_period(past, period) :])
        return PriceHistory(symbol, self._source, tuple(bar for bar in bars if bar is not None))

    def close(self) -> None:
        """Do nothing: the feed has no connections."""

    def state(self) -> dict[str, Any]:
        """Return the position of the replay as JSON-able values: ``polls``, the number of polls so far."""
        return {"polls": self._polls}

    def advance_to(self, state: Mapping[str, Any]) -> None:
        """Move the replay to a position saved by :meth:`state`, on a feed of the same table and settings.

        Raises
        ------
        FeedConfigError
            `state` is not a saved state; the position stays unchanged.
        """
        polls = state.get("polls")
        if not isinstance(polls, int) or polls < 0:
            raise FeedConfigError(
                f"{state!r} is not a saved state of a HistoryFeed: it needs polls, an integer of at least 0",
                value=state,
            )
        self._polls = polls

    def _position(self) -> tuple[int, int]:
        at = self._start + (self._polls - 1) * self._speed
        return divmod(at, len(self._table.dates)) if self._loop else (0, at)

    def _seen(self, known: Sequence[datetime]) -> int:
        current = self.now
        return bisect_left(known, self._table.dates[self._start]) if current is None else bisect_right(known, current)

    def _quote(self, symbol: str, day: datetime, rounds: int) -> Tick | QuoteFailure:
        if symbol not in self._table:
            return QuoteFailure(symbol, self._unknown(symbol).message, self._source)
        bar = self._table.bar(symbol, day)
        if bar is None:
            return QuoteFailure(symbol, f"no price on {day.date().isoformat()}", self._source)
        span = self._table.dates[-1] - self._table.dates[0] + timedelta(days=1)
        return Tick(symbol, bar.close, day + rounds * span, self._source)

    def _unknown(self, symbol: str) -> UnknownTickerError:
        return unknown_ticker(symbol, self._table.symbols, self._source, "take it from another feed")

    def __repr__(self) -> str:
        dates = self._table.dates
        first, last = dates[self._start].date(), dates[-1].date()
        return (
            f"<HistoryFeed {self._source!r}: {len(self.symbols):,} symbols, {first} to {last}, {self._polls:,} polls>"
        )


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        package = name.split(".", maxsplit=1)[0]
        raise MissingExtraError(
            f"this history is bundled with {package}, which is not installed: {how_to_install('history')}",
            extra="history",
        ) from error
