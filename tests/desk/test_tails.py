"""Tails of the desk's traders: nodes that ticks do not pay for, the TAILS panel, the view and the command."""

import datetime as dt
import json
import math
import re
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.desk import DeskSettings, build_desk, read_settings, write_setting
from bank_python.desk.commands.tails import measure_tails
from bank_python.desk.factor_model import load_past
from bank_python.desk.live import LiveDesk
from bank_python.desk.live.glyphs import ASCII, FINE
from bank_python.desk.live.layout import arranged
from bank_python.desk.live.panels import PANELS
from bank_python.desk.live.tails_panel import tails_panel, tails_text
from bank_python.desk.past_moves import PastMoves
from bank_python.desk.tails import DeskTails, TailPace
from bank_python.desk.traders import TRADERS
from bank_python.desk.view_builder import ViewBuilder
from bank_python.display import as_text
from bank_python.errors import DeskError, MarketDataError
from bank_python.jsonable import jsonable
from bank_python.market_data import HistoryFeed, Poll, QuoteFailure, SimulatedFeed
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.taleb import book_tails
from bank_python.taleb.tail_reading import tail_reading
from tests.desk.sample_screen import GOLDEN, TAILS_SIZES, render_tails, sample_tails, sample_view

NAMES = [spec.name for spec in TRADERS]
FEW = tuple(spec for spec in TRADERS if spec.name in {"Alice", "Bob"})
"""Shares, and options sold: enough where the number of traders is of no matter."""


@pytest.fixture(scope="module")
def built():
    desk = build_desk(seed=7)
    return desk, DeskTails(desk)


def few(**options):
    return build_desk(seed=7, traders=FEW, **options)


@pytest.fixture(scope="module")
def desk():
    return few()


@pytest.fixture
def tails_of(desk):
    """Return a function that adds tails to the desk of few traders, which are removed after the test."""
    added = []

    def add(clock=time.monotonic, **changes):
        added.append(DeskTails(desk, DeskSettings(**changes), clock=clock))
        return added[-1]

    yield add
    for tails in added:
        tails.remove()


@pytest.fixture
def counts(monkeypatch):
    """Return the numbers of plans, readings and fragilities that the nodes evaluate."""
    counted = dict.fromkeys(("plan_valuation", "tail_reading", "book_fragility"), 0)

    def count(name, function):
        def call(*arguments, **options):
            counted[name] += 1
            return function(*arguments, **options)

        return call

    for name in counted:
        monkeypatch.setattr(book_tails, name, count(name, getattr(book_tails, name)))
    return counted


def with_tails():
    return replace(sample_view(), tails=sample_tails())


class Dark(SimulatedFeed):
    """A market that has nothing."""

    def poll(self, symbols):
        return Poll((), tuple(QuoteFailure(symbol, "the line is dead", self.name) for symbol in symbols))


# --- the nodes -------------------------------------------------------------------------------------


def test_the_pnl_is_that_of_the_book_in_the_moves_of_its_histories(built):
    desk, tails = built
    book = desk.traders["Charlie"].book
    symbols = ["GOOGL", "AMZN", "JPM", "GS"]
    closes = desk.past.panel(symbols).closes
    values = dict.fromkeys(symbols, 0.0)
    for position in book.positions:
        values[position.instrument.name] += position.value
    pnl = (np.diff(closes, axis=0) / closes[:-1]) @ np.array([values[symbol] for symbol in symbols])
    # Values of a million dollars in shares have sixteen digits, and their differences are summed.
    np.testing.assert_allclose(tails.traders["Charlie"].pnl.value, pnl, rtol=0.0, atol=1e-6)
    assert tails.traders["Charlie"].tails.value == tail_reading(tails.traders["Charlie"].pnl.value)


def test_the_firm_is_the_sum_of_its_traders(built):
    _, tails = built
    together = np.sum([own.pnl.value for own in tails.traders.values()], axis=0)
    np.testing.assert_allclose(tails.firm.pnl.value, together, rtol=0.0, atol=1e-4)  # sums of 53 million dollars
    h = sum(own.fragility.value.firm.heuristic for own in tails.traders.values())
    np.testing.assert_allclose(tails.firm.fragility.value.firm.heuristic, h, rtol=0.0, atol=1e-4)


def test_sellers_of_options_are_fragile_and_buyers_antifragile(built):
    _, tails = built
    verdicts = {name: own.fragility.value.firm.verdict.value for name, own in tails.traders.items()}
    assert (verdicts["Bob"], verdicts["Vivian"], verdicts["Alice"], verdicts["Marcus"]) == (
        *("fragile", "antifragile"),  # short straddles, long straddles
        *("robust", "robust"),  # shares
    )


