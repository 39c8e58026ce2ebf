"""The five panels of the live desk: FIRM, TRADERS, MARKET, POSITIONS, ENGINE.

A panel is a function of a frame, a pulse and a size, and returns exactly so many lines of exactly so many cells. It
writes what it is given and computes nothing; where there is less room it leaves out what matters less.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.amounts import WARNING, money, short_money, signed_money, span
from bank_python.desk.live.columns import Column, fit, fitted, joined
from bank_python.desk.live.market_panel import market_panel
from bank_python.desk.live.pane import BORDER_HEIGHT, BORDER_WIDTH, pane
from bank_python.desk.view import TraderLine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import Frame, JobLine, PositionLine, Pulse

__all__ = ["PANELS", "engine_panel", "firm_panel", "market_panel", "positions_panel", "traders_panel"]

_FULL_FIGURES_FROM = 66  # cells: from here on book values are written out
_ROOMY = 6  # lines: from here on a panel about one thing shows more than the essentials
_TRAIL = 16  # frames of a trader's P&L that are shown
_GOOD_STATES = frozenset({"succeeded", "running", "waiting", "queued", "held"})


# --- FIRM ------------------------------------------------------------------------------------------


def firm_panel(frame: Frame, pulse: Pulse, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Show value, P&L, date, tick and feed of the firm, and how far the market's data can be trusted."""
    inside, firm = width - BORDER_WIDTH, frame.firm
    facts = [
        Text.assemble("Value $ ", _bold(money(firm.value, glyphs))),
        Text.assemble("P&L $ ", _bold(signed_money(firm.pnl, glyphs))),
        Text.assemble("VaR $ ", _bold(money(frame.risk.var_99, glyphs))) if frame.risk else Text(),
        Text(firm.date.isoformat()),
        Text(f"feed {glyphs.clean(firm.feed)}"),
        Text(f"tick {firm.tick:,}"),
        Text(f"market {_minute(firm.market_time)}" if firm.market_time else ""),
        Text(f"{firm.waiting} holdings wait for a quote" if firm.waiting else "", style=WARNING),
    ]
    trail = Text.assemble("P&L  ", (glyphs.bars(firm.trail[-(inside - len("P&L  ")) :]), "dim"))
    lines = [
        joined(facts, inside, gap=2),
        _market_line(pulse, inside, glyphs),
        _risk_line(frame, inside, glyphs),
        trail,
    ]
    return pane("FIRM", lines, width, height, glyphs, legend=_age(frame, pulse))


def _risk_line(frame: Frame, inside: int, glyphs: Glyphs) -> Text:
    risk = frame.risk
    if risk is None:
        return Text("risk: not measured yet", style="dim")
    parts = [
        Text.assemble("risk of a day  VaR 95% $ ", money(risk.var_95, glyphs)),
        Text.assemble("99% $ ", money(risk.var_99, glyphs), f" (error {risk.error:,.0f})"),
        Text.assemble("CVaR 99% $ ", money(risk.cvar_99, glyphs)),
        Text(f"{risk.scenarios:,} scenarios"),
        Text(f"by a proxy, off by {risk.proxy_error:,.0f}" if risk.proxy_error is not None else ""),
        Text(f"rates as of tick {risk.as_of_tick:,}" if risk.as_of_tick < frame.firm.tick else ""),
        Text(f"{risk.alerts} alerts" if risk.alerts else "no alerts", style=WARNING if risk.alerts else "dim"),
    ]
    line = joined(parts, inside, gap=2)
    left = inside - line.cell_len - 2
    return (
        Text.assemble(line, "  ", fit(Text(glyphs.clean(risk.worst), style=WARNING), left, glyphs))
        if left > 0
        else line
    )


def _age(frame: Frame, pulse: Pulse) -> str:
    asking = f", asking the market for {span(pulse.asking)}" if pulse.asking is not None and pulse.asking >= 1.0 else ""
    return f"as of {span((pulse.now - frame.made).total_seconds())} ago{asking}"


def _bold(text: Text) -> Text:
    return Text.assemble(text, style="bold")


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}Z"


def _market_line(pulse: Pulse, inside: int, glyphs: Glyphs) -> Text:
    counts = Text.assemble(
        f"quotes {pulse.fresh} fresh  ",
        (f"{pulse.stale} stale  ", WARNING if pulse.stale else ""),
        (f"{pulse.unquoted} unquoted", WARNING if pulse.unquoted else ""),
    )
    if not pulse.reasons:
        return counts
    first = pulse.reasons[0]
    aged = f" {span(first.age)}" if first.age is not None else ""
    reason = Text(f"{first.symbols[0]} {first.state}{aged}: {glyphs.clean(first.reason)}", style=WARNING)
    return Text.assemble(counts, "   ", fit(reason, max(inside - counts.cell_len - 3, 0), glyphs))


