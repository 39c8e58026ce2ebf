"""Job configurations: the function to run, its schedule, and the handling of failures.

A :class:`JobConfig` is validated by its constructor and immutable, so a runner receives valid configurations only.

>>> JobConfig(name="fetch", callable=print, interval=5.0)
JobConfig('fetch', PERIODIC every 5s)
>>> JobConfig(name="eod", callable=print, cron="0 18 * * MON-FRI")
JobConfig('eod', CRON 0 18 * * MON-FRI)
>>> JobConfig(name="load", callable=print)
JobConfig('load', ONE_SHOT)
"""

from __future__ import annotations

import datetime as dt
import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from bank_python.display import Record
from bank_python.errors import JobConfigError
from bank_python.guessing import guessable
from bank_python.walpole.backoff import LONGEST_WAIT, Backoff
from bank_python.walpole.cron import CronExpression
from bank_python.walpole.modes import JobMode, MisfirePolicy

__all__ = ["JobConfig"]


_Choice = TypeVar("_Choice", JobMode, MisfirePolicy)


@dataclass(frozen=True, kw_only=True, repr=False)
class _Settings:
    """The fields of a configuration, after validation."""

    name: str
    callable: Callable[..., Any] | None
    mode: JobMode
    interval: float | None
    cron: str | None
    depends_on: Sequence[str]
    retries: int
    backoff: Backoff
    jitter: float
    timeout: float | None
    misfire: MisfirePolicy
    grace: float
    max_runs: int | None
    allow_overlap: bool
    args: Sequence[Any]
    kwargs: Mapping[str, Any] = field(hash=False)
    enabled: bool


