"""Scoring under linear limits: quadratic programs against closed forms and SciPy, kinks, regions without a value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bank_python.numerics.scoring import LinearLimits, minimise_by_scoring

seeds = st.integers(0, 2**32 - 1)
FREE = LinearLimits(np.zeros((0, 2)), np.zeros(0))


def quadratic(hessian, centre, metric=None):
    """Return a function to minimise with a minimum of 0 at `centre`, whose Hessian is approximated by `metric`."""
    used = hessian if metric is None else metric

    def evaluate(x):
        return 0.5 * float((x - centre) @ hessian @ (x - centre)), hessian @ (x - centre), used

    return evaluate


def definite(rng, n):
    root = rng.standard_normal((n, n))
    return root @ root.T + 0.1 * np.eye(n)


def test_a_quadratic_takes_one_step():
    hessian, centre = np.array([[2.0, 0.3], [0.3, 1.0]]), np.array([1.0, -3.0])
    found = minimise_by_scoring(quadratic(hessian, centre), np.zeros(2), FREE)
    assert found.converged
    assert found.iterations == 1
    assert found.active == ()
    assert found.parameters == pytest.approx(centre, abs=1e-12)


@given(seeds, st.integers(1, 5))
def test_the_correction_makes_up_for_a_poor_metric(seed, n):
    rng = np.random.default_rng(seed)
    hessian, centre = definite(rng, n), rng.standard_normal(n)
    metric = np.diag(hessian.diagonal()) * rng.uniform(0.5, 2.0)
    none = LinearLimits(np.zeros((0, n)), np.zeros(0))
    found = minimise_by_scoring(quadratic(hessian, centre, metric), np.zeros(n), none)
    off = found.parameters - centre
    assert found.converged
    assert math.sqrt(float(off @ hessian @ off)) < 1e-3  # standard errors


@settings(max_examples=40)
@given(seeds, st.integers(1, 4), st.integers(1, 5))
def test_limits_against_scipy(seed, n, rows):
    rng = np.random.default_rng(seed)
    hessian, centre = definite(rng, n), 2.0 * rng.standard_normal(n)
    limits = LinearLimits(rng.standard_normal((rows, n)), -rng.random(rows))  # 0 is inside
    found = minimise_by_scoring(quadratic(hessian, centre), np.zeros(n), limits)
    rule = {"type": "ineq", "fun": limits.slack, "jac": lambda _: limits.normals}
    value = quadratic(hessian, centre)
    theirs = minimize(
        lambda x: value(x)[0],
        np.zeros(n),
        jac=lambda x: value(x)[1],
        constraints=rule,
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.converged
    assert found.value <= theirs.fun + 1e-6 * (1.0 + theirs.fun)
    assert limits.slack(found.parameters).min() >= -1e-12
    assert np.abs(limits.slack(found.parameters)[list(found.active)]).max(initial=0.0) < 1e-12
    # Karush, Kuhn and Tucker: the gradient is a sum of normals of active limits, none with a negative weight
    gradient = value(found.parameters)[1]
    active = limits.normals[list(found.active)]
    weights = np.linalg.lstsq(active.T, gradient, rcond=None)[0] if len(active) else np.zeros(0)
    assert np.abs(active.T @ weights - gradient).max() < 1e-5 * (1.0 + np.abs(centre).max() * np.abs(hessian).max())
    assert (weights > -1e-5).all()


@settings(max_examples=60)
@given(seeds, st.integers(1, 4), st.integers(1, 6))
def test_it_never_leaves_the_limits_and_never_rises(seed, n, rows):
    rng = np.random.default_rng(seed)
    limits = LinearLimits(rng.standard_normal((rows, n)), -rng.random(rows))
    centre, tilt = 3.0 * rng.standard_normal(n), rng.standard_normal(n)
    tried, values = [], []

    def evaluate(x):  # not convex, with a metric that is its curvature without the cosine
        tried.append(x.copy())
        off = x - centre
        value = 0.5 * float(off @ off) + 2.0 * math.cos(float(tilt @ x))
        values.append(value)
        return value, off - 2.0 * math.sin(float(tilt @ x)) * tilt, np.eye(n)

    found = minimise_by_scoring(evaluate, np.zeros(n), limits)
    assert min(limits.slack(x).min() for x in tried) >= -1e-12
    assert found.value <= values[0]
    assert found.value == pytest.approx(min(values), abs=1e-9)


def test_a_limit_that_is_reached_holds_exactly():
    limits = LinearLimits(np.array([[1.0, 0.0], [-1.0, -1.0]]), np.array([0.0, -1.0]))
    found = minimise_by_scoring(quadratic(np.eye(2), np.array([-1.0, 5.0])), np.array([0.2, 0.2]), limits)
    assert found.converged
    assert found.active == (0, 1)
    assert found.parameters == pytest.approx([0.0, 1.0], abs=1e-14)


def test_a_metric_of_lower_rank_is_given_a_ridge():
    found = minimise_by_scoring(
        quadratic(np.diag([1.0, 1.0]), np.array([1.0, 2.0]), np.diag([1.0, 0.0])), np.zeros(2), FREE
    )
    assert found.value < 1e-6


def test_where_the_model_is_not_defined_the_step_is_shortened():
    def evaluate(x):  # minus the logarithm has its minimum inside, and full steps from far out leave the domain
        if x[0] <= 0.0:
            return None
        return x[0] - math.log(x[0]), np.array([1.0 - 1.0 / x[0]]), np.array([[1.0 / x[0] ** 2]])

    found = minimise_by_scoring(evaluate, np.array([9.0]), LinearLimits(np.zeros((0, 1)), np.zeros(0)))
    assert found.converged
    assert not found.blocked
    assert found.parameters == pytest.approx([1.0], abs=1e-6)


def test_a_minimum_beyond_the_domain_is_not_taken_for_one():
    def evaluate(x):
        return None if x[0] > 0.5 else ((x[0] - 1.0) ** 2, np.array([2.0 * x[0] - 2.0]), np.array([[2.0]]))

    found = minimise_by_scoring(evaluate, np.array([0.0]), LinearLimits(np.zeros((0, 1)), np.zeros(0)))
    assert not found.converged
    assert found.blocked
    assert 0.49 < found.parameters[0] <= 0.5


def test_a_start_without_a_value():
    found = minimise_by_scoring(lambda _: None, np.zeros(2), FREE)
    assert not found.converged
    assert found.value == math.inf


def test_few_steps_are_not_convergence():
    found = minimise_by_scoring(
        lambda x: (float((x**4).sum()), 4.0 * x**3, 12.0 * np.diag(x**2)), np.ones(2), FREE, most=3
    )
    assert not found.converged
    assert found.iterations == 3


def test_a_kink_ends_the_search_if_told_so():
    def evaluate(x):
        slope = math.copysign(3.0, x[0] - 0.1) + x[0]
        return 3.0 * abs(x[0] - 0.1) + 0.5 * x[0] ** 2, np.array([slope]), np.array([[1.0]])

    line = LinearLimits(np.zeros((0, 1)), np.zeros(0))
    calls = []
    found = minimise_by_scoring(
        lambda x: (calls.append(1), evaluate(x))[1], np.array([0.3]), line, kinks_below=math.inf
    )
    stubborn = []
    minimise_by_scoring(lambda x: (stubborn.append(1), evaluate(x))[1], np.array([0.3]), line)
    assert not found.converged
    assert len(calls) < len(stubborn)


def test_a_nearly_singular_metric_between_close_limits():
    # Rounding made the dual method call these limits contradictory: they are a hundred-millionth apart.
    normals = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.3, -1.0]])
    limits = LinearLimits(normals, np.array([0.0, -1e-8, -1.0, -1.0]))
    hessian = np.array([[1.0, 1.0 - 1e-9], [1.0 - 1e-9, 1.0]]) * np.outer([1e6, 1.0], [1e6, 1.0])
    found = minimise_by_scoring(quadratic(hessian, np.array([1.0, 40.0])), np.array([5e-9, 0.0]), limits)
    assert limits.slack(found.parameters).min() >= -1e-9
    assert found.parameters[1] == pytest.approx(1.0, abs=1e-6)
