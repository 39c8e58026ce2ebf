"""Conversion of journal entries to lines of JSON and back, with identical values and types.

A line that begins with a space belongs to the same tick as the line before it. The space is valid JSON, and the first
byte of an unfinished line is enough to tell whether the tick before it is complete.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.dagger.journal import Entry, Evaluation
from bank_python.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DAMAGE", "FORMAT", "HEADER", "SAME_TICK", "entry_from", "fields_of", "line_of", "read_line", "tick_of"]

FORMAT = 1
HEADER = b'{"dagger_journal": %d}\n' % FORMAT
SAME_TICK = b" "

# Exceptions that reading a damaged entry may raise.
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, SyntaxError)

_ARRAY = "__array__"
_SCALARS = (float, int, str)  # a bool is an int; a tuple, as a union would be built anew by each call
_TICK = re.compile(rb' ?\{"tick": (-?\d+),')


def fields_of(entry: Entry) -> dict[str, Any]:
    """Return an entry as a dictionary of plain containers."""
    evaluations = {name: [done.as_of_tick, done.value, done.error] for name, done in entry.evaluations.items()}
    return {
        "tick": entry.tick,
        "leaves": dict(entry.leaves),
        "terms": {name: dict(terms) for name, terms in entry.terms.items()},
        "evaluations": evaluations,
    }


def entry_from(fields: Any) -> Entry:
    """Return the entry from the dictionary of :func:`fields_of`; raise one of :data:`DAMAGE` if it is invalid."""
    tick, leaves, terms = fields["tick"], fields["leaves"], fields["terms"]
    _require(tick, _is_tick, "tick")
    _require(leaves, _is_mapping, "leaves")
    _require(terms, lambda value: _is_mapping(value) and all(map(_is_mapping, value.values())), "terms")
    evaluations = {name: Evaluation(*given) for name, given in fields["evaluations"].items()}
    for done in evaluations.values():
        _require(done.as_of_tick, _is_tick, "tick of an evaluation")
        _require(done.error, lambda value: value is None or isinstance(value, str), "error of an evaluation")
    return Entry(tick, leaves, terms, evaluations)


def _require(value: object, is_right: Callable[[Any], bool], what: str) -> None:
    if not is_right(value):
        raise ValueError(f"{value!r} is not a valid value of {what!r}")


def _is_tick(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def line_of(entry: Entry, *, same_tick: bool) -> bytes:
    """Return an entry as a line of JSON.

    Parameters
    ----------
    entry : Entry
        Entry to convert.
    same_tick : bool
        Whether the line before it belongs to the same tick.

    Raises
    ------
    JournalError
        A value cannot be restored from JSON with its type.
    """
    try:
        text = json.dumps(_plain(fields_of(entry)))
    except (ValueError, TypeError, RecursionError) as error:
        raise JournalError(
            f"the entry of tick {entry.tick} cannot be written as JSON ({error}); keep the journal in a Barbara store",
            tick=entry.tick,
        ) from error
    return (SAME_TICK if same_tick else b"") + text.encode("ascii") + b"\n"


def read_line(line: bytes) -> Entry:
    """Return the entry on a line; raise one of :data:`DAMAGE` if the line is damaged."""
    return entry_from(json.loads(line.decode("utf-8"), object_hook=_array))


def tick_of(head: bytes) -> int | None:
    """Return the number of the tick from the first bytes of a line, ``None`` if they do not contain it."""
    found = _TICK.match(head)
    return int(found.group(1)) if found else None


def _plain(value: object) -> object:
    """Return `value` in a form from which JSON restores it with its type."""
    if value is None or isinstance(value, _SCALARS):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) and key != _ARRAY for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if type(value) is np.ndarray and np.dtype(value.dtype.str) == value.dtype and not value.dtype.hasobject:
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {_ARRAY: data, "dtype": value.dtype.str, "shape": list(value.shape)}
    raise JournalError(
        f"{value!r} cannot be written as JSON; keep the journal in a Barbara store, which knows more types", value=value
    )


def _array(fields: dict[str, Any]) -> object:
    if _ARRAY not in fields:
        return fields
    data = np.frombuffer(base64.b64decode(fields[_ARRAY], validate=True), dtype=fields["dtype"])
    return data.reshape(fields["shape"]).copy()
