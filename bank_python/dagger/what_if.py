"""What-if analysis: snapshots of one tick, and layers in which some leaves have other values.

A :class:`Snapshot` is one committed tick, which a reader can use while the graph continues to change. A :class:`Layer`
overrides some leaves on top of a snapshot. The dependents of these leaves are evaluated from the overrides when they
are first read, as a tick would have evaluated them, and the results are stored in the layer; all other nodes are read
from the tick that the layer is pinned to. The graph itself is not changed, so closing a layer costs nothing, and
changes that other code makes in the meantime are neither lost nor visible in the layer.

A layer opened inside another takes over its overrides, and those of its results that the new overrides do not affect.
The open layers belong to the context (:mod:`contextvars`): two threads have separate stacks of layers, and a task that
is created inside a :class:`Scenario` sees it as long as it is open, and the graph itself after that.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.batch import price_nodes
from bank_python.dagger.context import VIEWS, Opener
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.leaf import Leaf
from bank_python.dagger.node import Node, by_height, inputs_first, present
from bank_python.dagger.outcome import Failure, Outcome
from bank_python.dagger.propagate import compared
from bank_python.errors import GraphError
from bank_python.guessing import guessable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from bank_python.dagger.engine import Engine
    from bank_python.dagger.state import BatchLog
    from bank_python.dagger.sums import SumNode
    from bank_python.dagger.topology import Cone, Level

__all__ = ["Layer", "Scenario", "Snapshot", "WhatIf"]

_ABSENT = object()
_MOST_LISTED = 6


class Snapshot:
    """All values of one tick: ``with graph.snapshot() as s: s[node]``.

    The writer saves an outcome here before it overwrites it. A reader reads the node first and the saved outcomes
    second; as the writer saves first and overwrites second, a reader that has read the new outcome finds the old one
    here. A snapshot that is no longer referenced costs nothing.

    Parameters
    ----------
    engine : Engine
        Engine of the graph.
    tick : int
        Number of the current tick, at which the graph is up to date.
    """

    def __init__(self, engine: Engine, tick: int) -> None:
        self._engine = engine
        self.saved: dict[Node, Outcome] = {}
        self._lazy: dict[Node, Outcome] = {}
        self.tick = tick
        engine.hold(self)

    def keep(self, node: Node, outcome: Outcome) -> None:
        """Save a node's outcome of this tick, before the writer replaces it."""
        self.saved.setdefault(node, outcome)

    def outcome(self, node: Node) -> Outcome:
        """Return the outcome of a node at this tick."""
        if self._has_to_compute(node):
            return self._computed(node)
        current = node.outcome_
        saved = self.saved.get(node, _ABSENT)
        return current if saved is _ABSENT else saved

    def _has_to_compute(self, node: Node) -> bool:
        """Whether the node is lazy, or was registered after this tick."""
        held = node.outcome_  # before looking for a saved one: the writer saves first and overwrites second
        if self.saved:
            held = self.saved.get(node, held)
        return node.lazy_ or (held is None and not isinstance(node, Leaf))

    def _computed(self, node: Node) -> Outcome:
        if node not in self._lazy:
            needed = inputs_first([node], lambda member: member.underliers, self._has_to_compute)
            for level in by_height(member for member in needed if member not in self._lazy):
                self._lazy.update(_evaluate(level, self.outcome))
        return self._lazy[node]

    def peek(self, node: Node) -> Outcome:
        """Return the outcome of a node at this tick if it is known, else ``None``; nothing is evaluated."""
        return self._lazy.get(node) if self._has_to_compute(node) else self.outcome(node)

    def close(self) -> None:
        """Release the snapshot; further calls have no effect."""
        self._engine.release(self)

    def __getitem__(self, node: Node | str) -> object:
        """Return the node's value at this tick.

        Raises
        ------
        UnknownNodeError
            The graph has no such node.
        BankError, Exception
            Error of the node, if it failed at this tick.
        """
        outcome = self.outcome(self._engine.topology.node(node))
        if isinstance(outcome, Failure):
            raise outcome.error.with_traceback(None)
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Snapshot of tick {self.tick}>"


