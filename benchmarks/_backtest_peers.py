"""Back-tests by the other libraries, and by loops as a user would write them.

vectorbt takes frames, which are made beforehand, and picks its engine itself: the one in Rust, where it is installed.
The compiled loop walks through the bars, and on the bars of a rebalance through the orders; its order of purchases is
that of ours. The whole curve of equity is the result of every side.
"""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stderr
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import vectorbt as vbt
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Sequence

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover
    from backtesting.test import GOOG

__all__ = ["GOOG", "backtesting_sma", "compiled_rebalances", "order_frames", "vectorbt_crossings", "vectorbt_orders"]


def order_frames(
    prices: np.ndarray, rows: np.ndarray, weights: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Return closes and target weights of points side by side, NaN where there is no order, and the columns' points."""
    points, _, assets = weights.shape
    sizes = np.full((len(prices), points * assets), np.nan)
    sizes[rows] = weights.transpose(1, 0, 2).reshape(len(rows), -1)
    closes = np.tile(prices, points)
    return pd.DataFrame(closes), pd.DataFrame(sizes), np.repeat(np.arange(points), assets)


def vectorbt_orders(
    closes: pd.DataFrame, sizes: pd.DataFrame, groups: np.ndarray, fee: float, slippage: float
) -> np.ndarray:
    """Return the equity of each bar and point by vectorbt."""
    terms = {"size_type": "targetpercent", "cash_sharing": True, "call_seq": "auto", "init_cash": 1e6, "freq": "D"}
    run = vbt.Portfolio.from_orders(closes, size=sizes, group_by=groups, fees=fee, slippage=slippage, **terms)
    return np.asarray(run.value()).reshape(len(closes), -1)


@njit("float64[::1](float64[:, ::1], int64[::1], float64[:, ::1], float64, float64)", cache=False)
def compiled_rebalances(
    prices: np.ndarray, rows: np.ndarray, weights: np.ndarray, fee: float, slippage: float
) -> np.ndarray:
    """Return the equity of each bar for one set of weights, by a loop that numba has compiled."""
    bars, assets = prices.shape
    held, cash, equity, k = np.zeros(assets), 1e6, np.empty(bars), 0
    for t in range(bars):
        value = cash
        for i in range(assets):
            value += held[i] * prices[t, i]
        if k < len(rows) and rows[k] == t:
            wanted = weights[k] * value
            orders = wanted - held * prices[t]
            for i in np.argsort(orders, kind="mergesort"):
                if orders[i] < 0.0:
                    cash -= orders[i] * (1.0 - slippage) * (1.0 - fee)
                    held[i] = wanted[i] / prices[t, i]
                elif orders[i] > 0.0:
                    cost = (1.0 + slippage) * (1.0 + fee)
                    paid = min(orders[i] * cost, cash)
                    held[i] += paid / cost / prices[t, i]
                    cash -= paid
            value = cash
            for i in range(assets):
                value += held[i] * prices[t, i]
            k += 1
        equity[t] = value
    return equity


def vectorbt_crossings(close: pd.Series, windows: Sequence[int], fee: float) -> vbt.Portfolio:
    """Return the portfolios of all pairs of moving averages by vectorbt, in the order of combinations."""
    fast, slow = vbt.MA.run_combs(close, window=windows, r=2, short_names=["fast", "slow"])
    return vbt.Portfolio.from_signals(
        close, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), fees=fee, init_cash=1e6, freq="D"
    )


class _Crossing(Strategy):  # type: ignore[misc]
    fast, slow = 20, 60

    def init(self) -> None:
        close = pd.Series(self.data.Close)
        self.quick = self.I(lambda: close.rolling(self.fast).mean())
        self.lazy = self.I(lambda: close.rolling(self.slow).mean())

    def next(self) -> None:
        if not self.position and crossover(self.quick, self.lazy):
            self.buy()
        elif self.position and crossover(self.lazy, self.quick):
            self.position.close()


def backtesting_sma(bars: pd.DataFrame, fee: float, *, same_close: bool) -> float:
    """Return the final equity of the averages of 20 and 60 bars by backtesting.py."""
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # a progress bar
        warnings.simplefilter("ignore")
        test = Backtest(bars, _Crossing, cash=1e6, commission=fee, trade_on_close=same_close)
        return float(test.run()["Equity Final [$]"])
