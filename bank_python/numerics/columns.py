"""Lanes: how every formula here takes its arguments and hands back its answer.

A formula is asked about one contract or about a hundred thousand, and a contract's answer must be the
same, to the bit, whoever else is in the batch. So all arguments are broadcast to one shape, laid out as
flat contiguous arrays of equal length (one *lane* an element), and the formula does nothing but
elementwise work on them. Flat and contiguous is not for speed: numpy chooses between inner loops by
strides and shapes, and two loops for the same function may differ in the last bit.

A lane whose inputs make no sense is NaN in the answer; nothing is raised for a value.

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
"""What a formula returns: a float when every argument was a scalar, else an array."""


def to_columns(*values: ArrayLike) -> tuple[tuple[int, ...], list[FloatArray]]:
    """Broadcast `values` and lay them out flat.

    Parameters
    ----------
    *values : array_like
        Numbers or arrays that broadcast against each other.

    Returns
    -------
    shape : tuple of int
        The broadcast shape; ``()`` when every value is a scalar.
    lanes : list of ndarray, shape (n_rows,)
        One contiguous float64 array for each value. They may share memory with the caller's arrays and
        are never written to.

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
        raise ModelError(f"arguments of shapes {shapes} do not broadcast: {error}; align them") from error


def from_column(lanes: FloatArray, shape: tuple[int, ...]) -> Numbers:
    """Give flat `lanes`, shape (n_rows,), the `shape` the arguments had; a float for scalar arguments."""
    return lanes.reshape(shape) if shape else float(lanes[0])


def read_only(array: FloatArray) -> FloatArray:
    """Return a copy of `array` that cannot be written; the one that was given stays its owner's."""
    kept = array.copy()
    kept.setflags(write=False)
    return kept


def all_finite(lanes: Sequence[FloatArray]) -> NDArray[np.bool_]:
    """Return, lane by lane, whether every argument is a finite number."""
    finite = np.isfinite(lanes[0])
    for lane in lanes[1:]:
        finite &= np.isfinite(lane)
    return finite
