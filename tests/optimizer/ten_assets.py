"""The ten assets of Bailey and López de Prado's example, the reference of several tests."""

import numpy as np

from bank_python.optimizer import CovarianceData

# Bailey and López de Prado, "An open-source implementation of the critical-line algorithm for portfolio optimization",
# Algorithms 6 (2013), 169-196: the ten assets of the numerical example (covariances to eight digits, as in the file
# CLA_Data.csv that comes with the paper's code), bounds 0 and 1.
MEANS = [1.175, 1.19, 0.396, 1.12, 0.346, 0.679, 0.089, 0.73, 0.481, 1.08]
LOWER_TRIANGLE = [
    [0.40755159],
    [0.03175842, 0.9063047],
    [0.05183923, 0.03136385, 0.19490901],
    [0.05663904, 0.02687256, 0.04408485, 0.19528471],
    [0.0330226, 0.01917172, 0.03006772, 0.02777345, 0.34059105],
    [0.00827775, 0.00934384, 0.01322738, 0.00526665, 0.00777055, 0.15983874],
    [0.02165938, 0.02495043, 0.03525971, 0.01375808, 0.02067844, 0.02105575, 0.68056711],
    [0.01332419, 0.00761036, 0.0115493, 0.00780878, 0.00736409, 0.00518686, 0.01377882, 0.95526918],
    [0.0343476, 0.02874874, 0.0427563, 0.02914176, 0.02542657, 0.01723737, 0.04627027, 0.0106553, 0.31681584],
    [
        *(0.02249903, 0.01336866, 0.02057303, 0.01640377, 0.01284075),
        *(0.00723779, 0.01926088, 0.00760955, 0.01854318, 0.11079287),
    ],
]
NAMES = [f"A{i}" for i in range(10)]


def published():
    covariance = np.zeros((10, 10))
    for i, row in enumerate(LOWER_TRIANGLE):
        covariance[i, : i + 1] = covariance[: i + 1, i] = row
    return CovarianceData(tickers=NAMES, covariance=covariance, expected_returns=MEANS)
