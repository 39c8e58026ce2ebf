"""The desk trades: signals become orders, orders trades, and every step is in the audit trail; nothing half-booked."""

from __future__ import annotations

import datetime as dt
import json
import math
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from bank_python.desk import Desk, DeskSettings, build_desk
from bank_python.desk.contract_names import ContractNames
from bank_python.desk.live.live_desk import LiveDesk
from bank_python.desk.trading import DeskTrading
from bank_python.errors import DeskError, StoreError, TradingError
from bank_python.trading_engine import Fill, Ledger, Rejection, Side, Signal, SignalRule, Working, replay

CURRENCIES = ["JPY", "CHF", "CAD", "EUR"]


@pytest.fixture
def desk():
    with build_desk(seed=7) as made:
        yield made


@pytest.fixture
def trading(desk):
    return DeskTrading(desk)


def quantity(desk, trader, name):
    position = desk.traders[trader].position_in(desk.graph.node(name))
    return 0.0 if position is None else position.quantity


def kinds(trading):
    return [event.event_type for event in trading.engine.audit]


# --- orders by hand ------------------------------------------------------------------------------


def test_a_fill_is_a_trade_of_the_desk_with_its_fees_and_its_order(desk, trading):
    before, cost = quantity(desk, "Alice", "NVDA"), desk.traders["Alice"].positions[0].cost_basis
    fill = trading.order("Alice", "NVDA", "BUY", 100, reason="by hand")
    (trade,) = desk.blotter.last(1)
    assert (trade.quantity, trade.price, trade.fees, trade.order_id) == (100.0, fill.price, 0.5, fill.order_id)
    assert quantity(desk, "Alice", "NVDA") - before == 100.0
    paid = desk.traders["Alice"].positions[0].cost_basis - cost
    assert paid == pytest.approx(100.0 * fill.price + 0.5, abs=0.005)
    assert kinds(trading) == ["ORDER_SUBMIT", "FILL"]


def test_an_order_costs_spread_slippage_and_fees_and_no_more(desk, trading):
    desk.graph.recalculate()
    before, price = desk.firm_pnl.value, desk.graph.node("AAPL").value
    fill = trading.order("Alice", "AAPL", "BUY", 1_000)
    assert fill.price == pytest.approx(price * 1.0002)  # half of 2 bp, and 1 bp
    assert desk.firm_pnl.value - before == pytest.approx(-1_000 * price * 0.0002 - 5.0, abs=0.01)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (("Alice", "AAPL", "BUY", 1e6), "Value of the order"),
        (("Tony", "NVDA", "BUY", 70_000), "Concentration of NVDA after the order"),
        (("Alice", "AAPL", "BUY", 100, "LIMIT"), "Distance of 1 from the price"),
        (("Alice", "GOGL", "BUY", 100), "the desk has no contract 'GOGL'"),
        (("Alice", "NVDA_250101_100C", "BUY", 1), "has expired"),
        (("Alice", "NVDA_SPOT", "BUY", 1), "is a MarketData, which cannot be traded"),
    ],
)
def test_what_is_beyond_a_limit_or_unknown_is_rejected_by_name_and_nothing_is_booked(desk, trading, asked, reason):
    limit = {"limit_price": 1.0} if len(asked) > 4 else {}
    before = desk.firm_value.value
    reply = trading.order(*asked, **limit)
    assert isinstance(reply, Rejection)
    assert reason in reply.reason
    assert len(desk.blotter) == 0
    assert desk.firm_value.value == before
    assert kinds(trading) == ["ORDER_SUBMIT", "REJECT"]


def test_an_unknown_trader_and_no_order_are_errors(trading):
    with pytest.raises(DeskError, match="there is no trader 'Zoe'"):
        trading.order("Zoe", "AAPL", "BUY", 1)
    for given in (("HOLD", 1), ("BUY", 0), ("BUY", math.nan), ("BUY", -1)):
        with pytest.raises(TradingError):
            trading.order("Alice", "AAPL", *given)
    with pytest.raises(TradingError, match="order one at a time"):
        trading.order("Alice", "NVDA_30D_STRADDLE", "BUY", 1)
    assert kinds(trading) == []


def test_a_stale_quote_rejects_the_order_and_names_it(desk, trading, monkeypatch):
    monkeypatch.setattr(type(desk.fallback), "poll", lambda *_: ([], {"AAPL": "connection lost"}))
    desk.market.update_all()
    reply = trading.order("Alice", "AAPL", "BUY", 1)
    assert reply.reason.startswith("no price available for AAPL: the quote of AAPL is stale")


