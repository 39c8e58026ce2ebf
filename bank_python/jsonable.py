"""Frozen values as JSON: strict, so that any reader of JSON can read it.

A number that is not finite becomes null, a date or a time its ISO 8601 text, an enum its value. What is none of these
is refused instead of being written as text that nobody can read back.
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
"""What JSON can say."""


def jsonable(value: object) -> Jsonable:
    """Return a value as JSON has it.

    Parameters
    ----------
    value : object
        A number, text, date, time, enum, dataclass, mapping, tuple or list, nested as deep as it may be.

    Raises
    ------
    TypeError
        Something in it has no form in JSON; the message names its class.

    Examples
    --------
    >>> jsonable({"on": dt.date(2026, 1, 5), "pnl": math.nan, "trail": (1.0, 2.5)})
    {'on': '2026-01-05', 'pnl': None, 'trail': [1.0, 2.5]}
    """
    if isinstance(value, Enum):
        return jsonable(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dt.date):  # a datetime is one
        return value.isoformat()
    return _nested(value)


def _nested(value: object) -> Jsonable:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [jsonable(item) for item in value]
    kind = type(value).__name__
    raise TypeError(f"a {kind} has no form in JSON: {value!r}; give numbers, texts, dates, or dataclasses of these")


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise TypeError(f"{key!r} cannot be a name in JSON; give a str")
