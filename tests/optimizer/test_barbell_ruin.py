"""Ruin of barbells: closed forms of one and two periods, Brownian motion, simulation, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from bank_python.display import as_text
from bank_python.errors import CalibrationError, ModelError
from bank_python.optimizer.barbell import BarbellOptimizer
from bank_python.optimizer.barbell_mix import BarbellMix
from bank_python.optimizer.barbell_ruin import barbell_ruin
from bank_python.optimizer.covariance_data import CovarianceData

MIX = BarbellMix(share=0.4, safe_return=0.0, mean=0.08, deviation=0.2)
DATA = CovarianceData(tickers=["SPY", "BTC"], covariance=[[0.0256, 0.02], [0.02, 0.36]], expected_returns=[0.09, 0.25])


def law(df):
    return stats.norm() if df is None else stats.t(df, scale=math.sqrt((df - 2.0) / df))


def tails(df):
    return {} if df is None else {"tails": "student_t", "degrees_of_freedom": df}


def simulated(mix, level, periods, per_year, df, *, rebalanced, paths=200_000, seed=1):
    """Return the share of ruined paths, drawn one by one with numpy alone, and its standard error."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((periods, paths)) if df is None else rng.standard_t(df, (periods, paths))
    z = z if df is None else z * math.sqrt((df - 2.0) / df)
    basket = 1.0 + mix.mean / per_year + mix.deviation / math.sqrt(per_year) * z
    safe = 1.0 + mix.safe_return / per_year
    if rebalanced:
        wealth = np.cumprod((1.0 - mix.share) * safe + mix.share * basket, axis=0)
    else:
        grown = safe ** np.arange(1, periods + 1)[:, None]
        wealth = (1.0 - mix.share) * grown + mix.share * np.cumprod(basket, axis=0)
    ruined = float((wealth.min(axis=0) <= 1.0 - level).mean())
    return ruined, math.sqrt(max(ruined * (1.0 - ruined), 1.0 / paths) / paths)


@pytest.mark.parametrize("df", [None, 2.5, 4.0, 30.0])
@pytest.mark.parametrize("rebalanced", [True, False])
def test_one_period_is_the_distribution_function(df, rebalanced):
    """P(θ (μ + σ Z) <= -L), in both ways of holding, as there is nothing to rebalance."""
    found = barbell_ruin(MIX, 0.1, years=1.0, periods_per_year=1.0, rebalanced=rebalanced, **tails(df))
    assert found.probability == pytest.approx(law(df).cdf((-0.1 / 0.4 - 0.08) / 0.2), rel=1e-10)


@pytest.mark.parametrize("df", [None, 4.0])
def test_two_periods_by_adaptive_quadrature(df):
    z = law(df)

    def ruined_next(first):
        wealth = 1.0 + 0.4 * (0.08 + 0.2 * first)
        needed = ((1.0 - 0.1) / wealth - 1.0) / 0.4
        return z.pdf(first) * z.cdf((needed - 0.08) / 0.2)

    limit = (-0.25 - 0.08) / 0.2
    later = sum(integrate.quad(ruined_next, *part, epsabs=1e-13)[0] for part in ((limit, 5.0), (5.0, np.inf)))
    found = barbell_ruin(MIX, 0.1, years=2.0, periods_per_year=1.0, **tails(df))
    assert found.by_period[0] == pytest.approx(z.cdf(limit), rel=1e-10)
    # Paths that are four deviations up are taken as safe; with Student's t some of them fall by as much.
    assert found.probability == pytest.approx(z.cdf(limit) + later, rel=1e-6 if df is None else 1e-4)


def test_many_periods_tend_to_brownian_motion():
    """First passage with drift, the barrier moved by 0.5826 deviations of a period (Broadie, Glasserman, Kou 1997)."""
    mix = BarbellMix(share=1.0, safe_return=0.0, mean=0.04, deviation=0.1)
    found = barbell_ruin(mix, 0.15, years=2.0, periods_per_year=252.0)
    drift, years = 0.04 - 0.5 * 0.1**2, 2.0
    a = -math.log1p(-0.15) + 0.5826 * 0.1 / math.sqrt(252.0)
    root = 0.1 * math.sqrt(years)
    wanted = stats.norm.cdf((-a - drift * years) / root)
    wanted += math.exp(-2.0 * drift * a / 0.1**2) * stats.norm.cdf((-a + drift * years) / root)
    assert found.probability == pytest.approx(wanted, rel=5e-3)
    assert found.error < 1e-10


@pytest.mark.parametrize("df", [None, 4.0])
@pytest.mark.parametrize("rebalanced", [True, False])
@pytest.mark.parametrize("rate", [0.0, 0.03])
def test_simulated_paths_agree(df, rebalanced, rate):
    mix = BarbellMix(share=0.4, safe_return=rate, mean=0.08, deviation=0.2)
    found = barbell_ruin(mix, 0.12, years=3.0, rebalanced=rebalanced, **tails(df))
    share, error = simulated(mix, 0.12, 36, 12.0, df, rebalanced=rebalanced, paths=60_000)
    assert abs(found.probability - share) < 4.0 * error
    assert found.error < 1e-6


