"""Portfolios by other libraries: agreement with ours, rejected parameters, and missing libraries.

PyPortfolioOpt and Riskfolio-Lib are installed in the benchmarks' environment; there no test is skipped:
``.venv-bench/bin/python -m pytest tests/integrations/test_portfolio_peers.py``.
"""

from __future__ import annotations

import sys
import types
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, InfeasibleError, MissingExtraError, ModelError
from bank_python.integrations import (
    PEER_OPTIMIZERS,
    PyPortfolioOptimizer,
    QuantLibOptimizer,
    RiskfolioOptimizer,
    compare,
)
from bank_python.integrations.portfolio_goal import _projected, mean_of_worst, portfolio_goal
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.factory import create_optimizer
from bank_python.optimizer.portfolio import OptimalPortfolio
from bank_python.optimizer.views import View

NAMES = tuple(f"{letter}{letter}" for letter in "HGFEDCBA")  # not in the order of the alphabet


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    common = 0.006 * rng.standard_normal((600, 2)) @ rng.standard_normal((2, len(NAMES)))
    own = rng.standard_normal((600, len(NAMES))) * np.linspace(0.006, 0.015, len(NAMES))
    drift = np.linspace(0.0002, 0.0009, len(NAMES))
    past = common + own
    return CovarianceData.from_returns(past - past.mean(axis=0) + drift, NAMES)


def peer_optimizer(peer, kind, data, **params):
    """Create a peer's optimiser, or skip the test where its library is not installed."""
    if not peer.is_installed():
        pytest.skip(f"{peer.library} is not installed here; it is in the benchmarks' environment")
    return peer(kind, data, **params)


CASES = [
    (PyPortfolioOptimizer, "min_variance", {}, 1e-6),
    (PyPortfolioOptimizer, "min_variance", {"bounds": (-0.2, 0.4)}, 1e-6),
    (PyPortfolioOptimizer, "min_variance", {"bounds": {"AA": (0.2, 0.3)}}, 1e-6),
    (PyPortfolioOptimizer, "max_sharpe", {"bounds": (0.02, 0.4), "risk_free_rate": 0.05}, 1e-6),
    (PyPortfolioOptimizer, "mean_variance", {"risk_aversion": 4.0}, 1e-6),
    (PyPortfolioOptimizer, "mean_variance", {"target_return": 0.18}, 1e-5),
    (PyPortfolioOptimizer, "hrp", {}, None),
    (PyPortfolioOptimizer, "min_cvar", {"confidence": 0.9}, 1e-6),
    (PyPortfolioOptimizer, "min_cvar", {"target_return": 0.17, "bounds": (0.01, 0.5)}, 1e-6),
    (PyPortfolioOptimizer, "black_litterman", {"views": {"CC": 0.3, "FF": 0.1}, "confidences": {"CC": 0.8}}, 1e-6),
    (
        PyPortfolioOptimizer,
        "black_litterman",
        {
            "views": [View({"AA": 1.0, "BB": -1.0}, 0.05, 1.0)],
            "market_weights": dict(zip(NAMES, range(1, 9), strict=True)),
            "risk_aversion": 3.0,
            "tau": 0.1,
        },
        1e-6,
    ),
    (RiskfolioOptimizer, "min_variance", {}, 1e-6),
    (RiskfolioOptimizer, "min_variance", {"bounds": {"AA": (0.2, 0.3), "HH": (0.0, 0.1)}}, 1e-6),
    (RiskfolioOptimizer, "max_sharpe", {"bounds": (0.02, 0.4), "risk_free_rate": 0.05}, 1e-6),
    (RiskfolioOptimizer, "max_sharpe", {"bounds": {"AA": (0.2, 0.3)}, "risk_free_rate": 0.01}, 1e-6),
    (RiskfolioOptimizer, "risk_parity", {}, 1e-6),
    (RiskfolioOptimizer, "risk_parity", {"budgets": dict(zip(NAMES, range(1, 9), strict=True))}, 1e-6),
    (RiskfolioOptimizer, "hrp", {}, None),
    (RiskfolioOptimizer, "min_cvar", {"confidence": 0.9, "bounds": (0.0, 0.3)}, 1e-6),
    (QuantLibOptimizer, "min_variance", {}, 1e-6),
    (QuantLibOptimizer, "min_variance", {"bounds": {"AA": (0.2, 1.0)}}, 1e-6),
    (QuantLibOptimizer, "mean_variance", {"risk_aversion": 4.0}, 1e-6),
]


