"""When the simulated market is open: 14:30 to 21:00 UTC on weekdays, from a fixed first day on.

Simulated time is not the wall clock's: it begins at :data:`FIRST_OPEN` and every step moves it on by the same
length, from one session straight into the next, so a run is the same whenever it is made. Holidays and the time
between sessions do not exist; a year is 252 sessions for every symbol, coins and currencies as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bank_python.errors import FeedConfigError

__all__ = ["FIRST_OPEN", "SESSION", "SESSIONS_PER_YEAR", "TradingClock", "sessions_before"]

FIRST_OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
SESSION = timedelta(hours=6.5)
SESSIONS_PER_YEAR = 252


@dataclass(frozen=True, slots=True)
class TradingClock:
    """Turns a count of steps into a time.

    Parameters
    ----------
    step : timedelta
        Market time a step takes: positive, at most a session (which is one step a day).

    Raises
    ------
    FeedConfigError
        `step` is not positive or longer than a session.

    Examples
    --------
    >>> TradingClock(timedelta(hours=6.5)).time(5).date()  # the fifth session after a Monday is the next Monday
    datetime.date(2026, 1, 12)
    """

    step: timedelta

    def __post_init__(self) -> None:
        if not timedelta(0) < self.step <= SESSION:
            raise FeedConfigError(
                f"a step of {self.step} does not fit: give more than 0, at most {SESSION}", value=self.step
            )

    @property
    def steps_per_session(self) -> int:
        """Whole steps in a session, at least 1."""
        return SESSION // self.step

    @property
    def years_per_step(self) -> float:
        """Length of a step in years of trading."""
        return 1.0 / (SESSIONS_PER_YEAR * self.steps_per_session)

    def time(self, steps: int) -> datetime:
        """Return the stamp after `steps` steps."""
        session, step = divmod(steps, self.steps_per_session)
        weeks, weekday = divmod(FIRST_OPEN.weekday() + session, 5)
        return FIRST_OPEN + timedelta(weeks=weeks, days=weekday - FIRST_OPEN.weekday()) + step * self.step


def sessions_before(count: int) -> list[datetime]:
    """Return the midnights (UTC) of the last `count` sessions before the first open, oldest first."""
    clock = TradingClock(SESSION)
    return [clock.time(number).replace(hour=0, minute=0) for number in range(-count, 0)]
