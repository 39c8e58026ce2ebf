"""The desk at work: its jobs, what they publish, and a screen that never waits for a feed."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from bank_python import SimulatedFeed, build_desk
from bank_python.desk.live import LiveDesk
from bank_python.desk.live.glyphs import FINE
from bank_python.desk.live.layout import arranged
from bank_python.errors import JobConfigError, StoreError
from bank_python.market_data import Poll, QuoteFailure
from bank_python.market_data.symbol_spec import SymbolKind

PATIENCE = 30.0


class GatedFeed:
    """The simulated market behind a gate: while it is shut, a poll does not come back."""

    name = "gated"

    def __init__(self):
        self.market = SimulatedFeed(seed=5)
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Event()
        self.out_of_order = ""
        self.always_open = frozenset()

    @property
    def symbols(self):
        return self.market.symbols

    def poll(self, symbols):
        self.asked.set()
        self.open.wait(PATIENCE)
        poll = self.market.poll(symbols)
        if not self.out_of_order:
            return poll
        closed = [symbol for symbol in symbols if symbol not in self.always_open]
        failures = tuple(QuoteFailure(symbol, self.out_of_order, self.name) for symbol in closed)
        return Poll(tuple(tick for tick in poll.ticks if tick.symbol in self.always_open), failures)

    def history(self, symbol, period):
        return self.market.history(symbol, period)

    def close(self):
        self.market.close()


class Wall:
    """A clock that is moved by hand."""

    def __init__(self):
        self.time = datetime(2026, 1, 5, 15, tzinfo=UTC)

    def __call__(self):
        return self.time


def test_jobs_follow_the_market_and_leave_nothing_running():
    desk = build_desk(seed=7)
    before = desk.graph.tick
    with LiveDesk(desk, refresh=0.05) as live:
        opening = live.latest
        live._runner.wait_for("revaluation", runs=3, timeout=PATIENCE)
        for name in ("signals", "what_if", "snapshot"):
            live._runner.wait_for(name, timeout=PATIENCE)
        view, status = live.latest, live.status()
    assert opening.firm.pnl == 0.0
    assert view.firm.pnl != 0.0
    assert desk.graph.tick >= before + 3
    assert view.recalculation.failed == 0
    assert status.evaluations > 0
    assert [(job.name, job.failures) for job in status.jobs] == [
        ("market_data", 0),
        ("revaluation", 0),
        ("risk", 0),
        ("signals", 0),
        ("what_if", 0),
        ("snapshot", 0),
    ]
    assert desk.db["/Desk/state"]["feed"] == "simulated"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("walpole")]
    stopped_at = desk.graph.tick
    live.update()
    assert desk.graph.tick == stopped_at + 1


def test_a_feed_that_does_not_answer_leaves_the_screen_going():
    feed = GatedFeed()
    live = LiveDesk(build_desk(feed=feed), refresh=0.05)
    feed.asked.clear()
    feed.open.clear()
    live.start()
    try:
        assert feed.asked.wait(PATIENCE)
        ages = []
        for _ in range(3):
            status = live.status()
            assert status.polling is not None
            ages.append((status.now - live.latest.made).total_seconds())
            lines = arranged(live.view(), 80, 24, FINE)
            assert any("market_data running" in line.plain for line in lines)
        assert ages == sorted(ages)
        assert len(set(ages)) == 3
        assert not live.stop()  # the stuck run is abandoned, not waited for
    finally:
        feed.open.set()


def test_a_failing_market_is_shown_with_age_and_reason():
    feed, wall = GatedFeed(), Wall()
    live = LiveDesk(build_desk(feed=feed), refresh=2.0, now=wall)
    live.update()
    assert (live.status().fresh, live.status().stale) == (273, 0)
    value = live.latest.firm.value
    feed.out_of_order = "the exchange is closed"
    wall.time += timedelta(minutes=4)
    live.update()
    status = live.status()
    assert (status.fresh, status.stale, status.unquoted) == (0, 273, 0)
    [reason] = status.reasons
    assert (reason.state, reason.reason, len(reason.symbols)) == ("stale", "the exchange is closed", 273)
    assert reason.age == pytest.approx(240.0)
    assert live.latest.firm.value == value
    shown = "\n".join(line.plain for line in arranged(live.view(), 80, 24, FINE))
    assert f"{reason.symbols[0]} stale 4m: the exchange" in shown
    assert "!  4m old" in shown
    feed.out_of_order = ""
    live.update()
    assert live.status().troubles == {}


def test_positions_that_wait_are_opened_by_the_first_quote():
    feed = GatedFeed()
    feed.out_of_order, feed.always_open = "not open yet", frozenset({"SOFR", "UST2Y", "UST10Y"})
    live = LiveDesk(build_desk(feed=feed), refresh=2.0)
    assert live.latest.firm.waiting > 70
    feed.out_of_order = ""
    live.update()
    assert live.latest.firm.waiting == 0
    assert len(live.latest.positions) == 90
    shares = [line.pnl for line in live.latest.positions if line.kind == "Equity"]
    assert len(shares) > 40
    assert shares == pytest.approx([0.0] * len(shares), abs=1e-6)


def test_what_if_shares_fell_leaves_no_trace():
    desk = build_desk(seed=7)
    live = LiveDesk(desk, refresh=2.0)
    live.update()
    before, tick = desk.firm_pnl.value, desk.graph.tick
    live._runner.run_once("what_if")
    supposed = live.status().what_if
    assert (desk.firm_pnl.value, desk.graph.tick) == (before, tick)
    with desk.graph.batch():
        for symbol, listing in desk.listings.items():
            if listing.kind in {SymbolKind.EQUITY, SymbolKind.ETF}:
                desk.leaf(symbol).set_price(desk.leaf(symbol).price * 0.9)
    desk.graph.recalculate()
    assert supposed.name == "shares -10%"
    assert supposed.pnl == desk.firm_pnl.value - before


def test_a_desk_in_memory_forgets_versions_older_than_an_hour():
    desk = build_desk(seed=7)
    opened = datetime.now(UTC)
    live = LiveDesk(desk, refresh=2.0, now=lambda: datetime.now(UTC) + timedelta(hours=2))
    live.update()
    live.update()
    assert live._runner.run_once("snapshot").error is None
    assert desk.db["/Desk/state"]["version"] == 1
    with pytest.raises(StoreError, match="pruned"):
        desk.db.get_as_of("/Market/Quotes/AAPL", opened)


@pytest.mark.parametrize("refresh", [0.0, -1.0, float("nan")])
def test_a_refresh_that_is_no_time_is_refused(refresh):
    with pytest.raises(JobConfigError, match="market_data"):
        LiveDesk(build_desk(seed=7), refresh=refresh)
