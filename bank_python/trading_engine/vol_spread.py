"""Relative value of volatilities: one implied volatility against another, without a view on either.

The z-score is that of the logarithm of the ratio of the two. The option of the dear volatility is sold and that of the
cheap one bought, with quantities that cancel their vegas: if both volatilities rise by a point, nothing is gained.

A series ``<ticker>_VOL`` is that at the money, traded as a straddle; ``<ticker>_VOL_95`` that of the strike at 95 per
cent of the spot, traded as the option out of the money, a put below 100 and a call above.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(2)
>>> spy = 0.16 * np.exp(0.02 * rng.standard_normal(60))
>>> qqq = 0.21 * np.exp(0.02 * rng.standard_normal(60))
>>> spy[-1] = 0.19
>>> data = {"SPY_VOL": spy, "QQQ_VOL": qqq, "SPY": [585.0], "QQQ": [500.0]}
>>> orders = VolSpreadSignal([("SPY_VOL", "QQQ_VOL")], quantity=100.0).generate(data)
>>> [(order.instrument_name, order.side.value, order.quantity) for order in orders]
[('SPY_30D_STRADDLE', 'SELL', 100.0), ('QQQ_30D_STRADDLE', 'BUY', 117.0)]
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.risk_models.mean_reversion import z_score
from bank_python.trading_engine.checks import pairs_of_names, positive, whole_number
from bank_python.trading_engine.series_window import distinct, on_common_dates, recent_prices, recent_vols
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_option import SignalOption
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import rounded_units
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["VolSpreadSignal"]

_FEWEST = 20
_AT_THE_MONEY = 100.0
_SERIES = re.compile(r"(?P<ticker>.+)_VOL(?:_(?P<moneyness>\d+(?:\.\d+)?))?")


class VolSpreadSignal(SignalRule):
    """Sells the option of the dear and buys that of the cheap of two implied volatilities, vega-neutral.

    The strength is the z-score as a share of twice the threshold, at most 1.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Series of implied volatilities, decimals: `<ticker>_VOL`, or `<ticker>_VOL_<strike in per cent of the spot>`.
    lookback : int, default 60
        Number of volatilities in the z-score, at least 20.
    z_threshold : float, default 2.0
        Distance of the logarithm from its mean in standard deviations, above 0, from which on there is a signal.
    days : int, default 30
        Calendar days to the expiry of the options, at least 1.
    quantity : float, default 10.0
        Units of the first leg, above 0; the second has as many as cancel its vega.

    Raises
    ------
    TradingError
        A series is not named as a volatility, or a number is out of range.
    """

    strategy: ClassVar[str] = "vol_spread"

    @admits(TradingError, members=False)
    def __init__(
        self,
        pairs: Sequence[tuple[str, str]],
        lookback: int = 60,
        z_threshold: float = 2.0,
        *,
        days: int = 30,
        quantity: float = 10.0,
    ) -> None:
        self.pairs = pairs_of_names("pairs", pairs)
        self.days = whole_number("days", days, 1)
        for series in self._series:
            self.option(series)
        self.lookback = whole_number("lookback", lookback, _FEWEST)
        self.z_threshold, self.quantity = positive("z_threshold", z_threshold), positive("quantity", quantity)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the volatilities, and of their underlyings."""
        return distinct(*self._series, *(self.option(series).ticker for series in self._series))

    @property
    def _series(self) -> tuple[str, ...]:
        return distinct(*(name for pair in self.pairs for name in pair))

    @admits(TradingError)
    def option(self, series: str) -> SignalOption:
        """Return the option by which a volatility is traded.

        Parameters
        ----------
        series : str
            Name of the series of the volatility.

        Raises
        ------
        TradingError
            The name is not that of a volatility.
        """
        found = _SERIES.fullmatch(series)
        moneyness = float(found["moneyness"] or _AT_THE_MONEY) if found else 0.0
        if found is None or moneyness <= 0.0:
            raise TradingError(
                f"{series!r:.60} names no volatility; names are like SPY_VOL or SPY_VOL_95", name="pairs", value=series
            )
        if moneyness == _AT_THE_MONEY:
            return SignalOption(found["ticker"], self.days)
        return SignalOption(found["ticker"], self.days, "P" if moneyness < _AT_THE_MONEY else "C", moneyness)

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return two signals for each pair of volatilities that are apart."""
        return collected(self.pairs, lambda pair: self._of_pair(pair, closes))

    def _of_pair(self, pair: tuple[str, str], closes: Mapping[str, FloatArray]) -> list[Signal]:
        common = on_common_dates(closes, pair)
        histories = [recent_vols(common, series, self.lookback) for series in pair]
        options = [self.option(series) for series in pair]
        spots = [float(recent_prices(closes, option.ticker)[-1]) for option in options]
        z = float(z_score(np.log(histories[0] / histories[1]), self.lookback)[-1])
        if math.isnan(z) or abs(z) <= self.z_threshold:
            return []
        now = [float(known[-1]) for known in histories]
        reason = f"z-score {z:+.2f} of {pair[0]} {now[0]:.1%} against {pair[1]} {now[1]:.1%} over {self.lookback} days"
        first, second = (option.vega(spot, vol) for option, spot, vol in zip(options, spots, now, strict=True))
        if not (first > 0.0 and second > 0.0):  # a strike so far away that its option has no vega left
            return []
        quantities = self.quantity, rounded_units(self.quantity * first / second)
        sides = (Side.SELL, Side.BUY) if z > 0.0 else (Side.BUY, Side.SELL)
        strength = min(abs(z) / (2.0 * self.z_threshold), 1.0)
        return [
            Signal(option.name, side, quantity, strength, reason, option.price(spot, vol), "/".join(pair))
            for option, side, quantity, spot, vol in zip(options, sides, quantities, spots, now, strict=True)
        ]
