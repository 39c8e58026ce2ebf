"""Journals of ticks: in memory, in a file of JSON lines, or in a Barbara store.

All kinds have these properties:

- an entry whose ``append`` has returned survives the end of the process (in memory: the end of the recording);
- a journal has one writer at a time, which claims it (:meth:`Journal.claim`); a second one gets an error. The claim
  ends with the writer's process. Anyone may read, and reads complete entries only;
- an entry that was lost in a crash is reported (:attr:`Journal.lost`), never skipped silently.
"""

from __future__ import annotations

import copy
import logging
import re
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bank_python.barbara.claim import Claim
from bank_python.barbara.file_lock import writers_excluded
from bank_python.dagger.journal_file import (
    ADVICE,
    LineWriter,
    TornEnd,
    count_lines,
    is_there,
    open_to_read,
    sync_directory,
    torn_end,
    whole_end,
)
from bank_python.dagger.journal_text import DAMAGE, entry_from, fields_of, line_of, read_line
from bank_python.errors import ConflictError, JournalError, StoreError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from types import TracebackType
    from typing import BinaryIO

    from bank_python.barbara import BarbaraDB
    from bank_python.dagger.journal import Entry

__all__ = ["BarbaraJournal", "FileJournal", "Journal", "MemoryJournal"]

_LOG = logging.getLogger(__name__)
_CLAIMING = threading.Lock()  # guards the flags below, never while a file is waited for


class Journal(ABC):
    """Base class of journals: entries in the order of their ticks, with one writer at a time.

    A subclass defines :meth:`append` and :meth:`__iter__`. Claims of this class are valid within the process; a
    subclass extends them to other processes.
    """

    _claimed = False
    _closed = False

    @abstractmethod
    def append(self, entry: Entry) -> None:
        """Append an entry; when this returns, the entry survives the end of the process."""

    @abstractmethod
    def __iter__(self) -> Iterator[Entry]:
        """Iterate over the entries, starting with the first."""

    @property
    def lost(self) -> str | None:
        """Description of what was lost with a torn end; ``None`` if the end is whole."""
        return None

    @property
    def lost_tick(self) -> int | None:
        """Number of the tick that the torn end belongs to, or may belong to; ``None`` if unknown or nothing is lost.

        If it is also the tick of the last entries, these contain only a part of that tick.
        """
        return None

    def claim(self) -> None:
        """Become the journal's single writer, until :meth:`release`, :meth:`close` or the end of the process.

        Raises
        ------
        JournalError
            The journal has another writer (the message names it, where it is known), or is closed.
        """
        with _CLAIMING:
            self._require_open()
            if self._claimed:
                raise JournalError(
                    f"{self!r} is being written by another recording; wait until that has ended, or give another "
                    "journal",
                    holder="another recording",
                )
            self._claimed = True
        try:
            self._acquire()
        except BaseException:
            self._claimed = False
            raise

    def release(self) -> None:
        """Let another writer claim the journal; without effect if it is not claimed."""
        self._let_go()
        self._claimed = False

    @contextmanager
    def writing(self) -> Iterator[Self]:
        """Claim the journal for the duration of a ``with`` block.

        Raises
        ------
        JournalError
            The journal has another writer, or is closed.
        """
        self.claim()
        try:
            yield self
        finally:
            self.release()

    def close(self) -> None:
        """Release the journal and end writing through this object; it can still be read."""
        self._closed = True
        self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _acquire(self) -> None:  # noqa: B027 - a journal in memory has no other writers to exclude
        """Exclude writers other than this object, or raise a JournalError."""

    def _let_go(self) -> None:  # noqa: B027 - as above
        """Admit writers other than this object again."""

    def _require_open(self) -> None:
        if self._closed:
            raise JournalError(f"{self!r} is closed; open it again to write to it")


class MemoryJournal(Journal):
    """A journal in memory, which ends with the process."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Append a copy of an entry, as its values could change later."""
        self._require_open()
        self._entries.append(copy.deepcopy(entry))

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"MemoryJournal({len(self)} entries)"


