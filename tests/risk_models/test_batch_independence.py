"""The result of a row is bitwise identical whatever else is in its batch, for every formula of the package."""

from __future__ import annotations

import dataclasses
import inspect
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python import risk_models
from bank_python.risk_models import black_scholes_price

SIZE = 1037  # no multiple of any vector width


def option_columns(rng):
    spot = rng.uniform(50.0, 150.0, SIZE)
    strike = spot * np.exp(rng.normal(0.0, rng.choice([0.01, 0.3, 3.0], SIZE)))
    expiry = rng.choice([0.0, 1 / 365, 0.25, 1.0, 10.0], SIZE)
    vol = rng.choice([0.0, 0.01, 0.2, 1.0], SIZE)
    rate, dividend = rng.uniform(-0.02, 0.1, (2, SIZE))
    return [spot, strike, expiry, rate, vol, dividend, rng.integers(0, 2, SIZE).astype(float)]


def digital_columns(rng):
    return [*option_columns(rng), rng.choice([1.0, 100.0, -5.0], SIZE)]


def barrier_columns(rng):
    spot, strike, expiry, rate, vol, dividend, is_call = option_columns(rng)
    rate -= 0.02
    barrier = spot * np.exp(rng.normal(0.0, rng.choice([0.01, 0.3], SIZE)))
    flags = rng.integers(0, 2, (2, SIZE)).astype(float)
    touched = rng.choice([0.0, 0.0, 1.0], SIZE)
    return [spot, strike, barrier, expiry, rate, vol, dividend, is_call, *flags, rng.choice([0.0, 3.0], SIZE), touched]


def bond_columns(rng):
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


def credit_columns(rng):
    return {
        "spread": rng.uniform(0.0, 0.1, SIZE),
        "rate": rng.uniform(-0.02, 0.1, SIZE),
        "notional": rng.choice([1e6, -1e7], SIZE),
        "coupon": rng.choice([0.01, 0.05], SIZE),
        "maturity": rng.uniform(0.0, 10.0, SIZE),
        "recovery": rng.choice([0.0, 0.4, 1.0], SIZE),
        "elapsed": rng.uniform(0.0, 5.0, SIZE),
    }


def cds_columns(rng):
    return list(credit_columns(rng).values())


def annuity_rows(rng):
    columns = credit_columns(rng)
    return [columns[term] for term in ("spread", "rate", "maturity", "recovery", "elapsed")]


def survival_columns(rng):
    columns = credit_columns(rng)
    return [columns[term] for term in ("spread", "recovery", "maturity")]


def tail_columns(rng):
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


def heston_rows(rng):
    spot, strike, expiry, rate, _, dividend, is_call = option_columns(rng)
    strike = spot * np.exp(rng.normal(0.0, 0.3, SIZE))
    v0, theta = rng.choice([0.01, 0.04, 0.2], (2, SIZE))
    kappa, sigma, rho = rng.choice([0.5, 3.0], SIZE), rng.choice([0.0, 0.3, 1.0], SIZE), rng.choice([-0.7, 0.0], SIZE)
    return [spot, strike, expiry, rate, v0, kappa, theta, sigma, rho, dividend, is_call]


def merton_rows(rng):
    spot, strike, expiry, rate, vol, dividend, is_call = option_columns(rng)
    jumps = rng.choice([0.0, 0.5, 5.0], SIZE), rng.normal(-0.1, 0.1, SIZE), rng.choice([0.0, 0.2], SIZE)
    return [spot, strike, expiry, rate, vol, *jumps, dividend, is_call]


def price_columns(rng):
    spot, _, expiry, rate, vol, dividend, is_call = option_columns(rng)
    strike = spot * np.exp(rng.normal(0.0, 0.2, SIZE))
    expiry, vol = np.maximum(expiry, 0.1), np.maximum(vol, 0.1)
    price = black_scholes_price(spot, strike, expiry, rate, vol, dividend, is_call)
    return [price, spot, strike, expiry, rate, dividend, is_call]


def smile_columns(rng):
    return [
        rng.normal(0.0, 0.5, SIZE),
        rng.uniform(0.0, 0.1, SIZE),
        rng.uniform(0.0, 0.5, SIZE),
        rng.uniform(-0.9, 0.9, SIZE),
        rng.normal(0.0, 0.2, SIZE),
        rng.uniform(0.01, 0.5, SIZE),
    ]


def forward_columns(rng):
    spot, strike, expiry, rate, _, dividend, _ = option_columns(rng)
    return [spot, strike, expiry, rate, dividend]


