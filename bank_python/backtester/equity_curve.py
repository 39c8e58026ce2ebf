"""An equity curve that grows day by day: each value gets its return, its drawdown and the high before it.

Examples
--------
>>> from bank_python.backtester import make_tearsheet
>>> curve = EquityCurve(1_000.0)
>>> for day, value in (("2026-01-05", 1_100.0), ("2026-01-06", 990.0)):
...     curve.record(day, value)
>>> [(row["date"], round(row["daily_return"], 4), round(row["drawdown"], 4)) for row in curve.table]
[('2026-01-05', 0.1, 0.0), ('2026-01-06', -0.1, -0.1)]
>>> round(make_tearsheet(curve)["total_return"], 4)
-0.01
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.admission import as_numbers
from bank_python.backtester.series_dates import read_dates, times_of
from bank_python.errors import BacktestError
from bank_python.mntable import Table
from bank_python.numerics.ranges import number_in_range
from bank_python.plotting import Plotted, money, nothing
from bank_python.plotting import dates as label_dates
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from matplotlib.axes import Axes

    from bank_python.numerics import FloatArray

__all__ = ["EquityCurve"]

_Date: TypeAlias = dt.date | str


class EquityCurve(Plotted, Tabular):
    """Values of a portfolio by date, oldest first.

    Parameters
    ----------
    initial_capital : float, default 1,000,000
        Money at the start, above 0; the first return and the first high are measured from it.

    Raises
    ------
    BacktestError
        The capital is not a number above 0.
    """

    def __init__(self, initial_capital: float = 1_000_000.0) -> None:
        self.initial_capital = number_in_range("initial_capital", initial_capital, BacktestError, above=0.0)
        self._dates: list[_Date] = []
        self._values: list[float] = []
        self._last: np.datetime64 | None = None

    @classmethod
    def of(cls, dates: Iterable[_Date], values: Iterable[float], initial_capital: float) -> Self:
        """Return the curve of values that are all known.

        Parameters
        ----------
        dates : iterable of date, datetime or ISO 8601 text
            A date for each value, ascending.
        values : iterable of float
            Values of the portfolio, in money.
        initial_capital : float
            Money at the start, above 0.

        Raises
        ------
        BacktestError
            A date or a value is not valid.
        """
        made = cls(initial_capital)
        made._extend(list(dates), values)
        return made

    def record(self, date: _Date, portfolio_value: float) -> None:
        """Add the value of a date.

        Parameters
        ----------
        date : date, datetime or ISO 8601 text
            Date of the value, after the last one; kept as it is given.
        portfolio_value : float
            Value of the portfolio, in money.

        Raises
        ------
        BacktestError
            The date is none or not after the last one, or the value is not a finite number; nothing is added.
        """
        self._extend([date], [portfolio_value])

    def _extend(self, dates: list[_Date], values: Iterable[float]) -> None:
        numbers = as_numbers(values)
        if numbers is None or numbers.shape != (len(dates),) or not np.isfinite(numbers).all():
            wrong = next(iter(values), None) if len(dates) == 1 else "values"
            raise BacktestError(
                f"portfolio_value={wrong!r:.60} is not a finite number for each date; give the value in money",
                name="portfolio_value",
                value=wrong,
            )
        kinds = {_kind_of(date) for date in (*self._dates[:1], *dates)}
        if len(kinds) > 1:
            raise BacktestError("some dates are text and others are not; give all in one form", name="date")
        times = times_of(read_dates(dates))
        if self._last is not None and times.size and not times[0] > self._last:
            raise BacktestError(
                f"the date {dates[0]} is not after the last one, {self._dates[-1]}; record each date once, in order",
                name="date",
                value=dates[0],
            )
        self._dates += dates
        self._values += numbers.tolist()
        self._last = times[-1] if times.size else self._last

    def __len__(self) -> int:
        return len(self._values)

    @property
    def values(self) -> FloatArray:
        """Values of the portfolio, oldest first."""
        return np.array(self._values, dtype=np.float64)

    @property
    def table(self) -> Table:
        """A table with a row for each date, as :meth:`to_table` returns it."""
        return self.to_table()

    def to_arrays(self) -> dict[str, Any]:
        """Return dates as a list, and values, returns, cum_returns and drawdowns as arrays, by these names.

        Returns and drawdowns are shares; the drawdown is that from the highest value so far, the capital included.
        """
        values, capital = self.values, self.initial_capital
        before = np.concatenate([[capital], values[:-1]])[: len(values)]
        with np.errstate(divide="ignore", invalid="ignore"):
            returns = np.where(before > 0.0, values / before - 1.0, math.nan)
        return {
            "dates": list(self._dates),
            "values": values,
            "returns": returns,
            "cum_returns": values / capital - 1.0,
            "drawdowns": values / self._highs() - 1.0,
        }

    def to_table(self) -> Table:
        """Return a table with a row for each date: value, return since the one before and the start, drawdown, high.

        A return is missing where the value before is not above 0.
        """
        arrays = self.to_arrays()
        kind = _kind_of(self._dates[0]) if self._dates else str
        columns = {
            "date": arrays["dates"],
            "portfolio_value": arrays["values"].tolist(),
            "daily_return": [None if math.isnan(each) else each for each in arrays["returns"].tolist()],
            "cumulative_return": arrays["cum_returns"].tolist(),
            "drawdown": arrays["drawdowns"].tolist(),
            "high_water_mark": self._highs().tolist(),
        }
        kinds = {"date": kind, "daily_return": float | None}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return Table.from_rows([(name, kinds.get(name, float)) for name in columns], rows)

    def _highs(self) -> FloatArray:
        return np.asarray(np.maximum.accumulate(np.maximum(self.values, self.initial_capital)))

    def _draw_(self, axes: Axes) -> None:
        if not self._values:
            nothing(axes, "Equity: no values to draw")
            return
        axes.plot(np.array(read_dates(self._dates)), self.values)
        axes.set_title("Equity")
        money(axes.yaxis)
        label_dates(axes.xaxis)

    def __repr__(self) -> str:
        span = f", {self._dates[0]} to {self._dates[-1]}" if self._dates else ""
        return f"<EquityCurve: {len(self):,} values from {self.initial_capital:,.2f}{span}>"

    def __rich__(self) -> object:
        from bank_python.render import table_view

        return table_view(self.to_table(), f"Equity of {len(self):,} dates")


def _kind_of(date: object) -> type:
    """Return the type of a column for dates in such a form."""
    for kind in (str, dt.datetime, dt.date):
        if isinstance(date, kind):
            return kind
    raise BacktestError(f"{date!r:.60} is not a date; give a date, a datetime or ISO 8601 text", name="date")
