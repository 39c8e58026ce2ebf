"""Terminal views of the analysis of trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from bank_python.numerals import MISSING, number, signed
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words

if TYPE_CHECKING:
    from bank_python.trading_engine.analysis import TradeAnalysis
    from bank_python.trading_engine.trade_luck import TradeLuck
    from bank_python.trading_engine.trade_statistics import TradeGroups, TradeStatistics

__all__ = ["trade_analysis_view", "trade_groups_view", "trade_luck_view", "trade_statistics_view"]

_MOST_ROWS = 12


def trade_analysis_view(found: TradeAnalysis) -> Group:
    """Show the last round trips, and the figures of all of them."""
    columns = [names("Trade"), words("Side", wraps=False), words("Exit", wraps=False), numbers("Days"), numbers("Gain")]
    columns += [shares("Made", 1, sign=True), shares("MAE"), shares("MFE"), shares("Entry eff.", 0)]
    shown = Sheet(_counted(len(found), "round trip"), [*columns, shares("Exit eff.", 0)])
    for trip in found.round_trips[-_MOST_ROWS:]:
        side, left = "long" if trip.is_long else "short", f"{trip.exit_time:%Y-%m-%d}"
        returns = (trip.actual, trip.mae, trip.mfe, trip.entry_efficiency, trip.exit_efficiency)
        shown.add(trip.instrument, side, left, f"{trip.hold_days:,.4g}", signed(trip.gain, 2), *returns)
    if len(found) > _MOST_ROWS:
        shown.note(f"{len(found) - _MOST_ROWS:,} earlier ones")
    if found.open_lots:
        shown.note(f"{_counted(len(found.open_lots), 'lot')} still open, not counted")
    if found.unfilled:
        shown.note(f"{_counted(found.unfilled, 'order')} not filled, left out")
    lacking = found.without_prices
    if lacking:
        more = f" and {len(lacking) - 4} more" if len(lacking) > 4 else ""  # noqa: PLR2004 - fits a line
        shown.note(f"no excursions without prices of {', '.join(lacking[:4])}{more}")
    if not found.round_trips:
        return Group(shown)
    return Group(shown, trade_statistics_view(found.statistics))


def trade_statistics_view(one: TradeStatistics) -> Group:
    """Show the figures of a group of round trips."""
    counts = f"{_counted(one.wins, 'win')}, {_counted(one.losses, 'loss')}"
    title = f"Figures of {_counted(one.n, 'round trip')}, {one.name}: {counts}"
    shown = Sheet(title, [names("Money"), numbers(), names("Skill"), numbers()])
    capture, slippage = _share(one.capture), MISSING if one.slippage_bps is None else f"{one.slippage_bps:+.1f} bp"
    shown.add("total", signed(one.total, 2), "hit rate", f"{one.hit_rate:.1%}")
    shown.add("mean (expectancy)", signed(one.expectancy, 2), "payoff", number(one.payoff))
    shown.add("mean win", _money(one.avg_win), "profit factor", number(one.profit_factor))
    shown.add("mean loss", _money(one.avg_loss), "median capture", capture)
    shown.add("fees", f"{one.fees:,.2f}", "entry efficiency", _share(one.entry_efficiency))
    shown.add("slippage", slippage, "exit efficiency", _share(one.exit_efficiency))
    shown.note(f"mean worst {_share(one.mae)}, mean best {_share(one.mfe)}, held {one.hold_days:,.4g} days on average")
    if one.payoff is None:
        shown.note(f"no payoff, as there is no {'loss' if one.avg_loss is None else 'win'}")
    return Group(shown, trade_luck_view(one.luck))


def trade_luck_view(luck: TradeLuck) -> Sheet:
    """Show what chance could have done."""
    shown = Sheet("Luck", [names("Question"), words("Figure", wraps=False), words("By chance", wraps=False)])
    interval = MISSING if luck.low is None or luck.high is None else f"{luck.low:,.2f} to {luck.high:,.2f}"
    shown.add("mean gain, 90% interval", f"{luck.mean:+,.2f}", interval)
    shown.add("probability that the mean is ≤ 0", _share(luck.p_not_positive), "")
    shown.add("hit rate, beside that without an edge", _share(luck.hit_rate), _share(luck.chance_hit_rate))
    shown.add("probability of as many wins", _share(luck.hit_p_value), "")
    shown.note(luck.verdict)
    shown.note(f"bootstrap of {luck.resamples:,} samples; trades taken as independent")
    return shown


def trade_groups_view(found: TradeGroups) -> Sheet:
    """Show the figures of groups of round trips."""
    columns = [names(found.by.capitalize()), numbers("Trades"), numbers("Gain"), shares("Hits", 0), numbers("Payoff")]
    columns += [shares("Capture", 0), numbers("Days"), shares("P(mean ≤ 0)"), bars(width=12)]
    shown = Sheet(f"Round trips by {found.by}", columns)
    widest = max((abs(one.total) for one in found.groups), default=0.0)
    for one in found.groups[:_MOST_ROWS]:
        few = "*" if one.is_few else ""
        figures = (signed(one.total), one.hit_rate, number(one.payoff), one.capture, f"{one.hold_days:,.4g}")
        shown.add(one.name, f"{one.n:,}{few}", *figures, one.luck.p_not_positive, Bar.of(one.total, widest))
    if len(found.groups) > _MOST_ROWS:
        shown.note(f"{len(found.groups) - _MOST_ROWS:,} more")
    if not found.groups:
        shown.note("no round trips")
    if any(one.is_few for one in found.groups):
        shown.note("*: few trades, fewer than 30; the figures may be chance")
    return shown


def _counted(count: int, thing: str) -> str:
    many = f"{thing}es" if thing.endswith("s") else f"{thing}s"
    return f"{count:,} {thing if count == 1 else many}"


def _share(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1%}"


def _money(value: float | None) -> object:
    return text(MISSING) if value is None else signed(value, 2)
