"""A sweep: a strategy with many settings on the same bars, in this process, in others or on a cluster.

The bars are read once. Each point is a back-test of its own (:class:`Backtester`); one that cannot be made or fails is
named with its reason, and costs the others nothing. In an executor, points travel in chunks, each with the bars once.

Examples
--------
>>> from functools import partial
>>> from bank_python.backtester import MomentumBacktest
>>> data = {"UP": [100.0 + i + i % 3 for i in range(60)], "DOWN": [100.0 - i for i in range(60)]}
>>> momentum = partial(MomentumBacktest, ["UP", "DOWN"], weight=0.9)
>>> found = sweep(momentum, {"lookback": [0, 5, 20], "top_n": [1, 2]}, data=data)
>>> found.n_run, found.best("total_return").parameters, found.failed[0].problem
(4, {'lookback': 5, 'top_n': 1}, 'lookback=0 is not a whole number of at least 1')
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.backtester.backtester import Backtester
from bank_python.backtester.bars import bars_of
from bank_python.backtester.curve_metrics import checked_metrics
from bank_python.backtester.feed_data import history_of
from bank_python.backtester.periods import given_periods, periods_of
from bank_python.backtester.series_dates import read_dates
from bank_python.backtester.strategy_forms import require_factory, strategy_of
from bank_python.backtester.sweep_grid import points_of
from bank_python.backtester.sweep_result import DEFAULT_METRICS, SweepResult
from bank_python.backtester.trials import Trial, Trials
from bank_python.errors import BacktestError, BankError, CallError, SweepCancelledError
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.walpole.numbered_tasks import completed_tasks
from bank_python.wording import did_you_mean, message_of

if TYPE_CHECKING:
    import datetime as dt
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor, Future

    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.sweep_grid import Grid
    from bank_python.numerics import FloatArray

__all__ = ["SweepInterrupt", "sweep"]

_MOST_CHUNKS = 64
_MOST_SUBMITTED = 32
_OWN = ("strategy", "start", "end", "data", "trials", "barbara")  # arguments of Backtester that a sweep gives itself


class SweepInterrupt(KeyboardInterrupt):
    """Ctrl-C during a sweep; ``result`` has the points that had run."""

    def __init__(self, result: SweepResult) -> None:
        super().__init__(f"interrupted after {result.n_run} of {len(result)} points; .result has those")
        self.result = result


@admits(BacktestError)
def sweep(
    strategy: Any,
    grid: Grid,
    *,
    start: dt.date | str | None = None,
    end: dt.date | str | None = None,
    data: Any = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    risk_free_rate: float = RISK_FREE_RATE,
    periods_per_year: float | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: threading.Event | None = None,
    trials: Trials | None = None,
    **settings: Any,
) -> SweepResult:
    """Run a strategy with many settings on the same bars.

    Parameters
    ----------
    strategy : callable
        Class or function that is called with the parameters of a point by name, and returns a strategy. Arguments that
        are the same for all points are bound by :func:`functools.partial`.
    grid : mapping of str to iterable, or iterable of mappings
        Values by parameter, of which all combinations are run, or the points one by one.
    start, end : date or ISO 8601 text, optional
        First and last day, both included; those of the data by default.
    data : mapping, DataFrame, Table or BarPanel, optional
        Bars or closes; by default the history of the configured feed, as for :class:`Backtester`.
    metrics : sequence of str, optional
        Names of metrics of a tearsheet, those of trades included.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year of the metrics, as a decimal.
    periods_per_year : float, optional
        Number of periods in a year; by default inferred from the dates.
    executor : concurrent.futures.Executor, optional
        Executor that runs the points, such as a process pool or that of a cluster client; by default they run one after
        another in this process. An executor passed in is not shut down. Other processes need a strategy that can be
        pickled: a class or a partial of it, no lambda.
    progress : callable, optional
        Function called with the number of finished points and their total, after each or after a chunk of them.
    cancel : threading.Event, optional
        Event that cancels the sweep once it is set.
    trials : Trials, optional
        Record of trials that each point is added to, wherever it ran.
    **settings
        Further settings of :class:`Backtester`, such as ``initial_cash``, ``fees_bps``, ``slippage_bps``, ``fill``.

    Returns
    -------
    SweepResult
        Points in the order of the grid.

    Raises
    ------
    BacktestError
        The grid, the data or a setting cannot be read, or not one point ran.
    SweepCancelledError
        `cancel` was set; its ``result`` has the points that had run, the others with the problem "not run".
    CallError
        There is no such setting.
    SweepInterrupt
        Ctrl-C was pressed; it is a KeyboardInterrupt with such a ``result``.
    """
    _check_settings(settings)
    if trials is not None and not isinstance(trials, Trials):
        raise BacktestError(f"trials={trials!r:.60} is not a Trials; give the record of the search", name="trials")
    points = points_of(grid)
    wanted = checked_metrics(metrics)
    require_factory(strategy)
    note = ""
    if data is None:
        data, note = history_of("the strategy", _inputs(strategy, points))
    panel = bars_of(data, start, end)
    base = Backtester(_idle, data=panel, **settings)
    is_recorded = trials is not None
    task = _Task(strategy, points, panel, settings, wanted, risk_free_rate, periods_per_year, is_recorded=is_recorded)
    dates = read_dates(panel.dates)
    periods = periods_of(dates) if periods_per_year is None else given_periods(periods_per_year, dates)
    outcomes = _Outcomes(task, base.initial_cash, periods.value, (note,) if note else (), trials)
    outcomes.collect(executor, progress, cancel)
    return outcomes.result()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a point: its curve and figures, or its problem."""

    equity: FloatArray | None = None
    metrics: tuple[float, ...] = ()
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""
    trial: Trial | None = None