class BarbaraJournal(Journal):
    """A journal in a Barbara store, with one record per entry under ``/Journal/NAME/``.

    The writer of a journal holds a lock file beside the store's file, which is removed when the writer releases the
    journal. A record is written only under a free key, so that no writer overwrites the entries of another.

    Parameters
    ----------
    db : BarbaraDB
        Store of the journal; values of every type that it can store can be recorded.
    name : str
        Name of the journal; an existing journal of that name is continued.
    """

    def __init__(self, db: BarbaraDB, name: str) -> None:
        self._db = db
        self._name = name
        self._home = f"/Journal/{name}/"
        self._number = re.compile(re.escape(self._home) + r"(\d{12,})")
        self._guard = threading.RLock()
        self._claim: Claim | None = None
        self._next: int | None = None

    def append(self, entry: Entry) -> None:
        """Append an entry; inside a transaction of the store, it survives once the transaction is committed.

        Raises
        ------
        JournalError
            The journal has another writer.
        """
        from bank_python.barbara import MISSING  # here, so that a graph without a store does not load one

        with self._guard:
            self._require_open()
            self._acquire()
            number = self._following() if self._next is None else self._next
            try:
                self._db.compare_and_set(f"{self._home}{number:012d}", MISSING, fields_of(entry))
            except ConflictError as error:
                self._next = None
                raise JournalError(
                    f"another writer added to the journal {self._name!r} in {self._db.path}; the entry of tick "
                    f"{entry.tick} was not written: end one of the two recordings",
                    tick=entry.tick,
                ) from error
            self._next = number + 1

    def __iter__(self) -> Iterator[Entry]:
        for key in self._keys():
            try:
                yield entry_from(self._db[key])
            except (*DAMAGE, StoreError) as error:
                raise JournalError(
                    f"the record {key} in {self._db.path} is damaged ({error}); restore an earlier version of it",
                    key=key,
                ) from error

    def __len__(self) -> int:
        return len(self._keys())

    def __repr__(self) -> str:
        state = "the store is closed" if self._db.closed else f"{len(self)} entries"
        return f"BarbaraJournal({self._name!r} in {self._db.path!r}, {state})"

    def _keys(self) -> list[str]:
        return [key for key in self._db.keys(self._home) if self._number.fullmatch(key)]

    def _following(self) -> int:
        keys = self._keys()
        return int(keys[-1].removeprefix(self._home)) + 1 if keys else 0

    def _acquire(self) -> None:
        with self._guard:
            if self._claim is None or not self._claim.alive:
                what = f"the journal {self._name!r} in {self._db.path}"
                self._claim = Claim(self._db, f"journal {self._name}", what=what, advice=ADVICE, error=JournalError)
                self._next = self._following()

    def _let_go(self) -> None:
        with self._guard:
            self._next = None
            if self._claim is not None:
                self._claim.release()
                self._claim = None


