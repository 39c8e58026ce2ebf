"""Finding edges and minima, memory on request, and tolerances that are defined in one place."""

from __future__ import annotations

import ast
import math
import pathlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bank_python
from bank_python.numerics import find_edge, keep_freed_memory, line_minimum, tolerances
from bank_python.numerics.columns import read_only

LIBRARY = pathlib.Path(bank_python.__file__).parent


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.floats(1e-6, 1.0 - 1e-6))
def test_an_edge_is_found_from_either_side_and_always_holds(start, width, share):
    edge = start + share * width
    for without, within, holds in (
        (start, start + width, lambda x: x >= edge),
        (start + width, start, lambda x: x <= edge),
    ):
        found = find_edge(holds, without, within)
        assert holds(found)
        assert found == pytest.approx(edge, abs=width * 2.0**-39)


def test_an_edge_that_is_never_passed_is_the_end_that_was_known_to_hold():
    assert find_edge(lambda _: False, 0.0, 1.0) == 1.0
    assert find_edge(lambda _: True, 0.0, 1.0) == 2.0**-40


@given(st.floats(-3.9, 3.9))
def test_a_line_minimum_is_where_calculus_puts_it(centre):
    found = line_minimum(lambda x: np.cosh(x - centre), np.linspace(-4.0, 4.0, 9))
    assert found.where == pytest.approx(centre, abs=1e-6)
    assert found.value == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("megabytes", [0, 32, -1, 1.5, True, None])
def test_what_the_c_library_does_not_keep_is_refused(megabytes):
    with pytest.raises(ValueError, match="megabytes="):
        keep_freed_memory(megabytes)


def test_nothing_in_the_library_keeps_memory_by_itself():
    calls = [
        path.name
        for path in LIBRARY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "keep_freed_memory"
    ]
    assert calls == []
    text = "".join(path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py"))
    assert "ctypes" not in text


def test_a_read_only_copy_leaves_the_givers_array_alone():
    given_array = np.ones(3)
    kept = read_only(given_array)
    given_array[0] = 2.0
    assert kept.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 2.0


def test_every_tolerance_says_its_reason_and_is_in_order():
    body = ast.parse((LIBRARY / "numerics/tolerances.py").read_text(encoding="utf-8")).body
    names = [node.targets[0].id for node in body if isinstance(node, ast.Assign) and node.targets[0].id.isupper()]
    assert sorted(names) == sorted(tolerances.__all__)
    for node, after in pairwise(body):
        if isinstance(node, ast.Assign) and node.targets[0].id.isupper():
            assert isinstance(after, ast.Expr)
            assert len(after.value.value) > 40
    rounding = ("NEIGHBOURS", "ROUNDED_SUM", "EXACT", "LAST_DIGITS", "SYMMETRIC", "NINE_DIGITS", "UNIT_DIAGONAL")
    sizes = [getattr(tolerances, name) for name in rounding]
    assert sizes == sorted(sizes)
    assert math.ulp(1.0) < tolerances.NEIGHBOURS
    assert tolerances.TINY**2 > 0.0


def test_rounding_has_one_home_outside_the_optimizer():
    strays = [
        path.relative_to(LIBRARY).as_posix()
        for path in LIBRARY.rglob("*.py")
        if "optimizer" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id in {"_ROUNDING", "_SYMMETRIC"}
    ]
    assert strays == []
