"""Student's t against scipy, closed forms, printed tables and its own properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.numerics import normal_cdf, normal_pdf
from bank_python.numerics.student_t import student_t_cdf, student_t_quantile

DEGREES = (0.5, 1.0, 2.0, 3.0, 4.5, 10.0, 30.0, 99.0, 100.0, 101.0, 250.0, 1e3, 1e4, 1e6)


@pytest.mark.parametrize("df", DEGREES[:-1])  # at 1e6 scipy is off by 4e-11; the expansion below is not
def test_tails_are_scipys(df):
    stats = pytest.importorskip("scipy.stats")
    for x in (1e-3, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0):  # nearer to 0 scipy is off by 3e-9 at df = 1
        assert student_t_cdf(-x, df) == pytest.approx(stats.t.cdf(-x, df), rel=2e-11, abs=1e-200)
        assert student_t_cdf(x, df) == pytest.approx(stats.t.cdf(x, df), rel=1e-12)


@pytest.mark.parametrize("t", [1e-8, 0.1, 1.0, 2.0, 3.0, 5.0, 8.0])
@pytest.mark.parametrize("df", [1e5, 1e6])
def test_many_degrees_approach_the_normal_distribution_as_the_expansion_says(df, t):
    # Abramowitz and Stegun, 26.7.5 in powers of 1/df, to the second
    first = t * (t**2 + 1.0) / (4.0 * df)
    second = t * (3.0 * t**6 - 7.0 * t**4 - 5.0 * t**2 - 3.0) / (96.0 * df**2)
    expected = normal_cdf(-t) + normal_pdf(t) * (first + second)
    assert student_t_cdf(-t, df) == pytest.approx(expected, rel=max(1e-11, (1.0 + t) ** 12 / df**3))


@pytest.mark.parametrize("df", DEGREES)
def test_quantiles_are_scipys(df):
    stats = pytest.importorskip("scipy.stats")
    for p in (1e-10, 1e-4, 0.01, 0.05, 0.3, 0.499, 0.6, 0.975, 0.995):
        assert student_t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-9)


@pytest.mark.parametrize("x", [-1e8, -40.0, -1.0, -1e-6, 0.0, 0.3, 7.0])
def test_one_and_two_degrees_have_closed_forms(x):
    cauchy = math.atan2(1.0, -x) / math.pi
    two = (
        0.5 * (1.0 + x / math.hypot(x, math.sqrt(2.0))) if x >= 0.0 else 1.0 / (x * x + 2.0 - x * math.hypot(x, 2**0.5))
    )
    assert student_t_cdf(x, 1.0) == pytest.approx(cauchy, rel=1e-13)
    assert student_t_cdf(x, 2.0) == pytest.approx(two, rel=1e-13)


@pytest.mark.parametrize(
    ("p", "df", "printed"), [(0.975, 1, 12.706), (0.95, 5, 2.015), (0.995, 20, 2.845), (0.9, 120, 1.289)]
)
def test_quantiles_of_the_printed_table(p, df, printed):
    # M. Abramowitz and I. Stegun, Handbook of Mathematical Functions (1964), table 26.10
    assert student_t_quantile(p, df) == pytest.approx(printed, abs=6e-4)


@given(st.floats(1e-12, 1.0 - 1e-9), st.floats(0.5, 1e5))
def test_the_quantile_undoes_the_distribution(p, df):
    assert student_t_cdf(student_t_quantile(p, df), df) == pytest.approx(p, rel=1e-9)


@given(st.floats(-50.0, 50.0), st.floats(0.2, 1e4))
def test_both_sides_make_one(x, df):
    assert student_t_cdf(x, df) + student_t_cdf(-x, df) == pytest.approx(1.0, abs=1e-14)


def test_the_ends():
    assert student_t_cdf(-math.inf, 3.0) == 0.0
    assert student_t_cdf(math.inf, 3.0) == 1.0
    assert student_t_quantile(0.5, 3.0) == 0.0


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (student_t_cdf, (math.nan, 3.0)),
        (student_t_cdf, (1.0, 0.0)),
        (student_t_cdf, (1.0, math.inf)),
        (student_t_quantile, (0.0, 3.0)),
        (student_t_quantile, (1.0, 3.0)),
        (student_t_quantile, (0.5, -1.0)),
    ],
)
def test_what_is_out_of_range_is_refused(function, arguments):
    with pytest.raises(ModelError):
        function(*arguments)
