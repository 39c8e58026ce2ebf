r"""Pairs by distance: two prices that moved together, and have parted.

Prices are normalised to 1 at the start of a formation window, and the spread of a pair is the difference of its
normalised prices. Its distance is the sum of squares of the spread over the window, and σ the standard deviation there.
A pair is opened when the spread in the trading window after it exceeds two σ, with the same money in both legs, and
closed when the normalised prices cross.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(3)
>>> a = 50.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(140)))
>>> b = 3.0 * a * np.exp(0.01 * rng.standard_normal(140))
>>> a[-1] *= 1.05
>>> rule = PairsTradeSignal([("A", "B")])
>>> [(order.instrument_name, order.side.value, order.quantity) for order in rule.generate({"A": a, "B": b})]
[('A', 'SELL', 189.0), ('B', 'BUY', 66.0)]

References
----------
E. Gatev, W. N. Goetzmann, K. G. Rouwenhorst, "Pairs trading: performance of a relative-value arbitrage rule", Review of
Financial Studies 19 (2006), 797-827, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.trading_engine.checks import pairs_of_names, positive, whole_number
from bank_python.trading_engine.series_window import STILL, distinct, on_common_dates, recent_prices, units_held
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import closing, rounded_units
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["PairDistance", "PairsTradeSignal"]

_FEWEST = 20


@dataclass(frozen=True, slots=True)
class PairDistance(Record):
    """How far apart the normalised prices of a pair were, and are.

    Parameters
    ----------
    distance : float
        Sum of squares of the spread over the formation window.
    deviation : float
        Standard deviation of the spread over the formation window.
    spread : float
        Present spread: normalised price of the first leg less that of the second.
    """

    distance: float
    deviation: float
    spread: float

    @classmethod
    def of(cls, first: FloatArray, second: FloatArray, formation: int) -> PairDistance:
        """Return the distance of two series of prices, of which the first `formation` are the formation window.

        Parameters
        ----------
        first, second : ndarray, shape (n,)
            Prices of the legs, oldest first, above 0.
        formation : int
            Number of prices in the formation window, at least 2 and below n.
        """
        spread = first / first[0] - second / second[0]
        past = spread[:formation]
        return cls(float(past @ past), float(past.std(ddof=1)), float(spread[-1]))


class PairsTradeSignal(SignalRule):
    """Sells the dear and buys the cheap leg of a pair that has parted, and closes it when the prices cross.

    The strength is the spread as a share of twice the entry, at most 1.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Pairs of tickers to choose from.
    formation : int, default 120
        Number of closes in the formation window, at least 20; the authors take a year.
    trading : int, default 20
        Number of closes after it, at least 1, of which the last is the present one; the authors trade for half a year.
    entry : float, default 2.0
        Spread in historical standard deviations, above 0, from which on a pair is opened.
    most_pairs : int, optional
        Number of pairs that are opened, those with the smallest distances; all by default. Pairs held are always
        looked at.
    order_value : float, default 10,000.0
        Money of each leg, above 0.

    Raises
    ------
    TradingError
        A pair is not two names, or a number is out of range.

    Notes
    -----
    Exits need the units held of both legs, series `<ticker>_UNITS`. With them a pair that is held gives no further
    entries; without them the rule only enters. The windows move with the data, whereas the authors begin them anew
    every month.
    """

    strategy: ClassVar[str] = "pairs_trade"

    @admits(TradingError, members=False)
    def __init__(
        self,
        pairs: Sequence[tuple[str, str]],
        formation: int = 120,
        *,
        trading: int = 20,
        entry: float = 2.0,
        most_pairs: int | None = None,
        order_value: float = 10_000.0,
    ) -> None:
        self.pairs = pairs_of_names("pairs", pairs)
        self.formation = whole_number("formation", formation, _FEWEST)
        self.trading = whole_number("trading", trading, 1)
        self.entry = positive("entry", entry)
        self.most_pairs = None if most_pairs is None else whole_number("most_pairs", most_pairs, 1)
        self.order_value = positive("order_value", order_value)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the legs."""
        return distinct(*(name for pair in self.pairs for name in pair))

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Units held of the legs, `<ticker>_UNITS`."""
        return tuple(f"{name}_UNITS" for name in self.inputs)

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return two signals for each pair to open or to close."""
        found: dict[tuple[str, str], PairDistance] = {}

        def measure(pair: tuple[str, str]) -> list[Signal]:
            common = on_common_dates(closes, pair)
            first, second = (recent_prices(common, name, self.formation + self.trading) for name in pair)
            found[pair] = PairDistance.of(first, second, self.formation)
            return []

        problems = collected(self.pairs, measure)
        nearest = sorted(found, key=lambda pair: found[pair].distance)[: self.most_pairs]
        signals = collected(found, lambda pair: self._of_pair(pair, found[pair], closes, may_open=pair in nearest))
        return [*problems, *signals]

    def _of_pair(
        self, pair: tuple[str, str], seen: PairDistance, closes: Mapping[str, FloatArray], *, may_open: bool
    ) -> list[Signal]:
        prices = {name: float(closes[name][-1]) for name in pair}
        held = {name: units for name in pair if (units := units_held(closes, name)) is not None}
        if len(held) == len(pair) and any(held.values()):
            return self._exit(seen.spread, held, prices)
        if not (may_open and seen.deviation > STILL and abs(seen.spread) > self.entry * seen.deviation):
            return []
        first, second = pair
        size = seen.spread / seen.deviation
        reason = (
            f"{first} less {second}, normalised: {seen.spread:+.3f}, {size:+.1f} standard deviations of "
            f"{self.formation} closes; distance {seen.distance:.3g}"
        )
        sides = (Side.SELL, Side.BUY) if size > 0.0 else (Side.BUY, Side.SELL)
        strength = min(abs(size) / (2.0 * self.entry), 1.0)
        return [
            Signal(name, side, rounded_units(self.order_value / price), strength, reason, price, "/".join(pair))
            for (name, price), side in zip(prices.items(), sides, strict=True)
        ]

    def _exit(self, spread: float, held: Mapping[str, float], prices: Mapping[str, float]) -> list[Signal]:
        first, second = prices
        direction = held[first] or -held[second]
        if spread * direction < 0.0:  # the first leg is bought below the second, and the prices have not crossed
            return []
        return closing(held, prices, f"exit: the normalised prices of {first} and {second} have crossed, {spread:+.3f}")
