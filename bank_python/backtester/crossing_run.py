r"""All in, all out by signals: many pairs of moving averages, or any entries and exits, at once.

The account is in cash until an entry, buys with all of its cash, and sells everything at the next exit. With the fee f
a purchase at the price p costs :math:`p (1 + f)` a share, and a sale brings :math:`p (1 - f)`.

**What a crossing is.** The faster average crosses above the slower one on the first bar on which it is higher after a
bar on which it was lower; bars in between on which both are equal do not count. It has to have been lower before: an
average that is higher from its first bar on has not crossed. An exit is a crossing in the other direction.

**Averages without rounding.** Whether two averages are equal must not depend on the order of additions, and neither on
later prices. Each price is a whole number of steps and of 2⁻³² steps, where a step is a power of a tenth that gives the
first close eleven digits. A price within four roundings of a whole number of steps, such as one in cents, is that
number. Sums of whole numbers have no rounding, and neither have their differences. A mean is its whole part plus the
quotient of the remainder, so that equal means are equal floats, whatever their windows.

Examples
--------
>>> close = [10.0, 9.0, 8.0, 9.0, 11.0, 12.0, 10.0, 8.0]
>>> run = sma_crossing_equity(close, fast=[1, 2], slow=[3, 4], cash=100.0, fee=0.0)
>>> run.closed_trades.tolist(), run.is_open.tolist(), run.final_equity.round(2).tolist()
([1, 1], [False, False], [111.11, 72.73])
>>> signal_equity(close, [0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 0], cash=100.0, fee=0.0).equity().tolist()
[100.0, 100.0, 100.0, 112.5, 137.5, 150.0, 150.0, 150.0]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bank_python.admission import admits
from bank_python.errors import BacktestError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["CrossingRun", "signal_equity", "sma_crossing_equity"]

IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

_BLOCK = 1 << 17  # bars of points that are compared at once, so that they stay in the cache
_DIGITS = 10  # of the first close after its first one
_MOST_DIGITS = 300
_LARGEST, _LARGEST_SUM = 2.0**53, 2.0**62  # up to which floats and integers are exact
_FINE_BITS = 32
_NEXT_SHARE = 1e-12  # the cash may be short of a whole share by rounding


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CrossingRun(Tabular):
    """What became of the cash; returned by :func:`sma_crossing_equity` and :func:`signal_equity`.

    The axes ``…`` are those of the parameter points. Trades are in flat arrays, point after point, the oldest first.

    Parameters
    ----------
    final_equity : ndarray, shape (…)
        Equity at the last close; an open trade is valued there without fees.
    trades : ndarray of int, shape (…)
        Number of purchases.
    is_open : ndarray of bool, shape (…)
        Whether the last purchase is still held.
    entry_rows, exit_rows : ndarray of int, shape (n_trades,)
        Bars of the fills of each trade; the number of bars as the exit of an open one.
    shares : ndarray, shape (n_trades,)
        Shares of each trade.
    cash_beside : ndarray, shape (n_trades,)
        Cash during each trade, which does not pay for a further share; 0 with fractional shares.
    cash : float
        Cash before the first bar.
    close : ndarray, shape (n_bars,)
        Closes, for the equity of each bar.
    cash_after : ndarray, shape (n_trades,)
        Cash after each trade; of an open one, the equity at the last close.
    """

    final_equity: FloatArray
    trades: IntArray
    is_open: BoolArray
    entry_rows: IntArray
    exit_rows: IntArray
    shares: FloatArray
    cash_beside: FloatArray
    cash: float
    close: FloatArray
    cash_after: FloatArray

    @property
    def closed_trades(self) -> IntArray:
        """Number of trades that were closed, shape (…)."""
        return np.asarray(self.trades - self.is_open)

    @property
    def total_return(self) -> FloatArray:
        """Final equity over the cash at the beginning, less 1, shape (…)."""
        return np.asarray(self.final_equity / self.cash - 1.0)

    def equity(self) -> FloatArray:
        """Return the equity at the close of each bar, shape (…, n_bars)."""
        flat, bars = self.trades.ravel(), len(self.close)
        last = np.cumsum(2 * flat + 1) - 1  # spans in cash and in shares by turns, ending with one in cash
        first = last - 2 * flat
        starts = np.zeros(last[-1] + 1 if len(last) else 0, dtype=np.int64)
        shares, money = np.zeros(len(starts)), np.zeros(len(starts))
        inside = np.ones(len(starts), dtype=bool)
        inside[first] = False
        entries = np.flatnonzero(inside)[::2]
        starts[entries], starts[entries + 1] = self.entry_rows, self.exit_rows
        shares[entries], money[entries], money[entries + 1] = self.shares, self.cash_beside, self.cash_after
        money[first] = self.cash
        ends = np.append(starts[1:], bars)
        ends[last] = bars
        curves, lengths, size = np.empty((len(flat), bars)), ends - starts, max(1, _BLOCK // bars)
        for i in range(0, len(flat), size):
            block = curves[i : i + size]
            spans = slice(first[i], last[i + len(block) - 1] + 1)
            np.multiply(np.repeat(shares[spans], lengths[spans]).reshape(block.shape), self.close, out=block)
            block += np.repeat(money[spans], lengths[spans]).reshape(block.shape)
        return curves.reshape((*self.trades.shape, bars))

    def to_table(self) -> Table:
        """Return a table with a row for each point: final equity, total return, closed trades, whether one is open."""
        from bank_python.mntable import Table

        kinds = {"final_equity": float, "total_return": float, "closed_trades": int, "is_open": bool}
        columns = zip(*(np.ravel(getattr(self, name)).tolist() for name in kinds), strict=True)
        rows = [{"point": i, **dict(zip(kinds, row, strict=True))} for i, row in enumerate(columns)]
        return Table.from_rows([("point", int), *kinds.items()], rows)

    def __rich__(self) -> object:
        from bank_python.render import table_view

        return table_view(self.to_table(), f"All in, all out: {len(self.close):,} bars")


@dataclass(frozen=True, slots=True)
class _Market:
    """Closes, prices of fills, by how many bars these are after their signals, and the terms of the account."""

    close: FloatArray
    fills: FloatArray
    delay: int
    cash: float
    fee: float
    whole_shares: bool


@admits(BacktestError)
def sma_crossing_equity(
    close: ArrayLike,
    fast: ArrayLike,
    slow: ArrayLike,
    *,
    cash: float = 1_000_000.0,
    fee: float = 0.001,
    whole_shares: bool = False,
    fill_open: ArrayLike | None = None,
) -> CrossingRun:
    """Return what becomes of cash that is invested while the faster of two moving averages is above the slower one.

    Parameters
    ----------
    close : array_like, shape (n_bars,)
        Closing prices of the bars, above 0.
    fast, slow : array_like of int
        Windows of the simple moving averages in bars, at least 1, which broadcast against each other to the axes ``…``
        of parameter points. Entries are crossings of `fast` above `slow`, exits below.
    cash : float, default 1,000,000.0
        Cash before the first bar, above 0.
    fee : float, default 0.001
        Fee as a share of an order's value, in [0, 1).
    whole_shares : bool, default False
        Whether only whole shares are bought; the rest stays in cash.
    fill_open : array_like, shape (n_bars,), optional
        Opens, above 0, at which the orders of a bar are filled on the next bar; those of the last bar are not filled.
        By default orders are filled at the close of their bar.

    Raises
    ------
    BacktestError
        A figure is out of range, or shapes do not fit each other.
    """
    market = _market(close, cash, fee, fill_open, whole_shares=whole_shares)
    windows = [_windows(name, values) for name, values in (("fast", fast), ("slow", slow))]
    try:
        quick, lazy = np.broadcast_arrays(*windows)
    except ValueError:
        said = f"fast and slow have the shapes {windows[0].shape} and {windows[1].shape}, which do not broadcast"
        raise BacktestError(f"{said}; give one window or one for each pair", name="slow") from None
    known, which = np.unique(np.concatenate((quick.ravel(), lazy.ravel())), return_inverse=True)
    means = _moving_averages(market.close, known)
    numbers = which.reshape(2, -1)
    first = np.maximum(quick, lazy).ravel() - 1
    size = max(1, _BLOCK // len(market.close))
    found = [
        _crossings(means, numbers[:, i : i + size], first[i : i + size], i) for i in range(0, numbers.shape[1], size)
    ]
    return _traded(market, quick.shape, found)


@admits(BacktestError)
def signal_equity(
    close: ArrayLike,
    entries: ArrayLike,
    exits: ArrayLike,
    *,
    cash: float = 1_000_000.0,
    fee: float = 0.001,
    whole_shares: bool = False,
    fill_open: ArrayLike | None = None,
) -> CrossingRun:
    """Return what becomes of cash that is invested from entries to exits.

    Parameters
    ----------
    close : array_like, shape (n_bars,)
        Closing prices of the bars, above 0.
    entries, exits : array_like of bool, shape (…, n_bars)
        Bars that call for a purchase and for a sale; leading axes are parameter points and broadcast against each
        other. An entry while shares are held and an exit while none are held change nothing, and neither do both on
        one bar.
    cash : float, default 1,000,000.0
        Cash before the first bar, above 0.
    fee : float, default 0.001
        Fee as a share of an order's value, in [0, 1).
    whole_shares : bool, default False
        Whether only whole shares are bought; the rest stays in cash.
    fill_open : array_like, shape (n_bars,), optional
        Opens, above 0, at which the orders of a bar are filled on the next bar; those of the last bar are not filled.
        By default orders are filled at the close of their bar.

    Raises
    ------
    BacktestError
        A figure is out of range, or shapes do not fit each other.
    """
    market = _market(close, cash, fee, fill_open, whole_shares=whole_shares)
    bars = len(market.close)
    calls = [_flags(name, values, bars) for name, values in (("entries", entries), ("exits", exits))]
    try:
        begin, end = np.broadcast_arrays(*calls)
    except ValueError:
        said = f"entries and exits have the shapes {calls[0].shape} and {calls[1].shape}, which do not broadcast"
        raise BacktestError(f"{said}; give a row of bars, or one for each point", name="exits") from None
    points = begin.shape[:-1]
    begin, end = begin.reshape(-1, bars), end.reshape(-1, bars)
    size = max(1, _BLOCK // bars)
    found = [_signals(begin[i : i + size], end[i : i + size], i) for i in range(0, len(begin), size)]
    return _traded(market, points, found)


def _market(close: ArrayLike, cash: float, fee: float, fill_open: ArrayLike | None, *, whole_shares: bool) -> _Market:
    closes = figures_in_range("close", close, BacktestError, above=0.0)
    if closes.ndim != 1 or not closes.size:
        raise BacktestError(f"close has the shape {closes.shape}; give one close for each bar", name="close")
    start = number_in_range("cash", cash, BacktestError, above=0.0)
    charged = number_in_range("fee", fee, BacktestError, least=0.0)
    if charged >= 1.0:
        raise BacktestError(f"fee={charged!r} is not below 1; give a share, such as 0.001", name="fee", value=charged)
    if fill_open is None:
        return _Market(closes, closes, 0, start, charged, whole_shares)
    opens = figures_in_range("fill_open", fill_open, BacktestError, above=0.0)
    if opens.shape != closes.shape:
        said = f"fill_open has the shape {opens.shape}, close {closes.shape}; give one open for each bar"
        raise BacktestError(said, name="fill_open", value=opens.shape)
    return _Market(closes, opens, 1, start, charged, whole_shares)


def _windows(name: str, values: ArrayLike) -> IntArray:
    known = figures_in_range(name, values, BacktestError, least=1.0, most=2.0**31)
    whole = known.astype(np.int64)
    if (whole != known).any():
        first = float(known[whole != known].flat[0])
        raise BacktestError(f"{name}={first!r} is not a whole number; give a number of bars", name=name, value=first)
    return whole


def _flags(name: str, values: ArrayLike, bars: int) -> BoolArray:
    known = figures_in_range(name, values, BacktestError, least=0.0, most=1.0)
    flags = known.astype(bool)
    if known.ndim == 0 or known.shape[-1] != bars or (flags != known).any():
        said = f"{name} of the shape {known.shape} are no flags for {bars} bars"
        raise BacktestError(f"{said}; give true or false for each bar", name=name, value=known.shape)
    return flags


def _moving_averages(close: FloatArray, windows: IntArray) -> FloatArray:
    """Return the mean of the last bars for each window in steps of the grid, NaN before it is full."""
    steps, fine = (np.concatenate(([0], np.cumsum(part))) for part in _on_grid(close))
    means = np.full((len(windows), len(close)), np.nan)
    for row, window in zip(means, windows.tolist(), strict=True):
        if window <= len(close):
            rest = fine[window:] - fine[:-window]
            total = steps[window:] - steps[:-window] + (rest >> _FINE_BITS)
            whole = total // window
            rest = ((total - whole * window) << _FINE_BITS) + (rest & ((1 << _FINE_BITS) - 1))
            row[window - 1 :] = whole + rest / (window * 2.0**_FINE_BITS)
    return means


def _on_grid(close: FloatArray) -> tuple[IntArray, IntArray]:
    """Return prices in whole steps and the rest of each in whole parts of a step, so that sums fit into integers."""
    digits = min(_DIGITS - math.floor(math.log10(close[0])), _MOST_DIGITS)
    scaled = close * 10.0**digits
    while scaled.max() >= _LARGEST or scaled.sum() >= _LARGEST_SUM:  # prices that grow a thousandfold and more
        digits -= 1
        scaled = close * 10.0**digits
    whole = np.rint(scaled)
    scaled = np.where(np.abs(scaled - whole) <= 4.0 * np.finfo(float).eps * scaled, whole, scaled)
    steps = np.floor(scaled)
    return steps.astype(np.int64), np.rint(np.ldexp(scaled - steps, _FINE_BITS)).astype(np.int64)


_Events: TypeAlias = tuple["IntArray", "IntArray", "BoolArray"]
"""Points, bars, and whether they are entries, by point and then by bar."""


def _crossings(means: FloatArray, numbers: IntArray, first: IntArray, offset: int) -> _Events:
    """Return the crossings of the averages of a block of pairs, whose comparisons begin on the bars `first`."""
    fast, slow = means[numbers[0]], means[numbers[1]]
    above = fast > slow
    tied = np.flatnonzero((fast == slow).any(axis=1))
    if tied.size:
        above[tied] = _without_ties(above[tied], fast[tied] < slow[tied])
    changed = above[:, 1:] != above[:, :-1]
    within = np.flatnonzero((first > 0) & (first < means.shape[1]))
    changed[within, first[within] - 1] = False  # an average begins, and crosses nothing
    points, bars = np.nonzero(changed)
    bars += 1
    is_entry = above[points, bars]
    held = is_entry.copy()  # the first event of a point may be an exit, with nothing to sell
    held[1:] |= points[1:] == points[:-1]
    return points[held] + offset, bars[held], is_entry[held]


def _without_ties(above: BoolArray, below: BoolArray) -> BoolArray:
    """Return `above` with the last side in place of ties and, before there is one, with the first."""
    known = above | below
    last = np.where(known, np.arange(above.shape[1]), -1)
    np.maximum.accumulate(last, axis=1, out=last)
    before = np.where(last < 0, np.argmax(known, axis=1)[:, None], last)
    return np.take_along_axis(above, before, axis=1)


def _signals(entries: BoolArray, exits: BoolArray, offset: int) -> _Events:
    """Return the bars on which flags change what is held."""
    single = entries ^ exits
    last = np.where(single, np.arange(entries.shape[1]), -1)
    np.maximum.accumulate(last, axis=1, out=last)
    long = np.zeros((len(entries), entries.shape[1] + 1), dtype=bool)
    long[:, 1:] = np.take_along_axis(entries, np.maximum(last, 0), axis=1) & (last >= 0)
    points, bars = np.nonzero(long[:, 1:] != long[:, :-1])
    return points + offset, bars, long[points, bars + 1]


def _traded(market: _Market, shape: tuple[int, ...], found: list[_Events]) -> CrossingRun:
    """Return the trades of all points: entries and exits alternate, beginning with an entry."""
    nothing = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=bool))
    points, bars, is_entry = (np.concatenate(parts) for parts in zip(nothing, *found, strict=True))
    bars = bars + market.delay
    filled = bars < len(market.close)
    points, bars, is_entry = points[filled], bars[filled], is_entry[filled]
    count = int(np.prod(shape, dtype=np.int64))
    trades = np.bincount(points[is_entry], minlength=count)
    is_open = trades > np.bincount(points[~is_entry], minlength=count)
    entry_rows = bars[is_entry]
    exit_rows = np.full(len(entry_rows), len(market.close))
    closed = np.ones(len(entry_rows), dtype=bool)
    closed[np.cumsum(trades)[is_open] - 1] = False
    exit_rows[closed] = bars[~is_entry]
    shares, beside, after = _invested(market, trades, entry_rows, exit_rows)
    final = np.full(count, market.cash)
    traded = trades > 0
    final[traded] = after[np.cumsum(trades)[traded] - 1]
    figures = (final.reshape(shape), trades.reshape(shape), is_open.reshape(shape))
    return CrossingRun(*figures, entry_rows, exit_rows, shares, beside, market.cash, market.close, after)


def _invested(
    market: _Market, trades: IntArray, entry_rows: IntArray, exit_rows: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return shares, cash beside and cash after each trade: the k-th trade of all points at once."""
    paid = market.fills[entry_rows] * (1.0 + market.fee)
    still = exit_rows == len(market.close)
    worth = np.append(market.fills, 0.0)[exit_rows] * (1.0 - market.fee)
    worth[still] = market.close[-1]
    shares, beside, after = (np.empty(len(entry_rows)) for _ in range(3))
    cash = np.full(len(trades), market.cash)
    for points, at in _rounds(trades):
        money, price = cash[points], paid[at]
        bought = money / price
        if market.whole_shares:
            bought = np.floor(bought * (1.0 + _NEXT_SHARE))
            beside[at] = np.maximum(money - bought * price, 0.0)
        else:
            beside[at] = 0.0
        shares[at] = bought
        after[at] = cash[points] = beside[at] + bought * worth[at]
    return shares, beside, after


def _rounds(trades: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the points that have a k-th trade and where it is, for each k."""
    order = np.argsort(-trades, kind="stable")
    first = (np.cumsum(trades) - trades)[order]
    many = np.searchsorted(-trades[order], -np.arange(trades.max(initial=0)), side="left")
    for k, size in enumerate(many.tolist()):
        yield order[:size], first[:size] + k
