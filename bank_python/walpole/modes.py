"""Modes of jobs, and policies for due times that were missed."""

from __future__ import annotations

from enum import Enum
from typing import Self

__all__ = ["JobMode", "MisfirePolicy"]


class _NamedEnum(Enum):
    """An enum whose members are also found by name, in upper or lower case."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        wanted = value.strip().upper().replace("-", "_")
        return cls.__members__.get(wanted)


class JobMode(_NamedEnum):
    """Kind of schedule of a job.

    Examples
    --------
    >>> JobMode("one-shot") is JobMode.ONE_SHOT
    True
    """

    PERIODIC = "periodic"
    """Runs at the start of the runner, and then every `interval` seconds on a fixed grid."""
    ONE_SHOT = "one_shot"
    """Runs at the start of the runner, until it has succeeded once."""
    SERVICE = "service"
    """Runs as long as the runner does; restarted if it ends by itself."""
    CRON = "cron"
    """Runs at the minutes specified by a cron expression, in UTC."""


class MisfirePolicy(_NamedEnum):
    """Policy for due times that passed while the run could not be started.

    Examples
    --------
    >>> MisfirePolicy("run_all") is MisfirePolicy.RUN_ALL
    True
    """

    SKIP = "skip"
    """Skip due times that are older than the grace time, and continue with the next one."""
    RUN_ONCE = "run_once"
    """Run once for all missed due times together."""
    RUN_ALL = "run_all"
    """Run once for each missed due time, one after the other."""
