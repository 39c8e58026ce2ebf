"""A stored desk has one owner, and what it acknowledged is there, whatever happens to its process."""

import contextlib
import datetime as dt
import json
import logging
import math
import random
import sqlite3
import subprocess
import sys
import threading
from collections import Counter

import pytest

from bank_python import BarbaraDB, HistoryFeed, MarketData, build_desk
from bank_python.desk import Desk
from bank_python.desk.holdings import Bonds, Options, Shares
from bank_python.desk.traders import TRADERS, TraderSpec
from bank_python.errors import BankError, DeskError, StoreError, UnknownTickerError
from bank_python.instruments import Equity

RINGS = "desk;default"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.db"


def built(path, *, timeout=0.2, **given):
    return build_desk(seed=7, traders=TRADERS[:2], db=BarbaraDB.open(RINGS, path=path, timeout=timeout), **given)


def trades(desk):
    return [(row["number"], row["trader"], row["quantity"]) for row in desk.blotter.table]


def held(desk, name="Alice:NVDA"):
    return desk.graph.node(name).quantity


# --- one owner -------------------------------------------------------------------------------------


def test_a_second_opener_is_refused_with_the_holders_name(path):
    with built(path) as desk:
        desk.save()
        for again in (lambda: Desk.open(path), lambda: built(path), lambda: built(path, replace=True)):
            with pytest.raises(DeskError, match=r"is being written by thread .* of this process") as caught:
                again()
            assert "this process" in caught.value.holder
        desk.trade("Alice", "NVDA", 5)
    with Desk.open(path) as desk:
        assert trades(desk) == [(1, "Alice", 5.0)]


def test_another_process_is_refused_by_name_until_the_owner_is_killed(path):
    with owner(path, "print('ready', flush=True); sys.stdin.read()") as process:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(DeskError, match=f"process {process.pid}") as caught:
            Desk.open(path)
        assert caught.value.holder.startswith(f"process {process.pid}")
        process.kill()
        process.wait()
    Desk.open(path).close()


def test_a_desk_that_is_looked_at_ticks_and_changes_nothing(path):
    with built(path) as desk:
        desk.trade("Alice", "NVDA", 5)
        with Desk.open(path, read_only=True) as copy:
            assert copy.read_only
            assert trades(copy) == trades(desk)
            before = copy.firm_pnl.value
            copy.tick()
            assert copy.firm_pnl.value != before
            for change in (lambda: copy.trade("Alice", "NVDA", 1), copy.save):
                with pytest.raises(DeskError, match="read-only copy"):
                    change()
        desk.trade("Bob", "NVDA", 6)
        keys = desk.db.keys()
    with Desk.open(path) as desk:
        assert trades(desk) == [(1, "Alice", 5.0), (2, "Bob", 6.0)]
        assert desk.db.keys() == keys


def test_looking_at_the_desk_of_a_dead_owner_leaves_every_byte_alone(path):
    with owner(path, "desk.trade('Alice', 'NVDA', 5); print('ready', flush=True); sys.stdin.read()") as process:
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.wait()
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert len(before) > 1, "the log is still there"
    with Desk.open(path, read_only=True) as copy:
        assert trades(copy) == [(1, "Alice", 5.0)]
        copy.tick()
        copy.roll(copy.clock.date + dt.timedelta(days=200))
    after = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert {name: data for name, data in after.items() if not name.endswith("-shm")} == {
        name: data for name, data in before.items() if not name.endswith("-shm")
    }


@pytest.mark.parametrize("content", [b"", b"not a store at all" * 100])
def test_what_is_no_store_is_not_made_one_by_looking_at_it(path, content):
    path.write_bytes(content)
    with pytest.raises((DeskError, StoreError)):
        Desk.open(path, read_only=True)
    assert path.read_bytes() == content


