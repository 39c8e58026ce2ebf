r"""Options in the tail, priced from one quote and the tail index: no volatility surface, no dynamic hedging.

One option in the tail, the *anchor*, fixes the constant of the power law; every option further out follows
(:mod:`bank_python.taleb.tail_law`). With a call at :math:`K_1` as the anchor, where returns and where prices follow the
law,

.. math:: \frac{C(K_2)}{C(K_1)} = \Big(\frac{K_2 - S}{K_1 - S}\Big)^{1-\alpha}, \qquad
          \frac{C(K_2)}{C(K_1)} = \Big(\frac{K_2}{K_1}\Big)^{1-\alpha}.

The law holds in the tail and not before: nearer to the spot than the anchor, or than the threshold where the tail
begins, there is no price, but a reason. So a call is never worth more than the stock, whatever the strike.

Examples
--------
>>> pricer = PowerLawPricer(spot=100.0, anchor_strike=110.0, anchor_price=0.95, alpha=3.0)
>>> round(pricer.price_call(120.0), 4), round(pricer.price_call(150.0), 4)
(0.2375, 0.038)
>>> strip = pricer.price_range([105.0, 120.0, 150.0], bsm_vol=0.20, T=0.25)
>>> strip.ratio.round(1)
array([  nan,   1.6, 554.6])
>>> strip.reasons[0]
'inside the anchor: 105 is nearer to the spot than 110'

References
----------
N. N. Taleb, B. Yarckin, C. Mann, D. Delic and M. Spitznagel, "Tail option pricing under power laws",
arXiv:1908.02347 (2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.instruments import PowerLawOption
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.risk_models.black_scholes import black_scholes_price
from bank_python.risk_models.implied_vol import implied_vol_fit
from bank_python.risk_models.power_law import power_law_price
from bank_python.taleb.alpha_fit import AlphaFit, fit_alpha
from bank_python.taleb.power_law_prices import PowerLawPrices
from bank_python.taleb.tail_law import TailLaw, tail_law, tail_probability, tail_scale

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["PowerLawOption", "PowerLawPricer"]


@dataclass(frozen=True)
class _Anchor:
    """Checked fields of a pricer."""

    spot: float
    anchor_strike: float
    anchor_price: float
    alpha: float
    is_call: bool
    law: TailLaw
    threshold: float | None


class PowerLawPricer(_Anchor, Record):
    """Prices of options in a power-law tail, scaled from the price of one of them.

    Parameters
    ----------
    spot : float
        Price of the underlying, above 0.
    anchor_strike : float
        Strike of the anchor, an option in the tail: above the spot for calls, below it for puts.
    anchor_price : float
        Price of the anchor, above 0 and below the spot for a call, below its strike for a put.
    alpha : float
        Tail index, above 1.
    is_call : bool, default True
        Whether the anchor, and with it :meth:`price_range`, is a call; else a put.
    law : TailLaw or str, default "returns"
        Quantity that follows the power law: ``returns``, the relative move away from the spot, or ``price``, the price
        at expiry, which has calls only.
    threshold : float, optional
        Strike beyond which the tail is a power law (Karamata's point), at most as far out as the anchor; by default the
        anchor's strike.

    Raises
    ------
    ModelError
        An argument is out of range; the message names it.
    """

    @admits(ModelError)
    def __init__(
        self,
        spot: float,
        anchor_strike: float,
        anchor_price: float,
        alpha: float,
        is_call: bool = True,
        law: TailLaw | str = TailLaw.RETURNS,
        threshold: float | None = None,
    ) -> None:
        given = {"spot": spot, "anchor_strike": anchor_strike, "anchor_price": anchor_price}
        S, K, price = (number_in_range(name, value, ModelError, above=0.0) for name, value in given.items())
        known = tail_law(law, is_call=is_call)
        tail_scale(S, _out_of_the_money(S, K, is_call=is_call), alpha, price, is_call=is_call, law=known)
        _require_price(S, K, price, is_call=is_call)
        start = None if threshold is None else number_in_range("threshold", threshold, ModelError, above=0.0)
        _require_outside(K, start, is_call=is_call)
        super().__init__(S, K, price, float(alpha), bool(is_call), known, start)

    @property
    def scale(self) -> float:
        """Constant l of the law that the anchor implies: a share of the spot for ``returns``, a price for ``price``."""
        quote = (self.spot, self.anchor_strike, self.alpha, self.anchor_price)
        return tail_scale(*quote, is_call=self.is_call, law=self.law)

    @property
    def anchor_probability(self) -> float:
        """Probability of ending beyond the anchor's strike that its price implies; above 1, no such law has it."""
        quote = (self.spot, self.anchor_strike, self.alpha, self.anchor_price)
        return tail_probability(*quote, is_call=self.is_call, law=self.law)

    @property
    def first_strike(self) -> float:
        """Strike at which the implied law begins, with a probability of one to end beyond it."""
        if self.law is TailLaw.PRICE:
            return self.scale
        return self.spot * (1.0 + self.scale if self.is_call else 1.0 - self.scale)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the anchor, in words."""
        chance = self.anchor_probability
        if chance <= 1.0:
            return ()
        return (
            (
                f"at α = {self.alpha:g} the anchor's price implies a probability of {chance:.4g} to end beyond its "
                f"strike: it is too dear for this tail, which begins at {self.first_strike:.6g}"
            ),
        )

    @admits(ModelError)
    def price_call(self, strike: ArrayLike, *, anchor: tuple[float, float] | None = None) -> Numbers:
        """Return the price of a call, or of several.

        Parameters
        ----------
        strike : array_like
            Strikes; finite.
        anchor : tuple of float, optional
            Strike and price of a call to scale from; needed where the pricer's own anchor is a put.

        Returns
        -------
        float or ndarray
            Prices in the shape of `strike`; NaN where the law says nothing: see :meth:`reason`.

        Raises
        ------
        ModelError
            The pricer's anchor is a put and no other is given, or an argument is out of range.
        """
        return _prices(self._side(is_call=True, anchor=anchor), strike)

    @admits(ModelError)
    def price_put(self, strike: ArrayLike, *, anchor: tuple[float, float] | None = None) -> Numbers:
        """Return the price of a put, or of several, where declines follow the law, truncated at a price of zero.

        Parameters
        ----------
        strike : array_like
            Strikes; finite.
        anchor : tuple of float, optional
            Strike and price of a put to scale from; needed where the pricer's own anchor is a call, whose price says
            nothing about falling prices.

        Returns
        -------
        float or ndarray
            Prices in the shape of `strike`; NaN where the law says nothing: see :meth:`reason`.

        Raises
        ------
        ModelError
            The pricer's anchor is a call and no other is given, or an argument is out of range.

        Examples
        --------
        >>> put = PowerLawPricer(100.0, 90.0, 0.7124, alpha=3.0, is_call=False)
        >>> round(put.price_put(80.0) / 0.7124, 6)
        0.230453
        """
        return _prices(self._side(is_call=False, anchor=anchor), strike)

    @admits(ModelError)
    def reason(self, strike: float) -> str:
        """Return why an option of the anchor's kind has no price at a strike; empty text if it has one.

        Parameters
        ----------
        strike : float
            Strike; finite.
        """
        return _reasons(self, [float(figures_in_range("strike", strike, ModelError))])[0]

    @admits(ModelError)
    def price_range(
        self,
        strikes: ArrayLike,
        bsm_vol: float = 0.20,
        T: float = 1.0,
        *,
        rate: float = 0.0,
    ) -> PowerLawPrices:
        """Return the prices of options of the anchor's kind, beside those of Black and Scholes.

        Parameters
        ----------
        strikes : array_like, shape (n,)
            Strikes; finite.
        bsm_vol : float, default 0.20
            Volatility of the Black–Scholes prices, above 0.
        T : float, default 1.0
            Years to expiry of the Black–Scholes prices and of the implied volatilities, above 0.
        rate : float, default 0.0
            Continuously compounded rate of both.

        Raises
        ------
        ModelError
            An argument is out of range; a strike that is not finite is named.

        Examples
        --------
        >>> pricer = PowerLawPricer(spot=100, anchor_strike=105, anchor_price=3.50, alpha=2.5)
        >>> strip = pricer.price_range([100, 105, 120])
        >>> strip.pl_prices.round(4)
        array([   nan, 3.5   , 0.4375])
        >>> strip.reasons[0]
        'not out of the money: 100 is not above the spot 100'
        """
        K = np.atleast_1d(figures_in_range("strikes", strikes, ModelError))
        if K.ndim != 1:
            raise ModelError(f"strikes has the shape {K.shape}; give one list of strikes", name="strikes")
        vol = number_in_range("bsm_vol", bsm_vol, ModelError, above=0.0)
        years = number_in_range("T", T, ModelError, above=0.0)
        r = number_in_range("rate", rate, ModelError)
        prices = np.asarray(_prices(self, K))
        bsm = np.asarray(black_scholes_price(self.spot, K, years, r, vol, is_call=self.is_call))
        vols = np.asarray(implied_vol_fit(prices, self.spot, K, years, r, is_call=self.is_call).vol)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = prices / bsm
        return PowerLawPrices(
            spot=self.spot,
            alpha=self.alpha,
            strikes=K.copy(),
            pl_prices=prices,
            bsm_prices=bsm,
            pl_vols=vols,
            bsm_vols=np.where(np.isnan(bsm), np.nan, vol),
            ratio=ratio,
            anchor_strike=self.anchor_strike,
            anchor_price=self.anchor_price,
            reasons=tuple(_reasons(self, K.tolist())),
            is_call=self.is_call,
            law=self.law,
            scale=self.scale,
            expiry=years,
            rate=r,
            notes=self.notes,
        )

    @classmethod
    @admits(ModelError, members=False)
    def calibrate_alpha(
        cls,
        spot: float,
        strikes: ArrayLike,
        prices: ArrayLike,
        is_call: bool = True,
        *,
        law: TailLaw | str = TailLaw.RETURNS,
    ) -> float:
        """Return the tail index of quotes: exactly from two, by least squares in logarithms from more.

        Parameters
        ----------
        spot, strikes, prices, is_call, law
            Quotes, as for :func:`~bank_python.taleb.alpha_fit.fit_alpha`.

        Raises
        ------
        ModelError
            An argument is out of range.
        CalibrationError
            There are fewer than two quotes, the strip allows arbitrage, or no tail index above 1 fits it.

        Examples
        --------
        >>> round(PowerLawPricer.calibrate_alpha(100.0, [110.0, 120.0], [4.0, 1.0]), 9)
        3.0
        """
        return fit_alpha(spot, strikes, prices, is_call, law=law).alpha

    @classmethod
    @admits(ModelError, members=False)
    def fit_alpha(
        cls,
        spot: float,
        strikes: ArrayLike,
        prices: ArrayLike,
        is_call: bool = True,
        *,
        law: TailLaw | str = TailLaw.RETURNS,
    ) -> AlphaFit:
        """Return the fit of the tail index with its residuals: :func:`~bank_python.taleb.alpha_fit.fit_alpha`."""
        return fit_alpha(spot, strikes, prices, is_call, law=law)

    def _side(self, *, is_call: bool, anchor: tuple[float, float] | None) -> PowerLawPricer:
        """Return the pricer of calls or of puts, with another anchor if one is given."""
        if anchor is not None:
            return PowerLawPricer(self.spot, *anchor, self.alpha, is_call, self.law, None)
        if self.is_call is is_call:
            return self
        mine, asked = ("call", "put") if self.is_call else ("put", "call")
        raise ModelError(
            f"the anchor at {self.anchor_strike:g} is a {mine}, whose price says nothing about the other tail; give "
            f"the strike and price of a {asked}: price_{asked}(strike, anchor=(strike, price))",
            name="anchor",
        )


def _out_of_the_money(spot: float, strike: float, *, is_call: bool) -> float:
    """Return the strike of an anchor if it is out of the money."""
    if (strike > spot) if is_call else (strike < spot):
        return strike
    kind, side = ("call", "above") if is_call else ("put", "below")
    raise ModelError(
        f"anchor_strike={strike!r} is not {side} the spot {spot!r}; a {kind} as the anchor has its strike {side} it",
        name="anchor_strike",
        value=strike,
    )


def _require_price(spot: float, strike: float, price: float, *, is_call: bool) -> None:
    """Raise an error for a price that no option has."""
    most, kind, what = (spot, "call", "the spot") if is_call else (strike, "put", "its strike")
    if price >= most:
        raise ModelError(
            f"anchor_price={price!r} is not below {what} {most!r}, the most that a {kind} is worth; correct the price",
            name="anchor_price",
            value=price,
        )


def _require_outside(strike: float, threshold: float | None, *, is_call: bool) -> None:
    """Raise an error for an anchor that is not in the tail."""
    if threshold is not None and ((threshold > strike) if is_call else (threshold < strike)):
        raise ModelError(
            f"the anchor at {strike:g} lies inside the threshold {threshold:g}, where the tail is not yet a power law; "
            "take an anchor from the tail",
            name="threshold",
            value=threshold,
        )


def _reasons(pricer: PowerLawPricer, strikes: list[float]) -> list[str]:
    """Return why there is no price at each strike; empty text where there is one."""
    start = pricer.anchor_strike if pricer.threshold is None else float(pricer.threshold)
    first = pricer.first_strike
    return [_reason(pricer, K, start, first) for K in strikes]


def _reason(pricer: PowerLawPricer, K: float, start: float, first: float) -> str:
    """Return why there is no price at a strike, from where the tail is said to begin and where it can."""
    spot, out, side = pricer.spot, *((1.0, "above") if pricer.is_call else (-1.0, "below"))
    if K <= 0.0:
        return f"no option: {K:g} is not above 0"
    if out * (K - spot) <= 0.0:
        return f"not out of the money: {K:g} is not {side} the spot {spot:g}"
    if out * (K - start) < 0.0:
        if pricer.threshold is None:
            return f"inside the anchor: {K:g} is nearer to the spot than {start:g}"
        return f"inside the threshold: {K:g} is nearer to the spot than {start:g}, where the power law begins"
    if pricer.anchor_strike != K and out * (K - first) < 0.0:
        return (
            f"before the tail: {K:g} is nearer to the spot than {first:.6g}, where the law implied by the anchor has a "
            "probability of 1"
        )
    return ""


def _prices(pricer: PowerLawPricer, strike: ArrayLike) -> Numbers:
    """Return prices of options of the anchor's kind; NaN where there is a reason for none."""
    K = figures_in_range("strike", strike, ModelError)
    priced = np.array([not reason for reason in _reasons(pricer, K.ravel().tolist())], dtype=bool).reshape(K.shape)
    found = np.where(priced, _scaled(pricer, K), np.nan)
    return found if found.ndim else float(found)


def _scaled(pricer: PowerLawPricer, K: FloatArray) -> FloatArray:
    """Return the anchor's price scaled to other strikes."""
    if pricer.law is TailLaw.PRICE:
        with np.errstate(all="ignore"):
            return np.asarray(pricer.anchor_price * (K / pricer.anchor_strike) ** (1.0 - pricer.alpha))
    terms = {"anchor_price": pricer.anchor_price, "anchor_strike": pricer.anchor_strike, "alpha": pricer.alpha}
    return np.asarray(power_law_price(pricer.spot, K, **terms, is_call=pricer.is_call))
