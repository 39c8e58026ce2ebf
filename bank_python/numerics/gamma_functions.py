r"""Derivatives of the logarithm of the gamma function, digamma and trigamma, and its step by one half.

Small arguments are raised by the recurrence :math:`\psi(x) = \psi(x + 1) - 1/x`, large ones have the asymptotic series

.. math:: \psi(x) \sim \ln x - \frac1{2x} - \sum_{k \ge 1} \frac{B_{2k}}{2k\,x^{2k}} .

Examples
--------
>>> round(digamma(1.0), 12), round(trigamma(1.0), 12)  # minus Euler's constant, and pi**2 / 6
(-0.577215664902, 1.644934066848)

The step :math:`\ln\Gamma(x + \tfrac12) - \ln\Gamma(x)` has such a series as well. The difference of two logarithms
would lose as many digits as they have before the point.

References
----------
NIST Digital Library of Mathematical Functions, 5.5.2 (recurrence), 5.11.2 (series), 5.15.8 (series of the derivative),
5.11.13 (series of a ratio of gamma functions).
"""

from __future__ import annotations

import math

from bank_python.errors import ModelError

__all__ = ["digamma", "half_step", "trigamma"]

_LARGE = 12.0  # argument from which eight terms of the series are exact to the last digits
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
_HALF_STEP = (-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432, 691 / 180224)


def digamma(x: float) -> float:
    """Return the first derivative of the logarithm of the gamma function.

    Parameters
    ----------
    x : float
        Argument of the function, above 0.

    Raises
    ------
    ModelError
        `x` is not above 0.
    """
    raised, steps = _raised(x)
    series = math.fsum(b / (2 * k * raised ** (2 * k)) for k, b in enumerate(_BERNOULLI, 1))
    return math.log(raised) - 0.5 / raised - series - math.fsum(1.0 / (x + i) for i in range(steps))


def half_step(x: float) -> float:
    """Return the logarithm of the ratio of the gamma functions of x + 1/2 and of x, to rounding.

    Parameters
    ----------
    x : float
        Argument of the function below, above 0.

    Raises
    ------
    ModelError
        `x` is not above 0.
    """
    raised, steps = _raised(x)
    series = math.fsum(c / raised ** (2 * k + 1) for k, c in enumerate(_HALF_STEP))
    return 0.5 * math.log(raised) + series - math.fsum(math.log1p(0.5 / (x + i)) for i in range(steps))


def trigamma(x: float) -> float:
    """Return the second derivative of the logarithm of the gamma function.

    Parameters
    ----------
    x : float
        Argument of the function, above 0.

    Raises
    ------
    ModelError
        `x` is not above 0.
    """
    raised, steps = _raised(x)
    series = math.fsum(b / raised ** (2 * k + 1) for k, b in enumerate(_BERNOULLI, 1))
    return 1.0 / raised + 0.5 / raised**2 + series + math.fsum((x + i) ** -2.0 for i in range(steps))


def _raised(x: float) -> tuple[float, int]:
    """Return an argument large enough for the series, and the number of steps to it."""
    if not x > 0.0:
        raise ModelError(f"x={x!r} is not above 0; give a positive number", value=x)
    steps = max(0, math.ceil(_LARGE - x))
    return x + steps, steps