def test_held_without_rebalancing_the_safe_part_is_safe():
    assert barbell_ruin(MIX, 0.41, rebalanced=False).probability == 0.0
    assert barbell_ruin(MIX, 0.41).probability > 0.0
    sample = np.random.default_rng(0).standard_t(3, 500)
    assert barbell_ruin(MIX, 0.41, rebalanced=False, tails="empirical", sample=sample).probability == 0.0


@settings(max_examples=20)
@given(st.floats(0.05, 1.0), st.floats(0.05, 0.5), st.floats(0.02, 0.3), st.sampled_from([None, 3.0]))
def test_more_risk_and_more_time_never_mean_less_ruin(share, level, more, df):
    mix = BarbellMix(share=share, safe_return=0.0, mean=0.05, deviation=0.2)
    found = barbell_ruin(mix, level, years=2.0, **tails(df))
    assert (np.diff(found.by_period) >= 0.0).all()
    assert 0.0 <= found.probability <= 1.0
    easier = barbell_ruin(mix, min(level + more, 0.99), years=2.0, **tails(df))
    assert easier.probability <= found.probability + 1e-7


def test_empirical_tails_are_drawn_from_the_past():
    """Drawn from 20,000 normal numbers, the probability is that of normal tails within four standard errors."""
    sample = np.random.default_rng(3).standard_normal(20_000)
    found = barbell_ruin(MIX, 0.1, years=2.0, tails="empirical", sample=5.0 + 3.0 * sample, seed=4)
    assert abs(found.probability - barbell_ruin(MIX, 0.1, years=2.0).probability) < 4.0 * found.error
    again = barbell_ruin(MIX, 0.1, years=2.0, tails="empirical", sample=sample, seed=4)
    assert again.by_period == pytest.approx(found.by_period)


def test_nothing_at_risk_is_certain():
    assert barbell_ruin(MIX.at(0.0), 0.1).probability == 0.0
    shrinking = BarbellMix(share=0.0, safe_return=-0.05, mean=0.08, deviation=0.2)
    found = barbell_ruin(shrinking, 0.1, years=5.0, periods_per_year=1.0)
    assert found.by_period.tolist() == [0.0, 0.0, 1.0, 1.0, 1.0]  # 0.95³ = 0.857


def test_the_optimiser_gives_its_share_and_its_tails():
    optimiser = BarbellOptimizer(DATA, risk_free_rate=0.04, tails="student_t", degrees_of_freedom=3.0)
    figures = optimiser.optimize().figures
    mix = BarbellMix(
        share=figures["risky_share"],
        safe_return=0.04,
        mean=figures["basket_return"],
        deviation=figures["basket_volatility"],
    )
    found = optimiser.ruin_probability(0.2, years=3.0)
    wanted = barbell_ruin(mix, 0.2, years=3.0, tails="student_t", degrees_of_freedom=3.0)
    assert found.probability == wanted.probability
    assert found.share == figures["risky_share"]
    held = optimiser.ruin_probability(0.2, years=3.0, rebalanced=False)
    assert held.probability != found.probability


def test_the_optimiser_with_empirical_tails():
    rng = np.random.default_rng(5)
    data = CovarianceData.from_returns(0.0006 + 0.008 * rng.standard_t(4, (600, 3)), ["A", "B", "C"])
    optimiser = BarbellOptimizer(data, tails="empirical", max_loss_pct=0.05)
    found = optimiser.ruin_probability(0.05, years=1.0)
    assert 0.0 < found.probability < 1.0
    assert found.tails.value == "empirical"


def test_exports_view_and_plot():
    found = barbell_ruin(MIX, 0.1, years=2.0)
    rows = found.to_table().to_list()
    assert len(rows) == 24
    assert rows[-1] == {"period": 24, "years": 2.0, "probability": found.probability}
    assert found.years == 2.0
    text = as_text(found)
    assert "Ruin of a barbell with 40.0% at risk: a loss of 10%" in text
    assert "rebalanced" in text
    assert "rebalanced" in found.plot().axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"ruin_level": 0.0}, ModelError, r"ruin_level=0\.0"),
        ({"ruin_level": 1.0}, ModelError, "not below 1"),
        ({"years": 0.3, "periods_per_year": 12.5}, ModelError, "3.75 periods"),
        ({"years": -1.0}, ModelError, "years"),
        ({"periods_per_year": 0.0}, ModelError, "periods_per_year"),
        ({"tails": "cauchy"}, CalibrationError, "no tail distribution"),
        ({"tails": "student_t", "degrees_of_freedom": 2.0}, ModelError, "above 2"),
        ({"tails": "empirical"}, CalibrationError, "give past returns"),
        ({"tails": "empirical", "sample": [1.0, 1.0]}, CalibrationError, "constant"),
        ({"years": 10.0, "periods_per_year": 100_000.0}, ModelError, "at most 100,000"),
        ({"years": 40.0, "periods_per_year": 2_000.0}, CalibrationError, "nodes of quadrature"),
    ],
)
def test_bad_input_is_named(arguments, error, said):
    with pytest.raises(error, match=said):
        barbell_ruin(MIX, **arguments)


def test_a_shrinking_safe_part_cannot_be_held():
    mix = BarbellMix(share=0.4, safe_return=-0.01, mean=0.08, deviation=0.2)
    with pytest.raises(ModelError, match="rebalanced=True"):
        barbell_ruin(mix, 0.2, rebalanced=False)
    assert barbell_ruin(mix, 0.2, years=1.0).probability > 0.0
