"""Encoding of values to records, with errors that identify the part of a value that cannot be stored.

JSON's own types are written directly (``None``, bool, int of 64 bits, finite float, str, list, dict with
string keys). Everything else is written as an object ``{"$": tag, …}``. Only exact types are accepted, as an instance
of a subclass would be read back as another type. Equal values give equal bytes, whatever the hash seed; compare-and-set
and the detection of unchanged values depend on this.
"""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
from types import FunctionType, LambdaType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.barbara.arrays import array_to_bytes
from bank_python.barbara.envelope import Body, pack
from bank_python.barbara.keys import check_key
from bank_python.barbara.records import Form, RecordType, Storable, by_type
from bank_python.barbara.scalars import SCALARS
from bank_python.barbara.tables import columns_of, is_table, name_of
from bank_python.errors import StoreArgumentError, UnstorableError
from bank_python.mntable import Table, View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import Enum

__all__ = ["MAX_DEPTH", "Encoded", "encode"]

MAX_DEPTH = 100
"""Maximum nesting depth of containers in one record; references to other objects do not count."""

_JSON_NATIVE = frozenset({type(None), bool, str})
_INT64 = range(-(2**63), 2**63)


@dataclasses.dataclass(frozen=True, slots=True)
class Encoded:
    """A record, and the objects it refers to, which have records of their own."""

    record: bytes
    references: tuple[Storable, ...]


def encode(key: str, value: object, *, allow_pickle: bool = False) -> Encoded:
    """Return the record of `value`; `key` is used for error messages only.

    Raises
    ------
    UnstorableError
        A part of the value has no record form; the message gives the key, the type, the path inside the value and a
        remedy.
    """
    encoder = _Encoder(key, allow_pickle=allow_pickle)
    entry = by_type(type(value))
    if entry is not None and entry.form is Form.STORABLE:
        node = cast("Storable", value)
        tree, name = encoder.fields(entry, node.to_record()), node.name
    else:
        tree, name = encoder.encode(value), None
    references = tuple(encoder.references[at] for at in sorted(encoder.references))
    heads = sorted({(node.record_key, node.name) for node in references})
    body = Body(name, tuple(heads), _json(tree), b"".join(encoder.buffers))
    return Encoded(pack(body), references)


