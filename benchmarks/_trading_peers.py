"""Trading as a user would write it without this library: plain numpy, a plain loop, and the other libraries.

Each function takes what ours takes and returns the figure that is compared. The numpy versions have no checks, no
names and no further figures; where a library has the task, its own call is used with its defaults.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import deque
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

import backtrader as bt
import cvxpy as cp
import numpy as np
import vectorbt as vbt
from numba import njit
from scipy.linalg import solve_banded
from statsmodels.tsa.stattools import coint
from vollib.black_scholes_merton import black_scholes_merton
from vollib.black_scholes_merton.greeks import analytical

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = [
    "backtrader_run",
    "banded_schedule",
    "chained",
    "closed_form_schedule",
    "compiled_fifo",
    "cvxpy_schedule",
    "decimal_fifo",
    "deque_fifo",
    "dictionary_run",
    "numpy_scan",
    "numpy_scan_by_name",
    "statsmodels_scan",
    "vectorbt_run",
    "verified",
    "vollib_ladder",
]

CENT = Decimal("0.01")
START = "0" * 64


# --- pairs --------------------------------------------------------------------------------------------


def statsmodels_scan(logs: np.ndarray) -> np.ndarray:
    """Return the statistics of all directed pairs by statsmodels, NaN on the diagonal."""
    count = logs.shape[1]
    found = np.full((count, count), np.nan)
    for i in range(count):
        for j in range(count):
            if i != j:
                found[i, j] = coint(logs[:, i], logs[:, j], maxlag=1, autolag=None)[0]
    return found


def numpy_scan(logs: np.ndarray) -> np.ndarray:
    """Return the same statistics by plain numpy, pair after pair."""
    count = logs.shape[1]
    found = np.full((count, count), np.nan)
    centred = logs - logs.mean(axis=0)
    for i in range(count):
        for j in range(count):
            if i != j:
                y, x = centred[:, i], centred[:, j]
                found[i, j] = _dickey_fuller((y - (x @ y / (x @ x)) * x)[None, :])[0]
    return found


def numpy_scan_by_name(logs: np.ndarray) -> np.ndarray:
    """Return the same statistics by plain numpy, all pairs of a name at once."""
    centred = (logs - logs.mean(axis=0)).T
    products = centred @ centred.T
    squares = np.diag(products)
    found = np.full(products.shape, np.nan)
    for i, y in enumerate(centred):
        others = np.arange(len(centred)) != i
        slopes = products[i, others] / squares[others]
        found[i, others] = _dickey_fuller(y - slopes[:, None] * centred[others])
    return found


def _dickey_fuller(spreads: np.ndarray) -> np.ndarray:
    """Return the t statistics of spreads in rows, with one lagged difference and no constant."""
    steps = np.diff(spreads, axis=1)
    level, lagged, step = spreads[:, 1:-1], steps[:, :-1], steps[:, 1:]
    a, b, d = (level * level).sum(1), (level * lagged).sum(1), (lagged * lagged).sum(1)
    e, f = (level * step).sum(1), (lagged * step).sum(1)
    determinant = a * d - b * b
    slope, other = (d * e - b * f) / determinant, (a * f - b * e) / determinant
    rest = (step * step).sum(1) - slope * e - other * f
    return np.asarray(slope / np.sqrt(rest / (step.shape[1] - 2) * d / determinant))


# --- schedules ----------------------------------------------------------------------------------------


def closed_form_schedule(shares: float, days: float, n: int, vol: float, eta: float, aversion: float) -> np.ndarray:
    """Return the shares left by the formula of Almgren and Chriss, written down."""
    tau = days / n
    kappa = math.acosh(0.5 * tau * tau * aversion * vol * vol / eta + 1.0) / tau
    return np.asarray(shares * np.sinh(kappa * (days - tau * np.arange(n + 1))) / math.sinh(kappa * days))


def banded_schedule(shares: float, days: float, n: int, vol: float, eta: float, aversion: float) -> np.ndarray:
    """Return the shares left by the difference equation, a tridiagonal system."""
    tau = days / n
    bands = np.empty((3, n - 1))
    bands[0] = bands[2] = -1.0
    bands[1] = 2.0 + tau * tau * aversion * vol * vol / eta
    right = np.zeros(n - 1)
    right[0] = shares
    return np.concatenate(([shares], solve_banded((1, 1), bands, right), [0.0]))


def cvxpy_schedule(shares: float, days: float, n: int, vol: float, eta: float, aversion: float) -> np.ndarray:
    """Return the shares left by a quadratic program, of an order of 1 so that the numbers are of one size."""
    tau = days / n
    left = cp.Variable(n + 1)
    ratio = aversion * vol * vol * tau * tau / eta
    objective = cp.sum_squares(cp.diff(left)) + ratio * cp.sum_squares(left[1:])
    cp.Problem(cp.Minimize(objective), [left[0] == 1.0, left[n] == 0.0]).solve(solver=cp.CLARABEL)
    return np.asarray(shares * left.value)


# --- lots ---------------------------------------------------------------------------------------------


def deque_fifo(quantities: Sequence[float], prices: Sequence[float]) -> float:
    """Return the realised P&L, first in, first out, in floats."""
    lots: deque[tuple[float, float]] = deque()
    gain = 0.0
    for quantity, price in zip(quantities, prices, strict=True):
        left = quantity
        while left and lots and (lots[0][0] > 0.0) != (left > 0.0):
            held, paid = lots[0]
            if abs(held) <= abs(left):
                closed = -held
                lots.popleft()
            else:
                closed = left
                lots[0] = (held + left, paid)
            gain -= closed * (price - paid)
            left -= closed
        if left:
            lots.append((left, price))
    return gain


def decimal_fifo(quantities: Sequence[float], prices: Sequence[float]) -> Decimal:
    """Return the same in decimals, each amount rounded to the cent."""
    lots: deque[tuple[Decimal, Decimal]] = deque()
    gain = Decimal(0)
    for quantity, number in zip(quantities, prices, strict=True):
        left, price = Decimal(repr(quantity)), Decimal(repr(number))
        while left and lots and (lots[0][0] > 0) != (left > 0):
            held, paid = lots[0]
            if abs(held) <= abs(left):
                closed = -held
                lots.popleft()
            else:
                closed = left
                lots[0] = (held + left, paid)
            gain -= (closed * (price - paid)).quantize(CENT, ROUND_HALF_EVEN)
            left -= closed
        if left:
            lots.append((left, price))
    return gain


@njit("float64(float64[::1], float64[::1])", cache=False)
def compiled_fifo(quantities: np.ndarray, prices: np.ndarray) -> float:
    """Return the same in floats, compiled by numba: a queue in two arrays."""
    held, paid = np.empty(len(quantities)), np.empty(len(quantities))
    first, last, gain = 0, 0, 0.0
    for i in range(len(quantities)):
        left = quantities[i]
        while left != 0.0 and first < last and (held[first] > 0.0) != (left > 0.0):
            if abs(held[first]) <= abs(left):
                closed = -held[first]
                gain -= closed * (prices[i] - paid[first])
                first += 1
            else:
                closed = left
                gain -= closed * (prices[i] - paid[first])
                held[first] += left
            left -= closed
        if left != 0.0:
            held[last], paid[last] = left, prices[i]
            last += 1
    return gain


# --- orders and the audit trail -----------------------------------------------------------------------


def dictionary_run(quantities: Sequence[float], prices: Sequence[float], most: float) -> float:
    """Return the cash after orders that a position limit is checked for, with a list as the log."""
    position, cash, log = 0.0, 0.0, []
    for quantity, price in zip(quantities, prices, strict=True):
        if abs(position + quantity) * price > most:
            log.append(("REJECT", quantity, price))
            continue
        position += quantity
        cash -= quantity * price
        log.append(("FILL", quantity, price))
    return cash


def vectorbt_run(quantities: np.ndarray, prices: pd.Series) -> float:
    """Return the cash after the same orders by vectorbt, compiled."""
    portfolio = vbt.Portfolio.from_orders(prices, size=quantities, init_cash=1e9, freq="D")
    return float(portfolio.cash().iloc[-1] - 1e9)


class _Given(bt.Strategy):  # type: ignore[misc]
    params = (("quantities", ()),)

    def next(self) -> None:
        i = len(self) - 1
        if i < len(self.p.quantities):
            quantity = self.p.quantities[i]
            (self.buy if quantity > 0.0 else self.sell)(size=abs(quantity))


def backtrader_run(quantities: Sequence[float], bars: pd.DataFrame) -> float:
    """Return the cash after the same orders by backtrader: an order on each bar, which fills at the next open."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=bars))
    cerebro.addstrategy(_Given, quantities=quantities)
    cerebro.broker.set_cash(1e9)
    cerebro.broker.set_checksubmit(False)
    cerebro.run()
    return float(cerebro.broker.get_cash() - 1e9)


def chained(events: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return events as JSON, each with a hash over it and the hash before it."""
    last, rows = START, []
    for event in events:
        text = json.dumps(event, sort_keys=True)
        last = hashlib.sha256((last + text).encode()).hexdigest()
        rows.append((text, last))
    return rows


def verified(rows: Sequence[tuple[str, str]]) -> bool:
    """Return whether each hash is that of its event and the hash before it."""
    last = START
    for text, told in rows:
        last = hashlib.sha256((last + text).encode()).hexdigest()
        if last != told:
            return False
    return True


# --- options ------------------------------------------------------------------------------------------


def vollib_ladder(options: Sequence[tuple[str, float, float, float]], spot: float, rate: float, vol: float) -> Any:
    """Return value, delta, gamma, vega and theta of options by vollib, added up by expiry."""
    sums: dict[float, np.ndarray] = {}
    for flag, strike, years, units in options:
        terms = (flag, spot, strike, years, rate, vol, 0.0)
        figures = [
            black_scholes_merton(*terms),
            *(getattr(analytical, name)(*terms) for name in ("delta", "gamma", "vega", "theta")),
        ]
        sums[years] = sums.get(years, 0.0) + units * np.array(figures)
    return sums
