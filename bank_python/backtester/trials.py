"""A record of the trials that really happened, as the best of many is good by chance.

``Backtester(..., trials=trials)`` adds each of its runs. The same run again (an equal fingerprint) is one trial, not
two. Trials on the same data, by the hash of the bars, count together for the deflated Sharpe ratio
(:func:`~bank_python.risk_models.deflated_sharpe`). All recorded trials count as independent, which is strict where they
are alike. Trials that nobody recorded cannot be known.

With a store the record is kept under ``/Backtest/trials/{data hash}/{fingerprint}``, and goes on where it ended.

Examples
--------
>>> from bank_python.backtester.backtester import Backtester
>>> trials = Trials()
>>> closes = {"A": [10.0, 11.0, 12.0, 11.0, 12.5]}
>>> for share in (0.5, 1.0, 1.0):
...     def hold(window, share=share):
...         return {"A": share}
...     result = Backtester(hold, data=closes, trials=trials).run()
>>> len(trials), [trial.settings for trial in trials]
(2, ['hold(share=0.5)', 'hold(share=1.0)'])
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester.finished_run import checked_run
from bank_python.backtester.periods import periods_of
from bank_python.backtester.return_figures import ReturnFigures, finite_or_none
from bank_python.barbara import BarbaraDB
from bank_python.display import Record
from bank_python.errors import BacktestError
from bank_python.results import Tabular
from bank_python.risk_models import deflated_sharpe, expected_maximum_sharpe
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.backtester.finished_run import FinishedRun
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["DeflatedSharpe", "Trial", "Trials"]

_PREFIX = "/Backtest/trials/"
_TWO = 2


@dataclass(frozen=True, slots=True, eq=False)
class Trial(Record):
    """One run of a strategy on some data.

    Parameters
    ----------
    fingerprint : str
        SHA-256 over data, code and settings.
    data_hash, code_hash : str
        SHA-256 over the bars, and over the version of the library and the source of the strategy.
    strategy, settings : str
        Name of the strategy, and the strategy with its settings.
    start, end : datetime
        Times of the first and the last bar.
    n_bars : int
        Number of bars.
    periods_per_year : float
        Number of bars in a year, inferred from their times.
    figures : ReturnFigures
        Mean, deviation, skewness and kurtosis of the returns of single bars.
    time : datetime
        Time of the record.
    returns : ndarray, optional
        Returns of the bars after the first, 0 once the equity is not above 0; shape (n_bars - 1,).
    """

    fingerprint: str
    data_hash: str
    code_hash: str
    strategy: str
    settings: str
    start: dt.datetime
    end: dt.datetime
    n_bars: int
    periods_per_year: float
    figures: ReturnFigures
    time: dt.datetime
    returns: FloatArray | None = None

    def sharpe(self, risk_free_rate: float = RISK_FREE_RATE) -> float:
        """Return the Sharpe ratio of one bar, NaN if the returns are constant.

        Parameters
        ----------
        risk_free_rate : float, default RISK_FREE_RATE
            Risk-free rate per year, as a decimal.
        """
        return self.figures.sharpe(risk_free_rate, self.periods_per_year)


@dataclass(frozen=True, slots=True)
class DeflatedSharpe(Record):
    """The probability that a Sharpe ratio is more than the best of the recorded trials has by chance.

    Parameters
    ----------
    probability : float
        Deflated Sharpe ratio, in [0, 1].
    n_trials : int
        Number of recorded trials on the same data that have a Sharpe ratio.
    variance : float
        Variance of their Sharpe ratios of one bar; 0 of a single trial.
    expected_maximum : float
        Sharpe ratio of one bar of the best of so many trials without skill.
    """

    probability: float
    n_trials: int
    variance: float
    expected_maximum: float


class Trials(Tabular):
    """The trials that were made, in the order of their times.

    Parameters
    ----------
    db : BarbaraDB, optional
        Store in which the record is kept; in memory only by default.
    keep_returns : bool, default True
        Whether the returns of each trial are kept, which the probability of overfitting is computed from.
    clock : callable, optional
        Function that returns the time of a record; that of the computer by default.
    """

    def __init__(
        self,
        db: BarbaraDB | None = None,
        *,
        keep_returns: bool = True,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        if db is not None and not isinstance(db, BarbaraDB):
            raise BacktestError(f"db={db!r:.60} is no BarbaraDB; give a store, or none", name="db")
        self._store, self._keep_returns, self._clock = db, keep_returns, clock
        self._known: dict[str, Trial] = {}
        if db is not None:
            found = [_read(key, fields) for key, fields in db.items(_PREFIX)]
            self._known = {trial.fingerprint: trial for trial in sorted(found, key=lambda trial: trial.time)}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Trial]:
        return iter(tuple(self._known.values()))

    def __contains__(self, fingerprint: object) -> bool:
        return fingerprint in self._known

    def __repr__(self) -> str:
        return f"<Trials: {len(self):,} on {len({trial.data_hash for trial in self}):,} sets of data>"

    def record(self, run: FinishedRun) -> Trial:
        """Record a run, once, and return its trial.

        Parameters
        ----------
        run : BacktestResult
            Result of a back-test.

        Raises
        ------
        BacktestError
            It is none.
        """
        known = self._known.get(checked_run(run).fingerprint)
        return self.add(self._trial(run)) if known is None else known

    def add(self, trial: Trial) -> Trial:
        """Add a trial that was recorded elsewhere, once, and return the one that is kept.

        Parameters
        ----------
        trial : Trial
            Trial such as another record returned.
        """
        known = self._known.get(trial.fingerprint)
        if known is not None:
            return known
        kept = trial if self._keep_returns else replace(trial, returns=None)
        if self._store is not None:
            self._store[f"{_PREFIX}{kept.data_hash}/{kept.fingerprint}"] = _fields(kept)
        self._known[kept.fingerprint] = kept
        return kept

    def on(self, data_hash: str) -> tuple[Trial, ...]:
        """Return the trials on some data.

        Parameters
        ----------
        data_hash : str
            SHA-256 over the bars, such as ``result.data_hash``.
        """
        return tuple(trial for trial in self if trial.data_hash == data_hash)

    def returns_on(self, data_hash: str) -> FloatArray:
        """Return the returns of the trials on some data, shape (n_bars - 1, n_trials), of those that were kept.

        Parameters
        ----------
        data_hash : str
            SHA-256 over the bars.
        """
        kept = [trial.returns for trial in self.on(data_hash) if trial.returns is not None]
        return np.column_stack(kept) if kept else np.empty((0, 0))

    def deflated_sharpe(self, run: FinishedRun, risk_free_rate: float = RISK_FREE_RATE) -> DeflatedSharpe | None:
        """Return the deflated Sharpe ratio of a run over the recorded trials on the same data, itself among them.

        Parameters
        ----------
        run : BacktestResult
            Result of a back-test; one that is not recorded counts as one trial more.
        risk_free_rate : float, default RISK_FREE_RATE
            Risk-free rate per year, as a decimal.

        Returns
        -------
        DeflatedSharpe or None
            None if the run has no Sharpe ratio, as that of a strategy that never traded.
        """
        mine = self._known.get(run.fingerprint) or self._trial(run)
        others = [trial for trial in self.on(run.data_hash) if trial.fingerprint != run.fingerprint]
        ratios = np.array([trial.sharpe(risk_free_rate) for trial in (mine, *others)])
        if math.isnan(ratios[0]):
            return None
        ratios = ratios[~np.isnan(ratios)]
        variance = float(np.var(ratios, ddof=1)) if len(ratios) >= _TWO else 0.0
        highest = expected_maximum_sharpe(float(len(ratios)), variance)
        figures = mine.figures
        probability = deflated_sharpe(
            float(ratios[0]), float(figures.n), highest, skew=figures.skew, kurtosis=figures.kurtosis
        )
        return DeflatedSharpe(probability, len(ratios), variance, highest)

    def to_table(self) -> Table:
        """Return a table with a row for each trial: strategy, settings, period, Sharpe ratio of a bar, hashes."""
        from bank_python.mntable import Table

        texts = ("strategy", "settings", "data_hash", "code_hash", "fingerprint")
        rows = [
            {"time": trial.time, "start": trial.start, "end": trial.end, "bars": trial.n_bars}
            | {"sharpe": finite_or_none(trial.sharpe()), "skew": finite_or_none(trial.figures.skew)}
            | {"kurtosis": finite_or_none(trial.figures.kurtosis)}
            | {name: getattr(trial, name) for name in texts}
            for trial in self
        ]
        times = [(name, dt.datetime) for name in ("time", "start", "end")]
        figures = [(name, float | None) for name in ("sharpe", "skew", "kurtosis")]
        return Table.from_rows([*times, ("bars", int), *figures, *((name, str) for name in texts)], rows)

    def _trial(self, run: FinishedRun) -> Trial:
        dates = run.panel.dates
        return Trial(
            run.fingerprint,
            run.data_hash,
            run.code_hash,
            run.strategy,
            run.settings,
            dates[0],
            dates[-1],
            len(dates),
            periods_of(dates).value,
            ReturnFigures.of_equity(run.equity, run.initial_cash),
            self._clock(),
            _returns(run.equity) if self._keep_returns else None,
        )

    def __rich__(self) -> object:
        from bank_python.render_verdict import trials_view

        return trials_view(self)


def _returns(equity: FloatArray) -> FloatArray:
    """Return the returns of the bars after the first, 0 from the first equity on that is not above 0."""
    alive = np.logical_and.accumulate(equity > 0.0)[:-1]
    return np.where(alive, equity[1:] / np.where(alive, equity[:-1], 1.0) - 1.0, 0.0)


def _fields(trial: Trial) -> dict[str, Any]:
    return asdict(trial)


def _read(key: str, fields: Any) -> Trial:
    try:
        return Trial(**{**fields, "figures": ReturnFigures(**fields["figures"])})
    except (TypeError, KeyError, IndexError) as error:  # of another program, or of another release
        raise BacktestError(
            f"{key!r} holds no trial of a back-test; delete the key, or restore a copy", name=key
        ) from error
