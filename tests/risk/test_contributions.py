"""Risk contributions by Euler's theorem, standard errors of tail measures, and the delta-gamma approximation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from scipy.stats import t as student

from bank_python.dagger import DependencyGraph
from bank_python.errors import SimulationError
from bank_python.instruments import Bond, Book, Equity, FXOption, FXRate, Option, Position
from bank_python.market_data import MarketData
from bank_python.risk.contributions import contributions, find_tail
from bank_python.risk.quadratic import quadratic_plan
from bank_python.risk.tail_risk import tail_of_sorted, tail_risk, value_at_risk
from bank_python.risk.valuation import plan_valuation

# --- contributions -------------------------------------------------------------------------------


def decomposed(parts, level=0.99, exposures=None):
    """Return the contributions of the rows of `parts`, and the tail measures of their sum."""
    total = parts.sum(axis=0)
    measured = tail_risk(total, level)
    held = np.ones(len(parts)) if exposures is None else exposures
    without = [value_at_risk(total - part, level) for part in parts]
    names = [f"P{i}" for i in range(len(parts))]
    tail = find_tail(total, measured.var, measured.es)
    return contributions(names, parts, tail, held, without), measured


def normal_parts(n, seed):
    """Return jointly normal P&L of three parts, the third a hedge of the first, and their covariance."""
    covariance = np.array([[4.0, 1.0, -1.8], [1.0, 9.0, 0.5], [-1.8, 0.5, 1.0]])
    root = np.linalg.cholesky(covariance)
    return root @ np.random.default_rng(seed).standard_normal((3, n)), covariance


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_of_jointly_normal_parts_the_contributions_are_covariances_with_the_whole(level):
    parts, covariance = normal_parts(400_000, 1)
    found, _ = decomposed(parts, level)
    share = covariance.sum(axis=1) / math.sqrt(covariance.sum())
    z = norm.ppf(level)
    for part, wanted in zip(found, share, strict=True):
        assert part.es == pytest.approx(wanted * norm.pdf(z) / (1.0 - level), abs=0.1), part
        assert part.var == pytest.approx(wanted * z, abs=0.15), part
    assert found[2].var < 0.0  # the hedge reduces risk


@given(
    arrays(np.float64, (3, 60), elements=st.integers(-1_000, 1_000).map(float)),
    st.sampled_from([0.6, 0.9, 0.95, 0.975, 0.99]),
)
def test_components_add_up(parts, level):
    found, measured = decomposed(parts, level)
    assert math.fsum(part.es for part in found) == pytest.approx(measured.es, rel=1e-12, abs=1e-9)
    total = parts.sum(axis=0)
    around = find_tail(total, measured.var, measured.es).around
    near = -total[around].mean()
    if abs(near) > 1e-6:  # else nothing can be scaled
        largest = max(abs(part.var) for part in found)
        assert math.fsum(part.var for part in found) == pytest.approx(measured.var, abs=1e-9 * (1.0 + largest))


def test_the_shortfalls_contributions_are_its_slopes():
    parts, _ = normal_parts(5_000, 2)
    found, _ = decomposed(parts, 0.975)
    total, step = parts.sum(axis=0), 1e-7
    for part, row in zip(found, parts, strict=True):
        up, down = (tail_risk(total + sign * step * row, 0.975).es for sign in (1, -1))
        assert part.es == pytest.approx((up - down) / (2 * step), abs=1e-6), part


def test_the_value_at_risks_contributions_are_its_slopes_but_for_noise():
    parts, _ = normal_parts(400_000, 3)
    found, measured = decomposed(parts, 0.99)
    total, step = parts.sum(axis=0), 0.02
    for part, row in zip(found, parts, strict=True):
        up, down = (tail_risk(total + sign * step * row, 0.99).var for sign in (1, -1))
        assert part.var == pytest.approx((up - down) / (2 * step), abs=0.02 * measured.var), part


@pytest.mark.parametrize("times", [0.25, 3.0, 1e6])
def test_measures_are_homogeneous(times):
    parts, _ = normal_parts(2_000, 4)
    held = np.array([10.0, 20.0, 0.0])
    once, _ = decomposed(parts, exposures=held)
    often, _ = decomposed(times * parts, exposures=times * held)
    for one, many in zip(once, often, strict=True):
        for field in ("var", "es", "incremental_var"):
            assert getattr(many, field) == pytest.approx(times * getattr(one, field), rel=1e-9), (field, times)
        if one.name == "P2":
            assert math.isnan(one.marginal_var)
            assert math.isnan(many.marginal_es)
        else:
            assert many.marginal_var == pytest.approx(one.marginal_var, rel=1e-9)
            assert many.marginal_es == pytest.approx(one.marginal_es, rel=1e-9)


def test_parts_may_come_in_any_order():
    parts, _ = normal_parts(3_000, 5)
    straight, _ = decomposed(parts)
    turned, _ = decomposed(parts[::-1])
    for one, other in zip(straight, reversed(turned), strict=True):
        assert (other.var, other.es, other.incremental_var) == pytest.approx((one.var, one.es, one.incremental_var))


def test_twins_share_and_a_part_that_stands_still_has_none():
    one = np.random.default_rng(6).standard_normal(2_000)
    found, measured = decomposed(np.array([one, one, np.zeros(2_000)]), 0.95)
    assert (found[0].var, found[0].es) == pytest.approx((measured.var / 2, measured.es / 2))
    assert found[0].var == found[1].var
    assert (found[2].var, found[2].es, found[2].incremental_var) == (0.0, 0.0, 0.0)


def test_a_sample_by_hand():
    # the whole has losses of 0 to 100; those above 90 are from A, the others from B
    losses = np.arange(101.0)
    above = np.where(losses > 90.0, losses, 0.0)
    parts = -np.array([above, losses - above])
    found, measured = decomposed(parts, 0.95, np.array([50.0, 200.0]))
    assert (measured.var, measured.es) == (95.0, 97.5)
    a, b = found
    assert (a.es, b.es) == (97.5, 0.0)
    assert (a.marginal_es, b.marginal_es) == (97.5 / 50.0, 0.0)
    # beyond are 95..100; half a window is five, so around are 90..99, all of them from A but 90
    assert (a.var, b.var) == pytest.approx((95.0 * 855.0 / 945.0, 95.0 * 90.0 / 945.0))
    # without A the losses are 0..90 and eleven zeros less one: the 95th of 100 places up is 85
    assert a.incremental_var == pytest.approx(95.0 - np.quantile(losses - above, 0.95))
    assert b.incremental_var == pytest.approx(95.0 - np.quantile(above, 0.95))


@given(
    arrays(np.float64, st.integers(20, 300), elements=st.integers(-50, 50).map(float)),
    st.sampled_from([0.75, 0.9, 0.95, 0.99]),
)
def test_the_tail_is_where_losses_are_not_below_the_measure(total, level):
    measured = tail_risk(total, level)
    tail = find_tail(total, measured.var, measured.es)
    assert sorted(tail.beyond.tolist()) == [i for i, pnl in enumerate(total) if -pnl >= measured.var]
    count = len(tail.beyond)
    half = max(int(0.1 * count), min(5, count))
    ranked = np.sort(total)
    np.testing.assert_array_equal(np.sort(total[tail.around]), ranked[count - half : count + half])
    assert len(set(tail.around.tolist())) == len(tail.around)


def test_a_tail_counted_among_the_worst_scenarios_is_the_same():
    parts, _ = normal_parts(3_000, 7)
    total = parts.sum(axis=0)
    measured = tail_risk(total, 0.99)
    tail = find_tail(total, measured.var, measured.es)
    worst = np.sort(np.argsort(total)[:200])
    names, held, without = ["A", "B", "C"], np.ones(3), [math.nan] * 3
    whole = contributions(names, parts, tail, held, without)
    small = contributions(names, parts[:, worst], tail.among(worst), held, without)
    for one, other in zip(whole, small, strict=True):
        assert (other.var, other.es) == pytest.approx((one.var, one.es))
    assert all(math.isnan(part.incremental_var) for part in small)


def test_contributions_in_single_precision_are_the_same_to_its_rounding():
    parts, _ = normal_parts(50_000, 8)
    double, _ = decomposed(parts, 0.99)
    single, _ = decomposed(parts.astype(np.float32), 0.99)
    for one, other in zip(double, single, strict=True):
        assert (other.var, other.es) == pytest.approx((one.var, one.es), rel=1e-3)


# --- standard errors -----------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.95, 0.99])
@pytest.mark.parametrize("factor_model", ["normal", "student"])
def test_standard_errors_are_the_spread_over_two_hundred_seeds(factor_model, level):
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        sample = rng.standard_normal(20_000) if factor_model == "normal" else rng.standard_t(5, 20_000)
        found.append(tail_of_sorted(np.sort(sample), level))
    var, es, var_error, es_error = np.array([(f.var, f.es, f.var_error, f.es_error) for f in found]).T
    q = norm.ppf(level) if factor_model == "normal" else student.ppf(level, 5)
    if factor_model == "normal":
        shortfall = norm.pdf(q) / (1.0 - level)
    else:
        shortfall = student.pdf(q, 5) * (5.0 + q * q) / (4.0 * (1.0 - level))
    # the spread over 200 seeds is itself known to 5 %, the mean of the errors to much less
    assert var_error.mean() == pytest.approx(var.std(ddof=1), rel=0.18)
    assert es_error.mean() == pytest.approx(es.std(ddof=1), rel=0.18)
    assert abs(var.mean() - q) < 4.5 * var.std() / math.sqrt(200) + 0.002
    assert abs(es.mean() - shortfall) < 4.5 * es.std() / math.sqrt(200) + 0.005
    within = np.abs(es - shortfall) < 1.96 * es_error
    assert 0.88 <= within.mean() <= 0.99


def test_the_shortfalls_error_by_hand():
    # Manistre and Hancock (2005): (spread of the tail + level * (es - var)^2) / (n * (1 - level))
    losses = np.arange(1.0, 101.0)
    found = tail_of_sorted(losses, 0.9)
    assert found.var == pytest.approx(90.1)
    tail = np.arange(91.0, 101.0)
    assert found.es == pytest.approx(95.5)
    assert found.es_error == pytest.approx(math.sqrt((tail.var() + 0.9 * (95.5 - 90.1) ** 2) / 10.0))


@given(
    arrays(np.float64, st.integers(2, 80), elements=st.floats(-1e6, 1e6)),
    st.floats(0.51, 0.999),
)
def test_measures_of_sorted_losses_are_numpys_quantile_and_a_mean(losses, level):
    losses = np.sort(losses)
    found = tail_of_sorted(losses, level)
    scale = 1.0 + np.abs(losses).max()
    assert found.var == pytest.approx(np.quantile(losses, level), abs=1e-9 * scale)
    assert found.es == pytest.approx(losses[losses >= found.var].mean(), abs=1e-9 * scale)
    assert found.es >= found.var - 1e-9 * scale
    assert found.var_error >= 0.0
    assert found.es_error >= 0.0
    assert found.observations == len(losses)


# --- delta-gamma approximation -------------------------------------------------------------------


def option_plan():
    """Return a plan of shares and options in two currencies, a bond and a currency option, one block each."""
    graph = DependencyGraph()
    leaf = {
        name: graph.register(MarketData(name, level))
        for name, level in {
            "S": 100.0,
            "V": 0.25,
            "R": 0.04,
            "E": 50.0,
            "EV": 0.3,
            "EURUSD_SPOT": 1.1,
            "FXV": 0.1,
            "ER": 0.02,
        }.items()
    }
    graph.register(FXRate("EURUSD", rate_source=leaf["EURUSD_SPOT"], base="EUR", quote="USD"))
    call = Option("CALL", spot_source=leaf["S"], vol_source=leaf["V"], rate_source=leaf["R"], strike=105, expiry=0.5)
    put = Option(
        "PUT",
        spot_source=leaf["E"],
        vol_source=leaf["EV"],
        rate_source=leaf["ER"],
        strike=48,
        expiry=1.0,
        is_call=False,
        currency="EUR",
    )
    euro = FXOption(
        "EURO",
        spot_source=leaf["EURUSD_SPOT"],
        vol_source=leaf["FXV"],
        rate_source=leaf["R"],
        foreign_rate_source=leaf["ER"],
        strike=1.12,
        expiry=0.5,
    )
    note = Bond("NOTE", rate_source=leaf["R"], face=100, coupon_rate=0.04, maturity=5.0)
    share = Equity("SHARE", spot_source=leaf["E"], currency="EUR")
    alice = Book(
        "ALICE", [Position("P1", instrument=call, quantity=-100), Position("P2", instrument=note, quantity=20)]
    )
    bob = Book(
        "BOB",
        [
            Position("P3", instrument=put, quantity=80, cost=3.0),
            Position("P4", instrument=euro, quantity=5_000),
            Position("P5", instrument=share, quantity=-40, cost=45.0),
        ],
    )
    return plan_valuation([graph.register(alice), graph.register(bob)])


def test_the_quadratic_error_is_of_third_order():
    plan = option_plan()
    quick = quadratic_plan(plan)
    directions = np.random.default_rng(9).standard_normal((len(plan.factors), 200))
    step = directions * np.where([factor.relative for factor in plan.factors], 0.02 * plan.base, 0.002)[:, None]
    off = []
    for size in (1.0, 0.5, 0.25):
        levels = plan.base[:, None] + step * size
        full = plan.pnl(levels)
        off.append(np.sqrt(((quick.pnl(levels) - full) ** 2).mean(axis=1)))
        assert (off[-1] < 0.05 * np.sqrt((full**2).mean(axis=1))).all()
    for larger, smaller in ((off[0], off[1]), (off[1], off[2])):
        ratio = larger / smaller  # 8 in the limit
        assert ((ratio > 6.0) & (ratio < 10.5)).all(), ratio


def test_the_quadratic_is_exact_for_linear_contracts_in_a_foreign_currency():
    graph = DependencyGraph()
    rate = graph.register(MarketData("EURUSD_SPOT", 1.1))
    graph.register(FXRate("EURUSD", rate_source=rate, base="EUR", quote="USD"))
    share = Equity("SHARE", spot_source=MarketData("E", 50.0), currency="EUR")
    plan = plan_valuation([graph.register(Book("B", [Position("P", instrument=share, quantity=-40, cost=45.0)]))])
    levels = plan.base[:, None] * np.exp(0.3 * np.random.default_rng(10).standard_normal((2, 50)))
    np.testing.assert_allclose(quadratic_plan(plan).pnl(levels), plan.pnl(levels), rtol=1e-8, atol=1e-7)


def test_time_in_the_quadratic():
    plan = option_plan()
    quick = quadratic_plan(plan)
    base = plan.base[:, None]
    full = [np.abs(plan.pnl(base, years) - quick.pnl(base, years)).max() for years in (0.04, 0.02, 0.01)]
    assert not quick.pnl(base).any()
    assert full[2] <= full[0] / 2.0**4.5 + 1e-4  # third order, or better


def test_the_quadratic_in_single_precision():
    plan = option_plan()
    quick = quadratic_plan(plan)
    step = np.where([factor.relative for factor in plan.factors], 0.05 * plan.base, 0.004)[:, None]
    levels = plan.base[:, None] + step * np.random.default_rng(11).standard_normal((len(step), 100))
    single = quick.pnl(levels.astype(np.float32))
    assert single.dtype == np.float32
    gross = plan.exposures()[:, None]
    assert (np.abs(single - quick.pnl(levels)) <= 1e-5 * gross).all()


def test_a_contract_without_derivatives_is_named():
    spot, vol = MarketData("S", 100.0), MarketData("V", 0.2)
    vol.set_price(0.0)  # a quote at the edge of the domain
    call = Option("EDGE", spot_source=spot, vol_source=vol, rate_source=0.0, strike=100, expiry=1.0)
    plan = plan_valuation([Book("B", [Position("P", instrument=call, quantity=1, cost=0.0)])])
    quick = quadratic_plan(plan)
    levels = np.array([[101.0], [0.01]])
    with np.errstate(all="ignore"):
        assert not np.isfinite(quick.pnl(levels)).any()
    error = quick.fault(levels)
    assert isinstance(error, SimulationError)
    assert error.name == "EDGE"
