"""What the commands of the trading desk compute, and how it looks on 80 columns."""

import csv
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from bank_python.desk import Desk, DeskSettings, build_desk, read_settings, write_setting
from bank_python.desk.access import DeskSource
from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.commands import CommandResult, Output
from bank_python.desk.commands.config import change_settings, list_settings
from bank_python.desk.commands.mc import simulate
from bank_python.desk.commands.pnl import attribute_pnl, list_pnl
from bank_python.desk.commands.portfolio import BACKENDS, Wanted, optimize, trace_frontier, universe
from bank_python.desk.commands.rebalance import rebalance
from bank_python.desk.commands.risk import measure_risk
from bank_python.desk.commands.run import change, deliver
from bank_python.desk.commands.stress import explain_stress, stress_desk
from bank_python.desk.commands.tails import measure_tails
from bank_python.desk.commands.volsurface import fitted_surface, model_surface
from bank_python.display import as_text
from bank_python.errors import BankError, DeskError
from bank_python.jsonable import jsonable
from bank_python.mc_engine import MCConfig, MonteCarloEngine
from bank_python.mntable import Table
from bank_python.optimizer import create_optimizer
from bank_python.risk import STRESS_SCENARIOS, plan_valuation, run_stresses, take_greeks
from bank_python.risk_models import SviSlice

GOLDEN = Path(__file__).parent / "golden"
WIDTH = 80


@pytest.fixture(scope="module")
def desk():
    made = build_desk(seed=7)
    for _ in range(3):
        made.tick()
    return made


@pytest.fixture
def own():
    return build_desk(seed=7)


def shown(result, lines=400):
    return as_text(result, WIDTH, lines)


def as_json(result):
    return json.loads(json.dumps(jsonable(dict(result.facts)), allow_nan=False))


@pytest.fixture(scope="module")
def everything(desk):
    """Return the result of each command that reads."""
    return {
        "risk": measure_risk(desk, scenarios=500),
        "tails": measure_tails(desk),
        "pnl": list_pnl(desk),
        "pnl-attr": attribute_pnl(desk),
        "stress": stress_desk(desk),
        "stress one": explain_stress(desk, "covid_2020"),
        "mc": simulate(desk, paths=500, seed=3),
        "volsurface": model_surface(desk, "SPY"),
        "optimize": optimize(desk, Wanted("rp")),
        "frontier": trace_frontier(desk, points=5),
        "rebalance": rebalance(desk, "Oscar", Wanted("hrp"), dry_run=True),
        "config": list_settings(desk),
    }


def test_every_command_is_shown_within_80_columns_with_whole_names(everything):
    for name, result in everything.items():
        lines = shown(result).splitlines()
        assert max(map(len, lines)) <= WIDTH, name
        assert "…" not in "".join(lines), name


def test_every_command_has_strict_json_and_a_table_for_csv(everything, desk, tmp_path, capsys):
    for name, result in everything.items():
        deliver(name, desk, result, Output(as_json=True, csv=str(tmp_path / f"{name}.csv")))
        [line] = capsys.readouterr().out.splitlines()
        facts = json.loads(line, parse_constant=pytest.fail)
        assert (facts["command"], facts["valuation_date"], facts["feed"]) == (name, "2026-01-05", "simulated")
        with (tmp_path / f"{name}.csv").open(encoding="utf-8") as file:
            assert len(list(csv.reader(file))) > 1, name


@pytest.mark.parametrize("name", ["pnl", "volsurface", "config"])
def test_golden_renders(everything, name):
    """After a wanted change, ``python tests/desk/test_commands.py`` writes them anew."""
    assert shown(everything[name]) + "\n" == (GOLDEN / f"command_{name}.txt").read_text(encoding="utf-8")


# --- the figures are those of the library ----------------------------------------------------------