def _evaluate(nodes: Sequence[Node], read: Callable[[Node], Outcome]) -> list[tuple[Node, Outcome]]:
    """Evaluate nodes none of which is an input of another, contracts of one class in one call."""
    results: list[tuple[Node, Outcome]] = []
    groups: dict[object, list[ArrayNode]] = {}
    for node in nodes:
        if isinstance(node, ArrayNode):
            groups.setdefault(node.layout, []).append(node)
        else:
            results.append((node, node.evaluate_(read)))
    for members in groups.values():
        results.extend(zip(members, price_nodes(members, read), strict=True))
    return results


class Layer:
    """One what-if layer on top of a pinned tick.

    Parameters
    ----------
    engine : Engine
        Engine of the graph.
    base : Snapshot
        Snapshot of the tick that the layer is pinned to.
    overrides : mapping of Node to outcome
        Values of the overridden nodes.
    outer : Layer, optional
        Enclosing layer, pinned to the same tick.
    """

    def __init__(
        self, engine: Engine, base: Snapshot, overrides: Mapping[Node, Outcome], outer: Layer | None = None
    ) -> None:
        self.engine = engine
        self.base = base
        self.evaluations = 0
        self.overrides: dict[Node, Outcome] = dict(overrides) if outer is None else {**outer.overrides, **overrides}
        self._lock = threading.RLock()  # tasks and threads that are created inside share the layer
        self._cone = engine.topology.cone(tuple(self.overrides))
        self._wiring = engine.topology.version
        self._known: dict[Node, Outcome] = {}
        self._moved: set[Node] = set()
        if outer is not None:
            self._take_over(outer, engine.topology.cone(tuple(overrides)))
        for node, outcome in self.overrides.items():
            self._keep(node, outcome)

    def _take_over(self, outer: Layer, reached: Cone) -> None:
        taken = reached.touched.keys() | self.overrides.keys()
        self._known = {node: outcome for node, outcome in outer._known.items() if node not in taken}
        self._moved = {node for node in outer._moved if node in self._known}

    def outcome(self, node: Node) -> Outcome:
        """Return the outcome of a node in the layer, evaluating only the nodes it depends on."""
        with self._lock:
            if node not in self._known:
                if self._wiring != self.engine.topology.version:
                    self._refresh_cone()
                if node not in self._cone.touched:
                    return self.base.outcome(node)
                for level in self._cone.levels_for(node):
                    self._compute(level)
            return self._known[node]

    def peek(self, node: Node) -> Outcome:
        """Return the outcome of a node in the layer if it is known, else ``None``; nothing is evaluated."""
        known = self._known.get(node, _ABSENT)
        if known is not _ABSENT:
            return known
        is_reached = node in self._cone.touched or self._wiring != self.engine.topology.version
        return None if is_reached else self.base.peek(node)

    def moves(self, node: Node) -> bool:
        """Whether the outcome of a node that was read in the layer differs from that at the pinned tick."""
        return node in self._moved

    def _refresh_cone(self) -> None:
        """Include nodes that were registered after the layer was opened."""
        with self.engine.lock:
            self._wiring = self.engine.topology.version
            self._cone = self.engine.topology.cone(tuple(self.overrides))

    def _compute(self, level: Level) -> None:
        for node in level.others:
            if self._is_due(node):
                self._keep(node, node.evaluate_(self._read))
        totals = [node for node in level.totals if self._is_due(node)]
        if totals:
            self._add_up(totals)
        for node, outcome in _evaluate([node for node in level.arrays if self._is_due(node)], self._read):
            self._keep(node, outcome)

    def _is_due(self, node: Node) -> bool:
        if node in self._known:
            return False
        if self._moved.isdisjoint(self._cone.touched[node]):
            self._known[node] = self.base.outcome(node)  # none of its inputs has moved
            return False
        self.evaluations += 1
        return True

    def _keep(self, node: Node, outcome: Outcome) -> None:
        before = node.outcome_  # before looking for a saved one: the writer saves first and overwrites second
        if self.base.saved and not node.lazy_:
            before = self.base.outcome(node)
        if node.lazy_:  # comparing it with its outcome at the pinned tick would evaluate it there
            moved = True
        elif outcome.__class__ is before.__class__ is float and outcome and node.equal is None:
            moved = outcome != before
        else:
            outcome, is_same = compared(node, before, outcome)
            moved = not is_same
        if moved:
            self._known[node] = outcome
            self._moved.add(node)
        else:
            self._known[node] = before

    def _add_up(self, totals: Sequence[SumNode]) -> None:
        """Compute sums from their current exact totals and the moved inputs if possible, else from all inputs."""
        shifted: list[float | None] = [None] * len(totals)
        if self.engine.is_free():
            with self.engine.lock:
                if self.engine.stands_at(self.base.tick):
                    shifted = [total.shifted(self._moves(total)) for total in totals]
        for total, outcome in zip(totals, shifted, strict=True):
            self._keep(total, total.evaluate_(self._read) if outcome is None else outcome)

    def _moves(self, total: SumNode) -> list[tuple[Node, Outcome, Outcome]]:
        known, moved = self._known, self._moved
        return [(node, node.outcome_, known[node]) for node in self._cone.touched[total] if node in moved]

    def _read(self, node: Node) -> Outcome:
        return self._known[node] if node in self._known else self.base.outcome(node)

    def __repr__(self) -> str:
        return f"<Layer on tick {self.base.tick}: {_listed(self.overrides)} overridden>"


