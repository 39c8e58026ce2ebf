"""The file format of a journal: its header, the end of its last complete line, and its single writer.

Invariants
----------
- A file whose first bytes are not the header, or the beginning of it, is never written to.
- Bytes after the last line end are not an entry. The next writer saves them beside the file and cuts them off.
- A writer appends a line as a whole, or removes the part that it has written.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from bank_python.barbara.file_lock import identity_of, lock_file
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
"""Advice in the error for a journal that has another writer."""

_BLOCK = 1 << 16
_HEAD = 64
_BOM = b"\xef\xbb\xbf"
_OTHER_FORMAT = re.compile(rb'\{"dagger_journal": (\d+)\}')

# First bytes of other file formats, to name the format in the error message.
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
    """An unfinished line at the end of a journal.

    Parameters
    ----------
    start : int
        Offset of the first byte of the unfinished line.
    size : int
        Length of the unfinished line in bytes.
    line : int
        Number of the unfinished line, from 1.
    tick : int, optional
        Number of the tick that the line belongs to, or may belong to; ``None`` if that cannot be read.
    sure : bool
        Whether the line is known to belong to that tick.
    whole : int
        Offset of the end of the last complete tick: `start`, unless lines before it belong to the same tick.
    """

    start: int
    size: int
    line: int
    tick: int | None
    sure: bool
    whole: int

    def text(self, path: str) -> str:
        """Return a description of what is lost, for messages."""
        size = f"{self.size} byte{'' if self.size == 1 else 's'}"
        if not self.start:
            return f"line 1 of {path} is unfinished: {size} of the header; no tick is lost"
        of = "of a tick whose number cannot be read"
        if self.tick is not None:
            of = f"of tick {self.tick}" if self.sure else f"perhaps of tick {self.tick}"
        partly = f"; the lines before it have only a part of tick {self.tick}" if self.whole < self.start else ""
        return f"line {self.line} of {path} is unfinished: {size}, {of}, lost{partly}"


# --- what is there -----------------------------------------------------------------------------------


def is_there(path: str) -> bool:
    """Whether there is a journal at `path`; ``False`` if there is no file and one can be created.

    Raises
    ------
    JournalError
        The file is not a journal, or no file can be created at `path`.
    """
    try:
        open_to_read(path).close()
    except FileNotFoundError:
        pass
    else:
        return True
    if Path(path).is_symlink():
        raise JournalError(f"{path} is a link to a missing file; remove it, or give another path", path=path)
    parent = Path(path).parent
    if not parent.is_dir():
        raise JournalError(f"{path} cannot be created: there is no directory {parent}; create it first", path=path)
    return False


def sync_directory(path: str) -> None:
    """Flush the directory entry of a new file to disk, where the operating system supports that."""
    if os.name == "posix":
        descriptor = os.open(Path(path).parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_to_read(path: str, *, buffering: int = -1) -> BinaryIO:
    """Open a journal for reading, at its first byte.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    JournalError
        The file cannot be opened, or is not a journal.
    """
    try:
        _require_file(path, os.stat(path))  # noqa: PTH116 - before it is opened: opening a FIFO waits, a tape winds
        file: BinaryIO = Path(path).open("rb", buffering=buffering)  # noqa: SIM115 - the caller closes it
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise JournalError(f"{path} cannot be read ({error}); check the path and its permissions", path=path) from error
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
    """Raise if the first bytes of a file, `head`, are not the header of a journal."""
    if head.startswith(HEADER) or HEADER.startswith(head):
        return
    raise JournalError(
        f"{path} is not a journal of format {FORMAT}, but looks like {_looks(head)}. The file was not changed: give "
        "the path of a journal or of a new file",
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
        if error.start < len(head) - 3:  # otherwise only the last character may be incomplete
            return f"a binary file that begins with {head[:8].hex(' ')}"
        text = head[: error.start].decode("utf-8")
    line = text.splitlines()[0] if text.splitlines() else text
    return f"text that begins {line[:40]!r}"


# --- its end -----------------------------------------------------------------------------------------


def whole_end(file: BinaryIO) -> int:
    """Return the offset after the last line end, 0 if there is none, searching backwards."""
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
    """Return the number of complete lines, including the header."""
    file.seek(0)
    return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))


def torn_end(file: BinaryIO) -> TornEnd | None:
    """Return the unfinished line at the end of an unbuffered file, ``None`` if there is none."""
    start, size = whole_end(file), file.seek(0, os.SEEK_END)
    if start == size:
        return None
    file.seek(start)
    head = file.read(_HEAD)
    tick, sure, whole = tick_of(head), True, start
    last = last_tick(file, start)
    if tick is None and not head.startswith(b"{"):  # a space: the tick of the line before; NUL bytes: perhaps that tick
        tick, sure = last, head.startswith(b" ")
    if tick is not None and tick == last:
        whole = _start_of_tick(file, start, tick)
    return TornEnd(start, size - start, count_lines(file) + 1, tick, sure, whole)


def last_tick(file: BinaryIO, end: int) -> int | None:
    """Return the tick of the line that ends at offset `end`; ``None`` for the header and for damaged lines."""
    file.seek(_after_line_end(file, end - 1) if end else 0)
    return tick_of(file.read(_HEAD))


def _start_of_tick(file: BinaryIO, end: int, tick: int) -> int:
    """Return the offset of the first of the consecutive lines of `tick` that end at `end`."""
    while last_tick(file, end) == tick:
        end = _after_line_end(file, end - 1)
    return end


# --- its writer --------------------------------------------------------------------------------------


class LineWriter:
    """The single writer of a journal's file, which stays open and locked.

    Parameters
    ----------
    path : str
        Absolute path of the file.
    create : bool
        Whether to create a missing file.
    sync : bool
        Whether :meth:`append` returns only after the line is on the disk (``fsync``), not only in the buffers of the
        operating system.
    on_torn : callable
        Function called with the torn end and the path under which it was saved, before it is cut off.

    Raises
    ------
    JournalError
        The file has another writer, is not a journal, or cannot be written.
    """

    def __init__(self, path: str, *, create: bool, sync: bool, on_torn: Callable[[TornEnd, str], object]) -> None:
        self._path = path
        self._sync = sync
        self._file = lock_file(path, create=create, advice=ADVICE, error=JournalError)
        try:
            self._prepare(on_torn)
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether the writer may write: false after :meth:`close`, and in a forked child process."""
        return self._file.alive

    def _prepare(self, on_torn: Callable[[TornEnd, str], object]) -> None:
        descriptor = self._file.descriptor
        _require_file(self._path, os.fstat(descriptor))
        with cast("BinaryIO", open(descriptor, "rb", buffering=0, closefd=False)) as file:
            head = file.read(_HEAD)
            _require_header(self._path, head)
            torn = torn_end(file)
            self._end = file.seek(0, os.SEEK_END)
            if len(head) < len(HEADER):  # a new file, or its writer was killed while writing the header
                self.last_tick = None
                self._write(HEADER[len(head) :])
                return
            if torn is not None:
                on_torn(torn, self._save(file, torn))
                os.ftruncate(descriptor, torn.whole)
                self._end = torn.whole
            self.last_tick = last_tick(file, self._end)

    def _save(self, file: BinaryIO, torn: TornEnd) -> str:
        """Copy the bytes that are to be cut off into a file beside the journal, and return its path."""
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
                f"{torn.text(self._path)}, and the unfinished line cannot be saved beside it ({error}); free disk "
                "space, or copy the journal and continue with the copy",
                path=self._path,
            ) from error
        raise JournalError(f"{base} to {base}-999 exist already; remove some of them", path=self._path)

    def append(self, line: bytes) -> None:
        """Append a line, either completely or not at all.

        Raises
        ------
        JournalError
            The line cannot be written, or another program changed, moved or removed the file.
        """
        self._require_unchanged()
        self._write(line)

    def _write(self, line: bytes) -> None:
        descriptor = self._file.descriptor
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
                    f"{self._path} cannot be written ({error}); it is unchanged: free disk space and try again",
                    path=self._path,
                ) from error
            raise
        self._end += len(line)

    def _require_unchanged(self) -> None:
        try:
            now = os.stat(self._path)  # noqa: PTH116 - constructing a Path takes as long as the call, at every tick
        except OSError as error:
            raise JournalError(
                f"{self._path} was removed or moved while it was being written ({error}); open a new journal",
                path=self._path,
            ) from error
        if identity_of(now) != self._file.identity:
            raise JournalError(
                f"{self._path} was replaced by another file while it was being written; give the path to which the "
                "journal was moved",
                path=self._path,
            )
        if now.st_size != self._end:
            raise JournalError(
                f"another program changed {self._path}: it has {now.st_size} bytes, not {self._end}; check the file, "
                "and open the journal again",
                path=self._path,
            )

    def close(self) -> None:
        """Close the file and release its lock."""
        self._file.close()
