"""Exclusive locks of files, which the operating system releases when the process ends in any way.

The lock is on the file, not on its name (``flock``; on Windows a byte far beyond its end), so that it is the same for
another spelling of the path, a symbolic or a hard link, and another object, thread or process. The lock is advisory: it
excludes other writers that use it, and does not prevent reading. Over NFS and SMB the kernel passes it to the server,
so that it works between machines. A file system without locks raises an error, since a second writer could not be
excluded there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from bank_python.errors import BankError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LockedFile", "identity_of", "lock_file", "writers_excluded"]

# A reader holds a shared lock for microseconds while it examines an unfinished end (`writers_excluded`).
_TRIES = 10
_PAUSE = 0.005

_BUSY = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_BEHIND_EVERY_END = 1 << 40
_LONGEST_SIGNATURE = 400
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # writing into a lock file must not change another file through a link
_OPEN_FLAGS = (
    os.O_RDWR
    | os.O_APPEND
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # opening must not block if the path is a FIFO
)

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, shared: bool) -> None:  # noqa: ARG001 - Windows has exclusive locks only
        os.lseek(descriptor, _BEHIND_EVERY_END, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _BEHIND_EVERY_END, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int, *, shared: bool) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


Identity = tuple[int, int]


class LockedFile:
    """An open file with an exclusive lock, made by :func:`lock_file`; closed when it is garbage-collected.

    Parameters
    ----------
    descriptor : int
        Descriptor of the open file.
    path : str
        Path under which the file was opened.
    temporary : bool, default False
        Whether the file serves as a lock only, and is deleted when it is closed.
    """

    descriptor = -1

    def __init__(self, descriptor: int, path: str, *, temporary: bool = False) -> None:
        self.path = path
        self.temporary = temporary
        self.identity = identity_of(os.fstat(descriptor))
        self.descriptor = descriptor
        self.thread = threading.current_thread().name

    @property
    def alive(self) -> bool:
        """Whether the lock is held: false after :meth:`close`, and in a forked child process."""
        return self.descriptor >= 0

    @property
    def in_place(self) -> bool:
        """Whether the path still refers to the locked file; if it was removed, another file may be locked there."""
        try:
            return identity_of(os.stat(self.path)) == self.identity  # noqa: PTH116 - Path may normalise the path
        except OSError:
            return False

    def sign(self) -> None:
        """Write the process and the time into a lock file, for the error messages of other processes."""
        if not self.temporary:
            return
        program = Path(sys.argv[0] or "python").name
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        with contextlib.suppress(OSError):  # the lock is valid even if the disk is full
            os.ftruncate(self.descriptor, 0)
            os.write(
                self.descriptor, f"process {os.getpid()} ({program}) on {platform.node()}, since {since}\n".encode()
            )

    def signature(self) -> str | None:
        """Return the text that the holder has written into a lock file."""
        if not self.temporary:
            return None
        with contextlib.suppress(OSError, UnicodeDecodeError):
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            return os.read(self.descriptor, _LONGEST_SIGNATURE).decode().strip() or None
        return None

    def close(self) -> None:
        """Release the lock and close the file; further calls have no effect."""
        if self.alive and self.temporary and self.in_place:  # not the file of another holder at the same path
            with contextlib.suppress(OSError):
                Path(self.path).unlink()
        if self.alive:
            # Unlocked explicitly, as a child forked at this moment may have the file open as well.
            with contextlib.suppress(OSError):
                _unlock(self.descriptor)
        self.forget()

    def forget(self) -> None:
        """Close the file without releasing the lock, which the parent of a forked child still holds."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor < 0:
            return
        with _TABLE:
            if _LOCKED.get(self.identity) is self:
                del _LOCKED[self.identity]
        os.close(descriptor)

    def __del__(self) -> None:
        self.close()


_TABLE = threading.RLock()  # re-entrant: a garbage-collected LockedFile may close itself at any point
_LOCKED: weakref.WeakValueDictionary[Identity, LockedFile] = weakref.WeakValueDictionary()


def _after_fork() -> None:
    global _TABLE  # noqa: PLW0603 - another thread of the parent may have locked it at the fork
    _TABLE = threading.RLock()
    for locked in list(_LOCKED.values()):
        locked.forget()
    _LOCKED.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def identity_of(stat: os.stat_result) -> Identity:
    """Return a file's device and inode numbers, which identify it whatever its name."""
    return stat.st_dev, stat.st_ino


