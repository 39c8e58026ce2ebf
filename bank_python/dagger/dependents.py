"""Dependents of nodes, sorted by how each of them is brought up to date.

Walking the plain set of dependents would test the type of each at every tick. A :class:`Dependents` sorts them once; it
is discarded when the wiring around the node changes, and rebuilt at the next tick that needs it. A
:class:`BatchDependents` does so for all rows of a contract batch.

When few rows have changed, the sums are updated row by row. When many have changed it is cheaper to compute the batch's
part of every sum anew, exactly, by array operations (:func:`~bank_python.dagger.sums.grouped`). The terms that either
way leaves in the lists of a sum have the same exact total, so no value depends on which way was taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.sums import SumNode, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from bank_python.dagger.columns import Columns, Priced
    from bank_python.dagger.leaf import Leaf
    from bank_python.dagger.node import Node

__all__ = ["BatchDependents", "BlockDependents", "Dependents", "Edge", "Feed", "batch_dependents_of"]

_FEW = 16  # updating one sum takes about as long as summing sixteen values of a column
_OVERHEAD = 1000  # fixed cost of summing a column, in values


Edge = tuple[SumNode, float, "list[float]"]
"""The sum that a node is an input of, the node's weight in it, and the list of the sum that records its changes."""


class Dependents:
    """Dependents of one node.

    Attributes
    ----------
    sums : tuple of (terms, SumNode)
        Sums of which the node is an input once, with weight 1, each with the list that records its changes.
    weighted : tuple of Edge
        Other sums of which the node is an input.
    unary : tuple of (DerivedNode, function)
        Functions of this node only; they are called at once, as there is no other input to wait for.
    calls : tuple of Node
        Other nodes that are evaluated one by one.
    rows : tuple of (Columns, column, rows)
        Rows of contract batches of which this node is an argument, with the index of the argument.
    lazy : tuple of Node
        Nodes that are evaluated only when they are read.
    watched : bool
        Whether the node has subscribers.
    more, rare : bool
        Whether there are dependents other than `sums`, and other than `sums`, `unary` and `calls`.
    """

    __slots__ = ("calls", "lazy", "more", "rare", "rows", "sums", "unary", "watched", "weighted")

    def __init__(self, node: Node, *, watched: bool, with_sums: bool = True, with_rows: bool = True) -> None:
        edges: list[Edge] = []
        unary: list[tuple[DerivedNode, Callable[..., Any]]] = []
        calls: list[Node] = []
        rows: dict[tuple[Columns, int], list[int]] = {}
        lazy: list[Node] = []
        for dependent in node.dependents_ or ():
            if dependent.lazy_:
                lazy.append(dependent)
            elif isinstance(dependent, SumNode):
                edges += _edges(node, dependent) if with_sums else []
            elif isinstance(dependent, ArrayNode):
                for batch, column, row in _places(node, dependent) if with_rows else ():
                    rows.setdefault((batch, column), []).append(row)
            elif type(dependent) is DerivedNode and dependent.is_plain_unary:
                unary.append((dependent, dependent.function))
            else:
                calls.append(dependent)
        self.sums = tuple((terms, total) for total, weight, terms in edges if weight == 1.0)
        self.weighted = tuple(edge for edge in edges if edge[1] != 1.0)
        self.unary, self.calls, self.lazy = tuple(unary), tuple(calls), tuple(lazy)
        self.rows: tuple[tuple[Columns, int, NDArray[np.intp]], ...] = tuple(
            (batch, column, np.array(members, dtype=np.intp)) for (batch, column), members in rows.items()
        )
        self.watched = watched
        self.rare = bool(self.weighted or rows or lazy or watched)
        self.more = bool(unary or calls or self.rare)

    @classmethod
    def of(cls, node: Node, shared: dict[Hashable, Any], *, watched: bool) -> Dependents:
        """Sort the node's dependents; nodes that are inputs of the same plain sums only share one object."""
        dependents = tuple(node.dependents_ or ())
        plain = (
            not watched
            and node.part_ is None
            and all(type(total) is SumNode and total.counts_once and not total.lazy_ for total in dependents)
        )
        found: Dependents | None = shared.get(dependents) if plain else None
        if found is None:
            found = cls(node, watched=watched)
            if plain:
                shared[dependents] = found
        node.fan_ = found
        return found


