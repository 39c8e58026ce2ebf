r"""Short-term reversal: buy what has fallen behind the others, sell what has run ahead, if RSI agrees.

Over a window, each ticker has the weight of Lo and MacKinlay,

.. math:: w_i = -\frac1N\,(R_i - R_m) ,

in proportion to how far its return lags the mean return of all. The weights add up to zero; they are scaled so that
the positive ones add up to one. A ticker with a positive weight is bought if its relative strength index says that it
is oversold, one with a negative weight sold if it is overbought.

Examples
--------
>>> falling, rising = [100.0 - i for i in range(20)], [100.0 + i for i in range(20)]
>>> rule = ContrarianSignal(["A", "B"], capital=10_000.0)
>>> {name: round(weight, 2) for name, weight in rule.weights({"A": falling, "B": rising}).items()}
{'A': 1.0, 'B': -1.0}
>>> [(order.instrument_name, order.side.value, order.quantity) for order in rule.generate({"A": falling, "B": rising})]
[('A', 'BUY', 123.0), ('B', 'SELL', 84.0)]

References
----------
A. W. Lo, A. C. MacKinlay, "When are contrarian profits due to stock market overreaction?", Review of Financial Studies
3 (1990), 175-205, equation 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.risk_models.indicators import rsi
from bank_python.trading_engine.checks import finite_number, names_of, positive, whole_number
from bank_python.trading_engine.market_closes import closes_of
from bank_python.trading_engine.series_window import STILL, distinct, readable, recent_prices
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import rounded_units
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["ContrarianSignal"]

_FULL = 2.0  # deviations of the cross-section at which the strength is 1
_MEMORY = 10  # windows after which the beginning of Wilder's average does not matter
_HIGHEST = 100.0


class ContrarianSignal(SignalRule):
    """Buys oversold losers and sells overbought winners of a cross-section, by their distance from its mean.

    The strength is the distance from the mean return as a share of two standard deviations of the returns, at most 1.

    Parameters
    ----------
    tickers : sequence of str
        Tickers of the cross-section, at least two with closes for a signal.
    window : int, default 5
        Number of days in the returns, at least 1.
    rsi_window : int, default 14
        Number of changes in the averages of the relative strength index, at least 2.
    oversold, overbought : float, default 30.0 and 70.0
        Index below which a loser is bought, and above which a winner is sold, in [0, 100].
    capital : float, default 100,000.0
        Money on each side, if all weights of that side were traded, above 0.

    Raises
    ------
    TradingError
        A number is out of range, or the tickers are not names.
    """

    strategy: ClassVar[str] = "contrarian"

    @admits(TradingError, members=False)
    def __init__(
        self,
        tickers: Sequence[str],
        window: int = 5,
        *,
        rsi_window: int = 14,
        oversold: float = 30.0,
        overbought: float = 70.0,
        capital: float = 100_000.0,
    ) -> None:
        self.tickers = distinct(*names_of("tickers", tickers))
        self.window, self.rsi_window = whole_number("window", window, 1), whole_number("rsi_window", rsi_window, 2)
        low, high = finite_number("oversold", oversold), finite_number("overbought", overbought)
        if not 0.0 <= low <= high <= _HIGHEST:
            raise TradingError(
                f"oversold={oversold!r} and overbought={overbought!r} are not in this order in [0, 100]",
                name="oversold",
            )
        self.oversold, self.overbought, self.capital = low, high, positive("capital", capital)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers."""
        return self.tickers

    def weights(self, market_data: Any) -> dict[str, float]:
        """Return the weights of the tickers that can be read; the positive ones add up to 1, all of them to 0.

        Parameters
        ----------
        market_data : mapping, DataFrame, Table or PriceHistoryTable
            Closes up to now, as in :meth:`examine`.
        """
        closes, _ = closes_of(market_data)
        known, _ = readable(closes, self.tickers, self._fewest)
        return _scaled(self._distances(known))

    @property
    def _fewest(self) -> int:
        return max(self.window, self.rsi_window) + 1

    def _distances(self, known: Mapping[str, FloatArray]) -> dict[str, float]:
        """Return the returns over the window less their mean."""
        returns = {name: float(closes[-1] / closes[-1 - self.window]) - 1.0 for name, closes in known.items()}
        mean = sum(returns.values()) / max(len(returns), 1)
        return {name: value - mean for name, value in returns.items()}

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each loser that is oversold and each winner that is overbought."""
        known, problems = readable(closes, self.tickers, self._fewest)
        distances = self._distances(known)
        weights = _scaled(distances)
        spread = float(np.std(list(distances.values()))) if distances else 0.0
        if spread <= STILL:
            return [*problems]

        def find(ticker: str) -> list[Signal]:
            return self._of_ticker(ticker, closes, distances[ticker], weights[ticker], spread)

        return [*problems, *collected(known, find)]

    def _of_ticker(
        self, ticker: str, closes: Mapping[str, FloatArray], distance: float, weight: float, spread: float
    ) -> list[Signal]:
        length = min(len(closes[ticker]), _MEMORY * self.rsi_window + 1)
        known = recent_prices(closes, ticker, max(length, self._fewest))
        index = float(rsi(known, self.rsi_window)[-1])
        is_loser = weight > 0.0
        if not ((is_loser and index < self.oversold) or (weight < 0.0 and index > self.overbought)):
            return []
        price = float(known[-1])
        way, word = ("behind", "oversold") if is_loser else ("ahead of", "overbought")
        reason = f"{abs(distance):.1%} {way} the mean of {self.window} days; RSI {index:.0f}, {word}"
        quantity = rounded_units(self.capital * abs(weight) / price)
        side = Side.BUY if is_loser else Side.SELL
        return [Signal(ticker, side, quantity, min(abs(distance) / (_FULL * spread), 1.0), reason, price)]


def _scaled(distances: Mapping[str, float]) -> dict[str, float]:
    """Return weights against the distances, of which the positive ones add up to 1."""
    half = sum(abs(value) for value in distances.values()) / 2.0
    return {name: -value / half if half > STILL else 0.0 for name, value in distances.items()}
