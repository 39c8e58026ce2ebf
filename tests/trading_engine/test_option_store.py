"""The store of the option tracker: what was logged or imported is there, whatever happens to the process."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bank_python import BarbaraDB, TradeTracker, VolSurface
from bank_python.errors import StoreError, TradingError
from bank_python.risk.alerts import AlertBook, AlertState
from bank_python.trading_engine import TrackerConfig
from bank_python.trading_engine.broker_files import day_named
from tests.trading_engine.option_files import HISTORY, POSITIONS, REALISED

MARKET = {"spots": {"SPY": 560.0, "NVDA": 120.0}, "vols": {"SPY": 0.2, "NVDA": 0.5}, "rate": 0.04}
TODAY = "2025-04-01"
PUT, CALL = "-SPY250620P500", "-NVDA250919C150"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "options.db"


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "exports"
    place.mkdir()
    for name, text in (("Accounts_History.CSV", HISTORY), ("closed.csv", REALISED)):
        (place / name).write_text(text, encoding="utf-8")
    (place / "Portfolio_Positions_Mar-31-2025.csv").write_text(POSITIONS, encoding="utf-8")
    return place


def opened(path, **options):
    db = BarbaraDB.open("options", path=path, timeout=0.2)
    return TradeTracker(db=db, **({"today": TODAY} | options))


def state(tracker):
    """Everything that follows from the trades, with exact figures."""
    return (
        tracker.trades,
        tracker.open_options().positions,
        tracker.closed(),
        tracker.differences(),
        tracker.unmatched(),
        tracker.bleed().months,
        tracker.buckets(),
        tracker.alerts().alerts,
    )


# --- what is written is there -------------------------------------------------------------------------


def test_a_reopened_tracker_is_the_same(path, folder):
    with opened(path, **MARKET) as tracker:
        tracker.import_folder(folder)
        tracker.log(PUT, 2, 4.0, bucket="hedge", note="before the vote")
        tracker.log(PUT, 1, 5.0, "SELL_CLOSE")
        tracker.quote(marks={CALL: 6.0}, dividends={"SPY": 0.012})
        had, ladder = state(tracker), tracker.greeks().to_json()
    with opened(path) as again:
        assert state(again) == had
        assert again.greeks().to_json() == ladder


def test_the_same_folder_read_again_brings_nothing_new(path, folder):
    with opened(path) as tracker:
        first = tracker.import_folder(folder)
        assert [(one.source, one.kind, one.new) for one in first.reports] == [
            ("Accounts_History.CSV", "history", 5),
            ("Portfolio_Positions_Mar-31-2025.csv", "positions", 2),
            ("closed.csv", "realised", 3),
        ]
        had, keys = state(tracker), tracker_versions(path)
        assert tracker.import_folder(folder).new == 0
        assert (state(tracker), tracker_versions(path)) == (had, keys)
    with opened(path, today="2025-04-09") as later:
        later.log(PUT, 1, 6.5, "SELL_CLOSE")
        held = {one.name: one.quantity for one in later.open_options().positions}
        assert later.import_folder(folder).new == 0
        # A statement read again is not a statement of the later day: the sale still counts.
        assert {one.name: one.quantity for one in later.open_options().positions} == held


def tracker_versions(path):
    with BarbaraDB.open("options", path=path) as db:
        return {key: len(db.history(key)) for key in db}


def test_a_trade_by_hand_moves_to_the_trades_of_the_broker(path):
    with opened(path) as tracker:
        by_hand = tracker.log(PUT, 5, 4.2, date="2025-03-03", bucket="hedge")
    with BarbaraDB.open("options", path=path) as db:
        assert db.keys("/Options/manual/") == [f"/Options/manual/{by_hand.key}"]
    with opened(path) as tracker:
        row = {"Run Date": "03/03/2025", "Action": "YOU BOUGHT OPENING", "Symbol": PUT, "Price": "4.20"}
        assert tracker.import_csv([{**row, "Quantity": "5", "Account": "X1"}]).new == 0
    with BarbaraDB.open("options", path=path) as db:
        assert db.keys("/Options/manual/") == []
        (key,) = db.keys("/Options/txns/2025-03-03/")
    with opened(path) as again:
        (trade,) = again.trades
        assert (trade.bucket, trade.account, key.endswith(trade.key)) == ("hedge", "X1", True)


def test_equal_trades_by_hand_stay_apart_after_one_was_confirmed(path):
    """The first of two equal trades comes with the broker's file; a third must not take the place of the second."""
    with opened(path) as tracker:
        for _ in range(2):
            tracker.log(PUT, 5, 4.2, date="2025-03-03")
        row = {"Run Date": "03/03/2025", "Action": "YOU BOUGHT OPENING", "Symbol": PUT, "Price": "4.20"}
        tracker.import_csv([{**row, "Quantity": "5", "Account": "X1"}])
        tracker.log(PUT, 5, 4.2, date="2025-03-03")
        assert len(tracker.trades) == 3
    with opened(path) as again:
        assert len(again.trades) == 3


