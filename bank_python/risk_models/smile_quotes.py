"""What the market says of one expiry's smile, checked: log-moneyness, total variance, weight.

A quote that cannot be right is refused here, by name, before anything is fitted to it: a volatility that is not a
number, a bid above its ask. A quote of weight 0 is left out.

Examples
--------
>>> quotes = SmileQuotes.from_vols(0.5, [-0.2, -0.1, 0.0, 0.1, 0.2], [0.24, 0.22, 0.2, 0.19, 0.19])
>>> quotes.total_variance.round(4)
array([0.0288, 0.0242, 0.02  , 0.018 , 0.018 ])
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.columns import read_only

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray

__all__ = ["LEAST_QUOTES", "SmileQuotes"]

LEAST_QUOTES = 5
"""As many as a smile has parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class _UsedQuotes:
    """The quotes of an expiry, as they are kept."""

    expiry: float
    log_moneyness: FloatArray
    total_variance: FloatArray
    weights: FloatArray


@admits(ModelError)
class SmileQuotes(_UsedQuotes):
    """Quotes of one expiry.

    Parameters
    ----------
    expiry : float
        Years, above 0.
    log_moneyness : array_like, shape (n,)
        Logarithms of strike over forward, no two alike among those used.
    total_variance : array_like, shape (n,)
        Volatility squared times `expiry`, above 0.
    weights : array_like, shape (n,), optional
        What a squared error in total variance counts, at least 0; a quote of weight 0 is left out. 1 by default.

    Attributes
    ----------
    log_moneyness, total_variance, weights : ndarray, shape (used,)
        The quotes used, by increasing log-moneyness; read-only.

    Raises
    ------
    CalibrationError
        Fewer than five quotes are used, two have the same strike, or a figure is not a finite number in its range.
    """

    def __init__(
        self,
        expiry: float,
        log_moneyness: ArrayLike,
        total_variance: ArrayLike,
        weights: ArrayLike | None = None,
    ) -> None:
        if not (math.isfinite(expiry) and expiry > 0.0):
            raise CalibrationError(f"a smile's expiry is a number of years above 0, not {expiry!r}", value=expiry)
        k, variance, weight = _columns(expiry, log_moneyness, total_variance, 1.0 if weights is None else weights)
        _refuse(expiry, "log-moneyness", k, k, ~np.isfinite(k), "finite")
        _refuse(expiry, "weight", k, weight, ~(np.isfinite(weight) & (weight >= 0.0)), "finite and at least 0")
        used = np.flatnonzero(weight > 0.0)
        used = used[np.argsort(k[used], kind="stable")]
        k, variance, weight = k[used], variance[used], weight[used]
        _refuse(expiry, "total variance", k, variance, ~_positive(variance), "finite and above 0")
        if len(k) < LEAST_QUOTES:
            raise CalibrationError(
                f"the smile of T={expiry:g} has {len(k)} usable quotes; it takes at least {LEAST_QUOTES}: "
                "add strikes, or leave the expiry out",
                expiry=expiry,
                value=len(k),
            )
        twice = np.diff(k, prepend=-np.inf) == 0.0
        _refuse(expiry, "log-moneyness", k, k, twice, "quoted once, or merged into one quote")
        super().__init__(float(expiry), read_only(k), read_only(variance), read_only(weight))

    @classmethod
    @guessable
    def from_vols(
        cls, expiry: float, log_moneyness: ArrayLike, vols: ArrayLike, weights: ArrayLike | None = None
    ) -> Self:
        """Take volatilities, decimals for a year, above 0.

        Raises
        ------
        CalibrationError
            As the class; or a used volatility is not a finite number above 0.
        """
        k, vol, weight = _columns(expiry, log_moneyness, vols, 1.0 if weights is None else weights)
        _refuse(expiry, "volatility", k, vol, ~_positive(vol) & (weight > 0.0), "finite and above 0")
        return cls(expiry, k, vol * vol * expiry, weight)

    @classmethod
    @guessable
    def from_bid_ask(cls, expiry: float, log_moneyness: ArrayLike, bids: ArrayLike, asks: ArrayLike) -> Self:
        """Take bid and ask volatilities; the mid is fitted, weighted by the inverse square of the spread.

        Notes
        -----
        A spread below a hundredth of a volatility point counts as that: a locked market is a tight quote, and not
        an infinitely sure one.

        Raises
        ------
        CalibrationError
            As the class; or a bid is above its ask.
        """
        k, bid, ask = _columns(expiry, log_moneyness, bids, asks)
        for name, side in (("bid", bid), ("ask", ask)):
            _refuse(expiry, name, k, side, ~_positive(side), "finite and above 0")
        crossed = np.flatnonzero(bid > ask)
        if crossed.size:
            at = crossed[0]
            raise CalibrationError(
                f"the smile of T={expiry:g} has {crossed.size} crossed quotes, the first at k={k[at]:.6g}: "
                f"bid {bid[at].item()!r} is above ask {ask[at].item()!r}; drop or correct them",
                expiry=expiry,
                value=(float(bid[at]), float(ask[at])),
            )
        mid, spread = 0.5 * (bid + ask), np.maximum(ask - bid, _LEAST_SPREAD)
        return cls(expiry, k, mid * mid * expiry, 1.0 / (2.0 * mid * expiry * spread) ** 2)

    @property
    def vols(self) -> FloatArray:
        """The quoted volatilities."""
        return np.asarray(np.sqrt(self.total_variance / self.expiry))


_LEAST_SPREAD = 1.0e-4


def _columns(expiry: float, *values: ArrayLike) -> list[NDArray[np.float64]]:
    try:
        arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values))
    except ValueError as error:
        raise CalibrationError(f"the smile of T={expiry:g}: the columns of quotes differ in length: {error}") from error
    if arrays[0].ndim != 1:
        raise CalibrationError(f"the smile of T={expiry:g}: quotes are columns, not of shape {arrays[0].shape}")
    return [array.copy() for array in arrays]


def _positive(values: FloatArray) -> NDArray[np.bool_]:
    return np.isfinite(values) & (values > 0.0)


def _refuse(expiry: float, name: str, k: FloatArray, values: FloatArray, bad: NDArray[np.bool_], wanted: str) -> None:
    for at in np.flatnonzero(bad)[:1].tolist():
        raise CalibrationError(
            f"the smile of T={expiry:g}: a {name} must be {wanted}, and {values[at].item()!r} at k={k[at]:.6g} is not; "
            "correct the quote or give it weight 0",
            expiry=expiry,
            value=values[at].item(),
        )
