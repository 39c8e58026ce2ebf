"""The verdict on a back-test: a ladder of checks from "net of costs" to "more than search explains", in plain words.

Each :class:`Rung` says what was found, and whether it passed; ``None`` where it cannot be decided or is for
information. The ladder ends in one sentence, and in the hashes with which it can be reproduced.

=========================  ============================================================================================
rung                       passes if
=========================  ============================================================================================
net of costs               the Sharpe ratio after costs is above 0 (undecided if the run had no costs)
costs doubled              it still is with fees, slippage and borrow fees doubled (undecided if nothing was doubled)
benchmark                  it is above that of the benchmark on common dates (with a benchmark)
flipped                    the book with all signs changed does worse
lagged                     the same book one bar later still has a Sharpe ratio above 0
shuffled                   at most 5% of the books held at other times do as well
random books               at most 5% of the random books of the same turnover do as well
out of sample              the second half of the bars has a Sharpe ratio above 0
probabilistic Sharpe       the true ratio is above 0 with 95% probability
deflated Sharpe            it is above that of the best of the recorded trials without skill with 95% probability
minimum track record       there are at least as many returns as that takes
overfitting                the best recorded trial is below the median out of sample in at most 5% of the choices
=========================  ============================================================================================

Sharpe ratios are net of the risk-free rate. Flipped, lagged, shuffled and random books are undecided, as chance was not
tested, for a strategy that held options, and for one whose orders filled inside bars, as stops do: a book at closes is
not what it held. The second half is out of sample only for a strategy that was not chosen on it.

Examples
--------
>>> import numpy as np
>>> from bank_python.backtester.backtester import Backtester
>>> rng = np.random.default_rng(0)
>>> closes, coins = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal(500)), rng.integers(0, 2, 500)
>>> def coin(window):
...     return {"A": float(coins[window.index])} if window.index % 5 == 0 else None
>>> verdict = Backtester(coin, data={"A": closes}, fees_bps=5.0).run().verdict(n_random=50)
>>> verdict.passed, verdict["random books"].passed
(False, False)

References
----------
D. H. Bailey and M. López de Prado, "The deflated Sharpe ratio", Journal of Portfolio Management 40(5) (2014), 94-107.
D. H. Bailey, J. Borwein, M. López de Prado and Q. J. Zhu, "The probability of backtest overfitting", Journal of
Computational Finance 20(4) (2017), 39-69: the level of 5%.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.backtester.books import accounting_difference, book_equity, book_of, inexact
from bank_python.backtester.equity_series import compare, read_benchmark, read_equity
from bank_python.backtester.nulls import null_books
from bank_python.backtester.periods import periods_of
from bank_python.backtester.return_figures import ReturnFigures, finite_or_none
from bank_python.backtester.trials import Trials
from bank_python.display import Record
from bank_python.errors import BacktestError
from bank_python.numerics.ranges import number_in_range
from bank_python.plotting import Plotted, nothing
from bank_python.results import Tabular
from bank_python.risk_models import minimum_track_record, overfitting_probability, probabilistic_sharpe
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bank_python.backtester.costs import Costs
    from bank_python.backtester.finished_run import FinishedRun
    from bank_python.backtester.nulls import NullBooks
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["Rung", "Verdict", "make_verdict"]

LEVEL = 0.05
FEWEST = 30
_REPEATS = 1e-9
_OPTIONS = "it held options, of which no null books are made"
_NO_COSTS = "no costs to double; give fees_bps and slippage_bps"
_NEEDED = ("costs doubled", "random books", "probabilistic Sharpe")
_BLOCKS = (16, 12, 8, 6, 4)
_FEWEST_IN_BLOCK = 10


@dataclass(frozen=True, slots=True)
class Rung(Record):
    """One check of a verdict.

    Parameters
    ----------
    name : str
        Name of the check.
    passed : bool or None
        Whether it passed; None where it cannot be decided, or is for information.
    figure : float
        Figure that decides, NaN without one.
    words : str
        Finding in plain words.
    """

    name: str
    passed: bool | None
    figure: float
    words: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Verdict(Plotted, Tabular):
    """What a back-test is evidence of; returned by :meth:`BacktestResult.verdict`.

    Parameters
    ----------
    strategy, settings : str
        Name of the strategy, and the strategy with its settings.
    rungs : tuple of Rung
        Checks in the order of the ladder.
    conclusion : str
        Verdict in one sentence.
    nulls : NullBooks or None
        Sharpe ratios of the null books; None of a strategy that held options, or whose orders filled inside bars.
    n_returns : int
        Number of returns behind the statistics.
    sharpe : float
        Sharpe ratio a year after costs, NaN if the equity never moved.
    data_hash, code_hash, fingerprint : str
        SHA-256 over the bars, over code and version, and over both with all settings.
    """

    strategy: str
    settings: str
    rungs: tuple[Rung, ...]
    conclusion: str
    nulls: NullBooks | None
    n_returns: int
    sharpe: float
    data_hash: str
    code_hash: str
    fingerprint: str

    def __getitem__(self, name: str) -> Rung:
        for rung in self.rungs:
            if rung.name == name:
                return rung
        raise KeyError(f"there is no rung {name!r}; there are {', '.join(rung.name for rung in self.rungs)}")

    @property
    def passed(self) -> bool:
        """Whether no check failed, and costs doubled, random books and probabilistic Sharpe ratio could be decided."""
        decided = {rung.name: rung.passed for rung in self.rungs}
        return all(decided.get(name) for name in _NEEDED) and False not in decided.values()

    def to_table(self) -> Table:
        """Return a table with a row for each check: name, passed, figure, words; then the conclusion and the hashes."""
        from bank_python.mntable import Table

        hashes = [("settings", self.settings), ("data hash", self.data_hash), ("code hash", self.code_hash)]
        found = [*self.rungs, Rung("verdict", self.passed, self.sharpe, self.conclusion)]
        found += [Rung(name, None, math.nan, said) for name, said in (*hashes, ("fingerprint", self.fingerprint))]
        rows = [
            {"rung": rung.name, "passed": rung.passed, "figure": finite_or_none(rung.figure), "words": rung.words}
            for rung in found
        ]
        return Table.from_rows([("rung", str), ("passed", bool | None), ("figure", float | None), ("words", str)], rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict by name: conclusion, checks as a list of dictionaries, and the hashes."""
        names = ("strategy", "settings", "conclusion", "n_returns", "data_hash", "code_hash", "fingerprint")
        return {name: getattr(self, name) for name in names} | {
            "passed": self.passed,
            "sharpe": finite_or_none(self.sharpe),
            "rungs": [asdict(rung) | {"figure": finite_or_none(rung.figure)} for rung in self.rungs],
        }

    def _draw_(self, axes: Axes) -> None:
        """Draw the random books' Sharpe ratios, with the strategy's."""
        if self.nulls is None:
            nothing(axes, self["random books"].words)
        else:
            self.nulls.plot(axes=axes)

    def __rich__(self) -> object:
        from bank_python.render_verdict import verdict_view

        return verdict_view(self)