ACTIONS = st.tuples(st.sampled_from([PUT, CALL, "-SPY250620P500"]), st.integers(1, 4), st.integers(1, 40))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(ACTIONS, st.booleans()), min_size=1, max_size=8))
def test_trades_of_one_day_keep_their_order(moves):
    """Which lot a sale closes depends on the order of the fills of a day."""
    db = BarbaraDB.open("options", path=":memory:")
    with TradeTracker(db=db, today=TODAY) as tracker:
        for (symbol, quantity, price), closes in moves:
            with contextlib.suppress(TradingError):
                tracker.log(symbol, quantity, price / 4.0, "SELL_CLOSE" if closes else "BUY_OPEN")
        had = state(tracker)
    with TradeTracker(db=db, today=TODAY) as again:
        assert state(again) == had


def test_settlements_settings_and_quotes_are_kept(path):
    with opened(path, **MARKET, today="2025-03-03") as tracker:
        tracker.log("-SPY250307P560", 2, 4.0)
        tracker.configure(dataclasses.replace(tracker.config, monthly_bleed_limit=50.0))
        tracker.roll("2025-03-10")
        tracker.settle({"SPY": 552.5})
        tracker.quote(spots={"SPY": 551.0})
        had = state(tracker)
    with opened(path, today="2025-03-10") as again:
        assert (state(again), again.config.monthly_bleed_limit) == (had, 50.0)
        again.log(PUT, 1, 4.0)
        assert again.book().lines[0].spot == 551.0
    with opened(path, today="2025-03-10", config=TrackerConfig(insurance_budget=1.0)) as given_anew:
        assert given_anew.config == TrackerConfig(insurance_budget=1.0)
    with opened(path) as again:
        assert again.config.insurance_budget == 1.0


def test_a_surface_is_quoted_again_and_no_old_number_takes_its_place(path):
    strikes, smile = [400.0, 450.0, 500.0, 550.0, 600.0], [0.31, 0.28, 0.25, 0.22, 0.2]
    surface = VolSurface.from_vols("S", strikes, [0.1, 1.0], [smile] * 2, spot_source=560.0)
    with opened(path, **MARKET) as tracker:
        tracker.log(PUT, 1, 4.0)
        tracker.quote(vols={"SPY": surface})
    with opened(path) as again, pytest.raises(TradingError, match="a volatility for SPY 2025-06-20 P 500"):
        again.greeks()


# --- one writer ---------------------------------------------------------------------------------------


def test_a_second_tracker_is_refused_with_the_holders_name(path):
    with opened(path) as tracker:
        with pytest.raises(TradingError, match=r"the option tracker in .* is being written by") as caught:
            opened(path)
        assert "this process" in caught.value.holder
        tracker.log(PUT, 1, 4.0)
        with opened(path, read_only=True, spots={"SPY": 570.0}, vols={"SPY": 0.2}) as copy:
            assert (len(copy.trades), copy.book().lines[0].spot) == (1, 570.0)
            copy.quote(spots={"SPY": 580.0})
            changes = (lambda: copy.log(PUT, 1, 4.0), lambda: copy.configure(TrackerConfig(1.0)), copy.snapshot)
            for change in (*changes, copy.update_alerts):
                with pytest.raises(TradingError, match="read_only=True"):
                    change()
        tracker.log(PUT, 1, 4.0)
    with opened(path) as again:
        assert len(again.trades) == 2
        assert again.snapshot().missing.startswith("quote() the spot of SPY")  # a reader's quotes are its own
    for change in (lambda: tracker.log(PUT, 1, 4.0), lambda: tracker.quote(rate=0.01)):
        with pytest.raises(TradingError, match="was closed"):
            change()
    assert len(tracker.trades) == 2


def test_inside_a_transaction_nothing_is_changed(path):
    db = BarbaraDB.open("options", path=path)
    with TradeTracker(db=db, today=TODAY) as tracker:
        with db.transaction(), pytest.raises(TradingError, match="leave the store's transaction"):
            tracker.log(PUT, 1, 4.0)
        assert tracker.trades == ()


