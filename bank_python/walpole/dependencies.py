"""Dependencies between jobs.

A scheduled run of a job with ``depends_on`` starts when, for each dependency,

* the latest run that has ended succeeded, and
* a run has succeeded since the last new run of the waiting job started (for its first run: at any time).

If a dependency is never due again (a ONE_SHOT that succeeded, a job that has reached its `max_runs`), its latest run
must have succeeded; a SERVICE must be running. Until then the run is held (:attr:`JobState.HELD`), and due times that
pass in the meantime are merged into it (with RUN_ALL they follow one by one). Retries, `trigger` and `run_once` do not
wait for dependencies.
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

__all__ = ["find_cycle", "refuse_unknown", "unmet_dependencies"]


def find_cycle(entries: Mapping[str, JobEntry], added: JobConfig) -> list[str] | None:
    """Return the path of the cycle that `added` would close, from its name back to it, or ``None``."""
    # Every new cycle contains the new job: search from it, recording the path.
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
    """Raise :class:`JobConfigError` if a job depends on one that the runner does not have."""
    for entry in entries.values():
        for dependency in entry.config.depends_on:
            if dependency not in entries:
                raise JobConfigError(
                    f"job {entry.name!r} depends on {dependency!r} ({entry.name} → {dependency}), "
                    "which the runner does not have; add that job, or remove it from depends_on",
                    name=entry.name,
                    value=dependency,
                    path=[entry.name, dependency],
                )


def unmet_dependencies(entry: JobEntry, entries: Mapping[str, JobEntry]) -> str:
    """Return the unmet dependencies of the job's next scheduled run as text, empty if there are none."""
    reasons = (_unmet(entry, entries.get(name), name) for name in entry.config.depends_on)
    return "; ".join(reason for reason in reasons if reason)


def _unmet(entry: JobEntry, dependency: JobEntry | None, name: str) -> str:
    if dependency is None:
        return f"there is no job {name!r}"
    if dependency.config.mode is JobMode.SERVICE:
        return "" if dependency.active else f"service {name!r} is not running"
    inactive = " and is paused" if dependency.paused else ("" if dependency.config.enabled else " and is not enabled")
    if dependency.last_outcome is None:
        return f"{name!r} has not run yet{inactive}"
    if dependency.last_outcome is not RunOutcome.SUCCEEDED:
        return f"the latest run of {name!r} ended {dependency.last_outcome.name}: {dependency.last_error}"
    if dependency.finished or dependency.success_order > entry.start_order:
        return ""
    return f"{name!r} has not succeeded since this job last started{inactive}"
