"""Orders: what is accepted, and the states of their life as a checked machine."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bank_python.errors import TradingError
from bank_python.trading_engine import OrderStatus, Side
from bank_python.trading_engine.order import Order, check_change


def order(**given):
    return Order(
        **{"order_id": "ORD-1", "trader": "Alice", "instrument_name": "AAPL", "side": "BUY", "quantity": 100} | given
    )


def test_words_may_be_text_in_any_case():
    made = order(side="sell", order_type="limit", limit_price=90, time_in_force="day")
    assert (made.side, made.order_type.value, made.time_in_force.value) == (Side.SELL, "LIMIT", "DAY")
    assert made.signed_quantity == -100.0


def test_the_first_five_are_positional_as_users_of_the_reference_write_them():
    made = Order("ORD-000001", "Alice", "AAPL", "BUY", 100)
    assert (made.status, made.filled_qty, made.order_type.value) == (OrderStatus.PENDING, 0.0, "MARKET")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"side": "HOLD"}, "no side 'HOLD'; choose one of BUY, SELL"),
        ({"side": "BY"}, "did you mean 'BUY'"),
        ({"quantity": 0}, "quantity=0 is not a finite number above 0"),
        ({"quantity": -10}, "quantity=-10"),
        ({"quantity": math.nan}, "quantity=nan"),
        ({"quantity": True}, "quantity=True"),
        ({"quantity": "100"}, "quantity='100'"),
        ({"instrument_name": ""}, "give the name of what is ordered"),
        ({"order_type": "LIMIT"}, "a LIMIT order needs limit_price"),
        ({"order_type": "STOP_LIMIT", "stop_price": 90.0}, "needs limit_price"),
        ({"order_type": "TRAILING_STOP", "trail": 0.0}, "trail=0.0 is not a finite number above 0"),
        ({"price": math.inf}, "price=inf"),
        ({"strength": 1.5}, "strength=1.5 is outside"),
    ],
)
def test_what_is_no_order_is_refused(given, said):
    with pytest.raises(TradingError, match=said):
        order(**given)


def test_the_mean_price_is_that_of_the_units():
    done = order().filled(30, 10.0, fees=1.0).filled(70, 20.0, fees=2.0, at="2026-01-05T15:00:00")
    assert done.status is OrderStatus.FILLED
    assert (done.filled_price, done.fill_cost, done.filled_at) == (pytest.approx(17.0), 3.0, "2026-01-05T15:00:00")


@given(st.lists(st.floats(0.01, 50.0), min_size=1, max_size=40))
def test_fills_of_any_sizes_add_up(parts):
    total = math.fsum(parts)
    made = order(quantity=total)
    for i, units in enumerate(parts):
        made = made.filled(min(units, made.remaining), 10.0 + i)
        if not made.status.is_open:
            break
    assert made.filled_qty == pytest.approx(total)
    assert made.status is OrderStatus.FILLED
    assert made.remaining == 0.0
    assert 10.0 * (1.0 - 1e-12) <= made.filled_price <= 10.0 + len(parts)


def test_more_than_is_left_is_refused():
    with pytest.raises(TradingError, match="has 40 units left, fewer than 41"):
        order().filled(60, 1.0).filled(41, 1.0)


class Life(RuleBasedStateMachine):
    """Whatever is tried, states change in one direction only, and what is refused changes nothing."""

    def __init__(self):
        super().__init__()
        self.order = order()
        self.ended = False

    def try_(self, change):
        before = self.order
        try:
            self.order = change(before)
        except TradingError:
            assert self.order is before
            return
        assert before.status.is_open
        assert not self.ended
        self.ended = not self.order.status.is_open

    @rule(units=st.floats(0.5, 60.0))
    def fill(self, units):
        self.try_(lambda made: made.filled(units, 10.0))

    @rule()
    def cancel(self):
        self.try_(lambda made: made.cancelled())

    @rule()
    def expire(self):
        self.try_(lambda made: made.expired())

    @rule()
    def reject(self):
        partly = self.order.status is OrderStatus.PARTIALLY_FILLED
        before = self.order
        self.try_(lambda made: made.rejected("a limit"))
        assert not partly or self.order is before

    @invariant()
    def quantities_agree_with_the_state(self):
        made = self.order
        assert 0.0 <= made.filled_qty <= made.quantity
        assert (made.status is OrderStatus.FILLED) == (made.remaining == 0.0)
        assert (made.status is OrderStatus.PARTIALLY_FILLED) <= (made.filled_qty > 0.0)


TestLife = Life.TestCase


def test_no_state_can_be_left_for_itself_or_after_the_end():
    for status in OrderStatus:
        with pytest.raises(TradingError, match="is FILLED and cannot become"):
            check_change(order().filled(100, 1.0), status)
