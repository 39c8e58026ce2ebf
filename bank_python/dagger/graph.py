"""The graph: who rests on whom, what is dirty, and one consistent way to bring it up to date.

**Setting** a leaf notes it, with what it held when it was last followed up: O(1), whatever rests on it.
**Recalculating** follows what was noted up the graph (:mod:`~bank_python.dagger.wave`): each node at most once, never
on a mixture of old and new inputs, and only as far as something changed. **Reading** computes just what it needs: if
all that the noted leaves reach is needed, by the same wave; otherwise the rest is marked and waits
(:mod:`~bank_python.dagger.marking`).

**Ticks.** One :meth:`~DependencyGraph.batch`, or one set outside a batch, is one tick. A batch that raises is undone.
**Threads.** Whatever writes (set, batch, recalculate, a pull) holds one re-entrant lock. A thread that does not hold it
reads the last committed tick: a node that the unfinished tick has changed still has what it held before.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from difflib import get_close_matches
from threading import get_ident
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.dagger import explain as explaining
from bank_python.dagger.aggregate import SumNode
from bank_python.dagger.block import LeafBlock
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.evaluation import by_height
from bank_python.dagger.greeks import Greeks, make_greeks
from bank_python.dagger.journal import Recorder, replay
from bank_python.dagger.ladder import Ladder, make_ladder
from bank_python.dagger.lock import WriteLock
from bank_python.dagger.marking import deliver, distrust_all, mark_stale, needed_for, process
from bank_python.dagger.membership import attach, connect, detach, exchange, forget_fan, refuse_self_reference
from bank_python.dagger.memory import WiringMemory
from bank_python.dagger.node import Leaf, Node
from bank_python.dagger.observe import Observers, Subscription
from bank_python.dagger.outcome import Outcome, same
from bank_python.dagger.profile import Profile
from bank_python.dagger.scenario import Layer, active_layer, enter_layer, leave_layer
from bank_python.dagger.settling import Before, replace, save
from bank_python.dagger.snapshot import Snapshot
from bank_python.dagger.wave import Wave
from bank_python.dagger.wiring import Reach, check_names, dependents_of, find_cycle, registration_order
from bank_python.errors import CycleError, GraphError, JournalError, UnknownNodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from numpy.typing import ArrayLike, NDArray

    from bank_python.dagger.array_node import ArrayNode
    from bank_python.dagger.journal import Entry
    from bank_python.dagger.journals import Journal
    from bank_python.dagger.lanes import Lanes
    from bank_python.dagger.policy import Policy
    from bank_python.dagger.recalculation import Recalculation

    _AnyNode = TypeVar("_AnyNode", bound=Node)

__all__ = ["DependencyGraph"]


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
        self._memory = WiringMemory()
        self._lanes: dict[tuple[object, ...], Lanes] = {}
        self._observers = Observers()
        self._lock = WriteLock(self._commit, self._observers)
        self._snapshots: dict[Snapshot, None] = {}
        self._profile: Profile | None = None
        # What waits: sources that moved, with what they held when they were last followed up; marked nodes; nodes
        # that their policy holds back.
        self._pending: dict[Node | LeafBlock, Outcome] = {}
        self._dirty: dict[Node, None] = {}
        self._waiting: dict[Node, None] = {}
        # The tick under way, and what undoes it.
        self._tick = 0
        self._working_tick = 0
        self._log: list[Before] | None = None
        self._batch_owner = 0
        self._recorder: Recorder | None = None
        self._replaying = False
        self._undo: list[Callable[[], object]] = []
        self._rollbacks = 0
        # Counters.
        self._wave: Wave | None = None
        self._waves = 0
        self._single_sets = 0
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
        """How many nodes wait to be brought up to date: all that what was set since may reach."""
        with self._lock:
            moved = [leaf for source in self._pending for leaf in _leaves(source)]
            return len({*self._dirty, *(node for node in dependents_of(moved) if not node._lazy)})

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
        with self._lock:
            replaced = self._nodes.get(node.name) if replace else None
            if replaced is node:
                return node
            new = registration_order(self, node)
            check_names(self._nodes, new, replaced)
            if replaced is not None:
                refuse_self_reference(replaced, new)
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
        with self._lock:
            found = self.node(node)
            if found._dependents:
                above = ", ".join(dependent.name for dependent in found._dependents)
                raise GraphError(f"{found.name} cannot leave: {above} rest on it; unregister those first")
            self._undoable(lambda: attach(self, found, found._inputs))
            detach(self, found)

    def rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        """Give a node other inputs; new ones are registered, heights are repaired.

        Raises
        ------
        CycleError
            One of `inputs` rests on `node`; nothing has changed.
        """
        with self._lock:
            self.node(node)
            for source in inputs:
                self.register(source)
            self._refuse_cycle(node, inputs)
            node.accept_inputs(inputs)
            self._rewire(node, tuple(inputs))

    def swap(self, node: Node | str, old: Node | str, new: Node | str) -> None:
        """Let a node rest on `new` in the place of its underlier `old`: another spot, another curve.

        Raises
        ------
        GraphError
            `node` does not rest on `old`.
        CycleError
            `new` rests on `node`; nothing has changed.
        """
        with self._lock:
            found, leaving = self.node(node), self.node(old)
            if leaving not in found._inputs:
                listed = ", ".join(source.name for source in found._inputs)
                raise GraphError(f"{found.name} does not rest on {leaving.name}, but on {listed}", name=found.name)
            coming = self.node(new) if isinstance(new, str) else self.register(new)
            self._refuse_cycle(found, [coming])
            self._begin_tick()
            self._undoable(exchange(self, found, leaving, coming))

    def derive(
        self,
        name: str,
        function: Callable[..., Any],
        inputs: Sequence[Node | str],
        policy: Policy | None = None,
        *,
        equal: Callable[[Any, Any], bool] | float | None = None,
        override: bool = False,
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
        policy : Policy, optional
            When to evaluate it, if not at every tick that reaches it: :class:`~bank_python.dagger.OnRead`,
            :class:`~bank_python.dagger.Every`, :class:`~bank_python.dagger.Moved`,
            :class:`~bank_python.dagger.Background`.
        equal : callable or float, optional
            When two values count as the same; see :class:`DerivedNode`.
        override : bool, default False
            Whether a what-if layer may set the node itself.
        replace : bool, default False
            Redefine a node of that name.

        Returns
        -------
        DerivedNode
            The registered node.
        """
        node = DerivedNode(name, function, self._resolve(inputs), equal, policy, override=override)
        return self.register(node, replace=replace)

    def sum(
        self, name: str, nodes: Sequence[Node | str], weights: Sequence[float] | None = None, *, replace: bool = False
    ) -> SumNode:
        """Make the exact (weighted) sum of nodes a node of the graph."""
        return self.register(SumNode(name, self._resolve(nodes), weights), replace=replace)

    def block(self, leaves: Sequence[Leaf | str]) -> LeafBlock:
        """Return a block that sets many leaves at once from an array, as one tick.

        Raises
        ------
        GraphError
            One of them is not a leaf that holds a number, or stands there twice.
        """
        return LeafBlock(self, [self.node(leaf) for leaf in leaves])

    # --- time passes -------------------------------------------------------------------------

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Many sets, one tick; if the block raises, everything done in it is undone."""
        with self._lock:
            outermost = self._log is None
            noted: dict[Node, Outcome] = {}
            if self._log is None:
                self._batch_owner = get_ident()  # who may see what the batch has done so far
                self._log = []
                self._undo = []
                noted = dict(self._observers.noted)
            try:
                yield
                if outermost:
                    self._complete()
            except BaseException:
                if outermost:
                    self._roll_back()
                    self._observers.noted = noted
                raise
            finally:
                if outermost:
                    self._log, self._batch_owner = None, 0

    def recalculate(self, leaf: Leaf | None = None) -> Recalculation:  # noqa: ARG002 - a hint, see below
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
        with self._lock:
            done = self._update()
        done.seconds = time.perf_counter() - started
        return done

    @contextmanager
    def scenario(self, overrides: Mapping[Any, object]) -> Iterator[Layer]:
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
            An override names a node that is neither a leaf nor derived with ``override=True``.
        """
        known = {node: _override(node, value) for node, value in ((self.node(k), v) for k, v in overrides.items())}
        outer = active_layer(self)
        with self._lock:
            base = self.snapshot() if outer is None else outer.base
            layer = Layer(self, base, known, outer)
        enter_layer(layer)
        try:
            yield layer
        finally:
            leave_layer(layer)
            if outer is None:
                self._release(base)

    @contextmanager
    def record(self, journal: Journal) -> Iterator[Recorder]:
        """Write every tick to a journal while the block is open; see :mod:`bank_python.dagger.journal`.

        Raises
        ------
        GraphError
            The graph is being recorded already, or a batch is open.
        JournalError
            On leaving: the journal could not be written; the graph went on, the journal ends before that tick.
        """
        with self._lock:
            if self._recorder is not None:
                raise GraphError("the graph is being recorded already; one journal at a time")
            if self._log is not None:
                raise GraphError("a recording starts from a whole tick; start it outside the batch")
            recorder = self._recorder = Recorder(self, journal)
        try:
            yield recorder
        finally:
            with self._lock:
                self._recorder = None
            recorder.release()
        if recorder.error is not None:
            raise JournalError(
                f"the journal ends after {recorder.ticks} ticks: {recorder.error}; what came later is not in it"
            ) from recorder.error

    def replay(self, journal: Iterable[Entry], on_tick: Callable[[int], object] | None = None) -> int:
        """Do again what a journal recorded, on a graph of the same definition.

        Nodes with a policy take the values that the journal has and are not evaluated.

        Parameters
        ----------
        journal : Journal
            Or any entries, in order.
        on_tick : callable, optional
            Called with the recorded number of each tick when it is done.

        Returns
        -------
        int
            How many ticks were replayed, the opening apart.

        Raises
        ------
        JournalError
            The journal is damaged, or names a node that is not in the graph; ticks before that stay done.
        """
        return replay(self, journal, on_tick)

    def ladder(self, target: Node | str, leaf: Node | str, shocks: ArrayLike, *, relative: bool = False) -> Ladder:
        """Return a target's value with one leaf at each of many levels; nothing in the graph changes.

        Each value is, to the bit, what reading the target inside ``graph.scenario({leaf: level})`` gives. Array nodes
        of a class are priced for all levels in one call. Inside a what-if layer the ladder starts from what that
        layer sees.

        Parameters
        ----------
        target : Node or str
            What to value: a node whose value is a number.
        leaf : Node or str
            What to move: a leaf that holds a number.
        shocks : array_like of shape (n,)
            At least one, finite: what is added to the leaf's level.
        relative : bool, default False
            Shocks are fractions of the level: −0.2 is down 20%.

        Returns
        -------
        Ladder
            Where the target has no value, it holds NaN and the error.

        Raises
        ------
        UnknownNodeError
            There is no such node.
        GraphError
            `leaf` is not a leaf that holds a number (:exc:`NotQuotedError`: not yet).
        DomainError
            The shocks are not finite numbers; a level lies outside the leaf's domain; a relative shock of a leaf at 0.
        """
        return make_ladder(self, self.node(target), self.node(leaf), shocks, relative=relative)

    def greeks(
        self,
        targets: Node | str | Sequence[Node | str],
        leaves: Node | str | Sequence[Node | str],
        *,
        bump: float = 0.01,
        relative: bool = True,
    ) -> Greeks:
        """Return first and second derivatives of targets by leaves, from central differences.

        With h the bump, the errors are of order h² and, from rounding, 1/h for delta and 1/h² for gamma; see
        :mod:`bank_python.dagger.greeks`. Inside a what-if layer they are taken around what that layer sees.

        Parameters
        ----------
        targets, leaves : Node or str, or a sequence of them
            What to differentiate, and by which leaves.
        bump : float, default 0.01
            Above zero.
        relative : bool, default True
            The bump is a fraction of each leaf's level, not in the leaf's own units.

        Returns
        -------
        Greeks
            ``greeks[target, leaf].delta`` and so on.

        Raises
        ------
        UnknownNodeError
            There is no such node.
        GraphError
            One of `leaves` is not a leaf that holds a number (:exc:`NotQuotedError`: not yet).
        DomainError
            The bump is not above zero, does not move a leaf, or moves it out of its domain; a relative bump of a leaf
            at 0; no target or no leaf.
        """
        of = [self.node(node) for node in _listed(targets)]
        by = [self.node(node) for node in _listed(leaves)]
        return make_greeks(self, of, by, bump, relative=relative)

    def snapshot(self) -> Snapshot:
        """Hold one committed tick still: ``with graph.snapshot() as s: s[node]``."""
        with self._lock:
            self._update()
            snapshot = Snapshot(self, self._tick)
            self._snapshots[snapshot] = None
            return snapshot

    # --- asking ------------------------------------------------------------------------------

    def subscribe(self, node: Node | str, callback: Callable[[Node], object], *, weak: bool = False) -> Subscription:
        """Call ``callback(node)`` after each recalculation or set that changed the node.

        Several changes before the node is brought up to date are one call. The callback runs in the thread that
        made the change, when its tick is complete. One that raises is logged and counted
        (``subscription.failures``); graph and other subscribers are unaffected.

        Parameters
        ----------
        node : Node or str
            What to watch.
        callback : callable
            Takes the node.
        weak : bool, default False
            Do not keep `callback` alive (for a bound method: the object it belongs to); when it is gone, the
            subscription ends by itself.
        """
        with self._lock:
            found = self.node(node)
            subscription = self._observers.add(found, callback, weak=weak)
            forget_fan(found)
            return subscription

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
            by_level=tuple(tuple(node.name for node in level) for level in levels),
        )

    @contextmanager
    def profile(self) -> Iterator[Profile]:
        """Collect evaluations and time by class of node while the block is open: ``with graph.profile() as p:``."""
        with self._lock:
            outer, profile = self._profile, Profile()
            self._profile = profile
        try:
            yield profile
        finally:
            self._profile = outer

    def to_dot(self) -> str:
        """Return the graph in Graphviz' language."""
        return explaining.to_dot(self)

    def __repr__(self) -> str:
        leaves = sum(isinstance(node, Leaf) for node in self._nodes.values())
        return f"<DependencyGraph: {len(self)} nodes, {leaves} leaves, {self.dirty} dirty, tick {self._tick}>"

    # --- reading (called by Node) ------------------------------------------------------------

    def _read(self, node: Node) -> Outcome:
        layer = active_layer(self)
        if layer is not None:
            return layer.outcome(node)
        if (self._pending or node._state or self._waiting) and self._lock.try_enter(wait=node._outcome is None):
            try:
                self._refresh(node)
            finally:
                self._lock.leave()
        waited = False
        while True:
            undone = self._rollbacks
            outcome = node._outcome
            if node._changed_tick > self._tick:
                if self._batch_owner == get_ident():
                    return outcome
                outcome = node._previous
                if outcome is None and not waited:  # a large node has let go of it: wait for the tick to end
                    with self._lock:
                        waited = True
                    continue
            if undone == self._rollbacks and not undone % 2:
                return outcome
            with self._lock:  # a batch is being undone; wait until it is
                pass

    def _is_current(self, node: Node) -> bool:
        return not node._state and not self._pending

    def _refresh(self, node: Node) -> None:
        if isinstance(node, Leaf):
            return
        if self._waiting:
            self._wake()
        reaches = [self._memory.reach(source, _leaves(source), node) for source in self._pending]
        if Reach.PART in reaches or self._dirty:
            self._mark_pending()
        else:
            reached = [source for source, reach in zip(self._pending, reaches, strict=True) if reach is Reach.ALL]
            self._follow({source: self._pending.pop(source) for source in reached})
        if node._state:
            self._process(needed_for(node))

    # --- bringing up to date -----------------------------------------------------------------

    def _update(self) -> Recalculation:
        if self._waiting:
            self._wake()
        if self._dirty:
            self._mark_pending()
            return self._process(list(self._dirty))
        pending, self._pending = self._pending, {}
        return self._follow(pending)

    def _follow(self, pending: dict[Node | LeafBlock, Outcome]) -> Recalculation:
        wave, self._wave = self._wave or Wave(self), None  # a run that is interrupted, or within another, has its own
        wave.begin()
        try:
            for source, old in pending.items():
                if isinstance(source, LeafBlock):
                    source.start(wave, cast("NDArray[np.float64]", old))
                else:
                    wave.start(source, old)
            wave.run()
        except BaseException:
            distrust_all(self, [leaf for source in pending for leaf in _leaves(source)])
            raise
        self._wave = wave
        self._evaluations += wave.done.evaluated
        return wave.done

    def _process(self, nodes: Sequence[Node]) -> Recalculation:
        done = process(self, nodes)
        self._evaluations += done.evaluated
        return done

    def _mark_pending(self) -> None:
        pending, self._pending = self._pending, {}
        for source, old in pending.items():
            for leaf, before in _pairs(source, old).items():
                if not same(before, leaf._outcome):
                    deliver(self, leaf, before)

    def _wake(self) -> None:
        for node in [node for node in self._waiting if node.gate is not None and node.gate.is_ripe()]:
            del self._waiting[node]
            mark_stale(self, [node])

    # --- writing -----------------------------------------------------------------------------

    def _commit(self) -> list[Subscription]:
        self._tick = self._working_tick
        if self._recorder is not None:
            self._recorder.commit(self._tick)
        return self._observers.take(settled=not self._pending) if self._observers.noted else []

    def _arrive(self, node: Node, outcome: Outcome) -> None:
        """Take a value that was computed elsewhere, as a tick."""
        old = node._outcome
        self._begin_tick()
        if self._recorder is not None:
            self._recorder.note_evaluated(node, outcome)
        if not same(old, outcome):
            replace(self, node, outcome)
            self._pending.setdefault(node, old)
            self._observers.note(node, old)

    def _settle_arrival(self, node: Node) -> None:
        """Follow up what arrived, if nothing else waits: then its subscribers can be told at once."""
        if not self._dirty and list(self._pending) == [node]:
            self._update()

    def _undoable(self, undo: Callable[[], object]) -> None:
        if self._log is not None:
            self._undo.append(undo)

    def _begin_tick(self) -> None:
        if self._working_tick == self._tick:
            self._working_tick += 1

    def _set_leaf(self, leaf: Leaf, outcome: Outcome, stamp: object) -> None:
        with self._lock:
            old, old_stamp = leaf._outcome, leaf._stamp
            leaf._stamp = stamp
            if self._log is not None:
                self._undo.append(lambda: setattr(leaf, "_stamp", old_stamp))
            if same(old, outcome):
                return
            self._single_sets += 1
            tick = self._working_tick
            if tick == self._tick:
                tick = self._working_tick = tick + 1
            if self._log is not None or self._snapshots or self._recorder is not None or self._observers.by_node:
                self._tell_of_set(leaf, old)
            if leaf not in self._pending:
                self._note(leaf, old)
            if leaf._changed_tick != tick:
                leaf._previous, leaf._changed_tick = old, tick
            leaf._outcome = outcome

    def _tell_of_set(self, leaf: Leaf, old: Outcome) -> None:
        save(self, [leaf])
        self._observers.note(leaf, old)
        if self._recorder is not None:
            self._recorder.note_set(leaf)

    def _set_block(self, block: LeafBlock, values: NDArray[np.float64]) -> None:
        with self._lock:
            old = block.present()
            if not self._takes_whole(block) or np.isnan(old).any():
                for leaf, value in zip(block.leaves, values.tolist(), strict=True):
                    self._set_leaf(leaf, value, stamp=True)
                return
            self._begin_tick()
            tick = self._working_tick
            for leaf, value in zip(block.leaves, values.tolist(), strict=True):
                before = leaf._outcome
                leaf._stamp = True
                if value != before or not value:
                    leaf._previous = before
                    leaf._changed_tick = tick
                    leaf._outcome = value
            block.took(values)
            self._pending.setdefault(block, old)

    def _is_watchful(self) -> bool:
        """Whether somebody has to be told of every single change as it is made."""
        return (
            self._log is not None or len(self._snapshots) > 0 or self._recorder is not None or self._profile is not None
        )

    def _takes_whole(self, block: LeafBlock) -> bool:
        """Whether nobody has to be told of single leaves: no batch, snapshot, subscriber, or other set to follow up."""
        if self._observers.by_node or self._is_watchful():
            return False
        return all(source is block for source in self._pending)

    def _note(self, leaf: Leaf, old: Outcome) -> None:
        for block in [source for source in self._pending if isinstance(source, LeafBlock) and leaf in source]:
            for member, before in _pairs(block, self._pending.pop(block)).items():
                self._pending[member] = before
        self._pending.setdefault(leaf, old)

    def _amend(self, node: ArrayNode, terms: Mapping[str, float]) -> None:
        with self._lock:
            self._begin_tick()
            before = node.terms
            self._undoable(lambda: self._rewrite_terms(node, before))
            self._rewrite_terms(node, terms)
            if self._recorder is not None:
                self._recorder.note_terms(node)

    def _rewrite_terms(self, node: ArrayNode, terms: Mapping[str, float]) -> None:
        node._terms.update(terms)
        if node._lanes is not None:
            node._lanes.refresh_terms(node)
        mark_stale(self, [node])

    def _complete(self) -> None:
        """Bring up to date what was computed in mid-batch: a mixture must not outlive the batch."""
        computed = {before.node for before in self._log or () if before.node._inputs and before.node._graph is self}
        for node in computed:
            self._refresh(node)

    def _roll_back(self) -> None:
        log, self._log = self._log or [], None
        self._rollbacks += 1  # odd while nodes go back to what they held
        try:
            if self._recorder is not None:
                self._recorder.discard()
            for restore in reversed(self._undo):
                restore()
            for before in reversed(log):
                if before.node._graph is self:  # and did not come in this batch, to leave again with it
                    self._restore(before)
        finally:
            self._working_tick = self._tick
            self._rollbacks += 1

    def _restore(self, before: Before) -> None:
        node, undone = before.node, before.node._outcome
        node._outcome, node._previous, node._changed_tick = before.outcome, before.previous, before.changed_tick
        self._single_sets += 1
        if node in self._pending:
            return
        if isinstance(node, Leaf):
            self._pending[node] = undone
        else:
            deliver(self, node, undone)
            mark_stale(self, [node])

    # --- wiring, step by step ----------------------------------------------------------------

    def _resolve(self, nodes: Sequence[Node | str]) -> list[Node]:
        return [self.node(node) if isinstance(node, str) else node for node in nodes]

    def _refuse_cycle(self, node: Node, inputs: Sequence[Node]) -> None:
        path = find_cycle(node, inputs)
        if path:
            raise CycleError(f"{node.name} cannot rest on itself: {' → '.join(path)}", path=path)

    def _attach(self, node: Node, inputs: tuple[Node, ...]) -> None:
        self._undoable(lambda: detach(self, node))
        attach(self, node, inputs)

    def _rewire(self, node: Node, inputs: tuple[Node, ...]) -> None:
        before = node._inputs
        self._undoable(lambda: self._rewire(node, before))
        self._begin_tick()
        node._inputs = inputs
        connect(self, node, before)

    def _substitute(self, old: Node, new: Node) -> None:
        self._begin_tick()
        for dependent in old.dependents:
            self._undoable(exchange(self, dependent, old, new))
        self._undoable(lambda: attach(self, old, old._inputs))
        detach(self, old)
        self._nodes[new.name] = new

    # --- layers and snapshots ----------------------------------------------------------------

    def _hold(self, tick: int) -> bool:
        """Enter the write lock if that needs no waiting and the graph still stands, up to date, at `tick`."""
        if not self._lock.try_enter(wait=False):
            return False
        if self._working_tick == self._tick == tick and not self._pending and not self._dirty:
            return True
        self._lock.leave()
        return False

    def _release(self, snapshot: Snapshot) -> None:
        """Let go of a snapshot, without waiting for a writer: a writer may be waiting for the one who leaves."""
        self._snapshots.pop(snapshot, None)


def _listed(given: Node | str | Sequence[Node | str]) -> Sequence[Node | str]:
    return [given] if isinstance(given, Node | str) else given


def _leaves(source: Node | LeafBlock) -> tuple[Node, ...]:
    return source.leaves if isinstance(source, LeafBlock) else (source,)


def _pairs(source: Node | LeafBlock, old: Outcome) -> dict[Node, Outcome]:
    return source.pairs(cast("NDArray[np.float64]", old)) if isinstance(source, LeafBlock) else {source: old}


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
