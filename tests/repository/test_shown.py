"""One table style, one way up: tables are made by ``sheet.py``, and a result's ``__rich__`` loads its view."""

from __future__ import annotations

import ast
import re

import pytest

# Whoever is not `__rich__` and yet reaches up to a view, and why.
OTHER_WAYS = {"bank_python/optimizer/portfolio.py performance": "prints, as its argument says"}
BELOW = re.compile(r"bank_python/(?!desk/|render|cli|display|sheet|numerals|terminal)")


@pytest.fixture(scope="module")
def sources(library_files, root):
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in library_files}


@pytest.fixture(scope="module")
def below(sources):
    """Return the modules below the faces that may show something, parsed."""
    shows = {name: source for name, source in sources.items() if BELOW.match(name)}
    return {
        name: ast.parse(source)
        for name, source in shows.items()
        if "__rich" in source or "bank_python.render" in source
    }


def reaching_up(module):
    """Yield the functions of a module that import a view, with the names they import."""
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef):
            for node in function.body:
                for inner in ast.walk(node):
                    if isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith("bank_python.render"):
                        yield function, [alias.name for alias in inner.names]


def returns_its_view(function, imported):
    """Whether a function is an import of one view and ``return that_view(...)``."""
    *_, first, last = function.body
    return (
        len(function.body) == 2
        and isinstance(first, ast.ImportFrom)
        and isinstance(last, ast.Return)
        and isinstance(last.value, ast.Call)
        and isinstance(last.value.func, ast.Name)
        and [last.value.func.id] == imported
        and imported[0].endswith("_view")
    )


def test_the_only_way_up_is_to_return_a_view_from_rich(below):
    others = [
        f"{name} {function.name}"
        for name, module in below.items()
        for function, imported in reaching_up(module)
        if function.name != "__rich__" or not returns_its_view(function, imported)
    ]
    assert sorted(others) == sorted(OTHER_WAYS)


def test_every_rich_of_a_result_is_of_that_form(below):
    odd, found = [], 0
    for name, module in below.items():
        told = [function for function, _ in reaching_up(module)]
        shown = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and "__rich" in node.name]
        odd += [f"{name} {node.name}" for node in shown if node not in told]
        found += len(shown)
    assert odd == []
    assert found >= 20


@pytest.mark.parametrize("forbidden", [r"rich\.table", r"\.add_row\(", r"\.add_column\("])
def test_tables_are_made_in_one_place(sources, forbidden):
    found = [name for name, source in sources.items() if re.search(forbidden, source)]
    assert found == ["bank_python/sheet.py"]


def test_markup_is_written_nowhere(sources):
    """No text is read as markup: views and programs give a console ready-made texts only."""
    found = [
        f"{name}: {match.group()}"
        for name, source in sources.items()
        for match in re.finditer(r"from_markup|render_markup|markup=True|\[/(?:dim|bold|red|green)\]", source)
    ]
    assert found == []
