"""Every public class that holds a result shows itself as text and HTML, and tables export themselves."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest

import bank_python
from bank_python.display import TEXT_LINES, Displayed, as_html, as_text
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


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One instance of each public class."""
    return instances(tmp_path_factory.mktemp("instances"))


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
