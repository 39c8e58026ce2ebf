"""Drawdowns of a series of levels: how far each level lies below the highest one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["drawdowns"]


def drawdowns(levels: ArrayLike) -> FloatArray:
    """Return the drawdown at each time: the fall from the highest level so far, as a share of that level.

    Parameters
    ----------
    levels : array_like, shape (n,) or (n, m)
        Levels above 0, oldest first, one column for each series; NaN where there is none.

    Returns
    -------
    ndarray
        Shares in [0, 1), of the shape of `levels`; NaN where there is no level.

    Examples
    --------
    >>> drawdowns([100.0, 120.0, 90.0, 130.0]).tolist()
    [0.0, 0.0, 0.25, 0.0]
    """
    given = np.asarray(levels, dtype=np.float64)
    with np.errstate(all="ignore"):
        return np.asarray(1.0 - given / np.fmax.accumulate(given, axis=0))
