"""The calls of the reference on the framework run as they are written, and mean what they say."""

import io

import numpy as np
import pytest
from rich.console import Console

from bank_python import (
    BarbellOptimizer,
    CorrelationFragilityAnalyzer,
    CovarianceData,
    HedgingErrorSimulator,
    PowerLawPricer,
    TailDiagnostics,
    create_optimizer,
)
from bank_python.taleb import barbell_optimizer, power_law_pricer, rendering

SAMPLE = 0.02 * np.random.default_rng(3).standard_normal((300, 3))
SAMPLE += [0.0006, 0.0005, 0.0004] - SAMPLE.mean(axis=0)  # means close enough for a portfolio of all three


@pytest.fixture(scope="module")
def cov_data():
    return CovarianceData.from_returns(SAMPLE, ["AAPL", "MSFT", "JPM"])


def test_diagnostics():
    result = TailDiagnostics.analyze(np.random.default_rng(0).standard_t(df=3, size=5000) * 0.02)
    assert result.alpha < 4.0
    assert result.kappa < np.sqrt(2.0 / np.pi)
    assert result.max_to_sum > 0.0


def test_pricing():
    pricer = PowerLawPricer(spot=100, anchor_strike=105, anchor_price=3.50, alpha=2.5)
    result = pricer.price_range(strikes=[100, 105, 110, 120, 130, 140, 150], bsm_vol=0.20)
    # C(120)/C(105) = (20/5)^(1 - 2.5) = 1/8
    assert pricer.price_call(120) == pytest.approx(3.50 / 8.0, rel=1e-12)
    assert result.pl_prices[1:4] == pytest.approx([3.50, 3.50 * 2.0**-1.5, 3.50 / 8.0], rel=1e-12)
    assert np.isnan(result.pl_prices[0])
    assert result.bsm_prices[0] == pytest.approx(7.965567, abs=1e-6)  # 100 (2 N(0.1) - 1)


def test_hedging():
    results = HedgingErrorSimulator(spot=100, strike=100, vol=0.20, T=1.0, n_steps=252).compare_all(
        n_paths=5_000, seed=42
    )
    assert [found.distribution for found in results] == ["gaussian", "student_t", "power_law"]
    assert results[0].kurtosis < results[1].kurtosis
    assert results[0].es_99 < results[2].es_99


def test_barbell(cov_data):
    result = BarbellOptimizer(cov_data, risk_free_rate=0.05, epsilon=0.05, max_loss_pct=0.10).optimize()
    assert result.tickers == ("SAFE", "AAPL", "MSFT", "JPM")
    assert sum(result.weights) == pytest.approx(1.0, abs=1e-9)
    for word in ("barbell", "taleb_barbell"):
        made = create_optimizer(word, cov_data, epsilon=0.05, max_loss_pct=0.10).optimize()
        assert made.tickers[0] == "SAFE"


def test_correlations(cov_data):
    result = CorrelationFragilityAnalyzer(cov_data).analyze(perturbation_deltas=[-0.3, -0.2, -0.1, 0.1, 0.2, 0.3])
    assert result.weight_sensitivity > 0.0
    assert 0.0 < result.rolling_corr_std < 1.0
    assert result.delta_statistic > 0.0


def test_pages(cov_data):
    pricer = PowerLawPricer(spot=100, anchor_strike=105, anchor_price=3.50, alpha=2.5)
    pages = [
        (rendering.render_tail_diagnostics, TailDiagnostics.analyze(SAMPLE[:, 0], rule="power"), "MAD / SD"),
        (rendering.render_power_law_pricing, pricer.price_range([110, 120]), "Black"),
        (rendering.render_hedging_errors, HedgingErrorSimulator().compare_all(n_paths=200), "student_t"),
        (rendering.render_barbell_portfolio, BarbellOptimizer(cov_data).optimize(), "Barbell"),
        (rendering.render_correlation_fragility, CorrelationFragilityAnalyzer(cov_data).analyze(), "Jennrich"),
    ]
    for render, result, said in pages:
        console = Console(file=io.StringIO(), width=100)
        render(result, console)
        assert said in console.file.getvalue()


def test_submodules_have_the_names_of_the_reference():
    assert barbell_optimizer.BarbellOptimizer is BarbellOptimizer
    assert power_law_pricer.PowerLawOption.__name__ == "PowerLawOption"
