r"""Johansen's test: how many combinations of several prices return to a level.

In the vector error-correction model

.. math:: \Delta y_t = \Pi\,y_{t-1} + \sum_{i=1}^{p} \Gamma_i\,\Delta y_{t-i} + \mu_0 + \mu_1 t + e_t

the rank r of Π is the number of cointegrating vectors, and Π = αβ'. Differences and last levels, both less what lagged
differences and deterministic terms explain, have the squared canonical correlations λ, in descending order. With T rows
and k series,

.. math:: \text{trace}_r = -T \sum_{i=r+1}^{k} \ln(1 - \lambda_i) , \qquad \text{max}_r = -T \ln(1 - \lambda_{r+1})

test "at most r vectors" against k of them, and against r + 1. No series has to be chosen for the left side.

The deterministic terms are unrestricted: none, a constant, or a constant and a trend in the regression itself. With a
trend, the package statsmodels removes trends from the levels beforehand instead, and its statistics differ by about
1/T.

Examples
--------
>>> rng = np.random.default_rng(4)
>>> x = rng.normal(size=500).cumsum()
>>> found = johansen(np.column_stack([0.5 * x + rng.normal(size=500), x]))
>>> found.rank(), found.weights[:, 0].round(2).tolist()
(1, [1.0, -0.5])

References
----------
S. Johansen, "Estimation and hypothesis testing of cointegration vectors in Gaussian vector autoregressive models",
Econometrica 59 (1991), 1551-1580.

J. G. MacKinnon, A. A. Haug and L. Michelis, "Numerical distribution functions of likelihood ratio tests for
cointegration", Journal of Applied Econometrics 14 (1999), 563-577.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.tolerances import NINE_DIGITS
from bank_python.results import Tabular
from bank_python.risk_models.aligned_series import align_series, logarithms, named_columns
from bank_python.risk_models.johansen_tables import JOHANSEN_LEVELS, LARGEST_EIGENVALUE, TRACE
from bank_python.risk_models.unit_root import FEWEST_OBSERVATIONS, TRENDS, require_variation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["JohansenTest", "johansen"]

_FEWEST_SERIES, _MOST_SERIES = 2, 12
_STATISTICS = ("trace", "max")
_NO_COEFFICIENT = 1e-8  # share of the largest coefficient below which the first one is no unit
_TITLES = ("at_most", "eigenvalue", "trace", "trace_90", "trace_95", "trace_99", "max", "max_90", "max_95", "max_99")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JohansenTest(Tabular):
    """Johansen's test of cointegration; returned by :func:`johansen`.

    Parameters
    ----------
    names : tuple of str, length k
        Names of the series.
    eigenvalues : ndarray, shape (k,)
        Squared canonical correlations, the largest first.
    trace_statistics, max_statistics : ndarray, shape (k,)
        Statistics of "at most r vectors" for r = 0 … k − 1.
    trace_critical_values, max_critical_values : ndarray, shape (k, 3)
        Critical values at 90, 95 and 99 % (MacKinnon, Haug and Michelis).
    vectors : ndarray, shape (k, k)
        Cointegrating vectors in columns, the most stationary first; each combination has the variance 1 after lagged
        differences and deterministic terms.
    lags : int
        Number of lagged differences.
    observations : int
        Number of rows of the regressions.
    trend : str
        Deterministic terms: ``"n"`` for none, ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    dropped : int
        Number of dates that were left out, as not all series have them.
    """

    names: tuple[str, ...]
    eigenvalues: FloatArray
    trace_statistics: FloatArray
    max_statistics: FloatArray
    trace_critical_values: FloatArray
    max_critical_values: FloatArray
    vectors: FloatArray
    lags: int
    observations: int
    trend: str
    dropped: int

    @property
    def weights(self) -> FloatArray:
        """The vectors scaled so that the first series has the weight 1, shape (k, k).

        Where the first series has none, to eight digits, the largest weight is 1. For a pair, the hedge ratio of the
        first series against the second one is ``-weights[1, 0]``.
        """
        largest = self.vectors[np.abs(self.vectors).argmax(axis=0), np.arange(len(self.vectors))]
        first = self.vectors[0]
        return np.asarray(self.vectors / np.where(np.abs(first) > _NO_COEFFICIENT * np.abs(largest), first, largest))

    @admits(ModelError)
    def rank(self, significance: float = 0.05, statistic: str = "trace") -> int:
        """Return the number of cointegrating vectors: the first r for which "at most r" is not rejected.

        Parameters
        ----------
        significance : float, default 0.05
            Significance of each test: 0.1, 0.05 or 0.01.
        statistic : str, default "trace"
            Name of the statistic: ``"trace"`` or ``"max"``.

        Raises
        ------
        ModelError
            There are no critical values for that significance, or no such statistic.
        """
        if significance not in JOHANSEN_LEVELS:
            listed = ", ".join(f"{level:g}" for level in JOHANSEN_LEVELS)
            raise ModelError(
                f"no critical values for significance={significance!r}; give one of {listed}",
                name="significance",
                value=significance,
            )
        if statistic not in _STATISTICS:
            raise ModelError(
                f"no statistic {statistic!r}; give one of {', '.join(_STATISTICS)}", name="statistic", value=statistic
            )
        at = JOHANSEN_LEVELS.index(significance)
        of_trace = statistic == "trace"
        values = self.trace_statistics if of_trace else self.max_statistics
        limits = self.trace_critical_values if of_trace else self.max_critical_values
        kept = values <= limits[:, at]
        return int(kept.argmax()) if kept.any() else len(values)

    @property
    def verdict(self) -> str:
        """The number of cointegrating vectors at 5 % by both statistics, in words."""
        by_trace, by_max = self.rank(), self.rank(statistic="max")
        said = "both statistics" if by_trace == by_max else f"the trace, {_vectors(by_max)} by the largest eigenvalue"
        whole = "; with as many as series, all of them are stationary" if by_trace == len(self.names) else ""
        return f"{_vectors(by_trace)} at 5% by {said}{whole}"

    def to_table(self) -> Table:
        """Return a table with a row for each number of vectors: eigenvalue, statistics, critical values."""
        from bank_python.mntable import Table

        columns = np.column_stack(
            [
                self.eigenvalues,
                self.trace_statistics,
                self.trace_critical_values,
                self.max_statistics,
                self.max_critical_values,
            ]
        )
        schema = [(_TITLES[0], int), *((title, float) for title in _TITLES[1:])]
        rows = [dict(zip(_TITLES, (r, *row), strict=True)) for r, row in enumerate(columns.tolist())]
        return Table.from_rows(schema, rows)

    def __rich__(self) -> object:
        from bank_python.render_pairs import johansen_view

        return johansen_view(self)


def _vectors(count: int) -> str:
    number = {0: "no cointegrating vector", 1: "one cointegrating vector"}
    return number.get(count, f"{count} cointegrating vectors")


@admits(ModelError)
def johansen(
    series: Any, lags: int = 1, trend: str = "c", *, take_logs: bool = False, names: Sequence[str] | None = None
) -> JohansenTest:
    """Test how many cointegrating vectors several series have (Johansen), and estimate them.

    Parameters
    ----------
    series : array_like, shape (n, k), DataFrame, mapping from name to series, or list of Series
        Levels of two to twelve series, oldest first. Series with dates are aligned by them.
    lags : int, default 1
        Number of lagged differences, at least 0: one less than the lags of the levels.
    trend : str, default "c"
        Deterministic terms: ``"n"`` for none, ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    take_logs : bool, default False
        Whether to take logarithms first.
    names : sequence of str, optional
        Names of the series.

    Raises
    ------
    CalibrationError
        A series does not vary, or some are linearly dependent, to rounding.
    ModelError
        Lengths or indexes differ, a value is not finite or has no logarithm, there are too few common dates for the
        lags, another number of series, or an argument is out of range.
    """
    if trend not in TRENDS:
        raise ModelError(f"no trend {trend!r}; give one of {', '.join(TRENDS)}", name="trend", value=trend)
    columns = named_columns(series, names)
    k = len(columns)
    if not _FEWEST_SERIES <= k <= _MOST_SERIES:
        raise ModelError(
            f"{k} series; give {_FEWEST_SERIES} to {_MOST_SERIES}, each in a column (adf_test takes a single one)",
            value=k,
        )
    found = align_series(columns, FEWEST_OBSERVATIONS)
    levels = logarithms(found) if take_logs else found.values
    for name, column in zip(found.names, levels.T, strict=True):
        require_variation(name, column)
    most = (len(levels) - 2 - TRENDS[trend] - 2 * k) // (k + 1)
    if not 0 <= lags <= most:
        raise ModelError(
            f"lags={lags!r} is outside [0, {most}], which {len(levels)} rows of {k} series allow; give another number, "
            "or longer series",
            name="lags",
            value=lags,
        )
    correlations, vectors, rows = _canonical(levels, found.names, int(lags), trend)
    each = -rows * np.log1p(-(correlations**2))
    at = np.arange(k - 1, -1, -1)
    trace_limits, max_limits = np.array(TRACE[trend])[at], np.array(LARGEST_EIGENVALUE[trend])[at]
    traces = np.cumsum(each[::-1])[::-1]
    return JohansenTest(
        found.names, correlations**2, traces, each, trace_limits, max_limits, vectors, int(lags), rows, trend,
        found.dropped,
    )  # fmt: skip


def _canonical(levels: FloatArray, names: Sequence[str], lags: int, trend: str) -> tuple[FloatArray, FloatArray, int]:
    """Return canonical correlations of differences and last levels, vectors, and the number of rows."""
    origin = 0.0 if trend == "n" else levels.mean(axis=0)
    sizes = np.abs(levels - origin).max(axis=0)
    scaled = (levels - origin) / sizes
    moves = np.diff(scaled, axis=0)
    rows = len(moves) - lags
    time = np.linspace(-1.0, 1.0, rows)
    terms = [np.vander(time, TRENDS[trend], increasing=True)]
    lagged = [moves[lags - lag : lags - lag + rows] for lag in range(1, lags + 1)]
    explaining = np.column_stack([*terms, *lagged])
    basis = np.linalg.qr(explaining)[0]
    responses, last = (part - basis @ (basis.T @ part) for part in (moves[lags:], scaled[lags:-1]))
    first, _ = _orthonormal("differences of ", responses, moves[lags:], names)
    second, triangle = _orthonormal("", last, scaled[lags:-1], names)
    left, correlations, _ = np.linalg.svd(second.T @ first)
    if correlations[0] >= 1.0 - NINE_DIGITS:
        raise CalibrationError(
            "the differences follow from the last levels to rounding, so nothing is left to test; give observed levels"
        )
    vectors = np.linalg.solve(triangle, left) * math.sqrt(rows) / sizes[:, None]
    return correlations, vectors * np.where(vectors[0] < 0.0, -1.0, 1.0), rows


def _orthonormal(
    what: str, part: FloatArray, before: FloatArray, names: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Return an orthonormal basis of columns and the triangle that makes the columns of it, or name one too many."""
    basis, triangle = np.linalg.qr(part)
    dependent = np.abs(np.diag(triangle)) <= NINE_DIGITS * np.sqrt((before * before).sum(axis=0))
    if dependent.any():
        name = names[int(dependent.argmax())]
        raise CalibrationError(
            f"{what}{name}: to rounding a linear function of the series before it, of trends or of lags; leave that "
            "series out",
            name=name,
        )
    return basis, triangle
