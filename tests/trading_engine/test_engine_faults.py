"""Faults around an engine: other people's markets and clocks, times, odd numbers, trails of others, interruptions."""

from __future__ import annotations

import contextlib
import datetime as dt
import linecache
import math
import subprocess
import sys
import time
from decimal import Decimal
from itertools import count

import numpy as np
import pytest

from bank_python.barbara import BarbaraDB
from bank_python.errors import StoreError, TradingError
from bank_python.market_data import Bar
from bank_python.trading_engine import (
    AuditTrail,
    ContractTerms,
    ExecutionModel,
    Fill,
    Ledger,
    Market,
    Order,
    OrderStatus,
    PositionLimits,
    Rejection,
    SplitEvent,
    SymbolChangeEvent,
    TradingEngine,
    Working,
    replay,
)
from bank_python.trading_engine.replays import known_orders

DAY = dt.datetime(2026, 1, 5, 21, tzinfo=dt.UTC)
FREE = PositionLimits(max_position=math.inf, max_concentration=math.inf)


def bar(opened, high, low, close, volume=None, day=0):
    return Bar(DAY + dt.timedelta(days=day), opened, high, low, close, volume)


def order(side="BUY", units=100, **given):
    return Order("", given.pop("trader", "Alice"), given.pop("name", "AAPL"), side, units, **{"price": 100.0} | given)


def resting(level=90.0, **given):
    return order(order_type="LIMIT", limit_price=level, **given)


def engine(execution=None, limits=FREE, **given):
    return TradingEngine(execution, limits, **{"clock": lambda: DAY} | given)


def states(made):
    return [each.status.value for each in made.orders.values()]


# --- markets and clocks of other people ---------------------------------------------------------------


class Evil:
    """Raises whatever it is asked."""

    def _raise(self, *_):
        raise RuntimeError

    __float__ = __repr__ = __str__ = __bool__ = _raise


@pytest.mark.parametrize(
    "question", ["price", "volume", "vol", "terms", "greeks", "sector", "fx", "is_open", "execution"]
)
def test_answers_that_raise_when_they_are_read_reject_the_order(question):
    class Broken(Market):
        def terms(self, _):
            return ContractTerms(currency="EUR")

        def fx(self, _):
            return 1.1

    setattr(Broken, question, lambda *_: Evil())
    limits = PositionLimits(max_greeks={"delta": 1e9}, max_sector=1e9, max_concentration=math.inf)
    made = engine(limits=limits, market=Broken(), ledger=Ledger(currencies=["EUR"]))
    assert isinstance(made.submit(order()), Rejection)
    assert made.audit.verify().holds


@pytest.mark.parametrize(("answer", "price"), [(np.float32(5.0), 5.0), (Decimal(5), 5.0), (7, 7.0)])
def test_prices_of_all_kinds_of_numbers_count(answer, price):
    assert engine(market=lambda _: answer).submit(order()).price == price


@pytest.mark.parametrize("answer", [True, np.True_, "228", b"5", 1j, 10**400, -0.0, math.inf, np.array([5.0, 6.0])])
def test_what_is_no_price_rejects_the_order(answer):
    assert engine(market=lambda _: answer).submit(order()).reason == "no price available for AAPL"


def test_greeks_are_read_once_as_numbers():
    class Texts(Market):
        def greeks(self, _):
            return {"delta": "5"}

    made = engine(limits=PositionLimits(max_greeks={"delta": 1e9}), market=Texts())
    assert made.submit(order()).reason == "the market's delta of AAPL is '5', not a finite number"


def test_a_market_cannot_trade_while_it_is_asked_but_can_stop_trading():
    class Caller(Market):
        act = None

        def volume(self, _):
            if self.act:
                self.act()

    market = Caller()
    made = engine(market=market)
    made.submit(resting())
    market.act = lambda: made.submit(order())
    assert "called the engine while it was asked" in made.submit(order()).reason
    market.act = lambda: made.kill("fire")
    assert made.on_bar({"AAPL": bar(85, 86, 84, 85)}) == ()
    assert (states(made), made.positions) == (["CANCELLED", "REJECTED"], {})
    market.act = None
    made.resume("out")
    market.act = lambda: made.kill("fire")
    assert made.submit(order()).reason == "trading was stopped: fire"


def test_costs_that_a_market_does_not_say_cost_no_other_instrument_its_bar():
    class Down(Market):
        is_down = False

        def execution(self, instrument, model):
            if self.is_down and instrument == "KO":
                raise ConnectionError
            return model

    market = Down()
    made = engine(market=market)
    for name in ("KO", "AAPL"):
        made.submit(resting(name=name))
    market.is_down = True
    (fill,) = made.on_bar(dict.fromkeys(("KO", "AAPL"), bar(85, 86, 84, 85, volume=1_000)))
    assert (fill.order.instrument_name, states(made)) == ("AAPL", ["REJECTED", "FILLED"])


