"""What a run is made of, so that it can be repeated: hashes of its data and of its code, its settings as text.

Examples
--------
>>> def hold(window, share=0.5):
...     return {"A": share}
>>> settings_of(hold)
'hold(share=0.5)'
>>> len(code_hash(hold)), code_hash(hold) == code_hash(len)
(64, False)
"""

from __future__ import annotations

import hashlib
import inspect
import re
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from reprlib import recursive_repr
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester.read_values import values_read_by

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from bank_python.numerics import FloatArray

__all__ = ["array_hash", "attributes_of", "code_hash", "settings_of", "state_hash", "value_text"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LONGEST = 200
_SHORT = 16
_LAMBDA = "<lambda>"
_NO_STATE = ("__dict__", "__weakref__")  # slots of the interpreter


def array_hash(arrays: Iterable[FloatArray], *said: object) -> str:
    """Return a SHA-256 over arrays and over the text of other things.

    Parameters
    ----------
    arrays : iterable of ndarray
        Arrays, whose numbers count.
    *said : object
        Things whose ``repr`` counts.
    """
    digest = hashlib.sha256(repr(said).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def code_hash(code: Any) -> str:
    """Return a SHA-256 over the version of the library and the source of a class or function.

    Parameters
    ----------
    code : class or callable
        Class or function; of one whose source is not known the byte code counts, and without any the name.
    """
    while isinstance(code, partial):
        code = code.func
    code = getattr(code, "__func__", code)
    if not isinstance(code, type | FunctionType):
        code = code if hasattr(code, "__qualname__") else type(code)
    return _hash_of(code)


@lru_cache(maxsize=256)
def _hash_of(code: Hashable) -> str:
    return hashlib.sha256(f"{_version()}\n{_source(code)}".encode()).hexdigest()


def _source(code: Any) -> str:
    """Return the source of a function, or of a class with those that it inherits from."""
    parts = code.__mro__[:-1] if isinstance(code, type) else (code,)
    said = [_own_source(part) for part in parts]
    if getattr(code, "__name__", "") == _LAMBDA:  # its source is that of the line, on which there may be another
        said.append(_byte_code(code.__code__))
    return "\n".join(said)


def _own_source(code: Any) -> str:
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):  # typed at a prompt, or written in C
        if isinstance(code, FunctionType):
            return _byte_code(code.__code__)
        functions = [each for each in vars(code).values() if isinstance(each, FunctionType)] if _is_class(code) else []
        name = f"{getattr(code, '__module__', '')}.{getattr(code, '__qualname__', code)}"
        return "\n".join([name, *(_byte_code(each.__code__) for each in functions)])


def _is_class(code: object) -> bool:
    return isinstance(code, type)


def _byte_code(code: CodeType) -> str:
    """Return byte code with its names and constants as text, that of the functions inside included."""
    constants = [_byte_code(each) if isinstance(each, CodeType) else value_text(each) for each in code.co_consts]
    return f"{code.co_name}{code.co_names}{code.co_code.hex()}{constants}"


def _version() -> str:
    try:
        return version("bank_python")
    except PackageNotFoundError:  # used from a checkout
        return "unknown"


def settings_of(function: Any) -> str:
    """Return a function with the values that it carries: defaults, values of its closure, arguments bound to it.

    Parameters
    ----------
    function : callable
        Function, partial function or object that can be called.
    """
    if isinstance(function, partial):
        bound = [value_text(value) for value in function.args]
        named = [f"{name}={value_text(value)}" for name, value in function.keywords.items()]
        return f"{settings_of(function.func)}({', '.join(bound + named)})"
    if inspect.ismethod(function):
        return f"{value_text(function.__self__)}.{settings_of(function.__func__)}"
    if not isinstance(function, FunctionType):
        name = getattr(function, "__name__", type(function).__name__)
        carried = attributes_of(function)
    else:
        name, carried = function.__name__, _carried(function)
    said = ", ".join(f"{key}={value_text(value)}" for key, value in carried.items())
    return f"{name}({said})" if said else name


def _carried(function: FunctionType) -> dict[str, object]:
    """Return the defaults of a function and the values of its closure by name."""
    carried: dict[str, object] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            carried[name] = "itself" if cell.cell_contents is function else cell.cell_contents
        except ValueError:  # not assigned yet
            carried[name] = "unset"
    given = function.__defaults__ or ()
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return carried | dict(zip(names[len(names) - len(given) :], given, strict=True)) | (function.__kwdefaults__ or {})


@recursive_repr("...")
def value_text(value: Any) -> str:
    """Return a value as text that is the same in every process and tells long values apart.

    Parameters
    ----------
    value : object
        Value of a setting. Arrays and data frames count by their numbers, long texts by their hash, sets in the order
        of their texts, functions by their source and the values that they read.
    """
    if isinstance(value, FunctionType):
        return f"{settings_of(value)} {code_hash(value)[:_SHORT]}{_read_text(value)}"
    if hasattr(value, "to_numpy") and not isinstance(value, type):
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        numbers = value if value.dtype != object else np.array(repr(value.tolist()))
        return f"<array {value.shape} {array_hash([numbers])[:_SHORT]}>"
    if isinstance(value, dict):
        said = f"{{{', '.join(f'{value_text(key)}: {value_text(each)}' for key, each in value.items())}}}"
    elif type(value) in {list, tuple}:
        inside = ", ".join(map(value_text, value))
        said = f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(value) == 1)})"
    elif isinstance(value, set | frozenset):
        said = f"{type(value).__name__}({{{', '.join(sorted(map(value_text, value)))}}})"
    else:
        said = _ADDRESS.sub("", repr(value))
    return said if len(said) <= _LONGEST else f"<{type(value).__name__} {array_hash((), said)[:_SHORT]}>"


def _read_text(thing: object) -> str:
    """Return the values that code reads from outside as text, nothing if there are none."""
    values = values_read_by(thing)
    said = {
        name: code_hash(value) if isinstance(value, FunctionType) else value_text(value)
        for name, value in values.items()
    }
    return f" reads {array_hash((), said)[:_SHORT]}" if said else ""


def state_hash(thing: object) -> str:
    """Return a SHA-256 over all attributes of an object, private ones included, and the values its code reads.

    The code is that of its class, and of the functions and objects that are its attributes.

    Parameters
    ----------
    thing : object
        Object such as a strategy, before its run.
    """
    attributes = attributes_of(thing)
    read = [_read_text(each) for each in (thing, *attributes.values())]
    return array_hash((), {name: value_text(value) for name, value in attributes.items()}, read)


def attributes_of(thing: object) -> dict[str, Any]:
    """Return all attributes of an object by name, those in slots included.

    Parameters
    ----------
    thing : object
        Object such as a strategy.
    """
    slots = [name for kind in type(thing).__mro__ for name in _names(vars(kind).get("__slots__", ()))]
    kept = {name: getattr(thing, name) for name in slots if name not in _NO_STATE and hasattr(thing, name)}
    return kept | getattr(thing, "__dict__", {})


def _names(slots: str | Iterable[str]) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)
