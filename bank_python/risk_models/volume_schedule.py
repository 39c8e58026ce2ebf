r"""Schedules that follow the market's volume: VWAP and participation.

A *VWAP* schedule spreads an order of X shares in proportion to the volume v_j expected in each interval,

.. math:: n_j = X\,\frac{v_j}{\sum_i v_i} ,

so that it pays about the volume-weighted average price. A *POV* schedule (percentage of volume) trades a share p of
the volume of each interval until the order is done,

.. math:: n_j = \min\Big(p\,v_j,\; X - \sum_{i<j} n_i\Big) ,

and leaves the rest, if the volumes given do not suffice. Volumes include the order's own trades.

Examples
--------
>>> vwap_schedule(1_000, [30_000, 10_000, 60_000]).trades.tolist()
[300.0, 100.0, 600.0]
>>> plan = pov_schedule(1_000, [3_000, 1_000, 6_000], participation=0.2)
>>> plan.trades.tolist(), plan.unfilled
([600.0, 200.0, 200.0], 0.0)

References
----------
B. Johnson, *Algorithmic Trading and DMA* (2010), chapter 5: VWAP and percent of volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.observation_dates import checked_dates, dates_of
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.plotting import Plotted, axes_below, money, places
from bank_python.plotting import dates as date_axis
from bank_python.results import Tabular

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

    Dates: TypeAlias = tuple[dt.date, ...] | None

__all__ = ["VolumeSchedule", "pov_schedule", "vwap_schedule"]

_PERCENT = 100.0


@dataclass(frozen=True, eq=False, repr=False)
class VolumeSchedule(Plotted, Tabular):
    """A schedule that follows the market's volume; returned by :func:`vwap_schedule` and :func:`pov_schedule`.

    Parameters
    ----------
    method : str
        Name of the schedule: ``"VWAP"`` or ``"POV"``.
    shares : float
        Size of the order in shares; negative for an order with a negative size.
    volumes : ndarray, shape (n,)
        Volume expected in each interval, in shares.
    trades : ndarray, shape (n,)
        Shares traded in each interval, with the sign of the order.
    dates : tuple of date or datetime, optional
        A date or time for each interval; None if none were given.
    """

    method: str
    shares: float
    volumes: FloatArray
    trades: FloatArray
    dates: tuple[dt.date, ...] | None = None

    @property
    def holdings(self) -> FloatArray:
        """Shares left at the start and after each interval; shape (n + 1,)."""
        left = self.shares - np.concatenate([[0.0], np.cumsum(self.trades)])
        # What is left of a whole order after the last trade is rounding.
        left[np.abs(left) <= LAST_DIGITS * abs(self.shares)] = 0.0
        return left

    @property
    def unfilled(self) -> float:
        """Shares that the volumes do not suffice for, with the sign of the order; 0 for a VWAP schedule."""
        return float(self.holdings[-1])

    @property
    def participation(self) -> float:
        """Shares traded per share of the volume until the last trade; above 1 if the volumes are weights only."""
        last = int(np.flatnonzero(self.trades)[-1]) + 1 if self.trades.any() else len(self.trades)
        return float(np.abs(self.trades[:last]).sum() / self.volumes[:last].sum())

    def to_table(self) -> Table:
        """Return a table with a row for each interval: date or number from 1, volume, shares, shares left."""
        from bank_python.mntable import Table

        at, kind = ("interval", int) if self.dates is None else ("date", type(self.dates[0]))
        names = ("volume", "shares", "left")
        moments: Iterable[Any] = range(1, len(self.trades) + 1) if self.dates is None else self.dates
        rows = zip(moments, self.volumes.tolist(), self.trades.tolist(), self.holdings[1:].tolist(), strict=True)
        schema = [(at, kind), *((name, float) for name in names)]
        return Table.from_rows(schema, [dict(zip((at, *names), row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the shares left after each interval, with the volume of the market below."""
        at = range(1, len(self.trades) + 1) if self.dates is None else self.dates
        x = places(at)
        axes.plot(x, self.holdings[1:], color="C0", marker="o", markersize=3)
        title = f"{self.method} of {self.shares:,.9g} shares"
        title += f" at {self.participation:.1%} of the volume" if self.participation <= 1.0 else ""
        axes.set(ylabel="shares left", title=title)
        money(axes.yaxis)
        below = axes_below(axes)
        below.bar(x, self.volumes, width=0.8 * _step(x), color="C1")
        below.bar(x, np.abs(self.trades), width=0.8 * _step(x), color="C0", hatch="//", edgecolor="white")
        below.set(
            ylabel="volume", xlabel="interval; hatched: this order" if self.dates is None else "hatched: this order"
        )
        if self.dates is not None:
            date_axis(below.xaxis)
        money(below.yaxis)

    def __rich__(self) -> object:
        from bank_python.render_execution import volume_schedule_view

        return volume_schedule_view(self)


