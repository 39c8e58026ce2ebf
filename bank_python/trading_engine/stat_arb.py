"""Statistical arbitrage: pairs whose spread is far from its mean, bet on to return.

The spread is that of the Engle–Granger regression of the logarithms of the closes over the lookback, and its z-score
the distance of its last value from its mean. Each signal says the z-score, the test statistic with MacKinnon's p-value
and the half-life of the spread: a spread that does not revert, or slower than the lookback, gives none.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(1)
>>> y = np.exp(np.cumsum(0.01 * rng.standard_normal(120))) * 50.0
>>> x = 2.0 * y * np.exp(0.01 * rng.standard_normal(120))
>>> y[-1] *= 1.06
>>> signal = StatArbSignal([("A", "B")])
>>> [(order.instrument_name, order.side.value) for order in signal.generate({"A": y, "B": x})]
[('A', 'SELL'), ('B', 'BUY')]
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import BankError, TradingError
from bank_python.risk_models.cointegration import engle_granger
from bank_python.trading_engine.checks import names_of, whole_number
from bank_python.trading_engine.signal import Signal, SignalRule, last_price
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray

__all__ = ["StatArbSignal"]

_PAIR = 2
_FEWEST = 20


class StatArbSignal(SignalRule):
    """Sells the dear and buys the cheap leg of a pair whose spread is far from its mean; two signals a pair.

    The strength is the z-score as a share of twice the threshold, at most 1.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Pairs of tickers.
    lookback : int, default 60
        Number of closes that the spread is measured on, at least 20.
    z_threshold : float, default 2.0
        Distance of the spread from its mean in standard deviations, above 0, from which on there is a signal.
    significance : float, optional
        Level of the Engle–Granger test that a pair has to pass, in (0, 1); by default the test only informs.
    quantity : float, default 50.0
        Units of each leg, above 0.

    Raises
    ------
    TradingError
        A pair is not two names, or a number is out of range.
    """

    strategy: ClassVar[str] = "stat_arb"

    @admits(TradingError, members=False)
    def __init__(
        self,
        pairs: Sequence[tuple[str, str]],
        lookback: int = 60,
        z_threshold: float = 2.0,
        *,
        significance: float | None = None,
        quantity: float = 50.0,
    ) -> None:
        given: Any = pairs
        if not isinstance(given, Iterable) or isinstance(given, str):
            raise TradingError(f"pairs={given!r} is no list of pairs of names", name="pairs", value=given)
        self.pairs = tuple(names_of("pairs", pair) for pair in given)
        for pair in self.pairs:
            if len(pair) != _PAIR:
                raise TradingError(f"the pair {pair!r} has {len(pair)} names; give two", name="pairs", value=pair)
        self.lookback = whole_number("lookback", lookback, _FEWEST)
        if not (math.isfinite(z_threshold) and z_threshold > 0.0):
            raise TradingError(f"z_threshold={z_threshold!r} is not a finite number above 0", name="z_threshold")
        if significance is not None and not 0.0 < significance < 1.0:
            raise TradingError(f"significance={significance!r} is outside (0, 1); 0.05 is usual", name="significance")
        self.z_threshold, self.significance, self.quantity = z_threshold, significance, quantity

    def from_closes(self, closes: Mapping[str, FloatArray]) -> list[Signal]:
        """Return two signals for each pair whose spread is far from its mean and reverts."""
        found = []
        for first, second in self.pairs:
            if all(name in closes and len(closes[name]) >= self.lookback for name in (first, second)):
                found += self._of_pair(first, second, closes[first], closes[second])
        return found

    def _of_pair(self, first: str, second: str, y: FloatArray, x: FloatArray) -> list[Signal]:
        prices = last_price(first, y), last_price(second, x)
        try:
            fit = engle_granger(y[-self.lookback :], x[-self.lookback :], lags=1, take_logs=True)
        except BankError:  # a leg that does not move has no spread
            return []
        spread = fit.spread - fit.spread.mean()
        deviation = float(np.sqrt((spread @ spread) / (len(spread) - 1)))
        z = float(spread[-1]) / deviation
        passes = self.significance is None or fit.p_value <= self.significance
        if not (abs(z) > self.z_threshold and fit.half_life < self.lookback and passes):
            return []
        reason = (
            f"z-score {z:+.2f} of {first} against {second} over {self.lookback} closes; Engle–Granger t "
            f"{fit.statistic:.2f}, p {fit.p_value:.2f}; half-life {fit.half_life:.1f}"
        )
        strength = min(abs(z) / (2.0 * self.z_threshold), 1.0)
        sides = (Side.SELL, Side.BUY) if z > 0.0 else (Side.BUY, Side.SELL)
        return [
            Signal(name, side, self.quantity, strength, reason, price)
            for name, side, price in zip((first, second), sides, prices, strict=True)
        ]
