"""Diagnostics of tails: what a sample says, what it does not, and samples from which nothing can be said."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python import TailDiagnostics
from bank_python.display import as_text
from bank_python.errors import CalibrationError, ModelError

FAST = {"rule": "power", "power_law": False}


@pytest.fixture(scope="module")
def student():
    return 0.02 * np.random.default_rng(7).standard_t(3, 5_000)


@pytest.fixture(scope="module")
def report(student):
    return TailDiagnostics.analyze(student)


def test_figures_of_the_reference(report, student):
    index = report.both.index
    assert (report.alpha, report.alpha_se, report.k_tail) == (index.alpha, index.alpha_se, index.k)
    assert report.n_observations == len(student)
    assert 2.0 < report.alpha < 4.0
    assert report.kappa == pytest.approx(np.abs(student - student.mean()).mean() / student.std(), rel=1e-12)
    assert report.kappa < report.kappa_gaussian == pytest.approx(0.7978845608028654, rel=1e-15)
    assert report.max_to_sum == pytest.approx((student**2).max() / (student**2).sum(), rel=1e-12)


def test_the_power_law_is_that_of_all_thresholds(report):
    # powerlaw 2.0 with alpha limited to [1, 10] on the same draws: its default, [0, 3], answers 2.9993
    law = report.power_law
    assert (law.alpha, law.xmin, law.n_tail) == (
        pytest.approx(3.733865792913892, abs=1e-9),
        pytest.approx(0.05987319935418838, rel=1e-12),
        269,
    )


def test_tails_apart(student):
    skewed = np.where(student < 0.0, student, 0.01 * np.abs(np.random.default_rng(1).standard_normal(len(student))))
    report = TailDiagnostics.analyze(skewed, **FAST)
    assert report.left.alpha < 4.0 < report.right.alpha
    assert report.left.n_observations == int((skewed < 0.0).sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(1e-6, 1e4), st.integers(100, 2_000))
def test_units_change_nothing_and_a_change_of_sign_swaps_the_tails(seed, unit, count):
    returns = np.random.default_rng(seed).standard_t(4, count)
    first = TailDiagnostics.analyze(returns, **FAST)
    second = TailDiagnostics.analyze(-unit * returns, **FAST)
    assert second.left.alpha == pytest.approx(first.right.alpha, rel=1e-9)
    assert second.right.alpha == pytest.approx(first.left.alpha, rel=1e-9)
    for name in ("alpha", "kappa", "kappa_n", "max_to_sum", "top_share"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), rel=1e-9), name
    assert [m.verdict for m in second.moments] == [m.verdict for m in first.moments]


def test_the_order_of_the_sample_does_not_matter_to_tails(student):
    shuffled = np.random.default_rng(0).permutation(student)
    assert TailDiagnostics.analyze(shuffled, **FAST).alpha == TailDiagnostics.analyze(student, **FAST).alpha


def test_moments_below_the_interval_exist_and_those_above_it_do_not(report):
    low, high = report.both.index.low, report.both.index.high
    for item in report.moments:
        if item.verdict is True:
            assert item.p < low
        if item.verdict is False:
            assert item.p > high
    assert report.moments[0].verdict is True
    assert report.moments[3].verdict is not True


def test_the_verdict_names_both_tails_and_says_what_it_does_not(report):
    assert f"{report.left.alpha:.2f}" in report.verdict
    assert f"{report.right.alpha:.2f}" in report.verdict
    assert "mean" in report.verdict
    assert any("proves" in said for said in report.does_not_say)
    assert any("1 in 5,000" in said for said in report.does_not_say)


def test_the_page_keeps_its_names_at_80_columns(report):
    shown = as_text(report, width=80, lines=200)
    assert all(len(line) <= 80 for line in shown.splitlines())
    for name in ("left", "right", "both", "MAD / SD", "Taleb's κ", "Max to sum, p = 2", "Top 1 %, corrected"):
        assert name in shown


def test_curves_and_exports(report, tmp_path):
    assert report.hill_curve("right").n_tail == report.right.n_observations
    assert report.max_to_sum_curves().final[2.0] == pytest.approx(report.max_to_sum, rel=1e-12)
    assert len(report.mean_excess_curve().to_table()) > 10
    assert len(report.survival_points("both").to_table()) > 10
    assert len(report.qq_points().to_table()) > 10
    rows = json.loads(report.to_json())
    assert [row["side"] for row in rows] == ["left", "right", "both"]
    assert rows[2]["alpha"] == report.alpha
    with pytest.raises(ModelError, match="side='top' is no tail; choose one of left, right, both"):
        report.hill_curve("top")


def test_the_seed_decides(student):
    first, again = (TailDiagnostics.analyze(student[:800], seed=3, power_law=False) for _ in range(2))
    assert first.k_tail == again.k_tail
    assert TailDiagnostics.analyze(student, k=100, power_law=False).k_tail == 100


def test_few_points_are_said():
    with pytest.raises(CalibrationError, match=r"9 values, fewer than 10"):
        TailDiagnostics.analyze(np.arange(9.0))
    report = TailDiagnostics.analyze(0.01 * np.random.default_rng(1).standard_normal(60))
    assert any("60 returns are few" in note for note in report.notes)
    assert any("top" in note or "largest 1%" in note for note in report.notes)
    assert math.isnan(report.top_share)


def test_one_signed_data_have_one_tail():
    report = TailDiagnostics.analyze(np.random.default_rng(2).pareto(3.0, 1_000), **FAST)
    assert report.left.index is None
    assert math.isnan(report.left.alpha)
    assert "0 of" in report.left.reason or "no" in report.left.reason
    assert any(note.startswith("left tail") for note in report.notes)
    assert report.right.alpha > 1.0
    assert "no index" in report.verdict


def test_constant_and_broken_series_are_refused_with_the_row():
    with pytest.raises(CalibrationError, match="to rounding"):
        TailDiagnostics.analyze(np.full(100, 0.1) + np.arange(100) * 1e-18)
    broken = np.random.default_rng(3).standard_normal(100)
    broken[41] = np.nan
    with pytest.raises(ModelError, match="row 41"):
        TailDiagnostics.analyze(broken)
    with pytest.raises(ModelError, match="shape"):
        TailDiagnostics.analyze(np.zeros((10, 2)))


def test_ties_and_zeros_are_noted():
    rounded = np.round(0.01 * np.random.default_rng(4).standard_normal(1_000), 2)
    notes = TailDiagnostics.analyze(rounded, **FAST).notes
    assert any("exactly 0" in note for note in notes)
    assert any("repeat another one" in note for note in notes)


def test_profits_in_money_have_no_growth():
    report = TailDiagnostics.analyze(1e4 * np.random.default_rng(5).standard_t(3, 500), **FAST)
    assert report.growth is None
    assert any("profit or loss in money" in note for note in report.notes)


def test_static_estimators_of_the_reference():
    pareto = np.random.default_rng(6).pareto(3.0, 10_000) + 1.0
    alpha, error = TailDiagnostics.hill_estimator(pareto)
    assert abs(alpha - 3.0) < 1.0
    assert error == pytest.approx(alpha / math.sqrt(int(10_000**0.6)))
    assert TailDiagnostics.hill_estimator(np.sort(pareto)) == (alpha, error)  # unsorted data give the same
    small, large = (TailDiagnostics.hill_estimator(pareto[:n])[1] for n in (500, 10_000))
    assert large < small
    gaussian = np.random.default_rng(8).standard_normal(5_000)
    assert TailDiagnostics.hill_estimator(np.abs(gaussian))[0] > 4.0
    assert TailDiagnostics.kappa_metric(gaussian) == pytest.approx(0.7979, abs=0.02)
    assert math.isnan(TailDiagnostics.kappa_metric(np.full(50, 0.3)))
    assert TailDiagnostics.max_to_sum_ratio(np.zeros(20)) == 0.0
    assert TailDiagnostics.max_to_sum_ratio(np.random.default_rng(9).standard_normal(10_000)) < 0.01
    outlier = np.append(np.random.default_rng(9).standard_normal(999), 100.0)
    assert TailDiagnostics.max_to_sum_ratio(outlier) > 0.05
    assert all(map(math.isnan, TailDiagnostics.hill_estimator(np.arange(1.0, 9.0))))


def test_returns_of_the_stock_market():
    data = pytest.importorskip("arch.data.sp500").load()
    returns = data["Adj Close"].pct_change().dropna()
    report = TailDiagnostics.analyze(returns, rule="power")
    # Cont (2001), "Empirical properties of asset returns": daily index returns have tail indices between 2 and 5
    assert 2.0 < report.left.alpha < 5.0
    assert 2.0 < report.right.alpha < 5.0
    assert report.kappa < report.kappa_gaussian
    assert report.moments[0].verdict is True
