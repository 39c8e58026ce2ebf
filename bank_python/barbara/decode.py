"""Decoding of records to values. Decoding imports no module and runs no code but that of registered classes."""

from __future__ import annotations

import json
import pickle
import struct
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.barbara.arrays import array_from_bytes
from bank_python.barbara.records import Form, RecordType, by_tag
from bank_python.barbara.scalars import SCALARS_BY_TAG
from bank_python.barbara.tables import table_from
from bank_python.errors import BankError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["decode"]

# Exceptions that a damaged record, or a constructor that rejects its fields, may raise.
_FAILURES = (
    ArithmeticError,
    AttributeError,
    BankError,
    LookupError,
    MemoryError,  # an array whose header declares more data than there is
    OSError,  # a time zone's file
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


def decode(
    key: str, value: str, buffers: bytes, referred: Mapping[str, object], *, allow_pickle: bool = False
) -> object:
    """Return the value of a record.

    Parameters
    ----------
    key : str
        Key of the record, for error messages.
    value, buffers : str, bytes
        JSON text and buffers of the record (see :mod:`bank_python.barbara.envelope`).
    referred : mapping
        Objects that the record refers to, by key.
    allow_pickle : bool, optional
        Whether to read pickled parts; unpickling can run any code.

    Raises
    ------
    StoreError
        The record is damaged, contains a pickle that is not allowed, or has a type that is not registered in this
        process; the message gives `key`.
    """
    decoder = _Decoder(key, buffers, referred, allow_pickle=allow_pickle)
    try:
        return json.loads(value, object_hook=decoder.hook)
    except _Refused as refusal:
        raise StoreError(str(refusal), key=key, **refusal.facts) from refusal.__cause__
    except _FAILURES as error:
        message = f"the record of {key!r} cannot be read back ({type(error).__name__}: {error})"
        raise StoreError(message, key=key, reason=str(error)) from error


class _Refused(Exception):  # noqa: N818  (internal: passes an error message through the JSON parser)
    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts


class _Decoder:
    """Decoder of one record; the JSON parser calls it for the innermost parts first."""

    def __init__(self, key: str, buffers: bytes, referred: Mapping[str, object], *, allow_pickle: bool) -> None:
        self.key = key
        self.buffers = buffers
        self.referred = referred
        self.allow_pickle = allow_pickle

    def hook(self, node: dict[str, Any]) -> Any:
        tag = node.get("$")
        if tag is None:
            return node
        scalar = SCALARS_BY_TAG.get(tag)
        if scalar is not None:
            return scalar.read(node["v"])
        reader = _READERS.get(tag)
        if reader is None:
            raise _Refused(f"the record of {self.key!r} has a {tag!r}, which this release does not support", tag=tag)
        return reader(self, node)

    def slice(self, node: dict[str, Any]) -> bytes:
        start, length = node["at"]
        data = self.buffers[start : start + length]
        if len(data) != length:
            raise ValueError(f"bytes {start} to {start + length} of {len(self.buffers)}")
        return data

    def reference(self, node: dict[str, Any]) -> Any:
        return self.referred[node["key"]]

    def record(self, node: dict[str, Any]) -> Any:
        entry = self._entry(node["tag"], node["version"])
        fields = cast("dict[str, object]", node["fields"])
        if node["version"] < entry.version:
            fields = dict(self._upgraded(entry, fields, node["version"]))
        if entry.form is Form.STORABLE:
            return entry.cls.from_record(fields)  # type: ignore[attr-defined]
        return entry.cls(**fields)

    def enum(self, node: dict[str, Any]) -> Any:
        entry = self._entry(node["tag"], node["version"])
        return cast("Any", entry.cls)[node["name"]]

    def pickled(self, node: dict[str, Any]) -> Any:
        if not self.allow_pickle:
            raise _Refused(
                f"the record of {self.key!r} holds a pickle, which can run any code when read: open the store with "
                "allow_pickle=True if you trust everyone who can write the file"
            )
        return pickle.loads(self.slice(node))  # noqa: S301  (allow_pickle=True accepts the risk)

    def _entry(self, tag: str, version: int) -> RecordType:
        entry = by_tag(tag)
        if entry is None:
            raise _Refused(
                f"the record of {self.key!r} is a {tag!r}, which is not registered in this process: import the module "
                "that defines and registers it, then read again",
                tag=tag,
            )
        if version > entry.version:
            raise _Refused(
                f"the record of {self.key!r} is version {version} of {tag!r}, this process has {entry.version}: "
                "upgrade the code that defines it",
                tag=tag,
            )
        return entry

    def _upgraded(self, entry: RecordType, fields: dict[str, object], version: int) -> Mapping[str, object]:
        if entry.upgrade is None:
            raise _Refused(
                f"the record of {self.key!r} is version {version} of {entry.tag!r}, this process has {entry.version}: "
                "register the class with upgrade= to read older records",
                tag=entry.tag,
            )
        return entry.upgrade(fields, version)


_READERS: dict[str, Callable[[_Decoder, dict[str, Any]], Any]] = {
    "tuple": lambda _, node: tuple(node["v"]),
    "dict": lambda _, node: dict(node["v"]),
    "set": lambda _, node: set(node["v"]),
    "frozenset": lambda _, node: frozenset(node["v"]),
    "bytes": lambda decoder, node: decoder.slice(node),
    "array": lambda decoder, node: array_from_bytes(decoder.slice(node)),
    "npscalar": lambda decoder, node: array_from_bytes(decoder.slice(node))[()],
    "np.str_": lambda _, node: np.str_(node["v"]),
    "np.bytes_": lambda decoder, node: np.bytes_(decoder.slice(node)),
    "ref": _Decoder.reference,
    "record": _Decoder.record,
    "enum": _Decoder.enum,
    "table": lambda _, node: table_from(node["name"], node["schema"], node["columns"]),
    "pickle": _Decoder.pickled,
}
