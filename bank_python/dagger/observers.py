"""Notification of subscribers, after the tick that changed a node is complete and the graph's lock is released.

A change notes the nodes it changes. When its tick is committed, the subscriptions that are due are queued for the
thread that made the change, and that thread calls them when it has released the graph. Changes made by a callback are
queued as well and delivered by the same loop, so callbacks do not nest. A callback may set leaves, read, subscribe and
cancel. If one raises, the exception is logged and counted, and the others are called nevertheless. Callbacks that keep
triggering each other are stopped after :data:`ROUNDS` rounds: their next change raises a :exc:`FeedbackError`.
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
"""Number of rounds in which callbacks may trigger further callbacks before they count as a feedback loop."""

_LOG = logging.getLogger(__name__)


class Subscription:
    """A subscription of a callback to a node; :meth:`cancel` ends it.

    Attributes
    ----------
    node : Node
        Node that is watched.
    calls, failures : int
        Number of calls of the callback, and number of calls that raised.
    error : Exception or None
        Exception that the callback raised last.
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
        """Function that is called, or ``None`` if only a weak reference was held and it was garbage-collected."""
        return self._callback()

    def holds(self, reference: object) -> bool:
        """Whether the callback is held by this weak reference."""
        return self._callback is reference

    @property
    def is_active(self) -> bool:
        """Whether the subscription is not cancelled, its node is in the graph, and its callback still exists."""
        return self in self._observers.of(self.node) and self.callback is not None

    def cancel(self) -> None:
        """End the subscription at once, even during a delivery; further calls have no effect."""
        self._observers.remove(self)

    def __repr__(self) -> str:
        state = "active" if self.is_active else "ended"
        return f"<Subscription to {self.node.name}: {state}, {self.calls} calls, {self.failures} failures>"


class Observers:
    """Subscriptions to the nodes of a graph, and the changes since they were last notified."""

    def __init__(self) -> None:
        self._by_node: dict[Node, dict[Subscription, None]] = {}
        self._noted: dict[Node, Outcome] = {}
        self.queues: dict[int, dict[Subscription, None]] = {}  # subscriptions to call, by thread
        self._rounds: dict[int, int] = {}  # number of the current round, by thread that is delivering

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
        self._by_node[node] = of_node  # again, as the end of a weak subscription may have removed it in between
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
        """Return a weak reference to the callback whose finalizer removes its subscriptions."""
        observers = weakref.ref(self)

        def end(gone: object) -> None:  # called by the garbage collector at any point: atomic steps only
            kept = observers()
            ended = [] if kept is None else [one for one in tuple(kept.of(node)) if one.holds(gone)]
            for subscription in ended:
                if kept is not None:
                    kept.remove(subscription)

        return weakref.WeakMethod(callback, end) if inspect.ismethod(callback) else weakref.ref(callback, end)

    def remove(self, subscription: Subscription) -> None:
        """Remove one subscription."""
        of_node = self.of(subscription.node)
        of_node.pop(subscription, None)
        if not of_node:
            self._by_node.pop(subscription.node, None)
            self._noted.pop(subscription.node, None)

    def forget(self, node: Node) -> None:
        """Remove all subscriptions to a node that leaves the graph, and its noted change."""
        self._by_node.pop(node, None)
        self._noted.pop(node, None)

    # --- noting ------------------------------------------------------------------------------

    def note(self, node: Node, old: Outcome) -> None:
        """Record that `node` changed from `old`; several changes before the next delivery count as one."""
        if node in self._by_node:
            self._noted.setdefault(node, old)

    def noted(self) -> dict[Node, Outcome]:
        """Return a copy of the noted changes."""
        return dict(self._noted)

    def restore(self, noted: dict[Node, Outcome]) -> None:
        """Restore the noted changes from before a batch that is undone."""
        self._noted = noted

    def collect(self, is_final: Callable[[Node], bool]) -> None:
        """Queue, for this thread, the subscriptions to nodes that have changed.

        Parameters
        ----------
        is_final : callable
            Function that returns whether a node is up to date; subscribers of other nodes are queued later. It is not
            called for leaves, whose values are final.
        """
        if not self._noted:
            return
        ready = {node: old for node, old in self._noted.items() if isinstance(node, Leaf) or is_final(node)}
        queue = self.queues.setdefault(get_ident(), {})
        for node, old in ready.items():
            del self._noted[node]
            if not unchanged(old, node.outcome_):
                queue.update(self.of(node))

    # --- delivering --------------------------------------------------------------------------

    def deliver(self) -> None:
        """Call the subscribers that are queued for this thread, and those that their callbacks queue."""
        thread = get_ident()
        if thread not in self.queues or thread in self._rounds:  # nothing to do, or the loop below is running
            return
        self._rounds[thread] = 0
        views = VIEWS.set(())  # callbacks see the graph itself, even inside a scenario
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
        except BaseException:  # Ctrl-C in a callback: the others are called after the next change
            self.queues[thread] = {**queued, **self.queues.get(thread, {})}
            raise

    def _call(self, subscription: Subscription) -> None:
        callback = subscription.callback
        if callback is None or not subscription.is_active:
            return
        subscription.calls += 1
        try:
            callback(subscription.node)
        except Exception as error:  # noqa: BLE001 - any error of a subscriber is logged and counted
            subscription.failures += 1
            subscription.error = error
            with suppress(Exception):  # a user's log handler, or the text of the error, may raise as well
                _LOG.exception("a subscriber of %s raised; the graph is unaffected", subscription.node.name)

    def refuse_feedback(self) -> None:
        """Raise if the change is made by callbacks that keep triggering each other.

        Raises
        ------
        FeedbackError
            This thread has been delivering for more than :data:`ROUNDS` rounds.
        """
        if self._rounds and self._rounds.get(get_ident(), 0) > ROUNDS:
            raise FeedbackError(
                f"callbacks feed themselves: each of {ROUNDS} rounds of notifications has triggered the next; this "
                "change was not made. Let a callback set only leaves that its node does not depend on, or only when "
                "the value differs"
            )
