"""Evidence on moments, which proves nothing, and pictures of samples."""

from __future__ import annotations

import numpy as np
import pytest

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.max_to_sum import max_to_sum
from bank_python.taleb.moments import moment_evidence, moment_exists
from bank_python.taleb.sample_pictures import qq_points, survival_points
from bank_python.taleb.tail_index import tail_index


def student(seed, df=3.0, n=4_000):
    return np.random.default_rng(seed).standard_t(df, n)


def test_verdicts_are_seldom_wrong():
    wrong, right = 0, 0
    for seed in range(30):
        x = student(seed)
        for p, exists in ((1.0, True), (2.0, True), (4.0, False), (6.0, False)):
            verdict = moment_exists(x, p, rule="power").verdict
            wrong += verdict is (not exists)
            right += verdict is exists
    assert wrong <= 3  # measured: 1 of 120; the intervals are of 95 %
    assert right >= 70


def test_a_normal_sample_is_not_said_to_lack_moments():
    verdicts = {moment_exists(np.random.default_rng(seed).normal(size=2_000), 20.0, k=60).verdict for seed in range(20)}
    assert False not in verdicts


def test_the_evidence():
    x = student(3)
    found = moment_exists(x, 2, rule="power")
    index = tail_index(np.abs(x), "power")
    assert found == moment_evidence(x, 2.0, index)
    assert found.alpha == index.alpha
    assert found.low == min(index.low, index.corrected_interval[0])
    assert found.ratio == max_to_sum(x, 2.0)
    assert found.ratio_half == max_to_sum(x[:2_000], 2.0)
    assert found.slope == pytest.approx(np.log2(found.ratio / found.ratio_half))
    assert "order 2 (variance)" in found.sentence
    assert found.sentence.endswith("A finite sample proves nothing about its tail.")


def test_a_late_large_value_leaves_it_open():
    x = student(4)
    x[-1] = 60.0 * np.abs(x).max()
    found = moment_exists(x, 1.0, rule="power")
    assert found.verdict is None
    assert "the largest value came late" in found.sentence


def test_refused():
    with pytest.raises(CalibrationError, match="there are 10 values, fewer than 40"):
        moment_exists(np.arange(10.0), 2)
    with pytest.raises(CalibrationError, match="to rounding"):
        moment_exists(np.full(100, 0.01), 2)
    with pytest.raises(ModelError, match=r"p=0\.0"):
        moment_exists(student(1), 0.0, k=50)


def test_survival_is_the_share_of_values_at_least_as_large():
    x = np.array([3.0, -1.0, 2.0, 2.0, 0.0])
    points = survival_points(x)
    assert points.size.tolist() == [3.0, 2.0, 2.0]
    assert points.share.tolist() == [0.2, 0.6, 0.6]
    assert "3 positive of 5 observations" in repr(points)
    assert points.plot().axes[0].get_xscale() == "log"
    assert len(points.to_table().to_pandas()) == 3


def test_quantiles_of_a_distribution_are_on_the_line():
    stats = pytest.importorskip("scipy.stats")
    levels = (np.arange(3_000) + 0.5) / 3_000
    for law, alpha in ((stats.norm(0.1, 0.02), None), (stats.t(3, 0.1, 0.02), 3.0), (stats.t(1.5), 1.5)):
        points = qq_points(law.ppf(levels), alpha)
        middle = 0.5 * (points.sample[0] + points.sample[-1])
        # the quartiles of 3,000 values are interpolated, and so are inner quantiles of Student's t, to 2e-4
        assert points.theory - middle == pytest.approx(points.sample - middle, rel=1e-3, abs=1e-5)


def test_quantile_pictures():
    points = qq_points(student(5), 3.0)
    assert points.law == "Student t(3)"
    assert (np.diff(points.theory) > 0.0).all()
    assert "Quantiles beside Student t(3)" in repr(points)
    assert points.plot().axes[0].get_ylabel() == "value"
    with pytest.raises(CalibrationError, match="fewer than 10"):
        qq_points([1.0, 2.0])
    with pytest.raises(ModelError, match="alpha="):
        qq_points(student(5), 0.0)
