"""Conversion of numpy arrays and scalars to bytes, in numpy's ``.npy`` format without pickling."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from numpy.lib import format as npy

from bank_python.errors import UnstorableError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["array_from_bytes", "array_to_bytes"]

_NPY_VERSION = (3, 0)  # the only version that allows every field name; explicit, as numpy would warn when choosing it


def array_to_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """Convert an array to bytes with its dtype, shape, order (C or Fortran; other strides become C) and data.

    Raises
    ------
    UnstorableError
        The dtype contains Python objects, or cannot be represented in a file by numpy.
    """
    dtype = array.dtype
    if dtype.hasobject or npy.descr_to_dtype(npy.dtype_to_descr(dtype)) != dtype:
        message = f"an array of dtype {dtype} has no exact form in a file: convert it with .astype() first"
        raise UnstorableError(message, value=array)
    buffer = io.BytesIO()
    npy.write_array(buffer, array, version=_NPY_VERSION, allow_pickle=False)
    return buffer.getvalue()


def array_from_bytes(data: bytes) -> np.ndarray[Any, Any]:
    """Convert the bytes of :func:`array_to_bytes` to an array; raise :class:`ValueError` for any other bytes."""
    array: np.ndarray[Any, Any] = npy.read_array(io.BytesIO(data), allow_pickle=False, max_header_size=len(data))
    return array
