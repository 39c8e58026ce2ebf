"""Notifying others of what changed, after the tick that changed it is complete and when nothing is held any more.

A change notes the nodes it changes; when its tick is committed, the subscriptions that are due are queued for the
thread that made it, and when that thread has let go of the graph it calls them. What a callback itself changes is
queued as well and delivered by the same loop, so callbacks do not nest. A callback may set leaves, read, subscribe and
cancel; one that raises is logged and counted, the others are called all the same. Callbacks that keep setting each
other off are stopped after :data:`ROUNDS` rounds: the next change they try is refused with a :exc:`FeedbackError`.
"""

from __future__ import annotations

import inspect
import logging
import weakref
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING

from bank_python.dagger.context import VIEWS
from bank_python.dagger.derived import require_plain
from bank_python.dagger.leaf import Leaf
from bank_python.dagger.outcome import unchanged
from bank_python.errors import FeedbackError, GraphError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome

    _Callback: TypeAlias = Callable[[Node], object]

__all__ = ["ROUNDS", "Observers", "Subscription"]

ROUNDS = 100
"""How many times callbacks may set off callbacks before they count as a feedback loop."""

_LOG = logging.getLogger(__name__)


class Subscription:
    """A callback on a node; :meth:`cancel` ends it.

    Attributes
    ----------
    node : Node
        The node that is watched.
    calls, failures : int
        How often the callback was called, and how often it raised.
    error : Exception or None
        What it raised last.
    """

    def __init__(self, observers: Observers, node: Node, callback: Callable[[], _Callback | None]) -> None:
        self._observers = observers
        self._callback = callback
        self.node = node
        self.calls = 0
        self.failures = 0
        self.error: Exception | None = None

    @property
    def callback(self) -> _Callback | None:
        """The function that is called, or ``None`` if it was held weakly and is gone."""
        return self._callback()

    def holds(self, reference: object) -> bool:
        """Whether it is by this reference that the callback is held."""
        return self._callback is reference

    @property
    def is_active(self) -> bool:
        """Whether it has not been cancelled, its node is in the graph, and its callback is there."""
        return self in self._observers.of(self.node) and self.callback is not None

    def cancel(self) -> None:
        """Stop calling, in the round that is being delivered too; cancelling twice is fine."""
        self._observers.remove(self)

    def __repr__(self) -> str:
        state = "active" if self.is_active else "ended"
        return f"<Subscription to {self.node.name}: {state}, {self.calls} calls, {self.failures} failures>"


