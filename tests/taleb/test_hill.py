"""Hill's estimator against figures of real data, simulations, and its own properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.hill import hill, hill_curve

SIZES = st.lists(st.integers(1, 10**6).map(lambda i: i / 7.0), min_size=3, max_size=40, unique=True)

# Hill's estimates for the S&P 500, adjusted closes from 1999-01-04 to 2018-12-31 as in arch 8.0, log returns.
OF_LOSSES = {25: 3.6138304506271814, 50: 3.1024669638331064, 100: 3.0945996006596035, 251: 2.660141051676661}
OF_SIZES = {50: 3.8253720847437154, 100: 3.3699175399471875, 250: 2.924879110391972}


@pytest.fixture(scope="module")
def sp500():
    data = pytest.importorskip("arch.data.sp500").load()
    return np.diff(np.log(data["Adj Close"].to_numpy()))


def test_real_losses(sp500):
    assert {k: hill(-sp500, k) for k in OF_LOSSES} == pytest.approx(OF_LOSSES, rel=1e-12)
    assert {k: hill(np.abs(sp500), k) for k in OF_SIZES} == pytest.approx(OF_SIZES, rel=1e-12)


def test_by_hand():
    # ln(8/2) and ln(4/2) over the threshold 2: mean 1.5 ln 2
    assert hill([1.0, 4.0, 2.0, 8.0], 2) == pytest.approx(1.0 / (1.5 * np.log(2.0)), rel=1e-14)


def test_an_exact_power_law():
    rng = np.random.default_rng(0)
    # 400 estimates with k = 400: standard deviation 3/sqrt(400) each, of their mean 0.0075; bias 3/(k - 1)
    found = [hill(rng.pareto(3.0, 2_000) + 1.0, 400) for _ in range(400)]
    assert np.mean(found) == pytest.approx(3.0 * 400.0 / 399.0, abs=3 * 0.0075)
    assert np.std(found) == pytest.approx(0.15, rel=0.15)


def test_the_error_of_the_contract_falls_with_the_sample():
    rng = np.random.default_rng(1)
    errors = {
        n: np.mean([abs(hill(rng.pareto(3.0, n) + 1.0, int(n**0.6)) - 3.0) for _ in range(40)]) for n in (200, 20_000)
    }
    assert errors[20_000] < 0.5 * errors[200] < 1.0
    assert hill(np.abs(rng.normal(size=5_000)), int(5_000**0.6)) > 4.0


@settings(max_examples=40)
@given(SIZES, st.randoms(), st.floats(1e-3, 1e3))
def test_order_and_scale_do_not_count(values, random, scale):
    k = len(values) // 2
    expected = hill(values, k)
    shuffled = [scale * value for value in values]
    random.shuffle(shuffled)
    assert hill(shuffled, k) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40)
@given(SIZES)
def test_the_curve_is_the_estimate_at_each_k(values):
    curve = hill_curve(values)
    for k, alpha in zip(curve.k.astype(int), curve.alpha, strict=True):
        assert 1.0 / hill(values, int(k)) == pytest.approx(1.0 / alpha, rel=1e-7, abs=1e-12)
    assert (curve.low < curve.alpha).all()
    assert (curve.alpha < curve.high).all()


def test_negative_values_are_no_tail():
    values = [5.0, 4.0, 3.0, 2.0, 1.0]
    assert hill([*values, -100.0, 0.0], 3) == hill(values, 3)


def test_chosen_numbers():
    x = np.random.default_rng(2).pareto(2.0, 100)
    curve = hill_curve(x, [10, 20])
    assert curve.alpha.tolist() == pytest.approx([hill(x, 10), hill(x, 20)], rel=1e-12)
    assert curve.threshold[0] == np.sort(x)[-11]
    assert curve.to_table().to_pandas()["k"].tolist() == [10, 20]


def test_intervals_of_a_power_law_cover_it():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        curve = hill_curve(rng.pareto(3.0, 30) + 1.0, [12])
        inside += bool(curve.low[0] <= 3.0 <= curve.high[0])
    assert 0.92 <= inside / 400 <= 0.98  # 95 % with a standard error of 1.1 %


@pytest.mark.parametrize("k", [0, -3])
def test_no_values_at_all(k):
    with pytest.raises(ModelError, match=f"k={k} is not a whole number"):
        hill([1.0, 2.0, 3.0], k)


def test_more_than_there_are():
    with pytest.raises(CalibrationError, match="k=3 needs 4 positive values, and there are 3"):
        hill([1.0, 2.0, 3.0, -5.0, 0.0], 3)
    with pytest.raises(CalibrationError, match="ks=3 needs 4 positive values"):
        hill_curve([1.0, 2.0, 3.0], [1, 3])
    with pytest.raises(ModelError, match=r"ks=1\.5"):
        hill_curve([1.0, 2.0, 3.0], [1.5, 2])
    with pytest.raises(ModelError, match="ks is empty"):
        hill_curve([1.0, 2.0, 3.0], [])


def test_all_tied():
    with pytest.raises(CalibrationError, match="the 2 largest values all equal the next one, 3"):
        hill([3.0, 3.0, 3.0, 1.0], 2)
    assert hill([3.0, 3.0, 3.0, 1.0], 3) == pytest.approx(1.0 / np.log(3.0))
    curve = hill_curve([3.0, 3.0, 3.0, 1.0])
    assert curve.alpha.tolist() == [np.inf, np.inf, pytest.approx(1.0 / np.log(3.0))]


def test_shown_and_drawn():
    curve = hill_curve(np.random.default_rng(4).pareto(3.0, 500))
    assert "Hill's tail index" in repr(curve)
    assert curve.plot().axes[0].get_xlabel() == "number of largest values k"
