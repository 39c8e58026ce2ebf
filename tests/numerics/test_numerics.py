"""Roots, quadrature, interpolation, matrices and least squares against scipy and published values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import interpolate, optimize, special

from bank_python.errors import CalibrationError, MatrixError, ModelError, RootError
from bank_python.numerics.interpolation import Extrapolation, Linear, LogLinear, MonotoneCubic
from bank_python.numerics.least_squares import least_squares
from bank_python.numerics.matrices import cholesky, nearest_correlation, nearest_psd, semidefinite_root
from bank_python.numerics.quadrature import gauss_hermite, gauss_laguerre, gauss_legendre
from bank_python.numerics.roots import find_root, find_roots

# --- roots ---------------------------------------------------------------------------------------

FUNCTIONS = {
    "cubic": (lambda x: x**3 - 2.0 * x - 5.0, 2.0, 3.0),
    "flat": (lambda x: (x - 1.0) ** 9, 0.0, 3.3),
    "steep": (lambda x: np.exp(40.0 * (x - 0.7)) - 1.0, -2.0, 3.0),
    "kink": (lambda x: np.sign(x - 0.3) * np.sqrt(np.abs(x - 0.3)), -1.0, 4.0),
    "tiny": (lambda x: 1e-300 * (x - 0.25), 0.0, 1.0),
    "backwards": (lambda x: np.cos(x) - x, 3.0, 0.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_roots_against_brent(name):
    function, lower, upper = FUNCTIONS[name]
    calls = []

    def counted(x):
        calls.append(1)
        return function(x)

    root = find_root(counted, lower, upper)
    expected = optimize.brentq(function, lower, upper, xtol=1e-15, rtol=1e-15, maxiter=500)
    tolerance = 1e-1 if name == "flat" else 1e-14  # (x − 1)⁹ is 0 in floating point long before x is 1
    assert root == pytest.approx(expected, abs=tolerance)
    if name != "flat":
        assert function(root) == 0.0 or function(root * (1 - 1e-14)) * function(root * (1 + 1e-14)) <= 0.0
    assert len(calls) < (300 if name == "flat" else 60)


@given(st.lists(st.floats(-0.99, 50.0), min_size=1, max_size=20))
def test_rows_do_not_depend_on_each_other(targets):
    values = np.array(targets)
    together = find_roots(lambda x: np.expm1(x) - values, -10.0, 10.0)
    np.testing.assert_allclose(together, np.log1p(values), rtol=1e-12, atol=1e-15)
    for i, value in enumerate(targets):
        assert find_roots(lambda x, v=value: np.expm1(x) - v, -10.0, 10.0)[0] == together[i]


def test_roots_at_an_end_and_exact_hits():
    np.testing.assert_array_equal(find_roots(lambda x: x, [0.0, -1.0, -1.0], [2.0, 0.0, 1.0]), 0.0)


def test_no_root():
    with pytest.raises(RootError, match="row 1 has no change of sign between 1 and 2, where the function is 1 and 4"):
        find_roots(lambda x: x * x * np.array([-1.0, 1.0]) + np.array([2.0, 0.0]), [1.0, 1.0], 2.0)
    with pytest.raises(RootError, match="after 3 evaluations"):
        find_roots(lambda x: np.exp(x) - 2.0, -50.0, 50.0, max_iterations=3)
    with pytest.raises(RootError, match="two finite ends"):
        find_root(math.cos, 0.0, math.inf)
    with pytest.raises(RootError, match="no change of sign"):
        find_root(lambda _: math.nan, 0.0, 1.0)


@pytest.mark.parametrize("slope", [1.0, -1.0])
def test_a_root_at_either_end_is_found_whichever_way_the_function_goes(slope):
    assert find_root(lambda x: slope * (x - 2.0), 2.0, 3.0) == 2.0
    assert find_root(lambda x: slope * (x - 3.0), 2.0, 3.0) == 3.0


# --- quadrature ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 8, 33, 100, 180])
def test_rules_against_scipy(n):
    for ours, theirs in [(gauss_legendre, special.roots_legendre), (gauss_laguerre, special.roots_laguerre)]:
        nodes, weights = theirs(n)
        rule = ours(n)
        np.testing.assert_allclose(rule.nodes, nodes, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(rule.weights, weights, rtol=1e-9, atol=1e-14)
    nodes, weights = special.roots_hermitenorm(n)
    rule = gauss_hermite(n)
    np.testing.assert_allclose(rule.nodes, nodes, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(rule.weights, weights / math.sqrt(2.0 * math.pi), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("n", [2, 5, 20, 64])
def test_polynomials_are_integrated_exactly(n):
    degree = min(2 * n - 2, 20)
    power = gauss_legendre(n, 0.0, 2.0).integrate(lambda x: x**degree)
    assert power == pytest.approx(2.0 ** (degree + 1) / (degree + 1), rel=1e-13)
    assert gauss_laguerre(n).integrate(lambda x: x**degree) == pytest.approx(math.factorial(degree), rel=1e-9)
    moment = gauss_hermite(n).integrate(lambda x: x**degree)
    assert moment == pytest.approx(special.factorial2(degree - 1), rel=1e-10)


def test_smooth_functions():
    assert gauss_legendre(40, -1.0, 3.0).integrate(np.exp) == pytest.approx(math.exp(3) - math.exp(-1), rel=1e-15)
    assert gauss_hermite(40).integrate(np.cos) == pytest.approx(math.exp(-0.5), rel=1e-14)
    assert gauss_legendre(3).nodes is gauss_legendre(3).nodes or not gauss_legendre(3).nodes.flags.writeable


@pytest.mark.parametrize(
    ("rule", "n"), [(gauss_legendre, 0), (gauss_laguerre, 181), (gauss_hermite, 2.0), (gauss_legendre, True)]
)
def test_bad_rules(rule, n):
    with pytest.raises(ModelError, match="give a whole number from 1 to"):
        rule(n)


def test_bad_ends():
    with pytest.raises(ModelError, match="needs finite ends"):
        gauss_legendre(3, 0.0, math.inf)


# --- interpolation -------------------------------------------------------------------------------

points = st.lists(
    st.tuples(st.integers(-50, 50), st.floats(0.1, 100.0)), min_size=2, max_size=9, unique_by=lambda pair: pair[0]
).map(sorted)


@given(points)
def test_through_the_points_and_between_neighbours(pairs):
    x, y = np.array([p[0] for p in pairs], float), np.array([p[1] for p in pairs])
    middle = x[:-1] + np.diff(x) * 0.37
    low, high = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
    for kind in (Linear, LogLinear, MonotoneCubic):
        curve = kind(x, y)
        np.testing.assert_allclose(curve(x), y, rtol=1e-13)
        between = curve(middle)
        assert (between >= low * (1 - 1e-12)).all(), kind
        assert (between <= high * (1 + 1e-12)).all(), kind
    np.testing.assert_allclose(Linear(x, y)(middle), np.interp(middle, x, y), rtol=1e-13)
    np.testing.assert_allclose(LogLinear(x, y)(middle), np.exp(np.interp(middle, x, np.log(y))), rtol=1e-13)


@given(points)
def test_a_monotone_cubic_is_scipys_hermite_of_the_same_slopes(pairs):
    x, y = np.array([p[0] for p in pairs], float), np.array([p[1] for p in pairs])
    curve = MonotoneCubic(x, y)
    theirs = interpolate.CubicHermiteSpline(x, y, curve.slopes)
    at = np.linspace(x[0], x[-1], 41)
    np.testing.assert_allclose(curve(at), theirs(at), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(curve.derivative(at), theirs.derivative()(at), rtol=1e-8, atol=1e-8)


def test_smooth_data_keep_the_order_of_a_cubic():
    errors = []
    for n in (11, 21, 41):
        x = np.linspace(0.0, 1.0, n)
        at = np.linspace(0.0, 1.0, 997)
        errors.append(np.abs(MonotoneCubic(x, np.exp(x))(at) - np.exp(at)).max())
    assert errors[0] / errors[1] > 6.0
    assert errors[1] / errors[2] > 6.0


@pytest.mark.parametrize("kind", [Linear, LogLinear, MonotoneCubic])
def test_beyond_the_points(kind):
    x, y = [0.0, 1.0, 3.0], [1.0, 2.0, 8.0]
    np.testing.assert_allclose(kind(x, y)([-1.0, 4.0]), [1.0, 8.0])
    np.testing.assert_allclose(kind(x, y).derivative([-1.0, 4.0]), 0.0)
    assert np.isnan(kind(x, y, "nan")([-1.0, 4.0, math.nan])).all()
    line = kind(x, y, Extrapolation.LINE)
    assert line(3.5) == pytest.approx(line(3.0) + 0.5 * line.derivative(3.0), rel=0.2)
    assert line(-0.1) < 1.0
    assert line([[0.5, 1.0]]).shape == (1, 2)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1.0], [1.0], "at least two points"),
        ([1.0, 1.0], [1.0, 2.0], "increasing x"),
        ([0.0, 1.0], [1.0, math.nan], "finite"),
        ([0.0, 1.0], [1.0], "x and y of the same length"),
    ],
)
def test_bad_points(x, y, message):
    with pytest.raises(ModelError, match=message):
        MonotoneCubic(x, y)


def test_no_logarithm():
    with pytest.raises(ModelError, match=r"y=np.float64\(-1.0\)|y=-1.0"):
        LogLinear([0.0, 1.0], [1.0, -1.0])


# --- matrices ------------------------------------------------------------------------------------


def test_highams_examples():
    # N. J. Higham, IMA Journal of Numerical Analysis 22 (2002), sections 1 and 4
    three = nearest_correlation([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    np.testing.assert_allclose(three, [[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]], atol=5e-5)
    tridiagonal = 2.0 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)
    four = nearest_correlation(tridiagonal)
    expected = [
        [1, -0.8084, 0.1916, 0.1068],
        [-0.8084, 1, -0.6562, 0.1916],
        [0.1916, -0.6562, 1, -0.8084],
        [0.1068, 0.1916, -0.8084, 1],
    ]
    np.testing.assert_allclose(four, expected, atol=5e-5)


def broken_correlation(n, seed):
    rng = np.random.default_rng(seed)
    matrix = np.corrcoef(rng.normal(size=(n, 3 * n))) + 0.5 * rng.normal(size=(n, n))
    matrix = np.clip(0.5 * (matrix + matrix.T), -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return matrix


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_nearer(seed):
    given_matrix = broken_correlation(8, seed)
    assert np.linalg.eigvalsh(given_matrix)[0] < -0.05
    found = nearest_correlation(given_matrix)
    np.testing.assert_array_equal(np.diag(found), 1.0)
    assert np.linalg.eigvalsh(found)[0] > -1e-12
    # The conditions of optimality (Higham 2002, theorem 2.4): found = P₊(given + D), with D diagonal, and the part
    # that was cut off is orthogonal to it.
    values, vectors = np.linalg.eigh(found)
    null = vectors[:, values < 1e-9]
    difference = found - given_matrix
    # difference = diagonal + V V' with V in the null space: solve for the diagonal from a linear system
    n = len(found)
    basis = [np.diag(row) for row in np.eye(n)]
    k = null.shape[1]
    basis += [
        np.outer(null[:, i], null[:, j]) + np.outer(null[:, j], null[:, i]) for i in range(k) for j in range(i, k)
    ]
    system = np.array([part.reshape(-1) for part in basis]).T
    solution, *_ = np.linalg.lstsq(system, difference.reshape(-1), rcond=None)
    np.testing.assert_allclose(system @ solution, difference.reshape(-1), atol=1e-7)
    rng = np.random.default_rng(seed + 100)
    for _ in range(200):
        other = np.corrcoef(rng.normal(size=(n, n + 2)))
        nearer = found + 0.01 * (other - found)
        assert np.linalg.norm(nearer - given_matrix) >= np.linalg.norm(found - given_matrix) - 1e-12


def test_a_correlation_matrix_is_left_alone():
    good = np.corrcoef(np.random.default_rng(0).normal(size=(6, 50)))
    np.testing.assert_allclose(nearest_correlation(good), good, atol=1e-14)
    np.testing.assert_allclose(nearest_psd(good), good, atol=1e-15)


def test_a_floor_under_the_eigenvalues():
    found = nearest_correlation(broken_correlation(10, 3), least_eigenvalue=1e-3)
    assert np.linalg.eigvalsh(found)[0] > 0.99e-3
    np.testing.assert_allclose(cholesky(found) @ cholesky(found).T, found, atol=1e-12)


def test_nearest_psd_cuts_negative_eigenvalues():
    given_matrix = np.array([[1.0, 2.0], [2.0, 1.0]])  # eigenvalues 3 and −1
    np.testing.assert_allclose(nearest_psd(given_matrix), [[1.5, 1.5], [1.5, 1.5]], atol=1e-14)


def test_roots_of_matrices():
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(6, 3))
    singular = factor @ factor.T
    root = semidefinite_root(singular)
    np.testing.assert_allclose(root @ root.T, singular, atol=1e-12)
    with pytest.raises(MatrixError, match=r"least eigenvalue is .*first 4 rows"):
        cholesky(singular - 1e-6 * np.eye(6))
    with pytest.raises(
        MatrixError, match="block of its first 2 rows and columns is not either; repair it with nearest_correlation"
    ):
        cholesky([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(MatrixError, match="not positive semidefinite: its least eigenvalue is -1"):
        semidefinite_root([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("function", [nearest_psd, nearest_correlation, cholesky, semidefinite_root])
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 2.0, 3.0]], "square matrix"),
        ([], "square matrix"),
        ([[1.0, 0.5], [0.4, 1.0]], "not symmetric: it differs from its transpose by up to 0.1"),
        ([[1.0, math.nan], [math.nan, 1.0]], "not finite"),
    ],
)
def test_bad_matrices(function, matrix, message):
    with pytest.raises(MatrixError, match=message):
        function(matrix)


def test_bad_repairs():
    with pytest.raises(MatrixError, match=r"least_eigenvalue=1\.5"):
        nearest_correlation(np.eye(2), least_eigenvalue=1.5)
    with pytest.raises(MatrixError, match="after 2 iterations"):
        nearest_correlation(broken_correlation(6, 1), max_iterations=2)


# --- least squares -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_least_squares_against_scipy(seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 3.0, 40)
    data = 2.0 * np.exp(-0.7 * t) + 0.5 + 0.05 * rng.normal(size=40)

    def residuals(p):
        return p[0] * np.exp(-p[1] * t) + p[2] - data

    box = ([0.1, 0.1, 0.0], [10.0, 5.0, 0.45])  # the last parameter ends on its wall
    ours = least_squares(residuals, [1.0, 1.0, 0.1], *box)
    theirs = optimize.least_squares(residuals, [1.0, 1.0, 0.1], bounds=box, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert ours.converged
    assert ours.cost == pytest.approx(2.0 * theirs.cost, rel=1e-8)
    np.testing.assert_allclose(ours.parameters, theirs.x, rtol=1e-4)


def test_rosenbrock():
    fit = least_squares(
        lambda p: np.array([10.0 * (p[1] - p[0] ** 2), 1.0 - p[0]]), [-1.2, 1.0], [-5.0, -5.0], [5.0, 5.0]
    )
    np.testing.assert_allclose(fit.parameters, 1.0, rtol=1e-9)
    cut = least_squares(
        lambda p: np.array([10.0 * (p[1] - p[0] ** 2), 1.0 - p[0]]), [-1.2, 1.0], [-5.0, -5.0], [5.0, 5.0], 3
    )
    assert not cut.converged
    assert cut.iterations == 3


def test_bad_starts():
    with pytest.raises(CalibrationError, match="is outside the bounds"):
        least_squares(lambda p: p, [2.0], [0.0], [1.0])
    with pytest.raises(CalibrationError, match="not finite"):
        least_squares(lambda p: p * math.nan, [0.5], [0.0], [1.0])
