"""The risk score of the firm with its grade, from figures of the desk: what lifts it, a what-if, and a trade."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from bank_python.desk.showcase.figures import past_prices, quoted_value, require_quotes, share_index
from bank_python.desk.showcase.share_positions import liquidation, share_values, traded_values
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.macro import read_gauges, simulate_macro
from bank_python.risk import (
    ReactiveRegimes,
    ReactiveVolatility,
    component_scores,
    gross_by_underlying,
    risk_score,
)
from bank_python.sheet import Sheet, names, numbers, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.risk import RiskScore

_HIGH_YIELD, _INVESTMENT_GRADE = "CDX_HY", "CDX_IG"
_HORIZON = 20
_FALL, _WIDER = -0.05, 1.5
_TRADE = 0.5


class _Conditions:
    """The figures behind the score, of which those in the graph follow quotes and scenarios."""

    def __init__(self, desk: Desk, nodes: ExitStack) -> None:
        self.desk, self.symbol = desk, share_index(desk)
        past, leaf = past_prices(desk, [self.symbol]), desk.leaf(self.symbol)
        self.volatility = ReactiveVolatility(
            desk.graph, past, self.symbol, "gjr", horizon=_HORIZON, name="SHOWCASE:VOLATILITY", spot=leaf
        )
        nodes.callback(self.volatility.remove)
        self.regimes = ReactiveRegimes(desk.graph, past, self.symbol, name="SHOWCASE:REGIMES", spot=leaf)
        nodes.callback(self.regimes.remove)
        self.stress_share = read_gauges(simulate_macro(end=desk.clock.date)).stress_share
        self.traded = traded_values(desk, list(share_values(desk)))

    def score(self, trade: Mapping[str, float] | None = None) -> RiskScore:
        """Return the present score, that of a scenario inside it, or that after trades of shares (USD by symbol)."""
        exposures, shares = gross_by_underlying(self.desk.traders), share_values(self.desk)
        for symbol, amount in (trade or {}).items():
            leaf = self.desk.leaf(symbol).name
            exposures[leaf] = exposures.get(leaf, 0.0) + amount
            shares[symbol] = shares.get(symbol, 0.0) + amount
        book = liquidation(shares, self.traded)
        found = component_scores(
            vol=float(self.volatility.forecast.value),
            high_yield_spread=quoted_value(self.desk, _HIGH_YIELD),
            investment_grade_spread=quoted_value(self.desk, _INVESTMENT_GRADE),
            liquidation_days=None if book is None else book.days_for(0.95),
            exposures=exposures,
            turbulent_probability=float(self.regimes.turbulence.value),
            stressed_share=self.stress_share,
        )
        return risk_score(found, missing="renormalise")


@scene("RISK SCORE AND GRADE")
def score(stage: Stage) -> SceneResult:
    """Grade the firm and its market from AAA to CCC; see what would lift the grade, and what a shock and a trade do."""
    desk = stage.desk
    require_quotes(desk)
    with ExitStack() as nodes:
        conditions = _Conditions(desk, nodes)
        now = conditions.score()
        indices = (_HIGH_YIELD, _INVESTMENT_GRADE)
        spreads = [desk.leaf(symbol) for symbol in indices if quoted_value(desk, symbol) is not None]
        fallen = (1.0 + _FALL) * float(conditions.volatility.past[-1])
        shocks = {desk.leaf(conditions.symbol): fallen, **{leaf: _WIDER * leaf.price for leaf in spreads}}
        with desk.graph.scenario(shocks):
            shocked = conditions.score()
        amount = _TRADE * sum(gross_by_underlying(desk.traders).values())
        traded = conditions.score({conditions.symbol: amount})
    fall = f"{conditions.symbol} {_FALL:.0%}, credit spreads × {_WIDER:g}"
    cases = {"now": now, fall: shocked, f"{conditions.symbol} bought for {amount / 1e6:,.0f} million": traded}
    facts = {
        "score": now.value,
        "grade": now.grade,
        "components": now.components,
        "contributions": now.contributions,
        "missing": list(now.missing),
        "readings": [reading.text for reading in now.readings],
        "cases": {name: {"score": case.value, "grade": case.grade, **_lift(case)} for name, case in cases.items()},
    }
    remark = (
        f"Volatility: GJR forecast of {conditions.symbol} over {_HORIZON} days. Spreads: quoted CDX indices, in the "
        "place of bond indices. Liquidity: shares and funds, at a tenth of the usual volume. The macro gauges "
        "are simulated."
    )
    return SceneResult(facts, [now, _table(cases), f"Now: {_said(now)} After the shock: {_said(shocked)}", remark])


def _lift(case: RiskScore) -> dict[str, Any]:
    lift = case.lift
    return {} if lift is None else {"better": lift.grade, "alone": lift.alone, "together": lift.together}


def _said(case: RiskScore) -> str:
    """Return what would lift the grade, in words."""
    lift = case.lift
    if lift is None:
        return f"{case.grade} is the best grade."
    alone = [f"{name} below {below:.1f}" for name, below in lift.alone.items() if below is not None]
    ways = " or ".join(alone) if alone else "no component alone"
    return f"grade {lift.grade} needs {ways}; or all components lower by {lift.together:.1f}, none below 0."


def _table(cases: Mapping[str, RiskScore]) -> Sheet:
    columns = [names("Case"), numbers("Score"), words("Grade"), words("Components that change", wraps=True)]
    table = Sheet("What a shock and a trade do", columns)
    now: dict[str, Any] = next(iter(cases.values())).components
    for name, case in cases.items():
        moved = [
            f"{component} {now[component]:.1f} → {value:.1f}"
            for component, value in case.components.items()
            if abs(value - now[component]) >= 0.05  # noqa: PLR2004 - a change that one decimal shows
        ]
        table.add(name, case.value, case.grade, ", ".join(moved))
    table.note("the shock is a scenario of the graph, the trade is not booked: nothing has changed afterwards")
    return table
