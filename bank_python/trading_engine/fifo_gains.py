r"""Realised P&L of many fills of one instrument at once, first in, first out.

The k-th unit bought is closed by the k-th unit sold, or the other way round where the account was short: of each pair
of units the later one closes the earlier one. So the two running sums of units bought and sold, laid over each other,
cut all closings, and nothing has to be walked through fill by fill.

:class:`~bank_python.trading_engine.Lots` does the same for one trade after the other, in decimals rounded to the cent,
by other methods as well, and with the lots that are left. Here prices and amounts are floats; units are counted exactly
where they have at most eight digits after the point.

Examples
--------
>>> found = fifo_gains([100, 100, -150], [10.0, 12.0, 15.0])
>>> found.gains.tolist(), found.realised, found.quantity, found.cost
([0.0, 0.0, 650.0], 650.0, 50.0, 600.0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.results import Tabular

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["FifoGains", "fifo_gains"]

_MOST = 1e15
_MOST_DIGITS = 8
_LARGEST = 2.0**53  # up to which floats are whole numbers exactly


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FifoGains(Tabular):
    """Realised P&L of fills, first in, first out; returned by :func:`fifo_gains`.

    Parameters
    ----------
    gains : ndarray, shape (n,)
        Realised P&L of each fill in money, before fees; 0 for one that only opens.
    closed : ndarray, shape (n,)
        Units that each fill closes, at least 0.
    quantity : float
        Units held after all fills, negative if short.
    cost : float
        Amount paid for what is held, in money; negative if it was received.
    """

    gains: FloatArray
    closed: FloatArray
    quantity: float
    cost: float

    def __len__(self) -> int:
        return len(self.gains)

    @property
    def realised(self) -> float:
        """Realised P&L of all fills, in money, before fees."""
        return math.fsum(self.gains.tolist())

    def to_table(self) -> Table:
        """Return a table with a row for each fill: its number, the units that it closes, its gain."""
        from bank_python.mntable import Table

        columns = zip(self.closed.tolist(), self.gains.tolist(), strict=True)
        rows = [{"fill": i, "closed": closed, "gain": gain} for i, (closed, gain) in enumerate(columns, 1)]
        return Table.from_rows([("fill", int), ("closed", float), ("gain", float)], rows)

    def __rich__(self) -> object:
        from bank_python.render_ledger import fifo_gains_view

        return fifo_gains_view(self)


@admits(TradingError)
def fifo_gains(quantities: ArrayLike, prices: ArrayLike, *, multiplier: float = 1.0) -> FifoGains:
    """Return the realised P&L of fills of one instrument, first in, first out.

    Parameters
    ----------
    quantities : array_like, shape (n,)
        Units bought by each fill, negative for a sale; not 0, up to 1e15. The oldest fill first.
    prices : array_like, shape (n,)
        Price of each fill, up to 1e15.
    multiplier : float, default 1.0
        Amount of money per unit and per point of the price, above 0.

    Raises
    ------
    TradingError
        A figure is out of range, or there are not as many prices as quantities.
    """
    units = np.atleast_1d(figures_in_range("quantities", quantities, TradingError, least=-_MOST, most=_MOST))
    paid = np.atleast_1d(figures_in_range("prices", prices, TradingError, least=-_MOST, most=_MOST))
    scale = number_in_range("multiplier", multiplier, TradingError, above=0.0)
    if units.ndim != 1 or units.shape != paid.shape:
        said = f"quantities have shape {units.shape}, prices {paid.shape}; give one price for each fill, in one row"
        raise TradingError(said, name="prices", value=paid.shape)
    empty = np.flatnonzero(units == 0.0)
    if empty.size:
        raise TradingError(f"quantities[{empty[0]}] is 0; leave the fill out", name="quantities", value=0.0)
    whole, step = _whole(units)
    opening, closing, matched = _matched(whole)
    sides = np.sign(whole[opening])
    gains = matched * step * sides * (paid[closing] - paid[opening]) * scale
    count = len(units)
    used = np.bincount(opening, matched, count) + np.bincount(closing, matched, count)
    left = np.sign(whole) * (np.abs(whole) - used) * step
    return FifoGains(
        gains=np.asarray(np.bincount(closing, gains, count), dtype=np.float64),
        closed=np.asarray(np.bincount(closing, matched, count) * step, dtype=np.float64),
        quantity=float(whole.sum() * step),
        cost=math.fsum((left * paid).tolist()) * scale,
    )


def _whole(units: FloatArray) -> tuple[FloatArray, float]:
    """Return units as whole numbers of steps, and the step; of one unit, or of a power of a tenth of it.

    Sums of whole numbers have no rounding, without which a holding that is closed would leave a rest.
    """
    for digits in range(_MOST_DIGITS + 1):
        scaled = units * 10.0**digits
        whole = np.rint(scaled)
        if np.abs(whole).sum() >= _LARGEST:
            break
        if (np.abs(scaled - whole) <= 4.0 * np.finfo(float).eps * np.abs(scaled)).all():
            return whole, 10.0**-digits
    return units, 1.0


def _matched(units: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    """Return the fills that were opened and closed, and by how many units: the running sums cut each other."""
    bought, sold = np.flatnonzero(units > 0.0), np.flatnonzero(units < 0.0)
    if not bought.size or not sold.size:
        none = np.empty(0, dtype=np.intp)
        return none, none, np.empty(0)
    purchases, sales = np.cumsum(units[bought]), np.cumsum(-units[sold])
    ends = np.concatenate((purchases, sales))
    ends.sort(kind="stable")  # two ascending runs, which are merged
    ends = ends[ends <= min(purchases[-1], sales[-1])]
    sizes = np.diff(ends, prepend=0.0)
    ends, sizes = ends[sizes > 0.0], sizes[sizes > 0.0]
    pairs = bought[np.searchsorted(purchases, ends)], sold[np.searchsorted(sales, ends)]
    return np.minimum(*pairs), np.maximum(*pairs), sizes
