"""Telling subscribers what was committed.

Callbacks run in the thread that committed (or polled), after the commit, outside every lock. A callback that
raises is logged and counted, and the others still hear. What a callback itself writes is told after the
change that woke it, so every subscriber hears one thread's changes in the order of their commits.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bank_python.barbara.versions import Change

__all__ = ["Subscription", "Subscriptions"]

_log = logging.getLogger("bank_python.barbara")


class Subscription:
    """A callback on changes under a prefix; :meth:`cancel` ends it.

    Attributes
    ----------
    prefix : str
        Keys that start with it are told; ``""`` is all.
    failures : int
        How often the callback raised.
    """

    def __init__(self, prefix: str, callback: Callable[[Change], object], owner: Subscriptions) -> None:
        self.prefix = prefix
        self.failures = 0
        self._callback = callback
        self._owner = owner

    @property
    def active(self) -> bool:
        """Whether the callback is still told of changes."""
        return self._owner.holds(self)

    def cancel(self) -> None:
        """Stop telling the callback; again does nothing."""
        self._owner.remove(self)

    def tell(self, change: Change) -> None:
        """Call back if the change concerns this subscription."""
        if not change.key.startswith(self.prefix) or not self.active:
            return
        try:
            self._callback(change)
        except Exception:  # noqa: BLE001  (another's code: the write is done, and the others must still hear of it)
            self.failures += 1
            _log.exception("a subscriber of %r failed on %s", self.prefix, change)

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
        """Start telling `callback` of changes under `prefix`."""
        subscription = Subscription(prefix, callback, self)
        with self._lock:
            self._all = (*self._all, subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Stop telling a subscription, if it is still told."""
        with self._lock:
            self._all = tuple(other for other in self._all if other is not subscription)

    def holds(self, subscription: Subscription) -> bool:
        """Whether the subscription is still told."""
        return any(other is subscription for other in self._all)

    def deliver(self, changes: Iterable[Change]) -> None:
        """Tell every subscriber of the changes, in order."""
        waiting: deque[Change] | None = getattr(self._local, "waiting", None)
        if waiting is not None:
            waiting.extend(changes)  # a callback wrote: the loop further up this thread's stack goes on with it
            return
        waiting = self._local.waiting = deque(changes)
        try:
            while waiting:
                change = waiting.popleft()
                for subscription in self._all:
                    subscription.tell(change)
        finally:
            self._local.waiting = None
