"""The engine: setting, reading and wiring, each as one change of the graph's state.

**Setting** a leaf only records the leaf with its value at the last propagation. That takes the same few steps however
many nodes depend on the leaf and however many changes are pending; propagating costs what the change reaches.
**Reading** evaluates only what the node needs: if that includes all dependents of the recorded leaves, it propagates
without marks; otherwise the other dependents are marked (:mod:`~bank_python.dagger.propagate`). A thread that would
have to wait for a batch of another thread reads the last committed tick, as a node that is changed in an unfinished
tick keeps its previous outcome.
"""

from __future__ import annotations

import math
from itertools import compress
from threading import get_ident
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.context import BATCHES, VIEWS, Opener
from bank_python.dagger.dependents import BlockDependents
from bank_python.dagger.leaf import Domain, Leaf
from bank_python.dagger.node import Node
from bank_python.dagger.node import State as NodeState
from bank_python.dagger.outcome import Outcome, same, unchanged
from bank_python.dagger.propagate import Recalculation, propagate
from bank_python.dagger.state import BatchLog, State
from bank_python.dagger.topology import (
    Reach,
    dependents_of,
    refuse_cycle,
    refuse_self_reference,
    registration_order,
)
from bank_python.errors import DomainError, GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from bank_python.dagger.context import View
    from bank_python.dagger.node import Graph
    from bank_python.dagger.state import Before, Listeners

__all__ = ["Batch", "Engine", "LeafBlock"]

_MANY = 256  # number of pending sources above which their dependents are not looked up one by one