def test_risk_has_the_figures_of_the_desk(everything, desk):
    facts = as_json(everything["risk"])
    assert facts["risk"]["scenarios"] == 500
    assert list(facts["traders"]) == [trader.name for trader in desk.traders]
    for trader in desk.traders:
        line = facts["traders"][trader.name]
        assert (line["value"], line["pnl"]) == (trader.book.value, trader.pnl.value)
        assert 0.0 < line["var_95"] <= line["var_99"] <= line["es_99"]
    assert facts["risk"]["var_99"] < sum(line["var_99"] for line in facts["traders"].values())
    greeks = take_greeks([desk.traders["Tony"].book])
    assert facts["greeks"]["Tony"]["delta"] == pytest.approx(greeks.total("delta", "percent"))
    assert "Tony" in {alert["scope"] for alert in facts["alerts"] if alert["rule"] == "VaR 99"}
    assert {limit["scope"] for limit in facts["limits"]} >= {"firm", "Tony"}


def test_pnl_lists_all_positions_or_those_of_a_trader(everything, desk):
    facts = everything["pnl"].facts
    assert facts["pnl"] == desk.firm_pnl.value
    assert len(facts["positions"]) == 90
    assert "80 more with --all" in shown(everything["pnl"])
    assert "more with --all" not in shown(list_pnl(desk, everything=True))
    of_one = list_pnl(desk, trader="Diana")
    assert {line.trader for line in of_one.facts["positions"]} == {"Diana"}
    assert sum(line.pnl for line in of_one.facts["positions"]) == pytest.approx(desk.traders["Diana"].pnl.value)
    with pytest.raises(DeskError, match="there is no trader 'Dina'"):
        list_pnl(desk, trader="Dina")


def test_attribution_since_the_opening_is_the_pnl_of_the_desk(everything, desk):
    facts = everything["pnl-attr"].facts
    assert facts["pnl"] == pytest.approx(desk.firm_pnl.value)
    for trader in desk.traders:
        assert facts["traders"][trader.name]["actual"] == pytest.approx(trader.pnl.value, abs=1e-6)
    by_instrument = attribute_pnl(desk, mode="waterfall", by_instrument=True).facts
    assert sum(row["actual"] for row in by_instrument["instruments"].values()) == pytest.approx(facts["pnl"])
    assert "NVDA" in by_instrument["instruments"]


