"""Rows that cannot be read: which line, which column, what it holds and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.display import Record
from bank_python.errors import PositionsError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RowProblem", "refuse_all"]

_MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class RowProblem(Record):
    """A row that cannot be read.

    Parameters
    ----------
    line : int
        Line of the file, the header being line 1; of a list or a frame, the number of the row from 1.
    column : str
        Name of the column at fault, as the source spells it; empty if it is the row as a whole.
    value : str
        Text of the cell at fault.
    reason : str
        Explanation and remedy.
    """

    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{where}: {self.value!r} {self.reason}" if self.value or self.column else f"{where}: {self.reason}"


def refuse_all(source: str, problems: Sequence[RowProblem], good: int) -> PositionsError:
    """Return the error that names all rows that cannot be read.

    Parameters
    ----------
    source : str
        Name of the file, or kind of the object.
    problems : sequence of RowProblem
        Rows at fault, at least one.
    good : int
        Number of rows without a fault.
    """
    lines = [f"  {problem}" for problem in problems[:_MOST_SHOWN]]
    if len(problems) > _MOST_SHOWN:
        lines.append(f"  … and {len(problems) - _MOST_SHOWN:,} more")
    rows = len({problem.line for problem in problems})
    heading = f"{source}: {rows:,} of {rows + good:,} rows cannot be read, so nothing was loaded"
    advice = 'Correct them, or pass bad_rows="skip" to load the others.'
    return PositionsError("\n".join([f"{heading}:", *lines, advice]), problems=tuple(problems))