def test_on_two_feeds_without_common_dates_days_are_paired_from_the_last():
    rng, first = np.random.default_rng(5), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    dates = [first + dt.timedelta(i) for i in range(200)]
    closes = {name: 100.0 * np.cumprod(1.0 + 0.01 * rng.normal(size=200)) for name in ("AAPL", "SPY", "QQQ")}
    feed = HistoryFeed(
        {name: list(zip(dates, c.tolist(), strict=True)) for name, c in closes.items()}, start=dates[150]
    )
    desk = few(feed=feed)
    load_past(desk)
    past = PastMoves(desk).of([desk.traders["Bob"].book])
    spy = past.moves[past.names.index("SPY_SPOT")]
    assert len(spy) == 150  # the shorter history, of the real shares, up to the present day
    np.testing.assert_allclose(spy, np.diff(closes["SPY"][:151]) / closes["SPY"][:150], rtol=1e-12)
    vol = desk.past.closes("SPY_VOL")
    last = past.moves[past.names.index("SPY_VOL")][-1]
    assert last == pytest.approx(vol[-1] / vol[-2] - 1.0, rel=1e-12)


def test_a_desk_without_positions_has_no_tails():
    with pytest.raises(DeskError, match="no open position"):
        DeskTails(build_desk(feed=Dark(seed=7)))


# --- the policy ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "every 60 s"),
        ({"tails_every": 5.0}, "every 5 s"),
        ({"tails_every": math.inf}, "only when asked for"),
        ({"tails_every_ticks": 20.0}, "every 20 ticks"),
        ({"tails_every": math.inf, "tails_every_ticks": 3.0}, "every 3 ticks"),
        ({"tails_every_ticks": math.inf}, "only when asked for"),
    ],
)
def test_the_settings_in_words(changes, words):
    assert TailPace(DependencyGraph(), DeskSettings(**changes)).words == words


@pytest.mark.parametrize(("changes", "evaluations"), [({"tails_every_ticks": 4.0}, 4), ({"tails_every": math.inf}, 1)])
def test_a_tick_evaluates_these_nodes_no_more_often_than_the_policy_says(desk, tails_of, counts, changes, evaluations):
    tails = tails_of(**changes)
    desk.graph.recalculate()
    books = len(tails.traders) + 1
    assert set(counts.values()) == {books}
    for _ in range(12):
        desk.tick()
    assert set(counts.values()) == {evaluations * books}
    tails.renew()
    desk.tick()
    assert set(counts.values()) == {(evaluations + 1) * books}


def test_by_time_ticks_in_between_are_free_and_all_figures_are_of_one_tick(desk, tails_of, counts):
    now = [0.0]
    tails = tails_of(tails_every=30.0, clock=lambda: now[0])
    desk.graph.recalculate()
    first, books = desk.graph.tick, len(tails.traders) + 1
    builder = ViewBuilder(desk)
    builder.show_tails(tails)
    for now[0] in range(1, 30, 3):
        desk.tick()
        assert builder.build().tails.as_of_tick == first  # a view reads all nodes and evaluates none
    assert set(counts.values()) == {books}
    now[0] = 30.0
    desk.tick()
    assert set(counts.values()) == {2 * books}
    assert {own.as_of_tick for own in (tails.firm, *tails.traders.values())} == {desk.graph.tick}


def test_the_setting_of_the_store_is_that_of_the_desk():
    with BarbaraDB.open("desk;default", path=":memory:") as db:
        write_setting(db, "tails_every", "inf")
        write_setting(db, "tails_every_ticks", 50)
        settings = read_settings(db)
    assert (settings.tails_every, settings.tails_every_ticks) == (math.inf, 50.0)
    assert TailPace(DependencyGraph(), settings).words == "every 50 ticks"


def test_moves_that_could_not_be_loaded_are_loaded_the_next_time(monkeypatch):
    desk = few()
    tails = DeskTails(desk, DeskSettings(tails_every=math.inf))
    desk.trade("Alice", "XOM", 50_000)
    with monkeypatch.context() as broken:
        broken.setattr("bank_python.desk.tails.load_past", failing)
        with pytest.raises(DeskError, match="not there"):
            tails.follow_books()
    assert "no past moves of XOM_SPOT" in str(tails.traders["Alice"].tails.error)
    assert tails.follow_books()
    assert tails.traders["Alice"].tails.error is None
    assert not tails.follow_books()


def test_trades_are_followed_and_removal_removes_all():
    desk = few()
    names = set(desk.graph.nodes)
    tails = DeskTails(desk, DeskSettings(tails_every=math.inf))
    assert not tails.follow_books()
    before = tails.traders["Alice"].pnl.value
    desk.trade("Alice", "XOM", 50_000)  # her first: a factor without moves until they are loaded
    assert tails.follow_books()
    assert tails.traders["Alice"].pnl.value is not before
    assert tails.traders["Alice"].tails.value.n_observations == 261
    assert tails.firm.tails.error is None
    tails.remove()
    assert {str(node) for node in set(desk.graph.nodes) - names if "TAILS" in str(node)} == set()


