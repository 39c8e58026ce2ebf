"""What a job is: a callable, when it is due, and what to do when it fails.

A :class:`JobConfig` is checked when it is made and never changes afterwards, so a runner only ever sees
configurations that hold together.

>>> JobConfig(name="fetch", callable=print, mode="periodic", interval=5.0)
JobConfig('fetch', PERIODIC every 5s)
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NoReturn

from bank_python.errors import JobConfigError
from bank_python.walpole.backoff import Backoff
from bank_python.walpole.cron import CronExpression
from bank_python.walpole.modes import JobMode, MisfirePolicy

__all__ = ["JobConfig"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JobConfig:
    """One job's configuration.

    Parameters
    ----------
    name : str
        Unique in its runner; part of the job's key in Barbara, so without ``/``.
    callable : callable
        What to run. If it has a parameter named ``context`` it is given a
        :class:`~bank_python.walpole.JobContext`.
    mode : JobMode
        What makes it due; its name as a string will do.
    interval : float
        PERIODIC only: seconds from due time to due time, > 0.
    cron : str
        CRON only: five fields, UTC; see :class:`~bank_python.walpole.CronExpression`.
    depends_on : sequence of str
        Jobs that must have succeeded first.
    retries : int
        How often a failed or timed-out run is tried again, ≥ 0. A SERVICE is always started again, with the
        same backoff, whatever this says.
    backoff : Backoff
        Waits between attempts; a number will do, and is the base in seconds.
    jitter : float
        Fraction in [0, 1] by which a wait is randomly shorter or longer.
    timeout : float or None
        Seconds after which a run is given up, > 0. Not for a SERVICE.
    misfire : MisfirePolicy
        What becomes of due times that went by unused; its name as a string will do.
    grace : float
        Seconds, ≥ 0, by which a run may start late and still be on time.
    max_runs : int or None
        After this many runs (retries not counted, earlier processes counted) it is due no more, ≥ 1.
    allow_overlap : bool
        Whether a run may start while the one before is still going.
    args, kwargs : tuple, mapping
        Given to the callable.
    enabled : bool
        A job that is not is never due; it can still be triggered.

    Raises
    ------
    JobConfigError
        Anything above does not hold; the message names the job, the value and the way out.

    Examples
    --------
    >>> config = JobConfig(name="eod", callable=print, mode="cron", cron="0 18 * * MON-FRI", retries=2)
    >>> config.mode, config.backoff.base
    (<JobMode.CRON: 'cron'>, 1.0)
    """

    name: str = ""
    callable: Callable[..., Any] | None = None
    mode: JobMode = JobMode.PERIODIC
    interval: float | None = None
    cron: str | None = None
    depends_on: Sequence[str] = ()
    retries: int = 0
    backoff: Backoff = field(default_factory=Backoff)
    jitter: float = 0.1
    timeout: float | None = None
    misfire: MisfirePolicy = MisfirePolicy.RUN_ONCE
    grace: float = 1.0
    max_runs: int | None = None
    allow_overlap: bool = False
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)
    enabled: bool = True
    _expression: CronExpression | None = field(default=None, init=False, repr=False, compare=False)
    _wants_context: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check_name()
        self._take_enum("mode", JobMode)
        self._take_enum("misfire", MisfirePolicy)
        self._check_numbers()
        self._check_schedule()
        self._take_dependencies()
        self._check_callable()

    @property
    def function(self) -> Callable[..., Any]:
        """The callable, which every checked configuration has."""
        if self.callable is None:
            self._refuse("callable", None, "give the function to run")
        return self.callable

    @property
    def expression(self) -> CronExpression | None:
        """The parsed cron expression of a CRON job."""
        return self._expression

    @property
    def wants_context(self) -> bool:
        """Whether the callable has a parameter named ``context`` that nobody else fills."""
        return self._wants_context

    @property
    def schedule(self) -> str:
        """When the job is due, in words: ``PERIODIC every 5s``."""
        if self.mode is JobMode.PERIODIC:
            return f"PERIODIC every {self.interval:g}s"
        return f"CRON {self.cron}" if self.mode is JobMode.CRON else self.mode.name

    def _refuse(self, what: str, value: object, advice: str) -> NoReturn:
        raise JobConfigError(f"job {self.name!r}: {what}={value!r} cannot be; {advice}", name=self.name, value=value)

    def _set(self, attribute: str, value: object) -> None:
        object.__setattr__(self, attribute, value)

    def _check_name(self) -> None:
        name: Any = self.name
        if not isinstance(name, str) or not name or name != name.strip() or "/" in name:
            self._refuse("name", name, "give a non-empty string without '/' and without blanks at its ends")

    def _take_enum(self, attribute: str, kind: type[JobMode | MisfirePolicy]) -> None:
        given = getattr(self, attribute)
        try:
            self._set(attribute, kind(given))
        except ValueError:
            self._refuse(attribute, given, f"choose one of {', '.join(member.name for member in kind)}")

    def _check_numbers(self) -> None:
        backoff: Any = self.backoff
        if not isinstance(backoff, Backoff):
            if not _is_number(backoff, at_least=0.0):
                self._refuse("backoff", backoff, "give a Backoff or the base wait in seconds, at least 0")
            self._set("backoff", Backoff(base=backoff, maximum=max(backoff, Backoff().maximum)))
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
            if self.interval is None or not _is_number(self.interval, at_least=0.0) or self.interval == 0.0:
                self._refuse("interval", self.interval, "a PERIODIC job needs seconds greater than 0")
        elif self.interval is not None:
            self._refuse("interval", self.interval, f"only a PERIODIC job has one; leave it out, or change {self.mode}")
        if self.mode is JobMode.CRON:
            self._set("_expression", self._parse_cron())
        elif self.cron is not None:
            self._refuse("cron", self.cron, "only a CRON job has one; leave it out, or give mode=JobMode.CRON")
        if self.mode is JobMode.SERVICE and self.timeout is not None:
            self._refuse("timeout", self.timeout, "a SERVICE runs until it is asked to stop; leave it out")
        if self.mode is JobMode.SERVICE and self.allow_overlap:
            self._refuse("allow_overlap", True, "a SERVICE runs once at a time; leave it out")

    def _parse_cron(self) -> CronExpression:
        if self.cron is None:
            self._refuse("cron", None, "a CRON job needs five fields, e.g. cron='0 7 * * MON-FRI'")
        try:
            return CronExpression(self.cron)
        except JobConfigError as error:
            raise JobConfigError(f"job {self.name!r}: {error}", name=self.name, value=self.cron) from error

    def _take_dependencies(self) -> None:
        given: Any = self.depends_on
        if isinstance(given, str) or not isinstance(given, Iterable):
            self._refuse("depends_on", given, "give a list of job names")
        names = tuple(given)
        for name in names:
            if not isinstance(name, str) or not name:
                self._refuse("depends_on", names, f"{name!r} is not a job's name")
        if self.name in names:
            self._refuse("depends_on", names, "a job cannot wait for itself")
        self._set("depends_on", tuple(dict.fromkeys(names)))

    def _check_callable(self) -> None:
        if not callable(self.callable):
            self._refuse("callable", self.callable, "give the function to run")
        if inspect.iscoroutinefunction(self.callable):
            self._refuse("callable", self.callable, "it is async; give a function that calls asyncio.run on it")
        if not isinstance(self.kwargs, Mapping):
            self._refuse("kwargs", self.kwargs, "give a mapping of parameter names to values")
        self._set("args", tuple(self.args))
        self._set("kwargs", MappingProxyType(dict(self.kwargs)))
        try:
            signature = inspect.signature(self.callable)
        except ValueError:
            return  # some builtins have no signature to ask
        self._set("_wants_context", _has_context(signature) and "context" not in self.kwargs)
        named = dict(self.kwargs) | ({"context": None} if self.wants_context else {})
        try:
            signature.bind(*self.args, **named)
        except TypeError as error:
            self._refuse("callable", self.callable, f"it does not take the job's args and kwargs: {error}")

    def __repr__(self) -> str:
        after = f", after {', '.join(self.depends_on)}" if self.depends_on else ""
        return f"JobConfig({self.name!r}, {self.schedule}{after})"


def _is_number(value: object, *, at_least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and at_least <= value < math.inf


def _is_whole(value: object, *, at_least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


def _has_context(signature: inspect.Signature) -> bool:
    parameter = signature.parameters.get("context")
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return parameter is not None and parameter.kind in by_name
