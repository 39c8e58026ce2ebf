"""Every Python block of the README, CONTRIBUTING and the docs runs as it stands, in order, one namespace a page.

A block that cannot run here is preceded by ``<!-- skip: reason -->``, and counted below.
"""

from __future__ import annotations

import re
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]

# Page, and how many of its blocks are left out.
SKIPPED: dict[str, int] = {}

BLOCK = re.compile(
    r"(?:^<!-- skip: (?P<reason>\S[^\n]*?) -->\n+)?^```python[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    line: int
    code: str
    skip_reason: str | None


def blocks_of(text):
    return [
        Block(text.count("\n", 0, found.start("code")), found["code"], found["reason"])
        for found in BLOCK.finditer(text)
    ]


def run_page(name, blocks, monkeypatch):
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for block in blocks:
        if block.skip_reason is None:
            # The blank lines make a traceback point at the page's own line.
            code = compile("\n" * block.line + block.code, name, "exec")
            exec(code, vars(module))  # noqa: S102  (running our own pages is the test)
    return vars(module)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_run_in_order(page, offline_home, monkeypatch):
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    assert sum(block.skip_reason is not None for block in blocks) == SKIPPED.get(page.relative_to(ROOT).as_posix(), 0)
    run_page(str(page), blocks, monkeypatch)


def test_readme_has_blocks_to_run():
    assert len(blocks_of((ROOT / "README.md").read_text(encoding="utf-8"))) >= 4


def test_skipped_pages_exist():
    assert [name for name in SKIPPED if not (ROOT / name).is_file()] == []


def test_blocks_share_a_namespace_and_skips_are_left_out(monkeypatch):
    text = "# T\n\n```python\na = 1\n```\n\n<!-- skip: boom -->\n```python\na = 99\n```\n\n```python\nb = a + 1\n```\n"
    blocks = blocks_of(text)
    assert [(block.line, block.skip_reason) for block in blocks] == [(3, None), (8, "boom"), (12, None)]
    assert run_page("page.md", blocks, monkeypatch)["b"] == 2


def test_a_failing_block_names_the_pages_line(monkeypatch):
    with pytest.raises(ZeroDivisionError) as caught:
        run_page("page.md", blocks_of("# T\n\n```python\na = 0\n1 / a\n```\n"), monkeypatch)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno) == ("page.md", 5)
