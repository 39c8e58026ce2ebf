"""The panels of the live desk.

They are FIRM, TRADERS, MARKET, POSITIONS, ORDERS, TAILS, CONDITIONS, BACK-TESTS and ENGINE.

Each is drawn by a function of a view and a size, which returns that many lines of that many characters. It formats the
figures of the view and computes nothing; if there is little room, less important figures are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.amounts import WARNING, money, short_money, signed_money, span
from bank_python.desk.live.backtests_panel import backtests_lines, backtests_panel
from bank_python.desk.live.columns import Column, fit, fitted, joined
from bank_python.desk.live.conditions_panel import (
    conditions_lines,
    conditions_panel,
    grade_text,
    market_text,
)
from bank_python.desk.live.market_panel import market_panel
from bank_python.desk.live.orders_panel import orders_panel
from bank_python.desk.live.pane import BORDER_HEIGHT, BORDER_WIDTH, pane
from bank_python.desk.live.panel import Panel, Place
from bank_python.desk.live.tails_panel import tails_lines, tails_panel, tails_text
from bank_python.desk.view import TraderView

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import DeskView, JobView, PositionView, Status

__all__ = [
    "PANELS",
    "backtests_panel",
    "conditions_panel",
    "engine_panel",
    "firm_panel",
    "market_panel",
    "orders_panel",
    "positions_panel",
    "tails_panel",
    "traders_panel",
]

_FULL_FIGURES_FROM = 66  # width from which book values are written in full
_LEGEND_FRAME = 3  # characters around a legend
_ROOMY = 6  # height from which the ENGINE panel has a table of jobs
_MARGINS = 4  # lines of a table with a total beside its rows: border, rule, total
_TRAIL = 16  # number of bars in the P&L trail of a trader
_GOOD_STATES = frozenset({"succeeded", "running", "waiting", "queued", "held"})


# --- FIRM ------------------------------------------------------------------------------------------


def firm_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw value, P&L and risk of the firm, valuation date, feed and tick, and the states of the quotes."""
    inside, firm = width - BORDER_WIDTH, view.firm
    facts = [
        Text.assemble("Value $ ", _bold(money(firm.value, glyphs))),
        Text.assemble("P&L $ ", _bold(signed_money(firm.pnl, glyphs))),
        Text.assemble("VaR $ ", _bold(money(view.risk.var_99, glyphs))) if view.risk else Text(),
        Text(view.valuation_date.isoformat()),
        Text(f"feed {view.feed}"),
        Text(f"tick {view.tick:,}"),
        Text(f"market {_minute(view.market_time)}" if view.market_time else ""),
        Text(f"{firm.waiting} holdings waiting for a quote" if firm.waiting else "", style=WARNING),
    ]
    trail = Text.assemble("P&L  ", (glyphs.bars(firm.trail[-(inside - len("P&L  ")) :]), "dim"))
    lines = [
        joined(facts, inside, gap=2),
        _market_line(view, inside, glyphs),
        _risk_line(view, inside, glyphs),
        trail,
    ]
    legend = [Text(_age(view))]
    if view.conditions and height - BORDER_HEIGHT < len(lines):  # the line with the risk score is left out
        legend += [grade_text(view.conditions)]
    if view.tails and height - BORDER_HEIGHT < len(lines):
        legend += [Text(tails_text(view.tails))]
    if view.conditions and height - BORDER_HEIGHT < len(lines):
        legend += [Text(market_text(view.conditions))]
    return pane("FIRM", lines, width, height, glyphs, legend=joined(legend, inside - _LEGEND_FRAME, gap=2).plain)


