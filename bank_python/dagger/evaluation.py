"""Evaluating nodes outside the graph's own run: alone, in a what-if layer, in a sweep.

These differ only in where inputs are read from and where outcomes are kept. Nodes of one vectorised class are
priced in one call, the others one by one. An exception becomes the node's
:class:`~bank_python.dagger.outcome.Failure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome

__all__ = ["by_height", "compute_alone", "evaluate", "evaluate_one", "inputs_first"]


def evaluate(nodes: Sequence[Node], read: Callable[[Node], Outcome]) -> list[tuple[Node, Outcome]]:
    """Evaluate nodes none of which is an input of another.

    Parameters
    ----------
    nodes : sequence of Node
        The nodes to evaluate, e.g. all stale nodes of one height.
    read : callable
        Gives the outcome of an input.

    Returns
    -------
    list of (Node, Outcome)
        An outcome for every node, grouped by class.
    """
    from bank_python.dagger.array_node import ArrayNode, price_nodes

    results: list[tuple[Node, Outcome]] = []
    groups: dict[object, list[ArrayNode]] = {}
    for node in nodes:
        if isinstance(node, ArrayNode):
            groups.setdefault(node.layout, []).append(node)
        else:
            results.append((node, evaluate_one(node, read)))
    for members in groups.values():
        results.extend(zip(members, price_nodes(members, read), strict=True))
    return results


def evaluate_one(node: Node, read: Callable[[Node], Outcome]) -> Outcome:
    """Evaluate one node; what its function raises becomes its outcome."""
    return node._evaluate(read)


def inputs_first(
    targets: Iterable[Node], inputs: Callable[[Node], Sequence[Node]], wanted: Callable[[Node], bool]
) -> list[Node]:
    """Return `targets` and the inputs above them for which `wanted` holds, each after its inputs.

    Iterative, so that a chain of 100,000 nodes needs no deep call stack. A node that is not wanted ends
    the walk there.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [(node, False) for node in targets if wanted(node)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((source, False) for source in inputs(node) if source not in seen and wanted(source))
    return order


def by_height(nodes: Iterable[Node]) -> list[list[Node]]:
    """Split `nodes` by height, lowest first."""
    levels: dict[int, list[Node]] = {}
    for node in nodes:
        levels.setdefault(node._height, []).append(node)
    return [levels[height] for height in sorted(levels)]


def compute_alone(node: Node) -> Outcome:
    """Return the outcome of a node that is in no graph, computing all that it rests on.

    Nothing is kept: without a graph there is nothing to say when a kept value goes out of date.
    """
    outcomes: dict[Node, Outcome] = {}

    def read(source: Node) -> Outcome:
        return outcomes[source] if source in outcomes else source._read()

    for member in inputs_first([node], lambda n: n._inputs, lambda n: n._graph is None):
        [(_, outcomes[member])] = evaluate([member], read)
    return outcomes[node]