def test_a_rate_that_is_unknown_blocks_what_opens_in_it_and_no_closing_of_something_else():
    class Rates(Market):
        rate = 1.1

        def terms(self, instrument):
            return ContractTerms(currency="EUR" if instrument == "SAP" else None)

        def fx(self, _):
            return self.rate

    market = Rates()
    made = engine(limits=PositionLimits(max_gross=1e9), market=market, ledger=Ledger(currencies=["EUR"]))
    made.submit(order())
    made.submit(order(name="SAP"))
    market.rate = None
    assert "rate is unknown" in made.submit(order(name="SAP")).reason
    assert isinstance(made.submit(order("SELL", 50)), Fill)
    assert "Gross value after the order: unknown" in made.submit(order(units=10)).reason


@pytest.mark.parametrize("clock", [lambda: "noon", lambda: DAY.replace(tzinfo=None), lambda: 1 / 0])
def test_a_clock_of_an_engine_that_lies_or_raises_is_named(clock):
    made = engine(clock=clock)
    with pytest.raises(TradingError, match="the clock of the engine"):
        made.submit(order())
    assert not made.orders


# --- times --------------------------------------------------------------------------------------------


def test_a_bar_before_what_is_booked_is_refused_and_rejects_no_order():
    made = engine()
    made.submit(order())
    made.submit(resting(120.0, side="SELL", units=10))
    with pytest.raises(TradingError, match="older than the last event in the books"):
        made.on_prices({"AAPL": 130.0}, DAY - dt.timedelta(hours=1))
    assert states(made) == ["FILLED", "PENDING"]


@pytest.mark.parametrize("bars", [5, Bar(DAY.replace(tzinfo=None), 1.0, 1.0, 1.0, 1.0, None)])
def test_what_is_no_bar_with_a_time_is_refused(bars):
    with pytest.raises(TradingError):
        engine().on_bar({"AAPL": bars})
    with pytest.raises(TradingError, match="no mapping"):
        engine().on_prices([5.0])


def test_days_of_orders_are_days_in_utc_whatever_the_zone_of_the_clock():
    evening = dt.datetime(2026, 1, 5, 20, tzinfo=dt.timezone(dt.timedelta(hours=-5)))  # 01:00 UTC on the 6th
    made = engine(clock=lambda: evening)
    made.submit(resting(time_in_force="DAY"))
    made.submit(resting(time_in_force="DAY", name="KO"))
    made.on_prices({"AAPL": 100.0}, dt.datetime(2026, 1, 6, 2, tzinfo=dt.UTC))
    assert states(made) == ["PENDING", "PENDING"]
    made.on_prices({"AAPL": 80.0}, dt.datetime(2026, 1, 7, tzinfo=dt.UTC))
    assert states(made) == ["EXPIRED", "EXPIRED"]  # also where no price came


def test_a_split_and_a_new_name_take_the_last_price_along_and_cancel_what_works():
    made = engine()
    made.submit(order())
    made.submit(resting())
    made.book(SplitEvent(DAY, "AAPL", new=4))
    assert (made.prices, made.working) == ({"AAPL": 25.0}, ())
    made.submit(resting(20.0, price=25.0))
    made.book(SymbolChangeEvent(DAY, "AAPL", "APL"))
    assert (made.prices, made.working) == ({"APL": 25.0}, ())


# --- numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"stop_price": 80.0}, {"trail": 1.0}, {"limit_price": -1.0}])
def test_a_price_that_an_order_cannot_have_is_a_rejection_and_the_trail_can_be_read(given):
    made = engine()
    assert isinstance(made.submit(order(**{"order_type": "LIMIT", "limit_price": 90.0} | given)), Rejection)
    assert engine(audit=made.audit).orders == made.orders


def test_a_market_order_with_a_limit_is_refused_with_and_without_latency():
    for latency in (0, 1):
        assert "has no limit_price" in engine(ExecutionModel(latency=latency)).submit(order(limit_price=90.0)).reason


def test_a_whole_number_above_all_floats_is_no_quantity():
    with pytest.raises(TradingError, match="not a finite number"):
        order(units=10**400)


@pytest.mark.parametrize("price", [2e12, 1e-9])
def test_brackets_protect_positions_at_any_price(price):
    made = engine()
    assert isinstance(made.submit(order(price=price).bracketed(stop_loss=0.7 * price)), Fill)
    (fill,) = made.on_prices({"AAPL": 0.5 * price})
    assert (fill.price, made.positions) == (0.5 * price, {})


