r"""Market impact: by how much an order moves the price against itself, as a fraction of the price.

With the size Q of an order, the average daily volume V, the volatility σ of a day and a coefficient Y of order 1,

.. math:: I = Y\,\sigma\,\sqrt{Q / V}

is the *square-root* impact, observed in nearly all markets, and :math:`I = Y\,\sigma\,Q / V` the *linear* one. Almgren,
Thum, Hauptmann and Li measured, on orders of a desk in US shares that were traded evenly over T days,

.. math:: I = \gamma\,\sigma\,\frac{Q}{V}\Big(\frac{\Theta}{V}\Big)^{\delta}, \qquad
          K = \eta\,\sigma\,\Big|\frac{Q}{V\,T}\Big|^{\beta}

with γ = 0.314, η = 0.142, δ = 1/4, β = 3/5 and Θ shares outstanding. The *permanent* impact I stays in the price; the
*temporary* impact K is paid by the order alone. As the permanent impact builds up while the order is traded, its
average price is worse by I/2 + K.

Sizes, volumes and shares outstanding are in one unit, shares or money. The sign of an order does not matter: impacts
are costs, at least 0.

Examples
--------
>>> round(square_root_impact(65_610, 6_561_000, 0.0157), 5)  # a hundredth of the volume: a tenth of the volatility
0.00157
>>> ibm = almgren_impact(656_100, 6_561_000, 0.0157, shares_outstanding=1.728e9, days=0.5)
>>> round(ibm.permanent * 1e4), round(ibm.temporary * 1e4), round(ibm.realised * 1e4)
(20, 8, 18)

References
----------
R. Almgren, C. Thum, E. Hauptmann and H. Li, "Direct estimation of equity market impact", Risk 18(7) (2005), 58-62.

J.-P. Bouchaud, J. Bonart, J. Donier and M. Gould, *Trades, Quotes and Prices* (2018), chapter 12: the square root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.results import Figures

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = [
    "TEMPORARY_COEFFICIENT",
    "MarketImpact",
    "almgren_impact",
    "linear_impact",
    "power_impact",
    "square_root_impact",
]

_SQUARE_ROOT = 0.5

TEMPORARY_COEFFICIENT = 0.142
"""Coefficient η of the temporary impact of Almgren, Thum, Hauptmann and Li (2005)."""


@dataclass(frozen=True, slots=True, eq=False)
class MarketImpact(Figures):
    """The impact of an order in the model of Almgren, Thum, Hauptmann and Li, as floats or arrays.

    Parameters
    ----------
    permanent : float or ndarray
        Impact that stays in the price, as a fraction of it.
    temporary : float or ndarray
        Impact that the order alone pays, as a fraction of the price.
    realised : float or ndarray
        Average cost of the order, half of the permanent and all of the temporary impact, as a fraction of the price.
    """

    permanent: Numbers
    temporary: Numbers
    realised: Numbers


@admits(ModelError)
def square_root_impact(
    quantity: ArrayLike, adv: ArrayLike, daily_vol: ArrayLike, coefficient: ArrayLike = 1.0
) -> Numbers:
    """Return the square-root impact of orders, as a fraction of the price.

    Parameters
    ----------
    quantity : array_like
        Size of each order, in shares or in money; the sign does not matter.
    adv : array_like
        Average daily volume in the same unit, above 0.
    daily_vol : array_like
        Volatility of a day as a decimal, from 0 to 1: 0.02 is 2 per cent a day.
    coefficient : array_like, default 1.0
        Impact of an order of a whole day's volume in daily volatilities, at least 0; near 1 in most markets.

    Returns
    -------
    float or ndarray
        Impact as a fraction of the price, in the broadcast shape of the arguments.

    Raises
    ------
    ModelError
        A figure is not finite or out of range, or the shapes do not match.
    """
    return _power(quantity, adv, daily_vol, coefficient, _SQUARE_ROOT)


@admits(ModelError)
def linear_impact(quantity: ArrayLike, adv: ArrayLike, daily_vol: ArrayLike, coefficient: ArrayLike = 1.0) -> Numbers:
    """Return the linear impact of orders, as a fraction of the price.

    Parameters
    ----------
    quantity, adv, daily_vol : array_like
        Size, daily volume and daily volatility, as for :func:`square_root_impact`.
    coefficient : array_like, default 1.0
        Impact of an order of a whole day's volume in daily volatilities, at least 0.

    Returns
    -------
    float or ndarray
        Impact as a fraction of the price, in the broadcast shape of the arguments.

    Raises
    ------
    ModelError
        A figure is not finite or out of range, or the shapes do not match.
    """
    return _power(quantity, adv, daily_vol, coefficient, 1.0)


@admits(ModelError)
def power_impact(
    quantity: ArrayLike, adv: ArrayLike, daily_vol: ArrayLike, coefficient: ArrayLike, exponent: float
) -> Numbers:
    """Return the impact of orders by a power of their share of the daily volume, as a fraction of the price.

    Parameters
    ----------
    quantity, adv, daily_vol : array_like
        Size, daily volume and daily volatility, as for :func:`square_root_impact`.
    coefficient : array_like
        Impact of an order of a whole day's volume in daily volatilities, at least 0.
    exponent : float
        Power of the share of the volume, in (0, 1]: 0.5 for the square root, 0.6 for Almgren's temporary impact.

    Returns
    -------
    float or ndarray
        Impact as a fraction of the price, in the broadcast shape of the arguments.

    Raises
    ------
    ModelError
        A figure is not finite or out of range, or the shapes do not match.
    """
    if not 0.0 < exponent <= 1.0:
        raise ModelError(
            f"exponent={exponent!r} is outside (0, 1]; give 0.5 for the square root, 0.6, or 1.0 for a linear impact",
            name="exponent",
            value=exponent,
        )
    return _power(quantity, adv, daily_vol, coefficient, exponent)


@admits(ModelError)
def almgren_impact(
    quantity: ArrayLike,
    adv: ArrayLike,
    daily_vol: ArrayLike,
    shares_outstanding: ArrayLike,
    days: ArrayLike,
    *,
    gamma: float = 0.314,
    eta: float = TEMPORARY_COEFFICIENT,
    delta: float = 0.25,
    beta: float = 0.6,
) -> MarketImpact:
    """Return the permanent and the temporary impact of orders that are traded evenly over some time.

    Parameters
    ----------
    quantity : array_like
        Size of each order, in shares or in money; the sign does not matter.
    adv : array_like
        Average daily volume in the same unit, above 0.
    daily_vol : array_like
        Volatility of a day as a decimal, from 0 to 1: 0.0157 is 1.57 per cent a day.
    shares_outstanding : array_like
        Shares outstanding, or their value if sizes are in money, above 0.
    days : array_like
        Time over which the order is traded, in trading days of volume, above 0: 0.5 is half of a day.
    gamma, eta : float, default 0.314 and 0.142
        Coefficients of the permanent and of the temporary impact, at least 0.
    delta, beta : float, default 0.25 and 0.6
        Exponents of the turnover in the permanent and of the rate of trading in the temporary impact, in [0, 1].

    Raises
    ------
    ModelError
        A figure is not finite or out of range, or the shapes do not match.
    """
    issued = figures_in_range("shares_outstanding", shares_outstanding, ModelError, above=0.0)
    time = figures_in_range("days", days, ModelError, above=0.0)
    for name, value in (("gamma", gamma), ("eta", eta)):
        number_in_range(name, value, ModelError, least=0.0)
    for name, value in (("delta", delta), ("beta", beta)):
        number_in_range(
            name, value, ModelError, least=0.0, most=1.0, hint="delta=0.25, beta=0.6 are those of the paper"
        )
    size, volume, vol, issued, time = _matched(*_market(quantity, adv, daily_vol), issued, time)
    with np.errstate(over="ignore", invalid="ignore"):
        share = size / volume
        permanent = gamma * vol * share * (issued / volume) ** delta
        # An order of 0 has no impact whatever the exponent, even 0.
        temporary = np.where(share > 0.0, eta * vol * (share / time) ** beta, 0.0)
    return MarketImpact(_told(permanent), _told(temporary), _told(0.5 * permanent + temporary))


def _power(
    quantity: ArrayLike, adv: ArrayLike, daily_vol: ArrayLike, coefficient: ArrayLike, exponent: float
) -> Numbers:
    scale = figures_in_range("coefficient", coefficient, ModelError, least=0.0)
    size, volume, vol, scale = _matched(*_market(quantity, adv, daily_vol), scale)
    with np.errstate(over="ignore", invalid="ignore"):
        share = size / volume
        # A root is rounded exactly, so that a row does not depend on the others; a power is not.
        return _told(scale * vol * (np.sqrt(share) if exponent == _SQUARE_ROOT else share**exponent))


def _market(quantity: ArrayLike, adv: ArrayLike, daily_vol: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the absolute sizes, the volumes and the volatilities as arrays after checking them."""
    size = np.abs(figures_in_range("quantity", quantity, ModelError))
    hint = "give the average daily volume, in the unit of the quantity"
    volume = figures_in_range("adv", adv, ModelError, above=0.0, hint=hint)
    vol = figures_in_range("daily_vol", daily_vol, ModelError, least=0.0, most=1.0, hint="for 2 per cent give 0.02")
    return size, volume, vol


def _matched(*parts: FloatArray) -> tuple[FloatArray, ...]:
    try:
        return tuple(np.broadcast_arrays(*parts))
    except ValueError as error:
        shapes = ", ".join(str(part.shape) for part in parts if part.ndim)
        raise ModelError(f"arguments of shapes {shapes} do not broadcast; give one figure for each order") from error


def _told(impact: FloatArray) -> Numbers:
    """Return an impact as a float or an array, or raise an error if it is too large to be a number."""
    if not np.isfinite(impact).all():
        raise ModelError("the impact is too large to be computed; check that quantity and adv are in the same unit")
    return impact if impact.ndim else float(impact)
