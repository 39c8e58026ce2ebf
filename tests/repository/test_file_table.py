"""The table "to change … open …" of docs/architecture.md names files that exist and leaves no package out."""

from __future__ import annotations

import re

import pytest


@pytest.fixture(scope="module")
def table(root):
    """Return the table's rows as (folder, names in the second cell)."""
    rows, inside = [], False
    for line in (root / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == "package" and "to change" in cells[1]:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            rows.append((cells[0].strip("`"), re.findall(r"`([^`]+)`", cells[1])))
    return rows


def test_table_is_there(table):
    assert len(table) >= 10, "docs/architecture.md has no table headed | package | to change … open … |"


def test_every_row_names_files(table):
    assert [folder for folder, names in table if not names] == []


def test_every_file_exists(table, root):
    assert [folder + name for folder, names in table for name in names if not (root / folder / name).exists()] == []


def test_every_package_has_a_row(table, subpackages):
    folders = {folder for folder, _ in table}
    assert [package.name for package in subpackages if f"bank_python/{package.name}/" not in folders] == []
