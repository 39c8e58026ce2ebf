"""Portfolio construction: covariances from returns; the optimisers stand on :mod:`bank_python.numerics.qp`."""

from bank_python.optimizer.estimators import CovarianceEstimate, Estimator, estimate_covariance

__all__ = ["CovarianceEstimate", "Estimator", "estimate_covariance"]
