"""Terminal views of risk results: simulations, stress tests, sensitivities, limits, alerts."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from bank_python.numerals import MISSING, number, signed
from bank_python.risk.alerts import Severity
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words
from bank_python.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bank_python.mc_engine import MCResult
    from bank_python.portfolio import Portfolio
    from bank_python.risk.alerts import Alert
    from bank_python.risk.contributions import Contribution
    from bank_python.risk.drawdown import Drawdown
    from bank_python.risk.limits import LimitReading
    from bank_python.risk.reverse_stress import ReverseStress
    from bank_python.risk.sensitivity import SensitivityGrid, SensitivityLadder
    from bank_python.risk.stress import StressResult
    from bank_python.risk.var_backtest import VarBacktest

__all__ = [
    "alerts_view",
    "backtest_view",
    "drawdown_view",
    "limits_view",
    "portfolio_view",
    "progress_bar",
    "reverse_stress_view",
    "sensitivity_grid_view",
    "sensitivity_ladder_view",
    "simulation_view",
    "stress_view",
]

_MOST_ROWS = 12
_NAMED = 4
_NEARLY_ALL = 0.995
_GAUGE = 12
_LARGE = 100.0
_HEIGHT = "▁▂▃▄▅▆▇█"
_URGENCY: dict[Severity | None, str] = {
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}


def portfolio_view(held: Portfolio) -> Sheet:
    """Show the positions of a portfolio, its total, and what was assumed."""
    columns = [names("Ticker"), words("Book"), numbers("Quantity"), numbers("Price"), words("Ccy"), numbers("Value")]
    title = f"Portfolio, {held.currency}, {held.date.isoformat()}"
    shown = Sheet(title, [*columns, numbers("P&L"), shares("Weight")])
    table = held.to_table()
    rows = sorted(table, key=lambda row: -abs(row["value"]))
    for row in rows[:_MOST_ROWS]:
        price, value = number(row["price"]), f"{row['value']:,.0f}"
        cells = (row["ticker"], row["book"], row["quantity"], price, row["currency"], value)
        shown.add(*cells, signed(row["pnl"]), row["weight"])
    shown.rule()
    shown.add(text("total", "bold"), "", "", "", held.currency, f"{held.value:,.0f}", signed(held.pnl), "")
    if len(rows) > _MOST_ROWS:
        shown.note(f"{len(rows) - _MOST_ROWS:,} more positions")
    for said in held.assumptions:
        shown.note(f"assumed: {said}")
    for problem in held.problems:
        shown.note(f"skipped: {problem}")
    return shown


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar of a simulation on stderr, if stderr is a terminal.

    Parameters
    ----------
    title : str
        Text beside the bar.

    Yields
    ------
    callable
        Function of the completed and the total number of chunks, for ``MCConfig(progress=)``.
    """
    console = Console(stderr=True)
    label = TextColumn("{task.description}", markup=False)
    columns = label, BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(clean(title), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def simulation_view(result: MCResult) -> Group:
    """Show risk measures with standard errors, the distribution of P&L, and contributions by trader and factor."""
    views: list[Sheet | Text] = [
        _measures(result),
        Text(f"P&L  {_spark(result)}", no_wrap=True, overflow="crop"),
        _parts("Risk by trader, 99 %", result.traders["0.99"], "Trader"),
        _parts("Risk by factor, 99 %", _largest(result.factors["0.99"]), "Factor"),
    ]
    if result.stresses:
        views.append(stress_view(result.stresses))
    return Group(*views)


def stress_view(stresses: Sequence[StressResult]) -> Sheet:
    """Show P&L by stress scenario, its largest contributor, and how the moves of the factors are known."""
    columns = [names("Scenario"), numbers("P&L"), bars(width=_GAUGE), words("Contributor"), numbers("Factors")]
    shown = Sheet("Stress scenarios", [*columns, numbers("Covered")])
    widest = max((abs(stress.pnl) for stress in stresses), default=0.0)
    for stress in stresses:
        counts = f"{stress.exact}/{stress.mapped}/{len(stress.missing)}"
        bar = Bar.of(stress.pnl, widest)
        shown.add(stress.title, signed(stress.pnl), bar, _largest_unit(stress.by_unit), counts, _covered(stress))
    betas = ", ".join(sorted({stress.betas for stress in stresses if stress.betas})) or "stated"
    shown.note(f"factors: with a shock of their own / moved by a beta ({betas}) / without a shock")
    shown.note("covered: share of the book's gross value that the P&L includes")
    rest = {name: value for stress in stresses for name, value in stress.rest.items()}
    if rest:
        largest = sorted(rest, key=lambda name: -rest[name])
        more = f" and {len(rest) - _NAMED} more" if len(rest) > _NAMED else ""
        shown.note(f"left out, as a factor has no shock: {', '.join(largest[:_NAMED])}{more}")
    return shown


def _covered(stress: StressResult) -> str:
    if math.isnan(stress.covered):
        return MISSING
    return ">99%" if stress.left_out and stress.covered >= _NEARLY_ALL else f"{stress.covered:.0%}"


def sensitivity_ladder_view(ladder: SensitivityLadder) -> Sheet:
    """Show P&L for shocks to one factor, as figures and bars."""
    columns = [shares("Shock", 2, sign=True), numbers("Level", 4), numbers("P&L"), bars()]
    shown = Sheet(f"P&L along {ladder.factor}, {ladder.currency}", columns)
    widest = float(abs(ladder.pnl).max(initial=0.0))
    for shock, level, pnl in zip(ladder.shocks.tolist(), ladder.levels.tolist(), ladder.pnl.tolist(), strict=True):
        shown.add(shock, level, signed(pnl), Bar.of(pnl, widest))
    return shown


def sensitivity_grid_view(grid: SensitivityGrid) -> Sheet:
    """Show P&L for shocks to two factors, losses in red."""
    down, across = grid.factors
    columns = [shares(sign=True), *(numbers(f"{shock:+.1%}") for shock in grid.across.tolist())]
    shown = Sheet(f"P&L over {down} (down) and {across} (across), {grid.currency}", columns)
    for shock, row in zip(grid.down.tolist(), grid.pnl.tolist(), strict=True):
        shown.add(shock, *(signed(pnl) for pnl in row))
    return shown


def backtest_view(tried: VarBacktest) -> Sheet:
    """Show the tests of a back-test, each with its verdict."""
    level = f"{100.0 * tried.confidence:g}%"
    shown = Sheet(f"VaR {level} back-test, {len(tried.pnl):,} days", [names("Test"), words("Figure"), words("Verdict")])
    said, tests = tried.verdicts(), tried.christoffersen
    shown.add("exceptions", f"{tried.exceptions}, {tried.expected:.1f} expected", "")
    shown.add("coverage (Kupiec)", f"p = {tests.coverage.p_value:.3f}", said["coverage"])
    shown.add("independence (Christoffersen)", f"p = {tests.independence.p_value:.3f}", said["independence"])
    shown.add("both (Christoffersen)", f"p = {tests.p_value:.3f}", "")
    basel = f"P(at most {tried.exceptions}) = {tried.traffic_light.cumulative:.2%}"
    shown.add("Basel traffic light", basel, said["basel"])
    if tried.acerbi_szekely is not None:
        shown.add("size (Acerbi–Székely)", f"Z2 = {tried.acerbi_szekely.z2:+.2f}", said["shortfall"])
    return shown


def drawdown_view(fall: Drawdown) -> Sheet:
    """Show the maximum drawdown of a series, when it began, was deepest and ended, and the present one."""
    shown = Sheet("Drawdown", [names("Figure"), numbers("Value")])
    shown.add("maximum drawdown", f"{fall.maximum:.1%}")
    ends = {"peak": fall.peak, "trough": fall.trough, "recovery": fall.recovery}
    for name, moment in ends.items():
        shown.add(name, "not yet" if moment is None else f"{moment:%Y-%m-%d}" if fall.dates else f"{moment:,}")
    shown.add("present drawdown", f"{fall.current:.1%}")
    if fall.dates is None:
        shown.note("peak, trough and recovery: numbers of observations, from 0")
    return shown


def reverse_stress_view(found: ReverseStress) -> Sheet:
    """Show the factors that move most in the most likely scenario with a given loss."""
    title = f"Most likely scenario with a loss of {found.loss:,.0f}: {found.distance:.2f} standard deviations"
    shown = Sheet(title, [names("Factor"), shares("Move", 2, sign=True), numbers("Level", 4), bars()])
    rows = list(found.moves.items())[:_MOST_ROWS]
    widest = max((abs(move) for _, move in rows), default=0.0)
    for name, move in rows:
        shown.add(name, move, found.levels[name], Bar.of(move, widest))
    return shown


def limits_view(readings: Sequence[LimitReading], remarks: Sequence[str] = ()) -> Sheet:
    """Show the used share of each limit, the most used first, and how up to date they are."""
    columns = [names("Scope"), names("Measure"), numbers("Value"), numbers("Limit"), shares("Used", 0)]
    shown = Sheet("Limits", [*columns, bars(width=_GAUGE)])
    for reading in readings[:_MOST_ROWS]:
        digits = 0 if reading.limit.maximum >= _LARGE else 2
        figures = f"{reading.value:,.{digits}f}", f"{reading.limit.maximum:,.{digits}f}", reading.used
        gauge = Bar(0.0, min(reading.used, 1.0), _URGENCY.get(reading.severity, "green"), rest="·")
        shown.add(reading.limit.scope, reading.limit.name, *figures, gauge)
    omitted = len(readings) - _MOST_ROWS
    if omitted > 0:
        shown.note(f"{omitted} limits with lower use are not shown")
    for remark in remarks:
        shown.note(f"readings {remark}")
    return shown


def alerts_view(alerts: Sequence[Alert]) -> Sheet:
    """Show open alerts, the most urgent first."""
    columns = [words(title) for title in ("Severity", "Opened", "State", "Message", "Contributor")]
    shown = Sheet("Open alerts", columns)
    for alert in alerts[:_MOST_ROWS]:
        urgency = text(alert.severity.value, _URGENCY[alert.severity])
        shown.add(urgency, f"{alert.opened:%H:%M:%S}", alert.state.value, alert.message, alert.contributor)
    if not alerts:
        shown.note("none")
    return shown


def _measures(result: MCResult) -> Sheet:
    columns = [numbers("Confidence"), *(numbers(title) for title in ("VaR", "± error", "CVaR", "± error"))]
    days = f"{252.0 * result.horizon:.3g}"
    title = f"Monte Carlo, {result.model}: {result.n_paths:,} scenarios, {days} {'day' if days == '1' else 'days'}"
    shown = Sheet(title, columns)
    for tail in result.tails:
        figures = (tail.var, tail.var_error, tail.es, tail.es_error)
        shown.add(f"{tail.confidence:.0%}", *(None if math.isnan(figure) else f"{figure:,.0f}" for figure in figures))
    shown.note(f"{result.currency}, losses positive")
    shown.note(f"factor model: {result.factor_model}")
    if result.repaired:
        shown.note(f"correlations repaired, a change of {result.repaired:.2g} in the Frobenius norm")
    if result.fast_error is not None:
        shown.note(f"P&L by derivatives, with an error of {result.fast_error:.2%} of VaR in the tail")
    if result.greek_checks:
        shown.note(f"Greeks within {result.worst_z_score:.1f} standard errors of closed forms")
    if result.greeks_left_out:
        left_out = len(result.greeks_left_out)
        shown.note(f"Greeks of {left_out} path-dependent options not checked by simulation")
    return shown


def _parts(title: str, parts: Sequence[Contribution], head: str) -> Sheet:
    shown = Sheet(title, [names(head), *(numbers(column, 0) for column in ("VaR", "CVaR", "Incremental")), bars()])
    widest = max((abs(part.es) for part in parts), default=0.0)
    for part in parts:
        shown.add(part.name, part.var, part.es, part.incremental_var, Bar.of(-part.es, widest))
    return shown


def _largest(parts: Sequence[Contribution]) -> list[Contribution]:
    return sorted(parts, key=lambda part: -abs(part.es))[:_MOST_ROWS]


def _largest_unit(by_unit: Mapping[str, float]) -> str | None:
    return max(by_unit, key=lambda name: abs(by_unit[name]), default=None)


def _spark(result: MCResult) -> str:
    counts, edges = result.histogram(44)
    top = max(int(counts.max()), 1)
    bars = "".join(_HEIGHT[min(int(count / top * len(_HEIGHT)), len(_HEIGHT) - 1)] for count in counts.tolist())
    return f"{edges[0]:,.0f} {bars} {edges[-1]:+,.0f}"
