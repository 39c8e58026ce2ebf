"""Risk on the desk: factor model, VaR of each trader, limits, updates after trades, and number of scenarios."""

import datetime as dt
import inspect
import json

import numpy as np
import pytest

from bank_python import MCConfig, MonteCarloEngine, build_desk
from bank_python.barbara import BarbaraDB
from bank_python.cli.desk import prop_desk
from bank_python.desk import Desk
from bank_python.desk.balance import BalancedBook
from bank_python.desk.factor_model import load_past
from bank_python.desk.holdings import Shares
from bank_python.desk.live import LiveDesk
from bank_python.desk.risk import SCENARIOS, DeskRisk, affordable_paths
from bank_python.desk.showcase.stage import Stage, choose_scenes
from bank_python.desk.traders import TraderSpec
from bank_python.errors import CalibrationError, DeskError, SimulationError
from bank_python.market_data import HistoryFeed
from bank_python.mc_engine import FactorModel, regressed_betas
from bank_python.risk import Limit, run_stresses

PATHS = 3_000
QUIET = {"stresses": (), "validate_greeks": False}


@pytest.fixture
def desk():
    return build_desk(seed=7)


def test_the_law_is_calibrated_when_it_is_read_and_again_when_a_day_has_passed(desk):
    node = desk.graph.node("FACTOR_MODEL")
    assert desk.past.tickers == ()
    factor_model = node.value
    assert isinstance(factor_model, FactorModel)
    assert len(desk.past.tickers) == len(factor_model.names) == 56
    assert dict(zip(factor_model.names, factor_model.relative, strict=True))["SOFR"] is False
    assert factor_model.source == "261 days, ewma 0.97"
    assert node.value is factor_model


def test_history_is_loaded_a_while_at_a_time(desk):
    done, wanted = load_past(desk, 1e-9)
    assert (done, wanted) == (1, 56)
    assert load_past(desk, 1e-9) == (2, 56)
    assert load_past(desk) == (56, 56)


def test_a_panel_of_real_shares_and_a_simulated_rest_have_a_law():
    pytest.importorskip("skfolio")
    factor_model = build_desk(seed=3, feed="history").graph.node("FACTOR_MODEL").value
    assert factor_model.source.count("days") == 2
    shares, rates = factor_model.names.index("AAPL_SPOT"), factor_model.names.index("UST10Y")
    assert factor_model.correlation[shares, rates] == 0.0
    assert factor_model.correlation[shares, factor_model.names.index("MSFT_SPOT")] > 0.2
    assert len(factor_model.residuals) > 200


def test_every_traders_risk_is_that_of_a_run(desk):
    risk = DeskRisk(desk, n_paths=PATHS)
    desk.tick()
    config = MCConfig(n_paths=PATHS, **QUIET)
    result = MonteCarloEngine(desk.traders, desk.graph).run(config)
    assert risk.firm.var_99.value == pytest.approx(result.var_99, rel=1e-12)
    assert list(risk.traders) == list(desk.traders.names)
    assert risk.proxy_error is None
    total = sum(part.pnl.value for part in risk.traders.values())
    assert total == pytest.approx(result.pnl, rel=1e-9, abs=1e-4)


def test_limits_open_alerts_and_trades_close_them(desk):
    risk = DeskRisk(desk, n_paths=PATHS)
    opened = {(alert.scope, alert.rule): alert for alert in risk.check()}
    breach = opened["Tony", "VaR 99"]
    assert breach.severity.value == "high"
    assert breach.contributor.startswith("NVDA_SPOT ")
    assert opened["firm", "Stress loss"].contributor.startswith("Tech crash: Tony -")
    assert risk.check() == ()
    assert [alert.id for alert in risk.open_alerts] == [
        alert.id for alert in sorted(opened.values(), key=lambda alert: (-alert.severity.rank, alert.id))
    ]
    desk.trade("Tony", "NVDA", -30_000)
    desk.trade("Tony", "META", -8_000)
    assert risk.follow_books()
    closed = [alert for alert in risk.check() if alert.id == breach.id]
    assert closed[0].resolution.startswith("back within its limit")
    assert breach.id not in {alert.id for alert in risk.open_alerts}


