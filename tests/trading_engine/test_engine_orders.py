"""Brackets, schedules, prices in place of bars, lots by order, margin, several traders, and what survives a restart."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.errors import StoreError, TradingError
from bank_python.market_data import Bar
from bank_python.risk_models import execution_schedule
from bank_python.trading_engine import (
    AuditTrail,
    ContractTerms,
    DepositEvent,
    DividendEvent,
    ExecutionModel,
    Fill,
    Ledger,
    MarginRates,
    Market,
    Order,
    OrderStatus,
    PositionLimits,
    Rejection,
    SplitEvent,
    TradingEngine,
    Working,
    replay,
)

DAY = dt.datetime(2026, 1, 5, 21, tzinfo=dt.UTC)
FREE = PositionLimits(max_position=math.inf, max_concentration=math.inf)


def bar(opened, high, low, close, volume=None, day=0):
    return Bar(DAY + dt.timedelta(days=day), opened, high, low, close, volume)


def order(side="BUY", units=100, **given):
    return Order("", given.pop("trader", "Alice"), given.pop("name", "AAPL"), side, units, **{"price": 100.0} | given)


def engine(execution=None, limits=FREE, **given):
    return TradingEngine(execution, limits, **{"clock": lambda: DAY} | given)


def states(made):
    return {name: each.status.value for name, each in made.orders.items()}


# --- brackets ------------------------------------------------------------------------------------


def test_a_bracket_closes_at_its_target_and_cancels_the_stop():
    made = engine()
    entry = made.submit(order().bracketed(stop_loss=95.0, take_profit=110.0))
    assert [(each.order_type.value, each.parent) for each in made.working] == [
        ("STOP", entry.order_id),
        ("LIMIT", entry.order_id),
    ]
    assert made.on_bar(bar(101, 104, 96, 103)) == ()
    (fill,) = made.on_bar(bar(104, 111, 103, 108, day=1))
    assert (fill.price, fill.order.order_type.value, made.positions) == (110.0, "LIMIT", {})
    assert states(made) == {"ORD-000001": "FILLED", "ORD-000002": "CANCELLED", "ORD-000003": "FILLED"}


def test_of_a_bar_that_touches_stop_and_target_the_stop_fills():
    made = engine()
    made.submit(order("SELL").bracketed(stop_loss=105.0, take_profit=90.0))
    (fill,) = made.on_bar(bar(100, 106, 89, 100))
    assert (fill.price, fill.order.side.value) == (105.0, "BUY")
    assert not made.working


def test_a_bracket_works_on_the_bar_that_filled_its_entry():
    made = engine()
    made.submit(order(order_type="LIMIT", limit_price=98.0).bracketed(stop_loss=95.0))
    entry, stop = made.on_bar(bar(100, 101, 94, 96))
    assert (entry.price, stop.price) == (98.0, 95.0)
    assert not made.positions


def test_a_bracket_with_one_side_and_a_gap():
    made = engine()
    made.submit(order().bracketed(take_profit=110.0))
    assert made.on_bar(bar(100, 101, 1, 2)) == ()
    (fill,) = made.on_bar(bar(115, 116, 114, 115, day=1))
    assert fill.price == 115.0


def test_each_partial_fill_of_an_entry_is_protected():
    made = engine(ExecutionModel(participation_cap=0.1, latency=1))
    made.submit(order(units=150).bracketed(stop_loss=90.0))
    for day in range(3):
        made.on_bar(bar(100, 101, 99, 100, volume=1_000, day=day), "AAPL")
    assert [each.quantity for each in made.working] == [100.0, 50.0]
    fills = made.on_bar(bar(89, 90, 88, 89, volume=600, day=3), "AAPL")
    assert [fill.quantity for fill in fills] == [60.0]
    fills = made.on_bar(bar(95, 96, 94, 95, volume=2_000, day=4), "AAPL")  # triggered: at the market
    assert [(fill.quantity, fill.price) for fill in fills] == [(40.0, 95)]


@pytest.mark.parametrize(
    "given", [{}, {"stop_loss": 110.0, "take_profit": 100.0}, {"stop_loss": -1.0}, {"take_profit": math.nan}]
)
def test_what_is_no_bracket_is_refused(given):
    with pytest.raises(TradingError):
        order().bracketed(**given)


def test_cancelling_one_side_of_a_bracket_leaves_the_other():
    made = engine()
    made.submit(order().bracketed(stop_loss=95.0, take_profit=110.0))
    made.cancel("ORD-000003")
    (fill,) = made.on_bar(bar(94, 95, 93, 94))
    assert fill.order.order_type.value == "STOP"


def test_a_bracket_closes_what_is_held_and_no_more():
    made = engine()
    made.submit(order().bracketed(stop_loss=95.0, take_profit=110.0))
    made.submit(order("SELL", 60))
    (fill,) = made.on_bar(bar(96, 97, 90, 92))
    assert (fill.quantity, fill.order.status, made.positions, made.working) == (40.0, OrderStatus.CANCELLED, {}, ())


def test_a_bracket_ends_with_the_position_that_it_protects():
    made = engine()
    made.submit(order().bracketed(stop_loss=95.0, take_profit=110.0))
    made.submit(order("SELL", 150))
    assert (made.working, made.positions) == ((), {"AAPL": -50.0})
    assert "nothing is left to close" in {event.why for event in made.audit if event.event_type == "CANCEL"}
    made.submit(order(units=70).bracketed(stop_loss=95.0))
    assert [each.quantity for each in made.working] == [20.0]


def test_a_bracket_does_not_count_as_a_sale_that_could_open():
    made = engine(limits=PositionLimits(max_position=10_000.0, max_concentration=math.inf))
    made.submit(order().bracketed(stop_loss=95.0, take_profit=110.0))
    assert isinstance(made.submit(order("SELL", 200)), Fill)


@pytest.mark.parametrize(
    ("side", "terms", "bracket", "said"),
    [
        ("BUY", {}, {"stop_loss": 101.0}, "stop_loss=101 of a BUY order has to be below 100"),
        ("BUY", {}, {"take_profit": 100.0}, "take_profit=100 of a BUY order has to be above 100"),
        ("SELL", {}, {"stop_loss": 99.0}, "stop_loss=99 of a SELL order has to be above 100"),
        ("BUY", {"order_type": "LIMIT", "limit_price": 105.0}, {"stop_loss": 102.0}, "has to be below 100"),
        ("BUY", {"order_type": "LIMIT", "limit_price": 90.0}, {"stop_loss": 95.0}, "has to be below 90"),
        ("SELL", {"order_type": "STOP", "stop_price": 90.0}, {"take_profit": 95.0}, "has to be below 90"),
    ],
)
def test_a_bracket_on_the_wrong_side_of_the_entry_is_refused(side, terms, bracket, said):
    made = engine()
    reply = made.submit(order(side, **terms).bracketed(**bracket))
    assert isinstance(reply, Rejection)
    assert said in reply.reason
    assert made.working == ()


def test_slippage_of_a_stop_is_measured_from_its_level():
    made = engine()
    made.submit(order().bracketed(stop_loss=95.0, take_profit=110.0))
    assert [each.price for each in made.working] == [95.0, 110.0]


def test_entries_that_work_are_cancelled_once_the_loss_stop_is_reached():
    made = engine(limits=PositionLimits(max_position=math.inf, max_loss=500.0))
    made.submit(order())
    made.submit(order(order_type="LIMIT", limit_price=90.0))
    keeps = made.submit(order("SELL", order_type="LIMIT", limit_price=120.0))
    made.on_bar(bar(99, 99, 94, 94))
    assert [each.order_id for each in made.working] == [keeps.order_id]
    assert "the loss of 600.00 has reached the stop" in {event.why for event in made.audit}


def test_the_loss_of_one_trader_stops_the_entries_of_that_trader_and_of_the_firm_those_of_all():
    books = {"Alice": Ledger(), "Bob": Ledger()}
    limits = {"Alice": PositionLimits(max_loss=500.0, max_position=math.inf), "Bob": FREE}
    firm = PositionLimits(max_position=math.inf, max_loss=1_000.0)
    made = engine(limits=limits, ledger=books, firm=firm)
    made.submit(order())
    for name in ("Alice", "Bob"):
        made.submit(order(trader=name, order_type="LIMIT", limit_price=50.0))
    made.on_prices({"AAPL": 94.0})
    assert [each.trader for each in made.working] == ["Bob"]
    made.on_prices({"AAPL": 89.0})
    assert made.working == ()


def test_orders_that_work_on_other_instruments_count_for_limits_that_add_up():
    made = engine(limits=PositionLimits(max_position=math.inf, max_gross=20_000.0))
    for name in ("AAPL", "MSFT"):
        assert isinstance(made.submit(order(name=name, order_type="LIMIT", limit_price=90.0)), Working)
    assert "Gross value after the order: 30,000 is above 20,000" in made.submit(order(name="NVDA")).reason


def test_the_table_of_fills_survives_a_restart(tmp_path):
    with BarbaraDB.open(path=tmp_path / "bank.db") as db:
        made = engine(ExecutionModel(slippage_bps=10.0, commission_pct=0.001), audit=AuditTrail(db))
        fill = made.submit(order(strategy="momentum"))
        made.submit(order("SELL", 40))
        again = engine(audit=AuditTrail(db))
        assert [dict(row) for row in again.fills] == [dict(row) for row in made.fills]
        first = dict(next(iter(again.fills)))
    assert (first["quantity"], first["price"], first["reference"]) == (100.0, fill.price, 100.0)
    assert (first["fees"], first["strategy"], first["side"]) == (fill.fees, "momentum", "BUY")


def test_the_trail_has_the_time_of_the_engine():
    made = engine()
    made.submit(order())
    assert {event.timestamp for event in made.audit} == {DAY}


def test_a_trail_takes_an_open_store():
    with pytest.raises(TradingError, match=r"AuditTrail\('bank.db'\) takes an open store; give AuditTrail\(BarbaraDB"):
        AuditTrail("bank.db")


def test_an_order_may_wait_for_the_next_bar_although_it_could_fill_at_once():
    made = engine()
    waits = made.submit(order(), at_once=False)
    assert isinstance(waits, Working)
    (fill,) = made.on_bar(bar(103, 104, 99, 100))
    assert (fill.price, fill.order.order_id) == (103.0, waits.order_id)
    assert isinstance(made.submit(order(units=1e9), at_once=False), Working)


def test_answers_say_themselves_in_a_line():
    made = engine()
    assert str(made.submit(order())) == "ORD-000001 FILLED: BUY 100 AAPL at 100.0000"
    waits = made.submit(order(order_type="LIMIT", limit_price=90.0))
    assert str(waits) == "ORD-000002 works: BUY 100 AAPL LIMIT"
    made.kill("lunch")
    assert str(made.submit(order())) == "ORD-000003 REJECTED: trading was stopped: lunch"


def test_a_bar_asks_the_orders_of_its_instrument_only():
    made, asked = engine(), []
    for i in range(60):
        made.submit(order(name=f"N{i % 20}", order_type="LIMIT", limit_price=90.0, trader=("Alice", "Bob")[i % 2]))
    for waiting in made.order_book.waiting:
        waiting.meet = lambda *_, name=waiting.instrument, **__: asked.append(name)
    made.on_bar(bar(100, 101, 99, 100), "N4")
    made.on_prices({"N5": 100.0, "KO": 60.0}, DAY)
    assert asked == ["N4"] * 3 + ["N5"] * 3
    for each in made.order_book.get_open_orders("Alice"):
        made.cancel(each.order_id)
    assert (len(made.working), made.order_book.waiting_on("N4")) == (30, ())


# --- schedules, prices, volume -----------------------------------------------------------------------


def test_a_parent_order_is_traded_by_its_schedule():
    made = engine()
    plan = execution_schedule(
        1_000, 5, 5, vol=0.95, half_spread=0.06, permanent_impact=2.5e-7, temporary_impact=2.5e-6, risk_aversion=1e-6
    )
    assert isinstance(made.submit_schedule(order(units=1_000), plan), Working)
    sizes = []
    for day in range(6):
        sizes += [fill.quantity for fill in made.on_bar({"AAPL": bar(100, 101, 99, 100, day=day)})]
    assert sizes == pytest.approx(plan.trades.tolist())
    assert states(made) == {"ORD-000001": "FILLED"}


def test_what_a_bar_lets_through_of_a_schedule_goes_on():
    made = engine(ExecutionModel(participation_cap=0.1))
    made.submit_schedule(order(units=300), [100, 100, 100])
    sizes = []
    for day, volume in enumerate([500, 5_000, 500, 5_000]):
        bars = {"AAPL": bar(100, 101, 99, 100, volume=volume, day=day)}
        sizes += [fill.quantity for fill in made.on_bar(bars)]
    assert sizes == [50.0, 150.0, 50.0, 50.0]


@pytest.mark.parametrize("parts", [[50, 49], [150, -50], [math.nan, 100], "all", [], [[100]]])
def test_parts_that_are_not_the_order_are_refused(parts):
    made = engine()
    with pytest.raises(TradingError):
        made.submit_schedule(order(), parts)
    assert not made.orders


def test_prices_in_place_of_bars_fill_a_limit_that_they_equal():
    made = engine()
    made.submit(order(order_type="LIMIT", limit_price=90.0))
    assert made.on_prices({"AAPL": 90.01, "KO": 60.0}) == ()
    (fill,) = made.on_prices({"AAPL": 90.0})
    assert fill.price == 90.0
    with pytest.raises(TradingError):
        made.on_prices({"AAPL": math.nan})


def test_the_volume_of_a_day_is_shared_by_its_orders_and_an_ioc_order_takes_what_is_there():
    made = engine(ExecutionModel(participation_cap=0.1), volumes={"AAPL": 1_000.0})
    first = made.submit(order(units=80))
    second = made.submit(order(units=80, time_in_force="IOC"))
    assert (first.quantity, second.quantity, second.order.status) == (80.0, 20.0, OrderStatus.CANCELLED)
    assert "used up" in made.submit(order(units=10)).reason
    assert made.positions == {"AAPL": 100.0}


def test_an_order_that_cannot_be_filled_costs_no_other_its_bar():
    made = engine(ExecutionModel(impact="square_root"), volumes={"KO": 1e6}, vols={"KO": 0.01})
    made.submit(order(order_type="LIMIT", limit_price=90.0))  # no figures of AAPL for the impact
    made.submit(order(order_type="LIMIT", limit_price=90.0, name="KO"))
    (fill,) = made.on_bar(dict.fromkeys(("AAPL", "KO"), bar(85, 86, 84, 85)))
    assert fill.order.instrument_name == "KO"
    assert made.orders["ORD-000001"].status is OrderStatus.REJECTED
    assert "needs adv" in made.orders["ORD-000001"].reject_reason


# --- what markets say ----------------------------------------------------------------------------------


class Options(Market):
    def terms(self, _):
        return ContractTerms(multiplier=100.0)

    def greeks(self, _):
        return {"delta": 50.0}

    def is_open(self, instrument, _):
        return instrument != "CLOSED"


def test_money_of_limits_fees_and_cash_has_the_multiplier():
    limits = PositionLimits(max_position=25_000.0, max_concentration=math.inf)
    made = engine(ExecutionModel(commission_pct=0.01), limits, market=Options())
    fill = made.submit(order(units=2))
    assert fill.fees == 200.0
    assert made.ledger.cash["USD"] == -20_200.0
    assert made.submit(order(units=1)).reason == "Position of AAPL after the order: 30,000 is above 25,000 (money)"


def test_greeks_are_checked_before_and_what_lowers_them_passes():
    limits = PositionLimits(max_position=math.inf, max_concentration=math.inf, max_greeks={"delta": 120.0})
    made = engine(limits=limits, market=Options())
    made.submit(order(units=2))
    refused = made.submit(order(units=1))
    assert refused.reason == "Delta after the order: 150 is above 120 (delta)"
    assert isinstance(made.submit(order("SELL", 1, name="KO")), Fill)


def test_a_closed_market_is_named():
    assert engine(market=Options()).submit(order(name="CLOSED")).reason == "the market of CLOSED is closed"


@pytest.mark.parametrize("answer", [math.nan, -1.0, "many", RuntimeError("down")])
@pytest.mark.parametrize("question", ["volume", "vol", "terms", "greeks", "sector", "fx"])
def test_nonsense_of_a_market_rejects_the_order_and_nothing_is_booked(question, answer):
    class Broken(Market):
        def terms(self, _):
            return ContractTerms(currency="EUR")

        def fx(self, _):
            return 1.1

    def said(self, *_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    setattr(Broken, question, said)
    made = engine(
        ledger=Ledger(currencies=["EUR"]),
        market=Broken(),
        limits=PositionLimits(max_greeks={"delta": 1.0}, max_sector=1e9, max_concentration=math.inf),
    )
    reply = made.submit(order())
    if question == "sector" and not isinstance(answer, Exception):
        assert isinstance(reply, Fill)
        return
    assert isinstance(reply, Rejection)
    assert not made.positions
    assert made.audit.verify().holds


# --- lots, margin, accounts --------------------------------------------------------------------------------


def test_an_order_names_the_lots_that_it_closes():
    made = engine(ledger=Ledger(method="named"))
    made.submit(order(units=100, price=10.0))
    made.submit(order(units=100, price=12.0))
    names = [lot.id for lot in made.ledger.positions["AAPL"].lots.open_lots]
    assert isinstance(made.submit(order("SELL", 50, price=15.0).closing("no such lot")), Rejection)
    made.submit(order("SELL", 100, price=15.0).closing(names[1]))
    assert made.ledger.realised == {"AAPL": 300.0}
    with pytest.raises(TradingError):
        order().closing()


def margined(rates, cash=8_000.0):
    made = engine(limits=PositionLimits(max_position=math.inf, max_concentration=math.inf, margin=rates))
    made.book(DepositEvent(DAY, cash))
    return made


def test_initial_margin_is_required_before_the_order():
    made = margined(MarginRates(0.5, 0.4))
    refused = made.submit(order(units=170))
    assert refused.reason == "Initial margin after the order: 8,500 is above 8,000 (money of equity)"
    assert isinstance(made.submit(order(units=160)), Fill)


def test_a_margin_call_closes_no_more_than_needed():  # the SEC's example: 16,000 of shares with a loan of 8,000
    made = margined(MarginRates(0.5, 0.4))
    made.submit(order(units=1_000, price=16.0))
    assert made.margin_call() == ()
    made.on_prices({"AAPL": 12.0})
    (fill,) = made.margin_call()
    assert fill.quantity == pytest.approx(800.0 / 0.4 / 12.0)
    assert made.margin_call() == ()
    assert "MARGIN_CALL" in [event.event_type for event in made.audit]


def test_traders_have_books_and_limits_of_their_own_and_the_firm_one_together():
    made = engine(
        limits={"Alice": FREE, "Bob": PositionLimits(max_position=5_000.0)},
        ledger={"Alice": Ledger(), "Bob": Ledger()},
        firm=PositionLimits(max_position=15_000.0, max_concentration=math.inf),
    )
    assert isinstance(made.submit(order()), Fill)
    assert isinstance(made.submit(order(trader="Bob")), Rejection)
    assert isinstance(made.submit(order(trader="Bob", units=40)), Fill)
    assert made.submit(order(units=20)).reason.startswith("Firm: Position of AAPL after the order: 16,000")
    assert "'Zoe' has no limits" in made.submit(order(trader="Zoe")).reason
    assert (made.positions, made.books.units("Bob")) == ({"AAPL": 140.0}, {"AAPL": 40.0})
    assert replay(made.audit, trader="Bob").positions == made.books.ledger("Bob").positions
    with pytest.raises(TradingError, match="several traders have accounts"):
        _ = made.ledger


def test_the_loss_stop_is_not_blind_without_a_price():
    books = Ledger()
    books.book({"kind": "fill", "when": DAY, "instrument": "KO", "quantity": 10, "price": 60.0})
    limits = PositionLimits(max_position=math.inf, max_concentration=math.inf, max_loss=500.0)
    made = engine(limits=limits, ledger=books)
    assert "unknown" in made.submit(order()).reason
    made.on_prices({"KO": 61.0})
    assert isinstance(made.submit(order()), Fill)


# --- other events, restarts ---------------------------------------------------------------------------------


def test_deposits_and_dividends_are_audited_and_replayed_and_a_split_cancels_what_works():
    made = engine()
    made.book(DepositEvent(DAY, 50_000.0))
    made.submit(order())
    made.submit(order("SELL", 10, order_type="LIMIT", limit_price=120.0))
    made.book(DividendEvent(DAY, "AAPL", 0.5))
    made.book(SplitEvent(DAY, "AAPL", new=2, old=1))
    assert not made.working
    assert made.positions == {"AAPL": 200.0}
    assert replay(made.audit).cash == made.ledger.cash == {"USD": 40_050.0}
    with pytest.raises(TradingError):
        made.book(DividendEvent(DAY, "KO", 0.5))
    with pytest.raises(TradingError, match="booked by an order"):
        made.book("dividend")


def test_an_engine_on_a_stored_trail_goes_on_where_it_was(tmp_path):
    path = tmp_path / "trading.db"
    with BarbaraDB.open("trading", path=path) as db:
        made = engine(ExecutionModel(participation_cap=0.1), audit=AuditTrail(db))
        made.book(DepositEvent(DAY, 1e6))
        made.submit(order(order_type="LIMIT", limit_price=90.0))
        made.submit_schedule(order(units=300, name="KO"), [100, 100, 100])
        made.on_bar({"KO": bar(100, 101, 99, 100, volume=500)})
    with BarbaraDB.open("trading", path=path) as db:
        again = engine(ExecutionModel(), audit=AuditTrail(db))
        assert states(again) == states(made)
        assert again.orders == made.orders
        assert again.ledger.cash == made.ledger.cash
        fills = again.on_bar(dict.fromkeys(("AAPL", "KO"), bar(89, 90, 88, 89, day=1)))
        assert [(fill.order.instrument_name, fill.quantity) for fill in fills] == [("AAPL", 100.0), ("KO", 50.0)]
        assert again.submit(order()).order_id == "ORD-000003"


def test_a_bracket_survives_a_restart_as_one(tmp_path):
    path = tmp_path / "trading.db"
    with BarbaraDB.open("trading", path=path) as db:
        engine(audit=AuditTrail(db)).submit(order().bracketed(stop_loss=95.0, take_profit=110.0))
    with BarbaraDB.open("trading", path=path) as db:
        again = engine(audit=AuditTrail(db))
        (fill,) = again.on_bar(bar(94, 120, 93, 100))
        assert fill.price == 94
        assert (again.positions, again.working) == ({}, ())


def test_a_store_that_fails_leaves_neither_fill_nor_event(tmp_path, monkeypatch):
    with BarbaraDB.open("trading", path=tmp_path / "trading.db") as db:
        made = engine(audit=AuditTrail(db))
        made.submit(order())
        monkeypatch.setattr(type(db), "compare_and_set", lambda *_: (_ for _ in ()).throw(StoreError("disk full")))
        with pytest.raises(StoreError):
            made.submit(order())
        monkeypatch.undo()
        assert made.positions == {"AAPL": 100.0}
        assert (len(made.audit), made.audit.verify().holds) == (2, True)
        made.submit(order())
        assert made.positions == {"AAPL": 200.0}


def test_events_of_a_block_are_kept_together_or_not_at_all(tmp_path):
    with BarbaraDB.open("trading", path=tmp_path / "trading.db") as db:
        trail = AuditTrail(db)
        trail.log("SIGNAL")

        def failing():
            with trail.together():
                trail.log("SIGNAL")
                db["/x"] = 1
                raise KeyError

        with pytest.raises(KeyError):
            failing()
        assert (len(trail), trail.verify().holds, db.get("/x")) == (1, True, None)
        with db.transaction(), pytest.raises(TradingError, match=r"begin with trail\.together"):
            trail.log("SIGNAL")
        with trail.together():
            trail.log("SIGNAL")
            trail.log("SIGNAL")
        assert [event.number for event in AuditTrail(db)] == [1, 2, 3]


def test_a_clock_that_lies_or_raises_leaves_the_trail_usable():
    trail = AuditTrail(clock=lambda: "noon")
    with pytest.raises(TradingError, match="the clock of the trail says 'noon'"):
        trail.log("SIGNAL")
    assert trail.verify().events == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["MARKET", "LIMIT", "STOP", "BRACKET", "SCHEDULE"]),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 300),
        st.tuples(*[st.integers(80, 120)] * 4),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_cash_and_positions_are_those_of_the_fills_whatever_the_orders(steps):
    made = engine(ExecutionModel(fee_per_share=0.01, participation_cap=0.2), clock=None)
    fills = []
    for day, (kind, side, units, levels) in enumerate(steps):
        low, high = float(min(levels)), float(max(levels))
        fills += made.on_bar({"AAPL": bar(float(levels[0]), high, low, float(levels[1]), volume=1_000, day=day)})
        prices = {"LIMIT": {"limit_price": low}, "STOP": {"stop_price": high}}.get(kind, {})
        asked = order(side, units, order_type=kind if prices else "MARKET", price=float(levels[1]), **prices)
        if kind == "BRACKET":
            wide = {"stop_loss": 70.0, "take_profit": 130.0}
            asked = asked.bracketed(**wide if side == "BUY" else dict(zip(wide, (130.0, 70.0), strict=True)))
        reply = made.submit_schedule(asked, [units / 2] * 2) if kind == "SCHEDULE" else made.submit(asked)
        fills += [reply] if isinstance(reply, Fill) else []
    held = math.fsum(fill.signed_quantity for fill in fills)
    paid = math.fsum(-fill.signed_quantity * fill.price - fill.fees for fill in fills)
    assert made.positions.get("AAPL", 0.0) == pytest.approx(held, abs=1e-9)
    assert made.ledger.cash.get("USD", 0.0) == pytest.approx(paid, abs=0.011 * (2 * len(fills) + 1))
    assert made.ledger.reconcile().holds
    assert made.audit.verify().holds
    assert replay(made.audit).cash == made.ledger.cash
    assert TradingEngine(audit=made.audit).orders == made.orders
