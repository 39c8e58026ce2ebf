"""Derivatives from prices against closed forms, and against hand-differentiated formulas."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from bank_python.instruments import Bond, CreditDefaultSwap, Equity, FXRate, Option
from bank_python.instruments.factor import Factor
from bank_python.market_data import MarketData
from bank_python.risk import group_contracts, take_derivatives

# A class without closed-form Greeks but with the option's prices, so that the option's closed forms are the oracle.
PRICED_ONLY = type("PricedOnly", (Option,), {"price_and_greeks": None, "record_tag": "PricedOnly"})


def options(kind, n=200):
    rng = np.random.default_rng(3)
    return [
        kind(
            f"{kind.__name__}{i}",
            spot_source=rng.uniform(80, 120),
            vol_source=rng.uniform(0.1, 0.6),
            rate_source=rng.uniform(-0.01, 0.06),
            dividend_source=rng.uniform(0.0, 0.04),
            strike=rng.uniform(80, 120),
            expiry=rng.uniform(0.1, 3.0),
            is_call=bool(i % 2),
        )
        for i in range(n)
    ]


def only_group(contracts):
    groups, errors = group_contracts(contracts)
    assert not errors
    assert len(groups) == 1
    return groups[0]


def test_bumped_prices_give_the_closed_forms():
    exact = take_derivatives(only_group(options(Option)))
    bumped = take_derivatives(only_group(options(PRICED_ONLY)))
    scale = {"spot": 100.0, "vol": 0.2, "rate": 0.1, "dividend": 0.1, "clock": 1.0}
    for name in exact.first:
        np.testing.assert_allclose(bumped.first[name], exact.first[name], rtol=2e-6, atol=2e-5, err_msg=name)
    for pair in exact.second:
        unit = scale[pair[0]] * scale[pair[1]]
        np.testing.assert_allclose(
            bumped.second[pair] * unit, exact.second[pair] * unit, rtol=1e-4, atol=2e-3, err_msg=str(pair)
        )


def test_one_call_prices_all_bumps(monkeypatch):
    calls = []
    price = Option.price

    @functools.wraps(price)
    def counted(*arguments):
        calls.append(arguments[0].shape)
        return price(*arguments)

    group = only_group(options(Option, 30))
    monkeypatch.setattr(Option, "price", staticmethod(counted))
    take_derivatives(group)
    # the base point, two bumps for each of five sources, four for each of their ten pairs
    assert calls == [(30 * (1 + 2 * 5 + 4 * 10),)]


def test_a_zero_bond_by_hand():
    bond = Bond("Z", rate_source=0.04, face=100.0, coupon_rate=0.0, maturity=7.0, compounding=0.0)
    derivatives = take_derivatives(only_group([bond]))
    price = 100.0 * math.exp(-0.28)
    assert derivatives.value[0] == pytest.approx(price, rel=1e-14)
    assert derivatives.first["rate"][0] == pytest.approx(-7.0 * price, rel=1e-7)
    assert derivatives.second["rate", "rate"][0] == pytest.approx(49.0 * price, rel=1e-5)
    assert derivatives.first["clock"][0] == pytest.approx(0.04 * price, rel=1e-6)
    assert derivatives.second["clock", "rate"][0] == pytest.approx((1.0 - 0.28) * price, rel=1e-5)


def test_linear_contracts():
    groups, _ = group_contracts(
        [Equity("A", spot_source=50.0), FXRate("EURUSD", rate_source=1.1, base="EUR", quote="USD")]
    )
    share, pair = map(take_derivatives, groups)
    assert share.first["spot"] == pytest.approx([1.0], rel=1e-10)
    assert share.second["spot", "spot"] == pytest.approx([0.0], abs=1e-6)
    assert pair.first["rate"] == pytest.approx([1.0], rel=1e-10)
    assert FXRate.factor_of("rate") is Factor.FX
    assert Option.factor_of("rate") is Factor.RATE


def test_a_spread_near_zero_is_not_bumped_below_it():
    tight = CreditDefaultSwap("T", spread_source=1e-6, rate_source=0.03, notional=1e6)
    derivatives = take_derivatives(only_group([tight]))
    assert np.isfinite(derivatives.first["spread"]).all()
    wider = CreditDefaultSwap("W", spread_source=1e-5, rate_source=0.03, notional=1e6)
    slope = (wider.value - tight.value) / 9e-6
    assert derivatives.first["spread"][0] == pytest.approx(slope, rel=1e-4)


def test_contracts_without_a_value_are_returned_separately():
    bad = Option("BAD", spot_source=100.0, vol_source=MarketData("V", 0.2), rate_source=0.0, strike=90.0, expiry=1.0)
    bad.vol.set_price(-0.2)
    groups, errors = group_contracts([bad, *options(Option, 3)])
    assert list(errors) == [bad]
    assert "vol" in str(errors[bad])
    assert len(groups[0].contracts) == 3


def test_a_contract_held_twice_is_one_column():
    share = Equity("A", spot_source=50.0)
    assert len(only_group([share, share]).contracts) == 1