class Scenario:
    """A context manager that opens a layer; returned by :meth:`DependencyGraph.scenario`.

    The layer is visible while the ``with`` block is open, to the code inside it and to tasks and threads that run in a
    copy of its context. It is not visible to the caller of a generator that is suspended inside the block.

    Parameters
    ----------
    engine : Engine
        Engine of the graph.
    overrides : mapping of Node to outcome
        Values of the overridden nodes inside the block.
    """

    def __init__(self, engine: Engine, overrides: Mapping[Node, Outcome]) -> None:
        self.engine = engine
        self._overrides = overrides
        self.layer: Layer | None = None
        self._view: _LayerView | None = None
        self._base: Snapshot | None = None

    def __enter__(self) -> Layer:
        if self._view is not None:
            raise GraphError("this scenario has been opened before; make a new one: with graph.scenario(...):")
        opener = Opener.of_caller()
        outer = layer_of_running_code(self.engine)
        self.layer = self.engine.write(lambda: self._make_layer(outer))
        self._view = _LayerView(self, opener)
        VIEWS.set((*[view for view in VIEWS.get() if view.is_alive], self._view))
        return self.layer

    def _make_layer(self, outer: Layer | None) -> Layer:
        if outer is not None:
            return Layer(self.engine, outer.base, self._overrides, outer)
        self._base = take_snapshot(self.engine)
        return Layer(self.engine, self._base, self._overrides)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        view = self._view
        if view is not None:
            view.close()
            VIEWS.set(tuple(other for other in VIEWS.get() if other is not view))
        if self._base is not None:
            self._base.close()

    def __repr__(self) -> str:
        return f"<Scenario: {_listed(self._overrides)} overridden>"


class _LayerView:
    """The view of a layer that is stored in contexts, valid while its scenario is open."""

    __slots__ = ("_host", "_is_closed", "_opener", "_scenario")

    def __init__(self, scenario: Scenario, opener: Opener) -> None:
        self._scenario = weakref.ref(scenario)  # the code inside the block holds a reference to the scenario
        self._host = scenario.engine
        self._opener = opener
        self._is_closed = False

    @property
    def host(self) -> object:
        """State of the graph that is viewed."""
        return self._host

    @property
    def layer(self) -> Layer | None:
        """The layer, or ``None`` if its scenario was garbage-collected."""
        scenario = self._scenario()
        return None if scenario is None else scenario.layer

    @property
    def is_alive(self) -> bool:
        """Whether the scenario is open."""
        return not self._is_closed and self._scenario() is not None

    def is_open(self) -> bool:
        """Whether the running code sees the graph through the view."""
        return self.is_alive and self._opener.is_visible_to_running_code()

    def outcome(self, node: Node) -> Outcome:
        """Return the outcome of a node in the layer."""
        layer = self.layer
        return present(node) if layer is None else layer.outcome(node)

    def peek(self, node: Node) -> Outcome:
        """Return the outcome of a node in the layer if it is known, else ``None``; nothing is evaluated."""
        layer = self.layer
        return present(node) if layer is None else layer.peek(node)

    def close(self) -> None:
        """End the view in all contexts."""
        self._is_closed = True


