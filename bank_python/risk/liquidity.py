r"""Liquidity: how many days a position or a book takes to liquidate at a share of the market's volume.

A position of size q in a market with an average daily volume V takes

.. math:: T = \frac{|q|}{p\,V}

days if the seller is a share p of the volume, the *participation*. Holdings of a book are sold side by side, each at
its own constant rate, so that after t days the share

.. math:: L(t) = \frac{\sum_i v_i \min(t / T_i, 1)}{\sum_i v_i}

of its gross value v is liquidated. A holding without volume is never liquidated: its days are infinite.

Examples
--------
>>> days_to_liquidate(2_500_000, 1_000_000, participation=0.2)
12.5
>>> book = liquidation_schedule({"SPY": 6e6, "FUND": 2e6}, {"SPY": 3e7, "FUND": 1e6}, participation=0.2)
>>> book.days.tolist(), book.share(5.0), book.days_for(1.0)
([1.0, 10.0], 0.875, 10.0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.plotting import Plotted, literal, nothing, percent
from bank_python.results import Tabular
from bank_python.risk.named_figures import figures_for, named_figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray, Numbers

__all__ = ["Liquidation", "days_to_liquidate", "liquidation_schedule"]

SHARES = (0.5, 0.9, 0.95, 1.0)
"""Shares of the book for which views say the days."""

_PERCENT = 100.0


@dataclass(frozen=True, eq=False, repr=False)
class Liquidation(Plotted, Tabular):
    """The liquidation of a book; returned by :func:`liquidation_schedule`.

    Parameters
    ----------
    names : tuple of str
        Names of the holdings.
    values : ndarray, shape (n,)
        Gross value of each holding, in one currency.
    days : ndarray, shape (n,)
        Trading days that each holding takes; infinite for one without volume.
    participation : ndarray, shape (n,)
        Share of the market's volume that each sale makes up, in (0, 1].
    """

    names: tuple[str, ...]
    values: FloatArray
    days: FloatArray
    participation: FloatArray

    @property
    def weighted_days(self) -> float:
        """Mean of the days, weighted by value; infinite if a holding is never liquidated."""
        held = self.values > 0.0
        return float(self.values[held] @ self.days[held] / self.values.sum())

    @property
    def never(self) -> tuple[str, ...]:
        """Holdings that have no volume, and are never liquidated."""
        return tuple(name for name, days in zip(self.names, self.days.tolist(), strict=True) if math.isinf(days))

    def share(self, days: ArrayLike) -> Numbers:
        """Return the share of the book's value that is liquidated after some days, in [0, 1].

        Parameters
        ----------
        days : array_like
            Trading days from now, at least 0; infinite for all the time.

        Raises
        ------
        RiskError
            A number of days is negative or NaN.
        """
        return _share(self, days)

    def days_for(self, share: float) -> float:
        """Return the days after which a share of the book's value is liquidated; infinite if that never happens.

        Parameters
        ----------
        share : float
            Share of the book's gross value, in [0, 1].

        Raises
        ------
        RiskError
            The share is not in [0, 1].
        """
        return _days_for(self, share)

    def schedule(self, days: ArrayLike | None = None) -> Table:
        """Return a table with a row for each day: day, liquidated share of the book, value left of each holding.

        Parameters
        ----------
        days : array_like, shape (n_days,), optional
            Days from now; by default each whole day until nothing more is liquidated, at most 1,000 of them.

        Raises
        ------
        RiskError
            A number of days is negative or NaN.
        """
        from bank_python.mntable import Table

        at = _checked_days(self._whole_days() if days is None else days).reshape(-1)
        done = np.asarray(self.share(at))
        left = self.values * (1.0 - _done(self, at))
        columns = [f"left {name}" for name in self.names]
        rows = [
            {"day": day, "share": share, **dict(zip(columns, of, strict=True))}
            for day, share, of in zip(at.tolist(), done.tolist(), left.tolist(), strict=True)
        ]
        return Table.from_rows([(name, float) for name in ("day", "share", *columns)], rows)

    def to_table(self) -> Table:
        """Return a table with a row for each holding: name, value, share of the book, participation, days."""
        from bank_python.mntable import Table

        total = self.values.sum()
        columns = (self.values, self.values / total, self.participation, self.days)
        names = ("value", "share", "participation", "days")
        rows = [
            {"name": name, **dict(zip(names, row, strict=True))}
            for name, *row in zip(self.names, *(column.tolist() for column in columns), strict=True)
        ]
        return Table.from_rows([("name", str), *((name, float) for name in names)], rows)

    def _whole_days(self) -> FloatArray:
        return np.arange(0.0, min(math.ceil(self._last()), _MOST_DAYS) + 1.0)

    def _last(self) -> float:
        return float(self.days[np.isfinite(self.days)].max(initial=0.0))

    def _draw_(self, axes: Axes) -> None:
        """Draw the liquidated share of the book over time, with the days for 50, 90 and all per cent."""
        title = f"Liquidation of {len(self.names)} holdings"
        last = self._last()
        if not last > 0.0:
            nothing(axes, f"nothing can be liquidated: no volume in {', '.join(self.never[:3])}")
            return
        x = np.unique([0.0, *self.days[np.isfinite(self.days)].tolist(), 1.05 * last])
        axes.plot(x, np.asarray(self.share(x)), color="C0")
        for share, marker in zip((0.5, 0.9, 1.0), ("o", "s", "D"), strict=True):
            at = self.days_for(share)
            said = f"{share:.0%}: {at:,.3g} days" if math.isfinite(at) else f"{share:.0%}: never"
            known = ([at], [share]) if math.isfinite(at) else ([], [])
            axes.plot(*known, linestyle="", marker=marker, color="black", label=said)
        for name in self.never[:1]:
            more = f" and {len(self.never) - 1} more" if len(self.never) > 1 else ""
            title += f"; {literal(name)}{more} has no volume"
        axes.set(xlabel="trading days", ylabel="share of the value liquidated", title=title, ylim=(0.0, 1.05))
        percent(axes.yaxis)
        axes.legend(loc="lower right")

    def __rich__(self) -> object:
        from bank_python.render_score import liquidation_view

        return liquidation_view(self)


_MOST_DAYS = 1_000


@admits(RiskError)
def days_to_liquidate(position: ArrayLike, adv: ArrayLike, participation: ArrayLike = 0.2) -> Numbers:
    """Return the trading days that positions take to liquidate at a share of the market's volume.

    Parameters
    ----------
    position : array_like
        Size of each position, in units or in money; the sign does not matter.
    adv : array_like
        Average daily volume of each market in the same unit, at least 0; with 0 the days are infinite.
    participation : array_like, default 0.2
        Share of the volume that the sale makes up, in (0, 1].

    Returns
    -------
    float or ndarray
        Days, in the common shape of the arguments; fractions of a day count. 0 for a position of 0.

    Raises
    ------
    RiskError
        A position is not finite, a volume is negative or NaN, the participation is not in (0, 1], or the shapes differ.
    """
    size, volume, share = (np.asarray(part, dtype=np.float64) for part in (position, adv, participation))
    _require_market(size, volume, share)
    try:
        size, volume, share = np.broadcast_arrays(np.abs(size), volume, share)
    except ValueError as error:
        shapes = size.shape, volume.shape, share.shape
        raise RiskError(f"position, adv and participation of shapes {shapes} do not match", value=shapes) from error
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        days = np.where(size == 0.0, 0.0, size / volume / share)
    return days if days.ndim else float(days)


@admits(RiskError)
def liquidation_schedule(
    positions: Any, adv: Any, *, prices: Any = None, participation: ArrayLike = 0.2
) -> Liquidation:
    """Return how long a book takes to liquidate, all holdings side by side.

    Parameters
    ----------
    positions : mapping of str to float, pandas.Series or array_like
        Size of each holding, in units or in money; the sign does not matter.
    adv : mapping of str to float, pandas.Series or array_like
        Average daily volume of each holding's market in the same unit, at least 0; 0 is said in the result.
    prices : mapping of str to float, pandas.Series or array_like, optional
        Price of one unit of each holding in one currency, above 0; by default positions are in money.
    participation : array_like, default 0.2
        Share of the volume that the sales make up, in (0, 1]: one for all holdings, or one for each.

    Raises
    ------
    RiskError
        A holding has no volume figure, all positions are 0, a figure is out of range, or the lengths do not match.
    """
    names, sizes = named_figures("positions", positions)
    volumes, rates = figures_for("adv", adv, names), figures_for("participation", participation, names)
    values = np.abs(sizes)
    if prices is not None:
        each = figures_for("prices", prices, names)
        if not (each > 0.0).all():
            at = int(np.flatnonzero(~(each > 0.0))[0])
            raise RiskError(f"the price of {names[at]} is {float(each[at])!r}; give prices above 0", name=names[at])
        values = values * each
    if not values.any():
        raise RiskError("all positions are 0; there is nothing to liquidate")
    days = np.asarray(days_to_liquidate(sizes, volumes, rates))
    for array in (values, days, rates):
        array.setflags(write=False)
    return Liquidation(names, values, days, rates)


def _require_market(size: FloatArray, volume: FloatArray, share: FloatArray) -> None:
    if not np.isfinite(size).all():
        raise RiskError("position is not finite; give the size of each position in units or in money")
    bad = volume[~((volume >= 0.0) & np.isfinite(volume))]
    if bad.size:
        raise RiskError(f"adv={float(bad.flat[0])!r} is not a volume; give at least 0 per day", name="adv")
    bad = share[~((share > 0.0) & (share <= 1.0))]
    if bad.size:
        first = float(bad.flat[0])
        hint = f"for {first:g} per cent give {first / _PERCENT:g}" if 1.0 < first <= _PERCENT else "0.2 is usual"
        raise RiskError(f"participation={first!r} is outside (0, 1]; {hint}", name="participation", value=first)


def _done(book: Liquidation, at: FloatArray) -> FloatArray:
    """Return the share of each holding that is liquidated at each time, shape (n_times, n)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = at[:, None] / book.days
    finished = (at[:, None] >= book.days) & np.isfinite(book.days)
    return np.where(finished, 1.0, np.where(np.isfinite(book.days), np.minimum(reached, 1.0), 0.0))


