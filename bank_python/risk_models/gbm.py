r"""Geometric Brownian motion: the lognormal distribution of a price.

.. math:: dS = \mu S\,dt + \sigma S\,dW, \qquad
          \log\frac{S_T}{S_0} \sim N\big((\mu - \tfrac12\sigma^2)T,\; \sigma^2 T\big)

Examples
--------
>>> motion = GeometricBrownianMotion(drift=0.12, vol=0.30)
>>> round(motion.mean(40.0, 0.5), 3), round(motion.quantile(0.025, 40.0, 0.5), 2)
(42.473, 27.4)

References
----------
J. C. Hull, *Options, Futures, and Other Derivatives*, chapter on the Black–Scholes–Merton model: the lognormal
property, mean and variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.columns import all_finite, from_column, to_columns
from bank_python.numerics.normal import cdf_column, quantile_column
from bank_python.risk_models.black_scholes import black_scholes_price

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["GeometricBrownianMotion"]


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class GeometricBrownianMotion(Record):
    """A price that follows a geometric Brownian motion.

    Parameters
    ----------
    drift : float
        Expected growth rate per year, continuously compounded, a decimal.
    vol : float
        Annual volatility, a decimal, at least 0.

    Raises
    ------
    ModelError
        A parameter is outside its range; the message names it.
    """

    drift: float
    vol: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.drift):
            raise ModelError(f"drift={self.drift!r} is not a finite number; correct it", name="drift", value=self.drift)
        if not math.isfinite(self.vol) or self.vol < 0.0:
            raise ModelError(
                f"vol={self.vol!r} is not a finite number of at least 0; correct it", name="vol", value=self.vol
            )

    def mean(self, spot: ArrayLike, years: ArrayLike) -> Numbers:
        """Return the expected price after `years`; arguments broadcast, and the result of an invalid one is NaN."""
        return self._evaluated(lambda S, T: S * np.exp(self.drift * T), spot, years)

    def variance(self, spot: ArrayLike, years: ArrayLike) -> Numbers:
        """Return the variance of the price after `years`."""
        growth = 2.0 * self.drift
        return self._evaluated(lambda S, T: S * S * np.exp(growth * T) * np.expm1(self.vol**2 * T), spot, years)

    def quantile(self, p: ArrayLike, spot: ArrayLike, years: ArrayLike) -> Numbers:
        """Return the `p` quantile of the price after `years`."""
        return self._evaluated(
            lambda S, T, level: S * np.exp(self._location(T) + self.vol * np.sqrt(T) * quantile_column(level)),
            spot,
            years,
            p,
        )

    def probability_below(self, level: ArrayLike, spot: ArrayLike, years: ArrayLike) -> Numbers:
        """Return the probability that the price after `years` is at most `level`."""
        return self._evaluated(
            lambda S, T, K: cdf_column((np.log(K / S) - self._location(T)) / (self.vol * np.sqrt(T))),
            spot,
            years,
            level,
        )

    def price(
        self,
        spot: ArrayLike,
        strike: ArrayLike,
        expiry: ArrayLike,
        rate: ArrayLike,
        dividend: ArrayLike = 0.0,
        is_call: ArrayLike = True,
    ) -> Numbers:
        """Return the Black–Scholes price of a European option, which does not depend on the drift."""
        return black_scholes_price(spot, strike, expiry, rate, self.vol, dividend, is_call)

    def _location(self, T: FloatArray) -> FloatArray:
        return np.asarray((self.drift - 0.5 * self.vol**2) * T)

    def _evaluated(
        self, formula: Callable[..., FloatArray], spot: ArrayLike, years: ArrayLike, *more: ArrayLike
    ) -> Numbers:
        shape, (S, T, *others) = to_columns(spot, years, *more)
        with np.errstate(all="ignore"):
            valid = all_finite([S, T, *others]) & (S >= 0.0) & (T >= 0.0)
            return from_column(np.where(valid, formula(S, T, *others), np.nan), shape)
