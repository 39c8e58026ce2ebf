r"""Carry: what a position earns if nothing moves, for the risk that it does.

The carry of a currency pair is the short rate of its base currency less that of its quote currency; divided by the
realised volatility of the pair it is a ratio like Sharpe's. The rule buys pairs with a high ratio and sells those with
a low one. A bond has a carry too, its yield less the rate of funding, and a roll-down: within a year its maturity
shortens by one, and on a curve that stays where it is its yield falls,

.. math:: \text{carry} + \text{roll} = y(m) - y(0) + D\,\bigl(y(m) - y(m - 1)\bigr)

with the modified duration D of a par bond with a year less. Its volatility is that of the yield times its duration now.

Examples
--------
>>> import numpy as np
>>> closes = 0.658 * np.exp(np.cumsum(np.tile([0.004, -0.004], 40)))
>>> rule = CarryTradeSignal(["AUDUSD"], rates={"AUD": 0.0435, "USD": 0.0285})
>>> (order,) = rule.generate({"AUDUSD": closes})
>>> order.side.value, order.reason
('BUY', 'carry +1.50% a year (AUD 4.35% less USD 2.85%) over a volatility of 6.3% is +0.24')

References
----------
R. S. J. Koijen, T. J. Moskowitz, L. H. Pedersen, E. B. Vrugt, "Carry", Journal of Financial Economics 127 (2018),
197-225: currencies and bonds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.risk_models.bond import bond_price
from bank_python.trading_engine.checks import finite_number, names_of, numbers_by_name, positive, whole_number
from bank_python.trading_engine.series_window import STILL, distinct, latest_rate, recent_prices, recent_rates
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["CURVE", "CarryTradeSignal"]

CURVE = {"SOFR": 0.0, "UST2Y": 2.0, "UST10Y": 10.0}
"""Series of the yield curve, and their maturities in years."""

_YEAR = 252
_FULL = 3.0  # thresholds at which the strength is 1
_CODES = 6
_COUPONS = 2.0  # a year
_FACE = 100.0
_SHORTEST = 1.0  # years to maturity: a bond must have a year to roll down
_LARGEST_RATE = 0.5


class CarryTradeSignal(SignalRule):
    """Buys currency pairs and bonds with a high carry for their volatility, and sells those with a low one.

    The strength is the ratio of carry to volatility as a share of three thresholds, at most 1.

    Parameters
    ----------
    pairs : sequence of str
        Currency pairs of six letters, base before quote, such as AUDUSD.
    vol_window : int, default 60
        Number of daily returns in the realised volatility, at least 2.
    threshold : float, default 0.1
        Ratio of carry to volatility from which on there is a signal, above 0.
    rates : mapping of str to float, optional
        Short rates a year by currency, decimals; the last figure of a series `<currency>_RATE` goes before.
    bonds : mapping of str to (float, float), optional
        Maturity in years, above 1, and coupon a year as a decimal, by bond. Their yields are those of the curve of
        SOFR, UST2Y and UST10Y, linear between them.
    quantity : float, default 100,000.0
        Units of the base currency, above 0.
    bond_quantity : float, default 1,000.0
        Units of a bond with the face 100, above 0.

    Raises
    ------
    TradingError
        A pair does not have six letters, or a number is out of range.
    """

    strategy: ClassVar[str] = "carry_trade"

    @admits(TradingError, members=False)
    def __init__(
        self,
        pairs: Sequence[str],
        vol_window: int = 60,
        *,
        threshold: float = 0.1,
        rates: Mapping[str, float] | None = None,
        bonds: Mapping[str, tuple[float, float]] | None = None,
        quantity: float = 100_000.0,
        bond_quantity: float = 1_000.0,
    ) -> None:
        self.pairs = names_of("pairs", pairs)
        for pair in self.pairs:
            if len(pair) != _CODES:
                raise TradingError(f"{pair!r} is no pair of currencies; give six letters: 'AUDUSD'", name="pairs")
        self.vol_window, self.threshold = whole_number("vol_window", vol_window, 2), positive("threshold", threshold)
        self.rates = numbers_by_name("rates", {} if rates is None else rates)
        for currency, rate in self.rates.items():
            if not abs(rate) < _LARGEST_RATE:
                raise TradingError(f"the rate of {currency} is {rate!r}; give a decimal: 0.0435", name="rates")
        self.bonds = _terms({} if bonds is None else bonds)
        self.quantity = positive("quantity", quantity)
        self.bond_quantity = positive("bond_quantity", bond_quantity)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the pairs, of the rates that the constructor was not given and, with bonds, of the curve."""
        unknown = [f"{currency}_RATE" for currency in self._currencies if currency not in self.rates]
        return distinct(*self.pairs, *unknown, *(CURVE if self.bonds else ()))

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Names of the other rates."""
        return tuple(f"{currency}_RATE" for currency in self._currencies if currency in self.rates)

    @property
    def _currencies(self) -> tuple[str, ...]:
        return distinct(*(code for pair in self.pairs for code in (pair[:3], pair[3:])))

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each pair and bond with a high or low carry for its volatility."""
        pairs = collected(self.pairs, lambda pair: self._of_pair(pair, closes))
        return [*pairs, *collected(self.bonds, lambda bond: self._of_bond(bond, closes))]

    def _of_pair(self, pair: str, closes: Mapping[str, FloatArray]) -> list[Signal]:
        known = recent_prices(closes, pair, self.vol_window + 1)
        base, quote = (self._rate(currency, closes) for currency in (pair[:3], pair[3:]))
        carry, vol = base - quote, _yearly(np.diff(np.log(known)))
        said = f"carry {carry:+.2%} a year ({pair[:3]} {base:.2%} less {pair[3:]} {quote:.2%})"
        return self._signal(pair, carry, vol, said, self.quantity, float(known[-1]))

    def _rate(self, currency: str, closes: Mapping[str, FloatArray]) -> float:
        name = f"{currency}_RATE"
        if currency in self.rates and not len(closes.get(name, ())):
            return self.rates[currency]
        return latest_rate(closes, name)

    def _of_bond(self, bond: str, closes: Mapping[str, FloatArray]) -> list[Signal]:
        maturity, coupon = self.bonds[bond]
        curve = np.array([recent_rates(closes, name, self.vol_window + 1) for name in CURVE])
        funding, now, later = (_at(years, curve[:, -1]) for years in (0.0, maturity, maturity - 1.0))
        carry, roll = now - funding, _duration(maturity - 1.0, later) * (now - later)
        moves = np.diff([_at(maturity, column) for column in curve.T])
        vol = _duration(maturity, now) * _yearly(moves)
        said = f"carry {carry:+.2%} and roll-down {roll:+.2%} a year of {maturity:g} years at {now:.2%}"
        price: Any = bond_price(now, _FACE, coupon, maturity, frequency=_COUPONS)
        return self._signal(bond, carry + roll, vol, said, self.bond_quantity, float(price))

    def _signal(self, name: str, carry: float, vol: float, said: str, quantity: float, price: float) -> list[Signal]:
        if vol <= STILL or not abs(carry) > self.threshold * vol:
            return []
        ratio = carry / vol
        reason = f"{said} over a volatility of {vol:.1%} is {ratio:+.2f}"
        side = Side.BUY if ratio > 0.0 else Side.SELL
        return [Signal(name, side, quantity, min(abs(ratio) / (_FULL * self.threshold), 1.0), reason, price)]


