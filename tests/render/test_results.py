"""What a person sees of every result that is a table: at 80, 120 and 200 columns, and of names that mean harm."""

import dataclasses
import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from bank_python.desk.live.glyphs import ASCII, FINE
from bank_python.desk.live.layout import arranged
from bank_python.desk.showcase.stage import SceneResult
from bank_python.sheet import text
from bank_python.terminal import clean
from tests.desk.sample_screen import sample_view
from tests.render.sample_results import GOLDEN, KINDS, NAMES, WIDTHS, html_pages, page, shown

HOSTILE = (
    "[bold]x[/]",
    "[/]",
    "AAPL[red]",
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "back\b\b\bspace",
    "over\rwritten",
    "nul\0",
    "two\nlines",
    "\u202eturned",
    "half \ud83d",
    ":smiley:",
    "\x9b31m",
)
FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
TITLED = {
    *("option expiries", "shadow Greeks", "large moves", "ruin", "premiums", "option convexity"),
    *("tearsheet", "null books", "sweep", "heat map"),  # arrays of numpy drop a NUL at the end of a parameter
    "snapshots",
    "grid",
    "sensitivity ladder",
    "ladder",
    "bars",
    "recalculation",
    "attribution",
    "regimes",
    "unit root",
    "account history",
}  # names in the title alone, or nowhere
NAMED = sorted(set(KINDS) - TITLED)
anything = st.text(st.characters(), min_size=1, max_size=40).filter(str.strip) | st.sampled_from(HOSTILE)


def controls(page):
    """Return the characters that a terminal would obey, or that nobody would see."""
    return {c for c in page if c != "\n" and unicodedata.category(c) in FORBIDDEN}


def squeezed(said):
    """Return text without blanks and frames, as it reads across lines; in some tables `_` stands as a blank."""
    return re.sub(r"[\s│┃_]", "", said)


def column_widths(page):
    return [len(part) - 2 for line in page.split("\n") if line.startswith("┏") for part in line.strip("┏┓").split("┳")]


def without_hashes(page):
    """Return text with zeros for the hashes of runs, which count the code that made them."""
    return re.sub(r"\b[0-9a-f]{16}\b", "0" * 16, page)


@pytest.mark.parametrize("width", WIDTHS)
def test_golden_renders(width):
    golden = (GOLDEN / f"results_{width}.txt").read_text(encoding="utf-8")
    assert without_hashes(page(width)) == without_hashes(golden), "wanted? then: python tests/render/sample_results.py"


def test_golden_html():
    pages = html_pages()
    goldens = {file.name: file.read_text(encoding="utf-8") for file in (GOLDEN / "html").glob("*.html")}
    assert pages.keys() == goldens.keys(), "wanted? then: python tests/render/sample_results.py"
    changed = [name for name, page in pages.items() if page != goldens[name]]
    assert changed == [], "wanted? then: python tests/render/sample_results.py"
    assert sum(map(len, goldens.values())) < 400_000


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_lines_fit_and_columns_can_be_read(kind, width):
    said = shown(KINDS[kind](NAMES), width)
    assert max(cell_len(line) for line in said.split("\n")) <= width
    assert min(column_widths(said), default=2) >= 2


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", NAMED)
def test_names_are_whole_or_end_in_an_ellipsis_after_a_sensible_length(kind, width):
    desks = ("Alice", "TSLA_0.125Y_260.5P", "Zara", "a desk whose name is longer than a table has room for, by far")
    said = squeezed(shown(KINDS[kind](desks), width))
    assert [name for name in desks[:3] if squeezed(name) not in said] == []
    assert squeezed(desks[3][:16]) in said


@pytest.mark.parametrize("width", WIDTHS)
def test_every_part_of_a_table_that_is_split_names_its_rows(width):
    said = shown(KINDS["Greeks of books"](NAMES), width)
    parts = said.count("┏━")
    assert said.count("│ Alice ") == said.count("[bold]TSLA_0.125Y_260.5P[/] ") == said.count("│ firm ") == parts
    assert [said.count(f"{greek} ┃") for greek in ("Delta", "Vega", "Volga", "Charm")] == [1] * 4
    assert parts == (1 if width == 200 else 2 if width == 120 else 3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=anything, second=anything, kind=st.sampled_from(sorted(KINDS)))
def test_no_name_harms_the_terminal(first, second, kind):
    names = tuple(dict.fromkeys((first, second, "Alice", "Bob")))
    said = shown(KINDS[kind](names), 80)
    assert controls(said) == set()
    assert max(cell_len(line) for line in said.split("\n")) <= 80
    if kind in NAMED and not (kind == "table" and "\\ud" in clean(first)):
        assert squeezed(clean(first.strip()))[:6] in squeezed(said)  # names of trades are stripped


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_markup_and_escapes_are_written_out(kind):
    for name in HOSTILE:
        said = shown(KINDS[kind]((name, "Alice")), 200)
        assert controls(said) == set()
        if kind in NAMED and not (kind == "table" and "\ud83d" in name):
            assert squeezed(clean(name)) in squeezed(said)


@settings(max_examples=40, deadline=None)
@given(said=anything)
def test_no_error_message_harms_the_terminal(said):
    page = shown(text(f"This scene cannot be played: {said}", "yellow"), 80)
    assert controls(page) == set()
    assert max(cell_len(line) for line in page.split("\n")) <= 80
    assert squeezed(clean(said))[:6] in squeezed(page)


@settings(max_examples=25, deadline=None)
@given(name=anything, glyphs=st.sampled_from([FINE, ASCII]), size=st.sampled_from([(80, 24), (120, 40), (200, 60)]))
def test_nothing_in_a_frame_harms_the_terminal(name, glyphs, size):
    lines = arranged(named(sample_view(), name), *size, glyphs)
    assert controls("\n".join(line.plain for line in lines)) == set()
    assert [line.cell_len for line in lines] == [size[0]] * size[1]
    for line in lines:
        line.plain.encode(glyphs.encoding)


def named(seen, name):
    """Return a view with all of its texts replaced."""
    if isinstance(seen, str):
        return name
    if isinstance(seen, tuple):
        return tuple(named(part, name) for part in seen)
    if isinstance(seen, dict):
        return {named(key, name): named(value, name) for key, value in seen.items()}
    if dataclasses.is_dataclass(seen):
        return dataclasses.replace(
            seen, **{f.name: named(getattr(seen, f.name), name) for f in dataclasses.fields(seen)}
        )
    return seen


def test_a_hostile_trader_is_written_out_on_the_live_desk():
    view = sample_view()
    traders = (dataclasses.replace(view.traders[0], name="\x1b[31mX"), *view.traders[1:])
    lines = arranged(dataclasses.replace(view, traders=traders), 200, 60, FINE)
    assert any(line.plain.startswith(r"│ \x1b[31mX ") for line in lines)


@pytest.mark.parametrize("said", HOSTILE)
def test_scenes_show_words_as_they_are(said, capsys, monkeypatch):
    from bank_python.desk.showcase import run
    from bank_python.desk.showcase.stage import Scene

    def play(stage):
        return SceneResult({"said": said}, [said, KINDS["plan"](NAMES)])

    play.__doc__ = "Teaches."
    run._show(run.Console(no_color=True, highlight=False, width=80), Scene(1, said, play), None)
    out = capsys.readouterr().out
    assert controls(out) == set()
    assert out.count(clean(said)) >= 2
