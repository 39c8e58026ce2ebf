r"""The augmented Dickey-Fuller test of a unit root.

A series that is a random walk never returns to a level. The test regresses its differences on its last level and on its
last p differences,

.. math:: \Delta y_t = c + d\,t + \gamma\,y_{t-1} + \sum_{i=1}^{p} \varphi_i\,\Delta y_{t-i} + e_t ,

and rejects the random walk if the t statistic of γ is far enough below 0. Its distribution is not that of Student
(:mod:`bank_python.risk_models.dickey_fuller_tables`).

The number of lagged differences is given, or chosen by an information criterion among those up to Schwert's length
:math:`12\,(n/100)^{1/4}`, all on the same rows.

Examples
--------
>>> shocks = np.random.default_rng(1).normal(size=500)
>>> found = adf_test(shocks.cumsum())
>>> round(found.statistic, 2), found.lags, found.is_rejected(0.05)
(-1.72, 2, False)
>>> adf_test(shocks).is_rejected(0.01)
True

References
----------
D. A. Dickey and W. A. Fuller, "Distribution of the estimators for autoregressive time series with a unit root", Journal
of the American Statistical Association 74 (1979), 427-431.

S. E. Said and D. A. Dickey, "Testing for unit roots in autoregressive-moving average models of unknown order",
Biometrika 71 (1984), 599-607.

G. W. Schwert, "Tests for unit roots: a Monte Carlo investigation", Journal of Business & Economic Statistics 7 (1989),
147-159.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.tolerances import EPSILON, LAST_DIGITS
from bank_python.results import Tabular
from bank_python.risk_models.dickey_fuller_tables import mackinnon_critical_values, mackinnon_p_value
from bank_python.risk_models.observations import finite_series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = [
    "FEWEST_OBSERVATIONS",
    "TRENDS",
    "AdfTest",
    "adf_test",
    "checked_lags",
    "dickey_fuller_statistics",
    "is_below",
    "require_noise",
    "require_variation",
    "verdict_of",
]

TRENDS = {"n": 0, "c": 1, "ct": 2}
"""Number of deterministic terms by the name of the trend."""

FEWEST_OBSERVATIONS = 20
"""Smallest number of observations in the simulations behind the critical values."""

_CRITERIA = ("aic", "bic")
_WELL_CONDITIONED = 1e-2  # share of a regressor that those before it do not explain
_MOST_NUMBERS = 1 << 18  # in the regressions that are solved at once, so that they stay in the cache
_PERFECT = 8.0 * EPSILON  # standard error of a regression, as a share of the largest level, that is rounding


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AdfTest(Tabular):
    """An augmented Dickey-Fuller test; returned by :func:`adf_test`.

    Parameters
    ----------
    statistic : float
        t statistic of the last level.
    p_value : float
        Asymptotic probability of a lower statistic if the series is a random walk.
    critical_values : mapping of float to float
        Statistic below which the random walk is rejected, by significance: 0.01, 0.05 and 0.1; for this number of
        observations.
    lags : int
        Number of lagged differences.
    observations : int
        Number of rows of the regression.
    trend : str
        Deterministic terms: ``"n"`` for none, ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    """

    statistic: float
    p_value: float
    critical_values: Mapping[float, float]
    lags: int
    observations: int
    trend: str

    @admits(ModelError)
    def is_rejected(self, significance: float = 0.05) -> bool:
        """Return whether the random walk is rejected at a significance of 0.01, 0.05 or 0.1.

        Raises
        ------
        ModelError
            There is no critical value for that significance.
        """
        return is_below(self.statistic, self.critical_values, significance)

    @property
    def verdict(self) -> str:
        """Whether the random walk is rejected, and at which significance, in words."""
        return verdict_of("random walk rejected", "random walk not rejected", self.statistic, self.critical_values)

    def to_table(self) -> Table:
        """Return a table of one row with all figures."""
        from bank_python.mntable import Table

        limits = {f"critical_{100.0 * level:.0f}": limit for level, limit in self.critical_values.items()}
        figures = {"statistic": self.statistic, "p_value": self.p_value, **limits}
        schema: list[tuple[str, Any]] = [(name, float) for name in figures]
        row = {**figures, "lags": self.lags, "observations": self.observations, "trend": self.trend}
        return Table.from_rows([*schema, ("lags", int), ("observations", int), ("trend", str)], [row])

    def __rich__(self) -> object:
        from bank_python.render_pairs import adf_view

        return adf_view(self)


@admits(ModelError)
def adf_test(
    series: ArrayLike, lags: int | str | None = None, trend: str = "c", *, max_lags: int | None = None
) -> AdfTest:
    """Test whether a series is a random walk (augmented Dickey-Fuller).

    Parameters
    ----------
    series : array_like, shape (n,)
        Levels of equal periods, oldest first, finite; at least twenty.
    lags : int or str, optional
        Number of lagged differences, at least 0, or the criterion that chooses it: ``"aic"`` (the default) or
        ``"bic"``.
    trend : str, default "c"
        Deterministic terms: ``"n"`` for none, ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    max_lags : int, optional
        Largest number of lags that a criterion may choose; by default Schwert's length 12 (n/100)^(1/4), rounded up.

    Raises
    ------
    CalibrationError
        The series does not vary, or follows from its own past without an error.
    ModelError
        There are too few values, one is not finite, or an argument is out of range.
    """
    known = finite_series("series", series, FEWEST_OBSERVATIONS)
    if trend not in TRENDS:
        raise ModelError(f"no trend {trend!r}; give one of {', '.join(TRENDS)}", name="trend", value=trend)
    require_variation("series", known)
    largest = float(np.abs(known).max())
    scaled = (known if trend == "n" else known - known.mean()) / largest
    chosen = checked_lags(lags, len(known), trend, max_lags)
    statistics, used, errors = dickey_fuller_statistics(scaled[None], chosen, trend)
    require_noise("the series", float(errors[0]))
    count, statistic = int(used[0]), float(statistics[0])
    rows = len(known) - 1 - count
    limits = mackinnon_critical_values(trend, 1, rows)
    return AdfTest(statistic, mackinnon_p_value(statistic, trend), limits, count, rows, trend)


def is_below(statistic: float, critical_values: Mapping[float, float], significance: float) -> bool:
    """Return whether a statistic is below its critical value at a significance.

    Parameters
    ----------
    statistic : float
        Statistic of the test.
    critical_values : mapping of float to float
        Critical values by significance.
    significance : float
        Significance of the test, one of the keys.

    Raises
    ------
    ModelError
        There is no critical value for that significance.
    """
    if significance not in critical_values:
        listed = ", ".join(f"{level:g}" for level in critical_values)
        raise ModelError(
            f"no critical value for significance={significance!r}; give one of {listed}, or compare the p-value",
            name="significance",
            value=significance,
        )
    return statistic < critical_values[significance]


def verdict_of(rejected: str, kept: str, statistic: float, critical_values: Mapping[float, float]) -> str:
    """Return the outcome of a test with its statistic and critical value, in words.

    Parameters
    ----------
    rejected, kept : str
        Words for a statistic below a critical value, and for one that is below none.
    statistic : float
        Statistic of the test.
    critical_values : mapping of float to float
        Critical values by significance.
    """
    for level, limit in sorted(critical_values.items()):
        if statistic < limit:
            return f"{rejected} at {level:.0%}: t = {statistic:.3f} is below {limit:.3f}"
    level, limit = max(critical_values.items())
    return f"{kept}: t = {statistic:.3f} is not below {limit:.3f} ({level:.0%})"


def require_variation(name: str, values: FloatArray) -> None:
    """Raise an error if values do not vary, to rounding.

    Parameters
    ----------
    name : str
        Name of the series in messages.
    values : ndarray, shape (n,)
        Values of the series.

    Raises
    ------
    CalibrationError
        Their range is within rounding of the largest value.
    """
    if float(np.ptp(values)) <= LAST_DIGITS * float(np.abs(values).max()):
        raise CalibrationError(
            f"{name} does not vary: all of its values are {float(values[0])!r}, to rounding; give a series that does",
            name=name,
            value=float(values[0]),
        )


def require_noise(name: str, error: float) -> None:
    """Raise an error if the standard error of a regression is rounding.

    Parameters
    ----------
    name : str
        Name of the series in messages.
    error : float
        Standard error as a share of the largest level of the series.

    Raises
    ------
    CalibrationError
        Nothing but rounding is left of the series.
    """
    if error <= _PERFECT:
        raise CalibrationError(
            f"{name} follows from its own past to rounding, so nothing is left to test; give observed levels, or fewer "
            "lags"
        )


def checked_lags(lags: int | str | None, count: int, trend: str, max_lags: int | None = None) -> int | tuple[str, int]:
    """Return a number of lags, or a criterion with the largest number that it may choose.

    Parameters
    ----------
    lags : int, str or None
        Number of lagged differences, or ``"aic"`` or ``"bic"``; None for the first of these.
    count : int
        Number of values of the series.
    trend : str
        Deterministic terms: ``"n"``, ``"c"`` or ``"ct"``.
    max_lags : int, optional
        Largest number that a criterion may choose.

    Raises
    ------
    ModelError
        There is no such criterion, or a number is below 0 or too large for the number of values.
    """
    most = count // 2 - TRENDS[trend] - 1
    if isinstance(lags, str | None):
        criterion = _CRITERIA[0] if lags is None else lags.lower()
        if criterion not in _CRITERIA:
            raise ModelError(
                f"no criterion {lags!r}; give a number of lags, or one of {', '.join(_CRITERIA)}",
                name="lags",
                value=lags,
            )
        schwert = math.ceil(12.0 * (count / 100.0) ** 0.25)
        return criterion, min(schwert, most) if max_lags is None else _in_range("max_lags", max_lags, most, count)
    if max_lags is not None:
        raise ModelError(
            f"max_lags={max_lags!r} has no effect on a given number of lags; leave it out, or give lags='aic'",
            name="max_lags",
            value=max_lags,
        )
    return _in_range("lags", lags, most, count)


def _in_range(name: str, lags: int, most: int, count: int) -> int:
    if not 0 <= lags <= most:
        raise ModelError(
            f"{name}={lags!r} is outside [0, {most}], which {count} values allow; give another number, or more values",
            name=name,
            value=lags,
        )
    return int(lags)


def dickey_fuller_statistics(
    paths: FloatArray, lags: int | tuple[str, int], trend: str
) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
    """Return the t statistics of several series of one length, their lags, and the standard errors of the regressions.

    Parameters
    ----------
    paths : ndarray, shape (m, n)
        Series in rows, scaled to a largest value of about 1.
    lags : int or tuple
        Number of lagged differences, or a criterion with the largest number, as :func:`checked_lags` returns it.
    trend : str
        Deterministic terms: ``"n"``, ``"c"`` or ``"ct"``.
    """
    size = len(paths)
    statistics, errors, used = np.empty(size), np.empty(size), np.empty(size, dtype=np.int64)
    longest = lags if isinstance(lags, int) else lags[1]
    step = max(1, _MOST_NUMBERS // (paths.shape[1] * (longest + TRENDS[trend] + 2)))
    for start in range(0, size, step):
        part = slice(start, start + step)
        chunk = paths[part]
        used[part] = lags if isinstance(lags, int) else _chosen(chunk, *lags, trend)
        for count in np.unique(used[part]).tolist():
            rows = start + np.flatnonzero(used[part] == count)
            statistics[rows], errors[rows] = _t_statistics(paths[rows], count, trend)
    return statistics, used, errors


def _t_statistics(paths: FloatArray, lags: int, trend: str) -> tuple[FloatArray, FloatArray]:
    """Return t statistics and standard errors, from triangular factors with the level in the last column but one.

    The standard error is 0 where other terms explain the level, to rounding, so that there is no statistic.
    """
    terms, differences, level, response = _regressors(paths, lags, trend)
    design = np.concatenate([terms, differences, level, response], axis=1)
    _, columns, rows = design.shape
    factor = _triangles(design)
    diagonal = factor[:, columns - 2, columns - 2]
    error = np.abs(factor[:, columns - 1, columns - 1]) / math.sqrt(rows - columns + 1)
    error[np.abs(diagonal) <= LAST_DIGITS * np.sqrt((level * level).sum(axis=(1, 2)))] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sign(diagonal) * factor[:, columns - 2, columns - 1] / error, error


def _chosen(paths: FloatArray, criterion: str, most: int, trend: str) -> NDArray[np.int64]:
    """Return the number of lags with the least criterion: all sums of squares come from one triangular factor."""
    terms, differences, level, response = _regressors(paths, most, trend)
    design = np.concatenate([terms, level, differences, response], axis=1)
    _, columns, rows = design.shape
    last = _triangles(design)[:, :, columns - 1]
    explained_later = np.cumsum(last[:, ::-1] ** 2, axis=1)[:, ::-1]
    squares = explained_later[:, columns - 1 - most :]
    penalty = 2.0 if criterion == "aic" else math.log(rows)
    with np.errstate(divide="ignore"):
        criteria = rows * np.log(squares / rows) + penalty * np.arange(most + 1)
    return np.asarray(criteria.argmin(axis=1))


def _triangles(design: FloatArray) -> FloatArray:
    """Return the triangular factors R, with R'R = XX', of matrices X whose rows are regressors; shape (m, k, k).

    Cholesky factors of the products are found much faster than by reflections, and as precisely while no regressor is
    nearly a combination of those before it; the others are found by reflections. Each regressor is contiguous in
    memory, without which the products take several times as long.
    """
    products = design @ design.transpose(0, 2, 1)
    lengths = np.sqrt(np.diagonal(products, axis1=1, axis2=2))
    sizes = np.where(lengths > 0.0, lengths, 1.0)
    try:
        factors = np.linalg.cholesky(products / (sizes[:, :, None] * sizes[:, None, :])).transpose(0, 2, 1)
    except np.linalg.LinAlgError:
        return _by_reflections(design)
    factors = factors * sizes[:, None]
    poor = (np.diagonal(factors, axis1=1, axis2=2) < _WELL_CONDITIONED * sizes).any(axis=1)
    if poor.any():
        factors[poor] = _by_reflections(design[poor])
    return np.asarray(factors, dtype=np.float64)


def _by_reflections(design: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.qr(design.transpose(0, 2, 1), mode="r"), dtype=np.float64)


def _regressors(paths: FloatArray, lags: int, trend: str) -> tuple[FloatArray, ...]:
    """Return deterministic terms, lagged differences, last levels and responses; shapes (m, regressors, n)."""
    size, count = paths.shape
    rows = count - 1 - lags
    moves = np.diff(paths, axis=1)
    time = np.linspace(-1.0, 1.0, rows)
    powers = np.vander(time, TRENDS[trend], increasing=True).T
    terms = np.broadcast_to(powers, (size, *powers.shape))
    lagged = [moves[:, None, lags - lag : lags - lag + rows] for lag in range(1, lags + 1)]
    differences = np.concatenate(lagged, axis=1) if lagged else np.empty((size, 0, rows))
    return terms, differences, paths[:, None, lags:-1], moves[:, None, lags:]