def test_building_over_a_stored_desk_is_refused_or_begins_anew(path):
    with built(path) as desk:
        desk.trade("Alice", "NVDA", 5)
        had = held(desk)
    with pytest.raises(DeskError, match=r"Desk\.open\(path\).*replace=True"):
        built(path)
    with Desk.open(path) as desk:
        assert held(desk) == had
    with built(path, replace=True) as desk:
        assert trades(desk) == []
        assert held(desk) == had - 5
        assert desk.trade("Alice", "NVDA", 1).number == 1


def test_a_store_in_memory_has_one_desk():
    db = BarbaraDB.open(RINGS, path=":memory:")
    desk = build_desk(traders=TRADERS[:1], db=db)
    with pytest.raises(DeskError, match="another object of this process"):
        build_desk(traders=TRADERS[:1], db=db, replace=True)
    desk.close()


def test_closing_twice_is_fine_and_a_closed_desk_refuses(path):
    desk = built(path)
    desk.close()
    desk.close()
    with pytest.raises(DeskError, match="closed"):
        desk.trade("Alice", "NVDA", 1)
    with pytest.raises(DeskError, match="closed"):
        desk.save()
    Desk.open(path).close()


def test_a_desk_that_fails_to_be_built_leaves_the_store_free_and_empty(path):
    with pytest.raises(BankError, match="no feed"), BarbaraDB.open(RINGS, path=path) as db:
        build_desk(feed="no feed", db=db)
    with built(path) as desk:
        assert len(desk.traders) == 2


def test_an_owner_whose_lock_file_was_removed_changes_nothing_any_more(path):
    first = built(path)
    for lock in path.parent.glob("*.lock"):
        lock.unlink()
    with Desk.open(path) as second:
        for change in (lambda: first.trade("Alice", "NVDA", 1), first.save, first.close):
            with pytest.raises(DeskError, match="its lock file was removed"):
                change()
        assert list(path.parent.glob("*.lock")), "the second owner's lock file is its own to remove"
        second.trade("Alice", "NVDA", 5)
    with Desk.open(path) as desk:
        assert trades(desk) == [(1, "Alice", 5.0)]


def test_a_lock_file_that_is_a_link_is_not_followed(path):
    with built(path):
        lock = next(path.parent.glob("*.lock"))
    lock.symlink_to(path)
    size = path.stat().st_size
    with pytest.raises(DeskError, match="cannot be written"):
        Desk.open(path)
    assert path.stat().st_size == size


def test_a_file_of_several_names_is_refused(path):
    built(path).close()
    (path.parent / "other.db").hardlink_to(path)
    with pytest.raises(DeskError, match="hard links"):
        Desk.open(path)


def test_a_desk_in_rings_that_open_does_not_know_is_refused(path):
    with BarbaraDB.open("london;default", path=path) as db, pytest.raises(DeskError, match="'desk;default'"):
        build_desk(traders=TRADERS[:1], db=db)


def test_a_desk_that_cannot_be_replaced_stays(path):
    with built(path) as desk:
        desk.trade("Alice", "NVDA", 5)
    with pytest.raises(UnknownTickerError), BarbaraDB.open(RINGS, path=path) as db:
        build_desk(traders=me(Shares("APPL", 1)), db=db, replace=True)
    with Desk.open(path) as desk:
        assert trades(desk) == [(1, "Alice", 5.0)]