class _Encoder:
    """Encoder of one record; collects its buffers and references, and the current path for error messages."""

    def __init__(self, key: str, *, allow_pickle: bool, path: list[tuple[str, object]] | None = None) -> None:
        self.key = key
        self.allow_pickle = allow_pickle
        self.path: list[tuple[str, object]] = [] if path is None else path
        self.buffers: list[bytes] = []
        self._end = 0
        self.references: dict[tuple[str, int], Storable] = {}

    def encode(self, value: object) -> Any:
        kind = type(value)
        if kind in _JSON_NATIVE:
            return value
        if (kind is int and value in _INT64) or (kind is float and math.isfinite(cast("float", value))):
            return value
        scalar = SCALARS.get(kind)
        if scalar is not None:
            try:
                return {"$": scalar.tag, "v": scalar.write(value)}
            except StoreArgumentError as error:
                raise self._refusal(value, error.message) from error
        if len(self.path) >= MAX_DEPTH:
            raise self._refusal(value, f"it nests deeper than {MAX_DEPTH} levels, or contains itself")
        container = _CONTAINERS.get(kind)
        return container(self, value) if container is not None else self._other(value)

    def fields(self, entry: RecordType, fields: Mapping[str, object]) -> Any:
        encoded = self.of_dict(dict(fields), ".{}")
        return {"$": "record", "tag": entry.tag, "version": entry.version, "fields": encoded}

    def _step(self, template: str, part: object, value: object) -> Any:
        self.path.append((template, part))
        encoded = self.encode(value)
        self.path.pop()
        return encoded

    def _items(self, values: list[object] | tuple[object, ...]) -> list[Any]:
        return [self._step("[{!r}]", place, value) for place, value in enumerate(values)]

    def of_list(self, value: list[object]) -> Any:
        return self._items(value)

    def of_tuple(self, value: tuple[object, ...]) -> Any:
        return {"$": "tuple", "v": self._items(value)}

    def of_dict(self, value: dict[Any, object], template: str = "[{!r}]") -> Any:
        if all(type(key) is str for key in value) and "$" not in value:
            return {key: self._step(template, key, member) for key, member in value.items()}
        pairs = [
            [self._step(".key({!r})", key, key), self._step(template, key, member)] for key, member in value.items()
        ]
        return {"$": "dict", "v": pairs}

    def of_set(self, value: set[object] | frozenset[object]) -> Any:
        members = [self._step("{{{!r}}}", member, member) for member in sorted(value, key=self._canonical)]
        return {"$": type(value).__name__, "v": members}

    def _canonical(self, member: object) -> tuple[str, bytes]:
        # The order of a set differs between processes; the order of its members' records does not.
        scratch = _Encoder(self.key, allow_pickle=self.allow_pickle, path=self.path)
        return _json(scratch._step("{{{!r}}}", member, member)), b"".join(scratch.buffers)

    def of_bytes(self, value: bytes) -> Any:
        return {"$": "bytes", "at": self._buffer(value)}

    def _buffer(self, data: bytes) -> list[int]:
        start, self._end = self._end, self._end + len(data)
        self.buffers.append(data)
        return [start, len(data)]

    def of_array(self, value: np.ndarray[Any, Any]) -> Any:
        try:
            return {"$": "array", "at": self._buffer(array_to_bytes(value))}
        except UnstorableError as error:
            raise self._refusal(value, error.message) from error

    def _numpy_scalar(self, value: np.generic) -> Any:
        # numpy removes trailing NULs from its strings when they pass through an array.
        if type(value) is np.str_:
            return {"$": "np.str_", "v": "".join(value)}  # str() and item() may remove them as well
        if type(value) is np.bytes_:
            return {"$": "np.bytes_", "at": self._buffer(bytes(value))}
        return {"$": "npscalar", "at": self.of_array(np.asarray(value))["at"]}

    def _other(self, value: object) -> Any:
        entry = by_type(type(value))
        if entry is not None:
            return self._registered(entry, value)
        if isinstance(value, np.generic):
            return self._numpy_scalar(value)
        if isinstance(value, Table | View) and is_table(value):
            return self._table(value)
        if self.allow_pickle:
            return self._pickled(value)
        raise self._refusal(value, _remedy(value))

    def _table(self, value: Table | View) -> Any:
        columns = [self.encode(column) for column in columns_of(value)]
        return {"$": "table", "name": name_of(value), "schema": value.schema.to_record(), "columns": columns}

    def _registered(self, entry: RecordType, value: Any) -> Any:
        if entry.form is Form.STORABLE:
            key = check_key(value.record_key)
            self.references[key, id(value)] = value
            return {"$": "ref", "key": key}
        if entry.form is Form.ENUM:
            return self._enum(entry, value)
        return self.fields(
            entry, {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        )

    def _enum(self, entry: RecordType, value: Enum) -> Any:
        if value.name not in entry.cls.__members__:  # type: ignore[attr-defined]
            raise self._refusal(value, "a combination of flags has no name of its own: store its .value")
        return {"$": "enum", "tag": entry.tag, "version": entry.version, "name": value.name}

    def _pickled(self, value: object) -> Any:
        try:
            data = pickle.dumps(value)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise self._refusal(value, f"{_remedy(value)}; it cannot be pickled either ({error})") from error
        return {"$": "pickle", "at": self._buffer(data)}

    def _refusal(self, value: object, reason: str) -> UnstorableError:
        where = "value" + "".join(template.format(part) for template, part in self.path[:8])
        kind = type(value)
        message = f"cannot store {kind.__module__}.{kind.__qualname__} at {where} of {self.key!r}: {reason}"
        return UnstorableError(message, key=self.key, value=value, path=where, type=kind)


_CONTAINERS: dict[type, Callable[[_Encoder, Any], Any]] = {
    list: _Encoder.of_list,
    tuple: _Encoder.of_tuple,
    dict: _Encoder.of_dict,
    set: _Encoder.of_set,
    frozenset: _Encoder.of_set,
    bytes: _Encoder.of_bytes,
    np.ndarray: _Encoder.of_array,
}


_CONVERSIONS = {
    "numpy.ndarray": "it is a subclass of numpy.ndarray: store numpy.asarray(it)",
    "bank_python.Table": "it is a subclass of Table: store Table.from_rows(it.schema, it)",
    "bank_python.View": "it is a subclass of View: store Table.from_rows(it.schema, it)",
    "pandas.DataFrame": "store a table of it, Table.from_rows(schema, frame.to_dict('records')), or its arrays",
    "pandas.Series": "store its to_numpy()",
    "pandas.Timestamp": "store its to_pydatetime()",
    "pandas.Timedelta": "store its to_pytimedelta()",
}


def _ancestry(value: object) -> set[str]:
    return {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(value).__mro__}


def _json(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _remedy(value: object) -> str:
    if isinstance(value, LambdaType) and value.__name__ == "<lambda>":
        return "a lambda has no name by which it could be found: write a named function, register it, store its name"
    if isinstance(value, (FunctionType, type)):
        return "code cannot be stored: register it under a name and store the name"
    conversion = next((advice for kind, advice in _CONVERSIONS.items() if kind in _ancestry(value)), None)
    if conversion is not None:
        return conversion
    if dataclasses.is_dataclass(value):
        return "put @storable('tag') on the class, a frozen dataclass, or open the store with allow_pickle=True"
    return (
        "register its class (@storable for a frozen dataclass or enum, @register_storable for an object with a key), "
        "convert it to a plain value, or open the store with allow_pickle=True"
    )
