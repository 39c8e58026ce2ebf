"""Who hears when rows of a class change: the :mod:`~bank_python.dagger.fan` of whole columns.

Few rows tell their sums one by one. When many have changed it is cheaper to take the class's part of every sum anew,
exactly, by array operations (:func:`~bank_python.dagger.exact.grouped`). What either leaves in a sum's lists adds up
to the same, so which way was taken cannot be seen in any value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.dagger.aggregate import SumNode
from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.exact import grouped
from bank_python.dagger.fan import FULL, Fan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bank_python.dagger.lanes import Lanes, Priced

__all__ = ["Feed", "LaneFan", "lane_fan_of"]

_FEW = 16  # telling one sum costs about as much as sixteen values of a column
_OVERHEAD = 1000  # and starting on a column about as much as a thousand


class Feed:
    """Rows of one class that are an argument of rows of another (or of the same).

    Parameters
    ----------
    lanes : Lanes
        Whose rows take the outcomes.
    column : int
        As which argument.
    pairs : list of (int, int)
        The row that gives and the row that takes.
    size : int
        How many rows the giving class has.
    """

    def __init__(self, lanes: Lanes, column: int, pairs: list[tuple[int, int]], size: int) -> None:
        self.lanes, self.column = lanes, column
        givers, takers = np.array(sorted(pairs), dtype=np.intp).T
        self._takers = takers
        self._starts = np.searchsorted(givers, np.arange(size + 1))

    def follow(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows that take from `rows`, and for each the position in `rows` of the one that gives."""
        starts = self._starts[rows]
        counts = self._starts[rows + 1] - starts
        positions = np.repeat(np.arange(len(rows)), counts)
        first = np.cumsum(counts) - counts
        takers = self._takers[np.arange(len(positions)) + (starts - first)[positions]]
        return takers, positions


class LaneFan:
    """The dependents of all nodes of one class.

    Attributes
    ----------
    sums : list of tuple of (terms, weight, SumNode)
        For each row, the sums it counts in.
    feeds : list of Feed
        Rows of array nodes.
    nodes : dict of int to Fan
        For rows that have some, the dependents that are called one by one, and the rows that are watched.
    """

    def __init__(self, lanes: Lanes) -> None:
        self.sums: list[tuple[tuple[list[float], float, SumNode], ...]] = []
        self.nodes: dict[int, Fan] = {}
        feeds: dict[tuple[Lanes, int], list[tuple[int, int]]] = {}
        for row, node in enumerate(lanes.nodes):
            self.sums.append(tuple(_sums_of(node)))
            for target, column, taker in _takers_of(node):
                feeds.setdefault((target, column), []).append((row, taker))
            fan = Fan(node, with_sums=False, with_lanes=False)
            if fan.more:
                self.nodes[row] = fan
        self.feeds = [Feed(target, column, pairs, len(lanes.nodes)) for (target, column), pairs in feeds.items()]
        self._edges = sum(map(len, self.sums))
        self._columns: _SumColumns | None = None

    def tell_sums(self, lanes: Lanes, priced: Priced) -> list[SumNode]:
        """Tell the sums what `priced` changed, and return those that have to be rounded anew."""
        if not self._edges:
            return []
        if len(priced.rows) * _FEW < self._edges + _OVERHEAD:
            return self._tell_one_by_one(priced)
        if self._columns is None:
            self._columns = _SumColumns(self.sums)
        return self._columns.retotal(lanes, priced)

    def _tell_one_by_one(self, priced: Priced) -> list[SumNode]:
        told: dict[SumNode, None] = {}
        for row, old, new in zip(priced.rows.tolist(), priced.old.tolist(), priced.new.tolist(), strict=True):
            for terms, weight, total in self.sums[row]:
                told[total] = None
                if new == new and old == old and len(terms) < FULL:  # noqa: PLR0124 - are both numbers?
                    terms.append(weight * new)
                    terms.append(-(weight * old))
                else:
                    total.distrust()
        return list(told)


class _SumColumns:
    """The edges from one class to its sums, sum by sum, as columns."""

    def __init__(self, sums: list[tuple[tuple[list[float], float, SumNode], ...]]) -> None:
        members: dict[SumNode, list[tuple[int, float]]] = {}
        terms_of: dict[SumNode, list[float]] = {}
        for row, edges in enumerate(sums):
            for terms, weight, total in edges:
                members.setdefault(total, []).append((row, weight))
                terms_of[total] = terms
        edges_in_order = [edge for total in members for edge in members[total]]
        self._rows = np.array([row for row, _ in edges_in_order], dtype=np.intp)
        weights = np.array([weight for _, weight in edges_in_order])
        self._weights = None if np.all(weights == 1.0) else weights
        self._offsets = np.cumsum([0, *[len(edges) for edges in members.values()]])[:-1]
        self._totals = list(members)
        self._terms = [terms_of[total] for total in members]

    def retotal(self, lanes: Lanes, priced: Priced) -> list[SumNode]:
        """Take every sum's part in this class anew, and return the sums that `priced` touches."""
        values = lanes.values[self._rows]
        if self._weights is not None:
            values *= self._weights
        touched = self._totals
        if len(priced.rows) < len(lanes.nodes):
            changed = np.zeros(len(lanes.nodes), dtype=bool)
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


def _sums_of(node: ArrayNode) -> Iterator[tuple[list[float], float, SumNode]]:
    for dependent in node._dependents or ():
        if isinstance(dependent, SumNode) and not dependent._lazy:
            for weight in dependent.weights_of(node):
                yield dependent.terms_for(node), weight, dependent


def _takers_of(node: ArrayNode) -> Iterator[tuple[Lanes, int, int]]:
    for dependent in node._dependents or ():
        if isinstance(dependent, ArrayNode) and dependent._lanes is not None and not dependent._lazy:
            for column, source in enumerate(dependent._sources.values()):
                if source is node:
                    yield dependent._lanes, column, dependent._row


def lane_fan_of(lanes: Lanes) -> LaneFan:
    """Return the fan of a class's rows, compiled now if need be."""
    if lanes.fan is None:
        lanes.fan = LaneFan(lanes)
    return lanes.fan
