"""Macro trend: long above, short below a slow moving average, by a fast one.

Examples
--------
>>> from bank_python.backtester import Backtester
>>> data = {"GLD": [100.0 + i for i in range(40)]}
>>> result = Backtester(MacroBacktest(["GLD"]), data=data).run()
>>> result.fills[0].order.side.value, round(float(result.exposure[25]), 1)
('BUY', 0.8)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.backtester.strategy import BacktestStrategy, Targets
from bank_python.errors import BacktestError
from bank_python.trading_engine.checks import names_of, positive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.backtester.window import Window

__all__ = ["MacroBacktest"]

_FAST, _SLOW = 5, 20
_BAND = 0.01
_INVESTED = 0.8


class MacroBacktest(BacktestStrategy):
    """Long where the mean of 5 closes is 1 per cent above that of 20, short where it is as far below.

    Each position is 80 per cent of equity divided by the number of tickers, set when the direction changes. A number of
    units such as 100 is not the default: it would be a small position of one ticker and a loan for another.

    Parameters
    ----------
    tickers : sequence of str
        Tickers to trade.
    trade_qty : float, optional
        Units of each position in place of a share of equity, above 0.
    """

    def __init__(self, tickers: Sequence[str], trade_qty: float | None = None) -> None:
        self.tickers = names_of("tickers", tickers)
        if not self.tickers:
            raise BacktestError("tickers is empty; give at least one", name="tickers")
        self.trade_qty = None if trade_qty is None else positive("trade_qty", trade_qty)
        self._sides: dict[str, int] = {}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers."""
        return tuple(self.tickers)

    def on_start(self, window: Window) -> None:  # noqa: ARG002 - the same for all data
        """Forget the directions of a run before."""
        self._sides = {}

    def on_bar(self, window: Window) -> Targets | None:
        """Return targets for the tickers whose direction has changed."""
        changed = {}
        for ticker in self.tickers:
            known = window[ticker]
            if len(known) < _SLOW or not window.is_quoted(ticker):
                continue
            gap = float(known[-_FAST:].mean() / known[-_SLOW:].mean()) - 1.0
            side = 1 if gap > _BAND else -1 if gap < -_BAND else 0
            if side != self._sides.get(ticker, 0):
                changed[ticker] = float(side)
            self._sides[ticker] = side
        if not changed:
            return None
        reason = f"mean of {_FAST} closes against that of {_SLOW}"
        if self.trade_qty is not None:
            return Targets(units={ticker: self.trade_qty * side for ticker, side in changed.items()}, reason=reason)
        part = _INVESTED / len(self.tickers)
        return Targets(weights={ticker: part * side for ticker, side in changed.items()}, reason=reason)