def lock_file(
    path: str,
    *,
    create: bool = False,
    lock_for: str | None = None,
    advice: str = "wait until that has ended",
    error: type[BankError] = StoreError,
) -> LockedFile:
    """Open a file for appending, with a lock that excludes every other writer.

    Parameters
    ----------
    path : str
        Path of the file.
    create : bool, default False
        Whether to create a missing file.
    lock_for : str, optional
        Description of the resource that the file is a lock for; the file is then created, and deleted when it is
        closed. By default the file itself is the resource.
    advice : str
        Advice at the end of the error message if another writer holds the lock.
    error : type of BankError
        Class of the error to raise.

    Raises
    ------
    BankError
        Another writer holds the lock (``holder`` describes it), the file cannot be opened, or its file system has no
        locks; an instance of `error`.
    """
    refuse = _Refusal(path, lock_for or path, advice, error)
    flags = _OPEN_FLAGS | (os.O_CREAT if create or lock_for else 0) | (_NO_LINK if lock_for else 0)
    for _ in range(_TRIES):
        try:
            descriptor = os.open(path, flags, 0o666)
        except OSError as failure:
            raise refuse.not_opened(failure) from failure
        locked = LockedFile(descriptor, path, temporary=lock_for is not None)
        _acquire(locked, refuse)
        # The previous holder may have removed the file, or replaced it by another one.
        with contextlib.suppress(FileNotFoundError):
            if identity_of(os.stat(path)) == locked.identity:  # noqa: PTH116 - Path may normalise the path
                locked.sign()
                return locked
        locked.forget()
    # A lock file is removed by its holder: each time another process has created, locked and removed it.
    raise refuse.locked_by("other processes in turn")


class _Refusal(NamedTuple):
    """The errors of a failed attempt to lock a file."""

    path: str
    what: str
    advice: str
    error: type[BankError]

    def locked_by(self, holder: str) -> BankError:
        return self.error(f"{self.what} is being written by {holder}; {self.advice}", path=self.path, holder=holder)

    def not_opened(self, failure: OSError) -> BankError:
        return self.error(
            f"{self.what} cannot be written ({failure}); check the path {self.path} and its permissions",
            path=self.path,
        )

    def without_locks(self, failure: OSError) -> BankError:
        return self.error(
            f"the file system of {self.path} has no locks ({failure}), so a second writer could not be excluded; "
            "use a local disk",
            path=self.path,
        )


def _acquire(locked: LockedFile, refuse: _Refusal) -> None:
    """Lock the file, or close it and raise an error that describes the holder of the lock."""
    with _TABLE:
        other = _LOCKED.get(locked.identity)
        if other is None:
            _LOCKED[locked.identity] = locked
    if other is not None:
        _give_up(locked, refuse, f"thread {other.thread!r} of this process ({os.getpid()})")
    for turn in range(_TRIES):
        try:
            _lock(locked.descriptor, shared=False)
        except OSError as error:
            if error.errno not in _BUSY:
                locked.forget()
                raise refuse.without_locks(error) from error
        else:
            return
        if turn < _TRIES - 1:
            time.sleep(_PAUSE)
    _give_up(locked, refuse, locked.signature() or _process_of(locked.identity) or "another process")


def _give_up(locked: LockedFile, refuse: _Refusal, holder: str) -> NoReturn:
    locked.forget()
    raise refuse.locked_by(holder)


def _process_of(identity: Identity) -> str | None:
    """Return the process that holds the lock, if the operating system lists it (Linux does)."""
    device, inode = identity
    if not hasattr(os, "major"):
        return None
    wanted = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}"
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    for fields in map(str.split, lines):
        if wanted in fields and "WRITE" in fields and "->" not in fields:
            process = fields[fields.index("WRITE") + 1]
            return f"process {process}" if process.isdigit() and process != "0" else None
    return None


@contextlib.contextmanager
def writers_excluded(descriptor: int) -> Iterator[bool]:
    """Exclude writers during a ``with`` block, so that the end of a file can be examined.

    Parameters
    ----------
    descriptor : int
        Descriptor of the file, open for reading.

    Yields
    ------
    bool
        Whether the file has no writer; with one, an unfinished end may be in the process of being written.
    """
    with _TABLE:
        has_writer = identity_of(os.fstat(descriptor)) in _LOCKED
    locked = False
    if not has_writer:
        try:
            _lock(descriptor, shared=True)
            locked = True
        except OSError as error:
            has_writer = error.errno in _BUSY
    try:
        yield not has_writer
    finally:
        if locked:
            _unlock(descriptor)
