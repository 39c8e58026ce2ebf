"""Columns: the form in which every formula here takes its arguments and returns its result.

A formula is evaluated for one contract or for a hundred thousand, and the result of a contract must be bitwise
identical whichever other contracts are in the batch. So all arguments are broadcast to one shape and laid out as
*columns*: flat contiguous arrays of equal length, one row per contract. The formula then works elementwise on them.
The columns are flat and contiguous for reproducibility, not for speed: numpy chooses between inner loops by strides
and shapes, and two loops for the same function may differ in the last bit.

A row whose inputs are invalid has the result NaN; no error is raised for a value.

Examples
--------
>>> shape, (spot, strike) = to_columns([90.0, 100.0], 95.0)
>>> from_column(spot - strike, shape)
array([-5.,  5.])
>>> shape, (spot,) = to_columns(90.0)
>>> from_column(spot + 1.0, shape)
91.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bank_python.admission import as_numbers
from bank_python.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

__all__ = ["FloatArray", "Numbers", "all_finite", "from_column", "read_only", "to_columns"]

FloatArray: TypeAlias = NDArray[np.float64]
"""An array of float64."""

Numbers: TypeAlias = float | FloatArray
"""The result of a formula: a float if every argument was a scalar, else an array."""


def to_columns(*values: ArrayLike) -> tuple[tuple[int, ...], list[FloatArray]]:
    """Broadcast arguments against each other and flatten them into columns.

    Parameters
    ----------
    *values : array_like
        Numbers or arrays that broadcast against each other.

    Returns
    -------
    shape : tuple of int
        The broadcast shape; ``()`` if every value is a scalar.
    columns : list of ndarray, shape (n_rows,)
        One contiguous float64 array for each value. They may share memory with the caller's arrays, so they must not
        be written to.

    Raises
    ------
    ModelError
        The shapes do not broadcast, or a value is not numeric.
    """
    arrays = [_numbers(value) for value in values]
    shape = _shape(arrays)
    return shape, [np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(-1) for array in arrays]


def _numbers(value: object) -> FloatArray:
    if value.__class__ is float:
        return np.asarray(value)
    array = as_numbers(value)
    if array is None:
        raise ModelError(f"{value!r} is neither a number nor an array of numbers; give numbers", value=value)
    return array


def _shape(arrays: Sequence[FloatArray]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError as error:
        shapes = ", ".join(str(array.shape) for array in arrays if array.shape)
        raise ModelError(
            f"arguments of shapes {shapes} do not broadcast: {error}; give arrays that broadcast"
        ) from error


def from_column(column: FloatArray, shape: tuple[int, ...]) -> Numbers:
    """Return a result column, shape (n_rows,), in the `shape` of the arguments; a float for scalar arguments."""
    return column.reshape(shape) if shape else float(column[0])


def read_only(array: FloatArray) -> FloatArray:
    """Return a copy of `array` that cannot be written to."""
    copy = array.copy()
    copy.setflags(write=False)
    return copy


def all_finite(columns: Sequence[FloatArray]) -> NDArray[np.bool_]:
    """Return for each row whether it is finite in every column."""
    finite = np.isfinite(columns[0])
    for column in columns[1:]:
        finite &= np.isfinite(column)
    return finite
