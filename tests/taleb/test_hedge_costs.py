"""Leland's trade-off: costs rise, errors fall, and his premium pays for the costs."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from bank_python.errors import ModelError
from bank_python.taleb.hedge_costs import cost_trade_off
from bank_python.taleb.hedging_error import HedgingErrorSimulator


def test_the_figures_of_leland():
    """S = K = 100, r = 10 %, three months, hedged weekly at a cost of 1 %: number 0.28768, volatility 0.22695."""
    simulator = HedgingErrorSimulator(100.0, 100.0, 0.2, 0.25, rate=0.1)
    (row,) = cost_trade_off(simulator, 0.01, (13,), n_paths=100, seed=1).rows
    assert row.interval == pytest.approx(1 / 52)
    assert row.leland_number == pytest.approx(0.28768136958757956, rel=1e-12)
    assert row.leland_vol == pytest.approx(0.22695209799317384, rel=1e-12)
    assert row.leland_cost == pytest.approx(5.811149752637803 - 5.295368593434354, rel=1e-10)


def test_the_premium_at_lelands_volatility_pays_for_the_costs():
    """Hedged at his volatility for his premium, the mean loss is near zero; at Black and Scholes' it is the costs."""
    for n_steps in (13, 63):
        terms = {"T": 0.25, "n_steps": n_steps, "round_trip_cost": 0.01}
        row = cost_trade_off(HedgingErrorSimulator(T=0.25), 0.01, (n_steps,), n_paths=100, seed=1).rows[0]
        paid = HedgingErrorSimulator(**terms, hedge_vol=row.leland_vol).simulate("gaussian", 10_000, seed=2)
        assert abs(paid.mean_error) < 0.06 * row.leland_cost + 4.0 * paid.mean_standard_error
        unpaid = HedgingErrorSimulator(**terms).simulate("gaussian", 10_000, seed=2)
        assert unpaid.mean_error == pytest.approx(unpaid.mean_cost, abs=4.0 * unpaid.mean_standard_error)
        assert unpaid.mean_error > 0.8 * row.leland_cost


def test_costs_rise_and_errors_fall_with_the_root_of_the_rebalancings():
    found = cost_trade_off(HedgingErrorSimulator(T=0.25), 0.01, (4, 16, 64, 256), n_paths=4_000, seed=1)
    costs = [row.mean_cost for row in found.rows]
    errors = [row.std_error for row in found.rows]
    assert all(a < b for a, b in pairwise(costs))
    assert all(a > b for a, b in pairwise(errors))
    assert costs[-1] / costs[-2] == pytest.approx(2.0, rel=0.06)
    assert found.best.n_steps in {16, 64}  # neither end
    assert found.best.var_95 == min(row.var_95 for row in found.rows)


def test_without_costs_more_is_better():
    found = cost_trade_off(HedgingErrorSimulator(), 0.0, (2, 8, 32), n_paths=2_000, seed=1)
    assert found.best.n_steps == 32
    for row in found.rows:
        assert (row.mean_cost, row.leland_cost, row.leland_number) == (0.0, 0.0, 0.0)
        assert row.total_std == row.std_error


def test_any_law_will_do():
    found = cost_trade_off(HedgingErrorSimulator(), 0.002, (5, 20), "power_law", 2_000, alpha=3.0, seed=1)
    assert found.distribution == "power_law"
    assert all(math.isfinite(row.es_95) and row.es_95 >= row.var_95 for row in found.rows)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cost_trade_off(HedgingErrorSimulator(), 1.5), "round_trip_cost=1.5"),
        (lambda: cost_trade_off(HedgingErrorSimulator(), 0.01, ()), "n_steps is empty"),
        (lambda: cost_trade_off("hedge", 0.01), "not a HedgingErrorSimulator"),
        (lambda: cost_trade_off(HedgingErrorSimulator(), 0.01, (5,), "levy"), "distribution='levy' is unknown"),
    ],
)
def test_bad_arguments_are_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()


def test_a_trade_off_shows_and_exports_itself():
    found = cost_trade_off(HedgingErrorSimulator(), 0.01, (5, 20), n_paths=200, seed=1)
    assert "Hedging error against costs, 1.00% for a round trip" in repr(found)
    rows = list(found.to_table())
    assert [row["n_steps"] for row in rows] == [5, 20]


def test_an_array_of_numbers_of_rebalancings():
    found = cost_trade_off(HedgingErrorSimulator(), 0.01, np.array([2, 4]), n_paths=50)
    assert [row.n_steps for row in found.rows] == [2, 4]
