"""An engine under orders, bars, events, stops and restarts in any order: what has to hold after each."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bank_python.errors import TradingError
from bank_python.market_data import Bar
from bank_python.trading_engine import (
    DepositEvent,
    DividendEvent,
    ExecutionModel,
    Fill,
    MarginRates,
    Order,
    PositionLimits,
    SplitEvent,
    TradingEngine,
    replay,
)
from bank_python.trading_engine.replays import known_orders

NAMES = st.sampled_from(["AAPL", "KO"])
SIDES = st.sampled_from(["BUY", "SELL"])
UNITS = st.sampled_from([1e-6, 0.3, 1.0, 70.0, 400.0])
LEVELS = st.sampled_from([60.0, 95.0, 100.0, 105.0, 160.0])
ALLOWED = {
    "PENDING": {"PARTIALLY_FILLED", "FILLED", "CANCELLED", "REJECTED", "EXPIRED"},
    "PARTIALLY_FILLED": {"PARTIALLY_FILLED", "FILLED", "CANCELLED", "EXPIRED"},
}
EXECUTION = ExecutionModel(slippage_bps=2.0, fee_per_share=0.01, participation_cap=0.2)
LIMITS = PositionLimits(max_position=60_000.0, max_concentration=math.inf, margin=MarginRates(0.5, 0.4))
MOST_UNITS = 60_000.0 / 95.0  # what the limit allows at the lowest price of a submission


class EngineMachine(RuleBasedStateMachine):
    """An engine, and what it has answered."""

    def __init__(self):
        super().__init__()
        self.time = dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC)
        self.engine = self.started(None)
        self.engine.book(DepositEvent(self.time, 100_000.0))
        self.held, self.paid, self.deposited, self.amounts = {}, 0.0, 100_000.0, 0
        self.seen = {}

    def started(self, trail):
        return TradingEngine(EXECUTION, LIMITS, audit=trail, clock=lambda: self.time, volumes={"KO": 900.0})

    def take(self, answers):
        for fill in answers:
            if isinstance(fill, Fill):
                name = fill.order.instrument_name
                self.held[name] = self.held.get(name, 0.0) + fill.signed_quantity
                self.paid -= fill.signed_quantity * fill.price + fill.fees
                self.amounts += 2

    @rule(
        name=NAMES, side=SIDES, units=UNITS, price=st.sampled_from([95.0, 100.0]), level=LEVELS,
        kind=st.sampled_from(["MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP"]),
        life=st.sampled_from(["GTC", "DAY", "IOC"]), has_bracket=st.booleans(),
    )  # fmt: skip
    def submit(self, name, side, units, price, level, kind, life, has_bracket):
        prices = {
            "LIMIT": {"limit_price": level},
            "STOP": {"stop_price": level},
            "STOP_LIMIT": {"stop_price": level, "limit_price": price},
            "TRAILING_STOP": {"trail": level - 50.0},
        }.get(kind, {})
        asked = Order("", "Alice", name, side, units, kind, price=price, time_in_force=life, **prices)
        if has_bracket:
            low, high = 90.0, 110.0
            asked = asked.bracketed(
                stop_loss=low if side == "BUY" else high, take_profit=high if side == "BUY" else low
            )
        self.take([self.engine.submit(asked)])

    @rule(name=NAMES, side=SIDES, units=UNITS, parts=st.sampled_from([(0.0, 0.5, 0.5), (1.0,), (0.3, 0.3, 0.4)]))
    def submit_schedule(self, name, side, units, parts):
        asked = Order("", "Alice", name, side, units, price=100.0)
        self.engine.submit_schedule(asked, [units * part for part in parts])

    @rule(
        levels=st.tuples(*[st.integers(85, 118)] * 4),
        volume=st.sampled_from([None, 0.0, 3.0, 1_000.0]),
        hours=st.sampled_from([0, 1, 24]),
        names=st.sets(NAMES, min_size=1),
    )
    def on_bar(self, levels, volume, hours, names):
        self.time += dt.timedelta(hours=hours)
        opened, close = float(levels[0]), float(levels[1])
        made = Bar(self.time, opened, float(max(levels)), float(min(levels)), close, volume)
        self.take(self.engine.on_bar(dict.fromkeys(sorted(names), made)))

    @rule(name=NAMES, price=st.integers(85, 118))
    def on_prices(self, name, price):
        self.take(self.engine.on_prices({name: float(price)}))

    @rule(which=st.integers(0, 20))
    def cancel(self, which):
        working = self.engine.working
        if working:
            self.engine.cancel(working[which % len(working)].order_id)

    @rule()
    def kill_and_resume(self):
        self.engine.kill("a drill")
        assert not self.engine.working
        self.restart()
        assert not self.engine.submit(Order("", "Alice", "KO", "BUY", 1, price=100.0)).is_filled
        self.engine.resume("it was a drill")

    @rule(name=NAMES)
    def dividend(self, name):
        units = self.engine.positions.get(name)
        if units:
            self.engine.book(DividendEvent(self.time, name, 0.5))
            self.paid += 0.5 * units
            self.amounts += 1

    @rule(name=NAMES)
    def split_there_and_back(self, name):
        if self.engine.positions.get(name):
            self.engine.book(SplitEvent(self.time, name, new=2))
            self.engine.book(SplitEvent(self.time, name, new=1, old=2))

    @rule(amount=st.sampled_from([-20_000.0, 5_000.0]))
    def deposit(self, amount):
        self.engine.book(DepositEvent(self.time, amount))
        self.deposited += amount

    @rule()
    def margin_call(self):
        self.take(self.engine.margin_call())

    @rule()
    def restart(self):
        before = self.engine
        self.engine = self.started(before.audit)
        assert self.engine.orders == before.orders
        assert self.engine.working == before.working
        self.engine.prices |= before.prices

    @rule(event=st.sampled_from([DividendEvent, SplitEvent]))
    def book_what_is_not_held(self, event):
        with pytest.raises(TradingError):
            self.engine.book(event(self.time, "PEP", 2.0))

    @invariant()
    def positions_and_cash_are_those_of_the_fills(self):
        positions = self.engine.positions
        for name, units in self.held.items():
            assert positions.get(name, 0.0) == pytest.approx(units, rel=1e-9, abs=1e-6)
        cash = self.engine.ledger.cash.get("USD", 0.0)
        assert cash == pytest.approx(self.deposited + self.paid, abs=0.011 * (self.amounts + 1))

    @invariant()
    def the_books_reconcile_and_the_trail_gives_the_same(self):
        ledger, booked = self.engine.ledger, replay(self.engine.audit)
        assert ledger.reconcile().holds
        assert (booked.cash, booked.positions) == (ledger.cash, ledger.positions)
        value = math.fsum(units * 100.0 for units in self.engine.positions.values())
        equity = ledger.equity(dict.fromkeys(self.engine.positions, 100.0))
        assert equity == pytest.approx(ledger.cash.get("USD", 0.0) + value, abs=0.02)

    @invariant()
    def orders_live_as_the_table_allows(self):
        orders = self.engine.orders
        assert orders == known_orders(self.engine.audit)
        for name, order in orders.items():
            before = self.seen.get(name, "PENDING")
            assert order.status.value == before or order.status.value in ALLOWED.get(before, ())
            assert order.filled_qty <= order.quantity
        self.seen = {name: order.status.value for name, order in orders.items()}
        works = {order.order_id: order for order in self.engine.working}
        assert works == {name: order for name, order in orders.items() if order.status.is_open}

    @invariant()
    def what_is_held_and_ordered_is_within_the_limit(self):
        for name in ("AAPL", "KO"):
            held = self.engine.positions.get(name, 0.0)
            entries = [each for each in self.engine.working if not each.parent and each.instrument_name == name]
            bought = math.fsum(each.remaining for each in entries if each.side.sign > 0.0)
            sold = math.fsum(each.remaining for each in entries if each.side.sign < 0.0)
            assert held + bought <= 2.0 * MOST_UNITS
            assert held - sold >= -2.0 * MOST_UNITS


FEW = settings(max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_an_engine_holds_its_promises_whatever_happens():
    run_state_machine_as_test(EngineMachine, settings=FEW)


@pytest.mark.slow
def test_an_engine_holds_its_promises_for_longer():
    run_state_machine_as_test(EngineMachine, settings=settings(FEW, max_examples=150, stateful_step_count=50))
