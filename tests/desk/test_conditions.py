"""Market conditions of a desk: nodes that follow quotes and trades, and what the interfaces show of them."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from bank_python.desk import build_desk
from bank_python.desk.conditions import INDEX, DeskConditions, _score
from bank_python.desk.live.conditions_panel import conditions_panel
from bank_python.desk.live.glyphs import FINE
from bank_python.desk.live.live_desk import LiveDesk
from bank_python.desk.past_closes import PastCloses
from bank_python.desk.view_builder import ViewBuilder
from bank_python.errors import UnknownTickerError
from bank_python.market_data import HistoryFeed
from bank_python.risk import RISK_WEIGHTS, component_scores, fit_regimes, gross_by_underlying, risk_score
from tests.desk.sample_screen import sample_view


@pytest.fixture(scope="module")
def built():
    desk = build_desk(seed=7)
    return desk, DeskConditions(desk)


def test_the_score_is_that_of_the_figures_of_its_nodes(built):
    desk, conditions = built
    score = conditions.score.value
    assert set(score.components) == set(RISK_WEIGHTS)
    assert not score.missing
    given = {reading.name: reading.value for reading in score.readings}
    exposures = gross_by_underlying(desk.traders)
    again = component_scores(
        vol=conditions.volatility.forecast.value,
        turbulent_probability=conditions.regimes.turbulence.value,
        exposures=exposures,
        liquidation_days=given["liquidation_days"],
        stressed_share=conditions.gauges.value.stress_share,
        high_yield_spread=desk.leaf("CDX_HY").price,
        investment_grade_spread=desk.leaf("CDX_IG").price,
    )
    assert score.value == pytest.approx(risk_score(again).value, abs=1e-12)
    assert given["largest_share"] == pytest.approx(max(exposures.values()) / math.fsum(exposures.values()))


def test_a_fall_of_the_index_and_wider_spreads_raise_the_score(built):
    desk, conditions = built
    before = conditions.score.value.value
    with desk.graph.scenario({desk.leaf(INDEX): 0.92 * desk.leaf(INDEX).price}):
        fallen = conditions.score.value
        assert fallen.value > before
        assert fallen.components["macro_regime"] > conditions.regimes.turbulence.value
    with desk.graph.scenario({desk.leaf("CDX_HY"): 0.10}):
        assert conditions.score.value.components["credit_risk"] > 4.0
    assert conditions.score.value.value == before


def test_the_gauges_are_made_of_the_present_quotes(built):
    desk, conditions = built
    gauges = {gauge.title: gauge.value for gauge in conditions.gauges.value.gauges}
    slope = 100.0 * (desk.leaf("UST10Y").price - desk.leaf("UST2Y").price)
    assert gauges["curve slope, 10y less 2y"] == pytest.approx(slope)
    assert gauges["high-yield spread"] == pytest.approx(100.0 * desk.leaf("CDX_HY").price)
    assert gauges["VIX"] == desk.leaf("VIX").price
    assert conditions.gauges.value.is_simulated == (desk.feed is desk.fallback)


def test_trades_and_ticks_are_followed_and_removal_removes_all():
    desk = build_desk(seed=7)
    names = set(desk.graph.nodes)
    conditions = DeskConditions(desk)
    before = conditions.exposures.node.value
    assert not conditions.follow_books()
    desk.trade("Alice", "XOM", 50_000)
    assert conditions.follow_books()
    assert conditions.exposures.node.value["XOM_SPOT"] > before.get("XOM_SPOT", 0.0)
    desk.tick()
    assert 0.0 <= conditions.score.value.value <= 10.0
    conditions.remove()
    added = set(desk.graph.nodes) - names
    assert not {name for name in added if name.startswith("CONDITIONS")}


def test_without_a_quote_of_the_index_there_are_none():
    desk = build_desk(seed=7)
    del desk.listings[INDEX]
    count = len(desk.graph)
    with pytest.raises(UnknownTickerError, match=INDEX):
        DeskConditions(desk)
    assert len(desk.graph) == count


def test_the_view_has_what_the_nodes_have_and_is_strict_json(built):
    desk, conditions = built
    builder = ViewBuilder(desk)
    assert builder.build().conditions is None
    builder.show_conditions(conditions)
    known = builder.build().conditions
    score = conditions.score.value
    assert (known.score, known.grade, known.index) == (score.value, score.grade, INDEX)
    assert math.fsum(part.contribution for part in known.components) == pytest.approx(score.value)
    assert known.vol == conditions.volatility.forecast.value
    assert known.regime == ("turbulent" if known.turbulence > 0.5 else "calm")
    assert known.implied_vol == pytest.approx(desk.leaf("VIX").price / 100.0)
    written = json.loads(builder.build().to_json())["conditions"]
    assert written["grade"] == score.grade
    assert len(written["trail"]) == 2


def test_the_live_desk_adds_them_with_the_risk():
    live = LiveDesk(build_desk(seed=7), refresh=2.0, n_paths=200)
    live.measure_risk()
    assert live.view().conditions is not None
    before = live.view().tick
    live.update()
    assert live.view().tick > before
    assert len(live.view().conditions.trail) == 2


def test_the_panel_says_what_lifts_the_grade():
    view = sample_view()
    shown = [line.plain for line in conditions_panel(view, 84, 12, FINE)]
    assert "risk score 4.5 BB" in shown[1]
    assert "SPY volatility 21.4% a year  turbulence 83%  VIX 24.3" in shown[2]
    assert "to A: all 0.5 lower, or market volatility below 4.2" in shown[3]
    assert shown[5].lstrip("│ ").startswith("market volatility")
    best = replace(view, conditions=replace(view.conditions, better_grade="", joint_fall=None, missing=("liquidity",)))
    shown = [line.plain for line in conditions_panel(best, 84, 5, FINE)]
    assert "without liquidity" in shown[1]
    assert "the best grade" in shown[3]
    assert "no risk score yet" in conditions_panel(replace(view, conditions=None), 84, 5, FINE)[1].plain


def _replayed(days: int = 330, start: int = 310):
    closes = 400.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(5).normal(size=days)))
    dates = [dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(i) for i in range(days)]
    rows = list(zip(dates, closes.tolist(), strict=True))
    return build_desk(feed=HistoryFeed({INDEX: rows}, start=dates[start])), closes


def test_the_models_follow_a_replay_from_day_to_day_without_a_look_at_the_present_one():
    desk, closes = _replayed()
    conditions = DeskConditions(desk)
    assert conditions.volatility.past[-1] == closes[309]  # the day of the quote has not ended
    assert not conditions.follow_market()
    for day in (311, 312):
        desk.tick()
        assert desk.leaf(INDEX).price == closes[day]
        assert conditions.follow_market()
        assert conditions.volatility.past[-1] == conditions.regimes.past[-1] == closes[day - 1]
        assert len(conditions.volatility.past) == day
    followed = conditions.volatility.forecast.value
    conditions.remove()
    assert DeskConditions(desk).volatility.forecast.value == pytest.approx(followed, rel=1e-6)


def test_a_day_that_the_history_lacks_ends_at_the_price_last_seen():
    desk = build_desk(seed=7)
    past = PastCloses(desk, INDEX, "5y")
    before = past.table.closes(INDEX)
    leaf = desk.leaf(INDEX)
    leaf.set_price(600.0, time=leaf.as_of)
    assert not past.follow()
    leaf.set_price(610.0, time=leaf.as_of + dt.timedelta(days=1))
    assert past.follow()
    assert past.table.closes(INDEX).tolist() == [*before.tolist(), 600.0]
    leaf.set_price(620.0, time=leaf.as_of + dt.timedelta(days=1))
    assert past.follow()
    assert past.table.closes(INDEX)[-2:].tolist() == [600.0, 610.0]


def test_an_old_quote_counts_neither_in_the_gauges_nor_in_the_score(built):
    board = built[1].gauges.value
    old = replace(board, gauges=tuple(replace(gauge, is_stale=True) for gauge in board.gauges))
    score = _score(("CDX_HY",), {}, 0.2, 0.1, built[1].regimes.fit.value, {"SPY_SPOT": 1.0}, old, 0.05)
    assert "credit_risk" in score.missing


def test_the_turbulence_of_a_market_without_two_regimes_does_not_count(built):
    conditions, returns = built[1], np.random.default_rng(1).standard_normal(500)
    alike = fit_regimes(returns, order_by="variance")
    assert not alike.is_supported
    score = _score((), {}, 0.2, 0.99, alike, {"SPY_SPOT": 1.0}, conditions.gauges.value)
    assert {reading.name for reading in score.readings if reading.component == "macro_regime"} == {"stressed_share"}