@admits(ModelError)
def vwap_schedule(shares: float, volumes: ArrayLike, dates: Iterable[Any] | None = None) -> VolumeSchedule:
    """Return a schedule in proportion to the market's expected volume (VWAP).

    Parameters
    ----------
    shares : float
        Size of the order in shares, not 0; the sign is kept.
    volumes : array_like or pandas.Series, shape (n,)
        Volume expected in each interval, at least 0 and not all 0; shares of a day's volume do as well.
    dates : iterable of date, datetime, numpy.datetime64 or pandas.Timestamp, length n, optional
        A date or time for each interval, ascending; by default the index of a series, if it holds dates.

    Raises
    ------
    ModelError
        The order is 0, or a volume is negative or not finite, or all are 0.
    RiskError
        The dates do not match.
    """
    size, known, at = _checked(shares, volumes, dates)
    return _frozen("VWAP", size, known, size * (known / known.sum()), at)


@admits(ModelError)
def pov_schedule(
    shares: float, volumes: ArrayLike, participation: float, dates: Iterable[Any] | None = None
) -> VolumeSchedule:
    """Return a schedule that is a constant share of the market's volume until the order is done (POV).

    Parameters
    ----------
    shares : float
        Size of the order in shares, not 0; the sign is kept.
    volumes : array_like or pandas.Series, shape (n,)
        Volume expected in each interval in shares, the order's own trades included; at least 0 and not all 0.
    participation : float
        Share of the volume that the order makes up, in (0, 1].
    dates : iterable of date, datetime, numpy.datetime64 or pandas.Timestamp, length n, optional
        A date or time for each interval, ascending; by default the index of a series, if it holds dates.

    Raises
    ------
    ModelError
        The order is 0, a volume is negative or not finite, all are 0, or the participation is not in (0, 1].
    RiskError
        The dates do not match.
    """
    size, known, at = _checked(shares, volumes, dates)
    usual = f"for {participation:g} per cent give {participation / _PERCENT:g}" if participation > 1.0 else ""
    rate = number_in_range("participation", participation, ModelError, above=0.0, most=1.0, hint=usual)
    done = np.minimum(rate * np.cumsum(known), abs(size))
    return _frozen("POV", size, known, np.sign(size) * np.diff(done, prepend=0.0), at)


def _checked(shares: float, volumes: ArrayLike, dates: Iterable[Any] | None) -> tuple[float, FloatArray, Dates]:
    size = number_in_range("shares", shares, ModelError)
    if size == 0.0:
        raise ModelError("shares=0 is no order; give the number of shares to trade", name="shares", value=shares)
    dates = dates_of(volumes) if dates is None else dates
    known = figures_in_range("volumes", volumes, ModelError, least=0.0).copy()
    if known.ndim != 1 or not known.any() or not np.isfinite(known.sum()):
        raise ModelError(
            f"volumes of shape {known.shape} with the sum {float(known.sum()):g}; give one volume for each interval, "
            "not all 0",
            name="volumes",
            value=known.shape,
        )
    return size, known, None if dates is None else checked_dates(dates, len(known))


def _frozen(method: str, size: float, volumes: FloatArray, trades: FloatArray, at: Dates) -> VolumeSchedule:
    trades = trades + 0.0  # no negative zeros
    for array in (volumes, trades):
        array.setflags(write=False)
    return VolumeSchedule(method, size, volumes, trades, at)


def _step(x: Any) -> float:
    """Return the smallest distance between two places on an axis; 1 for a single one."""
    return float(np.diff(np.asarray(x, dtype=np.float64)).min()) if len(x) > 1 else 1.0
