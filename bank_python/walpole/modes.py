"""When a job runs, and what becomes of a run that should have started and did not."""

from __future__ import annotations

from enum import Enum
from typing import Self

__all__ = ["JobMode", "MisfirePolicy"]


class _NamedEnum(Enum):
    """An enum found by its value or its name, in any case: the strings taken at the public door."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        wanted = value.strip().upper().replace("-", "_")
        return cls.__members__.get(wanted)


class JobMode(_NamedEnum):
    """What makes a job due.

    Examples
    --------
    >>> JobMode("one-shot") is JobMode.ONE_SHOT
    True
    """

    PERIODIC = "periodic"
    """At start, and then every `interval` seconds on a fixed grid."""
    ONE_SHOT = "one_shot"
    """At start, until it has succeeded once."""
    SERVICE = "service"
    """At start, for as long as the runner runs; started again when it ends unasked."""
    CRON = "cron"
    """At the minutes that a cron expression names, UTC."""


class MisfirePolicy(_NamedEnum):
    """What to do with due times that went by while nobody could start the run.

    Examples
    --------
    >>> MisfirePolicy("run_all") is MisfirePolicy.RUN_ALL
    True
    """

    SKIP = "skip"
    """Run only for a due time that is at most the grace time old; go on with the next one."""
    RUN_ONCE = "run_once"
    """One run stands for all that were missed."""
    RUN_ALL = "run_all"
    """One run for each that was missed, one after the other."""