# --- the view and the live desk --------------------------------------------------------------------


def test_the_view_has_the_figures_of_the_nodes_and_strict_json(built):
    desk, tails = built
    builder = ViewBuilder(desk)
    assert builder.build().tails is None
    builder.show_tails(tails)
    view = builder.build()
    assert [line.name for line in view.tails.traders] == NAMES
    for line in view.tails.traders:
        own, reading = tails.traders[line.name], tails.traders[line.name].tails.value
        assert (line.left, line.left_error, line.days) == (reading.left.alpha, reading.left.error, 261)
        assert line.verdict == own.fragility.value.firm.verdict.value
        assert line.heuristic_days == pytest.approx(line.heuristic / np.std(own.pnl.value))
        assert (line.heuristic < 0.0) == (line.verdict == "fragile") or line.verdict == "robust"
    facts = json.loads(view.to_json(), parse_constant=pytest.fail)["tails"]
    assert facts["firm"]["mad_sd"] == tails.firm.tails.value.mad_sd
    assert (facts["pace"], facts["simulated"]) == ("every 60 s", True)


def test_a_book_that_cannot_be_revalued_has_no_figures_but_a_reason(desk, tails_of):
    tails = tails_of(tails_every_ticks=1.0)
    builder = ViewBuilder(desk)
    builder.show_tails(tails)
    own = tails.traders["Alice"]
    own.follow_moves(replace(own._moves.value, names=("X", *own._moves.value.names[1:])))
    [line] = [line for line in builder.build().tails.traders if line.name == "Alice"]
    assert (line.left, line.days, line.heuristic_days, line.verdict) == (None, 0, None, "robust")
    assert "no past moves of " in line.reason


def test_the_live_desk_shows_tails_once_it_has_the_histories_and_renews_them_when_asked(counts, monkeypatch):
    monkeypatch.setattr("bank_python.desk.live.live_desk.DeskConditions", failing)  # they are slow, and not asked for
    live = LiveDesk(few(), refresh=2.0, n_paths=100)
    live.renew_tails()  # without effect
    live.update()
    assert live.view().tails is None
    live.measure_risk()
    first, books = live.view().tails, len(FEW) + 1
    assert [line.name for line in first.traders] == ["Alice", "Bob"]
    done = dict(counts)
    for _ in range(3):
        live.run_jobs()
    assert counts["tail_reading"] <= done["tail_reading"] + books  # once each, where a signal has opened a position
    done = dict(counts)
    live.renew_tails()
    live.update()
    assert counts["tail_reading"] == done["tail_reading"] + books
    assert live.view().tails.as_of_tick > first.as_of_tick


def test_a_live_desk_whose_tails_fail_goes_on_and_says_why(monkeypatch):
    live = LiveDesk(few(), refresh=2.0, n_paths=100)
    for name in ("DeskConditions", "DeskTails"):
        monkeypatch.setattr(f"bank_python.desk.live.live_desk.{name}", failing)
    live.measure_risk()
    assert live.view().risk is not None
    assert live.view().tails is None


def failing(_desk):
    raise DeskError("the histories are not there")


# --- the panel -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", TAILS_SIZES)
def test_golden_renders(size):
    golden = GOLDEN / "tails_{}x{}.txt".format(*size)
    assert render_tails(*size) == golden.read_text(encoding="utf-8"), "wanted? then: python tests/desk/sample_screen.py"


@pytest.mark.parametrize(("width", "height"), [(80, 44), (100, 44), (120, 40), (140, 60), (200, 60)])
def test_every_trader_is_there_with_a_whole_name_index_and_verdict(width, height):
    view = with_tails()
    shown = "\n".join(line.plain for line in arranged(view, width, height, FINE))
    assert "╭ TAILS " in shown
    for line in view.tails.traders:
        index = "—" if line.left is None else f"{line.left:.1f}" if line.left < 99.0 else ">99"
        assert re.search(rf"│ {line.name} +{re.escape(index)} .*\b{line.verdict} ", shown), line.name


@pytest.mark.parametrize(("width", "height"), [(w, h) for w in (80, 120, 140, 200) for h in (24, 27, 36, 40, 44, 60)])
def test_the_panel_takes_no_trader_off_the_screen(width, height):
    lines = [line.plain for line in arranged(with_tails(), width, height, FINE)]
    assert [len(line) for line in lines] == [width] * height
    for spec in TRADERS:
        assert any(re.search(rf"│ {spec.name} +{spec.strategy} ", line) for line in lines), spec.name


