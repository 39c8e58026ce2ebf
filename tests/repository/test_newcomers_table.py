"""The README's table "to change X, open Y" is true and leaves no package out."""

from __future__ import annotations

import re

import pytest


@pytest.fixture(scope="module")
def table(root):
    """Return the rows of the table whose header reads "To change … | open …", as (what, where) cells."""
    rows, inside = [], False
    for line in (root / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif len(cells) == 2 and cells[0].lower().startswith("to change") and cells[1].lower().startswith("open"):
            inside = True
        elif inside and not set(line) <= set("|-: "):
            rows.append((cells[0], cells[1]))
    return rows


def paths_in(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_table_is_there(table):
    assert len(table) >= 10, "README.md has no table headed | To change … | open … |"


def test_every_row_names_a_place(table):
    assert [what for what, where in table if not what or not paths_in(where)] == []


def test_every_place_exists(table, root):
    assert [path for _, where in table for path in paths_in(where) if not (root / path).exists()] == []


def test_every_package_is_mentioned(table, subpackages):
    mentioned = {path for _, where in table for path in paths_in(where)}
    missing = [
        package.name
        for package in subpackages
        if not any(path.startswith(f"bank_python/{package.name}/") for path in mentioned)
    ]
    assert missing == []
