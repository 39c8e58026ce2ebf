r"""First passage of a Brownian motion with drift: the probability of touching a level, and the discount factor to it.

A Brownian motion with volatility σ and a drift m away from a level at the distance a > 0 touches the level within T
with the probability

.. math:: p = \Phi(-\alpha) + e^{-2 m a/\sigma^2}\,\Phi(-\beta), \qquad
          \alpha = \frac{a + mT}{\sigma\sqrt T}, \quad \beta = \frac{a - mT}{\sigma\sqrt T} .

For small σ and a drift towards the level the exponential overflows, but its product with the tail does not: since
:math:`e^{-2ma/\sigma^2}\varphi(\beta) = \varphi(\alpha)`, both terms are φ(α) times a Mills ratio. With
h = \|m\|T/(σ√T) and t = a/(σ√T), and e = 1 for a drift towards the level and exp(−2ht) for one away from it,

.. math:: p = \varphi(\alpha)\,[M(t - h) + M(t + h)] \;\; (h \le t), \qquad
          1 - p = (1 - e) + \varphi(\alpha)\,[M(h - t) - M(h + t)] \;\; (h > t),

in which no term is large and no two terms cancel: the difference of Mills ratios is expanded in t where t is small
(:func:`bank_python.risk_models.time_value.drop_expanded`), so the probability of not touching a level close to the spot
is also accurate.

The value of a unit paid when the level is touched is the same expression with h = √(m²T² + 2rTσ²T)/(σ√T). For a
negative rate the root may be imaginary, and the two Mills ratios are then complex conjugates.

References
----------
E. Reiner and M. Rubinstein, "Breaking down the barriers", Risk 4 (1991), no. 8, 28-35.

A. N. Borodin and P. Salminen, *Handbook of Brownian Motion*, 2nd edition (2002), part II, section 2, formulas 2.0.1
and 2.0.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.mills import mills_column
from bank_python.numerics.normal import pdf_column
from bank_python.risk_models.time_value import drop_expanded, is_small

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["Passage", "mills_drop", "real_mills", "touch_discount"]

# The series of Re M(x + iy) is used for x up to the first number; its recurrence amplifies rounding errors by a factor
# of about sinh(xy)/(xy).
_SERIES_UP_TO = 3.0
_SERIES_TERMS = 48
_FRACTION_LEVELS = 80
_LARGEST_IMAGINARY = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """Probabilities of first passage within the term; every array has the shape (n_rows,).

    Attributes
    ----------
    touched : ndarray
        Probability that the level is touched.
    untouched : ndarray
        Probability that the level is not touched; accurate even where it is small.
    density : ndarray
        Standard normal density φ(α) at the distance α between the level and the mean of the motion at the end of the
        term, in standard deviations.
    """

    touched: FloatArray
    untouched: FloatArray
    density: FloatArray

    @classmethod
    def of(cls, distance: FloatArray, drift: FloatArray, deviation: FloatArray) -> Passage:
        """Compute the probabilities from the distance of the level, the total drift away from it and the deviation.

        Examples
        --------
        >>> passage = Passage.of(np.array([0.1]), np.array([0.0]), np.array([0.2]))
        >>> passage.touched.round(4)  # twice the normal tail probability at 0.5
        array([0.6171])
        """
        h, t = np.abs(drift) / deviation, distance / deviation
        away = drift >= 0.0
        density = pdf_column(np.where(away, t + h, t - h))
        beyond = h > t
        inner, outer, drop = mills_drop(h, t)
        exponent = np.where(away, -2.0 * (h * t), 0.0)
        near = density * (inner + outer)
        difference = density * drop
        untouched = difference - np.expm1(exponent)
        touched = np.where(beyond, np.exp(exponent) - difference, near)
        certain = beyond | is_small(h, t)
        return cls(touched, np.where(certain, untouched, 1.0 - near), density)


def mills_drop(h: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return M(|h − t|), M(h + t), and the difference M(h − t) − M(h + t).

    The difference is defined only where h is above t or t is small.
    """
    inner, outer = mills_column(np.abs(h - t)), mills_column(h + t)
    drop = inner - outer
    small = is_small(h, t)
    if small.any():
        drop[small] = drop_expanded(h[small], t[small])
    return inner, outer, drop


