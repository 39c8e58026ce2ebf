"""The state of a graph: one object, and how it is changed by one thread at a time.

**Ticks.** A change is made under :meth:`State.write`. When the outermost one ends, and no batch is open, the tick is
*committed*: readers in other threads see it from then on, and subscribers are notified, when nothing is held any more.

**The lock** is held for single changes only, never while other code's ``with`` block is open: an open batch is noted in
:attr:`State.batches`, and other threads wait for their turn. So a thread that dies in a batch holds nothing: whoever
writes next finds its log, undoes it and goes on. The lock is the interpreter's own re-entrant one, entered by ``with``
alone, as then not even Ctrl-C leaves it locked.

**A change that is cut short** (Ctrl-C, an error of our own) leaves :attr:`State.torn` set. The next change then first
wires everything anew and marks every derived node stale: what is right is recomputed from the leaves.
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

__all__ = ["BatchLog", "Before", "Keeper", "Listeners", "Recording", "State"]

_Result = TypeVar("_Result")
_POLL = 0.05  # seconds after which one who waits looks whether the batch's thread is still alive


class Listeners(Protocol):
    """Who is notified of changes; see :mod:`bank_python.dagger.observers`."""

    def __contains__(self, node: object) -> bool: ...
    def __len__(self) -> int: ...

    @property
    def queues(self) -> Mapping[int, object]:
        """By thread, what it has to deliver."""

    def note(self, node: Node, old: Outcome) -> None:
        """Remember that a node changed from `old`."""

    def forget(self, node: Node) -> None:
        """Drop everything about a node that leaves the graph."""

    def noted(self) -> dict[Node, Outcome]:
        """Return a copy of what was noted."""

    def restore(self, noted: dict[Node, Outcome]) -> None:
        """Go back to what was noted before."""

    def collect(self, is_settled: Callable[[Node], bool]) -> None:
        """Queue the notifications that are due, for this thread to deliver."""

    def deliver(self) -> None:
        """Call the subscribers that this thread has queued."""

    def refuse_feedback(self) -> None:
        """Raise if this thread is in a callback that has fed itself for too many rounds."""


class Recording(Protocol):
    """Writes ticks to a journal; see :mod:`bank_python.dagger.journal`."""

    def note_set(self, leaf: Leaf) -> None:
        """Note that a leaf is set in the tick under way."""

    def note_terms(self, node: Any) -> None:
        """Note that a contract is amended in the tick under way."""

    def note_evaluated(self, node: Node, outcome: Outcome) -> None:
        """Note what a node came to."""

    def discard(self, nodes: Collection[Node]) -> None:
        """Forget what was noted of `nodes`: the batch that changed them was undone."""

    def commit(self, tick: int) -> None:
        """Write what was noted."""


class Keeper(Protocol):
    """A snapshot: keeps outcomes of its tick before they are replaced."""

    def keep(self, node: Node, outcome: Outcome) -> None:
        """Save a node's outcome, before the writer replaces it."""


class Before(NamedTuple):
    """What a node held before a batch changed it, and what the batch gave it last."""

    outcome: Outcome
    previous: Outcome
    changed_tick: int


