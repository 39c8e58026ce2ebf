"""Mean deviations of sums: closed forms, quadratures against each other, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.taleb.frozen_law import FrozenLaw
from bank_python.taleb.laws import Exponential, Gaussian, Lognormal, Pareto, StudentT
from bank_python.taleb.sum_deviation import pair_deviation, sample_deviation, single_deviation, sum_deviation


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100])
def test_fourier_integral_of_the_exponential_distribution(n):
    # M(n) = 2 n^n e^-n / Γ(n) in closed form; φ(t) = e^-it/(1 - it). For n = 1 φ decreases like 1/t only.
    if n == 1:
        assert Exponential().mean_deviation() == pytest.approx(2.0 / math.e, rel=1e-15)
        return

    def excess(t):
        # e^-it/(1 - it) - 1 = it e^-it/(1 - it) + (e^-it - 1), of order t²: summed as a series where it cancels
        direct = np.exp(-1j * t) / (1.0 - 1j * t) - 1.0
        derangements = [0, 0, 1 / 2, 1 / 3, 3 / 8, 11 / 30, 53 / 144]  # moments of X - 1 over k!
        series = sum(c * (1j * t) ** k for k, c in enumerate(derangements))
        return np.where(t < 1e-3, series, direct)

    found = sum_deviation(excess, n, alpha=math.inf, size=2.0 / math.e, frequency=1.0)
    assert found == pytest.approx(Exponential().mean_deviation(n), rel=1e-9)


@pytest.mark.parametrize("alpha", [1.1, 1.5, 2.0, 3.0, 8.0])
def test_closed_forms_of_a_pair_equal_fourier_integrals(alpha):
    student = StudentT(alpha)
    found = sum_deviation(student._excess, 2, alpha=alpha, size=1.0, frequency=0.0)
    assert found == pytest.approx(student.mean_deviation(2), rel=1e-10)


@pytest.mark.parametrize("law", [Pareto(1.5), Pareto(3.0), Lognormal(0.5)])
def test_pairs_by_two_quadratures(law):
    ends = 1.0 / (law.alpha - 1.0) if isinstance(law, Pareto) else math.exp(0.125)
    alpha = law.alpha if isinstance(law, Pareto) else math.inf
    found = sum_deviation(law._excess, 2, alpha=alpha, size=law.mean_deviation(), frequency=ends)
    assert found == pytest.approx(law.mean_deviation(2), rel=1e-9)


@pytest.mark.parametrize("law", [StudentT(2.5), Pareto(2.5), Lognormal(1.0), Gaussian(), Exponential()])
def test_sums_of_five_by_simulation(law):
    rng = np.random.default_rng(0)
    draw = {
        StudentT: lambda size: rng.standard_t(2.5, size),
        Pareto: lambda size: rng.pareto(2.5, size) - 1.0 / 1.5,
        Lognormal: lambda size: np.exp(rng.normal(size=size)) - math.exp(0.5),
        Gaussian: lambda size: rng.normal(size=size),
        Exponential: lambda size: rng.exponential(size=size) - 1.0,
    }[type(law)]
    sums = np.abs(draw((100_000, 5)).sum(axis=1))
    # four standard errors; for the tail index of 2.5 the sample's own is near enough
    assert law.mean_deviation(5) == pytest.approx(sums.mean(), abs=4.0 * sums.std() / math.sqrt(len(sums)))


@settings(max_examples=25)
@given(st.floats(1.01, 30.0))
def test_deviations_grow_faster_than_the_root_and_slower_than_the_number(alpha):
    for law in (StudentT(alpha), Pareto(alpha)):
        one, two, four = (law.mean_deviation(n) for n in (1, 2, 4))
        assert math.sqrt(2.0) * one < two < 2.0 * one
        assert math.sqrt(2.0) * two < four < 2.0 * two


def test_distribution_functions_of_others():
    stats = pytest.importorskip("scipy.stats")
    for given_law, law in (
        (stats.t(3), StudentT(3.0)),
        (stats.pareto(1.25), Pareto(1.25)),
        (stats.lognorm(2), Lognormal(2.0)),
    ):
        for n in (1, 2):
            assert FrozenLaw(given_law).mean_deviation(n) == pytest.approx(law.mean_deviation(n), rel=1e-9)
    # uniform: E|X - 1/2| = 1/4, and the sum is triangular, E|S - 1| = 1/3
    assert FrozenLaw(stats.uniform()).mean_deviation(2) == pytest.approx(1.0 / 3.0, rel=1e-12)
    with pytest.raises(ModelError, match="has the mean nan"):
        FrozenLaw(stats.cauchy())
    with pytest.raises(ModelError, match="two steps differ by"):
        FrozenLaw(stats.poisson(3)).mean_deviation(2)
    with pytest.raises(ModelError, match="n=3: from a distribution function only the sums of 1 and 2"):
        FrozenLaw(stats.norm()).mean_deviation(3)


def test_the_shorter_side_is_taken():
    def survival(u):
        return np.clip(1.0 - u, 0.0, 1.0)

    assert single_deviation(lambda u: 1.0 - survival(u), survival, 0.5, (0.0, 1.0), 1.0) == pytest.approx(0.25)
    assert pair_deviation(lambda u: 1.0 - survival(u), survival, 0.5, (0.0, 1.0), 1.0) == pytest.approx(1.0 / 3.0)


@settings(max_examples=25)
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=12).filter(lambda values: len(set(values)) > 1))
def test_sums_from_a_sample_are_those_of_all_draws(values):
    centred = np.sort(np.array(values, dtype=float)) - np.mean(values)
    pairs = np.add.outer(centred, centred)
    triples = np.add.outer(pairs, centred)
    assert sample_deviation(centred, 1).value == pytest.approx(np.abs(centred).mean(), rel=1e-12)
    assert sample_deviation(centred, 2).value == pytest.approx(np.abs(pairs).mean(), rel=1e-12)
    # on a grid of 2^16 cells; atoms, for which the density at 0 is no density, make the error larger
    assert sample_deviation(centred, 3).value == pytest.approx(np.abs(triples).mean(), rel=1e-4)


@pytest.mark.parametrize("alpha", [1.0, 0.5, -1.0, 1e300, math.nan])
def test_no_mean_no_law(alpha):
    for law in (StudentT, Pareto):
        with pytest.raises(ModelError, match="alpha="):
            law(alpha)


def test_refused():
    with pytest.raises(ModelError, match=r"alpha=0\.5 is not above 1; give a tail index above 1"):
        Pareto(0.5)
    with pytest.raises(ModelError, match="n=0 draws"):
        Gaussian().mean_deviation(0)
    with pytest.raises(ModelError, match=r"n=3 draws with sigma=3\.0: above 2 only sums of up to 2"):
        Lognormal(3.0).mean_deviation(3)
    with pytest.raises(ModelError, match="sigma"):
        Lognormal(0.0)
