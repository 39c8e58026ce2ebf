"""Checks of the arguments of signals."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from bank_python.errors import TradingError

__all__ = ["finite_number", "names_of", "numbers_by_name", "pairs_of_names", "positive", "whole_number"]

_PAIR = 2


def names_of(name: str, given: Any) -> tuple[str, ...]:
    """Return names as a tuple.

    Raises
    ------
    TradingError
        It is one text, or an entry is no text.
    """
    if isinstance(given, str):
        raise TradingError(f"{name}={given!r} is one name; give a list: [{given!r}]", name=name, value=given)
    if not isinstance(given, Iterable):
        raise TradingError(f"{name}={given!r} is no list of names", name=name, value=given)
    found = tuple(given)
    for entry in found:
        if not isinstance(entry, str) or not entry:
            raise TradingError(f"{name} has {entry!r}, which is no name", name=name, value=entry)
    return found


def pairs_of_names(name: str, given: Any) -> tuple[tuple[str, str], ...]:
    """Return pairs of names as a tuple; what has attributes ``y`` and ``x``, as those of a scan of pairs, is one.

    Raises
    ------
    TradingError
        It is no list, or an entry is not two different names.
    """
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise TradingError(f"{name}={given!r:.60} is no list of pairs of names", name=name, value=given)
    found = []
    for pair in given:
        is_candidate = hasattr(pair, "y") and hasattr(pair, "x")
        names = names_of(name, (pair.y, pair.x) if is_candidate else pair)
        if len(names) != _PAIR:
            raise TradingError(f"the pair {names!r} has {len(names)} names; give two", name=name, value=names)
        if names[0] == names[1]:
            raise TradingError(f"the pair {names!r} is one name twice; give two", name=name, value=names)
        found.append((names[0], names[1]))
    return tuple(found)


def numbers_by_name(name: str, given: Any) -> dict[str, float]:
    """Return finite numbers by name.

    Raises
    ------
    TradingError
        It is no mapping, a key is no name, or a value is no finite number.
    """
    if not isinstance(given, Mapping):
        raise TradingError(f"{name}={given!r:.60} is no mapping of names to numbers", name=name, value=given)
    return {key: finite_number(f"{name}[{key!r}]", given[key]) for key in names_of(name, given)}


def whole_number(name: str, given: Any, least: int) -> int:
    """Return a whole number of at least `least`.

    Raises
    ------
    TradingError
        It is no whole number, or below.
    """
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        raise TradingError(f"{name}={given!r} is not a whole number of at least {least}", name=name, value=given)
    return given


def finite_number(name: str, given: Any) -> float:
    """Return a finite number.

    Raises
    ------
    TradingError
        It is no number, infinite or NaN.
    """
    number = math.nan if isinstance(given, bool) or not isinstance(given, numbers.Real) else float(given)
    if not math.isfinite(number):
        raise TradingError(f"{name}={given!r:.60} is not a finite number", name=name, value=given)
    return number


def positive(name: str, given: Any) -> float:
    """Return a finite number above 0.

    Raises
    ------
    TradingError
        It is no number, infinite, NaN, or not above 0.
    """
    number = math.nan if isinstance(given, bool) or not isinstance(given, numbers.Real) else float(given)
    if not (math.isfinite(number) and number > 0.0):
        raise TradingError(f"{name}={given!r:.60} is not a finite number above 0", name=name, value=given)
    return number
