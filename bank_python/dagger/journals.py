"""Where a journal of ticks is kept: in memory, in a file of JSON lines, or in a Barbara store.

What holds for every kind:

- an entry whose ``append`` returned survives the end of the process (in memory: of the recording);
- a journal has one writer at a time, who claims it (:meth:`Journal.claim`); a second one is refused. A writer that dies
  lets go of it. Reading is open to all, and sees whole entries only;
- what a crash tore off is told (:attr:`Journal.lost`), never passed over in silence.
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
from bank_python.barbara.file_lock import writers_kept_out
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
    """Entries in the order of their ticks, with one writer at a time.

    A kind of its own defines :meth:`append` and :meth:`__iter__`; what this class says of claims then holds within the
    process.
    """

    _claimed = False
    _closed = False

    @abstractmethod
    def append(self, entry: Entry) -> None:
        """Add an entry at the end; when this returns, it survives the end of the process."""

    @abstractmethod
    def __iter__(self) -> Iterator[Entry]:
        """Return the entries from the first."""

    @property
    def lost(self) -> str | None:
        """A sentence that says what a torn end has lost; ``None`` if the end is whole."""
        return None

    @property
    def lost_tick(self) -> int | None:
        """The tick that the torn end was of, or may have been of; ``None`` if that cannot be read or nothing is lost.

        If it is the tick of the last entries, these are only a part of what that tick did.
        """
        return None

    def claim(self) -> None:
        """Become the journal's one writer, until :meth:`release`, :meth:`close` or the end of the process.

        Raises
        ------
        JournalError
            The journal has a writer already (the message says who, as far as that is known), or is closed.
        """
        with _CLAIMING:
            self._require_open()
            if self._claimed:
                raise JournalError(
                    f"{self!r} is being written by another recording; let that end, or give another journal",
                    holder="another recording",
                )
            self._claimed = True
        try:
            self._acquire()
        except BaseException:
            self._claimed = False
            raise

    def release(self) -> None:
        """Let another writer claim the journal; again does nothing."""
        self._let_go()
        self._claimed = False

    @contextmanager
    def writing(self) -> Iterator[Self]:
        """Claim the journal for the length of a ``with`` block.

        Raises
        ------
        JournalError
            As :meth:`claim`.
        """
        self.claim()
        try:
            yield self
        finally:
            self.release()

    def close(self) -> None:
        """End writing for good and release the journal; it can still be read."""
        self._closed = True
        self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _acquire(self) -> None:  # noqa: B027 - a kind that lives in one object has nobody else to keep out
        """Keep writers out that are not this object, or raise a JournalError."""

    def _let_go(self) -> None:  # noqa: B027 - as above
        """Let writers in that are not this object."""

    def _require_open(self) -> None:
        if self._closed:
            raise JournalError(f"{self!r} is closed; open it again to write to it")


class MemoryJournal(Journal):
    """A journal that lives as long as the process."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Add an entry at the end, with copies of values that could change."""
        self._require_open()
        self._entries.append(copy.deepcopy(entry))

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"MemoryJournal({len(self)} entries)"


class BarbaraJournal(Journal):
    """A journal in a Barbara store, one record for each entry under ``/Journal/NAME/``.

    The writer of a journal holds a lock file beside the store's file, which is removed when it is done. Each record is
    written only where none is, so that no writer ever overwrites another's.

    Parameters
    ----------
    db : BarbaraDB
        The store; values of every type that it can store can be journaled.
    name : str
        The journal's name; a journal of that name that is there already is continued.
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
        """Add an entry at the end; inside a transaction of the store's, it survives once that is committed.

        Raises
        ------
        JournalError
            Another writer has the journal.
        """
        from bank_python.barbara import MISSING  # a graph without a store loads none

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
                    f"{entry.tick} was not written: let one of the two end",
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
    """A journal in a file of JSON lines: readable by people, appended to and flushed entry by entry.

    Parameters
    ----------
    path : path
        The file's path. A journal that is there already is continued, and not changed by being opened; an empty file is
        taken; anything else is refused and left as it is. A link is taken for what it leads to.
    sync : bool, default False
        Whether ``append`` returns only once the entry is on the disk (``fsync``), so that it survives a power cut.
        Without that it is with the operating system, and survives the end of the process.

    Raises
    ------
    JournalError
        The path has something else than a journal of this format, or a new one cannot be made there.

    Notes
    -----
    A crash may leave a last line unfinished (no line end, or NUL bytes after a power cut). That is not an entry. It is
    told by :attr:`lost` and once in the log. The next writer cuts it off, together with whole lines of the same tick,
    as a tick is replayed with all that it did or not at all. What is cut off is first saved beside the journal, in
    ``NAME.torn``: a log line could not hold whole entries, and they are not a library's to destroy.

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
        self._location = str(self.path.absolute())  # holds when the working directory changes
        self._sync = sync
        self._guard = threading.RLock()
        self._writer: LineWriter | None = None
        self._told: TornEnd | None = None
        if not is_there(self._location):
            self._create()

    def _create(self) -> None:
        try:
            self._open_writer(create=True).close()
            if self._sync:
                sync_directory(self._location)
        except JournalError as error:
            if "holder" not in error.facts:  # or somebody was quicker, and writes the header
                raise

    def append(self, entry: Entry) -> None:
        """Add an entry at the end; claims the journal if nobody did, for as long as this object lives.

        Raises
        ------
        JournalError
            A value would not come back from JSON as it is, another writer has the journal, or the file cannot be
            written. The entry is then not in it, and entries before it are.
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
                if number == 1:  # the header, which was checked
                    continue
                if not line.endswith(b"\n"):  # a writer came and cut off the last tick, of which only a part was there
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
        """Return the number of whole lines after the header; they are counted, not read."""
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
        """A sentence that says what a torn end has lost; ``None`` if the end is whole, or was cut off by a writer."""
        torn = self._torn()
        return None if torn is None else torn.text(str(self.path))

    @property
    def lost_tick(self) -> int | None:
        """The tick that the torn end was of, or may have been of; ``None`` if unknown or nothing is lost."""
        torn = self._torn()
        return None if torn is None else torn.tick

    def _torn(self) -> TornEnd | None:
        """Return what is unfinished at the end and will stay so, and tell it if it was not told."""
        with self._reading(buffering=0) as file:
            if torn_end(file) is None:
                return None
            with writers_kept_out(file.fileno()) as alone:
                torn = torn_end(file) if alone else None
        if torn is not None and torn != self._told:
            self._told = torn
            _LOG.warning("%s", torn.text(str(self.path)))
        return torn

    def _reading(self, *, buffering: int = -1) -> BinaryIO:
        try:
            return open_to_read(self._location, buffering=buffering)
        except FileNotFoundError as error:
            raise JournalError(f"{self.path} is gone; open it again to begin another", path=str(self.path)) from error

    def _open_writer(self, *, create: bool = False) -> LineWriter:
        return LineWriter(self._location, create=create, sync=self._sync, on_torn=self._tell_cut)

    def _tell_cut(self, torn: TornEnd, saved: str) -> None:
        if torn != self._told:
            _LOG.warning("%s", torn.text(str(self.path)))
        self._told = torn
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