@dataclass(frozen=True, slots=True)
class _Case:
    """A run with its figures, and why no null books are made of it, if none are."""

    run: FinishedRun
    figures: ReturnFigures
    risk_free_rate: float
    periods: float
    untested: str

    @property
    def ratio(self) -> float:
        """Sharpe ratio of one period."""
        return self.figures.sharpe(self.risk_free_rate, self.periods)

    def yearly(self, equity: FloatArray, initial_cash: float | None = None) -> float:
        """Return the Sharpe ratio a year of an equity curve, NaN if it never moves or begins without equity."""
        if not len(equity) or not equity[0] > 0.0:
            return math.nan
        figures = ReturnFigures.of_equity(equity, initial_cash)
        return figures.sharpe(self.risk_free_rate, self.periods) * math.sqrt(self.periods)

    @property
    def is_free(self) -> bool:
        """Whether the run had no costs: neither fees nor slippage, nor a fee of short positions."""
        costs = self.run.costs
        return not (costs.fees_bps or costs.slippage_bps or (costs.borrow_rate and (self.run.held < 0.0).any()))

    @property
    def is_short(self) -> bool:
        """Whether there are too few returns for statistics."""
        return self.figures.n < FEWEST or math.isnan(self.ratio)


@admits(BacktestError)
def make_verdict(
    run: FinishedRun,
    trials: Trials | None = None,
    benchmark: Any = None,
    *,
    risk_free_rate: float = RISK_FREE_RATE,
    n_random: int = 100,
    seed: int = 0,
) -> Verdict:
    """Return the verdict on a run.

    Parameters
    ----------
    run : BacktestResult
        Result of a back-test.
    trials : Trials, optional
        Record of the trials that led to the run.
    benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory, optional
        Levels of a benchmark to do better than.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal.
    n_random : int, default 100
        Number of random books, at least 1, and of shuffled ones.
    seed : int, default 0
        Seed of the random books.

    Raises
    ------
    BacktestError
        The benchmark or a setting cannot be read.

    Notes
    -----
    To double the costs the strategy is replayed twice more on the same bars: at the same costs, to see whether it
    repeats itself, and at twice the costs. What it keeps, and does elsewhere, it keeps and does again.
    """
    number_in_range("risk_free_rate", risk_free_rate, BacktestError, hint="give a decimal such as 0.04")
    if trials is not None and not isinstance(trials, Trials):
        raise BacktestError(f"trials={trials!r:.60} is not a Trials; give the record of the search", name="trials")
    figures = ReturnFigures.of_equity(run.equity, run.initial_cash)
    untested = _OPTIONS if run.contracts else inexact(accounting_difference(run))
    case = _Case(run, figures, risk_free_rate, periods_of(run.panel.dates).value, untested)
    nulls = None
    if not untested:
        nulls = null_books(run, n_random=n_random, seed=seed, risk_free_rate=risk_free_rate)
    rungs = [_net_of_costs(case), _costs_doubled(case)]
    if benchmark is not None:
        rungs.append(_against_benchmark(case, benchmark))
    rungs += [
        *_against_nulls(nulls, case),
        _out_of_sample(case),
        _probabilistic(case),
        _deflated(case, trials),
        _track_record(case),
        _overfitting(case, trials),
    ]
    sharpe = case.ratio * math.sqrt(case.periods)
    conclusion = _conclusion(case, {rung.name: rung for rung in rungs}, nulls)
    hashes = (run.data_hash, run.code_hash, run.fingerprint)
    return Verdict(run.strategy, run.settings, tuple(rungs), conclusion, nulls, figures.n, sharpe, *hashes)


