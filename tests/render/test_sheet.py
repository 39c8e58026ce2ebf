"""How a table gives way where the terminal is too narrow for it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.text import Text

from bank_python.numerals import number, signed
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, span_bar, text, words
from tests.render.sample_results import shown


def rows(view, width):
    """Return the cells of every line that has some."""
    lines = [line for line in shown(view, width).split("\n") if line[:1] in {"│", "┃"}]
    return [[cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")] for line in lines]


def wide(count=8):
    sheet = Sheet("Wide", [names("Name"), *(numbers(f"N{i}", 0) for i in range(count)), bars()])
    sheet.add("Alice", *[1_234_567] * count, Bar.of(1.0, 2.0))
    return sheet


def test_everything_side_by_side_where_there_is_room():
    assert rows(wide(), 200) == [
        ["Name", *(f"N{i}" for i in range(8)), ""],
        ["Alice", *["1,234,567"] * 8, "█" * 12],
    ]


def test_bars_get_shorter_then_go_and_then_there_are_several_tables():
    assert rows(wide(3), 65)[1][-1].count("█") == 8
    assert rows(wide(3), 48) == [["Name", "N0", "N1", "N2"], ["Alice", *["1,234,567"] * 3]]
    split = rows(wide(), 80)
    assert [row[0] for row in split] == ["Name", "Alice"] * 2
    assert [len(row) for row in split] == [5, 5, 5, 5]  # shared out evenly
    assert [cell for row in split[::2] for cell in row[1:]] == [f"N{i}" for i in range(8)]


def test_headings_break_before_columns_part():
    sheet = Sheet("", [names("Ticker"), *(shares("Return of the year") for _ in range(4))])
    sheet.add("SPY", 0.1, 0.2, 0.3, 0.4)
    assert rows(sheet, 60)[-1] == ["SPY", "10.0%", "20.0%", "30.0%", "40.0%"]
    assert rows(sheet, 60)[0] != rows(sheet, 120)[0] == ["Ticker", *["Return of the year"] * 4]


def test_names_are_whole_up_to_32_cells_and_then_share_half_the_line():
    sheet = Sheet("", [names("Name"), *(numbers(f"N{i}") for i in range(3))])
    sheet.add("n" * 32, *["9" * 12] * 3)
    sheet.add("m" * 50, *["9" * 12] * 3)
    assert rows(sheet, 81)[1:] == [["n" * 32, *["9" * 12] * 3], ["m" * 31 + "…", *["9" * 12] * 3]]
    both = Sheet("", [names("A"), names("B"), numbers("N")])
    both.add("a" * 50, "short", "9" * 20)
    assert rows(both, 80)[1] == ["a" * 44 + "…", "short", "9" * 20]


def test_text_breaks_into_lines_or_is_cut():
    said = "one two three four five six seven eight nine ten"
    for wraps, lines in ((True, 3), (False, 1)):
        sheet = Sheet("", [names("Name"), words("Why", wraps=wraps), numbers("N")])
        sheet.add("Alice", said, 1.0)
        told = rows(sheet, 42)[1:]
        assert len(told) == lines
        assert (" ".join(row[1] for row in told) == said) == wraps


def test_no_letter_of_a_text_is_lost():
    said = "東京海上, 2 A desk whose NAME_IS_LONGER_THAN_THE_COLUMN_IN_WHICH_IT_STANDS 漢字漢字漢字漢字漢字漢字漢字漢字"
    for width in range(20, 60):
        sheet = Sheet("", [words("W")])
        sheet.add(said)
        told = "".join(row[0].replace(" ", "") for row in rows(sheet, width)[1:])
        assert told == said.replace(" ", "")


def test_a_remark_among_bars_does_not_go():
    sheet = wide(3)
    sheet.add("Bob", None, None, None, text("ZeroDivisionError", "red"))
    assert rows(sheet, 60)[-1] == ["Bob", "—", "—", "—", "ZeroDivisio…"]


def test_without_names_the_first_column_tells_rows_apart():
    sheet = Sheet("", [shares(sign=True), *(numbers(f"N{i}") for i in range(6))])
    sheet.add(-0.1, *["9" * 14] * 6)
    assert [row[0] for row in rows(sheet, 64)] == ["", "-10.0%"] * 2


def test_cells_by_kind():
    sheet = Sheet("", [names("a"), numbers("b", 4), shares("c", 2, sign=True), numbers("d"), words("e")])
    sheet.add(7, 1234.5, 0.5, math.nan, None)
    assert rows(sheet, 80)[1] == ["7", "1,234.5000", "+50.00%", "—", "—"]
    with pytest.raises(ValueError, match="2 cells, but there are 5 columns"):
        sheet.add("x", 1.0)


def test_a_ready_text_keeps_its_colour_and_is_clean():
    sheet = Sheet("", [names("a")])
    sheet.add(Text("\x1b[31m", style="red"))
    sheet.add(text("[b]\n"))
    assert rows(sheet, 80)[1:] == [[r"\x1b[31m"], [r"[b]\n"]]
    assert sheet.rows[0][0].style == "red"


def test_bars():
    assert [Bar.of(value, 10.0).drawn(10).plain for value in (5.0, -10.0, 0.0, math.nan, math.inf)] == [
        "█" * 5,
        "█" * 10,
        "",
        "",
        "█" * 10,
    ]
    assert Bar.of(-1.0, 10.0).style == "red"
    assert Bar.of(1.0, 0.0).drawn(10).plain == ""
    assert Bar(0.0, 0.25, "green", rest="·").drawn(8).plain == "██······"
    assert span_bar([0.0, 10.0], 5.0, 10.0).drawn(10).plain == "     █████"
    assert span_bar([0.0, 10.0], 10.0, 10.0).drawn(10).plain == "         │"
    assert span_bar([], 1.0, 1.0).drawn(10).plain == "│"
    assert span_bar([0.0, 10.0], 5.0, -math.inf) == Bar(0.5, 0.0, "red", mark=True)


def test_numbers():
    assert [number(x) for x in (1e15, -2.5e300, 1e14, math.inf, True)] == [
        "1.0000e+15",
        "-2.5000e+300",
        "100,000,000,000,000.00",
        "inf",
        "True",
    ]
    assert [signed(x).plain for x in (1e15, -1e300, 1e14)] == ["+1.0000e+15", "-1.0000e+300", "+100,000,000,000,000"]


def test_rules_notes_and_titles():
    sheet = Sheet("A [bold]title[/]\n", [names("Name"), numbers("N", 0)])
    sheet.add("Alice", 1.0)
    sheet.rule()
    sheet.add("firm", 1.0)
    sheet.note("a")
    sheet.note("[b]")
    lines = shown(sheet, 80).split("\n")
    assert (lines[0], lines[-2]) == (r"A [bold]title[/]\n", "a; [b]")
    assert [line[0] for line in lines[1:-2]] == list("┏┃┡│├│└")


def test_it_says_how_wide_it_would_like_to_be():
    console = Console(width=80)
    assert Measurement.get(console, console.options, Sheet("", [names("Name")])).maximum == 8
    assert Measurement.get(console, console.options, wide()).maximum == 80


@settings(max_examples=80, deadline=None)
@given(
    width=st.integers(1, 220),
    cells=st.lists(st.tuples(st.text(st.characters(), max_size=30), st.floats(), st.floats(0, 1)), max_size=4),
    framed=st.booleans(),
    more=st.integers(1, 12),
)
def test_any_table_fits_any_width(width, cells, framed, more):
    columns = [names("Name"), *(numbers(f"N{i}") for i in range(more)), shares("S"), bars(), words("W")]
    sheet = Sheet("Title", columns, framed=framed)
    for name, value, share in cells:
        sheet.add(name, *[value] * more, share, Bar(0.0, share), name)
    assert max(cell_len(line) for line in shown(sheet, width).split("\n")) <= width


@settings(max_examples=60, deadline=None)
@given(width=st.sampled_from([80, 120, 200]), values=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=12))
def test_numbers_are_always_whole(width, values):
    sheet = Sheet("", [names("Name"), *(numbers(f"N{i}") for i in range(len(values)))])
    sheet.add("a" * 60, *values)
    said = shown(sheet, width)
    assert [number(value) for value in values if f" {number(value)} " not in said] == []
