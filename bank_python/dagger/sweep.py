"""Sweeps: many what-if layers at once.

A :class:`Sweep` gives one leaf (or several that move together) a whole column of values, and takes everything that
rests on them through all of them in one pass, height by height: array nodes of one layout in one call of their class's
``price`` for all shocks, sums from their exact totals, any other function once a shock. Under each shock every value
is, to the bit, what a :class:`~bank_python.dagger.scenario.Layer` with that one value gives: a node is evaluated under
those shocks that move one of its inputs, its cutoff rule applies, and what fails fails alone.

Like a layer, a sweep is pinned to one tick and leaves the graph as it is. Opened inside a layer, it starts from what
the layer sees.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from functools import partial
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from bank_python.dagger.exact import LIMIT, compress
from bank_python.dagger.scenario import active_layer
from bank_python.dagger.sweep_pricing import price_swept
from bank_python.dagger.swept import Swept, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from bank_python.dagger.aggregate import SumNode
    from bank_python.dagger.array_node import ArrayNode
    from bank_python.dagger.cone import Level
    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome
    from bank_python.dagger.scenario import Layer
    from bank_python.dagger.snapshot import Snapshot

__all__ = ["Pin", "Sweep", "pinned"]


class Pin:
    """What sweeps start from: one tick, or what the context's innermost layer makes of it."""

    def __init__(self, graph: DependencyGraph, base: Snapshot, layer: Layer | None) -> None:
        self.graph = graph
        self.base = base
        self.layer = layer

    def outcome(self, node: Node) -> Outcome:
        """Return what a node holds before any shock."""
        return self.base.outcome(node) if self.layer is None else self.layer.outcome(node)


@contextmanager
def pinned(graph: DependencyGraph) -> Iterator[Pin]:
    """Hold still, for the length of the block, what the context sees."""
    layer = active_layer(graph)
    base = graph.snapshot() if layer is None else layer.base
    try:
        yield Pin(graph, base, layer)
    finally:
        if layer is None:
            graph._release(base)


