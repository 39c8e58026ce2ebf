"""Terminal views of what stands for and against a back-test: the verdict, null books, trials, a walk forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.sheet import Sheet, names, numbers, words

if TYPE_CHECKING:
    from bank_python.backtester.nulls import NullBooks
    from bank_python.backtester.trials import Trials
    from bank_python.backtester.verdict import Verdict
    from bank_python.backtester.walk_forward import WalkForward

__all__ = ["null_books_view", "trials_view", "verdict_view", "walk_forward_view"]

_MARKS = {True: "yes", False: "no", None: "—"}
_HASH = 16
_MOST = 20


def verdict_view(verdict: Verdict) -> Sheet:
    """Show the sentence that the ladder ends in, as the last lines may be cut; then each check; then the hashes."""
    title = f"Verdict on {verdict.strategy}: {verdict.conclusion}"
    shown = Sheet(title, [names("Check"), words("Passed"), words("Finding")])
    for rung in verdict.rungs:
        shown.add(rung.name, _MARKS[rung.passed], rung.words)
    shown.note(f"{verdict.n_returns:,} returns; {verdict.settings}")
    shown.note(f"data {verdict.data_hash[:_HASH]}, code {verdict.code_hash[:_HASH]}, run {verdict.fingerprint[:_HASH]}")
    return shown


def null_books_view(nulls: NullBooks) -> Sheet:
    """Show the null books: a row for each kind, below the strategy's own Sharpe ratio."""
    columns = [names("Books"), numbers("Number", 0), numbers("Median Sharpe"), numbers("Best"), numbers("As good", 0)]
    shown = Sheet(f"Null books of {nulls.strategy}", columns)
    shown.add(nulls.strategy, 1, nulls.strategy_sharpe, nulls.strategy_sharpe, None)
    shown.rule()
    for row in nulls.to_table():
        shown.add(row["kind"], row["books"], row["median_sharpe"], row["best_sharpe"], row["as_good"])
    shown.note(f"equity in this accounting within {nulls.accounting_difference:.1e} of that of the run")
    return shown


def trials_view(trials: Trials) -> Sheet:
    """Show the last trials, a row for each."""
    columns = [
        names("Strategy"),
        words("Settings", wraps=False),
        words("Until"),
        numbers("Bars", 0),
        numbers("Sharpe a bar", 4),
    ]
    shown = Sheet(f"{len(trials):,} recorded trials", columns)
    for trial in list(trials)[-_MOST:]:
        shown.add(trial.strategy, trial.settings, f"{trial.end:%Y-%m-%d}", trial.n_bars, trial.sharpe())
    if len(trials) > _MOST:
        shown.note(f"{len(trials) - _MOST:,} earlier ones")
    return shown


def walk_forward_view(walk: WalkForward) -> Sheet:
    """Show the windows, a row for each, and what the whole is worth."""
    columns = [names("Test from"), words("Parameters"), numbers("Sharpe in training"), numbers("In the test")]
    shown = Sheet(f"Walk forward of {walk.strategy}", columns)
    for row in list(walk.to_table())[:_MOST]:
        shown.add(f"{row['test_start']:%Y-%m-%d}", row["parameters"], row["in_sample"], row["out_of_sample"])
    if len(walk.windows) > _MOST:
        shown.note(f"{len(walk.windows) - _MOST:,} more windows")
    shown.note(f"Sharpe ratio {walk.sharpe:.2f} out of sample, {walk.in_sample_sharpe:.2f} in training on average")
    earned = walk.in_sample_sharpe > 0.0
    worth = f"efficiency {walk.efficiency:.2f}" if earned else "no efficiency, as training did not earn"
    shown.note(f"{worth}; {len(walk.runs):,} sets of parameters tried")
    for note in walk.notes:
        shown.note(note)
    return shown
