"""Dates and times as they are written: a date, ISO text, a tenor, or years.

Examples
--------
>>> as_date("2026-01-10", ModelError, "to")
datetime.date(2026, 1, 10)
>>> as_years("18M", ModelError, "the curve")
1.5
>>> as_years(["1Y", 2.0, "2029-01-10"], ModelError, "the curve", dt.date(2026, 1, 10)).round(4).tolist()
[1.0, 2.0, 3.0027]
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np

from bank_python.admission import as_numbers
from bank_python.errors import BankError, ModelError
from bank_python.numerics.day_count import act_365f
from bank_python.numerics.schedule import Tenor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["When", "as_date", "as_years"]

When: TypeAlias = Union["ArrayLike", dt.date, "Sequence[str | dt.date]"]
"""A time: years (a number or an array), a tenor such as ``"5Y"``, a date or its ISO text, or a list of these."""

_LONGEST = 60


def as_date(value: object, error: type[BankError], what: str) -> dt.date:
    """Return the day that is meant by a date, a time or ISO text.

    Parameters
    ----------
    value : datetime.date, datetime.datetime, numpy.datetime64 or str
        Date, time whose day is taken, or text such as ``"2026-01-10"``.
    error : type of BankError
        Exception to raise.
    what : str
        Name of the argument in the message.

    Raises
    ------
    BankError
        The value is not a date; raised as `error`.
    """
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        if isinstance(value, dt.datetime):
            return value.date()
        if isinstance(value, np.datetime64):
            return dt.date.fromisoformat(str(value.astype("datetime64[D]")))
        if isinstance(value, str):
            return dt.date.fromisoformat(value.strip())
    except ValueError:  # other text, or not-a-time
        pass
    raise error(
        f"{what}={_short(value)} is not a date; give a datetime.date or ISO text such as '2026-01-10'",
        name=what,
        value=value,
    )


def as_years(time: object, error: type[BankError], owner: str, today: dt.date | None = None) -> FloatArray | float:
    """Return the years (ACT/365F) from now to a time, or to each of several.

    Parameters
    ----------
    time : array_like, str or datetime.date, or a sequence of them
        Years; a tenor such as ``"5Y"``, which counts a twelfth of a year for a month; or a date or its ISO text.
    error : type of BankError
        Exception to raise.
    owner : str
        Name of the curve in the message, with its article.
    today : datetime.date, optional
        Date from which dates are counted.

    Returns
    -------
    float or ndarray
        Years: a float for one time, an array for several.

    Raises
    ------
    BankError
        It is not a time, or it is a date and there is no `today`; raised as `error`.
    """
    if time.__class__ is float:
        return time
    if isinstance(time, str | dt.date | np.datetime64):
        return _years_of_one(time, error, owner, today)
    if isinstance(time, np.ndarray) and time.dtype.kind in "OUM":
        return np.reshape([as_years(member, error, owner, today) for member in time.ravel()], time.shape)
    if isinstance(time, Iterable) and not isinstance(time, np.ndarray | bytes | dict):
        members = list(time)
        if any(isinstance(member, str | dt.date | np.datetime64) for member in members):
            return np.array([as_years(member, error, owner, today) for member in members], dtype=np.float64)
    numbers = None if isinstance(time, bool) else as_numbers(time)
    if numbers is None:
        raise error(f"{owner} has no time {_short(time)}; give years, a tenor such as '5Y', or a date", value=time)
    return numbers if numbers.ndim else float(numbers)


def _years_of_one(
    time: str | dt.date | np.datetime64, error: type[BankError], owner: str, today: dt.date | None
) -> float:
    if isinstance(time, str):
        try:
            return Tenor.parse(time).years
        except ModelError:
            pass  # a date, or nothing
    try:
        day = as_date(time, error, "time")
    except BankError:
        raise error(
            f"{owner} has no time {time!r}; give years, a tenor such as '5Y', or a date such as '2031-01-10'",
            value=time,
        ) from None
    if today is None:
        raise error(
            f"{owner} does not know its date, so {day} is no time for it; give years or a tenor such as '5Y'",
            value=time,
        )
    return act_365f(today, day)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
