r"""The two power laws behind option prices, with their constant l: of the price itself, and of the return.

In the *price* law, the price at expiry is beyond x with probability (l/x)^α; in the *returns* law, the relative move
away from the spot is. Both hold from l on only, where that probability is one (the point from which Karamata's constant
is constant). The price of a call is the integral of the probability of ending beyond each strike, with α > 1:

.. math:: C(K) = \frac{l^\alpha K^{1-\alpha}}{\alpha - 1} \ \text{(price)}, \qquad
          C(K) = \frac{(l S)^\alpha (K - S)^{1-\alpha}}{\alpha - 1} \ \text{(returns)}.

A price cannot fall by more than all of itself, so the law of declines is truncated there. With x = K/S,

.. math:: P(K) = S\,\frac{l^\alpha}{1 - l^\alpha}\,\frac{(1 - x)^{1-\alpha} - 1 - (\alpha - 1)x}{\alpha - 1}
          \ \text{(returns)}.

There is no put in the price law, which says nothing about low prices.

Examples
--------
>>> round(tail_price(100.0, 120.0, 3.0, 100.0, law="price"), 4), tail_price(100.0, 110.0, 3.0, 0.05)
(34.7222, 0.625)
>>> round(tail_scale(100.0, 110.0, 3.0, 2.0, law="price"), 4)
36.4431

References
----------
N. N. Taleb, B. Yarckin, C. Mann, D. Delic and M. Spitznagel, "Tail option pricing under power laws",
arXiv:1908.02347 (2019): both laws, and puts under the truncated one.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.risk_models.power_law import power_law_price
from bank_python.wording import near_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["TailLaw", "tail_law", "tail_price", "tail_probability", "tail_scale"]

_FLAT = "at α = 1 or below the tail has no mean and options have no price"
_HALF, _FAR = 0.5, 50.0  # strike over spot, and times α − 1: the nearer is one where a put loses no digits
_CLEAR = 2.0  # exponent from which the price of a put loses no digits to cancellation


class TailLaw(enum.Enum):
    """What follows a power law: the price at expiry, or its relative move away from the spot."""

    PRICE = "price"
    RETURNS = "returns"


def tail_law(law: TailLaw | str, *, is_call: bool = True) -> TailLaw:
    """Return a law by its name, or raise an error if there is none, or none for puts.

    Parameters
    ----------
    law : TailLaw or str
        Law, ``price`` or ``returns``.
    is_call : bool, default True
        Whether it is to be the law of calls.

    Raises
    ------
    ModelError
        The name is unknown, or the price law is asked for puts.
    """
    known = [each.value for each in TailLaw]
    if not isinstance(law, TailLaw) and law not in known:
        near = near_names(str(law), known, most=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ModelError(f"law={law!r} is unknown; {hint}choose {' or '.join(known)}", name="law", value=law)
    found = TailLaw(law)
    if found is TailLaw.PRICE and not is_call:
        raise ModelError(
            "law='price' says nothing about low prices, so it has no puts; take law='returns'",
            name="law",
            value="price",
        )
    return found


@admits(ModelError)
def tail_price(
    spot: float,
    strike: ArrayLike,
    alpha: float,
    scale: float,
    *,
    is_call: bool = True,
    law: TailLaw | str = TailLaw.RETURNS,
) -> Numbers:
    """Return prices of options from the constant l of a law.

    Parameters
    ----------
    spot : float
        Price of the underlying, above 0.
    strike : array_like
        Strikes in the tail: beyond l, that is above l for the price law, above S(1 + l) for calls and below S(1 − l)
        for puts in the other. Strikes nearer than that give NaN.
    alpha : float
        Tail index, above 1.
    scale : float
        Constant l, above 0: a price in the law of prices, a share of the spot in that of returns.
    is_call : bool, default True
        Whether the options are calls; else puts.
    law : TailLaw or str, default "returns"
        Law, ``price`` or ``returns``.

    Returns
    -------
    float or ndarray
        Prices in the shape of `strike`, without discounting.

    Raises
    ------
    ModelError
        An argument is out of range.
    """
    known, S, start = _checked(spot, alpha, law, is_call=is_call), float(spot), _above("scale", scale)
    K = figures_in_range("strike", strike, ModelError, above=0.0)
    if not is_call and start >= 1.0:
        raise ModelError(f"scale={start!r}: puts need a scale below 1, a share of the spot", name="scale", value=start)
    with np.errstate(all="ignore"):
        if is_call:
            distance, first = (K, start) if known is TailLaw.PRICE else (K - S, start * S)
            price = np.where(distance >= first, first / (alpha - 1.0) * (distance / first) ** (1.0 - alpha), np.nan)
        else:
            worth = np.exp(_log_put_shape(S, K, alpha) - _log_expm1(-alpha * math.log(start)))
            price = np.where(S * (1.0 - start) >= K, S * worth, np.nan)
    return price if price.ndim else float(price)


@admits(ModelError)
def tail_scale(
    spot: float,
    strike: float,
    alpha: float,
    price: float,
    *,
    is_call: bool = True,
    law: TailLaw | str = TailLaw.RETURNS,
) -> float:
    """Return the constant l that the price of one option implies.

    Parameters
    ----------
    spot, strike : float
        Price of the underlying and strike, above 0; out of the money.
    alpha : float
        Tail index, above 1.
    price : float
        Price of the option, above 0.
    is_call : bool, default True
        Whether the option is a call; else a put.
    law : TailLaw or str, default "returns"
        Law, ``price`` or ``returns``.

    Raises
    ------
    ModelError
        An argument is out of range, or the option is not out of the money.

    Notes
    -----
    If l lies beyond the strike, the law has not begun there: see :func:`tail_probability`.
    """
    known, S, K = _checked(spot, alpha, law, is_call=is_call), float(spot), _above("strike", strike)
    P = _above("price", price)
    _require_outside(S, K, is_call=is_call)
    if not is_call:
        return math.exp(-float(np.logaddexp(0.0, -_log_put_odds(S, K, alpha, P))) / alpha)
    distance = K if known is TailLaw.PRICE else K - S
    start = distance * math.pow((alpha - 1.0) * P / distance, 1.0 / alpha)
    return start if known is TailLaw.PRICE else start / S


@admits(ModelError)
def tail_probability(
    spot: float,
    strike: float,
    alpha: float,
    price: float,
    *,
    is_call: bool = True,
    law: TailLaw | str = TailLaw.RETURNS,
) -> float:
    """Return the probability of ending beyond a strike that the price of its option implies; above 1 if none can.

    Parameters
    ----------
    spot, strike, alpha, price, is_call, law
        Option and law, as for :func:`tail_scale`.

    Raises
    ------
    ModelError
        An argument is out of range, or the option is not out of the money.

    Examples
    --------
    >>> round(tail_probability(100.0, 110.0, 3.0, 0.625), 6)
    0.125
    """
    known, S, K = _checked(spot, alpha, law, is_call=is_call), float(spot), _above("strike", strike)
    _require_outside(S, K, is_call=is_call)
    if is_call:
        return (alpha - 1.0) * _above("price", price) / (K if known is TailLaw.PRICE else K - S)
    chance = _log_put_odds(S, K, alpha, _above("price", price)) + _log_expm1(-alpha * math.log((S - K) / S))
    return float(np.exp(chance))


def _log_put_shape(spot: float, strike: FloatArray, alpha: float) -> FloatArray:
    """Return the logarithm of the price of a put over S l^α/(1 − l^α), without loss of digits and overflow."""
    beta, x = alpha - 1.0, strike / spot
    left = np.where(x > _HALF, np.log((spot - strike) / spot), np.log1p(-x))
    exponent = -beta * left
    far = min(_HALF, _FAR / beta)
    anchor = math.expm1(-beta * math.log1p(-far)) / beta - far
    terms = {"anchor_price": anchor, "anchor_strike": far * spot, "alpha": alpha, "is_call": False}
    near = np.log(power_law_price(spot, strike, **terms))
    return np.where(
        exponent > _CLEAR, exponent + np.log1p(-(1.0 + beta * x) * np.exp(-exponent)) - math.log(beta), near
    )


def _log_put_odds(spot: float, strike: float, alpha: float, price: float) -> float:
    """Return the logarithm of l^α/(1 − l^α) that the price of a put implies."""
    with np.errstate(all="ignore"):  # of the branch that is not taken
        return math.log(price) - math.log(spot) - float(_log_put_shape(spot, np.asarray(strike), alpha))


def _log_expm1(x: float) -> float:
    """Return log(eˣ − 1) for x above 0, however large."""
    return x + math.log(-math.expm1(-x))


def _checked(spot: float, alpha: float, law: TailLaw | str, *, is_call: bool) -> TailLaw:
    _above("spot", spot)
    number_in_range("alpha", alpha, ModelError, above=1.0, hint=f"give a tail index above 1: {_FLAT}")
    return tail_law(law, is_call=is_call)


def _above(name: str, value: float) -> float:
    return number_in_range(name, value, ModelError, above=0.0)


def _require_outside(spot: float, strike: float, *, is_call: bool) -> None:
    if (strike > spot) if is_call else (strike < spot):
        return
    kind, side = ("call", "above") if is_call else ("put", "below")
    raise ModelError(
        f"strike={strike!r} is not {side} the spot {spot!r}; a tail begins out of the money: give the strike of a "
        f"{kind} {side} the spot",
        name="strike",
        value=strike,
    )
