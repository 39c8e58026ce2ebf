"""Keeping what an evaluation gave: the cutoff, and what has to be saved before an outcome is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bank_python.dagger.outcome import Failure, Outcome, same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.node import Node

__all__ = ["Before", "compared", "replace", "save", "settle"]


class Before(NamedTuple):
    """What a node held before a batch changed it."""

    node: Node
    outcome: Outcome
    previous: Outcome
    changed_tick: int


def settle(graph: DependencyGraph, node: Node, outcome: Outcome) -> bool:
    """Give `node` the outcome it came to, and say whether that is a change worth propagating."""
    if graph._replaying and node.equal is not None:
        return False  # what it handed on, and when, is in the journal
    outcome, is_same = compared(node, node._outcome, outcome)
    if graph._recorder is not None and (node.gate is not None or not is_same):
        graph._recorder.note_evaluated(node, outcome)
    if is_same:
        return False
    replace(graph, node, outcome)
    return True


def replace(graph: DependencyGraph, node: Node, outcome: Outcome) -> None:
    """Give `node` another outcome, keeping the one before the tick under way."""
    save(graph, [node])
    tick = graph._working_tick
    if node._changed_tick != tick:
        node._previous = node._outcome
        node._changed_tick = tick
    node._outcome = outcome


def compared(node: Node, old: Outcome, new: Outcome) -> tuple[Outcome, bool]:
    """Return `new`, and whether it is not worth propagating: by the node's own rule, or else by the bits.

    If that rule raises, its error is the node's outcome.
    """
    if node.equal is None or isinstance(old, Failure) or isinstance(new, Failure) or old is None:
        return new, same(old, new)
    try:
        return new, bool(node.equal(old, new))
    except Exception as error:  # noqa: BLE001 - a comparison of the user's own; its error becomes the value
        failure = Failure(error, node.name, error)
        return failure, same(old, failure)


def save(graph: DependencyGraph, nodes: Iterable[Node]) -> None:
    """Save what `nodes` hold, for snapshots and for a batch that may be undone, before it is replaced."""
    snapshots = tuple(graph._snapshots)  # another thread may let go of one at any moment
    if not snapshots and graph._log is None:
        return
    for node in nodes:
        outcome = node._outcome
        for snapshot in snapshots:
            snapshot.keep(node, outcome)
        if graph._log is not None:
            graph._log.append(Before(node, outcome, node._previous, node._changed_tick))
