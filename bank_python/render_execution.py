"""Terminal views of execution: schedules of trades, their frontier, costs of fills."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.numerals import number
from bank_python.sheet import Bar, Sheet, bars, names, numbers, words

if TYPE_CHECKING:
    from bank_python.risk_models.optimal_execution import ExecutionFrontier, ExecutionSchedule
    from bank_python.risk_models.volume_schedule import VolumeSchedule
    from bank_python.trading_engine.execution import FillCost

__all__ = ["fill_cost_view", "frontier_view", "schedule_view", "volume_schedule_view"]

_MOST_ROWS = 12
_GAUGE = 12


def schedule_view(plan: ExecutionSchedule) -> Sheet:
    """Show the trades of a schedule with what is left after each, the cost and the urgency."""
    size = float(plan.holdings[0])
    title = f"Execution of {_units(size)} shares in {float(plan.times[-1]):g} days, {len(plan.trades):,} trades"
    shown = Sheet(title, [numbers("Trade", 0), numbers("Day"), numbers("Shares"), numbers("Left"), bars(width=_GAUGE)])
    rows = list(zip(plan.times[1:].tolist(), plan.trades.tolist(), plan.holdings[1:].tolist(), strict=True))
    for i, (day, shares, left) in enumerate(rows[:_MOST_ROWS], 1):
        shown.add(i, f"{day:,.4g}", _units(shares), _units(left), Bar(0.0, left / size, "cyan", rest="·"))
    if len(rows) > _MOST_ROWS:
        shown.note(f"{len(rows) - _MOST_ROWS:,} later trades")
    cost = plan.expected_cost
    shown.note(f"expected cost {_units(cost)} (per share {cost / abs(size):.4g}) ± {_units(plan.standard_deviation)}")
    half_life = f"half-life {plan.half_life:.4g} days" if plan.kappa > 0.0 else "equal trades"
    shown.note(f"risk aversion {plan.risk_aversion:.4g}, κ {plan.kappa:.4g} a day, {half_life}")
    return shown


def frontier_view(frontier: ExecutionFrontier) -> Sheet:
    """Show the expected cost and the risk of schedules by risk aversion, at most twelve of them, evenly spread."""
    schedules = frontier.schedules
    size, days = abs(float(schedules[0].holdings[0])), float(schedules[0].times[-1])
    columns = [numbers("Risk aversion"), numbers("Expected cost"), numbers("Std deviation"), words("Half-life, days")]
    shown = Sheet(f"Execution of {_units(size)} shares in {days:g} days", [*columns, bars(width=_GAUGE)])
    widest = max(schedule.standard_deviation for schedule in schedules)
    count = min(len(schedules), _MOST_ROWS)
    last = len(schedules) - 1
    for at in sorted({round(i * last / max(count - 1, 1)) for i in range(count)}):
        plan = schedules[at]
        life = "infinite" if math.isinf(plan.half_life) else f"{plan.half_life:,.4g}"
        bar = Bar(0.0, plan.standard_deviation / widest if widest > 0.0 else 0.0, "cyan")
        figures = (_units(plan.expected_cost), _units(plan.standard_deviation), life)
        shown.add(f"{plan.risk_aversion:.3g}", *figures, bar)
    if count < len(schedules):
        shown.note(f"{count} of {len(schedules)} schedules")
    shown.note("costs in money against the price at the start; bars show the standard deviation")
    return shown


def volume_schedule_view(plan: VolumeSchedule) -> Sheet:
    """Show the trades of a schedule that follows the volume, with the volume of each interval."""
    title = f"{plan.method} of {_units(plan.shares)} shares over {len(plan.trades):,} intervals"
    at = words("Date") if plan.dates is not None else numbers("Interval", 0)
    shown = Sheet(title, [at, numbers("Volume"), numbers("Shares"), numbers("Left"), bars(width=_GAUGE)])
    moments = [f"{day}" for day in plan.dates] if plan.dates is not None else range(1, len(plan.trades) + 1)
    rows = list(zip(moments, plan.volumes.tolist(), plan.trades.tolist(), plan.holdings[1:].tolist(), strict=True))
    for moment, volume, shares, left in rows[:_MOST_ROWS]:
        bar = Bar(0.0, left / plan.shares, "cyan", rest="·")
        shown.add(moment, _units(volume), _units(shares), _units(left), bar)
    if len(rows) > _MOST_ROWS:
        shown.note(f"{len(rows) - _MOST_ROWS:,} later intervals")
    if plan.participation <= 1.0:
        shown.note(f"{plan.participation:.2%} of the volume until the last trade")
    if plan.unfilled:
        shown.note(f"{_units(plan.unfilled)} shares unfilled: the volumes do not suffice")
    return shown


def fill_cost_view(fill: FillCost) -> Sheet:
    """Show the costs of a fill in money and in basis points of its value."""
    price, before = number(fill.price, 4), number(fill.reference_price, 4)
    title = f"{fill.side.value} {_units(fill.quantity)} at {price}, reference {before}"
    shown = Sheet(title, [names("Cost"), numbers("Amount"), numbers("Basis points")])
    value = fill.quantity * fill.reference_price * fill.multiplier
    for name in ("spread", "slippage", "impact", "fees"):
        amount = getattr(fill, name)
        shown.add("half the spread" if name == "spread" else name, amount, f"{1e4 * amount / value:,.2f}")
    shown.rule()
    shown.add("total", fill.total, f"{fill.total_bps:,.2f}")
    shown.note(f"cash {fill.cash:+,.2f}")
    return shown


def _units(count: float) -> str:
    """Return an amount with no decimals from 1,000 on and six digits below, as orders may be fractions of a unit."""
    return number(count, 0) if abs(count) >= 1_000.0 else f"{count:,.6g}"  # noqa: PLR2004 - there decimals do not matter