# --- TRADERS ---------------------------------------------------------------------------------------


def traders_panel(frame: Frame, pulse: Pulse, width: int, height: int, glyphs: Glyphs) -> list[Text]:  # noqa: ARG001 - panels share one signature
    """Show each trader's strategy, positions, book value, P&L, its change, its Greeks and its course."""
    inside, room = width - BORDER_WIDTH, height - BORDER_HEIGHT
    whole = room >= len(frame.traders) + 2
    rows = (*frame.traders, _total(frame)) if whole else frame.traders
    table = fitted(_trader_columns(rows, inside, glyphs), inside, glyphs)
    if not whole:
        return pane("TRADERS", table.rows, width, height, glyphs, headings=table.headings)
    *lines, total = table.rows
    rule = Text(glyphs.across * inside, style="dim")
    return pane("TRADERS", [*lines, rule, total], width, height, glyphs, headings=table.headings)


def _total(frame: Frame) -> TraderLine:
    firm, held = frame.firm, len(frame.positions)
    greeks = {name: _summed([getattr(row, name) for row in frame.traders]) for name in ("delta", "vega", "theta")}
    var = None if frame.risk is None else frame.risk.var_99
    return TraderLine(
        "Firm", "", "", held, firm.waiting, firm.value, firm.pnl, firm.change, firm.trail, **greeks, var=var
    )