class Sweep:
    """One pass over all that rests on some leaves, for many values of theirs.

    Parameters
    ----------
    pin : Pin
        What it starts from.
    levels : mapping of Node to array of shape (shocks,)
        The leaves' values; under one shock all of them move together. Of equal length, and not checked here.

    Attributes
    ----------
    evaluations : int
        How many evaluations the shocks have taken, a node under one shock being one.
    """

    def __init__(self, pin: Pin, levels: Mapping[Node, NDArray[np.float64]]) -> None:
        self.shocks = len(next(iter(levels.values())))
        self.evaluations = 0
        self._pin = pin
        self._base = pin.base
        pins = {} if pin.layer is None else pin.layer._overrides
        with pin.graph._lock:
            self._cone = pin.graph._memory.cone(tuple({**pins, **levels}))
        self._columns: dict[Node, Swept] = {}
        self._fixed: dict[Node, Outcome] = {}
        every = np.ones(self.shocks, dtype=bool)
        for node, column in levels.items():
            self._columns[node] = settled(node, self._base.outcome(node), column.tolist(), every)

    def run(self, targets: Sequence[Node]) -> list[Swept]:
        """Return the targets' outcomes under each shock, computing what they need and no more."""
        due = [node for node in dict.fromkeys(targets) if node in self._cone.touched and node not in self._columns]
        for level in self._cone.levels_for(*due):
            self._compute(level)
        return [self._column(node) for node in targets]

    def _column(self, node: Node) -> Swept:
        column = self._columns.get(node)
        if column is None:
            column = Swept.of([self.start(node)] * self.shocks, np.zeros(self.shocks, dtype=bool))
        return column

    def _compute(self, level: Level) -> None:
        for node in filter(self._varies, level.others):
            due = self._due(node)
            self._settle(node, due, {i: node._evaluate(self.reader(i)) for i in np.flatnonzero(due).tolist()})
        totals = [(node, self._due(node)) for node in level.totals if self._varies(node)]
        if totals:
            self._add_up(totals)
        groups: dict[object, list[ArrayNode]] = {}
        for node in filter(self._varies, level.arrays):
            groups.setdefault(node.layout, []).append(node)
        for nodes in groups.values():
            self._columns.update(price_swept(self, nodes))

    def _settle(self, node: Node, due: NDArray[np.bool_], new: Mapping[int, Outcome]) -> None:
        self.evaluations += len(new)
        before = None if node._lazy and len(new) == self.shocks else self._base.outcome(node)
        self._columns[node] = settled(node, before, [new.get(i, before) for i in range(self.shocks)], due)

    # --- what the shocks reach ---------------------------------------------------------------

    def _varies(self, node: Node) -> bool:
        """Whether a node of the cone rests on a leaf that this sweep, and not only the layer around it, moves."""
        return node not in self._columns and not self._columns.keys().isdisjoint(self._cone.touched[node])

    def _due(self, node: Node) -> NDArray[np.bool_]:
        due = np.zeros(self.shocks, dtype=bool)
        for source in self._cone.touched[node]:
            due |= self.moved(source)
        return due

    def moved_inputs(self, node: Node) -> list[Node]:
        """Return the inputs through which the shocks, or the layer around, reach a node of the cone."""
        return self._cone.touched[node]

    def moved(self, source: Node) -> NDArray[np.bool_] | bool:
        """Return under which shocks an input of the cone is not what it is at the base."""
        column = self._columns.get(source)
        if column is not None:
            return column.moved
        self.start(source)  # the layer knows that it moved when it has computed it
        return self._pin.layer is not None and source in self._pin.layer._moved

    # --- what a node holds -------------------------------------------------------------------

    def swept(self, node: Node) -> Swept | None:
        """Return a node's column, or ``None`` for one that the shocks do not reach."""
        return self._columns.get(node)

    def start(self, node: Node) -> Outcome:
        """Return what a node holds before any shock."""
        if node not in self._fixed:
            self._fixed[node] = self._pin.outcome(node)
        return self._fixed[node]

    def base(self, node: Node) -> Outcome:
        """Return what a node holds at the tick the sweep is pinned to, outside any layer."""
        return self._base.outcome(node)

    def reader(self, shock: int) -> partial[Outcome]:
        """Return a function that gives a node's outcome under one shock."""
        return partial(self._outcome, shock)

    def _outcome(self, shock: int, node: Node) -> Outcome:
        column = self._columns.get(node)
        return self.start(node) if column is None else column.outcomes[shock]

    # --- sums --------------------------------------------------------------------------------

    def _add_up(self, totals: Sequence[tuple[SumNode, NDArray[np.bool_]]]) -> None:
        rests: list[list[float] | None] = [None] * len(totals)
        if self._pin.graph._hold(self._base.tick):
            try:
                rests = [self._rest_of_total(total) for total, _ in totals]
            finally:
                self._pin.graph._lock.leave()
        for (total, due), rest in zip(totals, rests, strict=True):
            self._settle(total, due, self._sums(total, due, self._rest_of_inputs(total) if rest is None else rest))

    def _rest_of_total(self, total: SumNode) -> list[float] | None:
        """Return terms whose exact sum is what the shocks leave of a sum, from its present exact total."""
        terms = total.exact_terms()
        if terms is None:
            return None
        for source in self._cone.touched[total]:
            old, new = source._outcome, 0.0 if source in self._columns else self.start(source)
            if old.__class__ is not float or new.__class__ is not float:
                return None
            for weight in total.weights_of(source):
                terms += (-(weight * old), weight * new)
        return terms

    def _rest_of_inputs(self, total: SumNode) -> list[float] | None:
        """Return the same from the inputs that the shocks do not reach."""
        terms: list[float] = []
        for source in dict.fromkeys(total._inputs):
            if source not in self._columns:
                value = self.start(source)
                if value.__class__ is not float:
                    return None
                terms += [weight * value for weight in total.weights_of(source)]
        return terms

    def _sums(self, total: SumNode, due: NDArray[np.bool_], rest: list[float] | None) -> dict[int, Outcome]:
        sources = [source for source in self._cone.touched[total] if source in self._columns]
        apart = {i for source in sources for i in self._columns[source].odd}
        with np.errstate(over="ignore"):
            rows = [w * self._columns[source].numbers for source in sources for w in total.weights_of(source)]
        columns: list[list[float]] = np.array(rows).T.tolist()
        terms = None if rest is None else _shortened(rest)
        new: dict[int, Outcome] = {}
        for i in np.flatnonzero(due).tolist():
            rounded = None if terms is None or i in apart else _rounded(terms + columns[i])
            new[i] = total._evaluate(self.reader(i)) if rounded is None else rounded
        return new


def _shortened(terms: list[float]) -> list[float]:
    """Return a few terms with the same exact sum, if there are many and they have a finite one."""
    total = _rounded(terms) if len(terms) > LIMIT else None
    if total is not None:
        compress(terms, total)
    return terms


def _rounded(terms: list[float]) -> float | None:
    """Return the correctly rounded sum, or ``None`` where :func:`math.fsum` has none that is finite."""
    try:
        total = fsum(terms)
    except (OverflowError, ValueError):
        return None
    return total if math.isfinite(total) else None
