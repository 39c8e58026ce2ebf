"""Exports that every result has: as a table, a data frame, an Arrow table, a CSV file, JSON.

A result says what its table is (:meth:`Tabular.to_table`); the rest is derived from that. A result that is a handful
of figures is a :class:`Figures`, whose table has one row.

Examples
--------
>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, slots=True)
... class Fit(Figures):
...     slope: float
...     error: float
>>> Fit(2.0, 0.1).to_dict()
{'slope': 2.0, 'error': 0.1}
>>> Fit(2.0, 0.1).to_json()
'[{"slope": 2.0, "error": 0.1}]'
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from bank_python.display import Displayed, Record
from bank_python.jsonable import jsonable

if TYPE_CHECKING:
    import os

    import pandas as pd
    import pyarrow as pa
    from _typeshed import DataclassInstance

    from bank_python.mntable import Table

__all__ = ["Figures", "Tabular"]


class Tabular(Displayed):
    """A result with a table of its figures, and therefore with every export."""

    __slots__ = ()

    def to_table(self) -> Table:
        """Return the figures as a table."""
        raise NotImplementedError(f"{type(self).__name__} defines no to_table")

    def to_pandas(self) -> pd.DataFrame:
        """Return the figures as a data frame; needs the extra ``data``."""
        return self.to_table().to_pandas()

    def to_arrow(self) -> pa.Table:
        """Return the figures as an Arrow table; needs the extra ``data``."""
        return self.to_table().to_arrow()

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the figures to a CSV file, which appears when it is complete.

        Parameters
        ----------
        path : path
            File to write or to replace.
        """
        self.to_table().to_csv(path)

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the figures as JSON text, a list with an object for each row, and write it if a path is given.

        Parameters
        ----------
        path : path, optional
            File to write or to replace.

        Notes
        -----
        Numbers that are not finite become null; dates and times are ISO 8601 text.
        """
        return self.to_table().to_json(path)


class Figures(Record, Tabular):
    """A result that is a dataclass of a few figures."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name, nested results as dictionaries, enum members as their values."""
        names = [field.name for field in dataclasses.fields(cast("DataclassInstance", self))]
        return {name: _plain(getattr(self, name)) for name in names}

    def to_table(self) -> Table:
        """Return the figures as a table of one row, NaN as None; those of nested results have dotted names."""
        from bank_python.mntable import Table

        cells = {name: _cell(value) for name, value in _flat(self.to_dict())}
        schema = [(name, _kind(value)) for name, value in cells.items()]
        return Table.from_rows(schema, [{name: None if _is_nan(value) else value for name, value in cells.items()}])


def _plain(value: object) -> object:
    if isinstance(value, Figures):
        return value.to_dict()
    return value.value if isinstance(value, enum.Enum) else value


def _flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    flat: list[tuple[str, object]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat += _flat(value, f"{prefix}{name}.")
        else:
            flat.append((f"{prefix}{name}", value))
    return flat


def _cell(value: object) -> object:
    """Return a value as a table can hold it: what has no column type of its own as JSON or as text."""
    if value is None or isinstance(value, bool | int | float | str | dt.date):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    try:
        return json.dumps(jsonable(value.tolist() if hasattr(value, "tolist") else value))
    except TypeError:
        return str(value)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _kind(value: object) -> Any:
    for kind in (bool, int, float, dt.datetime, dt.date):
        if isinstance(value, kind):
            return kind | None
    return str | None
