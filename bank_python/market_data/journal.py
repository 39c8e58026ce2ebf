"""Where the record of a market is kept: a file, or Barbara.

A journal is a header and then one record for each poll or history of a feed, in order
(:mod:`~bank_python.market_data.journal_records`). It lives in a file of JSON lines (:class:`FileJournal`) or in a
store (:class:`StoreJournal`), one interface over both.

A line is written in one piece and handed to the operating system at once, so a killed writer loses at most the line
it was in: that one is left out on reading, and the log says so. Damage anywhere else is an error that names the line.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from bank_python.barbara import BarbaraDB
from bank_python.errors import FeedConfigError, FeedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.market_data.journal_records import Record

__all__ = ["FileJournal", "Journal", "StoreJournal", "journal_at"]

_log = logging.getLogger(__name__)


class Journal(Protocol):
    """A place where records are kept in order."""

    def append(self, record: Record) -> None:
        """Keep one more record after all others; once this returns it survives a kill of the process."""
        ...

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield the records in order, each with the words that say where it stands."""
        ...

    def close(self) -> None:
        """Stop writing."""
        ...


def journal_at(place: str | Path | BarbaraDB | Journal) -> Journal:
    """Return the journal at a path, in a store, or the journal itself."""
    if isinstance(place, (str, Path)):
        return FileJournal(place)
    return StoreJournal(place) if isinstance(place, BarbaraDB) else place


class FileJournal:
    """A journal in a file of JSON lines.

    Parameters
    ----------
    path : str or Path
        The file. The first record makes it; one that exists is refused, since two recordings in one file would
        replay as one market.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._file: IO[str] | None = None

    def append(self, record: Record) -> None:
        """Write one record as a line.

        Raises
        ------
        FeedConfigError
            The file existed before this journal's first record.
        """
        if self._file is None:
            self._file = self._create()
        self._file.write(json.dumps(record, allow_nan=False, separators=(",", ":")) + "\n")
        self._file.flush()

    def _create(self) -> IO[str]:
        try:
            return self._path.open("x", encoding="utf-8")
        except FileExistsError as error:
            message = f"{self._path} exists: a recording begins a file of its own, give another path"
            raise FeedConfigError(message, value=self._path) from error

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield the records, one line in memory at a time.

        Raises
        ------
        FeedError
            There is no such file, or a line is no record; a last line that was cut off is logged and left out.
        """
        try:
            with self._path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    where = f"{self._path}, line {number}"
                    record = _record_of(line, where)
                    if record is not None:
                        yield where, record
        except FileNotFoundError as error:
            raise FeedError(f"there is no journal at {self._path}: record one first", feed="replay") from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


class StoreJournal:
    """A journal in Barbara: one key for each record.

    Parameters
    ----------
    db : BarbaraDB
        The store.
    name : str, default "default"
        The journal's name; its records are ``/Market/Journal/<name>/<number>``.
    """

    def __init__(self, db: BarbaraDB, name: str = "default") -> None:
        self._db = db
        self._prefix = f"/Market/Journal/{name}/"
        self._written = 0

    def append(self, record: Record) -> None:
        """Store one record under the next number.

        Raises
        ------
        FeedConfigError
            A journal of that name was there before this one's first record.
        """
        if self._written == 0 and any(True for _ in self._db.keys(self._prefix)):
            message = f"{self._prefix} holds a journal: a recording begins its own, give another name="
            raise FeedConfigError(message, value=self._prefix)
        self._written += 1
        # Ten digits: keys in the order of text are then in the order of time.
        self._db[f"{self._prefix}{self._written:010d}"] = record

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield the records by their numbers.

        Raises
        ------
        FeedError
            There is no journal of that name, or something else is stored under a number.
        """
        keys = sorted(self._db.keys(self._prefix))
        if not keys:
            raise FeedError(f"there is no journal under {self._prefix}: record one first", feed="replay")
        for key in keys:
            record = self._db[key]
            if not isinstance(record, dict):
                raise FeedError(f"{key} is no journal record but {record!r}", feed="replay")
            yield key, record

    def close(self) -> None:
        """Do nothing: the store is the caller's."""


def _record_of(line: bytes, where: str) -> Record | None:
    """Return the record on a line, ``None`` for a line that its writer could not finish."""
    try:
        record = json.loads(line)
    except ValueError as error:
        if not line.endswith(b"\n"):
            _log.warning("%s was cut off (its writer was stopped in it); it is left out", where)
            return None
        raise FeedError(f"{where} is damaged: {error}", feed="replay") from error
    if not isinstance(record, dict):
        raise FeedError(f"{where} is damaged: a record is an object, not {record!r}", feed="replay")
    return record
