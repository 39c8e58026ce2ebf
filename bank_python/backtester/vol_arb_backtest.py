"""Volatility arbitrage: straddles are sold where implied volatility is above realised, bought where it is below.

The options are listed ones of thirty days at the money, priced by the contract's own price at the implied volatility
of the run (see :mod:`bank_python.backtester.option_quotes`), and settled at their intrinsic value. Shares hedge their
delta at each bar.

Examples
--------
>>> import numpy as np
>>> from bank_python.backtester import Backtester
>>> closes = 100.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(1).standard_normal(120)))
>>> result = Backtester(VolArbBacktest(["A"]), "2026-01-05", data={"A": closes}, vols=0.3).run()
>>> result.fills[0].order.side.value, result.fills[0].order.instrument_name, result.final_value > result.initial_cash
('SELL', 'A 2026-03-04 C 100.8', True)
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.backtester.strategy import BacktestStrategy, Targets
from bank_python.errors import BacktestError
from bank_python.instruments.option_symbol import OptionSymbol
from bank_python.trading_engine.checks import names_of, positive, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.backtester.window import Window

__all__ = ["VolArbBacktest"]

_EDGE = 0.05
_DAYS = 30
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class _Straddle:
    """A call and a put at the money, held or ordered: 1 for bought ones, -1 for sold ones."""

    call: str
    put: str
    expiry: dt.date
    side: int


class VolArbBacktest(BacktestStrategy):
    """Sells straddles whose implied volatility is five points above the realised one, and buys them below it.

    A straddle is closed when the difference has changed its sign, and is settled when it expires.

    Parameters
    ----------
    tickers : sequence of str
        Underlyings; the implied volatility of each is the close of ``<ticker>_VOL`` if the data have it.
    rv_window : int, default 20
        Number of returns in the realised volatility, at least 2.
    trade_qty : float, default 10.0
        Number of straddles of each ticker, each on 100 units, above 0.
    hedge : bool, default True
        Whether units of the ticker hedge the delta.
    """

    def __init__(
        self, tickers: Sequence[str], rv_window: int = 20, trade_qty: float = 10.0, *, hedge: bool = True
    ) -> None:
        self.tickers = names_of("tickers", tickers)
        if not self.tickers:
            raise BacktestError("tickers is empty; give at least one", name="tickers")
        self.rv_window, self.trade_qty = whole_number("rv_window", rv_window, _FEWEST), positive("trade_qty", trade_qty)
        self.hedge = hedge
        self._open: dict[str, _Straddle] = {}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers."""
        return tuple(self.tickers)

    def on_start(self, window: Window) -> None:  # noqa: ARG002 - the same for all data
        """Forget the straddles of a run before."""
        self._open = {}

    def on_bar(self, window: Window) -> Targets | None:
        """Return targets for straddles to open or to close, and for the units that hedge them."""
        units: dict[str, float] = {}
        for ticker in self.tickers:
            if window.is_quoted(ticker):
                units |= self._of_ticker(window, ticker)
        reason = f"implied against realised volatility of {self.rv_window} returns"
        return Targets(units=units, reason=reason) if units else None

    def _of_ticker(self, window: Window, ticker: str) -> dict[str, float]:
        edge = window.implied_vol(ticker) - window.volatility(ticker, self.rv_window)
        held = self._open.get(ticker)
        if held is not None and held.expiry <= window.date.date():
            del self._open[ticker]
            held = None
        if held is not None and held.side * edge > 0.0:  # bought above, or sold below
            del self._open[ticker]
            return {held.call: 0.0, held.put: 0.0, **self._hedged(ticker, 0.0)}
        if held is not None:
            delta = sum(window.units.get(name, 0.0) * window.delta(name) for name in (held.call, held.put))
            return self._hedged(ticker, -delta)
        if not abs(edge) > _EDGE:  # or unknown
            return self._hedged(ticker, 0.0)
        made = self._open[ticker] = _at_the_money(window, ticker, -1 if edge > 0.0 else 1)
        return dict.fromkeys((made.call, made.put), made.side * self.trade_qty) | self._hedged(ticker, 0.0)

    def _hedged(self, ticker: str, units: float) -> dict[str, float]:
        return {ticker: math.trunc(units)} if self.hedge else {}


def _at_the_money(window: Window, ticker: str, side: int) -> _Straddle:
    strike, expiry = float(f"{window.last(ticker):.4g}"), window.date.date() + dt.timedelta(days=_DAYS)
    call, put = (OptionSymbol(ticker, expiry, strike, is_call=is_call).name for is_call in (True, False))
    return _Straddle(call, put, expiry, side)
