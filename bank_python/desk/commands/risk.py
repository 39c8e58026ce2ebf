"""``risk``: value at risk and expected shortfall of the firm and of each trader, Greeks, limits and alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.commands.result import CommandResult
from bank_python.desk.commands.views import FIRM, alerts_view, greeks_view, limits_view, risk_view
from bank_python.desk.console import working
from bank_python.desk.risk import SCENARIOS, DeskRisk
from bank_python.desk.view_builder import ViewBuilder
from bank_python.errors import DeskError
from bank_python.mntable import Table

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.view import DeskView
    from bank_python.mc_engine import ReactiveRisk

__all__ = ["measure_risk"]

_FIGURES = ("value", "pnl", "var_95", "var_99", "es_95", "es_99")


def measure_risk(desk: Desk, *, scenarios: int = SCENARIOS, seed: int = 0) -> CommandResult:
    """Simulate the risk of one day, and check the limits of the desk.

    Parameters
    ----------
    desk : Desk
        Desk with open positions.
    scenarios : int, default 10,000
        Number of scenarios, at least 2.
    seed : int, default 0
        Seed of the scenarios, at least 0.

    Raises
    ------
    BankError
        There are no positions, or the price history of a risk factor is missing; the message says which.
    """
    with working(f"Simulating {scenarios:,} scenarios ..."):
        risk = DeskRisk(desk, n_paths=scenarios, seed=seed)
        risk.check()
        builder = ViewBuilder(desk)
        builder.show_risk(risk)
        view = builder.build()
    if view.risk is None:
        raise DeskError("the risk of the desk has no value now: a quote or a price history is missing")
    rows = _rows(view, risk)
    greeks = {trader.name: trader.greeks for trader in view.traders} | {FIRM: view.firm.greeks}
    facts = {
        "risk": view.risk,
        "traders": {row["trader"]: {key: row[key] for key in _FIGURES} for row in rows if row["trader"] != FIRM},
        "greeks": greeks,
        "limits": view.limits,
        "alerts": view.alerts,
    }
    views = [
        risk_view(rows, view.risk.scenarios),
        greeks_view(greeks),
        limits_view(view.limits),
        alerts_view(view.alerts),
    ]
    schema = [("trader", str), *((name, float | None) for name in _FIGURES)]
    return CommandResult(facts, views, Table.from_rows(schema, rows))


def _rows(view: DeskView, risk: DeskRisk) -> list[dict[str, Any]]:
    rows = [
        {"trader": trader.name, "value": trader.value, "pnl": trader.pnl, **_measures(risk.traders.get(trader.name))}
        for trader in view.traders
    ]
    return [*rows, {"trader": FIRM, "value": view.firm.value, "pnl": view.firm.pnl, **_measures(risk.firm)}]


def _measures(risk: ReactiveRisk | None) -> dict[str, float | None]:
    """Return the measures of a book by name; None for one without positions or quotes."""
    names = {"var_95": "var_95", "var_99": "var_99", "es_95": "cvar_95", "es_99": "cvar_99"}
    if risk is None:
        return dict.fromkeys(names)
    nodes = {name: getattr(risk, node) for name, node in names.items()}
    return {name: None if node.error is not None else node.value for name, node in nodes.items()}
