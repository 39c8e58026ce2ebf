"""Habits that a linter does not hold: length of functions, names of files, and nothing of this machine in the tree."""

from __future__ import annotations

import ast
import re

import pytest

LONGEST = 60
USUALLY_AT_MOST = 38
USUALLY = 0.95

NAMES_THAT_SAY_NOTHING = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "tools", "legacy"})

# Spelt so that this file does not find itself.
PUT_OFF = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")
REGISTRY_HOST = re.compile(r"pypi\.or[g]|pythonhoste[d]|index-ur[l]|find-link[s]|anaconda\.or[g]", re.IGNORECASE)
WORKPLACE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|opt|home/[a-z]\w*|Users/[A-Za-z]\w*)/")


@pytest.fixture(scope="module")
def functions(library_files, root):
    """Every function of the library as (place, number of code lines), docstring and comments not counted."""
    found = []
    for path in library_files:
        lines = path.read_text(encoding="utf-8").splitlines()
        found.extend(
            (f"{path.relative_to(root)}:{node.lineno} {node.name}", code_lines(node, lines))
            for node in ast.walk(ast.parse("\n".join(lines)))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
    return found


def code_lines(function, lines):
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    inside = (line.strip() for line in lines[body[0].lineno - 1 : function.end_lineno])
    return sum(bool(line) and not line.startswith("#") for line in inside)


@pytest.fixture(scope="module")
def texts(tracked_files, root):
    """Every text file of the tree, by its path from the root."""
    found = {}
    for path in tracked_files:
        content = path.read_bytes()
        if b"\0" not in content:
            found[path.relative_to(root).as_posix()] = content.decode("utf-8")
    return found


def lines_matching(pattern, texts):
    return [
        f"{name}:{number} {line.strip()[:100]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_function_is_very_long(functions):
    assert [(place, count) for place, count in functions if count > LONGEST] == []


def test_nearly_every_function_is_short(functions):
    long = sorted(((count, place) for place, count in functions if count > USUALLY_AT_MOST), reverse=True)
    assert len(long) <= (1 - USUALLY) * len(functions), long


def test_code_lines_leave_out_docstring_blanks_and_comments():
    source = 'def f():\n    """Say.\n\n    More.\n    """\n    # why\n    a = 1\n\n    return a\n'
    (function,) = ast.parse(source).body
    assert code_lines(function, source.splitlines()) == 2


def test_library_never_prints(library_files, root):
    calls = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in library_files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert calls == []


def test_library_never_imports_its_own_root(library_files, root):
    importers = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in library_files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and node.module == "bank_python")
        or (isinstance(node, ast.Import) and any(alias.name == "bank_python" for alias in node.names))
    ]
    assert importers == []


def test_every_library_module_teaches_its_idea(library_files, root):
    silent = [
        str(path.relative_to(root))
        for path in library_files
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_files_are_named_for_what_they_hold(tracked_files, root):
    vague = [path for path in tracked_files if path.stem.removeprefix("test_") in NAMES_THAT_SAY_NOTHING]
    assert [str(path.relative_to(root)) for path in vague] == []


def test_tests_of_a_folder_are_no_package(tracked_files, root):
    assert [p for p in tracked_files if p.name == "__init__.py" and (root / "tests") in p.parents] == []


def test_nothing_is_put_off_in_a_comment(texts):
    assert lines_matching(PUT_OFF, {name: text for name, text in texts.items() if name.endswith(".py")}) == []


def test_tree_names_no_registry_host(texts):
    assert lines_matching(REGISTRY_HOST, texts) == []


def test_tree_names_no_path_of_a_workplace(texts):
    assert lines_matching(WORKPLACE_PATH, texts) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (PUT_OFF, "# T_ODO: later"),
        (PUT_OFF, "FIX_ME"),
        (REGISTRY_HOST, "https://py_pi.org/simple"),
        (WORKPLACE_PATH, 'open("/ho_me/ann/data.csv")'),
        (WORKPLACE_PATH, "/wo_rk/main"),
    ],
)
def test_patterns_find_what_they_look_for(pattern, line):
    broken_up, whole = {"a.py": line}, {"a.py": line.replace("_", "")}
    assert lines_matching(pattern, broken_up) == []
    assert lines_matching(pattern, whole) == [f"a.py:1 {whole['a.py']}"]