@pytest.mark.parametrize(
    ("peer", "kind", "params", "most"), CASES, ids=[f"{case[0].library}-{case[1]}-{i}" for i, case in enumerate(CASES)]
)
def test_libraries_agree_with_ours(data, peer, kind, params, most):
    theirs = peer_optimizer(peer, kind, data, **params).optimize()
    ours = create_optimizer(kind, data, **params).optimize()
    assert isinstance(theirs, OptimalPortfolio)
    assert theirs.tickers == data.tickers
    assert peer.library in theirs.method
    assert theirs.risk_free_rate == ours.risk_free_rate
    assert theirs.figures.keys() == ours.figures.keys()
    np.testing.assert_allclose(theirs.weights, ours.weights, atol=2e-3 if most else 1e-12)
    proof = theirs.certificate
    if most is None:
        assert proof.duality_gap == 0.0
    else:
        # Better than the optimum only as far as a constraint is broken.
        assert -1e-9 - 10.0 * proof.kkt_residual < proof.duality_gap < most, proof
    assert theirs.expected_return == pytest.approx(ours.expected_return, abs=1e-3)


def test_hrp_of_riskfolio_keeps_bounds_in_its_own_way(data):
    theirs = peer_optimizer(RiskfolioOptimizer, "hrp", data, bounds=(0.05, 0.2)).optimize()
    assert theirs.certificate.kkt_residual < 1e-9
    assert theirs.weights.min() >= 0.05 - 1e-9
    assert theirs.weights.max() <= 0.2 + 1e-9


def test_riskfolio_needs_no_returns_where_the_covariance_is_all(data):
    bare = CovarianceData(tickers=data.tickers, covariance=data.covariance)
    theirs = peer_optimizer(RiskfolioOptimizer, "min_variance", bare).optimize()
    assert theirs.certificate.duality_gap < 1e-6
    assert np.isnan(theirs.expected_return)


@pytest.mark.parametrize("peer", PEER_OPTIMIZERS)
def test_unknown_kinds_are_rejected(data, peer):
    with pytest.raises(ModelError, match=f"is an optimiser of bank_python only; {peer.library} has min_variance"):
        peer("barbell", data)
    with pytest.raises(ModelError, match=f"'nonsense' is no optimiser; {peer.library} has min_variance"):
        peer("nonsense", data)


@pytest.mark.parametrize("peer", PEER_OPTIMIZERS)
def test_unsupported_parameters_are_rejected(data, peer):
    with pytest.raises(ModelError, match="takes no 'turnover'; it takes bounds, risk_free_rate"):
        peer("min_variance", data, turnover=0.1)
    with pytest.raises(ModelError, match="takes no 'risk_aversion'"):
        peer("min_variance", data, risk_aversion=1.0)
    with pytest.raises(InfeasibleError, match=r"add up to 0\.8"):
        peer("min_variance", data, bounds=(0.0, 0.1))
    with pytest.raises(CalibrationError, match="CASH"):
        peer("min_variance", data.with_cash(0.03))


def test_quantlib_supports_no_upper_bounds(data):
    with pytest.raises(ModelError, match=r"upper bound of HH is 0\.4"):
        QuantLibOptimizer("min_variance", data, bounds=(0.0, 0.4))
    with pytest.raises(ModelError, match="give finite lower bounds"):
        QuantLibOptimizer("min_variance", data, bounds=(-np.inf, np.inf))


def test_hrp_of_pyportfolioopt_takes_no_bounds(data):
    with pytest.raises(ModelError, match="takes no bounds"):
        peer_optimizer(PyPortfolioOptimizer, "hrp", data, bounds=(0.0, 0.4))


def test_riskfolio_supports_no_negative_bounds(data):
    with pytest.raises(ModelError, match=r"lower bound of HH is -0\.1"):
        peer_optimizer(RiskfolioOptimizer, "min_variance", data, bounds=(-0.1, 1.0))
    with pytest.raises(ModelError, match="takes no bounds"):
        peer_optimizer(RiskfolioOptimizer, "risk_parity", data, bounds=(0.0, 0.4))


def test_lower_bounds_that_leave_nothing(data):
    even = 1.0 / len(NAMES)
    theirs = QuantLibOptimizer("min_variance", data, bounds=(even, 1.0)).optimize()
    np.testing.assert_allclose(theirs.weights, even, rtol=1e-15)


@pytest.mark.parametrize("peer", PEER_OPTIMIZERS)
def test_without_a_library_there_is_a_hint_and_the_rest_works(monkeypatch, data, peer):
    monkeypatch.setitem(sys.modules, peer.package, None)
    assert not peer.is_installed()
    hint = rf"make install EXTRAS={peer.extra}, or pip install '\.\[{peer.extra}\]', in a checkout"
    with pytest.raises(MissingExtraError, match=hint) as caught:
        peer("min_variance", data)
    assert caught.value.extra == peer.extra
    compared = compare("min_variance", data)
    assert compared.ours.library == "bank-python"
    assert peer.library not in [row.library for row in compared.rows]
    assert "pip install" in dict(compared.without)[peer.library]


