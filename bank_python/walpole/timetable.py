"""Due times of a job as a function of time.

A :class:`Timetable` returns the first due time after a given time, so that no state has to be updated while the runner
is down. Periodic due times are on a grid that is fixed by the first one (``anchor + k · interval``, computed anew for
each k), so they do not drift.

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


# Tolerance in seconds, so that a due time exactly as old as the grace time counts as on time in spite of rounding.
_SLACK = 1e-3


class Timetable(Protocol):
    """Due times, in seconds since 1970-01-01 UTC."""

    @property
    def first(self) -> float:
        """First due time."""
        ...

    def after(self, moment: float) -> float | None:
        """Return the first due time strictly after `moment`, or ``None`` when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Once:
    """A single due time."""

    first: float

    def after(self, moment: float) -> float | None:
        """Return the due time if it is after `moment`, else ``None``."""
        return self.first if moment < self.first else None


@dataclass(frozen=True, slots=True)
class Grid:
    """``anchor``, ``anchor + interval``, ``anchor + 2 · interval``, … without drift."""

    anchor: float
    interval: float

    @property
    def first(self) -> float:
        """First due time, the anchor."""
        return self.anchor

    def after(self, moment: float) -> float:
        """Return the first point of the grid strictly after `moment`."""
        steps = max(math.floor((moment - self.anchor) / self.interval), 0)
        # The quotient may be rounded up or down, so the exact step is found by comparison.
        while self.anchor + steps * self.interval <= moment:
            steps += 1
        return self.anchor + steps * self.interval


@dataclass(frozen=True, slots=True)
class CronTimes:
    """Minutes that match a cron expression, after a given time."""

    expression: CronExpression
    anchor: float

    @property
    def first(self) -> float:
        """First matching minute after the anchor."""
        return self.after(self.anchor)

    def after(self, moment: float) -> float:
        """Return the first matching minute strictly after `moment`."""
        return self.expression.next_after(datetime.fromtimestamp(moment, UTC)).timestamp()


def timetable_of(config: JobConfig, anchor: float) -> Timetable:
    """Return the timetable of a job whose schedule began at `anchor`."""
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
        Configuration of the job, with its misfire policy and grace time.
    timetable : Timetable
        Due times of the job.
    due : float
        Earliest due time without a run, ≤ `now`, in seconds since 1970-01-01 UTC.
    now : float
        Current time, in seconds since 1970-01-01 UTC.

    Returns
    -------
    float or None
        Due time for which to run now, or ``None`` to wait for the next one.
    """
    on_time_from = now - config.grace - _SLACK
    if config.misfire is not MisfirePolicy.SKIP or due >= on_time_from:
        return due
    recent = timetable.after(on_time_from)
    return recent if recent is not None and recent <= now else None
