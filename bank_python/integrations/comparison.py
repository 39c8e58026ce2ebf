"""One contract priced twice: figure by figure, and how long it took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.mntable import Table

__all__ = ["Comparison", "Figure", "cpu_seconds"]

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, by both.

    Parameters
    ----------
    name : str
        Such as ``"delta"``.
    ours, theirs : float
        In the same unit.
    """

    name: str
    ours: float
    theirs: float

    @property
    def difference(self) -> float:
        """Ours less theirs."""
        return self.ours - self.theirs


@dataclass(frozen=True, slots=True)
class Comparison:
    """A contract, by us and by another library.

    Parameters
    ----------
    contract, library : str
        What was priced, and by whom beside us.
    figures : tuple of Figure
        Value and sensitivities.
    ours_seconds, batch_seconds, theirs_seconds : float
        CPU time of all figures of one contract: by us alone, by us in a batch of a thousand (``None`` where there is no
        batch), and by the library. Medians; for a fair measurement run ``benchmarks/pricing.py``.
    """

    contract: str
    library: str
    figures: tuple[Figure, ...]
    ours_seconds: float
    batch_seconds: float | None
    theirs_seconds: float

    @property
    def largest_difference(self) -> float:
        """The largest difference, relative to the larger of 1 and the figure."""
        return max(abs(figure.difference) / max(abs(figure.theirs), 1.0) for figure in self.figures)

    def to_table(self) -> Table:
        """Return a row for each figure."""
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
