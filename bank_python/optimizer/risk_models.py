"""Covariance estimates from prices with the interface of PyPortfolioOpt's module ``risk_models``.

The results are :class:`CovarianceData`: the matrix, its assets, and the name of the estimator. The estimators
themselves are in :mod:`bank_python.optimizer.estimators`.

Examples
--------
>>> import numpy as np
>>> prices = 100.0 * np.cumprod(1.0 + 0.01 * np.random.default_rng(1).standard_normal((50, 3)), axis=0)
>>> S = CovarianceShrinkage(prices).ledoit_wolf()
>>> S.tickers, S.covariance.shape, S.estimator
(('0', '1', '2'), (3, 3), 'ledoit_wolf')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import CalibrationError
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.estimators import Estimator
from bank_python.optimizer.moments import labels_of, numbered

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["CovarianceShrinkage", "sample_cov"]

_TARGETS = {"constant_variance": Estimator.LEDOIT_WOLF, "constant_correlation": Estimator.LEDOIT_WOLF_CONSTANT}


class CovarianceShrinkage:
    """Shrinkage estimates of the covariance matrix, per year.

    Parameters
    ----------
    prices : array_like or DataFrame, shape (n_obs, n_assets)
        Prices above 0, oldest first, without missing values. A frame with dates as its index is sorted by date.
    returns_data : bool, default False
        Whether `prices` contains returns per period instead of prices.
    frequency : float, default 252
        Number of periods in a year, above 0.
    """

    def __init__(self, prices: ArrayLike, *, returns_data: bool = False, frequency: float = 252.0) -> None:
        self._prices, self._are_returns, self._frequency = prices, returns_data, frequency

    def ledoit_wolf(self, shrinkage_target: str = "constant_variance") -> CovarianceData:
        """Return the shrinkage estimate of Ledoit and Wolf.

        Parameters
        ----------
        shrinkage_target : str, default "constant_variance"
            Shrinkage target, ``constant_variance`` or ``constant_correlation``.

        Raises
        ------
        CalibrationError
            If the target is unknown, or the prices are invalid.
        """
        if shrinkage_target not in _TARGETS:
            raise CalibrationError(
                f"no shrinkage target {shrinkage_target!r}; there are {', '.join(_TARGETS)}", value=shrinkage_target
            )
        return self._estimated(_TARGETS[shrinkage_target])

    def oracle_approximating(self) -> CovarianceData:
        """Return the oracle approximating shrinkage estimate of Chen and others, for normal returns."""
        return self._estimated(Estimator.OAS)

    def _estimated(self, estimator: Estimator) -> CovarianceData:
        return _estimated(self._prices, estimator, returns_data=self._are_returns, frequency=self._frequency)


def sample_cov(prices: ArrayLike, *, returns_data: bool = False, frequency: float = 252.0) -> CovarianceData:
    """Return the sample covariance per year.

    Parameters
    ----------
    prices, returns_data, frequency
        Parameters of :class:`CovarianceShrinkage`.

    Raises
    ------
    CalibrationError
        If the prices are invalid, or there are too few rows for the number of assets.
    """
    return _estimated(prices, Estimator.SAMPLE, returns_data=returns_data, frequency=frequency)


def _estimated(prices: ArrayLike, estimator: Estimator, *, returns_data: bool, frequency: float) -> CovarianceData:
    given: Any = prices
    names = labels_of(given) or numbered(np.shape(given)[-1])
    if returns_data:
        return CovarianceData.from_returns(given, names, estimator=estimator, periods_per_year=frequency)
    return CovarianceData.from_prices(given, names, estimator=estimator, periods_per_year=frequency)