def test_a_store_that_cannot_be_written_to_leaves_the_tracker_as_it_was(path):
    with opened(path) as tracker, BarbaraDB.open("options", path=path) as other:
        tracker.log(PUT, 1, 4.0)
        with other.transaction():
            other["/x"] = 1
            with pytest.raises(StoreError):
                tracker.log(PUT, 2, 4.0)
            with pytest.raises(StoreError):
                tracker.quote(spots={"SPY": 1.0})
        assert len(tracker.trades) == 1
        tracker.log(PUT, 2, 4.0)
        had = state(tracker)
    with opened(path) as again:
        assert state(again) == had


def test_a_strange_record_is_named_and_the_store_is_free_again(path):
    with BarbaraDB.open("options", path=path) as db:
        db["/Options/txns/2025-03-03/abc-1"] = {"number": 1, "record": "no trade"}
    with pytest.raises(TradingError, match="'/Options/txns/2025-03-03/abc-1' holds no OptionTrade"):
        opened(path)
    with BarbaraDB.open("options", path=path) as db:
        del db["/Options/txns/2025-03-03/abc-1"]
    opened(path).close()


def test_tracker_and_desk_share_a_store():
    """The blotter of a desk reads all keys under /Trades/."""
    db = BarbaraDB.open("desk", path=":memory:")
    with TradeTracker(db=db, today=TODAY, **MARKET) as tracker:
        tracker.log(PUT, 1, 4.0)
        tracker.snapshot()
        assert {key.split("/")[1] for key in db} == {"Options"}
        assert tracker.update_alerts() == ()


# --- a killed process ---------------------------------------------------------------------------------

CHILD = """
import datetime as dt, pathlib, sys
from bank_python import BarbaraDB, TradeTracker
path, folder = sys.argv[1:]
def stop():
    if (pathlib.Path(folder) / "stop").exists():
        print("committing", flush=True)
        sys.stdin.read()
    return dt.datetime.now(dt.UTC)
db = BarbaraDB.open("options", path=path, clock=stop)
tracker = TradeTracker(db=db, today="2025-04-01")
"""


@contextlib.contextmanager
def child(path, folder, code):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD + code, str(path), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_what_was_logged_survives_a_killed_process(path, folder):
    code = """
for i in range(1_000_000):
    print(tracker.log("-SPY250620P500", 1 + i, 4.0).key, flush=True)
"""
    with child(path, folder, code) as process:
        told = [process.stdout.readline().strip() for _ in range(20)]
        with pytest.raises(TradingError, match=f"process {process.pid}"):
            opened(path)
        process.kill()
        process.wait()
        told += process.stdout.read().split()
    with opened(path) as again:
        keys = {trade.key for trade in again.trades}
        assert set(told) <= keys
        assert len(keys) <= len(told) + 1  # one may be stored and not yet told
        assert [trade.quantity for trade in sorted(again.trades, key=lambda one: one.quantity)] == [
            float(i) for i in range(1, len(keys) + 1)
        ]


def test_an_import_cut_short_by_a_kill_leaves_nothing(path, folder):
    code = """
tracker.log("-SPY250620P500", 1, 4.0)
(pathlib.Path(folder) / "stop").touch()
tracker.import_csv(folder + "/Accounts_History.CSV")
"""
    with child(path, folder, code) as process:
        assert process.stdout.readline() == "committing\n"
        process.kill()
        process.wait()
    with opened(path) as again:
        assert len(again.trades) == 1
        assert again.import_csv(folder / "Accounts_History.CSV").new == 5
        assert len(again.trades) == 6


# --- snapshots and alerts -----------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.time = dt.datetime(2025, 4, 1, 14, 30, tzinfo=dt.UTC)

    def __call__(self):
        self.time += dt.timedelta(hours=1)
        return self.time


