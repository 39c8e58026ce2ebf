"""``backtest`` and ``tearsheet``: what they compute, store and refuse, and how it looks on 80 columns."""

import csv
import json
import sqlite3
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bank_python.backtester import Backtester, MomentumBacktest, last_result, stored_results
from bank_python.barbara import BarbaraDB
from bank_python.desk import Desk, build_desk
from bank_python.desk.backtests import BACKTESTS, backtest_of, desk_bars, run_backtest
from bank_python.desk.commands.backtest import run_backtests, show_tearsheet
from bank_python.desk.commands.run import Output, deliver
from bank_python.desk.persistence import RINGS
from bank_python.desk.traders import TRADERS
from bank_python.display import as_text
from bank_python.errors import BacktestError, BankError, DeskError, StoreError, UnknownTickerError
from bank_python.jsonable import jsonable

PERIOD = {"start": "2025-08-01", "end": "2025-11-28"}
CAPITAL = {"initial_cash": 500_000.0, "fees_bps": 20.0}


@pytest.fixture(scope="module")
def desk():
    made = build_desk(seed=7)
    made.tick()
    return made


@pytest.fixture
def small(monkeypatch):
    """Two strategies on few tickers in place of all."""
    universes = {"momentum": ("AAPL", "MSFT"), "macro": ("SPY",)}
    few = {name: replace(BACKTESTS[name], universe=universe) for name, universe in universes.items()}
    for module in ("bank_python.desk.backtests", "bank_python.desk.commands.backtest"):
        monkeypatch.setattr(f"{module}.BACKTESTS", few)
    return few


@pytest.fixture
def stored(tmp_path):
    """An empty store, in which results are kept like in that of a desk."""
    path = tmp_path / "desk.db"
    BarbaraDB.open(RINGS, path=path).close()
    return str(path)


@pytest.mark.parametrize("name", BACKTESTS)
def test_the_universe_of_a_strategy_is_held_by_its_trader(name):
    trader = next(spec for spec in TRADERS if spec.name == BACKTESTS[name].trader)
    held = {getattr(holding, "symbol", getattr(holding, "pair", "")) for holding in trader.holdings}
    assert trader.strategy == name
    assert set(BACKTESTS[name].make(BACKTESTS[name].universe).inputs) <= held


def test_a_row_is_the_backtest_of_the_strategy_on_the_histories_of_the_desk(desk):
    found = run_backtests(desk, "momentum", universe=["AAPL", "MSFT"], **PERIOD, **CAPITAL, risk_free_rate=0.03)
    strategy = MomentumBacktest(["AAPL", "MSFT"], lookback=20, top_n=3, weight=0.9, every=5)
    bars = desk_bars(desk, ["AAPL", "MSFT"], "2y")
    alone = Backtester(strategy, *PERIOD.values(), data=bars, **CAPITAL).run()
    sheet = alone.tearsheet(risk_free_rate=0.03)
    [row] = found.facts["backtests"]
    assert row["final_value"] == alone.final_value
    assert (row["return"], row["sharpe"], row["max_dd"]) == (sheet["total_return"], sheet["sharpe"], sheet["max_dd"])
    assert (row["trades"], row["costs"], row["fingerprint"]) == (alone.trade_count, alone.cost, alone.fingerprint)
    assert row["notes"][0] == "simulated prices, not those of a market"
    assert (str(found.facts["start"]), str(found.facts["end"])) == ("2025-08-01", "2025-11-28")
    assert row["key"] is None


def test_all_strategies_are_rows_and_one_that_fails_costs_the_others_nothing(desk, small):
    def broken(universe):
        raise DeskError(f"no luck with {universe[0]}")

    small["macro"] = replace(small["macro"], make=broken)
    found = run_backtests(desk, "all", **PERIOD)
    rows = {row["strategy"]: row for row in found.facts["backtests"]}
    assert list(rows) == ["momentum", "macro"]
    assert rows["macro"]["error"] == "no luck with SPY"
    assert rows["momentum"]["final_value"] > 0.0
    page = as_text(found, 80, 100)
    assert "macro did not run: no luck with SPY" in " ".join(page.split())
    assert max(map(len, page.splitlines())) <= 80
    json.dumps(jsonable(dict(found.facts)), allow_nan=False)
    del small["momentum"]
    with pytest.raises(DeskError, match="no luck"):
        run_backtests(desk, "all")


def test_the_period_that_the_histories_lack_is_said(desk):
    notes = run_backtest(desk, "macro", start="2010-01-01", end="2016-07-29", universe=["SPY"]).notes
    assert "the histories begin on 2016-05-09, after 2010-01-01" in notes
    assert run_backtest(desk, "macro", universe=["SPY"]).dates[0].date().isoformat() == "2024-01-02"


def test_what_is_simulated_among_real_prices_is_named(desk, small, monkeypatch):
    recorded = SimpleNamespace(name="recorded")
    listings = {**desk.listings, **{name: replace(desk.listings[name], feed=recorded) for name in ("AAPL", "MSFT")}}
    monkeypatch.setattr(desk, "listings", listings)
    page = " ".join(as_text(run_backtests(desk, "all", **PERIOD), 80, 100).split())
    assert "momentum: prices of recorded" in page
    assert "macro: simulated prices, not those of a market" in page
    mixed = run_backtest(desk, "macro", universe=["AAPL", "SPY"], **PERIOD)
    assert mixed.notes[0] == "prices of recorded, but those of SPY simulated"
    assert len(small) == 2


