r"""Implied volatility: the volatility at which a European option is worth its price.

An option's time value, as a share c of the smaller of discounted forward and discounted strike, depends on the
distance x = \|log(F/K)\| and on s = σ√T alone. In the notation of :mod:`bank_python.risk_models.time_value`

.. math:: \log c = -\tfrac12 u^2 - \tfrac12\log 2\pi + \log D, \qquad D = M(u) - M(w), \qquad
          \frac{d \log c}{d s} = \frac1D,

with u = x/s − s/2 and w = x/s + s/2: no exponential is left, nothing underflows, and log c is a smooth concave
function of s. So the equation is solved in log c by Halley's method, whose second derivative costs nothing:

.. math:: \frac{d^2}{ds^2}\log c = \frac1D\Big(\frac{uw}{s} - \frac1D\Big) .

Where c is above a half, log(1 − c) takes its place, with D = M(−u) + M(w) and the sign turned. The start is
exact at both ends of each branch: at the inflection u = 0, and in the far tail, where Φ(−u) falls like c. Three or
four steps do; a bracket stands by, and a step that would leave it is replaced by the middle.

**What has no answer.** A price below intrinsic value or above what it can be at most has no volatility. Nor does
one that is so near to either that the rounding of the price itself moves the volatility: it would be read off
noise. Such a lane is NaN, and :class:`ImpliedVol` says why.

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
_SMALLEST = 2.0**-1022  # below it a price has lost digits
# A lane is settled by a step this small: the next one, three times as many digits on, would change nothing.
_SETTLED = 1e-6
_HALF = 0.5
_MOST_STEPS = 60
_BISECTIONS = 1100
_HIGHEST = 100.0
# A volatility that rounding the price moves by more than this share of itself is not determined by the price.
_DETERMINED = 1e-8


class VolMethod(enum.Enum):
    """How an implied volatility is found."""

    HALLEY = "halley"
    BISECTION = "bisection"


class VolStatus(enum.IntEnum):
    """Whether a price has an implied volatility, and if not why."""

    FOUND = 0
    BAD_INPUT = 1
    BELOW_INTRINSIC = 2
    ABOVE_MAXIMUM = 3
    UNDETERMINED = 4

    @property
    def reason(self) -> str:
        """In words; empty for :attr:`FOUND`."""
        return _REASONS[self]


_REASONS = {
    VolStatus.FOUND: "",
    VolStatus.BAD_INPUT: "an input is negative, zero where it cannot be, or not a finite number",
    VolStatus.BELOW_INTRINSIC: "the price is below the intrinsic value",
    VolStatus.ABOVE_MAXIMUM: "the price is not below the most the option can be worth",
    VolStatus.UNDETERMINED: "the price is so near a bound that its own rounding decides the volatility",
}


@dataclass(frozen=True, slots=True, eq=False)
class ImpliedVol:
    """Implied volatilities, and why there is none where there is none.

    Parameters
    ----------
    vol : float or ndarray
        Annual, a decimal; NaN where there is none.
    status : VolStatus or ndarray of int
        A :class:`VolStatus` for each.
    """

    vol: Numbers
    status: VolStatus | NDArray[np.int8]

    @property
    def reasons(self) -> list[str]:
        """For each price, in the order of the flattened array, why it has no volatility; empty where it has one."""
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
    r"""Return the volatility at which a European option is worth `price`.

    Parameters
    ----------
    price : array_like
        Of the option, discounted to now.
    spot, strike, expiry, rate, dividend, is_call : array_like
        As for :func:`~bank_python.risk_models.black_scholes.black_scholes_price`; `spot`, `strike` and `expiry`
        above 0.
    method : {"halley", "bisection"}
        Plain bisection is some fifty times slower, and no more exact; it is there to compare with.

    Returns
    -------
    float or ndarray
        A decimal for a year, of the arguments' broadcast shape; NaN where no volatility gives the price, where
        the price does not determine it, or an argument is outside its range. :func:`implied_vol_fit` says which.

    Raises
    ------
    ModelError
        There is no such `method`.
    ValueError
        The shapes do not broadcast. Values never raise.

    Notes
    -----
    Relative error of the order of 1e-15 where the price determines the volatility that well: what rounding the
    price does to it is :math:`\epsilon\,(\text{price} + F + K) / (\text{vega}\;\sigma)`, and above 1e-8 of that
    the answer is NaN.

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
    """Return implied volatilities with the reasons of those that are missing.

    Parameters
    ----------
    price, spot, strike, expiry, rate, dividend, is_call, method
        As for :func:`implied_vol`.

    Raises
    ------
    ModelError
        There is no such `method`.
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
        doubtful = quote.noise(deviation) > _DETERMINED
        status[np.flatnonzero(good)[doubtful]] = VolStatus.UNDETERMINED
        vol[status == VolStatus.UNDETERMINED] = np.nan
    if not shape:
        return ImpliedVol(float(vol[0]), VolStatus(int(status[0])))
    return ImpliedVol(from_column(vol, shape), status.reshape(shape))


def _solver(method: VolMethod | str) -> Callable[[_Quote], FloatArray]:
    try:
        return {VolMethod.HALLEY: _halley, VolMethod.BISECTION: _bisect}[VolMethod(method)]
    except ValueError:
        known = ", ".join(repr(item.value) for item in VolMethod)
        raise ModelError(f"method={method!r} finds no implied volatility; choose {known}", value=method) from None


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
    """Prices as shares: the time value c of the smaller of forward and strike, and q = 1 − c."""

    distance: FloatArray
    share: FloatArray
    rest: FloatArray
    scale: FloatArray
    """Price, forward and strike in the same unit: what is rounded."""

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
        """Return by what share of itself rounding the price moves the volatility."""
        u = self.distance / deviation - 0.5 * deviation
        above = self.share > _HALF  # there it is the distance to the maximum that is rounded
        rounded = np.where(above, 1.0 + self.scale, self.scale)
        return _EPSILON * rounded / (pdf_column(u) * deviation)


def _halley(quote: _Quote) -> FloatArray:
    x = quote.distance
    deviation = _start(quote)
    lowest, highest = np.zeros_like(x), np.full_like(x, _HIGHEST)
    upper = quote.share > _HALF
    target = np.log(np.where(upper, quote.rest, quote.share))
    lane = np.arange(len(x))
    for _ in range(_MOST_STEPS):
        s = deviation[lane]
        excess, step = _halley_step(x[lane], s, target[lane], upper[lane])
        low, high = lowest[lane], highest[lane]
        low, high = np.where(excess < 0.0, s, low), np.where(excess > 0.0, s, high)
        lowest[lane], highest[lane] = low, high
        moved = s + step
        settled = np.abs(step) <= _SETTLED * s
        deviation[lane] = np.where(settled | ((moved > low) & (moved < high)), moved, 0.5 * (low + high))
        lane = lane[~settled]
        if not lane.size:
            break
    return deviation


def _halley_step(
    x: FloatArray, s: FloatArray, target: FloatArray, upper: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Return by how much the price is too high, in logarithms, and the step that mends it."""
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
    # Held above a half, the divisor keeps a step from far off within twice Newton's.
    return sign * miss, -sign * miss * drop / np.maximum(1.0 - 0.5 * sign * miss * curvature, 0.5)


def _start(quote: _Quote) -> FloatArray:
    """Return a first deviation: u as a normal quantile of the share, scaled to be exact where u is 0."""
    x = quote.distance
    turn = np.sqrt(2.0 * x)  # the deviation at which u is 0
    middle = Tails.of(x, turn).time_value
    below = quote.share <= middle
    part = np.where(below, quote.share / middle, quote.rest / (1.0 - middle))
    u = np.abs(quantile_column(0.5 * np.minimum(part, 1.0)))
    w = np.sqrt(u * u + 2.0 * x)
    start = np.where(below, 2.0 * x / (u + w), u + w)
    # Near the money prices are those of the normal model: its expansion in x/s is a quadratic equation in s.
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
