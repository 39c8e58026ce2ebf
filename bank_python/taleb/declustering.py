r"""Clusters of exceedances: the extremal index, and the peaks of clusters by runs.

Large losses come together, so that the exceedances of a threshold are not independent. The extremal index θ in (0, 1]
is the share of them that begin a cluster; 1/θ is the mean size of a cluster. The *intervals estimator* reads it off the
times between exceedances alone,

.. math:: \hat\theta = \min\Big(1, \frac{2\,(\sum (T_i - 1))^2}{(N - 1)\sum (T_i - 1)(T_i - 2)}\Big) ,

(without the −1 and −2 if no time exceeds 2), and needs no choice of a length. It also gives that length: with θ known,
the θN longest times are those between clusters. *Runs declustering* then keeps the peak of each cluster, which ends
when the next exceedance is more than `run` observations later.

Examples
--------
>>> noise = np.random.default_rng(1).pareto(2.0, 20_001)
>>> moving = np.maximum(noise[1:], noise[:-1])  # every peak is seen twice: the extremal index is 1/2
>>> index = extremal_index(moving, float(np.quantile(moving, 0.98)))
>>> round(index.theta, 1)
0.5
>>> clusters = decluster(moving, float(np.quantile(moving, 0.98)))
>>> round(float(clusters.sizes.mean()), 1)
2.1

References
----------
C. A. T. Ferro and J. Segers, "Inference for clusters of extreme values", Journal of the Royal Statistical Society B 65
(2003), 545-556.

S. Coles, *An Introduction to Statistical Modeling of Extreme Values* (2001), section 5.3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.results import Figures, Tabular
from bank_python.taleb.gpd_intervals import number_of_samples
from bank_python.taleb.parameter_intervals import require_confidence
from bank_python.taleb.sample import read_sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["Clusters", "ExtremalIndex", "decluster", "extremal_index"]

_FEWEST = 10
_SHORT = 2.0  # the longest time for which the estimator without corrections is used


@dataclass(frozen=True, slots=True)
class ExtremalIndex(Figures):
    """The extremal index of a series at a threshold; returned by :func:`extremal_index`.

    Parameters
    ----------
    theta : float
        Extremal index θ in (0, 1]: 1 for independent exceedances.
    low, high : float
        Ends of its bootstrap interval.
    run : int
        Length of the runs that it implies: exceedances at most so many observations apart are of one cluster.
    n_clusters : int
        Number of clusters at that length.
    n_exceedances : int
        Number of exceedances.
    confidence : float
        Probability of the interval.
    """

    theta: float
    low: float
    high: float
    run: int
    n_clusters: int
    n_exceedances: int
    confidence: float

    @property
    def mean_cluster_size(self) -> float:
        """Mean number of exceedances in a cluster, 1/θ."""
        return 1.0 / self.theta


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Clusters(Tabular):
    """Clusters of exceedances; returned by :func:`decluster`.

    Parameters
    ----------
    peaks : ndarray, shape (n_clusters,)
        Largest value of each cluster, in the order of the series.
    positions : ndarray of int, shape (n_clusters,)
        Position of each peak in the series.
    sizes : ndarray of int, shape (n_clusters,)
        Number of exceedances in each cluster.
    threshold : float
        Threshold that they exceed.
    run : int
        Largest number of observations between exceedances of one cluster.
    n_observations : int
        Number of observations in the series.
    """

    peaks: FloatArray
    positions: NDArray[np.int64]
    sizes: NDArray[np.int64]
    threshold: float
    run: int
    n_observations: int

    @property
    def theta(self) -> float:
        """Runs estimate of the extremal index: the number of clusters over that of exceedances."""
        return len(self.peaks) / float(self.sizes.sum())

    def to_table(self) -> Table:
        """Return a table with a row for each cluster."""
        from bank_python.mntable import Table

        columns = {"position": self.positions, "peak": self.peaks, "size": self.sizes}
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        schema = [("position", int), ("peak", float), ("size", int)]
        return Table.from_rows(schema, [dict(zip(columns, row, strict=True)) for row in rows])

    def __rich__(self) -> object:
        from bank_python.render_extremes import clusters_view

        return clusters_view(self)


@admits(ModelError)
def extremal_index(
    values: ArrayLike, threshold: float, *, confidence: float = 0.95, n_samples: int = 1000, seed: int | None = 0
) -> ExtremalIndex:
    """Return the extremal index of a series by the intervals estimator, with a bootstrap interval.

    Parameters
    ----------
    values : array_like, shape (n,)
        Observations in the order of time, equally spaced, for example daily losses as positive numbers; finite.
    threshold : float
        Threshold of the exceedances.
    confidence : float, default 0.95
        Probability of the interval, in (0, 1).
    n_samples : int, default 1000
        Number of resamples of clusters, at least 100.
    seed : int, optional
        Seed of the resampling; None draws a new one.

    Raises
    ------
    ModelError
        A value is not finite, or an argument is out of range.
    CalibrationError
        Fewer than ten values exceed the threshold.
    """
    require_confidence(confidence)
    _, _, times = _exceedances(values, threshold)
    theta = _intervals_estimate(len(times), times.sum(), (times * times).sum(), times.max())
    run = _implied_run(times, float(theta))
    between = times > run
    samples = _resampled(times, between, number_of_samples(n_samples), np.random.default_rng(seed))
    low, high = np.quantile(samples, [0.5 * (1.0 - confidence), 0.5 * (1.0 + confidence)]).tolist()
    clusters = 1 + int(between.sum())
    return ExtremalIndex(float(theta), low, high, run, clusters, len(times) + 1, confidence)


@admits(ModelError)
def decluster(values: ArrayLike, threshold: float, *, run: int | None = None) -> Clusters:
    """Return the clusters of exceedances by runs, and their peaks.

    Parameters
    ----------
    values : array_like, shape (n,)
        Observations in the order of time, equally spaced, for example daily losses as positive numbers; finite.
    threshold : float
        Threshold of the exceedances.
    run : int, optional
        Largest number of observations between exceedances of one cluster, from 1; by default the one that the
        extremal index implies.

    Raises
    ------
    ModelError
        A value is not finite, or `run` is below 1.
    CalibrationError
        Fewer than ten values exceed the threshold.
    """
    series, places, times = _exceedances(values, threshold)
    if run is None:
        theta = _intervals_estimate(len(times), times.sum(), (times * times).sum(), times.max())
        run = _implied_run(times, float(theta))
    elif run < 1:
        raise ModelError(f"run={run!r} is below 1; give a number of observations", name="run", value=run)
    starts = np.concatenate([[0], 1 + np.flatnonzero(times > run)])
    cluster = np.repeat(np.arange(len(starts)), np.diff([*starts.tolist(), len(places)]))
    order = np.lexsort((-series[places], cluster))
    peaks = places[order][starts]
    return Clusters(series[peaks], peaks, np.bincount(cluster), threshold, run, len(series))


def _exceedances(values: ArrayLike, threshold: float) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
    """Return the series, the positions of the exceedances, and the times between them."""
    series = read_sample(values, name="values")
    places = np.flatnonzero(series > threshold)
    if len(places) < _FEWEST:
        raise CalibrationError(
            f"{len(places)} values exceed the threshold {threshold:g}, fewer than {_FEWEST}; lower the threshold",
            name="threshold",
            value=len(places),
        )
    return series, places, np.diff(places).astype(np.float64)


def _intervals_estimate(count: ArrayLike, total: ArrayLike, squares: ArrayLike, longest: ArrayLike) -> FloatArray:
    """Return the estimate from the number of times, their sum, the sum of their squares, and the longest."""
    n, s, s2 = (np.asarray(value, dtype=np.float64) for value in (count, total, squares))
    short = np.asarray(longest) <= _SHORT
    above = np.where(short, s, s - n)
    below = np.where(short, s2, s2 - 3.0 * s + 2.0 * n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.minimum(1.0, 2.0 * above * above / (n * below)))


def _implied_run(times: FloatArray, theta: float) -> int:
    """Return the longest time within clusters, where as many of the longest are between them as θ says."""
    ordered = np.sort(times)[::-1]
    clusters = min(int(theta * (len(times) + 1)) + 1, len(times))
    while clusters > 1 and ordered[clusters - 2] == ordered[clusters - 1]:
        clusters -= 1
    return int(ordered[clusters - 1])


def _resampled(
    times: FloatArray, between: NDArray[np.bool_], n_samples: int, random: np.random.Generator
) -> FloatArray:
    """Return the estimates of resamples: times between clusters, and clusters with the times inside them."""
    outer, cluster = times[between], np.cumsum(between)[~between]
    if not outer.size:
        return np.full(n_samples, float(_intervals_estimate(len(times), times.sum(), (times**2).sum(), times.max())))
    inner, count = times[~between], len(outer) + 1
    sums = [np.bincount(cluster, inner**power, minlength=count) for power in (0, 1, 2)]
    longest = np.zeros(count)
    np.maximum.at(longest, cluster, inner)
    chosen, sets = (random.integers(0, size, (n_samples, size)) for size in (len(outer), count))
    number, total, squares = (
        (outer**power)[chosen].sum(axis=1) + part[sets].sum(axis=1) for power, part in enumerate(sums)
    )
    return _intervals_estimate(number, total, squares, np.maximum(outer[chosen].max(axis=1), longest[sets].max(axis=1)))