# --- the rungs, from the bottom ---------------------------------------------------------------------


def _above_zero(name: str, sharpe: float, words: str) -> Rung:
    """Return a check that a Sharpe ratio is above 0."""
    return Rung(name, None if math.isnan(sharpe) else sharpe > 0.0, sharpe, words)


def _net_of_costs(case: _Case) -> Rung:
    sharpe, run = case.ratio * math.sqrt(case.periods), case.run
    if math.isnan(sharpe):
        return Rung("net of costs", None, math.nan, "the equity never moved")
    total = float(run.equity[-1]) / run.initial_cash - 1.0
    if case.is_free:
        words = f"Sharpe ratio {sharpe:.2f}, return {total:+.1%}; the run had no costs"
        return Rung("net of costs", None if sharpe > 0.0 else False, sharpe, words)
    cost = run.cost / run.initial_cash
    words = f"Sharpe ratio {sharpe:.2f}, return {total:+.1%} after costs of {cost:.1%} of the cash at the start"
    return _above_zero("net of costs", sharpe, words)


def _costs_doubled(case: _Case) -> Rung:
    if case.is_free:
        return Rung("costs doubled", None, math.nan, _NO_COSTS)
    equity, how = _at_doubled_costs(case)
    if equity is None:
        return Rung("costs doubled", None, math.nan, how)
    sharpe = case.yearly(equity, case.run.initial_cash)
    return _above_zero("costs doubled", sharpe, f"Sharpe ratio {_said(sharpe)}, {how}")


def _at_doubled_costs(case: _Case) -> tuple[FloatArray | None, str]:
    """Return the equity at doubled costs, of a new run if the strategy repeats itself, and how it was found."""
    run, why = case.run, "re-costed on the same shares of equity"
    try:
        doubled = run.costs.times(2.0)
    except BacktestError:  # beyond the range of costs
        return None, "costs too high to be doubled"
    if run.rerun is not None:
        again = _again(run, doubled) if _repeats(run) else None
        if again is not None:
            return again, "from a new run"
        why = f"{why}, as the strategy does not repeat itself"
    if case.untested:
        return None, f"not doubled: the strategy does not repeat itself, and {case.untested}"
    return book_equity(run, book_of(run), doubled), why


def _repeats(run: FinishedRun) -> bool:
    """Whether a strategy does the same once more: it may keep what it has seen, or throw dice."""
    again = _again(run, run.costs)
    return again is not None and bool(np.allclose(again, run.equity, rtol=_REPEATS, atol=0.0))


