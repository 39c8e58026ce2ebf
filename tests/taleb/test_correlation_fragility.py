"""Fragility of portfolios to correlations: closed forms, valid ranges, named failures, stability and bad input."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.display import as_text
from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.numerics import nearest_correlation
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.factory import create_optimizer
from bank_python.optimizer.mean_variance import MeanVarianceOptimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.taleb.correlation_fragility import PERTURBATION_DELTAS, CorrelationFragilityAnalyzer
from bank_python.taleb.correlation_shift import common_shift, nearest_shift, shift_range
from bank_python.taleb.two_assets import two_asset_sensitivity, two_asset_weight


def two(rho=0.6, vols=(0.15, 0.2), means=(0.07, 0.075)):
    covariance = np.array([[1.0, rho], [rho, 1.0]]) * np.outer(vols, vols)
    return CovarianceData(tickers=["A", "B"], covariance=covariance, expected_returns=list(means))


def panel(rows=400, assets=5, seed=0):
    rng = np.random.default_rng(seed)
    returns = 0.01 * (rng.standard_normal((rows, assets)) + 0.7 * rng.standard_normal((rows, 1)))
    return CovarianceData.from_returns(returns + 0.0004, [f"A{i}" for i in range(assets)])


def test_two_assets_agree_with_the_closed_form():
    found = CorrelationFragilityAnalyzer(two(), risk_aversion=3.0).analyze()
    figures = {"means": (0.07, 0.075), "risk_aversion": 3.0, "long_only": True}
    assert found.perturbation_deltas.tolist() == list(PERTURBATION_DELTAS)
    base = two_asset_weight((0.15, 0.2), 0.6, **figures)
    weights = [two_asset_weight((0.15, 0.2), 0.6 + delta, **figures) for delta in PERTURBATION_DELTAS]
    assert found.base_weights == pytest.approx([base, 1.0 - base], abs=1e-9)
    assert found.perturbed_weights[:, 0] == pytest.approx(weights, abs=1e-9)
    moved = [abs(w - base) / abs(d) for w, d in zip(weights, PERTURBATION_DELTAS, strict=True) if d]
    assert found.weight_sensitivities == pytest.approx({"A": max(moved), "B": max(moved)}, abs=1e-7)
    assert found.weight_sensitivity == pytest.approx(max(moved), abs=1e-7)
    slope = two_asset_sensitivity((0.15, 0.2), 0.6, **figures)
    assert found.local_sensitivities == pytest.approx({"A": slope, "B": -slope}, rel=1e-9)


def test_the_base_is_the_long_only_portfolio_with_risk_aversion_one():
    data = panel()
    found = CorrelationFragilityAnalyzer(data).analyze()
    wanted = create_optimizer("mean_variance", data, risk_aversion=1.0, bounds=(0.0, 1.0)).optimize()
    assert found.base_weights.tolist() == wanted.weights.tolist()
    assert found.tickers == data.tickers
    assert found.perturbed_weights.shape == (9, 5)
    assert found.perturbed_weights.sum(axis=1) == pytest.approx(1.0, abs=1e-9)


def test_local_sensitivities_are_the_limit_of_small_shifts():
    data = panel(assets=4, seed=2)
    found = CorrelationFragilityAnalyzer(data, risk_aversion=20.0).analyze([-1e-5, 1e-5], bootstrap=0)
    assert (found.base_weights > 1e-3).sum() >= 2
    quotient = (found.perturbed_weights[1] - found.perturbed_weights[0]) / 2e-5
    assert list(found.local_sensitivities.values()) == pytest.approx(quotient, abs=1e-4)


@given(st.integers(2, 8), st.floats(0.05, 0.9))
def test_the_range_of_equal_correlations(n, rho):
    low, high = shift_range(rho + (1.0 - rho) * np.eye(n))
    assert low == pytest.approx(-1.0 / (n - 1) - rho, rel=1e-9)
    assert high == pytest.approx(1.0 - rho, rel=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_the_range_ends_where_an_eigenvalue_is_zero(seed, n):
    correlation = np.corrcoef(np.random.default_rng(seed).standard_normal((40, n)).T)
    for end in shift_range(correlation):
        assert np.linalg.eigvalsh(common_shift(correlation, end))[0] == pytest.approx(0.0, abs=1e-9)
        assert np.linalg.eigvalsh(common_shift(correlation, 0.999 * end))[0] > 0.0


def test_shifts_beyond_the_range_say_their_distance():
    found = CorrelationFragilityAnalyzer(two(0.9)).analyze([0.05, 0.3])
    assert found.valid_range == pytest.approx((-1.9, 0.1))
    # Two assets with correlation 1.2: the nearest has correlation 1, 0.2 off in two places.
    assert found.distances == pytest.approx([0.0, math.sqrt(2.0) * 0.2], abs=1e-6)
    assert found.changes == pytest.approx([0.05, 0.1], abs=1e-6)
    assert any("+0.3 leave the range [-1.900, +0.100]" in note for note in found.notes)
    moved = common_shift(panel().correlation, 0.9)
    nearest, distance = nearest_shift(panel().correlation, 0.9)
    assert distance == pytest.approx(np.linalg.norm(nearest_correlation(moved) - moved), rel=1e-3)
    assert nearest == pytest.approx(nearest_correlation(moved), abs=1e-6)


def test_a_failure_is_named_and_its_weights_are_not_those_of_the_base(monkeypatch):
    solve = MeanVarianceOptimizer.optimize

    def failing(self):
        if self._data.estimator == "given" and self._data.correlation[0, 1] > 0.75:
            raise InfeasibleError("no weights were found")
        return solve(self)

    monkeypatch.setattr(MeanVarianceOptimizer, "optimize", failing)
    found = CorrelationFragilityAnalyzer(two()).analyze([-0.1, 0.2])
    assert found.failures == {0.2: "no weights were found"}
    assert np.isnan(found.perturbed_weights[1]).all()
    assert np.isfinite(found.weight_sensitivity)
    assert any("no weights at a shift of +0.2" in note for note in found.notes)
    assert found.to_table().to_list()[1]["weight_A"] is None
    assert "no weights were found" in as_text(found, lines=60)


def test_without_returns_there_are_reasons():
    found = CorrelationFragilityAnalyzer(two()).analyze()
    for name in ("rolling_corr_mean", "rolling_corr_std", "delta_statistic", "p_value", "bootstrap_p_value"):
        assert math.isnan(getattr(found, name)), name
        assert found.reasons[name].startswith("the data hold no past returns"), name
    assert found.tests is None
    assert found.noise is None


def test_too_few_returns_are_said_with_the_number():
    found = CorrelationFragilityAnalyzer(panel(rows=30)).analyze(rolling_window=20)
    assert math.isnan(found.delta_statistic)
    assert found.reasons["delta_statistic"].startswith("30 returns of 5 assets")
    assert np.isfinite(found.rolling_corr_std)


def test_stable_returns_are_not_rejected_and_flips_are():
    calm = CorrelationFragilityAnalyzer(panel()).analyze()
    assert calm.bootstrap_p_value > 0.05
    assert calm.reasons == {}
    returns = panel().returns.copy()
    returns[200:, 0] = 2.0 * returns[:, 0].mean() - returns[200:, 0]
    broken = CorrelationFragilityAnalyzer(CovarianceData.from_returns(returns, panel().tickers)).analyze()
    assert broken.bootstrap_p_value == 1.0 / 200.0
    assert broken.p_value < 1e-3
    assert broken.rolling_corr_std > 1.3 * calm.rolling_corr_std


def test_same_seed_same_figures():
    analyzer = CorrelationFragilityAnalyzer(panel())
    one, other = (analyzer.analyze(bootstrap=49, seed=5).bootstrap_p_value for _ in range(2))
    assert one == other
    none = analyzer.analyze(bootstrap=0)
    assert math.isnan(none.bootstrap_p_value)
    assert "bootstrap=" in none.reasons["bootstrap_p_value"]


def test_the_rate_is_that_of_the_house_and_changes_no_weight():
    default = inspect.signature(CorrelationFragilityAnalyzer).parameters["risk_free_rate"].default
    assert default == RISK_FREE_RATE
    free, dear = (CorrelationFragilityAnalyzer(two(), rate).analyze().base_weights for rate in (0.0, 0.05))
    assert free.tolist() == dear.tolist()


def test_a_corner_is_called_one():
    found = CorrelationFragilityAnalyzer(two(means=(0.5, 0.0))).analyze()
    assert found.weight_sensitivity == 0.0
    assert any("corner" in note for note in found.notes)
    assert found.local_sensitivities == pytest.approx({"A": 0.0, "B": 0.0}, abs=1e-12)


def test_no_shift_gives_no_sensitivity():
    found = CorrelationFragilityAnalyzer(two()).analyze([0.0])
    assert math.isnan(found.weight_sensitivity)
    assert found.perturbed_weights[0].tolist() == found.base_weights.tolist()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_order_of_assets_changes_nothing(seed):
    order = np.random.default_rng(seed).permutation(5)
    data = panel()
    moved = CovarianceData(
        tickers=[data.tickers[i] for i in order],
        covariance=data.covariance[np.ix_(order, order)],
        expected_returns=data.expected_returns[order],
    )
    base = CorrelationFragilityAnalyzer(data, risk_aversion=10.0).analyze([-0.1, 0.1], bootstrap=0)
    other = CorrelationFragilityAnalyzer(moved, risk_aversion=10.0).analyze([-0.1, 0.1], bootstrap=0)
    assert other.weight_sensitivities == pytest.approx(base.weight_sensitivities, abs=1e-6)


def test_exports_view_and_plot():
    found = CorrelationFragilityAnalyzer(panel(), risk_aversion=10.0).analyze()
    rows = found.to_table().to_list()
    assert [row["delta"] for row in rows] == list(PERTURBATION_DELTAS)
    text = as_text(found, lines=60)
    for said in ("Fragility to correlations", "Jennrich", "bootstrap p", "Marchenko"):
        assert said in text
    assert len(found.plot().axes[0].lines) >= 5


def test_real_shares_have_unstable_correlations():
    """Twenty shares of the S&P 500, the last thousand days: correlations moved, and more than by sampling."""
    datasets = pytest.importorskip("skfolio.datasets")
    prices = datasets.load_sp500_dataset().iloc[-1001:]
    found = CorrelationFragilityAnalyzer(CovarianceData.from_prices(prices), risk_aversion=5.0).analyze(bootstrap=99)
    assert found.rolling is not None
    assert found.rolling_corr_std > found.rolling.noise
    assert found.bootstrap_p_value == 0.01  # 0.99 if volatility were left in
    assert 0.2 < found.noise.noise_share < 0.8


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: CorrelationFragilityAnalyzer("data"), ModelError, "give a CovarianceData"),
        (lambda: CorrelationFragilityAnalyzer(two(), math.nan), ModelError, "risk_free_rate=nan"),
        (lambda: CorrelationFragilityAnalyzer(two(), risk_aversion=0.0), ModelError, "risk_aversion=0.0"),
        (lambda: CorrelationFragilityAnalyzer(two().with_cash(0.0)), CalibrationError, "CASH has none"),
        (lambda: CorrelationFragilityAnalyzer(two()).analyze([]), ModelError, "empty"),
        (lambda: CorrelationFragilityAnalyzer(two()).analyze([math.nan]), ModelError, "perturbation_deltas=nan"),
        (lambda: CorrelationFragilityAnalyzer(panel()).analyze(rolling_window=2), ModelError, "window=2"),
        (lambda: CorrelationFragilityAnalyzer(panel()).analyze(bootstrap=-1), ModelError, "bootstrap=-1"),
    ],
)
def test_bad_input_is_named(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_data_that_do_not_suffice():
    one = CovarianceData(tickers=["A"], covariance=[[0.04]], expected_returns=[0.05])
    with pytest.raises(CalibrationError, match="give two or more"):
        CorrelationFragilityAnalyzer(one)
    bare = CovarianceData(tickers=["A", "B"], covariance=np.eye(2))
    with pytest.raises(CalibrationError, match="expected returns"):
        CorrelationFragilityAnalyzer(bare)
