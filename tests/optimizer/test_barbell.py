"""Barbell portfolios: shares by hand, tails by simulation, limits that never or always bind, and invalid input."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.optimizer.barbell import BarbellOptimizer
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.factory import create_optimizer
from bank_python.optimizer.ratios import MaxSharpeOptimizer
from bank_python.risk_models.maximum_entropy import MaximumEntropyDistribution, TailConstraint

DATA = CovarianceData(tickers=["SPY", "BTC"], covariance=[[0.0256, 0.02], [0.02, 0.36]], expected_returns=[0.09, 0.25])
ONE = CovarianceData(tickers=["SPY"], covariance=[[0.04]], expected_returns=[0.08])


def past_data(rows=600, seed=5, **more):
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(4, (rows, 3)) @ (np.eye(3) + 0.4)
    return CovarianceData.from_returns(0.0006 + 0.008 * shocks, ["A", "B", "C"], **more)


def barbell(data=DATA, risk_free_rate=0.05, **more):
    return BarbellOptimizer(data, risk_free_rate=risk_free_rate, **more).optimize()


def test_one_asset_by_hand():
    """Normal, 5 %: κ = φ(1.644854)/0.05 = 2.062713; θ = (0.10 + 0.05)/(2.062713 · 0.2 − 0.08 + 0.05)."""
    held = barbell(ONE)
    share = 0.15 / (stats.norm.pdf(stats.norm.ppf(0.05)) / 0.05 * 0.2 - 0.03)
    assert held.tickers == ("SAFE", "SPY")
    assert held.weights == pytest.approx([1.0 - share, share], rel=1e-12)
    assert held.figures["risky_share"] == pytest.approx(share, rel=1e-12)
    assert held.figures["loss_at_epsilon"] == pytest.approx(0.10, abs=1e-15)
    assert held.expected_return == pytest.approx(0.05 + 0.03 * share, rel=1e-12)
    assert held.volatility == pytest.approx(0.2 * share, rel=1e-12)
    assert held.sharpe == pytest.approx(0.15, rel=1e-12)
    assert held.risk_shares.tolist() == pytest.approx([0.0, 1.0])
    assert held.certificate.kkt_residual < 1e-12
    assert held.certificate.binding == ("cvar at 0.05 within 0.1",)
    assert held.method == "barbell"


@pytest.mark.parametrize(
    ("more", "kappa"),
    [
        ({"measure": "var"}, -stats.norm.ppf(0.05)),
        ({"measure": "var", "tails": "student_t"}, -stats.t.ppf(0.05, 4) * math.sqrt(0.5)),
        (
            {"tails": "student_t", "degrees_of_freedom": 3.0},
            stats.t.pdf(stats.t.ppf(0.05, 3), 3) / 0.05 * (3 + stats.t.ppf(0.05, 3) ** 2) / 2 * math.sqrt(1 / 3),
        ),
    ],
)
def test_kappa_and_share_of_other_measures(more, kappa):
    held = barbell(ONE, **more)
    assert held.figures["kappa"] == pytest.approx(kappa, rel=1e-11)
    assert held.figures["risky_share"] == pytest.approx(0.15 / (kappa * 0.2 - 0.03), rel=1e-11)


def test_a_quarter_of_a_year():
    held = barbell(ONE, measure="var", horizon=0.25, max_loss_pct=0.05)
    loss = -stats.norm.ppf(0.05) * 0.2 * 0.5 - 0.08 * 0.25
    assert held.figures["risky_share"] == pytest.approx((0.05 + 0.0125) / (loss + 0.0125), rel=1e-12)
    assert held.expected_return == pytest.approx(0.05 + 0.03 * held.figures["risky_share"], rel=1e-12)


def test_the_risky_side_is_the_basket_of_largest_sharpe_ratio():
    best = MaxSharpeOptimizer(DATA, risk_free_rate=0.04).optimize()
    held = barbell(risk_free_rate=0.04)
    share = held.figures["risky_share"]
    assert held.weights[1:] == pytest.approx(share * best.weights, rel=1e-12)
    assert held.figures["basket_return"] == pytest.approx(best.expected_return, rel=1e-12)
    assert held.figures["basket_volatility"] == pytest.approx(best.volatility, rel=1e-12)
    assert held.sharpe == pytest.approx(best.sharpe, rel=1e-10)
    bounded = barbell(risk_free_rate=0.04, constraints=Constraints(bounds={"BTC": (0.0, 0.1)}))
    assert bounded.weights[2] == pytest.approx(0.1 * bounded.figures["risky_share"], rel=1e-10)
    assert "BTC" in bounded.certificate.at_upper


def test_create_optimizer_makes_barbells():
    made = create_optimizer(
        "barbell", DATA, bounds=(0.0, 0.8), epsilon=0.01, max_loss_pct=0.2, risk_free_rate=0.05
    ).optimize()
    same = barbell(constraints=Constraints(bounds=(0.0, 0.8)), epsilon=0.01, max_loss_pct=0.2)
    assert made.by_ticker() == same.by_ticker()
    assert sum(made.clean_weights().values()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("tails", ["gaussian", "student_t"])
@pytest.mark.parametrize("measure", ["var", "cvar"])
def test_no_other_basket_earns_more_within_the_limit(tails, measure):
    more = {"risk_free_rate": 0.04, "tails": tails, "measure": measure, "max_loss_pct": 0.06}
    best = barbell(**more)
    assert best.figures["risky_share"] < 1.0
    for part in np.linspace(0.0, 1.0, 21):
        other = barbell(risky={"SPY": 1.0 - part, "BTC": part}, **more)
        assert other.expected_return <= best.expected_return + 1e-12


@pytest.mark.parametrize("tails", ["gaussian", "student_t"])
@pytest.mark.parametrize("measure", ["var", "cvar"])
def test_simulated_losses_keep_the_limit(tails, measure):
    held = barbell(tails=tails, degrees_of_freedom=5.0, measure=measure, epsilon=0.05, max_loss_pct=0.12)
    rng = np.random.default_rng(11)
    n = 400_000
    draws = rng.standard_normal((n, 2)) @ np.linalg.cholesky(DATA.covariance).T
    if tails == "student_t":
        draws *= np.sqrt(3.0 / 5.0) * np.sqrt(5.0 / rng.chisquare(5.0, n))[:, None]
    returns = held.weights[0] * 0.05 + (DATA.expected_returns + draws) @ held.weights[1:]
    losses = np.sort(-returns)[::-1]
    tail = losses[: n // 20]
    assert tail[-1] == pytest.approx(held.figures["var"], rel=0.01)
    assert tail.mean() == pytest.approx(held.figures["cvar"], rel=0.015)
    assert held.figures["loss_at_epsilon"] == pytest.approx(0.12, abs=1e-14)
    assert returns.mean() == pytest.approx(held.expected_return, abs=0.001)


def test_empirical_tails_are_those_of_the_past():
    """At a horizon of one period the measure is that of the portfolio's past, up to the variance's n − 1."""
    data = past_data()
    period = 1.0 / 252.0
    held = barbell(data, tails="empirical", horizon=period, max_loss_pct=0.006, risk_free_rate=0.02)
    basket = data.returns @ (held.weights[1:] / held.figures["risky_share"])
    whole = data.returns @ held.weights[1:] + held.weights[0] * 0.02 * period
    scaled = whole.mean() + (whole - whole.mean()) * math.sqrt(600 / 599)
    worst = np.sort(scaled)[:30]
    assert held.figures["var"] == pytest.approx(-worst[-1], rel=1e-10)
    assert held.figures["cvar"] == pytest.approx(-worst.mean(), rel=1e-10)
    assert held.figures["cvar"] == pytest.approx(0.006, abs=1e-14)
    standard = np.sort((basket - basket.mean()) / basket.std())
    assert held.figures["kappa"] == pytest.approx(-standard[:30].mean(), rel=1e-10)


def test_all_is_risky_where_the_limit_never_binds():
    held = barbell(ONE, max_loss_pct=0.9)
    assert held.weights.tolist() == [0.0, 1.0]
    assert held.certificate.at_lower == ("SAFE",)
    assert held.certificate.binding == ()
    assert held.figures["loss_at_epsilon"] == pytest.approx(2.0627128 * 0.2 - 0.08, rel=1e-7)
    # Even if the safe asset by itself would lose more.
    certain = CovarianceData(tickers=["X"], covariance=[[1e-6]], expected_returns=[0.05])
    assert barbell(certain, risk_free_rate=-0.2).weights.tolist() == [0.0, 1.0]


def test_nothing_is_risky_where_the_safe_return_is_all_that_may_be_lost():
    held = barbell(ONE, risk_free_rate=0.0, max_loss_pct=0.0)
    assert held.weights.tolist() == [1.0, 0.0]
    assert math.isnan(held.sharpe)
    assert held.volatility == 0.0
    assert held.risk_shares.tolist() == [0.0, 0.0]
    assert held.figures["max_entropy"] == -math.inf
    assert held.figures["max_entropy_upside"] == 0.0


@pytest.mark.parametrize(("rate", "limit"), [(0.0, 1e-16), (-0.1 + 3e-16, 0.1), (-0.1 + 3e-15, 0.1)])
def test_a_share_too_small_to_differ_from_zero(rate, limit):
    held = barbell(ONE, risk_free_rate=rate, max_loss_pct=limit)
    assert 0.0 < held.figures["risky_share"] < 1e-13
    assert held.figures["max_entropy"] == -math.inf
    assert held.figures["max_entropy_upside"] == pytest.approx(rate, abs=1e-13)


def test_no_share_keeps_a_limit_that_the_safe_asset_breaks():
    with pytest.raises(
        InfeasibleError, match=r"is 0\.12 with everything in SAFE.*and 0\.33.* max_loss_pct=0\.1.*to 0\.12"
    ) as e:
        barbell(ONE, risk_free_rate=-0.12)
    assert e.value.value == pytest.approx(0.12)


def test_the_reference_is_the_maximum_entropy_distribution_with_the_same_tail():
    held = barbell(epsilon=0.02)
    figures = held.figures
    law = MaximumEntropyDistribution(TailConstraint(-figures["var"], -figures["cvar"], 0.02), held.expected_return)
    assert figures["max_entropy"] == pytest.approx(law.entropy, rel=1e-9)
    assert figures["max_entropy_upside"] == pytest.approx(law.upside_mean, rel=1e-9)
    normal = 0.5 * math.log(2.0 * math.pi * math.e) + math.log(held.volatility)
    assert figures["max_entropy"] > normal


@pytest.mark.parametrize(("falls", "epsilon", "open_upside"), [(30, 0.1, False), (60, 0.1, True), (60, 1 / 600, False)])
def test_a_side_that_is_certain_has_no_entropy(falls, epsilon, open_upside):
    """Returns that are constant except for some losses: outside of a tail with all losses there is a single return.

    The rest of the past is then above the threshold or at it; and a tail of one day has no spread either.
    """
    past = np.full((600, 1), 0.001)
    past[:falls, 0] = -0.01 - 0.001 * (np.arange(falls) % 2)
    data = CovarianceData.from_returns(past, ["CARRY"])
    held = barbell(data, tails="empirical", epsilon=epsilon, risky_return=0.08, risky={"CARRY": 1.0})
    assert (held.figures["max_entropy"] > -math.inf) is open_upside
    whole = (1.0 - epsilon) * held.figures["max_entropy_upside"] - epsilon * held.figures["cvar"]
    assert whole == pytest.approx(held.expected_return, rel=1e-10)


def test_a_basket_may_be_given():
    bare = CovarianceData(tickers=["SPY", "BTC"], covariance=DATA.covariance)
    held = barbell(bare, risky={"SPY": 0.5, "BTC": 0.5}, risky_return=0.17)
    same = barbell(risky={"BTC": 0.5, "SPY": 0.5})
    assert held.weights == pytest.approx(same.weights, rel=1e-13)
    assert held.expected_return == pytest.approx(same.expected_return, rel=1e-13)
    best = MaxSharpeOptimizer(DATA, risk_free_rate=0.05).optimize()
    assert barbell(risky=best).weights == pytest.approx(barbell().weights, rel=1e-12)
    short = barbell(risky={"SPY": 1.5, "BTC": -0.5}, constraints=Constraints(bounds=(-1.0, 2.0)))
    assert short.weights[2] < 0.0


@given(
    st.sampled_from(["gaussian", "student_t"]),
    st.sampled_from(["var", "cvar"]),
    st.floats(0.0, 0.5),
    st.floats(0.0, 0.5),
    st.floats(1e-4, 0.45),
    st.floats(1e-4, 0.45),
    st.floats(0.05, 4.0),
)
@settings(max_examples=60)
def test_more_room_never_means_less_risk(tails, measure, some, other, rare, often, horizon):
    def share(limit, epsilon):
        held = barbell(
            ONE, tails=tails, measure=measure, max_loss_pct=limit, epsilon=epsilon, horizon=horizon, risk_free_rate=0.02
        )
        assert held.weights.sum() == pytest.approx(1.0, abs=1e-15)
        assert 0.0 <= held.figures["risky_share"] <= 1.0
        assert held.figures["loss_at_epsilon"] <= limit + 1e-13
        assert held.figures["var"] <= held.figures["cvar"] + 1e-15
        return held.figures["risky_share"]

    low, high = sorted((some, other))
    rare, often = sorted((rare, often))
    assert share(low, rare) <= share(high, rare) + 1e-12
    assert share(low, rare) <= share(low, often) + 1e-12


@given(st.integers(0, 1000), st.floats(0.1, 10.0))
@settings(max_examples=25)
def test_units_and_order_change_nothing(seed, scale):
    """Multiplying all rates, deviations and limits by a number does not change the share."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3, 5)) * 0.03
    means = rng.uniform(0.03, 0.06, 3)
    data = CovarianceData(tickers=["A", "B", "C"], covariance=root @ root.T, expected_returns=means)
    scaled = CovarianceData(
        tickers=["C", "A", "B"],
        covariance=(root @ root.T)[np.ix_([2, 0, 1], [2, 0, 1])] * scale**2,
        expected_returns=means[[2, 0, 1]] * scale,
    )
    first = barbell(data, risk_free_rate=0.01, max_loss_pct=0.02)
    assume(first.figures["risky_share"] < 1.0)
    second = barbell(scaled, risk_free_rate=0.01 * scale, max_loss_pct=0.02 * scale)
    assert second.figures["risky_share"] == pytest.approx(first.figures["risky_share"], rel=1e-8)
    for name in ("SAFE", "A", "B", "C"):
        assert second.by_ticker()[name] == pytest.approx(first.by_ticker()[name], abs=1e-7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epsilon": 0.5}, r"epsilon=0\.5 lies outside"),
        ({"max_loss_pct": 10.0}, r"as 0\.10 for ten per cent"),
        ({"max_loss_pct": -0.1}, "outside"),
        ({"max_loss_pct": math.nan}, "outside"),
        ({"horizon": 0.0}, "years above 0"),
        ({"constraints": Constraints(invested=0.9)}, r"invested=0\.9: the basket has to be fully invested"),
        ({"measure": "es"}, "there are var, cvar"),
        ({"tails": "cauchy"}, "there are gaussian, student_t, empirical"),
        ({"tails": "student_t", "degrees_of_freedom": 2.0}, "above 2"),
        ({"tails": "empirical"}, "empirical tails needs past returns"),
        ({"risky": {"SPY": 0.5}}, r"add up to 0\.5"),
        ({"risky_return": 0.1}, "risky_return=0.1"),
        ({"risky": {"SPY": 1.0}, "risky_return": math.inf}, "risky_return=inf"),
    ],
)
def test_figures_out_of_range_are_rejected(given, message):
    with pytest.raises(CalibrationError, match=message):
        BarbellOptimizer(DATA, **given)


