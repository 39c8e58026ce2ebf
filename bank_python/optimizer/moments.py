"""Conversion of expected returns and a covariance, labelled or not, to the input data of an optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import CalibrationError
from bank_python.optimizer.covariance_data import CovarianceData

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["covariance_data_of", "labels_of", "numbered"]


def covariance_data_of(
    expected_returns: ArrayLike | Mapping[str, float], covariance: ArrayLike | CovarianceData
) -> CovarianceData:
    """Return covariance data with the given moments.

    The tickers are the column names of the covariance, or the labels of the expected returns, or the numbers from 0 on.
    Labelled input is reordered to match them.

    Parameters
    ----------
    expected_returns : array_like, Series or mapping of str to float, shape (n_assets,)
        Expected returns per year, as decimals.
    covariance : array_like, DataFrame or CovarianceData, shape (n_assets, n_assets)
        Covariance matrix of the returns per year.

    Raises
    ------
    CalibrationError
        If their shapes do not match, or the arguments are swapped.
    MatrixError
        If the covariance is not a valid covariance matrix.
    """
    means: Any = expected_returns
    if isinstance(covariance, CovarianceData):
        return covariance.with_expected_returns(means)
    if isinstance(means, CovarianceData) or (np.ndim(covariance) == 1 and np.ndim(means) > 1):
        raise CalibrationError("the first argument is a covariance; give the expected returns, then the covariance")
    names = labels_of(covariance) or labels_of(means) or numbered(len(means))
    return CovarianceData(tickers=names, covariance=covariance, expected_returns=means)


def labels_of(labelled: object) -> tuple[str, ...]:
    """Return the columns of a frame, the labels of a series, or the keys of a mapping; numeric labels are ignored."""
    if isinstance(labelled, Mapping):
        return tuple(str(name) for name in labelled)
    columns = getattr(labelled, "columns", None)
    labels = getattr(labelled, "index", None) if columns is None else columns
    if labels is None or callable(labels) or not any(isinstance(label, str) for label in labels):
        return ()
    return tuple(str(label) for label in labels)


def numbered(count: int) -> tuple[str, ...]:
    """Return names for unlabelled assets: ``0``, ``1`` and so on."""
    return tuple(str(i) for i in range(count))