def _summed(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None


def _trader_columns(rows: Sequence[TraderLine], inside: int, glyphs: Glyphs) -> list[Column]:
    worth = money if inside >= _FULL_FIGURES_FROM else short_money
    return [
        Column("", [Text(row.name) for row in rows], left=True, width=7),
        Column("strategy", [Text(row.strategy, style="dim") for row in rows], rank=3, left=True),
        Column("focus", [Text(row.focus, style="dim") for row in rows], rank=5, left=True, shrinks_to=16),
        Column("pos", [_held(row) for row in rows], rank=4, width=3),
        Column("value $", [worth(row.value, glyphs) for row in rows], rank=1, width=7),
        Column("P&L $", [signed_money(row.pnl, glyphs) for row in rows], width=8),
        Column(
            "change",
            [signed_money(row.change, glyphs) if row.change is not None else Text() for row in rows],
            rank=2,
            width=7,
        ),
        Column("VaR 99%", [worth(row.var, glyphs) for row in rows], rank=7, width=7),
        *(
            Column(title, [signed_money(getattr(row, name), glyphs) for row in rows], rank=rank, width=7)
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


def _held(row: TraderLine) -> Text:
    return Text(f"{row.positions}+{row.waiting}", style=WARNING) if row.waiting else Text(f"{row.positions}")


# --- POSITIONS -------------------------------------------------------------------------------------


def positions_panel(frame: Frame, pulse: Pulse, width: int, height: int, glyphs: Glyphs) -> list[Text]:  # noqa: ARG001 - panels share one signature
    """Show the positions that made most and those that lost most."""
    inside, room = width - BORDER_WIDTH, height - BORDER_HEIGHT
    valued = [line for line in frame.positions if line.pnl is not None]
    if not valued:
        waiting = Text("no position is valued yet", style=WARNING)
        return pane("POSITIONS", [fit(waiting, inside, glyphs)], width, height, glyphs)
    rest = len(valued) > room
    ends = [*valued[: (room + 1) // 2], *valued[len(valued) - room // 2 :]] if rest else valued
    table = fitted(_position_columns(ends, inside, glyphs), inside, glyphs)
    legend = f"best and worst of {len(valued)}" if rest else ""
    return pane("POSITIONS", table.rows, width, height, glyphs, headings=table.headings, legend=legend)


def _position_columns(lines: Sequence[PositionLine], inside: int, glyphs: Glyphs) -> list[Column]:
    worth = money if inside >= _FULL_FIGURES_FROM else short_money
    return [
        Column("", [Text(line.instrument) for line in lines], left=True, width=9, shrinks_to=12),
        Column("trader", [Text(line.trader, style="dim") for line in lines], rank=1, left=True, width=7),
        Column("kind", [Text(line.kind, style="dim") for line in lines], rank=4, left=True),
        Column("quantity", [Text(f"{line.quantity:+,.0f}") for line in lines], rank=3, width=8),
        Column("value $", [worth(line.value, glyphs) for line in lines], rank=2, width=7),
        Column("P&L $", [signed_money(line.pnl, glyphs) for line in lines], width=8),
    ]


# --- ENGINE ----------------------------------------------------------------------------------------


def engine_panel(frame: Frame, pulse: Pulse, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Show the graph, what the last recalculation did, and the background jobs."""
    inside = width - BORDER_WIDTH
    nodes = Text(f"{frame.nodes:,} nodes  {pulse.dirty:,} dirty")
    in_all = Text(f"{pulse.evaluations:,} in all")
    if height - BORDER_HEIGHT < _ROOMY:
        short = [nodes, _recalculated(frame, roomy=False), in_all, _supposed(pulse, glyphs)]
        in_trouble_first = sorted(pulse.jobs, key=lambda job: job.state in _GOOD_STATES)
        jobs = joined([_short_job(job, glyphs) for job in in_trouble_first], inside, gap=2)
        legend = "jobs: state, + time to the next run"
        return pane("ENGINE", [joined(short, inside), jobs], width, height, glyphs, legend=legend)
    graph = joined([nodes, Text(f"{pulse.ticks:,} ticks"), Text(f"{pulse.evaluations:,} evaluations in all")], inside)
    table = fitted(_job_columns(pulse.jobs), inside, glyphs)
    lines = [
        graph,
        _recalculated(frame, roomy=True),
        *_by_class(frame, inside),
        Text.assemble("what-if: ", _supposed(pulse, glyphs)) if pulse.what_if else Text(),
        Text(),
        Text(table.headings, style="dim"),
        *table.rows,
        Text(),
        *[_note(job, inside, glyphs) for job in pulse.jobs if job.note],
    ]
    return pane("ENGINE", lines, width, height, glyphs)


def _recalculated(frame: Frame, *, roomy: bool) -> Text:
    done = frame.recalculation
    if done is None:
        return Text("nothing recalculated yet")
    if roomy:
        failed = Text(f"{done.failed:,} failed", style=WARNING if done.failed else "")
        start = f"last recalculation: {done.evaluated:,} evaluated, {done.changed:,} changed, "
        return Text.assemble(start, failed, f", {done.seconds * 1e3:.1f} ms")
    return Text(f"last {done.evaluated:,} evaluated {done.seconds * 1e3:.1f} ms")


def _by_class(frame: Frame, inside: int) -> list[Text]:
    if frame.recalculation is None:
        return []
    classes = sorted(frame.recalculation.by_class.items(), key=lambda item: -item[1])
    parts = [Text(f"{kind} {count:,}", style="dim") for kind, count in classes]
    lines = [Text()]
    for part in parts:
        if lines[-1] and lines[-1].cell_len + 2 + part.cell_len > inside:
            lines.append(Text())
        lines[-1].append("  " if lines[-1] else "").append_text(part)
    return lines


def _supposed(pulse: Pulse, glyphs: Glyphs) -> Text:
    asked = pulse.what_if
    return Text() if asked is None else Text.assemble(f"{asked.name} ", signed_money(asked.pnl, glyphs))


def _short_job(job: JobLine, glyphs: Glyphs) -> Text:
    state = "ok" if job.state == "succeeded" else job.state
    when = ""
    if job.busy is not None:
        when = f" {span(job.busy)}"
    elif job.due is not None and job.state != "held":
        when = f" +{span(max(job.due, 0.0))}"
    style = "" if job.state in _GOOD_STATES else WARNING
    return Text.assemble((f"{glyphs.clean(job.name)} ", "dim"), (f"{state}{when}", style))


def _note(job: JobLine, inside: int, glyphs: Glyphs) -> Text:
    return fit(Text(f"{job.name}: {glyphs.clean(job.note)}", style=WARNING), inside, glyphs)


def _job_columns(jobs: Sequence[JobLine]) -> list[Column]:
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


def _state(job: JobLine) -> Text:
    busy = f" {span(job.busy)}" if job.busy is not None and job.busy >= 1.0 else ""
    return Text(f"{job.state}{busy}", style="" if job.state in _GOOD_STATES else WARNING)


def _due(seconds: float) -> str:
    return f"in {span(seconds)}" if seconds > 0.0 else "now"


def _failures(job: JobLine) -> Text:
    return Text(f"{job.failures:,}", style=WARNING if job.failures else "dim")


PANELS = {
    "FIRM": firm_panel,
    "TRADERS": traders_panel,
    "MARKET": market_panel,
    "POSITIONS": positions_panel,
    "ENGINE": engine_panel,
}
