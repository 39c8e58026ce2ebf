"""Checks that figures are finite and within a range: the message names the figure, its value and the remedy.

Examples
--------
>>> from bank_python.errors import ModelError
>>> figures_in_range("days", 2, ModelError, above=0.0)
array(2.)
>>> figures_in_range("days", [1.0, 0.0], ModelError, above=0.0)
Traceback (most recent call last):
    ...
bank_python.errors.ModelError: days=0.0 is not above 0; give a finite number above 0
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.errors import BankError
    from bank_python.numerics.columns import FloatArray

__all__ = ["figures_in_range", "number_in_range"]

_NUMBERS = (int, float, np.integer, np.floating)


def figures_in_range(
    name: str,
    values: ArrayLike,
    error: type[BankError],
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    hint: str = "",
) -> FloatArray:
    """Return figures as an array, or raise an error that names the first one out of range.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    values : array_like
        Figures to check; they have to be finite.
    error : type of BankError
        Class of the error, with ``name`` and ``value`` as attributes.
    above : float, optional
        Number that each figure has to exceed.
    least, most : float, optional
        Smallest and largest figure allowed.
    hint : str, default ""
        Remedy in the message; by default the range.

    Raises
    ------
    BankError
        A figure is not finite or out of range; of the class `error`.
    """
    known = np.asarray(values, dtype=np.float64)
    bad = ~np.isfinite(known)
    if above is not None:
        bad |= known <= above
    if least is not None:
        bad |= known < least
    if most is not None:
        bad |= known > most
    if bad.any():
        raise _refusal(name, float(known[bad].flat[0]), error, _range(above, least, most), hint)
    return known


def number_in_range(
    name: str,
    value: float,
    error: type[BankError],
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    hint: str = "",
) -> float:
    """Return one number as a float, or raise an error if it is none or out of range; as :func:`figures_in_range`."""
    if value.__class__ is not float and (isinstance(value, bool) or not isinstance(value, _NUMBERS)):
        remedy = hint or f"give a number {_range(above, least, most)}".rstrip()
        raise error(f"{name}={value!r:.60} is not a number; {remedy}", name=name, value=value)
    known = float(value)
    inside = (above is None or known > above) and (least is None or known >= least) and (most is None or known <= most)
    if not (inside and math.isfinite(known)):
        raise _refusal(name, known, error, _range(above, least, most), hint)
    return known


def _refusal(name: str, value: float, error: type[BankError], wanted: str, hint: str) -> BankError:
    what = wanted if math.isfinite(value) else "a finite number"
    remedy = hint or f"give a finite number {wanted}".rstrip()
    return error(f"{name}={value!r} is not {what}; {remedy}", name=name, value=value)


def _range(above: float | None, least: float | None, most: float | None) -> str:
    low = f"above {above:g}" if above is not None else f"at least {least:g}" if least is not None else ""
    high = f"at most {most:g}" if most is not None else ""
    return " and ".join(part for part in (low, high) if part)
