"""How much of a day's volume has been traded, for the participation cap.

Examples
--------
>>> import datetime as dt
>>> use = VolumeUse()
>>> use.add("AAPL", 300.0, dt.date(2026, 1, 5))
>>> use.taken("AAPL", dt.date(2026, 1, 5)), use.taken("AAPL", dt.date(2026, 1, 6))
(300.0, 0.0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["VolumeUse"]


class VolumeUse:
    """Units filled by instrument on the present day."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[dt.date, float]] = {}

    def taken(self, instrument: str, today: dt.date) -> float:
        """Return the units filled on a day, 0 if it is not the last one with a fill.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        today : date
            Day of the question.
        """
        day, units = self._taken.get(instrument, (today, 0.0))
        return units if day == today else 0.0

    def add(self, instrument: str, units: float, today: dt.date) -> None:
        """Count the units of a fill.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        units : float
            Units filled, above 0.
        today : date
            Day of the fill.
        """
        self._taken[instrument] = today, self.taken(instrument, today) + units
