"""The write lock: one writer at a time, re-entrant, and it can say whether this thread is the one."""

from __future__ import annotations

import threading

__all__ = ["WriteLock"]


class WriteLock:
    """A re-entrant lock that knows its owner.

    ``threading.RLock`` keeps its owner to itself, and a reader has to know whether it is looking at its own
    half-finished batch (which it may see) or at another thread's (which it may not).
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._owner: int | None = None
        self._depth = 0

    @property
    def mine(self) -> bool:
        """Whether the calling thread holds the lock."""
        return self._owner == threading.get_ident()

    @property
    def depth(self) -> int:
        """How often the owner has entered."""
        return self._depth

    def try_enter(self) -> bool:
        """Enter if that needs no waiting."""
        if not self._lock.acquire(blocking=False):
            return False
        self._entered()
        return True

    def __enter__(self) -> None:
        self._lock.acquire()
        self._entered()

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._owner = None
        self._lock.release()

    def _entered(self) -> None:
        self._owner = threading.get_ident()
        self._depth += 1
