"""Journals of recorded markets, in a file or in a Barbara store.

A journal is a header followed by one record per poll or history of a feed, in order
(:mod:`~bank_python.market_data.journal_records`). It is stored in a file of JSON lines (:class:`FileJournal`) or in a
store (:class:`StoreJournal`); both implement :class:`Journal`.

Each line is written in one piece and flushed to the operating system at once, so a killed process loses at most its
last line: an incomplete last line is skipped on reading, with a warning in the log. Damage anywhere else is an error
that names the line.
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
    """An ordered sequence of records in a file or a store."""

    def append(self, record: Record) -> None:
        """Append one record; once this returns, the record survives a kill of the process."""
        ...

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield each record in order, with its location for use in messages."""
        ...

    def close(self) -> None:
        """Stop writing."""
        ...


def journal_at(place: str | Path | BarbaraDB | Journal) -> Journal:
    """Return a journal object for a path or a store; a journal is returned as it is."""
    if isinstance(place, (str, Path)):
        return FileJournal(place)
    return StoreJournal(place) if isinstance(place, BarbaraDB) else place


class FileJournal:
    """A journal in a file of JSON lines.

    Parameters
    ----------
    path : str or Path
        Path of the file, which the first record creates. An existing file is rejected, as two recordings in one
        file would replay as one market.
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
            message = f"{self._path} exists already: each recording needs a new file, give another path"
            raise FeedConfigError(message, value=self._path) from error

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield the records, one line in memory at a time.

        Raises
        ------
        FeedError
            There is no such file, or a line is not a record. An incomplete last line is skipped with a warning.
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
    """A journal in a Barbara store, with one key per record.

    Parameters
    ----------
    db : BarbaraDB
        Store that the records are written to.
    name : str, default "default"
        Name of the journal; the keys are ``/Market/Journal/<name>/<number>``.
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
            The store has a journal of that name from another recording.
        """
        if self._written == 0 and any(True for _ in self._db.keys(self._prefix)):
            message = f"{self._prefix} has a journal already: each recording needs a new name, give another name="
            raise FeedConfigError(message, value=self._prefix)
        self._written += 1
        # Ten digits, so that the alphabetical order of keys is the order in time.
        self._db[f"{self._prefix}{self._written:010d}"] = record

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield the records in the order of their numbers.

        Raises
        ------
        FeedError
            There is no journal of that name, or a key holds something other than a record.
        """
        keys = sorted(self._db.keys(self._prefix))
        if not keys:
            raise FeedError(f"there is no journal under {self._prefix}: record one first", feed="replay")
        for key in keys:
            record = self._db[key]
            if not isinstance(record, dict):
                raise FeedError(f"{key} is not a journal record but {record!r}", feed="replay")
            yield key, record

    def close(self) -> None:
        """Do nothing: the caller closes the store."""


def _record_of(line: bytes, where: str) -> Record | None:
    """Return the record of a line, ``None`` for an incomplete last line."""
    try:
        record = json.loads(line)
    except ValueError as error:
        if not line.endswith(b"\n"):
            _log.warning("%s is incomplete (the recording was interrupted) and is skipped", where)
            return None
        raise FeedError(f"{where} is damaged: {error}", feed="replay") from error
    if not isinstance(record, dict):
        raise FeedError(f"{where} is damaged: a record is a JSON object, not {record!r}", feed="replay")
    return record
