"""Claims: exclusive rights to write a part of a store, which end when released or with the process."""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from typing import TYPE_CHECKING

from bank_python.barbara.file_lock import LockedFile, lock_file
from bank_python.barbara.location import IN_MEMORY

if TYPE_CHECKING:
    from bank_python.barbara.store import BarbaraDB
    from bank_python.errors import BankError

__all__ = ["Claim"]

_CLAIMING = threading.RLock()  # re-entrant: a claim may be garbage-collected while another is made


class Claim:
    """An exclusive right to write a part of a store; a second claim raises an error that names the holder.

    For a store in a file it is a lock file beside the store's file. The operating system releases the lock when the
    process ends, and the file is removed when the claim is released. A store in memory belongs to one process, and so
    do its claims.

    Parameters
    ----------
    db : BarbaraDB
        Store of which a part is claimed.
    part : str
        Name of the part, a word; parts of the same name in different rings are claimed separately.
    what : str
        Description of the part in error messages.
    advice : str
        Advice at the end of the error message for a part that is claimed already.
    error : type of BankError
        Class of the error for a part that is claimed already.

    Raises
    ------
    BankError
        The part is claimed already (``holder`` describes by whom), or the lock file cannot be created; an instance of
        `error`.
    """

    def __init__(self, db: BarbaraDB, part: str, *, what: str, advice: str, error: type[BankError]) -> None:
        self._file: LockedFile | None = None
        self._key = (id(db), db.rings[0], part)
        if db.path == IN_MEMORY:
            self._claim_in_memory(what, advice, error)
        else:
            self._file = lock_file(_lock_path(db, part), lock_for=what, advice=advice, error=error)

    def _claim_in_memory(self, what: str, advice: str, error: type[BankError]) -> None:
        with _CLAIMING:
            if _IN_MEMORY.setdefault(self._key, self) is not self:
                holder = f"another object of this process ({os.getpid()})"
                raise error(f"{what} is being written by {holder}; {advice}", holder=holder)

    @property
    def alive(self) -> bool:
        """Whether the claim is valid: false after :meth:`release`, in a forked child, and without its lock file."""
        if self._file is not None:
            return self._file.alive and self._file.in_place
        return _IN_MEMORY.get(self._key) is self

    def release(self) -> None:
        """End the claim; further calls have no effect."""
        if self._file is not None:
            self._file.close()
        with _CLAIMING:
            if _IN_MEMORY.get(self._key) is self:
                del _IN_MEMORY[self._key]


# The claims on stores in memory.
_IN_MEMORY: weakref.WeakValueDictionary[tuple[int, str, str], Claim] = weakref.WeakValueDictionary()


def _lock_path(db: BarbaraDB, part: str) -> str:
    kind = part.partition(" ")[0]
    which = hashlib.sha256(f"{db.rings[0]}\0{part}".encode()).hexdigest()[:16]
    return f"{os.path.realpath(db.path)}.{kind}-{which}.lock"
