r"""Credit arbitrage: a name's spread against that of its index, by the residual of logarithms.

The logarithm of a name's spread is regressed on that of its reference over the lookback; the z-score is the last
residual over its standard deviation. A name whose spread is cheap (narrow) for its index is bought protection on, one
whose spread is dear is sold protection on, and the index is the hedge. A swap gains its annuity times the change of its
spread, so that the hedge of one swap is

.. math:: h = \beta\,\frac{A_{name}\, s_{name}}{A_{index}\, s_{index}}

swaps in the index, with the slope β of the regression, the spreads s and the risky annuities A.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(1)
>>> index = 0.033 * np.exp(np.cumsum(0.02 * rng.standard_normal(60)))
>>> name = 0.6 * index * np.exp(0.02 * rng.standard_normal(60))
>>> name[-1] *= 1.15
>>> orders = CreditArbSignal([("F_CDS", "CDX_HY")]).generate({"F_CDS": name, "CDX_HY": index})
>>> [(order.instrument_name, order.side.value, order.quantity) for order in orders]
[('F_CDS_5Y', 'SELL', 1.0), ('CDX_HY_5Y', 'BUY', 0.59)]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.risk_models.cds import cds_value, risky_annuity
from bank_python.trading_engine.checks import numbers_by_name, pairs_of_names, positive, whole_number
from bank_python.trading_engine.series_window import distinct, latest_rate, on_common_dates, recent_prices
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.signal_size import rounded_units
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["CreditArbSignal"]

_FEWEST = 20
_NOTIONAL, _MATURITY, _RECOVERY, _COUPON = 1_000_000.0, 5.0, 0.4, 0.01
_LARGEST_SPREAD = 1.0
_DISCOUNT = "SOFR"
_STILL = 1e-20  # variance of logarithms below which a series does not move


class CreditArbSignal(SignalRule):
    """Buys protection on names whose spread is cheap for its index, sells it where it is dear, and hedges in the index.

    The strength is the z-score as a share of twice the threshold, at most 1. The instruments are swaps of five years on
    1,000,000, `<name>_5Y`; the price of an order is the clean value of such a swap to the buyer of protection, which
    is negative where the spread is below the coupon.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Series of a name's spread and of its reference, both decimals: the index, or another spread of the name such as
        that of its bond.
    lookback : int, default 60
        Number of spreads in the regression, at least 20.
    z_threshold : float, default 2.0
        Distance of the residual from 0 in standard deviations, above 0, from which on there is a signal.
    is_hedged : bool, default True
        Whether the reference is traded as the hedge; False for one that is no swap.
    coupons : mapping of str to float, optional
        Coupon a year of the swaps by series, as a decimal; 0.01 for the others.
    quantity : float, default 1.0
        Number of swaps of the name, above 0.

    Raises
    ------
    TradingError
        A pair is not two names, or a number is out of range.

    Notes
    -----
    Annuities and values are discounted with the last figure of `SOFR` if that is given, else at 0. A reference with
    which the spread does not rise (slope at most 0) explains nothing, and gives no signal.
    """

    strategy: ClassVar[str] = "credit_arb"

    @admits(TradingError, members=False)
    def __init__(
        self,
        pairs: Sequence[tuple[str, str]],
        lookback: int = 60,
        z_threshold: float = 2.0,
        *,
        is_hedged: bool = True,
        coupons: Mapping[str, float] | None = None,
        quantity: float = 1.0,
    ) -> None:
        self.pairs = pairs_of_names("pairs", pairs)
        self.lookback = whole_number("lookback", lookback, _FEWEST)
        self.z_threshold, self.is_hedged = positive("z_threshold", z_threshold), is_hedged
        self.coupons = numbers_by_name("coupons", {} if coupons is None else coupons)
        self.quantity = positive("quantity", quantity)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the spreads."""
        return distinct(*(name for pair in self.pairs for name in pair))

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """SOFR, the rate of discount."""
        return (_DISCOUNT,)

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return the signals of each pair whose spreads are apart."""
        return collected(self.pairs, lambda pair: self._of_pair(pair, closes))

    def _of_pair(self, pair: tuple[str, str], closes: Mapping[str, FloatArray]) -> list[Signal]:
        name, index = pair
        common = on_common_dates(closes, pair)
        spread, reference = (_spreads(common, series, self.lookback) for series in pair)
        rate = latest_rate(closes, _DISCOUNT) if len(closes.get(_DISCOUNT, ())) else 0.0
        slope, z = _residual_score(np.log(spread), np.log(reference))
        if not (abs(z) > self.z_threshold and slope > 0.0):
            return []
        side, other = (Side.SELL, Side.BUY) if z > 0.0 else (Side.BUY, Side.SELL)
        last = {name: float(spread[-1]), index: float(reference[-1])}
        reason = (
            f"z-score {z:+.2f} of {name} at {1e4 * last[name]:.0f} bp against {index} at {1e4 * last[index]:.0f} bp "
            f"over {self.lookback} days, slope {slope:.2f}"
        )
        hedge = slope * _risk(last[name], rate) / _risk(last[index], rate)
        legs = [(name, side, self.quantity), (index, other, rounded_units(self.quantity * hedge))]
        strength = min(abs(z) / (2.0 * self.z_threshold), 1.0)
        return [
            Signal(
                f"{series}_5Y", way, units, strength, reason, self._value(series, last[series], rate), "/".join(pair)
            )
            for series, way, units in (legs if self.is_hedged else legs[:1])
        ]

    def _value(self, series: str, spread: float, rate: float) -> float:
        coupon = self.coupons.get(series, _COUPON)
        return _number(cds_value(spread, rate, _NOTIONAL, coupon, _MATURITY, _RECOVERY))


def _spreads(closes: Mapping[str, FloatArray], series: str, count: int) -> FloatArray:
    known = recent_prices(closes, series, count)
    largest = float(known.max())
    if largest >= _LARGEST_SPREAD:
        raise TradingError(
            f"{series} is {largest!r}; give a decimal: 0.019 for 190 basis points", series=series, value=largest
        )
    return known


def _residual_score(y: FloatArray, x: FloatArray) -> tuple[float, float]:
    """Return the slope of y on x, and the last residual in standard deviations; (0, 0) if one does not move."""
    y, x = y - y.mean(), x - x.mean()
    variance = float(x @ x)
    if variance < _STILL:
        return 0.0, 0.0
    slope = float(x @ y) / variance
    rest = y - slope * x
    squares = float(rest @ rest)
    return slope, float(rest[-1]) / math.sqrt(squares / (len(y) - 2)) if squares > _STILL else 0.0


def _risk(spread: float, rate: float) -> float:
    """Return the change of a swap's value for a relative change of its spread."""
    return spread * _number(risky_annuity(spread, rate, maturity=_MATURITY, recovery=_RECOVERY))


def _number(value: Any) -> float:
    return float(value)
