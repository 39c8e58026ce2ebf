r"""Prices of European options in Merton's jump-diffusion model.

.. math:: \frac{dS}{S} = (r - q - \lambda \bar k)\,dt + \sigma\,dW + (e^J - 1)\,dN, \qquad
          J \sim N(\mu_J, \delta^2), \quad \bar k = e^{\mu_J + \delta^2/2} - 1

Given n jumps the price at expiry is lognormal, so an option is a Poisson average of Black–Scholes prices,

.. math:: V = \sum_{n=0}^\infty e^{-\lambda T}\frac{(\lambda T)^n}{n!}\,
              BS\big(F_n = F e^{-\lambda \bar k T + n(\mu_J + \delta^2/2)},\; w_n = \sigma^2 T + n\delta^2\big).

In the n-th term a put is worth at most the discounted strike and a call at most the discounted F_n, so the truncation
error is at most a tail probability of a Poisson distribution: with mean λT for puts, and λ(1 + k̄)T for calls. The sum
has the terms around both means outside of which these tails are below 1e-18.

Examples
--------
>>> round(merton_price(100.0, 100.0, 0.5, 0.08, 0.2, jump_intensity=1.0, jump_mean=-0.1, jump_vol=0.15), 6)
9.272315
>>> MertonJumpDiffusion(vol=0.2, jump_intensity=1.0, jump_mean=-0.1, jump_vol=0.15).error_bound(12, 0.5) < 1e-12
True

References
----------
R. C. Merton, "Option pricing when underlying stock returns are discontinuous", Journal of Financial Economics 3
(1976), 125-144, equation 19.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns
from bank_python.risk_models.option_columns import OptionColumns
from bank_python.risk_models.time_value import Tails

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["MertonJumpDiffusion", "merton_price"]

_DEVIATIONS = 10.0
_MARGIN = 25.0
_MOST_JUMPS = 1e6


@guessable
def merton_price(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
    *,
    jump_intensity: ArrayLike,
    jump_mean: ArrayLike,
    jump_vol: ArrayLike,
) -> Numbers:
    """Return the price of a European option under Merton's jump diffusion.

    Parameters
    ----------
    spot, strike, expiry, rate, vol, dividend, is_call : array_like
        Market data and terms of the option, as for
        :func:`~bank_python.risk_models.black_scholes.black_scholes_price`; `vol` is the volatility of the diffusion,
        without jumps.
    jump_intensity : array_like
        Expected number of jumps per year, at least 0; at 0 the price is Black–Scholes.
    jump_mean, jump_vol : array_like
        Mean and standard deviation of a jump of the log price; the latter at least 0.

    Returns
    -------
    float or ndarray
        Price in the broadcast shape of the arguments; NaN where an argument is outside its range, infinite or NaN, or
        where more than a million jumps are expected.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Notes
    -----
    The truncation error is below 1e-17 of the forward or the strike.

    Examples
    --------
    >>> jumps = {"jump_intensity": [0.0, 5.0], "jump_mean": -0.05, "jump_vol": 0.1}
    >>> merton_price(100.0, [90.0, 110.0], 0.25, 0.0, 0.2, **jumps).round(4)
    array([10.7124,  2.3895])
    """
    shape, columns = to_columns(spot, strike, expiry, rate, dividend, is_call, vol, jump_intensity, jump_mean, jump_vol)
    sigma, intensity, mean, deviation = columns[6:]
    with np.errstate(all="ignore"):
        option = OptionColumns.of(columns[:6])
        size = mean + 0.5 * deviation * deviation
        expected = intensity * option.expiry
        tilted = expected * np.exp(size)
        valid = option.valid & all_finite(columns[6:]) & (sigma >= 0.0) & (intensity >= 0.0) & (deviation >= 0.0)
        valid &= (expected <= _MOST_JUMPS) & (tilted <= _MOST_JUMPS)
        first, last = _range(np.where(valid, expected, 0.0), np.where(valid, tilted, 0.0))
        total = np.zeros_like(size)
        for n in range(int(first.min(initial=0)), int(last.max(initial=-1)) + 1):
            weight = np.where((first <= n) & (n <= last), _poisson(n, expected), 0.0)
            shift = n * size - (tilted - expected)
            spread = np.sqrt(sigma * sigma * option.expiry + n * deviation * deviation)
            total += weight * _given_jumps(option, shift, spread)
        return from_column(np.where(valid, total, np.nan), shape)


def _given_jumps(option: OptionColumns, shift: FloatArray, spread: FloatArray) -> FloatArray:
    """Return Black–Scholes prices with the log forward shifted by `shift` and with `spread` for σ√T."""
    forward, strike = option.forward * np.exp(shift), option.discounted_strike
    tails = Tails.of(option.log_ratio + shift, spread)
    intrinsic = np.maximum(np.where(option.is_call, forward - strike, strike - forward), 0.0)
    return intrinsic + np.minimum(forward, strike) * tails.time_value


def _range(expected: FloatArray, tilted: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and last number of jumps that are not negligible under either Poisson distribution."""
    low, high = np.minimum(expected, tilted), np.maximum(expected, tilted)
    first = np.maximum(np.floor(low - _DEVIATIONS * np.sqrt(low) - _MARGIN), 0.0)
    last = np.where(high > 0.0, np.ceil(high + _DEVIATIONS * np.sqrt(high) + _MARGIN), 0.0)
    return first.astype(np.int64), last.astype(np.int64)


