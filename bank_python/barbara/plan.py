"""What has to be written to store some values: their own records, and those of all they depend on.

Planning is apart from doing: it calls the objects' own code (``to_record``) before any lock is taken, and
refuses what cannot be stored before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.barbara.encode import Encoded, encode
from bank_python.barbara.envelope import same_body
from bank_python.errors import UnstorableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Plan", "find_cycle", "plan_write"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Records to write.

    Parameters
    ----------
    asked : dict of str to bytes
        Records that were asked for: each becomes a new version.
    underliers : dict of str to bytes
        Records of what they refer to: written only where the store holds another one.
    """

    asked: dict[str, bytes]
    underliers: dict[str, bytes]


def plan_write(values: Mapping[str, object], *, allow_pickle: bool) -> Plan:
    """Encode the values and, each once, every object they refer to, however deep.

    Raises
    ------
    UnstorableError
        A part has no record form, two different objects claim one key, or objects refer to each other in a
        circle.
    """
    records: dict[str, bytes] = {}
    edges: dict[str, tuple[str, ...]] = {}
    done: set[tuple[str, int]] = set()
    encoded_once: dict[int, Encoded] = {}
    waiting: list[tuple[str, object]] = list(values.items())
    # A stack, not recursion: chains of underliers may be longer than the interpreter's stack.
    while waiting:
        key, value = waiting.pop()
        if (key, id(value)) in done:
            continue
        done.add((key, id(value)))
        encoded = encoded_once.get(id(value))
        if encoded is None:
            encoded = encoded_once[id(value)] = encode(key, value, allow_pickle=allow_pickle)
        if key in records and not same_body(records[key], encoded.record):
            message = f"two different objects would be stored as {key!r}: give them different names"
            raise UnstorableError(message, key=key, value=value)
        records[key] = encoded.record
        edges[key] = tuple(node.record_key for node in encoded.references)
        waiting.extend((node.record_key, node) for node in encoded.references)
    circle = find_cycle(edges)
    if circle is not None:
        message = f"objects refer to each other in a circle, so none could be read first: {' -> '.join(circle)}"
        raise UnstorableError(message, key=circle[0], value=values.get(circle[0]), path=circle)
    return Plan(
        {key: records[key] for key in values}, {key: record for key, record in records.items() if key not in values}
    )


def find_cycle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """Return the keys around a circle, first one repeated at the end, or ``None``."""
    finished: set[str] = set()
    for start in edges:
        trail: list[str] = []
        on_trail: set[str] = set()
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            key, leaving = stack.pop()
            if leaving:
                finished.add(key)
                on_trail.discard(trail.pop())
            elif key in on_trail:
                return (*trail[trail.index(key) :], key)
            elif key not in finished:
                trail.append(key)
                on_trail.add(key)
                stack.append((key, True))
                stack.extend((after, False) for after in edges.get(key, ()))
    return None
