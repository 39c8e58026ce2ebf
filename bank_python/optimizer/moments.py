"""Expected returns and a covariance as they come from elsewhere, with or without names, as data for an optimiser."""

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
    """Return the data of given moments.

    Names are those of the covariance's columns, or of the expected returns where it has none, or the numbers from 0 on.
    What has names is put in their order.

    Parameters
    ----------
    expected_returns : array_like, Series or mapping of str to float, shape (n_assets,)
        A year's.
    covariance : array_like, DataFrame or CovarianceData, shape (n_assets, n_assets)
        A year's.

    Raises
    ------
    CalibrationError
        They do not fit each other, or came in the other order.
    MatrixError
        The covariance is none.
    """
    means: Any = expected_returns
    if isinstance(covariance, CovarianceData):
        return covariance.with_expected_returns(means)
    if isinstance(means, CovarianceData) or (np.ndim(covariance) == 1 and np.ndim(means) > 1):
        raise CalibrationError("a covariance came first; give the expected returns, then the covariance")
    names = labels_of(covariance) or labels_of(means) or numbered(len(means))
    return CovarianceData(tickers=names, covariance=covariance, expected_returns=means)


def labels_of(labelled: object) -> tuple[str, ...]:
    """Return the names of a frame's columns, of a series' rows, or of a mapping; none of what has numbers or none."""
    if isinstance(labelled, Mapping):
        return tuple(str(name) for name in labelled)
    columns = getattr(labelled, "columns", None)
    labels = getattr(labelled, "index", None) if columns is None else columns
    if labels is None or callable(labels) or not any(isinstance(label, str) for label in labels):
        return ()
    return tuple(str(label) for label in labels)


def numbered(count: int) -> tuple[str, ...]:
    """Return names for assets that have none: ``0``, ``1`` and so on."""
    return tuple(str(i) for i in range(count))
