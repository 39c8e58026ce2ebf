"""The terms of European options as columns, and quantities common to price, Greeks and implied volatility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.columns import all_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["OptionColumns", "log_ratio"]

# For a smaller relative distance from the strike, log(S/K) is computed from the exact difference S − K.
_NEAR_THE_MONEY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class OptionColumns:
    """European options without their volatility, one per row; every array has the shape (n_rows,).

    Attributes
    ----------
    spot, strike, expiry, rate, dividend, is_call : ndarray
        Market data and terms of the options; `is_call` as booleans.
    carry_factor : ndarray
        Present value of one unit of the underlying delivered at expiry, in units of the underlying: exp(−qT).
    forward, discounted_strike : ndarray
        Present values of the underlying delivered at expiry and of the strike.
    log_ratio : ndarray
        Logarithm of forward over strike; infinite for a strike of 0.
    valid : ndarray of bool
        Mask of the rows with valid terms.
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
        """Compute from columns of spot, strike, expiry, rate, dividend and is_call; the caller suppresses warnings."""
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
        """The smaller of discounted forward and discounted strike, by which the time value is normalised."""
        return np.minimum(self.forward, self.discounted_strike)

    @property
    def intrinsic(self) -> FloatArray:
        """The value of the option at a volatility of 0."""
        difference = self.forward - self.discounted_strike
        return np.maximum(np.where(self.is_call, difference, -difference), 0.0)


def log_ratio(spot: FloatArray, strike: FloatArray) -> FloatArray:
    """Return log(spot/strike), from the exact difference where the two are close.

    Notes
    -----
    With u = 1 + z rounded, log(1 + z) = log(u) z/(u − 1) to full precision (W. Kahan). Unlike numpy's ``log1p`` this
    form needs one vectorised logarithm for both cases.
    """
    excess = (spot - strike) / strike
    near = np.abs(excess) < _NEAR_THE_MONEY
    argument = np.where(near, 1.0 + excess, spot / strike)
    logarithm = np.log(argument)
    step = argument - 1.0
    return np.where(near, np.where(step == 0.0, excess, logarithm * (excess / step)), logarithm)