def test_nodes_of_risk_leave_no_trace_and_are_not_kept(tmp_path, caplog):
    desk = build_desk(seed=7, db=BarbaraDB.open("desk;default", path=tmp_path / "desk.db"))
    names = {node.name for node in desk.graph}
    risk = DeskRisk(desk, n_paths=PATHS)
    assert risk.firm.var_99.value > 0.0
    risk.check()
    alerts = risk.board.alerts.open_alerts()
    desk.save()
    assert caplog.text == ""
    risk.remove()
    assert {node.name for node in desk.graph} == names
    desk.close()
    again = Desk.open(tmp_path / "desk.db")
    assert {node.name for node in again.graph} == names
    assert DeskRisk(again, n_paths=PATHS).board.alerts.open_alerts() == alerts != ()
    again.close()


def test_a_proxy_says_how_far_it_is_off(desk):
    risk = DeskRisk(desk, n_paths=5_000, proxy=True)
    assert 0.0 <= risk.proxy_error < 1e-3 * risk.firm.var_99.value
    full = DeskRisk(build_desk(seed=7), n_paths=5_000)
    assert full.proxy_error is None
    assert risk.firm.var_99.value == pytest.approx(full.firm.var_99.value, rel=1e-3)


@pytest.mark.parametrize("affordable", [2_000, 20_000])
def test_the_number_of_scenarios_is_a_setting_whatever_the_machine(desk, monkeypatch, affordable):
    monkeypatch.setattr("bank_python.desk.risk.choose_paths", lambda *_, **__: affordable)  # a slow machine, a fast one
    live = LiveDesk(desk, refresh=0.1)
    live.measure_risk()
    risk = live.latest.risk
    assert (risk.scenarios, risk.proxy_error) == (SCENARIOS, None)
    full = MonteCarloEngine(desk.traders, desk.graph).run(MCConfig(n_paths=SCENARIOS, **QUIET))
    assert risk.var_99 == pytest.approx(full.var_99, rel=1e-12)


def test_the_setting_is_that_of_the_command_line(desk):
    assert inspect.signature(prop_desk).parameters["scenarios"].default == SCENARIOS
    live = LiveDesk(desk, refresh=1.0, n_paths=700, proxy=True)
    live.measure_risk()
    assert live.latest.risk.scenarios == 700
    assert live.latest.risk.proxy_error is not None


def test_how_many_this_machine_affords_is_measured_when_asked_for(desk):
    assert affordable_paths(desk, 1e-6) == 2_000
    with pytest.warns(DeprecationWarning, match=r"DeskRisk\(refresh=\) has no effect"):
        assert DeskRisk(desk, n_paths=PATHS, refresh=2.0).n_paths == PATHS


def test_a_short_history_that_somebody_loaded_does_not_spoil_the_law(desk):
    factor_model = build_desk(seed=7).graph.node("FACTOR_MODEL").value
    for symbol, period in (("AAPL", "5d"), ("SPY", "1d"), ("NVDA", "10y")):
        desk.market.load_history(symbol, period)
    again = desk.graph.node("FACTOR_MODEL").value
    assert np.array_equal(again.vols, factor_model.vols)
    assert np.array_equal(again.correlation, factor_model.correlation)


def test_scenes_played_before_do_not_change_the_law(desk, tmp_path):
    factor_model = build_desk(seed=7).graph.node("FACTOR_MODEL").value
    stage = Stage(desk, tmp_path / "desk.db")
    for item in choose_scenes("1,MEAN-VARIANCE"):
        item.play(stage)
    ticked = desk.graph.node("FACTOR_MODEL").value
    assert np.array_equal(ticked.vols, factor_model.vols)
    assert np.array_equal(ticked.correlation, factor_model.correlation)


def test_a_replay_that_has_just_begun_names_what_is_too_short_and_has_a_law_later():
    first = dt.date(2025, 1, 6)
    closes = [(first + dt.timedelta(days), 200.0 + days % 7) for days in range(60)]
    spec = TraderSpec("Ann", "one share", "", (Shares("AAPL", 100.0),))
    desk = build_desk(feed=HistoryFeed({"AAPL": closes}, start=first + dt.timedelta(10)), traders=[spec])
    with pytest.raises(CalibrationError, match=r"the history of AAPL has 11 daily closes.* at least 31.* starts later"):
        _ = desk.graph.node("FACTOR_MODEL").value
    for _ in range(20):
        desk.tick()
    assert desk.graph.node("FACTOR_MODEL").value.source.startswith("30 days")


