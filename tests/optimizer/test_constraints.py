"""Constraints: invalid input and its messages, and that an additional constraint never improves a portfolio."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import InfeasibleError, ModelError
from bank_python.optimizer.bounds import bounds_of
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.groups import Group
from bank_python.optimizer.minimum import minimise
from bank_python.optimizer.named import by_asset, check_tickers

NAMES = ("SPY", "TLT", "GLD")


@pytest.mark.parametrize(
    ("members", "sides", "match"),
    [
        ("SPY", {"upper": 0.5}, "group 'g' has members 'SPY'; give a list"),
        ([], {"upper": 0.5}, r"group 'g' has members \[\]"),
        ({}, {"upper": 0.5}, "group 'g' has members"),
        (["SPY"], {}, "group 'g' limits nothing"),
        (["SPY"], {"lower": -math.inf, "upper": math.inf}, "limits nothing"),
        (["SPY"], {"upper": math.nan}, "limits nothing"),
        (["SPY"], {"lower": math.nan, "upper": 1.0}, "limits nothing"),
    ],
)
def test_a_group_that_is_none_is_refused(members, sides, match):
    with pytest.raises(ModelError, match=match):
        Group("g", members, **sides)


def test_a_group_whose_sides_cross_says_by_how_much():
    with pytest.raises(
        InfeasibleError, match=r"the lower limit 0.6 of group 'shares' is above its upper limit 0.25, by 0.35"
    ):
        Group("shares", ["SPY"], 0.6, 0.25)


def test_a_group_counts_members_or_exposures():
    assert Group("shares", ["SPY", "TLT"], upper=0.5).exposures == {"SPY": 1.0, "TLT": 1.0}
    assert Group("beta", {"SPY": 1.2, "TLT": -0.1}, upper=0.5).exposures == {"SPY": 1.2, "TLT": -0.1}
    pinned = Group.equal("neutral", {"SPY": 1.0, "TLT": -1.0}, 0.1)
    assert (pinned.lower, pinned.upper) == (0.1, 0.1)


@pytest.mark.parametrize(
    ("given_", "match"),
    [
        ({"invested": math.nan}, "invested=nan"),
        ({"invested": math.inf}, "invested=inf"),
        ({"turnover": -0.1, "current": {}}, "turnover=-0.1"),
        ({"turnover": math.inf, "current": {}}, "turnover=inf"),
        ({"turnover": math.nan, "current": {}}, "turnover=nan"),
        ({"leverage": -1.0}, "leverage=-1.0"),
        ({"leverage": math.inf}, "leverage=inf"),
        ({"transaction_cost": -0.01, "current": {}}, "transaction_cost=-0.01"),
        ({"transaction_cost": math.nan, "current": {}}, "transaction_cost=nan"),
        ({"transaction_cost": math.inf, "current": {}}, "transaction_cost=inf"),
        ({"transaction_cost": {"SPY": 0.01, "TLT": -0.02}, "current": {}}, "transaction_cost=-0.02"),
        ({"turnover": 0.5}, "give current="),
        ({"transaction_cost": 0.01}, "give current="),
        ({"transaction_cost": {"SPY": 0.01}}, "give current="),
    ],
)
def test_figures_out_of_range_are_refused(given_, match):
    with pytest.raises(ModelError, match=match):
        Constraints(**given_)


@pytest.mark.parametrize("groups", [{"p": ["A"]}, [("A", 0.1)], ["A"]])
def test_what_is_no_group_is_refused(groups):
    with pytest.raises(ModelError, match="give a list of Group"):
        Constraints(groups=groups)


@pytest.mark.parametrize(
    ("bounds", "lower", "upper"),
    [
        ((0.1, 0.6), [0.1, 0.1, 0.1], [0.6, 0.6, 0.6]),
        ([0.1, 0.6], [0.1, 0.1, 0.1], [0.6, 0.6, 0.6]),
        ((np.float64(-1.0), 1), [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]),
        ([(0.0, 1.0), (0.2, 0.3), (-1.0, math.inf)], [0.0, 0.2, -1.0], [1.0, 0.3, math.inf]),
        ({"GLD": (-math.inf, 0.5)}, [0.0, 0.0, -math.inf], [1.0, 1.0, 0.5]),
        ({}, [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
    ],
)
def test_bounds_are_read(bounds, lower, upper):
    low, high = bounds_of(NAMES, bounds)
    assert low.tolist() == lower
    assert high.tolist() == upper


def test_two_assets_take_a_pair_for_both_or_a_pair_each():
    assert [side.tolist() for side in bounds_of(("A", "B"), (0.2, 0.7))] == [[0.2, 0.2], [0.7, 0.7]]
    assert [side.tolist() for side in bounds_of(("A", "B"), [(0.2, 0.7), (0.1, 0.9)])] == [[0.2, 0.1], [0.7, 0.9]]


@pytest.mark.parametrize(
    ("bounds", "match"),
    [
        ([(0.0, 1.0), (0.0, 1.0)], "one pair for each asset"),
        ((0.0, math.nan), "give \\(lower, upper\\)"),
        ({"SPY": (math.nan, 1.0)}, "give \\(lower, upper\\)"),
        ({"QQQ": (0.0, 1.0)}, "bounds contains the unknown ticker 'QQQ'; there are SPY, TLT, GLD"),
    ],
)
def test_bounds_that_do_not_fit_are_refused(bounds, match):
    with pytest.raises(ModelError, match=match):
        bounds_of(NAMES, bounds)


def test_bounds_that_cross_are_named():
    with pytest.raises(InfeasibleError, match=r"TLT has its lower bound 0.6 above its upper bound 0.5, by 0.1") as told:
        bounds_of(NAMES, {"TLT": (0.6, 0.5)})
    assert told.value.value == pytest.approx(0.1)


def test_figures_come_in_the_order_of_the_assets():
    assert by_asset(NAMES, {"GLD": 2.0}, "current").tolist() == [0.0, 0.0, 2.0]
    assert by_asset(NAMES, None, "current").tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ModelError, match="current of TLT is nan"):
        by_asset(NAMES, {"TLT": math.nan}, "current")
    with pytest.raises(ModelError, match="current contains the unknown ticker 'QQQ'"):
        by_asset(NAMES, {"QQQ": 0.1}, "current")


def test_the_message_on_an_unknown_ticker_lists_at_most_twelve():
    tickers = [f"A{i}" for i in range(20)]
    with pytest.raises(ModelError) as told:
        check_tickers(tickers, {"X": 1.0}, "bounds")
    assert "A11 …" in str(told.value)
    assert "A12" not in str(told.value)


@pytest.mark.parametrize(
    ("rules", "match"),
    [
        (Constraints(bounds=(0.0, 0.3)), r"upper bounds add up to 0.9, 0.1 less than invested=1; raise some"),
        (Constraints(bounds=(0.5, 1.0)), r"lower bounds add up to 1.5, 0.5 more than invested=1; lower some"),
        (Constraints(invested=-0.5), r"lower bounds add up to 0, 0.5 more than invested=-0.5"),
        (Constraints(bounds=(-1.0, 1.0), invested=4.0), r"upper bounds add up to 3, 1 less than invested=4"),
    ],
)
def test_bounds_that_cannot_add_up_say_by_how_much(rules, match):
    with pytest.raises(InfeasibleError, match=match):
        FeasibleSet.of(NAMES, rules)


@pytest.mark.parametrize(
    "rules",
    [
        Constraints(groups=[Group("g", ["QQQ"], upper=0.5)]),
        Constraints(current={"QQQ": 1.0}),
        Constraints(current={}, transaction_cost={"QQQ": 0.01}),
        Constraints(bounds={"QQQ": (0.0, 1.0)}),
    ],
)
def test_whatever_names_no_asset_is_refused(rules):
    with pytest.raises(ModelError, match="contains the unknown ticker 'QQQ'; there are SPY, TLT, GLD"):
        FeasibleSet.of(NAMES, rules)


@pytest.mark.parametrize("exposure", [math.nan, math.inf])
def test_an_exposure_that_is_no_number_is_refused(exposure):
    with pytest.raises(ModelError, match="group 'beta' of TLT is"):
        FeasibleSet.of(NAMES, Constraints(groups=[Group("beta", {"TLT": exposure}, upper=1.0)]))


def test_a_set_as_arrays():
    allowed = FeasibleSet.of(
        NAMES,
        Constraints(
            groups=[
                Group("shares", ["SPY"], 0.1, 0.6),
                Group("beta", {"SPY": 1.2, "TLT": -0.1}, upper=0.5),
                Group.equal("metal", ["GLD"], 0.2),
            ],
            current={"SPY": 0.5, "TLT": 0.5},
            transaction_cost=0.01,
            turnover=0.8,
            leverage=1.5,
        ),
    )
    plain = allowed.plain
    assert plain.A.tolist() == [[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    assert plain.b.tolist() == [1.0, 0.2]
    assert plain.equal_names == ("invested", "metal")
    assert plain.G.tolist() == [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [1.2, -0.1, 0.0]]
    assert plain.h.tolist() == [0.6, -0.1, 0.5]
    assert plain.row_names == ("shares at most 0.6", "shares at least 0.1", "beta at most 0.5")
    weights = np.array([0.3, 0.5, 0.2])
    assert allowed.turnover(weights) == pytest.approx(0.4)
    assert allowed.paid(weights) == pytest.approx(0.004)
    assert allowed.breach(weights) == pytest.approx(0.0, abs=1e-15)
    assert allowed.breach(np.array([0.65, 0.15, 0.2])) == pytest.approx(0.265)  # beta 0.765 of 0.5
    assert allowed.breach(np.array([-0.1, 0.9, 0.2])) == pytest.approx(0.4)  # trades of 1.2, 0.8 allowed


def rule(kind, draw):
    """Draw a constraint that equal weights satisfy, so that any number of them is feasible."""
    size = draw(st.floats(0.01, 0.4))
    return {
        "bounds": {"bounds": (1.0 / 3.0 - size, 1.0 / 3.0 + size)},
        "group": {"groups": [Group("g", ["SPY", "GLD"], upper=2.0 / 3.0 - 0.1 * size, lower=2.0 / 3.0 - size)]},
        "equal": {"groups": [Group.equal("neutral", {"SPY": 1.0, "TLT": -1.0}, 0.0)]},
        "turnover": {"turnover": 2.0 * size, "current": dict.fromkeys(NAMES, 1.0 / 3.0)},
        "leverage": {"leverage": 1.0 + size},
    }[kind]


@given(st.integers(0, 10_000), st.sampled_from(["bounds", "group", "equal", "turnover", "leverage"]), st.data())
@settings(deadline=None, max_examples=80)
def test_an_additional_constraint_is_never_better(seed, kind, data):
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((3, 3))
    P, q = 0.04 * (factors @ factors.T + 0.1 * np.eye(3)), -0.05 * rng.standard_normal(3)
    free = {"bounds": (-1.0, 1.0)}
    wide = minimise(FeasibleSet.of(NAMES, Constraints(**free)), P, q)
    narrow_set = FeasibleSet.of(NAMES, Constraints(**{**free, **rule(kind, data.draw)}))
    narrow = minimise(narrow_set, P, q)
    assert narrow.objective >= wide.objective - 1e-12
    assert narrow_set.breach(narrow.weights) < 1e-10
    if narrow_set.breach(wide.weights) < 1e-12:
        assert narrow.weights == pytest.approx(wide.weights, abs=1e-8)