class FileJournal(Journal):
    """A journal in a file of JSON lines: human-readable, appended to and flushed entry by entry.

    Parameters
    ----------
    path : path
        Path of the file. An existing journal is continued, and opening it does not change it; an empty file becomes a
        journal; any other file raises an error and is not changed. Symbolic links are followed.
    sync : bool, default False
        Whether ``append`` returns only when the entry is on the disk (``fsync``), so that it survives a power failure.
        Otherwise the entry has been passed to the operating system, and survives the end of the process.

    Raises
    ------
    JournalError
        The file is not a journal of this format, or no file can be created at the path.

    Notes
    -----
    A crash may leave the last line unfinished (no line end, or NUL bytes after a power failure). Such a line is not an
    entry. It is reported by :attr:`lost` and once in the log. The next writer cuts it off, together with complete lines
    of the same tick, as a tick is replayed completely or not at all. The bytes that are cut off are first saved beside
    the journal, in ``NAME.torn``, as entries are too long for a line of the log.

    Examples
    --------
    >>> import tempfile
    >>> from bank_python.dagger import Entry, FileJournal
    >>> with tempfile.TemporaryDirectory() as directory, FileJournal(f"{directory}/ticks.jsonl") as journal:
    ...     journal.append(Entry(1, {"SPOT": 101.5}))
    ...     print(len(journal), journal.lost)
    1 None
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = False) -> None:
        self.path = Path(path)
        self._location = str(self.path.absolute())  # stays valid when the working directory changes
        self._sync = sync
        self._guard = threading.RLock()
        self._writer: LineWriter | None = None
        self._reported: TornEnd | None = None
        if not is_there(self._location):
            self._create()

    def _create(self) -> None:
        try:
            self._open_writer(create=True).close()
            if self._sync:
                sync_directory(self._location)
        except JournalError as error:
            if "holder" not in error.facts:  # with a holder, another process is creating the file at this moment
                raise

    def append(self, entry: Entry) -> None:
        """Append an entry; claims the journal, if it is not claimed, for the lifetime of this object.

        Raises
        ------
        JournalError
            A value cannot be restored from JSON with its type, the journal has another writer, or the file cannot be
            written. The entry is then not in the journal; earlier entries are not affected.
        """
        with self._guard:
            self._require_open()
            writer = self._acquired()
            writer.append(line_of(entry, same_tick=entry.tick == writer.last_tick))
            writer.last_tick = entry.tick

    def __iter__(self) -> Iterator[Entry]:
        self._torn()
        with self._reading() as file:
            end = whole_end(file)
            file.seek(0)
            number = 0
            while file.tell() < end:
                number += 1
                line = file.readline()
                if number == 1:  # the header, which is checked already
                    continue
                if not line.endswith(b"\n"):  # meanwhile a writer has cut off the incomplete last tick
                    return
                try:
                    entry = read_line(line)
                except DAMAGE as error:
                    raise JournalError(
                        f"line {number} of {self.path} is damaged ({error}); replay a copy that ends before it",
                        path=str(self.path),
                        line=number,
                    ) from error
                yield entry

    def __len__(self) -> int:
        """Return the number of complete lines after the header, without reading the entries."""
        with self._reading() as file:
            return max(count_lines(file) - 1, 0)

    def __repr__(self) -> str:
        try:
            torn = ", torn end" if self._torn() is not None else ""
            return f"FileJournal({str(self.path)!r}, {len(self)} entries{torn})"
        except JournalError as error:
            return f"FileJournal({str(self.path)!r}, unreadable: {error})"

    @property
    def lost(self) -> str | None:
        """Description of what was lost with a torn end; ``None`` if the end is whole, or was cut off by a writer."""
        torn = self._torn()
        return None if torn is None else torn.text(str(self.path))

    @property
    def lost_tick(self) -> int | None:
        """Number of the tick that the torn end belongs to, or may belong to; ``None`` if unknown or nothing is lost."""
        torn = self._torn()
        return None if torn is None else torn.tick

    def _torn(self) -> TornEnd | None:
        """Return the unfinished line at the end, unless it is being written, and log it once."""
        with self._reading(buffering=0) as file:
            if torn_end(file) is None:
                return None
            with writers_excluded(file.fileno()) as is_exclusive:
                torn = torn_end(file) if is_exclusive else None
        if torn is not None and torn != self._reported:
            self._reported = torn
            _LOG.warning("%s", torn.text(str(self.path)))
        return torn

    def _reading(self, *, buffering: int = -1) -> BinaryIO:
        try:
            return open_to_read(self._location, buffering=buffering)
        except FileNotFoundError as error:
            raise JournalError(f"{self.path} is missing; open it again to create it", path=str(self.path)) from error

    def _open_writer(self, *, create: bool = False) -> LineWriter:
        return LineWriter(self._location, create=create, sync=self._sync, on_torn=self._report_cut)

    def _report_cut(self, torn: TornEnd, saved: str) -> None:
        if torn != self._reported:
            _LOG.warning("%s", torn.text(str(self.path)))
        self._reported = torn
        _LOG.warning("the unfinished end of %s is cut off, and saved as %s", self.path, saved)

    def _acquired(self) -> LineWriter:
        if self._writer is None or not self._writer.alive:
            self._writer = self._open_writer()
        return self._writer

    def _acquire(self) -> None:
        with self._guard:
            self._acquired()

    def _let_go(self) -> None:
        with self._guard:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
