"""The state of a graph, which is changed by one thread at a time.

**Ticks.** All changes are made by :meth:`State.write`. When the outermost call ends, and no batch is open, the tick is
*committed*: readers in other threads see it from then on, and subscribers are notified after the lock is released.

**The lock** is held for single changes only, never while a ``with`` block of user code is open: an open batch is an
entry in :attr:`State.batches`, for which other threads wait. A thread that ends inside a batch therefore holds no lock,
and the next write undoes the batch from its log. The lock is a :class:`threading.RLock`, acquired by ``with``
statements only, so that not even Ctrl-C leaves it locked.

**An interrupted change** (Ctrl-C, an internal error) leaves :attr:`State.torn` set. The next change then first rebuilds
the wiring and marks every derived node stale, so that all values are recomputed from the leaves.
"""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from threading import get_ident
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from bank_python.dagger.context import BATCHES
from bank_python.dagger.node import Node
from bank_python.dagger.node import State as NodeState
from bank_python.dagger.topology import Topology
from bank_python.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from bank_python.dagger.context import Opener
    from bank_python.dagger.leaf import Leaf
    from bank_python.dagger.outcome import Outcome

__all__ = ["BatchLog", "Before", "Listeners", "OpenSnapshot", "Recording", "State"]

_Result = TypeVar("_Result")
_POLL = 0.05  # seconds between checks whether the thread of an open batch is still alive


class Listeners(Protocol):
    """Interface of the subscriptions for the engine; see :mod:`bank_python.dagger.observers`."""

    def __contains__(self, node: object) -> bool: ...
    def __len__(self) -> int: ...

    @property
    def queues(self) -> Mapping[int, object]:
        """Notifications to deliver, by thread."""

    def note(self, node: Node, old: Outcome) -> None:
        """Record that a node changed from `old`."""

    def forget(self, node: Node) -> None:
        """Remove all subscriptions to a node that leaves the graph, and its noted change."""

    def noted(self) -> dict[Node, Outcome]:
        """Return a copy of the noted changes."""

    def restore(self, noted: dict[Node, Outcome]) -> None:
        """Replace the noted changes by an earlier copy of them."""

    def collect(self, is_final: Callable[[Node], bool]) -> None:
        """Queue the notifications that are due, for this thread to deliver."""

    def deliver(self) -> None:
        """Call the subscribers that this thread has queued."""

    def refuse_feedback(self) -> None:
        """Raise if this thread is in a callback that has triggered itself for too many rounds."""


class Recording(Protocol):
    """Interface of a recorder of ticks for the engine; see :mod:`bank_python.dagger.journal`."""

    def note_set(self, leaf: Leaf) -> None:
        """Note that a leaf is set in the tick under way."""

    def note_terms(self, node: Any) -> None:
        """Note that a contract is amended in the tick under way."""

    def note_evaluated(self, node: Node, outcome: Outcome) -> None:
        """Note the outcome of a node."""

    def discard(self, nodes: Collection[Node]) -> None:
        """Discard the notes about `nodes`: the batch that changed them was undone."""

    def commit(self, tick: int) -> None:
        """Complete and write the entry of a tick."""


class OpenSnapshot(Protocol):
    """Interface of a snapshot for the engine: it saves outcomes of its tick before they are replaced."""

    def keep(self, node: Node, outcome: Outcome) -> None:
        """Save a node's outcome, before the writer replaces it."""


class Before(NamedTuple):
    """Outcomes of a node before a batch changed it, and the tick that had changed it last."""

    outcome: Outcome
    previous: Outcome
    changed_tick: int


