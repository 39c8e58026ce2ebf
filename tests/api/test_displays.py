"""Every public class that holds a result shows itself as text and HTML, and tables export themselves."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import json
import math
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

import bank_python
from bank_python.display import HTML_LINES, TEXT_LINES, Displayed, _theme, as_html, as_text
from bank_python.errors import BankError
from bank_python.mntable import Table
from bank_python.plotting import Plotted
from bank_python.results import Tabular
from tests.api.instances import NOT_MADE, instances, instantiable, public_classes
from tests.render.sample_results import KINDS, NAMES

# Dataclasses that are no result: declarations of contract classes, and batches that only engines handle.
NO_RESULT = {"ContractBatch", "ContractColumns", "ReducedPlan"}
MOST_CHARACTERS, MOST_HTML = 4_000, 20_000


def test_every_public_dataclass_and_node_shows_itself():
    dumb = [
        f"{package}.{name}"
        for package, name, found in public_classes()
        if (dataclasses.is_dataclass(found) or issubclass(found, bank_python.dagger.Node))
        and name not in NO_RESULT
        and not issubclass(found, Displayed)
    ]
    assert dumb == []


def test_what_has_a_table_has_every_export():
    lacking = [
        f"{package}.{name}: {export}"
        for package, name, found in public_classes()
        if hasattr(found, "to_table")
        for export in ("to_pandas", "to_arrow", "to_csv", "to_json")
        if not hasattr(found, export)
    ]
    assert lacking == []


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """One instance of each public class, made once in a process, as some cases define nodes of the shared graph."""
    path = tmp_path_factory.mktemp("instances")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANK_PYTHON_HOME", str(path))
        return instances(path)


def test_an_instance_of_every_public_class_is_made(made):
    assert {name for found, name in instantiable().items() if found not in made} == set(NOT_MADE)


def test_no_class_is_shown_by_its_address():
    assert [name for found, name in instantiable().items() if found.__repr__ is object.__repr__] == []


def test_every_instance_is_shown_short(made):
    for found, thing in made.items():
        said = repr(thing)
        assert 0 < len(said) < MOST_CHARACTERS, found
        assert len(said.splitlines()) <= TEXT_LINES, found
        assert " at 0x" not in said, found


def test_every_instance_that_is_displayed_has_short_html(made):
    shown = [thing for thing in made.values() if isinstance(thing, Displayed)]
    assert len(shown) > 200
    for thing in shown:
        page = re.sub(r"<img [^>]*>", "", thing._repr_html_())
        assert len(page) < MOST_HTML, type(thing)
        assert " at 0x" not in page, type(thing)
        assert balanced(page), type(thing)


class Balanced(HTMLParser):
    """Refuses tags that do not close in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - as the base has it
        if tag not in {"img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def balanced(page):
    parser = Balanced()
    parser.feed(page)
    return parser.open == []


@pytest.fixture(scope="module")
def results():
    return {kind: made for kind, make in KINDS.items() if isinstance(made := make(NAMES), Displayed)}


def test_results_are_shown_short_and_whole(results):
    assert len(results) >= 15
    for kind, result in results.items():
        assert len(repr(result).splitlines()) <= TEXT_LINES, kind
        page = result._repr_html_()
        assert balanced(page), kind
        assert "object at 0x" not in page + repr(result), kind


def test_names_from_outside_are_no_html():
    class Hostile(Displayed):
        def __rich__(self):
            return "<script>alert(1)</script> [bold]x[/]"

    page = Hostile()._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "[bold]x[/]" in page


def test_long_results_are_cut_and_say_how_to_get_the_rest(results):
    class Long(Displayed):
        def __rich__(self):
            return "\n".join(f"line {i}" for i in range(100))

        def to_table(self):
            """Nothing."""

    said = as_text(Long())
    assert len(said.splitlines()) == TEXT_LINES
    assert said.endswith("… 81 more lines; to_table() for all of it")
    assert "60 more lines" in as_html(Long())
    assert len(as_text(Long(), lines=200).splitlines()) == 100


def test_a_line_or_two_are_not_left_out_of_a_page():
    class Two(Displayed):
        def __rich__(self):
            return "\n".join(f"line {i}" for i in range(HTML_LINES + 2))

    assert "more lines" not in as_html(Two())
    assert f"line {HTML_LINES + 1}" in as_html(Two())


def test_colours_stand_out_from_white_and_from_black_pages():
    def luminance(colour):
        parts = [part / 255.0 for part in colour]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    theme = _theme()
    dim = tuple((a + b) // 2 for a, b in zip(theme.foreground_color, theme.background_color, strict=True))
    colours = [theme.foreground_color, dim, *(theme.ansi_colors[i] for i in range(16))]
    for page in ((255, 255, 255), (0x11, 0x11, 0x11)):
        for colour in colours:
            low, high = sorted((luminance(colour), luminance(page)))
            assert (high + 0.05) / (low + 0.05) >= 3.0, (colour, page)


def test_exports_agree_and_say_the_same(made, tmp_path):
    tabular = [thing for thing in made.values() if isinstance(thing, Tabular)]
    assert len(tabular) > 30
    for thing in tabular:
        table = thing.to_table()
        rows = table.to_list()
        frame, arrow, parsed = thing.to_pandas(), thing.to_arrow(), json.loads(thing.to_json())
        assert len(frame) == arrow.num_rows == len(parsed) == len(rows), type(thing)
        assert [*frame.columns] == arrow.column_names == [*table.columns], type(thing)
        assert parsed == [{name: as_json(cell) for name, cell in row.items()} for row in rows], type(thing)
        thing.to_csv(tmp_path / "out.csv")
        with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
            assert len([*csv.DictReader(file)]) == len(rows), type(thing)


def as_json(cell):
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell.isoformat() if isinstance(cell, dt.date) else cell


def test_json_has_no_numbers_that_are_not_finite_and_dates_are_iso(tmp_path, monkeypatch):
    schema = [("x", float), ("day", dt.date), ("at", dt.datetime)]
    at = dt.datetime(2026, 1, 5, 9, 0, tzinfo=dt.UTC)
    table = Table.from_rows(schema, [{"x": x, "day": at.date(), "at": at} for x in (math.inf, -math.inf, 1.5)])
    rows = json.loads(table.to_json(), parse_constant=pytest.fail)
    assert [row["x"] for row in rows] == [None, None, 1.5]
    assert rows[0]["day"] == "2026-01-05"
    assert dt.datetime.fromisoformat(rows[0]["at"]) == at
    monkeypatch.setenv("HOME", str(tmp_path))
    table.to_csv("~/out.csv")
    table.to_json("~/out.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.json"]


def test_a_csv_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("before", encoding="utf-8")
    bad = Table.from_rows([("name", str | None)], [{"name": "Alice"}, {"name": ""}])
    with pytest.raises(BankError, match="also the text for None"):
        bad.to_csv(path)
    assert path.read_text(encoding="utf-8") == "before"
    assert [*tmp_path.iterdir()] == [path]


def test_a_large_table_and_a_desk_are_shown_fast(made):
    table = Table.from_rows([("x", float)], ({"x": float(i)} for i in range(1_000_000)))
    for thing in (table, table.restrict(x=5.0), made[bank_python.Desk], made[bank_python.Desk].traders):
        start = time.perf_counter()
        assert len(repr(thing)) < MOST_CHARACTERS
        assert len(thing._repr_html_()) < MOST_HTML
        assert time.perf_counter() - start < 0.5, type(thing)


def test_the_page_on_results_says_what_each_class_has():
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    stated = re.findall(r"^\| `(\w+)\.(\w+)` \| (.) \| (.) \|$", page, re.MULTILINE)
    held = [
        (package, name, "✓" if hasattr(found, "to_table") else "–", "✓" if issubclass(found, Plotted) else "–")
        for package, name, found in public_classes()
        if hasattr(found, "to_table") or issubclass(found, Plotted)
    ]
    assert sorted(stated) == sorted(held)


def test_tables_export(results, tmp_path):
    tabular = {kind: result for kind, result in results.items() if isinstance(result, Tabular)}
    assert len(tabular) >= 10
    for kind, result in tabular.items():
        rows = len(result.to_table())
        assert len(json.loads(result.to_json())) == rows, kind
        assert len(result.to_pandas()) == rows, kind
        assert result.to_arrow().num_rows == rows, kind
        result.to_csv(tmp_path / "out.csv")
        assert (tmp_path / "out.csv").stat().st_size > 0, kind
        text = result.to_json(tmp_path / "out.json")
        assert (tmp_path / "out.json").read_text(encoding="utf-8") == text, kind


def test_an_export_that_fails_leaves_what_was_there(tmp_path, results):
    result = next(result for result in results.values() if isinstance(result, Tabular))
    with pytest.raises(OSError, match="No such file"):
        result.to_json(tmp_path / "none" / "out.json")
    assert list(tmp_path.iterdir()) == []
