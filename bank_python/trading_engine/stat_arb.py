"""Statistical arbitrage: pairs whose spread is far from its mean, bet on to return.

The spread is that of the Engle–Granger regression of the logarithms of the closes over the lookback, and its z-score
the distance of its last value from its mean. Each signal says the z-score, the test statistic with MacKinnon's p-value
and the half-life of the spread: a spread that does not revert, or slower than the lookback, gives none.

Where the units held of both legs are given, the rule also leaves: a pair that is held is closed once its spread is near
its mean, has crossed it, or is so far that the bet is lost.

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
>>> y[-1] /= 1.06
>>> held = {"A_UNITS": [-50.0], "B_UNITS": [50.0]}
>>> [order.reason for order in signal.generate({"A": y, "B": x, **held})][:1]
['exit: z-score +0.38 of A against B over 60 closes is within 0.5']
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from bank_python.admission import admits
from bank_python.errors import BankError, TradingError
from bank_python.risk_models.cointegration import engle_granger
from bank_python.trading_engine.checks import finite_number, pairs_of_names, positive, whole_number
from bank_python.trading_engine.series_window import distinct, on_common_dates, recent_prices, units_held
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import closing, units_of
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.risk_models import CointegrationTest
    from bank_python.trading_engine.signal_report import Found

__all__ = ["StatArbSignal"]

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
    order_value : float, optional
        Money of the first leg, above 0, in place of `quantity`; the second leg has this times the hedge ratio.
    exit_z : float, default 0.5
        Distance of the spread from its mean in standard deviations, at least 0, below which a pair that is held is
        closed; it is closed too once the spread has crossed its mean.
    stop_z : float, default 4.0
        Distance above which a pair that is held is closed as lost, above `exit_z`.

    Raises
    ------
    TradingError
        A pair is not two names, or a number is out of range.

    Notes
    -----
    The exits need the units held, series `<ticker>_UNITS` of both legs. With them a pair that is held gives no further
    entries, and a pair beyond the stop none either; without them the rule only enters.
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
        order_value: float | None = None,
        exit_z: float = 0.5,
        stop_z: float = 4.0,
    ) -> None:
        self.pairs = pairs_of_names("pairs", pairs)
        self.lookback = whole_number("lookback", lookback, _FEWEST)
        self.z_threshold = positive("z_threshold", z_threshold)
        if significance is not None and not 0.0 < significance < 1.0:
            raise TradingError(f"significance={significance!r} is outside (0, 1); 0.05 is usual", name="significance")
        self.significance, self.quantity = significance, positive("quantity", quantity)
        self.order_value = None if order_value is None else positive("order_value", order_value)
        self.exit_z, self.stop_z = finite_number("exit_z", exit_z), finite_number("stop_z", stop_z)
        if not 0.0 <= self.exit_z < self.stop_z:
            raise TradingError(f"exit_z={exit_z!r} is not at least 0 and below stop_z={stop_z!r}", name="exit_z")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the legs."""
        return distinct(*(name for pair in self.pairs for name in pair))

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Units held of the legs, `<ticker>_UNITS`."""
        return tuple(f"{name}_UNITS" for name in self.inputs)

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return two signals for each pair to enter or to leave."""
        return collected(self.pairs, lambda pair: self._of_pair(pair, closes))

    def _of_pair(self, pair: tuple[str, str], closes: Mapping[str, FloatArray]) -> list[Signal]:
        first, second = pair
        common = on_common_dates(closes, pair)
        y, x = recent_prices(common, first, self.lookback), recent_prices(common, second, self.lookback)
        held = {name: units_held(closes, name) for name in pair}
        try:
            fit = engle_granger(y, x, lags=1, take_logs=True)
        except BankError:  # a leg that does not move has no spread
            return []
        prices = {first: float(y[-1]), second: float(x[-1])}
        spread = fit.spread - fit.spread.mean()
        z = float(spread[-1]) / math.sqrt(float(spread @ spread) / (len(spread) - 1))
        known = {name: units for name, units in held.items() if units is not None}
        if len(known) == len(held):
            if any(known.values()):
                return self._exit(z, known, prices, fit.hedge_ratio)
            if not self.exit_z < abs(z) <= self.stop_z:
                return []
        return self._entry(z, fit, prices)

    def _entry(self, z: float, fit: CointegrationTest, prices: Mapping[str, float]) -> list[Signal]:
        passes = self.significance is None or fit.p_value <= self.significance
        if not (abs(z) > self.z_threshold and fit.half_life < self.lookback and passes):
            return []
        first, second = prices
        reason = (
            f"z-score {z:+.2f} of {first} against {second} over {self.lookback} closes; Engle–Granger t "
            f"{fit.statistic:.2f}, p {fit.p_value:.2f}; half-life {fit.half_life:.1f}"
        )
        strength = min(abs(z) / (2.0 * self.z_threshold), 1.0)
        hedge = None if self.order_value is None else self.order_value * abs(fit.hedge_ratio)
        values = {first: self.order_value, second: hedge}
        dear, cheap = (Side.SELL, Side.BUY) if z > 0.0 else (Side.BUY, Side.SELL)
        sides = dear, (cheap if fit.hedge_ratio > 0.0 else dear)  # with a ratio below 0 both legs are sold, or bought
        return [
            Signal(
                name, side, units_of(self.quantity, values[name], price), strength, reason, price, f"{first}/{second}"
            )
            for (name, price), side in zip(prices.items(), sides, strict=True)
        ]

    def _exit(
        self, z: float, held: Mapping[str, float], prices: Mapping[str, float], hedge_ratio: float
    ) -> list[Signal]:
        first, second = prices
        direction = held[first] or -math.copysign(held[second], held[second] * hedge_ratio)
        has_crossed = z * direction > 0.0  # the first leg is sold above the mean, and bought below it
        if abs(z) < self.exit_z:
            why = f"is within {self.exit_z:g}"
        elif has_crossed:
            why = "is on the other side of the mean"
        elif abs(z) > self.stop_z:
            why = f"is beyond the stop of {self.stop_z:g}"
        else:
            return []
        return closing(
            held, prices, f"exit: z-score {z:+.2f} of {first} against {second} over {self.lookback} closes {why}"
        )