def test_without_any_library_the_only_row_is_ours(monkeypatch, data):
    for peer in PEER_OPTIMIZERS:
        monkeypatch.setitem(sys.modules, peer.package, None)
    compared = compare("max_sharpe", data, risk_free_rate=0.02)
    assert [row.library for row in compared.rows] == ["bank-python"]
    assert [library for library, _ in compared.without] == ["PyPortfolioOpt", "Riskfolio-Lib", "QuantLib"]
    assert compared.ours.gap == 0.0


class Noisy:
    """A module that prints, warns, changes the warning filters, and returns or raises a given outcome."""

    def __init__(self, outcome):
        self.outcome = outcome

    def minimise(self, _objective, _constraint, _method, _ends, _start):
        print("a library speaks")  # noqa: T201 - output to be discarded
        print("and complains", file=sys.stderr)  # noqa: T201 - same
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
        warnings.simplefilter("always")
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def module(self):
        module = types.ModuleType("QuantLib")
        nothing = lambda *_: None  # noqa: E731 - a stand-in
        module.EndCriteria = module.NoConstraint = module.LBFGSB = module.Array = nothing
        module.Optimizer = lambda: types.SimpleNamespace(solve=self.minimise)
        return module


def test_output_and_warnings_of_a_library_are_discarded(monkeypatch, data, capsys):
    monkeypatch.setitem(sys.modules, "QuantLib", Noisy([1.0] * len(NAMES)).module())
    before = list(warnings.filters)
    found = QuantLibOptimizer("min_variance", data).weights()
    np.testing.assert_allclose(found, 1.0 / len(NAMES))
    assert warnings.filters == before
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


@pytest.mark.parametrize("outcome", [RuntimeError("no step"), [np.nan] * len(NAMES)])
def test_a_library_that_finds_nothing(monkeypatch, data, outcome):
    monkeypatch.setitem(sys.modules, "QuantLib", Noisy(outcome).module())
    reason = "no step" if isinstance(outcome, Exception) else "returned no finite weights"
    before = list(warnings.filters)
    with pytest.raises(ModelError, match=f"QuantLib found no min_variance portfolio: .*{reason}"):
        QuantLibOptimizer("min_variance", data).optimize()
    assert warnings.filters == before
    assert reason in dict(compare("min_variance", data).without)["QuantLib"]


def test_libraries_leave_settings_alone(data):
    drawing, frames = pytest.importorskip("matplotlib"), pytest.importorskip("pandas")
    rc, shown, errors = dict(drawing.rcParams), frames.get_option("display.max_rows"), np.geterr()
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state, which may not change
    before = list(warnings.filters)
    compare("min_variance", data)
    compare("hrp", data)
    assert dict(drawing.rcParams) == rc
    assert frames.get_option("display.max_rows") == shown
    assert np.geterr() == errors
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002 - same
    assert warnings.filters == before


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("min_variance", {"bounds": {"AA": (0.2, 1.0)}}),
        ("mean_variance", {"risk_aversion": 3.0}),
        ("max_sharpe", {"bounds": (0.02, 0.4), "risk_free_rate": 0.05}),
        ("risk_parity", {}),
        ("min_cvar", {}),
        ("black_litterman", {"views": {"AA": 0.3}}),
    ],
)
def test_no_library_does_better(data, kind, params):
    compared = compare(kind, data, **params)
    assert compared.kind == kind
    assert compared.objective_name
    assert compared.ours.gap == compared.ours.largest_difference == 0.0
    for row in compared.rows:
        assert row.gap > -1e-9 - 10.0 * row.breach, row
        assert row.gap < 1e-5
        assert row.breach < 1e-6
        assert row.seconds > 0.0
        assert np.abs(row.weights - compared.ours.weights).max() == row.largest_difference
    listed = list(compared.to_table())
    assert [row["library"] for row in listed] == [row.library for row in compared.rows]
    assert [row["gap"] for row in listed] == [row.gap for row in compared.rows]
    assert {row.library for row in compared.rows} | {library for library, _ in compared.without} == {
        "bank-python",
        *(peer.library for peer in PEER_OPTIMIZERS),
    }


def test_old_name_of_the_posterior(data):
    optimizer = peer_optimizer(PyPortfolioOptimizer, "black_litterman", data, views={"AA": 0.3})
    with pytest.warns(DeprecationWarning, match="PeerOptimizer.believed is now called posterior"):
        assert optimizer.believed is optimizer.posterior


def test_only_black_litterman_has_a_posterior(data):
    with pytest.raises(ModelError, match="min_variance has no posterior; black_litterman has one"):
        _ = QuantLibOptimizer("min_variance", data).posterior