class BatchLog:
    """Log of the changes of an open batch, from which they are undone.

    Parameters
    ----------
    handle : object
        Object of the ``with`` statement; the batch is abandoned when it is garbage-collected.
    opener : Opener
        Code that the batch belongs to.
    noted : dict of Node to outcome
        Changes that were noted for subscribers when the batch was opened.
    """

    __slots__ = ("amended", "before", "closed", "failed", "handle", "is_ended", "noted", "opener", "undo", "wrote")

    def __init__(self, handle: object, opener: Opener, noted: dict[Node, Outcome]) -> None:
        self.handle = weakref.ref(handle)
        self.opener = opener
        self.noted = noted
        self.is_ended = False
        self.failed = False
        self.before: dict[Node, Before] = {}
        self.wrote: dict[Node, Outcome] = {}
        self.amended: set[Node] = set()
        self.undo: list[Callable[[], object]] = []
        self.closed = threading.Lock()  # held while the batch is open, so that other threads can wait for it
        self.closed.acquire()

    def end(self, *, failed: bool) -> None:
        """Record that the ``with`` block has ended."""
        self.failed = failed
        self.is_ended = True

    @property
    def is_orphan(self) -> bool:
        """Whether no code is left that could end the batch."""
        return not self.is_ended and (self.handle() is None or not self.opener.is_alive)

    @property
    def is_over(self) -> bool:
        """Whether the batch has ended or is abandoned, and is to be closed by the next write."""
        return self.is_ended or self.is_orphan


