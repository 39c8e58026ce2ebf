"""Outcomes of nodes: a value or, if it could not be computed, a failure.

A failing node stores its error *in place of its value*. Its dependents then fail with an error that names the root
cause, other nodes are not affected, and the next good tick repairs everything through the ordinary recomputation.
:func:`same` is the cutoff rule: the propagation stops at a node whose outcome is the same as before.

**NaN.** A float NaN is never a value: a leaf rejects it, and a contract or a function whose result is NaN fails with an
error that says so (:func:`checked`). NaN inside an array is data, and is allowed. Infinities may be derived, and sums
treat them as :func:`math.fsum` does.

**Mutable values.** An outcome is compared with the one before it, so the two must not share memory. :func:`detached`
copies the arrays and containers that a leaf is set to. If a function returns the same writable array, list or
dictionary object again, it counts as changed.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from numbers import Number
from pathlib import PurePath
from types import FunctionType, ModuleType, NoneType
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from uuid import UUID

import numpy as np

from bank_python.errors import UpstreamError, ValuationError
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Failure", "Outcome", "checked", "detached", "same", "unchanged", "upstream_failure", "within"]

# A value of any type, or a Failure. A union with ``object`` is ``object``: the alias documents intent.
Outcome: TypeAlias = object

_BY_EQUALITY = frozenset({int, bool, str, bytes, NoneType, range, UUID})
_BY_TEXT = (date, time, timedelta, tzinfo, Decimal, Fraction, PurePath)  # equal values may differ: 1.0 and 1.00
_IMMUTABLE = (str, bytes, NoneType, range, Number, Enum, type, FunctionType, ModuleType, UUID, *_BY_TEXT)
_DEEPEST = 20  # number of levels of nested containers that are copied


class Failure:
    """A node's error, stored in place of its value.

    Parameters
    ----------
    error : Exception
        Exception that reading the node raises.
    cause_name : str
        Name of the node that is the root cause, the first one that failed.
    root : Exception
        Error of the root cause.
    """

    __slots__ = ("cause_name", "error", "root")

    def __init__(self, error: Exception, cause_name: str, root: Exception) -> None:
        self.error = error
        self.cause_name = cause_name
        self.root = root

    def __repr__(self) -> str:
        return f"<{type(self.error).__name__}: {message_of(self.error)}>"


def upstream_failure(name: str, cause: Failure) -> Failure:
    """Return the failure of the node `name` that is caused by the failure of an input."""
    error = UpstreamError(
        f"{name} has no value because {cause.cause_name} failed: {message_of(cause.root)}",
        name=name,
        cause_name=cause.cause_name,
    )
    error.__cause__ = cause.root
    return Failure(error, cause.cause_name, cause.root)


def checked(name: str, outcome: Outcome) -> Outcome:
    """Return `outcome`, or a failure of the node `name` if it is not valid: a float NaN, a coroutine, a generator."""
    try:
        return outcome if type(outcome) is Failure else _checked(name, outcome)
    except Exception as error:  # noqa: BLE001 - the value's own methods may raise; the error becomes the outcome
        return Failure(error, name, error)


def _checked(name: str, outcome: Outcome) -> Outcome:
    if isinstance(outcome, float | np.floating):
        return _no_value(name, "came out as not a number (NaN)") if np.isnan(outcome) else outcome
    if inspect.iscoroutine(outcome):
        outcome.close()  # avoids the warning that it was never awaited
    if inspect.isawaitable(outcome) or inspect.isgenerator(outcome) or inspect.isasyncgen(outcome):
        return _no_value(name, f"came out as a {type(outcome).__name__}, which runs once and holds no value")
    return outcome


def _no_value(name: str, what: str) -> Failure:
    error = ValuationError(f"{name} {what}; return a value, or raise an error that says why there is none", name=name)
    return Failure(error, name, error)


# --- the cutoff -----------------------------------------------------------------------------------


def same(old: Outcome, new: Outcome) -> bool:
    """Whether two outcomes are equal bit for bit, NaN being equal to NaN.

    Numbers are compared by bits (so 0.0 and −0.0 differ) and by type, arrays also by shape and dtype, failures by type
    and message; tuples, lists, dictionaries, dataclasses and pandas objects are compared part by part. Any other object
    counts as changed unless it is the same object, as comparing arbitrary objects may be slow, raise, or be wrong. A
    writable array, list or dictionary counts as changed even if it is the same object, as its content may have changed.

    Examples
    --------
    >>> same(1.0, 1.0), same(0.0, -0.0), same(float("nan"), float("nan")), same(1, True)
    (True, False, True, False)
    >>> same((np.array([1.0]), "a"), (np.array([1.0]), "a")), same(np.zeros(2), np.zeros((2, 1)))
    (True, False)
    """
    if type(old) is not type(new):
        return False
    if type(old) is float:
        return _same_float(old, cast("float", new))
    if type(old) in _BY_EQUALITY:
        return bool(old == new)
    try:
        return _keeps_its_value(old) if old is new else _same_parts(old, new)
    except Exception:  # noqa: BLE001 - values that cannot be compared (or never end) count as changed
        return False


def _same_float(old: float, new: float) -> bool:
    if old == new:
        return old != 0.0 or math.copysign(1.0, old) == math.copysign(1.0, new)
    return old != old and new != new  # noqa: PLR0124 - are both NaN?


def _same_parts(old: Any, new: Any) -> bool:  # noqa: PLR0911 - a table of kinds
    """Compare two objects of one class, including the attributes that a subclass adds."""
    if isinstance(old, np.ndarray):
        return _same_array(old, new)
    if isinstance(old, np.generic):
        return bool(old.dtype == new.dtype and old.tobytes() == new.tobytes())
    if isinstance(old, Failure):
        return type(old.error) is type(new.error) and message_of(old.error) == message_of(new.error)
    if isinstance(old, complex):
        return _same_float(old.real, new.real) and _same_float(old.imag, new.imag)
    if isinstance(old, _BY_TEXT):
        return repr(old) == repr(new)
    if _is_pandas(old):
        return _same_frame(old, new)
    return same(getattr(old, "__dict__", None), getattr(new, "__dict__", None)) and _same_content(old, new)


def _same_content(old: Any, new: Any) -> bool:
    """Compare numbers, containers and dataclasses of one class, without the attributes that a subclass adds."""
    if isinstance(old, float):
        return float.hex(old) == float.hex(new)
    if isinstance(old, list | tuple):
        return len(old) == len(new) and all(map(same, old, new))
    if isinstance(old, dict):
        return same(list(old), list(new)) and same(list(old.values()), list(new.values()))
    if isinstance(old, set | frozenset):
        return bool(old == new) and {(type(item), repr(item)) for item in old} == {(type(i), repr(i)) for i in new}
    return dataclasses.is_dataclass(old) and all(
        same(getattr(old, field.name), getattr(new, field.name)) for field in dataclasses.fields(old)
    )


def _same_array(old: np.ndarray, new: np.ndarray) -> bool:
    if old.dtype != new.dtype or old.shape != new.shape:
        return False
    if isinstance(old, np.ma.MaskedArray):
        masks = np.ma.getmaskarray(old), np.ma.getmaskarray(new)
        fills = old.fill_value, cast("Any", new).fill_value
        filled = np.asarray(old.filled(0)), np.asarray(np.ma.filled(new, 0))
        return same(*fills) and _same_array(*masks) and _same_array(*filled)
    if type(old) is not np.ndarray:
        return False
    return same(old.tolist(), new.tolist()) if old.dtype.hasobject else old.tobytes() == new.tobytes()


def _same_frame(old: Any, new: Any) -> bool:
    """Compare pandas objects by labels, dtypes and the bits of every column."""
    axes = zip(getattr(old, "axes", [old]), getattr(new, "axes", [new]), strict=True)
    if not old.equals(new) or any(a.names != b.names or a.dtype != b.dtype for a, b in axes):
        return False
    if hasattr(old, "columns"):
        return all(_same_frame(old.iloc[:, i], new.iloc[:, i]) for i in range(old.shape[1]))
    return _same_array(np.asarray(old), np.asarray(new)) and getattr(old, "name", None) == getattr(new, "name", None)


def _is_pandas(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "equals")


def _changes_in_place(value: Any) -> bool:
    """Whether the object is mutable, as far as its type tells."""
    if isinstance(value, np.ndarray):
        return bool(value.flags.writeable) or value.base is not None
    if isinstance(value, tuple | frozenset):
        return any(map(_changes_in_place, value))
    if dataclasses.is_dataclass(value) and type(value).__hash__ is not None:
        return any(_changes_in_place(getattr(value, field.name)) for field in dataclasses.fields(value))
    return type(value).__hash__ is None


def _keeps_its_value(value: Any) -> bool:
    """Whether the object is immutable for certain; a frozen dataclass is if its fields are."""
    if dataclasses.is_dataclass(value) and type(value).__hash__ is not None and not isinstance(value, type):
        return all(_keeps_its_value(getattr(value, field.name)) for field in dataclasses.fields(value))
    return not _changes_in_place(value)


def unchanged(old: Outcome, new: Outcome) -> bool:
    """Whether setting a leaf with the value `old` to `new` changes nothing.

    Like :func:`same`, but true for immutable values only: a mutable object that is set again may have been changed in
    between.
    """
    return same(old, new) and _is_immutable(new)


def _is_immutable(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return not (_changes_in_place(value) or value.dtype.hasobject)
    if isinstance(value, tuple | frozenset):
        return all(map(_is_immutable, value))
    return isinstance(value, (*_IMMUTABLE, Failure))


def within(tolerance: float) -> Callable[[Any, Any], bool]:
    """Return a cutoff rule by which two values are the same if no number in them differs by more than `tolerance`.

    Numbers and arrays of one shape are compared number by number, NaN being equal to NaN; tuples, lists and
    dictionaries part by part, with non-numerical parts compared by :func:`same`. Other values are subtracted from each
    other; if that raises, the error becomes the node's outcome.

    Examples
    --------
    >>> rule = within(0.5)
    >>> rule(1.0, 1.25), rule(np.array([1.0, 2.0]), np.array([1.0, 2.75])), rule((1.0, "a"), (1.5, "a"))
    (True, False, True)
    """

    def rule(old: Any, new: Any) -> bool:
        if isinstance(old, tuple | list | dict) or _is_numeric(old) or isinstance(old, np.ndarray):
            return part(old, new)
        return same(old, new) or bool(np.all(abs(new - old) <= tolerance))

    def part(old: Any, new: Any) -> bool:
        if isinstance(old, tuple | list) and type(old) is type(new):
            return len(old) == len(new) and all(map(part, old, new))
        if isinstance(old, dict) and type(old) is type(new):
            return list(old) == list(new) and all(map(part, old.values(), new.values()))
        if not _is_numeric(old) or not _is_numeric(new) or np.shape(old) != np.shape(new):
            return same(old, new)
        return _near(old, new, tolerance)

    return rule


def _near(old: Any, new: Any, tolerance: float) -> bool:
    with np.errstate(invalid="ignore"):
        near = np.abs(np.subtract(new, old)) <= tolerance
    return bool(np.all(near | (np.isnan(old) & np.isnan(new)) | (np.asarray(old) == np.asarray(new))))


def _is_numeric(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return bool(np.issubdtype(value.dtype, np.number))
    return isinstance(value, int | float | complex | np.number) and not isinstance(value, bool)


# --- values from outside --------------------------------------------------------------------------


def detached(value: Any, depth: int = _DEEPEST) -> Any:
    """Return a copy of a value that the caller cannot change in place: read-only arrays, copied containers.

    Examples
    --------
    >>> buffer = np.zeros(2)
    >>> kept = detached(buffer)
    >>> buffer[:] = 1.0
    >>> kept
    array([0., 0.])
    """
    if isinstance(value, np.ndarray):
        return _read_only(value)
    if isinstance(value, bytearray) or _is_pandas(value):
        return value.copy()
    if not depth or isinstance(value, _IMMUTABLE):
        return value
    return _detached_parts(value, depth - 1)


def _read_only(array: np.ndarray) -> np.ndarray:
    if array.flags.writeable or array.base is not None:
        array = array.copy()
        array.setflags(write=False)
    return array


def _detached_parts(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in (list, set, frozenset):
        return kind(detached(item, depth) for item in value)
    if kind is dict:
        return {key: detached(item, depth) for key, item in value.items()}
    if isinstance(value, tuple):
        parts = [detached(item, depth) for item in value]
        if all(part is item for part, item in zip(parts, value, strict=True)):
            return value
        return kind(*parts) if hasattr(value, "_fields") else kind(parts)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _detached_fields(value, depth)
    return value


def _detached_fields(value: Any, depth: int) -> Any:
    fields = {
        field.name: getattr(value, field.name) for field in dataclasses.fields(value) if hasattr(value, field.name)
    }
    parts = {name: detached(item, depth) for name, item in fields.items()}
    if type(value).__hash__ is not None and all(parts[name] is item for name, item in fields.items()):
        return value
    twin = object.__new__(type(value))
    for name, item in {**getattr(value, "__dict__", {}), **parts}.items():
        object.__setattr__(twin, name, item)
    return twin
