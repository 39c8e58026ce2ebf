"""The normal distribution against 50-digit arithmetic, scipy and published values."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from bank_python.numerics import erfcx, normal_cdf, normal_pdf, normal_quantile

DIGITS = 60
FUNCTIONS = [normal_pdf, normal_cdf, normal_quantile, erfcx]
SMALLEST_NORMAL = np.finfo(np.float64).tiny


def exact_pi() -> Decimal:
    """Machin's formula, in the current precision."""

    def arctan_inverse(n: int) -> Decimal:
        total, power, k = Decimal(0), Decimal(1) / n, 0
        while abs(power) > Decimal(10) ** -(getcontext().prec + 5):
            total += power / (2 * k + 1) * (-1) ** k
            power /= n * n
            k += 1
        return total

    return 4 * (4 * arctan_inverse(5) - arctan_inverse(239))


def exact_tail(x: float) -> tuple[Decimal, Decimal]:
    """Return (density, upper tail) of the normal distribution at x >= 0 to some 50 digits, by its own two series."""
    with localcontext() as context:
        context.prec = DIGITS + 60  # the Taylor series cancels by up to e^(x²/2) below x = 6
        z = Decimal(x)
        density = (-z * z / 2).exp() / (2 * exact_pi()).sqrt()
        if x < 6.0:
            # Φ(x) − ½ = φ(x) (x + x³/3 + x⁵/15 + …), Abramowitz and Stegun 26.2.11
            term, total, n = z, z, 1
            while term > Decimal(10) ** -(DIGITS + 40):
                n += 2
                term *= z * z / n
                total += term
            return density, Decimal("0.5") - density * total
        # The continued fraction of Mills' ratio, Abramowitz and Stegun 26.2.14, from far out inwards
        fraction = z
        for k in range(400, 0, -1):
            fraction = z + k / fraction
        return density, density / fraction


def ulps(computed: float, exact: Decimal) -> float:
    return float(abs(Decimal(computed) - exact) / Decimal(math.ulp(float(exact))))


def test_the_oracle_itself_agrees_where_its_two_series_meet():
    below = exact_tail(math.nextafter(6.0, 0.0))[1]
    above = exact_tail(6.0)[1]
    step = Decimal(6.0 - math.nextafter(6.0, 0.0)) * exact_tail(6.0)[0]
    assert abs((below - above) / step - 1) < Decimal("1e-14")
    # Abramowitz and Stegun (1964), tables 26.1 and 26.2: Q(5) and -log10 Q(10)
    assert float(exact_tail(5.0)[1]) == pytest.approx(2.866515719e-7, rel=1e-9)
    assert -math.log10(exact_tail(10.0)[1]) == pytest.approx(23.11805, abs=5e-6)


GRID = np.concatenate([np.linspace(-38.0, 38.0, 401), np.random.default_rng(5).uniform(-8.0, 8.0, 200)])


def test_cdf_within_4_ulp_of_the_exact_value_in_both_tails():
    computed = normal_cdf(GRID)
    worst = 0.0
    for x, value in zip(GRID.tolist(), computed.tolist(), strict=True):
        tail = exact_tail(abs(x))[1]
        exact = tail if x < 0 else 1 - tail
        error = ulps(value, exact)
        assert error <= 4.0, f"cdf({x!r}): expected {exact:.20e}, computed {value!r}, {error:.1f} ulp off"
        worst = max(worst, error)
    assert worst > 0.0


def test_pdf_within_3_ulp_of_the_exact_value():
    for x, value in zip(GRID.tolist(), normal_pdf(GRID).tolist(), strict=True):
        exact = exact_tail(abs(x))[0]
        error = ulps(value, exact)
        assert error <= 3.0, f"pdf({x!r}): expected {exact:.20e}, computed {value!r}, {error:.1f} ulp off"


def test_erfcx_against_scipy():
    x = np.concatenate([np.linspace(0.0, 30.0, 4001), np.geomspace(1e-300, 1e300, 1201)])
    np.testing.assert_allclose(erfcx(x), special.erfcx(x), rtol=2e-15)
    # On the left scipy rounds x² before it exponentiates: it is the less exact of the two.
    x = np.linspace(-26.0, 0.0, 4001)
    np.testing.assert_allclose(erfcx(x), special.erfcx(x), rtol=2e-13)


def test_cdf_and_pdf_against_scipy():
    x = np.linspace(-37.0, 37.0, 20001)
    np.testing.assert_allclose(np.log(normal_cdf(x)), special.log_ndtr(x), rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(normal_pdf(x), stats.norm.pdf(x), rtol=3e-13)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        # Wichura (1988), AS 241
        (0.95, 1.6448536269514722),
        (0.99, 2.3263478740408408),
        (0.975, 1.959963984540054),
        (1e-10, -6.361340902404056),
        (0.5, 0.0),
    ],
)
def test_quantile_published_values(p, expected):
    computed = normal_quantile(p)
    assert computed == pytest.approx(expected, rel=1e-15, abs=0.0), f"p={p}: expected {expected}, computed {computed}"


