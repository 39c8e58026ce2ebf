r"""Drawdowns of prices: how far below its highest level a series was, when, and how long.

.. math:: D_t = 1 - \frac{P_t}{\max_{s \le t} P_s}

The *maximum drawdown* is the largest :math:`D_t`, reached at the *trough*; the *peak* is the last time of the highest
level before it, and the *recovery* the first time after it at which that level is reached again.

Examples
--------
>>> fall = drawdown([100.0, 120.0, 90.0, 96.0, 125.0])
>>> fall.maximum, fall.peak, fall.trough, fall.recovery
(0.25, 1, 2, 4)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.market_data.feed import PriceHistory
from bank_python.market_data.picture import draw_prices
from bank_python.numerics import drawdowns
from bank_python.numerics.observation_dates import checked_dates, dates_of
from bank_python.plotting import Plotted, legend_beside, places
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["Drawdown", "drawdown"]

Moment: TypeAlias = date | int
"""A date, or the number of an observation, from 0, where no dates were given."""


@dataclass(frozen=True, eq=False, repr=False)
class Drawdown(Plotted, Tabular):
    """The drawdown of a series of prices; returned by :func:`drawdown`.

    Parameters
    ----------
    levels : ndarray, shape (n,)
        Prices, oldest first; read-only.
    dates : tuple of date or datetime, optional
        A date for each price; None if none were given.
    """

    levels: FloatArray
    dates: tuple[date, ...] | None = None

    @cached_property
    def drawdowns(self) -> FloatArray:
        """Drawdown at each time, a share of the highest price so far, in [0, 1); shape (n,)."""
        return drawdowns(self.levels)

    @property
    def maximum(self) -> float:
        """Maximum drawdown, a share of the price at the peak; 0 if the price never fell."""
        return float(self.drawdowns[self._trough])

    @property
    def peak(self) -> Moment:
        """When the fall to the trough began; the first time if the price never fell."""
        return self._moment(self._peak)

    @property
    def trough(self) -> Moment:
        """When the drawdown was largest."""
        return self._moment(self._trough)

    @property
    def recovery(self) -> Moment | None:
        """When the price of the peak was reached again; None if it was not."""
        found = self._recovery
        return None if found is None else self._moment(found)

    @property
    def current(self) -> float:
        """Drawdown at the last price."""
        return float(self.drawdowns[-1])

    @property
    def _trough(self) -> int:
        return int(self.drawdowns.argmax())

    @property
    def _peak(self) -> int:
        before = self.levels[: self._trough + 1]
        return int(np.flatnonzero(before == before.max())[-1]) if self.drawdowns[self._trough] > 0.0 else 0

    @property
    def _recovery(self) -> int | None:
        back = np.flatnonzero(self.levels[self._trough :] >= self.levels[self._peak])
        return self._trough + int(back[0]) if back.size else None

    def _moment(self, at: int) -> Moment:
        return at if self.dates is None else self.dates[at]

    def to_table(self) -> Table:
        """Return a table with a row for each price: date or number, price, highest price so far, drawdown."""
        from bank_python.mntable import Table

        at, kind = ("observation", int) if self.dates is None else ("date", type(self.dates[0]))
        names = (at, "price", "highest", "drawdown")
        moments = range(len(self.levels)) if self.dates is None else self.dates
        highest = np.maximum.accumulate(self.levels).tolist()
        rows = zip(moments, self.levels.tolist(), highest, self.drawdowns.tolist(), strict=True)
        schema = [(at, kind), *((name, float) for name in names[1:])]
        return Table.from_rows(schema, [dict(zip(names, row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the prices indexed to 100 and the drawdown below, with peak, trough and recovery."""
        at = range(len(self.levels)) if self.dates is None else self.dates
        title = f"Maximum drawdown {self.maximum:.1%}"
        draw_prices(axes, at, self.levels[:, None], ["price"], title)
        x, indexed = places(at), 100.0 * self.levels / self.levels[0]
        marks = {"peak": (self._peak, "^"), "trough": (self._trough, "v"), "recovery": (self._recovery, "D")}
        for name, (i, marker) in marks.items():
            if i is not None and self.maximum > 0.0:
                label = f"{name} {_said(self._moment(i))}"
                axes.plot([x[i]], [indexed[i]], linestyle="", marker=marker, color="black", label=label)
        if self.maximum > 0.0:
            legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_risk import drawdown_view

        return drawdown_view(self)


@admits(RiskError)
def drawdown(prices: ArrayLike | PriceHistory, dates: Iterable[Any] | None = None) -> Drawdown:
    """Return the drawdown of a series of prices.

    Parameters
    ----------
    prices : array_like or PriceHistory, shape (n,)
        Prices or other levels above 0, oldest first; the closes of a history, with its dates.
    dates : iterable of date, datetime, numpy.datetime64 or pandas.Timestamp, length n, optional
        A date for each price, ascending; by default the index of a series, if it holds dates.

    Raises
    ------
    RiskError
        There are no prices, one is not a finite number above 0, or the dates do not match.
    """
    if isinstance(prices, PriceHistory):
        dates = [bar.date for bar in prices.bars] if dates is None else dates
        prices = [bar.close for bar in prices.bars]
    dates = dates_of(prices) if dates is None else dates
    levels = np.array(prices, dtype=np.float64)
    if levels.ndim != 1 or not levels.size:
        raise RiskError(f"prices of shape {levels.shape}; give one series with at least one price", value=levels.shape)
    bad = np.flatnonzero(~(np.isfinite(levels) & (levels > 0.0)))
    if bad.size:
        value = float(levels[bad[0]])
        raise RiskError(
            f"price {value!r} (number {bad[0]}) is not a finite number above 0; correct it or leave it out", value=value
        )
    levels.setflags(write=False)
    return Drawdown(levels, None if dates is None else checked_dates(dates, len(levels)))


def _said(moment: Moment) -> str:
    if isinstance(moment, datetime):
        return moment.date().isoformat()
    return moment.isoformat() if isinstance(moment, date) else str(moment)
