"""The terms of European options as flat lanes, with what price, Greeks and implied volatility all need of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.columns import all_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["OptionColumns", "log_ratio"]

# Within this of the strike, log(S/K) is taken from the exact difference S − K.
_NEAR_THE_MONEY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class OptionColumns:
    """European options without their volatility; every array has the shape (n_rows,).

    Attributes
    ----------
    spot, strike, expiry, rate, dividend, is_call : ndarray
        The terms; `is_call` as booleans.
    carry_factor : ndarray
        What one unit of the underlying, delivered at expiry, is worth in units of it now.
    forward, discounted_strike : ndarray
        The two sides of the exchange, both discounted to now.
    log_ratio : ndarray
        Logarithm of forward over strike; a strike of 0 counts as infinitely far in the money.
    valid : ndarray of bool
        Which lanes have terms that make sense.
    """

    spot: FloatArray
    strike: FloatArray
    expiry: FloatArray
    rate: FloatArray
    dividend: FloatArray
    is_call: NDArray[np.bool_]
    carry_factor: FloatArray
    forward: FloatArray
    discounted_strike: FloatArray
    log_ratio: FloatArray
    valid: NDArray[np.bool_]

    @classmethod
    def of(cls, terms: list[FloatArray]) -> OptionColumns:
        """Take spot, strike, expiry, rate, dividend and is_call; the caller has silenced numpy's warnings."""
        spot, strike, expiry, rate, dividend, is_call = terms
        valid = all_finite(terms)
        for term in (spot, strike, expiry):
            valid &= term >= 0.0
        carry_factor = np.exp(-(dividend * expiry))
        return cls(
            spot,
            strike,
            expiry,
            rate,
            dividend,
            is_call != 0.0,
            carry_factor,
            spot * carry_factor,
            strike * np.exp(-(rate * expiry)),
            np.where(strike == 0.0, np.inf, log_ratio(spot, strike) + (rate - dividend) * expiry),
            valid,
        )

    @property
    def smaller(self) -> FloatArray:
        """The smaller of discounted forward and discounted strike, of which the time value is a share."""
        return np.minimum(self.forward, self.discounted_strike)

    @property
    def intrinsic(self) -> FloatArray:
        """What the option is worth without volatility."""
        difference = self.forward - self.discounted_strike
        return np.maximum(np.where(self.is_call, difference, -difference), 0.0)


def log_ratio(spot: FloatArray, strike: FloatArray) -> FloatArray:
    """Return log(spot/strike), from the exact difference where the two are near each other.

    Notes
    -----
    With u = 1 + z rounded, log(1 + z) = log(u) z/(u − 1) to full accuracy: W. Kahan's form of log1p, which
    unlike numpy's ``log1p`` costs one vectorised logarithm for both cases.
    """
    excess = (spot - strike) / strike
    near = np.abs(excess) < _NEAR_THE_MONEY
    argument = np.where(near, 1.0 + excess, spot / strike)
    logarithm = np.log(argument)
    step = argument - 1.0
    return np.where(near, np.where(step == 0.0, excess, logarithm * (excess / step)), logarithm)
