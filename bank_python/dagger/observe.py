"""Telling others what changed, after the tick that changed it is complete."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bank_python.dagger.outcome import same

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome

__all__ = ["Observers", "Subscription"]

_LOG = logging.getLogger(__name__)


class Subscription:
    """A callback on a node; :meth:`cancel` ends it."""

    def __init__(self, observers: Observers, node: Node, callback: Callable[[Node], object]) -> None:
        self._observers = observers
        self.node = node
        self.callback = callback
        self.calls = 0
        self.failures = 0

    def cancel(self) -> None:
        """Stop calling; cancelling twice is fine."""
        self._observers.remove(self)


class Observers:
    """The graph's subscriptions, and the changes collected since they were last told."""

    def __init__(self) -> None:
        self._by_node: dict[Node, list[Subscription]] = {}
        self._pending: dict[Node, Outcome] = {}

    def add(self, node: Node, callback: Callable[[Node], object]) -> Subscription:
        """Call `callback` with the node after each tick that changed it."""
        subscription = Subscription(self, node, callback)
        self._by_node.setdefault(node, []).append(subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Forget one subscription."""
        left = [other for other in self._by_node.get(subscription.node, []) if other is not subscription]
        if left:
            self._by_node[subscription.node] = left
        else:
            self._by_node.pop(subscription.node, None)

    def forget(self, node: Node) -> None:
        """Drop everything about a node that leaves the graph."""
        self._by_node.pop(node, None)
        self._pending.pop(node, None)

    def note(self, node: Node, old: Outcome) -> None:
        """Remember that `node` changed from `old`; several changes before :meth:`tell` are one."""
        if node in self._by_node:
            self._pending.setdefault(node, old)

    def discard(self) -> None:
        """Forget what was noted (the batch that caused it was rolled back)."""
        self._pending.clear()

    def take(self) -> list[Subscription]:
        """Return the subscriptions to call for what was noted; what is dirty again waits until it is computed."""
        noted, self._pending = self._pending, {node: old for node, old in self._pending.items() if node._state}
        changed = [node for node, old in noted.items() if not node._state and not same(old, node._outcome)]
        return [subscription for node in changed for subscription in self._by_node.get(node, [])]

    @staticmethod
    def tell(subscriptions: list[Subscription]) -> None:
        """Call the callbacks; one that raises is logged and counted, the others are called all the same."""
        for subscription in subscriptions:
            subscription.calls += 1
            try:
                subscription.callback(subscription.node)
            except Exception:  # noqa: BLE001 - the subscriber's own code; logged and counted
                subscription.failures += 1
                _LOG.exception("a subscriber of %s raised; the graph is unaffected", subscription.node.name)