def test_attribution_of_a_trade_and_from_a_time(own):
    own.tick()
    own.save()
    middle, before = dt.datetime.now(dt.UTC), own.firm_pnl.value
    own.tick()
    own.trade("Alice", "NVDA", 1_000, price=float(own.leaf("NVDA").value) - 1.0)
    assert attribute_pnl(own, since=middle).facts["by_factor"]["new_trades"] == pytest.approx(1_000.0)
    assert attribute_pnl(own, since=middle).facts["pnl"] == pytest.approx(own.firm_pnl.value - before)
    with pytest.raises(DeskError, match="the store has it from"):
        attribute_pnl(own, since=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(DeskError, match="no time zone"):
        attribute_pnl(own, since=dt.datetime(2020, 1, 1))  # noqa: DTZ001 - the point


def test_stress_has_every_scenario_of_the_library(everything, desk):
    found = everything["stress"].facts["scenarios"]
    assert list(found) == list(STRESS_SCENARIOS)
    [crash] = run_stresses(plan_valuation([trader.book for trader in desk.traders]), ["covid_2020"])
    assert found["covid_2020"]["pnl"] == crash.pnl
    assert sum(found["covid_2020"]["traders"].values()) == pytest.approx(crash.pnl)


def test_one_scenario_with_the_moves_behind_it(everything, desk):
    facts = everything["stress one"].facts
    moves = {row["factor"]: row for row in facts["factors"]}
    assert facts["shocks"]["equity"] == "-0.339 (relative)"
    assert moves["SPY_SPOT"]["change"] == pytest.approx(-0.339)
    assert moves["SPY_SPOT"]["stressed"] == pytest.approx(float(desk.leaf("SPY").value) * (1.0 - 0.339))
    assert (moves["SPY_VOL"]["shift"], moves["SPY_VOL"]["change"]) == ("absolute", pytest.approx(0.472))
    assert explain_stress(desk, "COVID_2020").facts["pnl"] != facts["pnl"]  # another scenario of the library
    assert explain_stress(desk, "Tech_Crash").facts["title"] == "Tech crash"
    with pytest.raises(BankError, match="did you mean"):
        explain_stress(desk, "covid")


def test_a_simulation_is_that_of_the_engine(everything, desk):
    facts = everything["mc"].facts
    engine = MonteCarloEngine(desk.traders, desk.graph)
    assert facts["var_99"] == engine.run(MCConfig(n_paths=500, random_seed=3, stresses=())).var_99
    ten = simulate(desk, paths=500, horizon=10.0, model="heston", seed=3).facts
    assert ten["var_99"] > 2.0 * facts["var_99"]
    with pytest.raises(BankError, match="horizon"):
        simulate(desk, paths=500, horizon=-1.0)


# --- volatilities ----------------------------------------------------------------------------------


def test_the_surface_says_what_is_quoted_and_what_is_a_model(everything, desk):
    facts = everything["volsurface"].facts
    quoted = float(desk.leaf("SPY_VOL").value)
    assert facts["quoted_vol"] == quoted
    text = shown(everything["volsurface"])
    assert f"one volatility {quoted:.1%}" in text
    assert "Model, not quotes" in text
    at = {(row["expiry"], round(row["strike"] / facts["spot"], 2)): row["vol"] for row in facts["surface"]}
    assert {row["origin"] for row in facts["surface"]} == {"heston"}
    for expiry in (0.25, 0.5, 1.0, 2.0):
        assert at[expiry, 0.8] > at[expiry, 1.0] > at[expiry, 1.15]
        assert at[expiry, 1.0] == pytest.approx(quoted, abs=0.01)
    assert model_surface(desk, "spy").facts["ticker"] == "SPY"


@pytest.mark.parametrize("ticker", ["AAPLE", "EURUSD", "SOFR"])
def test_a_ticker_without_a_quoted_volatility(desk, ticker):
    with pytest.raises(BankError, match=f"the list of quoted volatilities has no ticker '{ticker}'"):
        model_surface(desk, ticker)


def test_quotes_of_ones_own_are_fitted(desk, tmp_path):
    spot, smile = float(desk.leaf("SPY").value), SviSlice(a=0.02, b=0.1, rho=-0.4, m=0.0, sigma=0.2)
    forward = spot * np.exp(float(desk.leaf("SOFR").value))
    strikes = spot * np.array([0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3])
    vols = np.sqrt(smile.total_variance(np.log(strikes / forward)))
    rows = [{"strike": k, "expiry": 1.0, "vol": v} for k, v in zip(strikes.tolist(), vols.tolist(), strict=True)]
    Table.from_rows([("strike", float), ("expiry", float), ("vol", float)], rows).to_csv(tmp_path / "smile.csv")
    facts = fitted_surface(desk, "SPY", str(tmp_path / "smile.csv")).facts
    assert [row["vol"] for row in facts["surface"]] == pytest.approx(vols.tolist(), abs=1e-5)
    assert facts["arbitrage_free"]
    assert {row["origin"] for row in facts["surface"]} == {"svi"}


# --- portfolios ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["mv", "rp", "bl", "hrp", "cvar", "max_sharpe", "min_volatility"])
def test_portfolios_are_those_of_the_library(desk, method):
    extra = {"views": []} if method == "bl" else {}
    best = create_optimizer(method, asset_data(desk), risk_free_rate=RATE, **extra).optimize()
    assert optimize(desk, Wanted(method)).facts["weights"] == best.by_ticker()


def test_budgets_views_and_bounds(desk):
    facts = optimize(desk, Wanted("risk-budget", budgets=["TLT=2", "GLD = 0.5"])).facts
    assert facts["risk_shares"]["TLT"] == pytest.approx(2.0 / 8.5)
    assert facts["risk_shares"]["GLD"] == pytest.approx(0.5 / 8.5)
    plain, believed = (optimize(desk, Wanted("bl", views=views)).facts["weights"] for views in ([], ["AAPL=0.3"]))
    assert believed["AAPL"] > plain["AAPL"]
    better = optimize(desk, Wanted("bl", views=["XOM>JPM=0.10"])).facts["weights"]
    assert better["XOM"] - better["JPM"] > plain["XOM"] - plain["JPM"]
    held = optimize(desk, Wanted("max_sharpe", weights=(0.05, 0.3))).facts["weights"].values()
    assert min(held) >= 0.05 - 1e-9
    assert max(held) <= 0.3 + 1e-9


def test_another_library_is_given_the_same_problem(desk, monkeypatch):
    asked = []

    def library(kind, data, **params):
        asked.append((kind, data.tickers, params))
        return create_optimizer(kind, data, **params)

    monkeypatch.setitem(BACKENDS, "pypfopt", library)
    facts = optimize(desk, Wanted("min_volatility", "pypfopt", weights=(0.0, 0.5)), tickers=["KO", "SPY"]).facts
    assert asked == [("min_variance", ("KO", "SPY"), {"risk_free_rate": RATE, "bounds": (0.0, 0.5)})]
    assert facts["backend"] == "pypfopt"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("best"), "no optimiser 'best'"),
        (Wanted(backend="pypfop"), "did you mean 'pypfopt'"),
        (Wanted("bl", views=["AAPL"]), "--view 'AAPL' is not of the form"),
        (Wanted("risk_budget", budgets=["TLT=1-2"]), "--budget 'TLT=1-2' is not of the form"),
    ],
)
def test_portfolios_that_cannot_be_computed(desk, wanted, said):
    with pytest.raises(BankError, match=said):
        optimize(desk, wanted)