def _again(run: FinishedRun, costs: Costs) -> FloatArray | None:
    """Return the equity of a new run, None if the strategy cannot run again, as one that has used up its signals."""
    try:
        return None if run.rerun is None else run.rerun(costs).equity
    except BacktestError:
        return None


def _against_benchmark(case: _Case, benchmark: Any) -> Rung:
    series = read_equity(case.run.equity, case.run.panel.dates)
    both = compare(series, read_benchmark(benchmark))
    if len(both.levels) <= 2:  # noqa: PLR2004 - two returns
        return Rung("benchmark", None, math.nan, "fewer than two returns on common dates")
    ours, theirs = case.yearly(both.levels), case.yearly(both.benchmark)
    gap = ours - theirs
    words = f"Sharpe ratio {_said(ours)}, that of the benchmark {_said(theirs)}"
    return Rung("benchmark", None if math.isnan(gap) else gap > 0.0, gap, words)


def _against_nulls(nulls: NullBooks | None, case: _Case) -> list[Rung]:
    if nulls is None:
        names = ("flipped", "lagged", "shuffled", "random books")
        return [Rung(name, None, math.nan, case.untested) for name in names]
    drawn = [_drawn("shuffled", "shuffled", nulls, case), _drawn("random books", "random", nulls, case)]
    return [_flipped(nulls), _lagged(nulls), *drawn]


def _flipped(nulls: NullBooks) -> Rung:
    flipped = float(nulls.sharpe["flipped"][0])
    how = "it loses everything" if math.isinf(flipped) else f"Sharpe ratio {_said(flipped)}"
    words = f"{how} with all signs changed, {_said(nulls.strategy_sharpe)} as it is"
    decided = None if math.isnan(nulls.strategy_sharpe) else not nulls.as_good("flipped")
    return Rung("flipped", decided, flipped, words)


def _lagged(nulls: NullBooks) -> Rung:
    ratios = nulls.sharpe["lagged"].tolist()
    later = ", ".join(f"{_said(ratio)} ({lag})" for lag, ratio in zip(nulls.lags, ratios, strict=True))
    decided = None if math.isnan(nulls.strategy_sharpe) else ratios[0] > 0.0
    return Rung("lagged", decided, ratios[0], f"Sharpe ratio of the same book some bars later: {later}")


def _drawn(name: str, kind: str, nulls: NullBooks, case: _Case) -> Rung:
    count, good, chance = len(nulls.sharpe[kind]), nulls.as_good(kind), nulls.p_value(kind)
    if not nulls.has_choices:
        return Rung(name, None, chance, "it never changes what it holds: no choice to compare")
    if case.is_short:
        return Rung(name, None, chance, f"too few returns ({case.figures.n})")
    said = f"{good} of {count} did as well or better"
    if count + 1 < 1.0 / LEVEL:
        return Rung(name, None, chance, f"{said}; fewer than {round(1.0 / LEVEL) - 1} books decide nothing")
    return Rung(name, chance <= LEVEL, chance, said)


def _out_of_sample(case: _Case) -> Rung:
    equity = case.run.equity
    middle = len(equity) // 2
    first, second = case.yearly(equity[: middle + 1]), case.yearly(equity[middle:])
    return _above_zero(
        "out of sample", second, f"Sharpe ratio {_said(first)} in the first half, {_said(second)} in the second half"
    )


def _probabilistic(case: _Case) -> Rung:
    name = "probabilistic Sharpe"
    if case.is_short:
        return Rung(name, None, math.nan, _too_few(case))
    figures = case.figures
    found = probabilistic_sharpe(case.ratio, float(figures.n), skew=figures.skew, kurtosis=figures.kurtosis)
    return Rung(name, found >= 1.0 - LEVEL, found, f"the true ratio is above 0 with {found:.1%} probability")


def _deflated(case: _Case, trials: Trials | None) -> Rung:
    name = "deflated Sharpe"
    if trials is None:
        return Rung(name, None, math.nan, "no record of trials; give trials=, to each run of the search")
    found = None if case.is_short else trials.deflated_sharpe(case.run, case.risk_free_rate)
    if found is None:
        return Rung(name, None, math.nan, _too_few(case))
    others = len(trials) - len(trials.on(case.run.data_hash))
    recorded = f"{_counted(found.n_trials)} on these data" + (f", {others} on others" if others else "")
    best = found.expected_maximum * math.sqrt(case.periods)
    words = f"{found.probability:.1%}: {recorded}, whose best has {best:.2f} by chance; unrecorded ones cannot be known"
    return Rung(name, found.probability >= 1.0 - LEVEL, found.probability, words)


