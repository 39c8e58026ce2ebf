"""Volatility arbitrage: implied against forecast volatility, traded by straddles.

Where the implied volatility is above the forecast by five points, the rule sells straddles at the money with thirty
days, and buys them where it is below. The instrument is the straddle, ``<ticker>_30D_STRADDLE``, whose price is that of
Black and Scholes at the implied volatility without interest.

Examples
--------
>>> import numpy as np
>>> closes = 100.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(1).standard_normal(300)))
>>> (order,) = VolArbSignal(["AAPL"]).generate({"AAPL": closes, "AAPL_VOL": [0.30]})
>>> order.instrument_name, order.side.value, order.reason
('AAPL_30D_STRADDLE', 'SELL', 'implied 30.0% less forecast 12.1% a year, by the last 20 returns')
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.risk_models.garch import fit_garch
from bank_python.trading_engine.checks import names_of, positive, whole_number
from bank_python.trading_engine.series_window import distinct, recent_prices, recent_vols
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_option import SignalOption
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.words import Side
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["VolArbSignal"]

_EDGE, _FULL = 0.05, 0.15
_DAYS = 30
_YEAR = 252
_FORECASTS = ("realised", "garch", "gjr", "egarch")
_GARCH_CLOSES = 251


class VolArbSignal(SignalRule):
    """Sells straddles whose implied volatility is five points above the forecast, and buys them below it.

    The strength is the distance as a share of 15 points, at most 1.

    Parameters
    ----------
    tickers : sequence of str
        Tickers with closes; the implied volatility of each is the last figure of ``<ticker>_VOL``, as a decimal.
    rv_window : int, default 20
        Number of returns in the realised volatility, at least 2.
    forecast : {"realised", "garch", "gjr", "egarch"}, default "realised"
        Volatility to compare with: realised, or the mean forecast of a GARCH model over a month; that needs 251 closes.
    quantity : float, default 10.0
        Number of straddles, above 0.

    Raises
    ------
    TradingError
        A number is out of range, or the forecast is unknown.
    """

    strategy: ClassVar[str] = "vol_arb"

    @admits(TradingError, members=False)
    def __init__(
        self, tickers: Sequence[str], rv_window: int = 20, *, forecast: str = "realised", quantity: float = 10.0
    ) -> None:
        self.tickers = names_of("tickers", tickers)
        self.rv_window = whole_number("rv_window", rv_window, 2)
        if forecast not in _FORECASTS:
            advice = did_you_mean(forecast, _FORECASTS, f"choose one of {', '.join(_FORECASTS)}")
            raise TradingError(f"no forecast {forecast!r}; {advice}", name="forecast", value=forecast)
        self.forecast, self.quantity = forecast, positive("quantity", quantity)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers, and of their implied volatilities."""
        return distinct(*(name for ticker in self.tickers for name in (ticker, f"{ticker}_VOL")))

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each ticker whose implied volatility is far from its forecast."""
        return collected(self.tickers, lambda ticker: self._of_ticker(ticker, closes))

    def _of_ticker(self, ticker: str, closes: Mapping[str, FloatArray]) -> list[Signal]:
        known = recent_prices(closes, ticker, self._closes_needed(closes.get(ticker)))
        implied = float(recent_vols(closes, f"{ticker}_VOL")[-1])
        vol, by = self._forecast(known)
        edge = implied - vol
        if not abs(edge) > _EDGE:
            return []
        straddle = SignalOption(ticker, _DAYS)
        reason = f"implied {implied:.1%} less forecast {vol:.1%} a year, by {by}"
        side = Side.SELL if edge > 0.0 else Side.BUY
        price = straddle.price(float(known[-1]), implied)
        return [Signal(straddle.name, side, self.quantity, min(abs(edge) / _FULL, 1.0), reason, price)]

    def _closes_needed(self, known: FloatArray | None) -> int:
        """Return the number of closes that the forecast is made from; a model is fitted to all that there are."""
        if self.forecast == "realised":
            return self.rv_window + 1
        return max(_GARCH_CLOSES, 0 if known is None else len(known))

    def _forecast(self, closes: FloatArray) -> tuple[float, str]:
        """Return the forecast volatility per year, and what it is made by."""
        returns = np.diff(np.log(closes))
        if self.forecast != "realised":
            fit = fit_garch(returns, self.forecast)
            if fit.converged:
                return fit.forecast_volatility(21, periods_per_year=_YEAR), f"a {fit.title}"
        last = returns[-self.rv_window :]
        stood_in = "" if self.forecast == "realised" else f", as the {self.forecast} did not converge"
        return math.sqrt(_YEAR * float(last @ last) / len(last)), f"the last {self.rv_window} returns{stood_in}"
