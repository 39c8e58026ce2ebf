"""The Kelly criterion: published values, SciPy and grids as oracles, simulated ruin, estimation error and bad input."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from bank_python.errors import RiskError
from bank_python.risk import kelly_continuous, kelly_fraction, kelly_from_returns, kelly_growth, kelly_weights
from bank_python.risk.kelly_sample import fastest_growth

COIN = [1.0] * 60 + [-1.0] * 40
DAILY = np.random.default_rng(1).standard_t(4, 600) * 0.008 + 0.0008
RETURNS = st.lists(st.floats(-0.9, 3.0), min_size=10, max_size=30).filter(
    lambda row: min(row) < -1e-3 < 1e-3 < max(row)
)


@pytest.mark.parametrize(
    ("p", "odds", "fraction", "growth"),
    [
        # oracles_trading_tails_crypto.json, topic kelly: Kelly (1956), Thorp (2006).
        (0.6, 1, 0.2, 0.02013551355068882),
        (0.55, 1, 0.1, 0.005008366846356839),
        (0.5, 2, 0.25, 0.05889151782819174),
    ],
)
def test_the_published_bets(p, odds, fraction, growth):
    assert kelly_fraction(p, odds) == pytest.approx(fraction, abs=1e-12)
    assert kelly_growth(kelly_fraction(p, odds), p, odds) == pytest.approx(growth, rel=1e-10)


@given(st.floats(0.01, 0.99), st.floats(0.05, 20.0))
def test_no_other_stake_grows_faster(p, odds):
    best = kelly_fraction(p, odds, short=True)
    grid = np.linspace(-1.0 / odds, 1.0, 1_001)
    assert kelly_growth(best, p, odds) >= kelly_growth(grid, p, odds).max() - 1e-12
    assert kelly_fraction(p, odds) == max(best, 0.0)


def test_sure_bets():
    assert kelly_fraction([1.0, 0.0], 2.0).tolist() == [1.0, 0.0]
    assert kelly_fraction(0.0, 2.0, short=True) == -0.5
    assert kelly_growth(1.0, 1.0, 2.0) == pytest.approx(math.log(3.0))
    assert kelly_growth(1.0, 0.9, 2.0) == -math.inf


def test_the_published_investment():
    # Thorp (2006): m = 0.11, r = 0.06, s = 0.15.
    held = kelly_continuous(0.11, 0.15, 0.06)
    assert held.fraction == pytest.approx(2.2222222222222223, rel=1e-12)
    assert held.growth() == pytest.approx(0.11555555555555556, rel=1e-12)
    assert held.growth_at(held.fraction) == pytest.approx(held.growth())
    assert held.growth_at(1.0) == pytest.approx(0.09875, rel=1e-12)
    assert (held.growth(0.5) - 0.06) / (held.growth() - 0.06) == pytest.approx(0.75)
    assert held.growth(2.0) == pytest.approx(0.06)
    # Ibid.: the probability of ever falling to half at 1, 1/2 and 1/4 of Kelly, and of doubling before halving at 1.
    assert [held.fall_probability(0.5, c) for c in (1.0, 0.5, 0.25)] == [0.5, 0.125, 0.0078125]
    assert held.doubling_probability() == pytest.approx(2.0 / 3.0)
    assert [held.fall_probability(0.5, c) for c in (0.0, 2.0, 3.0)] == [0.0, 1.0, 1.0]
    assert held.doubling_probability(2.0) == 0.5


def test_falls_and_doublings_are_those_of_simulated_wealth():
    held, c, dt = kelly_continuous(0.10, 0.2), 0.8, 0.02
    share = c * held.fraction
    rng = np.random.default_rng(11)
    drift, scale = held.growth(c) * dt, held.volatility(c) * math.sqrt(dt)
    wealth, low, first = np.zeros(2_000), np.zeros(2_000), np.zeros(2_000)
    for _ in range(2_000):
        wealth += drift + scale * rng.standard_normal(2_000)
        low = np.minimum(low, wealth)
        first = np.where((first == 0.0) & (np.abs(wealth) >= math.log(2.0)), np.sign(wealth), first)
    # Looking at discrete times misses some falls: the barrier moves by 0.5826 standard deviations of a step.
    moved = math.exp(math.log(0.5) - 0.5826 * scale)
    assert share == pytest.approx(2.0)
    assert (low <= math.log(0.5)).mean() == pytest.approx(held.fall_probability(moved, c), abs=0.03)
    assert (first > 0).mean() == pytest.approx(held.doubling_probability(c), abs=0.03)


def test_no_excess_return_is_no_investment():
    held = kelly_continuous(0.05, 0.2, 0.05)
    assert (held.fraction, held.growth(), held.fall_probability(0.5)) == (0.0, 0.05, 0.0)
    assert "—" in repr(held)
    with pytest.raises(RiskError, match="there is no excess return"):
        held.doubling_probability()
    assert kelly_continuous(0.02, 0.2, 0.05).fraction < 0.0


def test_the_portfolio_has_the_fastest_growth():
    means, sigma = (
        np.array([0.09, 0.06, 0.04]),
        np.array([[0.04, 0.006, 0], [0.006, 0.0225, -0.002], [0, -0.002, 0.01]]),
    )
    held = kelly_weights(means, sigma, tickers=["A", "B", "C"], risk_free_rate=0.03)
    found = optimize.minimize(lambda f: -(0.03 + f @ (means - 0.03) - 0.5 * f @ sigma @ f), np.zeros(3), tol=1e-12)
    assert list(held.weights.values()) == pytest.approx(found.x, abs=1e-5)
    assert held.growth() == pytest.approx(-found.fun, abs=1e-10)
    assert held.volatility() ** 2 == pytest.approx(found.x @ sigma @ found.x, abs=1e-5)
    assert held.cash + sum(held.weights.values()) == pytest.approx(1.0)
    one = kelly_weights([0.11], [[0.15**2]], risk_free_rate=0.06)
    assert one.weights == pytest.approx({"asset 1": 2.2222222222222223})


@pytest.mark.parametrize("unit", [1e-12, 1e-4, 1e12])
def test_small_and_large_covariances(unit):
    held = kelly_weights([unit, 2.0 * unit], np.multiply([[1.0, 0.5], [0.5, 2.0]], unit))
    assert list(held.weights.values()) == pytest.approx(np.linalg.solve([[1.0, 0.5], [0.5, 2.0]], [1.0, 2.0]))


def test_frames_have_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([[0.04, 0.0], [0.0, 0.01]], columns=["SPY", "TLT"])
    assert list(kelly_weights(pandas.Series([0.08, 0.05]), frame).weights) == ["SPY", "TLT"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: kelly_fraction(55.0, 1.0), "probability=55.0 is outside"),
        (lambda: kelly_fraction(0.5, 0.0), "odds=0.0 are not above 0"),
        (lambda: kelly_fraction(math.nan, 1.0), "probability=nan is outside"),
        (lambda: kelly_fraction([0.5, 0.5], [1.0, 2.0, 3.0]), "do not match"),
        (lambda: kelly_growth(1.1, 0.5, 1.0), "more than all wealth could be lost"),
        (lambda: kelly_continuous(0.1, 0.0), "a riskless return has no limit"),
        (lambda: kelly_continuous(0.1, 15.0), "15 per cent is 0.15"),
        (lambda: kelly_continuous(math.nan, 0.2), "mean=nan is not finite"),
        (lambda: kelly_continuous(0.1, 1e-300), "is too small for a mean of 0.1"),
        (lambda: kelly_continuous(0.1, 0.2).fall_probability(0.0), "share=0.0 is outside"),
        (lambda: kelly_continuous(0.1, 0.2).fall_probability(0.5, -1.0), "fraction=-1.0 is not at least 0"),
        (lambda: kelly_continuous(0.1, 0.2).growth(math.nan), "fraction=nan is not finite"),
        (lambda: kelly_weights([0.1], [[0.04, 0.0], [0.0, 0.01]]), "give n and n × n"),
        (lambda: kelly_weights([0.1, 0.1], [[0.04, 0.0], [0.01, 0.01]]), "not symmetric"),
        (lambda: kelly_weights([0.1, 0.1], [[0.04, 0.0], [0.0, 0.0]], tickers=["A"]), "give each its own name"),
        (lambda: kelly_weights([0.1, 0.1], [[0.04, 0.0], [0.0, 0.0]], tickers=["A", "B"]), "B has no variance"),
        (lambda: kelly_weights([0.1, math.inf], np.eye(2)), "is not finite"),
        (lambda: kelly_weights([0.1, 0.1], [[0.04, 0.1], [0.1, 0.04]]), "least eigenvalue, as a correlation, is neg"),
    ],
)
def test_bad_input_is_refused(call, said):
    with pytest.raises(RiskError, match=said):
        call()


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_a_singular_covariance_names_the_assets(unit):
    x = np.random.default_rng(0).standard_normal((50, 3))
    panel = np.column_stack([x, x[:, 1] * 3.0])
    with pytest.raises(RiskError, match=r"is 0 to rounding.*\. (B and D|D and B) belong to a combination without risk"):
        kelly_weights([0.1] * 4, unit * np.cov(panel.T), tickers=list("ABCD"))


@given(RETURNS)
def test_growth_of_a_sample_is_maximised_exactly(row):
    y = np.array(row)
    low, high = -1.0 / y.max(), -1.0 / y.min()
    f = float(fastest_growth(y[None, :])[0])
    assert low < f < high
    reference = optimize.brentq(
        lambda at: float((y / (1.0 + at * y)).mean()), low * (1 - 1e-12), high * (1 - 1e-12), xtol=1e-14
    )
    assert f == pytest.approx(reference, rel=1e-8, abs=1e-10)


@given(RETURNS, st.sampled_from([1e-12, 1e-6, 1e3, 1e12]))
def test_the_fraction_is_inverse_to_the_unit(row, unit):
    y = np.array([row])
    assert fastest_growth(unit * y) * unit == pytest.approx(fastest_growth(y), rel=1e-9, abs=1e-12)


def test_the_coin_as_a_sample():
    found = kelly_from_returns(COIN, periods_per_year=1)
    assert found.kelly == pytest.approx(0.2, abs=1e-14)
    assert found.growth_at(0.2) == pytest.approx(0.02013551355068882, rel=1e-12)
    assert found.error == pytest.approx(2.0 * math.sqrt(0.6 * 0.4 / 100.0))  # of 2p - 1, a binomial share
    # Baker and McHale (2013) for a bet at even money, of 2p - 1 with a variance of 4 p q / n: 0.04 / (0.04 + 0.0096).
    assert found.shrinkage == pytest.approx(0.04 / 0.0496)
    assert found.shrunk == pytest.approx(0.2 * found.shrinkage)
    low, high = found.interval
    assert low == pytest.approx(0.2 - 1.96 * found.error, abs=0.03)
    assert high == pytest.approx(0.2 + 1.96 * found.error, abs=0.03)
    assert found.ruin_beyond == 1.0
    assert found.fall_probability(0.5, found.kelly) == pytest.approx(0.5)


def test_errors_of_a_sample_against_the_bootstrap_and_a_grid():
    found = kelly_from_returns(DAILY, fraction=0.5, risk_free_rate=0.02, resamples=1_000, seed=3)
    rate = 0.02 / 252.0
    y = (DAILY - rate) / (1.0 + rate)
    rows = np.random.default_rng(9).integers(len(y), size=(1_000, len(y)))
    drawn = fastest_growth(y[rows])
    assert found.error == pytest.approx(drawn.std(), rel=0.08)
    assert found.probability_not_positive == pytest.approx((drawn <= 0.0).mean(), abs=0.03)
    assert found.interval == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.25 * found.error)
    assert found.used == 0.5 * found.kelly
    direct = 252.0 * np.log1p(rate + found.used * (DAILY - rate)).mean()
    assert found.growth_at(found.used) == pytest.approx(direct, rel=1e-12)


def test_the_shrinkage_is_that_of_a_grid():
    y = np.random.default_rng(6).uniform(-0.02, 0.0215, 200)
    found = kelly_from_returns(y, resamples=100)
    drawn = fastest_growth(y[np.random.default_rng(9).integers(200, size=(300, 200))])
    # The multiple of all resampled estimates that grows fastest on average in the true distribution, the sample.
    multiples = np.linspace(0.2, 1.0, 41)
    growth = [np.log1p(multiple * drawn[:, None] * y).mean() for multiple in multiples]
    assert found.shrinkage == pytest.approx(multiples[int(np.argmax(growth))], abs=0.06)
    assert 0.2 < found.shrinkage < 0.9


def test_falls_of_a_sample_are_bounded_as_in_continuous_time():
    found = kelly_from_returns(DAILY, resamples=100)
    near = kelly_continuous(252.0 * DAILY.mean(), DAILY.std() * math.sqrt(252.0))
    for fraction in (0.25, 0.5, 1.0):
        bound = found.fall_probability(0.5, fraction * found.kelly)
        assert bound == pytest.approx(near.fall_probability(0.5, fraction), abs=0.03)
    assert found.fall_probability(0.5, 2.5 * found.kelly) == 1.0
    assert found.fall_probability(0.5, 0.0) == 0.0
    assert found.growth_at(1.01 * found.ruin_beyond) == -math.inf
    rng, wealth = np.random.default_rng(4), np.zeros((1_000, 1))
    steps = np.log1p(0.7 * found.kelly * rng.choice(DAILY, size=(1_000, 1_000)))
    lowest = (wealth + steps.cumsum(axis=1)).min(axis=1)
    assert (lowest <= math.log(0.7)).mean() <= found.fall_probability(0.7, 0.7 * found.kelly) + 0.02


def test_a_losing_sample_is_not_bet_on():
    losing = [-value for value in COIN]
    found = kelly_from_returns(losing)
    assert (found.kelly, found.used, found.shrunk) == (0.0, 0.0, 0.0)
    assert found.unrestricted == pytest.approx(-0.2)
    assert kelly_from_returns(losing, short=True).kelly == pytest.approx(-0.2)
    assert found.probability_not_positive > 0.95
    assert "P(Kelly ≤ 0)" in repr(found)


def test_resamples_without_a_loss_have_no_bound():
    found = kelly_from_returns([0.1] * 9 + [-0.1], resamples=400)
    assert 0.2 < found.unbounded < 0.5
    assert found.interval[1] == math.inf
    assert "of the resamples have no bound" in repr(found)
    assert len(list(found.to_table())) == 5


def test_the_seed_decides_and_series_are_read():
    pandas = pytest.importorskip("pandas")
    one, same, other = (kelly_from_returns(DAILY, resamples=100, seed=seed).interval for seed in (1, 1, 2))
    assert one == same != other
    assert kelly_from_returns(pandas.Series(DAILY), resamples=100, seed=1).interval == one


@pytest.mark.parametrize(
    ("returns", "settings", "said"),
    [
        ([0.1, -0.1], {}, "give one series of at least 10"),
        ([0.1] * 12, {}, "all returns are 0.1 to rounding"),
        ([0.1 + 1e-15 * i for i in range(12)], {}, "to rounding"),
        (np.abs(DAILY), {}, "no return has a loss relative to the riskless rate"),
        (-np.abs(DAILY), {}, "no return has a gain"),
        ([math.nan, *DAILY], {}, r"return nan \(number 0\) is not finite"),
        (np.append(DAILY, -3.2), {}, "a return of -3.2 loses more than everything; divide returns in per cent"),
        (DAILY[None, :], {}, r"returns of shape \(1, 600\)"),
        ("x", {}, "returns='x' is not a number"),
        (DAILY, {"fraction": -0.5}, "fraction=-0.5 is not at least 0"),
        (DAILY, {"confidence": 95}, "confidence=95 lies outside"),
        (DAILY, {"resamples": 10}, "resamples=10 is below 100"),
        (DAILY, {"periods_per_year": 0.0}, "periods_per_year=0.0 is not above 0"),
        (DAILY, {"risk_free_rate": math.nan}, "risk_free_rate=nan is not a rate"),
        (DAILY, {"seed": -1}, "seed=-1 is negative"),
    ],
)
def test_bad_samples_are_refused(returns, settings, said):
    with pytest.raises(RiskError, match=said):
        kelly_from_returns(returns, **settings)


def test_named_returns_are_put_in_the_order_of_the_covariance():
    covariance = pd.DataFrame(np.diag([0.04, 0.09]), index=["a", "b"], columns=["a", "b"])
    found = kelly_weights(pd.Series({"b": 0.18, "a": 0.10}), covariance, risk_free_rate=0.0)
    assert found.weights == pytest.approx({"a": 2.5, "b": 2.0})
    with pytest.raises(RiskError, match="b is in only one of"):
        kelly_weights(pd.Series({"c": 0.18, "a": 0.10}), covariance)
    with pytest.raises(RiskError, match=r"rows and columns .* different names"):
        kelly_weights([0.1, 0.2], covariance[["b", "a"]])


def test_a_bootstrap_has_an_end():
    with pytest.raises(RiskError, match="resamples=1000000 is above 100,000"):
        kelly_from_returns([0.1, -0.05] * 20, resamples=10**6)
