"""The file of a journal: what is one, where its last whole line ends, and the one writer who adds to it.

Invariants
----------
- A file whose first bytes are not the header, or the beginning of it, is never written to.
- What follows the last line end is no entry. It is cut off when a writer comes, after it was saved beside the file.
- A writer adds a line in one piece, or takes back what it wrote of it.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from bank_python.barbara.file_lock import hold, identity_of
from bank_python.dagger.journal_text import FORMAT, HEADER, tick_of
from bank_python.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ADVICE",
    "LineWriter",
    "TornEnd",
    "count_lines",
    "is_there",
    "open_to_read",
    "sync_directory",
    "torn_end",
    "whole_end",
]

ADVICE = "wait until that has ended, or write another journal"
"""What one who is refused a journal should do."""

_BLOCK = 1 << 16
_HEAD = 64
_BOM = b"\xef\xbb\xbf"
_OTHER_FORMAT = re.compile(rb'\{"dagger_journal": (\d+)\}')

# What files begin with, for the error that refuses them.
_MAGIC = (
    (b"SQLite format 3\0", "an SQLite database; a Barbara store takes BarbaraJournal(BarbaraDB.open(path=...), name)"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"PK\x03\x04", "a zip archive or a workbook"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"\xff\xfe", "text in UTF-16; a journal is UTF-8"),
    (b"\xfe\xff", "text in UTF-16; a journal is UTF-8"),
    (_BOM + HEADER[:-1], "a journal that was saved with a byte order mark; save a copy as UTF-8 without it"),
    (HEADER[:-1] + b"\r\n", "a journal whose lines end in CR LF; convert a copy to LF"),
    (b'{"format":"bank_python.market_journal"', "a recording of a market; ReplayFeed(path) plays it"),
)


@dataclass(frozen=True, slots=True)
class TornEnd:
    """What follows the last whole line of a journal.

    Parameters
    ----------
    start : int
        The offset at which the unfinished line begins, in bytes.
    size : int
        Its length in bytes, without a line end.
    line : int
        Its number, from 1.
    tick : int, optional
        The tick that it was of, or may have been of; ``None`` if that cannot be read.
    sure : bool
        Whether it is known to be of that tick.
    whole : int
        The offset at which the last tick ends that is whole: `start`, unless lines before it are of the same tick.
    """

    start: int
    size: int
    line: int
    tick: int | None
    sure: bool
    whole: int

    def text(self, path: str) -> str:
        """Return a sentence that says what is lost."""
        size = f"{self.size} byte{'' if self.size == 1 else 's'}"
        if not self.start:
            return f"line 1 of {path} is unfinished: {size} of the header; no tick is lost"
        of = "of a tick whose number cannot be read"
        if self.tick is not None:
            of = f"of tick {self.tick}" if self.sure else f"perhaps of tick {self.tick}"
        partly = f"; what is left of tick {self.tick} is only a part" if self.whole < self.start else ""
        return f"line {self.line} of {path} is unfinished: {size}, {of}, lost{partly}"


# --- what is there -----------------------------------------------------------------------------------


def is_there(path: str) -> bool:
    """Tell whether a journal is at `path`: ``False`` if one can be made there.

    Raises
    ------
    JournalError
        Something else is there, or nothing can be made.
    """
    try:
        open_to_read(path).close()
    except FileNotFoundError:
        pass
    else:
        return True
    if Path(path).is_symlink():
        raise JournalError(f"{path} is a link that leads nowhere; remove it, or give another path", path=path)
    parent = Path(path).parent
    if not parent.is_dir():
        raise JournalError(f"{path} cannot be made: there is no directory {parent}; create it first", path=path)
    return False


def sync_directory(path: str) -> None:
    """Bring a new file's name to the disk, where the system lets a directory be synced."""
    if os.name == "posix":
        descriptor = os.open(Path(path).parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_to_read(path: str, *, buffering: int = -1) -> BinaryIO:
    """Open a journal to read it from its first byte.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    JournalError
        It cannot be opened, or is not a journal.
    """
    try:
        _require_file(path, os.stat(path))  # noqa: PTH116 - before it is opened: opening a FIFO waits, a tape winds
        file: BinaryIO = Path(path).open("rb", buffering=buffering)  # noqa: SIM115 - the caller closes it
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise JournalError(
            f"{path} cannot be read ({error}); it was left as it is: check the path and its rights", path=path
        ) from error
    try:
        _require_header(path, file.read(_HEAD))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _require_file(path: str, status: os.stat_result) -> None:
    kinds: tuple[tuple[Callable[[int], bool], str], ...] = (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISSOCK, "a socket"),
    )
    for is_kind, name in kinds:
        if is_kind(status.st_mode):
            raise JournalError(f"{path} is not a journal but {name}; give the path of a file", path=path)


def _require_header(path: str, head: bytes) -> None:
    """Refuse a file that does not begin with the header; `head` are its first bytes."""
    if head.startswith(HEADER) or HEADER.startswith(head):
        return
    raise JournalError(
        f"{path} is not a journal of format {FORMAT}, but looks like {_looks(head)}. It was left as it is: give the "
        "path of a journal or of a new file",
        path=path,
    )


def _looks(head: bytes) -> str:
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    other = _OTHER_FORMAT.match(head)
    if other and int(other.group(1)) == FORMAT:
        return "a journal with a damaged header"
    if other:
        return f"one of format {other.group(1).decode()}; use the release that wrote it"
    if not head.strip(b"\0"):
        return "an empty binary (NUL bytes)"
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # else only the last character is cut
            return f"a binary file that begins with {head[:8].hex(' ')}"
        text = head[: error.start].decode("utf-8")
    line = text.splitlines()[0] if text.splitlines() else text
    return f"text that begins {line[:40]!r}"


