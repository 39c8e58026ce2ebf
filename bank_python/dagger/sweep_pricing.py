"""Array nodes in a sweep: all nodes of a layout under all shocks in one call of their class's ``price``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger.batch import diagnosis, input_failure, price_masked
from bank_python.dagger.node import Node
from bank_python.dagger.outcome import Failure, Outcome, same
from bank_python.dagger.swept import Swept, as_number, settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bank_python.dagger.array_node import ArrayNode
    from bank_python.dagger.sweep import Sweep

__all__ = ["price_swept"]


def price_swept(sweep: Sweep, nodes: Sequence[ArrayNode]) -> dict[Node, Swept]:
    """Price nodes that share a layout and none of which is an input of another, under every shock.

    Parameters
    ----------
    sweep : Sweep
        Has the columns of all their inputs that the shocks reach.
    nodes : sequence of ArrayNode
        At least one.
    """
    due = _due(sweep, nodes)
    table, doubtful = _arguments(sweep, nodes)
    failures = {
        (row, shock): failure
        for row in doubtful
        for shock in np.flatnonzero(due[row]).tolist()
        if (failure := input_failure(nodes[row], sweep.reader(shock))) is not None
    }
    lanes = due.copy()
    for place in failures:
        lanes[place] = False
    values, errors = price_masked(type(nodes[0]), table, lanes)
    for shock, error in errors.items():
        rows = np.flatnonzero(lanes[:, shock]).tolist()
        failures |= {(row, shock): Failure(error, nodes[row].name, error) for row in rows}
    for row, shock in np.argwhere(lanes & np.isnan(values)).tolist():
        if (row, shock) not in failures:
            failures[row, shock] = diagnosis(nodes[row], sweep.reader(shock))
    sweep.evaluations += int(due.sum())
    return dict(zip(nodes, _columns(sweep, nodes, values, due, failures), strict=True))


def _due(sweep: Sweep, nodes: Sequence[ArrayNode]) -> NDArray[np.bool_]:
    """Return under which shocks each node has an input that moved, of shape (nodes, shocks)."""
    due = np.zeros((len(nodes), sweep.shocks), dtype=bool)
    for source, rows in _rows_by(sweep.moved_inputs(node) for node in nodes).items():
        due[rows] |= sweep.moved(source)
    return due


def _arguments(sweep: Sweep, nodes: Sequence[ArrayNode]) -> tuple[NDArray[np.float64], list[int]]:
    """Return the arguments, of shape (arguments, nodes, shocks), and the rows some input of which may be no number."""
    kind = type(nodes[0])
    table = np.empty((len(kind.argument_names), len(nodes), sweep.shocks))
    doubtful: set[int] = set()
    for column, key in enumerate(kind.source_names):
        if not isinstance(nodes[0]._sources[key], Node):  # then none of them is: that is what a layout says
            table[column] = np.array([[node._sources[key]] for node in nodes], dtype=np.float64)
            continue
        for source, rows in _rows_by([cast("Node", node._sources[key])] for node in nodes).items():
            swept = sweep.swept(source)
            start = 0.0 if swept is not None else sweep.start(source)
            table[column, rows] = as_number(start) if swept is None else swept.numbers
            if start.__class__ is not float or (swept is not None and swept.odd):
                doubtful.update(rows)
    for column, key in enumerate(kind.term_names, start=len(kind.source_names)):
        table[column] = np.array([[node._terms[key]] for node in nodes], dtype=np.float64)
    return table, sorted(doubtful)


def _rows_by(inputs: Iterable[Sequence[Node]]) -> dict[Node, list[int]]:
    rows: dict[Node, list[int]] = {}
    for row, sources in enumerate(inputs):
        for source in sources:
            rows.setdefault(source, []).append(row)
    return rows


def _columns(
    sweep: Sweep,
    nodes: Sequence[ArrayNode],
    values: NDArray[np.float64],
    due: NDArray[np.bool_],
    failures: dict[tuple[int, int], Failure],
) -> list[Swept]:
    before = [None if node._lazy and due[row].all() else sweep.base(node) for row, node in enumerate(nodes)]
    numbers = np.array([[as_number(outcome)] for outcome in before], dtype=np.float64)
    merged = np.where(due, values, numbers)
    moved = due & (merged.view(np.int64) != numbers.view(np.int64))
    odd: dict[int, dict[int, Outcome]] = {}
    for (row, shock), failure in failures.items():
        is_same = same(before[row], failure)
        moved[row, shock] = not is_same
        odd.setdefault(row, {})[shock] = before[row] if is_same else failure
    columns = [Swept(merged[row], odd.get(row, {}), moved[row]) for row in range(len(nodes))]
    for row, node in enumerate(nodes):
        if before[row].__class__ is not float:
            for shock in np.flatnonzero(~due[row]).tolist():
                columns[row].odd[shock] = before[row]
        if node.equal is not None or node._lazy:  # it has a cutoff rule of its own, or none
            columns[row] = settled(node, before[row], columns[row].outcomes, due[row])
    return columns
