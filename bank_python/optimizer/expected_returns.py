r"""Expected returns a year, from past returns.

===========  ===========================================================================================
arithmetic   the mean times the periods in a year: what a single period is expected to give
compounded   the growth that was, as a yearly rate: :math:`\prod_t (1 + r_t)^{m / n} - 1`
ewma         the mean under weights that fall by a factor from period to period, times the periods
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

from bank_python.errors import CalibrationError
from bank_python.optimizer.estimators import decayed_weights

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["MeanMethod", "mean_returns"]


class MeanMethod(enum.Enum):
    """How an expected return is estimated; see :mod:`bank_python.optimizer.expected_returns`."""

    ARITHMETIC = "arithmetic"
    COMPOUNDED = "compounded"
    EWMA = "ewma"

    @classmethod
    def parse(cls, method: MeanMethod | str) -> MeanMethod:
        """Return the method of that name.

        Raises
        ------
        CalibrationError
            There is none; the message lists them.
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
    """Return the expected returns a year, shape (n_assets,).

    Parameters
    ----------
    returns : ndarray, shape (n_obs, n_assets)
        Simple returns of a period, finite; oldest first.
    method : MeanMethod or str, default "arithmetic"
        Which.
    periods_per_year : float, default 252
        Above 0.
    decay : float, default 0.97
        For ``ewma``, in (0, 1).

    Raises
    ------
    CalibrationError
        There is no such method, a parameter is out of range, or more than everything was lost where growth is asked
        for.
    """
    if not 0.0 < periods_per_year < np.inf:
        raise CalibrationError(f"periods_per_year={periods_per_year!r}; 252 for days, 12 for months")
    chosen = MeanMethod.parse(method)
    if chosen is MeanMethod.ARITHMETIC:
        return np.asarray(returns.mean(axis=0) * periods_per_year)
    if chosen is MeanMethod.EWMA:
        return np.asarray(decayed_weights(len(returns), decay) @ returns * periods_per_year)
    least = float(returns.min())
    if least <= -1.0:
        raise CalibrationError(f"a return of {least:g} leaves nothing to grow; use 'arithmetic'", value=least)
    return np.asarray(np.expm1(np.log1p(returns).mean(axis=0) * periods_per_year))