def test_refuses_assets_that_do_not_fit():
    named = CovarianceData(tickers=["SAFE"], covariance=[[0.04]], expected_returns=[0.08])
    with pytest.raises(CalibrationError, match="the ticker SAFE is reserved for the safe asset"):
        BarbellOptimizer(named)
    with pytest.raises(CalibrationError, match="CASH has none"):
        BarbellOptimizer(DATA.with_cash(0.02))
    with pytest.raises(ModelError, match="risky contains the unknown ticker 'ETH'; there are SPY, BTC"):
        BarbellOptimizer(DATA, risky={"ETH": 1.0})
    with pytest.raises(InfeasibleError, match=r"violates a constraint by 0\.5.*bounds="):
        BarbellOptimizer(DATA, risky={"SPY": 1.5, "BTC": -0.5})


def test_without_a_basket_worth_having_one_is_to_be_given():
    bare = CovarianceData(tickers=["SPY", "BTC"], covariance=DATA.covariance)
    for risky in (None, {"SPY": 1.0}):
        with pytest.raises(CalibrationError, match=r"no expected returns.*risky= with its risky_return="):
            BarbellOptimizer(bare, risky=risky)
    with pytest.raises(InfeasibleError, match=r"earns more than 0\.3.*give the basket as risky="):
        barbell(risk_free_rate=0.3)
    few = past_data(rows=15)
    with pytest.raises(CalibrationError, match="15 observations"):
        barbell(few, tails="empirical", risky={"A": 1.0})