@pytest.mark.parametrize(
    ("strategy", "options", "error", "said"),
    [
        ("momentun", {}, DeskError, "no back-test of the strategy 'momentun'; did you mean 'momentum'"),
        ("all", {"universe": ["AAPL"]}, DeskError, "--tickers belongs to one strategy"),
        ("stat_arb", {"universe": ["JPM"]}, DeskError, "'JPM' is no pair of tickers; write JPM/GS"),
        ("macro", {"universe": ["AAPLE"]}, UnknownTickerError, "AAPLE"),
        ("macro", {"start": "2025-13-01"}, BacktestError, "start='2025-13-01' is not a date"),
        (
            "macro",
            {"start": "2025-06-01", "end": "2025-05-01"},
            BacktestError,
            "start=2025-06-01 is after end=2025-05-01",
        ),
        ("macro", {"initial_cash": -1.0}, BacktestError, "initial_cash=-1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(desk, strategy, options, error, said):
    with pytest.raises(error) as caught:
        run_backtests(desk, strategy, **options)
    assert said in str(caught.value)
    assert isinstance(caught.value, BankError)


def test_a_name_may_be_written_with_a_hyphen():
    assert backtest_of(" Stat-Arb ").trader == "Charlie"


@pytest.mark.usefixtures("small")
def test_results_are_stored_beside_the_owner_of_the_desk_and_shown_again(desk, stored, tmp_path):
    build_desk(seed=7, db=stored).close()
    with Desk.open(stored) as owner:
        first = run_backtests(desk, "macro", **PERIOD, db=stored)
        second = run_backtests(desk, "momentum", **PERIOD, db=stored, with_verdict=True)
        owner.tick()
    verdict = second.facts["backtests"][0]["verdict"]
    assert "1 recorded trial on these data" in str(verdict["rungs"])
    assert verdict["conclusion"] in " ".join(as_text(second, 200, 100).split())
    assert "Stored: prop_desk.py tearsheet --db" in as_text(first, 200, 100)
    with BarbaraDB.open(RINGS, path=stored) as store:
        assert [one.strategy for one in stored_results(store)] == ["MacroBacktest", "MomentumBacktest"]
        assert last_result(store).key == second.facts["backtests"][0]["key"]
    page = tmp_path / "sheet.html"
    shown = show_tearsheet(desk, html=str(page), db=stored)
    assert shown.facts["title"] == "MomentumBacktest"
    assert shown.facts["metrics"]["final_value"] == second.facts["backtests"][0]["final_value"]
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert show_tearsheet(desk, strategy="macro", db=stored).facts["title"] == "MacroBacktest"
    assert max(map(len, as_text(shown, 80, 400).splitlines())) <= 80
    with pytest.raises(DeskError, match=r"no stored result of a back-test of BuyAndHold; .* --strategy all --db FILE"):
        show_tearsheet(desk, strategy="BuyAndHold", db=stored)
    with pytest.raises(DeskError, match="it is a file of the desk"):
        show_tearsheet(desk, html=stored, db=stored)


@pytest.mark.usefixtures("small")
def test_without_a_file_nothing_is_stored(desk):
    run_backtests(desk, "macro", **PERIOD)
    with pytest.raises(DeskError, match="there is no stored result of a back-test; "):
        show_tearsheet(desk)


@pytest.mark.usefixtures("small")
def test_ctrl_c_keeps_the_strategies_that_were_done(desk, stored, monkeypatch):
    def interrupted(desk, name, **settings):
        if name == "macro":
            raise KeyboardInterrupt
        return run_backtest(desk, name, **settings)

    monkeypatch.setattr("bank_python.desk.commands.backtest.run_backtest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_backtests(desk, "all", **PERIOD, db=stored)
    with BarbaraDB.open(RINGS, path=stored) as store:
        assert [one.strategy for one in stored_results(store)] == ["MomentumBacktest"]


@pytest.mark.usefixtures("small")
def test_the_csv_file_has_a_row_a_strategy(desk, tmp_path, capsys):
    found = run_backtests(desk, "all", **PERIOD)
    path = tmp_path / "tests.csv"
    deliver("backtest", desk, found, Output(as_json=True, csv=str(path)))
    assert json.loads(capsys.readouterr().out)["command"] == "backtest"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [row["strategy"] for row in rows] == ["momentum", "macro"]
    assert [float(row["final_value"]) for row in rows] == [x["final_value"] for x in found.facts["backtests"]]


def test_a_single_day_is_a_row_without_a_return(desk):
    found = run_backtests(desk, "momentum", universe=["AAPL", "MSFT"], start="2026-01-02")
    (row,) = found.facts["backtests"]
    assert row["return"] is row["sharpe"] is None
    assert row["final_value"] == 1e6
    assert found.table.to_list()[0]["return"] is None
    assert "NaN" not in json.dumps(jsonable(found.facts))


def test_a_file_of_another_program_is_named_as_it_was_given(desk, tmp_path):
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (figure)")
    with pytest.raises(StoreError, match=f"{path} is another program's"):
        show_tearsheet(desk, db=str(path))
