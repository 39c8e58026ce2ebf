r"""Gamma scalping: keep a book of options delta neutral, and trade only when it is worth the cost.

Hedging at every move pays the spread too often, hedging late leaves risk. For small proportional costs the best rule is
a band around the delta of the model, whose half-width is, for a book with gamma Γ,

.. math:: H = \Bigl(\frac{3}{2}\,\frac{e^{-r(T-t)}\,\lambda\,S\,\Gamma^2}{a}\Bigr)^{1/3}

with the cost λ as a share of the value traded, and the risk aversion a in 1 over money. Inside the band nothing is
done; outside, one trades to its edge.

Examples
--------
>>> rule = GammaScalpSignal(["NVDA"], cost=0.001, risk_aversion=1e-4)
>>> round(rule.half_width(138.0, 500.0), 1)
802.9
>>> data = {"NVDA": [138.0], "NVDA_DELTA": [1500.0], "NVDA_GAMMA": [500.0]}
>>> (order,) = rule.generate(data)
>>> order.side.value, order.quantity, order.reason
('SELL', 697.0, 'delta +1,500 shares is outside the band of 803; to its edge')

References
----------
A. E. Whalley, P. Wilmott, "An asymptotic analysis of an optimal hedging model for option pricing with transaction
costs", Mathematical Finance 7 (1997), 307-324.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.trading_engine.checks import finite_number, names_of, positive
from bank_python.trading_engine.series_window import distinct, latest, recent_prices
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.words import Side
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["GammaScalpSignal"]

_TARGETS = ("edge", "zero")
_LEAST = 0.3  # a delta outside the band is a signal, however little outside
_DISCOUNTS = (0.0, 1.0)


class GammaScalpSignal(SignalRule):
    """Hedges the delta of a book once it is outside a band: to the edge of the band, or to zero.

    The strength is 0.3 at the band, and 1 at twice the band.

    Parameters
    ----------
    tickers : sequence of str
        Underlyings of the book. `<ticker>_DELTA` is the net delta in shares, the hedge included; `<ticker>_GAMMA` the
        gamma in shares per unit of the price.
    band : float, optional
        Fixed half-width of the band in shares, above 0; by default that of Whalley and Wilmott, which needs the gamma.
    cost : float, default 0.0005
        Cost of a trade as a share of its value, above 0.
    risk_aversion : float, default 1e-4
        Risk aversion in 1 over money, above 0; the higher, the narrower the band.
    discount : float, default 1.0
        Discount factor to the expiry of the options, in (0, 1].
    to : {"edge", "zero"}, default "edge"
        Delta after the trade: the nearer edge of the band, or zero.
    lot : float, default 1.0
        Number of shares of which orders are multiples, above 0.

    Raises
    ------
    TradingError
        A number is out of range, or the target is unknown.
    """

    strategy: ClassVar[str] = "gamma_scalp"

    @admits(TradingError, members=False)
    def __init__(
        self,
        tickers: Sequence[str],
        band: float | None = None,
        *,
        cost: float = 0.0005,
        risk_aversion: float = 1e-4,
        discount: float = 1.0,
        to: str = "edge",
        lot: float = 1.0,
    ) -> None:
        self.tickers = names_of("tickers", tickers)
        self.band = None if band is None else positive("band", band)
        self.cost, self.risk_aversion = positive("cost", cost), positive("risk_aversion", risk_aversion)
        lowest, highest = _DISCOUNTS
        if not lowest < discount <= highest:
            raise TradingError(f"discount={discount!r} is outside (0, 1]", name="discount", value=discount)
        if to not in _TARGETS:
            advice = did_you_mean(to, _TARGETS, f"choose one of {', '.join(_TARGETS)}")
            raise TradingError(f"no target {to!r}; {advice}", name="to", value=to)
        self.discount, self.to, self.lot = discount, to, positive("lot", lot)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers, of their deltas and, without a fixed band, of their gammas."""
        kinds = ("", "_DELTA", "_GAMMA") if self.band is None else ("", "_DELTA")
        return distinct(*(f"{ticker}{kind}" for ticker in self.tickers for kind in kinds))

    @admits(TradingError)
    def half_width(self, price: float, gamma: float) -> float:
        """Return the half-width of the band in shares.

        Parameters
        ----------
        price : float
            Price of the underlying, above 0.
        gamma : float
            Gamma of the book in shares per unit of the price, of any sign.

        Raises
        ------
        TradingError
            The price is not above 0, or the gamma is not finite.
        """
        if self.band is not None:
            return self.band
        square = finite_number("gamma", gamma) ** 2
        cube = 1.5 * self.discount * self.cost * positive("price", price) * square / self.risk_aversion
        return float(cube ** (1.0 / 3.0))

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each ticker whose delta is outside its band."""
        return collected(self.tickers, lambda ticker: self._of_ticker(ticker, closes))

    def _of_ticker(self, ticker: str, closes: Mapping[str, FloatArray]) -> list[Signal]:
        price, delta = float(recent_prices(closes, ticker)[-1]), latest(closes, f"{ticker}_DELTA")
        gamma = 0.0 if self.band is not None else latest(closes, f"{ticker}_GAMMA")
        width = self.half_width(price, gamma)
        excess = abs(delta) - width
        wanted = excess if self.to == "edge" else abs(delta)
        quantity = self.lot * round(wanted / self.lot)
        if not (excess > 0.0 and quantity > 0.0):
            return []
        target = "its edge" if self.to == "edge" else "zero"
        reason = f"delta {delta:+,.0f} shares is outside the band of {width:,.0f}; to {target}"
        strength = 1.0 if width == 0.0 else min(_LEAST + (1.0 - _LEAST) * excess / width, 1.0)
        return [Signal(ticker, Side.SELL if delta > 0.0 else Side.BUY, quantity, strength, reason, price)]
