"""The desk's view: figures of one tick, strict JSON, and the same figures in all displays."""

import json
import math
import threading
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime

import pytest

from bank_python import SimulatedFeed, build_desk
from bank_python.desk import build_view, showcase
from bank_python.desk.live import LiveDesk
from bank_python.desk.live.glyphs import FINE
from bank_python.desk.live.layout import arranged
from bank_python.desk.risk import DeskRisk
from bank_python.desk.showcase import stage
from bank_python.desk.showcase.figures import firm_figures, market_troubles, trader_figures
from bank_python.desk.showcase.stage import SceneResult, Stage, choose_scenes
from bank_python.desk.status import status_of
from bank_python.desk.view import QuoteGroup
from bank_python.desk.view_builder import LAST_TRADES, ViewBuilder
from bank_python.jsonable import jsonable
from bank_python.market_data import Poll, QuoteFailure
from bank_python.risk import take_greeks
from tests.desk.sample_screen import sample_view

PATIENCE = 60.0
VIEWS = 25


class Dark(SimulatedFeed):
    """A market that says why it has nothing."""

    def poll(self, symbols):
        return Poll((), tuple(QuoteFailure(symbol, "the line is dead", self.name) for symbol in symbols))


def strict(text):
    def refuse(constant):
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def nested(value):
    """Yield every dataclass in a view."""
    if is_dataclass(value):
        yield value
        for field in fields(value):
            yield from nested(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from nested(item)


def require_consistent(view):
    for trader in view.traders:
        own = [line for line in view.positions if line.trader == trader.name]
        assert len(own) == trader.positions
        assert math.fsum(line.value for line in own) == pytest.approx(trader.value, rel=1e-12, abs=1e-5)
        assert math.fsum(line.pnl for line in own) == pytest.approx(trader.pnl, rel=1e-9, abs=1e-5)
    for name in ("value", "pnl"):
        total = math.fsum(getattr(trader, name) for trader in view.traders)
        assert getattr(view.firm, name) == pytest.approx(total, rel=1e-12, abs=1e-6)
    delta = math.fsum(trader.greeks.delta for trader in view.traders)
    assert view.firm.greeks.delta == pytest.approx(delta, rel=1e-12)
    prices = {line.symbol: line.price for line in view.quotes}
    shares = [line for line in view.positions if line.kind == "Equity"]
    assert len(shares) > 40
    for line in shares:
        assert line.value == pytest.approx(line.quantity * prices[line.instrument], rel=1e-12)
    # All that Alice holds is shares: one per cent of what they are worth is her delta.
    assert view.traders[0].greeks.delta == pytest.approx(0.01 * view.traders[0].value, rel=1e-9)
    assert view.firm.positions == len(view.positions)


class Market:
    """A thread that ticks and trades on a desk until it is told to stop."""

    def __init__(self, desk):
        self.desk, self.failed, self.moved = desk, [], threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def _work(self):
        try:
            sign = 1.0
            while not self._stop.is_set():
                self.desk.tick()
                self.moved.set()
                self.desk.trade("Alice", "NVDA", 5_000.0 * sign)
                self.desk.leaf("NVDA").set_price(self.desk.leaf("NVDA").price * (1.0 + 0.05 * sign))
                sign = -sign
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.failed.append(error)
            self.moved.set()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def test_a_view_is_of_one_tick_while_another_thread_ticks_and_trades():
    desk = build_desk(seed=7)
    builder, views = ViewBuilder(desk), []
    with Market(desk) as market:
        for _ in range(VIEWS):
            assert market.moved.wait(PATIENCE)
            market.moved.clear()
            ticks = desk.graph.tick
            views.append(builder.build())
            assert ticks <= views[-1].tick <= desk.graph.tick
    assert market.failed == []
    for view in views:
        require_consistent(view)
    ticks = [view.tick for view in views]
    assert ticks == sorted(ticks)
    assert len(set(ticks)) > VIEWS // 2
    assert len({view.firm.value for view in views}) == len(set(ticks))


def test_figures_are_the_graphs_own():
    desk = build_desk(seed=7)
    step = desk.tick()
    risk = DeskRisk(desk, n_paths=2_000)
    risk.check()
    builder = ViewBuilder(desk)
    builder.show_risk(risk)
    trade = desk.trade("Bob", "AAPL", 100.0)
    view = builder.build(step.recalculation)
    assert (view.tick, view.valuation_date, view.feed) == (desk.graph.tick, desk.clock.date, "simulated")
    assert (view.firm.value, view.firm.pnl) == (desk.firm_value.value, desk.firm_pnl.value)
    for trader, line in zip(desk.traders, view.traders, strict=True):
        assert (line.name, line.value, line.pnl) == (trader.name, trader.book.value, trader.pnl.value)
        assert line.var_99 == risk.traders[trader.name].var_99.value
    greeks = take_greeks([trader.book for trader in desk.traders])
    assert view.firm.greeks.vega == greeks.total("vega", "percent")
    assert {line.name: line.greeks.theta for line in view.traders} == greeks.by_trader("theta", "percent")
    assert view.risk.var_99 == risk.firm.var_99.value
    assert {(line.scope, line.name): line.value for line in view.limits} == {
        (reading.limit.scope, reading.limit.name): reading.value for reading in risk.board.readings()
    }
    assert [line.id for line in view.alerts] == [alert.id for alert in risk.open_alerts] != []
    assert view.trades == (trade,)
    assert view.recalculation.evaluated == step.recalculation.evaluated
    assert list(view.recalculation.by_class.values()) == sorted(view.recalculation.by_class.values(), reverse=True)
    assert len(view.quotes) == len(desk.listings) == sum(line.quoted for line in view.sources)
    for line in view.quotes:
        quote = desk.market.quote(line.symbol)
        assert (line.price, line.state, line.time) == (quote.price, quote.state.value, quote.time)
    assert {line.group for line in view.quotes} == set(QuoteGroup) - {QuoteGroup.FUNDING} | {
        line.group for line in view.quotes if line.kind == "funding"
    }


def test_the_last_trades_are_shown_the_latest_last():
    desk = build_desk(seed=7)
    for _ in range(LAST_TRADES + 3):
        desk.trade("Alice", "NVDA", 1.0)
    assert [trade.number for trade in build_view(desk).trades] == list(range(4, LAST_TRADES + 4))


def test_looking_changes_nothing():
    desk = build_desk(seed=7)
    desk.tick()
    before = (desk.graph.tick, desk.graph.evaluations, len(desk.graph), desk.firm_pnl.value)
    first, second = build_view(desk), build_view(desk)
    assert (desk.graph.tick, desk.graph.evaluations, len(desk.graph), desk.firm_pnl.value) == before
    assert (first.firm, first.traders, first.positions, first.quotes) == (
        second.firm,
        second.traders,
        second.positions,
        second.quotes,
    )


def test_a_view_as_json_says_all_that_it_holds():
    live = LiveDesk(build_desk(seed=7), refresh=2.0, n_paths=2_000)
    live.update()
    live.measure_risk()
    for view in (live.view(), sample_view()):
        read = strict(view.to_json())
        assert read == view.to_dict()
        assert list(read) == [field.name for field in fields(view)]
        assert read["valuation_date"] == view.valuation_date.isoformat() == "2026-01-05"
        assert datetime.fromisoformat(read["made"]) == view.made
        assert read["firm"]["pnl"] == view.firm.pnl
        assert [trader["name"] for trader in read["traders"]] == [trader.name for trader in view.traders]
        assert read["traders"][3]["greeks"]["vega"] == view.traders[3].greeks.vega
        assert len(read["quotes"]) == len(view.quotes)
        assert read["quotes"][0]["group"] == view.quotes[0].group.value
        assert [job["name"] for job in read["status"]["jobs"]] == [job.name for job in view.status.jobs]
        assert "\n" not in view.to_json()
    for part in nested(live.view()):
        with pytest.raises(AttributeError):
            setattr(part, fields(part)[0].name, None)  # frozen all the way down


def test_what_is_missing_is_null():
    desk = build_desk(feed=Dark(seed=1))
    view = build_view(desk)
    read = strict(view.to_json())
    assert read["firm"]["waiting"] == sum(trader.waiting for trader in view.traders) > 70
    assert read["traders"][0]["waits_for"] == [holding.symbol for holding in desk.traders["Alice"].waiting]
    assert {quote["price"] for quote in read["quotes"]} == {None}
    assert {(quote["state"], quote["reason"]) for quote in read["quotes"]} == {("unquoted", "the line is dead")}
    assert read["status"]["unquoted"] == len(desk.listings)
    assert (read["risk"], read["market_time"], read["limits"]) == (None, None, [])


@dataclass(frozen=True)
class Held:
    on: date
    figures: dict[str, float]


def test_json_is_strict():
    held = Held(date(2026, 1, 5), {"a": math.inf, "b": -0.5})
    assert jsonable([held, (math.nan, True, datetime(2026, 1, 5, tzinfo=UTC))]) == [
        {"on": "2026-01-05", "figures": {"a": None, "b": -0.5}},
        [None, True, "2026-01-05T00:00:00+00:00"],
    ]
    with pytest.raises(TypeError, match="a set has no JSON form"):
        jsonable({"x": {1, 2}})
    with pytest.raises(TypeError, match="1 cannot be a key in JSON"):
        jsonable({1: "x"})


def test_terminal_showcase_and_json_show_the_same_figures(tmp_path):
    desk = build_desk(seed=7)
    desk.tick()
    stage = Stage(desk, tmp_path / "desk.db")
    overview, greeks = (scene.play(stage).facts for scene in choose_scenes("1,10"))
    view = build_view(desk)
    read = strict(view.to_json())
    screen = [line.plain for line in arranged(view, 250, 60, FINE)]
    assert overview["firm"] == firm_figures(view)
    assert overview["traders"] == trader_figures(view)
    assert overview["troubles"] == market_troubles(view) == []
    assert greeks["firm"] == read["firm"]["greeks"]
    assert f"Value $ {overview['firm']['value']:,.0f}  P&L $ {overview['firm']['pnl']:+,.0f}" in screen[1]
    for row, said in zip(overview["traders"], read["traders"], strict=True):
        [shown] = [line for line in screen if f" {row['trader']} " in line and row["strategy"] in line]
        assert (row["value"], row["pnl"]) == (said["value"], said["pnl"])
        delta = greeks["delta_by_trader"][row["trader"]]
        assert delta == said["greeks"]["delta"]
        for figure in (f"{row['value']:,.0f}", f"{row['pnl']:+,.0f}", f"{delta:+,.0f}"):
            assert f" {figure.replace('+0', '0')} " in shown
    [total] = [line for line in screen if "│ Firm " in line]
    assert f" {greeks['firm']['delta']:+,.0f} " in total


def test_the_former_names_of_a_live_desks_views_still_work():
    live = LiveDesk(build_desk(seed=7), refresh=2.0)
    with pytest.warns(DeprecationWarning, match="LiveDesk.latest"):
        assert live.frame is live.latest
    with pytest.warns(DeprecationWarning, match=r"LiveDesk.status\(\)"):
        assert live.pulse().jobs[0].name == "market_data"
    with pytest.warns(DeprecationWarning, match=r"LiveDesk.update\(\)"):
        live.look()
    assert live.view().tick > 0
    with pytest.warns(DeprecationWarning, match="Status.polling"):
        assert live.status().asking is None
    with pytest.warns(DeprecationWarning, match="polling="):
        assert status_of(build_desk(seed=7), live.status().now, asking=3.0).polling == 3.0


def test_the_former_names_of_blotter_and_showcase_still_work():
    desk = build_desk(seed=7)
    alice = desk.traders["Alice"]
    position = alice.positions[0]
    with pytest.warns(DeprecationWarning, match=r"Blotter.record\(\)"):
        trade = desk.blotter.keep(alice, position, 1.0, 2.0)
    with pytest.warns(DeprecationWarning, match=r"Blotter.add\(\)"):
        desk.blotter.show(trade)
    assert desk.blotter.last(1) == (trade,)
    with pytest.warns(DeprecationWarning, match="SceneResult"):
        assert showcase.Shown is stage.Shown is SceneResult
    first = choose_scenes("1")[0]
    with pytest.warns(DeprecationWarning, match="Scene.summary"):
        assert first.teaches == first.summary
