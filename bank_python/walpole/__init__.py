"""Walpole, the job runner: periodic, cron and one-shot jobs and services, in the background.

A :class:`JobConfig` states what to run and when; a :class:`JobRunner` runs it, with dependencies, retries,
timeouts and a history that survives the process if it has a Barbara store. The runner is the public interface: it finds
jobs by name and checks arguments. Its internal scheduler decides when, and on which thread, a job runs.
"""

from __future__ import annotations

from bank_python.completion import public_names
from bank_python.walpole.backoff import Backoff
from bank_python.walpole.clock import Clock, ManualClock, SystemClock
from bank_python.walpole.config import JobConfig
from bank_python.walpole.context import JobContext
from bank_python.walpole.cron import CronExpression
from bank_python.walpole.ledger import JobStore
from bank_python.walpole.modes import JobMode, MisfirePolicy
from bank_python.walpole.records import JobRun, JobState, JobStatus, RunOutcome
from bank_python.walpole.runner import JobRunner

__all__ = [
    "Backoff",
    "Clock",
    "CronExpression",
    "JobConfig",
    "JobContext",
    "JobMode",
    "JobRun",
    "JobRunner",
    "JobState",
    "JobStatus",
    "JobStore",
    "ManualClock",
    "MisfirePolicy",
    "RunOutcome",
    "SystemClock",
]

__dir__ = public_names(__name__)
