"""Notification of subscribers about committed changes.

Callbacks run in the thread that committed (or polled), after the commit, without any lock held. If a callback raises,
the exception is logged and counted, and the other callbacks are called nevertheless. Changes written by a callback are
delivered after the change that it was called for, so every subscriber receives the changes of one thread in the order
of their commits.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from bank_python.deprecation import warn_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bank_python.barbara.versions import Change

__all__ = ["Subscription", "Subscriptions"]

_log = logging.getLogger("bank_python.barbara")


class Subscription:
    """A subscription of a callback to changes under a prefix; :meth:`cancel` ends it.

    Attributes
    ----------
    prefix : str
        Prefix of the keys whose changes are notified; ``""`` covers all keys.
    failures : int
        Number of calls of the callback that raised.
    """

    def __init__(self, prefix: str, callback: Callable[[Change], object], owner: Subscriptions) -> None:
        self.prefix = prefix
        self.failures = 0
        self._callback = callback
        self._owner = owner

    @property
    def active(self) -> bool:
        """Whether the callback is notified of changes, that is, the subscription is not cancelled."""
        return self._owner.has(self)

    def cancel(self) -> None:
        """End the subscription; further calls have no effect."""
        self._owner.remove(self)

    def notify(self, change: Change) -> None:
        """Call the callback if the subscription covers the key of the change."""
        if not change.key.startswith(self.prefix) or not self.active:
            return
        try:
            self._callback(change)
        except Exception:  # noqa: BLE001  (the write is committed, and other subscribers must be notified)
            self.failures += 1
            _log.exception("a subscriber of %r failed on %s", self.prefix, change)

    def tell(self, change: Change) -> None:
        """Call :meth:`notify` (deprecated name, removed in the next version)."""
        warn_of("Subscription.tell", "notify")
        self.notify(change)

    def __repr__(self) -> str:
        state = "active" if self.active else "cancelled"
        return f"Subscription({self.prefix!r}, {state}, failures={self.failures})"


class Subscriptions:
    """All subscriptions of one open store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[Subscription, ...] = ()
        self._local = threading.local()

    def add(self, prefix: str, callback: Callable[[Change], object]) -> Subscription:
        """Subscribe `callback` to changes of keys that start with `prefix`."""
        subscription = Subscription(prefix, callback, self)
        with self._lock:
            self._all = (*self._all, subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Remove a subscription, if it is active."""
        with self._lock:
            self._all = tuple(other for other in self._all if other is not subscription)

    def has(self, subscription: Subscription) -> bool:
        """Whether the subscription is active."""
        return any(other is subscription for other in self._all)

    def deliver(self, changes: Iterable[Change]) -> None:
        """Notify every subscriber of the changes, in order."""
        waiting: deque[Change] | None = getattr(self._local, "waiting", None)
        if waiting is not None:
            waiting.extend(changes)  # written by a callback: the loop below, which is running, delivers them
            return
        waiting = self._local.waiting = deque(changes)
        try:
            while waiting:
                change = waiting.popleft()
                for subscription in self._all:
                    subscription.notify(change)
        finally:
            self._local.waiting = None
