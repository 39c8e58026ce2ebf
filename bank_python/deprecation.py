"""Support for deprecated names: an old name works for one more version, with a warning that gives the new one.

Examples
--------
>>> import warnings
>>> @renamed(level="confidence")
... def quantile(confidence: float) -> float:
...     return confidence
>>> with warnings.catch_warnings(record=True) as said:
...     warnings.simplefilter("always")
...     quantile(level=0.9)
0.9
>>> str(said[0].message)
'quantile(level=) is now called confidence=; the old name goes with the next version'
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CalledMapping", "also_called", "old_names", "renamed", "warn_of"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_V = TypeVar("_V")


def warn_of(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Issue a :class:`DeprecationWarning` that `old` is now called `new`.

    Parameters
    ----------
    old, new : str
        Deprecated name and its replacement, as they appear in user code.
    stacklevel : int, default 3
        Stack frame to which the warning is attributed: 3 is the caller of the function that calls this one.
    """
    message = f"{old} is now called {new}; the old name goes with the next version"
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)


def renamed(**names: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Make a function accept keyword arguments by their old names too, with a :class:`DeprecationWarning`.

    Parameters
    ----------
    **names : str
        Mapping of each old argument name to its new name.

    Raises
    ------
    TypeError
        The function is called with both the old and the new name of an argument.
    """
    return _called(names, warns=True)


def also_called(**names: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Make a function accept keyword arguments by permanent aliases; like :func:`renamed`, without a warning."""
    return _called(names, warns=False)


def _called(names: Mapping[str, str], *, warns: bool) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        title = function.__qualname__.removesuffix(".__init__")

        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            for old in names.keys() & kwargs.keys():
                _rename(title, kwargs, old, names[old])
                if warns:
                    warn_of(f"{title}({old}=)", f"{names[old]}=")
            return function(*args, **kwargs)

        call.__dict__["other_names"] = names
        return call

    return decorate


def _rename(title: str, kwargs: dict[str, object], old: str, new: str) -> None:
    if new in kwargs:
        raise TypeError(f"{title}() got {new}= and {old}=, which is another name of it; give {new}= alone")
    kwargs[new] = kwargs.pop(old)


def old_names(module: str, names: Mapping[str, str]) -> Callable[[str], object]:
    """Return a module-level ``__getattr__`` that resolves old public names to new ones, with a warning.

    Parameters
    ----------
    module : str
        ``__name__`` of the module.
    names : mapping of str to str
        Mapping of each old name to its new name.
    """

    def look_up(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
        warn_of(f"{module}.{name}", names[name])
        return getattr(importlib.import_module(module), names[name])

    return look_up


class CalledMapping(Mapping[str, _V]):
    """A mapping attribute that has become a method: calling it returns the mapping, reading it directly warns.

    Parameters
    ----------
    values : dict
        Mapping to return.
    name : str
        Name of the attribute, for the warning.
    """

    def __init__(self, values: dict[str, _V], name: str) -> None:
        self._values = values
        self._name = name

    def __call__(self) -> dict[str, _V]:
        """Return the mapping."""
        return self._values

    def __getitem__(self, key: str) -> _V:
        self._warn()
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        self._warn()
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    def _warn(self) -> None:
        warn_of(f"the attribute {self._name}", f"{self._name}(), a method", stacklevel=4)