def _risk_line(view: DeskView, inside: int, glyphs: Glyphs) -> Text:
    risk = view.risk
    if risk is None:
        return Text("risk: not computed yet", style="dim")
    parts = [
        Text.assemble("One-day VaR 95% $ ", money(risk.var_95, glyphs)),
        Text.assemble("99% $ ", money(risk.var_99, glyphs), f" (s.e. {risk.error:,.0f})"),
        Text.assemble("CVaR 99% $ ", money(risk.cvar_99, glyphs)),
        grade_text(view.conditions) if view.conditions else Text(),
        Text(f"{risk.scenarios:,} scenarios"),
        Text(f"proxy, RMS error {risk.proxy_error:,.0f}" if risk.proxy_error is not None else ""),
        Text(f"inputs as of tick {risk.as_of_tick:,}" if risk.as_of_tick < view.tick else ""),
        Text(f"{len(view.alerts)} alerts" if view.alerts else "no alerts", style=WARNING if view.alerts else "dim"),
    ]
    line = joined(parts, inside, gap=2)
    left = inside - line.cell_len - 2
    worst = view.alerts[0].message if view.alerts else ""
    return Text.assemble(line, "  ", fit(Text(worst, style=WARNING), left, glyphs)) if left > 0 else line


def _age(view: DeskView) -> str:
    status = view.status
    seconds = status.polling or 0.0
    polling = f", polling the feeds for {span(seconds)}" if seconds >= 1.0 else ""
    return f"as of {span((status.now - view.made).total_seconds())} ago{polling}"


def _bold(text: Text) -> Text:
    return Text.assemble(text, style="bold")


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}Z"


def _market_line(view: DeskView, inside: int, glyphs: Glyphs) -> Text:
    status, trading = view.status, view.trading
    counts = Text.assemble(
        f"quotes {status.fresh} fresh  ",
        (f"{status.stale} stale  ", WARNING if status.stale else ""),
        (f"{status.unquoted} unquoted", WARNING if status.unquoted else ""),
    )
    if trading is not None and trading.orders and not status.reasons:
        rejected = Text(f"{trading.rejected} rejected", style=WARNING if trading.rejected else "")
        counts = joined([counts, Text(f"orders {trading.filled} filled"), rejected], inside, gap=2)
    if not status.reasons:
        return counts
    first = status.reasons[0]
    aged = f" {span(first.age)}" if first.age is not None else ""
    reason = Text(f"{first.symbols[0]} {first.state}{aged}: {first.reason}", style=WARNING)
    return Text.assemble(counts, "   ", fit(reason, max(inside - counts.cell_len - 3, 0), glyphs))


# --- TRADERS ---------------------------------------------------------------------------------------


