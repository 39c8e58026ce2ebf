"""The entries of numpydoc sections, read from source files without importing them."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_UNDERLINE = re.compile(r"-{3,}\s*")
_DESCRIBED = frozenset({"Parameters", "Other Parameters", "Attributes"})


@dataclass(frozen=True)
class Entry:
    """One described parameter or attribute.

    Attributes
    ----------
    place : str
        File, line of the definition, and its name.
    names : str
        Parameter names as in the docstring, separated by commas.
    description : str
        Text below the names, on one line.
    """

    place: str
    names: str
    description: str


def public_docstrings(path: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Yield the place and the docstring of each public class, function and method of a file."""
    yield from _docstrings(ast.parse(path.read_text(encoding="utf-8")), path.relative_to(root).as_posix())


def _docstrings(parent: ast.Module | ast.ClassDef, where: str) -> Iterator[tuple[str, str]]:
    for node in parent.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_") and not node.name.startswith("__"):
            continue
        text = ast.get_docstring(node)
        if text:
            yield f"{where}:{node.lineno} {node.name}", text
        if isinstance(node, ast.ClassDef):
            yield from _docstrings(node, where)


def entries(place: str, docstring: str) -> Iterator[Entry]:
    """Yield the parameters and attributes that a docstring describes."""
    lines = inspect.cleandoc(docstring).splitlines()
    titles = [i for i in range(len(lines) - 1) if _UNDERLINE.fullmatch(lines[i + 1]) and lines[i].strip()]
    for start, stop in zip(titles, [*titles, len(lines)][1:], strict=True):
        if lines[start].strip() in _DESCRIBED:
            yield from _of_section(place, lines[start + 2 : stop])


def _of_section(place: str, lines: list[str]) -> Iterator[Entry]:
    names, text = "", []
    for line in [*lines, "end"]:
        if line[:1].isspace() or not line:
            text.append(line.strip())
            continue
        if names:
            yield Entry(place, names.partition(" :")[0].strip(), " ".join(filter(None, text)))
        names, text = line, []
