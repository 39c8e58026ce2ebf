"""Terminal views of macroeconomic data: series, gauges, regime, correlations, trends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from bank_python.macro.thresholds import GaugeState
from bank_python.numerals import number
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words

if TYPE_CHECKING:
    from bank_python.macro import (
        CorrelationBoard,
        CorrelationHistory,
        Gauge,
        GaugeBoard,
        MacroHistory,
        MacroRegime,
        MacroSeries,
        Trend,
        TrendBoard,
    )

__all__ = [
    "correlation_board_view",
    "correlation_history_view",
    "gauge_board_view",
    "history_view",
    "macro_regime_view",
    "series_view",
    "trend_board_view",
    "trend_view",
]

_MOST_ROWS = 12
_MOST_PAIRS = 15
_MOST_PROBLEMS = 5
_MOST_MISSING = 8
_GAUGE = 10
_STYLES = {GaugeState.CALM: "green", GaugeState.WATCH: "yellow", GaugeState.STRESS: "bold red"}


def series_view(series: MacroSeries) -> Sheet:
    """Show the last figures of a series."""
    simulated = ", simulated" if series.is_simulated else ""
    title = f"{series.title} ({series.name}), {series.unit.value}, {series.frequency.value}{simulated}"
    shown = Sheet(title, [names("Date"), numbers("Value")])
    few = slice(-_MOST_ROWS, None)
    for day, value in zip(series.dates[few].tolist(), series.values[few].tolist(), strict=True):
        shown.add(day.isoformat(), number(value))
    if len(series) > _MOST_ROWS:
        shown.note(f"{len(series) - _MOST_ROWS:,} earlier dates, from {series.first_date}")
    return shown


def history_view(history: MacroHistory) -> Sheet:
    """Show the series of a history: unit, frequency, period and last figure of each, and what was left out."""
    simulated = ", simulated" if history.is_simulated else ""
    columns = [names("Series"), words("Title"), numbers("Last"), words("Unit"), words("Date"), words("Frequency")]
    shown = Sheet(f"Macro history, {history.as_of}{simulated}", [*columns, numbers("Count"), words("From")])
    for one in history.series:
        last = (one.name, one.title, number(one.last), one.unit.value, f"{one.last_date}", one.frequency.value)
        shown.add(*last, len(one), f"{one.first_date}")
    for problem in history.problems[:_MOST_PROBLEMS]:
        shown.note(f"left out: {problem}")
    if len(history.problems) > _MOST_PROBLEMS:
        shown.note(f"{len(history.problems) - _MOST_PROBLEMS:,} more in problems")
    for remark in history.remarks:
        shown.note(remark)
    return shown


def gauge_board_view(board: GaugeBoard) -> Group:
    """Show all gauges, those that are not calm in words, and the joint reading."""
    simulated = ", simulated" if board.is_simulated else ""
    columns = [names("Gauge"), words("Value"), words("Date"), words("Percentile"), words("State"), bars(width=_GAUGE)]
    shown = Sheet(f"Macro gauges, {board.as_of}{simulated}", columns)
    for gauge in board.gauges:
        place = gauge.percentile
        bar = Bar(0.0, 0.0) if place is None else Bar(0.0, place.value / 100.0, _STYLES[gauge.state], rest="·")
        figure = f"{gauge.value:,.2f} {gauge.unit}".rstrip()
        where = "no history" if place is None else place.rank
        shown.add(gauge.title, figure, f"{gauge.date}", where, _state(gauge), bar)
    shown.note(board.quadrant.phrase)
    share = board.stress_share
    counted = f"{len(board.counted)} gauges" if len(board.counted) != 1 else "1 gauge"
    shown.note("no gauge to count" if share is None else f"{share:.0%} of {counted} in stress")
    if any(gauge.percentile is not None and gauge.percentile.is_own for gauge in board.gauges):
        shown.note("own: percentile in the history that was given; others from stated figures of FRED and Cboe")
    if board.n_problems:
        shown.note(f"{board.n_problems:,} cells or rows of the data were left out")
    if board.missing:
        few = ", ".join(gauge.title for gauge in board.missing[:_MOST_MISSING])
        more = f" and {len(board.missing) - _MOST_MISSING} more" if len(board.missing) > _MOST_MISSING else ""
        shown.note(f"missing: {few}{more}")
    alarmed = [gauge for gauge in board.gauges if gauge.state is not GaugeState.CALM]
    if not alarmed:
        return Group(shown)
    said = Sheet("Not calm", [names("Gauge"), words("Reading")])
    for gauge in alarmed:
        said.add(gauge.title, gauge.reading)
    return Group(shown, said)


def _state(gauge: Gauge) -> object:
    if gauge.is_stale:
        return text(f"{gauge.state.value}, stale", "dim")
    return text(gauge.state.value, _STYLES[gauge.state])


def macro_regime_view(regime: MacroRegime) -> Sheet:
    """Show a macro regime: gauges in stress by group, directions and what they are taken from."""
    shown = Sheet(
        f"Macro regime, {regime.as_of}: {regime.phrase}", [names("Group"), numbers("In stress"), numbers("Of")]
    )
    for group, count in regime.of.items():
        shown.add(group.value, regime.in_stress[group], count)
    shown.note(regime.reading)
    for basis in regime.basis:
        shown.note(basis)
    if regime.missing:
        shown.note(f"missing: {', '.join(regime.missing)}")
    return shown


def correlation_board_view(board: CorrelationBoard) -> Sheet:
    """Show each pair: correlation over the window and with exponential weights, place in its history, verdict."""
    simulated = ", simulated" if board.is_simulated else ""
    title = (
        f"Correlations over {board.window} {board.frequency.value} changes, to {board.dates[-1]:%Y-%m-%d}{simulated}"
    )
    columns = [names("First"), names("Second"), numbers("Rolling"), numbers("EWMA"), shares("Percentile", 0)]
    shown = Sheet(title, [*columns, words("Range"), words("Verdict")])
    for pair in board.pairs[:_MOST_PAIRS]:
        figures = f"{pair.rolling:+.2f}", f"{pair.ewma:+.2f}", pair.percentile
        shown.add(pair.first, pair.second, *figures, f"{pair.low:+.2f} to {pair.high:+.2f}", pair.verdict)
    if len(board.pairs) > _MOST_PAIRS:
        shown.note(f"{len(board.pairs) - _MOST_PAIRS:,} more pairs")
    shown.note(f"{board.observations:,} changes between common dates; decay {board.decay:g}")
    dropped = [f"{name} {count:,}" for name, count in board.dropped.items() if count]
    if dropped:
        shown.note(f"dates dropped, as others lack them: {', '.join(dropped)}")
    if board.differences:
        shown.note(f"differences, not log returns: {', '.join(board.differences)}")
    shown.note("verdicts at 5 % over all pairs (Holm)")
    return shown


def correlation_history_view(history: CorrelationHistory) -> Sheet:
    """Show the correlation of a pair at its last dates."""
    pair = history.pair
    title = f"{pair.first} and {pair.second}: correlation over {history.window} {history.frequency.value} changes"
    title += ", simulated" if history.is_simulated else ""
    shown = Sheet(title, [names("Date"), numbers("Rolling"), numbers("EWMA")])
    few = slice(-_MOST_ROWS, None)
    for day, *figures in zip(
        history.dates[few], history.rolling[few].tolist(), history.ewma[few].tolist(), strict=True
    ):
        shown.add(f"{day:%Y-%m-%d}", *(f"{figure:+.2f}" for figure in figures))
    if len(history.dates) > _MOST_ROWS:
        shown.note(f"{len(history.dates) - _MOST_ROWS:,} earlier dates")
    shown.note(f"{pair.percentile:.0%} of its history lies below; {pair.verdict}")
    return shown


def trend_view(trend: Trend) -> Sheet:
    """Show the figures of a trend."""
    shown = Sheet(
        f"{trend.name}{', simulated' if trend.is_simulated else ''}: {trend.verdict}", [names("Figure"), words("Value")]
    )
    shown.add("slope", f"{trend.slope:+.1%} a year over {len(trend.prices)} {trend.frequency.value} prices")
    shown.add("t-statistic", f"{trend.t_statistic:.2f}, Newey-West with {trend.lags} lags")
    shown.add("p-value", f"{trend.p_value:.3f} against random walks of its own returns")
    shown.add("moving averages", trend.averages)
    shown.add("momentum, 12 months less 1", "no history" if trend.momentum is None else f"{trend.momentum:+.1%}")
    found = trend.drift_break
    what = f"changed after {trend.break_date:%Y-%m-%d}" if trend.has_break else "no change"
    shown.add("drift", f"{what} (F = {found.statistic:.1f}, p = {found.p_value:.3f})")
    shown.note(f"{trend.dates[0]:%Y-%m-%d} to {trend.dates[-1]:%Y-%m-%d}")
    return shown


def trend_board_view(board: TrendBoard) -> Sheet:
    """Show the trends of several prices, a row for each."""
    columns = [names("Name"), words("Verdict"), shares("Slope", sign=True), words("Averages"), words("Momentum")]
    simulated = any(trend.is_simulated for trend in board.trends)
    shown = Sheet(f"Trends{', simulated' if simulated else ''}", [*columns, words("Drift")])
    for trend in board.trends:
        momentum = "no history" if trend.momentum is None else f"{trend.momentum:+.1%}"
        drift = f"changed after {trend.break_date:%Y-%m-%d}" if trend.has_break else "no change"
        shown.add(trend.name, trend.verdict, trend.slope, trend.averages, momentum, drift)
    shown.note("slope per year; p against random walks of the asset's own returns; momentum over 12 months less 1")
    return shown
