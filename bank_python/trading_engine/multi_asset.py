r"""Multi-asset: a portfolio by inverse volatility, in what trends upwards, at a target volatility.

The weight of an asset is in proportion to one over its volatility; assets whose price is below its average are held in
cash instead. The whole is scaled so that its volatility, by the covariance of the latest returns, is the target:

.. math:: w_i = \frac{1/\sigma_i}{\sum_j 1/\sigma_j}\,[P_i > \bar P_i] , \qquad
          \text{money in } i = C\,w_i\,\min\Bigl(\frac{\sigma^*}{\sqrt{w^\top\Sigma w}}, \text{leverage}\Bigr)

An order is the difference between target and holding, unless it is small: the no-trade band saves costs.

Examples
--------
>>> import numpy as np
>>> calm = 100.0 * np.exp(np.cumsum(np.tile([0.006, -0.005], 61)))
>>> wild = 100.0 * np.exp(np.cumsum(np.tile([0.021, -0.019], 61)))
>>> rule = MultiAssetSignal(["CALM", "WILD"], capital=100_000.0, target_vol=0.05)
>>> orders = rule.generate({"CALM": calm, "WILD": wild, "WILD_UNITS": [900.0]})
>>> [(order.instrument_name, order.side.value, order.quantity) for order in orders]
[('CALM', 'BUY', 267.0), ('WILD', 'SELL', 831.0)]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.trading_engine.checks import finite_number, names_of, positive, whole_number
from bank_python.trading_engine.market_closes import closes_of
from bank_python.trading_engine.series_window import STILL, distinct, readable, units_held
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import rounded_units
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["MultiAssetSignal"]

_YEAR = 252
_FULL = 3.0  # bands at which the strength is 1


class MultiAssetSignal(SignalRule):
    """Trades a portfolio towards inverse-volatility weights at a target volatility, in what trends upwards.

    The strength is the money of the order as a share of three bands, at most 1.

    Parameters
    ----------
    tickers : sequence of str
        Assets, with prices in one currency.
    capital : float, default 1,000,000.0
        Capital of the portfolio in that currency, above 0.
    target_vol : float, default 0.10
        Volatility a year of the portfolio, a decimal above 0.
    vol_window : int, default 60
        Number of daily returns in volatilities and covariances, at least 2.
    trend_window : int, optional
        Number of closes in the average that a price has to exceed, at least 2; 120 by default, None for no filter.
    band : float, default 0.01
        Money of the smallest order as a share of the capital, at least 0.
    max_order : float, optional
        Money of the largest order, above 0: larger differences are traded in steps.
    max_leverage : float, default 2.0
        Largest factor by which the weights are scaled up, above 0.

    Raises
    ------
    TradingError
        A number is out of range, or the tickers are not names.

    Notes
    -----
    The units held are series `<ticker>_UNITS`, 0 if not given. Assets with a fault have no weight and no order; the
    others share the capital.
    """

    strategy: ClassVar[str] = "multi_asset"

    @admits(TradingError, members=False)
    def __init__(
        self,
        tickers: Sequence[str],
        capital: float = 1_000_000.0,
        target_vol: float = 0.10,
        *,
        vol_window: int = 60,
        trend_window: int | None = 120,
        band: float = 0.01,
        max_order: float | None = None,
        max_leverage: float = 2.0,
    ) -> None:
        self.tickers = distinct(*names_of("tickers", tickers))
        self.capital, self.target_vol = positive("capital", capital), positive("target_vol", target_vol)
        self.vol_window = whole_number("vol_window", vol_window, 2)
        self.trend_window = None if trend_window is None else whole_number("trend_window", trend_window, 2)
        self.band, self.max_leverage = finite_number("band", band), positive("max_leverage", max_leverage)
        self.max_order = None if max_order is None else positive("max_order", max_order)
        if self.band < 0.0:
            raise TradingError(f"band={band!r} is below 0", name="band", value=band)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the assets."""
        return self.tickers

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Units held, `<ticker>_UNITS`."""
        return tuple(f"{ticker}_UNITS" for ticker in self.tickers)

    def targets(self, market_data: Any) -> dict[str, float]:
        """Return the money to hold of each asset that can be read.

        Parameters
        ----------
        market_data : mapping, DataFrame, Table or PriceHistoryTable
            Closes up to now, as in :meth:`examine`.
        """
        closes, _ = closes_of(market_data)
        known, _ = readable(closes, self.tickers, self._fewest)
        return self._targets(known)

    @property
    def _fewest(self) -> int:
        return max(self.vol_window + 1, self.trend_window or 0)

    def _targets(self, known: Mapping[str, FloatArray]) -> dict[str, float]:
        returns = {name: np.diff(np.log(closes[-self.vol_window - 1 :])) for name, closes in known.items()}
        vols = {name: float(moves.std(ddof=1)) for name, moves in returns.items()}
        moving = [name for name, vol in vols.items() if vol > STILL]
        if not moving:
            return dict.fromkeys(known, 0.0)
        inverse = np.array([1.0 / vols[name] for name in moving])
        weights = inverse / inverse.sum() * [self._trends(known[name]) for name in moving]
        covariance = _YEAR * np.atleast_2d(np.cov([returns[name] for name in moving]))
        vol = math.sqrt(max(float(weights @ covariance @ weights), 0.0))
        scale = min(self.target_vol / vol, self.max_leverage) if vol > 0.0 else 0.0
        return {
            **dict.fromkeys(known, 0.0),
            **dict(zip(moving, (self.capital * scale * weights).tolist(), strict=True)),
        }

    def _trends(self, closes: FloatArray) -> bool:
        return self.trend_window is None or bool(closes[-1] > closes[-self.trend_window :].mean())

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each asset whose holding is outside the band around its target."""
        known, problems = readable(closes, self.tickers, self._fewest)
        targets = self._targets(known)
        return [*problems, *collected(known, lambda ticker: self._of_ticker(ticker, targets[ticker], closes))]

    def _of_ticker(self, ticker: str, target: float, closes: Mapping[str, FloatArray]) -> list[Signal]:
        price, held = float(closes[ticker][-1]), units_held(closes, ticker) or 0.0
        missing = target / price - held
        money, band = abs(missing) * price, self.band * self.capital
        quantity = rounded_units(min(money, self.max_order or money) / price)
        if not (money > band and quantity > 0.0):
            return []
        reason = f"target {target:,.0f}, {target / self.capital:.1%} of the capital; held {held * price:,.0f}"
        strength = 1.0 if band == 0.0 else min(money / (_FULL * band), 1.0)
        return [Signal(ticker, Side.BUY if missing > 0.0 else Side.SELL, quantity, strength, reason, price)]
