r"""Student's t distribution: distribution function and quantile, accurate in both tails.

The tail probability is an incomplete beta function,

.. math:: P(T < -t) = \tfrac12 I_y(\tfrac\nu2, \tfrac12), \qquad y = \frac{\nu}{\nu + t^2},\ t > 0,

computed by its continued fraction, on the side where that converges fast. Compute an upper tail probability as
``student_t_cdf(-t, df)``.

Examples
--------
>>> round(student_t_quantile(0.975, 10.0), 9)
2.228138852
>>> round(student_t_cdf(-1.0, 1.0), 15)
0.25

References
----------
W. J. Lentz, "Generating Bessel functions in Mie scattering calculations using continued fractions", Applied Optics 15
(1976), 668-671: the evaluation of the continued fraction.

NIST Digital Library of Mathematical Functions, 8.17.22 (the fraction) and 5.11.13 (the ratio of gamma functions).
"""

from __future__ import annotations

import math

from bank_python.errors import ModelError
from bank_python.numerics.roots import find_root
from bank_python.numerics.tolerances import EPSILON

__all__ = ["student_t_cdf", "student_t_quantile"]

_TINY = 1e-300
_MOST = 100_000
_LARGE = 50.0
_HALF = 0.5


def student_t_cdf(x: float, df: float) -> float:
    """Return the probability that Student's t is at most `x`.

    Parameters
    ----------
    x : float
        Argument of the distribution function, not NaN.
    df : float
        Degrees of freedom, above 0 and finite.

    Raises
    ------
    ModelError
        `x` is NaN, or `df` is out of range.
    """
    _check(df)
    if math.isnan(x):
        raise ModelError("x is NaN; give a number", value=x)
    below = _tail(abs(x), df)
    return below if x < 0.0 else 1.0 - below


def student_t_quantile(p: float, df: float) -> float:
    """Return the quantile of Student's t distribution at probability `p`.

    Parameters
    ----------
    p : float
        Probability of a value up to the quantile, in (0, 1).
    df : float
        Degrees of freedom, above 0 and finite.

    Raises
    ------
    ModelError
        `p` or `df` is out of range.
    """
    _check(df)
    if not 0.0 < p < 1.0:
        raise ModelError(f"p={p!r} is outside (0, 1); give a probability within it", value=p)
    if p > _HALF:
        return -student_t_quantile(1.0 - p, df)
    far = 1.0
    while _tail(far, df) > p:
        far *= 2.0
    return 0.0 - find_root(lambda t: math.log(_tail(t, df) / p), 0.0, far)


def _check(df: float) -> None:
    if not 0.0 < df < math.inf:
        raise ModelError(f"df={df!r}: degrees of freedom must be above 0 and finite", value=df)


def _tail(t: float, df: float) -> float:
    """Return the one-sided tail probability P(T > t) for t at least 0."""
    a, b = 0.5 * df, 0.5
    square = (t / df) * t
    if square == 0.0:
        return 0.5
    if math.isinf(square):
        return 0.0
    near, far = square / (1.0 + square), 1.0 / (1.0 + square)
    front = math.exp(-a * math.log1p(square) + b * math.log(near) - _log_beta_half(a))
    if far < (a + 1.0) / (a + b + 2.0):
        return 0.5 * front * _fraction(far, a, b) / a
    return 0.5 - 0.5 * front * _fraction(near, b, a) / b


def _log_beta_half(a: float) -> float:
    """Return log B(a, 1/2), by a series for large `a`, where a difference of log gamma functions loses digits."""
    if a < _LARGE:
        return math.lgamma(a) + math.lgamma(0.5) - math.lgamma(a + 0.5)
    r = 1.0 / a
    ratio = r * (-1.0 / 8.0 + r * r * (1.0 / 192.0 + r * r * (-1.0 / 640.0 + r * r * 17.0 / 14336.0)))
    return 0.5 * math.log(math.pi) - 0.5 * math.log(a) - ratio


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1.0 / _off_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _MOST):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for step in (even, odd):
            d = 1.0 / _off_zero(1.0 + step * d)
            c = _off_zero(1.0 + step / c)
            value *= c * d
        if abs(c * d - 1.0) < EPSILON:
            return value
    raise ModelError(f"the incomplete beta function did not converge at x={x!r}, a={a!r}, b={b!r}")


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