def test_a_lease_is_given_back_when_saving_at_the_end_fails(path, monkeypatch):
    desk = built(path)
    monkeypatch.setattr("bank_python.desk.desk.save", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        desk.close()
    monkeypatch.undo()
    Desk.open(path).close()
    other = built(path, replace=True)
    other.db.close()
    other.close()
    Desk.open(path).close()


# --- a trade that is acknowledged, a trade that is refused -----------------------------------------


def test_a_trade_before_the_first_save_survives(path):
    desk = built(path)
    desk.trade("Alice", "NVDA", 5)
    had = held(desk)
    desk.lease.release()  # as when the process dies
    del desk
    with Desk.open(path) as again:
        assert trades(again) == [(1, "Alice", 5.0)]
        assert held(again) == had


def state_of(desk):
    return held(desk), desk.traders["Alice"].pnl.value, desk.firm_pnl.value, trades(desk), desk.db.keys()


def test_a_trade_that_the_store_refuses_leaves_nothing_behind(path):
    with built(path) as desk:
        before = state_of(desk)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process or thread"):
            desk.trade("Alice", "NVDA", 5)
        other.execute("ROLLBACK")
        other.close()
        assert state_of(desk) == before
        assert desk.trade("Alice", "NVDA", 5).number == 1


def test_a_trade_that_breaks_off_in_keeping_leaves_nothing_behind(path, monkeypatch):
    with built(path) as desk:
        before = state_of(desk)
        fresh = desk.graph.register(Equity("FRESH", spot_source=desk.leaf("NVDA")))
        update = desk.db.update

        def fails(values, **options):
            if any("FRESH" in key for key in values):
                raise KeyboardInterrupt
            update(values, **options)

        monkeypatch.setattr(desk.db, "update", fails)
        with pytest.raises(KeyboardInterrupt):
            desk.trade("Alice", fresh, 5)
        monkeypatch.undo()
        assert state_of(desk) == before
        assert desk.graph.find("Alice:FRESH") is None


def test_a_trade_broken_off_after_it_was_kept_is_in_memory_as_well(path, monkeypatch):
    with built(path) as desk:
        had, transaction, depth = held(desk), desk.db.transaction, []

        @contextlib.contextmanager
        def interrupted():
            depth.append(1)
            with transaction():
                yield
            depth.pop()
            if not depth:
                raise KeyboardInterrupt

        monkeypatch.setattr(desk.db, "transaction", interrupted)
        with pytest.raises(KeyboardInterrupt):
            desk.trade("Alice", "NVDA", 5)
        monkeypatch.undo()
        assert held(desk) == had + 5
        assert trades(desk) == [(1, "Alice", 5.0)]


def test_numbers_come_from_the_store(path):
    with built(path) as desk:
        first = desk.trade("Alice", "NVDA", 5)
        record = dict(desk.db[f"/Trades/{first.number:08d}"])
        desk.db["/Trades/00000002"] = {**record, "number": 2, "trader": "Somebody else"}
        desk.db["/Trades/notes"] = "not a trade"
        assert desk.trade("Bob", "NVDA", 6).number == 3
        assert desk.db["/Trades/00000002"]["trader"] == "Somebody else"
        desk.db.delete("/Trades/notes")
    with Desk.open(path) as desk:
        assert [number for number, *_ in trades(desk)] == [1, 2, 3]


def test_two_threads_trade_without_losing_one(path):
    with built(path, timeout=60.0) as desk:  # a thread may have to wait for all trades of the other
        had, done = held(desk), []
        work = [threading.Thread(target=lambda: done.extend(desk.trade("Alice", "NVDA", 1).number for _ in range(20)))]
        work += [threading.Thread(target=lambda: done.extend(desk.trade("Alice", "NVDA", 1).number for _ in range(20)))]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join(60)
        assert sorted(done) == list(range(1, 41))
        assert held(desk) == had + 40


# --- what is no trade ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk():
    with build_desk(seed=7, traders=TRADERS[:2]) as made:
        yield made


@pytest.mark.parametrize("quantity", [0, 0.0, True, math.nan, math.inf, 10**400, "7", None, 1j])
def test_a_quantity_that_moves_nothing_is_refused(desk, quantity):
    before = state_of(desk)
    with pytest.raises(DeskError, match=r"NVDA cannot have quantity=.*; give a finite number") as caught:
        desk.trade("Alice", "NVDA", quantity)
    assert caught.value.value is quantity
    assert len(str(caught.value)) < 200
    assert state_of(desk) == before


@pytest.mark.parametrize("name", ["CLOCK", "SOFR", "NVDA_SPOT", "NVDA_VOL", "Alice:NVDA", "Alice", "Alice:PNL", "FIRM"])
def test_what_nobody_can_trade_is_refused(desk, name):
    before = state_of(desk)
    with pytest.raises(DeskError, match=f"^{name} is a .* cannot be traded"):
        desk.trade("Alice", name, 5)
    assert state_of(desk) == before


@pytest.mark.parametrize("trader", [None, 0, -1, slice(0, 1), b"Alice"])
def test_what_is_no_traders_name_is_refused(desk, trader):
    with pytest.raises(DeskError, match="is not a name; the desk has Alice, Bob"):
        desk.trade(trader, "NVDA", 1)


def test_what_has_ended_or_was_never_quoted_is_refused():
    with build_desk(seed=7, traders=TRADERS[:2]) as desk:
        option = next(held.instrument for held in desk.traders["Bob"].positions if held.multiplier == 100.0)
        unquoted = desk.graph.register(Equity("NEW", spot_source=MarketData("NEW_SPOT")))
        with pytest.raises(DeskError, match="NEW depends on a symbol that has had no quote yet"):
            desk.trade("Bob", unquoted, 10)
        desk.roll(desk.clock.date + dt.timedelta(days=200))
        with pytest.raises(DeskError, match="has ended and been settled"):
            desk.trade("Bob", option, 1)


def test_nothing_is_booked_inside_a_scenario_a_batch_or_a_transaction(desk):
    before = state_of(desk)
    blocks = [
        (lambda: desk.graph.scenario({"NVDA_SPOT": 1.0}), "inside a scenario"),
        (desk.graph.batch, "as one may be undone"),
        (desk.db.transaction, "as one may be undone"),
    ]
    for block, said in blocks:
        for change in (lambda: desk.trade("Alice", "NVDA", 1), desk.tick, lambda: desk.roll(desk.clock.date)):
            with pytest.raises(DeskError, match=said), block():
                change()
    assert state_of(desk) == before


@pytest.mark.parametrize("node", [None, 5, "no such name", ["NVDA"]])
def test_what_is_no_node_is_refused(desk, node):
    with pytest.raises(BankError, match=r"cannot be traded|no node"):
        desk.trade("Alice", node, 5)


@pytest.mark.parametrize("price", [-5, -1e-9, math.nan, math.inf, True, "5", 10**400])
def test_a_price_that_a_share_cannot_have_is_refused(desk, price):
    before = state_of(desk)
    with pytest.raises(DeskError, match=r"NVDA cannot be traded at price=.* of at least 0"):
        desk.trade("Alice", "NVDA", 5, price=price)
    assert state_of(desk) == before


@pytest.mark.parametrize("multiplier", [0, -1, True, math.nan, "1", 100])
def test_a_multiplier_that_is_none_or_not_the_positions_is_refused(desk, multiplier):
    before = state_of(desk)
    with pytest.raises(DeskError, match="multiplier"):
        desk.trade("Alice", "NVDA", 5, multiplier=multiplier)
    assert state_of(desk) == before


def test_a_trade_adds_to_a_position_whatever_its_multiplier(desk):
    option = next(held.instrument for held in desk.traders["Bob"].positions if held.multiplier == 100.0)
    trade = desk.trade("Bob", option, -1)
    assert trade.multiplier == 100.0
    assert trade.notional == -100.0 * trade.price


# --- what the market does not quote ----------------------------------------------------------------


def me(*holdings):
    return [TraderSpec("Me", "own", "my own positions", holdings)]


def test_a_mistyped_share_is_refused_with_its_neighbours():
    with pytest.raises(UnknownTickerError, match=r"the market for Me's holdings has no ticker 'APPL'.* 'AAPL'"):
        build_desk(traders=me(Shares("NVDA", 5), Shares("APPL", 5)))
    with pytest.raises(UnknownTickerError, match="UST10Y_NOTE"):
        build_desk(traders=me(Bonds("UST10_NOTE", 5)))


@pytest.mark.parametrize(
    ("traders", "said"),
    [
        (TRADERS[0], "a sequence of TraderSpec"),
        (["Me"], "'Me' is not a TraderSpec"),
        (TRADERS[:1] * 2, "two traders have the name 'Alice'"),
        ([], "the desk has no traders"),
    ],
)
def test_traders_that_are_none_or_twice_there_are_refused(traders, said):
    with pytest.raises(DeskError, match=said):
        build_desk(traders=traders)


def test_options_on_what_has_no_volatility_are_refused():
    with pytest.raises(DeskError, match="options on EURUSD, but the market does not quote its volatility"):
        build_desk(traders=me(Options("EURUSD", 1.0, 0.25, 5)))


def test_only_the_built_in_traders_are_stood_in_for_and_it_is_said(caplog):
    days = [dt.date(2024, 1, 2) + dt.timedelta(days=i) for i in range(20)]
    closes = {name: [(day, level + i) for i, day in enumerate(days)] for name, level in (("AAA", 10.0), ("BBB", 20.0))}
    with pytest.raises(UnknownTickerError, match="'NVDA'"):
        build_desk(feed=HistoryFeed(closes), traders=me(Shares("NVDA", 5)))
    with build_desk(feed=HistoryFeed(closes), traders=me(Shares("AAA", 5))) as desk:
        assert desk.traders["Me"].stand_ins == {}
    caplog.set_level(logging.INFO)
    with build_desk(feed=HistoryFeed(closes), traders=TRADERS[:1]) as desk:
        said = desk.traders["Alice"].stand_ins
        held = {position.instrument.name for position in desk.traders["Alice"].positions}
        assert held == {"AAA", "BBB"} == set(said.values())
        assert f"Alice: the market does not quote NVDA; {said['NVDA']} takes its place" in caplog.messages


# --- the order of locks ----------------------------------------------------------------------------


def test_trades_beside_snapshots_inside_transactions_go_on(desk):
    done = Counter()

    def trade():
        for _ in range(15):
            desk.trade("Alice", "NVDA", 1)
            done["trades"] += 1

    def note():
        for _ in range(15):
            with desk.db.transaction(), desk.graph.snapshot() as snapshot:
                desk.db["/Notes/pnl"] = snapshot[desk.firm_pnl]
            done["notes"] += 1

    threads = [threading.Thread(target=work, daemon=True) for work in (trade, note)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert done == {"trades": 15, "notes": 15}


def test_the_other_order_is_refused_after_the_timeout_and_nobody_hangs():
    with build_desk(traders=TRADERS[:1], db=BarbaraDB.open(RINGS, path=":memory:", timeout=0.3)) as desk:
        before = desk.traders["Alice"].book.value
        inside, refused = threading.Barrier(2), []

        def graph_then_store():
            with contextlib.suppress(StoreError), desk.graph.batch():
                desk.leaf("NVDA").set_price(1.0)
                inside.wait(10)
                try:
                    desk.db["/Notes/x"] = 1
                except StoreError as error:
                    refused.append(str(error))
                    raise

        def store_then_graph():
            with desk.db.transaction():
                inside.wait(10)
                desk.graph.snapshot().close()

        threads = [threading.Thread(target=work, daemon=True) for work in (graph_then_store, store_then_graph)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive(), "they wait for each other for ever"
        assert len(refused) == 1
        assert "the store's transaction before the graph's batch" in refused[0]
        assert desk.traders["Alice"].book.value == before


def test_a_coupon_is_paid_once_whoever_rolls(path):
    with built(path) as desk:
        day = desk.clock.date + dt.timedelta(days=200)
        with build_desk(seed=7, traders=TRADERS[:2]) as alone:
            alone.roll(day)
            expected = {held.name: (held.quantity, held.received) for held in alone.traders["Bob"].positions}
        barrier = threading.Barrier(3)
        work = [threading.Thread(target=lambda: (barrier.wait(10), desk.roll(day))) for _ in range(3)]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join(60)
        assert {held.name: (held.quantity, held.received) for held in desk.traders["Bob"].positions} == expected


def test_a_holding_that_waited_is_kept_with_the_desk_that_opened_it(path, monkeypatch):
    desk = built(path)
    had = held(desk)
    desk.traders["Alice"].waiting.append(Shares("NVDA", 7))
    desk.save()
    monkeypatch.setattr("bank_python.desk.desk.save", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        desk.open_waiting()
    monkeypatch.undo()
    assert (held(desk), desk.traders["Alice"].waiting) == (had, [Shares("NVDA", 7)])
    assert desk.open_waiting() == 1
    desk.trade("Alice", "NVDA", 1)
    desk.lease.release()  # as when the process dies
    with Desk.open(path) as again:
        again.tick()
        assert held(again) == had + 8
        assert again.traders["Alice"].waiting == []


def test_the_market_goes_on_as_a_whole_after_a_kill(path):
    desk = built(path)
    desk.tick()
    desk.save()
    at = {node.name: (node.price, node.as_of) for node in desk.graph if isinstance(node, MarketData)}
    for _ in range(20):
        desk.tick()
    desk.trade("Alice", "NVDA", 5)
    desk.db.close()
    desk.lease.release()  # as when the process dies
    with Desk.open(path) as again:
        assert {node.name: (node.price, node.as_of) for node in again.graph if isinstance(node, MarketData)} == at
        assert again.tick().update.rejected == ()
        assert trades(again) == [(1, "Alice", 5.0)]


# --- killed ----------------------------------------------------------------------------------------

_TRADING = """
import json, random, sys
from bank_python import BarbaraDB, build_desk
from bank_python.desk import Desk
from bank_python.desk.traders import TRADERS
path, seed = {path!r}, {seed}
rng = random.Random(seed)
"""


@contextlib.contextmanager
def owner(
    path, script, seed=0, opening="build_desk(traders=TRADERS[:2], db=BarbaraDB.open('desk;default', path=path))"
):
    code = _TRADING.format(path=str(path), seed=seed) + f"desk = {opening}\n{script}"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


_LOOP = """
print("ready", flush=True)
while True:
    trader, symbol = rng.choice(["Alice", "Bob"]), rng.choice(["NVDA", "AMD", "SPY", "KO"])
    trade = desk.trade(trader, symbol, rng.choice([-3, 1, 2, 5]))
    print(json.dumps([trade.number, trade.trader, trade.instrument, trade.quantity]), flush=True)
    if trade.number % 5 == 0:
        desk.tick()
    if trade.number % 17 == 0:
        desk.save()
"""


def quantities(desk):
    return {held.name: held.quantity for trader in desk.traders for held in trader.positions}


@pytest.mark.slow
def test_fifteen_kills_lose_no_acknowledged_trade(path):
    with built(path) as desk:
        opening = quantities(desk)
    rng, acknowledged = random.Random(11), []
    for turn in range(15):
        with owner(path, _LOOP, seed=turn, opening="Desk.open(path)") as process:
            assert process.stdout.readline() == "ready\n"
            acknowledged += [tuple(json.loads(process.stdout.readline())) for _ in range(rng.randrange(1, 25))]
            process.kill()
            whole = [line for line in process.stdout if line.endswith("]\n")]
            acknowledged += [tuple(json.loads(line)) for line in whole]
        with Desk.open(path) as desk:
            kept = {row["number"]: (row["trader"], row["instrument"], row["quantity"]) for row in desk.blotter.table}
            lost = [trade for trade in acknowledged if kept.get(trade[0]) != trade[1:]]
            assert lost == []
            assert sorted(kept) == list(range(1, len(kept) + 1))
            expected = Counter(opening)
            for trader, instrument, quantity in kept.values():
                expected[f"{trader}:{instrument}"] += quantity
            assert quantities(desk) == dict(expected)
    assert len(acknowledged) > 100
