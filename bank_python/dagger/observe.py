"""Telling others what changed, after the tick that changed it is complete."""

from __future__ import annotations

import inspect
import logging
import weakref
from typing import TYPE_CHECKING

from bank_python.dagger.node import Leaf
from bank_python.dagger.outcome import same

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome

    _Callback: TypeAlias = Callable[[Node], object]

__all__ = ["Observers", "Subscription"]

_LOG = logging.getLogger(__name__)


class Subscription:
    """A callback on a node; :meth:`cancel` ends it."""

    def __init__(self, observers: Observers, node: Node, callback: Callable[[], _Callback | None]) -> None:
        self._observers = observers
        self._callback = callback
        self.node = node
        self.calls = 0
        self.failures = 0

    @property
    def callback(self) -> _Callback | None:
        """What is called, or ``None`` if it was held weakly and is gone."""
        return self._callback()

    def cancel(self) -> None:
        """Stop calling; cancelling twice is fine."""
        self._observers.remove(self)


class Observers:
    """The graph's subscriptions, and the changes collected since they were last told."""

    def __init__(self) -> None:
        self.by_node: dict[Node, list[Subscription]] = {}
        self.noted: dict[Node, Outcome] = {}

    def __contains__(self, node: object) -> bool:
        return node in self.by_node

    def add(self, node: Node, callback: _Callback, *, weak: bool) -> Subscription:
        """Call `callback` with the node after each tick that changed it."""
        subscription = Subscription(self, node, _weakly(callback) if weak else lambda: callback)
        self.by_node.setdefault(node, []).append(subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Forget one subscription."""
        left = [other for other in self.by_node.get(subscription.node, []) if other is not subscription]
        if left:
            self.by_node[subscription.node] = left
        else:
            self.by_node.pop(subscription.node, None)

    def forget(self, node: Node) -> None:
        """Drop everything about a node that leaves the graph."""
        self.by_node.pop(node, None)
        self.noted.pop(node, None)

    def note(self, node: Node, old: Outcome) -> None:
        """Remember that `node` changed from `old`; several changes before they are told are one."""
        if node in self.by_node:
            self.noted.setdefault(node, old)

    def take(self, *, settled: bool) -> list[Subscription]:
        """Return the subscriptions to call for what was noted.

        Parameters
        ----------
        settled : bool
            Whether nothing is left to be followed up; if there is, only leaves are sure to stay as they are.
        """
        ready = {
            node: old for node, old in self.noted.items() if isinstance(node, Leaf) or (settled and not node._state)
        }
        for node in ready:
            del self.noted[node]
        changed = [node for node, old in ready.items() if not same(old, node._outcome)]
        return [subscription for node in changed for subscription in self.by_node.get(node, [])]

    def tell(self, subscriptions: list[Subscription]) -> None:
        """Call the callbacks; one that raises is logged and counted, the others are called all the same."""
        for subscription in subscriptions:
            callback = subscription.callback
            if callback is None:
                self.remove(subscription)
                continue
            subscription.calls += 1
            try:
                callback(subscription.node)
            except Exception:  # noqa: BLE001 - the subscriber's own code; logged and counted
                subscription.failures += 1
                _LOG.exception("a subscriber of %s raised; the graph is unaffected", subscription.node.name)


def _weakly(callback: _Callback) -> Callable[[], _Callback | None]:
    return weakref.WeakMethod(callback) if inspect.ismethod(callback) else weakref.ref(callback)