@guessable
class JobConfig(_Settings, Record):
    """Configuration of one job.

    Parameters
    ----------
    name : str
        Name of the job, unique in its runner; part of its key in a store, so it must not contain ``/``.
    callable : callable
        Function to run. If it has a parameter named ``context``, a :class:`~bank_python.walpole.JobContext` is passed
        to it.
    mode : JobMode or str, optional
        Kind of schedule, a member or its name. By default PERIODIC if an `interval` is given, CRON if `cron` is given,
        else ONE_SHOT.
    interval : float or timedelta
        Time between due times of a PERIODIC job in seconds, > 0 and at most a century.
    cron : str
        Cron expression of a CRON job, five fields in UTC; see :class:`~bank_python.walpole.CronExpression`.
    depends_on : sequence of str
        Names of the jobs that must have succeeded before this one runs.
    retries : int
        Number of retries of a run that failed or timed out, ≥ 0. A SERVICE is always restarted, with the same backoff,
        whatever this number.
    backoff : Backoff or float
        Waits between attempts; a number is the base of a :class:`Backoff` in seconds.
    jitter : float
        Largest random change of a wait in either direction, as a fraction of it in [0, 1].
    timeout : float or None
        Time in seconds, > 0, after which a run is abandoned; None for no limit. Not valid for a SERVICE.
    misfire : MisfirePolicy or str
        Policy for due times that were missed, a member or its name.
    grace : float
        Delay in seconds, ≥ 0, with which a run may start and still count as on time.
    max_runs : int or None
        Number of runs, ≥ 1, after which the job is no longer due; retries are not counted, runs in earlier processes
        are. None for no limit.
    allow_overlap : bool
        Whether a run may start while the previous one has not ended.
    args, kwargs : tuple, mapping
        Positional and keyword arguments of the callable.
    enabled : bool
        Whether the job is scheduled; a disabled job can still be triggered.

    Raises
    ------
    JobConfigError
        A value is not valid; the message gives the job, the value and a remedy.

    Examples
    --------
    >>> config = JobConfig(name="eod", callable=print, mode="cron", cron="0 18 * * MON-FRI", retries=2)
    >>> config.mode, config.backoff.base
    (<JobMode.CRON: 'cron'>, 1.0)
    """

    def __init__(
        self,
        *,
        name: str = "",
        callable: Callable[..., Any] | None = None,  # noqa: A002  (the usual name in job runners)
        mode: JobMode | str | None = None,
        interval: float | dt.timedelta | None = None,
        cron: str | None = None,
        depends_on: Sequence[str] = (),
        retries: int = 0,
        backoff: Backoff | float | None = None,
        jitter: float = 0.1,
        timeout: float | None = None,
        misfire: MisfirePolicy | str = MisfirePolicy.RUN_ONCE,
        grace: float = 1.0,
        max_runs: int | None = None,
        allow_overlap: bool = False,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        enabled: bool = True,
    ) -> None:
        _check_name(name)
        super().__init__(
            name=name,
            callable=callable,
            mode=_mode(name, mode, interval, cron),
            interval=interval.total_seconds() if isinstance(interval, dt.timedelta) else interval,
            cron=cron,
            depends_on=_dependencies(name, depends_on),
            retries=retries,
            backoff=_backoff(name, backoff),
            jitter=jitter,
            timeout=timeout,
            misfire=_choice(name, "misfire", misfire, MisfirePolicy),
            grace=grace,
            max_runs=max_runs,
            allow_overlap=allow_overlap,
            args=tuple(args),
            kwargs=_keywords(name, kwargs),
            enabled=enabled,
        )
        self._check_numbers()
        self._check_schedule()
        self._check_callable()

    @property
    def function(self) -> Callable[..., Any]:
        """Function to run, the `callable` of the configuration."""
        if self.callable is None:
            self._refuse("callable", None, "give the function to run")
        return self.callable

    @cached_property
    def expression(self) -> CronExpression | None:
        """Parsed cron expression of a CRON job, ``None`` for other jobs."""
        if self.mode is not JobMode.CRON:
            return None
        if self.cron is None:
            self._refuse("cron", None, "a CRON job needs five fields, e.g. cron='0 7 * * MON-FRI'")
        try:
            return CronExpression(self.cron)
        except JobConfigError as error:
            raise JobConfigError(f"job {self.name!r}: {error}", name=self.name, value=self.cron) from error

    @cached_property
    def wants_context(self) -> bool:
        """Whether the callable has a parameter named ``context`` that is not among `kwargs`."""
        signature = _signature(self.function)
        return signature is not None and _has_context(signature) and "context" not in self.kwargs

    @property
    def schedule(self) -> str:
        """Short description of the schedule: ``PERIODIC every 5s``."""
        if self.mode is JobMode.PERIODIC:
            return f"PERIODIC every {self.interval:g}s"
        return f"CRON {self.cron}" if self.mode is JobMode.CRON else self.mode.name

    def _refuse(self, what: str, value: object, advice: str) -> NoReturn:
        _refuse(self.name, what, value, advice)

    def _check_numbers(self) -> None:
        if not _is_whole(self.retries, at_least=0):
            self._refuse("retries", self.retries, "give a whole number of at least 0")
        if self.max_runs is not None and not _is_whole(self.max_runs, at_least=1):
            self._refuse("max_runs", self.max_runs, "give a whole number of at least 1, or None for no limit")
        if not _is_number(self.jitter, at_least=0.0) or self.jitter > 1.0:
            self._refuse("jitter", self.jitter, "give a fraction from 0 to 1")
        if not _is_number(self.grace, at_least=0.0):
            self._refuse("grace", self.grace, "give seconds, at least 0")
        if self.timeout is not None and (not _is_number(self.timeout, at_least=0.0) or self.timeout == 0.0):
            self._refuse("timeout", self.timeout, "give seconds greater than 0, or None for no limit")
        for flag in ("allow_overlap", "enabled"):
            if not isinstance(getattr(self, flag), bool):
                self._refuse(flag, getattr(self, flag), "give True or False")

    def _check_schedule(self) -> None:
        if self.mode is JobMode.PERIODIC:
            self._check_interval()
        elif self.interval is not None:
            advice = f"omit it, or change mode={self.mode.name}"
            self._refuse("interval", self.interval, f"only a PERIODIC job has an interval; {advice}")
        if self.mode is not JobMode.CRON and self.cron is not None:
            self._refuse("cron", self.cron, "only a CRON job has a cron expression; omit it, or give mode=JobMode.CRON")
        _ = self.expression  # parsed here, so that an invalid expression raises an error now
        if self.mode is JobMode.SERVICE and self.timeout is not None:
            self._refuse("timeout", self.timeout, "a SERVICE runs until it is stopped and has no timeout; omit it")
        if self.mode is JobMode.SERVICE and self.allow_overlap:
            self._refuse("allow_overlap", True, "a SERVICE has one run at a time; omit it")

    def _check_interval(self) -> None:
        if self.interval is None or not _is_number(self.interval, at_least=0.0) or self.interval == 0.0:
            self._refuse("interval", self.interval, "a PERIODIC job needs an interval in seconds, greater than 0")
        if self.interval > LONGEST_WAIT:
            self._refuse("interval", self.interval, f"give seconds, at most a century ({LONGEST_WAIT:g})")

    def _check_callable(self) -> None:
        if not callable(self.callable):
            self._refuse("callable", self.callable, "give the function to run")
        if inspect.iscoroutinefunction(self.callable):
            self._refuse("callable", self.callable, "it is a coroutine function; give one that calls asyncio.run on it")
        signature = _signature(self.callable)
        if signature is None:
            return
        named = dict(self.kwargs) | ({"context": None} if self.wants_context else {})
        try:
            signature.bind(*self.args, **named)
        except TypeError as error:
            self._refuse("callable", self.callable, f"it does not accept the job's args and kwargs: {error}")

    def __repr__(self) -> str:
        after = f", after {', '.join(self.depends_on)}" if self.depends_on else ""
        return f"JobConfig({self.name!r}, {self.schedule}{after})"


