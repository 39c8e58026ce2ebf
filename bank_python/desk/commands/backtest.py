"""``backtest`` and ``tearsheet``: the traders' strategies on past prices, and the last stored result again."""

from __future__ import annotations

import math
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_python.backtester import Trials, last_result, store_result
from bank_python.barbara import BarbaraDB
from bank_python.desk.backtests import BACKTESTS, backtest_of, run_backtest
from bank_python.desk.commands.backtest_views import backtests_view
from bank_python.desk.commands.result import CommandResult
from bank_python.desk.output_file import check_target
from bank_python.desk.past_state import store_copy
from bank_python.desk.persistence import RINGS
from bank_python.errors import BankError, DeskError
from bank_python.mntable import Table
from bank_python.render_risk import progress_bar
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.backtester import BacktestResult, Verdict
    from bank_python.desk.desk import Desk

__all__ = ["ALL", "run_backtests", "show_tearsheet"]

ALL = "all"
"""Name that stands for all strategies."""

_UNSTORED = (
    "Not stored: --db FILE keeps results for the command tearsheet, and trials for the verdict, beside the desk in it; "
    "prop_desk.py --once --db FILE makes one."
)

_ROW = {
    "strategy": str,
    "return": float | None,
    "sharpe": float | None,
    "max_dd": float | None,
    "trades": int | None,
    "final_value": float | None,
    "costs": float | None,
    "error": str | None,
}


def run_backtests(
    desk: Desk,
    strategy: str,
    *,
    start: str | None = None,
    end: str | None = None,
    universe: Sequence[str] | None = None,
    risk_free_rate: float = RISK_FREE_RATE,
    db: str | None = None,
    with_verdict: bool = False,
    **settings: Any,
) -> CommandResult:
    """Run one strategy of the desk, or all, and store the results.

    Parameters
    ----------
    desk : Desk
        Desk whose feeds have the histories.
    strategy : str
        Name of a strategy of :data:`~bank_python.desk.backtests.BACKTESTS`, or ``"all"``, of which one that fails is
        named and costs the others nothing.
    start, end : ISO 8601 text, optional
        First and last day; the last two years by default.
    universe : sequence of str, optional
        Tickers or pairs of one strategy; those of its trader by default.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year of the metrics, as a decimal.
    db : str, optional
        File of a stored desk, in whose store results and trials are kept, whoever owns the desk; by default they are
        not.
    with_verdict : bool, default False
        Whether each result is judged, over the trials that were kept.
    **settings
        Further settings of :class:`~bank_python.backtester.Backtester`.

    Raises
    ------
    BankError
        There is no such strategy, a setting cannot be read, or no strategy ran.
    """
    names = _names(strategy, universe)
    done: dict[str, BacktestResult] = {}
    keys: dict[str, str] = {}
    failed: dict[str, str] = {}
    with progress_bar("back-testing") as bar:
        for i, name in enumerate(names):
            bar(i, len(names))
            try:
                done[name] = run_backtest(desk, name, start=start, end=end, universe=universe, **settings)
            except BankError as error:
                if len(failed) == len(names) - 1:  # none ran
                    raise
                failed[name] = message_of(error)
            else:
                keys |= _stored(name, done[name], risk_free_rate, db)  # at once: a later one may be interrupted
    rows = [_row(name, done.get(name), failed.get(name), risk_free_rate) for name in names]
    verdicts = _verdicts(done, risk_free_rate, db) if with_verdict else {}
    views: list[Any] = [*(done.values() if len(names) == 1 else ()), *verdicts.values()]
    said = [f"Stored: prop_desk.py tearsheet --db {db} shows the last one."] if keys else [_UNSTORED]
    table = Table.from_rows(list(_ROW.items()), rows)
    facts = _facts(rows, done, keys, risk_free_rate)
    for row in facts["backtests"]:
        if row["strategy"] in verdicts:
            row["verdict"] = verdicts[row["strategy"]].to_dict()
    return CommandResult(facts, [backtests_view(rows, done), *views, *said], table)


