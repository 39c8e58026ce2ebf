"""``stress``: P&L of the desk in stress scenarios by trader, or one scenario with the moves behind it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bank_python.desk.commands.result import CommandResult
from bank_python.desk.commands.views import bars_by_name_view, moves_view, stress_by_trader_view
from bank_python.desk.console import working
from bank_python.instruments.factor import Factor
from bank_python.mntable import Table
from bank_python.render_risk import stress_view
from bank_python.risk import STRESS_SCENARIOS, plan_valuation, run_stresses, stress_moves

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.risk import StressResult, StressScenario, ValuationPlan

__all__ = ["explain_stress", "stress_desk"]

_MOVES = ("factor", "level", "stressed", "change", "shift", "status", "driver", "beta")
_IN_PROPORTION = frozenset({Factor.SPOT, Factor.FX})


def stress_desk(desk: Desk) -> CommandResult:
    """Revalue the desk in every scenario of the stress library.

    Parameters
    ----------
    desk : Desk
        Desk with open positions.

    Raises
    ------
    RiskError
        A contract has no price in a scenario.
    """
    with working(f"Revaluing the desk in {len(STRESS_SCENARIOS)} scenarios ..."):
        results = run_stresses(plan_valuation([trader.book for trader in desk.traders]), list(STRESS_SCENARIOS))
    by_key = {result.key: result.by_trader() for result in results}
    facts = {"currency": results.currency, "scenarios": {result.key: _facts(result) for result in results}}
    return CommandResult(facts, [stress_view(results), stress_by_trader_view(by_key, desk.traders.names)], results)


def explain_stress(desk: Desk, scenario: str) -> CommandResult:
    """Revalue the desk in one scenario, and list the moves of its risk factors.

    Parameters
    ----------
    desk : Desk
        Desk with open positions.
    scenario : str
        Key of the scenario in the stress library, in upper or lower case.

    Raises
    ------
    RiskError
        There is no such scenario, or a contract has no price in it.
    """
    plan = plan_valuation([trader.book for trader in desk.traders])
    (result,) = run_stresses(plan, [_key(scenario)])
    found = STRESS_SCENARIOS[result.key]
    rows = _moves(plan, found)
    facts = {**_facts(result), "shocks": _shocks(found), "source": found.source, "factors": rows}
    views = [
        f"{found.title} ({found.key}). {found.source}".strip(),
        f"Shocks: {', '.join(f'{name} {said}' for name, said in _shocks(found).items())}",
        bars_by_name_view(f"P&L by trader, {plan.currency}", "Trader", result.by_trader()),
        moves_view(rows),
    ]
    words = [(name, str) for name in ("factor", "shift", "status", "driver")]
    figures = [(name, float | None) for name in ("level", "stressed", "change", "beta")]
    return CommandResult(facts, views, Table.from_rows([*words, *figures], rows))


def _key(scenario: str) -> str:
    """Return the key that is meant: as it is spelt, or else in lower case."""
    return scenario if scenario in STRESS_SCENARIOS else scenario.lower()


def _facts(result: StressResult) -> dict[str, Any]:
    return {
        "title": result.title,
        "pnl": result.pnl,
        "traders": result.by_trader(),
        "covered": result.covered,
        "left_out": result.left_out,
        "betas": result.betas,
    }


def _shocks(scenario: StressScenario) -> dict[str, str]:
    named = {driver.value: shock for driver, shock in scenario.shocks.items()} | dict(scenario.factors)
    return {name: f"{shock.size:+.4g} ({shock.shift.value})" for name, shock in named.items()}


def _moves(plan: ValuationPlan, scenario: StressScenario) -> list[dict[str, Any]]:
    """Return the factors with their moves, the largest first; the change is relative for prices, else absolute."""
    rows = []
    for factor, move in zip(plan.factors, stress_moves(scenario, plan.factors), strict=True):
        stressed = None if math.isnan(move.level) else move.level
        in_proportion = factor.kind in _IN_PROPORTION
        driver = "" if move.driver is None else move.driver.value
        cells = (
            factor.name,
            factor.level,
            stressed,
            None if stressed is None else stressed / factor.level - 1.0 if in_proportion else stressed - factor.level,
            "relative" if in_proportion else "absolute",
            move.status.value,
            driver,
            move.beta,
        )
        rows.append(dict(zip(_MOVES, cells, strict=True)))
    return sorted(rows, key=lambda row: -abs(row["change"] or 0.0))