class Engine(State):
    """State of a graph with the operations that read and change it; the host of the graph's nodes.

    Parameters
    ----------
    listeners : Listeners
        Subscriptions to notify of changes.
    graph : Graph
        Graph that ``node.graph`` returns.
    """

    def __init__(self, listeners: Listeners, graph: Graph) -> None:
        super().__init__(listeners)
        self.graph = graph
        self.outside_view: Callable[[list[BatchLog]], View] | None = None  # makes the view of code outside batches

    # --- reading -----------------------------------------------------------------------------

    def read(self, node: Node) -> Outcome:
        """Return the outcome of a node in the running context, evaluating it if it is out of date."""
        if VIEWS.get() or self.batches:
            if any(log.is_orphan for log in tuple(self.batches)) and self.is_free():
                self.write(lambda: None)  # any write first undoes abandoned batches
            view = self.current_view()
            if view is not None:
                return view.outcome(node)
        if (self.pending or node.state_ or self.waiting or self.block or self.torn) and not isinstance(node, Leaf):
            self._refresh(node)
        return self._committed(node)

    def current_view(self) -> View | None:
        """Return the view through which the running code sees the graph, if it is not the graph itself."""
        view = self.active_view()
        batches = tuple(self.batches)  # a copy: another thread may close its batch, or open one, at any moment
        if view is None and self.outside_view is not None and batches and batches[0].opener.is_in_this_thread:
            outside_of = [log for log in batches if not log.opener.owns_running_code()]
            return self.outside_view(outside_of) if outside_of else None
        return view

    def active_view(self) -> View | None:
        """Return the innermost view of this graph that the running code has open."""
        for view in reversed(VIEWS.get()):
            if view.host is self and view.is_open():
                return view
        return None

    def _refresh(self, node: Node) -> None:
        """Bring a node up to date, unless it has a value and that would mean waiting for another thread."""
        if self.is_free() or node.outcome_ is None:
            self.write(lambda: self.bring_up_to_date(node))

    def _committed(self, node: Node) -> Outcome:
        """Return the outcome of a node, or its previous outcome if another thread's unfinished tick has changed it."""
        while True:
            undone = self.rollbacks
            outcome = node.outcome_
            if node.changed_tick_ > self.tick and not self._is_own_tick():
                outcome = node.previous_
                if outcome is None and node.host_ is self:  # a LargeNode does not keep it: wait for the tick to end
                    self.write(lambda: None)
                    outcome = node.outcome_
            if undone == self.rollbacks and not undone % 2:
                return outcome
            with self.lock:  # wait until the batch that is being undone is undone
                pass

    def _is_own_tick(self) -> bool:
        if self.owner == get_ident():
            return True
        return any(log.opener.is_in_this_thread for log in tuple(self.batches))  # a copy: other threads may change it

    def is_current(self, node: Node) -> bool:
        """Whether the outcome of a node is known to be up to date."""
        return not (node.state_ or self.pending or self.block or self.torn)

    def peek(self, node: Node) -> tuple[Outcome, str]:
        """Return what is known of a node in the running context without evaluating anything, and how it stands."""
        view = self.active_view()
        if view is not None:
            outcome = view.peek(node)
            return outcome, "not computed in this scenario yet: .value computes it" if outcome is None else ""
        outcome, is_current = self._visible(node)
        if is_current:
            return outcome, ""
        missing = "not computed yet: .value computes it"
        return outcome, missing if outcome is None else "before changes that are not propagated yet"

    def _visible(self, node: Node) -> tuple[Outcome, bool]:
        """Return the outcome that the running code may see, without waiting, and whether it is up to date."""
        for log in tuple(self.batches):
            if not log.opener.owns_running_code() and node in log.before:
                return log.before[node].outcome, True
        if node.changed_tick_ > self.tick and not self._is_own_tick():
            return node.previous_, True
        return node.outcome_, isinstance(node, Leaf) or self.is_current(node)

    # --- bringing up to date -----------------------------------------------------------------

    def bring_up_to_date(self, node: Node) -> None:
        """Evaluate a node, and of its inputs only those that are out of date."""
        if self.waiting:
            self._wake()
        needed = self._wholly_needed(node)
        if needed is None:
            self._take_pending([node])
        elif needed:
            was_torn, self.torn = self.torn, True
            propagate(self, {source: self.pending.pop(source) for source in needed if source in self.pending})
            self.torn = was_torn

    def _wholly_needed(self, node: Node) -> list[object] | None:
        """Return the pending sources whose dependents the node needs all; ``None`` if it needs some of them only."""
        if self.marked or node.state_ or len(self.pending) > _MANY:
            return None
        sources: dict[Any, Sequence[Node]] = {source: [source] for source in self.pending}
        if self.block is not None:
            sources[self.block[0]] = self.block[0].leaves
        reaches = {source: self.topology.reach(source, leaves, node) for source, leaves in sources.items()}
        if Reach.PART in reaches.values():
            return None
        return [source for source, reach in reaches.items() if reach is Reach.ALL]

    def update(self) -> Recalculation:
        """Bring everything up to date."""
        if self.waiting:
            self._wake()
        return self._take_pending(None)

    def _take_pending(self, targets: Sequence[Node] | None) -> Recalculation:
        was_torn, self.torn = self.torn, True
        pending, self.pending = self.pending, {}
        done = propagate(self, pending, targets)
        self.torn = was_torn
        return done

    def _wake(self) -> None:
        for node in [node for node in self.waiting if node.gate is not None and node.gate.is_ripe()]:
            with _Tearing(self):
                del self.waiting[node]
                self.mark_stale([node])

    def count_dirty(self) -> int:
        """Return the number of nodes that may be out of date: marked nodes, and dependents of pending sources."""
        with self.lock:  # never held for long, not even by an open batch
            moved = [*self.pending, *(self.block[0].leaves if self.block is not None else ())]
            return len({*self.marked, *(node for node in dependents_of(moved) if not node.lazy_)})

    def repair(self) -> None:
        """Rebuild the wiring from the nodes' inputs and mark every derived node stale."""
        self.pending, self.block, self.marked, self.waiting = {}, None, {}, {}
        self.topology.rebuild(self)
        for node in self.topology.nodes.values():
            if isinstance(node, Leaf):
                node.state_ = NodeState.CLEAN
            else:
                node.state_ = NodeState.STALE
                if not node.lazy_:
                    self.marked[node] = None
        self.single_sets += 1
        self.torn = False

    # --- setting -----------------------------------------------------------------------------

    def set_leaf(self, leaf: Leaf, outcome: Outcome, stamp: object) -> None:
        """Set a leaf, in a tick of its own or in that of the enclosing change."""
        with self.lock:
            if not (self.batches or self.depth or self.torn or self._snapshots or self.recorder or len(self.listeners)):
                self._set(leaf, outcome, stamp)
                self.tick = self.working_tick
                return
        self.listeners.refuse_feedback()
        self.write(lambda: self._set_and_notify(leaf, outcome, stamp))

    def _set(self, leaf: Leaf, outcome: Outcome, stamp: object) -> None:
        old = leaf.outcome_
        leaf.stamp_ = stamp
        is_plain = outcome.__class__ is old.__class__ is float and outcome
        if outcome == old if is_plain else unchanged(old, outcome):
            return
        self.single_sets += 1
        tick = self.working_tick
        if tick == self.tick:
            tick = self.working_tick = tick + 1
        if self.block is not None:
            self._split_block()
        if leaf not in self.pending:
            self.pending[leaf] = old
        # The old value is written first, for readers in other threads, which see the last committed tick.
        if leaf.changed_tick_ != tick:
            leaf.previous_, leaf.changed_tick_ = old, tick
        leaf.outcome_ = outcome

    def _set_and_notify(self, leaf: Leaf, outcome: Outcome, stamp: object) -> None:
        old, old_stamp = leaf.outcome_, leaf.stamp_
        self.undoable(lambda: setattr(leaf, "stamp_", old_stamp))
        if not unchanged(old, outcome):
            self.save_set(leaf, outcome)
            self.listeners.note(leaf, old)
            if self.recorder is not None:
                self.recorder.note_set(leaf)
        self._set(leaf, outcome, stamp)

    def set_block(self, block: LeafBlock, values: NDArray[np.float64], stamps: Sequence[object] | None) -> None:
        """Set the leaves of a block, as one tick."""
        self.listeners.refuse_feedback()
        self.write(lambda: self._set_block(block, values, stamps))

    def _set_block(self, block: LeafBlock, values: NDArray[np.float64], stamps: Sequence[object] | None) -> None:
        old = block.present()
        if not (block.is_quoted and self._can_set_whole(block)):
            kept = [True] * len(block) if stamps is None else stamps
            for leaf, value, stamp in zip(block.leaves, values.tolist(), kept, strict=True):
                self._set_and_notify(leaf, value, stamp)
            return
        with _Tearing(self):
            self.begin_tick()
            tick = self.working_tick
            if self.block is None:
                self.block = block, old
            if stamps is not None:
                for leaf, stamp in zip(block.leaves, stamps, strict=True):
                    leaf.stamp_ = stamp
            moved = values.view(np.int64) != old.view(np.int64)
            whole = moved.all()
            leaves = block.leaves if whole else compress(block.leaves, moved.tolist())
            for leaf, value in zip(leaves, (values if whole else values[moved]).tolist(), strict=True):
                leaf.previous_ = leaf.outcome_
                leaf.changed_tick_ = tick
                leaf.outcome_ = value
            self.single_sets += 1
            block.record_values(values)

    def _can_set_whole(self, block: LeafBlock) -> bool:
        """Whether no change of a single leaf has to be recorded or notified, and no other change is pending."""
        if self.is_watchful() or len(self.listeners) or self.pending:
            return False
        return self.block is None or self.block[0] is block

    def _split_block(self) -> None:
        if self.block is not None:
            with _Tearing(self):
                block, old = self.block
                self.pending.update(zip(block.leaves, old.tolist(), strict=True))
                self.block = None

    def arrive(self, node: Node, outcome: Outcome) -> None:
        """Store an outcome that was computed outside the propagation, as a change of the tick under way."""
        old = node.outcome_
        self.begin_tick()
        if self.recorder is not None:
            self.recorder.note_evaluated(node, outcome)
        if not same(old, outcome):
            self._split_block()
            self.pending.setdefault(node, old)
            self.replace(node, outcome)
            self.listeners.note(node, old)

    def propagate_arrival(self, node: Node) -> None:
        """Propagate an outcome that arrived, if no other change is pending, so that its subscribers are notified."""
        if not self.marked and list(self.pending) == [node]:
            self.update()

    def amend(self, node: ArrayNode, terms: Mapping[str, float]) -> None:
        """Change terms of a contract."""
        self.listeners.refuse_feedback()
        self.write(lambda: self._amend(node, terms))

    def _amend(self, node: ArrayNode, terms: Mapping[str, float]) -> None:
        self.begin_tick()
        before = node.terms
        self.undoable(lambda: self._rewrite_terms(node, before))
        log = self.log_of_running_code()
        if log is not None:
            log.amended.add(node)
        else:
            self.has_outsiders = True
        self._rewrite_terms(node, terms)
        if self.recorder is not None:
            self.recorder.note_terms(node)

    def _rewrite_terms(self, node: ArrayNode, terms: Mapping[str, float]) -> None:
        with _Tearing(self):
            node.terms_.update(terms)
            if node.part_ is not None:
                node.part_.refresh_terms(node)
            self.mark_stale([node])

    # --- batches -----------------------------------------------------------------------------

    def open_batch(self, handle: Batch, opener: Opener) -> BatchLog | None:
        """Return the log of a new batch, or ``None`` inside an open batch of the running code, which it then joins."""
        if self.log_of_running_code() is not None:
            return None
        log = BatchLog(handle, opener, self.listeners.noted())
        self.batches.append(log)
        return log

    def complete(self, log: BatchLog) -> None:
        """Close a batch; nodes that were evaluated inside it, possibly between its changes, are brought up to date."""
        try:
            computed = [node for node in log.before if node.inputs_ and node.host_ is self]
            if computed:
                self._wake()
                self._take_pending(computed)
        except BaseException:
            self.roll_back(log)
            raise
        self.close(log)

    def restore(self, log: BatchLog) -> None:
        """Restore the outcomes that nodes had before a batch, except for leaves that other code has set since."""
        self._split_block()
        computed = False
        for node, before in log.before.items():
            undone = node.outcome_
            if node.host_ is not self:
                continue  # it was registered in this batch, and is removed again with it
            if node in log.wrote and undone is not log.wrote[node]:
                self._correct_others(node, before, log)
                continue  # other code has set it since
            node.outcome_, node.previous_, node.changed_tick_ = before
            self.single_sets += 1
            self.pending.setdefault(node, undone)
            if not isinstance(node, Leaf):
                self.mark_stale([node])
                computed = True
        if computed:
            self._propagate_nothing()  # marks the nodes that were computed from the undone values

    def _correct_others(self, leaf: Node, before: Before, log: BatchLog) -> None:
        """Make batches that set a leaf after `log` did restore, should they fail, its value from before both."""
        for other in self.batches:
            if other is not log and leaf in other.wrote and other.before[leaf].outcome is log.wrote[leaf]:
                other.before[leaf] = before

    # --- wiring ------------------------------------------------------------------------------

    def register(self, node: Node, *, replace: bool) -> None:
        """Add a node and the nodes it depends on; see :meth:`DependencyGraph.register`."""
        nodes = self.topology.nodes
        replaced = nodes.get(node.name) if replace else None
        if replaced is node:
            return
        new = registration_order(self.graph, self, node)
        self.topology.refuse_taken_names(new, replaced)
        if replaced is not None:
            refuse_self_reference(replaced, new)
        for member, inputs in new:
            self._attach(member, inputs)
        if replaced is not None:
            self._substitute(replaced, node)

    def register_at_once(self, node: Node) -> bool:
        """Add a node whose inputs are registered, if no change is under way; return whether it was added."""
        with self.lock:
            if self.batches or self.depth or self.torn or node.host_ is not None or node.name in self.topology.nodes:
                return False
            for source in node.inputs_:
                if source.host_ is not self:
                    return False
            if type(node).bind is not Node.bind:
                return False
            self._attach(node, node.inputs_)
            return True

    def unregister(self, node: Node) -> None:
        """Remove a node that has no dependents."""
        if node.dependents_:
            above = ", ".join(dependent.name for dependent in node.dependents_)
            raise GraphError(f"{node.name} cannot be unregistered: {above} depend on it; unregister those first")
        self._detach(node)

    def rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        """Replace the inputs of a node; a failure leaves everything unchanged."""
        self.listeners.refuse_feedback()
        with Batch(self):
            self.write(lambda: self._rewire(node, inputs))

    def _rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        for source in inputs:
            self.register(source, replace=False)
        refuse_cycle(node, inputs)
        node.accept_inputs(inputs)
        self._rewire_to(node, tuple(inputs))

    def swap(self, node: Node, leaving: Node, coming: Node) -> None:
        """Replace one input of a node by another node."""
        if leaving not in node.inputs_:
            listed = ", ".join(source.name for source in node.inputs_)
            raise GraphError(f"{node.name} does not depend on {leaving.name}, but on {listed}", name=node.name)
        self.register(coming, replace=False)
        refuse_cycle(node, [coming])
        self._exchange(node, leaving, coming)

    def _attach(self, node: Node, inputs: tuple[Node, ...]) -> None:
        if self.batches:
            self.undoable(lambda: self._detach(node))
        was_torn, self.torn = self.torn, True
        if isinstance(node, ArrayNode):
            self._propagate_nothing()  # its row is about to be filled from the outcomes of its inputs
        self.topology.attach(node, inputs, self)
        if not isinstance(node, Leaf):
            node.state_ = NodeState.STALE
            if not node.lazy_:
                self.marked[node] = None
        self.torn = was_torn

    def _detach(self, node: Node) -> None:
        inputs = node.inputs_
        self.undoable(lambda: self._attach(node, inputs))
        with _Tearing(self):
            self._split_block()
            self.topology.detach(node)
            self.listeners.forget(node)
            for kept in (self.marked, self.waiting, self.pending):
                kept.pop(node, None)

    def _rewire_to(self, node: Node, inputs: tuple[Node, ...]) -> None:
        before = node.inputs_
        self.undoable(lambda: self._rewire_to(node, before))
        self.begin_tick()
        with _Tearing(self):
            self._propagate_nothing()
            node.inputs_ = inputs
            self.topology.connect(node, before)
            self.mark_stale([node])

    def _exchange(self, node: Node, old: Node, new: Node) -> None:
        before = {attribute: getattr(node, attribute) for attribute in node.wiring_attributes}
        self.undoable(lambda: self._wire(node, before))
        self.begin_tick()
        with _Tearing(self):
            self._propagate_nothing()
            node.replace_input(old, new)
            self.topology.connect(node, before["inputs_"])
            self.mark_stale([node])

    def _wire(self, node: Node, attributes: Mapping[str, Any]) -> None:
        with _Tearing(self):
            self._propagate_nothing()
            present = node.inputs_
            for attribute, value in attributes.items():
                setattr(node, attribute, value)
            self.topology.connect(node, present)
            self.mark_stale([node])

    def _propagate_nothing(self) -> None:
        """Turn pending changes into marks, as nothing may be pending while the wiring changes."""
        if self.pending or self.block is not None:
            self._take_pending([])

    def _substitute(self, old: Node, new: Node) -> None:
        for dependent in old.dependents:
            self._exchange(dependent, old, new)
        self.begin_tick()
        self._detach(old)
        self.topology.nodes[new.name] = new

    # --- for what-ifs ------------------------------------------------------------------------

    def stands_at(self, tick: int) -> bool:
        """Whether the graph is up to date at `tick` and no other thread is writing; the caller holds the lock."""
        return self.working_tick == self.tick == tick and not (
            self.pending or self.block or self.marked or self.torn or self.owner not in (0, get_ident())
        )


