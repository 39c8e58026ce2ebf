"""The result of a sweep: a row for each point with its parameters and metrics, and what a search is worth.

Examples
--------
Many points of a calculation that gives equity curves are a sweep as well:

>>> import numpy as np
>>> fast, slow = np.array([[2], [3]]), np.array([5, 8])
>>> close = 100.0 + 10.0 * np.sin(np.arange(60.0) / 4.0)
>>> from bank_python.backtester import sma_crossing_equity
>>> run = sma_crossing_equity(close, fast, slow, cash=1_000.0)
>>> found = SweepResult.from_equities({"fast": fast, "slow": slow}, run.equity(), initial_cash=1_000.0)
>>> len(found), found.best("total_return").parameters
(4, {'fast': 2, 'slow': 5})
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.backtester.curve_metrics import checked_metrics, curve_metrics
from bank_python.backtester.heat_map import HeatMap, said
from bank_python.backtester.metrics import kurtosis, skew
from bank_python.backtester.periods import given_periods, periods_of
from bank_python.backtester.series_dates import read_dates
from bank_python.backtester.sweep_columns import table_of
from bank_python.backtester.tearsheet import make_tearsheet
from bank_python.display import Record
from bank_python.errors import BacktestError, ModelError
from bank_python.plotting import Plotted, nothing
from bank_python.results import Tabular
from bank_python.risk_models import deflated_sharpe, expected_maximum_sharpe, overfitting_probability
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.backtester.tearsheet import Tearsheet
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk_models import Overfitting

__all__ = ["DEFAULT_METRICS", "SweepPoint", "SweepResult"]

DEFAULT_METRICS = ("sharpe_ratio", "total_return", "annualized_vol", "max_drawdown")
"""Metrics of a sweep to which none are given."""

_OWN = ("point", "problem")
_OTHERS = ("best", "mean")
_PAIR = 2


@dataclass(frozen=True, slots=True, eq=False)
class SweepPoint(Record):
    """A point of a sweep.

    Parameters
    ----------
    number : int
        Number of the point, from 0.
    parameters : mapping of str to object
        Value of each parameter.
    metrics : mapping of str to float
        Metrics by name, NaN where the point did not run.
    fingerprint : str
        Fingerprint of the run; of a curve that was given, that of its parameters, dates and equity.
    problem : str
        Reason for which the point did not run; empty if it did.
    """

    number: int
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    fingerprint: str
    problem: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult(Plotted, Tabular):
    """Points of a sweep; returned by :func:`sweep`.

    Parameters
    ----------
    parameters : tuple of mapping
        Value of each parameter, for each point.
    equities : ndarray, shape (n_points, n_bars)
        Equity of each point at each close, in money; NaN for a point that did not run.
    metrics : mapping of str to ndarray, shape (n_points,)
        Metrics by name; NaN for a point that did not run.
    dates : tuple of date or datetime, optional
        Start of each bar.
    problems : tuple of str
        Reason for which each point did not run; empty text if it did.
    fingerprints : tuple of str
        Fingerprint of each run, equal for equal data and settings.
    initial_cash : float, optional
        Money at the start of each point.
    risk_free_rate : float
        Risk-free rate per year of the metrics, as a decimal.
    periods_per_year : float
        Number of periods in a year.
    notes : tuple of str
        Notes that hold for all points.
    """

    parameters: tuple[Mapping[str, Any], ...]
    equities: FloatArray
    metrics: Mapping[str, FloatArray]
    dates: tuple[dt.date, ...] | None
    problems: tuple[str, ...]
    fingerprints: tuple[str, ...]
    initial_cash: float | None
    risk_free_rate: float
    periods_per_year: float
    notes: tuple[str, ...] = ()

    @classmethod
    def from_equities(
        cls,
        parameters: Mapping[str, ArrayLike] | Sequence[Mapping[str, Any]],
        equities: ArrayLike,
        dates: Any = None,
        *,
        metrics: Sequence[str] = DEFAULT_METRICS,
        initial_cash: float | None = None,
        risk_free_rate: float = RISK_FREE_RATE,
        periods_per_year: float | None = None,
    ) -> SweepResult:
        """Return a sweep of equity curves that were computed otherwise, such as many points at once.

        Parameters
        ----------
        parameters : mapping of str to array_like, or sequence of mappings
            Values by parameter, which broadcast to the axes ``…`` of `equities`, as they do where these are computed;
            or a mapping for each point.
        equities : array_like, shape (…, n_bars)
            Equity curves, in money; the leading axes are points.
        dates : iterable of date, datetime, str, numpy.datetime64 or pandas.Timestamp, optional
            Ascending dates of the bars.
        metrics : sequence of str, optional
            Names of metrics of a tearsheet; those of trades are NaN.
        initial_cash : float, optional
            Money at the start; by default the first equity of each point.
        risk_free_rate : float, default RISK_FREE_RATE
            Risk-free rate per year, as a decimal.
        periods_per_year : float, optional
            Number of periods in a year; by default inferred from the dates.

        Raises
        ------
        BacktestError
            The shapes do not fit each other, an equity is not finite, or there is no such metric.
        """
        curves = np.asarray(equities, dtype=np.float64)
        if not curves.size or not curves.ndim or not np.isfinite(curves).all():
            raise BacktestError(
                f"equities have the shape {curves.shape} or are not all finite; give a row of bars for each point",
                name="equities",
            )
        points = _points(parameters, curves.shape[:-1])
        curves = curves.reshape(-1, curves.shape[-1])
        days = None if dates is None else read_dates(dates)
        if days is not None and len(days) != curves.shape[1]:
            raise BacktestError(f"{len(days)} dates for {curves.shape[1]} bars; give a date for each", name="dates")
        found = curve_metrics(
            curves,
            metrics,
            days,
            initial_cash=initial_cash,
            risk_free_rate=risk_free_rate,
            periods_per_year=periods_per_year,
        )
        periods = periods_of(days) if periods_per_year is None else given_periods(periods_per_year, days)
        marks = tuple(_fingerprint(*pair, days) for pair in zip(points, curves, strict=True))
        nothing_wrong = ("",) * len(points)
        return cls(points, curves, found, days, nothing_wrong, marks, initial_cash, risk_free_rate, periods.value)

    def __post_init__(self) -> None:
        taken = {*self.metrics, *_OWN}
        clash = next((name for point in self.parameters for name in point if name in taken), None)
        if clash is not None:
            raise BacktestError(
                f"a parameter and a metric or column are both called {clash!r}; leave the metric out, or give the "
                "parameter another name by a function",
                name=clash,
            )

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, number: int) -> SweepPoint:
        at = range(len(self))[number]
        metrics = {name: float(values[at]) for name, values in self.metrics.items()}
        return SweepPoint(at, self.parameters[at], metrics, self.fingerprints[at], self.problems[at])

    # --- what ran ---------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(dict.fromkeys(name for point in self.parameters for name in point))

    @cached_property
    def has_run(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether each point ran, shape (n_points,)."""
        return np.array([not problem for problem in self.problems])

    @property
    def n_run(self) -> int:
        """Number of points that ran."""
        return int(self.has_run.sum())

    @property
    def failed(self) -> tuple[SweepPoint, ...]:
        """Points that did not run, each with its problem."""
        return tuple(self[int(i)] for i in np.flatnonzero(~self.has_run))

    @cached_property
    def returns(self) -> FloatArray:
        """Simple returns from each close to the next, shape (n_points, n_bars - 1)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.equities[:, 1:] / self.equities[:, :-1] - 1.0)

    @cached_property
    def sharpe_ratios(self) -> FloatArray:
        """Sharpe ratio a year of each point, shape (n_points,), as a tearsheet has it."""
        return curve_metrics(
            self.equities,
            ["sharpe_ratio"],
            self.dates,
            initial_cash=self.initial_cash,
            risk_free_rate=self.risk_free_rate,
            periods_per_year=self.periods_per_year,
        )["sharpe_ratio"]

    # --- the best point, and what it is worth --------------------------------------------------------------

    @admits(BacktestError)
    def best(self, metric: str = "sharpe_ratio", *, largest: bool = True) -> SweepPoint:
        """Return the point with the largest figure of a metric; of equal ones the first.

        Parameters
        ----------
        metric : str, default "sharpe_ratio"
            Name of a metric of the sweep.
        largest : bool, default True
            Whether large figures are good, as also of drawdowns, which are at most 0; False for volatility or costs.

        Raises
        ------
        BacktestError
            The sweep has no such metric, or no point has a finite figure of it.
        """
        figures = self._figures(metric)
        if not np.isfinite(figures).any():
            raise BacktestError(f"no point has a finite {metric}; choose another metric", name="metric", value=metric)
        good = np.where(np.isfinite(figures), figures if largest else -figures, -np.inf)
        return self[int(good.argmax())]

    @admits(BacktestError)
    def tearsheet(self, number: int | None = None) -> Tearsheet:
        """Return the tearsheet of a point's equity, without figures of trades.

        Parameters
        ----------
        number : int, optional
            Number of the point; by default that of the largest Sharpe ratio.

        Raises
        ------
        BacktestError
            The point did not run.
        """
        point = self[self._best_sharpe()] if number is None else self[number]
        if point.problem:
            raise BacktestError(f"point {point.number} did not run: {point.problem}", name="number", value=number)
        return make_tearsheet(
            self.equities[point.number],
            self.dates,
            risk_free_rate=self.risk_free_rate,
            periods_per_year=self.periods_per_year,
            initial_capital=self.initial_cash,
            title=_said_point(point.parameters),
        )

    @admits(ModelError)
    def overfitting(self, blocks: int = 16) -> Overfitting:
        """Return how often the best point of half of the time is no better than the median in the other half.

        Parameters
        ----------
        blocks : int, default 16
            Number of blocks of time, even, from 2 to 20; see
            :func:`~bank_python.risk_models.overfitting_probability`.

        Raises
        ------
        ModelError
            Fewer than two points ran, or there are too few bars for the blocks.
        """
        return overfitting_probability(self.returns[self.has_run].T, blocks=blocks)

    def deflated_sharpe(self) -> float:
        """Return the probability that the largest Sharpe ratio is more than the best of so many points without skill.

        The number of trials is that of the points that ran. Points that are alike are fewer trials than that, so that
        the probability is cautious; points that were tried before this sweep are not counted.

        Raises
        ------
        BacktestError
            No point has a Sharpe ratio.
        """
        at = self._best_sharpe()
        ratios = self.sharpe_ratios[np.isfinite(self.sharpe_ratios)] / math.sqrt(self.periods_per_year)
        variance = float(ratios.var(ddof=1)) if len(ratios) >= _PAIR else 0.0
        returns = self.returns[at]
        asymmetry = skew(returns)
        return deflated_sharpe(
            float(self.sharpe_ratios[at]) / math.sqrt(self.periods_per_year),
            float(len(returns)),
            expected_maximum_sharpe(float(self.n_run), variance),
            skew=asymmetry,
            kurtosis=max(kurtosis(returns), 1.0 + asymmetry**2),  # below that by rounding only
        )

    # --- tables and pictures ---------------------------------------------------------------------------------

    @admits(BacktestError)
    def heat_map(
        self,
        x: str,
        y: str,
        metric: str = "sharpe_ratio",
        *,
        others: str = "best",
        largest: bool = True,
    ) -> HeatMap:
        """Return a metric over two parameters.

        Parameters
        ----------
        x, y : str
            Names of two parameters: columns and rows.
        metric : str, default "sharpe_ratio"
            Name of a metric of the sweep.
        others : {"best", "mean"}, default "best"
            Figure of points with equal `x` and `y` that differ in other parameters: their best or their mean.
        largest : bool, default True
            Whether large figures are the best.

        Raises
        ------
        BacktestError
            There is no such parameter, metric or word.
        """
        if others not in _OTHERS:
            raise BacktestError(f"others={others!r}; choose one of {', '.join(_OTHERS)}", name="others", value=others)
        figures = self._figures(metric)
        columns, rows = (self._values(name) for name in (x, y))
        if x == y:
            raise BacktestError(f"x and y are both {x!r}; give two parameters", name="y", value=y)
        cells: dict[tuple[Any, Any], list[float]] = {}
        for point, figure in zip(self.parameters, figures.tolist(), strict=True):
            if x in point and y in point and not math.isnan(figure):
                cells.setdefault((_key(point[y]), _key(point[x])), []).append(figure)
        best = max if largest else min
        table = np.full((len(rows), len(columns)), np.nan)
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                found = cells.get((_key(row), _key(column)))
                if found:
                    table[i, j] = best(found) if others == "best" else math.fsum(found) / len(found)
        many = any(len(found) > 1 for found in cells.values())
        return HeatMap(x, y, metric, columns, rows, table, others, many)

    def to_table(self) -> Table:
        """Return a table with a row for each point: number, parameters, metrics, and the problem of one that failed."""
        return table_of(
            [
                {"point": i, **dict.fromkeys(self.names), **self.parameters[i]}
                | {name: float(values[i]) for name, values in self.metrics.items()}
                | {"problem": self.problems[i] or None}
                for i in range(len(self))
            ]
        )

    def _draw_(self, axes: Axes) -> None:
        """Draw the first metric over the two parameters with most values, or over the only one."""
        metric = next(iter(self.metrics))
        varied = sorted((name for name in self.names if len(self._values(name)) > 1), key=self._fewness)
        if len(varied) >= _PAIR:
            x, y = varied[:_PAIR]
            self.heat_map(x, y, metric)._draw_(axes)
            return
        figures = self.metrics[metric]
        if not np.isfinite(figures).any():
            nothing(axes, f"{metric}: no figures to draw")
            return
        labels = [said(point[varied[0]]) if varied else str(i) for i, point in enumerate(self.parameters)]
        axes.plot(range(len(figures)), np.where(np.isfinite(figures), figures, np.nan), marker="o")
        every = max(1, math.ceil(len(labels) / 12))
        axes.set_xticks(list(range(0, len(labels), every)), labels[::every])
        axes.set_xlabel(varied[0] if varied else "point")
        axes.set_title(f"{metric} of {len(self)} points")

    def __rich__(self) -> object:
        from bank_python.render_sweep import sweep_view

        return sweep_view(self)

    def _fewness(self, name: str) -> int:
        return -len(self._values(name))

    def _values(self, name: str) -> tuple[Any, ...]:
        """Return the values of a parameter: numbers in order, others as they come."""
        if name not in self.names:
            hint = did_you_mean(name, self.names, f"choose one of {', '.join(self.names)}")
            raise BacktestError(f"the sweep has no parameter {name!r:.40}; {hint}", name="parameter", value=name)
        found = {_key(point[name]): point[name] for point in self.parameters if name in point}
        values = tuple(found.values())
        if all(isinstance(value, int | float) for value in values):
            return tuple(sorted(values))
        return values

    def _figures(self, metric: str) -> FloatArray:
        if metric in self.metrics:
            return self.metrics[metric]
        checked_metrics([metric])
        has = ", ".join(self.metrics)
        raise BacktestError(
            f"the sweep has no metric {metric!r}; give metrics=[…, {metric!r}] to it, or choose one of {has}",
            name="metric",
            value=metric,
        )

    def _best_sharpe(self) -> int:
        known = np.where(np.isfinite(self.sharpe_ratios), self.sharpe_ratios, -np.inf)
        if not len(known) or known.max() == -np.inf:
            raise BacktestError("no point has a Sharpe ratio: none has run, or none varies", name="sharpe_ratio")
        return int(known.argmax())


def _points(parameters: Any, shape: tuple[int, ...]) -> tuple[dict[str, Any], ...]:
    """Return a mapping for each point of a shape."""
    count = math.prod(shape)
    if isinstance(parameters, Mapping):
        try:
            columns = {name: np.broadcast_to(np.asarray(v), shape).ravel().tolist() for name, v in parameters.items()}
        except ValueError:
            shapes = ", ".join(f"{name} {np.shape(values)}" for name, values in parameters.items())
            raise BacktestError(
                f"parameters of the shapes {shapes} do not broadcast to the points {shape}; give them as to the run",
                name="parameters",
            ) from None
        return tuple({name: values[i] for name, values in columns.items()} for i in range(count))
    points = tuple(dict(point) for point in parameters)
    if len(points) != count:
        raise BacktestError(f"{len(points)} points of parameters for {count} equity curves", name="parameters")
    return points


def _fingerprint(point: Mapping[str, Any], curve: FloatArray, dates: Sequence[dt.date] | None) -> str:
    digest = hashlib.sha256(repr(sorted(point.items())).encode())
    digest.update(np.ascontiguousarray(curve).tobytes())
    if dates:
        digest.update(f"{dates[0].isoformat()} {dates[-1].isoformat()}".encode())
    return digest.hexdigest()


def _key(value: Any) -> Any:
    """Return what values of a parameter are told apart by, of lists their text."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _said_point(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {said(value)}" for name, value in parameters.items())
