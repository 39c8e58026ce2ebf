"""Limits before an order: on the position after it, with figures and units; orders that reduce pass."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import TradingError
from bank_python.trading_engine.limits import Exposure, PositionLimits
from bank_python.trading_engine.order import Order

FREE = {"max_position": math.inf, "max_concentration": math.inf}


def buy(units=100, **given):
    return Order("", "Alice", "AAPL", "BUY", units, **given)


def sell(units=100, **given):
    return Order("", "Alice", "AAPL", "SELL", units, **given)


def names(limits, order, account=None, price=100.0):
    return [breach.limit for breach in limits.breaches(order, price, account or Exposure())]


def test_each_limit_says_figure_maximum_and_unit():
    account = Exposure(units={"MSFT": 50.0, "KO": -100.0}, prices={"MSFT": 400.0, "KO": 60.0})
    account = Exposure(account.units, account.prices, sectors={"AAPL": "Tech", "MSFT": "Tech"}, pnl=-600.0)
    limits = PositionLimits(
        max_position=9_000, max_concentration=0.1, book_value=50_000, max_gross=30_000, max_net=20_000,
        max_sector=25_000, max_order=9_999, max_loss=500,
    )  # fmt: skip
    found = {breach.limit: breach for breach in limits.breaches(buy(), 100.0, account)}
    assert {name: (breach.value, breach.maximum) for name, breach in found.items()} == {
        "max_order": (10_000.0, 9_999),
        "max_loss": (600.0, 500),
        "max_position": (10_000.0, 9_000),
        "max_gross": (36_000.0, 30_000),
        "max_net": (24_000.0, 20_000),
        "max_sector": (30_000.0, 25_000),
        "max_concentration": (0.2, 0.1),
    }
    assert str(found["max_concentration"]).startswith("Concentration of AAPL after the order: 0.2 is above 0.1 (share")


def test_ten_orders_of_which_each_would_pass_do_not_pass_together():
    limits = PositionLimits(max_position=500_000, max_concentration=math.inf)
    passed = 0
    for _ in range(10):
        account = Exposure(pending={"AAPL": (1_900.0 * passed, 0.0)})
        if not limits.breaches(buy(1_900), 100.0, account):
            passed += 1
    assert passed == 2  # 190,000 each in a limit of 500,000


def test_what_only_reduces_passes_whatever_the_size():
    limits = PositionLimits(max_position=1.0, max_concentration=0.0, max_gross=1.0, max_loss=0.0)
    held = Exposure(units={"AAPL": 3_000.0}, prices={"AAPL": 100.0}, pnl=-1.0)
    assert not limits.breaches(sell(3_000), 100.0, held)
    assert names(limits, sell(3_001), held)
    short = Exposure(units={"AAPL": -10.0}, prices={"AAPL": 100.0}, pnl=-1.0)
    assert not limits.breaches(buy(10), 100.0, short)
    # open sales count: two orders that reduce together would turn the position
    assert names(limits, sell(2_000), Exposure(held.units, held.prices, pending={"AAPL": (0.0, 2_000.0)}))


def test_a_book_without_capital_does_not_refuse_its_first_order():
    assert names(PositionLimits(), buy()) == []
    assert names(PositionLimits(max_concentration=0.4, book_value=20_000), buy()) == ["max_concentration"]


def test_typing_errors_are_caught_even_when_they_reduce():
    held = Exposure(units={"AAPL": 1e6}, prices={"AAPL": 100.0})
    limits = PositionLimits(**FREE, max_order=50_000, max_price_gap=0.2)
    assert names(limits, sell(100_000), held) == ["max_order"]
    assert names(limits, sell(10, order_type="LIMIT", limit_price=10.0), held) == ["max_price_gap"]


def test_greeks_of_the_account_after_the_order_are_checked():
    limits = PositionLimits(**FREE, max_greeks={"delta": 1_000.0})
    assert names(limits, buy(), Exposure(greeks={"delta": -1_500.0})) == ["max_delta"]
    assert names(limits, buy(), Exposure(greeks={"delta": 900.0})) == []


def test_a_missing_price_passes_no_limit():
    account = Exposure(units={"KO": 10.0})
    assert "max_gross" in names(PositionLimits(**FREE, max_gross=1e9), buy(), account)


@given(held=st.floats(-1e4, 1e4), units=st.floats(0.01, 1e4), price=st.floats(0.01, 1e3), most=st.floats(0.0, 1e7))
def test_what_passes_holds_afterwards_or_reduces(held, units, price, most):
    limits = PositionLimits(max_position=most, max_concentration=math.inf)
    account = Exposure(units={"AAPL": held}, prices={"AAPL": price})
    for order, after in ((buy(units), held + units), (sell(units), held - units)):
        if not limits.breaches(order, price, account):
            assert abs(after) * price <= most or abs(after) <= abs(held)


@pytest.mark.parametrize(
    "given", [{"max_position": -1.0}, {"max_loss": math.nan}, {"book_value": True}, {"max_gross": "1"}]
)
def test_what_is_no_limit_is_refused(given):
    with pytest.raises(TradingError, match="is not a number of at least 0"):
        PositionLimits(**given)


def test_open_orders_on_other_names_do_not_make_the_book_larger():
    limits = PositionLimits(max_concentration=0.4, book_value=10_000.0)
    account = Exposure({"MSFT": 100.0}, {"MSFT": 100.0, "KO": 100.0}, pending={"KO": (900.0, 0.0)})
    (breach,) = limits.breaches(buy(100), 100.0, account)
    assert (breach.limit, breach.value) == ("max_concentration", 0.5)


# --- the worst case of several names -------------------------------------------------------------

SPAN = st.tuples(st.integers(-20, 20), st.integers(0, 20), st.integers(0, 20))


def outcomes(spans):
    """All holdings to which open orders can lead, filled or not: the oracle, by brute force."""
    ends = [[held, held + bought, held - sold, held + bought - sold] for held, bought, sold in spans]
    return list(itertools.product(*ends))


@given(spans=st.lists(SPAN, min_size=1, max_size=3), units=st.integers(1, 30), side=st.sampled_from(["BUY", "SELL"]))
def test_gross_net_and_sector_are_the_largest_that_open_orders_can_lead_to(spans, units, side):
    instruments = ["AAPL", "MSFT", "NVDA"][: len(spans)]
    order = buy(units) if side == "BUY" else sell(units)
    account = Exposure(
        units={name: float(span[0]) for name, span in zip(instruments, spans, strict=True)},
        prices=dict.fromkeys(instruments, 100.0),
        pending={name: (float(span[1]), float(span[2])) for name, span in zip(instruments, spans, strict=True)},
        sectors=dict.fromkeys(instruments, "IT"),
        greeks={"delta": float(sum(span[0] for span in spans))},
        pending_greeks={"delta": (-float(sum(span[2] for span in spans)), float(sum(span[1] for span in spans)))},
        order_greeks={"delta": order.side.sign * float(units)},
    )
    signed = int(order.side.sign) * units
    after = outcomes([(spans[0][0] + signed, *spans[0][1:]), *spans[1:]])
    expected = {
        "max_gross": max(sum(map(abs, each)) for each in after) * 100.0,
        "max_net": max(abs(sum(each)) for each in after) * 100.0,
        "max_sector": max(abs(sum(each)) for each in after) * 100.0,
        "max_delta": max(abs(sum(each)) for each in after),
    }
    limits = PositionLimits(
        max_position=math.inf, max_gross=0.0, max_net=0.0, max_sector=0.0, max_greeks={"delta": 0.0}
    )
    for breach in limits.breaches(order, 100.0, account):
        assert breach.value == pytest.approx(expected[breach.limit])
