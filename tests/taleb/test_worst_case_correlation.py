"""Worst-case correlations: brute force for three assets, a conic solver, proven bounds, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.display import as_text
from bank_python.errors import CalibrationError, ModelError
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.taleb.worst_case_correlation import worst_case_correlation


def market(seed, n, spread=2):
    rng = np.random.default_rng(seed)
    loads = rng.standard_normal((n, spread))
    covariance = loads @ loads.T + np.diag(rng.uniform(0.2, 1.0, n))
    data = CovarianceData(tickers=[f"A{i}" for i in range(n)], covariance=covariance)
    return data, rng.standard_normal(n)


def by_brute_force(base, x, radius):
    """Return the largest variance of three assets in a box of valid matrices: two correlations on a grid, one solved.

    Given two of them, the third may be anything in r12 r13 ± √((1 - r12²)(1 - r13²)), and the variance is linear in it.
    """
    ends = [(max(base[i, j] - radius, -1.0), min(base[i, j] + radius, 1.0)) for i, j in ((0, 1), (0, 2), (1, 2))]
    a, b = np.meshgrid(*(np.linspace(*end, 801) for end in ends[:2]))
    room = np.sqrt((1.0 - a * a) * (1.0 - b * b))
    low, high = np.maximum(a * b - room, ends[2][0]), np.minimum(a * b + room, ends[2][1])
    c = high if x[1] * x[2] > 0.0 else low
    total = x @ x + 2.0 * (a * x[0] * x[1] + b * x[0] * x[2] + c * x[1] * x[2])
    return float(np.max(total[low <= high]))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.5))
def test_three_assets_by_brute_force(seed, radius):
    data, weights = market(seed, 3)
    found = worst_case_correlation(data, weights, radius)
    x = weights * data.volatilities
    best = by_brute_force(data.correlation, x, radius)
    size = float(np.abs(x).sum()) ** 2
    assert found.volatility**2 >= best - 1e-6 * size
    assert found.volatility**2 <= best + 5e-3 * size  # the grid's own error, which is of first order in its spacing
    assert found.bound**2 >= best - 1e-9 * size


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.floats(0.02, 2.5), st.sampled_from(["shift", "box", "ball"]))
def test_the_answer_is_a_valid_matrix_of_the_set_with_a_proof(seed, n, radius, within):
    data, weights = market(seed, n)
    found = worst_case_correlation(data, weights, radius, within=within)
    worst, moved = found.correlation, found.correlation - data.correlation
    assert np.linalg.eigvalsh(worst)[0] > -1e-9
    assert np.diag(worst).tolist() == [1.0] * n
    assert worst == pytest.approx(worst.T, abs=1e-14)
    size = np.linalg.norm(moved) if within == "ball" else np.abs(moved).max()
    assert size <= radius * (1.0 + 1e-9)
    assert found.base_volatility <= found.volatility * (1.0 + 1e-12)
    assert found.volatility <= found.bound * (1.0 + 1e-12) <= found.limit * (1.0 + 1e-6)
    assert found.gap <= 1e-6 * found.volatility


@pytest.mark.parametrize(("within", "radius"), [("box", 0.3), ("ball", 1.5)])
def test_a_conic_solver_finds_the_same(within, radius):
    cp = pytest.importorskip("cvxpy")
    data, weights = market(8, 8)
    x, base = weights * data.volatilities, data.correlation
    matrix = cp.Variable((8, 8), PSD=True)
    rules = [cp.diag(matrix) == 1.0]
    rules += [cp.abs(matrix - base) <= radius] if within == "box" else [cp.norm(matrix - base, "fro") <= radius]
    cp.Problem(cp.Maximize(cp.trace(np.outer(x, x) @ matrix)), rules).solve(solver="CLARABEL")
    wanted = np.sqrt(x @ matrix.value @ x)
    found = worst_case_correlation(data, weights, radius, within=within)
    assert found.volatility == pytest.approx(wanted, rel=1e-6)


def test_the_same_shift_of_all_pairs_is_at_an_end():
    data, weights = market(3, 4)
    for held in (np.abs(weights), weights - weights.mean()):
        found = worst_case_correlation(data, held, 0.02, within="shift")
        x = held * data.volatilities
        wanted = max(x @ (data.correlation + d * (1.0 - np.eye(4))) @ x for d in (-0.02, 0.02))
        assert found.volatility == pytest.approx(np.sqrt(wanted), rel=1e-12)
        assert found.gap == 0.0


def test_room_for_everything_reaches_the_limit():
    data, weights = market(5, 6)
    found = worst_case_correlation(data, weights, 2.0)
    assert found.volatility == pytest.approx(found.limit, rel=1e-9)
    signs = np.sign(weights)
    assert found.correlation == pytest.approx(np.outer(signs, signs), abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.5), st.floats(1.0, 4.0))
@settings(max_examples=15)
def test_a_larger_set_is_never_better(seed, radius, factor):
    data, weights = market(seed, 4)
    smaller = worst_case_correlation(data, weights, radius).volatility
    assert worst_case_correlation(data, weights, factor * radius).volatility >= smaller * (1.0 - 1e-7)


def test_weights_in_other_forms():
    data = market(2, 3)[0]
    by_name = worst_case_correlation(data, {"A2": -1.0, "A0": 2.0}, 0.1)
    in_order = worst_case_correlation(data, [2.0, 0.0, -1.0], 0.1)
    assert by_name.volatility == in_order.volatility
    pd = pytest.importorskip("pandas")
    labelled = worst_case_correlation(data, pd.Series({"A2": -1.0, "A1": 0.0, "A0": 2.0}), 0.1)
    assert labelled.volatility == in_order.volatility


def test_exports_view_and_plot():
    data, weights = market(8, 8)
    found = worst_case_correlation(data, weights, 0.3)
    rows = found.to_table().to_list()
    assert len(rows) == 28
    added = sum(row["variance_added"] for row in rows)
    assert added == pytest.approx(found.volatility**2 - found.base_volatility**2, rel=1e-9)
    text = as_text(found, lines=40)
    assert "proven" in text
    assert "volatility of the book" in " ".join(text.split())
    assert "Worst correlations" in found.plot().axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"radius": 0.0}, ModelError, "radius=0.0"),
        ({"radius": np.nan}, ModelError, "radius=nan"),
        ({"within": "cube"}, ModelError, "shift, box, ball"),
        ({"weights": [1.0]}, ModelError, r"shape \(1,\) for 3 assets"),
        ({"weights": [1.0, np.nan, 0.0]}, ModelError, "weights=nan"),
        ({"weights": {"B": 1.0}}, ModelError, "unknown ticker 'B'"),
        ({"weights": [0.0, 0.0, 0.0]}, CalibrationError, "holds nothing"),
    ],
)
def test_bad_input_is_named(arguments, error, said):
    with pytest.raises(error, match=said):
        worst_case_correlation(**{"cov_data": market(1, 3)[0], "weights": [1.0, 1.0, 1.0], "radius": 0.1, **arguments})


def test_cash_has_no_correlations():
    data = market(1, 2)[0].with_cash(0.0)
    with pytest.raises(CalibrationError, match="requires assets with risk"):
        worst_case_correlation(data, [1.0, 1.0, 1.0], 0.1)


@pytest.mark.parametrize("within", ["box", "ball"])
@pytest.mark.parametrize("size", [1e-170, 1e150])
def test_the_unit_of_weights_does_not_matter(within, size):
    data, weights = market(3, 5)
    found = worst_case_correlation(data, weights * size, 1.5, within=within)
    expected = worst_case_correlation(data, weights, 1.5, within=within)
    assert found.correlation == pytest.approx(expected.correlation, abs=1e-6)