def test_a_rule_without_objective(data):
    compared = compare("hrp", data)
    assert compared.objective_name == ""
    assert (compared.ours.objective, compared.ours.gap) == (None, None)
    assert next(iter(compared.to_table()))["gap"] is None


def test_kinds_that_no_library_supports(data):
    with pytest.raises(ModelError, match="no other library supports 'barbell'; they support min_variance"):
        compare("barbell", data)


# The objective, violation and residual that all portfolios are measured by.


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("min_variance", {}),
        ("min_variance", {"bounds": (0.05, 0.2)}),
        ("min_variance", {"bounds": (-np.inf, np.inf)}),
        ("mean_variance", {"risk_aversion": 0.5}),
        ("mean_variance", {"risk_aversion": 8.0, "bounds": (-0.3, 0.5)}),
        ("max_sharpe", {"risk_free_rate": 0.03}),
        ("max_sharpe", {"risk_free_rate": 0.03, "bounds": (0.04, 0.3)}),
        ("risk_parity", {}),
        ("risk_parity", {"budgets": dict(zip(NAMES, range(1, 9), strict=True))}),
    ],
)
def test_the_residual_is_zero_at_an_optimum_and_nowhere_else(data, kind, params):
    goal = portfolio_goal(kind, data, params)
    best = create_optimizer(kind, data, **params).optimize().weights
    assert goal.residual(best) < 1e-11
    moved = best + 1e-3 * np.where(best == best.max(), -1.0, 1.0 / (len(NAMES) - 1))
    assert goal.residual(moved) > 1e-4
    assert goal.gap(moved, best) > 1e-9


@given(st.integers(0, 10**6), st.sampled_from(["min_variance", "mean_variance", "max_sharpe", "min_cvar"]))
@settings(max_examples=40, deadline=None)
def test_random_weights_never_beat_the_optimum(seed, kind):
    rng = np.random.default_rng(seed)
    past = 0.001 + 0.01 * rng.standard_normal((40, 4)) @ rng.standard_normal((4, 4))
    assets = CovarianceData.from_returns(past, ["A", "B", "C", "D"])
    if kind == "max_sharpe" and assets.expected_returns.max() <= 0.0:
        return
    goal, best = portfolio_goal(kind, assets, {}), create_optimizer(kind, assets).optimize().weights
    assert goal.gap(rng.dirichlet(np.ones(4)), best) > -1e-9


@given(st.integers(0, 10**6), st.integers(1, 12), st.booleans())
@settings(max_examples=80, deadline=None)
def test_projection_keeps_the_bounds_and_is_nearest(seed, n, open_ended):
    rng = np.random.default_rng(seed)
    inside = rng.dirichlet(np.ones(n))
    lower = inside - rng.random(n) * rng.integers(0, 2, n)
    upper = np.full(n, np.inf) if open_ended else inside + rng.random(n) * rng.integers(0, 2, n)
    y = inside + 3.0 * rng.standard_normal(n)
    nearest = _projected(y, lower, upper)
    assert abs(nearest.sum() - 1.0) < 1e-12
    assert (nearest >= lower - 1e-12).all()
    assert (nearest <= upper + 1e-12).all()
    # The angle to every feasible point is at least a right angle.
    assert float((y - nearest) @ (inside - nearest)) < 1e-10


@given(st.integers(0, 10**6), st.integers(2, 60), st.floats(0.5, 0.97))
@settings(max_examples=60, deadline=None)
def test_the_mean_of_the_worst_is_rockafellar_and_uryasevs(seed, count, confidence):
    # Theorem 1 of their paper (2000): the minimum over a of a + E(L - a)+ / (1 - beta), attained at one of the losses.
    losses = np.random.default_rng(seed).standard_normal(count)
    beyond = np.maximum(losses[None, :] - losses[:, None], 0.0).mean(axis=1)
    assert mean_of_worst(losses, confidence) == pytest.approx((losses + beyond / (1.0 - confidence)).min(), abs=1e-11)


def test_breach_counts_bounds_sum_and_target(data):
    goal = portfolio_goal("mean_variance", data, {"bounds": (0.0, 0.5), "target_return": 0.2})
    even = np.full(len(NAMES), 1.0 / len(NAMES))
    short = 0.2 - float(data.expected_returns @ even)
    assert goal.breach(even) == pytest.approx(short)
    assert goal.breach(np.eye(len(NAMES))[-1]) == pytest.approx(0.5)
    assert goal.breach(1.5 * even) == pytest.approx(0.5)
    assert portfolio_goal("risk_parity", data, {}).objective(np.eye(len(NAMES))[0]) == np.inf
