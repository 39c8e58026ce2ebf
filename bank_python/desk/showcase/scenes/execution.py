"""Execution: what a fill costs by its size, and how a large order is spread over days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.desk.showcase.figures import past_prices, quoted_value, require_quotes, share_index
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.risk_models import execution_frontier, execution_schedule
from bank_python.sheet import Sheet, names, numbers
from bank_python.trading_engine import ExecutionModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.risk_models import ExecutionFrontier, ExecutionSchedule
    from bank_python.trading_engine import FillCost

_SIZES = (0.001, 0.01, 0.1)
"""Sizes of an order as shares of the daily volume."""
_SPREAD_BPS, _FEE = 2.0, 0.005
_MONTH, _TRADED = 21, 5e8
"""Assumed value traded per day, for prices without volumes."""
_DAYS, _TRADES, _ORDER = 5, 10, 0.5
_PRICED = (0.0, 1e-9, 1e-8, 1e-7)
_MODEL = ExecutionModel(slippage_bps=0.5, spread_bps=_SPREAD_BPS, impact="square_root", fee_per_share=_FEE)


@scene("EXECUTION: COSTS AND SCHEDULES")
def execution(stage: Stage) -> SceneResult:
    """Price fills by size, and trade half a day's volume in a week: slowly and cheaply, or fast and surely."""
    desk = stage.desk
    require_quotes(desk)
    symbol = share_index(desk)
    price, vol, volume, said = _market(desk, symbol)
    fills = {size: _MODEL.price_of("buy", size * volume, price, adv=volume, daily_vol=vol) for size in _SIZES}
    spread = 1e-4 * _SPREAD_BPS * price
    # The rule of thumb of Almgren and Chriss: a tenth of the volume moves the price by a spread for good, and each
    # hundredth traded in a day costs a spread.
    terms = {
        "vol": vol * price,
        "half_spread": 0.5 * spread + _FEE,
        "permanent_impact": spread / (0.1 * volume),
        "temporary_impact": spread / (0.01 * volume),
    }
    order = round(_ORDER * volume)
    frontier = execution_frontier(order, _DAYS, _TRADES, **terms, risk_aversions=_PRICED)
    plan = execution_schedule(order, _DAYS, _TRADES, **terms, risk_aversion=_PRICED[-2])
    facts = {
        "symbol": symbol,
        "volume": said,
        "cost_bps": {f"{size:.1%}": fill.total_bps for size, fill in fills.items()},
        "order": order,
        "risk_aversions": list(_PRICED),
        "expected_costs": frontier.expected_costs.tolist(),
        "standard_deviations": np.sqrt(frontier.variances).tolist(),
        "half_lives": [one.half_life for one in frontier.schedules[1:]],
        "trades": plan.trades.tolist(),
    }
    heading = f"{symbol} at {price:,.2f}; volatility {vol:.2%} and volume {volume:,.0f} a day ({said})."
    remark = (
        "Costs grow with the root of the size, so ten times the order costs more than ten times as much. Speed is "
        "paid for: each row below costs more than the one above and varies less."
    )
    return SceneResult(
        facts, [heading, _costs(fills), remark, _frontier(frontier, order), _shares_left(plan, frontier)]
    )


def _market(desk: Desk, symbol: str) -> tuple[float, float, float, str]:
    """Return price, daily volatility and shares traded a day, and where the volume comes from."""
    past = past_prices(desk, [symbol], "1y")
    closes = past.closes(symbol)
    price = quoted_value(desk, symbol) or float(closes[-1])
    volumes = [row["volume"] for row in list(past.query(symbol))[-_MONTH:]]
    vol = float(np.diff(np.log(closes)).std(ddof=1))
    if volumes and all(volumes):
        return price, vol, float(np.mean(volumes)), f"mean of {_MONTH} days"
    return price, vol, _TRADED / price, f"assumed, {_TRADED:,.0f} USD"


def _costs(fills: Mapping[float, FillCost]) -> Sheet:
    columns = [names("Of a day's volume"), *(numbers(title) for title in ("Shares", "Price", "Spread bp"))]
    shown = Sheet("Costs of a purchase", [*columns, *(numbers(title) for title in ("Impact bp", "All bp", "In money"))])
    for size, fill in fills.items():
        value = fill.quantity * fill.reference_price
        parts = (fill.spread + fill.slippage, fill.impact, fill.total)
        amounts = [f"{1e4 * part / value:.2f}" for part in parts]
        shown.add(f"{size:.1%}", f"{fill.quantity:,.0f}", f"{fill.price:,.2f}", *amounts, f"{fill.total:,.0f}")
    shown.note("spread: half of it, with slippage; impact: by the root of the share of the volume; all: with fees")
    return shown


def _frontier(frontier: ExecutionFrontier, order: int) -> Sheet:
    columns = [names("Risk aversion"), *(numbers(title) for title in ("Expected cost", "Deviation", "First day"))]
    shown = Sheet(f"{order:,} shares in {_DAYS} days", [*columns, numbers("Half-life, days")])
    for plan in frontier.schedules:
        name = f"{plan.risk_aversion:g}" if plan.risk_aversion else "0, equal trades"
        first = plan.trades[: _TRADES // _DAYS].sum() / order
        life = f"{plan.half_life:.2f}" if plan.risk_aversion else "—"
        shown.add(name, f"{plan.expected_cost:,.0f}", f"{plan.standard_deviation:,.0f}", f"{first:.0%}", life)
    return shown


def _shares_left(plan: ExecutionSchedule, frontier: ExecutionFrontier) -> Sheet:
    columns = [names("Day"), numbers("Equal trades, left"), numbers(f"Risk aversion {plan.risk_aversion:g}, left")]
    shown = Sheet("Shares left to trade", columns)
    for i, day in enumerate(plan.times.tolist()):
        if i % (_TRADES // _DAYS) == 0:
            shown.add(f"{day:g}", f"{frontier.schedules[0].holdings[i]:,.0f}", f"{plan.holdings[i]:,.0f}")
    return shown
