"""Plans of writes: the records of some values, and of all objects they refer to.

Planning is separate from writing: the objects' own code (``to_record``) is called before any lock is taken, and values
that cannot be stored raise an error before anything is written.
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
    requested : dict of str to bytes
        Records of the values to store, by key; each becomes a new version.
    underliers : dict of str to bytes
        Records of the objects they refer to, by key; written only if the store has a different record.
    """

    requested: dict[str, bytes]
    underliers: dict[str, bytes]


def plan_write(values: Mapping[str, object], *, allow_pickle: bool) -> Plan:
    """Encode the values and all objects they refer to, directly or indirectly, each once.

    Raises
    ------
    UnstorableError
        A part has no record form, two different objects have the same key, or objects refer to each other in a cycle.
    """
    records: dict[str, bytes] = {}
    edges: dict[str, tuple[str, ...]] = {}
    done: set[tuple[str, int]] = set()
    encoded_once: dict[int, Encoded] = {}
    waiting: list[tuple[str, object]] = list(values.items())
    # A stack, not recursion, as chains of underliers may be longer than the interpreter's call stack.
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
    cycle = find_cycle(edges)
    if cycle is not None:
        message = f"objects refer to each other in a cycle, so none could be read first: {' -> '.join(cycle)}"
        raise UnstorableError(message, key=cycle[0], value=values.get(cycle[0]), path=cycle)
    return Plan(
        {key: records[key] for key in values}, {key: record for key, record in records.items() if key not in values}
    )


def find_cycle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """Return the keys of a cycle, with the first one repeated at the end, or ``None``."""
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