def test_the_heaviest_tail_is_first_unknown_ones_last_and_the_firm_below():
    view = with_tails()
    lines = [line.plain for line in tails_panel(view, 60, 17, FINE)]
    shown = [re.match(r"│ (\w+)", line).group(1) for line in lines[1:-1]]
    known = sorted((line.left, line.name) for line in view.tails.traders if line.left is not None)
    assert shown == [*(name for _, name in known), "Charlie", "Vivian", "firm"]
    few = [line.plain for line in tails_panel(view, 60, 6, FINE)]
    assert [re.match(r"│ (\w+)", line).group(1) for line in few[1:-1]] == ["Oscar", "Zara", "Kenji", "firm"]


def test_why_a_figure_is_missing_is_said_where_there_is_room():
    view = with_tails()
    assert "31 losses, fewer than 50" in "\n".join(line.plain for line in tails_panel(view, 118, 17, FINE))
    assert "Charlie: 31 losses, fewer than 50" in tails_panel(view, 49, 17, FINE)[-1].plain
    assert "tail index of losses" in tails_panel(view, 29, 17, FINE)[-1].plain


def test_a_small_screen_has_the_heaviest_tail_in_the_border_of_firm():
    status = replace(sample_view().status, polling=None)
    shown = arranged(replace(with_tails(), status=status), 80, 24, FINE)
    assert "heaviest tail Oscar 1.9, 5 fragile" in shown[3].plain
    assert tails_text(replace(sample_tails(), traders=())) == ""


def test_without_tails_the_panel_is_left_out_or_says_so():
    assert "no tails yet" in tails_panel(sample_view(), 60, 6, FINE)[1].plain
    [panel] = [panel for panel in PANELS if panel.title == "TAILS"]
    assert not panel.is_needed(sample_view())
    assert panel.complete_at(sample_view()) == 0


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(29, 200),
    height=st.integers(3, 40),
    scale=st.floats(1e-3, 1e6),
    glyphs=st.sampled_from([FINE, ASCII]),
)
def test_a_number_is_whole_or_absent(width, height, scale, glyphs):
    tails = sample_tails()
    lines = tuple(replace(line, heuristic=line.heuristic and line.heuristic * scale) for line in tails.traders)
    view = replace(sample_view(), tails=replace(tails, traders=lines))
    shown = [line.plain for line in tails_panel(glyphs.legible(view), width, height, glyphs)]
    assert [len(line) for line in shown] == [width] * height
    for line in lines[:12]:
        rows = [row for row in shown if re.search(rf"[│|] {line.name} ", row)]
        for row in rows:
            assert f" {line.verdict} " in row
            if line.left is not None:
                assert re.search(rf" ({line.left:.1f}|>99) ", row)


# --- the command -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(desk):
    return measure_tails(desk)


def test_the_command_has_a_line_for_each_trader_the_firm_and_each_price(measured):
    facts = json.loads(json.dumps(jsonable(dict(measured.facts)), allow_nan=False))
    assert [line["name"] for line in facts["traders"]] == ["Alice", "Bob"]
    rows = {row["name"]: row for row in facts["tickers"]}
    assert {"SPY", "NVDA", "AAPL"} <= set(rows)
    assert not {name for name in rows if name.endswith("_VOL") or name.startswith("UST")}
    assert [row["left"] for row in facts["tickers"]] == sorted(row["left"] for row in facts["tickers"])
    assert rows["SPY"]["verdict"] == "fragile"  # Bob's short straddles
    assert facts["simulated"] is True
    assert [row["kind"] for row in measured.table] == [*["trader"] * 2, "firm", *["ticker"] * len(rows)]


def test_one_trader_and_some_tickers(desk):
    facts = measure_tails(desk, trader="Bob", tickers=["SPY", "UST10Y", "XOM", "SPY"]).facts
    assert [line.name for line in facts["traders"]] == ["Bob"]
    assert facts["firm"] is None
    rows = {row["name"]: row for row in facts["tickers"]}
    assert set(rows) == {"SPY", "UST10Y", "XOM"}
    assert (rows["XOM"]["heuristic"], rows["XOM"]["verdict"]) == (None, "")  # he does not hold it
    closes = PriceHistoryTable()
    desk.market.load_history("UST10Y", "1y", into=closes)
    assert rows["UST10Y"]["left"] == tail_reading(np.diff(closes.closes("UST10Y"))).left.alpha  # a rate moves by shifts


def test_what_is_not_there_is_named(desk):
    with pytest.raises(DeskError, match="no trader 'Zoe'"):
        measure_tails(desk, trader="Zoe")
    with pytest.raises(MarketDataError, match="NOPE"):
        measure_tails(desk, tickers=["NOPE"])


def test_the_tables_say_what_they_rest_on(measured):
    shown = " ".join(as_text(measured, 80, 400).split())
    for said in (
        "P&L of the present positions in each day's moves of the past year",
        "spots ±5, 10 and 20 %",
        "may be lighter than any power law",
        "histories are simulated",
    ):
        assert said in shown
