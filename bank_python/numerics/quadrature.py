r"""Gaussian quadrature: nodes and weights that integrate polynomials exactly and smooth functions accurately.

.. math:: \int w(x)\,f(x)\,dx \approx \sum_i w_i\,f(x_i), \qquad
          \text{exact for polynomials } f \text{ of degree } 2n - 1

The nodes are the eigenvalues of the symmetric tridiagonal matrix of the orthogonal polynomials' recurrence, and the
weights the squares of the first components of its eigenvectors (Golub and Welsch). Two Newton steps then make the
Legendre nodes accurate to the last digits.

Examples
--------
>>> rule = gauss_legendre(8, 0.0, math.pi)
>>> round(rule.integrate(np.sin), 13)
2.0
>>> round(gauss_hermite(20).integrate(lambda z: z**4), 12)  # the fourth moment of a normal variable
3.0

References
----------
G. H. Golub and J. H. Welsch, "Calculation of Gauss quadrature rules", Mathematics of Computation 23 (1969), 221-230.

M. Abramowitz and I. A. Stegun, *Handbook of Mathematical Functions* (1964), section 25.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics.columns import FloatArray

__all__ = ["Rule", "gauss_hermite", "gauss_laguerre", "gauss_legendre"]


@dataclass(frozen=True, slots=True, eq=False)
class Rule(Record):
    """A quadrature rule.

    Parameters
    ----------
    nodes, weights : ndarray, shape (n,)
        Nodes in increasing order and their weights; read-only.
    """

    nodes: FloatArray
    weights: FloatArray

    def integrate(self, function: Callable[[FloatArray], FloatArray]) -> float:
        """Return the integral of `function`, which maps arrays elementwise, times the weight function of the rule."""
        return math.fsum(self.weights * function(self.nodes))


def gauss_legendre(n: int, lower: float = -1.0, upper: float = 1.0) -> Rule:
    """Return the Gauss-Legendre rule of `n` nodes for integrals from `lower` to `upper`.

    Raises
    ------
    ModelError
        `n` is not a whole number from 1 to 10,000, or an end is not finite.
    """
    if not (math.isfinite(lower) and math.isfinite(upper)):
        raise ModelError(
            f"a Gauss-Legendre rule needs finite ends, not {lower!r} and {upper!r}; use another rule or finite ends",
            value=(lower, upper),
        )
    rule = _legendre(_checked(n))
    half = 0.5 * (upper - lower)
    return _rule(0.5 * (lower + upper) + half * rule.nodes, half * rule.weights)


def gauss_laguerre(n: int) -> Rule:
    """Return the Gauss-Laguerre rule of `n` nodes for integrals of exp(−x) f(x) from 0 to infinity.

    Raises
    ------
    ModelError
        `n` is not a whole number from 1 to 180, above which weights underflow.
    """
    return _laguerre(_checked(n, 180))


def gauss_hermite(n: int) -> Rule:
    """Return the Gauss-Hermite rule of `n` nodes for expectations of f(Z), Z standard normal.

    Raises
    ------
    ModelError
        `n` is not a whole number from 1 to 250, above which weights underflow.
    """
    return _hermite(_checked(n, 250))


@cache
def _legendre(n: int) -> Rule:
    k = np.arange(1.0, n)
    x = _golub_welsch(np.zeros(n), k / np.sqrt(4.0 * k * k - 1.0))[0]
    for _ in range(2):
        value, slope = _legendre_polynomial(x, n)
        x = x - value / slope
    slope = _legendre_polynomial(x, n)[1]
    return _rule(x, 2.0 / ((1.0 - x * x) * slope * slope))


def _legendre_polynomial(x: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    before, value = np.ones_like(x), x.copy()
    for k in range(2, n + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, n * (x * value - before) / (x * x - 1.0)


@cache
def _laguerre(n: int) -> Rule:
    k = np.arange(float(n))
    return _rule(*_golub_welsch(2.0 * k + 1.0, k[1:]))


@cache
def _hermite(n: int) -> Rule:
    return _rule(*_golub_welsch(np.zeros(n), np.sqrt(np.arange(1.0, n))))


def _golub_welsch(diagonal: FloatArray, beside: FloatArray) -> tuple[FloatArray, FloatArray]:
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    nodes, vectors = np.linalg.eigh(matrix)
    return nodes, vectors[0] ** 2


def _rule(nodes: FloatArray, weights: FloatArray) -> Rule:
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return Rule(nodes, weights)


def _checked(n: int, most: int = 10_000) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= most:  # type: ignore[redundant-expr]
        raise ModelError(f"n={n!r} nodes; give a whole number from 1 to {most}", value=n)
    return n
