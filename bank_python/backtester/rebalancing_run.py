r"""Portfolios that are brought back to target weights on given bars, for many sets of weights at once.

On each rebalance row the account is valued at the close, and orders bring every asset to its target share of that
value. All sales come before all purchases, and purchases are made from the smallest to the largest by value (of equal
ones, the earlier column first). Costs are not part of the targets: once the cash does not pay for a purchase, it is
made in part, and there is none after it. With the share f of an order's value for fees and s for slippage, a purchase
of x shares at the price p takes :math:`x p (1 + s)(1 + f)` from the cash and a sale adds :math:`x p (1 - s)(1 - f)`.

Only the rebalances are a loop. Between two of them the holdings H are constant, and the equity of all bars is one
matrix product with the closes, :math:`P H + c`, for all sets of weights together.

Examples
--------
>>> run = run_rebalances([[10.0], [11.0], [12.0]], [0], [[0.5]], cash=100.0, fee=0.0, slippage=0.0)
>>> run.equity.tolist(), run.holdings.tolist()
([100.0, 105.0, 110.0], [[5.0]])

Two sets of weights at once; the second one stays in cash:

>>> two = run_rebalances([[10.0], [11.0]], [0], [[[0.5]], [[0.0]]], cash=100.0, fee=0.01, slippage=0.0)
>>> two.equity.tolist(), two.orders.tolist()
([[99.5, 104.5], [100.0, 100.0]], [1, 0])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bank_python.admission import admits
from bank_python.errors import BacktestError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.results import Tabular

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["RebalancedRun", "run_rebalances"]

IntArray: TypeAlias = NDArray[np.int64]

_ROUNDED_SUM = 1e-9  # weights such as 1/n add up to 1 within rounding
_NO_TRADE = 1e-9  # changes of a holding below this share of it are rounding and no order
_NEXT_SHARE = 1e-12  # the cash may be short of a whole share by rounding


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RebalancedRun(Tabular):
    """What became of the cash; returned by :func:`run_rebalances`.

    The leading axes ``…`` are those of the target weights before the last two; there are none for one set of weights.

    Parameters
    ----------
    rows : ndarray, shape (n_rebalances,)
        Rows of the prices at whose close the targets were set.
    equity : ndarray, shape (…, n_bars)
        Cash and holdings at the close of each bar, after the orders of that bar.
    holdings : ndarray, shape (…, n_rebalances, n_assets)
        Shares after each rebalance.
    cash : ndarray, shape (…, n_rebalances)
        Cash after each rebalance, at least 0.
    costs : ndarray, shape (…, n_rebalances)
        Fees and slippage of each rebalance, in money.
    turnover : ndarray, shape (…, n_rebalances)
        Value bought plus value sold at each rebalance, before costs, as a share of the equity before it.
    """

    rows: IntArray
    equity: FloatArray
    holdings: FloatArray
    cash: FloatArray
    costs: FloatArray
    turnover: FloatArray

    @property
    def orders(self) -> IntArray:
        """Number of orders that were filled, whole or in part, shape (…)."""
        count = np.zeros(self.cash.shape[:-1], dtype=np.int64)
        before = np.zeros_like(self.holdings[..., 0, :])
        for i in range(len(self.rows)):
            after = self.holdings[..., i, :]
            count += (np.abs(after - before) > _NO_TRADE * np.maximum(after, before)).sum(axis=-1)
            before = after
        return count

    @property
    def final_equity(self) -> FloatArray:
        """Equity at the last close, shape (…)."""
        return np.asarray(self.equity[..., -1])

    def to_table(self) -> Table:
        """Return a table with a row for each set of weights: final equity, costs, turnover, orders."""
        from bank_python.mntable import Table

        names = ("final_equity", "costs", "turnover")
        figures = (self.final_equity, self.costs.sum(axis=-1), self.turnover.sum(axis=-1))
        columns = zip(*(np.ravel(figure).tolist() for figure in figures), np.ravel(self.orders).tolist(), strict=True)
        rows = [{"point": i, **dict(zip((*names, "orders"), row, strict=True))} for i, row in enumerate(columns)]
        return Table.from_rows([("point", int), *((name, float) for name in names), ("orders", int)], rows)

    def __rich__(self) -> object:
        from bank_python.render import table_view

        return table_view(self.to_table(), f"{self.equity.shape[-1]:,} bars, {len(self.rows):,} rebalances")


@dataclass(frozen=True, slots=True)
class _Rules:
    """Cash at the beginning, what one unit of value costs to buy and brings when sold, and the kind of shares."""

    cash: float
    bought: float
    sold: float
    fractional: bool


@admits(BacktestError)
def run_rebalances(
    prices: ArrayLike,
    rebalance_rows: ArrayLike,
    target_weights: ArrayLike,
    *,
    cash: float = 1_000_000.0,
    fee: float = 0.001,
    slippage: float = 0.0005,
    fractional: bool = True,
    fill_prices: ArrayLike | None = None,
) -> RebalancedRun:
    """Return the equity of portfolios that are brought to target weights on some bars and held in between.

    Parameters
    ----------
    prices : array_like, shape (n_bars, n_assets)
        Closing prices of the bars, above 0.
    rebalance_rows : array_like of int, shape (n_rebalances,)
        Rows of the prices at whose close the targets are set, in ascending order.
    target_weights : array_like, shape (…, n_rebalances, n_assets)
        Shares of the equity to hold in each asset, at least 0, with sums of at most 1; leading axes are sets of
        weights, which are run at once. What is left is cash.
    cash : float, default 1,000,000.0
        Cash before the first bar, above 0.
    fee : float, default 0.001
        Fee as a share of an order's value, in [0, 1).
    slippage : float, default 0.0005
        Distance of the fill from the price as a share of it, against the order, in [0, 1).
    fractional : bool, default True
        Whether parts of a share are traded; if not, each order is rounded down to whole shares.
    fill_prices : array_like, shape (n_rebalances, n_assets), optional
        Prices before slippage at which the orders of a row are filled on the bar after it, such as that bar's opens,
        above 0. Sizes and the order of purchases still follow from the close of the row. By default the orders are
        filled at the close of the row.

    Raises
    ------
    BacktestError
        A figure is out of range, shapes do not fit each other, rows are not ascending rows of the prices, or there is
        no bar after the last row for its fills.

    Notes
    -----
    At the close this is ``Portfolio.from_orders(size_type="targetpercent", group_by=True, cash_sharing=True,
    call_seq="auto")`` of vectorbt, with ``fill_prices`` the same on the next bar with ``val_price=-inf``: the equity
    agrees to 1e-10. Costs are known for each rebalance, and those of an order from the holdings.
    """
    closes = figures_in_range("prices", prices, BacktestError, above=0.0)
    if closes.ndim != 2 or not closes.size:  # noqa: PLR2004 - bars and assets
        raise BacktestError(f"prices have the shape {closes.shape}; give a row for each bar, a column for each asset")
    rows = _checked_rows(rebalance_rows, len(closes) - (fill_prices is not None))
    weights = _checked_weights(target_weights, (len(rows), closes.shape[1]))
    fills = None
    if fill_prices is not None:
        fills = figures_in_range("fill_prices", fill_prices, BacktestError, above=0.0)
        if fills.shape != weights.shape[-2:]:
            said = f"fill_prices have the shape {fills.shape}; give one price for each rebalance and asset"
            raise BacktestError(f"{said}, {weights.shape[-2:]}", name="fill_prices", value=fills.shape)
    start = number_in_range("cash", cash, BacktestError, above=0.0)
    charged, slipped = (_share(name, value) for name, value in (("fee", fee), ("slippage", slippage)))
    rules = _Rules(start, (1.0 + slipped) * (1.0 + charged), (1.0 - slipped) * (1.0 - charged), fractional)
    return _run(closes, rows, weights, fills, rules)


def _share(name: str, value: float) -> float:
    known = number_in_range(name, value, BacktestError, least=0.0)
    if known >= 1.0:
        raise BacktestError(f"{name}={known!r} is not below 1; give a share, such as 0.001", name=name, value=known)
    return known


def _checked_rows(rows: ArrayLike, n_bars: int) -> IntArray:
    """Return rows as whole numbers that ascend from 0 to below the number of bars on which orders can be made."""
    known = figures_in_range("rebalance_rows", rows, BacktestError, least=0.0)
    whole = known.astype(np.int64)
    if known.ndim != 1 or not known.size or (whole != known).any() or (np.diff(whole) <= 0).any():
        said = "rebalance_rows are no list of ascending whole numbers; give each row once, and one at least"
        raise BacktestError(said, name="rebalance_rows")
    if whole[-1] >= n_bars:
        said = f"rebalance_rows ends with {whole[-1]}, but the last row whose orders can be filled is {n_bars - 1}"
        raise BacktestError(f"{said}; leave later ones out", name="rebalance_rows", value=int(whole[-1]))
    return whole


def _checked_weights(weights: ArrayLike, shape: tuple[int, int]) -> FloatArray:
    known = figures_in_range("target_weights", weights, BacktestError, least=0.0)
    if known.ndim < 2 or known.shape[-2:] != shape or not known.size:  # noqa: PLR2004 - rebalances and assets
        said = f"target_weights have the shape {known.shape}; their last axes are rebalances and assets, {shape}"
        raise BacktestError(said, name="target_weights", value=known.shape)
    most = float(known.sum(axis=-1).max(initial=0.0))
    if most > 1.0 + _ROUNDED_SUM:
        said = f"target_weights of a rebalance add up to {most:g}; give at most 1, as nothing is borrowed"
        raise BacktestError(said, name="target_weights", value=most)
    return known


def _run(
    closes: FloatArray, rows: IntArray, weights: FloatArray, fills: FloatArray | None, rules: _Rules
) -> RebalancedRun:
    """Walk through the rebalances, with points as the last axis of everything, so that sums over assets are fast."""
    count, assets = len(rows), closes.shape[1]
    points = weights.shape[:-2]
    targets = np.moveaxis(weights.reshape(-1, count, assets), 0, -1)
    size = targets.shape[-1]
    equity = np.full((len(closes), size), rules.cash)
    holdings, money = np.empty((count, assets, size)), np.empty((count, size))
    purchases, sales, before = np.empty((count, size)), np.empty((count, size)), np.empty((count, size))
    held, left = np.zeros((assets, size)), np.full(size, rules.cash)
    delay = int(fills is not None)
    ends = [*(rows[1:] + 1).tolist(), len(closes)]
    marks = closes[rows][:, :, None]
    paid = marks if fills is None else fills[:, :, None]
    trade = _fractional if rules.fractional else _whole
    for i, row in enumerate(rows.tolist()):
        before[i] = equity[row]
        left, purchases[i], sales[i] = trade(
            targets[i], before[i], (held, left), (marks[i], paid[i]), rules, holdings[i]
        )
        held, money[i] = holdings[i], left
        bars = slice(row + delay, ends[i])
        np.matmul(closes[bars], held, out=equity[bars])
        equity[bars] += left
    costs = purchases * (rules.bought - 1.0) + sales * (1.0 - rules.sold)
    by_point = [np.moveaxis(figure, -1, 0) for figure in (equity, holdings, money, costs, (purchases + sales) / before)]
    return RebalancedRun(rows, *(figure.reshape(points + figure.shape[1:]) for figure in by_point))


_Account: TypeAlias = tuple["FloatArray", "FloatArray"]
"""Shares by asset and point, and cash by point."""


def _fractional(
    targets: FloatArray,
    equity: FloatArray,
    account: _Account,
    prices: tuple[FloatArray, FloatArray],
    rules: _Rules,
    out: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Write the shares after a rebalance to `out`; return cash, value bought and value sold, by point."""
    held, cash = account
    mark, paid = prices
    wanted = targets * equity
    orders = wanted - held * mark
    np.divide(wanted, mark, out=out)
    flows = orders if paid is mark else (out - held) * paid
    bought = np.add.reduce(np.maximum(flows, 0.0), axis=0)
    sold = bought - np.add.reduce(flows, axis=0)
    left = cash + sold * rules.sold - bought * rules.bought
    if left.min() < 0.0:
        lacking = np.maximum(-left, 0.0) / rules.bought
        _reduce_purchases(out, orders, flows, paid, lacking)
        bought = bought - lacking
        left = np.maximum(left, 0.0)
    return left, bought, sold