def perpetual_columns(rng):
    mark, entry, _, _, size, _, is_inverse = option_columns(rng)
    return [mark, entry, size, is_inverse]


def yield_columns(rng):
    _, face, coupon, maturity, elapsed, frequency, compounding = bond_columns(rng)
    price = face * rng.uniform(0.5, 1.5, SIZE)
    return [price, face, coupon, np.maximum(maturity, 1.0), 0.5 * elapsed, frequency, compounding]


def accrual_columns(rng):
    return bond_columns(rng)[1:6]


def floating_columns(rng):
    rate, face, margin, maturity, elapsed, frequency, _ = bond_columns(rng)
    return [rate, rate, face, margin, margin, maturity, elapsed, frequency]


def swap_columns(rng):
    rate, face, coupon, maturity, elapsed, frequency, _ = bond_columns(rng)
    return [rate, rate, face, coupon, coupon, maturity, elapsed, frequency, np.full(SIZE, 4.0)]


def bond_paid_columns(rng):
    columns = bond_columns(rng)
    return columns[1:6]


def premium_columns(rng):
    notional, coupon = rng.uniform(-1e6, 1e6, SIZE), rng.uniform(0.0, 0.05, SIZE)
    return [notional, coupon, rng.uniform(-1.0, 10.0, SIZE), rng.uniform(-1.0, 12.0, SIZE)]


def accrued_columns(rng):
    columns = credit_columns(rng)
    return [columns["maturity"], columns["elapsed"]]


def fields_of(function):
    """Return the function with the numbers of its result as one array, fields last."""

    def as_array(*columns):
        result = function(*columns)
        return np.stack([np.asarray(getattr(result, field.name)) for field in dataclasses.fields(result)], axis=-1)

    return as_array


def impact_columns(rng):
    quantity, adv = rng.choice([1e-3, 100.0, 1e7], SIZE), rng.uniform(1e4, 1e8, SIZE)
    return [quantity, adv, rng.choice([0.0, 0.01, 0.5], SIZE), rng.uniform(0.0, 2.0, SIZE)]


def leland_columns(rng):
    return [rng.uniform(0.05, 1.0, SIZE), rng.choice([0.0, 1e-4, 0.01], SIZE), rng.choice([1 / 252, 1 / 52, 0.5], SIZE)]


ONE_EXPONENT = {"power_impact"}  # one exponent for all rows; the other impacts are made of it

COLUMNS = {
    "linear_impact": impact_columns,
    "square_root_impact": impact_columns,
    "leland_number": leland_columns,
    "leland_volatility": leland_columns,
    "accrued_interest": accrual_columns,
    "american_greeks": option_columns,
    "american_price": option_columns,
    "asset_digital_greeks": option_columns,
    "asset_digital_price": option_columns,
    "barrier_price": barrier_columns,
    "black_scholes_greeks": option_columns,
    "black_scholes_price": option_columns,
    "bond_analytics": bond_columns,
    "bond_paid": bond_paid_columns,
    "bond_price": bond_columns,
    "bond_yield": yield_columns,
    "cds_accrued": accrued_columns,
    "cds_premium_paid": premium_columns,
    "cds_analytics": cds_columns,
    "cds_value": cds_columns,
    "digital_greeks": digital_columns,
    "digital_price": digital_columns,
    "floating_price": floating_columns,
    "forward_price": lambda rng: [forward_columns(rng)[i] for i in (0, 2, 3, 4)],
    "forward_value": forward_columns,
    "funding_payment": perpetual_columns,
    "heston_price": heston_rows,
    "implied_vol": price_columns,
    "implied_vol_fit": price_columns,
    "merton_price": merton_rows,
    "perpetual_value": perpetual_columns,
    "power_law_price": tail_columns,
    "risky_annuity": annuity_rows,
    "survival_probability": survival_columns,
    "svi_butterfly_g": smile_columns,
    "svi_total_variance": smile_columns,
    "swap_value": swap_columns,
}
RESULTS = {"Greeks", "BondAnalytics", "CdsAnalytics", "ImpliedVol"}
BY_NAME = {
    "barrier_price": "spot strike barrier expiry rate vol dividend is_call is_up is_in rebate touched",
    "floating_price": "short_rate rate face margin current_fixing maturity elapsed frequency",
    "heston_price": "spot strike expiry rate v0 kappa theta sigma rho dividend is_call",
    "merton_price": "spot strike expiry rate vol jump_intensity jump_mean jump_vol dividend is_call",
    "power_law_price": "spot anchor_price anchor_strike strike alpha is_call",
    "survival_probability": "spread recovery time",
    "swap_value": "short_rate rate notional fixed_rate current_fixing maturity elapsed "
    "fixed_frequency floating_frequency",
}
"""What the columns are, of formulas that take some by name only."""