def _poisson(n: int, expected: FloatArray) -> FloatArray:
    log_weight = n * np.log(expected) - expected - math.lgamma(n + 1.0)
    return np.where(expected > 0.0, np.exp(log_weight), 1.0 if n == 0 else 0.0)


class Cumulants(NamedTuple):
    """The first four cumulants of a log price.

    Parameters
    ----------
    mean, variance, third, fourth : float
        Cumulants in order; the skewness is ``third / variance**1.5``, the excess kurtosis ``fourth / variance**2``.
    """

    mean: float
    variance: float
    third: float
    fourth: float


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class MertonJumpDiffusion(Record):
    """Merton's jump-diffusion model.

    Parameters
    ----------
    vol : float
        Annual volatility of the diffusion, a decimal, at least 0.
    jump_intensity : float
        Expected number of jumps per year, at least 0.
    jump_mean, jump_vol : float
        Mean and standard deviation of a jump of the log price.

    Raises
    ------
    ModelError
        A parameter is outside its range; the message names it.

    Examples
    --------
    >>> crash = MertonJumpDiffusion(vol=0.15, jump_intensity=0.5, jump_mean=-0.2, jump_vol=0.1)
    >>> round(crash.price(100.0, 80.0, 0.25, 0.02, is_call=False), 4), round(crash.total_vol, 4)
    (0.3314, 0.2179)
    """

    vol: float
    jump_intensity: float
    jump_mean: float
    jump_vol: float

    def __post_init__(self) -> None:
        for name in ("vol", "jump_intensity", "jump_mean", "jump_vol"):
            value = getattr(self, name)
            if not math.isfinite(value) or (name != "jump_mean" and value < 0.0):
                bound = "a finite number" if name == "jump_mean" else "a finite number of at least 0"
                raise ModelError(f"{name}={value!r} is not {bound}; correct it", name=name, value=value)

    @property
    def total_vol(self) -> float:
        """The annual volatility of the log price, with jumps."""
        second = self.jump_mean**2 + self.jump_vol**2
        return math.sqrt(self.vol**2 + self.jump_intensity * second)

    @property
    def mean_jump(self) -> float:
        """The expected relative jump of the price, k̄."""
        return math.expm1(self.jump_mean + 0.5 * self.jump_vol**2)

    def price(
        self,
        spot: ArrayLike,
        strike: ArrayLike,
        expiry: ArrayLike,
        rate: ArrayLike,
        dividend: ArrayLike = 0.0,
        is_call: ArrayLike = True,
    ) -> Numbers:
        """Return the price of a European option; see :func:`merton_price`."""
        return merton_price(
            spot,
            strike,
            expiry,
            rate,
            self.vol,
            dividend,
            is_call,
            jump_intensity=self.jump_intensity,
            jump_mean=self.jump_mean,
            jump_vol=self.jump_vol,
        )

    def characteristic_function(self, u: ArrayLike, expiry: float) -> NDArray[np.complex128]:
        """Return the characteristic function of log(S_T/F) at `u`, real or complex, of any shape."""
        z = np.asarray(u, dtype=complex)
        jumps = np.exp(1j * z * self.jump_mean - 0.5 * z * z * self.jump_vol**2) - 1.0
        drift = -0.5 * self.vol**2 - self.jump_intensity * self.mean_jump
        return np.asarray(np.exp(expiry * (1j * z * drift - 0.5 * z * z * self.vol**2 + self.jump_intensity * jumps)))

    def cumulants(self, expiry: float) -> Cumulants:
        """Return the first four cumulants of log(S_T/F)."""
        m, d2 = self.jump_mean, self.jump_vol**2
        rate = self.jump_intensity * expiry
        return Cumulants(
            -0.5 * self.vol**2 * expiry - rate * self.mean_jump + rate * m,
            self.vol**2 * expiry + rate * (m**2 + d2),
            rate * (m**3 + 3.0 * m * d2),
            rate * (m**4 + 6.0 * m**2 * d2 + 3.0 * d2**2),
        )

    def error_bound(self, terms: int, expiry: float) -> float:
        """Return a bound on the error of the series truncated after `terms` terms, as a share of forward or strike.

        Notes
        -----
        It is the larger of the two Poisson tails P(N ≥ terms) with means λT, for puts, and λ(1 + k̄)T, for calls.
        """
        means = (self.jump_intensity * expiry, self.jump_intensity * expiry * (1.0 + self.mean_jump))
        return max(_poisson_tail(terms, mean) for mean in means)


def _poisson_tail(first: int, mean: float) -> float:
    if mean == 0.0:
        return 1.0 if first == 0 else 0.0
    last = int(max(first, mean) + _DEVIATIONS * math.sqrt(max(first, mean)) + _MARGIN)
    return math.fsum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1.0)) for n in range(first, last + 1))
