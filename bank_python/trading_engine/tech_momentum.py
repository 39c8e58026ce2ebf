r"""Momentum with conviction: a trend that is strong for its volatility, and a breakout; long only.

The score of a ticker is its return over the lookback in standard deviations of such a return,

.. math:: z = \frac{\log(P_t / P_{t-L})}{\sigma\sqrt L} ,

with the daily volatility σ of the latest returns. The rule buys above a threshold, if the last close is above the
closes before it, and more of a quiet share than of a wild one: as many units as `quantity` at the target volatility.

Examples
--------
>>> import numpy as np
>>> steps = np.where(np.arange(130) % 3 == 0, -0.01, 0.012)
>>> closes = 100.0 * np.exp(np.cumsum(steps))[:-1]
>>> (order,) = TechMomentumSignal(["NVDA"]).generate({"NVDA": closes})
>>> order.side.value, order.quantity, order.reason
('BUY', 222.0, 'return 75.1% over 120 closes is 4.5 standard deviations; above the last 20 closes')

References
----------
T. J. Moskowitz, Y. H. Ooi, L. H. Pedersen, "Time series momentum", Journal of Financial Economics 104 (2012), 228-250:
positions in proportion to 40 % over the volatility.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.trading_engine.checks import names_of, positive, whole_number
from bank_python.trading_engine.series_window import STILL, distinct, recent_prices, units_held
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import rounded_units, units_of
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["TechMomentumSignal"]

_YEAR = 252
_FULL = 3.0  # thresholds at which the strength is 1
_MOST = 3.0  # largest multiple of the quantity


class TechMomentumSignal(SignalRule):
    """Buys what rises strongly for its volatility and breaks out; sells of what is held once the trend has turned.

    The strength is the score as a share of three thresholds, at most 1.

    Parameters
    ----------
    tickers : sequence of str
        Tickers to look at.
    lookback : int, default 120
        Number of daily returns in the trend, at least 1.
    vol_window : int, default 60
        Number of daily returns in the volatility, at least 2.
    breakout_window : int, default 20
        Number of closes that the last close has to exceed, at least 1.
    threshold : float, default 1.0
        Score from which on there is a signal, in standard deviations, above 0.
    target_vol : float, default 0.40
        Volatility a year at which an order has its full size, a decimal above 0; at half of it the order is twice as
        large, and never more than three times.
    quantity : float, default 100.0
        Units of an order at the target volatility, above 0.
    order_value : float, optional
        Money of an order at the target volatility, above 0, in place of `quantity`.

    Raises
    ------
    TradingError
        A number is out of range, or the tickers are not names.

    Notes
    -----
    The exit needs the units held, series `<ticker>_UNITS`: while they are above 0 and the return over the lookback is
    negative, each signal sells an order's size of them.
    """

    strategy: ClassVar[str] = "tech_momentum"

    @admits(TradingError, members=False)
    def __init__(
        self,
        tickers: Sequence[str],
        lookback: int = 120,
        *,
        vol_window: int = 60,
        breakout_window: int = 20,
        threshold: float = 1.0,
        target_vol: float = 0.40,
        quantity: float = 100.0,
        order_value: float | None = None,
    ) -> None:
        self.tickers = names_of("tickers", tickers)
        self.lookback = whole_number("lookback", lookback, 1)
        self.vol_window = whole_number("vol_window", vol_window, 2)
        self.breakout_window = whole_number("breakout_window", breakout_window, 1)
        self.threshold, self.target_vol = positive("threshold", threshold), positive("target_vol", target_vol)
        self.quantity = positive("quantity", quantity)
        self.order_value = None if order_value is None else positive("order_value", order_value)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers."""
        return distinct(*self.tickers)

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Units held, `<ticker>_UNITS`."""
        return tuple(f"{ticker}_UNITS" for ticker in self.inputs)

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each ticker with a strong trend, or with a holding whose trend has turned."""
        return collected(self.tickers, lambda ticker: self._of_ticker(ticker, closes))

    def _of_ticker(self, ticker: str, closes: Mapping[str, FloatArray]) -> list[Signal]:
        known = recent_prices(closes, ticker, max(self.lookback, self.vol_window, self.breakout_window) + 1)
        held = units_held(closes, ticker) or 0.0
        returns = np.diff(np.log(known))
        last = returns[-self.vol_window :]
        vol = math.sqrt(float(last @ last) / len(last))
        if vol <= STILL:
            return []
        price, trend = float(known[-1]), float(returns[-self.lookback :].sum())
        score = trend / (vol * math.sqrt(self.lookback))
        scale = min(self.target_vol / (vol * math.sqrt(_YEAR)), _MOST)
        quantity = rounded_units(scale * units_of(self.quantity, self.order_value, price))
        said = f"return {math.expm1(trend):.1%} over {self.lookback} closes"
        if held > 0.0 and trend < 0.0:
            return [Signal(ticker, Side.SELL, min(held, quantity), 1.0, f"exit: {said}", price)]
        if score <= self.threshold or price <= known[-self.breakout_window - 1 : -1].max():
            return []
        reason = f"{said} is {score:.1f} standard deviations; above the last {self.breakout_window} closes"
        return [Signal(ticker, Side.BUY, quantity, min(score / (_FULL * self.threshold), 1.0), reason, price)]
