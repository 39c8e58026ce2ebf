r"""Generalised Pareto distributions fitted by probability-weighted moments.

With :math:`a_0 = E[Y]` and :math:`a_1 = E[Y(1 - F(Y))]`, the shape and scale of a generalised Pareto distribution are

.. math:: \xi = 2 - \frac{a_0}{a_0 - 2a_1}, \qquad \beta = \frac{2a_0a_1}{a_0 - 2a_1} ,

into which the sample mean and the unbiased estimate :math:`a_1 = n^{-1}\sum_i \frac{n - i}{n - 1} y_{(i)}` are put. The
estimate always exists and, for small samples and shapes between 0 and 0.4, has a smaller error than maximum likelihood.
It is below 1 whatever the data, so that it is of no use for tails without a mean; where ξ is below 0, the largest
excess may be beyond the end of the fitted distribution, and the log-likelihood is −∞.

Examples
--------
>>> fit = fit_gpd_moments([0.3, 0.7, 1.1, 1.9, 3.2, 5.5, 9.1])
>>> round(fit.xi, 6), round(fit.beta, 6)
(0.283465, 2.231496)

References
----------
J. R. M. Hosking and J. R. Wallis, "Parameter and quantile estimation for the generalized Pareto distribution",
Technometrics 29 (1987), 339-349.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models.extremes import GpdFit
from bank_python.risk_models.gpd_likelihood import gpd_likelihood
from bank_python.taleb.sample import read_sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["fit_gpd_moments"]

_FEWEST = 5
_FINITE_VARIANCE = 0.5  # shape below which the estimates have a variance


@admits(ModelError)
def fit_gpd_moments(excesses: ArrayLike) -> GpdFit:
    """Fit a generalised Pareto distribution to excesses by probability-weighted moments.

    Parameters
    ----------
    excesses : array_like, shape (n,)
        Losses less the threshold, above 0; at least five, not all equal.

    Returns
    -------
    GpdFit
        The fit, with asymptotic standard errors; these are NaN if ξ is not below 1/2.

    Raises
    ------
    ModelError
        A value is not finite.
    CalibrationError
        There are fewer than five excesses, they are all equal, or one is not above 0.
    """
    y = np.sort(read_sample(excesses, name="excesses", fewest=_FEWEST, varying=True))
    if y[0] <= 0.0:
        raise CalibrationError(
            f"excesses: the smallest is {y[0]:g}, not above 0; give losses less the threshold",
            name="excesses",
            value=float(y[0]),
        )
    n = len(y)
    mean = float(y.mean())
    weighted = float((y * np.arange(n - 1, -1, -1)).sum()) / (n * (n - 1))
    gap = mean - 2.0 * weighted
    xi, beta = 2.0 - mean / gap, 2.0 * mean * weighted / gap
    log_likelihood = float(gpd_likelihood(y, xi, math.log(beta)).value[0])
    return GpdFit(xi, beta, log_likelihood, n, *_standard_errors(xi, beta, n))


def _standard_errors(xi: float, beta: float, n: int) -> tuple[float, float]:
    """Return the asymptotic standard errors of ξ and β (Hosking and Wallis, with k = −ξ)."""
    if xi >= _FINITE_VARIANCE:
        return math.nan, math.nan
    k = -xi
    size = n * (1.0 + 2.0 * k) * (3.0 + 2.0 * k)
    of_shape = (1.0 + k) * (2.0 + k) ** 2 * (1.0 + k + 2.0 * k * k)
    of_scale = 7.0 + 18.0 * k + 11.0 * k * k + 2.0 * k**3
    return math.sqrt(of_shape / size), beta * math.sqrt(of_scale / size)
