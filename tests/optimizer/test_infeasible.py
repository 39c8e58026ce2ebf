"""Contradicting constraints, by name and amount: by hand, and against a linear program of the least violation."""

import numpy as np
import pytest
from scipy.optimize import linprog

from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.groups import Group
from bank_python.optimizer.infeasible import contradiction

NAMES = ("A", "B", "C", "D")


def refusal(**rules):
    told = contradiction(FeasibleSet.of(NAMES, Constraints(**rules)))
    assert told is not None
    return told


def least_violation(allowed, rules):
    """The least sum of violations of all rows except definitions of auxiliary variables, by HiGHS."""
    n = len(allowed.tickers)
    limits = [(allowed.current, rules.turnover), (np.zeros(n), rules.leverage)]
    limits = [(centre, most) for centre, most in limits if most is not None]
    width, unit = n * (1 + len(limits)), np.eye(n)
    high, low = np.isfinite(allowed.upper), np.isfinite(allowed.lower)
    plain = allowed.plain
    soft = [(plain.A, plain.b), (-plain.A, -plain.b), (plain.G, plain.h)]
    soft += [(unit[high], allowed.upper[high]), (-unit[low], -allowed.lower[low])]
    rows = [np.pad(part, ((0, 0), (0, width - n))) for part, _ in soft]
    sides, hard, hard_sides = [side for _, side in soft], [np.zeros((0, width))], [np.zeros(0)]
    for number, (centre, most) in enumerate(limits, start=1):
        sizes = np.eye(width)[number * n : (number + 1) * n]
        weights = np.eye(width)[:n]
        hard += [weights - sizes, -weights - sizes]
        hard_sides += [centre, -centre]
        rows.append(sizes.sum(axis=0, keepdims=True))
        sides.append(np.array([most]))
    held, count = np.vstack(hard), sum(len(side) for side in sides)
    solved = linprog(
        np.append(np.zeros(width), np.ones(count)),
        A_ub=np.vstack([np.hstack([np.vstack(rows), -np.eye(count)]), np.pad(held, ((0, 0), (0, count)))]),
        b_ub=np.concatenate([*sides, *hard_sides]),
        bounds=[(None, None)] * width + [(0.0, None)] * count,
        method="highs",
    )
    return solved.fun


def random_rules(seed):
    """Independently drawn groups and limits, most of which contradict each other."""
    rng = np.random.default_rng(seed)
    names = tuple(f"A{i}" for i in range(int(rng.integers(2, 9))))
    groups = []
    for number in range(int(rng.integers(1, 4))):
        members = [str(name) for name in rng.choice(names, int(rng.integers(1, len(names) + 1)), replace=False)]
        side = float(np.round(rng.standard_normal(), 2))
        sides = [(-np.inf, side), (side, np.inf), (side, side + 0.3), (side, side)][int(rng.integers(0, 4))]
        groups.append(Group(f"g{number}", members, *sides))
    weights = rng.dirichlet(np.ones(len(names)))
    return names, Constraints(
        bounds=[(0.0, 1.0), (-1.0, 1.0), (-np.inf, np.inf)][int(rng.integers(0, 3))],
        groups=groups,
        current={name: float(weight) for name, weight in zip(names, weights, strict=True)},
        turnover=float(np.round(1.5 * rng.random(), 2)) if rng.random() < 0.4 else None,
        leverage=float(np.round(0.5 + 2.0 * rng.random(), 2)) if rng.random() < 0.4 else None,
    )


def contradicting(seeds):
    for seed in seeds:
        names, rules = random_rules(seed)
        allowed = FeasibleSet.of(names, rules)
        least = least_violation(allowed, rules)
        if least > 1e-6:
            yield seed, allowed, least


def test_groups_that_leave_too_little():
    told = refusal(groups=[Group("shares", ["A", "B"], upper=0.3), Group("bonds", ["C", "D"], upper=0.5)])
    assert told.value == pytest.approx(0.2, abs=1e-7)
    assert str(told) == (
        "no portfolio satisfies all constraints: invested, shares at most 0.3, bonds at most 0.5 contradict each other "
        "by 0.2; relax one"
    )


def test_a_group_against_bounds():
    told = refusal(bounds={"A": (0.0, 0.1), "B": (0.0, 0.2)}, groups=[Group("shares", ["A", "B"], lower=0.75)])
    assert told.value == pytest.approx(0.45, abs=1e-7)
    assert "shares at least 0.75, upper bounds (A 0.1, B 0.2) contradict each other by 0.45" in str(told)
    assert "invested" not in str(told)


def test_equalities_against_each_other():
    groups = [Group.equal("same", ["A", "B"], 0.4), Group.equal("same again", ["A", "B"], 0.55)]
    told = refusal(groups=groups)
    assert told.value == pytest.approx(0.15, abs=1e-7)
    assert "same, same again contradict each other by 0.15" in str(told)


def test_turnover_that_does_not_reach():
    told = refusal(current={"A": 1.0}, turnover=0.5, groups=[Group("shares", ["A"], upper=0.6)])
    assert told.value == pytest.approx(0.15, abs=1e-7)  # a sum of 0.8 is required; relaxing the group costs half
    assert "shares at most 0.6" in str(told)
    assert "turnover at most 0.5" in str(told)


def test_leverage_below_what_is_invested():
    told = refusal(bounds=(-1.0, 1.0), leverage=0.7)
    assert told.value == pytest.approx(0.3, abs=1e-7)
    assert "invested, leverage at most 0.7 contradict each other by 0.3" in str(told)


def test_more_than_three_bounds_are_counted():
    names = tuple(f"A{i}" for i in range(6))
    rules = Constraints(bounds=(0.0, 0.1), invested=0.5, groups=[Group("all but one", names[:5], lower=0.8)])
    told = contradiction(FeasibleSet.of(names, rules))
    assert told is not None
    assert "upper bounds (A0 0.1, A1 0.1, A2 0.1 and 2 more)" in str(told)
    assert told.value == pytest.approx(0.3, abs=1e-7)


@pytest.mark.parametrize("seeds", [range(start, start + 30) for start in range(0, 120, 30)], ids=str)
def test_the_amount_is_the_least_violation(seeds):
    found = 0
    for seed, allowed, least in contradicting(seeds):
        told = contradiction(allowed)
        assert told is not None, seed
        assert told.value == pytest.approx(least, abs=1e-6), seed
        found += 1
    assert found > 5


def test_what_some_portfolio_obeys_contradicts_nothing():
    rules = Constraints(
        groups=[Group("shares", ["A", "B"], 0.2, 0.5), Group.equal("neutral", {"A": 1.0, "C": -1.0}, 0.1)],
        current={"A": 0.4, "C": 0.3, "D": 0.3},
        turnover=0.3,
    )
    assert contradiction(FeasibleSet.of(NAMES, rules)) is None


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_random_rules_that_can_be_obeyed_contradict_nothing(start):
    for seed in range(start, start + 50):
        names, rules = random_rules(seed)
        allowed = FeasibleSet.of(names, rules)
        told = contradiction(allowed)
        assert (told is None) == (least_violation(allowed, rules) < 1e-7), (seed, told)
