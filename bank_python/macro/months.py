"""Dates some months earlier, and figures as they were then.

Examples
--------
>>> months_before(np.array(["2026-03-31"], dtype="datetime64[D]"), 1).astype(str).tolist()
['2026-02-28']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["change_over_months", "months_before"]

_TOLERANCE = np.timedelta64(10, "D")


def months_before(dates: NDArray[Any], months: int) -> NDArray[Any]:
    """Return dates some months earlier, the last day of that month where it is shorter.

    Parameters
    ----------
    dates : ndarray of datetime64[D], shape (n,)
        Dates to go back from.
    months : int
        Number of months.
    """
    month = dates.astype("datetime64[M]")
    day = dates - month.astype("datetime64[D]")
    earlier = month - np.timedelta64(months, "M")
    last = (earlier + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.asarray(np.minimum(earlier.astype("datetime64[D]") + day, last))


def change_over_months(
    dates: NDArray[Any], values: FloatArray, months: int, *, relative: bool
) -> tuple[NDArray[Any], FloatArray]:
    """Return the change of a series over some months, at each date that has a figure so much earlier.

    The earlier figure is the last one up to the date so many months before. If that is more than ten days older, there
    is no change.

    Parameters
    ----------
    dates : ndarray of datetime64[D], shape (n,)
        Ascending dates.
    values : ndarray, shape (n,)
        Figures of these dates.
    months : int
        Number of months.
    relative : bool
        Whether the change is in per cent of the earlier figure; otherwise it is a difference.
    """
    wanted = months_before(dates, months)
    at = np.searchsorted(dates, wanted, side="right") - 1
    known = (at >= 0) & (wanted - dates[at] <= _TOLERANCE)
    before, now = values[at[known]], values[known]
    change = 100.0 * (now / before - 1.0) if relative else now - before
    return dates[known], change