def layer_of_running_code(engine: Engine) -> Layer | None:
    """Return the innermost layer of a graph that the running code has open."""
    view = engine.current_view()
    return view.layer if isinstance(view, _LayerView | _Outside) else None


def take_snapshot(engine: Engine) -> Snapshot:
    """Bring the graph up to date and return a snapshot of it; the caller is the graph's writer."""
    engine.update()
    return Snapshot(engine, engine.tick)


class WhatIf:
    """Snapshots and scenarios of a graph; ``graph.what_if``.

    Parameters
    ----------
    engine : Engine
        Engine of the graph.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.outside_view = self._outside_view

    @property
    def is_open(self) -> bool:
        """Whether the running code is inside a scenario of this graph."""
        return self._engine.active_view() is not None

    def snapshot(self) -> Snapshot:
        """Return a snapshot of the current tick: ``with graph.snapshot() as s: s[node]``.

        Raises
        ------
        GraphError
            Another task or generator of this thread has a batch open.
        """
        if isinstance(self._engine.current_view(), _Outside):
            raise GraphError("another task's batch is open: there is no complete tick; wait until the batch has ended")
        return self._engine.write(lambda: take_snapshot(self._engine))

    @guessable
    def scenario(self, overrides: Mapping[Any, object]) -> Scenario:
        """Return a context manager inside which some leaves have other values; the graph is not changed.

        Parameters
        ----------
        overrides : mapping of Leaf or str to value
            Values inside the block, by leaf or name of the leaf.

        Returns
        -------
        Scenario
            Context manager that returns the :class:`Layer` (``as layer``).

        Raises
        ------
        DomainError
            A value is outside the domain of its leaf.
        GraphError
            An override names a node that is neither a leaf nor derived with ``override=True``.
        """
        node = self._engine.topology.node
        given = [(node(key), value) for key, value in overrides.items()]
        return Scenario(self._engine, {member: _override(member, value) for member, value in given})

    def _outside_view(self, logs: list[BatchLog]) -> _Outside:
        """Return the view of code that the open batches do not belong to, with the old values of their leaves."""
        before = {node: held.outcome for log in logs for node, held in log.before.items() if node in log.wrote}
        return _Outside(self._engine.write(lambda: Layer(self._engine, take_snapshot(self._engine), before)))


class _Outside:
    """The view of a graph for code outside the batches that are open in the same thread."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    @property
    def host(self) -> object:
        """State of the graph that is viewed."""
        return self.layer.engine

    @property
    def is_alive(self) -> bool:
        """Whether the view can be used."""
        return True

    def is_open(self) -> bool:
        """Whether the running code sees the graph through the view."""
        return True

    def outcome(self, node: Node) -> Outcome:
        """Return the outcome of a node without the changes of the batches."""
        return self.layer.outcome(node)

    def peek(self, node: Node) -> Outcome:
        """Return the outcome of a node without the changes of the batches if it is known, else ``None``."""
        return self.layer.peek(node)


def _listed(overrides: Mapping[Node, Outcome]) -> str:
    more = len(overrides) - _MOST_LISTED
    listed = ", ".join(repr(node.name) for node in list(overrides)[:_MOST_LISTED])
    return listed + (f" and {more:,} more" if more > 0 else "")


def _override(node: Node, value: object) -> Outcome:
    if isinstance(node, Leaf):
        return node.domain.check(node.name, value)
    if isinstance(node, DerivedNode) and node.override:
        return value
    inputs = ", ".join(source.name for source in node.underliers)
    raise GraphError(
        f"a scenario sets leaves; {node.name} is derived from {inputs}: override those, or derive it with "
        "override=True",
        name=node.name,
    )
