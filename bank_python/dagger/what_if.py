"""What if: one tick held still, and layers that see some leaves at other values.

A :class:`Snapshot` is one committed tick, held for a reader while the writer goes on. A :class:`Layer` overrides some
leaves over it: the nodes that depend on them are computed from the overrides, on first read, into the layer's own
memory, as a tick would have computed them; every other node is read from the tick that the layer is pinned to. The
graph itself is never touched, so leaving costs nothing and leaves no trace, and what others set meanwhile is neither
lost nor seen.

A layer opened inside another takes over its overrides, and what it has computed so far that the new ones do not reach.
Which layers are open belongs to the context (:mod:`contextvars`): two threads have two stacks of layers, and a task
that is created inside a :class:`Scenario` sees it as long as it is open, and the graph itself from then on.
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


class Snapshot:
    """All values of one tick: ``with graph.snapshot() as s: s[node]``.

    Copy-on-write the other way round: before the writer overwrites an outcome it saves the old one here.
    Reading looks at the node first and here second; as the writer saves first and overwrites second, a
    reader that caught the new outcome finds the old one here. A snapshot that nobody holds any more costs nothing.

    Parameters
    ----------
    engine : Engine
        The engine of the graph.
    tick : int
        The tick that is held; the graph is up to date at it.
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
        """Return what the node held at this tick."""
        if self._has_to_compute(node):
            return self._computed(node)
        current = node.outcome_
        saved = self.saved.get(node, _ABSENT)
        return current if saved is _ABSENT else saved

    def _has_to_compute(self, node: Node) -> bool:
        """Whether it is a node that only reading evaluates, or one that came into the graph since."""
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

    def close(self) -> None:
        """Let go of the tick; closing twice is fine."""
        self._engine.release(self)

    def __getitem__(self, node: Node | str) -> object:
        """Return the node's value at this tick.

        Raises
        ------
        UnknownNodeError
            The graph has no such node.
        BankError, Exception
            The node had failed: its error is raised.
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
    """One what-if layer over a pinned tick.

    Parameters
    ----------
    engine : Engine
        Of the graph the layer belongs to.
    base : Snapshot
        The tick it is pinned to.
    overrides : mapping of Node to outcome
        The values inside the layer.
    outer : Layer, optional
        The layer it is opened in, pinned to the same tick.
    """

    def __init__(
        self, engine: Engine, base: Snapshot, overrides: Mapping[Node, Outcome], outer: Layer | None = None
    ) -> None:
        self.engine = engine
        self.base = base
        self.evaluations = 0
        self.overrides: dict[Node, Outcome] = dict(overrides) if outer is None else {**outer.overrides, **overrides}
        self._alone = threading.RLock()  # tasks and threads that were created inside share the layer
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
        """Return the node's outcome inside the layer, computing what it needs and no more."""
        with self._alone:
            if node not in self._known:
                if self._wiring != self.engine.topology.version:
                    self._look_again()
                if node not in self._cone.touched:
                    return self.base.outcome(node)
                for level in self._cone.levels_for(node):
                    self._compute(level)
            return self._known[node]

    def moves(self, node: Node) -> bool:
        """Whether a node whose outcome was asked for is not what it is at the base."""
        return node in self._moved

    def _look_again(self) -> None:
        """Take note of nodes that came into the graph since the layer was opened."""
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
            self._known[node] = self.base.outcome(node)  # nothing that it depends on has moved
            return False
        self.evaluations += 1
        return True

    def _keep(self, node: Node, outcome: Outcome) -> None:
        before = node.outcome_  # before looking for a saved one: the writer saves first and overwrites second
        if self.base.saved and not node.lazy_:
            before = self.base.outcome(node)
        if node.lazy_:  # what it holds need not be what it was, and asking that would compute it
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
        """Take sums from their present exact totals and what moved, or else from all their inputs."""
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


class Scenario:
    """An open layer; made by :meth:`DependencyGraph.scenario`.

    What the ``with`` statement holds: the layer is seen as long as the block is open, by the code inside it and by the
    tasks and threads that were given a copy of its context. A generator that is suspended inside the block does not
    show it to its caller.

    Parameters
    ----------
    engine : Engine
        The engine of the graph.
    overrides : mapping of Node to outcome
        The values inside the block.
    """

    def __init__(self, engine: Engine, overrides: Mapping[Node, Outcome]) -> None:
        self.engine = engine
        self._overrides = overrides
        self.layer: Layer | None = None
        self._view: _LayerView | None = None
        self._base: Snapshot | None = None

    def __enter__(self) -> Layer:
        if self._view is not None:
            raise GraphError(
                "this scenario has been opened before; ask the graph for a new one: with graph.scenario(...):"
            )
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


