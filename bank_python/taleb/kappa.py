r"""Two figures that are called kappa: the mean deviation over the standard deviation, and the growth of sums.

The first is a ratio of a sample or a distribution,

.. math:: \frac{E|X - \mu|}{\sqrt{E(X - \mu)^2}} \le 1 ,

which is √(2/π) = 0.7979 for a normal distribution and lower for most distributions with fatter tails, since large
deviations weigh more in the standard deviation: 2/π = 0.6366 for Student's t with three degrees of freedom. With
infinite variance the ratio of a sample falls with its length and has no limit above 0.

The second is a rate. With the mean absolute deviation :math:`M(n)` of a sum of n independent draws,

.. math:: \kappa_{n_0, n} = 2 - \frac{\ln n - \ln n_0}{\ln M(n) - \ln M(n_0)} ,

which is 0 where M grows like √n, as for a normal distribution, and 1 where it grows like n, as for Cauchy's. The mean
of n draws is as uncertain as that of :math:`n^{2(1 - \kappa)/(2 - \kappa)}` from a normal distribution: diversifying
and waiting help that much less. For :math:`n \to \infty` it tends to :math:`2 - \min(\alpha, 2)`.

The κ of a sample is that of its empirical distribution, with its standard error by the influence of each observation.
As a sample has a largest value, it is too low for fat tails: from 250 values of Student's t with three degrees of
freedom on average 0.286 in place of 0.290 at n = 2, and 0.176 in place of 0.190 at n = 30; with 1.5 degrees 0.61 in
place of 0.65, and 0.50 in place of 0.60.

Examples
--------
>>> from bank_python.taleb.laws import Pareto, StudentT
>>> round(kappa_n(StudentT(3.0)), 5), round(kappa_n(Pareto(3.0), n=100), 4)
(0.29049, 0.2798)
>>> returns = np.random.default_rng(1).standard_t(3, 5_000)
>>> estimate = sample_kappa(returns)
>>> round(estimate.kappa, 3), round(estimate.error, 3)
(0.262, 0.017)
>>> round(mad_over_sd(returns), 3), round(GAUSSIAN_MAD_OVER_SD, 4)
(0.656, 0.7979)

References
----------
N. N. Taleb, "How much data do you need? An operational, pre-asymptotic metric for fat-tailedness", International
Journal of Forecasting 35 (2019), 677-686 (arXiv:1802.05495), definition 1.

R. C. Geary, "The ratio of the mean deviation to the standard deviation as a test of normality", Biometrika 27 (1935),
310-332.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits, as_numbers
from bank_python.errors import ModelError
from bank_python.results import Figures
from bank_python.taleb.frozen_law import FrozenDistribution, FrozenLaw
from bank_python.taleb.laws import SummableLaw
from bank_python.taleb.sample import is_constant, read_sample
from bank_python.taleb.sum_deviation import sample_deviation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["GAUSSIAN_MAD_OVER_SD", "SampleKappa", "kappa_n", "mad_over_sd", "sample_kappa"]

GAUSSIAN_MAD_OVER_SD = math.sqrt(2.0 / math.pi)
"""Mean deviation over standard deviation of a normal distribution; below it tails are called fat."""

_LONGEST_SUM = 10_000  # beyond, the grid of a sample's sums is no finer than its deviation


@dataclass(frozen=True, slots=True)
class SampleKappa(Figures):
    """Rate κ of the mean deviation of sums from a sample; returned by :func:`sample_kappa`.

    Parameters
    ----------
    kappa : float
        Rate κ of the empirical distribution; NaN for a series that is constant to rounding.
    error : float
        Standard error, for independent observations; too low where the variance is infinite.
    n, n0 : int
        Numbers of draws in the sums that are compared.
    n_observations : int
        Number of observations.
    """

    kappa: float
    error: float
    n: int
    n0: int
    n_observations: int


@admits(ModelError)
def mad_over_sd(x: ArrayLike) -> float:
    """Return the mean absolute deviation about the mean over the standard deviation.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any unit; finite, at least two values.

    Returns
    -------
    float
        Ratio in (0, 1]; NaN for a series that is constant to rounding, which has neither deviation. Both deviations
        divide by n.

    Raises
    ------
    ModelError
        A value is not finite.
    CalibrationError
        There are fewer than two values.
    """
    centred = _centred(x)
    return math.nan if centred is None else float(np.abs(centred).mean()) / math.sqrt(float((centred**2).mean()))


def kappa_n(sample_or_distribution: ArrayLike | SummableLaw | FrozenDistribution, n: int = 2, n0: int = 1) -> float:
    """Return Taleb's κ, the rate at which the mean absolute deviation of sums grows.

    Parameters
    ----------
    sample_or_distribution : array_like, SummableLaw or FrozenDistribution
        Sample of at least two finite values; or a distribution: :class:`~bank_python.taleb.laws.StudentT`,
        :class:`~bank_python.taleb.laws.Pareto` and others, or a frozen distribution of scipy (for n up to 2).
    n : int, default 2
        Number of draws in the longer sum.
    n0 : int, default 1
        Number of draws in the shorter sum, at least 1.

    Returns
    -------
    float
        κ: 0 for a normal distribution, up to 1 without a mean; below 0 for distributions with two peaks. NaN for a
        sample that is constant to rounding.

    Raises
    ------
    ModelError
        The numbers of draws are not whole numbers with n0 < n, a value is not finite, or the distribution is of a kind
        whose sums are not known.
    CalibrationError
        A sample has fewer than two values.

    Notes
    -----
    The error is below 1e-9 for distributions and 1e-5 for samples, of which :func:`sample_kappa` gives the standard
    error.
    """
    given = sample_or_distribution
    _check_draws(n, n0)
    if isinstance(given, SummableLaw):
        return _kappa(given.mean_deviation(n), given.mean_deviation(n0), n, n0)
    if isinstance(given, FrozenDistribution):
        law = FrozenLaw(given)
        return _kappa(law.mean_deviation(n), law.mean_deviation(n0), n, n0)
    if as_numbers(given) is None:
        raise ModelError(
            f"kappa_n: {given!r:.60} is neither a sample nor a distribution; give numbers, a law such as "
            "StudentT(3.0), or an object with cdf, sf, ppf, mean and support",
            name="sample_or_distribution",
            value=given,
        )
    return sample_kappa(given, n, n0).kappa


@admits(ModelError)
def sample_kappa(x: ArrayLike, n: int = 2, n0: int = 1) -> SampleKappa:
    """Return κ of a sample with its standard error.

    Parameters
    ----------
    x : array_like, shape (n_obs,)
        Sample in any unit; finite, at least two values.
    n : int, default 2
        Number of draws in the longer sum, up to 10,000.
    n0 : int, default 1
        Number of draws in the shorter sum, at least 1.

    Raises
    ------
    ModelError
        A value is not finite, or the numbers of draws are not whole numbers with n0 < n ≤ 10,000.
    CalibrationError
        There are fewer than two values.
    """
    _check_draws(n, n0)
    if n > _LONGEST_SUM:
        raise ModelError(
            f"n={n:,} is above {_LONGEST_SUM:,}, the longest sum that is computed from a sample; give a smaller n",
            name="n",
            value=n,
        )
    centred = _centred(x)
    count = int(np.size(np.asarray(x)))
    if centred is None:
        return SampleKappa(math.nan, math.nan, n, n0, count)
    longer, shorter = sample_deviation(centred, n), sample_deviation(centred, n0)
    kappa = _kappa(longer.value, shorter.value, n, n0)
    relative = longer.influence / longer.value - shorter.influence / shorter.value
    slope = (2.0 - kappa) ** 2 / math.log(n / n0)
    error = slope * math.sqrt(float((relative**2).mean()) / count)
    return SampleKappa(kappa, error, n, n0, count)


def _kappa(longer: float, shorter: float, n: int, n0: int) -> float:
    growth = math.log(longer / shorter)
    return 2.0 - math.log(n / n0) / growth if growth > 0.0 else -math.inf


def _centred(x: ArrayLike) -> FloatArray | None:
    """Return a sample less its mean, sorted, in units of its largest deviation; None if it is constant to rounding."""
    sample = read_sample(x, name="x", fewest=2)
    if is_constant(sample):
        return None
    centred = np.sort(sample) - sample.mean()
    return np.asarray(centred / max(-centred[0], centred[-1]))


def _check_draws(n: int, n0: int) -> None:
    for name, value, least in (("n0", n0, 1), ("n", n, 2)):
        if not _is_whole(value) or value < least:
            raise ModelError(f"{name}={value!r} is not a whole number from {least}", name=name, value=value)
    if n <= n0:
        raise ModelError(f"n={n} is not above n0={n0}; give a longer and a shorter sum", name="n", value=n)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