def _names(strategy: str, universe: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the strategies that are meant."""
    if strategy.strip().lower() != ALL:
        return (backtest_of(strategy).name,)
    if universe is not None:
        raise DeskError("--tickers belongs to one strategy, not to all; name it with --strategy", value=strategy)
    return tuple(BACKTESTS)


def _facts(
    rows: Sequence[Mapping[str, Any]], done: Mapping[str, BacktestResult], keys: Mapping[str, str], rate: float
) -> dict[str, Any]:
    first = next(iter(done.values()))
    backtests = [dict(row) for row in rows]
    for row in backtests:
        result = done.get(row["strategy"])
        if result is not None:
            row |= {"notes": result.notes, "fingerprint": result.fingerprint, "key": keys.get(row["strategy"])}
    return {
        "capital": first.initial_cash,
        "start": first.dates[0].date(),
        "end": first.dates[-1].date(),
        "fill": first.fill.value,
        "risk_free_rate": rate,
        "backtests": backtests,
    }


def show_tearsheet(
    desk: Desk, *, strategy: str | None = None, html: str | None = None, db: str | None = None
) -> CommandResult:
    """Show the tearsheet of the result that was stored last.

    Parameters
    ----------
    desk : Desk
        Desk of the command.
    strategy : str, optional
        Name of a strategy of the desk, or of the class of one; by default the last result of any.
    html : str, optional
        File to write the tearsheet to, as one HTML page.
    db : str, optional
        File of the stored desk; by default the store of the desk is read.

    Raises
    ------
    BankError
        There is no stored result, or the file cannot be written.
    """
    if html is not None:
        check_target(html, db)
    kind = None if strategy is None else _class_name(strategy)
    with nullcontext(desk.db) if db is None else store_copy(db) as store:
        found = last_result(store, kind)
    if found is None:
        whose = "" if strategy is None else f" of {strategy}"
        advice = "prop_desk.py backtest --strategy all --db FILE stores some"
        raise DeskError(f"there is no stored result of a back-test{whose}; {advice}", value=strategy)
    sheet = found.tearsheet()
    if html is not None:
        sheet.to_html(html)
    about = {"key": found.key, "saved": found.saved, "settings": found.settings, "fingerprint": found.fingerprint}
    said = [f"{found.settings}, saved {found.saved:%Y-%m-%d %H:%M} UTC", *found.notes]
    written = [] if html is None else [f"Written to {Path(html)}."]
    return CommandResult({**about, "run_notes": found.notes, **sheet.to_dict()}, [sheet, *said, *written], sheet)


def _class_name(strategy: str) -> str:
    """Return the name under which results of a strategy are stored."""
    known = {test.name: test for test in BACKTESTS.values()}
    key = strategy.strip().lower().replace("-", "_")
    return known[key].make(known[key].universe).name if key in known else strategy


def _stored(name: str, result: BacktestResult, risk_free_rate: float, db: str | None) -> dict[str, str]:
    """Write a result to the store in a file, beside whoever owns the desk in it; return its key by name."""
    if db is None:
        return {}
    with BarbaraDB.open(RINGS, path=db) as store:
        Trials(store).record(result)
        return {name: store_result(store, result, risk_free_rate=risk_free_rate)}


def _verdicts(done: Mapping[str, BacktestResult], risk_free_rate: float, db: str | None) -> dict[str, Verdict]:
    """Return the verdict on each result, over the trials that the store in a file has."""
    with nullcontext(None) if db is None else BarbaraDB.open(RINGS, path=db) as store:
        trials = None if store is None else Trials(store)
        return {name: result.verdict(trials, risk_free_rate=risk_free_rate) for name, result in done.items()}


def _row(name: str, result: BacktestResult | None, error: str | None, risk_free_rate: float) -> dict[str, Any]:
    if result is None:
        return dict.fromkeys(_ROW) | {"strategy": name, "error": error}
    sheet = result.tearsheet(risk_free_rate=risk_free_rate)
    figures = {"return": "total_return", "sharpe": "sharpe_ratio", "max_dd": "max_drawdown"}
    known = {key: float(sheet[metric]) for key, metric in figures.items()}
    return {
        "strategy": name,
        **{key: figure if math.isfinite(figure) else None for key, figure in known.items()},
        "trades": result.trade_count,
        "final_value": result.final_value,
        "costs": result.cost,
        "error": None,
    }
