"""Exact money: decimal arithmetic, rounded to the smallest unit of a currency when an amount is booked.

Binary floats cannot hold most cents, so their sums drift. Amounts of a ledger are therefore decimals: a float is read
as the number it is written as (0.1 is exactly one tenth), products are exact, and each amount that is booked is rounded
once, half to even, to the digits of its currency. From then on there are only sums of whole cents, which are exact.
An amount that is divided among several lots is divided by rounding its running total, so that the parts add up to it.

Examples
--------
>>> sum([exact(0.1)] * 3) == exact(0.3), sum([0.1] * 3) == 0.3
(True, False)
>>> [str(part) for part in divided(exact(100.0), [exact(1), exact(1), exact(1)], 2)]
['33.33', '33.34', '33.33']
"""

from __future__ import annotations

import decimal
import functools
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from bank_python.errors import TradingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["ZERO", "checked_number", "currency_digits", "divided", "exact", "exactly", "rounded", "total"]

ZERO = Decimal(0)

_LARGEST = 1e15
_DIGITS_AT_ONCE = 120  # more than a product of three floats has; sums of them stay exact as well
_CONTEXT = decimal.Context(prec=_DIGITS_AT_ONCE, rounding=decimal.ROUND_HALF_EVEN)
_USUAL_DIGITS = 2
_NUMBERS = (int, float, np.integer, np.floating, Decimal)
_UNITS = tuple(Decimal(1).scaleb(-digits) for digits in range(19))
# ISO 4217 (list one, minor units); coins have the digits in which their exchanges keep balances.
_OTHER_DIGITS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("BTC", "ETH", "SOL", "USDC", "USDT"), 8),
}

_Function = TypeVar("_Function", bound="Callable[..., Any]")


def exactly(function: _Function) -> _Function:
    """Make a function compute with enough digits for exact products, whatever the caller's decimal context is."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with decimal.localcontext(_CONTEXT):
            return function(*args, **kwargs)

    return cast("_Function", call)


def exact(value: float | Decimal) -> Decimal:
    """Return a number as the decimal it is written as: 0.1 as one tenth."""
    if isinstance(value, Decimal):
        return value
    number = float(value)
    return Decimal(int(number)) if number.is_integer() else Decimal(repr(number))


def rounded(amount: Decimal, digits: int) -> Decimal:
    """Return an amount rounded half to even to a number of digits after the point."""
    return amount.quantize(_UNITS[digits], context=_CONTEXT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of amounts; 0 if there are none."""
    return sum(amounts, ZERO)


def divided(amount: Decimal, weights: Sequence[Decimal], digits: int) -> list[Decimal]:
    """Divide an amount in proportion to weights into rounded parts that add up to it.

    Parameters
    ----------
    amount : Decimal
        Amount with at most `digits` digits after the point.
    weights : sequence of Decimal
        Weights of one sign, not all 0.
    digits : int
        Number of digits after the point of each part.
    """
    whole, so_far, before, parts = total(weights), ZERO, ZERO, []
    for weight in weights:
        so_far += weight
        until = amount if so_far == whole else rounded(_CONTEXT.divide(amount * so_far, whole), digits)
        parts.append(until - before)
        before = until
    return parts


def currency_digits(currency: str) -> int:
    """Return the number of digits after the point in which a currency is booked: mostly 2, for JPY 0, for BTC 8."""
    return _OTHER_DIGITS.get(currency, _USUAL_DIGITS)


def checked_number(
    value: object, name: str, of: str, *, above_zero: bool = False, from_zero: bool = False, not_zero: bool = False
) -> float:
    """Return a finite number of at most 1e15 as a float.

    Parameters
    ----------
    value : object
        Value to check.
    name, of : str
        Name of the value and of the thing that it belongs to, for messages.
    above_zero, from_zero, not_zero : bool, default False
        Whether the number must be above 0, at least 0, or anything but 0.

    Raises
    ------
    TradingError
        It is no such number.
    """
    is_number = value.__class__ is float or (isinstance(value, _NUMBERS) and not isinstance(value, bool))
    number = float(cast("float", value)) if is_number else math.nan
    is_known = math.isfinite(number) and abs(number) <= _LARGEST
    is_inside = not ((above_zero and number <= 0.0) or (from_zero and number < 0.0) or (not_zero and number == 0.0))
    if is_known and is_inside:
        return number
    wanted = (
        "a number above 0"
        if above_zero
        else "a number from 0"
        if from_zero
        else f"a number{' other than 0' * not_zero}"
    )
    remedy = "correct it, nothing was booked" if is_known else "give a finite one up to 1e15"
    raise TradingError(f"{of}: {name}={value!r} is not {wanted}; {remedy}", name=name, value=value)
