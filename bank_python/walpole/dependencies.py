"""What a job waits for.

A scheduled run of a job with ``depends_on`` starts once, for each dependency,

* the latest run that ended succeeded, and
* a run has succeeded since the last fresh start of the waiting job itself (the first time: ever).

A dependency that is never due again (a ONE_SHOT that succeeded, a job whose `max_runs` are used up) need
only have succeeded last; a SERVICE need only be running. Until then the run is held; due times that pass
meanwhile merge into it (with RUN_ALL they follow one by one). Retries, `trigger` and `run_once` do not wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.errors import JobConfigError
from bank_python.walpole.modes import JobMode
from bank_python.walpole.records import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.walpole.config import JobConfig
    from bank_python.walpole.entry import JobEntry

__all__ = ["find_cycle", "held_because", "refuse_unknown"]


def find_cycle(entries: Mapping[str, JobEntry], added: JobConfig) -> list[str] | None:
    """Return the path of the cycle that `added` would close, from its name back to it, or ``None``."""
    # Every new cycle goes through the new job: walk down from it, remembering the way.
    came_from: dict[str, str] = {}
    stack = [(name, added.name) for name in added.depends_on]
    while stack:
        name, parent = stack.pop()
        if name in came_from:
            continue
        came_from[name] = parent
        if name == added.name:
            return _walk_back(came_from, name)
        if name in entries:
            stack.extend((below, name) for below in entries[name].config.depends_on)
    return None


def _walk_back(came_from: Mapping[str, str], name: str) -> list[str]:
    path = [name, came_from[name]]
    while path[-1] != name:
        path.append(came_from[path[-1]])
    return path[::-1]


def refuse_unknown(entries: Mapping[str, JobEntry]) -> None:
    """Raise :class:`JobConfigError` if a job depends on one that is not there."""
    for entry in entries.values():
        for dependency in entry.config.depends_on:
            if dependency not in entries:
                raise JobConfigError(
                    f"job {entry.name!r} depends on {dependency!r} ({entry.name} → {dependency}), "
                    "which the runner does not have; add that job, or take it out of depends_on",
                    name=entry.name,
                    value=dependency,
                    path=[entry.name, dependency],
                )


def held_because(entry: JobEntry, entries: Mapping[str, JobEntry]) -> str:
    """Return why the job's next scheduled run may not start yet, or an empty string."""
    reasons = (_unmet(entry, entries.get(name), name) for name in entry.config.depends_on)
    return "; ".join(reason for reason in reasons if reason)


def _unmet(entry: JobEntry, dependency: JobEntry | None, name: str) -> str:
    if dependency is None:
        return f"there is no job {name!r}"
    if dependency.config.mode is JobMode.SERVICE:
        return "" if dependency.active else f"service {name!r} is not running"
    asleep = " and is paused" if dependency.paused else ("" if dependency.config.enabled else " and is not enabled")
    if dependency.last_outcome is None:
        return f"{name!r} has not run yet{asleep}"
    if dependency.last_outcome is not RunOutcome.SUCCEEDED:
        return f"the latest run of {name!r} ended {dependency.last_outcome.name}: {dependency.last_error}"
    if dependency.finished or dependency.success_order > entry.start_order:
        return ""
    return f"{name!r} has not succeeded since this job last started{asleep}"
