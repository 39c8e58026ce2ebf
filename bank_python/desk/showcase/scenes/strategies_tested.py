"""Back-tests of the desk's strategies, and the tearsheet of a result that was stored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bank_python.backtester import last_result, store_result
from bank_python.desk.backtests import BACKTESTS, run_backtest
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.errors import BankError
from bank_python.numerals import MISSING, number
from bank_python.sheet import Sheet, names, numbers, shares
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.backtester import BacktestResult
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage

_FEES, _SLIPPAGE = 10.0, 5.0  # in basis points
_MOMENTUM = "momentum"


@scene("BACKTEST — Momentum")
def momentum_tested(stage: Stage) -> SceneResult:
    """Replay Alice's momentum on two years of bars: decided at a close, filled at the next open, with all costs."""
    require_quotes(stage.desk)
    result = _run(stage.desk, _MOMENTUM)
    key = store_result(stage.desk.db, result)
    free = _run(stage.desk, _MOMENTUM, are_free=True)
    facts = {
        **_facts(_MOMENTUM, result),
        "intact": result.audit.verify().holds,
        "final_value_without_costs": free.final_value,
        "fingerprint": result.fingerprint,
        "key": key,
    }
    said = (
        f"Without fees and slippage it would end with {free.final_value:,.0f}: costs take "
        f"{(free.final_value - result.final_value) / result.initial_cash:.1%} of the capital in two years."
    )
    return SceneResult(facts, [result, said])


@scene("BACKTEST — All Strategies")
def all_tested(stage: Stage) -> SceneResult:
    """Replay every strategy of the desk that has a back-test on the last two years of prices, with the same costs."""
    require_quotes(stage.desk)
    rows: list[dict[str, Any]] = []
    for name in BACKTESTS:
        try:
            result = _run(stage.desk, name)
        except BankError as error:  # such as a market that quotes none of its tickers
            rows.append({"strategy": name, "reason": message_of(error)})
            continue
        rows.append(_facts(name, result))
    return SceneResult({"backtests": rows}, [_table(rows)])


@scene("TEARSHEET")
def tearsheet_shown(stage: Stage) -> SceneResult:
    """Read the last stored back-test again, and show its tearsheet: each figure with its convention."""
    desk = stage.desk
    require_quotes(desk)
    if last_result(desk.db) is None:
        store_result(desk.db, _run(desk, _MOMENTUM))
    stored = last_result(desk.db)
    assert stored is not None  # noqa: S101 - it was stored above
    sheet = stored.tearsheet()
    facts = {
        "strategy": stored.strategy,
        "key": stored.key,
        "metrics": {
            name: sheet[name] if math.isfinite(sheet[name]) else None
            for name in ("total_return", "sharpe_ratio", "max_drawdown", "n_trades")
        },
        "equals_the_stored": desk.db[stored.key]["total_return"] == sheet["total_return"],
        "reasons": sheet.reasons,
        "html_bytes": len(sheet.to_html().encode()),
        "source": stored.notes[0],
    }
    said = f"One HTML page of it has {facts['html_bytes'] / 1e3:,.0f} kB and asks the network for nothing."
    return SceneResult(facts, [sheet, f"{stored.notes[0].capitalize()}. {said}"])


@scene("BACKTEST — Verdict")
def momentum_judged(stage: Stage) -> SceneResult:
    """Judge Alice's momentum: costs doubled, books of chance with the same turnover, out of sample, track record."""
    require_quotes(stage.desk)
    verdict = _run(stage.desk, _MOMENTUM).verdict()
    return SceneResult({"verdict": verdict.to_dict()}, [verdict])


def _run(desk: Desk, name: str, *, are_free: bool = False) -> BacktestResult:
    fees, slippage = (0.0, 0.0) if are_free else (_FEES, _SLIPPAGE)
    return run_backtest(desk, name, fees_bps=fees, slippage_bps=slippage)


def _facts(name: str, result: BacktestResult) -> dict[str, Any]:
    sheet = result.tearsheet()
    sharpe = float(sheet["sharpe_ratio"])
    return {
        "strategy": name,
        "return": sheet["total_return"],
        "sharpe": sharpe if math.isfinite(sharpe) else None,
        "max_dd": sheet["max_drawdown"],
        "trades": result.trade_count,
        "final_value": result.final_value,
        "costs": result.cost,
        "source": result.notes[0],
    }


def _table(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    figures = [shares("Return", 2, sign=True), numbers("Sharpe"), shares("Max DD", 2), numbers("Trades", 0)]
    shown = Sheet(
        "Two years, one strategy a row", [names("Strategy"), *figures, numbers("Costs"), numbers("Final value")]
    )
    for row in rows:
        if "reason" in row:
            shown.add(row["strategy"], *[MISSING] * 6)
            shown.note(f"{row['strategy']}: {row['reason']}")
            continue
        money = number(row["costs"], 0), number(row["final_value"], 0)
        shown.add(row["strategy"], row["return"], number(row["sharpe"], 2), row["max_dd"], f"{row['trades']:,}", *money)
    shown.note(f"from 1,000,000 each, {_FEES:g} bp of fees and {_SLIPPAGE:g} bp of slippage, filled at the next open")
    sources = {row["strategy"]: row["source"] for row in rows if "source" in row}
    if len(set(sources.values())) == 1:
        shown.note(next(iter(sources.values())))
    else:
        for strategy, source in sources.items():
            shown.note(f"{strategy}: {source}")
    return shown
