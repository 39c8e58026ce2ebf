"""Macroeconomic series: figures that carry their unit, name, frequency, dates and source with them.

Examples
--------
>>> import datetime as dt
>>> series = MacroSeries.of("DGS10", ["2026-01-05", "2026-01-06"], [4.2, 4.25])
>>> history = MacroHistory((series,), as_of=dt.date(2026, 1, 7))
>>> history["DGS10"].last, history["DGS10"].last_date.isoformat(), history["DGS10"].unit.value
(4.25, '2026-01-06', '%')
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import MacroError
from bank_python.macro.catalogue import series_info
from bank_python.macro.frequency import Frequency
from bank_python.numerics.dates import as_date
from bank_python.plotting import Plotted, legend_beside, line_styles, literal, nothing, places
from bank_python.plotting import dates as label_dates
from bank_python.results import Tabular
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.macro.catalogue import SeriesUnit
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["DataProblem", "MacroHistory", "MacroSeries"]

_MOST_DRAWN = 6


@dataclass(frozen=True, slots=True)
class DataProblem(Record):
    """A cell, a row or a column that was left out, and why.

    Parameters
    ----------
    source : str
        Name of the file.
    line : int
        Line of the file, the first being 1.
    column : str
        Name of the column at fault; empty for the row as a whole.
    value : str
        Text of the cell at fault.
    reason : str
        Explanation and remedy.
    """

    source: str
    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"{self.source}, line {self.line}{column}: {self.value!r} {self.reason}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MacroSeries(Plotted, Tabular):
    """A series with its unit and frequency; made by :meth:`of`.

    Parameters
    ----------
    name : str
        Identifier of the series, such as ``"DGS10"``.
    title : str
        Plain name of the series.
    unit : SeriesUnit
        Unit of the figures.
    frequency : Frequency
        Frequency of the observations.
    dates : ndarray of datetime64[D], shape (n,)
        Dates, ascending; a month or a quarter is dated by its first day.
    values : ndarray, shape (n,)
        Figures of these dates, finite; at least one.
    source : str, default ""
        File or program that the figures come from.
    is_simulated : bool, default False
        Whether the figures are simulated, not observed.

    Raises
    ------
    MacroError
        There is no observation, lengths differ, a figure is not finite or the dates do not ascend.
    """

    name: str
    title: str
    unit: SeriesUnit
    frequency: Frequency
    dates: NDArray[np.datetime64]
    values: FloatArray
    source: str = ""
    is_simulated: bool = False

    def __post_init__(self) -> None:
        days, values = self.dates, self.values
        if not (_is_array(days, "datetime64[D]") and _is_array(values, "float64")):
            raise MacroError(f"{self.name}: dates and figures are no arrays of days and numbers; use MacroSeries.of")
        if values.ndim != 1 or values.shape != days.shape or not len(values):
            raise MacroError(
                f"{self.name}: {days.shape} dates and {values.shape} figures; give one for each date, at least one",
                name=self.name,
            )
        if not np.isfinite(values).all() or np.isnat(days).any():
            raise MacroError(
                f"{self.name} has a date or a figure that is missing; leave those rows out", name=self.name
            )
        late = np.flatnonzero(np.diff(days) <= np.timedelta64(0, "D"))
        if late.size:
            raise MacroError(
                f"{self.name}: the date {days[late[0] + 1]} follows {days[late[0]]}; give ascending dates, none twice",
                name=self.name,
            )

    @classmethod
    @admits(MacroError)
    def of(cls, name: str, dates: Any, values: Any, *, source: str = "", is_simulated: bool = False) -> MacroSeries:
        """Return a series; its title and unit are those of a known name.

        Its frequency is that of its dates, or of a known name if they do not tell.

        Parameters
        ----------
        name : str
            Identifier of the series, such as ``"DGS10"``.
        dates : sequence of datetime.date or str, or array of datetime64, length n
            Ascending dates; text is an ISO date.
        values : array_like, shape (n,)
            Figures of these dates, finite; at least one.
        source : str, default ""
            File or program that the figures come from.
        is_simulated : bool, default False
            Whether the figures are simulated, not observed.

        Raises
        ------
        MacroError
            A date is none, or as in the constructor.
        """
        try:
            days = np.array(dates, dtype="datetime64[D]")
            figures = np.array(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise MacroError(
                f"{name}: dates or figures of another type ({error}); give dates and numbers", name=name
            ) from error
        for array in (days, figures):
            array.setflags(write=False)
        info = series_info(name)
        found = Frequency.of(days)
        frequency = info.frequency if found is Frequency.IRREGULAR else found
        return cls(name, info.title, info.unit, frequency, days, figures, source, is_simulated)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def last(self) -> float:
        """The last figure, in :attr:`unit`."""
        return float(self.values[-1])

    @property
    def first_date(self) -> dt.date:
        """Date of the first figure."""
        return _as_day(self.dates[0])

    @property
    def last_date(self) -> dt.date:
        """Date of the last figure."""
        return _as_day(self.dates[-1])

    def until(self, day: dt.date | str) -> MacroSeries | None:
        """Return the series up to a day; None if it begins later.

        Parameters
        ----------
        day : datetime.date or str
            Last day that counts; text is an ISO date.
        """
        count = int(np.searchsorted(self.dates, np.datetime64(as_date(day, MacroError, "day")), side="right"))
        return replace(self, dates=self.dates[:count], values=self.values[:count]) if count else None

    def to_table(self) -> Table:
        """Return a table with a row for each observation: date, value."""
        from bank_python.mntable import Table

        rows = zip(self.dates.tolist(), self.values.tolist(), strict=True)
        return Table.from_rows([("date", dt.date), ("value", float)], [{"date": d, "value": v} for d, v in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the figures by date."""
        axes.plot(places(self.dates.tolist()), self.values)
        label_dates(axes.xaxis)
        simulated = ", simulated" if self.is_simulated else ""
        axes.set(title=literal(f"{self.title} ({self.name}{simulated})"), ylabel=self.unit.value)

    def __rich__(self) -> object:
        from bank_python.render_macro import series_view

        return series_view(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MacroHistory(Plotted, Tabular):
    """Macroeconomic series by name.

    Parameters
    ----------
    series : tuple of MacroSeries
        Series with distinct names.
    as_of : datetime.date
        Date at which the series were read, from which ages are counted.
    problems : tuple of DataProblem, default ()
        Cells, rows and columns that were left out.
    remarks : tuple of str, default ()
        Remarks on how the data were read.

    Raises
    ------
    MacroError
        Two series have one name.
    """

    series: tuple[MacroSeries, ...]
    as_of: dt.date
    problems: tuple[DataProblem, ...] = ()
    remarks: tuple[str, ...] = ()
    by_name: dict[str, MacroSeries] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.series:
            if one.name in self.by_name:
                raise MacroError(f"two series are called {one.name}; rename or join them", name=one.name)
            self.by_name[one.name] = one

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the series."""
        return tuple(self.by_name)

    @property
    def is_simulated(self) -> bool:
        """Whether any of the series is simulated."""
        return any(one.is_simulated for one in self.series)

    def __len__(self) -> int:
        return len(self.series)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def __getitem__(self, name: str) -> MacroSeries:
        try:
            return self.by_name[name]
        except (KeyError, TypeError):
            otherwise = f"it has {', '.join(self.names) or 'none'}"
            hint = did_you_mean(name, self.names, otherwise)
            raise MacroError(f"the history has no series {name!r}; {hint}", name=name) from None

    def until(self, day: dt.date | str) -> MacroHistory:
        """Return the history as it stood on a day: no later observation, ages counted from that day.

        Parameters
        ----------
        day : datetime.date or str
            Day to go back to; text is an ISO date. Figures are cut by their date: that a month's figure is published
            weeks after it, and revised later, is not undone.
        """
        at = as_date(day, MacroError, "day")
        kept = tuple(cut for one in self.series if (cut := one.until(at)) is not None)
        return replace(self, series=kept, as_of=at)

    def to_table(self) -> Table:
        """Return a table with a row for each observation: series, title, date, value, unit, frequency."""
        from bank_python.mntable import Table

        names = ("series", "title", "date", "value", "unit", "frequency")
        rows: list[dict[str, Any]] = []
        for one in self.series:
            for day, value in zip(one.dates.tolist(), one.values.tolist(), strict=True):
                cells = (one.name, one.title, day, value, one.unit.value, one.frequency.value)
                rows.append(dict(zip(names, cells, strict=True)))
        kinds = (str, str, dt.date, float, str, str)
        return Table.from_rows(list(zip(names, kinds, strict=True)), rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the first series as standard scores, so that they share an axis."""
        shown = self.series[:_MOST_DRAWN]
        if not shown:
            nothing(axes, "no series")
            return
        for one, style in zip(shown, line_styles(len(shown)), strict=True):
            spread = float(one.values.std())
            scores = (one.values - one.values.mean()) / spread if spread > 0.0 else np.zeros(len(one))
            axes.plot(places(one.dates.tolist()), scores, label=literal(one.title), **style)
        label_dates(axes.xaxis)
        more = f" of {len(self)}" if len(self) > len(shown) else ""
        simulated = ", simulated" if self.is_simulated else ""
        axes.set(title=f"{len(shown)}{more} series{simulated}", ylabel="standard score")
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_macro import history_view

        return history_view(self)


def _is_array(value: object, kind: str) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.dtype(kind)


def _as_day(day: Any) -> dt.date:
    known: dt.date = day.item()
    return known
