"""The minimum under every combination of constraints, against Clarabel; derivatives against solving again."""

from itertools import product

import numpy as np
import pytest

from bank_python.errors import InfeasibleError, MatrixError
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.groups import Group
from bank_python.optimizer.minimum import Tail, minimise

cvxpy = pytest.importorskip("cvxpy")

NAMES = tuple(f"A{i}" for i in range(8))
HELD = dict(zip(NAMES, (0.3, 0.1, 0.2, 0.05, 0.05, 0.1, 0.0, 0.2), strict=True))
RULES = {
    "short": {"bounds": (-0.3, 0.5)},
    "group": {"groups": [Group("shares", NAMES[:3], 0.2, 0.45)]},
    "neutral": {"groups": [Group.equal("beta", {"A1": 1.0, "A4": -0.5, "A6": 0.3}, 0.08)]},
    "turnover": {"turnover": 0.5},
    "leverage": {"leverage": 1.15},
    "cost": {"transaction_cost": {"A0": 0.004, "A2": 0.02, "A5": 0.001}},
}
COMBINATIONS = [
    tuple(name for name, is_on in zip(RULES, chosen, strict=True) if is_on)
    for chosen in product((False, True), repeat=len(RULES))
]


def allowed_by(names):
    groups = [group for name in names for group in RULES[name].get("groups", ())]
    rest = {key: value for name in names for key, value in RULES[name].items() if key != "groups"}
    return FeasibleSet.of(NAMES, Constraints(groups=groups, current=HELD, **rest))


def costs(seed=1):
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((8, 8))
    return 0.04 * (factors @ factors.T / 8.0 + 0.1 * np.eye(8)), -0.06 * rng.standard_normal(8)


def scenarios(count=60):
    return Tail(0.02 * np.random.default_rng(7).standard_t(4, (count, 8)) + 0.001, 0.9)


def most(allowed, name):
    """Return the limit on absolute values with a label; None if there is none."""
    return next((limit.rows.h[0] for limit in allowed.limits if limit.label.startswith(name)), None)


def rates(allowed):
    """Return the cost of trading a unit of each weight, by the cost function."""
    return np.array([allowed.paid(allowed.current + unit) for unit in np.eye(len(allowed.tickers))])


def clarabel(allowed, P, q, cost_scale=1.0, tail=None):
    w = cvxpy.Variable(len(q))
    cost = q @ w + (0.5 * cvxpy.quad_form(w, cvxpy.psd_wrap(P)) if P.any() else 0.0)
    cost += cost_scale * (rates(allowed) @ cvxpy.abs(w - allowed.current))
    if tail is not None:
        level = cvxpy.Variable()
        worse = (1.0 - tail.confidence) * len(tail.returns)
        cost += level + cvxpy.sum(cvxpy.pos(-tail.returns @ w - level)) / worse
    turnover, leverage = most(allowed, "turnover"), most(allowed, "leverage")
    limits = [allowed.plain.A @ w == allowed.plain.b, w >= allowed.lower, w <= allowed.upper]
    limits += [allowed.plain.G @ w <= allowed.plain.h] if len(allowed.plain.h) else []
    limits += [cvxpy.norm1(w - allowed.current) <= turnover] if turnover is not None else []
    limits += [cvxpy.norm1(w) <= leverage] if leverage is not None else []
    problem = cvxpy.Problem(cvxpy.Minimize(cost), limits)
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    return problem.value, w.value


def assert_least(allowed, P, q, found, **more):
    value, weights = clarabel(allowed, P, q, **more)
    assert found.objective == pytest.approx(value, rel=1e-8, abs=1e-9)
    assert allowed.breach(found.weights) < 1e-10
    assert found.certificate.kkt_residual < 1e-9
    assert found.certificate.duality_gap < 1e-8
    return weights


@pytest.mark.parametrize("names", COMBINATIONS, ids="-".join)
def test_every_combination_of_constraints(names):
    allowed, (P, q) = allowed_by(names), costs()
    found = minimise(allowed, P, q)
    weights = assert_least(allowed, P, q, found)
    assert found.weights == pytest.approx(weights, abs=1e-5)
    paid = allowed.paid(found.weights)
    assert found.objective == pytest.approx(
        0.5 * found.weights @ P @ found.weights + q @ found.weights + paid, abs=1e-13
    )


@pytest.mark.parametrize("names", COMBINATIONS[::3], ids="-".join)
def test_a_riskless_asset_under_combinations(names):
    allowed, (P, q) = allowed_by(names), costs(2)
    P[0], P[:, 0] = 0.0, 0.0
    assert_least(allowed, P, q, minimise(allowed, P, q, definite=False))


@pytest.mark.parametrize("names", COMBINATIONS[1::4], ids="-".join)
def test_an_expected_shortfall_under_combinations(names):
    allowed, tail, zero = allowed_by(names), scenarios(), np.zeros(8)
    found = minimise(allowed, np.zeros((8, 8)), zero, cost_scale=0.1, tail=tail)
    assert_least(allowed, np.zeros((8, 8)), zero, found, cost_scale=0.1, tail=tail)


@pytest.mark.parametrize("cost_scale", [0.01, 0.3, 3.0, 50.0])
def test_costs_are_scaled(cost_scale):
    allowed, (P, q) = allowed_by(("short", "cost")), costs(3)
    found = minimise(allowed, P, q, cost_scale=cost_scale)
    assert_least(allowed, P, q, found, cost_scale=cost_scale)