def test_snapshots_hold_the_figures_of_their_time(path):
    with opened(path, **MARKET, clock=Clock()) as tracker:
        tracker.log(PUT, 10, 4.2)
        first = tracker.snapshot()
        assert (first.n_open, first.cost, first.missing) == (1, 4200.0, None)
        assert first.value == pytest.approx(tracker.greeks().total("value"))
        assert first.greeks == {name: tracker.greeks().total(name) for name in ("delta", "gamma", "vega", "theta")}
        assert first.pnl == pytest.approx(first.value - 4200.0)
        assert (first.rules, first.buckets) == (("BLEED_OVER", "BUCKET_OVERSPEND"), tracker.buckets())
        tracker.log(PUT, 4, 5.0, "SELL_CLOSE")
        tracker.quote(spots={"SPY": 540.0})
        second = tracker.snapshot()
        assert second.realised == pytest.approx(4 * 80.0)
        tracker.roll("2025-04-02")
        tracker.log("-QQQ250620P400", 1, 4.0)
        third = tracker.snapshot()
        assert (third.value, third.pnl, third.greeks) == (None, None, {})
        assert third.missing == "quote() the spot of QQQ (spots=) first; there are no Greeks without"
    with opened(path) as again:
        found = again.snapshots()
        assert found.snapshots == (first, second, third)
        assert found.changes == (None, pytest.approx(second.pnl - first.pnl), None)
        assert again.snapshots(since="2025-04-02").snapshots == (third,)
        assert next(row["rules"] for row in found.to_table()) == "BLEED_OVER, BUCKET_OVERSPEND"
        assert "no Greeks: quote() the spot of QQQ" in " ".join(repr(found).split())
    with BarbaraDB.open("options", path=path) as db:
        assert db["/Options/snapshots/latest"] == third
        assert db.keys("/Options/snapshots/2025-04-01/") == [
            f"/Options/snapshots/2025-04-01/{first.taken:%H:%M:%S.%f}",
            f"/Options/snapshots/2025-04-01/{second.taken:%H:%M:%S.%f}",
        ]


def test_a_tracker_in_memory_has_snapshots_and_no_history():
    tracker = TradeTracker(today=TODAY, **MARKET)
    assert tracker.snapshot().n_open == 0
    for call in (tracker.snapshots, tracker.update_alerts):
        with pytest.raises(TradingError, match="this tracker is in memory"):
            call()
    with tracker:
        pass
    tracker.log(PUT, 1, 4.0)


def test_alerts_of_the_store_open_and_close(path):
    with opened(path, **MARKET) as tracker:
        tracker.log(PUT, 10, 4.2)
        raised = tracker.update_alerts()
        assert {(one.rule, one.scope) for one in raised} == {
            ("BLEED_OVER", "2025-04"),
            ("BUCKET_OVERSPEND", "insurance"),
        }
        assert [one.id for one in tracker.update_alerts()] == [one.id for one in raised]
        tracker.log(PUT, 10, 4.5, "SELL_CLOSE")
        assert tracker.update_alerts() == ()
    with BarbaraDB.open("options", path=path) as db:
        book = AlertBook(db)
        assert {one.state for one in book.history()} == {AlertState.CLOSED}
        assert {one.resolution for one in book.history()} == {"within its limit on 2025-04-01"}


# --- folders ------------------------------------------------------------------------------------------


def test_one_bad_file_costs_no_other(folder):
    (folder / "a_photo.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    (folder / "notes.csv").write_text("What,Why\n1,2\n", encoding="utf-8")
    (folder / "empty.csv").write_text("", encoding="utf-8")
    (folder / "bad_cell.csv").write_text(HISTORY.replace("6.00,-4", "six,-4"), encoding="utf-8")
    tracker = TradeTracker(today=TODAY)
    found = tracker.import_folder(folder)
    assert set(found.refused) == {"a_photo.csv", "notes.csv", "empty.csv"}
    assert [len(found), list(found.problems)] == [4, ["bad_cell.csv"]]
    assert found.new == sum(report.new for report in found.reports) == 10
    shown = " ".join(repr(found).split())
    assert "notes.csv was not read" in shown
    assert len(found.to_table()) == 7


@pytest.mark.parametrize(
    ("place", "pattern", "said"),
    [("nowhere", "*.csv", "there is no folder"), ("", "*.xlsx", r"has no file \*.xlsx")],
)
def test_a_folder_without_files_is_refused(folder, place, pattern, said):
    with pytest.raises(TradingError, match=said):
        TradeTracker(today=TODAY).import_folder(folder / place, pattern)


def test_the_latest_statement_counts(folder):
    older = POSITIONS.replace("-SPY250620P500,10", "-SPY250620P500,7")
    (folder / "Portfolio_Positions_Mar-05-2025.csv").write_text(older, encoding="utf-8")  # after it by name
    tracker = TradeTracker(today=TODAY)
    tracker.import_folder(folder, "portfolio*.csv")
    assert {one.quantity for one in tracker.open_options().positions} == {10.0, -3.0}
    tracker.import_csv(folder / "Portfolio_Positions_Mar-05-2025.csv", date="2025-04-01")
    assert {one.quantity for one in tracker.open_options().positions} == {10.0, -3.0}  # it was read before


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Portfolio_Positions_Mar-03-2025.csv", dt.date(2025, 3, 3)),
        ("positions 2025-03-03.csv", dt.date(2025, 3, 3)),
        ("2025-13-03.csv", None),
        ("Abc-03-2025.csv", None),
        ("positions.csv", None),
    ],
)
def test_the_day_in_the_name_of_a_file(name, day):
    assert day_named(name) == day
