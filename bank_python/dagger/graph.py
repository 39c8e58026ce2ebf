"""The graph: who rests on whom, what is dirty, and one consistent way to bring it up to date.

**Setting** a leaf marks everything above it dirty and its direct dependents stale; marking stops where it
meets what is dirty already, so a leaf costs O(newly dirty nodes). **Recalculating** walks the dirty nodes by
height, lowest first, so each is evaluated at most once and never on a mixture of old and new inputs. A dirty
node none of whose inputs changed is not evaluated at all, and one that comes out the same as before does not
make its dependents stale: the wave ends there. **Reading** a dirty node computes just what it needs.

**Ticks.** One :meth:`~DependencyGraph.batch`, or one set outside a batch, is one tick. A batch that raises
is undone. **Threads.** Whatever writes (set, batch, recalculate, a pull) holds one re-entrant lock. A thread
that does not hold it reads the last committed tick: while a tick is under way each outcome is saved, before
it is overwritten, to where such readers look (:meth:`DependencyGraph._committed`).
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from bank_python.dagger import explain as explaining
from bank_python.dagger.aggregate import SumNode
from bank_python.dagger.array_node import ArrayNode, Lanes
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.evaluation import by_height, evaluate, inputs_first
from bank_python.dagger.lock import WriteLock
from bank_python.dagger.node import Leaf, Node, State
from bank_python.dagger.observe import Observers, Subscription
from bank_python.dagger.outcome import Failure, Outcome, same
from bank_python.dagger.scenario import Layer, active_layer, enter_layer, leave_layer
from bank_python.dagger.snapshot import Snapshot
from bank_python.dagger.wiring import check_names, dependents_of, find_cycle, height_of, registration_order
from bank_python.errors import CycleError, GraphError, UnknownNodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    _AnyNode = TypeVar("_AnyNode", bound=Node)

__all__ = ["DependencyGraph"]

_ABSENT = object()


@dataclass(slots=True)
class _Counts:
    """What one pass over dirty nodes did."""

    classes: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    failed: int = 0


class DependencyGraph:
    """A reactive graph of named nodes.

    Examples
    --------
    >>> from bank_python.dagger import Leaf
    >>> graph = DependencyGraph()
    >>> bid, ask = graph.register(Leaf("BID", 99.0)), graph.register(Leaf("ASK", 101.0))
    >>> mid = graph.derive("MID", lambda b, a: (b + a) / 2, [bid, ask])
    >>> mid.value
    100.0
    >>> bid.set(100.0)
    >>> graph.recalculate().evaluated, mid.value
    (1, 100.5)
    >>> with graph.scenario({"ASK": 110.0}):
    ...     mid.value
    105.0
    >>> mid.value
    100.5
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._dirty: dict[Node, None] = {}
        self._lanes: dict[tuple[object, ...], Lanes] = {}
        self._lock = WriteLock()
        self._batches = 0
        self._tick = 0
        self._undo: dict[Node, Outcome] = {}
        self._restorers: list[Callable[[], object]] = []
        self._in_tick = False
        self._snapshots: list[Snapshot] = []
        self._observers = Observers()
        self._evaluations = 0

    # --- what is in it -----------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node: object) -> bool:
        return node in self._nodes if isinstance(node, str) else getattr(node, "_graph", None) is self

    def __iter__(self) -> Iterator[Node]:
        return iter(tuple(self._nodes.values()))

    def __getitem__(self, name: str) -> Node:
        return self.node(name)

    def find(self, name: str) -> Node | None:
        """Return the node of that name, or ``None``."""
        return self._nodes.get(name)

    def node(self, node: Node | str) -> Node:
        """Return the node itself, or the node of that name.

        Raises
        ------
        UnknownNodeError
            It is not in this graph; close names are suggested.
        """
        found = self._nodes.get(node) if isinstance(node, str) else node
        if found is None or found._graph is not self:
            name = node if isinstance(node, str) else node.name
            close = get_close_matches(name, self._nodes, n=3)
            hint = f"did you mean {', '.join(close)}?" if close else "register it first"
            raise UnknownNodeError(f"no node {name!r} in this graph; {hint}", name=name)
        return found

    @property
    def tick(self) -> int:
        """The number of committed ticks."""
        return self._tick

    @property
    def evaluations(self) -> int:
        """How many nodes have been evaluated since the graph was made."""
        return self._evaluations

    @property
    def dirty(self) -> int:
        """How many nodes wait to be brought up to date."""
        return len(self._dirty)

    # --- wiring ------------------------------------------------------------------------------

    def register(self, node: _AnyNode, *, replace: bool = False) -> _AnyNode:
        """Put a node, and whatever it rests on, into the graph.

        Parameters
        ----------
        node : Node
            Registering a node that is in the graph already does nothing.
        replace : bool, default False
            Put `node` in the place of a node of the same name: what rested on that one rests on this one.

        Returns
        -------
        Node
            `node` itself.

        Raises
        ------
        DuplicateNodeError
            Another node has the name of this one or of one of its underliers.
        CycleError
            The nodes rest on each other in a circle; ``path`` names it.
        GraphError
            One of them is in another graph.
        """
        with self._writing():
            replaced = self._nodes.get(node.name) if replace else None
            if replaced is node:
                return node
            new = registration_order(self, node)
            check_names(self._nodes, new, replaced)
            if replaced is not None:
                self._refuse_self_reference(replaced, new)
            for member, inputs in new:
                self._attach(member, inputs)
            if replaced is not None:
                self._substitute(replaced, node)
        return node

    def unregister(self, node: Node | str) -> None:
        """Take a node out of the graph; its underliers stay.

        Raises
        ------
        GraphError
            Other nodes rest on it: the message names them; take those out first.
        """
        with self._writing():
            found = self.node(node)
            if found._dependents:
                above = ", ".join(dependent.name for dependent in found._dependents)
                raise GraphError(f"{found.name} cannot leave: {above} rest on it; unregister those first")
            self._detach(found)

    def rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        """Give a node other inputs; new ones are registered, heights are repaired.

        Raises
        ------
        CycleError
            One of `inputs` rests on `node`; nothing has changed.
        """
        with self._writing():
            self.node(node)
            for source in inputs:
                self.register(source)
            path = find_cycle(node, inputs)
            if path:
                raise CycleError(f"{node.name} cannot rest on itself: {' → '.join(path)}", path=path)
            self._connect(node, tuple(inputs))

    def derive(
        self,
        name: str,
        function: Callable[..., Any],
        inputs: Sequence[Node | str],
        *,
        equal: Callable[[Any, Any], bool] | None = None,
        replace: bool = False,
    ) -> DerivedNode:
        """Make any pure function of nodes a node of the graph.

        Parameters
        ----------
        name : str
            The new node's name.
        function : callable
            Takes the inputs' values, in order.
        inputs : sequence of Node or str
            Nodes (registered if need be) or names of nodes of this graph.
        equal : callable, optional
            When two values count as the same; see :class:`DerivedNode`.
        replace : bool, default False
            Redefine a node of that name.

        Returns
        -------
        DerivedNode
            The registered node.
        """
        return self.register(DerivedNode(name, function, self._resolve(inputs), equal), replace=replace)

    def sum(
        self, name: str, nodes: Sequence[Node | str], weights: Sequence[float] | None = None, *, replace: bool = False
    ) -> SumNode:
        """Make the exact (weighted) sum of nodes a node of the graph."""
        return self.register(SumNode(name, self._resolve(nodes), weights), replace=replace)

    # --- time passes -------------------------------------------------------------------------

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Many sets, one tick; if the block raises, every set made in it is undone."""
        with self._writing():
            self._batches += 1
            try:
                yield
            except BaseException:
                if self._batches == 1:
                    self._roll_back()
                raise
            finally:
                self._batches -= 1

    def recalculate(self, leaf: Leaf | None = None) -> explaining.Recalculation:  # noqa: ARG002 - a hint, see below
        """Bring every dirty node up to date.

        Parameters
        ----------
        leaf : Leaf, optional
            The leaf that changed: a hint that the graph does not need.

        Returns
        -------
        Recalculation
            What was evaluated, changed and failed.
        """
        started = time.perf_counter()
        with self._writing():
            counts = self._process(list(self._dirty))
            return explaining.Recalculation(
                tick=self._tick,
                evaluated=sum(counts.classes.values()),
                changed=counts.changed,
                failed=counts.failed,
                by_class=dict(counts.classes),
                seconds=time.perf_counter() - started,
            )

    @contextmanager
    def scenario(self, overrides: Mapping[Leaf, object] | Mapping[str, object]) -> Iterator[Layer]:
        """Open a what-if layer: inside the block this context sees the leaves at other values.

        Parameters
        ----------
        overrides : mapping of Leaf or str to value
            The leaves, or their names, and their values inside the block.

        Raises
        ------
        DomainError
            A value lies outside its leaf's domain.
        GraphError
            An override names a node that is not a leaf.
        """
        layer, base = self._open_layer(overrides)
        enter_layer(layer)
        try:
            yield layer
        finally:
            leave_layer(layer)
            if base is not None:
                self._release(base)

    def snapshot(self) -> Snapshot:
        """Hold one committed tick still: ``with graph.snapshot() as s: s[node]``."""
        with self._writing():
            self._process(list(self._dirty))
            snapshot = Snapshot(self, self._tick)
            self._snapshots.append(snapshot)
            return snapshot

    # --- asking ------------------------------------------------------------------------------

    def subscribe(self, node: Node | str, callback: Callable[[Node], object]) -> Subscription:
        """Call ``callback(node)`` after each recalculation or set that changed the node.

        The callback runs in the thread that made the change, when its tick is complete. One that raises is
        logged and counted (``subscription.failures``); graph and other subscribers are unaffected.
        """
        with self._writing():
            return self._observers.add(self.node(node), callback)

    def explain(self, node: Node | str, depth: int = 6, breadth: int = 12) -> explaining.Explanation:
        """Return the inputs, the function and the tick that made a node's value, as a tree."""
        return explaining.explain(self.node(node), self._read, depth, breadth)

    def plan(self, leaf: Node | str) -> explaining.Plan:
        """Return what a change of `leaf` could recompute, without doing it."""
        source = self.node(leaf)
        levels = by_height(dependents_of([source]))
        nodes = [node for level in levels for node in level]
        return explaining.Plan(
            leaf=source.name,
            nodes=tuple(node.name for node in nodes),
            by_class=dict(Counter(type(node).__name__ for node in nodes)),
            levels=len(levels),
        )

    def to_dot(self) -> str:
        """Return the graph in Graphviz' language."""
        return explaining.to_dot(self)

    def __repr__(self) -> str:
        leaves = sum(isinstance(node, Leaf) for node in self._nodes.values())
        return f"<DependencyGraph: {len(self)} nodes, {leaves} leaves, {len(self._dirty)} dirty, tick {self._tick}>"

    # --- reading (called by Node) ------------------------------------------------------------

    def _read(self, node: Node) -> Outcome:
        layer = active_layer(self)
        if layer is not None:
            return layer.outcome(node)
        if node._state and self._lock.try_enter():
            try:
                self._process(inputs_first([node], lambda n: n._inputs, lambda n: bool(n._state)))
            finally:
                self._leave()
        return self._committed(node)

    def _committed(self, node: Node) -> Outcome:
        current = node._outcome  # before the saved one: the writer saves first and overwrites second
        if self._lock.mine:
            return current
        saved = self._undo.get(node, _ABSENT)
        return current if saved is _ABSENT else saved

    # --- writing -----------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with_lock = self._lock
        with_lock.__enter__()
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        outermost = self._lock.depth == 1
        to_tell = self._observers.take() if outermost else []
        if outermost:
            self._undo = {}
            self._restorers.clear()
            self._in_tick = False
        self._lock.__exit__()
        self._observers.tell(to_tell)

    def _begin_tick(self) -> None:
        if not self._in_tick:
            self._in_tick = True
            self._tick += 1

    def _set_leaf(self, leaf: Leaf, outcome: Outcome, stamp: object) -> None:
        with self._writing():
            old_stamp = leaf._stamp
            self._restorers.append(lambda: leaf._restamp(old_stamp))
            leaf._restamp(stamp)
            if not same(leaf._outcome, outcome):
                self._begin_tick()
                self._overwrite(leaf, outcome)
                self._mark_stale(leaf._dependents)

    def _amend(self, node: ArrayNode, terms: Mapping[str, float]) -> None:
        with self._writing():
            self._begin_tick()
            before = node.terms
            self._restorers.append(lambda: self._rewrite_terms(node, before))
            self._rewrite_terms(node, terms)

    def _rewrite_terms(self, node: ArrayNode, terms: Mapping[str, float]) -> None:
        node._terms.update(terms)
        if node._lanes is not None:
            node._lanes.refresh(node)
        self._mark_stale([node])

    def _roll_back(self) -> None:
        for restore in reversed(self._restorers):
            restore()
        for node, outcome in self._undo.items():
            if node._graph is not self:
                continue  # it came into the graph in this batch and has just left it again
            node._outcome = outcome
            self._mark_stale(node._dependents)
            if not isinstance(node, Leaf):
                self._mark_stale([node])
        self._observers.discard()
        if self._in_tick:
            self._tick -= 1

    def _overwrite(self, node: Node, outcome: Outcome) -> None:
        old = node._outcome
        self._undo.setdefault(node, old)
        for snapshot in self._snapshots:
            snapshot.keep(node, old)
        self._observers.note(node, old)
        node._previous, node._changed_tick = old, self._tick
        node._outcome = outcome

    def _mark_stale(self, nodes: Iterable[Node]) -> None:
        stack = []
        for node in nodes:
            if not node._state:
                stack.append(node)
            node._state = State.STALE
            self._dirty[node] = None
        while stack:
            for dependent in stack.pop()._dependents:
                if not dependent._state:
                    dependent._state = State.DIRTY
                    self._dirty[dependent] = None
                    stack.append(dependent)

    # --- recomputing -------------------------------------------------------------------------

    def _process(self, nodes: Iterable[Node]) -> _Counts:
        counts = _Counts()
        for level in by_height(nodes):
            stale = [node for node in level if node._state is State.STALE]
            for node, outcome in evaluate(stale, lambda source: source._outcome):
                counts.classes[type(node).__name__] += 1
                counts.changed += self._settle(node, outcome)
                counts.failed += isinstance(outcome, Failure)
            for node in level:
                node._state = State.CLEAN
                self._dirty.pop(node, None)
        self._evaluations += sum(counts.classes.values())
        return counts

    def _settle(self, node: Node, outcome: Outcome) -> bool:
        try:
            unchanged = node.unchanged(node._outcome, outcome)
        except Exception as error:  # noqa: BLE001 - a comparison of the user's own; its error becomes the value
            outcome = Failure(error, node.name, error)
            unchanged = same(node._outcome, outcome)
        if unchanged:
            return False
        self._overwrite(node, outcome)
        for dependent in node._dependents:
            dependent._state = State.STALE
        return True

    # --- wiring, step by step ----------------------------------------------------------------

    def _resolve(self, nodes: Sequence[Node | str]) -> list[Node]:
        return [self.node(node) if isinstance(node, str) else node for node in nodes]

    def _attach(self, node: Node, inputs: tuple[Node, ...]) -> None:
        self._restorers.append(lambda: self._detach(node))
        node._graph, node._inputs, node._height = self, inputs, height_of(inputs)
        self._nodes[node.name] = node
        for source in inputs:
            source._dependents[node] = None
        if isinstance(node, ArrayNode):
            layout = node._layout()
            if layout not in self._lanes:
                self._lanes[layout] = Lanes(node)
            self._lanes[layout].add(node)
        if not isinstance(node, Leaf):
            node._state = State.CLEAN
            self._mark_stale([node])

    def _detach(self, node: Node) -> None:
        for source in node._inputs:
            source._dependents.pop(node, None)
        if isinstance(node, ArrayNode) and node._lanes is not None:
            node._lanes.remove(node)
        self._dirty.pop(node, None)
        self._observers.forget(node)
        if self._nodes.get(node.name) is node:
            del self._nodes[node.name]
        node._graph = None

    def _connect(self, node: Node, inputs: tuple[Node, ...]) -> None:
        before = node._inputs
        self._restorers.append(lambda: self._connect(node, before))
        for source in before:
            source._dependents.pop(node, None)
        node._inputs = inputs
        for source in inputs:
            source._dependents[node] = None
        self._repair_heights(node)
        self._begin_tick()
        self._mark_stale([node])

    def _repair_heights(self, node: Node) -> None:
        stack = [node]
        while stack:
            member = stack.pop()
            height = height_of(member._inputs)
            if height != member._height:
                member._height = height
                stack.extend(member._dependents)

    def _refuse_self_reference(self, old: Node, new: Iterable[tuple[Node, tuple[Node, ...]]]) -> None:
        above = {old, *dependents_of([old])}
        for member, inputs in new:
            for source in inputs:
                if source in above:
                    path = [source.name, member.name, old.name]
                    raise CycleError(
                        f"{old.name} cannot be replaced by a node that rests on it: {' → '.join(path)}", path=path
                    )

    def _substitute(self, old: Node, new: Node) -> None:
        for dependent in tuple(old._dependents):
            dependent.replace_input(old, new)
            self._connect(dependent, tuple(new if source is old else source for source in dependent._inputs))
        self._detach(old)

    # --- layers and snapshots ----------------------------------------------------------------

    def _open_layer(self, overrides: Mapping[Leaf, object] | Mapping[str, object]) -> tuple[Layer, Snapshot | None]:
        known: dict[Node, Outcome] = {}
        for key, value in overrides.items():
            leaf = self.node(key)
            if not isinstance(leaf, Leaf):
                raise GraphError(
                    f"a scenario sets leaves; {leaf.name} is derived from "
                    f"{', '.join(source.name for source in leaf.underliers)}: override those",
                    name=leaf.name,
                )
            known[leaf] = leaf.domain.check(leaf.name, value)
        outer = active_layer(self)
        with self._writing():
            base = None if outer is not None else self.snapshot()
            affected = frozenset(dependents_of(known))
        return Layer(self, outer or base, known, affected), base  # type: ignore[arg-type]  # one of the two is there

    def _release(self, snapshot: Snapshot) -> None:
        with self._writing():
            self._snapshots = [other for other in self._snapshots if other is not snapshot]
