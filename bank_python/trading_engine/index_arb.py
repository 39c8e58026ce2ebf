r"""Index arbitrage: a fund against the basket of its components.

The basket is bought at the start of the lookback with the given weights and held,

.. math:: B_t = \sum_i w_i \frac{P_{i,t}}{P_{i,0}} ,

and the z-score is that of the logarithm of the fund, normalised alike, over the basket. A dear fund is sold and its
components bought in proportion to their weights, for the same money in all; a cheap one the other way round.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(5)
>>> a, b = (100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(60))) for _ in "AB")
>>> fund = (0.6 * a / a[0] + 0.4 * b / b[0]) * 50.0 * np.exp(0.001 * rng.standard_normal(60))
>>> fund[-1] *= 1.01
>>> orders = IndexArbSignal({"FUND": {"A": 3.0, "B": 2.0}}).generate({"FUND": fund, "A": a, "B": b})
>>> [(order.instrument_name, order.side.value, round(order.quantity * order.price, -3)) for order in orders]
[('FUND', 'SELL', 100000.0), ('A', 'BUY', 60000.0), ('B', 'BUY', 40000.0)]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.risk_models.mean_reversion import z_score
from bank_python.trading_engine.checks import names_of, numbers_by_name, positive, whole_number
from bank_python.trading_engine.series_window import distinct, on_common_dates, recent_prices
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import rounded_units
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["IndexArbSignal"]

_FEWEST = 20


class IndexArbSignal(SignalRule):
    """Sells a fund that is dear against its components, which it buys, and the other way round.

    The strength is the z-score as a share of twice the threshold, at most 1.

    Parameters
    ----------
    baskets : mapping of str to mapping of str to float
        Weights of the components by fund, above 0, in any unit: they are divided by their sum.
    lookback : int, default 60
        Number of closes in the z-score, at least 20.
    z_threshold : float, default 2.0
        Distance of the logarithm from its mean in standard deviations, above 0, from which on there is a signal.
    order_value : float, default 100,000.0
        Money of the fund, and of all its components together, above 0.

    Raises
    ------
    TradingError
        A basket has no components or a weight that is not above 0, or a number is out of range.

    Notes
    -----
    A component with a fault leaves its fund without a signal: the hedge would have a hole. A basket of a few components
    follows its fund only so far, and the rest is a risk that stays.
    """

    strategy: ClassVar[str] = "index_arb"

    @admits(TradingError, members=False)
    def __init__(
        self,
        baskets: Mapping[str, Mapping[str, float]],
        lookback: int = 60,
        z_threshold: float = 2.0,
        *,
        order_value: float = 100_000.0,
    ) -> None:
        self.baskets = {fund: _weights(fund, baskets[fund]) for fund in names_of("baskets", baskets)}
        self.lookback = whole_number("lookback", lookback, _FEWEST)
        self.z_threshold, self.order_value = positive("z_threshold", z_threshold), positive("order_value", order_value)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the funds and of their components."""
        return distinct(*(name for fund, weights in self.baskets.items() for name in (fund, *weights)))

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return the signals of each fund that is far from its basket."""
        return collected(self.baskets, lambda fund: self._of_fund(fund, closes))

    def _of_fund(self, fund: str, closes: Mapping[str, FloatArray]) -> list[Signal]:
        weights = self.baskets[fund]
        common = on_common_dates(closes, (fund, *weights))
        known = {name: recent_prices(common, name, self.lookback) for name in (fund, *weights)}
        levels = {name: values / values[0] for name, values in known.items()}
        basket = np.sum([weight * levels[name] for name, weight in weights.items()], axis=0)
        z = float(z_score(np.log(levels[fund] / basket), self.lookback)[-1])
        if math.isnan(z) or abs(z) <= self.z_threshold:
            return []
        gap = float(levels[fund][-1] / basket[-1]) - 1.0
        reason = (
            f"z-score {z:+.2f} of {fund} against {len(weights)} components over {self.lookback} closes; {gap:+.2%} "
            "since their start"
        )
        side, other = (Side.SELL, Side.BUY) if z > 0.0 else (Side.BUY, Side.SELL)
        strength = min(abs(z) / (2.0 * self.z_threshold), 1.0)
        legs = [(fund, side, 1.0), *((name, other, weight) for name, weight in weights.items())]
        return [
            Signal(name, way, rounded_units(self.order_value * share / price), strength, reason, price, fund)
            for name, way, share in legs
            for price in [float(known[name][-1])]
        ]


def _weights(fund: str, given: Any) -> dict[str, float]:
    """Return the weights of a basket, which add up to 1."""
    found = numbers_by_name(f"baskets[{fund!r}]", given)
    if not found or fund in found:
        raise TradingError(f"the basket of {fund} is {given!r:.60}; give the weights of its components", name="baskets")
    for name, weight in found.items():
        if weight <= 0.0:
            raise TradingError(
                f"the weight of {name} in {fund} is {weight!r}, not above 0", name="baskets", value=weight
            )
    total = math.fsum(found.values())
    return {name: weight / total for name, weight in found.items()}