def test_a_cost_that_is_high_enough_keeps_what_is_held():
    P, q = costs(4)
    allowed = FeasibleSet.of(NAMES, Constraints(current=HELD, transaction_cost=10.0))
    assert minimise(allowed, P, q).weights == pytest.approx(list(HELD.values()), abs=1e-10)


def test_no_turnover_keeps_what_is_held():
    P, q = costs(4)
    allowed = FeasibleSet.of(NAMES, Constraints(current=HELD, turnover=0.0))
    assert minimise(allowed, P, q).weights == pytest.approx(list(HELD.values()), abs=1e-9)


@pytest.mark.parametrize(
    ("turnover", "leverage", "blocks"),
    [(10.0, 10.0, 0), (0.3, 10.0, 1), (10.0, 1.02, 1), (0.45, 1.02, 2)],
)
def test_limits_are_included_only_where_they_bind(turnover, leverage, blocks):
    P, q = costs()
    allowed = FeasibleSet.of(
        NAMES,
        Constraints(bounds=(-0.5, 1.0), current={**HELD, "A6": -0.2, "A0": 0.5}, turnover=turnover, leverage=leverage),
    )
    found = minimise(allowed, P, q)
    assert_least(allowed, P, q, found)
    assert len(found.curvature) == 8 * (1 + blocks)  # each included limit adds an auxiliary variable per weight
    binding = [name.split()[0] for name in found.certificate.binding]
    assert len(binding) == blocks
    assert set(binding) <= {"turnover", "leverage"}


def test_active_constraints_are_named():
    allowed = FeasibleSet.of(
        ("A", "B", "C"), Constraints(bounds={"A": (0.0, 0.3)}, groups=[Group("pair", ["A", "B"], upper=0.5)])
    )
    found = minimise(allowed, np.diag([0.01, 0.04, 0.09]), np.zeros(3))
    assert found.weights == pytest.approx([0.3, 0.2, 0.5], abs=1e-12)
    assert found.certificate.active_bounds == ("A at its upper bound", "pair at most 0.5")


@pytest.mark.parametrize("names", [(), ("group",), ("short",), ("short", "cost"), ("leverage", "short"), ("turnover",)])
@pytest.mark.parametrize("seed", range(4))
def test_slopes_are_those_of_solving_again(names, seed):
    allowed, (P, q) = allowed_by(names), costs(10 + seed)
    reward, scale, step = -q, 0.7, 1e-5

    def at(where):
        return minimise(allowed, P, -where * reward, cost_scale=where)

    here, below, above = at(scale), at(scale - step), at(scale + step)
    left, right = (here.weights - below.weights) / step, (above.weights - here.weights) / step
    if left == pytest.approx(right, abs=1e-5):  # no constraint starts or stops to bind here
        assert here.slope(reward) == pytest.approx(right, abs=1e-5)
    else:
        pytest.fail("a corner of the path lies at the scale that was chosen; choose another")


def test_a_start_changes_nothing():
    allowed, (P, q) = allowed_by(("group", "short")), costs(5)
    cold = minimise(allowed, P, q)
    for start in (cold.weights, np.full(8, 0.125), np.eye(8)[0]):
        assert minimise(allowed, P, q, start=start).weights == pytest.approx(cold.weights, abs=1e-12)


def test_both_solvers_find_the_same():
    allowed, (P, q) = allowed_by(("group", "neutral", "short")), costs(6)
    pivoted, priced = minimise(allowed, P, q), minimise(allowed, P, q, definite=False)
    assert priced.weights == pytest.approx(pivoted.weights, abs=1e-10)
    assert priced.objective == pytest.approx(pivoted.objective, rel=1e-12)
    assert priced.certificate.active_bounds == pivoted.certificate.active_bounds


def test_a_repeated_constraint_changes_nothing():
    P, q = costs(8)
    once = FeasibleSet.of(NAMES, Constraints(groups=[Group("g", NAMES[:2], upper=0.1)]))
    twice = FeasibleSet.of(
        NAMES, Constraints(groups=[Group("g", NAMES[:2], upper=0.1), Group("h", NAMES[:2], upper=0.1)])
    )
    assert minimise(twice, P, q).weights == pytest.approx(minimise(once, P, q).weights, abs=1e-9)
    everything = FeasibleSet.of(NAMES, Constraints(groups=[Group.equal("all", NAMES, 1.0)]))
    assert minimise(everything, P, q).weights == pytest.approx(
        minimise(FeasibleSet.of(NAMES, Constraints()), P, q).weights, abs=1e-9
    )


@pytest.mark.parametrize("definite", [True, False])
def test_groups_that_contradict_each_other_are_refused(definite):
    P, q = costs()
    groups = [Group("shares", NAMES[:4], upper=0.3), Group("bonds", NAMES[4:], upper=0.5)]
    with pytest.raises(InfeasibleError, match=r"invested, shares at most 0.3, bonds at most 0.5 .* by 0.2; relax"):
        minimise(FeasibleSet.of(NAMES, Constraints(groups=groups)), P, q, definite=definite)


def test_an_unbounded_objective_is_rejected():
    allowed = FeasibleSet.of(("A", "B"), Constraints(bounds=(-np.inf, np.inf)))
    with pytest.raises(MatrixError, match="no solution to nine digits"):
        minimise(allowed, np.zeros((2, 2)), np.array([0.1, -0.1]), definite=False)