def test_options_bonds_swaps_and_currencies_are_ordered_by_name(desk, trading):
    names = ("SPY_30D_95P", "UST10Y_NOTE", "JPM_CDS_5Y", "USDJPY", "BTC")
    units = (3, 100, 2, 10_000, 0.5)
    pnl = desk.firm_pnl.value
    for name, size in zip(names, units, strict=True):
        fill = trading.order("Oscar", name, "BUY", size)
        assert isinstance(fill, Fill), fill.reason
    option, bond, swap, pair, coin = desk.blotter.last(5)
    assert (option.kind, option.multiplier, option.instrument[-1]) == ("Option", 100.0, "P")
    assert (bond.kind, swap.kind, pair.currency, coin.quantity) == ("Bond", "CreditDefaultSwap", "JPY", 0.5)
    assert abs(swap.price) < 50_000.0  # the value is booked, and not the notional
    assert desk.firm_pnl.value == pytest.approx(pnl, abs=2_000.0)  # costs


def test_a_limit_order_works_until_the_market_reaches_it(desk, trading):
    price = desk.graph.node("AAPL").value
    assert isinstance(trading.order("Alice", "AAPL", "BUY", 10, "LIMIT", limit_price=0.99 * price), Working)
    assert trading.follow_prices() == ()
    desk.leaf("AAPL").set(0.98 * price)
    (fill,) = trading.follow_prices()
    assert fill.price <= 0.99 * price
    assert desk.blotter.last(1)[0].order_id == fill.order_id


def test_an_order_on_a_contract_that_has_ended_is_cancelled_and_costs_its_trader_no_other(desk, trading):
    (name,) = trading._names.legs("NVDA_3D_90P")
    value = trading._names.contract(name).value
    waiting = trading.order("Alice", name, "BUY", 5, "LIMIT", limit_price=0.95 * value)
    desk.roll(desk.clock.date + dt.timedelta(days=3))
    worthless = trading.order("Bob", name, "BUY", 1)
    assert worthless.reason.endswith("its present value is 0, and orders fill at prices above 0")
    desk.roll(desk.clock.date + dt.timedelta(days=1))
    assert isinstance(trading.order("Alice", "AAPL", "BUY", 1), Fill)
    assert trading.engine.orders[waiting.order_id].status.value == "CANCELLED"
    assert trading.engine.audit.query(event_type="CANCEL").to_list()[0]["why"] == f"{name} has ended"
    assert DeskTrading(desk).follow_prices() == ()


def test_a_strike_has_one_name_however_it_is_written_and_all_of_its_digits(desk, trading):
    for written in ("NVDA_270115_140C", "NVDA_270115_140.00C", "NVDA_270115_0140C"):
        assert trading.order("Alice", written, "BUY", 1).order.instrument_name == "NVDA_270115_140C"
    assert {trade.instrument for trade in desk.blotter.last(3)} == {"NVDA_270115_140C"}
    names = ContractNames(desk)
    near = [names.contract(*names.legs(f"BTC_270115_{strike}C")) for strike in ("100000.25", "100000.5", "1000001")]
    assert [(each.name[11:], each.strike) for each in near] == [
        ("100000.25C", 100_000.25),
        ("100000.5C", 100_000.5),
        ("1000001C", 1_000_001.0),
    ]


def test_a_suggestion_names_contracts_only(trading):
    assert trading.order("Alice", "aapl", "BUY", 1).reason.endswith("did you mean 'AAPL'?")


# --- signals ----------------------------------------------------------------------------------------


class Fixed(SignalRule):
    strategy = "momentum"

    def __init__(self, found):
        self.found = found

    def from_closes(self, _):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def signal(name="AAPL", side=Side.BUY, units=10.0, strength=1.0):
    return Signal(name, side, units, strength, "a reason")


def test_a_signal_is_acted_upon_when_it_appears_or_turns_and_not_while_it_stays(desk):
    rule = Fixed([signal(), signal("KO", strength=0.2)])
    trading = DeskTrading(desk, rules={"Alice": rule})

    def orders():
        rule.found = list(rule.found)
        trading.node("Alice").graph.recalculate()
        return [reply.order.side.value for reply in _fresh(trading).replies]

    assert orders() == ["BUY"]
    assert orders() == []
    rule.found = [signal(side=Side.SELL)]
    assert orders() == ["SELL"]
    rule.found = []
    assert orders() == []
    rule.found = [signal(side=Side.SELL)]
    assert orders() == ["SELL"]
    assert kinds(trading)[:3] == ["SIGNAL", "ORDER_SUBMIT", "FILL"]


