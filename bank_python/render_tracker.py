"""Terminal views of the option tracker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group

from bank_python.numerals import MISSING, number, signed
from bank_python.risk.alerts import Severity
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words
from bank_python.trading_engine.open_options import Urgency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from bank_python.trading_engine.buckets import BucketUse
    from bank_python.trading_engine.closed_options import MonthlyBleed, TradeConcentration
    from bank_python.trading_engine.convexity import Convexity
    from bank_python.trading_engine.greek_ladder import GreekLadder
    from bank_python.trading_engine.import_report import FolderImport
    from bank_python.trading_engine.large_moves import LargeMoves
    from bank_python.trading_engine.open_options import OpenOptions
    from bank_python.trading_engine.ruin import RuinDistance, RuinPoint
    from bank_python.trading_engine.shadow_greeks import ShadowGreeks
    from bank_python.trading_engine.tracker import TradeTracker
    from bank_python.trading_engine.tracker_rules import TrackerAlerts
    from bank_python.trading_engine.tracker_snapshot import SnapshotHistory

__all__ = [
    "bleed_view",
    "concentration_view",
    "convexity_view",
    "folder_import_view",
    "greek_ladder_view",
    "large_moves_view",
    "open_options_view",
    "ruin_view",
    "shadow_greeks_view",
    "snapshots_view",
    "tracker_alerts_view",
    "tracker_view",
]

_MOST_ROWS = 12
_MONTHS = 12
_FEW = 2
_STYLES = {
    Urgency.CRITICAL: "bold red",
    Urgency.SOON: "yellow",
    Urgency.WATCH: "cyan",
    Urgency.OK: "green",
    Urgency.EXPIRED: "dim",
}
_SEVERITY = {
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}


def tracker_view(tracker: TradeTracker) -> Group:
    """Show the open options, the buckets beside their budgets, and the rules that are broken."""
    parts: list[Sheet] = [open_options_view(tracker.open_options()), _buckets(tracker.buckets())]
    if tracker.closed():
        parts.append(convexity_view(tracker.convexity()))
    parts.append(tracker_alerts_view(tracker.alerts()))
    differing = tracker.differences()
    if differing:
        few = ", ".join(f"{name} {more:+g}" for name, more in list(differing.items())[:4])
        parts[0].note(f"statement less trades, contracts: {few}")
    orphans = tracker.unmatched()
    if orphans:
        few = ", ".join(f"{name} {size:+g}" for name, size in list(orphans.items())[:4])
        parts[0].note(f"closing trades without an opening one: {few}")
    if tracker.skipped:
        parts[0].note(f"{len(tracker.skipped)} other positions left out; see skipped")
    return Group(*parts)


def open_options_view(held: OpenOptions) -> Sheet:
    """Show the open options by expiry."""
    columns = [names("Option"), numbers("Contracts"), numbers("Days"), words("Urgency", wraps=False), numbers("Cost")]
    columns += [numbers("Value"), shares("P&L", 0, sign=True)]
    apart = len({one.name for one in held.positions}) < len(held)  # one contract for several purposes
    shown = Sheet(f"Open options, {held.today}", [*columns, *([words("Bucket", wraps=False)] if apart else [])])
    for one in held.positions[:_MOST_ROWS]:
        value = MISSING if one.value is None else f"{one.value:,.0f}"
        terms = (one.name, f"{one.quantity:+g}", one.dte, text(one.urgency.value, _STYLES[one.urgency]))
        shown.add(*terms, f"{one.cost:,.0f}", value, one.pnl_pct, *([one.bucket] if apart else []))
    if len(held) > _MOST_ROWS:
        shown.note(f"{len(held) - _MOST_ROWS:,} more")
    if not held.positions:
        shown.note("none; log(symbol, quantity, price) or import_csv(file) adds trades")
    if held.expired:
        few = ", ".join(f"{one.underlying} on {one.expiry}" for one in held.expired[:4])
        shown.note(f"expired, to be settled by settle(prices): the close of {few}")
    if any(one.value is None for one in held.alive):
        shown.note("— value: quote(spots=, vols=) or quote(marks=) is missing")
    return shown


def _buckets(buckets: Sequence[BucketUse]) -> Sheet:
    columns = [names("Bucket"), numbers("Open"), numbers("Spent"), numbers("Budget"), numbers("Left"), bars(width=12)]
    shown = Sheet("Buckets", columns)
    for one in buckets:
        share = one.spent / one.budget if one.budget else 0.0
        bar = Bar(0.0, min(max(share, 0.0), 1.0), "red" if share > 1.0 else "green", rest="·")
        budget, left = ((MISSING if figure is None else f"{figure:,.0f}") for figure in (one.budget, one.remaining))
        shown.add(one.bucket, one.n_open, f"{one.spent:,.0f}", budget, left, bar)
    return shown


def convexity_view(found: Convexity) -> Sheet:
    """Show the convexity of closed trades."""
    counts = f"{_counted(found.n_wins, 'win')}, {_counted(found.n_losses, 'loss')}"
    title = f"Convexity of {_counted(found.n_trades, 'closed trade')}: {counts}"
    shown = Sheet(
        title, [names("Figure"), numbers("Wins, best tenth"), numbers("Losses, worst tenth"), numbers("Ratio")]
    )
    shown.add("mean", _money(found.avg_win), _money(found.avg_loss), number(found.convexity_ratio))
    shown.add("tail mean", _money(found.top_tail_avg), _money(found.bottom_tail_avg), number(found.tail_ratio))
    shown.add("largest", _money(found.max_win), _money(found.max_loss), "")
    roi = MISSING if found.roi_median is None else f"{found.roi_median:+.1%}"
    shown.note(f"win rate {found.win_rate:.1%}, mean {found.expected_value:+,.0f}, median return {roi}")
    shown.note(f"total {found.total_gl:+,.0f}")
    if found.convexity_ratio is None:
        shown.note(f"no ratio, as there is no {'loss' if found.avg_loss is None else 'win'}")
    return shown


def concentration_view(found: TradeConcentration) -> Sheet:
    """Show closed trades by underlying."""
    columns = [names("Underlying"), numbers("Trades"), numbers("Cost"), numbers("Gain"), numbers("Wins")]
    shown = Sheet(
        "Closed trades by underlying", [*columns, numbers("Losses"), shares("Return", sign=True), words("Flag")]
    )
    for one in found.names[:_MOST_ROWS]:
        counts = (one.wins, one.losses, one.roi, text(one.flag.value, "red"))
        shown.add(one.name, one.n, f"{one.cost:,.0f}", signed(one.gl), *counts)
    if len(found.names) > _MOST_ROWS:
        shown.note(f"{len(found.names) - _MOST_ROWS:,} more underlyings")
    if not found.names:
        shown.note("no closed trades")
    return shown


def bleed_view(found: MonthlyBleed) -> Sheet:
    """Show premiums by month, the last twelve months with trades."""
    columns = [
        names("Month"),
        numbers("Paid"),
        numbers("Received"),
        numbers("Net"),
        numbers("Opened"),
        numbers("Closed"),
    ]
    shown = Sheet("Premiums by month", columns)
    for one in found.months[-_MONTHS:]:
        shown.add(one.month, f"{one.spent:,.0f}", f"{one.received:,.0f}", signed(one.net), one.n_open, one.n_close)
    if not found.months:
        shown.note("no trades")
    shown.note(f"limit of the net premium paid in a month: {found.limit:,.0f}")
    return shown


def greek_ladder_view(ladder: GreekLadder) -> Sheet:
    """Show Greeks in money by expiry, strike, underlying or bucket."""
    columns = [names(ladder.by.value.capitalize()), numbers("Contracts"), numbers("Value"), numbers("Delta 1%")]
    columns += [numbers("Gamma 1%"), numbers("Vega 1 pt"), numbers("Theta 1 day"), numbers("Pays at")]
    shown = Sheet(f"Greeks by {ladder.by.value}, in money", columns)
    figures = ("value", "delta", "gamma", "vega", "theta")
    for i, label in enumerate(ladder.labels[:_MOST_ROWS]):
        amounts = [_amount(float(ladder.columns[name][i])) for name in figures]
        shown.add(label, f"{ladder.columns['contracts'][i]:+g}", *amounts, _deviations(float(ladder.rents[i])))
    shown.rule()
    contracts = f"{ladder.total('contracts'):+g}"
    totals = [_amount(ladder.total(name)) for name in figures]
    shown.add(text("all", "bold"), contracts, *totals, _deviations(float(ladder.rents[-1])))
    if len(ladder.labels) > _MOST_ROWS:
        shown.note(f"{len(ladder.labels) - _MOST_ROWS:,} more rows")
    rent = ladder.gamma_rent
    if rent is None:
        shown.note("gamma and theta have the same sign: no move pays for the other")
    else:
        shown.note(f"theta of a day per unit of gamma: {rent:.2f}")
        shown.note("pays at: moves of so many standard deviations a day make gamma pay for theta")
    return shown


def shadow_greeks_view(found: ShadowGreeks) -> Sheet:
    """Show P&L, delta and gamma at moved spots."""
    days = found.book.horizon_days
    title = f"Shadow Greeks of {_listed(found.book.underlyings)}, moves in σ over {_trading(days)}"
    single = len(found.book.underlyings) == 1
    columns = [names("Move"), *([numbers("Spot")] if single else []), numbers("P&L"), numbers("Delta 1%")]
    shown = Sheet(title, [*columns, numbers("Shadow delta"), numbers("Gamma 1%"), numbers("Shadow gamma")])
    for i, move in enumerate(found.moves.tolist()):
        spot = [f"{found.spot_at(move):,.2f}"] if single else []
        slopes = (found.delta, found.shadow_delta, found.gamma, found.shadow_gamma)
        amounts = [_amount(float(each[i])) for each in slopes]
        shown.add(_move(move), *spot, signed(float(found.pnl[i])), *amounts)
    shown.note(str(found.rule))
    return shown


def large_moves_view(found: LargeMoves) -> Sheet:
    """Show the P&L of equal moves up and down, and its even part."""
    single = found.relative_down[0] is not None
    columns = [names("Move"), *([shares("Spot down", 0, sign=True)] if single else []), numbers("P&L down")]
    columns += [numbers("P&L up"), numbers("Curvature"), numbers("Asymmetry"), bars(width=12)]
    shown = Sheet(f"Large moves, σ over {_trading(found.horizon_days)}", columns)
    widest = float(max(abs(found.curvature)))
    for i, size in enumerate(found.sizes.tolist()):
        even, asymmetry = float(found.curvature[i]), found.asymmetry[i]
        share = MISSING if asymmetry is None else f"{asymmetry:+.2f}"
        spot = [found.relative_down[i]] if single else []
        amounts = (signed(float(found.down[i])), signed(float(found.up[i])), signed(even))
        shown.add(f"±{size:g}σ", *spot, *amounts, share, Bar.of(even, widest))
    shown.note("asymmetry: +1 gains both ways, -1 loses both ways")
    shown.note(str(found.rule))
    return shown


def ruin_view(found: RuinDistance) -> Sheet:
    """Show the nearest moves, and the time, at which the loss reaches the budget."""
    title = f"Distance to a loss of {found.budget:,.0f}"
    shown = Sheet(
        title, [names("Case"), words("When"), numbers("Move"), shares("Spot", 1, sign=True), words("Over these days")]
    )
    for point in found.immediate:
        _add(shown, "at once, " + ("down" if point.move < 0.0 else "up"), point)
    smallest, likeliest = found.smallest, found.likeliest
    if smallest is not None:
        _add(shown, "smallest move", smallest)
    if likeliest is not None and likeliest != smallest:
        _add(shown, "likeliest move", likeliest)
    if not found.points:
        shown.note(f"not reached within {found.days[-1]} days; the largest loss is {max(0.0, -found.worst):,.0f}")
    elif found.bleed_days is None:
        shown.note("time alone does not get there")
    else:
        shown.note(f"with spots unchanged in {found.bleed_days} days")
    shown.note(f"moves in standard deviations over {_trading(found.horizon_days)}")
    shown.note(str(found.rule))
    return shown


def _add(shown: Sheet, name: str, point: RuinPoint) -> None:
    over = MISSING if point.deviations is None else f"{point.deviations:.2f}σ"
    when = "today" if not point.days else f"in {point.days} days"
    move = f"{point.move:+.2f}σ" if point.move else "none"
    shown.add(name, when, move, point.relative_move, over)


def tracker_alerts_view(found: TrackerAlerts) -> Sheet:
    """Show the broken rules of a tracker, and those that were not checked."""
    shown = Sheet(f"Rules, {found.today}", [names("Rule"), words("Severity", wraps=False), words("Why")])
    for one in found.alerts[:_MOST_ROWS]:
        shown.add(one.rule.value, text(one.severity.value, _SEVERITY[one.severity]), one.message)
    if len(found) > _MOST_ROWS:
        shown.note(f"{len(found) - _MOST_ROWS:,} more")
    if not found.alerts:
        shown.note("no rule is broken")
    for rule, reason in found.unchecked.items():
        shown.note(f"{rule} not checked: {reason}")
    return shown


def snapshots_view(found: SnapshotHistory) -> Sheet:
    """Show the last snapshots of a tracker."""
    columns = [names("Taken, UTC"), numbers("Open"), numbers("Value"), numbers("P&L"), numbers("Change")]
    shown = Sheet("Snapshots", [*columns, *(numbers(title) for title in ("Delta 1%", "Gamma 1%", "Theta 1 day"))])
    rows = list(zip(found.snapshots, found.changes, strict=True))
    for one, change in rows[-_MOST_ROWS:]:
        value = MISSING if one.value is None else f"{one.value:,.0f}"
        greeks = [_amount(one.greeks[name]) if name in one.greeks else MISSING for name in ("delta", "gamma", "theta")]
        shown.add(f"{one.taken:%Y-%m-%d %H:%M}", one.n_open, value, _money(one.pnl), _money(change), *greeks)
    if len(rows) > _MOST_ROWS:
        shown.note(f"{len(rows) - _MOST_ROWS:,} earlier ones")
    if not rows:
        shown.note("none; snapshot() takes one")
    elif rows[-1][0].missing:
        shown.note(f"no Greeks: {rows[-1][0].missing}")
    return shown


def folder_import_view(found: FolderImport) -> Sheet:
    """Show what was read from the files of a folder."""
    columns = [
        names("File"),
        words("Kind"),
        numbers("Rows"),
        numbers("New"),
        numbers("Left out"),
        numbers("Unreadable"),
    ]
    shown = Sheet("Files read", columns)
    for one in found.reports:
        shown.add(one.source, one.kind, one.rows, one.new, sum(one.skipped.values()), len(one.problems))
    for one in found.reports:
        for problem in one.problems[:_FEW]:
            shown.note(f"{one.source}: {problem}")
        if len(one.problems) > _FEW:
            shown.note(f"{one.source}: {len(one.problems) - _FEW:,} more, see problems")
    for name, why in found.refused.items():
        shown.note(f"{name} was not read: {why}")
    return shown


def _move(move: float) -> str:
    return f"{move:+g}σ" if move else "0"


def _counted(count: int, thing: str) -> str:
    many = f"{thing}es" if thing.endswith("s") else f"{thing}s"
    return f"{count:,} {thing if count == 1 else many}"


def _money(value: float | None) -> str | Text:
    return MISSING if value is None else signed(value)


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:,.2f}"  # noqa: PLR2004 - below that cents matter


def _deviations(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.2f}σ"


def _trading(days: float) -> str:
    return f"{days:g} trading day{'s' if days != 1.0 else ''}"


def _listed(held: Sequence[str]) -> str:
    few = ", ".join(held[:3])
    return few if len(held) <= 3 else f"{few} and {len(held) - 3} more"  # noqa: PLR2004 - fits a line
