"""The live desk's panels: exact sizes, whole numbers, nothing that a terminal could not show."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from bank_python.desk import build_desk
from bank_python.desk.console import screen_console
from bank_python.desk.live import LiveDesk
from bank_python.desk.live.columns import Column, fit, fitted, joined
from bank_python.desk.live.glyphs import ASCII, FINE, glyphs_for
from bank_python.desk.live.layout import arranged
from bank_python.desk.live.pane import pane
from bank_python.desk.live.panels import PANELS
from bank_python.desk.traders import TRADERS
from bank_python.desk.view import QuoteTrouble, RecalculationView, TroubleView
from bank_python.desk.view_builder import ViewBuilder
from tests.desk.sample_screen import GOLDEN, SIZES, render, sample_view

NAMES = [spec.name for spec in TRADERS]
TITLES = ["FIRM", "TRADERS", "MARKET", "POSITIONS", "ENGINE"]


@pytest.fixture(scope="module")
def live():
    desk = LiveDesk(build_desk(seed=7), refresh=2.0)
    for _ in range(3):
        desk.update()
    return desk


def screen(view, width, height, glyphs=FINE):
    return [line.plain for line in arranged(view, width, height, glyphs)]


def with_status(**changes):
    view = sample_view()
    return replace(view, status=replace(view.status, **changes))


def sample(width=80, height=24, glyphs=FINE, **changes):
    return "\n".join(screen(with_status(**changes), width, height, glyphs))


@pytest.mark.parametrize("size", SIZES)
def test_golden_renders(size):
    golden = GOLDEN / "desk_{}x{}.txt".format(*size)
    assert render(*size) == golden.read_text(encoding="utf-8"), "wanted? then: python tests/desk/sample_screen.py"


@pytest.mark.parametrize(
    ("width", "height"),
    [(80, 24), (81, 25), (80, 50), (100, 30), (120, 40), (139, 60), (140, 36), (160, 45), (200, 60), (320, 90)],
)
def test_all_five_panels_and_all_traders_at_every_size(live, width, height):
    lines = screen(live.view(), width, height)
    assert len(lines) == height
    assert {Text(line).cell_len for line in lines} == {width}
    shown = "\n".join(lines)
    assert [title for title in TITLES if not re.search(rf"[╭+] {title} ", shown)] == []
    for trader in live.latest.traders:
        [row] = [line for line in lines if re.search(rf"│ {trader.name} +{trader.strategy} ", line)]
        assert f"{trader.pnl:+,.0f} " in row
        assert f"{trader.change:+,.0f} " in row


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_essential_numbers_are_there(live, width, height):
    view = live.view()
    shown = "\n".join(screen(view, width, height))
    quotes = {line.symbol: line for line in view.quotes}
    shares = [line for line in view.quotes if line.group.value == "Shares"]
    best, worst = max(shares, key=lambda line: line.change), min(shares, key=lambda line: line.change)
    expected = [
        f"Value $ {view.firm.value:,.0f}",
        f"P&L $ {view.firm.pnl:+,.0f}",
        view.valuation_date.isoformat(),
        f"tick {view.tick}",
        "feed simulated",
        "273 fresh  0 stale  0 unquoted",
        f"{best.change:+.2%}",
        f"{worst.change:+.2%}",
        f"{quotes['CDX_IG'].price * 1e4:.1f}bp~",
        f"{quotes['SOFR'].price:.3%}~",
        f"{quotes['VIX'].price:.2f}~",
        f"{quotes['EURUSD'].price:.4f}~",
        f"{quotes['BTC'].price:,.0f}~",
        f"{view.positions[0].pnl:+,.0f} ",
        f"{view.positions[-1].pnl:+,.0f} ",
        f"{view.nodes} nodes",
        f"{view.recalculation.evaluated} evaluated",
        f"{view.status.evaluations:,} ",
        "market_data",
        "revaluation",
    ]
    assert [text for text in expected if text not in shown] == []


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 240), height=st.integers(1, 80), glyphs=st.sampled_from([FINE, ASCII]))
def test_any_size_is_filled_exactly(width, height, glyphs):
    lines = arranged(sample_view(), width, height, glyphs)
    assert [line.cell_len for line in lines] == [width] * height
    for line in lines:
        line.plain.encode(glyphs.encoding)


@settings(max_examples=40, deadline=None)
@given(
    panel=st.sampled_from(PANELS),
    width=st.integers(27, 200),
    height=st.integers(3, 60),
    scale=st.floats(1e-3, 1e6),
)
def test_a_number_is_whole_or_absent(panel, width, height, scale):
    view = sample_view()
    traders = tuple(replace(line, pnl=line.pnl * scale) for line in view.traders)
    positions = tuple(replace(line, pnl=line.pnl and line.pnl * scale) for line in view.positions)
    view = replace(view, traders=traders, positions=positions)
    lines = panel.draw(view, width, height, FINE)
    assert [line.cell_len for line in lines] == [width] * height
    if panel.title in {"TRADERS", "POSITIONS"} and width >= 40:
        amounts = {
            f"{line.pnl:+,.0f}".replace("+0", "0").replace("-0", "0") for line in (*traders, *positions) if line.pnl
        }
        amounts.add(f"{view.firm.pnl:+,.0f}")
        table = fitted([Column("", [Text("x")], left=True)], width, FINE)  # an empty table is a table
        assert table.rows[0].cell_len == width
        body = [line.plain[1:-1] for line in lines[1:-1] if line.plain.strip(" │") and "─" not in line.plain]
        assert all(any(f"{amount} " in row + " " for amount in amounts) for row in body), body


def test_stale_and_missing_quotes_say_so():
    shown = sample()
    assert "585.00!  3m old" in shown
    assert re.search(r"EURUSD +no quote", shown)
    assert "270 fresh  1 stale  1 unquoted   SPY stale 3m: Yahoo did not" in shown
    assert "as of 3s ago, polling the feeds for 14s" in shown
    assert "1 unquoted (EURUSD): Yahoo did not respond in time" in sample(200, 60)
    assert "snapshot: StoreError: the disk is full" in sample(200, 60)
    assert "snapshot failed" in shown


def test_a_market_without_any_quote_is_shown():
    view = sample_view()
    quotes = tuple(replace(line, price=None, change=None) for line in view.quotes)
    firm = replace(view.firm, value=None, pnl=None, change=None, trail=())
    traders = tuple(replace(line, value=None, pnl=None, change=None, trail=(), waiting=7) for line in view.traders)
    bare = replace(view, quotes=quotes, market_time=None, firm=firm, traders=traders, positions=(), recalculation=None)
    for width, height in SIZES:
        shown = "\n".join(screen(bare, width, height))
        assert "shares: no quote" in shown
        assert "no positions valued yet" in shown
        assert "Value $ —" in shown
        assert "no recalculation yet" in shown


def test_a_hostile_reason_stays_on_its_line():
    reason = "<html>\x1b[2J\n\tdown\r\x07" + "ü→漢" * 80
    trouble = {"SPY": QuoteTrouble("stale", 5.0, reason)}
    for glyphs in (FINE, ASCII):
        shown = sample(200, 60, glyphs, troubles=trouble, reasons=(TroubleView("stale", ("SPY",), 5.0, reason),))
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", shown)
        assert [Text(line).cell_len for line in shown.split("\n")] == [200] * 60
        assert r"SPY stale 5s: <html>\x1b[2J\n\tdown\r\x07" in shown
        shown.encode(glyphs.encoding)


def test_ascii_where_the_terminal_has_nothing_else():
    assert glyphs_for("ascii") is glyphs_for("cp437") is glyphs_for("no such encoding") is ASCII
    assert glyphs_for("utf8") is FINE
    assert sample(200, 60, ASCII).isascii()
    assert "+ FIRM ---" in sample(80, 24, ASCII)


def test_too_small_a_terminal_is_told_and_still_has_the_figures():
    lines = screen(sample_view(), 60, 20)
    assert lines[0].strip() == "The desk needs 80x24, this is 60x20."
    assert "Value $ 101,500,000" in lines[1]
    assert "P&L $ -79,219" in lines[2]


def test_colour_is_for_signs_and_warnings():
    styles = {str(span.style) for line in arranged(sample_view(), 200, 60, FINE) for span in line.spans}
    words = {word for style in styles for word in style.split()}
    assert words <= {"green", "red", "yellow", "dim", "bold", "italic"}
    shown = {}
    for line in arranged(sample_view(), 200, 60, FINE):
        for span in line.spans:
            shown.setdefault(str(span.style), []).append(line.plain[span.start : span.end].strip())
    assert all(text.startswith("+") for text in shown["green"])
    assert all(text.startswith("-") for text in shown["red"])


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_rich_prints_the_lines_as_they_are(live, width, height):
    file = io.StringIO()
    console = Console(file=file, record=True, width=width, height=height, force_terminal=True, color_system="truecolor")
    lines = arranged(live.view(), width, height, FINE)
    console.print(Text("\n", no_wrap=True, overflow="crop").join(lines))
    assert console.export_text(styles=False).split("\n")[:-1] == [line.plain for line in lines]
    assert "\x1b[32m" in file.getvalue()


def test_the_console_has_no_style_at_all_when_plain():
    console = screen_console(plain=True)
    with console.capture() as captured:
        console.print(Text("gained", style="bold green"))
    assert captured.get() == "gained\n"


def test_columns_leave_out_whole_columns_the_least_important_first():
    columns = [
        Column("", [Text("Alice")], left=True),
        Column("words", [Text("many words")], rank=2, left=True, shrinks_to=4),
        Column("pos", [Text("7")], rank=1),
        Column("P&L", [Text("+1,234")]),
    ]
    rows = {width: fitted(columns, width, FINE).rows[0].plain for width in range(12, 31)}
    assert rows[30] == "Alice  many words    7  +1,234"
    assert rows[21] == "Alice man…   7 +1,234"
    assert rows[16] == "Alice   7 +1,234"
    assert rows[15] == "Alice    +1,234"
    assert all(len(row) == width for width, row in rows.items())


def test_lines_are_cut_with_a_mark_and_joined_from_whole_parts():
    assert fit(Text("abcdef"), 4, FINE).plain == "abc…"
    assert fit(Text("漢字漢字"), 4, FINE).plain == "漢 …"
    assert fit(Text("ab"), 4, FINE, left=False).plain == "  ab"
    assert joined([Text("aaaa"), Text("bbbbbbbb"), Text(""), Text("cc")], 9).plain == "aaaa   cc"


def test_headings_stand_over_their_columns_and_give_way_to_the_title():
    [top, row, bottom] = pane("FIRM", [Text("a  1,000")], 16, 3, FINE, headings="xx pos   P&L", legend="why")
    assert top.plain == "╭ FIRM ─── P&L ╮"
    assert row.plain == "│ a  1,000     │"
    assert bottom.plain == "╰ why ─────────╯"


def test_bars_of_nothing_and_of_a_flat_line():
    assert FINE.bars([]) == ""
    assert FINE.bars([5.0, 5.0]) == "▁▁"


def test_gathered_positions_add_up_to_the_traders(live):
    for trader in live.latest.traders:
        own = [line for line in live.latest.positions if line.trader == trader.name]
        assert len(own) == trader.positions
        assert sum(line.pnl for line in own) == pytest.approx(trader.pnl, abs=1e-6)
        assert sum(line.value for line in own) == pytest.approx(trader.value, abs=1e-6)
    assert live.latest.firm.pnl == pytest.approx(sum(line.pnl for line in live.latest.traders), abs=1e-6)


def test_gathered_changes_are_since_opening_and_since_the_frame_before():
    desk = build_desk(seed=3)
    builder = ViewBuilder(desk)
    opening = builder.build()
    assert [(line.pnl, line.change) for line in opening.traders] == [(0.0, None)] * 14
    at_first = {symbol: desk.leaf(symbol).price for symbol in ("AAPL", "SOFR")}
    first = builder.build(desk.tick().recalculation)
    second = builder.build(desk.tick().recalculation)
    assert isinstance(second.recalculation, RecalculationView)
    for before, after in zip(first.traders, second.traders, strict=True):
        assert after.change == after.pnl - before.pnl
        assert after.trail == (0.0, before.pnl, after.pnl)
    quotes = {line.symbol: line for line in second.quotes}
    assert quotes["AAPL"].change == desk.leaf("AAPL").price / at_first["AAPL"] - 1.0
    assert quotes["SOFR"].change == desk.leaf("SOFR").price - at_first["SOFR"]
    assert [line.symbol for line in second.quotes if line.group.value == "Indices"] == ["VIX"]
    assert quotes["AAPL_VOL"].group.value == "Volatilities"
    assert "_VOL" not in "\n".join(screen(second, 320, 300))
