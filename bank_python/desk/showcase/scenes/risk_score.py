"""The risk score of the desk with its grade, as a node: what lifts it, a what-if of the market, and a trade."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from bank_python.desk.conditions import INDEX, DeskConditions
from bank_python.desk.showcase.figures import quoted_value, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.risk import component_scores, gross_by_underlying, risk_score
from bank_python.sheet import Sheet, names, numbers, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.risk import RiskScore

_HIGH_YIELD, _INVESTMENT_GRADE = "CDX_HY", "CDX_IG"
_FALL, _WIDER = -0.05, 1.5
_TRADE = 0.5
"""Size of the trade as a share of the firm's gross exposures."""
_SHOWN = 0.05  # a change that one decimal shows


@scene("RISK SCORE AND GRADE")
def score(stage: Stage) -> SceneResult:
    """Grade the desk and its market from AAA to CCC; see what would lift the grade, and what a shock and a trade do."""
    desk = stage.desk
    require_quotes(desk)
    if quoted_value(desk, INDEX) is None:
        return _without_index(desk)
    conditions = DeskConditions(desk)
    try:
        return _result(desk, conditions)
    finally:
        conditions.remove()


def _result(desk: Desk, conditions: DeskConditions) -> SceneResult:
    now = cast("RiskScore", conditions.score.value)
    spreads = [desk.leaf(name) for name in (_HIGH_YIELD, _INVESTMENT_GRADE) if quoted_value(desk, name) is not None]
    index, fallen = desk.leaf(INDEX), (1.0 + _FALL) * float(conditions.volatility.past[-1])
    with desk.graph.scenario({index: fallen, **{leaf: _WIDER * leaf.price for leaf in spreads}}):
        shocked = cast("RiskScore", conditions.score.value)
    exposures = {**cast("dict[str, float]", conditions.exposures.node.value)}
    amount = _TRADE * math.fsum(exposures.values())
    exposures[index.name] = exposures.get(index.name, 0.0) + amount
    traded = risk_score({**now.components, **component_scores(exposures=exposures).scores}, missing="renormalise")
    cases = {
        "now": now,
        f"{INDEX} {_FALL:.0%}, credit spreads × {_WIDER:g}": shocked,
        f"{INDEX} bought for {amount / 1e6:,.0f} million USD": traded,
    }
    facts = {**_facts(now), "cases": {name: _case(case) for name, case in cases.items()}}
    summary = f"Now: {_said(now)} After the shock: {_said(shocked)}"
    remark = (
        f"Volatility and regime are those of {INDEX}, the spreads those of the CDX indices, which stand for bonds. The "
        "gauges are read from the desk's own quotes."
    )
    return SceneResult(facts, [now, _table(cases), summary, remark])


def _without_index(desk: Desk) -> SceneResult:
    """Return the score of a market without the share index, which has no forecast of volatility and no regime."""
    found = component_scores(
        high_yield_spread=quoted_value(desk, _HIGH_YIELD),
        investment_grade_spread=quoted_value(desk, _INVESTMENT_GRADE),
        exposures=gross_by_underlying(desk.traders),
    )
    now = risk_score(found, missing="renormalise")
    return SceneResult(_facts(now), [now, f"This market does not quote {INDEX}: {_said(now)}"])


def _facts(now: RiskScore) -> dict[str, Any]:
    return {
        **_case(now),
        "components": now.components,
        "contributions": now.contributions,
        "missing": list(now.missing),
        "readings": [reading.text for reading in now.readings],
    }


def _case(case: RiskScore) -> dict[str, Any]:
    lift = case.lift
    better = {} if lift is None else {"better": lift.grade, "alone": lift.alone, "together": lift.together}
    return {"score": case.value, "grade": case.grade, **better}


def _said(case: RiskScore) -> str:
    """Return what would lift the grade, in words."""
    lift = case.lift
    if lift is None:
        return f"{case.grade} is the best grade."
    alone = [f"{name} below {below:.1f}" for name, below in lift.alone.items() if below is not None]
    ways = " or ".join(alone) if alone else "more than one component"
    return f"grade {lift.grade} needs {ways}; or all components lower by {lift.together:.1f}, none below 0."


def _table(cases: Mapping[str, RiskScore]) -> Sheet:
    columns = [names("Case"), numbers("Score"), words("Grade"), words("Components that change")]
    table = Sheet("What a shock and a trade do", columns)
    now = next(iter(cases.values())).components
    for name, case in cases.items():
        moved = [
            f"{component} {now[component]:.1f} → {value:.1f}"
            for component, value in case.components.items()
            if abs(value - now[component]) >= _SHOWN
        ]
        table.add(name, case.value, case.grade, ", ".join(moved))
    table.note("the shock is a scenario of the graph, the trade is not booked: nothing has changed afterwards")
    return table
