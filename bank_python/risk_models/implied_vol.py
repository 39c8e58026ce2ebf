r"""Implied volatility: the volatility at which the Black-Scholes price of a European option is its quoted price.

The time value of an option, as a share c of the smaller of discounted forward and discounted strike, depends only on
the distance x = \|log(F/K)\| and on s = σ√T. In the notation of :mod:`bank_python.risk_models.time_value`

.. math:: \log c = -\tfrac12 u^2 - \tfrac12\log 2\pi + \log D, \qquad D = M(u) - M(w), \qquad
          \frac{d \log c}{d s} = \frac1D,

with u = x/s − s/2 and w = x/s + s/2. No exponential remains, nothing underflows, and log c is a smooth concave function
of s. So the equation is solved in log c by Halley's method, whose second derivative needs no further evaluation:

.. math:: \frac{d^2}{ds^2}\log c = \frac1D\Big(\frac{uw}{s} - \frac1D\Big) .

For c above a half, log(1 − c) is used instead, with D = M(−u) + M(w) and the opposite sign. The initial guess is exact
at both ends of each branch: at the inflection u = 0, and in the far tail, where Φ(−u) decreases like c. Three or four
steps suffice; a bracket is maintained, and a step that would leave it is replaced by bisection.

**Prices without an implied volatility.** A price below the intrinsic value or above the maximum has no implied
volatility. Neither has a price so close to these bounds that its rounding error determines the volatility. The result
of such a row is NaN, and :class:`ImpliedVol` has the reason.

References
----------
P. Jäckel, "Let's be rational", Wilmott 75 (2015), 40-53: the normalised price and working on its logarithm.

Examples
--------
>>> round(implied_vol(1.875, 21.0, 20.0, 0.25, 0.10), 3)  # Hull, Options, Futures, and Other Derivatives
0.235
>>> fit = implied_vol_fit([0.9, 1.875, 25.0], 21.0, 20.0, 0.25, 0.10)
>>> fit.vol.round(3)
array([  nan, 0.235,   nan])
>>> fit.reasons[0]
'the price is below the intrinsic value'
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.numerics.columns import from_column, to_columns
from bank_python.numerics.mills import mills_column
from bank_python.numerics.normal import pdf_column, quantile_column
from bank_python.risk_models.option_columns import OptionColumns
from bank_python.risk_models.time_value import Tails, drop_expanded, is_small

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["ImpliedVol", "VolMethod", "VolStatus", "implied_vol", "implied_vol_fit"]

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_SQRT_HALF_PI = math.sqrt(0.5 * math.pi)
_EPSILON = 2.0**-52
_SMALLEST = 2.0**-1022  # the smallest normal number; smaller prices have lost digits
# A row has converged after a step this small: the next step, with three times as many digits, would change nothing.
_CONVERGED = 1e-6
_HALF = 0.5
_MOST_STEPS = 60
_BISECTIONS = 1100
_HIGHEST = 100.0
# A volatility that the rounding of the price changes by more than this share is not determined by the price.
_DETERMINED = 1e-8


class VolMethod(enum.Enum):
    """The method by which implied volatilities are computed."""

    HALLEY = "halley"
    BISECTION = "bisection"


class VolStatus(enum.IntEnum):
    """The status of an implied volatility: found, or the reason why there is none."""

    FOUND = 0
    BAD_INPUT = 1
    BELOW_INTRINSIC = 2
    ABOVE_MAXIMUM = 3
    UNDETERMINED = 4

    @property
    def reason(self) -> str:
        """The reason in words; empty for :attr:`FOUND`."""
        return _REASONS[self]


_REASONS = {
    VolStatus.FOUND: "",
    VolStatus.BAD_INPUT: "an input is negative, zero where it cannot be, or not a finite number",
    VolStatus.BELOW_INTRINSIC: "the price is below the intrinsic value",
    VolStatus.ABOVE_MAXIMUM: "the price is not below the maximum value of the option",
    VolStatus.UNDETERMINED: "the price is so close to a bound that its rounding error determines the volatility",
}


@dataclass(frozen=True, slots=True, eq=False)
class ImpliedVol(Record):
    """Implied volatilities, with a reason where there is none.

    Parameters
    ----------
    vol : float or ndarray
        Annual implied volatility, a decimal; NaN where there is none.
    status : VolStatus or ndarray of int
        Status of each volatility, as a :class:`VolStatus` or its integer values.
    """

    vol: Numbers
    status: VolStatus | NDArray[np.int8]

    @property
    def reasons(self) -> list[str]:
        """The reason why each price has no volatility, in the order of the flattened array; empty where it has one."""
        return [VolStatus(code).reason for code in np.atleast_1d(np.asarray(self.status)).reshape(-1).tolist()]


@guessable
def implied_vol(
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
    *,
    method: VolMethod | str = VolMethod.HALLEY,
) -> Numbers:
    r"""Return the implied volatility of a European option.

    Parameters
    ----------
    price : array_like
        Price of the option now.
    spot, strike, expiry, rate, dividend, is_call : array_like
        Market data and terms of the option, as for
        :func:`~bank_python.risk_models.black_scholes.black_scholes_price`; `spot`, `strike` and `expiry` above 0.
    method : {"halley", "bisection"}
        Method of computation. Bisection is about fifty times slower and not more accurate; it is there for comparison.

    Returns
    -------
    float or ndarray
        Annual volatility as a decimal, in the broadcast shape of the arguments. NaN where no volatility gives the
        price, where the price does not determine it, or an argument is outside its range; :func:`implied_vol_fit`
        returns the reason.

    Raises
    ------
    ModelError
        `method` is not known.
    ValueError
        The shapes do not broadcast. Values never raise.

    Notes
    -----
    The relative error is of the order of 1e-15, or of the effect of rounding the price,
    :math:`\epsilon\,(\text{price} + F + K) / (\text{vega}\;\sigma)`, if that is larger. Where this exceeds 1e-8 the
    result is NaN.

    Examples
    --------
    >>> implied_vol([9.0, 10.0], 100.0, 100.0, 1.0, 0.05).round(4)
    array([0.1611, 0.188 ])
    """
    return implied_vol_fit(price, spot, strike, expiry, rate, dividend, is_call, method=method).vol


@guessable
def implied_vol_fit(
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
    *,
    method: VolMethod | str = VolMethod.HALLEY,
) -> ImpliedVol:
    """Return implied volatilities, with the reasons where there is none.

    Parameters
    ----------
    price, spot, strike, expiry, rate, dividend, is_call, method
        Prices, market data and terms of the options and the method, as for :func:`implied_vol`.

    Raises
    ------
    ModelError
        `method` is not known.
    """
    solve = _solver(method)
    shape, (value, *terms) = to_columns(price, spot, strike, expiry, rate, dividend, is_call)
    with np.errstate(all="ignore"):
        option = OptionColumns.of(terms)
        status = _screen(value, option)
        vol = np.full(value.shape, np.nan)
        good = status == VolStatus.FOUND
        quote = _Quote.of(value[good], option, good)
        deviation = solve(quote)
        vol[good] = deviation / np.sqrt(option.expiry[good])
        noisy = quote.noise(deviation) > _DETERMINED
        status[np.flatnonzero(good)[noisy]] = VolStatus.UNDETERMINED
        vol[status == VolStatus.UNDETERMINED] = np.nan
    if not shape:
        return ImpliedVol(float(vol[0]), VolStatus(int(status[0])))
    return ImpliedVol(from_column(vol, shape), status.reshape(shape))


def _solver(method: VolMethod | str) -> Callable[[_Quote], FloatArray]:
    try:
        return {VolMethod.HALLEY: _halley, VolMethod.BISECTION: _bisect}[VolMethod(method)]
    except ValueError:
        known = ", ".join(repr(item.value) for item in VolMethod)
        raise ModelError(f"method={method!r} is not known; choose {known}", value=method) from None


def _screen(price: FloatArray, option: OptionColumns) -> NDArray[np.int8]:
    most = np.where(option.is_call, option.forward, option.discounted_strike)
    status = np.full(price.shape, VolStatus.FOUND, dtype=np.int8)
    status[price >= most] = VolStatus.ABOVE_MAXIMUM
    status[(price <= option.intrinsic) | (price < _SMALLEST)] = VolStatus.UNDETERMINED
    status[price < option.intrinsic] = VolStatus.BELOW_INTRINSIC
    usable = option.valid & np.isfinite(price) & (option.smaller > 0.0) & (option.expiry > 0.0)
    status[~usable] = VolStatus.BAD_INPUT
    return status


@dataclass(frozen=True, slots=True, eq=False)
class _Quote:
    """Prices as shares of the smaller of forward and strike: the time value c (`share`) and 1 − c (`rest`)."""

    distance: FloatArray
    share: FloatArray
    rest: FloatArray
    scale: FloatArray
    """Size of the rounded numbers (price, forward and strike) in the same unit."""

    @classmethod
    def of(cls, price: FloatArray, option: OptionColumns, good: NDArray[np.bool_]) -> _Quote:
        forward, strike, call = option.forward[good], option.discounted_strike[good], option.is_call[good]
        smaller = np.minimum(forward, strike)
        outside = np.where(call, forward <= strike, strike <= forward)
        share = np.where(outside, price, price - option.intrinsic[good]) / smaller
        rest = (np.where(call, forward, strike) - price) / smaller
        rounded = np.where(outside, price, forward + strike + price)
        return cls(np.abs(option.log_ratio[good]), share, rest, np.minimum(rounded, forward + strike) / smaller)

    def noise(self, deviation: FloatArray) -> FloatArray:
        """Return the relative change of the volatility due to the rounding of the price."""
        u = self.distance / deviation - 0.5 * deviation
        above = self.share > _HALF  # here the distance to the maximum is rounded
        rounded = np.where(above, 1.0 + self.scale, self.scale)
        return _EPSILON * rounded / (pdf_column(u) * deviation)


def _halley(quote: _Quote) -> FloatArray:
    x = quote.distance
    deviation = _start(quote)
    lowest, highest = np.zeros_like(x), np.full_like(x, _HIGHEST)
    upper = quote.share > _HALF
    target = np.log(np.where(upper, quote.rest, quote.share))
    rows = np.arange(len(x))
    for _ in range(_MOST_STEPS):
        s = deviation[rows]
        excess, step = _halley_step(x[rows], s, target[rows], upper[rows])
        low, high = lowest[rows], highest[rows]
        low, high = np.where(excess < 0.0, s, low), np.where(excess > 0.0, s, high)
        lowest[rows], highest[rows] = low, high
        moved = s + step
        converged = np.abs(step) <= _CONVERGED * s
        deviation[rows] = np.where(converged | ((moved > low) & (moved < high)), moved, 0.5 * (low + high))
        rows = rows[~converged]
        if not rows.size:
            break
    return deviation


def _halley_step(
    x: FloatArray, s: FloatArray, target: FloatArray, upper: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Return the excess of the log price at s over the target, and the Halley step that corrects it."""
    h, t = np.where(x == 0.0, 0.0, x / s), 0.5 * s
    u, w = h - t, h + t
    at_u, at_w = mills_column(np.abs(u)), mills_column(w)
    # M(u) for u below 0 is 1/φ(u) − M(−u).
    drop = np.where(u >= 0.0, at_u, 1.0 / pdf_column(u) - at_u) - at_w
    small = is_small(h, t)
    if small.any():
        drop[small] = drop_expanded(h[small], t[small])
    drop = np.where(upper, np.where(u <= 0.0, at_u, 1.0 / pdf_column(u) - at_u) + at_w, drop)
    sign = np.where(upper, -1.0, 1.0)
    miss = np.log(drop) - 0.5 * u * u - _LOG_SQRT_2PI - target
    curvature = drop * u * w / s - sign
    # The divisor is at least a half, so that a step from far away is at most twice the Newton step.
    return sign * miss, -sign * miss * drop / np.maximum(1.0 - 0.5 * sign * miss * curvature, 0.5)