def test_a_stress_has_one_answer_by_its_key_and_another_by_regressed_betas(desk):
    engine = MonteCarloEngine(desk.traders, desk.graph)
    plan = engine.plan()
    [alone] = run_stresses(plan, ["gfc_2008"])
    few = {"n_paths": 100, "validate_greeks": False, "stresses": ("gfc_2008",)}
    [in_a_run] = engine.run(MCConfig(**few)).stresses
    assert in_a_run == alone
    assert alone.betas == "stated"
    [regressed] = engine.run(MCConfig(**few, stress_betas="regressed")).stresses
    [by_hand] = run_stresses(plan, ["gfc_2008"], betas=regressed_betas(engine.factor_model(), plan), choice="regressed")
    assert regressed == by_hand
    assert regressed.betas == "regressed"
    assert regressed.pnl != alone.pnl
    factor_model = engine.factor_model()
    kept = [i for i, name in enumerate(factor_model.names) if name != "SPY_SPOT"]
    blind = FactorModel.given(
        {factor_model.names[i]: float(factor_model.vols[i]) for i in kept},
        factor_model.correlation[np.ix_(kept, kept)],
        absolute={factor_model.names[i] for i in kept if not factor_model.relative[i]},
    )
    with pytest.raises(SimulationError, match="regressed on SPY_SPOT, which the factor model lacks"):
        regressed_betas(blind, plan)
    with pytest.raises(SimulationError, match="choose one of 'stated', 'regressed'"):
        MCConfig(stress_betas="given")


def test_limits_that_fit_nobody_are_refused(desk):
    with pytest.raises(DeskError, match="a limit has the unknown scope 'Zoe'; the scopes are firm, Alice"):
        DeskRisk(desk, n_paths=PATHS, limits=[Limit("VaR 99", "Zoe", 1.0)])
    with pytest.raises(DeskError, match="unknown measure 'VaR 95'; the measures are VaR 99, Stress loss"):
        DeskRisk(build_desk(seed=7), n_paths=PATHS, limits=[Limit("VaR 95", "firm", 1.0)])


def test_the_live_desk_shows_risk_that_follows_the_market(desk):
    live = LiveDesk(desk, refresh=2.0)
    assert live.latest.risk is None
    live.measure_risk()
    before = live.latest
    assert before.risk.var_99 > before.risk.var_95 > 0.0
    assert before.risk.cvar_99 > before.risk.var_99
    assert before.risk.scenarios == 10_000
    assert {line.var_99 > 0.0 for line in before.traders} == {True}
    live.update()
    after = live.latest
    assert after.risk.var_99 != before.risk.var_99
    assert len(after.alerts) >= 1
    assert json.dumps(after.alerts[0].message)
    assert "VaR 99 of Tony" in after.alerts[0].message


def test_the_drift_of_a_balanced_book_opens_an_alert_which_its_rebalancing_closes(desk):
    risk = DeskRisk(desk, n_paths=PATHS)
    balanced = risk.balanced["Oscar"]
    opened = {alert.scope: alert for alert in risk.check() if alert.rule == "Drift"}
    assert set(opened) == {"Oscar"}
    drifts = balanced.drift.drifts()
    furthest = max(drifts, key=lambda ticker: abs(drifts[ticker]))
    assert opened["Oscar"].value == balanced.drift.node.value == abs(drifts[furthest])
    assert opened["Oscar"].contributor == f"{furthest} {drifts[furthest]:+.1%}"
    plan = balanced.plan(band=0.01)
    assert plan.due
    for trade in plan.trades:
        desk.trade("Oscar", desk.graph.node(trade.ticker), trade.shares)
    risk.follow_books()
    desk.graph.recalculate()
    assert balanced.drift.node.value < 0.001
    closed = [alert for alert in risk.check() if alert.rule == "Drift"]
    assert [alert.id for alert in closed] == [opened["Oscar"].id]
    assert closed[0].closed is not None
    risk.remove()
    assert [node.name for node in desk.graph if "OPTIMAL" in node.name or "DRIFT" in node.name] == []


def test_a_trader_with_one_share_has_no_weights_to_drift(desk):
    for position in desk.traders["Oscar"].positions:
        if position.name.startswith("Oscar") and position.instrument.name in {"SPY", "GLD", "KO", "ETH"}:
            desk.trade("Oscar", position.instrument, -position.quantity)
    with pytest.raises(
        DeskError, match="Oscar holds 1 assets with a common price history; optimal weights need at least 2"
    ):
        BalancedBook(desk, "Oscar", "risk_parity")
    risk = DeskRisk(desk, n_paths=PATHS)
    assert risk.balanced == {}


def test_a_limit_on_the_drift_of_who_has_no_optimal_weights_is_refused(desk):
    with pytest.raises(
        DeskError, match="a limit on Drift has the scope 'Alice', which has no optimal weights; only Oscar"
    ):
        DeskRisk(desk, n_paths=PATHS, limits=[Limit("Drift", "Alice", 0.1)])
