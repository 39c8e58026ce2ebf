"""What can be stored beyond plain values: registered types, and objects that refer to each other.

A record is a type *tag*, a version number and named fields. The tag is what ties a record in a file to a
class in this process, and only registration makes that tie: reading a store never imports a module and
never runs anything but classes that were registered here. There are two ways to register:

- :func:`storable` for values: frozen dataclasses and enums, stored whole wherever they occur;
- :func:`register_storable` for objects with an identity of their own (see :class:`Storable`), stored once
  under their own key and *referred to* from everywhere else.

The registry belongs to the process, as the classes themselves do.

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
"""``upgrade(fields, version)`` turns the fields of an older record version into today's."""


class Storable(Protocol):
    """An object with a key of its own, stored with references to the objects it depends on.

    ``to_record`` returns its fields; a field, or a member of a list, tuple or dict in a field, may itself be
    a storable object: it is written as a reference to that object's ``record_key``. ``from_record`` gets
    the same fields back, references already resolved to objects.
    """

    record_tag: ClassVar[str]
    """Ties records to this class, e.g. ``"Bond"``; never change it once records exist."""
    record_version: ClassVar[int]
    """Raised when the meaning of the fields changes."""

    @property
    def name(self) -> str:
        """The object's name in its graph; kept beside every reference to it."""
        ...

    @property
    def record_key(self) -> str:
        """Its key in the store, e.g. ``"/Instruments/VODA_BOND"``."""
        ...

    def to_record(self) -> Mapping[str, object]:
        """Return the fields that make the object again."""
        ...

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Make the object from its fields."""
        ...


class Form(Enum):
    """How a registered type is written."""

    DATACLASS = "dataclass"
    ENUM = "enum"
    STORABLE = "storable"


@dataclasses.dataclass(frozen=True, slots=True)
class RecordType:
    """A registered class: its tag, its record version and how older records become today's."""

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
    """Register a frozen dataclass or an enum as a value that stores can keep.

    Parameters
    ----------
    tag : str
        What records of it carry in the file; never change it once records exist.
    version : int, optional
        Version of the fields, from 1; raise it when their meaning changes.
    upgrade : callable, optional
        ``upgrade(fields, version)`` turns the fields of an older version into today's.

    Returns
    -------
    callable
        A class decorator; it returns the class unchanged.

    Raises
    ------
    UnstorableError
        The class is neither a frozen dataclass nor an enum.
    StoreArgumentError
        The tag or version makes no sense, or the tag belongs to another class.

    Notes
    -----
    A dataclass is made again through its constructor, so its own checks run; fields with ``init=False`` are
    not stored.
    """

    def register(cls: _AnyClass) -> _AnyClass:
        _register(RecordType(cls, tag, version, _value_form(cls), upgrade))
        return cls

    return register


def register_storable(cls: _StorableClass, *, upgrade: Upgrade | None = None) -> _StorableClass:
    """Register a class that follows :class:`Storable`; usable as a decorator.

    Raises
    ------
    UnstorableError
        The class lacks ``to_record`` or ``from_record``.
    StoreArgumentError
        ``record_tag`` or ``record_version`` makes no sense, or the tag belongs to another class.
    """
    for method in ("to_record", "from_record"):
        if not callable(getattr(cls, method, None)):
            raise UnstorableError(f"{cls.__name__} has no {method}(): see bank_python.barbara.Storable", value=cls)
    _register(RecordType(cls, cls.record_tag, cls.record_version, Form.STORABLE, upgrade))
    return cls


def _value_form(cls: type) -> Form:
    if issubclass(cls, Enum):
        return Form.ENUM
    # Mutable values would read back as copies that drift apart from what is stored.
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
        # The same class defined again (a reloaded module, a notebook cell) takes over its own tag.
        _by_tag[entry.tag] = entry
        _by_type[entry.cls] = entry


def _address(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