def _start(quote: _Quote) -> FloatArray:
    """Return an initial guess of s: u as a normal quantile of the share, scaled to be exact at u = 0."""
    x = quote.distance
    turn = np.sqrt(2.0 * x)  # the deviation at which u is 0
    middle = Tails.of(x, turn).time_value
    below = quote.share <= middle
    part = np.where(below, quote.share / middle, quote.rest / (1.0 - middle))
    u = np.abs(quantile_column(0.5 * np.minimum(part, 1.0)))
    w = np.sqrt(u * u + 2.0 * x)
    start = np.where(below, 2.0 * x / (u + w), u + w)
    # Near the money prices are close to those of the normal model, whose expansion in x/s is a quadratic equation in s.
    centre = quote.share + 0.5 * x
    discriminant = centre * centre - x * x / math.pi
    normal = _SQRT_HALF_PI * (centre + np.sqrt(np.maximum(discriminant, 0.0)))
    return np.where(below & (discriminant > 0.0), np.maximum(start, np.minimum(normal, turn)), start)


def _bisect(quote: _Quote) -> FloatArray:
    low, high = np.zeros_like(quote.distance), np.full_like(quote.distance, _HIGHEST)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if ((middle == low) | (middle == high)).all():
            break
        tails = Tails.of(quote.distance, middle)
        cheap = np.where(quote.share > _HALF, 1.0 - tails.time_value > quote.rest, tails.time_value < quote.share)
        low, high = np.where(cheap, middle, low), np.where(cheap, high, middle)
    return 0.5 * (low + high)
