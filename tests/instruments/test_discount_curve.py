"""A discount curve in the graph: ticks, failures, what-ifs, contracts priced from it, and storage."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.errors import CurveError, InstrumentError, ModelError, NotQuotedError, UpstreamError
from bank_python.instruments import Option
from bank_python.instruments.discount_curve import DiscountCurve
from bank_python.instruments.lookup import LookupNode, look_up
from bank_python.market_data import Clock, MarketData
from bank_python.risk_models import black_scholes_price
from bank_python.risk_models.bootstrap import ISDA_USD, CurveConvention, Quote, bootstrap

TODAY = dt.date(2024, 1, 16)
RATES = {"3M": 0.053, "1Y": 0.051, "2Y": 0.047, "5Y": 0.041}


def make(clock=None, **kwargs):
    leaves = {tenor: MarketData(f"USD_{tenor}", rate) for tenor, rate in RATES.items()}
    dated = {"clock_source": clock} if clock else {"as_of": TODAY}
    curve = DiscountCurve(
        "CURVE", deposits={"3M": leaves["3M"]}, swaps={t: leaves[t] for t in ("5Y", "1Y", "2Y")}, **dated, **kwargs
    )
    return curve, leaves


def by_hand(rates, day=TODAY):
    return bootstrap([Quote(tenor, rate, swap=tenor != "3M") for tenor, rate in rates.items()], day).curve


def test_it_is_the_bootstrap_of_its_quotes_and_follows_them():
    curve, leaves = make()
    graph = DependencyGraph()
    graph.register(curve)
    assert curve.discount(3.0) == by_hand(RATES).discount(3.0)
    leaves["2Y"].set_price(0.05)
    assert curve.discount(3.0) == by_hand({**RATES, "2Y": 0.05}).discount(3.0)
    assert [quote.tenor for quote in curve.quotes] == ["3M", "1Y", "2Y", "5Y"]
    assert curve.forward_rate(1.0, 2.0) == curve.curve.forward_rate(1.0, 2.0)


def test_an_unchanged_curve_stops_the_propagation():
    curve, leaves = make()
    graph = DependencyGraph()
    graph.register(curve)
    seen = graph.derive("SEEN", lambda made: made.discount(1.0), [curve])
    assert seen.value
    with graph.batch():
        leaves["2Y"].set_price(0.06)
        leaves["2Y"].set_price(RATES["2Y"])
    done = graph.recalculate()
    assert done.by_class.get("DerivedNode", 0) == 0


def test_tenors_move_with_the_clock():
    clock = Clock("CLOCK", origin=TODAY)
    curve, _ = make(clock)
    graph = DependencyGraph()
    graph.register(curve)
    later = dt.date(2024, 2, 28)
    clock.roll(later)
    assert curve.date == later
    assert curve.discount(1.5) == by_hand(RATES, later).discount(1.5)


def test_an_impossible_quote_fails_the_node_until_the_next_good_one():
    curve, leaves = make()
    graph = DependencyGraph()
    call = Option("C", spot_source=100.0, vol_source=0.2, rate_source=curve, strike=100.0, expiry=1.0)
    graph.register(call)
    good = call.value
    leaves["2Y"].set_price(-3.0)
    assert isinstance(curve.error, CurveError)
    assert "swap 2Y at -3.0" in str(curve.error)
    assert isinstance(call.error, UpstreamError)
    assert call.error.cause_name == "CURVE"
    leaves["2Y"].set_price(RATES["2Y"])
    assert call.value == good


def test_an_unquoted_leaf_is_named():
    leaf = MarketData("USD_1Y", domain="positive")
    curve = DiscountCurve("CURVE", swaps={"1Y": leaf}, as_of=TODAY)
    graph = DependencyGraph()
    graph.register(curve)
    assert isinstance(curve.error, UpstreamError)
    assert isinstance(curve.error.__cause__, NotQuotedError)
    leaf.set_price(0.05)
    assert curve.error is None


def test_an_option_looks_up_the_rate_to_its_expiry():
    clock = Clock("CLOCK", origin=TODAY)
    curve, leaves = make(clock)
    graph = DependencyGraph()
    first, second = (
        Option(n, spot_source=100.0, vol_source=0.2, rate_source=curve, strike=k, expiry=2.0, clock_source=clock)
        for n, k in (("A", 90.0), ("B", 110.0))
    )
    graph.register(first)
    graph.register(second)
    assert first.rate is second.rate
    assert isinstance(first.rate, LookupNode)
    zero = curve.zero_rate(2.0)
    assert first.rate.value == zero
    assert first.value == black_scholes_price(100.0, 90.0, 2.0, zero, 0.2)
    leaves["5Y"].set_price(0.06)
    assert first.value == black_scholes_price(100.0, 90.0, 2.0, curve.zero_rate(2.0), 0.2)
    clock.roll(dt.date(2025, 1, 15))
    left = 2.0 - clock.years
    assert second.rate.value == pytest.approx(curve.zero_rate(left), rel=1e-14)
    assert "CURVE" in str(graph.explain(second))


def test_what_if_on_quotes():
    curve, leaves = make()
    graph = DependencyGraph()
    graph.register(curve)
    base = curve.zero_rate(4.0)
    with graph.scenario(curve.bumped(1e-4)):
        parallel = curve.zero_rate(4.0) - base
    assert parallel == pytest.approx(1e-4, rel=0.1)
    keys = 0.0
    for tenor in RATES:
        with graph.scenario(curve.bumped(1e-4, [tenor])):
            keys += curve.zero_rate(4.0) - base
    assert keys == pytest.approx(parallel, rel=1e-3)
    assert curve.zero_rate(4.0) == base
    assert curve.bumped(1e-4, ["2Y"]) == {leaves["2Y"]: 0.047 + 1e-4}


def test_zero_rates_need_no_date():
    curve = DiscountCurve("Z", zero_rates={"1Y": 0.03, "10Y": MarketData("LONG", 0.04)})
    assert curve.zero_rate(1.0) == pytest.approx(0.03, rel=1e-14)
    assert curve.zero_rate(10.0) == pytest.approx(0.04, rel=1e-14)
    assert curve.date is None


def test_to_table():
    curve, _ = make(convention=ISDA_USD)
    rows = list(curve.to_table())
    assert [row["tenor"] for row in rows] == ["3M", "1Y", "2Y", "5Y"]
    assert rows[2]["rate"] == 0.047
    assert rows[2]["discount"] == pytest.approx(curve.discount(rows[2]["years"]), rel=1e-14)
    assert rows[0]["forward"] == pytest.approx(rows[0]["zero"], rel=1e-12)


@pytest.mark.parametrize("dated", [True, False])
def test_storage(dated):
    clock = Clock("CLOCK", origin=TODAY) if dated else None
    curve, leaves = make(clock, convention=ISDA_USD, currency="EUR")
    graph = DependencyGraph()
    option = Option(
        "C", spot_source=100.0, vol_source=0.2, rate_source=curve, strike=100.0, expiry=1.0, clock_source=clock or 0.0
    )
    graph.register(option)
    db = BarbaraDB.open("test", path=":memory:")
    db["/Instruments/C"] = option
    back = DependencyGraph()
    loaded = db.load("/Instruments/C", graph=back)
    assert loaded.value == option.value
    back.register(loaded)
    again = back.node("CURVE")
    assert (again.currency, again.convention, again.date) == ("EUR", ISDA_USD, curve.date)
    back.node("USD_2Y").set_price(0.06)
    leaves["2Y"].set_price(0.06)
    assert loaded.value == option.value
    assert look_up("zero_rate", again, back.node("CLOCK") if dated else 0.0, 1.0) is loaded.rate


def test_a_custom_convention_is_not_stored():
    own = CurveConvention("mine", *(getattr(ISDA_USD, name) for name in ISDA_USD.__slots__[1:]))
    curve, _ = make(convention=own)
    assert curve.discount(1.0) < 1.0
    with pytest.raises(InstrumentError, match="custom convention, 'mine'"):
        curve.to_record()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, InstrumentError, "needs either deposits and swaps or zero rates"),
        ({"deposits": {"3M": 0.05}, "zero_rates": {"1Y": 0.05}, "as_of": TODAY}, InstrumentError, "one or the other"),
        ({"deposits": {"3M": 0.05}}, InstrumentError, "need a trade date"),
        ({"deposits": {"3M": 0.05}, "as_of": TODAY, "clock_source": Clock("K", TODAY)}, InstrumentError, "not both"),
        ({"deposits": {"3Q": 0.05}, "as_of": TODAY}, ModelError, "no tenor"),
        ({"deposits": {"3M": "five"}, "as_of": TODAY}, InstrumentError, "neither a node nor a finite number"),
        ({"deposits": {"3M": math.nan}, "as_of": TODAY}, InstrumentError, "neither a node nor a finite number"),
        ({"swaps": {"1Y": 0.05, "12M": 0.05}, "as_of": TODAY}, InstrumentError, "quoted twice"),
        ({"swaps": {"1Y": 0.05}, "as_of": TODAY, "currency": "usd"}, InstrumentError, "ISO 4217"),
    ],
)
def test_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        DiscountCurve("BAD", **arguments)


def test_bumps_that_are_none():
    curve = DiscountCurve("C", swaps={"1Y": 0.05}, as_of=TODAY)
    with pytest.raises(InstrumentError, match="none of these quotes is a leaf"):
        curve.bumped(1e-4)
    with pytest.raises(InstrumentError, match="no quote of 7Y; there are 1Y"):
        curve.bumped(1e-4, ["7Y"])


def test_a_curve_has_no_volatility():
    curve = DiscountCurve("C", swaps={"1Y": 0.05}, as_of=TODAY)
    with pytest.raises(InstrumentError, match="C is a DiscountCurve, which has no surface_vol"):
        Option("O", spot_source=1.0, vol_source=curve, rate_source=0.0, strike=1.0, expiry=1.0)
