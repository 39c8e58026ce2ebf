"""Checks of the arguments of signals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bank_python.errors import TradingError

__all__ = ["names_of", "whole_number"]


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