def _terms(bonds: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    found = {}
    for bond in names_of("bonds", bonds):
        terms = tuple(bonds[bond]) if isinstance(bonds[bond], tuple | list) else ()
        if len(terms) != 2:  # noqa: PLR2004 - maturity and coupon
            raise TradingError(
                f"{bond} has the terms {bonds[bond]!r}; give maturity and coupon: (10.0, 0.0425)", name=bond
            )
        maturity, coupon = finite_number(f"maturity of {bond}", terms[0]), finite_number(f"coupon of {bond}", terms[1])
        if maturity <= _SHORTEST or not 0.0 <= coupon < _LARGEST_RATE:
            raise TradingError(
                f"{bond} has the maturity {maturity!r} and the coupon {coupon!r}; give more than one year, and a "
                "decimal of at least 0",
                name=bond,
            )
        found[bond] = (maturity, coupon)
    return found


def _at(maturity: float, yields: FloatArray) -> float:
    """Return the yield of a maturity on the curve, flat beyond its ends."""
    return float(np.interp(maturity, list(CURVE.values()), yields))


def _duration(maturity: float, rate: float) -> float:
    """Return the modified duration of a par bond that pays twice a year."""
    growth = math.log1p(rate / _COUPONS)
    return maturity if rate == 0.0 else -math.expm1(-_COUPONS * maturity * growth) / rate


def _yearly(moves: FloatArray) -> float:
    return math.sqrt(_YEAR * float(moves @ moves) / len(moves))
