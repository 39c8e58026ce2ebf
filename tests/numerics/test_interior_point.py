"""Soft-constrained programs against Clarabel, HiGHS, closed forms, and recomputed optimality conditions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from bank_python.errors import ModelError
from bank_python.numerics.interior_point import solve_penalties

cvxpy = pytest.importorskip("cvxpy")

NO_ROWS = {"E": np.zeros((0, 1)), "f": [], "penalty": []}
HARD = np.inf


def random_program(seed):
    """A feasible, bounded program: P of any rank, hard and soft rows, some active, repeated or dependent."""
    rng = np.random.default_rng(seed)
    n, is_whole = int(rng.integers(1, 16)), rng.random() < 0.4  # whole figures make ties
    factors = rng.standard_normal((n, (0, max(n // 2, 1), n, 1)[int(rng.integers(0, 4))]))

    def draw(*shape):
        return rng.integers(-2, 3, shape).astype(float) if is_whole else rng.standard_normal(shape)

    inside = rng.standard_normal(n).round(1)
    m = int(rng.integers(0, 2 * n + 3))
    E = draw(m, n)
    soft = rng.random(m) < 0.5
    f = E @ inside + np.where(rng.random(m) < 0.4, 0.0, rng.random(m)) - np.where(soft & (rng.random(m) < 0.5), 2.0, 0)
    penalty = np.where(soft, np.where(rng.random(m) < 0.5, 1.0, 0.01 + 3.0 * rng.random(m)), HARD)
    repeated = rng.integers(0, m, 3) if m and rng.random() < 0.3 else np.zeros(0, dtype=int)
    A = draw(int(rng.integers(0, max(n // 3, 1) + 1)), n)
    if len(A) and rng.random() < 0.3:
        A = np.vstack([A, A.sum(axis=0), A[0]])
    room = np.where(rng.random(n) < 0.3, 0.0, rng.random(n))
    return {
        "P": factors @ factors.T,
        "q": draw(n) + 0.1,
        "E": np.vstack([E, E[repeated]]),
        "f": np.append(f, f[repeated]),
        "penalty": np.append(penalty, penalty[repeated]),
        "A": A,
        "b": A @ inside,
        "lower": inside - np.where(rng.random(n) < 0.3, 5.0, room),
        "upper": inside + np.where(rng.random(n) < 0.5, 5.0, rng.random(n)),
    }


def random_linear_program(seed):
    program = random_program(seed)
    return {**program, "P": np.zeros_like(program["P"])}


def clarabel(P, q, E, f, penalty, A, b, lower, upper):
    x, soft = cvxpy.Variable(len(q)), np.isfinite(penalty)
    cost = q @ x + (0.5 * cvxpy.quad_form(x, cvxpy.psd_wrap(P)) if P.any() else 0.0)
    cost += penalty[soft] @ cvxpy.pos(E[soft] @ x - f[soft]) if soft.any() else 0.0
    limits = [x >= lower, x <= upper]
    limits += [A @ x == b] if len(b) else []
    limits += [E[~soft] @ x <= f[~soft]] if not soft.all() else []
    problem = cvxpy.Problem(cvxpy.Minimize(cost), limits)
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    return problem.value


def highs(q, E, f, penalty, A=None, b=None, lower=None, upper=None, **_):
    """The same linear program with a variable for the excess of each soft row."""
    n, soft = len(q), np.isfinite(penalty)
    least, most = (
        np.broadcast_to(-HARD if lower is None else lower, n),
        np.broadcast_to(HARD if upper is None else upper, n),
    )
    solved = linprog(
        np.concatenate([q, penalty[soft]]),
        A_ub=np.hstack([E, -np.eye(len(f))[:, soft]]) if len(f) else None,
        b_ub=f if len(f) else None,
        A_eq=np.pad(A, ((0, 0), (0, int(soft.sum())))) if A is not None and len(A) else None,
        b_eq=b if A is not None and len(A) else None,
        bounds=[*zip(least, most, strict=True), *[(0.0, None)] * int(soft.sum())],
        method="highs",
    )
    return solved.fun


def described(program):
    return {key: np.asarray(part).tolist() for key, part in program.items()}


def cost_of(program, x):
    soft = np.isfinite(program["penalty"])
    over = np.maximum(program["E"] @ x - program["f"], 0.0)
    return 0.5 * x @ program["P"] @ x + program["q"] @ x + program["penalty"][soft] @ over[soft]


def assert_optimal(program, solved):
    """The conditions of Karush, Kuhn and Tucker, from the program and the solution only."""
    x, z, penalty = solved.x, solved.z, program["penalty"]
    soft, message = np.isfinite(penalty), described(program)
    slope = program["P"] @ x + program["q"] + solved.y @ program["A"] + z @ program["E"] + solved.bounds
    over, size = program["E"] @ x - program["f"], 1.0 + np.abs(x).max() + np.abs(z).max(initial=0.0)
    assert slope == pytest.approx(np.zeros(len(x)), abs=1e-8 * size), message
    assert program["A"] @ x == pytest.approx(program["b"], abs=1e-8 * size), message
    assert (over[~soft] <= 1e-8 * size).all(), message
    assert (x >= program["lower"] - 1e-8 * size).all(), message
    assert (x <= program["upper"] + 1e-8 * size).all(), message
    assert ((z >= 0.0) & (z <= penalty)).all(), message
    assert (np.maximum(-over, 0.0) * z <= 1e-7 * size).all(), message
    assert (np.maximum(over, 0.0)[soft] * (penalty - z)[soft] <= 1e-7 * size).all(), message
    held = np.where(solved.bounds > 0.0, program["upper"] - x, x - program["lower"])
    assert (np.abs(solved.bounds) * held <= 1e-7 * size).all(), message


@pytest.mark.parametrize("seed", range(80))
def test_random_programs_are_solved_as_clarabel_solves_them(seed):
    program = random_program(seed)
    solved = solve_penalties(**program)
    assert solved.converged, described(program)
    assert solved.objective == pytest.approx(clarabel(**program), rel=1e-7, abs=1e-7), described(program)
    assert solved.objective == pytest.approx(cost_of(program, solved.x), rel=1e-12, abs=1e-12)
    assert solved.duality_gap < 1e-9, described(program)


@pytest.mark.parametrize("seed", range(200, 280))
def test_random_linear_programs_are_solved_as_highs_solves_them(seed):
    program = random_linear_program(seed)
    solved = solve_penalties(**program)
    assert solved.converged, described(program)
    assert solved.objective == pytest.approx(highs(**program), rel=1e-9, abs=1e-9), described(program)


@pytest.mark.parametrize("seed", range(400, 520))
def test_the_multipliers_prove_the_solution(seed):
    for program in (random_program(seed), random_linear_program(seed)):
        solved = solve_penalties(**program)
        assert solved.converged, described(program)
        assert_optimal(program, solved)


@pytest.mark.parametrize("seed", range(600, 640))
def test_rows_are_sorted_into_below_on_and_above(seed):
    program = random_program(seed)
    solved = solve_penalties(**program)
    over, size = program["E"] @ solved.x - program["f"], 1.0 + np.abs(solved.x).max()
    assert not (solved.on & solved.above).any()
    assert (over[solved.above] > -1e-9 * size).all()
    assert over[solved.on] == pytest.approx(np.zeros(solved.on.sum()), abs=1e-8 * size)
    assert (over[~solved.on & ~solved.above] < 1e-9 * size).all()
    assert np.isfinite(program["penalty"][solved.above]).all()
    assert solved.x[solved.at_lower] == pytest.approx(program["lower"][solved.at_lower], abs=1e-8 * size)
    assert solved.x[solved.at_upper] == pytest.approx(program["upper"][solved.at_upper], abs=1e-8 * size)


@given(st.integers(0, 399), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_no_allowed_point_is_better_than_the_gap_says(seed, where):
    program = random_program(seed)
    n = len(program["q"])
    program = {**program, "A": np.zeros((0, n)), "b": np.zeros(0)}
    solved = solve_penalties(**program)
    assert solved.converged, described(program)
    rng, hard = np.random.default_rng(where), ~np.isfinite(program["penalty"])
    inside = np.clip(solved.x + rng.standard_normal(n), program["lower"], program["upper"])
    for part in (1.0, 0.1, 1e-3, 1e-6):  # points towards the solution, until one is allowed
        x = solved.x + part * (inside - solved.x)
        if (program["E"][hard] @ x <= program["f"][hard]).all():
            terms = max(1.0, abs(solved.objective), *np.abs(program["q"] * solved.x))
            assert cost_of(program, x) >= solved.objective - (solved.duality_gap + 1e-10) * terms * n
            break


@given(
    st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=8),
    st.floats(0.05, 2.0),
    st.floats(0.1, 5.0),
    st.floats(0.5, 2.0),
)
def test_an_absolute_value_draws_as_the_closed_form_says(aims, penalty, curve, kink):
    # argmin c/2 (x - a)^2 + p |x - k| is k + soft(a - k, p / c): the proximal map of an absolute value
    aim = np.array(aims)
    n = len(aim)
    solved = solve_penalties(
        curve * np.eye(n),
        -curve * aim,
        E=np.vstack([np.eye(n), -np.eye(n)]),
        f=np.concatenate([np.full(n, kink), np.full(n, -kink)]),
        penalty=np.full(2 * n, penalty),
    )
    expected = kink + np.sign(aim - kink) * np.maximum(np.abs(aim - kink) - penalty / curve, 0.0)
    assert solved.converged
    assert solved.x == pytest.approx(
        expected, abs=1e-7
    )  # a multiplier just short of its penalty is hard to distinguish


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=15), st.floats(0.1, 0.9))
def test_a_quantile_costs_what_the_best_of_the_numbers_costs(numbers, level):
    # Koenker and Bassett, "Regression quantiles", Econometrica 46 (1978), 33-50: some number is always a minimum
    values = np.array(numbers, dtype=float)

    def cost(x):
        return float(np.where(values > x, level * (values - x), (1.0 - level) * (x - values)).sum())

    penalty = np.concatenate([np.full(len(values), 1.0 - level), np.full(len(values), level)])
    ones = np.ones((len(values), 1))
    solved = solve_penalties(
        [[0.0]], [0.0], E=np.vstack([ones, -ones]), f=np.concatenate([values, -values]), penalty=penalty
    )
    assert cost(float(solved.x[0])) == pytest.approx(min(cost(value) for value in values), rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_quantile_regression_is_that_of_highs(level):
    rng = np.random.default_rng(5)
    design = np.column_stack([np.ones(120), rng.standard_normal((120, 3))])
    response = design @ [1.0, 2.0, -1.0, 0.5] + rng.standard_t(3, 120)
    program = {
        "q": np.zeros(4),
        "E": np.vstack([design, -design]),
        "f": np.concatenate([response, -response]),
        "penalty": np.concatenate([np.full(120, 1.0 - level), np.full(120, level)]),
    }
    solved = solve_penalties(np.zeros((4, 4)), **program)
    assert solved.converged
    assert solved.objective == pytest.approx(highs(**program), rel=1e-11)
    assert solved.on[:120].sum() == 4  # as many points as coefficients lie on the plane: 1978, theorem 3.1


@pytest.mark.parametrize(
    ("scenarios", "assets", "confidence"),
    [(40, 1, 0.9), (60, 3, 0.5), (200, 5, 0.95), (1000, 20, 0.99), (50, 40, 0.8), (2000, 10, 0.95), (73, 4, 0.913)],
)
def test_expected_shortfalls_are_those_of_highs(scenarios, assets, confidence):
    rng = np.random.default_rng(scenarios)
    returns = 0.01 * rng.standard_t(4, (scenarios, assets)) + 0.0005
    rows = np.column_stack([-returns, -np.ones(scenarios)])
    program = {
        "q": np.append(np.zeros(assets), 1.0),
        "E": rows,
        "f": np.zeros(scenarios),
        "penalty": np.full(scenarios, 1.0 / ((1.0 - confidence) * scenarios)),
        "A": np.append(np.ones(assets), 0.0)[None, :],
        "b": np.ones(1),
        "lower": np.append(np.zeros(assets), -HARD),
        "upper": np.append(np.ones(assets), HARD),
    }
    solved = solve_penalties(np.zeros((assets + 1, assets + 1)), **program)
    assert solved.converged
    assert solved.objective == pytest.approx(highs(**program), rel=1e-9)
    losses = np.sort(-returns @ solved.x[:assets])[::-1]
    counts = np.clip((1.0 - confidence) * scenarios - np.arange(scenarios), 0.0, 1.0)  # the last one in part
    assert solved.objective == pytest.approx(float(losses @ counts) / ((1.0 - confidence) * scenarios), rel=1e-9)


def test_without_rows_it_is_a_linear_system():
    rng = np.random.default_rng(2)
    factors = rng.standard_normal((5, 5))
    P, q, A = factors @ factors.T + np.eye(5), rng.standard_normal(5), rng.standard_normal((2, 5))
    free = solve_penalties(P, q, E=np.zeros((0, 5)), f=[], penalty=[])
    assert free.x == pytest.approx(np.linalg.solve(P, -q), rel=1e-12)
    held = solve_penalties(P, q, E=np.zeros((0, 5)), f=[], penalty=[], A=A, b=[1.0, 2.0])
    system = np.block([[P, A.T], [A, np.zeros((2, 2))]])
    assert held.x == pytest.approx(np.linalg.solve(system, [*-q, 1.0, 2.0])[:5], rel=1e-10)


@pytest.mark.parametrize(
    ("P", "lower", "upper", "x"),
    [
        (1.0, -HARD, HARD, 2.0),
        (1.0, -1.0, 1.0, 1.0),
        (0.0, -1.0, 1.0, 1.0),
        (1.0, 1.0, 1.0, 1.0),
        (0.0, -3.0, -3.0, -3.0),
        (1.0, 5.0, HARD, 5.0),
        (1.0, -HARD, -4.0, -4.0),
        (1.0, -1e9, 1e9, 2.0),
    ],
)
def test_one_variable(P, lower, upper, x):
    solved = solve_penalties([[P]], [-2.0], lower=lower, upper=upper, **NO_ROWS)
    assert solved.converged
    assert solved.x[0] == pytest.approx(x, abs=1e-9)
    assert solved.bounds[0] == pytest.approx(2.0 - P * x, abs=1e-8)  # what the bound pushes back


def test_ties_share_out_and_keep_the_cost():
    solved = solve_penalties(
        np.zeros((4, 4)),
        np.ones(4),
        E=np.zeros((0, 4)),
        f=[],
        penalty=[],
        A=[np.ones(4)],
        b=[1.0],
        lower=0.0,
        upper=1.0,
    )
    assert solved.converged
    assert solved.objective == pytest.approx(1.0, abs=1e-12)
    assert solved.x.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_vertex_where_too_many_rows_meet():
    # the best corner (1, 1) lies on five rows, twice as many as it takes
    E = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [1.0, 2.0], [1.0, 1.0]]
    solved = solve_penalties(
        np.zeros((2, 2)), [-1.0, -1.0], E=E, f=[1.0, 1.0, 2.0, 3.0, 3.0, 2.0], penalty=np.full(6, HARD)
    )
    assert solved.converged
    assert solved.objective == pytest.approx(-2.0, abs=1e-10)


def test_repeated_equalities_change_nothing():
    rng = np.random.default_rng(3)
    P, q, A = np.diag([1.0, 2.0, 3.0]), np.array([1.0, -1.0, 0.5]), rng.standard_normal((1, 3))
    rows = {"E": np.eye(3), "f": np.full(3, 0.5), "penalty": np.ones(3)}
    once = solve_penalties(P, q, A=A, b=[1.0], **rows)
    thrice = solve_penalties(P, q, A=np.vstack([A, A, 2.0 * A]), b=[1.0, 1.0, 2.0], **rows)
    assert thrice.converged
    assert thrice.x == pytest.approx(once.x, abs=1e-11)


def test_a_row_repeated_with_half_the_price_is_the_row():
    P, q, row = np.diag([1.0, 2.0]), np.array([-3.0, -1.0]), np.array([[1.0, 1.0]])
    once = solve_penalties(P, q, E=row, f=[1.0], penalty=[0.8])
    twice = solve_penalties(P, q, E=np.vstack([row, row]), f=[1.0, 1.0], penalty=[0.4, 0.4])
    assert twice.x == pytest.approx(once.x, abs=1e-11)
    assert twice.z.sum() == pytest.approx(float(once.z[0]), abs=1e-11)


def test_a_price_that_is_high_enough_makes_a_constraint():
    P, q, row = np.eye(2), np.array([-3.0, -1.0]), np.array([[1.0, 1.0]])
    hard = solve_penalties(P, q, E=row, f=[1.0], penalty=[HARD])
    assert hard.z[0] == pytest.approx(1.5, abs=1e-11)
    soft = solve_penalties(P, q, E=row, f=[1.0], penalty=[1.6])
    assert soft.x == pytest.approx(hard.x, abs=1e-11)
    cheap = solve_penalties(P, q, E=row, f=[1.0], penalty=[1.4])
    assert cheap.above.tolist() == [True]
    assert cheap.x == pytest.approx([1.6, -0.4], abs=1e-11)


@pytest.mark.parametrize("curved", [np.eye(2), np.zeros((2, 2))])
@pytest.mark.parametrize(
    "limits",
    [
        {"A": [[1.0, 1.0], [1.0, 1.0]], "b": [1.0, 2.0]},
        {"A": [[1.0, 1.0]], "b": [3.0]},
        {"E": [[1.0, 1.0], [-1.0, -1.0]], "f": [-1.0, -1.0], "penalty": [HARD, HARD]},
        {"E": [[-1.0, 0.0]], "f": [-1.5], "penalty": [HARD]},
        {"E": [[0.0, 0.0]], "f": [-1.0], "penalty": [HARD]},
        {"lower": [2.0, 0.0]},
    ],
)
def test_what_nothing_satisfies_does_not_converge(curved, limits):
    program = {"E": np.zeros((0, 2)), "f": [], "penalty": [], "lower": 0.0, "upper": 1.0, **limits}
    solved = solve_penalties(curved, [1.0, -1.0], **program)
    assert not solved.converged
    assert solved.kkt_residual > 1e-6


@pytest.mark.parametrize(
    "program",
    [
        {"P": [[0.0]], "q": [-1.0], **NO_ROWS},
        {"P": [[0.0]], "q": [-1.0], "lower": 0.0, **NO_ROWS},
        {"P": [[0.0]], "q": [-2.0], "E": [[1.0]], "f": [0.0], "penalty": [1.0]},
        {
            "P": np.zeros((2, 2)),
            "q": [1.0, 0.0],
            "E": np.zeros((0, 2)),
            "f": [],
            "penalty": [],
            "A": [[1, 1]],
            "b": [1],
        },
    ],
)
def test_what_falls_for_ever_does_not_converge(program):
    assert not solve_penalties(**program).converged


@pytest.mark.parametrize("times", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("seed", range(800, 815))
def test_the_unit_of_the_cost_does_not_matter(seed, times):
    program = random_program(seed)
    scaled = {**program, "P": times * program["P"], "q": times * program["q"], "penalty": times * program["penalty"]}
    once, again = solve_penalties(**program), solve_penalties(**scaled)
    assert again.converged, described(program)
    assert again.objective / times == pytest.approx(once.objective, rel=1e-8, abs=1e-9), described(program)


@pytest.mark.parametrize("times", [1e-3, 1e3])
@pytest.mark.parametrize("seed", range(820, 840))
def test_the_unit_of_the_variables_does_not_matter(seed, times):
    program = random_program(seed)
    scaled = {
        **program,
        "P": program["P"] / times**2,
        "q": program["q"] / times,
        "E": program["E"] / times,
        "A": program["A"] / times,
        "lower": times * program["lower"],
        "upper": times * program["upper"],
    }
    once, again = solve_penalties(**program), solve_penalties(**scaled)
    assert again.converged, described(program)
    assert again.objective == pytest.approx(once.objective, rel=1e-8, abs=1e-9), described(program)


@pytest.mark.parametrize("seed", range(850, 870))
def test_the_order_of_variables_and_rows_does_not_matter(seed):
    program = random_program(seed)
    rng = np.random.default_rng(seed)
    columns, rows = rng.permutation(len(program["q"])), rng.permutation(len(program["f"]))
    moved = {
        "P": program["P"][np.ix_(columns, columns)],
        "E": program["E"][np.ix_(rows, columns)],
        "A": program["A"][:, columns],
        "b": program["b"],
        **{key: program[key][columns] for key in ("q", "lower", "upper")},
        **{key: program[key][rows] for key in ("f", "penalty")},
    }
    assert solve_penalties(**moved).objective == pytest.approx(solve_penalties(**program).objective, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"P": np.eye(3)}, "do not match"),
        ({"f": [1.0, 2.0]}, "do not match"),
        ({"penalty": []}, "do not match"),
        ({"b": [1.0]}, "do not match"),
        ({"A": [[1.0, 1.0]]}, "do not match"),
        ({"P": [[1.0, np.nan], [0.0, 1.0]]}, "not finite"),
        ({"q": [np.inf, 1.0]}, "not finite"),
        ({"E": [[np.nan, 1.0]]}, "not finite"),
        ({"f": [np.inf]}, "not finite"),
        ({"A": [[np.nan, 1.0]], "b": [1.0]}, "not finite"),
        ({"A": [[1.0, 1.0]], "b": [np.inf]}, "not finite"),
        ({"penalty": [0.0]}, "penalty weight is not above 0"),
        ({"penalty": [-1.0]}, "penalty weight is not above 0"),
        ({"penalty": [np.nan]}, "penalty weight is not above 0"),
        ({"lower": [np.nan, 0.0]}, "bound is NaN"),
        ({"upper": np.nan}, "bound is NaN"),
    ],
)
def test_what_is_refused(changed, match):
    program = {"P": np.eye(2), "q": [1.0, 1.0], "E": [[1.0, 0.0]], "f": [1.0], "penalty": [1.0], **changed}
    with pytest.raises(ModelError, match=match):
        solve_penalties(**program)


def test_what_is_given_is_not_written_to():
    program = random_program(1)
    before = {key: part.copy() for key, part in program.items()}
    solve_penalties(**program)
    assert all(np.array_equal(program[key], before[key]) for key in program)


def test_steps_do_not_run_in_a_circle():
    """Mehrotra's correction can lead back to where one was: here every four steps, with a flat cost of cash."""
    solved = solve_penalties(
        [[0.0716, 0.0508, 0.031, 0.0], [0.0508, 0.0769, 0.0266, 0.0], [0.031, 0.0266, 0.0436, 0.0], [0.0] * 4],
        [-0.0571, -0.0428, -0.0354, -0.0052],
        E=[[1.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0]],
        f=[0.7124, -0.6124],
        penalty=[np.inf, np.inf],
        A=[[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, -1.0, 0.0]],
        b=[1.0, 0.4682],
        lower=[-0.2] * 4,
        upper=[0.8] * 4,
    )
    assert solved.converged
