r"""The test of Engle and Granger: whether a combination of prices that wander has a level to which it returns.

The *cointegrating regression* of the levels,

.. math:: y_t = \alpha + \beta^\top x_t + e_t ,

has the hedge ratios β and the spread e. If y and x are random walks of their own, the spread is one too, and the
regression means nothing, however good its fit. The test is an augmented Dickey-Fuller regression of the spread without
a constant; as β is fitted so that the spread looks calm, the critical values are further from 0 than those of a given
series, and depend on the number of variables.

The result depends on which series is on the left. :func:`engle_granger` tests the other choices too and says if they
differ. And of many pairs some are cointegrated by chance: :func:`bank_python.risk_models.scan_pairs` adjusts for their
number, or :func:`bank_python.numerics.holm_p_values`.

Examples
--------
>>> rng = np.random.default_rng(4)
>>> x = rng.normal(size=500).cumsum()
>>> found = engle_granger(2.0 + 0.5 * x + rng.normal(size=500), x)
>>> round(found.hedge_ratio, 2), round(found.intercept, 1), found.is_cointegrated(0.01)
(0.5, 2.0, True)

References
----------
R. F. Engle and C. W. J. Granger, "Co-integration and error correction: representation, estimation, and testing",
Econometrica 55 (1987), 251-276.

P. C. B. Phillips and S. Ouliaris, "Asymptotic properties of residual based tests for cointegration", Econometrica 58
(1990), 165-193.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.tolerances import EPSILON, NINE_DIGITS
from bank_python.plotting import Plotted, legend_beside, literal, places
from bank_python.plotting import dates as label_dates
from bank_python.results import Tabular
from bank_python.risk_models.aligned_series import align_series, logarithms, named_columns
from bank_python.risk_models.dickey_fuller_tables import MOST_VARIABLES, mackinnon_critical_values, p_values_of
from bank_python.risk_models.mean_reversion import HalfLife, half_life
from bank_python.risk_models.unit_root import (
    FEWEST_OBSERVATIONS,
    checked_lags,
    dickey_fuller_statistics,
    is_below,
    require_noise,
    require_variation,
    verdict_of,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["CointegrationTest", "engle_granger", "require_spread", "without_trend"]

_TRENDS = ("c", "ct")
_SIGNIFICANCE = 0.05
_BAND = 2.0
_PAIR = 2
_NO_SPREAD = 64.0 * EPSILON  # spread as a share of what is subtracted from each other that is rounding


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CointegrationTest(Plotted, Tabular):
    """A test of cointegration; returned by :func:`engle_granger`.

    Parameters
    ----------
    names : tuple of str, length k + 1
        Names of the series, that on the left of the regression first.
    hedge_ratios : ndarray, shape (k,)
        Amount of each other series that is sold against one unit of the first.
    intercept : float
        Constant of the regression.
    slope : float
        Trend of the regression per period, counted from the first row; 0 without a trend.
    statistic : float
        t statistic of the last level in the Dickey-Fuller regression of the spread.
    p_value : float
        Asymptotic probability of a lower statistic without cointegration (MacKinnon).
    critical_values : mapping of float to float
        Statistic below which there is cointegration, by significance: 0.01, 0.05 and 0.1; for this number of
        observations.
    lags : int
        Number of lagged differences.
    trend : str
        Deterministic terms of the regression: ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    spread : ndarray, shape (n,)
        Residuals of the regression, oldest first, with a mean of 0.
    reversion : HalfLife
        First-order autoregression of the spread and its half-life.
    other_statistics, other_p_values : ndarray, shape (k,)
        The same test with each of the other series on the left.
    dates : tuple of date, length n, optional
        Dates of the spread.
    dropped : int
        Number of dates that were left out, as not all series have them.
    in_logs : bool
        Whether the series are logarithms of those given.
    """

    names: tuple[str, ...]
    hedge_ratios: FloatArray
    intercept: float
    slope: float
    statistic: float
    p_value: float
    critical_values: Mapping[float, float]
    lags: int
    trend: str
    spread: FloatArray
    reversion: HalfLife
    other_statistics: FloatArray
    other_p_values: FloatArray
    dates: tuple[dt.date, ...] | None
    dropped: int
    in_logs: bool

    @property
    def hedge_ratio(self) -> float:
        """The hedge ratio of a pair.

        Raises
        ------
        ModelError
            There are several; take `hedge_ratios`.
        """
        if len(self.names) > _PAIR:
            raise ModelError(f"there are {len(self.hedge_ratios)} hedge ratios; take hedge_ratios")
        return float(self.hedge_ratios[0])

    @property
    def phi(self) -> float:
        """Coefficient φ of the spread in its first-order autoregression."""
        return self.reversion.phi

    @property
    def half_life(self) -> float:
        """Half-life of the spread in periods; infinite if it does not revert."""
        return self.reversion.half_life

    @property
    def score(self) -> float:
        """Last value of the spread in units of its standard deviation, over the whole sample."""
        return float(self.spread[-1] / self.spread.std(ddof=1))

    @admits(ModelError)
    def is_cointegrated(self, significance: float = _SIGNIFICANCE) -> bool:
        """Return whether the statistic is below its critical value at a significance of 0.01, 0.05 or 0.1.

        Raises
        ------
        ModelError
            There is no critical value for that significance.
        """
        return is_below(self.statistic, self.critical_values, significance)

    @property
    def order_matters(self) -> bool:
        """Whether with another series on the left the test at 5 % ends the other way."""
        limit = self.critical_values[_SIGNIFICANCE]
        return bool(((self.other_statistics < limit) != (self.statistic < limit)).any())

    @property
    def verdict(self) -> str:
        """Whether there is cointegration, and at which significance, in words."""
        return verdict_of("cointegrated", "no cointegration found", self.statistic, self.critical_values)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What limits the verdict: the order of the series, the half-life, several tests, dates left out."""
        said = [f"the spread {self.reversion.verdict}" if not self.reversion.reverts else self.reversion.verdict]
        limit = self.critical_values[_SIGNIFICANCE]
        for name, other, p in zip(self.names[1:], self.other_statistics, self.other_p_values, strict=True):
            if (other < limit) != (self.statistic < limit):
                said.append(f"the order matters: with {name} on the left t = {other:.3f}, p = {p:.3f}")
        if (self.hedge_ratios < 0.0).any():
            said.append("a hedge ratio is negative: that series is bought, not sold, with the first")
        if self.dropped:
            said.append(f"{self.dropped:,} dates left out, as not all series have them")
        said.append("one test; chosen among many pairs, p-values need an adjustment: scan_pairs, holm_p_values")
        return tuple(said)

    def to_table(self) -> Table:
        """Return a table with a row for each choice of the left series: statistic and p-value, those given first."""
        from bank_python.mntable import Table

        ratios = [None, *self.hedge_ratios.tolist()]
        statistics = [self.statistic, *self.other_statistics.tolist()]
        p_values = [self.p_value, *self.other_p_values.tolist()]
        schema = [("series", str), ("hedge_ratio", float | None), ("statistic", float), ("p_value", float)]
        rows = zip(self.names, ratios, statistics, p_values, strict=True)
        titles = [title for title, _ in schema]
        return Table.from_rows(schema, [dict(zip(titles, row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the spread with its mean and twice its standard deviation on both sides."""
        x = np.arange(len(self.spread)) if self.dates is None else places(self.dates)
        width = _BAND * float(self.spread.std(ddof=1))
        axes.plot(x, self.spread, linestyle="-", label="spread")
        axes.axhline(0.0, color="black", linewidth=0.8)
        for at in (-width, width):
            axes.axhline(at, color="C1", linestyle="--", label="±2 deviations" if at > 0.0 else None)
        if self.dates is not None:
            label_dates(axes.xaxis)
        unit = "log price" if self.in_logs else "price"
        others = self.names[1] if len(self.names) == _PAIR else f"{len(self.hedge_ratios)} others"
        axes.set(
            title=literal(f"{self.names[0]} on {others}: t = {self.statistic:.2f}"),
            ylabel=f"spread, {unit}",
            xlabel="period" if self.dates is None else "",
        )
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_pairs import cointegration_view

        return cointegration_view(self)


@admits(ModelError)
def engle_granger(
    y: Any,
    x: Any,
    lags: int | str | None = None,
    trend: str = "c",
    *,
    take_logs: bool = False,
    names: Sequence[str] | None = None,
) -> CointegrationTest:
    """Test whether two or more series are cointegrated (Engle and Granger), and fit their hedge ratios.

    Parameters
    ----------
    y : array_like, shape (n,), pandas Series, or mapping from date to value
        Levels of the series on the left, oldest first; at least twenty.
    x : array_like, shape (n,) or (n, k), Series, DataFrame, or mapping
        Levels of one to five other series. Series with dates are aligned by them.
    lags : int or str, optional
        Number of lagged differences, at least 0, or the criterion that chooses it: ``"aic"`` (the default) or
        ``"bic"``.
    trend : str, default "c"
        Deterministic terms of the regression: ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    take_logs : bool, default False
        Whether to take logarithms first, so that hedge ratios are ratios of money and not of shares.
    names : sequence of str, optional
        Names of all series, that on the left first.

    Raises
    ------
    CalibrationError
        A series does not vary, some are linearly dependent, or the spread is rounding.
    ModelError
        Lengths or indexes differ, a value is not finite or has no logarithm, there are too few common dates, more than
        five other series, or an argument is out of range.
    """
    if trend not in _TRENDS:
        raise ModelError(f"no trend {trend!r}; give one of {', '.join(_TRENDS)}", name="trend", value=trend)
    left, right = named_columns(y, default="y"), named_columns(x, default="x")
    if len(left) != 1 or not 1 <= len(right) < MOST_VARIABLES:
        raise ModelError(
            f"{len(left)} series for y and {len(right)} for x; give one, and one to {MOST_VARIABLES - 1}",
            value=len(right),
        )
    found = align_series(_together(left, right, names), FEWEST_OBSERVATIONS)
    levels = logarithms(found) if take_logs else found.values
    for name, column in zip(found.names, levels.T, strict=True):
        require_variation(name, column)
    chosen = checked_lags(lags, len(levels), "n")
    fits = [_regression(levels, found.names, j, trend) for j in range(levels.shape[1])]
    spreads = np.array([spread / np.abs(spread).max() for _, spread in fits])
    statistics, used, errors = dickey_fuller_statistics(spreads, chosen, "n")
    require_noise(f"the spread of {', '.join(found.names)}", float(errors.min()))
    p_values = p_values_of(statistics, trend, levels.shape[1])
    ratios, spread = fits[0]
    intercept, slope = _deterministic(levels[:, 0] - levels[:, 1:] @ ratios, trend)
    spread.setflags(write=False)
    return CointegrationTest(
        names=found.names,
        hedge_ratios=ratios,
        intercept=intercept,
        slope=slope,
        statistic=float(statistics[0]),
        p_value=float(p_values[0]),
        critical_values=mackinnon_critical_values(trend, levels.shape[1], len(levels) - 1),
        lags=int(used[0]),
        trend=trend,
        spread=spread,
        reversion=half_life(spread),
        other_statistics=statistics[1:],
        other_p_values=p_values[1:],
        dates=found.dates,
        dropped=found.dropped,
        in_logs=take_logs,
    )


def _together(left: dict[str, Any], right: dict[str, Any], names: Sequence[str] | None) -> dict[str, Any]:
    chosen = [*left, *right] if names is None else [str(name) for name in names]
    series = [*left.values(), *right.values()]
    if len(chosen) != len(series):
        raise ModelError(f"{len(chosen)} names for {len(series)} series; give one for each", name="names", value=chosen)
    if len(set(chosen)) < len(chosen):
        raise ModelError(
            f"two series of {', '.join(chosen)} have the same name; give names=", name="names", value=chosen
        )
    return dict(zip(chosen, series, strict=True))


def without_trend(levels: FloatArray, trend: str) -> FloatArray:
    """Return columns less their means, or less their linear trends.

    Parameters
    ----------
    levels : ndarray, shape (n, k)
        Series in columns.
    trend : str
        Deterministic terms: ``"c"`` or ``"ct"``.
    """
    centred = levels - levels.mean(axis=0)
    if trend == "c":
        return np.asarray(centred)
    time = np.linspace(-1.0, 1.0, len(levels))
    return np.asarray(centred - np.outer(time, time @ centred / (time @ time)))


def require_spread(left: str, right: Sequence[str], deviation: float, size: float) -> None:
    """Raise an error if the spread of a regression is rounding.

    Parameters
    ----------
    left : str
        Name of the series on the left.
    right : sequence of str
        Names of the other series.
    deviation : float
        Largest absolute value of the spread.
    size : float
        Sum of the absolute values that are subtracted from each other.

    Raises
    ------
    CalibrationError
        The spread is not above the rounding of what it is the difference of.
    """
    if deviation <= _NO_SPREAD * size:
        raise CalibrationError(
            f"{left} is a linear function of {', '.join(right)}, to rounding, so there is no spread to test; give "
            "different series",
            name=left,
        )


def _regression(levels: FloatArray, names: Sequence[str], left: int, trend: str) -> tuple[FloatArray, FloatArray]:
    """Return the hedge ratios of a column against the others, and the spread."""
    columns = without_trend(levels, trend)
    others = [j for j in range(levels.shape[1]) if j != left]
    response, design = columns[:, left], columns[:, others]
    lengths = np.sqrt((design * design).sum(axis=0))
    flat = lengths <= _NO_SPREAD * np.sqrt((levels[:, others] ** 2).sum(axis=0))
    factor, triangle = np.linalg.qr(design / np.where(flat, 1.0, lengths))
    dependent = flat | (np.abs(np.diag(triangle)) <= NINE_DIGITS)
    if dependent.any():
        name = names[others[int(dependent.argmax())]]
        what = "a straight line" if flat.any() else "a linear function of the series before it"
        raise CalibrationError(f"{name} is {what}, to rounding, so it has no hedge ratio; leave it out", name=name)
    ratios = np.linalg.solve(triangle, factor.T @ response) / lengths
    spread = response - design @ ratios
    size = float(np.abs(levels[:, left]).max() + np.abs(levels[:, others]).max(axis=0) @ np.abs(ratios))
    require_spread(names[left], [names[j] for j in others], float(np.abs(spread).max()), size)
    return ratios, spread


def _deterministic(rest: FloatArray, trend: str) -> tuple[float, float]:
    """Return the constant and the slope per row of what the other series leave."""
    if trend == "c":
        return float(rest.mean()), 0.0
    time = np.arange(len(rest)) - 0.5 * (len(rest) - 1)
    slope = float(time @ rest / (time @ time))
    return float(rest.mean() + slope * time[0]), slope
