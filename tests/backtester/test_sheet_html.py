"""The page of a tearsheet: one file, no request, everything escaped, small; and the view of the terminal."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from rich.console import Console

from bank_python.backtester import make_tearsheet
from bank_python.backtester.svg_charts import Line, amount, histogram, line_chart, percent

DAYS = np.busday_offset("2016-01-04", np.arange(2_516)).tolist()
TITLE = "<script>alert(1)</script> & [bold]x"


@pytest.fixture(scope="module")
def sheet():
    rng = np.random.default_rng(2)
    equity, index = (100.0 * np.cumprod(1.0 + 0.0003 + 0.01 * rng.standard_normal(2_516)) for _ in range(2))
    return make_tearsheet(equity, DAYS, benchmark=dict(zip(DAYS, index, strict=True)), title=TITLE)


def test_page_is_whole_small_and_asks_for_nothing(sheet, tmp_path):
    page = sheet.to_html(tmp_path / "sheet.html")
    assert (tmp_path / "sheet.html").read_text(encoding="utf-8") == page
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]
    assert len(page.encode()) < 300_000
    assert re.findall(r"https?:|//|url\(|src=|@import|<script|<iframe|<object", page) == []
    assert re.findall(r'href="([^"]*)"', page) == ["data:,"]
    assert "default-src 'none'" in page
    assert "prefers-color-scheme:dark" in page


def test_names_are_escaped(sheet):
    page = sheet.to_html()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; [bold]x" in page
    assert "<script" not in page


def test_page_has_every_chart_and_every_metric(sheet):
    page = sheet.to_html()
    for title in ("Growth of 1", "Drawdown", "Rolling Sharpe ratio, 126 days", "Rolling beta", "Returns of one day"):
        assert f"<figcaption>{title}" in page
    for said in ("Monthly returns", "Years", "Largest drawdowns", "Sharpe ratio", "√252, rf 0 a year"):
        assert said in page
    assert len(re.findall(r"background:rgba", page)) >= 116  # months


def test_drawings_are_well_formed(sheet):
    for drawing in re.findall(r"<svg.*?</svg>", sheet.to_html(), re.DOTALL):
        tree = ET.fromstring(drawing)  # noqa: S314 - our own text
        for path in tree.iter("path"):
            assert "nan" not in path.get("d")
            assert "inf" not in path.get("d")


@pytest.mark.parametrize("equity", [[], [1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 2.0, -1.0, 5.0], list(range(1, 400))])
def test_pages_of_odd_curves(equity):
    page = make_tearsheet(equity, DAYS[: len(equity)]).to_html()
    assert not re.search(r"\bnan\b|\binf\b|None", page)


def test_thinned_lines_keep_their_extremes():
    values = np.zeros(50_000)
    values[31_337], values[4_242] = 1.0, -1.0
    drawing = line_chart("x", [Line("x", range(50_000), values)], percent)
    assert len(drawing) < 20_000
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", drawing)]
    assert (min(heights), max(heights)) == (10.0, 196.0)


def test_lines_are_broken_where_values_are_missing():
    drawing = line_chart("x", [Line("x", range(5), np.array([1.0, 2.0, np.nan, 3.0, 4.0]))], amount)
    assert re.search(r'class="line l0" d="M[^M]*M[^M]*"', drawing)
    assert line_chart("x", [Line("x", range(2), np.full(2, np.nan))], amount) == ""
    assert histogram("x", np.ones(5), amount) == ""


def test_a_large_growth_is_drawn_on_a_logarithmic_scale():
    drawing = line_chart("Growth", [Line("x", range(3), np.array([1.0, 10.0, 100.0]))], amount)
    assert "Growth (logarithmic)" in drawing
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", drawing.split("line l0")[1])]
    assert heights == pytest.approx([196.0, 103.0, 10.0], abs=0.11)


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_view_fits(sheet, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(sheet)
    said = console.file.getvalue()
    assert max(map(len, said.splitlines())) <= width
    for expected in (TITLE, "Years", "Monthly returns", "Largest drawdowns", "Sharpe ratio", "Tracking error"):
        assert expected in said
    assert "Payoff" not in said  # no trades were given: the group is left out


def test_terminal_view_of_a_short_curve_gives_reasons():
    console = Console(file=io.StringIO(), width=80)
    console.print(make_tearsheet([100.0, 101.0]))
    assert "there is one return only" in re.sub(r"[│\s]+", " ", console.file.getvalue())