# --- its end -----------------------------------------------------------------------------------------


def whole_end(file: BinaryIO) -> int:
    """Return the offset after the last line end, 0 if there is none; looks from the end."""
    return _after_line_end(file, file.seek(0, os.SEEK_END))


def _after_line_end(file: BinaryIO, end: int) -> int:
    """Return the offset after the last line end before `end`."""
    while end:
        start = max(end - _BLOCK, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def count_lines(file: BinaryIO) -> int:
    """Return how many whole lines there are, the header included."""
    file.seek(0)
    return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))


def torn_end(file: BinaryIO) -> TornEnd | None:
    """Return what follows the last whole line, ``None`` if nothing does; the file is open without a buffer."""
    start, size = whole_end(file), file.seek(0, os.SEEK_END)
    if start == size:
        return None
    file.seek(start)
    head = file.read(_HEAD)
    tick, sure, whole = tick_of(head), True, start
    last = last_tick(file, start)
    if tick is None and not head.startswith(b"{"):  # a space goes on with the tick before; of NUL bytes nobody knows
        tick, sure = last, head.startswith(b" ")
    if tick is not None and tick == last:
        whole = _start_of_tick(file, start, tick)
    return TornEnd(start, size - start, count_lines(file) + 1, tick, sure, whole)


def last_tick(file: BinaryIO, end: int) -> int | None:
    """Return the tick of the line that ends at offset `end`; ``None`` for the header and for damaged lines."""
    file.seek(_after_line_end(file, end - 1) if end else 0)
    return tick_of(file.read(_HEAD))


def _start_of_tick(file: BinaryIO, end: int, tick: int) -> int:
    """Return where the run of lines of `tick` begins that ends at `end`."""
    while last_tick(file, end) == tick:
        end = _after_line_end(file, end - 1)
    return end


# --- its writer --------------------------------------------------------------------------------------


class LineWriter:
    """The one writer of a journal's file, which it keeps open and locked.

    Parameters
    ----------
    path : str
        The file's absolute path.
    create : bool
        Whether a missing file is made.
    sync : bool
        Whether every line is on the disk, not only with the operating system, before :meth:`append` returns.
    on_torn : callable
        Called with the torn end and the path that it was saved at, before it is cut off.

    Raises
    ------
    JournalError
        Somebody else writes the file, it is not a journal, or it cannot be written.
    """

    def __init__(self, path: str, *, create: bool, sync: bool, on_torn: Callable[[TornEnd, str], object]) -> None:
        self._path = path
        self._sync = sync
        self._hold = hold(path, create=create, advice=ADVICE, error=JournalError)
        try:
            self._prepare(on_torn)
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether it may write: not after :meth:`close`, and not in a forked child."""
        return self._hold.alive

    def _prepare(self, on_torn: Callable[[TornEnd, str], object]) -> None:
        descriptor = self._hold.descriptor
        _require_file(self._path, os.fstat(descriptor))
        with cast("BinaryIO", open(descriptor, "rb", buffering=0, closefd=False)) as file:
            head = file.read(_HEAD)
            _require_header(self._path, head)
            torn = torn_end(file)
            self._end = file.seek(0, os.SEEK_END)
            if len(head) < len(HEADER):  # new, or killed while it wrote its first line
                self.last_tick = None
                self._write(HEADER[len(head) :])
                return
            if torn is not None:
                on_torn(torn, self._save(file, torn))
                os.ftruncate(descriptor, torn.whole)
                self._end = torn.whole
            self.last_tick = last_tick(file, self._end)

    def _save(self, file: BinaryIO, torn: TornEnd) -> str:
        """Copy what is to be cut off into a file of its own beside the journal."""
        base = os.path.realpath(self._path) + ".torn"
        names = (base if number == 1 else f"{base}-{number}" for number in range(1, 1000))
        try:
            for name in names:
                with contextlib.suppress(FileExistsError), Path(name).open("xb") as saved:
                    file.seek(torn.whole)
                    saved.writelines(iter(lambda: file.read(_BLOCK), b""))
                    return name
        except OSError as error:
            raise JournalError(
                f"{torn.text(self._path)}, and cannot be saved beside it ({error}); make room, or copy the journal and "
                "go on with the copy",
                path=self._path,
            ) from error
        raise JournalError(f"{base} and its like are all taken; remove some", path=self._path)

    def append(self, line: bytes) -> None:
        """Add a line, in one piece or not at all.

        Raises
        ------
        JournalError
            The disk refuses, or another program changed, moved or removed the file.
        """
        self._require_unchanged()
        self._write(line)

    def _write(self, line: bytes) -> None:
        descriptor = self._hold.descriptor
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            if self._sync:
                os.fsync(descriptor)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, self._end)
            if isinstance(error, OSError):
                raise JournalError(
                    f"{self._path} cannot be written ({error}); it ends where it did: make room and go on",
                    path=self._path,
                ) from error
            raise
        self._end += len(line)

    def _require_unchanged(self) -> None:
        try:
            now = os.stat(self._path)  # noqa: PTH116 - a Path costs as much as the call, tick by tick
        except OSError as error:
            raise JournalError(
                f"{self._path} is gone ({error}) while it was written; what was in it is lost with it", path=self._path
            ) from error
        if identity_of(now) != self._hold.identity:
            raise JournalError(
                f"another file was put at {self._path} while it was written; find the journal where it was moved to",
                path=self._path,
            )
        if now.st_size != self._end:
            raise JournalError(
                f"another program changed {self._path}: it has {now.st_size} bytes, not {self._end}; look at it, and "
                "open it again",
                path=self._path,
            )

    def close(self) -> None:
        """Let other writers in."""
        self._hold.close()
