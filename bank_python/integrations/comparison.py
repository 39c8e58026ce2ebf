"""Comparison of one contract's figures by two libraries, with the CPU time of each."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bank_python.display import Record
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.mntable import Table

__all__ = ["Comparison", "Figure", "cpu_seconds"]

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure(Record):
    """One figure of a contract, computed by both libraries.

    Parameters
    ----------
    name : str
        Name of the figure, such as ``"delta"``.
    ours, theirs : float
        Value of the figure by bank_python and by the other library, in the same unit.
    """

    name: str
    ours: float
    theirs: float

    @property
    def difference(self) -> float:
        """Our value less theirs."""
        return self.ours - self.theirs


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Tabular):
    """Figures of a contract by bank_python and by another library.

    Parameters
    ----------
    contract, library : str
        Description of the contract, and name and version of the other library.
    figures : tuple of Figure
        Values and sensitivities, by both libraries.
    ours_seconds, batch_seconds, theirs_seconds : float
        Median CPU time in seconds to compute all figures of one contract: by us for a single contract, by us in a batch
        of a thousand (``None`` where there is no batch), and by the library. For a fair measurement run
        ``benchmarks/pricing.py``.
    """

    contract: str
    library: str
    figures: tuple[Figure, ...]
    ours_seconds: float
    batch_seconds: float | None
    theirs_seconds: float

    @property
    def largest_difference(self) -> float:
        """The largest absolute difference, relative to the library's figure or to 1, whichever is larger."""
        return max(abs(figure.difference) / max(abs(figure.theirs), 1.0) for figure in self.figures)

    def to_table(self) -> Table:
        """Return a table with a row for each figure."""
        from bank_python.mntable import Table

        rows = [
            {
                "contract": self.contract,
                "figure": figure.name,
                "ours": figure.ours,
                "theirs": figure.theirs,
                "difference": figure.difference,
            }
            for figure in self.figures
        ]
        words = [("contract", str), ("figure", str)]
        return Table.from_rows([*words, *((key, float) for key in ("ours", "theirs", "difference"))], rows)

    def __rich__(self) -> object:
        from bank_python.render import comparison_view

        return comparison_view(self)


def cpu_seconds(call: Callable[[], object], times: int = 20) -> float:
    """Return the CPU time of one call: the median of five rounds."""
    rounds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        for _ in range(times):
            call()
        rounds.append((time.process_time() - start) / times)
    return median(rounds)
