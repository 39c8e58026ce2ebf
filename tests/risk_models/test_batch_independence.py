"""A lane's result is the same to the bit whatever else is in its batch, for every formula of the package."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python import risk_models
from bank_python.risk_models import (
    black_scholes_greeks,
    black_scholes_price,
    bond_price,
    cds_value,
    power_law_price,
    risky_annuity,
    survival_probability,
)

SIZE = 1037  # no multiple of any vector width


def option_lanes(rng):
    spot = rng.uniform(50.0, 150.0, SIZE)
    strike = spot * np.exp(rng.normal(0.0, rng.choice([0.01, 0.3, 3.0], SIZE)))
    expiry = rng.choice([0.0, 1 / 365, 0.25, 1.0, 10.0], SIZE)
    vol = rng.choice([0.0, 0.01, 0.2, 1.0], SIZE)
    rate, dividend = rng.uniform(-0.02, 0.1, (2, SIZE))
    return [spot, strike, expiry, rate, vol, dividend, rng.integers(0, 2, SIZE).astype(float)]


def bond_lanes(rng):
    frequency = rng.choice([1.0, 2.0, 4.0, 12.0], SIZE)
    maturity = rng.uniform(0.0, 40.0, SIZE)
    return [
        rng.choice([-0.01, 0.0, 0.05, 0.2], SIZE),
        rng.choice([100.0, -1e6], SIZE),
        rng.uniform(0.0, 0.1, SIZE),
        maturity,
        rng.uniform(0.0, 1.2, SIZE) * maturity,
        frequency,
        rng.choice([0.0, 1.0, 2.0], SIZE),
    ]


def credit_lanes(rng):
    return {
        "spread": rng.uniform(0.0, 0.1, SIZE),
        "rate": rng.uniform(-0.02, 0.1, SIZE),
        "notional": rng.choice([1e6, -1e7], SIZE),
        "coupon": rng.choice([0.01, 0.05], SIZE),
        "maturity": rng.uniform(0.0, 10.0, SIZE),
        "recovery": rng.choice([0.0, 0.4, 1.0], SIZE),
        "elapsed": rng.uniform(0.0, 5.0, SIZE),
    }


def cds_lanes(rng):
    return list(credit_lanes(rng).values())


def annuity_lanes(rng):
    lanes = credit_lanes(rng)
    return [lanes[term] for term in ("spread", "rate", "maturity", "recovery", "elapsed")]


def survival_lanes(rng):
    lanes = credit_lanes(rng)
    return [lanes[term] for term in ("spread", "recovery", "maturity")]


def tail_lanes(rng):
    is_call = rng.integers(0, 2, SIZE).astype(float)
    spot = rng.uniform(50.0, 150.0, SIZE)

    def strikes():
        return spot * np.where(is_call == 1.0, rng.uniform(0.99, 3.0, SIZE), 10.0 ** rng.uniform(-8.0, 0.0, SIZE))

    return [
        spot,
        rng.uniform(0.0, 5.0, SIZE),
        strikes(),
        strikes(),
        1.0 + 10.0 ** rng.uniform(-3.0, 1.0, SIZE),
        is_call,
    ]


def greeks_as_array(*lanes):
    greeks = black_scholes_greeks(*lanes)
    return np.stack([np.asarray(getattr(greeks, field.name)) for field in dataclasses.fields(greeks)], axis=-1)


CASES = {
    "black_scholes_price": (black_scholes_price, option_lanes),
    "black_scholes_greeks": (greeks_as_array, option_lanes),
    "bond_price": (bond_price, bond_lanes),
    "cds_value": (cds_value, cds_lanes),
    "risky_annuity": (risky_annuity, annuity_lanes),
    "survival_probability": (survival_probability, survival_lanes),
    "power_law_price": (power_law_price, tail_lanes),
}


def bits(values):
    # NaN compares equal to itself this way; −0 and 0 do not.
    values = np.where(np.isnan(values), np.nan, values)
    return np.ascontiguousarray(values).view(np.int64)


def test_every_formula_is_here():
    assert set(CASES) == {name for name in risk_models.__all__ if callable(getattr(risk_models, name))} - {"Greeks"}


@pytest.mark.parametrize("name", CASES)
def test_one_at_a_time_is_all_at_once(name):
    function, make_lanes = CASES[name]
    lanes = make_lanes(np.random.default_rng(3))
    together = function(*lanes)
    assert np.isfinite(together).mean() > 0.5
    as_slices = np.concatenate([function(*(lane[i : i + 1] for lane in lanes)) for i in range(SIZE)])
    np.testing.assert_array_equal(bits(as_slices), bits(together))
    as_scalars = np.array([function(*(float(lane[i]) for lane in lanes)) for i in range(SIZE)])
    np.testing.assert_array_equal(bits(as_scalars), bits(together))


@pytest.mark.parametrize("name", CASES)
def test_order_stride_and_layout_do_not_matter(name):
    function, make_lanes = CASES[name]
    rng = np.random.default_rng(4)
    lanes = make_lanes(rng)
    together = function(*lanes)
    order = rng.permutation(SIZE)
    np.testing.assert_array_equal(bits(function(*(lane[order] for lane in lanes))), bits(together[order]))
    np.testing.assert_array_equal(bits(function(*(lane[::-3] for lane in lanes))), bits(together[::-3]))
    grid = function(*(lane.reshape(17, 61).T for lane in lanes))
    np.testing.assert_array_equal(bits(grid), bits(np.swapaxes(together.reshape(17, 61, *together.shape[1:]), 0, 1)))


@pytest.mark.parametrize("name", CASES)
def test_a_shared_term_may_be_a_scalar(name):
    function, make_lanes = CASES[name]
    lanes = make_lanes(np.random.default_rng(5))
    for position, lane in enumerate(lanes):
        repeated = [*lanes[:position], np.full(SIZE, lane[0]), *lanes[position + 1 :]]
        scalar = [*lanes[:position], float(lane[0]), *lanes[position + 1 :]]
        np.testing.assert_array_equal(bits(function(*scalar)), bits(function(*repeated)))


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_any_part_of_a_batch(name, data):
    function, make_lanes = CASES[name]
    lanes = make_lanes(np.random.default_rng(data.draw(st.integers(0, 5))))
    chosen = data.draw(st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=20))
    part = function(*(lane[chosen] for lane in lanes))
    np.testing.assert_array_equal(bits(part), bits(function(*lanes)[chosen]))


@pytest.mark.parametrize("name", CASES)
def test_the_callers_arrays_are_left_alone(name):
    function, make_lanes = CASES[name]
    lanes = make_lanes(np.random.default_rng(6))
    before = [lane.copy() for lane in lanes]
    for lane in lanes:
        lane.flags.writeable = False
    function(*lanes)
    for lane, copy in zip(lanes, before, strict=True):
        np.testing.assert_array_equal(lane, copy)


@pytest.mark.parametrize("name", CASES)
def test_no_lanes_at_all(name):
    function, make_lanes = CASES[name]
    lanes = make_lanes(np.random.default_rng(7))
    assert function(*(lane[:0] for lane in lanes)).shape[0] == 0
