"""The notebooks of examples/ run from top to bottom, and what is stored in them is small and fit for readers.

The whole set takes longer than a default run allows, so that all but one are marked slow.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
FAST = "01_first_graph.ipynb"

LARGEST = 60_000
CELLS = range(6, 15)
SECONDS = 120

ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(?:tmp|home|root|usr|var|opt|work|Users|private)/|\b[A-Z]:\\\\")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def read(path):
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def outputs(path):
    return [output for cell in code_cells(path) for output in cell.outputs]


def stored_text(output):
    """Everything that an output shows, without the bytes of its pictures."""
    parts = [output.get("text", ""), *output.get("data", {}).values()]
    return "\n".join(re.sub(r"base64,[\w+/=]+", "", part) for part in parts if isinstance(part, str))


def test_they_are_numbered_in_order():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, 13)]


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=() if path.name == FAST else pytest.mark.slow, id=path.name) for path in NOTEBOOKS],
)
def test_runs_in_a_fresh_kernel(path, tmp_path, monkeypatch):
    # A kernel of the interpreter that runs the tests, without the kernels and settings of whoever runs them.
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_PATH"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.setenv("BANK_PYTHON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BANK_PYTHON_FEED", "simulated")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    write_kernel_spec(tmp_path / "jupyter_path" / "kernels" / "tested")
    (folder := tmp_path / "cwd").mkdir()
    NotebookClient(
        read(path), kernel_name="tested", timeout=SECONDS, resources={"metadata": {"path": str(folder)}}
    ).execute()
    assert list(folder.iterdir()) == []


@every_notebook
def test_is_stored_as_executed(path):
    assert [cell.execution_count for cell in code_cells(path)] == list(range(1, len(code_cells(path)) + 1))


@every_notebook
def test_stored_outputs_have_no_errors_and_no_warnings(path):
    assert [output.ename for output in outputs(path) if output.output_type == "error"] == []
    assert [output.text for output in outputs(path) if output.get("name") == "stderr"] == []
    assert [text for output in outputs(path) if "Warning" in (text := stored_text(output))] == []


@every_notebook
def test_stored_outputs_name_no_folder_of_a_machine(path):
    assert [text for output in outputs(path) if ABSOLUTE_PATH.search(text := stored_text(output))] == []


@every_notebook
def test_is_short_and_small(path):
    assert path.stat().st_size < LARGEST
    assert len(read(path).cells) in CELLS


@every_notebook
def test_begins_with_a_title_and_ends_with_what_is_next(path):
    cells = read(path).cells
    assert cells[0].source.startswith(f"# {int(path.name[:2])}. ")
    assert cells[-1].source.startswith("## Next\n")


@every_notebook
def test_links_lead_to_files(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    assert [link for link in LINK.findall(text) if not (path.parent / link).is_file()] == []


def test_readme_links_all_of_them():
    links = LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if link.startswith("examples/")] == [f"examples/{path.name}" for path in NOTEBOOKS]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("wrote /tmp/x/valued.csv", True),
        ("'/usr/share/desk.db'", True),
        ("/Config/currency", False),
        ("see docs/usr/x", False),
    ],
)
def test_what_counts_as_a_folder_of_a_machine(text, found):
    assert bool(ABSOLUTE_PATH.search(text)) is found