def test_quantile_against_scipy():
    # scipy's own ndtri is right to some 1e-14 here; the round trips below are the sharper test.
    p = np.concatenate([np.geomspace(1e-300, 0.5, 3001), np.linspace(0.5, 1.0 - 1e-9, 3001)])
    np.testing.assert_allclose(normal_quantile(p), special.ndtri(p), rtol=2e-14, atol=1e-16)


@given(st.floats(-37.4, 8.0))
def test_quantile_inverts_the_cdf_as_well_as_the_cdf_is_conditioned(x):
    p = normal_cdf(x)
    # 4 ulp of p move x by 4 ulp(p) / pdf(x); the quantile adds 6 ulp of its own.
    allowed = 4.0 * math.ulp(p) / normal_pdf(x) + 6.0 * math.ulp(x)
    assert abs(normal_quantile(p) - x) <= allowed


@given(st.floats(SMALLEST_NORMAL, 0.5))
def test_cdf_inverts_the_quantile_in_the_lower_half(p):
    x = normal_quantile(p)
    assert abs(normal_cdf(x) - p) <= 6.0 * math.ulp(x) * normal_pdf(x) * 1.001 + 5.0 * math.ulp(p)


@given(st.floats(-40.0, 40.0))
def test_symmetry(x):
    assert normal_pdf(x) == normal_pdf(-x)
    assert normal_cdf(x) + normal_cdf(-x) == pytest.approx(1.0, abs=3e-16)


@given(st.floats(1e-300, 0.5))
def test_quantile_symmetry_is_exact_where_one_minus_p_is(p):
    upper = 1.0 - p
    lower = 1.0 - upper
    assert normal_quantile(upper) == -normal_quantile(lower)


@given(st.floats(-38.0, 8.0), st.floats(1e-9, 1.0))
def test_cdf_rises(x, step):
    assert normal_cdf(x + step) >= normal_cdf(x) * (1.0 - 2e-15)


def test_erfcx_meets_itself_where_approximations_change():
    for edge in (-0.46875, 0.46875, 0.0):
        around = [math.nextafter(edge, -1.0), edge, math.nextafter(edge, 1.0)]
        values = erfcx(around)
        assert np.ptp(values) <= 6.0 * math.ulp(values[1])


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (normal_cdf, -math.inf, 0.0),
        (normal_cdf, math.inf, 1.0),
        (normal_cdf, -1e308, 0.0),
        (normal_cdf, 1e308, 1.0),
        (normal_cdf, 0.0, 0.5),
        (normal_cdf, -0.0, 0.5),
        (normal_cdf, 5e-324, 0.5),
        (normal_pdf, math.inf, 0.0),
        (normal_pdf, -1e308, 0.0),
        (erfcx, math.inf, 0.0),
        (erfcx, -math.inf, math.inf),
        (erfcx, -27.0, math.inf),
        (erfcx, 0.0, 1.0),
        (normal_quantile, 0.0, -math.inf),
        (normal_quantile, 1.0, math.inf),
        (normal_quantile, math.nextafter(1.0, 2.0), math.nan),
        (normal_quantile, -5e-324, math.nan),
        (normal_quantile, math.inf, math.nan),
    ],
)
def test_edges(function, x, expected):
    np.testing.assert_equal(function(x), expected)


def test_smallest_probabilities_have_quantiles():
    assert normal_quantile(5e-324) == pytest.approx(-38.467405617144346, rel=1e-12)
    assert normal_cdf(-38.4) > 0.0


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nan_in_nan_out_and_its_neighbours_untouched(function):
    alone = function(0.25)
    np.testing.assert_array_equal(function([0.25, math.nan, 0.25]), [alone, math.nan, alone])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_row_does_not_depend_on_its_batch(function):
    rng = np.random.default_rng(11)
    x = rng.uniform(0.0, 1.0, 1003) if function is normal_quantile else rng.uniform(-25.0, 25.0, 1003)
    together = function(x)
    assert [float(function(column)) for column in x] == together.tolist()
    order = rng.permutation(x.size)
    np.testing.assert_array_equal(function(x[order]), together[order])
    np.testing.assert_array_equal(function(x[::-7]), together[::-7])
    np.testing.assert_array_equal(function(x.reshape(17, 59).T), together.reshape(17, 59).T)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_shapes_and_types(function):
    assert type(function(0.3)) is float
    assert type(function(np.float32(0.5))) is float
    assert function([0.3]).shape == (1,)
    assert function(np.full((2, 0, 3), 0.3)).shape == (2, 0, 3)
    before = np.full((2, 3), 0.3)
    given_values = before.copy()
    assert function(given_values).shape == (2, 3)
    np.testing.assert_array_equal(given_values, before)
