"""Imports run one way: no module reaches itself again, whether by types alone or from inside a function."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

Import = ast.Import | ast.ImportFrom

ROOT_PACKAGE = "bank_python"

# Circles that are meant: the modules of one mechanism, three at most, and why they cannot be told apart.
KNOTS: dict[frozenset[str], str] = {}

# A result's `__rich__` loads its view when it is shown, from inside a function: the one way up.
FACES = ("bank_python.render", "bank_python.sheet", "bank_python.numerals")


class ImportGraph:
    """Which module of a package imports which, by the module in which the imported name is defined.

    Packages' ``__init__`` files are no nodes: they hand on names, and an import by way of one leads to where the name
    comes from. Imports under ``TYPE_CHECKING`` and inside functions count like all others.
    """

    def __init__(self, sources: dict[str, str], packages: set[str]) -> None:
        self.modules = set(sources) - packages
        self.imports = {name: list(_imports(ast.parse(source))) for name, source in sources.items()}
        self._packages = packages
        self._handed_on = {
            (package, alias.asname or alias.name): (node.module, alias.name)
            for package in packages
            for node, _ in self.imports[package]
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
            if node.module != package  # its own modules need no leading on
        }
        self.edges = {module: self._imported_by(module) for module in sorted(self.modules)}

    def circles(self) -> list[list[str]]:
        """Return the groups of modules that reach one another, each sorted."""
        reached = {module: self._reached(module) for module in self.edges}
        groups = {
            frozenset(other for other in reached[module] if module in reached[other])
            for module in self.edges
            if module in reached[module]
        }
        return sorted(sorted(group) for group in groups)

    def path(self, group: list[str]) -> str:
        """Return the shortest way from the first module of a circle back to it."""
        start, ways = group[0], [[group[0]]]
        for way in ways:
            for module in sorted(self.edges[way[-1]] & set(group)):
                if module == start:
                    return " -> ".join([*way, start])
                if all(module not in known for known in ways):
                    ways.append([*way, module])
        raise AssertionError(f"{start} is on no circle")

    def _imported_by(self, module: str) -> set[str]:
        found = set()
        for node, inside in self.imports[module]:
            targets = {target for target in map(self._defining, *_named(node)) if target in self.modules}
            found |= {target for target in targets if not (inside and target.startswith(FACES))}
        return found - {module}

    def _defining(self, source: str, name: str) -> str:
        """Return the module that defines a name imported from `source`."""
        while (source, name) in self._handed_on:
            source, name = self._handed_on[source, name]
        below = f"{source}.{name}"
        return below if below in self.modules or below in self._packages else source

    def _reached(self, module: str) -> set[str]:
        found: set[str] = set()
        ahead = list(self.edges[module])
        while ahead:
            below = ahead.pop()
            if below not in found:
                found.add(below)
                ahead.extend(self.edges[below])
        return found


def _imports(node: ast.AST, *, inside: bool = False) -> Iterator[tuple[Import, bool]]:
    """Yield the imports below a node, and of each whether it is inside a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Import):
            yield child, inside
        elif not isinstance(child, ast.expr):
            yield from _imports(child, inside=inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def _named(node: Import) -> tuple[list[str], list[str]]:
    """Return what an import names: packages or modules, and the name in each."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names], ["" for _ in node.names]
    return [node.module or "" for _ in node.names], [alias.name for alias in node.names]


def graph_of(**sources: str) -> ImportGraph:
    """Return the graph of a package that is written out here, `__` for the dots."""
    named = {name.replace("__", "."): source for name, source in sources.items()}
    return ImportGraph(named, {name for name in named if any(other.startswith(f"{name}.") for other in named)})


@pytest.fixture(scope="module")
def graph(root, library_files):
    sources, packages = {}, set()
    for path in library_files:
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text(encoding="utf-8")
        packages |= {name} if parts[-1] == "__init__" else set()
    return ImportGraph(sources, packages)


def test_no_circles(graph):
    unmeant = [group for group in graph.circles() if frozenset(group) not in KNOTS]
    paths = [graph.path(group) for group in unmeant]
    assert paths == [], "\n".join(["imports make a circle:", *paths])


def test_knots_are_few_small_and_there(graph):
    assert len(KNOTS) <= 3
    assert [group for group in KNOTS if len(group) > 3] == []
    assert [sorted(group) for group in KNOTS if sorted(group) not in graph.circles()] == []


def test_dagger_has_the_layers_that_its_page_lists(graph, root):
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("## The layers of dagger")[2].partition("\n## ")[0]
    from_the_top = [
        f"bank_python.dagger.{name}" for name in re.findall(r"^\|[^|]*\| `(\w+)\.py` \|", table, re.MULTILINE)
    ]
    assert sorted(from_the_top) == sorted(name for name in graph.modules if name.startswith("bank_python.dagger."))
    place = {name: i for i, name in enumerate(from_the_top)}
    upward = [
        (name, other) for name in place for other in graph.edges[name] if place.get(other, len(place)) < place[name]
    ]
    assert upward == []


def test_views_are_loaded_from_inside_functions_only(graph):
    """Whoever imports a view at once, be it for types alone, is a view itself, or starts the program."""
    early = {
        module
        for module in graph.modules
        for node, inside in graph.imports[module]
        if not inside and any(name.startswith(FACES) for name in _named(node)[0])
    }
    faces = (*FACES, "bank_python.cli", "bank_python.desk.")
    assert sorted(module for module in early if not module.startswith(faces)) == []


def test_nothing_inside_imports_the_root(graph):
    """The root hands on everything, so who imports it from inside depends on everything."""
    importing = [
        module
        for module in graph.modules
        for node, _ in graph.imports[module]
        if ROOT_PACKAGE in _named(node)[0] or (isinstance(node, ast.ImportFrom) and node.level)
    ]
    assert sorted(importing) == []


def test_a_circle_of_types_is_found():
    graph = graph_of(
        p__a="from p.b import B\nfrom p.c import C\n",
        p__b="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import A\n",
        p__c="import math\n",
    )
    assert graph.circles() == [["p.a", "p.b"]]
    assert graph.path(["p.a", "p.b"]) == "p.a -> p.b -> p.a"


def test_a_circle_through_a_package_and_a_function_is_found():
    graph = graph_of(
        p="",
        p__q="from p.q.deep import Thing\n",
        p__q__deep="class Thing:\n    def show(self):\n        import p.user\n",
        p__user="from p.q import Thing\nfrom p import q\n",
    )
    assert graph.circles() == [["p.q.deep", "p.user"]]


def test_a_package_that_hands_on_its_own_modules_ends_the_search():
    graph = graph_of(p="from p import a\n", p__a="import math\n", p__b="from p import a\n")
    assert graph.edges == {"p.a": set(), "p.b": {"p.a"}}


def test_the_way_up_to_a_view_is_from_inside_a_function():
    view = "from bank_python.thing import Thing\n"
    lazy = "class Thing:\n    def __rich__(self):\n        from bank_python.render import thing_view\n"
    assert graph_of(bank_python__thing=lazy, bank_python__render=view).circles() == []
    early = "from bank_python.render import thing_view\n"
    assert graph_of(bank_python__thing=early, bank_python__render=view).circles() == [
        ["bank_python.render", "bank_python.thing"]
    ]


def test_every_module_of_a_path_imports_the_next(graph):
    for group in graph.circles():
        assert all(below in graph.edges[above] for above, below in pairwise(graph.path(group).split(" -> ")))
