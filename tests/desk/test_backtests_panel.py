"""The BACK-TESTS panel: what is stored last shows after the next revaluation; without results nothing changes."""

import json
from dataclasses import replace

import pytest

from bank_python.backtester import Backtester, last_result, store_result
from bank_python.backtester.stored_results import CURVES, RESULTS
from bank_python.barbara import BarbaraDB
from bank_python.desk import build_desk, build_view
from bank_python.desk.backtests_view import StoredBacktests
from bank_python.desk.live import LiveDesk
from bank_python.desk.live.glyphs import ASCII, FINE
from bank_python.desk.live.layout import arranged
from bank_python.desk.persistence import RINGS
from bank_python.errors import StoreError
from tests.desk.sample_screen import GOLDEN, SIZES, TESTED_SIZES, render_tested, sample_backtests, sample_view

SIMULATED = "simulated prices, not those of a market"


def hold(window):
    return {"A": 0.5} if window.index == 0 else None


def wait(window):
    return None


def result(strategy=hold, notes=(), closes=(10.0, 11.0, 9.0, 12.0)):
    return replace(Backtester(strategy, data={"A": list(closes)}, fill="close").run(), notes=notes)


@pytest.fixture
def store():
    with BarbaraDB.open("desk", path=":memory:") as opened:
        yield opened


@pytest.mark.parametrize("size", TESTED_SIZES)
def test_golden_renders(size):
    golden = GOLDEN / "backtests_{}x{}.txt".format(*size)
    assert render_tested(*size) == golden.read_text(encoding="utf-8"), (
        "wanted? then: python tests/desk/sample_screen.py"
    )


@pytest.mark.parametrize("size", [*SIZES, (120, 40), (97, 50)])
def test_without_results_there_is_no_panel(size):
    shown = "\n".join(line.plain for line in arranged(sample_view(), *size, FINE))
    assert "BACK-TESTS" not in shown


def test_the_smallest_screen_is_the_same_with_results():
    tested = replace(sample_view(), backtests=sample_backtests())
    small = [arranged(view, 80, 24, FINE) for view in (sample_view(), tested)]
    assert small[0] == small[1]


def test_in_ascii_it_has_ascii_alone():
    lines = arranged(replace(sample_view(), backtests=sample_backtests()), 200, 60, ASCII)
    assert any("BACK-TESTS" in line.plain for line in lines)
    assert all(line.plain.isascii() for line in lines)


def test_the_last_result_of_each_strategy_the_latest_first(store):
    stored = StoredBacktests(store)
    assert stored.read() == ()
    store_result(store, result(closes=(10.0, 5.0, 5.0)))
    store_result(store, result(wait))
    store_result(store, result(notes=(SIMULATED,)))
    last = last_result(store)
    first, second = stored.read()
    assert (first.strategy, second.strategy) == ("hold", "wait")
    sheet = last.tearsheet()
    figures = (sheet["total_return"], sheet["sharpe_ratio"], sheet["max_drawdown"])
    assert (first.total_return, first.sharpe, first.max_drawdown) == pytest.approx(figures, abs=0.0)
    assert (first.until, first.saved, first.is_simulated) == (last.end, last.saved, True)
    assert (second.total_return, second.sharpe, second.is_simulated) == (0.0, None, False)


def test_a_result_is_read_once(store, monkeypatch):
    store_result(store, result())
    stored, read = StoredBacktests(store), []
    monkeypatch.setattr(BarbaraDB, "__getitem__", _counted(BarbaraDB.__getitem__, read))
    first = stored.read()
    once = len(read)
    assert stored.read() == first
    assert len(read) == once > 0


def _counted(method, calls):
    def read(self, key):
        calls.append(key)
        return method(self, key)

    return read


def test_a_value_of_somebody_else_is_named_and_costs_the_others_nothing(store):
    store_result(store, result())
    store[f"{CURVES}mine/2026-01-01_2026-01-02/2026-01-05T12:00:00.000000"] = 3.0
    bad, good = sorted(StoredBacktests(store).read(), key=lambda line: not line.problem)
    assert (good.strategy, good.problem) == ("hold", "")
    assert bad.strategy == "mine"
    assert "holds no result of a back-test" in bad.problem


def test_a_store_that_cannot_be_read_leaves_what_is_known(store, monkeypatch):
    store_result(store, result())
    stored = StoredBacktests(store)
    known = stored.read()

    def locked(*_):
        raise StoreError("database is locked")

    monkeypatch.setattr(BarbaraDB, "keys", locked)
    assert stored.read() == known != ()


def test_a_result_without_metrics_is_named(store):
    del store[store_result(store, result())]
    [line] = StoredBacktests(store).read()
    assert "/Backtest/results/hold/" in line.problem
    assert line.total_return is None


def test_a_live_desk_shows_what_another_process_stores_after_the_next_revaluation(tmp_path):
    path = tmp_path / "desk.db"
    with build_desk(seed=7, db=str(path)) as desk:
        live = LiveDesk(desk, refresh=2.0)
        live.update()
        assert live.view().backtests == ()
        with BarbaraDB.open(RINGS, path=path) as other:
            key = store_result(other, result(notes=(SIMULATED,)))
        assert key.startswith(RESULTS)
        live.update()
        view = live.view()
    assert [line.strategy for line in view.backtests] == ["hold"]
    shown = "\n".join(line.plain for line in arranged(view, 120, 44, FINE))
    assert "│ hold " in shown
    assert "~ simulated" in shown
    [line] = json.loads(view.to_json())["backtests"]
    assert (line["strategy"], line["is_simulated"]) == ("hold", True)


def test_a_view_of_a_desk_has_them_too():
    desk = build_desk(seed=7)
    store_result(desk.db, result())
    assert [line.strategy for line in build_view(desk).backtests] == ["hold"]