def test_signals_that_contradict_each_other_are_not_traded_for_and_against_again_and_again(desk):
    rule = Fixed([signal(), signal(side=Side.SELL)])
    trading = DeskTrading(desk, rules={"Alice": rule})
    assert [len(_fresh(trading).replies) for _ in range(3)] == [2, 0, 0]


def test_a_signal_waits_for_a_fresh_quote_and_is_acted_upon_then(desk, monkeypatch):
    trading = DeskTrading(desk, rules={"Alice": Fixed([signal(), signal("KO")])})
    with monkeypatch.context() as broken:
        poll = type(desk.fallback).poll

        def without_apple(*given):
            polled = poll(*given)
            return replace(polled, ticks=tuple(each for each in polled.ticks if each.symbol != "AAPL"))

        broken.setattr(type(desk.fallback), "poll", without_apple)
        desk.tick()
        rounds = [trading.trade_signals() for _ in range(3)]
    assert [[reply.order.instrument_name for reply in each.replies] for each in rounds] == [["KO"], [], []]
    assert rounds[0].problems[0].startswith("Alice: AAPL waits: the quote of AAPL is stale")
    assert kinds(trading).count("SIGNAL_FAULT") == 1
    desk.tick()
    assert [reply.order.instrument_name for reply in trading.trade_signals().replies] == ["AAPL"]
    assert trading.trade_signals().replies == ()


def _fresh(trading):
    trading.remove()  # a rule that is not a function of its series has to be asked anew
    return trading.trade_signals()


@pytest.mark.parametrize("nonsense", [RuntimeError("down"), "BUY", [1], [signal("NO SUCH NAME")], None])
def test_a_rule_that_raises_or_returns_nonsense_is_named_and_costs_the_others_nothing(desk, nonsense):
    trading = DeskTrading(desk, rules={"Alice": Fixed(nonsense), "Bob": Fixed([signal("SPY")])})
    done = trading.trade_signals()
    assert [reply.order.trader for reply in done.replies if reply.is_filled] == ["Bob"]
    faults = [*done.problems, *(reply.order.reject_reason for reply in done.replies)]
    assert any(faults)
    assert trading.engine.audit.verify().holds
    with pytest.raises(DeskError):
        DeskTrading(desk, rules={"Zoe": Fixed([])})


def test_a_straddle_is_two_options_and_shares_are_whole(desk):
    rule = Fixed([signal("NVDA_30D_STRADDLE", Side.SELL, 1_000.0), signal("AAPL", units=10.4)])
    trading = DeskTrading(desk, rules={"Alice": rule})
    filled = [(reply.order.instrument_name[-1], reply.quantity) for reply in trading.trade_signals().replies]
    assert filled == [("C", 10.0), ("P", 10.0), ("L", 10.0)]


def test_the_signals_of_a_trader_are_a_node_of_the_graph(desk, trading):
    trading.load()
    node = trading.node("Alice")
    assert node.name == "SIGNALS:Alice"
    assert {leaf.name for leaf in node.underliers} >= {"SIGNALS:NVDA", "SIGNALS:INTC"}
    before = node.value
    with desk.graph.scenario({desk.leaf("NVDA"): 3.0 * desk.leaf("NVDA").price}):
        after = {each.instrument: each.side for each in node.value.signals}
    assert after["NVDA"] is Side.BUY
    assert node.value == before
    trading.remove()
    assert desk.graph.find("SIGNALS:Alice") is None


def test_a_history_that_cannot_be_loaded_costs_its_own_signals_only(desk, trading, monkeypatch):
    load = desk.market.load_history

    def failing(symbol, *given, **named):
        if symbol == "NVDA":
            raise StoreError("no route to host")
        return load(symbol, *given, **named)

    monkeypatch.setattr(desk.market, "load_history", failing)
    found = {each.trader: each for each in trading.signals()}
    assert found["Alice"].signals
    assert "no history of NVDA: no route to host" in found["Alice"].problems
    assert not found["Sophia"].problems


