"""The critical line against the quadratic core and cvxpy at many s, and with simultaneous turning points."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import InfeasibleError, ModelError
from bank_python.numerics.critical_line import critical_line
from bank_python.numerics.qp import solve_qp


def curved(rng, n):
    factors = rng.normal(size=(2 * n, n))
    return factors.T @ factors / n + 0.01 * np.eye(n)


def between(path):
    """Scales at, between and behind the turning points."""
    s = path.scales
    return np.concatenate([s, 0.5 * (s[1:] + s[:-1]), [1.5 * s[-1] + 0.1, 20.0 * s[-1] + 1.0]])


def furthest(path, P, m, A, b, lower, upper):
    """Return the largest distance from the solution of the program at single s, relative."""
    worst = 0.0
    for s in between(path):
        x = solve_qp(P, -s * np.asarray(m), A=A, b=b, lower=lower, upper=upper).x
        worst = max(worst, float(np.abs(path.at(s) - x).max()) / max(1.0, float(np.abs(x).max())))
    return worst


def test_two_assets_by_hand():
    # x1 = 1 - x0: x0 = (0.09 - 0.05 s) / 0.13, which is 0 at s = 1.8.
    path = critical_line(np.diag([0.04, 0.09]), [0.05, 0.10], [[1.0, 1.0]], [1.0], 0.0, 1.0)
    assert path.scales == pytest.approx([0.0, 1.8], abs=1e-14)
    assert path.points == pytest.approx(np.array([[9 / 13, 4 / 13], [0.0, 1.0]]), abs=1e-15)
    assert path.at(1.0) == pytest.approx([4 / 13, 9 / 13], abs=1e-15)
    assert path.at(7.0).tolist() == [0.0, 1.0]
    assert not path.is_ray


def test_without_bounds_it_is_a_ray_from_the_least_variance():
    P, m = np.diag([1.0, 2.0]), np.array([1.0, 3.0])
    path = critical_line(P, m, np.ones((1, 2)), [1.0], -np.inf, np.inf)
    assert path.scales.tolist() == [0.0]
    assert path.points[0] == pytest.approx([2 / 3, 1 / 3], abs=1e-15)
    assert path.is_ray
    assert path.direction == pytest.approx([-2 / 3, 2 / 3], abs=1e-15)
    assert path.at(9.0) == pytest.approx([2 / 3 - 6, 1 / 3 + 6], abs=1e-14)


def test_without_equalities_each_variable_goes_its_own_way():
    path = critical_line(np.diag([1.0, 2.0]), [1.0, 1.0], [], [], [-1.0, 0.0], [2.0, 0.5])
    assert path.scales.tolist() == [0.0, 1.0, 2.0]
    assert path.points.tolist() == [[0.0, 0.0], [1.0, 0.5], [2.0, 0.5]]


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_with_mixed_bounds_equal_the_quadratic_core(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 61))
    P, m = curved(rng, n), rng.normal(size=n)
    A = np.vstack([np.ones(n), rng.normal(size=n)]) if seed % 3 == 0 and n > 4 else np.ones((1, n))
    lower = np.where(rng.random(n) < 0.3, -np.inf, rng.uniform(-0.3, 0.0, n))
    upper = np.where(rng.random(n) < 0.3, np.inf, rng.uniform(0.2, 1.5, n))
    b = A @ np.clip(np.full(n, 1.0 / n), lower, upper)
    path = critical_line(P, m, A, b, lower, upper)
    assert path.certificate_residual < 1e-12
    assert np.all(np.diff(path.scales) > 0.0)
    assert furthest(path, P, m, A, b, lower, upper) < 1e-10


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_programs_equal_clarabel(seed):
    rng = np.random.default_rng(100 + seed)
    n = 25
    P, m = curved(rng, n), rng.normal(size=n)
    lower, upper = np.full(n, -0.1), rng.uniform(0.1, 0.6, n)
    path = critical_line(P, m, np.ones((1, n)), [1.0], lower, upper)
    x = cp.Variable(n)
    for s in (0.0, 0.3 * path.scales[-1], 0.8 * path.scales[-1], 2.0 * path.scales[-1]):
        objective = cp.Minimize(0.5 * cp.quad_form(x, cp.psd_wrap(P)) - s * m @ x)
        cp.Problem(objective, [cp.sum(x) == 1.0, x >= lower, x <= upper]).solve(
            solver=cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-13, tol_feas=1e-13
        )
        assert path.at(s) == pytest.approx(x.value, abs=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_simultaneous_turning_points_are_resolved(seed):
    """Equal assets, ties in m, bounds that many meet at once, variables that are pinned, rows that hold single ones."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 20))
    group = rng.integers(0, 3, n)
    P = [
        np.eye(n),
        0.02 * (np.eye(n) + np.ones((n, n))),
        0.04 * (0.5 * (group[:, None] == group) + 0.2) + 0.02 * np.eye(n),
    ][seed % 3]
    m = rng.choice([0.05, 1.0]) * rng.integers(0, 3, n)
    rows = np.vstack([np.ones(n), np.arange(n) < 1 + n // 3]) if n > 5 and seed % 2 else np.ones((1, n))
    lower = np.where(rng.random(n) < 0.2, -np.inf, 0.0) if seed % 5 == 0 else np.zeros(n)
    upper = np.full(n, rng.choice([0.25, 0.5, 1.0]) if n > 11 else 1.0)
    if n > 3:
        lower[0] = upper[0] = 0.1
    b = np.array([1.0, 0.25])[: len(rows)]
    path = critical_line(P, m, rows, b, lower, upper)
    assert path.certificate_residual < 1e-12
    assert furthest(path, P, m, rows, b, lower, upper) < 1e-10


# Regressions: a direction due to rounding only, and a turning point that left the equalities undetermined.
@pytest.mark.parametrize(
    ("P", "m", "rows", "b", "upper"),
    [
        (np.eye(5), [2.0, 2.0, 1.0, 1.0, 2.0], [[1.0] * 5, [0.0, 0.0, 1.0, 1.0, 0.0]], [1.0, 0.5], 0.25),
        (np.eye(4) + 1.0, [1.0, 1.0, 1.0, 0.0], [[1.0] * 4], [1.0], 0.5),
        (np.eye(3), [1.0, 2.0, 3.0], np.eye(3), [0.2, 0.3, 0.5], 1.0),
        (np.eye(3), [1.0, 2.0, 3.0], [[1.0] * 3], [0.3], 0.1),
        (np.eye(3), [0.0, 0.0, 0.0], [[1.0] * 3], [1.0], 1.0),
        (np.eye(1), [0.3], [[1.0]], [1.0], 1.0),
    ],
)
def test_where_little_or_nothing_can_move(P, m, rows, b, upper):
    path = critical_line(P, m, rows, b, 0.0, upper)
    assert path.certificate_residual < 1e-14
    assert furthest(path, P, m, rows, b, 0.0, upper) < 1e-14
    assert not path.is_ray


def test_an_optimum_that_lies_on_a_bound_by_chance():
    # The least variance of the first two alone: the third is exactly at its bound, its multiplier exactly 0.
    P = np.array([[2.0, 0.0, 1.0], [0.0, 2.0, 1.0], [1.0, 1.0, 3.0]])
    for m in ([0.0, 0.0, 1.0], [1.0, 0.0, -1.0], [0.0, 0.0, -1.0]):
        path = critical_line(P, m, np.ones((1, 3)), [1.0], 0.0, 1.0)
        assert path.points[0] == pytest.approx([0.5, 0.5, 0.0], abs=1e-15)
        assert furthest(path, P, m, np.ones((1, 3)), [1.0], 0.0, 1.0) < 1e-13


def test_many_steps_leave_no_drift():
    rng = np.random.default_rng(8)
    n = 150
    P, m = curved(rng, n), rng.normal(size=n)
    path = critical_line(P, m, np.ones((1, n)), [1.0], 0.0, 1.0)
    assert len(path.scales) > 130
    assert path.drift < 1e-12
    assert path.certificate_residual < 1e-12
    assert path.points[-1, int(np.argmax(m))] == 1.0


def test_an_ill_conditioned_matrix_still_meets_the_conditions():
    rng = np.random.default_rng(5)
    n = 40
    returns = rng.normal(size=(n + 3, n)) * np.logspace(-3, -1, n)
    P, m = np.cov(returns.T), returns.mean(axis=0)
    assert np.linalg.cond(P) > 1e4
    path = critical_line(P, m, np.ones((1, n)), [1.0], -0.5, 0.8)
    assert path.certificate_residual < 1e-12


def test_multipliers_balance_the_slopes():
    rng = np.random.default_rng(2)
    P, m = curved(rng, 9), rng.normal(size=9)
    path = critical_line(P, m, np.ones((1, 9)), [1.0], 0.0, 0.4)
    slopes = path.points @ P - np.outer(path.scales, m) - path.multipliers
    free = (path.points > 1e-9) & (path.points < 0.4 - 1e-9)
    assert np.abs(slopes[free]).max() < 1e-12 * path.scales[-1]
    assert slopes[path.points == 0.0].min() > -1e-12 * path.scales[-1]
    assert slopes[path.points == 0.4].max() < 1e-12 * path.scales[-1]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-4, 1e4), size=st.floats(1e-6, 1e6))
