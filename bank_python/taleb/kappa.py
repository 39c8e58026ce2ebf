r"""Mean absolute deviation over standard deviation: a first figure for fat tails, and what it is not.

.. math:: \frac{E|X - \mu|}{\sqrt{E(X - \mu)^2}} \le 1

is √(2/π) = 0.7979 for a normal distribution and lower for most distributions with fatter tails, since large deviations
weigh more in the standard deviation: 2/π = 0.6366 for Student's t with three degrees of freedom, √3/2 = 0.8660 for a
uniform distribution. It is sometimes called kappa. It is not the κ of Taleb's book, which is the rate at which the mean
deviation of sums grows, and it is not a test: with infinite variance, the
sample ratio falls with the length of the sample and has no limit above 0.

Examples
--------
>>> round(mad_over_sd(np.random.default_rng(0).normal(size=5_000)), 3), round(GAUSSIAN_MAD_OVER_SD, 4)
(0.804, 0.7979)
>>> mad_over_sd([0.01, 0.01, 0.01])
nan

References
----------
R. C. Geary, "The ratio of the mean deviation to the standard deviation as a test of normality", Biometrika 27 (1935),
310-332.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.taleb.sample import is_constant, read_sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["GAUSSIAN_MAD_OVER_SD", "mad_over_sd"]

GAUSSIAN_MAD_OVER_SD = math.sqrt(2.0 / math.pi)
"""Ratio of a normal distribution; below it tails are called fat."""


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
    sample = read_sample(x, name="x", fewest=2)
    if is_constant(sample):
        return math.nan
    centred = sample - sample.mean()
    centred /= np.abs(centred).max()
    return float(np.abs(centred).mean()) / math.sqrt(float((centred * centred).mean()))