def _refuse(name: object, what: str, value: object, advice: str) -> NoReturn:
    raise JobConfigError(f"job {name!r}: {what}={value!r} is not valid; {advice}", name=name, value=value)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name or name != name.strip() or "/" in name:
        _refuse(name, "name", name, "give a non-empty string without '/' and without leading or trailing blanks")


def _mode(name: str, given: object, interval: object, cron: object) -> JobMode:
    """Return the given mode, or the one that follows from the schedule."""
    if given is not None:
        return _choice(name, "mode", given, JobMode)
    if interval is not None and cron is not None:
        _refuse(name, "interval", interval, f"cron={cron!r} is given too; give one of the two")
    if cron is not None:
        return JobMode.CRON
    return JobMode.ONE_SHOT if interval is None else JobMode.PERIODIC


def _choice(name: str, what: str, given: object, kind: type[_Choice]) -> _Choice:
    try:
        return kind(given)
    except ValueError:
        _refuse(name, what, given, f"choose one of {', '.join(member.name for member in kind)}")


def _backoff(name: str, given: Any) -> Backoff:
    if given is None or isinstance(given, Backoff):
        return given or Backoff()
    if not _is_number(given, at_least=0.0) or given > LONGEST_WAIT:
        _refuse(name, "backoff", given, "give a Backoff or the base wait in seconds, at least 0, at most a century")
    return Backoff(base=given, maximum=max(given, Backoff().maximum))


def _dependencies(name: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        _refuse(name, "depends_on", given, "give a list of job names")
    names = tuple(given)
    for other in names:
        if not isinstance(other, str) or not other:
            _refuse(name, "depends_on", names, f"{other!r} is not a job's name")
    if name in names:
        _refuse(name, "depends_on", names, "a job cannot depend on itself")
    return tuple(dict.fromkeys(names))


def _keywords(name: str, given: object) -> Mapping[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        _refuse(name, "kwargs", given, "give a mapping of parameter names to values")
    return MappingProxyType(dict(given or {}))


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:
        return None  # some builtins have no signature


def _is_number(value: object, *, at_least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and at_least <= value < math.inf


def _is_whole(value: object, *, at_least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


def _has_context(signature: inspect.Signature) -> bool:
    parameter = signature.parameters.get("context")
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return parameter is not None and parameter.kind in by_name
