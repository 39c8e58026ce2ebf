"""Claims: the right to be the one writer of a part of a store, until it is given up or the process ends in any way."""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from typing import TYPE_CHECKING

from bank_python.barbara.file_lock import Hold, hold
from bank_python.barbara.location import IN_MEMORY

if TYPE_CHECKING:
    from bank_python.barbara.store import BarbaraDB
    from bank_python.errors import BankError

__all__ = ["Claim"]

_CLAIMING = threading.RLock()  # re-entrant: a claim may be collected while another is taken


class Claim:
    """The right to write a part of a store; a second one is refused with the holder's name.

    Over a file it is a lock file beside the store's, which the operating system frees with its process, and which is
    removed when the claim is released. A store in memory is one object of one process, and so are its claims.

    Parameters
    ----------
    db : BarbaraDB
        The store.
    part : str
        What of it is claimed, in a word; the same part of another ring is another one.
    what : str
        The same as messages say it.
    advice : str
        What one who is refused should do.
    error : type of BankError
        The error that one who is refused gets.

    Raises
    ------
    BankError
        Of the type `error`: somebody else holds the claim (``holder`` says who), or the lock file cannot be made.
    """

    def __init__(self, db: BarbaraDB, part: str, *, what: str, advice: str, error: type[BankError]) -> None:
        self._hold: Hold | None = None
        self._key = (id(db), db.rings[0], part)
        if db.path == IN_MEMORY:
            self._claim_in_memory(what, advice, error)
        else:
            self._hold = hold(_lock_path(db, part), lock_for=what, advice=advice, error=error)

    def _claim_in_memory(self, what: str, advice: str, error: type[BankError]) -> None:
        with _CLAIMING:
            if _IN_MEMORY.setdefault(self._key, self) is not self:
                holder = f"another object of this process ({os.getpid()})"
                raise error(f"{what} is being written by {holder}; {advice}", holder=holder)

    @property
    def alive(self) -> bool:
        """Whether it is held: not after :meth:`release`, in a forked child, or without its lock file."""
        if self._hold is not None:
            return self._hold.alive and self._hold.in_place
        return _IN_MEMORY.get(self._key) is self

    def release(self) -> None:
        """Let others have it; again does nothing."""
        if self._hold is not None:
            self._hold.close()
        with _CLAIMING:
            if _IN_MEMORY.get(self._key) is self:
                del _IN_MEMORY[self._key]


# The claims on stores in memory.
_IN_MEMORY: weakref.WeakValueDictionary[tuple[int, str, str], Claim] = weakref.WeakValueDictionary()


def _lock_path(db: BarbaraDB, part: str) -> str:
    kind = part.partition(" ")[0]
    which = hashlib.sha256(f"{db.rings[0]}\0{part}".encode()).hexdigest()[:16]
    return f"{os.path.realpath(db.path)}.{kind}-{which}.lock"