class State(ABC):
    """State of a graph other than the outcomes of its nodes.

    Attributes
    ----------
    topology : Topology
        Nodes of the graph and their wiring.
    tick, working_tick : int
        Number of the last committed tick, and of the one under way: the same, or one more.
    pending : dict of Node to outcome
        Sources that have changed, with their outcomes at the last propagation.
    block : (object, array) or None
        Block of leaves that was set as a whole, with its values at the last propagation; `pending` is then empty.
    marked : dict of Node to None
        Nodes that are not clean, except lazy nodes.
    waiting : dict of Node to None
        Nodes that are throttled by their policies.
    batches : list of BatchLog
        Logs of the open batches, all of one thread, the outermost first.
    rollbacks : int
        Counter that is odd while a batch is being undone.
    torn, undoing : bool
        Whether a change was interrupted, and whether a batch is being undone.
    has_outsiders : bool
        Whether the tick under way has changes that belong to no open batch.
    propagations, evaluations, single_sets : int
        Numbers of propagations, of node evaluations, and of leaves set one by one.
    """

    def __init__(self, listeners: Listeners) -> None:
        self.topology = Topology()
        self.lock = threading.RLock()
        self.owner = 0  # identifier of the thread that is writing
        self.depth = 0  # nesting depth of changes
        self.tick = 0
        self.working_tick = 0
        self.pending: dict[Node, Outcome] = {}
        self.block: tuple[Any, Any] | None = None
        self.marked: dict[Node, None] = {}
        self.waiting: dict[Node, None] = {}
        self.batches: list[BatchLog] = []
        self.rollbacks = 0
        self.torn = False
        self.undoing = False
        self.has_outsiders = False
        self.listeners = listeners
        self.recorder: Recording | None = None
        self.profile: Any = None
        self.replaying = False
        self.propagations = 0
        self.idle_run: Any = None  # the object of the last propagation, for reuse by the next
        self.evaluations = 0
        self.single_sets = 0
        self._snapshots: dict[int, weakref.ref[OpenSnapshot]] = {}

    # --- one writer at a time ----------------------------------------------------------------

    def write(self, change: Callable[[], _Result]) -> _Result:
        """Make a change as the single writer, commit its tick, and notify the subscribers.

        Parameters
        ----------
        change : callable
            Function that makes the change; a change within another one belongs to the same tick.
        """
        is_inner = self.owner == get_ident()
        try:
            while True:
                with self.lock:
                    if not self.batches or self.is_my_turn():
                        return self._run(change)
                self._wait_for_turn()
        finally:
            if not is_inner and self.listeners.queues:
                self.listeners.deliver()

    def _run(self, change: Callable[[], _Result]) -> _Result:
        depth, owner = self.depth, self.owner
        self.depth, self.owner = depth + 1, get_ident()
        try:
            if not depth and (self.batches or self.torn):
                self.tidy()
            return change()
        finally:
            self.depth, self.owner = depth, owner
            if not depth and not self.batches:
                self.commit()

    def tidy(self) -> None:
        """Close the batches that are over, and repair the graph after an interrupted change."""
        over = [log for log in self.batches if log.is_over]
        for log in over:
            if log.failed or log.is_orphan:
                self.roll_back(log)
        if self.torn and self.depth == 1:
            self.repair()
        for log in over:
            if log in self.batches:
                self.complete(log)

    def is_my_turn(self) -> bool:
        """Whether no other thread is in a batch."""
        return self.others_batch() is None

    def others_batch(self) -> BatchLog | None:
        """Return the outermost batch that another thread has open."""
        for log in tuple(self.batches) if self.batches else ():  # a copy: the other thread may close it at any moment
            if not log.opener.is_in_this_thread and not log.is_over:
                return log
        return None

    def _wait_for_turn(self) -> None:
        batch = self.others_batch()
        if batch is None:
            return
        with batch.opener.waited_for() as will_end:
            if not will_end:
                raise GraphError(
                    "this thread and another thread each have a batch open and wait for each other; end the batch of "
                    "one thread before it changes the graph of the other"
                )
            if batch in BATCHES.get():
                raise GraphError(
                    "this code runs in another thread on behalf of an open batch, which would wait for it; "
                    "make the change in the batch's own thread, or when the batch has ended"
                )
            if batch.closed.acquire(timeout=_POLL):
                batch.closed.release()

    def is_free(self) -> bool:
        """Whether no other thread is writing or has a batch open, so that a reader may write without waiting."""
        return self.owner in (0, get_ident()) and self.others_batch() is None

    def commit(self) -> None:
        """Complete the tick under way."""
        self.tick, self.has_outsiders = self.working_tick, False
        if self.recorder is not None:
            self.recorder.commit(self.tick)
        if len(self.listeners):
            self.listeners.collect(self.is_final)

    def is_final(self, node: Node) -> bool:
        """Whether no pending change can still affect a node."""
        return not (self.pending or self.block or node.state_)

    @abstractmethod
    def repair(self) -> None:
        """Rebuild the wiring from the nodes' inputs and mark every derived node stale."""

    @abstractmethod
    def complete(self, log: BatchLog) -> None:
        """Close a batch whose block has ended without an error."""

    @abstractmethod
    def restore(self, log: BatchLog) -> None:
        """Restore the outcomes that nodes had before a batch, except for leaves that other code has set since."""

    # --- marks -------------------------------------------------------------------------------

    def mark_stale(self, nodes: Iterable[Node]) -> None:
        """Mark `nodes` stale, and all their dependents dirty."""
        for node in nodes:
            was_clean = not node.state_
            node.state_ = NodeState.STALE
            if not node.lazy_:
                self.marked[node] = None
            if was_clean:
                self.mark_dirty(node)

    def mark_dirty(self, node: Node) -> None:
        """Mark all dependents of `node` dirty, stopping at nodes that are marked already."""
        stack = [node]
        while stack:
            for dependent in stack.pop().dependents_ or ():
                if not dependent.state_:
                    dependent.state_ = NodeState.DIRTY
                    if not dependent.lazy_:
                        self.marked[dependent] = None
                    stack.append(dependent)

    # --- previous outcomes -------------------------------------------------------------------

    def begin_tick(self) -> None:
        """Begin a new tick, unless one is under way."""
        if self.working_tick == self.tick:
            self.working_tick += 1

    def replace(self, node: Node, outcome: Outcome) -> None:
        """Set the outcome of `node`, keeping its outcome from before the tick under way."""
        self.save([node])
        tick = self.working_tick
        if node.changed_tick_ != tick:
            node.previous_ = node.outcome_
            node.changed_tick_ = tick
        node.outcome_ = outcome

    def save(self, nodes: Iterable[Node]) -> None:
        """Save the outcomes of `nodes` before they are replaced, for snapshots and for batches that may be undone."""
        snapshots = self.snapshots()
        if not snapshots and not self.batches:
            return
        for node in nodes:
            outcome = node.outcome_
            for snapshot in snapshots:
                snapshot.keep(node, outcome)
            for log in self.batches:
                log.before.setdefault(node, Before(outcome, node.previous_, node.changed_tick_))

    def save_set(self, leaf: Node, outcome: Outcome) -> None:
        """Save the outcome of `leaf` before it is set to `outcome`, for snapshots and for the batch that sets it."""
        for snapshot in self.snapshots():
            snapshot.keep(leaf, leaf.outcome_)
        log = self.log_of_running_code()
        if log is None:
            self.has_outsiders = True
        else:
            log.before.setdefault(leaf, Before(leaf.outcome_, leaf.previous_, leaf.changed_tick_))
            log.wrote[leaf] = outcome

    def snapshots(self) -> list[OpenSnapshot]:
        """Return the snapshots that are still referenced."""
        if not self._snapshots:
            return []
        found = [reference() for reference in tuple(self._snapshots.values())]
        return [snapshot for snapshot in found if snapshot is not None]

    def hold(self, snapshot: OpenSnapshot) -> None:
        """Save for `snapshot` the outcomes that are replaced from now on, as long as it is referenced."""
        key, kept = id(snapshot), self._snapshots
        kept[key] = weakref.ref(snapshot, lambda _: kept.pop(key, None))

    def release(self, snapshot: OpenSnapshot) -> None:
        """Release a snapshot, without waiting for a writer, which may itself be waiting for this thread."""
        self._snapshots.pop(id(snapshot), None)

    def keeps_previous(self) -> bool:
        """Whether a snapshot or an open batch may need previous outcomes."""
        return bool(self.batches or self._snapshots)

    def is_watchful(self) -> bool:
        """Whether single changes have to be saved, recorded or timed as they are made."""
        return bool(self.batches or self._snapshots or self.recorder is not None or self.profile is not None)

    def undoable(self, undo: Callable[[], object]) -> None:
        """Record how to undo a change, for the batch that it belongs to."""
        log = None if self.undoing or not self.batches else self.log_of_running_code()
        if log is not None:
            log.undo.append(undo)

    def log_of_running_code(self) -> BatchLog | None:
        """Return the log of the batch that the running code has open, or ``None``."""
        for log in reversed(self.batches):
            if log.opener.owns_running_code():
                return log
        return None

    def roll_back(self, log: BatchLog) -> None:
        """Undo the changes of a batch, but not those that other code has made in the meantime."""
        was_torn, self.torn = self.torn, True
        self.rollbacks += 1 - self.rollbacks % 2
        self.undoing = True
        try:
            own = {node for node in log.before if log.wrote.get(node, node.outcome_) is node.outcome_}
            if self.recorder is not None:
                self.recorder.discard(own | log.amended)
            noted = {node: old for node, old in self.listeners.noted().items() if node not in log.before}
            while log.undo:
                log.undo[-1]()
                log.undo.pop()
            self.restore(log)
            self.listeners.restore({**noted, **log.noted})
            self.torn = was_torn
        finally:
            self.undoing = False
            self.rollbacks += self.rollbacks % 2
        self.close(log)
        if not self.batches and not self.has_outsiders:
            self.working_tick = self.tick

    def close(self, log: BatchLog) -> None:
        """Remove a batch from the list of open batches, and wake the threads that wait for it."""
        if log in self.batches:
            self.batches.remove(log)
            log.closed.release()
            if self.batches and not log.failed:
                self.has_outsiders = True  # its changes belong to none of the other batches
