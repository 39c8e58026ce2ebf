"""Registration of types that can be stored in addition to plain values.

A record consists of a type *tag*, a version number and named fields. The tag connects a record in a file with a class
in this process, by registration only: reading a store never imports a module, and never runs code other than that of
registered classes. There are two ways to register:

- :func:`storable` for values: frozen dataclasses and enums, stored completely wherever they occur;
- :func:`register_storable` for objects with an identity (see :class:`Storable`), stored once under their own key and
  *referred to* from other records.

The registry is global to the process, as classes are.

Examples
--------
>>> @storable("records-example/Point")
... @dataclasses.dataclass(frozen=True)
... class Point:
...     x: float
...     y: float
>>> by_tag("records-example/Point").cls is Point
True
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from enum import Enum
from typing import ClassVar, Protocol, Self, TypeVar

from bank_python.errors import StoreArgumentError, UnstorableError

__all__ = [
    "Form",
    "RecordType",
    "Storable",
    "Upgrade",
    "by_tag",
    "by_type",
    "register_storable",
    "storable",
]

Upgrade = Callable[[dict[str, object], int], Mapping[str, object]]
"""Function ``upgrade(fields, version)`` that converts the fields of an older record version to the current one."""


class Storable(Protocol):
    """An object with a key of its own, stored with references to the objects it depends on.

    ``to_record`` returns its fields; a field, or a member of a list, tuple or dict in a field, may itself be
    a storable object, which is written as a reference to its ``record_key``. ``from_record`` receives the same
    fields, with references already resolved to objects.
    """

    record_tag: ClassVar[str]
    """Tag of the class in records, e.g. ``"Bond"``; never change it once records exist."""
    record_version: ClassVar[int]
    """Version of the fields; increase it when their meaning changes."""

    @property
    def name(self) -> str:
        """Name of the object in its graph, stored with every reference to it."""
        ...

    @property
    def record_key(self) -> str:
        """Key of the object in the store, e.g. ``"/Instruments/VODA_BOND"``."""
        ...

    def to_record(self) -> Mapping[str, object]:
        """Return the fields from which the object can be built again."""
        ...

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the object from its fields."""
        ...


class Form(Enum):
    """Form in which a registered type is written."""

    DATACLASS = "dataclass"
    ENUM = "enum"
    STORABLE = "storable"


@dataclasses.dataclass(frozen=True, slots=True)
class RecordType:
    """A registered class, with its tag, its record version and the upgrade of older records."""

    cls: type
    tag: str
    version: int
    form: Form
    upgrade: Upgrade | None


_lock = threading.Lock()
_by_tag: dict[str, RecordType] = {}
_by_type: dict[type, RecordType] = {}

_AnyClass = TypeVar("_AnyClass", bound=type)
_StorableClass = TypeVar("_StorableClass", bound=type[Storable])


def by_tag(tag: str) -> RecordType | None:
    """Return the type registered under `tag`, if any."""
    return _by_tag.get(tag)


def by_type(cls: type) -> RecordType | None:
    """Return the registration of exactly `cls` (not of a base class), if any."""
    return _by_type.get(cls)


def storable(tag: str, version: int = 1, *, upgrade: Upgrade | None = None) -> Callable[[_AnyClass], _AnyClass]:
    """Register a frozen dataclass or an enum as a value that can be stored.

    Parameters
    ----------
    tag : str
        Tag of the class in stored records; never change it once records exist.
    version : int, optional
        Version of the fields, from 1; increase it when their meaning changes.
    upgrade : callable, optional
        Function ``upgrade(fields, version)`` that converts the fields of an older version to the current one.

    Returns
    -------
    callable
        A class decorator; it returns the class unchanged.

    Raises
    ------
    UnstorableError
        The class is neither a frozen dataclass nor an enum.
    StoreArgumentError
        The tag or version is invalid, or the tag belongs to another class.

    Notes
    -----
    A dataclass is built again by its constructor, so its own checks run; fields with ``init=False`` are not stored.
    """

    def register(cls: _AnyClass) -> _AnyClass:
        _register(RecordType(cls, tag, version, _value_form(cls), upgrade))
        return cls

    return register


def register_storable(cls: _StorableClass, *, upgrade: Upgrade | None = None) -> _StorableClass:
    """Register a class that implements :class:`Storable`; usable as a decorator.

    Raises
    ------
    UnstorableError
        The class lacks ``to_record`` or ``from_record``.
    StoreArgumentError
        ``record_tag`` or ``record_version`` is invalid, or the tag belongs to another class.
    """
    for method in ("to_record", "from_record"):
        if not callable(getattr(cls, method, None)):
            raise UnstorableError(f"{cls.__name__} has no {method}(): see bank_python.barbara.Storable", value=cls)
    _register(RecordType(cls, cls.record_tag, cls.record_version, Form.STORABLE, upgrade))
    return cls


def _value_form(cls: type) -> Form:
    if issubclass(cls, Enum):
        return Form.ENUM
    # Mutable values would be read back as copies that could then differ from the stored value.
    if dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return Form.DATACLASS
    message = f"{cls.__name__} is neither a frozen dataclass nor an enum: write @dataclass(frozen=True) below @storable"
    raise UnstorableError(message, value=cls)


def _register(entry: RecordType) -> None:
    if not isinstance(entry.tag, str) or not entry.tag:  # type: ignore[redundant-expr]  # untyped callers
        raise StoreArgumentError(f"the record tag of {entry.cls.__name__} must be a non-empty string", value=entry.tag)
    if type(entry.version) is not int or entry.version < 1:
        message = f"the record version of {entry.cls.__name__} must be an int from 1, not {entry.version!r}"
        raise StoreArgumentError(message, value=entry.version)
    with _lock:
        known = _by_tag.get(entry.tag)
        if known is not None and _address(known.cls) != _address(entry.cls):
            message = f"record tag {entry.tag!r} already belongs to {_address(known.cls)}: choose another tag"
            raise StoreArgumentError(message, value=entry.tag)
        # A class that is defined again (a reloaded module, a notebook cell) takes over its tag.
        _by_tag[entry.tag] = entry
        _by_type[entry.cls] = entry


def _address(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
