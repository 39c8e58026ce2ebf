"""How often a series is observed, inferred from the gaps between its dates.

Examples
--------
>>> Frequency.of(np.array(["2026-01-01", "2026-02-01", "2026-03-01"], dtype="datetime64[D]")).value
'monthly'
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Frequency"]

_DAY = np.timedelta64(1, "D")
_FEWEST = 2


class Frequency(Enum):
    """How often a series is observed."""

    INTRADAY = "intraday"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ANNUAL = "annual"
    IRREGULAR = "irregular"

    @classmethod
    def of(cls, dates: NDArray[Any]) -> Frequency:
        """Return the frequency of ascending dates by the median of their gaps; irregular for fewer than two.

        Parameters
        ----------
        dates : ndarray of datetime64, shape (n,)
            Ascending dates.
        """
        if len(dates) < _FEWEST:
            return cls.IRREGULAR
        gap = float(np.median(np.diff(dates) / _DAY))
        return next((frequency for frequency, (low, high) in _GAPS.items() if low <= gap <= high), cls.IRREGULAR)

    @property
    def stale_after(self) -> int | None:
        """Age in days from which a last observation is stale; None if the frequency says nothing about it.

        A month or a quarter is dated by its first day and published up to two months after its end.
        """
        return _STALE_AFTER.get(self)

    @property
    def is_slower_than_weekly(self) -> bool:
        """Whether there are months or more between two observations."""
        return self in {Frequency.MONTHLY, Frequency.QUARTERLY, Frequency.ANNUAL}


_GAPS = {
    Frequency.INTRADAY: (0.0, 0.9),
    Frequency.DAILY: (0.9, 4.0),
    Frequency.WEEKLY: (5.0, 9.0),
    Frequency.MONTHLY: (25.0, 35.0),
    Frequency.QUARTERLY: (80.0, 100.0),
    Frequency.ANNUAL: (350.0, 380.0),
}
_STALE_AFTER = {
    Frequency.INTRADAY: 7,
    Frequency.DAILY: 7,
    Frequency.WEEKLY: 14,
    Frequency.MONTHLY: 95,
    Frequency.QUARTERLY: 215,
    Frequency.ANNUAL: 800,
}
