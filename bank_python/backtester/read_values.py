"""Values that the code of a strategy reads from outside itself: global ones of its module, and those of its class.

A constant above a function decides what the function does as an argument would, so that two runs that differ in one are
two trials. Numbers, texts, dates, lists, tuples, sets, dictionaries, arrays and data frames count, and those that
functions of the same module read which the code calls. The library's own constants do not: its version counts.

Examples
--------
>>> scope = {"STEP": 5, "__name__": "notebook"}
>>> exec("def hold(window): return {'A': 1.0} if window.index % STEP == 0 else None", scope)
>>> values_read_by(scope["hold"])
{'STEP': 5}
"""

from __future__ import annotations

import datetime as dt
import dis
import sys
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from inspect import ismethod
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["values_read_by"]

_LIBRARY = "bank_python"
_KNOWN = sys.stdlib_module_names - {"__main__"} | {_LIBRARY, "builtins"}
_NUMBERS: tuple[type, ...] = (bool, int, float, complex, np.generic, np.ndarray)
_OTHERS: tuple[type, ...] = (str, bytes, tuple, list, dict, set, frozenset, dt.date, dt.timedelta)
_SIMPLE = _NUMBERS + _OTHERS


def values_read_by(thing: object) -> dict[str, object]:
    """Return the values that a function, or the methods of an object's class, read from outside, by name.

    Parameters
    ----------
    thing : object
        Function, partial function, method, or object such as a strategy. The functions that it calls by global names
        of the same module are among the values.
    """
    while isinstance(thing, partial):
        thing = thing.func
    if ismethod(thing):
        thing = thing.__self__
    if isinstance(thing, FunctionType):
        found: dict[str, object] = {}
        waiting = [thing]
    else:
        classes = [each for each in type(thing).__mro__ if _is_of_users(each)]
        found = {f"{each.__name__}.{name}": value for each in classes for name, value in _attributes(each)}
        waiting = [function for each in classes for function in _functions(each)]
    seen = set(waiting)
    while waiting:
        function = waiting.pop()
        for name, value in _outside(function):
            if isinstance(value, FunctionType) and value.__module__ == function.__module__ and value not in seen:
                seen.add(value)
                waiting.append(value)
                found[name] = value
            elif _is_simple(value):
                found[name] = value
    return found


def _outside(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Yield what a function reads from outside by name: global values, and those of its closure."""
    for name in _global_names(function.__code__):
        yield name, function.__globals__.get(name)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not assigned yet
            yield f"{function.__qualname__}.{name}", cell.cell_contents


def _is_of_users(kind: type) -> bool:
    """Whether a class is neither of this library, nor of Python, nor of another package that is installed."""
    package = kind.__module__.partition(".")[0]
    if package in _KNOWN:
        return False
    path = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    return "site-packages" not in Path(path).parts


def _is_simple(value: object) -> bool:
    return isinstance(value, _SIMPLE) or (hasattr(value, "to_numpy") and not isinstance(value, type))


def _attributes(kind: type) -> Iterator[tuple[str, object]]:
    """Yield the simple values of a class by name."""
    for name, value in vars(kind).items():
        if not name.startswith("__") and _is_simple(value):
            yield name, value


def _functions(kind: type) -> Iterator[FunctionType]:
    """Yield the functions of a class, those of its properties included."""
    for value in vars(kind).values():
        made: Any = value
        if isinstance(value, property):
            made = value.fget
        elif isinstance(value, classmethod | staticmethod):
            made = value.__func__
        elif isinstance(value, cached_property):
            made = value.func
        if isinstance(made, FunctionType) and made.__module__.partition(".")[0] != _LIBRARY:
            yield made


@lru_cache(maxsize=256)
def _global_names(code: CodeType) -> tuple[str, ...]:
    """Return the global names that code reads, that of the functions inside included."""
    names = {step.argval for step in dis.get_instructions(code) if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    inside = (each for each in code.co_consts if isinstance(each, CodeType))
    return tuple(sorted(names.union(*map(_global_names, inside))))
