"""The laws of moves: size, martingales and tails, by quadrature and by simulation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.numerics import gauss_legendre, normal_cdf
from bank_python.numerics.student_t import student_t_cdf
from bank_python.risk_models import HestonProcess, MertonJumpDiffusion
from bank_python.taleb.delta_table import DELTA_ERROR, DeltaTable, tabled_cdf
from bank_python.taleb.diffusion_laws import GaussianLaw, JumpLaw, StochasticVolLaw
from bank_python.taleb.hedge_law import HedgeLaw, Scaling
from bank_python.taleb.hedge_laws import PowerLaw, StudentLaw, arithmetic_law

KINDS = [HedgeLaw.STUDENT_T, HedgeLaw.POWER_LAW]


def quadrature(density, function, start=0.0):
    """Integrate function times density over (start, infinity), x = start + exp(y) - exp(-y)."""
    rule = gauss_legendre(20)
    edges = np.linspace(-40.0, 60.0, 801)
    half = 0.5 * np.diff(edges)[:, None]
    y = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * rule.nodes
    x = start + np.exp(y)
    return float(np.sum(function(x) * density(x) * np.exp(y) * rule.weights * half))


def student_density(nu):
    level = math.exp(math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2)) / math.sqrt(nu * math.pi)
    return lambda x: level * (1.0 + x * x / nu) ** (-(nu + 1) / 2)


def lomax_density(alpha):
    return lambda x: 0.5 * alpha * (1.0 + x) ** (-alpha - 1.0)


# --- the table of deltas ------------------------------------------------------------------------------


def test_deltas_are_as_exact_as_they_are_said_to_be():
    x = np.concatenate([np.linspace(-9.0, 9.0, 1_000_003), [-np.inf, np.inf, 0.0, 6.2, -6.2, 1e300, -1e300]])
    error = np.abs(tabled_cdf(x) - normal_cdf(x))
    assert error.max() < DELTA_ERROR
    assert error[np.abs(x) < 6.0].max() > 0.85 * 5.4e-10  # the bound is that of the table, not a guess


def test_deltas_of_a_line():
    table, out = DeltaTable(3), np.empty(3)
    table.fill(np.array([-0.1, 0.0, 0.1]), 5.0, 0.25, out)
    assert out == pytest.approx(normal_cdf([-0.25, 0.25, 0.75]), abs=DELTA_ERROR)


# --- moments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("law", "density"), [(StudentLaw, student_density), (PowerLaw, lomax_density)])
@pytest.mark.parametrize("tail", [1.5, 2.5, 3.0, 4.7, 30.0])
def test_moments_of_the_standard_laws_by_quadrature(law, density, tail):
    known = law(tail, 0.01, Scaling.MAD)
    assert known.mean_size == pytest.approx(2.0 * quadrature(density(tail), lambda x: x), rel=1e-9)
    if tail > 2.0:
        assert known.variance == pytest.approx(2.0 * quadrature(density(tail), lambda x: x * x), rel=1e-8)
    for start in (0.0, 0.7, 20.0):
        found = quadrature(density(tail), lambda x, start=start: x - start, start)
        assert known.excess(start) == pytest.approx(found, rel=1e-9)


@given(st.sampled_from(KINDS), st.floats(2.05, 20.0), st.floats(1e-4, 0.2))
def test_the_size_is_that_of_the_gaussian(kind, tail, deviation):
    by_variance = arithmetic_law(kind, tail, deviation, Scaling.VARIANCE, 0.0)
    assert by_variance.scale**2 * by_variance.variance == pytest.approx(deviation**2)
    by_mad = arithmetic_law(kind, tail, deviation, Scaling.MAD, 0.0)
    assert by_mad.scale * by_mad.mean_size == pytest.approx(deviation * math.sqrt(2.0 / math.pi))
    assert by_variance.mean_step >= 1.0


def test_known_constants():
    """E x^2 = 2/((a-1)(a-2)) and E|x| = 1/(a-1); Student 3: variance 3, mean size 2 sqrt(3)/pi."""
    assert PowerLaw(3.0, 0.01, Scaling.VARIANCE).variance == 1.0
    assert PowerLaw(1.5, 0.01, Scaling.MAD).mean_size == 2.0
    assert StudentLaw(3.0, 0.01, Scaling.VARIANCE).variance == 3.0
    assert StudentLaw(3.0, 0.01, Scaling.MAD).mean_size == pytest.approx(2.0 * math.sqrt(3.0) / math.pi)


def test_scaling_falls_back_where_there_is_no_variance():
    assert arithmetic_law(HedgeLaw.POWER_LAW, 2.0, 0.01, None, 0.0).scaling is Scaling.MAD
    assert arithmetic_law(HedgeLaw.POWER_LAW, 2.01, 0.01, None, 0.0).scaling is Scaling.VARIANCE
    with pytest.raises(ModelError, match="df=2: at 2 and below there is no variance"):
        arithmetic_law(HedgeLaw.STUDENT_T, 2.0, 0.01, Scaling.VARIANCE, 0.0)
    with pytest.raises(ModelError, match=r"alpha=1\.0 is not above 1"):
        arithmetic_law(HedgeLaw.POWER_LAW, 1.0, 0.01, None, 0.0)


# --- draws --------------------------------------------------------------------------------------------


def one_step(law, paths, seed=3):
    prices, logs = np.ones(paths), np.zeros(paths)
    with np.errstate(divide="ignore"):
        law.walk(np.random.default_rng(seed), paths).advance(prices, logs)
    np.testing.assert_allclose(np.exp(logs), prices, rtol=1e-13)
    return prices


def kolmogorov(sample, cdf):
    """Return sqrt(n) times the largest distance of the empirical distribution, 1.95 at 0.1 %."""
    x = np.sort(sample)
    ranks = np.arange(1, len(x) + 1) / len(x)
    return math.sqrt(len(x)) * float(np.max(np.abs(np.array([cdf(each) for each in x]) - ranks)))


@pytest.mark.parametrize("tail", [1.7, 3.0, 8.0])
def test_draws_have_the_law(tail):
    student = StudentLaw(tail, 1e-4, Scaling.MAD)
    x = (one_step(student, 2_000) * student.mean_step - 1.0) / student.scale
    assert kolmogorov(x, lambda v: student_t_cdf(float(v), tail)) < 1.95
    power = PowerLaw(tail, 1e-4, Scaling.MAD)
    x = (one_step(power, 20_000) * power.mean_step - 1.0) / power.scale
    assert kolmogorov(x, lambda v: 0.5 + math.copysign(0.5 - 0.5 * (1.0 + abs(v)) ** -tail, v)) < 1.95


@pytest.mark.parametrize(
    "law",
    [
        GaussianLaw(0.02),
        StudentLaw(3.0, 0.02, Scaling.VARIANCE),
        StudentLaw(2.2, 0.2, Scaling.MAD),
        PowerLaw(3.0, 0.3, Scaling.VARIANCE),
        JumpLaw(MertonJumpDiffusion(0.1, 10.0, -0.1, 0.2), 0.1),
        StochasticVolLaw(HestonProcess(v0=0.04, kappa=2.0, theta=0.06, sigma=0.4, rho=-0.7), 0.1),
    ],
    ids=lambda law: type(law).__name__,
)
def test_prices_are_martingales(law):
    prices = one_step(law, 400_000, seed=11)
    assert prices.min() >= 0.0
    error = prices.std() / math.sqrt(len(prices))
    assert abs(prices.mean() - 1.0) < 4.0 * error
    grown = one_step(replace(law, drift=0.05), 1_000, 11)
    assert grown == pytest.approx(math.exp(0.05) * one_step(law, 1_000, 11), rel=1e-12)


def test_without_the_correction_the_cut_off_would_raise_the_mean():
    """At a deviation of 30 % a step a power law falls below -1 often enough to matter: that is what is divided out."""
    law = PowerLaw(2.2, 0.3, Scaling.MAD)
    assert law.mean_step - 1.0 > 0.01
    prices = one_step(law, 1_000_000, seed=2)
    assert (prices == 0.0).mean() == pytest.approx(0.5 * (1.0 + 1.0 / law.scale) ** -2.2, rel=0.03)


def test_variances_of_the_default_sizes():
    """The log variance of a step, against its law: within four standard errors."""
    step, vol = 1.0 / 250.0, 0.2
    jumps = one_step(
        JumpLaw(MertonJumpDiffusion(vol * math.sqrt(0.5), 12.0, 0.0, vol * math.sqrt(0.5 / 12)), step), 400_000
    )
    squares = (jumps - 1.0) ** 2
    error = squares.std() / math.sqrt(len(squares))
    assert abs(squares.mean() - vol**2 * step) < 4.0 * error + 0.01 * vol**2 * step  # arithmetic, not log, variance
