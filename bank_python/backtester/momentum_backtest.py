"""Momentum: the tickers with the highest returns over a lookback are held, the others are not.

Examples
--------
>>> from bank_python.backtester import Backtester
>>> data = {"UP": [100.0 + i for i in range(40)], "DOWN": [100.0 - i for i in range(40)]}
>>> result = Backtester(MomentumBacktest(["UP", "DOWN"], lookback=20, top_n=1), data=data).run()
>>> sorted({fill.order.instrument_name for fill in result.fills}), result.held[-1].tolist()
(['UP'], [100.0, 0.0])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.backtester.strategy import BacktestStrategy, Targets
from bank_python.errors import BacktestError
from bank_python.trading_engine.checks import names_of, positive, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.backtester.window import Window

__all__ = ["MomentumBacktest"]


class MomentumBacktest(BacktestStrategy):
    """Holds the tickers with the highest return over the lookback, if that is above 0.

    Parameters
    ----------
    tickers : sequence of str
        Tickers to choose from.
    lookback : int, default 20
        Number of closes that the return spans, at least 1.
    top_n : int, default 3
        Number of tickers to hold, at least 1.
    trade_qty : float, default 100.0
        Units of each ticker held, above 0; with `weight` a share of equity takes its place.
    weight : float, optional
        Share of equity that all holdings have together, above 0: each has an equal part.
    every : int, default 1
        Number of bars between two decisions, at least 1.
    """

    def __init__(
        self,
        tickers: Sequence[str],
        lookback: int = 20,
        top_n: int = 3,
        trade_qty: float = 100.0,
        *,
        weight: float | None = None,
        every: int = 1,
    ) -> None:
        self.tickers = names_of("tickers", tickers)
        if not self.tickers:
            raise BacktestError("tickers is empty; give at least one", name="tickers")
        self.lookback, self.top_n = whole_number("lookback", lookback, 1), whole_number("top_n", top_n, 1)
        self.trade_qty, self.every = positive("trade_qty", trade_qty), whole_number("every", every, 1)
        self.weight = None if weight is None else positive("weight", weight)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers."""
        return tuple(self.tickers)

    def on_bar(self, window: Window) -> Targets | None:
        """Return the targets of all tickers whose returns are known."""
        if window.index % self.every:
            return None
        returns = {}
        for ticker in self.tickers:
            known = window[ticker]
            if len(known) > self.lookback and window.is_quoted(ticker):
                returns[ticker] = float(known[-1] / known[-1 - self.lookback]) - 1.0
        if not returns:
            return None
        best = sorted(returns, key=lambda ticker: -returns[ticker])[: self.top_n]
        chosen = [ticker for ticker in best if returns[ticker] > 0.0]
        reason = f"best of {len(returns)} by the return over {self.lookback} closes"
        if self.weight is not None:
            part = self.weight / self.top_n
            return Targets(weights={ticker: part * (ticker in chosen) for ticker in returns}, reason=reason)
        return Targets(units={ticker: self.trade_qty * (ticker in chosen) for ticker in returns}, reason=reason)