_NOT_RUN = _Outcome(problem="not run")


@dataclass(frozen=True, slots=True)
class _Task:
    """All that points are run with; it is sent to other processes."""

    strategy: Callable[..., Any]
    points: tuple[dict[str, Any], ...]
    panel: BarPanel
    settings: Mapping[str, Any]
    metrics: tuple[str, ...]
    risk_free_rate: float
    periods_per_year: float | None
    size: int = 1
    is_recorded: bool = False

    def run(self, chunk: int) -> list[_Outcome]:
        """Run a chunk of points."""
        return [self._point(point) for point in self.points[chunk * self.size : (chunk + 1) * self.size]]

    def _point(self, point: Mapping[str, Any]) -> _Outcome:
        try:
            result = Backtester(self.strategy(**point), data=self.panel, **self.settings).run()
            sheet = result.tearsheet(risk_free_rate=self.risk_free_rate, periods_per_year=self.periods_per_year)
            figures = tuple(float(sheet[name]) for name in self.metrics)
            trial = Trials().record(result) if self.is_recorded else None
        except Exception as error:  # noqa: BLE001 - code of users may raise anything, and costs only its own point
            said = message_of(error)
            problem = said if isinstance(error, BankError) else f"{type(error).__name__}: {said}"
            return _Outcome(problem=problem)
        return _Outcome(result.equity, figures, result.fingerprint, result.notes, trial=trial)


