"""The write lock: one writer at a time, re-entrant, and the last to leave completes the tick."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.dagger.observe import Observers, Subscription

__all__ = ["WriteLock"]


class WriteLock:
    """A re-entrant lock that tidies up when its last level is left.

    Parameters
    ----------
    commit : callable
        Called before the outermost level is left: the tick is complete. Returns the subscriptions to tell.
    observers : Observers
        Tells them, when the lock is free again.
    """

    __slots__ = ("_commit", "_depth", "_lock", "_observers")

    def __init__(self, commit: Callable[[], list[Subscription]], observers: Observers) -> None:
        self._lock = threading.RLock()
        self._commit = commit
        self._observers = observers
        self._depth = 0

    def try_enter(self, *, wait: bool) -> bool:
        """Enter if that needs no waiting, or all the same if `wait`."""
        if not self._lock.acquire(blocking=wait):
            return False
        self._depth += 1
        return True

    def leave(self) -> None:
        """Leave the level entered last."""
        if self._depth > 1:
            self._depth -= 1
            self._lock.release()
            return
        to_tell = self._commit()
        self._depth = 0
        self._lock.release()
        if to_tell:
            self._observers.tell(to_tell)

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.leave()