class _Tearing:
    """A section of a change that leaves the graph marked as torn if it is interrupted."""

    __slots__ = ("_state", "_was_torn")

    def __init__(self, state: State) -> None:
        self._state = state
        self._was_torn = False

    def __enter__(self) -> None:
        self._was_torn, self._state.torn = self._state.torn, True

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is None:
            self._state.torn = self._was_torn


class Batch:
    """Several changes that become one tick, or are undone if the block raises; see :meth:`DependencyGraph.batch`.

    A batch belongs to the code that opened it: its thread, asyncio task or generator. Other threads that write wait for
    it to end. Other tasks do not wait and see the graph without its changes; what they set is neither part of the batch
    nor undone with it. A batch whose thread has ended, or whose object was garbage-collected, is undone by the next
    write.

    Parameters
    ----------
    engine : Engine
        Engine of the graph.
    """

    __slots__ = ("__weakref__", "_engine", "_log")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._log: BatchLog | None = None

    def __enter__(self) -> Self:
        if self._log is not None:
            raise GraphError("this batch has been opened before; make a new one: with graph.batch():")
        opener = Opener.of_caller()
        self._log = self._engine.write(lambda: self._engine.open_batch(self, opener))
        if self._log is not None:
            BATCHES.set((*BATCHES.get(), self._log))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._log is not None:
            self._log.end(failed=kind is not None)  # from here on the next write closes it, should this be interrupted
            BATCHES.set(tuple(log for log in BATCHES.get() if log is not self._log))
            self._engine.write(self._engine.tidy)

    def __repr__(self) -> str:
        state = "not opened" if self._log is None else "ended" if self._log.is_ended else "open"
        return f"<Batch: {state}>"


