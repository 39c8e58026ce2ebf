"""Versions of keys, committed changes, and the marker for a missing value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum
from typing import Final, Literal

from bank_python.display import Record
from bank_python.errors import StoreArgumentError

__all__ = ["MISSING", "Change", "Kind", "Missing", "Version", "from_microseconds", "to_microseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Missing(Enum):
    """Type of :data:`MISSING`; an enum, so that type checkers can narrow it."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final[Literal[Missing.MISSING]] = Missing.MISSING
"""Marker for a missing key where ``None`` would be a valid value."""


class Kind(IntEnum):
    """Kind of a version: value, deletion or tombstone. The numbers are part of the file format."""

    VALUE = 0
    DELETED = 1  # values of the key in lower rings are visible
    HIDDEN = 2  # a tombstone: values of the key in lower rings are hidden


@dataclass(frozen=True, slots=True)
class Version(Record):
    """One entry in the history of a key.

    Parameters
    ----------
    ring : str
        Name of the ring that was written.
    key : str
        Key of the entry.
    number : int
        Number of the version of this key in this ring, from 1 without gaps.
    stored_at : datetime or None
        Time of the commit in UTC; ``None`` inside the transaction that writes it.
    deleted : bool
        Whether the version is a deletion of either kind, so that the ring has no value of the key.
    hidden : bool
        Whether the version is a tombstone, which also hides the key in lower rings.
    sequence : int
        Number of the write in the store, increasing in the order of commits.
    """

    ring: str
    key: str
    number: int
    stored_at: datetime | None
    deleted: bool
    hidden: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Change(Record):
    """A committed change, as passed to subscribers; fields as in :class:`Version`."""

    key: str
    ring: str
    number: int
    deleted: bool
    sequence: int


def to_microseconds(time: datetime) -> int:
    """Return microseconds since 1970-01-01 UTC.

    Raises
    ------
    StoreArgumentError
        `time` is not a timezone-aware datetime.
    """
    if not isinstance(time, datetime) or time.utcoffset() is None:  # type: ignore[redundant-expr]  # untyped callers
        message = (
            f"the store's time must be a timezone-aware datetime, not {time!r}: add tzinfo=UTC, as in "
            "datetime(2026, 1, 5, 17, 30, tzinfo=UTC)"
        )
        raise StoreArgumentError(message, value=time)
    return (time - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(count: int) -> datetime:
    """Return the UTC datetime of a count of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=count)