def test_a_bar_with_more_volume_than_a_day_fills_what_the_cap_allows():
    made = engine(ExecutionModel(participation_cap=0.1), volumes={"AAPL": 1_000.0})
    made.submit(resting(units=250))
    sizes = [made.on_bar({"AAPL": bar(85, 86, 84, 85, volume=9_000, day=day)})[0].quantity for day in range(3)]
    assert sizes == [100.0, 100.0, 50.0]


def test_prices_without_a_volume_share_the_volume_of_the_day():
    made = engine(ExecutionModel(participation_cap=0.1), volumes={"AAPL": 1_000.0})
    made.submit(resting(units=250))
    sizes = [[fill.quantity for fill in made.on_prices({"AAPL": 85.0})] for _ in range(2)]
    assert sizes == [[100.0], []]


def test_the_rounding_of_a_cap_is_not_filled():
    made = engine(ExecutionModel(participation_cap=0.1, fee_per_order=1.0), volumes={"AAPL": 3.0})
    for _ in range(2):
        made.submit(order(units=0.1))
    made.submit(order(units=0.1 - 1e-17))
    assert "used up" in made.submit(order(units=10)).reason


# --- restarts, and trails of others ---------------------------------------------------------------------


def test_a_stop_of_trading_holds_after_a_restart_until_it_is_resumed():
    made = engine()
    made.kill("fire")
    again = engine(audit=made.audit)
    assert again.submit(order()).reason == "trading was stopped: fire"
    again.resume("out")
    assert isinstance(engine(audit=made.audit).submit(order()), Fill)


def test_brackets_of_equal_parts_survive_a_restart_each():
    made = engine(ExecutionModel(participation_cap=0.1, latency=1))
    made.submit(order().bracketed(stop_loss=90.0, take_profit=120.0))
    for day in range(3):
        made.on_bar({"AAPL": bar(100, 101, 99, 100, volume=500, day=day)})
    again = engine(audit=made.audit)
    assert [each.orders for each in again.order_book.waiting] == [each.orders for each in made.order_book.waiting]
    assert [fill.quantity for fill in again.on_bar({"AAPL": bar(89, 90, 88, 89, day=3)})] == [50.0, 50.0]
    assert (again.positions, again.working) == ({}, ())


def test_a_stop_that_was_reached_goes_on_at_the_market_after_a_restart():
    capped = ExecutionModel(participation_cap=0.1)
    made = engine(capped, volumes={"KO": 1e4})
    made.submit(order(order_type="STOP", stop_price=110.0))
    made.submit(order(name="KO").bracketed(stop_loss=90.0))
    made.on_bar(dict.fromkeys(("AAPL", "KO"), bar(111, 112, 80, 111, volume=500)))
    again = engine(capped, audit=made.audit)
    fills = again.on_bar(dict.fromkeys(("AAPL", "KO"), bar(100, 101, 99, 100, volume=9_000, day=1)))
    assert [(fill.quantity, fill.price) for fill in fills] == [(50.0, 100), (50.0, 100)]


def test_orders_in_the_name_of_another_one_work_after_a_restart():
    made = engine()
    made.submit_schedule(order().protecting("X"), [50, 50])
    assert engine(audit=made.audit).orders == made.orders


def test_orders_quoted_above_par_are_the_same_after_a_restart():
    class Swaps(Market):
        def terms(self, _):
            return ContractTerms(par=90.0)

    made = engine(market=Swaps())
    assert made.submit(order()).price == 100.0
    assert engine(audit=made.audit).orders == made.orders
    assert made.ledger.cash == {"USD": -1_000.0}


@pytest.mark.parametrize("kind", ["FILL", "BOOK", "ORDER_SUBMIT"])
def test_an_event_of_others_with_a_name_of_ours_is_named(kind):
    trail = AuditTrail()
    trail.log("SIGNAL")
    trail.log(kind, "Alice", "AAPL", {"units": 1.0}, "X")
    with pytest.raises(TradingError, match=f"event 2 of the audit trail is no {kind}"):
        TradingEngine(audit=trail)


# --- interruptions --------------------------------------------------------------------------------------

UNDONE_BY_NO_SIGNAL = {"self._asker = before", "self._depth = 0", "self._depth = depth"}  # assignments in a finally

ACTIONS = {
    "fill": lambda made: made.submit(order(units=2_000).bracketed(stop_loss=90.0, take_profit=120.0)),
    "ioc": lambda made: made.submit(order(units=2_000, time_in_force="IOC")),
    "rest": lambda made: made.submit(resting()),
    "refuse": lambda made: made.submit(order(price=None)),
    "bar": lambda made: made.on_bar({"AAPL": bar(100, 112, 99, 105), "KO": bar(92, 93, 78, 91, volume=700)}),
    "kill": lambda made: made.kill("fire"),
    "split": lambda made: made.book(SplitEvent(DAY, "AAPL", new=2)),
}


