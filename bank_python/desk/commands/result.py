"""The result of a command: facts for JSON, views for a terminal, a table for CSV."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_python.display import Displayed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.mntable import Table, View
    from bank_python.results import Tabular

__all__ = ["CommandResult"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CommandResult(Displayed):
    """What a command found or did.

    Parameters
    ----------
    facts : mapping of str to object
        Figures by name, of types that have a JSON form.
    views : sequence
        Drawings from top to bottom: objects that Rich draws, or text.
    table : View, Table or Tabular
        Figures as a table, which ``--csv`` writes.
    """

    facts: Mapping[str, Any]
    views: Sequence[Any] = field(default_factory=tuple)
    table: View | Table | Tabular | None = None

    def __rich__(self) -> object:
        from bank_python.desk.commands.views import stacked_view

        return stacked_view(self.views)
