"""Conversion of views to NumPy arrays and pandas data frames.

==========  ======================  ============================
column      NumPy                   pandas
==========  ======================  ============================
float       float64, None as NaN    float64, None as NaN
int         int64                   int64
int | None  object                  Int64
bool        bool                    bool
bool | None object                  boolean
datetime    datetime64[us] in UTC,  datetime64[us, UTC],
            None as NaT             None as NaT
date        datetime64[D],          object (datetime.date)
            None as NaT
str, bytes  object                  object
==========  ======================  ============================
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import MissingExtraError
from bank_python.mntable import execution
from bank_python.mntable.column_types import BOOL, DATE, DATETIME, FLOAT, INT
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bank_python.mntable.plan import Block
    from bank_python.mntable.schema import Column

__all__ = ["to_numpy", "to_pandas"]

BATCH = 65_536


def to_numpy(block: Block) -> dict[str, NDArray[Any]]:
    """Return one array per column; the module docstring lists the dtypes."""
    stored = execution.rows(block)
    pieces: dict[str, list[NDArray[Any]]] = {column.name: [_as_array(column, ())] for column in block.schema}
    while batch := list(itertools.islice(stored, BATCH)):
        for column, cells in zip(block.schema, zip(*batch, strict=True), strict=True):
            pieces[column.name].append(_as_array(column, cells))
    return {name: np.concatenate(arrays) for name, arrays in pieces.items()}


def _as_array(column: Column, cells: tuple[Any, ...]) -> NDArray[Any]:
    kind = column.type
    if kind is FLOAT:
        # NumPy converts None to NaN in a float array.
        return np.array(cells, dtype=np.float64)
    if kind is DATETIME:
        # Stored datetimes are microseconds since 1970, as in datetime64[us].
        return np.array([np.datetime64("NaT") if cell is None else cell for cell in cells], dtype="datetime64[us]")
    if kind is DATE:
        return np.array(["NaT" if cell is None else cell for cell in cells], dtype="datetime64[D]")
    decode = kind.decode
    decoded = cells if decode is None else tuple(None if cell is None else decode(cell) for cell in cells)
    if kind in {INT, BOOL} and not column.nullable:
        return np.array(decoded, dtype=np.int64 if kind is INT else np.bool_)
    # Filled, not converted, because NumPy's conversion of bytes cuts trailing zeros.
    array = np.empty(len(decoded), dtype=object)
    array[:] = decoded
    return array


def to_pandas(block: Block) -> pd.DataFrame:
    """Return a data frame; the module docstring lists the dtypes.

    Raises
    ------
    MissingExtraError
        pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError(f"to_pandas needs pandas: {how_to_install('data')}", extra="data") from None
    arrays = to_numpy(block)
    return pd.DataFrame({column.name: _as_series(pd, column, arrays[column.name]) for column in block.schema})


def _as_series(pd: Any, column: Column, array: NDArray[Any]) -> Any:
    if column.type is DATETIME:
        return pd.Series(array).dt.tz_localize("UTC")
    if column.type is DATE:
        return pd.Series(array.astype(object), dtype=object)
    if column.nullable and column.type in {INT, BOOL}:
        return pd.Series(array, dtype="Int64" if column.type is INT else "boolean")
    return pd.Series(array, dtype=array.dtype)