def test_scaling_m_and_p_scales_s_and_permuting_permutes(seed, scale, size):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 13))
    P, m, upper = curved(rng, n), rng.normal(size=n), rng.uniform(0.5, 1.0, n)
    path = critical_line(P, m, np.ones((1, n)), [1.0], 0.0, upper)
    order = rng.permutation(n)
    other = critical_line(size * P[np.ix_(order, order)], scale * m[order], np.ones((1, n)), [1.0], 0.0, upper[order])
    assert other.scales == pytest.approx(path.scales * size / scale, rel=1e-8)
    assert other.points == pytest.approx(path.points[:, order], abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"m": [1.0, np.nan]}, "not finite"),
        ({"m": []}, "m is empty"),
        ({"A": [[1.0, 1.0, 1.0]]}, "A has shape"),
        ({"A": [[1.0, 1.0], [2.0, 2.0]], "b": [1.0, 2.0]}, "linearly dependent"),
        ({"P": [[1.0, 2.0], [2.0, 1.0]]}, "least eigenvalue"),
        ({"P": np.eye(3)}, "shape"),
        ({"b": [1.0, 1.0]}, "A has shape"),
        ({"lower": np.nan}, "bound"),
        ({"upper": [1.0, 1.0, 1.0]}, "one for each"),
        ({"P": [[1.0, 0.2], [0.1, 1.0]]}, "not symmetric"),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    asked = {"P": np.eye(2), "m": [1.0, 2.0], "A": [[1.0, 1.0]], "b": [1.0], "lower": 0.0, "upper": 1.0} | change
    with pytest.raises(ModelError, match=message):
        critical_line(**asked)


def test_what_nothing_satisfies_is_refused():
    with pytest.raises(InfeasibleError):
        critical_line(np.eye(2), [1.0, 2.0], [[1.0, 1.0]], [1.0], 0.0, 0.4)
    with pytest.raises(InfeasibleError, match="above its upper bound"):
        critical_line(np.eye(2), [1.0, 2.0], [[1.0, 1.0]], [1.0], [0.0, 0.9], [1.0, 0.4])


@pytest.mark.parametrize("s", [-1.0, np.inf, np.nan])
def test_s_outside_the_path_is_refused(s):
    path = critical_line(np.eye(2), [1.0, 2.0], [[1.0, 1.0]], [1.0], 0.0, 1.0)
    with pytest.raises(ModelError, match="negative or not finite"):
        path.at(s)