class _LayerView:
    """A layer as contexts see it, for as long as its scenario is open."""

    __slots__ = ("_host", "_is_closed", "_opener", "_scenario")

    def __init__(self, scenario: Scenario, opener: Opener) -> None:
        self._scenario = weakref.ref(scenario)  # when nobody holds it, nobody is inside
        self._host = scenario.engine
        self._opener = opener
        self._is_closed = False

    @property
    def host(self) -> object:
        """The state of the graph that is looked at."""
        return self._host

    @property
    def layer(self) -> Layer | None:
        """The layer, as long as somebody holds its scenario."""
        scenario = self._scenario()
        return None if scenario is None else scenario.layer

    @property
    def is_alive(self) -> bool:
        """Whether its scenario is open."""
        return not self._is_closed and self._scenario() is not None

    def is_open(self) -> bool:
        """Whether the running code sees it."""
        return self.is_alive and self._opener.lets_the_running_code_see()

    def outcome(self, node: Node) -> Outcome:
        """Return the node's outcome in the layer."""
        layer = self.layer
        return present(node) if layer is None else layer.outcome(node)

    def close(self) -> None:
        """Show it to nobody any more."""
        self._is_closed = True


def layer_of_running_code(engine: Engine) -> Layer | None:
    """Return the innermost layer of a graph that the running code has open."""
    view = engine.look()
    return view.layer if isinstance(view, _LayerView | _Outside) else None


def take_snapshot(engine: Engine) -> Snapshot:
    """Hold the present tick, brought up to date; the caller is the graph's writer."""
    engine.update()
    return Snapshot(engine, engine.tick)


class WhatIf:
    """Looking at a graph as it was at one tick, or as it would be; ``graph.what_if``.

    Parameters
    ----------
    engine : Engine
        The engine of the graph.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.outside_view = self._outside_view

    @property
    def is_open(self) -> bool:
        """Whether the running code is inside a scenario of this graph."""
        return self._engine.active_view() is not None

    def snapshot(self) -> Snapshot:
        """Hold one committed tick still: ``with graph.snapshot() as s: s[node]``.

        Raises
        ------
        GraphError
            Another task or generator of this thread has a batch open.
        """
        if isinstance(self._engine.look(), _Outside):
            raise GraphError("another task's batch is open: there is no whole tick to hold; let the batch end first")
        return self._engine.write(lambda: take_snapshot(self._engine))

    @guessable
    def scenario(self, overrides: Mapping[Any, object]) -> Scenario:
        """Open a what-if layer: inside the block this context sees the leaves at other values.

        Parameters
        ----------
        overrides : mapping of Leaf or str to value
            The leaves, or their names, and their values inside the block.

        Returns
        -------
        Scenario
            A context manager; ``as layer`` gives the :class:`Layer`.

        Raises
        ------
        DomainError
            A value lies outside its leaf's domain.
        GraphError
            An override names a node that is neither a leaf nor derived with ``override=True``.
        """
        node = self._engine.topology.node
        given = [(node(key), value) for key, value in overrides.items()]
        return Scenario(self._engine, {member: _override(member, value) for member, value in given})

    def _outside_view(self, logs: list[BatchLog]) -> _Outside:
        """Return the graph as it is for code that the open batches do not belong to: with their leaves as they were."""
        before = {node: held.outcome for log in logs for node, held in log.before.items() if node in log.wrote}
        return _Outside(self._engine.write(lambda: Layer(self._engine, take_snapshot(self._engine), before)))


class _Outside:
    """A graph seen from outside the batches that are open in the same thread."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    @property
    def host(self) -> object:
        """The state of the graph that is looked at."""
        return self.layer.engine

    @property
    def is_alive(self) -> bool:
        """Whether it can be looked through."""
        return True

    def is_open(self) -> bool:
        """Whether the running code sees it."""
        return True

    def outcome(self, node: Node) -> Outcome:
        """Return the node's outcome without what the batches have set."""
        return self.layer.outcome(node)


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
