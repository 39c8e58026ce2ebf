"""Checks of a contract's arguments; every error names the contract, the term, the value and the remedy."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import Node
from bank_python.errors import BankError, InstrumentError
from bank_python.market_data.clock import Clock
from bank_python.numerics.dates import as_date
from bank_python.numerics.schedule import Tenor

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["end_on", "finite", "known_currency", "negative", "number", "positive", "present", "years_to"]

_CODE_LENGTH = 3


def years_to(name: str, term: str, end: float | dt.date | str | np.datetime64, clock_source: Clock | float) -> float:
    """Return the years from now to `end`: years, a tenor such as ``"3M"``, a date, or its ISO text.

    Raises
    ------
    InstrumentError
        `end` is negative, not finite, before the valuation date, other text, or a date without a clock.
    """
    if isinstance(end, str | np.datetime64):
        end = _time(name, term, end)
    if isinstance(end, dt.date):
        if not isinstance(clock_source, Clock):
            raise InstrumentError(
                f"{name}: {term}={end} is a date, which needs a valuation date: pass clock_source=Clock(...), "
                "or give the years",
                name=name,
                value=end,
            )
        end = clock_source.years_at(end) - clock_source.years
    return finite(name, term, end, at_least=0.0)


def _time(name: str, term: str, end: str | np.datetime64) -> float | dt.date:
    try:
        if isinstance(end, str) and end.strip()[-1:].isalpha():
            return Tenor.parse(end).years
        return as_date(end, InstrumentError, term)
    except BankError:
        raise InstrumentError(
            f"{name}: {term}={end!r} is no time; give years, a tenor such as '3M', a datetime.date, or ISO text such "
            "as '2026-06-19'",
            name=name,
            value=end,
        ) from None


def end_on(clock_source: Clock | float, years: float) -> float:
    """Return the clock time `years` from now, in years.

    Raises
    ------
    InstrumentError
        The clock source is neither a clock nor a finite number.
    """
    if not isinstance(clock_source, Clock) and not math.isfinite(number(clock_source)):
        raise InstrumentError(
            f"clock_source={clock_source!r} is neither a Clock nor a finite number of years; give one of them",
            value=clock_source,
        )
    return (clock_source.years if isinstance(clock_source, Clock) else float(clock_source)) + years


def present(source: Node | float) -> float:
    """Return the current value of a source.

    Raises
    ------
    BankError
        The source has no value; the error gives the reason.
    """
    return cast("float", source.value) if isinstance(source, Node) else source


def finite(name: str, term: str, value: object, at_least: float = -math.inf) -> float:
    """Return `value` if it is a finite number of at least `at_least`.

    Raises
    ------
    InstrumentError
        The value is no such number; the message names the contract, the term and the value.
    """
    found = number(value)
    if not math.isfinite(found) or found < at_least:
        bound = "" if at_least == -math.inf else f" of at least {at_least:g}"
        raise InstrumentError(
            f"{name}: {term}={value!r} is not a finite number{bound}; correct the contract", name=name, value=value
        )
    return found


def number(value: object) -> float:
    """Return a Python or numpy number as a float; NaN for anything else, such as booleans or integers too large."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def negative(inputs: Mapping[str, float], *keys: str) -> str:
    """Return, in words, which of the inputs `keys` is negative or NaN; an empty string if none is."""
    return next((f"{key}={inputs[key]!r} is negative" for key in keys if not inputs[key] >= 0.0), "")


def positive(name: str, term: str, value: object) -> float:
    """Return `value` if it is a finite number above zero.

    Raises
    ------
    InstrumentError
        The value is no such number; the message names the contract, the term and the value.
    """
    if finite(name, term, value) <= 0.0:
        raise InstrumentError(f"{name}: {term}={value!r} must be above zero; correct the contract", name=name)
    return finite(name, term, value)


def known_currency(name: str, currency: str) -> str:
    """Return `currency` if it looks like an ISO 4217 code.

    Raises
    ------
    InstrumentError
        The currency is not three capital letters.
    """
    code = str(currency)  # objects other than strings fail the check as well
    if len(code) != _CODE_LENGTH or not code.isalpha() or not code.isupper():
        raise InstrumentError(
            f"{name}: currency {currency!r} is not an ISO 4217 code; write three capitals such as 'USD'", name=name
        )
    return currency
