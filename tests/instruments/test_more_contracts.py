"""American options, options on forwards and currencies, forwards, perpetuals, dividends: values, terms, curves."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation

from bank_python.dagger import DependencyGraph
from bank_python.errors import GraphError, InstrumentError, ValuationError
from bank_python.instruments import (
    AmericanOption,
    DiscountCurve,
    Equity,
    ForwardOption,
    FXForward,
    FXOption,
    Option,
    PerpetualFuture,
    VolSurface,
)
from bank_python.market_data import Clock, MarketData
from bank_python.risk_models import black_scholes_price
from bank_python.risk_models.forward import forward_price, forward_value
from bank_python.risk_models.leisen_reimer import american_price
from bank_python.risk_models.perpetual import funding_payment, perpetual_value

VANILLA = {"spot_source": 100.0, "vol_source": 0.25, "rate_source": 0.04, "strike": 105.0, "expiry": 0.75}
PAIR = {"spot_source": 1.10, "rate_source": 0.05, "foreign_rate_source": 0.03, "strike": 1.12, "expiry": 0.5}


def test_american_is_the_tree():
    option = AmericanOption("A", is_call=False, dividend_source=0.02, steps=201, **VANILLA)
    assert option.value == american_price(100.0, 105.0, 0.75, 0.04, 0.25, 0.02, False, steps=201)
    assert option.value > Option("E", is_call=False, dividend_source=0.02, **VANILLA).value


def test_trees_of_different_steps_share_a_batch():
    graph = DependencyGraph()
    spot = MarketData("S", 100.0)
    terms = {**VANILLA, "spot_source": spot}
    options = [AmericanOption(f"A{i}", is_call=False, steps=n, **terms) for i, n in enumerate((51, 101, 51, 301))]
    for option in options:
        graph.register(option)
    spot.set_price(97.0)
    for option in options:
        assert option.value == american_price(97.0, 105.0, 0.75, 0.04, 0.25, 0.0, False, steps=option.steps)


def test_ten_thousand_options_on_forwards_and_currencies_against_quantlib():
    rng = np.random.default_rng(8)
    n = 10_000
    F, T = rng.uniform(0.5, 200.0, n), rng.uniform(0.01, 5.0, n)
    K, vol = F * np.exp(rng.normal(0.0, 0.3, n)), rng.uniform(0.03, 0.9, n)
    r, foreign = rng.uniform(-0.03, 0.1, (2, n))
    is_call = rng.integers(0, 2, n).astype(bool)
    zeros = np.zeros(n)
    on_forward = ForwardOption.price(zeros, F, vol, r, zeros, K, T, is_call)
    on_currency = FXOption.price(zeros, F, vol, r, foreign, zeros, K, T, is_call)
    forward = F * np.exp((r - foreign) * T)
    for i in range(n):
        kind = ql.Option.Call if is_call[i] else ql.Option.Put
        deviation, discount = float(vol[i] * math.sqrt(T[i])), math.exp(-r[i] * T[i])
        first = ql.blackFormula(kind, float(K[i]), float(F[i]), deviation, discount)
        second = ql.blackFormula(kind, float(K[i]), float(forward[i]), deviation, discount)
        scale = 1e-4 * F[i]
        inputs = (F[i], K[i], T[i], vol[i], r[i], foreign[i], bool(is_call[i]))
        assert abs(on_forward[i] - first) <= 1e-10 * max(first, scale), inputs
        assert abs(on_currency[i] - second) <= 1e-10 * max(second, scale), inputs


def test_forwards():
    forward = FXForward("F", **PAIR)
    assert forward.value == pytest.approx(1.10 * math.exp(-0.015) - 1.12 * math.exp(-0.025), rel=1e-14)
    fair = forward_price(1.10, 0.5, 0.05, 0.03)
    assert FXForward("G", **{**PAIR, "strike": fair}).value == pytest.approx(0.0, abs=1e-15)
    call, put = (FXOption("C" if c else "P", vol_source=0.1, is_call=c, **PAIR).value for c in (True, False))
    assert call - put == pytest.approx(forward.value, abs=1e-15)
    assert math.isnan(forward_value(1.1, 1.1, -1.0, 0.0))
    assert math.isnan(forward_price(math.nan, 1.0, 0.0))


def test_a_deliverable_pair_of_curves_and_a_clock():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 2))
    dollars = DiscountCurve("USD", zero_rates={"1Y": 0.05, "2Y": 0.045})
    euros = DiscountCurve("EUR", zero_rates={"1Y": 0.03, "2Y": 0.032})
    graph = DependencyGraph()
    forward = FXForward(
        "F",
        spot_source=1.1,
        rate_source=dollars,
        foreign_rate_source=euros,
        strike=1.12,
        expiry=1.5,
        clock_source=clock,
    )
    graph.register(forward)
    for day in (dt.date(2026, 1, 2), dt.date(2026, 9, 1), dt.date(2027, 7, 4), dt.date(2028, 1, 1)):
        clock.roll(day)
        left = max(1.5 - clock.years, 0.0)
        expected = 1.1 * euros.discount(left) - 1.12 * dollars.discount(left)
        assert forward.value == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("kind", [Option, AmericanOption])
def test_vanilla_options_look_up_curves_and_surfaces(kind):
    spot = MarketData("S", 100.0)
    curve = DiscountCurve("USD", zero_rates={"1Y": 0.05, "2Y": 0.045})
    surface = VolSurface.from_vols(
        "VOLS",
        [80, 90, 100, 110, 120],
        [0.5, 1.0],
        [[0.27, 0.23, 0.20, 0.19, 0.19], [0.26, 0.23, 0.21, 0.20, 0.195]],
        spot_source=spot,
    )
    option = kind("O", spot_source=spot, vol_source=surface, rate_source=curve, strike=95.0, expiry=0.7, is_call=False)
    graph = DependencyGraph()
    graph.register(option)
    price = {Option: black_scholes_price, AmericanOption: american_price}[kind]
    vol, rate = option.vol.value, option.rate.value
    assert rate == curve.zero_rate(0.7)
    assert 0.19 < vol < 0.24
    assert option.value == price(100.0, 95.0, 0.7, rate, vol, 0.0, False)
    with pytest.raises(
        InstrumentError, match="O: the lookup from its curve or surface uses the current strike; create"
    ):
        option.amend(strike=90.0)
    plain = kind("Q", **{**VANILLA, "strike": 95.0})
    plain.amend(strike=90.0)
    assert plain.strike == 90.0
    with pytest.raises(GraphError, match="cannot set colour"):
        plain.amend(colour=1.0)


def test_perpetuals():
    mark, funding = MarketData("MARK", 61_000.0), MarketData("FUNDING", 1e-4)
    linear = PerpetualFuture("L", mark_source=mark, entry_price=60_000, funding_source=funding, contract_size=0.01)
    inverse = PerpetualFuture(
        "I",
        mark_source=mark,
        entry_price=60_000,
        funding_source=funding,
        contract_size=100,
        is_inverse=True,
        currency="BTC",
    )
    assert linear.value == pytest.approx(10.0)
    assert inverse.value == pytest.approx(100.0 / 60_000 - 100.0 / 61_000, rel=1e-12)
    assert linear.next_funding == pytest.approx(-0.01 * 61_000 * 1e-4)
    assert inverse.next_funding == pytest.approx(-100.0 / 61_000 * 1e-4)
    assert linear.carry == pytest.approx(-1e-4 * 3 * 365)
    funding.set_price(-2e-4)
    assert linear.next_funding > 0.0
    assert linear.value == pytest.approx(10.0)
    mark.set_price(-1.0)
    with pytest.raises(ValuationError, match=r"mark=-1\.0 is not above zero"):
        _ = linear.value
    assert math.isnan(perpetual_value(1.0, 0.0, 1.0))
    assert math.isnan(funding_payment(0.0, 0.1, 1.0))
    np.testing.assert_allclose(perpetual_value([100.0, 200.0], 100.0, 2.0, [False, True]), [0.0, 0.01])


def test_dividends_of_a_share():
    dividend = MarketData("YIELD", 0.02)
    share = Equity("S", spot_source=50.0, dividend_source=dividend)
    assert share.value == 50.0
    assert share.income(1.0) == pytest.approx(50.0 * math.expm1(0.02))
    assert Equity("N", spot_source=50.0).income(1.0) == 0.0
    held = Option("O", **{**VANILLA, "spot_source": share}, dividend_source=dividend)
    assert held.value == black_scholes_price(50.0, 105.0, 0.75, 0.04, 0.25, 0.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AmericanOption("A", steps=2, **VANILLA), "steps=2 is not a number of steps of the tree; give"),
        (lambda: AmericanOption("A", steps=10.5, **VANILLA), r"steps=10\.5"),
        (lambda: AmericanOption("A", **{**VANILLA, "strike": 0.0}), "strike=0.0 must be above zero"),
        (lambda: AmericanOption("A", **{**VANILLA, "expiry": -1.0}), "expiry=-1.0"),
        (
            lambda: ForwardOption("F", forward_source=1.0, vol_source=0.1, rate_source=0.0, strike=-1, expiry=1),
            "strike=-1",
        ),
        (lambda: FXForward("F", **{**PAIR, "strike": math.nan}), "strike=nan"),
        (lambda: FXOption("F", vol_source=0.1, **PAIR, currency="dollar"), "ISO 4217"),
        (lambda: PerpetualFuture("P", mark_source=1.0, entry_price=0.0), "entry_price=0.0 must be above zero"),
        (lambda: PerpetualFuture("P", mark_source=1.0, entry_price=1.0, contract_size=-1.0), "contract_size=-1.0"),
        (lambda: PerpetualFuture("P", mark_source=1.0, entry_price=1.0, funding_hours=0.0), "funding_hours=0.0"),
    ],
)
def test_refused(make, message):
    with pytest.raises(InstrumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (AmericanOption("A", **{**VANILLA, "vol_source": -0.1}), "vol=-0.1 is negative"),
        (
            ForwardOption("F", forward_source=-1.0, vol_source=0.1, rate_source=0.0, strike=1, expiry=1),
            "forward=-1.0 is neg",
        ),
        (FXOption("O", vol_source=-0.2, **PAIR), "vol=-0.2 is negative"),
    ],
)
def test_diagnosed(contract, message):
    assert isinstance(contract.error, ValuationError)
    assert message in str(contract.error)
