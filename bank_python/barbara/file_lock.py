"""One writer for a file: an exclusive lock that the operating system lifts when the process ends in any way.

The lock is on the file, not on its name (``flock``; on Windows a byte far behind its end): another spelling, a
symbolic or a hard link, another object, thread or process all meet the same lock. It keeps out those who ask for it,
and hinders nobody from reading. Over NFS and SMB the kernel hands it to the server, so that it holds between machines;
a file system that has no locks at all is refused, since a second writer could not be kept out there.
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

__all__ = ["Hold", "hold", "identity_of", "writers_kept_out"]

# A reader holds a shared lock for microseconds while it looks at an unfinished end (`writers_kept_out`).
_TRIES = 10
_PAUSE = 0.005

_BUSY = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_BEHIND_EVERY_END = 1 << 40
_LONGEST_SIGNATURE = 400
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # what is written into a lock file must not go through a link to another file
_OPEN_FLAGS = (
    os.O_RDWR
    | os.O_APPEND
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO put in the file's place must not block
)

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, shared: bool) -> None:  # noqa: ARG001 - Windows locks a byte for one only
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


class Hold:
    """A file that is open for one writer; :func:`hold` makes it, and dropping it closes it.

    Parameters
    ----------
    descriptor : int
        The open file's descriptor.
    path : str
        The path that it was opened by.
    temporary : bool, default False
        Whether the file is a lock and nothing else, to be deleted when it is closed.
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
        """Whether the lock is held: not after :meth:`close`, and not in a forked child."""
        return self.descriptor >= 0

    @property
    def in_place(self) -> bool:
        """Whether the path still leads to the file that is held: if somebody removed it, others may hold another."""
        try:
            return identity_of(os.stat(self.path)) == self.identity  # noqa: PTH116 - of the path as it is
        except OSError:
            return False

    def sign(self) -> None:
        """Write into a lock file whose it is, for those who are refused."""
        if not self.temporary:
            return
        program = Path(sys.argv[0] or "python").name
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        with contextlib.suppress(OSError):  # a full disk has no room for a name; the lock holds all the same
            os.ftruncate(self.descriptor, 0)
            os.write(
                self.descriptor, f"process {os.getpid()} ({program}) on {platform.node()}, since {since}\n".encode()
            )

    def signature(self) -> str | None:
        """Return what the holder of a lock file wrote into it."""
        if not self.temporary:
            return None
        with contextlib.suppress(OSError, UnicodeDecodeError):
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            return os.read(self.descriptor, _LONGEST_SIGNATURE).decode().strip() or None
        return None

    def close(self) -> None:
        """Let other writers in; again does nothing."""
        if self.alive and self.temporary and self.in_place:  # not another's, who came after somebody removed ours
            with contextlib.suppress(OSError):
                Path(self.path).unlink()
        if self.alive:
            # Unlocked by name: a child forked at this moment may have the open file as well.
            with contextlib.suppress(OSError):
                _unlock(self.descriptor)
        self.forget()

    def forget(self) -> None:
        """Close the file, and leave the lock to whoever else has it: the parent of a forked child."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor < 0:
            return
        with _TABLE:
            if _HELD.get(self.identity) is self:
                del _HELD[self.identity]
        os.close(descriptor)

    def __del__(self) -> None:
        self.close()


_TABLE = threading.RLock()  # re-entrant: a collected Hold may close itself in the middle of another's
_HELD: weakref.WeakValueDictionary[Identity, Hold] = weakref.WeakValueDictionary()


def _after_fork() -> None:
    global _TABLE  # noqa: PLW0603 - another thread of the parent may have held it at the fork
    _TABLE = threading.RLock()
    for held in list(_HELD.values()):
        held.forget()
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def identity_of(stat: os.stat_result) -> Identity:
    """Return what a file is known by, whatever its name."""
    return stat.st_dev, stat.st_ino


def hold(
    path: str,
    *,
    create: bool = False,
    lock_for: str | None = None,
    advice: str = "wait until that has ended",
    error: type[BankError] = StoreError,
) -> Hold:
    """Open a file to append to it, and keep every other writer out.

    Parameters
    ----------
    path : str
        The file's path.
    create : bool, default False
        Whether a file that is missing is made.
    lock_for : str, optional
        What the file is a lock for, if it is nothing else: it is then made, and deleted when it is closed.
    advice : str
        What one who is refused should do.
    error : type of BankError
        The error that one who is refused gets.

    Raises
    ------
    BankError
        Of the type `error`: somebody else holds it (``holder`` says who), it cannot be opened, or its file system has
        no locks.
    """
    refuse = _Refusal(path, lock_for or path, advice, error)
    flags = _OPEN_FLAGS | (os.O_CREAT if create or lock_for else 0) | (_NO_LINK if lock_for else 0)
    for _ in range(_TRIES):
        try:
            descriptor = os.open(path, flags, 0o666)
        except OSError as failure:
            raise refuse.not_opened(failure) from failure
        held = Hold(descriptor, path, temporary=lock_for is not None)
        _take(held, refuse)
        # The one who held it before may have put another file in its place, or removed it.
        with contextlib.suppress(FileNotFoundError):
            if identity_of(os.stat(path)) == held.identity:  # noqa: PTH116 - of the path as it is, on every system
                held.sign()
                return held
        held.forget()
    # A lock file goes with its holder: others came and went each time.
    raise refuse.held_by("other processes in turn")


class _Refusal(NamedTuple):
    """What is said to one who does not get a lock."""

    path: str
    what: str
    advice: str
    error: type[BankError]

    def held_by(self, holder: str) -> BankError:
        return self.error(f"{self.what} is being written by {holder}; {self.advice}", path=self.path, holder=holder)

    def not_opened(self, failure: OSError) -> BankError:
        return self.error(
            f"{self.what} cannot be written ({failure}); check the path {self.path} and its rights", path=self.path
        )

    def without_locks(self, failure: OSError) -> BankError:
        return self.error(
            f"the file system of {self.path} has no locks ({failure}), so a second writer could not be kept out; "
            "keep it on a local disk",
            path=self.path,
        )


def _take(held: Hold, refuse: _Refusal) -> None:
    """Lock the file, or close it and say who has it."""
    with _TABLE:
        other = _HELD.get(held.identity)
        if other is None:
            _HELD[held.identity] = held
    if other is not None:
        _give_up(held, refuse, f"thread {other.thread!r} of this process ({os.getpid()})")
    for turn in range(_TRIES):
        try:
            _lock(held.descriptor, shared=False)
        except OSError as error:
            if error.errno not in _BUSY:
                held.forget()
                raise refuse.without_locks(error) from error
        else:
            return
        if turn < _TRIES - 1:
            time.sleep(_PAUSE)
    _give_up(held, refuse, held.signature() or _process_of(held.identity) or "another process")


def _give_up(held: Hold, refuse: _Refusal, holder: str) -> NoReturn:
    held.forget()
    raise refuse.held_by(holder)


def _process_of(identity: Identity) -> str | None:
    """Return who holds the lock, as far as the system says it (Linux does)."""
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
def writers_kept_out(descriptor: int) -> Iterator[bool]:
    """Keep writers out for a moment, so that a file's end can be looked at.

    Parameters
    ----------
    descriptor : int
        The file's descriptor, open for reading.

    Yields
    ------
    bool
        Whether no writer has the file; what looks unfinished may otherwise be on its way.
    """
    with _TABLE:
        held = identity_of(os.fstat(descriptor)) in _HELD
    locked = False
    if not held:
        try:
            _lock(descriptor, shared=True)
            locked = True
        except OSError as error:
            held = error.errno in _BUSY
    try:
        yield not held
    finally:
        if locked:
            _unlock(descriptor)
