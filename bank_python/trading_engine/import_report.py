"""What was read from a broker's file, and what was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.display import Record
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.mntable import Table
    from bank_python.row_problems import RowProblem

__all__ = ["FolderImport", "ImportReport"]


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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FolderImport(Tabular):
    """What was read from the files of a folder; returned by ``TradeTracker.import_folder``.

    Parameters
    ----------
    folder : str
        Path of the folder.
    reports : tuple of ImportReport
        Files that were read, in the order of their names.
    refused : mapping of str to str
        Names of the files that could not be read, with the reason.
    """

    folder: str
    reports: tuple[ImportReport, ...]
    refused: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.reports)

    @property
    def new(self) -> int:
        """Number of rows that were not known before, in all files."""
        return sum(report.new for report in self.reports)

    @property
    def problems(self) -> dict[str, tuple[RowProblem, ...]]:
        """Cells that cannot be read, by file."""
        return {report.source: report.problems for report in self.reports if report.problems}

    def to_table(self) -> Table:
        """Return a table with a row for each file, also for those that were refused."""
        from bank_python.mntable import Table

        schema = [("file", str), ("kind", str | None), ("rows", int), ("new", int), ("known", int)]
        rows: list[dict[str, object]] = [
            {"file": one.source, "kind": one.kind, "rows": one.rows, "new": one.new, "known": one.known}
            | {"skipped": sum(one.skipped.values()), "unreadable": len(one.problems), "refused": None}
            for one in self.reports
        ]
        none = dict.fromkeys(("rows", "new", "known", "skipped", "unreadable"), 0)
        rows += [{"file": name, "kind": None, **none, "refused": why} for name, why in self.refused.items()]
        return Table.from_rows([*schema, ("skipped", int), ("unreadable", int), ("refused", str | None)], rows)

    def __rich__(self) -> object:
        from bank_python.render_tracker import folder_import_view

        return folder_import_view(self)
