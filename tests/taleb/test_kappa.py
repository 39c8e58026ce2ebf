"""Both kappas: printed and recomputed tables, samples with their errors, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.kappa import GAUSSIAN_MAD_OVER_SD, kappa_n, mad_over_sd, sample_kappa
from bank_python.taleb.kappa_closed_forms import (
    exponential_kappa_1,
    lognormal_kappa_1_approximation,
    pareto_kappa_1,
    student_kappa_1,
)
from bank_python.taleb.laws import Exponential, Gaussian, Lognormal, Pareto, StudentT

# Taleb, "How much data do you need?" (2019), table 1, recomputed to five digits with 40-digit arithmetic.
PARETO = {
    1.25: 0.82889, 1.75: 0.64961, 2.25: 0.55112, 2.5: 0.51664, 2.75: 0.48841, 3.25: 0.44493, 3.5: 0.42784,
    3.75: 0.41302, 4.0: 0.40005,
}  # fmt: skip
STUDENT = {1.75: 0.54278, 2.25: 0.40554, 3.0: 0.29049, 3.25: 0.26494, 3.75: 0.225, 4.0: 0.20913}
# The same for n = 30 and 100, to four digits. For α up to 1.5 the printed ones, by simulation, are about 0.01 lower
# (Pareto 1.25: 0.787); the quadrature is right.
PARETO_SUMS = {(1.25, 30): 0.7992, (1.5, 30): 0.6601, (1.5, 100): 0.639, (2.0, 100): 0.4489, (3.0, 100): 0.2798,
               (4.0, 100): 0.2099}  # fmt: skip
STUDENT_SUMS = {(1.25, 30): 0.7761, (1.25, 100): 0.7715, (1.5, 30): 0.6034, (1.5, 100): 0.5891, (2.0, 30): 0.3807,
                (2.0, 100): 0.3514, (3.0, 30): 0.1903, (3.0, 100): 0.1596, (4.0, 100): 0.0957}  # fmt: skip
# (published approximation, exact value by quadrature)
LOGNORMAL = {
    0.1: (0.008368222918852641, 0.00831581247830826),
    0.5: (0.18387256211915526, 0.1656024824600124),
    1.0: (0.5240475202084514, 0.4303856772014749),
    2.0: (0.8920009205110879, 0.770189154426669),
}


def test_printed_table():
    # half a unit of the fifth digit
    assert {alpha: pareto_kappa_1(alpha) for alpha in PARETO} == pytest.approx(PARETO, abs=5.1e-6)
    assert {alpha: student_kappa_1(alpha) for alpha in STUDENT} == pytest.approx(STUDENT, abs=5.1e-6)


def test_longer_sums():
    for table, law in ((PARETO_SUMS, Pareto), (STUDENT_SUMS, StudentT)):
        found = {(alpha, n): kappa_n(law(alpha), n) for alpha, n in table}
        assert found == pytest.approx(table, abs=5.1e-5)  # half a unit of the fourth digit


def test_the_exact_lognormal_value_is_below_the_published_approximation():
    for sigma, (approximation, exact) in LOGNORMAL.items():
        assert lognormal_kappa_1_approximation(sigma) == pytest.approx(approximation, rel=1e-12)
        assert kappa_n(Lognormal(sigma)) == pytest.approx(exact, abs=1e-10)


def test_the_formula_of_the_paper():
    for alpha in (1.001, 1.1, 1.5, 2.0, 5.0, 20.0):
        ratio = math.lgamma(alpha - 0.5) - 2.0 * math.lgamma(0.5 * alpha) + (2.0 - alpha) * math.log(2.0)
        printed = 2.0 - 2.0 * math.log(2.0) / (2.0 * ratio + math.log(math.pi))
        assert student_kappa_1(alpha) == pytest.approx(printed, abs=1e-12)


def test_limits():
    assert student_kappa_1(1.0 + 1e-12) == pytest.approx(1.0, abs=1e-9)
    assert pareto_kappa_1(1.0 + 1e-9) == pytest.approx(1.0, abs=1e-8)
    assert 0.0 < student_kappa_1(1e9) < 1e-8
    assert pareto_kappa_1(1e9) == pytest.approx(exponential_kappa_1(), abs=1e-8)
    assert kappa_n(Exponential()) == pytest.approx(exponential_kappa_1(), abs=1e-14)
    assert kappa_n(Gaussian(), 50, 7) == pytest.approx(0.0, abs=1e-14)
    # towards 2 - α as n grows; the limit 0.5 for 1.5 is reached very slowly
    assert kappa_n(StudentT(1.5), 100_000, 10_000) == pytest.approx(0.5, abs=0.01)


@given(st.floats(1.05, 50.0), st.floats(1.01, 2.0))
def test_kappa_falls_with_the_tail_index(alpha, factor):
    assert student_kappa_1(alpha * factor) < student_kappa_1(alpha)
    assert pareto_kappa_1(alpha * factor) < pareto_kappa_1(alpha)
    assert student_kappa_1(alpha) < pareto_kappa_1(alpha)


def test_samples():
    rng = np.random.default_rng(0)
    for draw, law in (
        (lambda: rng.normal(size=4_000), Gaussian()),
        (lambda: rng.standard_t(4.0, 4_000), StudentT(4.0)),
        (lambda: rng.exponential(size=4_000), Exponential()),
    ):
        for n in (2, 10):
            found = sample_kappa(draw(), n)
            assert found.kappa == pytest.approx(kappa_n(law, n), abs=4.0 * found.error)
            assert 0.0 < found.error < 0.03


@pytest.mark.parametrize(("count", "n"), [(300, 2), (80, 4)])
def test_the_error_is_that_of_the_jackknife(count, n):
    x = np.random.default_rng(2).standard_t(5.0, count)
    left_out = np.array([kappa_n(np.delete(x, i), n) for i in range(count)])
    jackknife = math.sqrt((count - 1.0) / count * float(((left_out - left_out.mean()) ** 2).sum()))
    assert sample_kappa(x, n).error == pytest.approx(jackknife, rel=0.04)  # they agree to some 1/n


@settings(max_examples=30)
@given(st.lists(st.integers(-1000, 1000), min_size=5, max_size=30, unique=True), st.floats(0.1, 10.0), st.floats(-5, 5))
def test_place_and_scale_do_not_count(values, scale, place):
    x = np.array(values, dtype=float)
    for figure in (kappa_n, mad_over_sd):
        assert figure(place + scale * x) == pytest.approx(figure(x), abs=1e-7)


def test_mad_over_sd_of_distributions():
    # quantiles at the middles of equal shares; the outermost, of tails that are cut there, limit the accuracy
    uniform = (np.arange(20_000) + 0.5) / 20_000
    assert mad_over_sd(uniform) == pytest.approx(math.sqrt(3.0) / 2.0, rel=1e-8)
    assert mad_over_sd(-np.log(uniform)) == pytest.approx(2.0 / math.e, rel=1e-3)
    assert mad_over_sd(np.random.default_rng(2).normal(size=20_000)) == pytest.approx(GAUSSIAN_MAD_OVER_SD, abs=0.01)
    # of Student's t with 3 degrees of freedom 2/π, from the closed form of E|T| and the variance 3
    assert StudentT(3.0).mean_deviation() / math.sqrt(3.0) == pytest.approx(2.0 / math.pi, rel=1e-14)
    assert Pareto(4.0).mean_deviation() / math.sqrt(2.0 / 9.0) == pytest.approx(0.5966213466261495, rel=1e-14)
    lognormal = Lognormal(1.0).mean_deviation() / math.sqrt((math.e - 1.0) * math.e)
    assert lognormal == pytest.approx(0.584246918160092, rel=1e-14)


def test_mad_over_sd_of_real_returns():
    data = pytest.importorskip("arch.data.sp500").load()
    returns = np.diff(np.log(data["Adj Close"].to_numpy()))
    assert mad_over_sd(returns) == pytest.approx(0.6707503717021864, rel=1e-12)


def test_a_constant_series_has_none():
    assert math.isnan(mad_over_sd([0.1] * 5))
    assert math.isnan(kappa_n([0.1] * 5))
    assert math.isnan(sample_kappa(np.diff(np.log(100.0 * 1.0004 ** np.arange(50.0)))).error)


def test_two_values_alone_have_sums_that_do_not_grow():
    assert kappa_n([-1.0, 1.0]) == -math.inf


def test_refused():
    with pytest.raises(ModelError, match=r"alpha=1\.0 is not above 1"):
        student_kappa_1(1.0)
    with pytest.raises(ModelError, match=r"alpha=0\.7 is not above 1"):
        pareto_kappa_1(0.7)
    with pytest.raises(ModelError, match=r"sigma=0\.0"):
        lognormal_kappa_1_approximation(0.0)
    with pytest.raises(ModelError, match="n=2 is not above n0=2"):
        kappa_n([1.0, 2.0], 2, 2)
    with pytest.raises(ModelError, match="n0=0 is not a whole number from 1"):
        kappa_n([1.0, 2.0], 2, 0)
    with pytest.raises(ModelError, match="n=20,000 is above 10,000"):
        kappa_n([1.0, 2.0], 20_000)
    with pytest.raises(ModelError, match="neither a sample nor a distribution"):
        kappa_n("student")
    with pytest.raises(CalibrationError, match="fewer than 2"):
        kappa_n([1.0])
    with pytest.raises(ModelError, match="row 1 is nan"):
        mad_over_sd([1.0, math.nan, 2.0])
