"""Trading hours of the simulated market: 14:30 to 21:00 UTC on weekdays, from a fixed first day on.

Simulated time is independent of the wall clock: it starts at :data:`FIRST_OPEN` and advances by one step per poll,
from the end of a session directly to the next, so a simulation gives the same times whenever it is run. There are no
holidays; a year has 252 sessions for all symbols, coins and currencies included.
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
    """Conversion of a number of steps to a time.

    Parameters
    ----------
    step : timedelta
        Market time per step, positive and at most a session (one step per day).

    Raises
    ------
    FeedConfigError
        `step` is not positive, or longer than a session.

    Examples
    --------
    >>> TradingClock(timedelta(hours=6.5)).time(5).date()  # the fifth session after a Monday is the next Monday
    datetime.date(2026, 1, 12)
    """

    step: timedelta

    def __post_init__(self) -> None:
        if not timedelta(0) < self.step <= SESSION:
            raise FeedConfigError(
                f"step is {self.step}: give a positive timedelta of at most one session, {SESSION}", value=self.step
            )

    @property
    def steps_per_session(self) -> int:
        """Number of whole steps in a session, at least 1."""
        return SESSION // self.step

    @property
    def years_per_step(self) -> float:
        """Length of a step in trading years."""
        return 1.0 / (SESSIONS_PER_YEAR * self.steps_per_session)

    def time(self, steps: int) -> datetime:
        """Return the time (UTC) after `steps` steps."""
        session, step = divmod(steps, self.steps_per_session)
        weeks, weekday = divmod(FIRST_OPEN.weekday() + session, 5)
        return FIRST_OPEN + timedelta(weeks=weeks, days=weekday - FIRST_OPEN.weekday()) + step * self.step


def sessions_before(count: int) -> list[datetime]:
    """Return the dates (midnight UTC) of the last `count` sessions before the first open, oldest first."""
    clock = TradingClock(SESSION)
    return [clock.time(number).replace(hour=0, minute=0) for number in range(-count, 0)]
