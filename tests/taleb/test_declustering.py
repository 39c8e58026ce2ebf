"""Clusters of exceedances: processes with a known extremal index, a naive loop, real returns."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models import fit_tail
from bank_python.taleb.declustering import decluster, extremal_index
from tests.taleb.coles_data import RAIN_ABOVE_30, RAIN_DAYS, RAIN_POSITIONS


def armax(theta, size, seed):
    """Return X_i = max((1 − θ) X_{i−1}, θ Z_i) with unit Fréchet Z: its extremal index is θ (Ferro and Segers, 5)."""
    noise = theta / -np.log(np.random.default_rng(seed).random(size))
    values = np.empty(size)
    last = 1.0
    for i, shock in enumerate(noise.tolist()):
        last = values[i] = max((1.0 - theta) * last, shock)
    return values


@pytest.mark.parametrize("theta", [0.25, 0.5, 0.75])
def test_a_process_of_known_extremal_index(theta):
    values = armax(theta, 40_000, 3)
    found = extremal_index(values, float(np.quantile(values, 0.98)), n_samples=500)
    assert found.low < theta < found.high
    assert found.theta == pytest.approx(theta, abs=0.06)  # 800 exceedances: three standard errors of about 0.02
    assert found.mean_cluster_size == 1.0 / found.theta


def test_independent_exceedances_have_the_index_one():
    values = np.random.default_rng(2).standard_normal(20_000)
    found = extremal_index(values, 2.0)
    assert found.theta > 0.95
    assert found.high == 1.0


def test_the_formula_of_ferro_and_segers():
    # exceedances at these positions: times 1, 1, 7, 2, 30, 1, 9, 4, 50, so that N − 1 = 9
    places = np.cumsum([0, 1, 1, 7, 2, 30, 1, 9, 4, 50])
    values = np.zeros(120)
    values[places] = 1.0
    times = np.diff(places)
    expected = 2.0 * (times - 1).sum() ** 2 / (9 * ((times - 1) * (times - 2)).sum())
    found = extremal_index(values, 0.5)
    assert found.theta == pytest.approx(expected, rel=1e-14)
    # ⌊θN⌋ + 1 clusters, so that as many longest times less one are between them
    clusters = int(expected * 10) + 1
    assert found.n_clusters == clusters
    assert found.run == np.sort(times)[::-1][clusters - 1]


def test_all_in_one_run():
    values = np.zeros(50)
    values[10:25] = 1.0  # times of 1 only: the estimator without corrections, 2 (ΣT)²/(n ΣT²) = 2, at most 1
    assert extremal_index(values, 0.5).theta == 1.0


@settings(max_examples=50)
@given(st.lists(st.integers(1, 12), min_size=9, max_size=40), st.integers(1, 12), st.integers(0, 10**6))
def test_runs_by_a_loop(times, run, seed):
    places = np.cumsum([3, *times])
    values = np.zeros(places[-1] + 5)
    values[places] = 1.0 + np.random.default_rng(seed).random(len(places))
    groups = [[int(places[0])]]
    for place in places[1:].tolist():
        if place - groups[-1][-1] > run:
            groups.append([])
        groups[-1].append(place)
    found = decluster(values, 0.5, run=run)
    assert found.sizes.tolist() == [len(group) for group in groups]
    assert found.peaks.tolist() == [values[group].max() for group in groups]
    assert found.positions.tolist() == [max(group, key=lambda place: values[place]) for group in groups]
    assert found.theta == len(groups) / len(places)
    assert sum(row["size"] for row in found.to_table()) == len(places)


def test_rain_is_nearly_independent():
    # S. Coles (2001), section 4.4.1, takes the exceedances of 30 mm as independent
    values = np.zeros(RAIN_DAYS)
    values[RAIN_POSITIONS] = RAIN_ABOVE_30
    found = extremal_index(values, 30.0)
    assert found.theta > 0.8
    assert found.high == 1.0
    # pyextremes 2.6.1, peaks over 30 with r of 48, 120 and 240 hours
    assert [len(decluster(values, 30.0, run=run).peaks) for run in (2, 5, 10)] == [143, 134, 126]


def test_losses_of_the_sp500_come_together():
    # S&P 500, 4 January 1999 to 31 December 2018, as bundled with arch: log returns of the adjusted close
    prices = pytest.importorskip("arch.data.sp500").load()["Adj Close"].to_numpy()
    losses = -100.0 * np.diff(np.log(prices))
    index = extremal_index(losses, 2.5)
    assert index.high < 0.7
    clusters = decluster(losses, 2.5)
    assert len(clusters.peaks) == index.n_clusters
    assert clusters.peaks.max() == losses.max()
    shuffled = np.random.default_rng(0).permutation(losses)
    assert extremal_index(shuffled, 2.5).theta > 0.85
    # the peaks of clusters have a tail like that of all exceedances
    one, other = fit_tail(clusters.peaks, 2.5), fit_tail(losses, 2.5)
    assert abs(one.xi - other.xi) < 2.0 * max(one.fit.xi_error, other.fit.xi_error)
    assert "extremal index" in repr(clusters)


def test_bad_arguments():
    values = np.arange(100.0)
    with pytest.raises(CalibrationError, match="4 values exceed the threshold 95, fewer than 10"):
        extremal_index(values, 95.0)
    with pytest.raises(ModelError, match="run=0 is below 1"):
        decluster(values, 50.0, run=0)
    with pytest.raises(ModelError, match="row 3 is nan"):
        decluster([*range(3), math.nan], 1.0)
    with pytest.raises(ModelError, match="n_samples=5 is below 100"):
        extremal_index(values, 50.0, n_samples=5)
