"""Marks: which nodes wait, when not everything is brought up to date at once.

A read computes just what it needs. What else a change reaches is then *marked*: ``STALE`` where an input did change,
``DIRTY`` where that is not known yet, so that the next read knows in O(1) what is right. New nodes, and whatever is
wired or amended, are marked as well. Marks are made once and end where they meet what is marked already.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from bank_python.dagger.aggregate import SumNode
from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.evaluation import by_height, inputs_first
from bank_python.dagger.fan import fan_of
from bank_python.dagger.lane_fan import lane_fan_of
from bank_python.dagger.node import Node, State
from bank_python.dagger.outcome import Failure, Outcome
from bank_python.dagger.recalculation import Recalculation
from bank_python.dagger.settling import save, settle
from bank_python.dagger.wiring import dependents_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.lanes import Lanes

__all__ = ["deliver", "distrust_all", "mark_stale", "needed_for", "process"]


def mark_stale(graph: DependencyGraph, nodes: Iterable[Node]) -> None:
    """Mark `nodes` stale and all that rests on them dirty."""
    stack = []
    for node in nodes:
        if not node._state:
            stack.append(node)
        node._state = State.STALE
        if not node._lazy:
            graph._dirty[node] = None
    while stack:
        for dependent in stack.pop()._dependents or ():
            if not dependent._state:
                dependent._state = State.DIRTY
                if not dependent._lazy:
                    graph._dirty[dependent] = None
                stack.append(dependent)


def deliver(graph: DependencyGraph, node: Node, old: Outcome) -> None:
    """Hand a change on to everything that rests on `node`: sums, columns, subscribers, marks."""
    fan = fan_of(node)
    fan.tell_sums(old, node._outcome)
    fan.tell_weighted(old, node._outcome)
    for lanes, column, rows in fan.lanes:
        lanes.feed(column, rows, node._outcome)
    if fan.watched:
        graph._observers.note(node, old)
    mark_stale(graph, node._dependents or ())


def needed_for(node: Node) -> list[Node]:
    """Return the nodes that wait and that `node` rests on, and itself, inputs first."""
    return inputs_first([node], lambda member: member._inputs, lambda member: bool(member._state))


def process(graph: DependencyGraph, nodes: Iterable[Node]) -> Recalculation:
    """Bring marked nodes up to date, given all the marked nodes that they rest on.

    Returns
    -------
    Recalculation
        A dirty node none of whose inputs changed is not evaluated, and not counted.
    """
    counts = Recalculation(graph._working_tick)
    for level in by_height(nodes):
        columns: dict[Lanes, list[ArrayNode]] = {}
        for node in level:
            if node._state is State.STALE:
                if isinstance(node, ArrayNode) and node._lanes is not None:
                    columns.setdefault(node._lanes, []).append(node)
                else:
                    _evaluate(graph, node, counts)
        for lanes, members in columns.items():
            _price(graph, lanes, members, counts)
        for node in level:
            node._state = State.CLEAN
            graph._dirty.pop(node, None)
    return counts


def _evaluate(graph: DependencyGraph, node: Node, counts: Recalculation) -> None:
    if node.gate is not None and not node.gate.admits(graph, node):
        return
    started = perf_counter()
    outcome = node._renew()
    if graph._profile is not None:
        graph._profile.add(type(node), 1, started)
    counts.add(type(node), 1)
    counts.failed += isinstance(outcome, Failure)
    old = node._outcome
    if settle(graph, node, outcome):
        counts.changed += 1
        deliver(graph, node, old)


def _price(graph: DependencyGraph, lanes: Lanes, members: list[ArrayNode], counts: Recalculation) -> None:
    for node in members:
        if node._lazy:
            lanes.refresh(node)  # nobody feeds a node that may never be read
    save(graph, members)
    started = perf_counter()
    priced, failed = lanes.price(np.array([node._row for node in members], dtype=np.intp), graph._working_tick)
    if graph._profile is not None:
        graph._profile.add(lanes.type, len(members), started)
    counts.add(lanes.type, len(members))
    counts.failed += failed
    counts.changed += len(priced.rows)
    fan = lane_fan_of(lanes)
    fan.tell_sums(lanes, priced)
    for feed in fan.feeds:
        rows, positions = feed.follow(priced.rows)
        feed.lanes.feed_column(feed.column, rows, priced.new[positions])
    for row, old in zip(priced.rows.tolist(), priced.old.tolist(), strict=True):
        node = lanes.nodes[row]
        if row in fan.nodes and fan.nodes[row].watched:
            graph._observers.note(node, lanes.outcome_before(row) if old != old else old)  # noqa: PLR0124
        for dependent in node._dependents or ():
            dependent._state = State.STALE


def distrust_all(graph: DependencyGraph, sources: Iterable[Node]) -> None:
    """Mark stale all that rests on `sources`, and what was handed on to it: a run was interrupted half way."""
    cone = dependents_of(sources)
    for node in cone:
        if isinstance(node, SumNode):
            node.distrust()
        elif isinstance(node, ArrayNode) and node._lanes is not None:
            node._lanes.refresh(node)
    mark_stale(graph, cone)
