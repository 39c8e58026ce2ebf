"""The due times of a job, as a function of time.

A :class:`Timetable` answers one question, the first due time after a moment, so nothing has to be counted
along while the runner is down: after an outage the timetable is asked again. Periodic due times lie on a
grid fixed by the first one (``anchor + k · interval``, computed anew for each k), so they do not drift.

>>> Grid(anchor=0.0, interval=5.0).after(12.0)
15.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from bank_python.walpole.modes import MisfirePolicy

if TYPE_CHECKING:
    from bank_python.walpole.config import JobConfig
    from bank_python.walpole.cron import CronExpression

__all__ = ["CronTimes", "Grid", "Once", "Timetable", "slot_to_run", "timetable_of"]


# A due time exactly as old as the grace time is on time still, however the subtraction rounds: seconds.
_SLACK = 1e-3


class Timetable(Protocol):
    """Due times, in seconds since 1970-01-01 UTC."""

    @property
    def first(self) -> float:
        """The first due time."""
        ...

    def after(self, moment: float) -> float | None:
        """Return the first due time strictly after `moment`, or ``None`` when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Once:
    """A single due time."""

    first: float

    def after(self, moment: float) -> float | None:
        """Return the due time if it is still to come."""
        return self.first if moment < self.first else None


@dataclass(frozen=True, slots=True)
class Grid:
    """``anchor``, ``anchor + interval``, ``anchor + 2 · interval``, … without drift."""

    anchor: float
    interval: float

    @property
    def first(self) -> float:
        """The anchor itself."""
        return self.anchor

    def after(self, moment: float) -> float:
        """Return the first point of the grid strictly after `moment`."""
        steps = max(math.floor((moment - self.anchor) / self.interval), 0)
        # The quotient may be rounded either way: settle on the exact step by comparing.
        while self.anchor + steps * self.interval <= moment:
            steps += 1
        return self.anchor + steps * self.interval


@dataclass(frozen=True, slots=True)
class CronTimes:
    """The minutes of a cron expression from a moment on."""

    expression: CronExpression
    anchor: float

    @property
    def first(self) -> float:
        """The first matching minute after the anchor."""
        return self.after(self.anchor)

    def after(self, moment: float) -> float:
        """Return the first matching minute strictly after `moment`."""
        return self.expression.next_after(datetime.fromtimestamp(moment, UTC)).timestamp()


def timetable_of(config: JobConfig, anchor: float) -> Timetable:
    """Return the due times of a job whose schedule began at `anchor`."""
    if config.interval is not None:
        return Grid(anchor, config.interval)
    if config.expression is not None:
        return CronTimes(config.expression, anchor)
    return Once(anchor)


def slot_to_run(config: JobConfig, timetable: Timetable, due: float, now: float) -> float | None:
    """Apply the misfire policy to a due time that has come.

    Parameters
    ----------
    config : JobConfig
        Its `misfire` and `grace`.
    timetable : Timetable
        The job's due times.
    due : float
        The earliest due time not yet served, ≤ `now`.
    now : float
        The time at which the run could start.

    Returns
    -------
    float or None
        The due time to run for now, or ``None`` if there is none: wait for the next.
    """
    on_time_from = now - config.grace - _SLACK
    if config.misfire is not MisfirePolicy.SKIP or due >= on_time_from:
        return due
    recent = timetable.after(on_time_from)
    return recent if recent is not None and recent <= now else None
