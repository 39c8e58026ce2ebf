"""Constraints written as comparisons of weights: against plain arrays, and invalid input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.optimizer.weight_expressions import constraints_of

NAMES = ("SPY", "BND", "BTC", "GLD")


def kept(rule, weights):
    """Whether weights satisfy the constraints of a rule."""
    return max(each.on(NAMES).violation(np.asarray(weights)) for each in constraints_of(rule, NAMES)) <= 1e-12


def label(rule):
    return [each.on(NAMES).label for each in constraints_of(rule, NAMES)]


RULES = {
    "least": lambda w: w >= 0.02,
    "most": lambda w: w <= 0.4,
    "turned": lambda w: w >= 0.02,
    "numpy number": lambda w: np.float64(0.4) >= w,
    "one": lambda w: w[1] <= 0.3,
    "last": lambda w: w[-1] >= 0.1,
    "slice": lambda w: w[1:3] <= 0.3,
    "mask": lambda w: w[np.array([True, False, False, True])] >= 0.1,
    "list": lambda w: w[[0, 2]] <= 0.35,
    "vector": lambda w: w <= [0.4, 0.3, 0.2, 0.5],
    "turned vector": lambda w: np.array([0.4, 0.3, 0.2, 0.5]) >= w,
    "sum": lambda w: w[:2].sum() <= 0.5,
    "built-in sum": lambda w: sum(w[:2]) <= 0.5,
    "difference": lambda w: w[0] - w[1] >= 0.05,
    "weighed": lambda w: 2 * w[0] + w[1] / 2 - 0.1 <= 0.5,
    "product": lambda w: w @ [1.2, 0.1, 2.0, -0.1] <= 0.7,
    "turned product": lambda w: np.array([1.2, 0.1, 2.0, -0.1]) @ w <= 0.7,
    "matrix": lambda w: np.array([[1.0, 0.0, 0.0, 1.0], [0.0, 2.0, 0.0, 0.0]]) @ w <= [0.6, 0.7],
    "both sides": lambda w: w[2] <= 0.5 * w[0],
    "negative": lambda w: -w <= -0.05,
    "all": lambda w: w.sum() >= 0.9,
    "shape": lambda w: w >= np.full(w.shape, 0.05),
}


@pytest.mark.parametrize("name", RULES)
@given(weights=st.lists(st.integers(-5, 10), min_size=4, max_size=4))
def test_it_means_of_weights_what_it_means_of_an_array(name, weights):
    array = np.array(weights) / 17.32050807568877  # ten times the root of 3: never at a limit
    assert kept(RULES[name], array) == bool(np.all(RULES[name](array)))


def test_an_equality():
    for rule in (lambda w: w[0] + w[1] == 0.5, lambda w: w[0] + w[1] == 0.5):
        assert kept(rule, [0.2, 0.3, 0.1, 0.4])
        assert not kept(rule, [0.2, 0.2, 0.2, 0.4])


def test_weights_by_name():
    assert kept(lambda w: w["BTC"] <= 0.1, [0.4, 0.4, 0.1, 0.1])
    assert not kept(lambda w: w[["SPY", "BND"]].sum() <= 0.5, [0.3, 0.3, 0.2, 0.2])


def test_what_they_are_called():
    assert label(lambda w: w >= 0.02) == ["bounds"]
    assert label(lambda w: w["SPY"] + 2 * w["BTC"] - w["GLD"] <= 0.6) == ["SPY + 2 BTC - GLD"]
    assert label(lambda w: w[:2] - w[2:] <= 0.1) == ["SPY - BTC", "BND - GLD"]


@pytest.mark.parametrize(
    ("rule", "match"),
    [
        (lambda w: 0.02 <= w <= 0.4, "add two constraints"),
        (lambda w: (w >= 0.02) and (w <= 0.4), "add two constraints"),
        (lambda w: w > 0.02, "strictly above 0.02 have no minimum; write >="),
        (lambda w: w < 0.4, "strictly below 0.4 have no maximum; write <="),
        (lambda w: w != 0.4, "are not a convex set"),
        (lambda w: abs(w) <= 0.4, r"abs\(\) of weights is not linear; .*turnover=..., leverage="),
        (lambda w: np.abs(w) <= 0.4, "is not valid .*write an expression that is linear in the weights"),
        (lambda w: w**2 <= 0.4, "weights to the power 2 are not linear"),
        (lambda w: w * w <= 0.4, "of weights with weights is not linear"),
        (lambda w: w.max() <= 0.4, "has no attribute 'max'.*write an expression that is linear"),
        (lambda w: w, "which is not a comparison; write an expression that is linear"),
        (lambda _: 0.3, "returned 0.3, which is not a comparison"),
        (lambda _: True, "returned True, which is not a comparison"),
        (lambda w: w[7] <= 0.3, "no weight has the index 7 among 4"),
        (lambda w: w["QQQ"] <= 0.3, "no weight of 'QQQ'; there are SPY, BND, BTC, GLD"),
        (lambda w: w[0][0] <= 0.3, "a single weight cannot be indexed"),
        (lambda w: w[0] - w[0] <= 0.3, "contains no weight, only -0.3"),
        (lambda w: w <= [math.nan] * 4, "give finite numbers"),
        (lambda w: w <= "SPY", "with 'SPY'; give a number"),
        (lambda w: w <= [0.1, 0.2], "broadcast"),
        (lambda w: w @ [1.0, 2.0] <= 0.1, "give one number for each weight"),
        (lambda w: not w, "no truth value"),
    ],
)
def test_whatever_is_not_linear_is_refused_by_name(rule, match):
    with pytest.raises(ModelError, match=f"the constraint <lambda> .*{match}"):
        constraints_of(rule, NAMES)


def test_a_rule_that_is_no_function_is_refused():
    with pytest.raises(ModelError, match=r"a constraint 0\.3; give a function of the weights, or a Constraint"):
        constraints_of(0.3, NAMES)


def test_a_function_is_called_by_its_name():
    def no_shorts(w):
        return w**3 >= 0.0

    with pytest.raises(ModelError, match="the constraint no_shorts is not valid"):
        constraints_of(no_shorts, NAMES)
