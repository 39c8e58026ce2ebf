"""Quadratic programs against Clarabel through cvxpy, closed forms, the certificate's properties, and contradictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import InfeasibleError, ModelError
from bank_python.numerics.qp import QpSolution, QuadraticProgram, solve_qp
from bank_python.numerics.qp_dual import dual_active_set

cvxpy = pytest.importorskip("cvxpy")


def random_program(seed, n=None):
    """A feasible program of random size; every kind of constraint may be there, and many are active."""
    rng = np.random.default_rng(seed)
    n = n or int(rng.integers(2, 30))
    factors = rng.standard_normal((n, max(n // 3, 1)))
    P = factors @ factors.T + np.diag(0.01 + rng.random(n))
    inside = rng.random(n)
    rows, equalities = int(rng.integers(0, n)), int(rng.integers(0, max(n // 4, 1) + 1))
    G = rng.standard_normal((rows, n))
    A = rng.standard_normal((equalities, n))
    lower = np.where(rng.random(n) < 0.7, inside - rng.random(n) * rng.integers(0, 2, n), -np.inf)
    upper = np.where(rng.random(n) < 0.7, inside + rng.random(n), np.inf)
    return {
        "P": P,
        "q": 3.0 * rng.standard_normal(n),
        "A": A,
        "b": A @ inside,
        "G": G,
        "h": G @ inside + rng.random(rows) * rng.integers(0, 2, rows),
        "lower": lower,
        "upper": upper,
    }


def clarabel(P, q, A, b, G, h, lower, upper):
    x = cvxpy.Variable(len(q))
    constraints = [A @ x == b] if len(b) else []
    constraints += [G @ x <= h] if len(h) else []
    known = np.isfinite(lower)
    constraints += [x[known] >= lower[known]] if known.any() else []
    known = np.isfinite(upper)
    constraints += [x[known] <= upper[known]] if known.any() else []
    problem = cvxpy.Problem(cvxpy.Minimize(0.5 * cvxpy.quad_form(x, cvxpy.psd_wrap(P)) + q @ x), constraints)
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    return problem.status, problem.value, x.value


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_are_solved_as_clarabel_solves_them(seed):
    program = random_program(seed)
    solved = solve_qp(**program)
    _, value, x = clarabel(**program)
    described = {key: np.asarray(part).tolist() for key, part in program.items()}
    assert solved.objective == pytest.approx(value, rel=1e-7, abs=1e-8), described
    assert solved.x == pytest.approx(x, abs=1e-4), described
    assert solved.kkt_residual < 1e-10, described
    assert solved.duality_gap < 1e-9, described


@pytest.mark.parametrize("seed", range(60, 90))
def test_both_methods_find_the_same_active_set(seed):
    given_ = random_program(seed)
    solved = solve_qp(**given_)
    fixed, rows, _ = dual_active_set(QuadraticProgram(**given_, factor=np.linalg.cholesky(given_["P"])))
    assert isinstance(solved, QpSolution)
    pinned = given_["lower"] == given_["upper"]
    assert set(np.flatnonzero(fixed > 0)) - set(np.flatnonzero(pinned)) == set(solved.at_upper)
    assert set(np.flatnonzero(fixed < 0)) - set(np.flatnonzero(pinned)) == set(solved.at_lower) - set(
        np.flatnonzero(pinned)
    )
    assert set(np.flatnonzero(rows)) == set(solved.active_rows)


def test_minimum_variance_without_bounds_is_the_closed_form():
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((400, 12))
    P = np.cov(draws.T)
    solved = solve_qp(P, np.zeros(12), A=np.ones((1, 12)), b=[1.0])
    weights = np.linalg.solve(P, np.ones(12))
    assert solved.x == pytest.approx(weights / weights.sum(), rel=1e-12)
    assert solved.iterations == 1
    assert solved.equality_duals[0] == pytest.approx(-1.0 / weights.sum(), rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(100, 10_000), scale=st.floats(1e-6, 1e6), data=st.data())
def test_scaling_and_order_do_not_matter(seed, scale, data):
    program = random_program(seed)
    solved = solve_qp(**program)
    scaled = solve_qp(**{**program, "P": scale * program["P"], "q": scale * program["q"]})
    assert scaled.x == pytest.approx(solved.x, rel=1e-7, abs=1e-8)
    assert scaled.kkt_residual < 1e-9
    order = np.array(data.draw(st.permutations(range(len(program["q"])))))
    shuffled = solve_qp(
        program["P"][np.ix_(order, order)],
        program["q"][order],
        A=program["A"][:, order],
        b=program["b"],
        G=program["G"][:, order],
        h=program["h"],
        lower=program["lower"][order],
        upper=program["upper"][order],
    )
    assert shuffled.x == pytest.approx(solved.x[order], rel=1e-7, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(100, 10_000))
def test_another_constraint_never_helps_and_no_feasible_point_is_better(seed):
    program = random_program(seed)
    solved = solve_qp(**program)
    fewer = solve_qp(**{**program, "G": program["G"][1:], "h": program["h"][1:]})
    assert fewer.objective <= solved.objective + 1e-9 * max(1.0, abs(solved.objective))
    rng = np.random.default_rng(seed)
    for _ in range(20):
        step = rng.standard_normal(len(program["q"])) * 0.1
        if len(program["b"]):
            step -= np.linalg.pinv(program["A"]) @ (program["A"] @ step)
        other = solved.x + step
        feasible = (program["G"] @ other <= program["h"] + 1e-12).all()
        if feasible and (other >= program["lower"]).all() and (other <= program["upper"]).all():
            cost = 0.5 * other @ program["P"] @ other + program["q"] @ other
            assert cost >= solved.objective - 1e-9 * max(1.0, abs(solved.objective))


def simulated(n, seed=3):
    rng = np.random.default_rng(seed)
    factors = 0.02 * rng.standard_normal((n, 10))
    P = factors @ factors.T + np.diag(1e-4 * (0.1 + rng.random(n)))
    return P, {"A": np.ones((1, n)), "b": [1.0], "lower": 0.0, "upper": 1.5 / n}


def test_a_large_program_guesses_for_itself():
    P, terms = simulated(400)
    solved = solve_qp(P, np.zeros(400), **terms)
    assert solved.iterations <= 2
    assert solved.kkt_residual < 1e-11
    assert len(solved.at_lower) + len(solved.at_upper) > 100


@pytest.mark.parametrize("times", [1e-30, 1e30])
def test_what_single_precision_cannot_hold_is_solved_all_the_same(times):
    P, terms = simulated(250)
    plain, wild = solve_qp(P, np.zeros(250), **terms), solve_qp(times * P, np.zeros(250), **terms)
    assert wild.x == pytest.approx(plain.x, abs=1e-12)


def test_a_good_guess_takes_one_step():
    P, terms = simulated(150)
    cold = solve_qp(P, np.zeros(150), **terms)
    warm = solve_qp(P, np.zeros(150), **terms, start=cold.x)
    assert warm.iterations == 1 < cold.iterations
    assert warm.x == pytest.approx(cold.x, abs=1e-14)
    assert cold.kkt_residual < 1e-11


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (
            {"lower": [0.5, 0.6], "upper": [1.0, 0.4]},
            r"the lower bound 0\.6 of variable 1 is above its upper bound 0\.4",
        ),
        (
            {"A": [[1, 1]], "b": [1.0], "upper": 0.4},
            r"the upper bound 0\.4 of variable \d cannot hold .* exceeded by 0\.[12]",
        ),
        ({"A": [[1, 1]], "b": [1.0], "lower": 0.6}, r"the lower bound 0\.6 of variable \d cannot hold"),
        ({"G": [[1, 1], [-1, -1]], "h": [1.0, -2.0]}, r"row \d \(at most .* cannot hold with row \d"),
        ({"A": [[1, 1], [2, 2]], "b": [1.0, 3.0]}, r"equality \d contradicts the others"),
    ],
)
def test_contradictions_are_reported_with_their_size(terms, said):
    with pytest.raises(InfeasibleError, match=said):
        solve_qp(np.eye(2), np.zeros(2), **terms)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"P": np.eye(3)}, r"P has shape \(3, 3\), but q has 2 variables"),
        ({"P": [[1.0, 0.0], [0.0, -1.0]]}, "least eigenvalue is -1"),
        ({"q": [np.nan, 0.0]}, "not finite"),
        ({"A": [[1.0, 1.0]]}, "A was given without its right side"),
        ({"G": [[1.0, 1.0, 1.0]], "h": [1.0]}, r"G has shape \(1, 3\)"),
        ({"lower": np.nan}, "a bound is NaN"),
    ],
)
def test_what_does_not_fit_is_refused(terms, said):
    given_ = {"P": np.eye(2), "q": np.zeros(2), **terms}
    with pytest.raises(ModelError, match=said):
        solve_qp(**given_)


@pytest.mark.parametrize("size", [1e-8, 1e-4, 1e6])
@pytest.mark.parametrize("seed", range(5))
def test_the_size_of_the_costs_does_not_matter(seed, size):
    program = random_program(seed)
    plain = solve_qp(**program)
    scaled = solve_qp(**(program | {"P": size * program["P"], "q": size * program["q"]}))
    assert scaled.x == pytest.approx(plain.x, rel=1e-9, abs=1e-11)
    assert scaled.at_lower.tolist() == plain.at_lower.tolist()
    assert scaled.kkt_residual < 1e-12


@pytest.mark.parametrize("n", [60, 250])
def test_bounds_that_the_first_guess_pins_one_and_all_do_not_cost_a_step_each(n: int) -> None:
    rng = np.random.default_rng(n)
    factors = rng.normal(size=(n, 5))
    P = 0.01 * (factors @ factors.T) + np.diag(rng.uniform(0.02, 0.05, n))
    most = 4.0 / n  # the optimum is all but a corner: a quarter at their upper bounds, the others at 0
    solved = solve_qp(P, -rng.normal(size=n), A=np.ones((1, n)), b=[1.0], lower=0.0, upper=most)
    assert solved.kkt_residual < 1e-12
    assert solved.iterations < 60