def test_assets_are_given_or_held(desk):
    assert universe(desk, ("KO", "SPY", "KO"), None) == ("KO", "SPY")
    assert set(universe(desk, None, "Oscar")) == {"SPY", "GLD", "KO", "BTC", "ETH"}
    with pytest.raises(DeskError, match=r"Nero holds 1 shares, funds or coins \(HYG\)"):
        universe(desk, None, "Nero")
    with pytest.raises(BankError, match="FOO"):
        universe(desk, ("KO", "FOO"), None)


def test_a_frontier_has_as_many_points_as_are_asked_for(everything):
    facts = everything["frontier"].facts
    returns = [point["expected_return"] for point in facts["points"]]
    assert len(returns) == 5
    assert returns == sorted(returns)
    assert max(point["sharpe"] for point in facts["points"]) <= facts["max_sharpe"]["sharpe"] + 1e-9


# --- rebalancing -----------------------------------------------------------------------------------


def quantities(desk, trader):
    return {position.instrument.name: position.quantity for position in desk.traders[trader].positions}


def test_a_dry_run_books_nothing(everything, desk):
    facts = everything["rebalance"].facts
    assert facts["booked"] == []
    assert len(facts["trades"]) == 5
    assert len(desk.blotter) == 0


def test_trades_lead_to_the_target_weights(own):
    before = quantities(own, "Oscar")
    planned = rebalance(own, "Oscar", Wanted("hrp"), dry_run=True).facts
    done = rebalance(own, "Oscar", Wanted("hrp")).facts
    assert {item["ticker"]: item["shares"] for item in planned["trades"]} == {
        trade["instrument"]: trade["quantity"] for trade in done["booked"]
    }
    after = quantities(own, "Oscar")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {trade["instrument"] for trade in done["booked"]}
    values = {name: after[name] * float(own.leaf(name).value) for name in done["target"]}
    for name, weight in done["target"].items():
        assert values[name] / done["wealth"] == pytest.approx(weight, abs=0.001)
    again = rebalance(own, "Oscar", Wanted("hrp"))
    assert (again.facts["due"], again.facts["booked"]) == (False, [])
    assert "Nothing to trade." in shown(again)


