"""The second-order heuristic: values by hand, closed forms, invariances, rounding, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bank_python.display import as_text
from bank_python.errors import BankError, ModelError
from bank_python.risk_models.black_scholes import black_scholes_price
from bank_python.taleb.fragility import FragilityVerdict, fragility

FRAGILE, ROBUST, ANTIFRAGILE = FragilityVerdict.FRAGILE, FragilityVerdict.ROBUST, FragilityVerdict.ANTIFRAGILE
moderate = st.floats(-50.0, 50.0)


def test_a_quadratic_by_hand():
    """H of a + bx + cx² is c Δ², whatever a, b and x are."""
    found = fragility(lambda x: 7.0 - 3.0 * x - 0.5 * x * x, at=4.0, step=2.0)
    assert found.heuristic[0] == pytest.approx([-0.5, -2.0, -8.0], rel=1e-14)
    assert found.growth == pytest.approx([2.0], rel=1e-12)
    assert found.verdict is FRAGILE


def test_two_tables_of_costs_by_hand():
    """The same cost at the centre, one of them worse beyond it: H = (-15 - 55)/2 + 25 = -10, and 0."""
    costs = {8.0: -15.0, 9.0: -25.0, 10.0: -55.0}
    concave = fragility(costs.__getitem__, at=9.0, step=1.0, multiples=1.0)
    linear = fragility({**costs, 10.0: -35.0}.__getitem__, at=9.0, step=1.0, multiples=1.0)
    assert (concave.heuristic.item(), concave.verdict) == (-10.0, FRAGILE)
    assert (linear.heuristic.item(), linear.verdict) == (0.0, ROBUST)


@given(moderate, moderate, st.floats(0.01, 10.0), st.floats(-1e6, 1e6))
def test_linear_is_robust_and_squares_are_not(slope, at, step, constant):
    line = fragility(lambda x: constant + slope * x, at=at, step=step)
    assert line.verdict is ROBUST
    assert fragility(lambda x: constant + slope * x + 1e3 * x * x, at=at, step=step).verdict is ANTIFRAGILE
    assert fragility(lambda x: constant + slope * x - 1e3 * x * x, at=at, step=step).verdict is FRAGILE


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_a_quadratic_form_of_many_factors(seed, n):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((n, n))
    b, x, step = rng.standard_normal(n), rng.standard_normal(n), rng.uniform(0.5, 2.0, n)
    found = fragility(lambda v: float(b @ v + v @ a @ v), at=x, step=step, multiples=[1.0, 3.0])
    wanted = [a[i, i] * step[i] ** 2 for i in range(n)] + ([float(step @ a @ step)] if n > 1 else [])
    assert found.heuristic == pytest.approx(np.outer(wanted, [1.0, 9.0]), rel=1e-9, abs=1e-9)


def test_the_joint_move_has_a_direction():
    both = fragility(lambda v: v[0] * v[1], at=[2.0, 3.0], step=[0.1, 0.2])
    opposed = fragility(lambda v: v[0] * v[1], at=[2.0, 3.0], step=[0.1, 0.2], joint=[1.0, -1.0])
    assert both.heuristic[-1] == pytest.approx([0.005, 0.02, 0.08])
    assert opposed.heuristic[-1] == pytest.approx([-0.005, -0.02, -0.08])
    assert (both.verdict_on("x0"), both.verdict, opposed.verdict) == (ROBUST, ANTIFRAGILE, FRAGILE)


def test_small_steps_agree_with_gamma():
    """H/Δ² tends to Γ/2, with Γ = φ(d)/(S σ √T); the next term is Γ'' Δ²/24, below 1e-6 of it here."""
    found = fragility(
        lambda s: black_scholes_price(s, 100.0, vol=0.2, rate=0.0, expiry=0.5),
        at=100.0,
        step=0.05,
        multiples=1.0,
        vectorized=True,
    )
    gamma = stats.norm.pdf(0.5 * 0.2 * math.sqrt(0.5)) / (100.0 * 0.2 * math.sqrt(0.5))
    assert found.heuristic.item() / 0.05**2 == pytest.approx(0.5 * gamma, rel=1e-5)
    assert found.verdict is ANTIFRAGILE


def test_what_gamma_does_not_see():
    """A short put far out of the money: no curvature at the spot, and a loss of the moves that reach the strike."""
    found = fragility(lambda s: -max(80.0 - s, 0.0), at=100.0, step=10.0, multiples=[1.0, 2.0, 3.0, 4.0])
    assert found.heuristic[0].tolist() == [0.0, 0.0, -5.0, -10.0]
    assert found.verdict is FRAGILE
    assert math.isnan(found.growth[0])


@given(st.floats(0.1, 1e6), st.booleans())
def test_scale_of_the_pnl_changes_no_verdict(scale, short):
    sign = -1.0 if short else 1.0
    found = fragility(lambda x: sign * scale * math.exp(x), at=0.1, step=0.01)
    one = fragility(lambda x: sign * math.exp(x), at=0.1, step=0.01)
    assert found.verdicts == one.verdicts
    assert found.relative == pytest.approx(one.relative, rel=1e-6)


def test_one_call_gives_the_same_as_many():
    x, step = np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3])
    one = fragility(lambda v: float(np.sin(v).prod()), at=x, step=step)
    many = fragility(lambda v: np.sin(v).prod(axis=0), at=x, step=step, vectorized=True)
    assert many.heuristic == pytest.approx(one.heuristic, rel=1e-15)


def test_the_tolerance_is_a_share_of_the_move():
    curved = {"at": 100.0, "step": 1.0, "multiples": 1.0}
    assert fragility(lambda x: x + 1e-4 * x * x, **curved).verdict is ANTIFRAGILE
    assert fragility(lambda x: x + 1e-4 * x * x, tolerance=1e-3, **curved).verdict is ROBUST


def test_constants_do_not_move_at_all():
    found = fragility(lambda _: 3.0, at=1.0, step=0.5)
    assert found.verdict is ROBUST
    assert np.isnan(found.relative).all()
    assert found.to_table().to_list()[0]["relative"] is None


def test_exports_view_and_plot():
    found = fragility(lambda v: v[0] * v[1], at=[2.0, 3.0], step=0.1, names=["quantity", "price"])
    rows = found.to_table().to_list()
    assert len(rows) == 9
    assert {row["factor"] for row in rows} == {"quantity", "price", "joint"}
    assert rows[-1]["verdict"] == "antifragile"
    text = as_text(found)
    assert "Fragility: antifragile" in text
    assert "quantity" in text
    axes = found.plot().axes[0]
    assert [line.get_label() for line in axes.lines[:3]] == ["quantity", "price", "joint"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"at": math.nan}, "at=nan"),
        ({"at": [1.0, math.inf]}, "at=inf"),
        ({"at": [[1.0]]}, r"shape \(1, 1\)"),
        ({"at": []}, r"shape \(0,\)"),
        ({"step": 0.0}, "step=0.0"),
        ({"step": -1.0}, "step=-1.0"),
        ({"step": [1.0, 1.0]}, "for 1 factors"),
        ({"multiples": []}, "empty"),
        ({"multiples": [0.0]}, "multiples=0.0"),
        ({"tolerance": 1.0}, "below 1"),
        ({"tolerance": -0.1}, "tolerance=-0.1"),
        ({"joint": [1.0]}, "one factor"),
        ({"names": ["a", "b"]}, "names"),
        ({"at": [1.0, 2.0], "names": ["a", "joint"]}, "joint"),
        ({"at": [1.0, 2.0], "joint": [0.0, 0.0]}, "0 for all"),
        ({"at": 1e20, "step": 1.0}, "lost in rounding"),
        ({"at": "1"}, "not a number"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    with pytest.raises(ModelError, match=said):
        fragility(lambda x: float(np.sum(x)), **{"at": 1.0, "step": 0.1, **arguments})


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: math.nan if x > 1.0 else x, r"nan at 1\.05"),
        (lambda _: [1.0, 2.0], r"returned \[1\.0, 2\.0\]"),
        (lambda _: "many", "returned 'many'"),
        (lambda _: None, "returned None"),
    ],
)
def test_functions_that_return_no_number_are_named(function, said):
    with pytest.raises(ModelError, match=said):
        fragility(function, at=1.0, step=0.1)


def test_wrong_shape_of_many_points_is_named():
    with pytest.raises(ModelError, match=r"returned float64 of shape \(\) for 7 points"):
        fragility(np.sum, at=1.0, step=0.1, vectorized=True)


def test_an_unknown_row_lists_the_rows():
    with pytest.raises(ModelError, match="choose one of x"):
        fragility(lambda x: x, at=1.0, step=0.1).verdict_on("y")
    with pytest.raises(BankError, match="multiples"):
        fragility(lambda x: x, at=1.0, step=0.1, multiple=2.0)


def test_text_for_many_points_is_named():
    with pytest.raises(ModelError, match=r"returned <U1 of shape \(\) for 7 points; return one number for each"):
        fragility(lambda _: "a", at=1.0, step=0.1, vectorized=True)


def test_a_lost_step_names_a_plain_number():
    with pytest.raises(ModelError, match=r"from 1\.0 is lost in rounding"):
        fragility(lambda x: x, at=1.0, step=1e-20)


def test_the_growth_of_huge_figures():
    assert fragility(lambda x: x**2, at=1e154, step=1e150).growth == pytest.approx([2.0], rel=1e-6)
