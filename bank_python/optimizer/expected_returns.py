r"""Estimates of expected returns per year from past returns.

===========  ===========================================================================================
arithmetic   mean return per period times the number of periods in a year
compounded   compound growth rate per year: :math:`\prod_t (1 + r_t)^{m / n} - 1`
ewma         exponentially weighted mean return times the number of periods in a year
===========  ===========================================================================================

Examples
--------
>>> past = np.array([[0.01], [-0.01], [0.02], [0.00]])
>>> [round(float(mean_returns(past, method, periods_per_year=4)[0]), 6) for method in ("arithmetic", "compounded")]
[0.02, 0.019898]
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import as_numbers
from bank_python.errors import CalibrationError
from bank_python.optimizer.estimators import decayed_weights
from bank_python.optimizer.inputs import panel_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["MeanMethod", "mean_historical_return", "mean_returns"]


class MeanMethod(enum.Enum):
    """Method of estimating expected returns; see :mod:`bank_python.optimizer.expected_returns`."""

    ARITHMETIC = "arithmetic"
    COMPOUNDED = "compounded"
    EWMA = "ewma"

    @classmethod
    def parse(cls, method: MeanMethod | str) -> MeanMethod:
        """Return the method with the given name.

        Raises
        ------
        CalibrationError
            If there is none; the message lists the methods.
        """
        try:
            return cls(method)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise CalibrationError(f"no mean {method!r} of returns; there are {known}", value=method) from None


def mean_returns(
    returns: FloatArray,
    method: MeanMethod | str = MeanMethod.ARITHMETIC,
    *,
    periods_per_year: float = 252.0,
    decay: float = 0.97,
) -> FloatArray:
    """Return the expected returns per year, as decimals, shape (n_assets,).

    Parameters
    ----------
    returns : ndarray, shape (n_obs, n_assets)
        Simple returns per period, finite; oldest first.
    method : MeanMethod or str, default "arithmetic"
        Method of averaging the returns.
    periods_per_year : float, default 252
        Number of periods in a year, above 0.
    decay : float, default 0.97
        Decay factor per period of the weights of ``ewma``, in (0, 1).

    Raises
    ------
    CalibrationError
        If the method is unknown, a parameter is out of range, or a return of -1 or less makes compounding impossible.
    """
    if not 0.0 < periods_per_year < np.inf:
        raise CalibrationError(
            f"periods_per_year={periods_per_year!r}; give a number above 0, 252 for days, 12 for months"
        )
    chosen = MeanMethod.parse(method)
    if chosen is MeanMethod.ARITHMETIC:
        return np.asarray(returns.mean(axis=0) * periods_per_year)
    if chosen is MeanMethod.EWMA:
        return np.asarray(decayed_weights(len(returns), decay) @ returns * periods_per_year)
    least = float(returns.min())
    if least <= -1.0:
        raise CalibrationError(f"a return of {least:g} cannot be compounded; use the method 'arithmetic'", value=least)
    return np.asarray(np.expm1(np.log1p(returns).mean(axis=0) * periods_per_year))


def mean_historical_return(
    prices: ArrayLike, *, returns_data: bool = False, compounding: bool = True, frequency: float = 252.0
) -> FloatArray | dict[str, float]:
    """Return the mean historical return of each asset per year, by name if the prices are labelled.

    Parameters
    ----------
    prices : array_like or DataFrame, shape (n_obs, n_assets)
        Prices above 0, oldest first, without missing values. A frame with dates as its index is sorted by date.
    returns_data : bool, default False
        Whether `prices` contains returns per period instead of prices.
    compounding : bool, default True
        Whether to return the compound growth rate instead of the mean return times the periods in a year.
    frequency : float, default 252
        Number of periods in a year, above 0.

    Returns
    -------
    ndarray, shape (n_assets,), or dict of str to float
        Returns per year, as decimals; a dict if the prices have column names.

    Raises
    ------
    CalibrationError
        If a price is missing or not above 0, or there are fewer than two rows.

    Examples
    --------
    >>> mean_historical_return([[100.0], [101.0], [99.0]], frequency=2).round(6).tolist()
    [-0.01]
    """
    columns = getattr(prices, "columns", None)
    figures = as_numbers(prices)
    width = figures.shape[-1] if figures is not None and figures.ndim else 1
    names = tuple(str(i) for i in range(width)) if columns is None else tuple(str(name) for name in columns)
    panel = panel_of("returns" if returns_data else "prices", names, prices, positive=not returns_data)
    past = panel if returns_data else panel[1:] / panel[:-1] - 1.0
    if not len(past):
        raise CalibrationError(f"{len(panel)} rows of prices; give at least two", value=len(panel))
    method = MeanMethod.COMPOUNDED if compounding else MeanMethod.ARITHMETIC
    means = mean_returns(past, method, periods_per_year=frequency)
    return means if columns is None else dict(zip(names, means.tolist(), strict=True))