def test_a_stored_desk_is_polled_before_its_orders_so_that_they_fill(tmp_path):
    build_desk(seed=7, db=tmp_path / "desk.db").close()
    with Desk.open(tmp_path / "desk.db") as desk:
        facts = rebalance(desk, "Oscar", Wanted("hrp")).facts
    assert (len(facts["booked"]), facts["rejected"]) == (len(facts["trades"]), {})


def test_short_positions_are_bought_back_and_invested(own):
    facts = rebalance(own, "Diana", Wanted("rp")).facts
    spy, tlt = 4_000 * float(own.leaf("SPY").value), 15_000 * float(own.leaf("TLT").value)
    assert facts["wealth"] == pytest.approx(spy + tlt)
    assert quantities(own, "Diana")["SPY"] > 0.0


def test_costs_are_those_of_the_settings(own):
    write_setting(own.db, "spread_bps", 20.0)
    write_setting(own.db, "slippage_bps", 5.0)
    facts = rebalance(own, "Oscar", Wanted("hrp"), dry_run=True).facts
    assert facts["cost"] == pytest.approx(15e-4 * sum(abs(trade["value"]) for trade in facts["trades"]))


def test_too_little_capital_is_refused(own):
    with pytest.raises(DeskError, match="give --capital of at least that"):
        rebalance(own, "Oscar", Wanted("rp"), capital=1_000.0)
    assert len(own.blotter) == 0


# --- settings --------------------------------------------------------------------------------------


def test_settings_are_listed_and_changed_together_or_not_at_all(own):
    changed = change_settings(own, change=("max_vega", "5e4"))
    assert changed.facts["settings"]["max_vega"] == 5e4
    assert changed.facts["set"] == ["max_vega"]
    with pytest.raises(DeskError, match="max_delta='x'"):
        change_settings(own, change=("max_delta", "x"), unset="max_vega")
    assert read_settings(own.db).max_vega == 5e4
    assert change_settings(own, unset="max_vega").facts["set"] == []
    assert read_settings(own.db) == DeskSettings()


def test_a_file_that_cannot_be_written_is_an_error(desk, tmp_path):
    with pytest.raises(DeskError, match=r"cannot write .*missing.x\.csv: there is no folder"):
        deliver("config", desk, list_settings(desk), Output(csv=str(tmp_path / "missing" / "x.csv")))


@pytest.mark.parametrize("name", ["", ".", "missing/x.csv", "desk.db", "desk.db-wal", "/dev/null"])
def test_the_csv_file_is_checked_before_a_command_trades(tmp_path, name):
    path = tmp_path / "desk.db"
    build_desk(seed=7, db=path).close()
    with pytest.raises(DeskError, match=r"cannot write|is empty"):
        change(
            "order", lambda _: pytest.fail("too late"), DeskSource(str(path)), Output(csv=name and str(tmp_path / name))
        )
    Desk.open(path, read_only=True).close()


def test_texts_of_a_result_are_no_markup():
    assert as_text(CommandResult({}, ["[bold]a[/]\x1b"])) == "[bold]a[/]\\x1b"


if __name__ == "__main__":
    made = build_desk(seed=7)
    for _ in range(3):
        made.tick()
    for name, result in {
        "pnl": list_pnl(made),
        "volsurface": model_surface(made, "SPY"),
        "config": list_settings(made),
    }.items():
        (GOLDEN / f"command_{name}.txt").write_text(shown(result) + "\n", encoding="utf-8")