@dataclass(slots=True)
class _Outcomes:
    """The outcomes of a sweep as they come in."""

    task: _Task
    initial_cash: float
    periods_per_year: float
    notes: tuple[str, ...]
    trials: Trials | None
    by_point: dict[int, _Outcome] = field(default_factory=dict)

    def collect(
        self,
        executor: Executor | None,
        progress: Callable[[int, int], object] | None,
        cancel: threading.Event | None,
    ) -> None:
        """Run all points."""
        total = len(self.task.points)
        chunks = _in_order(self.task, cancel) if executor is None else _in_executor(self.task, executor, cancel)
        try:
            for first, outcomes in chunks:
                self.by_point |= dict(enumerate(outcomes, first))
                self._record(outcomes)
                if progress is not None:
                    progress(len(self.by_point), total)
        except KeyboardInterrupt as stop:
            raise SweepInterrupt(self._so_far()) from stop
        if cancel is not None and cancel.is_set() and len(self.by_point) < total:
            done = len(self.by_point)
            raise SweepCancelledError(
                f"cancelled after {done} of {total} points; .result has those",
                done=done,
                total=total,
                result=self._so_far(),
            )

    def _record(self, outcomes: Sequence[_Outcome]) -> None:
        for outcome in outcomes:
            if self.trials is not None and outcome.trial is not None:
                self.trials.add(outcome.trial)

    def result(self) -> SweepResult:
        """Return the result of all points."""
        found = self._so_far()
        if not found.n_run:
            point, problem = self.task.points[0], found.problems[0]
            said = ", ".join(f"{name}={value!r:.40}" for name, value in point.items())
            raise BacktestError(f"none of the {len(found):,} points ran; the first, {said}: {problem}", name="grid")
        return found

    def _so_far(self) -> SweepResult:
        task = self.task
        outcomes = [self.by_point.get(i, _NOT_RUN) for i in range(len(task.points))]
        none = np.full(len(task.panel), np.nan)
        lacking = (np.nan,) * len(task.metrics)
        figures = np.array([each.metrics or lacking for each in outcomes]).reshape(len(outcomes), -1)
        shared = [each.notes for each in outcomes if not each.problem]
        common = [note for note in shared[0] if all(note in notes for notes in shared)] if shared else []
        return SweepResult(
            task.points,
            np.array([none if each.equity is None else each.equity for each in outcomes]),
            {name: figures[:, j] for j, name in enumerate(task.metrics)},
            task.panel.dates,
            tuple(each.problem for each in outcomes),
            tuple(each.fingerprint for each in outcomes),
            self.initial_cash,
            task.risk_free_rate,
            self.periods_per_year,
            (*self.notes, *common),
        )


def _in_order(task: _Task, cancel: threading.Event | None) -> Iterator[tuple[int, list[_Outcome]]]:
    """Run one point after another in this process."""
    for i in range(len(task.points)):
        if cancel is not None and cancel.is_set():
            return
        yield i, task.run(i)


def _in_executor(
    task: _Task, executor: Executor, cancel: threading.Event | None
) -> Iterator[tuple[int, list[_Outcome]]]:
    """Run chunks of points in an executor."""
    size = -(-len(task.points) // _MOST_CHUNKS)
    chunked = replace(task, size=size)
    total = -(-len(task.points) // size)
    for chunk, future in completed_tasks(chunked.run, total, executor, cancel, most_submitted=_MOST_SUBMITTED):
        first = chunk * size
        yield first, _outcomes_of(future, min(size, len(task.points) - first))


def _outcomes_of(future: Future[list[_Outcome]], count: int) -> list[_Outcome]:
    """Return the outcomes of a chunk; of one whose worker died or that could not be sent, the reason for each point."""
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - whatever the executor raises
        problem = f"its worker failed: {type(error).__name__}: {message_of(error)}"
        return [_Outcome(problem=problem)] * count


def _check_settings(settings: Mapping[str, Any]) -> None:
    """Raise an error for a setting that :class:`Backtester` does not have."""
    known = [name for name in inspect.signature(Backtester).parameters if name not in _OWN]
    for name in settings:
        if name not in known:
            hint = did_you_mean(name, known, f"further settings are {', '.join(known)}")
            raise CallError(f"sweep() has no argument {name}; {hint}", name="sweep", argument=name)


def _inputs(strategy: Callable[..., Any], points: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the tickers of all points that can be made."""
    found: dict[str, None] = {}
    for point in points:
        try:
            found |= dict.fromkeys(strategy_of(strategy(**point)).inputs)
        except Exception:  # noqa: BLE001, S112 - the run of the point will say it
            continue
    return tuple(found)


def _idle(_window: object) -> None:
    """Do nothing: a strategy for the settings to be checked with before any point runs."""
