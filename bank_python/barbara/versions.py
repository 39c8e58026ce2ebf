"""What the store tells about itself: one version of a key, one change, and the mark for "nothing there"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum
from typing import Final, Literal

from bank_python.errors import StoreArgumentError

__all__ = ["MISSING", "Change", "Kind", "Missing", "Version", "from_microseconds", "to_microseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Missing(Enum):
    """The type of :data:`MISSING`; an enum, so that type checkers can narrow on it."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final[Literal[Missing.MISSING]] = Missing.MISSING
"""Stands for "no such key" where ``None`` would be a value like any other."""


class Kind(IntEnum):
    """What a version does to its key in its ring. The numbers are part of the file format."""

    VALUE = 0
    DELETED = 1  # the ring says nothing: lower rings shine through
    HIDDEN = 2  # a tombstone: lower rings are covered


@dataclass(frozen=True, slots=True)
class Version:
    """One entry in the history of a key.

    Parameters
    ----------
    ring : str
        The ring that was written.
    key : str
        The key.
    number : int
        1 for the first version of this key in this ring, 2 for the next, and so on without gaps.
    stored_at : datetime or None
        When its transaction was committed, UTC; ``None`` inside the transaction that is still writing it.
    deleted : bool
        No value from here on, either way of deleting.
    hidden : bool
        The deletion also hides lower rings.
    sequence : int
        Its place among all writes in the store, rising in the order of commits.
    """

    ring: str
    key: str
    number: int
    stored_at: datetime | None
    deleted: bool
    hidden: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Change:
    """A committed change, as subscribers hear of it; fields as in :class:`Version`."""

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
        message = f"the store's time must be a timezone-aware datetime, not {time!r}: add tzinfo=UTC"
        raise StoreArgumentError(message, value=time)
    return (time - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(count: int) -> datetime:
    """Return the UTC datetime of a count of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=count)
