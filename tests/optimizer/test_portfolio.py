"""A portfolio: its figures, its rounded weights, its table, and that it can be stored and restored."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.errors import ModelError
from bank_python.optimizer import (
    Certificate,
    CovarianceData,
    OptimalPortfolio,
    Performance,
    create_optimizer,
    portfolio_of,
)


def two():
    return CovarianceData(
        tickers=["BND", "SPY"], covariance=[[0.0025, 0.001], [0.001, 0.04]], expected_returns=[0.03, 0.08]
    )


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n + 3)) * 0.1
    names = [f"A{i}" for i in range(n)]
    return CovarianceData(tickers=names, covariance=root @ root.T, expected_returns=rng.normal(0.07, 0.05, n))


def test_by_hand():
    """0.6 and 0.4: 0.36 · 25 + 2 · 0.24 · 10 + 0.16 · 400 = 77.8, of ten-thousandths."""
    held = portfolio_of(two(), "by hand", [0.6, 0.4], risk_free_rate=0.02, figures={"told": 1.0})
    assert held.expected_return == pytest.approx(0.05, abs=1e-16)
    assert held.volatility == pytest.approx(math.sqrt(0.00778), rel=1e-15)
    assert held.sharpe == pytest.approx(0.03 / math.sqrt(0.00778), rel=1e-14)
    assert held.risk_shares == pytest.approx([0.6 * 0.0019 / 0.00778, 0.4 * 0.0166 / 0.00778], rel=1e-14)
    assert held.by_ticker() == {"BND": 0.6, "SPY": 0.4}
    assert held.figures == {"told": 1.0}
    assert held.certificate.active_bounds == ()


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_shares_of_the_risk_add_up_to_one(seed, n):
    data = drawn(n, seed)
    weights = np.random.default_rng(seed).normal(size=n)
    held = portfolio_of(data, "drawn", weights)
    assert held.risk_shares.sum() == pytest.approx(1.0, abs=1e-9)
    assert held.volatility**2 == pytest.approx(float(weights @ data.covariance @ weights), rel=1e-12)
    doubled = portfolio_of(data, "drawn", 2.0 * weights)
    assert doubled.sharpe == pytest.approx(held.sharpe, rel=1e-12)
    assert doubled.risk_shares == pytest.approx(held.risk_shares, rel=1e-9, abs=1e-12)


def test_without_expected_returns_or_without_risk():
    bare = portfolio_of(CovarianceData(tickers=["A"], covariance=[[0.04]]), "held", [1.0])
    assert math.isnan(bare.expected_return)
    assert math.isnan(bare.sharpe)
    assert bare.volatility == 0.2
    safe = portfolio_of(two().with_cash(0.01), "held", [0.0, 0.0, 1.0])
    assert (safe.expected_return, safe.volatility) == (0.01, 0.0)
    assert math.isnan(safe.sharpe)
    assert safe.risk_shares.tolist() == [0.0, 0.0, 0.0]


def test_what_is_given_is_copied_and_cannot_be_written_to():
    weights, figures = np.array([0.6, 0.4]), {"told": 1.0}
    held = portfolio_of(two(), "by hand", weights, figures=figures)
    weights[0], figures["told"] = 9.0, 9.0
    assert held.weights.tolist() == [0.6, 0.4]
    assert held.figures["told"] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        held.weights[0] = 1.0
    with pytest.raises(FrozenInstanceError):
        held.sharpe = 9.0


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.3, 0.2], [[0.6, 0.4]], 1.0, [0.6, math.nan], [math.inf, 0.0], []])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(ModelError, match=r"weights of shape \(.*\) for 2 assets; give one finite number for each"):
        portfolio_of(two(), "by hand", weights)


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=8), st.integers(2, 6))
def test_rounding_keeps_bounds_and_sum(shares, digits):
    weights = np.array([0.3, *(0.7 * np.array(shares) / max(sum(shares), 1e-9)).tolist()])  # the first on its bound
    held = portfolio_of(drawn(len(weights)), "by hand", weights)
    rounded = np.array(list(held.clean_weights(cutoff=0.0, digits=digits).values()))
    assert rounded[0] == 0.3
    assert np.abs(rounded - weights).max() <= 1.001 * 10.0**-digits
    assert rounded.sum() == pytest.approx(weights.sum(), abs=0.51 * 10.0**-digits)


def test_rounded_weights_by_hand():
    data = drawn(4)
    held = portfolio_of(data, "by hand", [0.123456, 0.00006, 0.876444, 0.00004])
    # 0.12346 and 0.87644 add up to 0.9999; the rest is added to the largest.
    assert held.clean_weights() == {"A0": 0.12346, "A1": 0.0, "A2": 0.87654, "A3": 0.0}
    assert held.clean_weights(cutoff=0.0) == {"A0": 0.12346, "A1": 0.00006, "A2": 0.87644, "A3": 0.00004}
    assert held.clean_weights(cutoff=0.2) == {"A0": 0.0, "A1": 0.0, "A2": 1.0, "A3": 0.0}
    assert held.clean_weights(digits=2) == {"A0": 0.12, "A1": 0.0, "A2": 0.88, "A3": 0.0}
    short = portfolio_of(data, "by hand", [-0.00005, 1.3, -0.30005, 0.0001])
    assert short.clean_weights() == {"A0": 0.0, "A1": 1.29995, "A2": -0.30005, "A3": 0.0001}


@given(st.integers(0, 10_000), st.integers(2, 30), st.sampled_from([0.0, 1e-4, 0.01]), st.integers(2, 8))
@settings(max_examples=80)
def test_rounded_weights_keep_their_sum(seed, n, cutoff, digits):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(n, 0.4))
    rounded = portfolio_of(drawn(n), "drawn", weights).clean_weights(cutoff, digits)
    assert sum(rounded.values()) == pytest.approx(1.0, abs=1e-12)
    assert list(rounded) == [f"A{i}" for i in range(n)]
    # Each is rounded down or up; the weight below the cutoff is added to one of them.
    taken = []
    for name, kept, weight in zip(rounded, rounded.values(), weights.tolist(), strict=True):
        assert kept == round(kept, digits)
        if abs(kept - weight) > max(cutoff, 1.001 * 10.0**-digits):
            taken.append(name)
        assert kept == 0.0 or weight >= cutoff
    assert len(taken) <= (cutoff > 0.0)


@pytest.mark.parametrize("cutoff", [-1e-9, math.nan, math.inf])
def test_a_cutoff_out_of_range_is_refused(cutoff):
    with pytest.raises(ModelError, match=r"cutoff=.*; give a weight of at least 0; 1e-4 is usual"):
        portfolio_of(two(), "by hand", [0.6, 0.4]).clean_weights(cutoff)


def test_performance_is_three_figures(capsys):
    held = portfolio_of(two(), "by hand", [0.6, 0.4], risk_free_rate=0.02)
    back, risk, sharpe = held.performance()
    assert (back, risk, sharpe) == (held.expected_return, held.volatility, held.sharpe)
    assert isinstance(held.performance(), Performance)
    assert held.performance()._fields == ("expected_return", "volatility", "sharpe")
    assert capsys.readouterr().out == ""


def test_a_verbose_performance_is_shown(capsys):
    data = CovarianceData(
        tickers=["BND", "SPY", "GLD"],
        covariance=[[0.0025, 0.001, 0.0], [0.001, 0.04, 0.0], [0.0, 0.0, 0.0225]],
        expected_returns=[0.06, 0.09, 0.01],
    )
    best = create_optimizer(
        "max_sharpe", data, bounds=(0.02, 0.4), risk_free_rate=0.05, transaction_cost=0.0
    ).optimize()
    told = best.performance(verbose=True)
    shown = capsys.readouterr().out
    assert told == best.performance()
    assert "PORTFOLIO OPTIMISER" in shown
    assert "Max Sharpe" in shown
    for name, weight in best.by_ticker().items():
        line = next(line for line in shown.splitlines() if name in line)
        assert f"{weight:.1%}" in line
    assert f"{best.expected_return:+.1%}" in shown
    assert f"{best.volatility:.1%}" in shown
    assert "Sharpe (rf 5.0%)" in shown
    assert f"{best.sharpe:.2f}" in shown
    assert "KKT residual" in shown


def test_a_row_for_each_asset():
    held = portfolio_of(two(), "by hand", [0.6, 0.4])
    rows = list(held.to_table())
    assert [row["ticker"] for row in rows] == ["BND", "SPY"]
    assert [row["weight"] for row in rows] == [0.6, 0.4]
    assert [row["risk_share"] for row in rows] == held.risk_shares.tolist()


def test_active_constraints_as_text():
    proof = Certificate(1e-16, 0.0, at_lower=("A",), at_upper=("B", "C"), binding=("tech at most 0.3",), iterations=4)
    assert proof.active_bounds == (
        "A at its lower bound",
        "B at its upper bound",
        "C at its upper bound",
        "tech at most 0.3",
    )


@pytest.mark.parametrize("kind", ["max_sharpe", "min_variance", "risk_parity", "hrp", "max_diversification"])
def test_a_portfolio_comes_back_from_a_store(tmp_path, kind):
    found = create_optimizer(kind, drawn(6), bounds=(0.05, 0.4), current={"A0": 1.0}).optimize()
    with BarbaraDB.open("default", tmp_path / "books.db") as store:
        store["portfolio"] = found
    with BarbaraDB.open("default", tmp_path / "books.db") as store:
        again = store["portfolio"]
    assert type(again) is OptimalPortfolio
    assert again.tickers == found.tickers
    assert (again.weights == found.weights).all()
    assert (again.risk_shares == found.risk_shares).all()
    assert again.certificate == found.certificate
    assert dict(again.figures) == dict(found.figures)
    assert again.performance() == found.performance()
    assert again.clean_weights() == found.clean_weights()
    assert (again.method, again.estimator, again.risk_free_rate) == (kind, "given", 0.0)


def test_figures_that_are_not_numbers_come_back_too():
    bare = portfolio_of(CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.01])), "held", [0.5, 0.5])
    with BarbaraDB.open(path=":memory:") as store:
        store["bare"] = bare
        again = store["bare"]
    assert math.isnan(again.expected_return)
    assert math.isnan(again.sharpe)
    assert again.volatility == bare.volatility


def test_old_name_of_the_portfolio_at_another_rate():
    mixed = portfolio_of(drawn(2), "by hand", [0.5, 0.5])
    with pytest.warns(DeprecationWarning, match=r"OptimalPortfolio\.above is now called with_risk_free_rate"):
        old = mixed.above(0.01)
    assert old.sharpe == mixed.with_risk_free_rate(0.01).sharpe
    assert old.risk_free_rate == 0.01
