"""Who hears of a change: a node's dependents, sorted by how each is brought up to date.

Walking the plain list of dependents would ask each of them what it is, at every tick. A :class:`Fan` asks once; it
is thrown away when the wiring around the node changes, and made again at the next tick that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.dagger.aggregate import SumNode
from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.node import Leaf, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bank_python.dagger.lanes import Lanes
    from bank_python.dagger.outcome import Outcome

__all__ = ["FULL", "Fan", "fan_of"]

FULL = 400
"""How many terms a sum is told before it is rounded: one that nobody reads is not told for ever."""


class Fan:
    """The dependents of one node.

    Attributes
    ----------
    sums : tuple of (terms, SumNode)
        Plain sums: the list that takes the new outcome and minus the old one.
    weighted : tuple of (terms, weight, SumNode)
        The same with a factor.
    unary : tuple of (DerivedNode, function)
        Functions of this node alone: they can be called at once, as no other input is to be waited for.
    calls : tuple of Node
        Other nodes that are called one by one.
    lanes : tuple of (Lanes, column, rows)
        Rows of array nodes, and the argument that this node is to them.
    lazy : tuple of Node
        Nodes that only reading evaluates.
    watched : bool
        Whether somebody subscribed to this node. Leaves are not: setting them tells.
    rare, more : bool
        Whether there is anything but `sums`, `unary` and `calls`, and anything but `sums`.
    """

    __slots__ = ("calls", "lanes", "lazy", "more", "rare", "sums", "unary", "watched", "weighted")

    def __init__(self, node: Node, *, with_sums: bool = True, with_lanes: bool = True) -> None:
        sums: list[tuple[list[float], SumNode]] = []
        weighted: list[tuple[list[float], float, SumNode]] = []
        unary: list[tuple[DerivedNode, Callable[..., Any]]] = []
        calls: list[Node] = []
        rows: dict[tuple[Lanes, int], list[int]] = {}
        lazy: list[Node] = []
        for dependent in node._dependents or ():
            if dependent._lazy:
                lazy.append(dependent)
            elif isinstance(dependent, SumNode):
                if with_sums:
                    _add_sum(sums, weighted, dependent, node)
            elif isinstance(dependent, ArrayNode):
                if with_lanes:
                    _add_rows(rows, dependent, node)
            elif type(dependent) is DerivedNode and dependent.is_plain_unary:
                unary.append((dependent, dependent.function))
            else:
                calls.append(dependent)
        self.sums, self.weighted, self.unary = tuple(sums), tuple(weighted), tuple(unary)
        self.calls, self.lazy = tuple(calls), tuple(lazy)
        self.lanes: tuple[tuple[Lanes, int, NDArray[np.intp]], ...] = tuple(
            (lanes, column, np.array(members, dtype=np.intp)) for (lanes, column), members in rows.items()
        )
        self.watched = node._graph is not None and not isinstance(node, Leaf) and node in node._graph._observers
        self.rare = bool(weighted or rows or lazy or self.watched)
        self.more = bool(unary or calls or self.rare)

    def tell_sums(self, old: Outcome, new: Outcome) -> None:
        """Tell the plain sums that the node went from `old` to `new`."""
        plain = new.__class__ is float and old.__class__ is float
        for terms, total in self.sums:
            _tell(total, terms, 1.0, old, new, plain=plain)

    def tell_weighted(self, old: Outcome, new: Outcome) -> None:
        """Tell the weighted sums that the node went from `old` to `new`."""
        plain = new.__class__ is float and old.__class__ is float
        for terms, weight, total in self.weighted:
            _tell(total, terms, weight, old, new, plain=plain)


def _tell(total: SumNode, terms: list[float], weight: float, old: Any, new: Any, *, plain: bool) -> None:
    if not plain or len(terms) > FULL:
        total.distrust()
    elif total.is_exact:
        terms.append(weight * new)
        terms.append(-(weight * old))


def _add_sum(
    sums: list[tuple[list[float], SumNode]],
    weighted: list[tuple[list[float], float, SumNode]],
    total: SumNode,
    node: Node,
) -> None:
    terms = total.terms_for(node)
    for weight in total.weights_of(node):
        if weight == 1.0:
            sums.append((terms, total))
        else:
            weighted.append((terms, weight, total))


def _add_rows(rows: dict[tuple[Lanes, int], list[int]], dependent: ArrayNode, node: Node) -> None:
    lanes = dependent._lanes
    if lanes is None:
        return  # it is on its way into the graph, and reads its inputs when it arrives
    for column, source in enumerate(dependent._sources.values()):
        if source is node:
            rows.setdefault((lanes, column), []).append(dependent._row)


def fan_of(node: Node) -> Fan:
    """Return the node's fan, compiled now if need be."""
    fan = node._fan
    if fan is None:
        fan = node._fan = _shared(node) or Fan(node)
    return fan


def _shared(node: Node) -> Fan | None:
    """Return the fan of nodes that count in the same plain sums and in nothing else: they need but one."""
    graph, dependents = node._graph, tuple(node._dependents or ())
    if graph is None or node in graph._observers or isinstance(node, ArrayNode):
        return None
    if not all(type(total) is SumNode and total.counts_once and not total._lazy for total in dependents):
        return None
    fan = graph._memory.fans.get(dependents)
    if fan is None:
        fan = graph._memory.fans[dependents] = Fan(node)
    return fan