def test_what_a_strategy_holds_is_not_bought_again_when_a_signal_flickers(desk):
    rule = Fixed([signal(units=10.0)])
    trading = DeskTrading(desk, rules={"Alice": rule})
    for found in ([signal()], [], [signal()], [], [signal(side=Side.SELL)], [], [signal()]):
        rule.found = found
        _fresh(trading)
    assert [order.side.value for order in trading.engine.orders.values()] == ["BUY", "SELL", "BUY"]
    rule.found = [signal("NVDA_30D_STRADDLE")]
    assert len(_fresh(trading).replies) == 2
    rule.found = []
    _fresh(trading)
    rule.found = [signal("NVDA_30D_STRADDLE")]
    assert _fresh(trading).replies == ()


def test_of_a_decision_all_legs_are_sent_or_none(desk):
    legs = [
        Signal("AAPL", Side.BUY, 10.0, 1.0, "a pair", decision="AAPL/KO"),
        Signal("KO", Side.SELL, 1e7, 1.0, "a pair", decision="AAPL/KO"),
    ]
    trading = DeskTrading(desk, rules={"Alice": Fixed(legs)})
    done = trading.trade_signals()
    assert done.replies == ()
    assert "none of 2 legs was sent, as KO is refused: Value of the order" in done.problems[0]
    assert kinds(trading) == ["SIGNAL", "SIGNAL", "SIGNAL_FAULT"]


# --- a day of the fourteen traders -----------------------------------------------------------------------


def test_a_day_of_the_fourteen_traders_reconciles_to_the_cent_and_its_audit_verifies():
    with build_desk(seed=3) as desk:
        trading = DeskTrading(desk)
        opening = {
            position.name: (position.quantity, position.cost_basis)
            for trader in desk.traders
            for position in trader.positions
        }
        fills = []
        for step in range(12):
            desk.tick()
            fills += [reply for reply in trading.trade_signals().replies if reply.is_filled]
            price = desk.graph.node("KO").value
            trading.order("Oscar", "KO", "BUY", 10 + step, "LIMIT", limit_price=round(price - 0.01, 2))
            fills += trading.follow_prices()
        assert len({fill.order.trader for fill in fills}) >= 5
        table = list(desk.blotter.table)
        assert sorted(row["order_id"] for row in table) == sorted(fill.order_id for fill in fills)
        for trader in desk.traders:
            for position in trader.positions:
                units, cost = opening.get(position.name, (0.0, 0.0))
                name = position.instrument.name
                rows = [row for row in table if (row["trader"], row["instrument"]) == (trader.name, name)]
                assert position.quantity == pytest.approx(units + sum(row["quantity"] for row in rows))
                paid = sum(row["notional"] + row["fees"] for row in rows)
                assert position.cost_basis - cost == pytest.approx(paid, abs=0.005)
        assert trading.engine.audit.verify().holds
        books = replay(trading.engine.audit, Ledger(currencies=CURRENCIES))
        for currency, cash in books.cash.items():
            spent = sum(row["notional"] + row["fees"] for row in table if row["currency"] == currency)
            unit = 1.0 if currency == "JPY" else 0.01
            assert cash == pytest.approx(-spent, abs=unit * len(table))
        desk.graph.recalculate()
        assert desk.firm_pnl.value == pytest.approx(sum(trader.pnl.value for trader in desk.traders))


# --- stores -------------------------------------------------------------------------------------------------


def test_orders_and_trail_go_on_after_the_desk_was_closed(tmp_path):
    path = tmp_path / "desk.db"
    with build_desk(seed=7, db=path) as desk:
        trading = DeskTrading(desk)
        price = desk.graph.node("AAPL").value
        waiting = trading.order("Alice", "AAPL", "BUY", 10, "LIMIT", limit_price=0.95 * price)
        filled = trading.order("Alice", "NVDA_30D_105C", "BUY", 2)
    with Desk.open(path) as desk:
        trading = DeskTrading(desk)
        assert [order.order_id for order in trading.engine.working] == [waiting.order_id]
        assert quantity(desk, "Alice", filled.order.instrument_name) == 2.0
        assert trading.follow_prices() == ()  # no quote has been delivered yet
        desk.tick()
        desk.leaf("AAPL").set(0.9 * price)
        (fill,) = trading.follow_prices()
        assert fill.order_id == waiting.order_id
        assert trading.engine.audit.verify().holds
    with Desk.open(path, read_only=True) as copy:
        trading = DeskTrading(copy)
        assert len(trading.engine.orders) == 2
        copy.tick()
        assert "read-only" in trading.order("Alice", "AAPL", "BUY", 1).reason


