"""Portfolio construction: what optimisers stand on; they themselves stand on :mod:`bank_python.numerics.qp`."""

from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.estimators import CovarianceEstimate, Estimator, estimate_covariance
from bank_python.optimizer.expected_returns import MeanMethod, mean_returns

__all__ = [
    "CovarianceData",
    "CovarianceEstimate",
    "Estimator",
    "MeanMethod",
    "estimate_covariance",
    "mean_returns",
]