def _edges(node: Node, total: SumNode) -> Iterator[Edge]:
    terms = total.terms_for(node.part_)
    for weight in total.weights_of(node):
        yield total, weight, terms


def _places(node: Node, dependent: ArrayNode) -> Iterator[tuple[Columns, int, int]]:
    """Yield the cells of `dependent` that `node` feeds; none while `dependent` is being registered."""
    if dependent.part_ is not None:
        for column, source in enumerate(dependent.sources_.values()):
            if source is node:
                yield dependent.part_, column, dependent.row_


class Feed:
    """Edges from rows of one contract batch to rows of another (or of the same) as one of their arguments.

    Parameters
    ----------
    batch : Columns
        Batch of the target rows.
    column : int
        Index of the argument of the target rows.
    pairs : list of (int, int)
        Source row and target row of each edge.
    size : int
        Number of rows of the source batch.
    """

    def __init__(self, batch: Columns, column: int, pairs: list[tuple[int, int]], size: int) -> None:
        self.batch, self.column = batch, column
        source_rows, target_rows = np.array(sorted(pairs), dtype=np.intp).T
        self._target_rows = target_rows
        self._starts = np.searchsorted(source_rows, np.arange(size + 1))

    def follow(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the target rows of `rows`, and for each of them the position of its source row in `rows`."""
        starts = self._starts[rows]
        counts = self._starts[rows + 1] - starts
        positions = np.repeat(np.arange(len(rows)), counts)
        first = np.cumsum(counts) - counts
        target_rows = self._target_rows[np.arange(len(positions)) + (starts - first)[positions]]
        return target_rows, positions


class BatchDependents:
    """Dependents of all rows of a contract batch.

    Parameters
    ----------
    batch : Columns
        Contract batch whose dependents are sorted.
    is_watched : callable
        Function that returns whether a node has subscribers.

    Attributes
    ----------
    feeds : list of Feed
        Edges to rows of contract batches.
    nodes : dict of int to Dependents
        Dependents that are evaluated one by one, and watched rows, by row; rows without either are missing.
    """

    def __init__(self, batch: Columns, is_watched: Callable[[Node], bool]) -> None:
        self.nodes: dict[int, Dependents] = {}
        self._sums: list[tuple[Edge, ...]] = []
        feeds: dict[tuple[Columns, int], list[tuple[int, int]]] = {}
        for row, node in enumerate(batch.nodes):
            eager = [dependent for dependent in node.dependents_ or () if not dependent.lazy_]
            totals = [dependent for dependent in eager if isinstance(dependent, SumNode)]
            self._sums.append(tuple(edge for total in totals for edge in _edges(node, total)))
            for dependent in eager:
                if isinstance(dependent, ArrayNode):
                    for target, column, target_row in _places(node, dependent):
                        feeds.setdefault((target, column), []).append((row, target_row))
            others = Dependents(node, watched=is_watched(node), with_sums=False, with_rows=False)
            if others.more:
                self.nodes[row] = others
        self.feeds = [Feed(target, column, pairs, len(batch.nodes)) for (target, column), pairs in feeds.items()]
        self._edges = sum(map(len, self._sums))
        self._columns: _SumColumns | None = None

    def update_sums(self, batch: Columns, priced: Priced) -> Iterable[SumNode]:
        """Pass the changes in `priced` to the sums, and return the sums that have to be rounded anew."""
        if not self._edges:
            return ()
        if len(priced.rows) * _FEW < self._edges + _OVERHEAD:
            return self._update_row_by_row(priced)
        if self._columns is None:
            self._columns = _SumColumns(self._sums)
        return self._columns.retotal(batch, priced)

    def _update_row_by_row(self, priced: Priced) -> Iterable[SumNode]:
        touched: dict[SumNode, None] = {}
        for row, old, new in zip(priced.rows.tolist(), priced.old.tolist(), priced.new.tolist(), strict=True):
            are_numbers = old == old and new == new  # noqa: PLR0124 - a failure is NaN
            for total, weight, terms in self._sums[row]:
                touched[total] = None
                if are_numbers:
                    terms.append(weight * new)
                    terms.append(-weight * old)
                else:
                    total.distrust()
        return touched


class _SumColumns:
    """Edges from one batch to its sums as arrays, sum by sum."""

    def __init__(self, sums: list[tuple[Edge, ...]]) -> None:
        members: dict[SumNode, list[tuple[int, float]]] = {}
        terms_of: dict[SumNode, list[float]] = {}
        for row, edges in enumerate(sums):
            for total, weight, terms in edges:
                members.setdefault(total, []).append((row, weight))
                terms_of[total] = terms
        edges_in_order = [edge for total in members for edge in members[total]]
        self._rows = np.array([row for row, _ in edges_in_order], dtype=np.intp)
        weights = np.array([weight for _, weight in edges_in_order])
        self._weights = None if np.all(weights == 1.0) else weights
        self._offsets = np.cumsum([0, *[len(edges) for edges in members.values()]])[:-1]
        self._totals = list(members)
        self._terms = [terms_of[total] for total in members]

    def retotal(self, batch: Columns, priced: Priced) -> list[SumNode]:
        """Recompute this batch's part of every sum, and return the sums that `priced` changes."""
        values = batch.values.take(self._rows)
        if self._weights is not None:
            values *= self._weights
        touched = self._totals
        if len(priced.rows) < len(batch.nodes):
            changed = np.zeros(len(batch.nodes), dtype=bool)
            changed[priced.rows] = True
            hit = np.logical_or.reduceat(changed[self._rows], self._offsets)
            touched = [total for total, is_hit in zip(self._totals, hit.tolist(), strict=True) if is_hit]
        parts = grouped(values, self._offsets)
        if parts is None:
            for total in self._totals:
                total.distrust()
            return touched
        for own, terms in zip(self._terms, parts, strict=True):
            own[:] = terms
        return touched


def batch_dependents_of(batch: Columns, is_watched: Callable[[Node], bool]) -> BatchDependents:
    """Return the dependents of a batch's rows, sorting them if that has not been done."""
    found: BatchDependents | None = batch.fan
    if found is None:
        found = batch.fan = BatchDependents(batch, is_watched)
    return found


class BlockDependents:
    """Dependents of leaves that are set together, with rows of contract batches grouped by column.

    Parameters
    ----------
    leaves : sequence of Leaf
        Leaves in the order of the block's values.

    Attributes
    ----------
    others : list of (int, Dependents)
        Dependents outside contract batches, with the position of the leaf; leaves without any are missing.
    columns : list of (Columns, column, rows, positions)
        Rows of contract batches, the index of the argument that the leaves feed and, per row, the leaf's position.
    """

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        pairs: dict[tuple[Columns, int], list[tuple[int, int]]] = {}
        self.others: list[tuple[int, Dependents]] = []
        for i, leaf in enumerate(leaves):
            apart = Dependents(leaf, watched=False, with_rows=False)
            if apart.sums or apart.more:
                self.others.append((i, apart))
            for dependent in leaf.dependents_ or ():
                if isinstance(dependent, ArrayNode) and not dependent.lazy_:
                    for batch, column, row in _places(leaf, dependent):
                        pairs.setdefault((batch, column), []).append((row, i))
        self.columns: list[tuple[Columns, int, NDArray[np.intp], NDArray[np.intp]]] = []
        for (batch, column), edges in pairs.items():
            rows, positions = np.array(sorted(edges), dtype=np.intp).T
            whole = len(rows) == len(batch.nodes)
            self.columns.append((batch, column, batch.everything() if whole else rows, positions.copy()))
