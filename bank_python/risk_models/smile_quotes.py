"""Checked quotes of the volatility smile of one expiry: log-moneyness, total variance and weight.

An invalid quote, such as a volatility that is not finite or a bid above its ask, raises an error that names it, before
a smile is fitted. Quotes with weight 0 are ignored.

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
from bank_python.plotting import Plotted, percent
from bank_python.results import Tabular

if TYPE_CHECKING:
    from typing import Self

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["LEAST_QUOTES", "SmileQuotes"]

LEAST_QUOTES = 5
"""Minimum number of quotes: the number of parameters of a smile."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _UsedQuotes:
    """The quotes of an expiry with a weight above 0."""

    expiry: float
    log_moneyness: FloatArray
    total_variance: FloatArray
    weights: FloatArray


@admits(ModelError)
class SmileQuotes(_UsedQuotes, Plotted, Tabular):
    """Quotes of one expiry.

    Parameters
    ----------
    expiry : float
        Years to expiry, above 0.
    log_moneyness : array_like, shape (n,)
        Logarithms of strike over forward, all different among the quotes with a weight above 0.
    total_variance : array_like, shape (n,)
        Total variances: squared volatilities times `expiry`, above 0.
    weights : array_like, shape (n,), optional
        Weights of the squared errors in total variance, at least 0; quotes with weight 0 are ignored. 1 by default.

    Attributes
    ----------
    log_moneyness, total_variance, weights : ndarray, shape (used,)
        Quotes with a weight above 0, by increasing log-moneyness; read-only.

    Raises
    ------
    CalibrationError
        Fewer than five quotes have a weight above 0, two have the same strike, or a value is not finite or out of
        range.
    """

    def __init__(
        self,
        expiry: float,
        log_moneyness: ArrayLike,
        total_variance: ArrayLike,
        weights: ArrayLike | None = None,
    ) -> None:
        if not (math.isfinite(expiry) and expiry > 0.0):
            raise CalibrationError(
                f"the expiry of a smile must be a finite number of years above 0, not {expiry!r}", value=expiry
            )
        k, variance, weight = _columns(expiry, log_moneyness, total_variance, 1.0 if weights is None else weights)
        _require(expiry, "log-moneyness", k, k, ~np.isfinite(k), "finite")
        _require(expiry, "weight", k, weight, ~(np.isfinite(weight) & (weight >= 0.0)), "finite and at least 0")
        used = np.flatnonzero(weight > 0.0)
        used = used[np.argsort(k[used], kind="stable")]
        k, variance, weight = k[used], variance[used], weight[used]
        _require(expiry, "total variance", k, variance, ~_positive(variance), "finite and above 0")
        if len(k) < LEAST_QUOTES:
            raise CalibrationError(
                f"the smile of T={expiry:g} has {len(k)} usable quotes, but needs at least {LEAST_QUOTES}; "
                "add strikes, or leave the expiry out",
                expiry=expiry,
                value=len(k),
            )
        twice = np.diff(k, prepend=-np.inf) == 0.0
        _require(expiry, "log-moneyness", k, k, twice, "different from that of every other quote")
        super().__init__(float(expiry), read_only(k), read_only(variance), read_only(weight))

    @classmethod
    @guessable
    def from_vols(
        cls, expiry: float, log_moneyness: ArrayLike, vols: ArrayLike, weights: ArrayLike | None = None
    ) -> Self:
        """Build quotes from annual volatilities, decimals above 0.

        Raises
        ------
        CalibrationError
            As for the class; or a volatility with a weight above 0 is not a finite number above 0.
        """
        k, vol, weight = _columns(expiry, log_moneyness, vols, 1.0 if weights is None else weights)
        _require(expiry, "volatility", k, vol, ~_positive(vol) & (weight > 0.0), "finite and above 0")
        return cls(expiry, k, vol * vol * expiry, weight)

    @classmethod
    @guessable
    def from_bid_ask(cls, expiry: float, log_moneyness: ArrayLike, bids: ArrayLike, asks: ArrayLike) -> Self:
        """Build quotes at the mid of bid and ask volatilities, weighted by the inverse square of the spread.

        Notes
        -----
        The spread is taken as at least a hundredth of a volatility point, since a quote with equal bid and ask would
        otherwise have an infinite weight.

        Raises
        ------
        CalibrationError
            As for the class; or a bid is above its ask.
        """
        k, bid, ask = _columns(expiry, log_moneyness, bids, asks)
        for name, side in (("bid", bid), ("ask", ask)):
            _require(expiry, name, k, side, ~_positive(side), "finite and above 0")
        crossed = np.flatnonzero(bid > ask)
        if crossed.size:
            at = crossed[0]
            raise CalibrationError(
                f"the smile of T={expiry:g} has {crossed.size} crossed quotes, the first at k={k[at]:.6g}: "
                f"bid {bid[at].item()!r} is above ask {ask[at].item()!r}; correct or remove them",
                expiry=expiry,
                value=(float(bid[at]), float(ask[at])),
            )
        mid, spread = 0.5 * (bid + ask), np.maximum(ask - bid, _LEAST_SPREAD)
        return cls(expiry, k, mid * mid * expiry, 1.0 / (2.0 * mid * expiry * spread) ** 2)

    @property
    def vols(self) -> FloatArray:
        """The quoted annual volatilities, as decimals."""
        return np.asarray(np.sqrt(self.total_variance / self.expiry))

    def to_table(self) -> Table:
        """Return a table with a row for each quote used: log-moneyness, volatility, total variance, weight."""
        from bank_python.mntable import Table

        columns = self.log_moneyness, self.vols, self.total_variance, self.weights
        names = ("log_moneyness", "volatility", "total_variance", "weight")
        rows = [dict(zip(names, row, strict=True)) for row in np.column_stack(columns).tolist()]
        return Table.from_rows([(name, float) for name in names], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the quoted volatilities by log-moneyness."""
        axes.plot(self.log_moneyness, self.vols, linestyle="", marker="o", color="black", label="quotes")
        axes.set(xlabel="log-moneyness, log(strike/forward)", ylabel="volatility per year")
        axes.set_title(f"Smile quotes, expiry {self.expiry:.3g} y")
        percent(axes.yaxis)

    def __rich__(self) -> object:
        from bank_python.render import table_view

        return table_view(self.to_table(), f"Smile quotes, expiry {self.expiry:.3g} y")


_LEAST_SPREAD = 1.0e-4


def _columns(expiry: float, *values: ArrayLike) -> list[NDArray[np.float64]]:
    try:
        arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values))
    except ValueError as error:
        raise CalibrationError(
            f"the smile of T={expiry:g}: the columns of quotes differ in length ({error}); give one value per quote"
        ) from error
    if arrays[0].ndim != 1:
        raise CalibrationError(
            f"the smile of T={expiry:g}: quotes have shape {arrays[0].shape}; give arrays of one dimension"
        )
    return [array.copy() for array in arrays]


def _positive(values: FloatArray) -> NDArray[np.bool_]:
    return np.isfinite(values) & (values > 0.0)


def _require(
    expiry: float, name: str, k: FloatArray, values: FloatArray, bad: NDArray[np.bool_], condition: str
) -> None:
    """Raise an error for the first bad quote."""
    for at in np.flatnonzero(bad)[:1].tolist():
        raise CalibrationError(
            f"the smile of T={expiry:g}: a {name} must be {condition}, but {values[at].item()!r} at k={k[at]:.6g} is "
            "not; correct the quote or give it weight 0",
            expiry=expiry,
            value=values[at].item(),
        )
