r"""Derivatives of the logarithm of the gamma function: digamma and trigamma.

Small arguments are raised by the recurrence :math:`\psi(x) = \psi(x + 1) - 1/x`, large ones have the asymptotic series

.. math:: \psi(x) \sim \ln x - \frac1{2x} - \sum_{k \ge 1} \frac{B_{2k}}{2k\,x^{2k}} .

Examples
--------
>>> round(digamma(1.0), 12), round(trigamma(1.0), 12)  # minus Euler's constant, and pi**2 / 6
(-0.577215664902, 1.644934066848)

References
----------
NIST Digital Library of Mathematical Functions, 5.5.2 (recurrence), 5.11.2 (series), 5.15.8 (series of the derivative).
"""

from __future__ import annotations

import math

from bank_python.errors import ModelError

__all__ = ["digamma", "trigamma"]

_LARGE = 12.0  # argument from which eight terms of the series are exact to the last digits
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def digamma(x: float) -> float:
    """Return the first derivative of the logarithm of the gamma function.

    Parameters
    ----------
    x : float
        Argument, above 0.

    Raises
    ------
    ModelError
        `x` is not above 0.
    """
    raised, steps = _raised(x)
    series = math.fsum(b / (2 * k * raised ** (2 * k)) for k, b in enumerate(_BERNOULLI, 1))
    return math.log(raised) - 0.5 / raised - series - math.fsum(1.0 / (x + i) for i in range(steps))


def trigamma(x: float) -> float:
    """Return the second derivative of the logarithm of the gamma function.

    Parameters
    ----------
    x : float
        Argument, above 0.

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
