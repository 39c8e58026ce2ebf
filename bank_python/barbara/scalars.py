"""Encoding of scalar types that JSON does not have.

A codec writes a value as the ``"v"`` of a JSON object and reads it back; nothing is rounded, and times keep their zone
and fold.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bank_python.errors import StoreArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCALARS", "SCALARS_BY_TAG", "ScalarCodec"]


@dataclass(frozen=True, slots=True)
class ScalarCodec:
    """Codec of one exact type, which writes it as JSON and reads it back."""

    cls: type
    tag: str
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _write_float(value: float) -> float | str:
    # JSON has no NaN or infinity; eight bytes in hexadecimal preserve even the payload of a NaN.
    return value if math.isfinite(value) else struct.pack(">d", value).hex()


def _read_float(text: float | str) -> float:
    if isinstance(text, str):
        return float(struct.unpack(">d", bytes.fromhex(text))[0])
    return text


def _write_zone(zone: tzinfo | None) -> list[Any] | None:
    if zone is None:
        return None
    if type(zone) is timezone:
        offset = zone.utcoffset(None)
        name = zone.tzname(None)
        return ["offset", _write_timedelta(offset), None if timezone(offset).tzname(None) == name else name]
    if type(zone) is ZoneInfo and zone.key is not None:
        return ["zone", zone.key]
    raise StoreArgumentError(f"time zone {zone!r} cannot be stored: convert with .astimezone(UTC)", value=zone)


def _read_zone(parts: list[Any] | None) -> tzinfo | None:
    if parts is None:
        return None
    if parts[0] == "zone":
        return ZoneInfo(parts[1])
    _, offset, name = parts
    return timezone(_read_timedelta(offset)) if name is None else timezone(_read_timedelta(offset), name)


def _write_stamp(value: datetime | time) -> list[Any]:
    return [value.replace(tzinfo=None).isoformat(), _write_zone(value.tzinfo), value.fold]


def _read_datetime(parts: list[Any]) -> datetime:
    text, zone, fold = parts
    return datetime.fromisoformat(text).replace(tzinfo=_read_zone(zone), fold=fold)


def _read_time(parts: list[Any]) -> time:
    text, zone, fold = parts
    return time.fromisoformat(text).replace(tzinfo=_read_zone(zone), fold=fold)


def _write_timedelta(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _read_timedelta(parts: list[int]) -> timedelta:
    return timedelta(*parts)


def _write_complex(value: complex) -> list[float | str]:
    return [_write_float(value.real), _write_float(value.imag)]


def _read_complex(parts: list[float | str]) -> complex:
    return complex(*(_read_float(part) for part in parts))


def _read_int(text: str) -> int:
    return int(text, 16)


SCALARS: dict[type, ScalarCodec] = {
    codec.cls: codec
    for codec in (
        # Hexadecimal, as the interpreter limits the length of decimal text, which is also slow.
        ScalarCodec(int, "int", hex, _read_int),
        ScalarCodec(float, "float", _write_float, _read_float),
        ScalarCodec(complex, "complex", _write_complex, _read_complex),
        ScalarCodec(datetime, "datetime", _write_stamp, _read_datetime),
        ScalarCodec(date, "date", date.isoformat, date.fromisoformat),
        ScalarCodec(time, "time", _write_stamp, _read_time),
        ScalarCodec(timedelta, "timedelta", _write_timedelta, _read_timedelta),
        ScalarCodec(Decimal, "decimal", str, Decimal),
        ScalarCodec(UUID, "uuid", str, UUID),
    )
}
SCALARS_BY_TAG: dict[str, ScalarCodec] = {codec.tag: codec for codec in SCALARS.values()}
