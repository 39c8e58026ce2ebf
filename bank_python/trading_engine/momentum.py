"""Momentum: a short moving average of closes against a long one.

Examples
--------
>>> rising = {"AAPL": [100.0 + i for i in range(30)]}
>>> (order,) = MomentumSignal(["AAPL"], lookback=20).generate(rising)
>>> order.side.value, order.quantity, order.reason
('BUY', 100.0, 'mean of 10 closes 4.2% above that of 20')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.trading_engine.checks import names_of, positive, whole_number
from bank_python.trading_engine.series_window import distinct, recent_prices
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import units_of
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["MomentumSignal"]

_BAND = 0.005
_FULL = 0.015


class MomentumSignal(SignalRule):
    """Buys where the short moving average is above the long one by half a per cent, and sells where it is below.

    The strength is the distance as a share of 1.5 per cent, at most 1.

    Parameters
    ----------
    tickers : sequence of str
        Tickers to look at.
    lookback : int, default 20
        Number of closes in the long moving average, at least 2.
    short_window : int, optional
        Number of closes in the short one, below `lookback`; half of it if omitted.
    long_window : int, optional
        Another name of `lookback`, as users of the reference write it.
    quantity : float, default 100.0
        Units of an order, above 0.
    order_value : float, optional
        Money of an order, above 0, in place of `quantity`: the units are this over the price.

    Raises
    ------
    TradingError
        A window or the quantity is out of range, or the tickers are not names.
    """

    strategy: ClassVar[str] = "momentum"

    @admits(TradingError, members=False)
    def __init__(
        self,
        tickers: Sequence[str],
        lookback: int = 20,
        *,
        short_window: int | None = None,
        long_window: int | None = None,
        quantity: float = 100.0,
        order_value: float | None = None,
    ) -> None:
        self.tickers = names_of("tickers", tickers)
        self.lookback = whole_number("lookback", lookback if long_window is None else long_window, 2)
        half = max(self.lookback // 2, 1)
        self.short_window = whole_number("short_window", half if short_window is None else short_window, 1)
        whole_number("lookback", self.lookback, self.short_window + 1)
        self.quantity = positive("quantity", quantity)
        self.order_value = None if order_value is None else positive("order_value", order_value)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers."""
        return distinct(*self.tickers)

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each ticker whose averages are apart."""
        return collected(self.tickers, lambda ticker: self._of_ticker(ticker, closes))

    def _of_ticker(self, ticker: str, closes: Mapping[str, FloatArray]) -> list[Signal]:
        known = recent_prices(closes, ticker, self.lookback)
        gap = float(known[-self.short_window :].mean() / known.mean()) - 1.0
        if not abs(gap) > _BAND:
            return []
        price = float(known[-1])
        way = "above" if gap > 0.0 else "below"
        reason = f"mean of {self.short_window} closes {abs(gap):.1%} {way} that of {self.lookback}"
        side = Side.BUY if gap > 0.0 else Side.SELL
        quantity = units_of(self.quantity, self.order_value, price)
        return [Signal(ticker, side, quantity, min(abs(gap) / _FULL, 1.0), reason, price)]
