"""Distributions under tail constraints: published closed forms, quadrature of every moment, and maximum entropy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from bank_python.errors import CalibrationError, InfeasibleError
from bank_python.risk_models.maximum_entropy import (
    AbsoluteMeanDistribution,
    GaussianUnderTail,
    MaximumEntropyDistribution,
    PowerLawUpside,
    TailConstraint,
)

LIMIT = TailConstraint(threshold=-0.10, tail_mean=-0.15, epsilon=0.05)
DISTRIBUTIONS = [
    GaussianUnderTail(LIMIT),
    MaximumEntropyDistribution(LIMIT, mean=0.05),
    AbsoluteMeanDistribution(LIMIT, absolute_mean=0.12),
    PowerLawUpside(LIMIT, log_mean=0.2),
]
NAMES = [type(distribution).__name__ for distribution in DISTRIBUTIONS]

limits = st.builds(
    lambda threshold, depth, epsilon: TailConstraint(threshold, threshold - depth, epsilon),
    st.floats(-0.6, -0.01),
    st.floats(0.002, 0.4),
    st.floats(1e-6, 0.4),
)


def integral(distribution, function):
    """Of function times density: the tail and the upside apart, in pieces that quad resolves."""
    epsilon = distribution.tail.epsilon
    points = [-math.inf, *distribution.quantile([epsilon * 1e-3, epsilon * 0.2]), distribution.tail.threshold]
    points += [0.0, *distribution.quantile(1.0 - (1.0 - epsilon) * np.array([0.5, 0.1, 1e-2, 1e-4, 1e-6])), math.inf]
    points = sorted(set(points))
    return math.fsum(
        integrate.quad(
            lambda x: function(x) * distribution.density(x), low, high, epsabs=1e-15, epsrel=1e-12, limit=200
        )[0]
        for low, high in itertools.pairwise(points)
    )


# D. Geman, H. Geman, N. N. Taleb, Entropy 17 (2015), 3724-3737: the normal distribution under VaR and CVaR constraints.
@pytest.mark.parametrize(
    ("threshold", "tail_mean", "epsilon", "eta", "shape", "mean", "deviation"),
    [
        (-0.1, -0.15, 0.05, -1.6448536269514729, -1.2540403435960448, 0.09681913231666112, 0.11965753614286054),
        (-0.1, -0.125, 0.01, -2.3263478740408408, -1.1456645199483257, 0.07162724326327857, 0.07377539927644781),
    ],
)
def test_the_normal_distribution(threshold, tail_mean, epsilon, eta, shape, mean, deviation):
    tail = TailConstraint(threshold, tail_mean, epsilon)
    distribution = GaussianUnderTail(tail)
    assert (tail.eta, tail.shape) == pytest.approx((eta, shape), rel=1e-13)
    assert (distribution.mean, distribution.standard_deviation) == pytest.approx((mean, deviation), rel=1e-12)
    assert distribution.mean == pytest.approx((tail_mean + threshold * shape) / (1.0 + shape), rel=1e-12)


@pytest.mark.parametrize(
    ("epsilon", "shape"),
    [
        (0.1, -1.3694207603570607),
        (0.05, -1.2540403435960448),
        (0.01, -1.1456645199483257),
        (0.001, -1.089591248639657),
        (1e-6, -1.0410037890741972),
    ],
)
def test_the_shape_goes_to_minus_one(epsilon, shape):
    assert TailConstraint(-0.1, -0.2, epsilon).shape == pytest.approx(shape, rel=1e-13)


# The same paper, case A (a mean given): an exponential on each side.
@pytest.mark.parametrize(
    ("mean", "upside_mean", "entropy", "deviation"),
    [
        (0.05, 0.06052631578947369, -0.6891038894515912, 0.16343355321288672),
        (0.09681913231666112, 0.10980961296490645, -0.43474839651989455, 0.21248616230200953),
    ],
)
def test_the_exponential_pair(mean, upside_mean, entropy, deviation):
    distribution = MaximumEntropyDistribution(LIMIT, mean)
    assert distribution.upside_mean == pytest.approx(upside_mean, rel=1e-13)
    assert distribution.entropy == pytest.approx(entropy, rel=1e-13)
    assert distribution.standard_deviation == pytest.approx(deviation, rel=1e-13)


def test_the_pair_is_wider_than_the_normal_distribution():
    normal = GaussianUnderTail(LIMIT)
    assert normal.entropy == pytest.approx(-0.7041829485100949, rel=1e-12)
    assert MaximumEntropyDistribution(LIMIT, normal.mean).entropy == pytest.approx(-0.43474839651989455, rel=1e-12)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=NAMES)
def test_moments_are_the_densitys(distribution):
    threshold = distribution.tail.threshold
    assert integral(distribution, lambda _: 1.0) == pytest.approx(1.0, abs=1e-10)
    assert integral(distribution, lambda x: x <= threshold) == pytest.approx(0.05, abs=1e-11)
    assert integral(distribution, lambda x: x * (x <= threshold)) / 0.05 == pytest.approx(-0.15, abs=1e-10)
    assert integral(distribution, lambda x: x) == pytest.approx(distribution.mean, abs=1e-9)
    square = integral(distribution, lambda x: x * x)
    assert math.sqrt(square - distribution.mean**2) == pytest.approx(distribution.standard_deviation, rel=1e-7)
    assert integral(distribution, lambda x: -math.log(max(distribution.density(x), 1e-300))) == pytest.approx(
        distribution.entropy, abs=1e-8
    )


def test_the_given_expectations_hold():
    assert integral(DISTRIBUTIONS[2], abs) == pytest.approx(0.12, abs=1e-10)
    logged = integral(DISTRIBUTIONS[3], lambda x: math.log1p(abs(x)) * (x > -0.1)) / 0.95
    assert logged == pytest.approx(0.2, abs=1e-10)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=NAMES)
def test_cdf_quantile_and_density_belong_together(distribution):
    p = np.array([[1e-9, 0.01, 0.05], [0.051, 0.5, 0.999]])
    x = distribution.quantile(p)
    assert x.shape == p.shape
    assert distribution.cdf(x) == pytest.approx(p, rel=1e-10)
    step = 1e-6
    away = x[np.abs(p - 0.05) > 1e-3]
    slope = (distribution.cdf(away + step) - distribution.cdf(away - step)) / (2 * step)
    assert distribution.density(away) == pytest.approx(slope, rel=1e-6, abs=1e-8)
    assert isinstance(distribution.cdf(0.0), float)
    assert distribution.cdf(distribution.tail.threshold) == pytest.approx(0.05, rel=1e-12)
    assert distribution.quantile(0.0) == -math.inf
    assert distribution.quantile(1.0) == math.inf
    assert np.isnan(distribution.quantile([-0.1, 1.1, math.nan])).all()
    assert math.isnan(distribution.cdf(math.nan))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=NAMES)
def test_draws_follow_the_distribution(distribution):
    drawn = distribution.sample(np.random.default_rng(7), 200_000)
    assert drawn.shape == (200_000,)
    assert stats.kstest(drawn, lambda x: np.asarray(distribution.cdf(x))).pvalue > 1e-3
    assert distribution.sample(np.random.default_rng(7), 0).shape == (0,)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS[1:], ids=NAMES[1:])
def test_the_smallest_draw_is_far_but_finite(distribution):
    class Zeros:
        def random(self, n):
            return np.zeros(n)

    drawn = distribution.sample(Zeros(), 2)
    assert np.isfinite(drawn).all()
    assert distribution.cdf(drawn) == pytest.approx(np.full(2, 2.0**-54), rel=1e-12)


@given(limits)
def test_the_normal_distribution_satisfies_its_constraint(tail):
    distribution = GaussianUnderTail(tail)
    assert distribution.cdf(tail.threshold) == pytest.approx(tail.epsilon, rel=1e-9)
    z = (tail.threshold - distribution.mean) / distribution.standard_deviation
    mean_of_tail = distribution.mean - distribution.standard_deviation * stats.norm.pdf(z) / stats.norm.cdf(z)
    assert mean_of_tail == pytest.approx(tail.tail_mean, rel=1e-8)
    assert MaximumEntropyDistribution(tail, distribution.mean).entropy >= distribution.entropy


@given(limits, st.floats(1e-3, 20.0))
def test_absolute_mean_and_log_mean_are_hit(tail, upside):
    """In closed form: E|x| of the upside is 1/λ less a part that the cut takes."""
    distribution = AbsoluteMeanDistribution(tail, -tail.epsilon * tail.tail_mean + (1.0 - tail.epsilon) * upside)
    z = -distribution.rate * tail.threshold
    assert (1.0 - z * math.exp(-z) / (2.0 - math.exp(-z))) / distribution.rate == pytest.approx(upside, rel=1e-9)
    power = PowerLawUpside(tail, upside)
    z = power.alpha * math.log1p(-tail.threshold)
    assert (1.0 - z * math.exp(-z) / (2.0 - math.exp(-z))) / power.alpha == pytest.approx(upside, rel=1e-9)


@given(limits, st.floats(0.01, 3.0))
def test_each_distribution_has_the_most_entropy_for_its_own_expectation(tail, upside):
    outside = -tail.epsilon * tail.tail_mean
    rest = 1.0 - tail.epsilon
    by_distance = AbsoluteMeanDistribution(tail, outside + rest * upside)
    assert MaximumEntropyDistribution(tail, by_distance.mean).entropy >= by_distance.entropy - 1e-9
    power = PowerLawUpside(tail, upside)
    if math.isfinite(power.mean):
        assert MaximumEntropyDistribution(tail, power.mean).entropy >= power.entropy - 1e-9
    # And the other way: of an exponential from −k, the mean distance from 0 is k − b + 2 b exp(−k/b).
    pair = MaximumEntropyDistribution(tail, tail.epsilon * tail.tail_mean + rest * (tail.threshold + upside))
    distance = -tail.threshold - upside + 2.0 * upside * math.exp(tail.threshold / upside)
    assert AbsoluteMeanDistribution(tail, outside + rest * distance).entropy >= pair.entropy - 1e-9


def test_the_power_law_is_wider_than_an_exponential_of_its_log_mean():
    pair = MaximumEntropyDistribution(LIMIT, 0.08)
    log_mean = integral(pair, lambda x: math.log1p(abs(x)) * (x > LIMIT.threshold)) / 0.95
    assert PowerLawUpside(LIMIT, log_mean).entropy > pair.entropy + 1e-3


def test_a_heavy_upside_has_no_moments():
    assert PowerLawUpside(LIMIT, log_mean=0.6).standard_deviation == math.inf
    assert PowerLawUpside(LIMIT, log_mean=0.6).mean < math.inf
    assert PowerLawUpside(LIMIT, log_mean=2.0).mean == math.inf


@pytest.mark.parametrize("epsilon", [0.0, 0.5, -0.1, math.nan])
def test_refuses_a_probability(epsilon):
    with pytest.raises(CalibrationError, match=r"epsilon=.* outside \(0, 0\.5\)"):
        TailConstraint(-0.1, -0.2, epsilon)


@pytest.mark.parametrize(("threshold", "tail_mean"), [(-0.1, -0.1), (-0.2, -0.1), (math.inf, 0.0), (0.0, -math.inf)])
def test_refuses_a_tail_that_is_none(threshold, tail_mean):
    with pytest.raises(CalibrationError, match="below the threshold"):
        TailConstraint(threshold, tail_mean, 0.05)


def test_refuses_what_leaves_no_upside():
    with pytest.raises(InfeasibleError, match=r"upside is empty.*above -0\.1025") as caught:
        MaximumEntropyDistribution(LIMIT, -0.1025)
    assert caught.value.value == -0.1025
    assert MaximumEntropyDistribution(LIMIT, -0.1024).upside > 0.0
    with pytest.raises(InfeasibleError, match=r"contribution 0\.0075 of the tail"):
        AbsoluteMeanDistribution(LIMIT, 0.0075)


def test_refuses_figures_out_of_range():
    with pytest.raises(CalibrationError, match="finite"):
        MaximumEntropyDistribution(LIMIT, math.nan)
    with pytest.raises(CalibrationError, match="finite"):
        AbsoluteMeanDistribution(LIMIT, math.inf)
    with pytest.raises(CalibrationError, match="above 0"):
        PowerLawUpside(LIMIT, 0.0)
    with pytest.raises(CalibrationError, match="not below 0"):
        AbsoluteMeanDistribution(TailConstraint(0.0, -0.1, 0.05), 0.2)
    with pytest.raises(CalibrationError, match="0 or more"):
        DISTRIBUTIONS[0].sample(np.random.default_rng(0), -1)