def by_name(function, names):
    return lambda *columns: function(**dict(zip(names, columns, strict=True)))


def make_case(name):
    function = getattr(risk_models, name)
    if name in BY_NAME:
        return by_name(function, BY_NAME[name].split()), COLUMNS[name]
    return (fields_of(function) if function.__annotations__["return"] in RESULTS else function, COLUMNS[name])


CASES = {name: make_case(name) for name in COLUMNS}


def bits(values):
    # NaN compares equal to itself this way; −0 and 0 do not.
    values = np.where(np.isnan(values), np.nan, values)
    return np.ascontiguousarray(values).view(np.int64)


def test_every_formula_is_here():
    functions = {name: getattr(risk_models, name) for name in risk_models.__all__}
    of_columns = {
        name
        for name, function in functions.items()
        if inspect.isfunction(function) and function.__annotations__["return"] in {"Numbers", *RESULTS}
    }
    assert set(CASES) == of_columns - ONE_EXPONENT


@cache
def batch(name, seed):
    """Return columns and the results of the formula for all of them, both read-only."""
    function, make_columns = CASES[name]
    columns = make_columns(np.random.default_rng(seed))
    return columns, function(*columns)


# Every seventh row, from the first to the last: it stands at every place of a vector of 2, 4 or 8.
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CASES)
def test_one_at_a_time_is_all_at_once(name, every):
    function, make_columns = CASES[name]
    chosen = range(0, SIZE, every)
    assert chosen[-1] == SIZE - 1
    columns = make_columns(np.random.default_rng(3))
    together = function(*columns)
    assert np.isfinite(together).mean() > 0.5
    as_slices = np.concatenate([function(*(column[i : i + 1] for column in columns)) for i in chosen])
    np.testing.assert_array_equal(bits(as_slices), bits(together[::every]))
    as_scalars = np.array([function(*(float(column[i]) for column in columns)) for i in chosen])
    np.testing.assert_array_equal(bits(as_scalars), bits(together[::every]))


@pytest.mark.parametrize("name", CASES)
def test_order_stride_and_layout_do_not_matter(name):
    function, make_columns = CASES[name]
    rng = np.random.default_rng(4)
    columns = make_columns(rng)
    together = function(*columns)
    order = rng.permutation(SIZE)
    np.testing.assert_array_equal(bits(function(*(column[order] for column in columns))), bits(together[order]))
    np.testing.assert_array_equal(bits(function(*(column[::-3] for column in columns))), bits(together[::-3]))
    grid = function(*(column.reshape(17, 61).T for column in columns))
    np.testing.assert_array_equal(bits(grid), bits(np.swapaxes(together.reshape(17, 61, *together.shape[1:]), 0, 1)))


@pytest.mark.parametrize("name", CASES)
def test_a_shared_term_may_be_a_scalar(name):
    function, make_columns = CASES[name]
    columns = make_columns(np.random.default_rng(5))
    for position, column in enumerate(columns):
        repeated = [*columns[:position], np.full(SIZE, column[0]), *columns[position + 1 :]]
        scalar = [*columns[:position], float(column[0]), *columns[position + 1 :]]
        np.testing.assert_array_equal(bits(function(*scalar)), bits(function(*repeated)))


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_part_of_a_batch(name, data):
    function, _ = CASES[name]
    columns, together = batch(name, data.draw(st.integers(0, 5)))
    chosen = data.draw(st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=20))
    part = function(*(column[chosen] for column in columns))
    np.testing.assert_array_equal(bits(part), bits(together[chosen]))


@pytest.mark.parametrize("name", CASES)
def test_the_callers_arrays_are_left_alone(name):
    function, make_columns = CASES[name]
    columns = make_columns(np.random.default_rng(6))
    before = [column.copy() for column in columns]
    for column in columns:
        column.flags.writeable = False
    function(*columns)
    for column, copy in zip(columns, before, strict=True):
        np.testing.assert_array_equal(column, copy)


@pytest.mark.parametrize("name", CASES)
def test_no_rows_at_all(name):
    function, make_columns = CASES[name]
    columns = make_columns(np.random.default_rng(7))
    assert function(*(column[:0] for column in columns)).shape[0] == 0