def _track_record(case: _Case) -> Rung:
    name, figures = "minimum track record", case.figures
    if case.is_short:
        return Rung(name, None, math.nan, _too_few(case))
    needed = minimum_track_record(case.ratio, confidence=1.0 - LEVEL, skew=figures.skew, kurtosis=figures.kurtosis)
    said = "no number of returns" if math.isinf(needed) else f"{math.ceil(needed):,} returns"
    return Rung(name, figures.n >= needed, needed, f"{said} would show a ratio above 0; there are {figures.n:,}")


def _overfitting(case: _Case, trials: Trials | None) -> Rung:
    name = "overfitting"
    returns = np.empty((0, 0)) if trials is None else trials.returns_on(case.run.data_hash)
    count = returns.shape[1]
    if count < 2:  # noqa: PLR2004 - one to choose from another
        return Rung(name, None, math.nan, f"{_counted(count)} with returns on these data; it takes two")
    blocks = next((number for number in _BLOCKS if len(returns) >= _FEWEST_IN_BLOCK * number), 0)
    if not blocks:
        return Rung(name, None, math.nan, _too_few(case))
    found = overfitting_probability(returns - case.risk_free_rate / case.periods, blocks=blocks)
    words = f"the best of {count} trials is below the median out of sample in {found.probability:.0%} of the choices"
    return Rung(name, found.probability <= LEVEL, found.probability, words)


# --- in plain words -----------------------------------------------------------------------------------


def _too_few(case: _Case) -> str:
    if math.isnan(case.ratio) and case.figures.n >= FEWEST:
        return "the equity never moved"
    return f"too few returns: {case.figures.n}, fewer than {FEWEST}"


def _conclusion(case: _Case, rungs: dict[str, Rung], nulls: NullBooks | None) -> str:
    """Return the first thing that stands against the strategy, or what stands for it."""
    against = _nothing_to_judge(case) or _no_evidence(case, rungs) or _no_choice(nulls)
    if against:
        return against
    if nulls is None:
        return f"chance was not tested: {case.untested}"
    good = f"{nulls.as_good('random')} of {len(nulls.sharpe['random'])} random books did as well or better"
    if rungs["random books"].passed is not True:
        return f"no evidence beyond costs: {good}"
    failed = [name for name, rung in rungs.items() if rung.passed is False]
    if failed:
        return f"not enough evidence: {good}, but it fails {', '.join(failed)}"
    undecided = [name for name in ("deflated Sharpe", "overfitting") if rungs[name].passed is None]
    if undecided:
        return (
            f"evidence beyond costs and chance: {good}; undecided without more recorded trials: {', '.join(undecided)}"
        )
    return f"evidence beyond costs, chance and the recorded search: {good}"


def _nothing_to_judge(case: _Case) -> str:
    if not case.run.trade_count:
        return "nothing to judge: it never traded"
    if math.isnan(case.ratio) and case.figures.n >= FEWEST:
        return "nothing to judge: the equity never moved"
    return f"no verdict: {_too_few(case)}" if case.is_short else ""


def _no_evidence(case: _Case, rungs: dict[str, Rung]) -> str:
    if case.is_free:
        if rungs["net of costs"].passed is False:
            return "no evidence: even without costs it earns no more than the risk-free rate"
        return "no evidence beyond costs: the run had none; give fees_bps and slippage_bps"
    for name, said in (
        ("net of costs", "no evidence: after costs it earns no more than the risk-free rate"),
        ("costs doubled", "no evidence beyond costs: at twice the costs it earns no more than the risk-free rate"),
        ("benchmark", "no evidence beyond the benchmark, whose Sharpe ratio is as high"),
    ):
        if name in rungs and rungs[name].passed is False:
            return said
    if rungs["costs doubled"].passed is None:
        return f"no evidence beyond costs: {rungs['costs doubled'].words}"
    return ""


def _no_choice(nulls: NullBooks | None) -> str:
    if nulls is not None and not nulls.has_choices:
        return "no evidence of skill: it never changes what it holds, so that only the market was tested"
    return ""


def _said(ratio: float) -> str:
    if math.isinf(ratio):
        return "of a total loss"
    return "unknown" if math.isnan(ratio) else f"{ratio:.2f}"


def _counted(count: int) -> str:
    return f"{count} recorded trial{'' if count == 1 else 's'}"
