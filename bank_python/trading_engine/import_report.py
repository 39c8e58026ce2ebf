"""What was read from a broker's file, and what was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.display import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.row_problems import RowProblem

__all__ = ["ImportReport"]


@dataclass(frozen=True, slots=True)
class ImportReport(Record):
    """What was read from a broker's file; returned by ``TradeTracker.import_csv``.

    Parameters
    ----------
    source : str
        Name of the file, or kind of the object.
    kind : str
        Kind of the file: ``realised``, ``history`` or ``positions``.
    rows : int
        Number of rows on options that were read.
    new : int
        Number of those that were not known before.
    skipped : mapping of str to int
        Number of rows about other things, by reason.
    problems : tuple of RowProblem
        Cells that cannot be read; their rows are left out.
    """

    source: str
    kind: str
    rows: int
    new: int
    skipped: Mapping[str, int]
    problems: tuple[RowProblem, ...]

    @property
    def known(self) -> int:
        """Number of rows that were known before."""
        return self.rows - self.new