def test_a_store_that_fails_books_neither_trade_nor_event(desk, trading, monkeypatch):
    trading.order("Alice", "AAPL", "BUY", 1)
    before = quantity(desk, "Alice", "AAPL"), len(trading.engine.audit), len(desk.blotter)
    record = desk.blotter.record

    def failing(*given, **named):
        record(*given, **named)
        raise StoreError("disk full")

    monkeypatch.setattr(desk.blotter, "record", failing)
    with pytest.raises(StoreError):
        trading.order("Alice", "AAPL", "BUY", 1)
    monkeypatch.undo()
    assert (quantity(desk, "Alice", "AAPL"), len(desk.blotter)) == (before[0], before[2])
    assert len(trading.engine.audit) == before[1]  # no submission that would work after a restart
    assert trading.engine.audit.verify().holds
    trading.order("Alice", "AAPL", "BUY", 1)
    assert quantity(desk, "Alice", "AAPL") == before[0] + 1.0


KILLED = """
    import os, sys
    from bank_python.desk import build_desk
    from bank_python.desk.trading import DeskTrading
    desk = build_desk(seed=7, db=sys.argv[1])
    trading = DeskTrading(desk)
    for units in range(1, 6):
        trading.order("Alice", "AAPL", "BUY", units)
    os.kill(os.getpid(), 9)
"""


def test_what_was_filled_survives_a_killed_process(tmp_path):
    path = tmp_path / "desk.db"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), path], check=False)
    assert done.returncode == -9
    with Desk.open(path) as desk:
        trading = DeskTrading(desk)
        assert [row["quantity"] for row in desk.blotter.table] == [1.0, 2.0, 3.0, 4.0, 5.0]
        assert len(trading.engine.audit.query(event_type="FILL")) == 5
        assert quantity(desk, "Alice", "AAPL") == 15.0


def test_a_changed_byte_in_the_store_is_found(tmp_path):
    path = tmp_path / "desk.db"
    with build_desk(seed=7, db=path) as desk:
        DeskTrading(desk).order("Alice", "AAPL", "BUY", 1)
        (key,) = [key for key in desk.db.keys("/Trading/audit/") if key.endswith("EVT-000002")]
        event = desk.db[key]
        details = json.loads(event["details"])
        details["event"]["quantity"] = 2.0
        desk.db[key] = {**event, "details": json.dumps(details)}
    with Desk.open(path) as desk, pytest.raises(TradingError, match="broken at event 2"):
        DeskTrading(desk)


# --- names, settings, the live desk ----------------------------------------------------------------------


def test_names_stand_for_contracts(desk):
    names = ContractNames(desk)
    assert names.legs("AAPL") == ("AAPL",)
    (put,) = names.legs("SPY_30D_95P")
    contract = names.contract(put)
    assert contract is names.contract(put)
    assert (contract.strike, contract.is_call) == (555.0, False)
    for bad in ("XYZ_30D_STRADDLE", "AAPL_999999_100C", ""):
        with pytest.raises(TradingError):
            names.contract(names.legs(bad)[0])


def test_limits_and_costs_come_from_the_settings(desk):
    settings = DeskSettings(max_order_notional=1_000.0, slippage_bps=0.0, spread_bps=0.0, fee_per_share=0.0)
    trading = DeskTrading(desk, settings=settings)
    assert "is above 1,000 (money)" in trading.order("Alice", "AAPL", "BUY", 10).reason
    assert trading.order("Alice", "AAPL", "BUY", 1).price == desk.graph.node("AAPL").value


def test_the_live_desk_trades_as_a_job_and_shows_its_orders(desk):
    live = LiveDesk(desk, refresh=2.0, n_paths=100)
    live.load_signals()
    live.run_jobs()
    live.update()
    known = live.view().trading
    assert known.filled >= 20
    assert (known.rejected, known.working) == (0, 0)
    assert known.last[-1].status == "FILLED"
    assert "signals" in [job.name for job in live.view().status.jobs]
    assert live.view().to_dict()["trading"]["filled"] == known.filled


def test_orders_that_cannot_be_stored_leave_the_screen_its_figures(desk, monkeypatch):
    live = LiveDesk(desk, refresh=2.0, n_paths=100)

    def failing(_):
        raise StoreError("disk full")

    monkeypatch.setattr(DeskTrading, "follow_prices", failing)
    before = live.view().tick
    live.update()
    assert live.view().tick > before
    (job,) = [job for job in live.view().status.jobs if job.name == "revaluation"]
    assert (job.state, job.note) == ("failed", "StoreError: disk full")
