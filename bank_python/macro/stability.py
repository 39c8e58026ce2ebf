r"""Tests of whether a correlation has changed.

**Two samples.** Fisher's z compares two independent correlations,

.. math:: z = \frac{\operatorname{artanh} r_1 - \operatorname{artanh} r_2}{\sqrt{1/(n_1 - 3) + 1/(n_2 - 3)}} ,

and Jennrich's test two correlation matrices: with :math:`\bar R = (n_1 R_1 + n_2 R_2)/(n_1 + n_2)`, :math:`c = n_1
n_2/(n_1 + n_2)`, :math:`Z = \sqrt c\,\bar R^{-1}(R_1 - R_2)` and :math:`S = I + \bar R \circ \bar R^{-1}`, the
statistic :math:`\tfrac12\operatorname{tr} Z^2 - \operatorname{diag}(Z)^\top S^{-1}\operatorname{diag}(Z)` has a
chi-squared distribution with p(p − 1)/2 degrees of freedom. Both assume independent, normal observations, so returns
with clustered volatility exceed them too often.

**An unknown date.** The test of Wied, Krämer and Dehling compares the correlation up to each date with that of the
whole sample,

.. math:: Q = \hat D \max_{2 \le j \le T} \frac{j}{\sqrt T} \left|\hat\rho_j - \hat\rho_T\right| ,

which has the distribution of the largest absolute value of a Brownian bridge if the correlation is constant. The factor
:math:`\hat D` allows for dependence over time and for changing fourth moments: it is one over the root of the long-run
variance of :math:`z_x z_y - \rho (z_x^2 + z_y^2)/2`, with Bartlett weights up to a lag of log T. The date of the
maximum is where the correlation changed, if it did.

References
----------
R. A. Fisher, "On the probable error of a coefficient of correlation deduced from a small sample", Metron 1 (1921),
3-32.

R. I. Jennrich, "An asymptotic chi-square test for the equality of two correlation matrices", Journal of the American
Statistical Association 65 (1970), 904-912.

D. Wied, W. Krämer and H. Dehling, "Testing for a change in correlation at an unspecified point in time using an
extended functional delta method", Econometric Theory 28 (2012), 570-589.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import MacroError, MatrixError
from bank_python.macro.moving_correlation import clipped_correlation, pair_of
from bank_python.numerics.chi_squared import chi_squared_tail
from bank_python.numerics.normal import normal_cdf
from bank_python.numerics.tolerances import EPSILON
from bank_python.results import Figures
from bank_python.risk_models.jennrich import jennrich_degrees, jennrich_statistic

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = [
    "CorrelationBreak",
    "CorrelationTest",
    "correlation_break_test",
    "fisher_z_test",
    "jennrich_test",
]

_FEWEST_FOR_FISHER = 4
_FEWEST_FOR_BREAK = 20
_ROUNDED = 16.0 * EPSILON
_SAME = 1e-12  # deviation of the influence on the correlation, up to which the test would measure rounding
_MOST_TERMS = 100
_SMALL = 0.3  # below this argument the distribution of the Brownian bridge's largest value is 0 in float64


@dataclass(frozen=True, slots=True)
class CorrelationTest(Figures):
    """A test of whether two correlations, or two correlation matrices, are equal.

    Parameters
    ----------
    method : str
        Name of the test.
    statistic : float
        Value of the statistic: standard normal for Fisher's test, chi-squared for Jennrich's.
    degrees_of_freedom : int
        Degrees of freedom of the chi-squared distribution; 1 for Fisher's test, whose square has it.
    p_value : float
        Probability of a statistic at least as extreme if the correlations are equal, two-sided.
    """

    method: str
    statistic: float
    degrees_of_freedom: int
    p_value: float


@dataclass(frozen=True, slots=True)
class CorrelationBreak(Figures):
    """A test of whether a correlation changed at an unknown date (Wied, Krämer and Dehling).

    Parameters
    ----------
    statistic : float
        Largest weighted difference from the correlation of the whole sample; 1.358 is exceeded in 5 % of samples
        without a change.
    p_value : float
        Probability of a statistic at least as large without a change.
    last_before : datetime.date or int
        Last date before the most likely change; without dates the row, from 0.
    before, after : float
        Correlations up to that date and after it; the later one is NaN if fewer than three observations follow.
    observations : int
        Number of observations.
    """

    statistic: float
    p_value: float
    last_before: dt.date | int
    before: float
    after: float
    observations: int


@admits(MacroError)
def fisher_z_test(first: float, second: float, n_first: int, n_second: int) -> CorrelationTest:
    """Test whether the correlations of two independent samples are equal, by Fisher's z.

    Parameters
    ----------
    first, second : float
        Correlations of the two samples, in (-1, 1).
    n_first, n_second : int
        Numbers of observations, at least 4.

    Raises
    ------
    MacroError
        A correlation or a number is out of range.

    Examples
    --------
    >>> fisher_z_test(0.5, 0.3, 103, 103).statistic.__round__(4)
    1.6955
    """
    for name, value in (("first", first), ("second", second)):
        if not -1.0 < value < 1.0:
            raise MacroError(f"{name}={value!r} is no correlation inside (-1, 1); give one", name=name, value=value)
    _require_counts(n_first, n_second)
    error = math.sqrt(1.0 / (n_first - 3) + 1.0 / (n_second - 3))
    z = (math.atanh(first) - math.atanh(second)) / error
    return CorrelationTest("Fisher", z, 1, float(2.0 * normal_cdf(-abs(z))))


@admits(MacroError)
def jennrich_test(first: ArrayLike, second: ArrayLike, n_first: int, n_second: int) -> CorrelationTest:
    """Test whether two correlations, or two correlation matrices, of independent samples are equal, by Jennrich's test.

    Parameters
    ----------
    first, second : float or array_like, shape (p, p)
        Two correlations in (-1, 1), or two correlation matrices.
    n_first, n_second : int
        Numbers of observations, at least 4.

    Raises
    ------
    MacroError
        A matrix is no correlation matrix, the shapes differ, the mean matrix is singular, or a number is out of range.

    Examples
    --------
    >>> round(jennrich_test(0.5, 0.3, 100, 100).statistic, 6)
    2.834467
    """
    names = [list(given.columns) for given in (first, second) if hasattr(given, "columns")]
    if len(names) > 1 and names[0] != names[1]:
        raise MacroError(f"first has columns {names[0]!r:.60}, second {names[1]!r:.60}; give one order to both")
    one, other = _correlation_matrix("first", first), _correlation_matrix("second", second)
    if one.shape != other.shape:
        raise MacroError(f"matrices of shapes {one.shape} and {other.shape}; give two of the same assets")
    _require_counts(n_first, n_second)
    try:
        statistic = float(jennrich_statistic(np.stack([one, other]), np.array([n_first, n_second])))
    except MatrixError as error:
        raise MacroError(
            "the mean of the two correlation matrices is singular; leave out an asset that others make up"
        ) from error
    degrees = jennrich_degrees(2, len(one))
    return CorrelationTest("Jennrich", statistic, degrees, chi_squared_tail(statistic, degrees))


@admits(MacroError)
def correlation_break_test(x: ArrayLike, y: ArrayLike, dates: Sequence[dt.date] | None = None) -> CorrelationBreak:
    """Test whether the correlation of two series changed at an unknown date (Wied, Krämer and Dehling).

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Returns or changes of the same periods, finite; at least twenty.
    dates : sequence of datetime.date, length n, optional
        Date of each observation, ascending.

    Raises
    ------
    MacroError
        Lengths differ, dates do not ascend, there are too few observations, a figure is not finite, or a series does
        not vary.
    """
    columns = pair_of(x, y, _FEWEST_FOR_BREAK)
    n = len(columns)
    if dates is not None and len(dates) != n:
        raise MacroError(f"{len(dates)} dates for {n} observations; give one for each", name="dates")
    late = next((i for i in range(1, n) if dates is not None and not dates[i - 1] < dates[i]), None)
    if dates is not None and late is not None:
        raise MacroError(f"the date {dates[late]} follows {dates[late - 1]}; sort by date, oldest first", name="dates")
    scores = _scores(columns)
    rho = float((scores[:, 0] * scores[:, 1]).mean())
    running, known = _running_correlation(scores)
    influence = scores[:, 0] * scores[:, 1] - 0.5 * rho * (scores**2).sum(axis=1)
    deviation = math.sqrt(_long_run_variance(influence))
    if deviation <= _SAME:
        raise MacroError("one series is a linear function of the other, so their correlation cannot change; give two")
    steps = np.arange(1, n + 1) / math.sqrt(n)
    path = np.where(known, steps * np.abs(running - rho), 0.0) / deviation
    at = int(path.argmax())
    after = columns[at + 1 :]
    later = math.nan if len(after) < _FEWEST_FOR_FISHER - 1 else _correlation(after)
    statistic = float(path[at])
    where: dt.date | int = at if dates is None else dates[at]
    return CorrelationBreak(statistic, _bridge_tail(statistic), where, float(running[at]), later, n)


def _require_counts(n_first: int, n_second: int) -> None:
    for name, count in (("n_first", n_first), ("n_second", n_second)):
        if count < _FEWEST_FOR_FISHER:
            raise MacroError(f"{name}={count!r} observations are too few; give at least 4", name=name, value=count)


def _correlation_matrix(name: str, given: Any) -> FloatArray:
    matrix = np.asarray(given, dtype=np.float64)
    if matrix.ndim == 0:
        matrix = np.array([[1.0, float(matrix)], [float(matrix), 1.0]])
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and len(matrix) > 1  # noqa: PLR2004 - a matrix
    if not square or not np.isfinite(matrix).all():
        raise MacroError(f"{name} of shape {matrix.shape} is no correlation matrix; give two assets or more", name=name)
    near = 1e-8
    off = matrix - np.eye(len(matrix))
    if np.abs(matrix - matrix.T).max() > near or np.abs(np.diag(off)).max() > near or np.abs(off).max() >= 1.0:
        raise MacroError(
            f"{name} is no correlation matrix; give a symmetric one with 1 on the diagonal and others in (-1, 1)",
            name=name,
        )
    return matrix


def _scores(columns: FloatArray) -> FloatArray:
    """Return standard scores, after a check that each series varies."""
    centred = columns - columns.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    for name, deviation, largest in zip(("x", "y"), spread, np.abs(columns).max(axis=0), strict=True):
        if deviation <= _ROUNDED * largest:
            raise MacroError(f"{name} does not vary, so it has no correlation; give a series that does", name=name)
    return np.asarray(centred / spread)


def _running_correlation(scores: FloatArray) -> tuple[FloatArray, Any]:
    """Return the correlation up to each row, and whether both series had varied by then."""
    count = np.arange(1, len(scores) + 1)[:, None]
    means = np.cumsum(scores, axis=0) / count
    before = np.concatenate([scores[:1], means[:-1]])
    without, included = scores - before, scores - means
    squares = np.cumsum(without * included, axis=0)
    products = np.cumsum(without[:, 0] * included[:, 1])
    known = (np.sqrt(squares / count) > _ROUNDED * np.maximum.accumulate(np.abs(scores), axis=0)).all(axis=1)
    with np.errstate(all="ignore"):
        running = clipped_correlation(products, squares[:, 0], squares[:, 1])
    return np.where(known, running, 0.0), known


def _correlation(columns: FloatArray) -> float:
    centred = columns - columns.mean(axis=0)
    squares = (centred**2).sum(axis=0)
    if not squares.all():
        return math.nan
    return float(clipped_correlation((centred[:, 0] * centred[:, 1]).sum(), squares[0], squares[1]))


def _long_run_variance(influence: FloatArray) -> float:
    """Return the long-run variance with Bartlett weights up to a lag of log T."""
    centred = influence - influence.mean()
    n, bandwidth = len(centred), math.log(len(centred))
    total = float(centred @ centred)
    for lag in range(1, math.ceil(bandwidth)):
        total += 2.0 * (1.0 - lag / bandwidth) * float(centred[lag:] @ centred[:-lag])
    return total / n


def _bridge_tail(x: float) -> float:
    """Return the probability that a Brownian bridge leaves [-x, x] (Kolmogorov's distribution)."""
    if x < _SMALL:
        return 1.0
    k = np.arange(1, _MOST_TERMS)
    return float(min(1.0, max(0.0, 2.0 * (np.where(k % 2, 1.0, -1.0) * np.exp(-2.0 * (k * x) ** 2)).sum())))
