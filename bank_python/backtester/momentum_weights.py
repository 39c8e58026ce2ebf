"""Target weights by momentum: equal shares of the assets that have risen most, for many parameters at once.

The score of an asset on a row is its return from ``lookback`` bars before the row to ``skip`` bars before it, such as
the months 12 to 2 before ("12-1") with 252 and 21 bars. The assets with the highest scores are held in equal shares;
of equal scores, that of the earlier column is higher.

Examples
--------
>>> prices = [[10.0, 10.0, 10.0], [11.0, 10.0, 12.0], [11.0, 10.0, 12.0]]
>>> momentum_weights(prices, lookback=2, skip=1, top_share=2 / 3, rows=[2]).tolist()
[[0.5, 0.0, 0.5]]
>>> momentum_weights(prices, lookback=2, skip=[0, 1], top_share=[[0.34], [0.67]], rows=[2]).shape
(2, 2, 1, 3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import BacktestError
from bank_python.numerics.ranges import figures_in_range

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray

__all__ = ["momentum_weights"]

_ROUNDED = 1e-9  # of a count of assets


@admits(BacktestError)
def momentum_weights(
    prices: ArrayLike, lookback: ArrayLike, skip: ArrayLike, top_share: ArrayLike, rows: ArrayLike
) -> FloatArray:
    """Return equal weights of the assets with the highest past returns, on some rows.

    Parameters
    ----------
    prices : array_like, shape (n_bars, n_assets)
        Closing prices of the bars, above 0.
    lookback : array_like of int
        Number of bars before the row at which the return begins, at least 1. `lookback`, `skip` and `top_share`
        broadcast against each other to the axes ``…`` of parameter points.
    skip : array_like of int
        Number of bars before the row at which the return ends, at least 0 and below `lookback`.
    top_share : array_like
        Share of the assets to hold, in (0, 1]; that share of their number is rounded down, to one asset at least.
    rows : array_like of int, shape (n_rows,)
        Rows of the prices on which weights are set.

    Returns
    -------
    ndarray, shape (…, n_rows, n_assets)
        Weights that add up to 1; all 0 on rows with fewer than `lookback` bars before them.

    Raises
    ------
    BacktestError
        A figure is out of range, shapes do not fit each other, or a row is not one of the prices.
    """
    closes = figures_in_range("prices", prices, BacktestError, above=0.0)
    if closes.ndim != 2 or not closes.size:  # noqa: PLR2004 - bars and assets
        raise BacktestError(f"prices have the shape {closes.shape}; give a row for each bar, a column for each asset")
    begins, ends = _whole("lookback", lookback, 1.0), _whole("skip", skip, 0.0)
    shares = figures_in_range("top_share", top_share, BacktestError, above=0.0, most=1.0)
    at = _whole("rows", rows, 0.0, len(closes) - 1.0)
    try:
        begins, ends, shares = np.broadcast_arrays(begins, ends, shares)
    except ValueError:
        said = f"lookback, skip and top_share have the shapes {begins.shape}, {ends.shape}, {shares.shape}"
        raise BacktestError(f"{said}, which do not broadcast; give one number or one for each point") from None
    if at.ndim != 1 or (ends >= begins).any():
        raise BacktestError(
            "a return has to end after its beginning; give a skip below the lookback, and rows in a list"
        )
    pairs, which = np.unique(np.stack((begins.ravel(), ends.ravel()), axis=1), axis=0, return_inverse=True)
    ranks = _ranks(closes, pairs, at)[:, :, which.ravel()]
    held = np.maximum(np.floor(shares.ravel() * closes.shape[1] + _ROUNDED), 1.0)
    weights = np.where(ranks < held, 1.0 / held, 0.0)
    return np.moveaxis(weights, -1, 0).reshape(begins.shape + weights.shape[:2])


def _ranks(closes: FloatArray, pairs: NDArray[np.int64], rows: NDArray[np.int64]) -> FloatArray:
    """Return the rank of each asset from 0, shape (n_rows, n_assets, n_pairs); infinite where history is short.

    Points are the last axis, as :func:`run_rebalances` reads them row by row.
    """
    begin = rows[:, None] - pairs[:, 0]
    scores = closes[rows[:, None] - pairs[:, 1]] / closes[np.maximum(begin, 0)]
    order = np.argsort(-scores, axis=-1, kind="stable")
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, order, np.arange(float(closes.shape[1]))[None, None, :], axis=-1)
    ranks[begin < 0] = np.inf
    return np.ascontiguousarray(np.moveaxis(ranks, 1, -1))


def _whole(name: str, values: ArrayLike, least: float, most: float | None = None) -> NDArray[np.int64]:
    known = figures_in_range(name, values, BacktestError, least=least, most=most)
    whole = known.astype(np.int64)
    if (whole != known).any():
        first = float(known[whole != known].flat[0])
        raise BacktestError(f"{name}={first!r} is not a whole number; give a number of bars", name=name, value=first)
    return whole
