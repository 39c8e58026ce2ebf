"""Base class of results that consist of a few figures and convert to a dictionary.

Examples
--------
>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, slots=True)
... class Fit(Figures):
...     slope: float
...     error: float
>>> Fit(2.0, 0.1).to_dict()
{'slope': 2.0, 'error': 0.1}
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Figures"]


class Figures:
    """A result that is a dataclass of figures."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name, with nested results as dictionaries and enum members as their values."""
        names = [field.name for field in dataclasses.fields(cast("DataclassInstance", self))]
        return {name: _plain(getattr(self, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, Figures):
        return value.to_dict()
    return value.value if isinstance(value, enum.Enum) else value