def touch_discount(
    distance: FloatArray, drift: FloatArray, deviation: FloatArray, interest: FloatArray, density: FloatArray
) -> FloatArray:
    """Return the value of a unit that is paid when the level is touched within the term.

    The caller suppresses numpy's warnings.

    Parameters
    ----------
    distance, drift, deviation : ndarray, shape (n_rows,)
        Arguments as for :meth:`Passage.of`; the deviation is above 0.
    interest : ndarray, shape (n_rows,)
        Rate times term; may be negative. Below −8 the result is NaN where the root is imaginary.
    density : ndarray, shape (n_rows,)
        Normal density φ(α) from :class:`Passage`.

    Examples
    --------
    >>> terms = np.array([0.1]), np.array([0.02]), np.array([0.2])
    >>> touch_discount(*terms, np.array([0.05]), Passage.of(*terms).density).round(4)
    array([0.5768])
    """
    h, t = np.abs(drift) / deviation, distance / deviation
    square = h * h + 2.0 * interest
    # √(h² + 2rT), in a form that does not overflow
    raised = np.where(interest == 0.0, h, np.where(h > 1.0, h * np.sqrt(1.0 + 2.0 * interest / h / h), np.sqrt(square)))
    inner, outer, _ = mills_drop(raised, t)
    weight = np.exp(-interest) * density
    # μ log(H/S) ∓ λ |log(H/S)|; for a drift towards the level without the cancellation
    towards = -2.0 * interest * np.where(raised + h == 0.0, 0.0, t / (raised + h))
    exponent = np.where(drift >= 0.0, -(h + raised) * t, towards)
    value = np.where(raised > t, np.exp(exponent) - weight * (inner - outer), weight * (inner + outer))
    imaginary = square < 0.0
    if imaginary.any():
        turned = real_mills(t[imaginary], np.sqrt(-square[imaginary]))
        value[imaginary] = 2.0 * weight[imaginary] * turned
    return value


def real_mills(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the real part of Mills' ratio at x + iy, shape (n_rows,), for x from 0 and y up to 4.

    Examples
    --------
    >>> real_mills(np.array([0.0, 10.0]), np.array([0.0, 1.0])).round(6)
    array([1.253314, 0.098093])
    """
    value = np.full_like(x, np.nan)
    within = y <= _LARGEST_IMAGINARY
    series, fraction = within & (x <= _SERIES_UP_TO), within & (x > _SERIES_UP_TO)
    value[series] = _by_series(x[series], y[series])
    value[fraction] = _by_fraction(x[fraction], y[fraction])
    return value


def _by_series(x: FloatArray, y: FloatArray) -> FloatArray:
    # Σ (−1)ᵏ M⁽²ᵏ⁾(x) y²ᵏ/(2k)!, the derivatives as in time_value.drop_expanded
    even = mills_column(x)
    odd = x * even - 1.0
    weight = np.ones_like(x)
    square = y * y
    total = even.copy()
    for n in range(2, 2 * _SERIES_TERMS, 2):
        even = x * odd + (n - 1) * even
        odd = x * even + n * odd
        weight *= -square / (n * (n - 1))
        total += weight * even
    return total


def _by_fraction(x: FloatArray, y: FloatArray) -> FloatArray:
    # Laplace's continued fraction 1/(z + 1/(z + 2/(z + …))) from its end, in real arithmetic, as numpy's inner loops
    # for complex division differ in rounding.
    real, imaginary = x.copy(), y.copy()
    for k in range(_FRACTION_LEVELS, 0, -1):
        scale = k / (real * real + imaginary * imaginary)
        real, imaginary = x + scale * real, y - scale * imaginary
    return real / (real * real + imaginary * imaginary)
