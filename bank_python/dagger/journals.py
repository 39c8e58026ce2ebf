"""Where a journal of ticks is kept: in memory, in a file of JSON lines, or in a Barbara store."""

from __future__ import annotations

import base64
import copy
import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.dagger.journal import Entry, Evaluation
from bank_python.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bank_python.barbara import BarbaraDB

__all__ = ["BarbaraJournal", "FileJournal", "Journal", "MemoryJournal"]

_FORMAT = 1
_HEADER_SIZE = 200


class Journal(ABC):
    """Entries in the order of their ticks."""

    @abstractmethod
    def append(self, entry: Entry) -> None:
        """Add an entry at the end; when this returns, it survives the end of the process."""

    @abstractmethod
    def __iter__(self) -> Iterator[Entry]:
        """Return the entries from the first."""


class MemoryJournal(Journal):
    """A journal that lives as long as the process."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Add an entry at the end, with copies of values that could change."""
        self._entries.append(copy.deepcopy(entry))

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))


class BarbaraJournal(Journal):
    """A journal in a Barbara store, one record a tick under ``/Journal/NAME/``.

    Parameters
    ----------
    db : BarbaraDB
        The store; what it can hold, the journal can.
    name : str
        Of the journal; one that is there already is continued.
    """

    def __init__(self, db: BarbaraDB, name: str) -> None:
        self._db = db
        self._home = f"/Journal/{name}/"
        self._next = len(db.keys(self._home))

    def append(self, entry: Entry) -> None:
        """Add an entry at the end."""
        self._db[f"{self._home}{self._next:012d}"] = _fields(entry)
        self._next += 1

    def __iter__(self) -> Iterator[Entry]:
        for key in self._db.keys(self._home):
            yield _entry(self._db[key])


class FileJournal(Journal):
    """A journal in a file of JSON lines: readable by people, appended to and flushed tick by tick.

    Parameters
    ----------
    path : path
        The file; one that is there already is continued. A last line that a crash left unfinished is not an entry: it
        is passed over when reading and cut off before writing.

    Raises
    ------
    JournalError
        The file is not a journal, or of a format that this release does not know.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.exists() and b"\n" in self.path.read_bytes()[:_HEADER_SIZE]:
            for _ in self._lines():
                break
        else:  # new, or killed while it wrote its first line
            self.path.write_text(json.dumps({"dagger_journal": _FORMAT}) + "\n", encoding="utf-8")

    def append(self, entry: Entry) -> None:
        """Add an entry at the end."""
        line = json.dumps(_plain(_fields(entry))) + "\n"
        with self.path.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            _cut_torn_line(file)
            file.write(line.encode("utf-8"))

    def __iter__(self) -> Iterator[Entry]:
        for number, line in self._lines():
            try:
                yield _entry(json.loads(line, object_hook=_array))
            except (ValueError, KeyError, TypeError) as error:
                raise JournalError(
                    f"line {number} of {self.path} is damaged ({error}); replay a copy that ends before it",
                    path=str(self.path),
                    line=number,
                ) from error

    def _lines(self) -> Iterator[tuple[int, str]]:
        with self.path.open(encoding="utf-8") as file:
            _check_header(self.path, file.readline())
            for number, line in enumerate(file, start=2):
                if line.endswith("\n"):  # or it is the torn end
                    yield number, line


def _check_header(path: Path, line: str) -> None:
    try:
        known = json.loads(line)["dagger_journal"] == _FORMAT
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise JournalError(f"{path} is not a journal of format {_FORMAT}; give another file", path=str(path))


def _cut_torn_line(file: Any) -> None:
    """Cut off what follows the last line end; the file stands at its end."""
    end = file.tell()
    while end:
        start = max(end - 4096, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    file.truncate(end)
    file.seek(end)


def _fields(entry: Entry) -> dict[str, Any]:
    evaluations = {name: [done.as_of_tick, done.value, done.error] for name, done in entry.evaluations.items()}
    return {
        "tick": entry.tick,
        "leaves": dict(entry.leaves),
        "terms": {name: dict(terms) for name, terms in entry.terms.items()},
        "evaluations": evaluations,
    }


def _entry(fields: Mapping[str, Any]) -> Entry:
    evaluations = {name: Evaluation(*given) for name, given in fields["evaluations"].items()}
    return Entry(fields["tick"], fields["leaves"], fields["terms"], evaluations)


def _plain(value: object) -> object:
    """Return `value` as JSON can give it back, type and all."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {"__array__": data, "dtype": value.dtype.str, "shape": list(value.shape)}
    raise JournalError(
        f"{value!r} cannot be written as JSON; keep the journal in a Barbara store, which knows more types", value=value
    )


def _array(fields: dict[str, Any]) -> object:
    if "__array__" not in fields:
        return fields
    data = np.frombuffer(base64.b64decode(fields["__array__"]), dtype=fields["dtype"])
    return data.reshape(fields["shape"]).copy()