class BatchLog:
    """What an open batch has changed, and how that is undone.

    Parameters
    ----------
    handle : object
        The object that the ``with`` statement holds: when it is gone, so is the batch.
    opener : Opener
        The code it belongs to.
    noted : dict of Node to outcome
        What subscribers were to be notified of when it was opened.
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
        self.closed = threading.Lock()  # held while the batch is open, for others to wait at
        self.closed.acquire()

    def end(self, *, failed: bool) -> None:
        """Say that the block is left."""
        self.failed = failed
        self.is_ended = True

    @property
    def is_orphan(self) -> bool:
        """Whether nobody is left to end it."""
        return not self.is_ended and (self.handle() is None or not self.opener.is_alive)

    @property
    def is_over(self) -> bool:
        """Whether it only remains to be closed, by whoever writes next."""
        return self.is_ended or self.is_orphan


class State(ABC):
    """What a graph holds beside its nodes' own outcomes.

    Attributes
    ----------
    topology : Topology
        The nodes and their wiring.
    tick, working_tick : int
        The last committed tick, and the one under way: the same, or one more.
    pending : dict of Node to outcome
        Sources that moved, with what they held when they were last propagated.
    block : (object, array) or None
        A block of leaves that moved as a whole, with what it held: nothing else is pending then.
    marked : dict of Node to None
        Nodes that are not clean, the lazy ones apart.
    waiting : dict of Node to None
        Nodes that their policies hold back.
    batches : list of BatchLog
        The open batches, all of one thread, the outermost first.
    rollbacks : int
        Odd while nodes go back to what they held.
    torn, undoing : bool
        Whether a change was cut short, and whether a batch is being undone.
    has_outsiders : bool
        Whether the tick under way has changes that belong to no open batch.
    propagations, evaluations, single_sets : int
        Counters: of propagations, of evaluations, and of leaves set one by one.
    """

    def __init__(self, listeners: Listeners) -> None:
        self.topology = Topology()
        self.lock = threading.RLock()
        self.owner = 0  # the thread that is writing
        self.depth = 0  # of changes within changes
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
        self.idle_run: Any = None  # what the last propagation worked with, for the next
        self.evaluations = 0
        self.single_sets = 0
        self._snapshots: dict[int, weakref.ref[Keeper]] = {}

    # --- one writer at a time ----------------------------------------------------------------

    def write(self, change: Callable[[], _Result]) -> _Result:
        """Make a change: alone, with its tick committed and its subscribers notified when it is complete.

        Parameters
        ----------
        change : callable
            The change; one that is made within another belongs to that one's tick.
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
        """Close the batches that are over, and make right what was cut short."""
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
        """Return the outermost batch that another thread is in."""
        for log in tuple(self.batches) if self.batches else ():  # a copy: its thread may close it at any moment
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
                    "this thread and another have a batch open on a graph each and wait for each other; "
                    "end the one batch before changing what the other is about"
                )
            if batch in BATCHES.get():
                raise GraphError(
                    "this code runs in another thread on behalf of an open batch, which would wait for it; "
                    "make the change in the batch's own thread, or when the batch has ended"
                )
            if batch.closed.acquire(timeout=_POLL):
                batch.closed.release()

    def is_free(self) -> bool:
        """Whether a reader may write without waiting long: nobody else is writing or has a batch open."""
        return self.owner in (0, get_ident()) and self.others_batch() is None

    def commit(self) -> None:
        """Complete the tick under way."""
        self.tick, self.has_outsiders = self.working_tick, False
        if self.recorder is not None:
            self.recorder.commit(self.tick)
        if len(self.listeners):
            self.listeners.collect(self.is_settled)

    def is_settled(self, node: Node) -> bool:
        """Whether nothing that waits to be propagated can still change a node."""
        return not (self.pending or self.block or node.state_)

    @abstractmethod
    def repair(self) -> None:
        """Make everything right again from the nodes' inputs and the leaves."""

    @abstractmethod
    def complete(self, log: BatchLog) -> None:
        """Close a batch whose block has ended well."""

    @abstractmethod
    def restore(self, log: BatchLog) -> None:
        """Let nodes hold again what they held before a batch, but for leaves that others have set since."""

    # --- marks -------------------------------------------------------------------------------

    def mark_stale(self, nodes: Iterable[Node]) -> None:
        """Mark `nodes` stale and all that depends on them dirty."""
        for node in nodes:
            was_clean = not node.state_
            node.state_ = NodeState.STALE
            if not node.lazy_:
                self.marked[node] = None
            if was_clean:
                self.mark_dirty(node)

    def mark_dirty(self, node: Node) -> None:
        """Mark dirty all that depends on `node`; marks end where they meet what is marked already."""
        stack = [node]
        while stack:
            for dependent in stack.pop().dependents_ or ():
                if not dependent.state_:
                    dependent.state_ = NodeState.DIRTY
                    if not dependent.lazy_:
                        self.marked[dependent] = None
                    stack.append(dependent)

    # --- what is kept of what was ------------------------------------------------------------

    def begin_tick(self) -> None:
        """Take note that the tick under way changes something."""
        if self.working_tick == self.tick:
            self.working_tick += 1

    def replace(self, node: Node, outcome: Outcome) -> None:
        """Give `node` another outcome, keeping the one before the tick under way."""
        self.save([node])
        tick = self.working_tick
        if node.changed_tick_ != tick:
            node.previous_ = node.outcome_
            node.changed_tick_ = tick
        node.outcome_ = outcome

    def save(self, nodes: Iterable[Node]) -> None:
        """Save what `nodes` hold, for snapshots and for batches that may be undone, before it is replaced."""
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
        """Save what `leaf` holds before it is set to `outcome`, for snapshots and for the batch that sets it."""
        for snapshot in self.snapshots():
            snapshot.keep(leaf, leaf.outcome_)
        log = self.log_of_running_code()
        if log is None:
            self.has_outsiders = True
        else:
            log.before.setdefault(leaf, Before(leaf.outcome_, leaf.previous_, leaf.changed_tick_))
            log.wrote[leaf] = outcome

    def snapshots(self) -> list[Keeper]:
        """Return the snapshots that somebody still holds."""
        if not self._snapshots:
            return []
        found = [reference() for reference in tuple(self._snapshots.values())]
        return [snapshot for snapshot in found if snapshot is not None]

    def hold(self, snapshot: Keeper) -> None:
        """Keep for `snapshot` what is replaced from now on, as long as somebody holds it."""
        key, kept = id(snapshot), self._snapshots
        kept[key] = weakref.ref(snapshot, lambda _: kept.pop(key, None))

    def release(self, snapshot: Keeper) -> None:
        """Let go of a snapshot, without waiting for a writer: a writer may be waiting for the one who leaves."""
        self._snapshots.pop(id(snapshot), None)

    def keeps_previous(self) -> bool:
        """Whether a snapshot or an open batch may ask for what a node held before."""
        return bool(self.batches or self._snapshots)

    def is_watchful(self) -> bool:
        """Whether single changes have to be saved, recorded or timed as they are made."""
        return bool(self.batches or self._snapshots or self.recorder is not None or self.profile is not None)

    def undoable(self, undo: Callable[[], object]) -> None:
        """Note how a change of the wiring is undone, for the batch that it belongs to."""
        log = None if self.undoing or not self.batches else self.log_of_running_code()
        if log is not None:
            log.undo.append(undo)

    def log_of_running_code(self) -> BatchLog | None:
        """Return the log of the batch that the running code has open, if it has."""
        for log in reversed(self.batches):
            if log.opener.owns_the_running_code():
                return log
        return None

    def roll_back(self, log: BatchLog) -> None:
        """Undo what a batch has changed; what others changed meanwhile stays."""
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
        """Take a batch off the list of those that are open, and let those go on who wait for it."""
        if log in self.batches:
            self.batches.remove(log)
            log.closed.release()
            if self.batches and not log.failed:
                self.has_outsiders = True  # what it changed belongs to none of the others
