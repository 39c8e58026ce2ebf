"""The engine: from an order to a booked and audited fill, or to a rejection that says why."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.errors import TradingError
from bank_python.market_data import Bar
from bank_python.trading_engine import (
    AuditTrail,
    ExecutionModel,
    Fill,
    Order,
    OrderStatus,
    PositionLimits,
    Rejection,
    TradingEngine,
    Working,
    replay,
)

DAY = dt.datetime(2026, 1, 5, 21, tzinfo=dt.UTC)
FREE = PositionLimits(max_position=math.inf, max_concentration=math.inf)


def bar(opened, high, low, close, volume=None, day=0):
    return Bar(DAY + dt.timedelta(days=day), opened, high, low, close, volume)


def order(side="BUY", units=100, **given):
    return Order("", "Alice", given.pop("name", "AAPL"), side, units, **{"price": 100.0} | given)


def engine(execution=None, limits=FREE, **given):
    return TradingEngine(execution, limits, **{"clock": lambda: DAY} | given)


def kinds(made):
    return [event.event_type for event in made.audit]


def test_a_market_order_fills_at_the_price_its_signal_saw_plus_costs():
    made = engine(ExecutionModel(slippage_bps=5.0, fee_per_share=0.01, commission_pct=0.002))
    fill = made.submit(order(reason="momentum"))
    assert isinstance(fill, Fill)
    assert (fill.quantity, fill.price) == (100.0, pytest.approx(100.05))
    assert fill.fees == pytest.approx(1.0 + 0.002 * 10_005.0)
    assert made.positions == {"AAPL": 100.0}
    assert made.ledger.cash["USD"] == pytest.approx(-10_005.0 - fill.fees, abs=0.005)
    assert kinds(made) == ["ORDER_SUBMIT", "FILL"]
    assert [event.why for event in made.audit] == ["momentum", "momentum"]


def test_the_market_counts_where_one_is_attached():
    made = engine(market={"AAPL": 120.0}.get)
    assert made.submit(order(price=100.0)).price == 120.0
    refused = made.submit(order(name="KO"))
    assert isinstance(refused, Rejection)
    assert refused.reason == "no price available for KO"


@pytest.mark.parametrize("price", [None, math.nan, math.inf, 0.0, -1.0])
def test_nothing_fills_without_a_price(price):
    made = engine(market=lambda _: price)
    refused = made.submit(order())
    assert (refused.order.status, refused.order.reject_reason) == (OrderStatus.REJECTED, refused.reason)
    assert "no price available" in refused.reason
    assert not made.positions
    assert made.ledger.cash.get("USD", 0.0) == 0.0


def test_a_market_that_raises_rejects_the_order_and_leaves_nothing_half_done():
    class SilentError(Exception):
        def __str__(self):
            raise ValueError

    def broken(name):
        raise SilentError

    made = engine(market=broken)
    refused = made.submit(order())
    assert refused.reason.startswith("no price available for AAPL: the market raised SilentError: ")
    assert refused.reason.endswith("without a message, as its __str__ raised ValueError")
    assert kinds(made) == ["ORDER_SUBMIT", "REJECT"]
    assert not made.working


def test_one_bad_bar_is_refused_before_any_order_meets_another():
    made = engine()
    made.submit(order(order_type="LIMIT", limit_price=90.0))
    made.submit(order(order_type="LIMIT", limit_price=90.0, name="KO"))
    with pytest.raises(TradingError):
        made.on_bar({"AAPL": bar(85, 86, 84, 85), "KO": bar(85, 80, 84, 85)})
    assert len(made.working) == 2
    assert len(made.on_bar(dict.fromkeys(("AAPL", "KO"), bar(85, 86, 84, 85)))) == 2


def test_a_limit_below_the_market_rests_and_fills_when_a_bar_passes_it():
    made = engine()
    assert isinstance(made.submit(order(order_type="LIMIT", limit_price=90.0)), Working)
    assert made.on_bar(bar(95, 96, 91, 95)) == ()
    (fill,) = made.on_bar(bar(94, 95, 88, 90, day=1))
    assert (fill.price, fill.order.status) == (90.0, OrderStatus.FILLED)
    assert not made.working


def test_a_marketable_limit_fills_at_the_better_price_and_costs_stop_at_the_limit():
    made = engine(ExecutionModel(slippage_bps=100.0))
    assert made.submit(order(order_type="LIMIT", limit_price=105.0)).price == pytest.approx(101.0)
    assert made.submit(order(order_type="LIMIT", limit_price=100.5)).price == pytest.approx(100.5)


def test_a_gap_through_a_stop_fills_at_the_open_and_a_stop_limit_waits():
    made = engine()
    made.submit(order())
    made.submit(order("SELL", order_type="STOP", stop_price=96.0))
    made.submit(order("SELL", 10, order_type="STOP_LIMIT", stop_price=96.0, limit_price=95.0))
    fills = made.on_bar(bar(90, 92, 88, 91))
    assert [(fill.price, fill.quantity) for fill in fills] == [(90, 100.0)]
    (late,) = made.on_bar(bar(93, 97, 92, 96, day=1))
    assert late.price == 95.0


def test_a_trailing_stop_follows_the_price_up():
    made = engine()
    made.submit(order())
    made.submit(order("SELL", order_type="TRAILING_STOP", trail=5.0))
    assert made.on_bar(bar(100, 110, 99, 109)) == ()
    (fill,) = made.on_bar(bar(108, 109, 101, 102, day=1))
    assert fill.price == pytest.approx(105.0)


def test_fills_are_capped_by_the_volume_and_the_rest_goes_on():
    made = engine(ExecutionModel(participation_cap=0.1, latency=1))
    made.submit(order(units=250))
    assert made.on_bar(bar(100, 101, 99, 100, volume=1_000)) == ()  # the latency
    sizes = []
    for day in range(1, 5):
        sizes += [fill.quantity for fill in made.on_bar(bar(100, 101, 99, 100, volume=1_000, day=day), "AAPL")]
    assert sizes == [100.0, 100.0, 50.0]
    assert next(iter(made.orders.values())).status is OrderStatus.FILLED


def test_a_day_order_expires_and_an_ioc_order_does_not_wait():
    made = engine()
    made.submit(order(order_type="LIMIT", limit_price=90.0, time_in_force="DAY"))
    refused = made.submit(order(order_type="LIMIT", limit_price=90.0, time_in_force="IOC"))
    assert "cannot be filled at once: the price is 100" in refused.reason
    assert made.on_bar(bar(80, 81, 79, 80, day=1), "AAPL") == ()
    assert [each.status.value for each in made.orders.values()] == ["EXPIRED", "REJECTED"]


def test_limits_are_checked_before_with_open_orders_and_say_figure_and_limit():
    made = engine(limits=PositionLimits(max_position=15_000.0, max_concentration=math.inf))
    made.submit(order(order_type="LIMIT", limit_price=90.0))
    refused = made.submit(order())
    assert refused.reason == "Position of AAPL after the order: 20,000 is above 15,000 (money)"
    assert [breach.limit for breach in refused.breaches] == ["max_position"]
    assert not made.positions
    assert kinds(made)[-1] == "REJECT"


def test_the_loss_stop_lets_only_reductions_pass():
    made = engine(limits=PositionLimits(max_position=math.inf, max_concentration=math.inf, max_loss=500.0))
    made.submit(order())
    made.on_bar({"AAPL": bar(94, 95, 93, 94)})
    assert "may only reduce" in made.submit(order(price=94.0)).reason
    assert isinstance(made.submit(order("SELL", price=94.0)), Fill)


def test_the_kill_switch_cancels_what_works_and_refuses_what_comes():
    made = engine()
    made.submit(order(order_type="LIMIT", limit_price=90.0))
    (cancelled,) = made.kill("prices look wrong")
    assert cancelled.status is OrderStatus.CANCELLED
    assert made.submit(order()).reason == "trading was stopped: prices look wrong"
    made.resume("checked")
    assert isinstance(made.submit(order()), Fill)
    assert kinds(made) == ["ORDER_SUBMIT", "KILL", "CANCEL", "ORDER_SUBMIT", "REJECT", "RESUME", "ORDER_SUBMIT", "FILL"]


def test_what_is_no_order_or_no_bar_is_refused_and_changes_nothing():
    made = engine()
    with pytest.raises(TradingError, match="is no order"):
        made.submit({"side": "BUY"})
    filled = made.submit(order())
    with pytest.raises(TradingError, match="is FILLED; submit pending orders"):
        made.submit(filled.order)
    with pytest.raises(TradingError, match="was submitted before"):
        made.submit(Order(filled.order_id, "Alice", "AAPL", "BUY", 1, price=1.0))
    with pytest.raises(TradingError, match="say whose bar it is"):
        made.on_bar(bar(1, 1, 1, 1))
    with pytest.raises(TradingError, match="is FILLED; only working orders"):
        made.cancel(filled.order_id)
    with pytest.raises(TradingError, match="was never submitted"):
        made.cancel("ORD-9")
    made.on_bar(bar(100, 101, 99, 100, day=1), "AAPL")
    with pytest.raises(TradingError, match="is older than the last one"):
        made.on_bar(bar(100, 101, 99, 100), "AAPL")
    with pytest.raises(TradingError, match="different times"):
        made.on_bar({"AAPL": bar(1, 1, 1, 1, day=2), "KO": bar(1, 1, 1, 1, day=3)})
    assert kinds(made) == ["ORDER_SUBMIT", "FILL"]


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 500),
        st.sampled_from(["MARKET", "LIMIT", "STOP"]),
        st.integers(80, 120),
        st.sampled_from(["AAPL", "KO"]),
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=25, deadline=None)
@given(ORDERS, st.lists(st.tuples(*[st.integers(80, 120)] * 4), min_size=10, max_size=10))
def test_books_reconcile_with_the_fills_and_the_trail_replays_into_them(orders, quotes):
    made = engine(
        ExecutionModel(slippage_bps=3.0, fee_per_share=0.005, commission_pct=0.001, fee_per_order=1.0), clock=None
    )
    fills = []
    for day, ((side, units, kind, level, name), levels) in enumerate(zip(orders, quotes, strict=False)):
        prices = {"limit_price": float(level)} if kind == "LIMIT" else {}
        prices |= {"stop_price": float(level)} if kind == "STOP" else {}
        opened, close = float(levels[0]), float(levels[1])
        both = dict.fromkeys(("AAPL", "KO"), bar(opened, float(max(levels)), float(min(levels)), close, day=day))
        fills += made.on_bar(both)
        reply = made.submit(order(side, units, order_type=kind, price=close, name=name, **prices))
        fills += [reply] if reply.is_filled else []
        for held in ("AAPL", "KO"):
            units_held = math.fsum(fill.signed_quantity for fill in fills if fill.order.instrument_name == held)
            assert made.positions.get(held, 0.0) == pytest.approx(units_held)
    paid = math.fsum(-fill.signed_quantity * fill.price - fill.fees for fill in fills)
    assert made.ledger.cash.get("USD", 0.0) == pytest.approx(paid, abs=0.011 * (2 * len(fills) + 1))
    assert made.ledger.reconcile().holds
    assert made.audit.verify().holds
    again = replay(made.audit)
    assert again.cash == made.ledger.cash
    assert {name: held.quantity for name, held in again.positions.items()} == made.positions


def test_splitting_an_order_changes_costs_only():
    whole, split = (engine(ExecutionModel(slippage_bps=3.0, fee_per_order=1.0)) for _ in range(2))
    whole.submit(order(units=300))
    for _ in range(3):
        split.submit(order(units=100))
    assert whole.positions == split.positions
    assert split.ledger.cash["USD"] - whole.ledger.cash["USD"] == pytest.approx(-2.0)


def test_the_trail_of_a_closed_engine_replays_from_the_store(tmp_path):
    with BarbaraDB.open("trading", path=tmp_path / "trading.db") as db:
        made = engine(audit=AuditTrail(db))
        made.submit(order())
        made.submit(order("SELL", 40, price=110.0))
    with BarbaraDB.open("trading", path=tmp_path / "trading.db") as db:
        books = replay(AuditTrail(db))
    assert books.realised == {"AAPL": 400.0}
    assert books.quantity("AAPL") == 60.0


def test_a_changed_trail_is_not_replayed():
    made = engine()
    made.submit(order())
    rows = [dict(row) for row in made.audit.table.order_by("number")]
    rows[1]["details"] = rows[1]["details"].replace("100", "900")
    made.audit.table.clear()
    made.audit.table.extend(rows)
    with pytest.raises(TradingError, match="broken at event 2"):
        replay(made.audit)