def _reduce_purchases(
    shares: FloatArray, orders: FloatArray, flows: FloatArray, paid: FloatArray, lacking: FloatArray
) -> None:
    """Take value that cannot be paid for off the purchases, from the largest on; of equal ones, off the last first."""
    points = np.arange(len(lacking))
    largest = len(orders) - 1 - orders[::-1].argmax(axis=0)
    enough = flows[largest, points] >= lacking
    shares[largest, points] -= enough * lacking / paid[largest, 0]
    if enough.all():
        return
    for point in np.flatnonzero(~enough).tolist():
        order = np.argsort(orders[:, point], kind="stable")[::-1]
        sizes = np.maximum(flows[order, point], 0.0)
        cut = np.clip(lacking[point] - (np.cumsum(sizes) - sizes), 0.0, sizes)
        shares[order, point] -= cut / paid[order, 0]


def _whole(
    targets: FloatArray,
    equity: FloatArray,
    account: _Account,
    prices: tuple[FloatArray, FloatArray],
    rules: _Rules,
    out: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Do the same as :func:`_fractional` with orders of whole shares, one purchase after the other."""
    held, cash = account
    mark, paid = prices
    wanted = targets * equity
    orders = wanted - held * mark
    sizes = np.trunc(wanted / mark - held)
    sold = -np.add.reduce(np.minimum(sizes, 0.0) * paid, axis=0)
    left = cash + sold * rules.sold
    points, bought = np.arange(len(left)), np.zeros_like(left)
    np.add(held, np.minimum(sizes, 0.0), out=out)
    for assets in np.argsort(orders, axis=0, kind="stable"):
        price = paid[assets, 0]
        unit = price * rules.bought
        size = np.minimum(np.maximum(sizes[assets, points], 0.0), np.floor(left / unit * (1.0 + _NEXT_SHARE)))
        out[assets, points] += size
        bought += size * price
        left = np.maximum(left - size * unit, 0.0)
    return left, bought, sold