@admits(RiskError)
def _checked_days(days: ArrayLike) -> FloatArray:
    at = np.asarray(days, dtype=np.float64)
    if not (at >= 0.0).all():
        raise RiskError(f"days={days!r:.60} has a negative number or NaN; give days from now", value=days)
    return at


def _share(book: Liquidation, days: ArrayLike) -> Numbers:
    at = _checked_days(days)
    found = _liquidated(book, at.reshape(-1))
    return found.reshape(at.shape) if at.ndim else float(found[0])


def _liquidated(book: Liquidation, at: FloatArray) -> FloatArray:
    """Return the share of the book that is liquidated at each time, shape (n_times,).

    The holdings are sorted by their days, so that those finished at a time come first: no array is n_times by n.
    """
    order = np.argsort(book.days, kind="stable")
    days, weights = book.days[order], book.values[order] / book.values.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        speeds = np.where(days > 0.0, weights / days, 0.0)
    done = np.append(0.0, np.cumsum(weights))
    still = np.append(np.cumsum(speeds[::-1])[::-1], 0.0)
    finished = np.searchsorted(days, at, side="right")
    finished = np.minimum(finished, np.searchsorted(days, math.inf))  # without volume there is no end
    with np.errstate(invalid="ignore"):
        part = np.where(still[finished] > 0.0, at * still[finished], 0.0)
    return np.asarray(np.minimum(done[finished] + part, 1.0))


@admits(RiskError)
def _days_for(book: Liquidation, share: float) -> float:
    if not 0.0 <= share <= 1.0:
        raise RiskError(f"share={share!r} is outside [0, 1]; 0.95 is 95 per cent", value=share)
    if not share:
        return 0.0
    held = book.values > 0.0
    if share == 1.0:
        return float(book.days[held].max())
    # The share is piecewise linear in time, with a corner where a holding is finished.
    corners = np.unique(np.append(0.0, book.days[held & np.isfinite(book.days)]))
    reached = np.asarray(_share(book, corners))
    if reached[-1] < share:
        return math.inf
    at = int(np.searchsorted(reached, share))
    before, after = reached[at - 1], reached[at]
    return float(corners[at - 1] + (share - before) / (after - before) * (corners[at] - corners[at - 1]))
