"""The showcase as a program: output and exit code, also with live feeds against local servers."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bank_python.desk.showcase.stage import choose_scenes

ROOT = Path(__file__).parents[2]
TITLES = [
    "1. DESK OVERVIEW",
    "2. A TICK AND ITS RECALCULATION",
    "3. RATE SHOCK",
    "4. WHAT-IF SCENARIO",
    "5. PRICE LADDER AND PROFILE",
    "6. TRADES BOOKED, STORED AND QUERIED",
    "7. BACKGROUND JOBS",
    "8. RECORD AND REPLAY",
    "9. DESK SAVED AND REOPENED",
    "10. GREEKS BY BOOK",
    "11. LIVE YIELD CURVE AND VOLATILITY SURFACE",
    "12. P&L ATTRIBUTION",
    "13. QUANTLIB PRICING COMPARISON",
    "14. MONTE CARLO — GBM",
    "15. MONTE CARLO — HESTON",
    "16. MONTE CARLO — MERTON",
    "17. STRESS TEST SCENARIOS",
    "18. VALUE AT RISK, UPDATED TICK BY TICK",
    "19. VALUE AT RISK BACKTEST",
    "20. LIMITS AND ALERTS",
    "21. VOLATILITY FORECASTS",
    "22. BLENDED VOLATILITY OF A COIN",
    "23. MARKET REGIMES",
    "24. MACRO GAUGES, CORRELATIONS AND TRENDS",
    "25. RISK SCORE AND GRADE",
    "26. LIQUIDITY",
    "27. KELLY CRITERION",
    "28. PORTFOLIO OPT — MEAN-VARIANCE",
    "29. PORTFOLIO OPT — RISK PARITY",
    "30. PORTFOLIO OPT — BLACK-LITTERMAN",
    "31. PORTFOLIO OPT — HRP (PyPortfolioOpt)",
    "32. PORTFOLIO OPT — CVAR (Riskfolio-Lib)",
    "33. EFFICIENT FRONTIER",
    "34. CAPM AND THE SECURITY MARKET LINE",
    "35. PORTFOLIO REBALANCE",
    "36. TALEB: BARBELL PORTFOLIO",
    "37. OWN PORTFOLIO",
    "38. ROLLING THE VALUATION DATE",
    "39. PAIRS AND COINTEGRATION",
    "40. EXECUTION: COSTS AND SCHEDULES",
    "41. TALEB: OPTION TRACKER",
    "42. TRADE ANALYSIS",
    "43. ORDERS: FROM SIGNAL TO AUDIT",
    "44. BACKTEST — Momentum",
    "45. BACKTEST — All Strategies",
    "46. TEARSHEET",
    "47. BACKTEST — Verdict",
    "48. TALEB: TAIL DIAGNOSTICS",
    "49. TALEB: POWER LAW PRICING",
    "50. TALEB: CORRELATION FRAGILITY",
    "51. TALEB: HEDGING ERRORS",
    "52. HEDGING — Hull's two paths",
    "53. VERIFICATION",
]


def showcase(*arguments, **environment):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BANK_PYTHON")}
    return subprocess.run(
        [sys.executable, "showcase.py", *arguments],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def facts(*arguments, **environment):
    done = showcase(*arguments, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [x for x in lines if x["type"] == "scene"], [x for x in lines if x["type"] == "iteration"]


def test_all_scenes_play_in_order_without_colour_when_piped():
    done = showcase()
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(" ─")[0] for line in done.stdout.splitlines() if line[:1].isdigit() and "─" in line] == TITLES
    assert "\x1b" not in done.stdout
    assert "cannot be played" not in done.stdout
    assert "values are bitwise identical after reopening" in " ".join(done.stdout.split())


def test_list_names_every_scene():
    done = showcase("--list")
    assert done.returncode == 0
    assert [title for title in TITLES if title not in done.stdout] == []


def test_the_readme_states_the_number_of_scenes():
    assert f"a scripted tour of {len(TITLES)} scenes" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_dense_proves_what_the_scenes_claim():
    scenes, iterations = facts("--dense", "3")
    overview, ticking, shock, what_if, ladder, trading, job, replay, reopened, *pricing = scenes
    assert len(overview["traders"]) == 14
    assert ticking["share_tick"]["evaluated"] == ticking["planned"] < ticking["nodes"] / 10
    assert shock["restored"] is True
    assert shock["firm_pnl_change"] != 0.0
    assert (what_if["evaluated_in_graph"], what_if["ticks_passed"], what_if["nodes_dirty_after"]) == (0, 0, 0)
    assert what_if["unchanged_after"] is True
    assert (ladder["equals_the_what_if"], ladder["graph_untouched"]) == (True, True)
    assert len(ladder["firm_pnl"]) == len(ladder["shocks"]) == 9
    assert replay["ticks_recorded"] == replay["ticks_replayed"] == replay["bitwise_identical"] == 5
    assert trading["by_trader"][0]["quantity"] == 600.0
    assert trading["firm_pnl_after"] == pytest.approx(trading["firm_pnl_before"], abs=1e-6)
    assert job["jobs"] == {"market_data": ["SUCCEEDED"], "revalue": ["SUCCEEDED"]}
    assert reopened["values_bitwise_identical"] == reopened["nodes_before"] == reopened["nodes_after"]
    greeks, curves, day, quantlib, gbm, heston, merton, stress, reactive, tried, limits = pricing[:11]
    prove_volatility(*pricing[11:13])
    prove_conditions(*pricing[13:18])
    prove_portfolios(*pricing[18:27])
    prove_own_portfolio(pricing[27])
    prove_time_passes(pricing[28])
    prove_trading(*pricing[29:33], tested=pricing[34:37])
    prove_tails_and_verification({scene["name"]: scene for scene in scenes})
    assert sum(greeks["delta_by_trader"].values()) == pytest.approx(greeks["firm"]["delta"])
    assert (greeks["without_a_value"], curves["arbitrage_free"]) == ([], True)
    assert curves["before"]["ACME_US_PUT"] > curves["before"]["ACME_PUT"]
    assert curves["swap_change_per_bp"] == pytest.approx(curves["swap_dv01"], rel=0.05)
    assert day["attributed"] == pytest.approx(day["firm_pnl_change"], abs=1e-4)
    assert sum(day["by_factor"].values()) == pytest.approx(day["attributed"], abs=1e-6)
    assert day["unexplained_share"] < 0.01
    assert abs(day["waterfall_unexplained"]) < 1e-4
    assert max(quantlib["largest_difference"].values()) < 1e-11
    for simulated in (gbm, heston, merton):
        assert 0.0 < simulated["var_95"] < simulated["var_99"] < simulated["cvar_99"]
        assert sum(simulated["es_by_trader"].values()) == pytest.approx(simulated["cvar_99"], rel=1e-12)
        assert sum(simulated["es_by_factor"].values()) == pytest.approx(simulated["cvar_99"], rel=1e-12)
        assert simulated["worst_greek_z_score"] < 5.0
    assert merton["cvar_99_over_gbm"] > merton["var_99_over_gbm"]
    assert stress["pnl"]["gfc_2008"] < 0.0
    assert set(stress["missing"]) >= {"CRYPTO_CRASH", "fed_2024"}
    assert stress["covered"]["gfc_2008"] == 1.0 > stress["covered"]["fed_2024"] > 0.0
    assert stress["pnl_by_regressed_betas"]["gfc_2008"] != stress["pnl"]["gfc_2008"]
    assert stress["reverse_loss"] == pytest.approx(stress["reverse_loss_wanted"], rel=1e-6)
    assert 2.0 < stress["reverse_distance"] < 12.0
    assert reactive["var_99_after"] == pytest.approx(reactive["var_99_of_a_full_run"], rel=1e-12)
    assert reactive["var_99_after"] != reactive["var_99_before"]
    assert set(tried["tests"]) >= {"historical", "filtered", "evt"}
    assert limits["acted_on"] in {"Alice: VaR 99", "Tony: VaR 99"}
    assert limits["resolution"].startswith("back within its limit")
    assert [x["iteration"] for x in iterations] == [1, 2, 3]
    for symbol in ("SPY", "SOFR", "CDX_HY", "VIX", "EURUSD", "BTC"):
        assert len({x["market"][symbol] for x in iterations}) == 3


def prove_tails_and_verification(scenes):
    prove_verification(scenes["VERIFICATION"])
    found = scenes["TALEB: TAIL DIAGNOSTICS"]
    assert found["n_observations"] > 1_000
    assert 0.0 < found["max_to_sum"] < 1.0
    priced = scenes["TALEB: POWER LAW PRICING"]["strip"]
    assert [row["power_law_price"] is None for row in priced[:2]] == [True, True]  # nearer than the anchor
    assert priced[2]["power_law_price"] == pytest.approx(priced[2]["bsm_price"], rel=1e-12)  # the anchor
    assert priced[-1]["power_law_price"] > 10.0 * priced[-1]["bsm_price"]
    shifted = scenes["TALEB: CORRELATION FRAGILITY"]
    assert shifted["weight_sensitivity"] == max(shifted["weight_sensitivities"].values()) > 0.0
    gaussian, *fat = scenes["TALEB: HEDGING ERRORS"]["results"]
    assert gaussian["std_error"] == pytest.approx(0.44, abs=0.02)  # about sqrt(pi/4) vega sigma/sqrt(n)
    assert all(law["kurtosis"] > 2.0 * gaussian["kurtosis"] and law["es_99"] > gaussian["es_99"] for law in fat)
    paths = scenes["HEDGING — Hull's two paths"]["paths"]
    assert [round(path["cost"], 2) for path in paths] == [263_241.65, 256_541.94]


def prove_verification(scene):
    assert (scene["ok"], scene["differing"]) == (True, [])
    assert scene["values"] == sum(scene["by_topic"].values()) == sum(scene["by_kind"].values()) > 120
    assert scene["largest_share_of_tolerance"] <= 1.0


def prove_time_passes(scene):
    assert len(scene["ended"]) >= 10
    assert sum(scene["paid"].values()) == pytest.approx(scene["by_factor"]["cash_flows"], rel=1e-9)
    assert scene["attributed"] == pytest.approx(scene["firm_pnl_change"], abs=1e-4)
    assert scene["gamma_of_ended_positions"] == 0.0


def prove_trading(pairs, execution, tracker, trades, *, tested):
    prove_backtests(*tested)
    assert pairs["selected"] == [[pairs["invented"], pairs["shares"][0]]]
    assert pairs["below_5_percent"] > 1
    assert pairs["hedge_ratio"] == pytest.approx(0.8, abs=0.03)
    costs = list(execution["cost_bps"].values())
    assert costs == sorted(costs)
    assert execution["expected_costs"] == sorted(execution["expected_costs"])
    assert execution["standard_deviations"] == sorted(execution["standard_deviations"], reverse=True)
    assert math.fsum(execution["trades"]) == pytest.approx(execution["order"])
    assert tracker["asymmetry"] == sorted(tracker["asymmetry"])
    assert tracker["theta"] < 0.0 < tracker["gamma"]
    assert tracker["rules"][0] == "EXPIRY_CRITICAL"
    assert trades["trend"]["trades"] > 30
    assert trades["trend"]["mae"] < 0.0 < trades["trend"]["mfe"]


def prove_backtests(momentum, every, sheet):
    assert momentum["source"] == sheet["source"] == "simulated prices, not those of a market"
    assert momentum["intact"] is True
    assert momentum["final_value"] < momentum["final_value_without_costs"]
    assert {x["strategy"]: x["final_value"] for x in every["backtests"]}["momentum"] == momentum["final_value"]
    assert {"momentum", "stat_arb", "macro"} <= {x["strategy"] for x in every["backtests"]}
    assert all(x["trades"] > 10 for x in every["backtests"])
    assert (sheet["key"], sheet["equals_the_stored"]) == (momentum["key"], True)
    assert sheet["metrics"]["total_return"] == momentum["return"]
    assert sheet["html_bytes"] < 300_000


def prove_own_portfolio(scene):
    assert len(scene["tickers"]) == 3
    assert scene["value"] > 0.0
    assert 0.0 < scene["var_99"] < scene["es_99"]
    assert scene["worst_stress"] == "gfc_2008"
    assert scene["assumptions"] == []


def prove_volatility(forecasts, blended):
    after = forecasts["if_it_fell_by_5_percent"]
    assert all(after[model] > 1.2 * found["1"] for model, found in forecasts["forecasts"].items())
    assert set(forecasts["others"]) == {"Parkinson", "Yang and Zhang", "SPY_VOL", "VIX"}
    assert all(0.05 < figure < 0.5 for figure in forecasts["others"].values())
    historical, *filtered = forecasts["var_99"].values()
    assert len(filtered) == 2
    assert historical["after_a_fall"] < 1.1 * historical["now"]
    assert all(risk["after_a_fall"] > 1.5 * risk["now"] for risk in filtered)
    assert forecasts["gjr"][-1]["parameter"] == "nu"
    assert math.fsum(part["share"] for part in blended["short"].values()) == pytest.approx(1.0)
    assert blended["short"]["GARCH"]["share"] == 0.0
    assert "its weight goes to HAR and ATR" in blended["short"]["GARCH"]["said"]
    assert blended["full"]["GARCH"]["share"] == pytest.approx(0.4)
    assert blended["by_hours"]["4"] < blended["by_hours"]["8"] < blended["by_hours"]["24"]


def prove_conditions(regimes, macro, score, liquidity, kelly):
    assert regimes["two_supported"] is True
    assert regimes["turbulence_after"]["-4%"] > 0.9 > regimes["turbulence_after"]["+0%"]
    assert regimes["volatilities"] == sorted(regimes["volatilities"])
    assert macro["is_simulated"] is True
    assert macro["reading"].endswith("[simulated]")
    assert len(macro["correlations"]) == 15
    assert macro["correlations"]["BTC/ETH"] > 0.3
    assert "UST10Y" not in macro["trends"]
    now, shocked, traded = score["cases"].values()
    assert math.fsum(score["contributions"].values()) == now["score"] == score["score"]
    assert shocked["score"] > now["score"]
    assert traded["score"] > now["score"]
    assert shocked["better"] == "AAA"
    assert score["missing"] == []
    assert liquidity["var_99"] < liquidity["adjusted"]["1"] < liquidity["adjusted"]["1000"] / 1000.0
    assert liquidity["factor"]["1"] == 1.0 < liquidity["factor"]["1000"]
    assert liquidity["without_volume"] == []
    for estimate in (kelly["held"], kelly["trend"]):
        assert 0.0 <= estimate["shrunk"] <= estimate["kelly"]
        assert estimate["error"] > 1.0


def prove_portfolios(reward, parity, views, tree, tail, frontier, line, rebalanced, barbell):
    for held in (*reward.values(), *parity.values()):
        if isinstance(held, dict):
            assert sum(held["weights"].values()) == pytest.approx(1.0, abs=1e-4)
            assert held["kkt_residual"] < 1e-12
    assert min(reward["max_sharpe"]["weights"].values()) == pytest.approx(0.02, abs=1e-9)
    assert max(reward["max_sharpe"]["weights"].values()) <= 0.40
    assert {"turnover at most 0.3", "technology at most 0.35"} <= set(reward["with_constraints"]["active"])
    assert views["posterior"]["AAPL"] > views["prior"]["AAPL"]
    assert views["with_views"]["weights"]["AAPL"] > views["without_views"]["weights"]["AAPL"]
    assert max(tree["within_bounds"].values()) <= 0.2 + 1e-9
    assert tail["libraries"]["bank-python"]["gap"] == 0.0
    assert frontier["kkt_residual"] < 1e-12
    assert [x["cvar"] for x in frontier["cvar_frontier"]] == sorted(x["cvar"] for x in frontier["cvar_frontier"])
    assert line["betas"]["NVDA"] > 1.0 > line["betas"]["KO"]
    assert rebalanced["drift_after"] < 0.001
    assert rebalanced["drift_before"] > 0.05
    assert rebalanced["resolution"][0].startswith("back within its limit")
    assert {
        factor_model: round(held["loss_at_epsilon"], 12)
        for factor_model, held in barbell.items()
        if isinstance(held, dict)
    } == {
        "gaussian": 0.1,
        "student_t": 0.1,
        "empirical": 0.1,
    }


def test_the_seed_decides():
    def market(seed):
        return [x["market"] for x in facts("--dense", "2", "--only", "1", "--seed", seed)[1]]

    assert market("3") == market("3") != market("4")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "99"), "there is no scene '99'"),
        (("--feed", "bloomberg"), "bloomberg"),
        (("--seed", "-1"), "--seed"),
        (("--dense", "many"), "--dense"),
    ],
)
def test_bad_arguments_are_refused_with_the_way_out(arguments, said):
    done = showcase(*arguments)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("only", ["31", "hrp", "PyPortfolioOpt"])
def test_only_finds_titles_in_any_case(only):
    assert [item.number for item in choose_scenes(only)] == [31]


def test_only_plays_some():
    scenes, iterations = facts("--dense", "0", "--only", "TRADES,3")
    assert ([x["number"] for x in scenes], iterations) == ([3, 6], [])


# Three scenes suffice to check the prices of a feed: the others compute with the same graph.
played = pytest.mark.parametrize(
    "played",
    [
        pytest.param(("--only", "1,2,6"), id="three-scenes"),
        pytest.param((), id="every-scene", marks=pytest.mark.slow),
    ],
)


@played
def test_the_real_panel(played):
    columns = pytest.importorskip("skfolio.datasets").load_sp500_dataset().columns
    scenes, _ = facts("--dense", "1", "--feed", "history", *played)
    shares = [x for x in scenes[0]["sources"] if x["kind"] == "equity"]
    assert [(x["source"], x["quoted"]) for x in shares] == [("history:sp500", len(columns))]
    assert {x["source"] for x in scenes[0]["sources"] if x["kind"] != "equity"} == {"simulated"}
    assert {bar["volume"] for bar in scenes[0]["history"]["bars"]} == {None}
    assert not [x for x in scenes if "error" in x]


@pytest.fixture(scope="module")
def yahoo(tmp_path_factory):
    pytest.importorskip("yfinance")
    from tests.servers.yahoo_server import YahooServer

    with YahooServer({"SPY": 600.25, "EURUSD=X": 1.0875}, tmp_path_factory.mktemp("ca"), any_symbol=True) as server:
        yield server


@played
def test_yahoo_gives_the_served_prices(yahoo, tmp_path, played):
    scenes, (step,) = facts(
        "--dense", "1", "--feed", "yahoo", *played, XDG_CACHE_HOME=str(tmp_path), **yahoo.environment
    )
    assert (step["market"]["SPY"], step["market"]["EURUSD"]) == (600.25, 1.0875)
    assert step["market"]["BTC"] == yahoo.price("BTC-USD")
    assert step["market"]["VIX"] == yahoo.price("^VIX")
    sources = {x["kind"]: (x["source"], x["states"]) for x in scenes[0]["sources"]}
    assert sources["equity"] == ("yahoo", {"fresh": 206})
    assert sources["rate"][0] == sources["credit"][0] == "simulated"
    assert not [x for x in scenes if "error" in x]


@pytest.mark.parametrize(("mode", "said"), [("429", "429"), ("500", "500"), ("html", "HTML"), ("empty", "")])
def test_the_desk_stays_up_when_yahoo_fails(yahoo, tmp_path, mode, said):
    yahoo.fail(mode)
    try:
        scenes, (step,) = facts(
            "--dense", "1", "--only", "1,3", "--feed", "yahoo", XDG_CACHE_HOME=str(tmp_path), **yahoo.environment
        )
    finally:
        yahoo.recover()
    [trouble] = scenes[0]["troubles"][:1]
    assert trouble["state"] == "unquoted"
    assert "AAPL" in trouble["tickers"]
    assert said.lower() in trouble["reason"].lower()
    assert "AAPL" in step["stale"]


@played
def test_an_exchange_gives_the_served_prices_and_may_fail(played):
    pytest.importorskip("ccxt")
    from tests.servers.hyperliquid_server import HyperliquidServer

    with HyperliquidServer({"BTC": 97_000.5, "ETH": 3_611.05}, {"BTC": 0.0000125}, delisted=("OLD",)) as server:
        scenes, (step,) = facts("--dense", "1", "--feed", "ccxt", *played, **server.environment)
        assert (step["market"]["BTC"], step["market"]["ETH"]) == (97_000.5, 3_611.05)
        assert "SOL" in step["stale"]
        assert not [x for x in scenes if "error" in x]
        server.fail("500")
        scenes, (step,) = facts("--dense", "1", "--only", "1", "--feed", "ccxt", **server.environment)
        assert "BTC" in step["stale"]