def scene(trail):
    made = engine(ExecutionModel(participation_cap=0.1), audit=trail, volumes=dict.fromkeys(("AAPL", "KO"), 1e4))
    made.submit(order().bracketed(stop_loss=95.0, take_profit=110.0))
    made.submit(resting(name="KO").bracketed(stop_loss=80.0, take_profit=95.0))
    return made


def interrupted(made, action, at):
    """Do something, and interrupt it at the given line of the engine; return whether it came so far."""
    lines = 0

    def watch(frame, event, _):
        nonlocal lines
        if "trading_engine" not in frame.f_code.co_filename:
            return None
        if event == "line":
            lines += 1
            here = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            if lines == at and here not in UNDONE_BY_NO_SIGNAL:
                sys.settrace(None)
                raise KeyboardInterrupt
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        with contextlib.suppress(KeyboardInterrupt):  # the interruption of the test
            action(made)
    finally:
        sys.settrace(before)
    return lines >= at


def agrees(made):
    """Orders, what works and the ledger are those of the trail."""
    works = {each.order_id: each for each in made.working}
    booked = replay(made.audit)
    assert made.orders == known_orders(made.audit)
    assert works == {name: each for name, each in made.orders.items() if each.status.is_open}
    assert (made.ledger.cash, made.ledger.positions) == (booked.cash, booked.positions)
    assert made.ledger.events == booked.events
    assert made.ledger.reconcile().holds


def check_interruptions(action, step):
    for at in count(1, step):
        made = scene(AuditTrail())
        if not interrupted(made, action, at):
            break
        agrees(made)
        made.submit(order(units=1, name="PEP"))
        agrees(made)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_trail_books_and_orders_agree_wherever_an_engine_is_interrupted(action):
    check_interruptions(action, 211)


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_trail_books_and_orders_agree_after_an_interruption_at_every_line(action):
    check_interruptions(action, 1)


def test_a_store_that_fails_in_the_middle_leaves_no_half_of_a_fill(tmp_path, monkeypatch):
    with BarbaraDB.open("trading", path=tmp_path / "trading.db") as db:
        made = scene(AuditTrail(db))
        written, real = [], type(db).compare_and_set

        def failing(*arguments):
            written.append(arguments)
            if len(written) == 3:
                raise StoreError("disk full")
            return real(*arguments)

        monkeypatch.setattr(type(db), "compare_and_set", failing)
        with pytest.raises(StoreError):
            ACTIONS["fill"](made)
        agrees(made)
        assert isinstance(made.submit(resting()), Working)
        assert AuditTrail(db).verify().events == len(made.audit)


def test_an_order_that_was_interrupted_before_its_check_works_in_no_engine():
    def raising(_):
        raise KeyboardInterrupt

    made = engine(market=raising)
    with pytest.raises(KeyboardInterrupt):
        made.submit(order())
    assert not made.orders
    assert not engine(audit=made.audit).orders
    assert made.audit.verify().holds


def test_orders_cannot_fill_while_trading_is_stopped_even_if_their_cancellation_failed(monkeypatch):
    made = engine()
    made.submit(resting())
    monkeypatch.setattr(made.audit, "log", lambda *_, **__: (_ for _ in ()).throw(StoreError("disk full")))
    with pytest.raises(StoreError):
        made.kill("fire")
    monkeypatch.undo()
    assert made.on_bar({"AAPL": bar(85, 86, 84, 85)}) == ()
    assert made.orders["ORD-000001"].status is OrderStatus.PENDING


TRADING = """
import subprocess
import sys
import time
from bank_python.barbara import BarbaraDB
from bank_python.trading_engine import AuditTrail, Order, PositionLimits, TradingEngine

with BarbaraDB.open("trading", path=sys.argv[1]) as db:
    made = TradingEngine(limits=PositionLimits(max_position=1e12, max_concentration=1e12), audit=AuditTrail(db))
    print("trading", flush=True)
    while True:
        made.submit(Order("", "Alice", "AAPL", "BUY", 1, price=100.0).bracketed(stop_loss=95.0, take_profit=110.0))
"""


@pytest.mark.slow
def test_a_killed_process_leaves_no_fill_without_its_protection(tmp_path):
    path = tmp_path / "trading.db"
    for seconds in (0.05, 0.11, 0.23):
        with subprocess.Popen([sys.executable, "-c", TRADING, str(path)], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(seconds)
            process.kill()
        with BarbaraDB.open("trading", path=path) as db:
            made = engine(audit=AuditTrail(db))
            agrees(made)
            protected = math.fsum(each.orders[0].remaining for each in made.order_book.waiting)
            assert protected == made.positions.get("AAPL", 0.0)
            assert all(len(each.orders) == 2 for each in made.order_book.waiting)