class Observers:
    """The graph's subscriptions, and the changes noted since they were last notified."""

    def __init__(self) -> None:
        self._by_node: dict[Node, dict[Subscription, None]] = {}
        self._noted: dict[Node, Outcome] = {}
        self.queues: dict[int, dict[Subscription, None]] = {}  # by thread, what it has to deliver
        self._rounds: dict[int, int] = {}  # by thread that is delivering, the round it is in

    def __contains__(self, node: object) -> bool:
        return node in self._by_node

    def __len__(self) -> int:
        return len(self._by_node)

    def of(self, node: Node) -> dict[Subscription, None]:
        """Return the subscriptions to a node."""
        return self._by_node.get(node, {})

    def add(self, node: Node, callback: _Callback, *, weak: bool) -> Subscription:
        """Call `callback` with the node after each tick that changed it."""
        require_plain(f"subscription to {node.name}", callback)
        held = self._held_weakly(node, callback) if weak else lambda: callback
        subscription = Subscription(self, node, held)
        of_node = self._by_node.setdefault(node, {})
        of_node[subscription] = None
        self._by_node[node] = of_node  # again, as the end of a weak subscription may have taken it away in between
        return subscription

    def _held_weakly(self, node: Node, callback: _Callback) -> Callable[[], _Callback | None]:
        try:
            return self._weakly(node, callback)
        except TypeError as error:
            raise GraphError(
                f"subscription to {node.name}: a {type(callback).__name__} cannot be held weakly; leave out weak=True",
                name=node.name,
            ) from error

    def _weakly(self, node: Node, callback: _Callback) -> Callable[[], _Callback | None]:
        """Return a weak reference to the callback that takes its subscriptions with it, changes or not."""
        observers = weakref.ref(self)

        def end(gone: object) -> None:  # called by the garbage collector, anywhere: single atomic steps only
            kept = observers()
            ended = [] if kept is None else [one for one in tuple(kept.of(node)) if one.holds(gone)]
            for subscription in ended:
                if kept is not None:
                    kept.remove(subscription)

        return weakref.WeakMethod(callback, end) if inspect.ismethod(callback) else weakref.ref(callback, end)

    def remove(self, subscription: Subscription) -> None:
        """Forget one subscription."""
        of_node = self.of(subscription.node)
        of_node.pop(subscription, None)
        if not of_node:
            self._by_node.pop(subscription.node, None)
            self._noted.pop(subscription.node, None)

    def forget(self, node: Node) -> None:
        """Drop everything about a node that leaves the graph."""
        self._by_node.pop(node, None)
        self._noted.pop(node, None)

    # --- noting ------------------------------------------------------------------------------

    def note(self, node: Node, old: Outcome) -> None:
        """Remember that `node` changed from `old`; several changes before the next delivery are one."""
        if node in self._by_node:
            self._noted.setdefault(node, old)

    def noted(self) -> dict[Node, Outcome]:
        """Return a copy of what was noted."""
        return dict(self._noted)

    def restore(self, noted: dict[Node, Outcome]) -> None:
        """Go back to what was noted before a batch that is undone."""
        self._noted = noted

    def collect(self, is_settled: Callable[[Node], bool]) -> None:
        """Queue, for this thread, the subscriptions to nodes that have changed.

        Parameters
        ----------
        is_settled : callable
            Tells whether a node is up to date; one that is not waits until it is. Leaves are sure to stay as they are.
        """
        if not self._noted:
            return
        ready = {node: old for node, old in self._noted.items() if isinstance(node, Leaf) or is_settled(node)}
        queue = self.queues.setdefault(get_ident(), {})
        for node, old in ready.items():
            del self._noted[node]
            if not unchanged(old, node.outcome_):
                queue.update(self.of(node))

    # --- delivering --------------------------------------------------------------------------

    def deliver(self) -> None:
        """Call the subscribers that this thread has queued, and those that their callbacks queue."""
        thread = get_ident()
        if thread not in self.queues or thread in self._rounds:  # nothing to do, or the loop below goes on
            return
        self._rounds[thread] = 0
        views = VIEWS.set(())  # a callback is about the graph itself, also where a what-if is open
        try:
            while queued := self.queues.pop(thread, None):
                self._rounds[thread] += 1
                while queued:
                    subscription = next(iter(queued))
                    del queued[subscription]
                    self._call_safely(thread, queued, subscription)
        finally:
            VIEWS.reset(views)
            del self._rounds[thread]

    def _call_safely(self, thread: int, queued: dict[Subscription, None], subscription: Subscription) -> None:
        try:
            self._call(subscription)
        except BaseException:  # Ctrl-C in a callback: the others are called with the next change
            self.queues[thread] = {**queued, **self.queues.get(thread, {})}
            raise

    def _call(self, subscription: Subscription) -> None:
        callback = subscription.callback
        if callback is None or not subscription.is_active:
            return
        subscription.calls += 1
        try:
            callback(subscription.node)
        except Exception as error:  # noqa: BLE001 - the subscriber's own code; logged and counted
            subscription.failures += 1
            subscription.error = error
            with suppress(Exception):  # a log handler of the user's own, or the error's own text, may raise as well
                _LOG.exception("a subscriber of %s raised; the graph is unaffected", subscription.node.name)

    def refuse_feedback(self) -> None:
        """Refuse a change made by callbacks that have kept setting each other off.

        Raises
        ------
        FeedbackError
            This thread is delivering, and has been for more than :data:`ROUNDS` rounds.
        """
        if self._rounds and self._rounds.get(get_ident(), 0) > ROUNDS:
            raise FeedbackError(
                f"callbacks feed themselves: each of {ROUNDS} rounds of notifications has set off the next; this "
                "change was not made. Let a callback set what it does not depend on, or set it only when it differs"
            )