def traders_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw strategy, positions, book value, P&L, VaR, Greeks and P&L trail of each trader."""
    inside, room = width - BORDER_WIDTH, height - BORDER_HEIGHT
    whole = room >= len(view.traders) + 2
    rows = (*view.traders, _total(view)) if whole else view.traders
    table = fitted(_trader_columns(rows, inside, glyphs), inside, glyphs)
    if not whole:
        return pane("TRADERS", table.rows, width, height, glyphs, headings=table.headings)
    *lines, total = table.rows
    rule = Text(glyphs.across * inside, style="dim")
    return pane("TRADERS", [*lines, rule, total], width, height, glyphs, headings=table.headings)


def _total(view: DeskView) -> TraderView:
    firm = view.firm
    return TraderView(
        name="Firm",
        strategy="",
        focus="",
        positions=firm.positions,
        waiting=firm.waiting,
        value=firm.value,
        pnl=firm.pnl,
        change=firm.change,
        trail=firm.trail,
        greeks=firm.greeks,
        var_99=None if view.risk is None else view.risk.var_99,
        waits_for=(),
        stand_ins={},
    )


def _trader_columns(rows: Sequence[TraderView], inside: int, glyphs: Glyphs) -> list[Column]:
    amount = money if inside >= _FULL_FIGURES_FROM else short_money
    return [
        Column("", [Text(row.name) for row in rows], left=True, width=7),
        Column("strategy", [Text(row.strategy, style="dim") for row in rows], rank=3, left=True),
        Column("focus", [Text(row.focus, style="dim") for row in rows], rank=5, left=True, shrinks_to=16),
        Column("pos", [_position_count(row) for row in rows], rank=4, width=3),
        Column("value $", [amount(row.value, glyphs) for row in rows], rank=1, width=7),
        Column("P&L $", [signed_money(row.pnl, glyphs) for row in rows], width=8),
        Column(
            "change",
            [signed_money(row.change, glyphs) if row.change is not None else Text() for row in rows],
            rank=2,
            width=7,
        ),
        Column("VaR 99%", [amount(row.var_99, glyphs) for row in rows], rank=7, width=7),
        *(
            Column(
                title,
                [signed_money(None if row.greeks is None else getattr(row.greeks, name), glyphs) for row in rows],
                rank=rank,
                width=7,
            )
            for title, name, rank in (("delta 1%", "delta", 8), ("vega 1pt", "vega", 9), ("theta 1d", "theta", 10))
        ),
        Column(
            "P&L trail",
            [Text(glyphs.bars(row.trail[-_TRAIL:]), style="dim") for row in rows],
            rank=6,
            left=True,
            width=_TRAIL,
        ),
    ]


def _position_count(row: TraderView) -> Text:
    return Text(f"{row.positions}+{row.waiting}", style=WARNING) if row.waiting else Text(f"{row.positions}")


# --- POSITIONS -------------------------------------------------------------------------------------


def positions_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw the positions with the largest profits and losses."""
    inside, room = width - BORDER_WIDTH, height - BORDER_HEIGHT
    valued = [line for line in view.positions if line.pnl is not None]
    if not valued:
        warning = Text("no positions valued yet", style=WARNING)
        return pane("POSITIONS", [fit(warning, inside, glyphs)], width, height, glyphs)
    too_many = len(valued) > room
    shown = [*valued[: (room + 1) // 2], *valued[len(valued) - room // 2 :]] if too_many else valued
    table = fitted(_position_columns(shown, inside, glyphs), inside, glyphs)
    legend = f"best and worst of {len(valued)}" if too_many else ""
    return pane("POSITIONS", table.rows, width, height, glyphs, headings=table.headings, legend=legend)


def _position_columns(lines: Sequence[PositionView], inside: int, glyphs: Glyphs) -> list[Column]:
    amount = money if inside >= _FULL_FIGURES_FROM else short_money
    return [
        Column("", [Text(line.instrument) for line in lines], left=True, width=9, shrinks_to=12),
        Column("trader", [Text(line.trader, style="dim") for line in lines], rank=1, left=True, width=7),
        Column("kind", [Text(line.kind, style="dim") for line in lines], rank=4, left=True),
        Column("quantity", [Text(f"{line.quantity:+,.0f}") for line in lines], rank=3, width=8),
        Column("value $", [amount(line.value, glyphs) for line in lines], rank=2, width=7),
        Column("P&L $", [signed_money(line.pnl, glyphs) for line in lines], width=8),
    ]


# --- ENGINE ----------------------------------------------------------------------------------------


def engine_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw the counters of the graph, the last recalculation, the what-if and the background jobs."""
    inside, status = width - BORDER_WIDTH, view.status
    nodes = Text(f"{view.nodes:,} nodes  {status.dirty:,} dirty")
    total = Text(f"{status.evaluations:,} in total")
    if height - BORDER_HEIGHT < _ROOMY:
        short = [nodes, _recalculated(view, roomy=False), total, _what_if(status, glyphs)]
        failed_first = sorted(status.jobs, key=lambda job: job.state in _GOOD_STATES)
        jobs = joined([_short_job(job) for job in failed_first], inside, gap=2)
        legend = "jobs: state, + time to the next run"
        return pane("ENGINE", [joined(short, inside), jobs], width, height, glyphs, legend=legend)
    counters = Text(f"{status.ticks:,} ticks"), Text(f"{status.evaluations:,} evaluations in total")
    graph = joined([nodes, *counters], inside)
    table = fitted(_job_columns(status.jobs), inside, glyphs)
    lines = [
        graph,
        _recalculated(view, roomy=True),
        *_by_class(view, inside),
        Text.assemble("what-if: ", _what_if(status, glyphs)) if status.what_if else Text(),
        Text(),
        Text(table.headings, style="dim"),
        *table.rows,
        Text(),
        *[_note(job, inside, glyphs) for job in status.jobs if job.note],
    ]
    return pane("ENGINE", lines, width, height, glyphs)


def _recalculated(view: DeskView, *, roomy: bool) -> Text:
    done = view.recalculation
    if done is None:
        return Text("no recalculation yet")
    if roomy:
        failed = Text(f"{done.failed:,} failed", style=WARNING if done.failed else "")
        start = f"recalculation: {done.evaluated:,} evaluated, {done.changed:,} changed, "
        return Text.assemble(start, failed, f", {done.seconds * 1e3:.1f} ms")
    return Text(f"last: {done.evaluated:,} evaluated, {done.seconds * 1e3:.1f} ms")


def _by_class(view: DeskView, inside: int) -> list[Text]:
    if view.recalculation is None:
        return []
    parts = [Text(f"{kind} {count:,}", style="dim") for kind, count in view.recalculation.by_class.items()]
    lines = [Text()]
    for part in parts:
        if lines[-1] and lines[-1].cell_len + 2 + part.cell_len > inside:
            lines.append(Text())
        lines[-1].append("  " if lines[-1] else "").append_text(part)
    return lines


def _what_if(status: Status, glyphs: Glyphs) -> Text:
    last = status.what_if
    return Text() if last is None else Text.assemble(f"{last.name} ", signed_money(last.pnl, glyphs))


def _short_job(job: JobView) -> Text:
    state = "ok" if job.state == "succeeded" else job.state
    when = ""
    if job.busy is not None:
        when = f" {span(job.busy)}"
    elif job.due is not None and job.state != "held":
        when = f" +{span(max(job.due, 0.0))}"
    style = "" if job.state in _GOOD_STATES else WARNING
    return Text.assemble((f"{job.name} ", "dim"), (f"{state}{when}", style))


def _note(job: JobView, inside: int, glyphs: Glyphs) -> Text:
    return fit(Text(f"{job.name}: {job.note}", style=WARNING), inside, glyphs)


def _job_columns(jobs: Sequence[JobView]) -> list[Column]:
    return [
        Column("job", [Text(job.name) for job in jobs], left=True),
        Column("schedule", [Text(job.schedule, style="dim") for job in jobs], rank=5, left=True),
        Column("state", [_state(job) for job in jobs], left=True, width=9),
        Column("last", [Text("" if job.ago is None else f"{span(job.ago)} ago") for job in jobs], rank=1, width=7),
        Column("took", [Text("" if job.took is None else f"{job.took * 1e3:.0f} ms") for job in jobs], rank=2, width=8),
        Column("next", [Text("" if job.due is None else _due(job.due)) for job in jobs], width=6),
        Column("runs", [Text(f"{job.runs:,}") for job in jobs], rank=3, width=5),
        Column("failed", [_failures(job) for job in jobs], rank=4),
    ]


def _state(job: JobView) -> Text:
    busy = f" {span(job.busy)}" if job.busy is not None and job.busy >= 1.0 else ""
    return Text(f"{job.state}{busy}", style="" if job.state in _GOOD_STATES else WARNING)


def _due(seconds: float) -> str:
    return f"in {span(seconds)}" if seconds > 0.0 else "now"


def _failures(job: JobView) -> Text:
    return Text(f"{job.failures:,}", style=WARNING if job.failures else "dim")


# --- the list --------------------------------------------------------------------------------------

PANELS = (
    Panel("FIRM", 60, 4, 1, Place.HEAD, firm_panel),
    Panel("TRADERS", 44, 6, 2, Place.MAIN, traders_panel, complete_at=lambda view: len(view.traders) + _MARGINS),
    Panel("MARKET", 27, 5, 3, Place.SIDE, market_panel),
    Panel("POSITIONS", 27, 6, 4, Place.LOWER, positions_panel),
    Panel("ORDERS", 38, 5, 7, Place.SIDE, orders_panel),
    Panel(
        *("TAILS", 29, 6, 9, Place.SIDE, tails_panel),
        complete_at=tails_lines,
        is_needed=lambda view: view.tails is not None,
        needs_whole_main=True,
    ),
    Panel("CONDITIONS", 50, 5, 6, Place.LOWER, conditions_panel, complete_at=conditions_lines),
    Panel(
        *("BACK-TESTS", 44, 3, 8, Place.LOWER, backtests_panel),
        complete_at=backtests_lines,
        is_needed=lambda view: bool(view.backtests),
    ),
    Panel("ENGINE", 50, 4, 5, Place.FOOT, engine_panel),
)
"""Panels of the live desk, in order of position; a new panel is added here."""
