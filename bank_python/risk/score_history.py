"""The history of a risk score: each day's score with its components, drawn on the bands of the grades.

Examples
--------
>>> import datetime as dt
>>> from bank_python.risk.risk_score import risk_score
>>> day = risk_score(market_vol=4, credit_risk=6, liquidity=2, concentration=8, macro_regime=5)
>>> history = RiskScoreHistory().append(dt.date(2026, 1, 5), day)
>>> len(history), history.scores.tolist(), history.grades
(1, [4.8], ('BB',))
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.admission import admits, as_numbers
from bank_python.errors import RiskError
from bank_python.numerics.observation_dates import checked_dates, dates_of
from bank_python.plotting import Plotted, nothing, places
from bank_python.plotting import dates as label_dates
from bank_python.results import Tabular
from bank_python.risk.risk_score import RiskScore, draw_grades, risk_score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["RiskScoreHistory"]

Columns: TypeAlias = Any
"""A mapping from components to columns of scores, or a data frame."""


@dataclass(frozen=True, eq=False, repr=False)
class RiskScoreHistory(Plotted, Tabular):
    """Risk scores by date, oldest first; begins empty and grows by :meth:`append`, which returns a new history.

    Parameters
    ----------
    dates : tuple of date or datetime, optional
        Dates of the scores, ascending.
    entries : tuple of RiskScore, optional
        Score of each date.

    Raises
    ------
    RiskError
        The dates do not ascend, their number differs from that of the scores, or one of the entries is no RiskScore.
    """

    dates: tuple[dt.date, ...] = ()
    entries: tuple[RiskScore, ...] = ()

    def __post_init__(self) -> None:
        for entry in self.entries:
            _require_score(entry)
        checked_dates(self.dates, len(self.entries))

    @classmethod
    @admits(RiskError, members=False)
    def from_arrays(
        cls,
        components: Columns,
        dates: Iterable[Any] | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        missing: str = "refuse",
    ) -> RiskScoreHistory:
        """Return the history of components that are given as columns.

        Parameters
        ----------
        components : mapping of str to array_like, or DataFrame
            Scores of each component in [0, 10], oldest first, all of one length; NaN for an unknown one.
        dates : iterable of date, datetime, numpy.datetime64 or pandas.Timestamp, optional
            Date of each row, ascending; by default the index of a frame or series, if it holds dates.
        weights : mapping of str to float, optional
            Weights of the components; see :func:`~bank_python.risk.risk_score`.
        missing : {"refuse", "renormalise"}, default "refuse"
            Treatment of unknown components; see :func:`~bank_python.risk.risk_score`.

        Raises
        ------
        RiskError
            The columns differ in length, there are no dates, or a row has no score.
        """
        columns = _columns(components)
        lengths = {name: column.shape for name, column in columns.items()}
        if not columns or len(set(lengths.values())) != 1 or len(next(iter(lengths.values()))) != 1:
            raise RiskError(f"columns of shapes {lengths}; give one row of numbers of equal length for each component")
        if dates is None:
            indexes = (dates_of(part) for part in (components, *(column for _, column in components.items())))
            dates = next((index for index in indexes if index is not None), None)
        if dates is None:
            raise RiskError("there are no dates; give dates=, one for each row")
        days = checked_dates(dates, next(iter(lengths.values()))[0])
        entries = []
        for i, day in enumerate(days):
            row = {name: None if np.isnan(column[i]) else float(column[i]) for name, column in columns.items()}
            try:
                entries.append(risk_score(row, weights=weights, missing=missing))
            except RiskError as error:
                error.add_note(f"in the row of {day}")
                raise
        return cls(days, tuple(entries))

    @admits(RiskError)
    def append(self, date: Any, score: RiskScore) -> RiskScoreHistory:
        """Return the history with one more score.

        Parameters
        ----------
        date : date, datetime, numpy.datetime64 or pandas.Timestamp
            Date of the score, after the last one.
        score : RiskScore
            Score of that date.

        Raises
        ------
        RiskError
            The date is not after the last one.
        """
        _require_score(score)
        *_, last = checked_dates([*self.dates[-1:], date], len(self.dates[-1:]) + 1)
        return RiskScoreHistory((*self.dates, last), (*self.entries, score))

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def scores(self) -> FloatArray:
        """Score of each date in [0, 10]; shape (n,)."""
        return np.array([entry.value for entry in self.entries])

    @property
    def grades(self) -> tuple[str, ...]:
        """Grade of each date."""
        return tuple(entry.grade for entry in self.entries)

    @property
    def names(self) -> tuple[str, ...]:
        """Components that any of the scores has."""
        return tuple(dict.fromkeys(name for entry in self.entries for name in entry.components))

    @property
    def components(self) -> FloatArray:
        """Scores of the components, in the order of :attr:`names`; NaN where unknown. Shape (n, n_components)."""
        names = self.names
        rows = [[entry.components.get(name, np.nan) for name in names] for entry in self.entries]
        return np.array(rows).reshape(len(self), len(names))

    def changes(self) -> tuple[tuple[dt.date, str, str], ...]:
        """Return the date, the old and the new grade of each change."""
        steps = zip(self.dates[1:], pairwise(self.grades), strict=False)
        return tuple((day, old, new) for day, (old, new) in steps if old != new)

    def to_table(self) -> Table:
        """Return a table with a row for each date: date, score, grade, components (None where unknown)."""
        from bank_python.mntable import Table

        kind, names = type(self.dates[0]) if self.dates else dt.date, self.names
        schema = [("date", kind), ("score", float), ("grade", str), *((name, float | None) for name in names)]
        rows = [
            {
                "date": day,
                "score": entry.value,
                "grade": entry.grade,
                **{name: entry.components.get(name) for name in names},
            }
            for day, entry in zip(self.dates, self.entries, strict=True)
        ]
        return Table.from_rows(schema, rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the score over time on the bands of the grades."""
        if not self.entries:
            nothing(axes, "Risk score: no history")
            return
        draw_grades(axes, along="y")
        axes.plot(places(self.dates), self.scores, color="black", marker="." if len(self) < _FEW else "")
        title = f"Risk score {self.entries[-1].value:.1f}, grade {self.grades[-1]}"
        axes.set(ylabel="risk score, 0 to 10", title=title)
        label_dates(axes.xaxis)

    def __rich__(self) -> object:
        from bank_python.render_score import score_history_view

        return score_history_view(self)


_FEW = 60


def _columns(components: Any) -> dict[str, FloatArray]:
    if not hasattr(components, "items"):
        raise RiskError(f"components={components!r:.60} is not a mapping; give a column by component", value=components)
    found = {}
    for name, column in components.items():
        values = as_numbers(column)
        if values is None or isinstance(column, str):
            raise RiskError(f"{name}={column!r:.60} is not a row of numbers; give scores from 0 to 10", name=str(name))
        found[str(name)] = values
    return found


def _require_score(entry: object) -> None:
    if not isinstance(entry, RiskScore):
        raise RiskError(f"{entry!r:.60} is not a RiskScore; give what risk_score returns", value=entry)