class LeafBlock:
    """Leaves that are set together from an array; returned by :meth:`DependencyGraph.block`.

    A block stores which rows of which contract batches its leaves feed, so that the quotes of a feed are written into
    the arguments of five thousand contracts by one array operation per column instead of one per leaf.

    Parameters
    ----------
    engine : Engine
        Engine of the graph that the leaves are in.
    leaves : sequence of Leaf
        Leaves of the block, each holding a number.

    Raises
    ------
    GraphError
        A node is not a leaf that holds a number, or occurs twice.

    Examples
    --------
    >>> from bank_python.dagger import DependencyGraph
    >>> graph = DependencyGraph()
    >>> spots = [graph.register(Leaf(name, 100.0, domain="positive")) for name in ("AAPL", "MSFT")]
    >>> total = graph.sum("TOTAL", spots)
    >>> page = graph.block(spots)
    >>> page.set([101.0, 102.5])
    >>> total.value
    203.5
    """

    def __init__(self, engine: Engine, leaves: Sequence[Node]) -> None:
        for leaf in leaves:
            if not isinstance(leaf, Leaf) or leaf.domain is Domain.ANY:
                raise GraphError(f"a block sets leaves that hold numbers; {leaf.name} is not one", name=leaf.name)
        self.leaves = cast("tuple[Leaf, ...]", tuple(leaves))
        if len(set(self.leaves)) < len(self.leaves):
            raise GraphError("a leaf occurs in the block twice; name each once")
        self._engine = engine
        self._lowest = np.array([leaf.lowest_ for leaf in self.leaves])
        self._wiring = -1
        self._dependents: BlockDependents | None = None
        self._now: NDArray[np.float64] = self._lowest
        self._seen = -1  # the engine's count of single sets when `_now` was read
        self.is_quoted = False  # whether all leaves held numbers then

    def __len__(self) -> int:
        return len(self.leaves)

    def __contains__(self, leaf: object) -> bool:
        return leaf in self.leaves

    def set(self, values: ArrayLike, stamps: Sequence[object] | None = None) -> None:
        """Set every leaf, as one tick.

        Parameters
        ----------
        values : array_like of shape (len(block),)
            Values in the order of the leaves.
        stamps : sequence of object, optional
            Origin of each value (:func:`~bank_python.market_data.leaves.quote_stamp`), stored with the leaf; every
            stamp is truthy.

        Raises
        ------
        DomainError
            A value is outside the domain of its leaf, or the number of values or stamps is wrong; nothing has changed.
        """
        given = np.array(values, dtype=np.float64)
        if given.shape != self._lowest.shape:
            raise DomainError(f"the block has {len(self)} leaves; got values of shape {given.shape}", value=values)
        if not ((given > self._lowest) & (given < math.inf)).all():
            for leaf, value in zip(self.leaves, given.tolist(), strict=True):
                leaf.domain.check(leaf.name, value)
        if stamps is not None and len(stamps) != len(self):
            raise DomainError(f"the block has {len(self)} leaves; got {len(stamps)} stamps", value=stamps)
        self._engine.set_block(self, given, stamps)

    # --- for the engine ----------------------------------------------------------------------

    def present(self) -> NDArray[np.float64]:
        """Return the values of the leaves, NaN for a leaf that is not yet quoted."""
        if self._seen != self._engine.single_sets:
            self._now = np.array([leaf.outcome_ if leaf.stamp_ else math.nan for leaf in self.leaves])
            self._seen = self._engine.single_sets
            self.is_quoted = not np.isnan(self._now).any()
        return self._now

    def record_values(self, values: NDArray[np.float64]) -> None:
        """Store the values that all leaves were set to."""
        self._now, self._seen, self.is_quoted = values, self._engine.single_sets, True

    def dependents(self) -> BlockDependents:
        """Return the dependents of the leaves, sorting them if the wiring has changed."""
        if self._dependents is None or self._wiring != self._engine.topology.version:
            self._wiring = self._engine.topology.version
            self._dependents = BlockDependents(self.leaves)
        return self._dependents

    def __repr__(self) -> str:
        return f"<LeafBlock of {len(self):,} leaves>"
