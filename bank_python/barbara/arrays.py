"""numpy arrays and scalars as bytes, in numpy's own ``.npy`` format with pickling switched off."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from numpy.lib import format as npy

from bank_python.errors import UnstorableError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["array_from_bytes", "array_to_bytes"]

_NPY_VERSION = (3, 0)  # the one version that takes every field name; named, so that numpy need not choose and warn


def array_to_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """Write dtype, shape, order (C or Fortran; other strides become C) and the data.

    Raises
    ------
    UnstorableError
        The dtype holds Python objects, or is one that numpy cannot describe in a file.
    """
    dtype = array.dtype
    if dtype.hasobject or npy.descr_to_dtype(npy.dtype_to_descr(dtype)) != dtype:
        message = f"an array of dtype {dtype} has no exact form in a file: convert it with .astype() first"
        raise UnstorableError(message, value=array)
    buffer = io.BytesIO()
    npy.write_array(buffer, array, version=_NPY_VERSION, allow_pickle=False)
    return buffer.getvalue()


def array_from_bytes(data: bytes) -> np.ndarray[Any, Any]:
    """Read what :func:`array_to_bytes` wrote; raises :class:`ValueError` for anything else."""
    array: np.ndarray[Any, Any] = npy.read_array(io.BytesIO(data), allow_pickle=False, max_header_size=len(data))
    return array
