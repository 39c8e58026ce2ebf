"""Conversion of values to strict JSON, which any JSON parser can read.

A number that is not finite becomes null, a date or time its ISO 8601 text, an enum member its value. Other types are
rejected with an error instead of being written in a form that cannot be parsed.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TypeAlias

__all__ = ["Jsonable", "jsonable"]

Jsonable: TypeAlias = "dict[str, Jsonable] | list[Jsonable] | str | float | int | bool | None"
"""A value that JSON can represent."""

_PLAIN = (bool, int, str)  # a union would be made anew for every value


def jsonable(value: object) -> Jsonable:
    """Return a value in the types of JSON.

    Parameters
    ----------
    value : object
        Number, text, date, time, enum member, dataclass, mapping, tuple or list, nested to any depth.

    Raises
    ------
    TypeError
        A value or a key cannot be represented in JSON; the message names its class.

    Examples
    --------
    >>> jsonable({"on": dt.date(2026, 1, 5), "pnl": math.nan, "trail": (1.0, 2.5)})
    {'on': '2026-01-05', 'pnl': None, 'trail': [1.0, 2.5]}
    """
    if isinstance(value, Enum):
        return jsonable(value.value)
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dt.date):  # a datetime is one
        return value.isoformat()
    return _nested(value)


def _nested(value: object) -> Jsonable:
    if not isinstance(value, dict) and is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [jsonable(item) for item in value]
    kind = type(value).__name__
    raise TypeError(f"a {kind} has no JSON form: {value!r}; give numbers, texts, dates, or dataclasses of these")


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise TypeError(f"{key!r} cannot be a key in JSON; give a str")
