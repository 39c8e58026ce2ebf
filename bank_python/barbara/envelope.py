"""The binary format of a record: a small header, a checksum, and a body that is compressed if that saves space.

A body consists of two JSON texts and raw bytes: the *head* (the object's own name, and the keys and names of the
objects it refers to), the *value*, and the buffers with the data of byte strings and arrays. As the head is separate
from the value, references can be followed before any object is built.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from bank_python.errors import StoreError

__all__ = ["RECORD_FORMAT", "Body", "pack", "same_body", "unpack"]

RECORD_FORMAT = 1

_HEADER = struct.Struct(">BBI")  # record format, compression, CRC-32 of the body
_LENGTHS = struct.Struct(">II")  # lengths of the head and of the value
_PLAIN, _ZLIB = 0, 1
_WORTH_TRYING = 96  # bytes; for less, the header of zlib outweighs the gain
_LEVEL = 1  # for market data, higher levels take several times as long and save a few per cent


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a record.

    Parameters
    ----------
    name : str or None
        Name of the stored object, if others can refer to it.
    references : tuple of (str, str)
        Key and name of each object that the value refers to.
    value : str
        JSON text of the value.
    buffers : bytes
        Concatenated data of the byte strings and arrays in the value.
    """

    name: str | None
    references: tuple[tuple[str, str], ...]
    value: str
    buffers: bytes


def pack(body: Body) -> bytes:
    """Return the record's bytes; equal bodies give equal bytes."""
    head: dict[str, Any] = {}
    if body.name is not None:
        head["name"] = body.name
    if body.references:
        head["refs"] = body.references
    # Strings may contain lone surrogates; JSON escapes would join two of them to one character.
    head_bytes = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    value_bytes = body.value.encode("utf-8", "surrogatepass")
    raw = b"".join((_LENGTHS.pack(len(head_bytes), len(value_bytes)), head_bytes, value_bytes, body.buffers))
    kind, stored = _PLAIN, raw
    if len(raw) > _WORTH_TRYING:
        squeezed = zlib.compress(raw, _LEVEL)
        if len(squeezed) < len(raw):
            kind, stored = _ZLIB, squeezed
    return _HEADER.pack(RECORD_FORMAT, kind, zlib.crc32(raw)) + stored


def unpack(key: str, record: object) -> Body:
    """Return the parts of a record.

    Raises
    ------
    StoreError
        The record is damaged, or of a format that this release does not support; the message gives `key`.
    """
    raw = _raw(key, record)
    try:
        head_length, value_length = _LENGTHS.unpack_from(raw)
        split = _LENGTHS.size + head_length
        end = split + value_length
        head = json.loads(raw[_LENGTHS.size : split].decode("utf-8", "surrogatepass"))
        references = tuple((str(ref), str(name)) for ref, name in head.get("refs", ()))
        value = raw[split:end].decode("utf-8", "surrogatepass")
    except (struct.error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(key, str(error)) from error
    return Body(head.get("name"), references, value, raw[end:])


def same_body(left: bytes, right: bytes) -> bool:
    """Whether two records have the same content, regardless of their compression."""
    if left == right:
        return True
    if left[:1] != right[:1] or left[2 : _HEADER.size] != right[2 : _HEADER.size]:
        return False
    try:
        return _raw("", left) == _raw("", right)
    except StoreError:
        return False  # a damaged record equals no other, so that writing again replaces it


def _raw(key: str, record: object) -> bytes:
    if not isinstance(record, bytes) or len(record) < _HEADER.size:
        raise _damaged(key, "it is truncated")
    record_format, kind, checksum = _HEADER.unpack_from(record)
    if record_format != RECORD_FORMAT:
        message = f"the record of {key!r} is of format {record_format}, this release reads {RECORD_FORMAT}: upgrade it"
        raise StoreError(message, key=key, format=record_format)
    stored = record[_HEADER.size :]
    try:
        raw = zlib.decompress(stored) if kind == _ZLIB else stored
    except zlib.error as error:
        raise _damaged(key, str(error)) from error
    if zlib.crc32(raw) != checksum:
        raise _damaged(key, "its checksum does not match")
    return raw


def _damaged(key: str, why: str) -> StoreError:
    message = f"the record of {key!r} is damaged ({why}): read an earlier version (history) or write it again"
    return StoreError(message, key=key, reason=why)
