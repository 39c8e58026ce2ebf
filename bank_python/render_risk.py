"""Terminal views of risk: simulations, stresses, limits; see :mod:`bank_python.render`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.progress import Progress
from rich.table import Table as RichTable
from rich.text import Text

from bank_python.render import MISSING, number, signed
from bank_python.risk.alerts import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bank_python.mc_engine import MCResult
    from bank_python.risk.alerts import Alert
    from bank_python.risk.contributions import Contribution
    from bank_python.risk.limits import LimitReading
    from bank_python.risk.reverse_stress import ReverseStress
    from bank_python.risk.sensitivity import SensitivityGrid, SensitivityLadder
    from bank_python.risk.stress import StressResult

__all__ = [
    "alerts_view",
    "limits_view",
    "progress_bar",
    "reverse_stress_view",
    "sensitivity_grid_view",
    "sensitivity_ladder_view",
    "simulation_view",
    "stress_view",
]

_MOST_ROWS = 12
_BAR = 24
_GAUGE = 12
_LARGE = 100.0
_HEIGHT = "▁▂▃▄▅▆▇█"
_URGENCY: dict[Severity | None, str] = {
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show on stderr how far a simulation is, if that is a terminal; what is yielded is for ``MCConfig(progress=)``."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(title, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def simulation_view(result: MCResult) -> Group:
    """Show measures with their errors, the distribution, and who and what makes the risk."""
    views: list[RichTable | Text] = [
        _measures(result),
        Text(f"P&L  {_spark(result)}", no_wrap=True, overflow="crop"),
        _parts("Risk by trader, 99 %", result.traders["0.99"], "Trader"),
        _parts("Risk by factor, 99 %", _largest(result.factors["0.99"]), "Factor"),
    ]
    if result.stresses:
        views.append(stress_view(result.stresses))
    return Group(*views)


def stress_view(stresses: Sequence[StressResult]) -> RichTable:
    """Show what scenarios would make, who would make most of it, and how much of it is by stated betas."""
    shown = RichTable(title="Stress scenarios", header_style="bold")
    shown.add_column("Scenario", no_wrap=True, min_width=20)
    shown.add_column("P&L", justify="right", no_wrap=True, min_width=11)
    shown.add_column("", no_wrap=True)
    shown.add_column("Most by", no_wrap=True)
    shown.add_column("Factors", justify="right", no_wrap=True, min_width=7)
    widest = max((abs(stress.pnl) for stress in stresses), default=0.0)
    for stress in stresses:
        counts = f"{stress.exact}/{stress.mapped}/{len(stress.missing)}"
        bar = _bar(stress.pnl, widest, _GAUGE)
        shown.add_row(Text(stress.title), signed(stress.pnl), bar, _most(stress.by_unit), counts)
    notes = ["factors: moved as recorded / by a stated beta / without a figure"]
    left_out = sorted({name for stress in stresses for name in stress.left_out})
    if left_out:
        notes.append(f"left out where a factor has none: {', '.join(left_out[:4])}")
    shown.caption = "; ".join(notes)
    return shown


def sensitivity_ladder_view(ladder: SensitivityLadder) -> RichTable:
    """Show P&L along a factor, as numbers and as a picture."""
    shown = RichTable(title=f"P&L along {ladder.factor}, {ladder.currency}", header_style="bold")
    for column in ("Shock", "Level", "P&L"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    widest = float(abs(ladder.pnl).max(initial=0.0))
    for shock, level, made in zip(ladder.shocks.tolist(), ladder.levels.tolist(), ladder.pnl.tolist(), strict=True):
        shown.add_row(f"{shock:+.2%}", number(level, 4), signed(made), _bar(made, widest, _BAR))
    return shown


def sensitivity_grid_view(grid: SensitivityGrid) -> RichTable:
    """Show P&L over two factors, losses red."""
    down, across = grid.factors
    shown = RichTable(title=f"P&L over {down} (down) and {across} (across), {grid.currency}", header_style="bold")
    shown.add_column("", justify="right", no_wrap=True)
    for shock in grid.across.tolist():
        shown.add_column(f"{shock:+.1%}", justify="right", no_wrap=True)
    for shock, row in zip(grid.down.tolist(), grid.pnl.tolist(), strict=True):
        shown.add_row(f"{shock:+.1%}", *(signed(made) for made in row))
    return shown


def reverse_stress_view(found: ReverseStress) -> RichTable:
    """Show the likeliest scenario that loses so much: the factors that move most."""
    title = f"The likeliest way to lose {found.loss:,.0f}: {found.distance:.2f} standard deviations out"
    shown = RichTable(title=title, header_style="bold")
    shown.add_column("Factor", no_wrap=True)
    for column in ("Move", "Level"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    rows = list(found.moves.items())[:_MOST_ROWS]
    widest = max((abs(move) for _, move in rows), default=0.0)
    for name, move in rows:
        shown.add_row(Text(name), f"{move:+.2%}", number(found.levels[name], 4), _bar(move, widest, _BAR))
    return shown


def limits_view(readings: Sequence[LimitReading]) -> RichTable:
    """Show how much of each limit is used, the fullest first."""
    shown = RichTable(title="Limits", header_style="bold")
    for column in ("Scope", "Measure"):
        shown.add_column(column, no_wrap=True)
    for column in ("Value", "Limit", "Used"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for reading in readings[:_MOST_ROWS]:
        style = _URGENCY.get(reading.severity, "green")
        filled = min(round(reading.used * _GAUGE), _GAUGE)
        bar = Text("█" * filled + "·" * (_GAUGE - filled), style=style)
        digits = 0 if reading.limit.maximum >= _LARGE else 2
        figures = f"{reading.value:,.{digits}f}", f"{reading.limit.maximum:,.{digits}f}", f"{reading.used:.0%}"
        shown.add_row(Text(reading.limit.scope), Text(reading.limit.name), *figures, bar)
    left = len(readings) - _MOST_ROWS
    if left > 0:
        shown.caption = f"{left} more, less used"
    return shown


def alerts_view(alerts: Sequence[Alert]) -> RichTable:
    """Show open alerts, the most urgent first."""
    shown = RichTable(title="Open alerts", header_style="bold")
    for column in ("Severity", "Opened", "State", "What", "Most by"):
        shown.add_column(column)
    for alert in alerts[:_MOST_ROWS]:
        urgency = Text(alert.severity.value, style=_URGENCY[alert.severity])
        shown.add_row(
            urgency, f"{alert.opened:%H:%M:%S}", alert.state.value, Text(alert.message), Text(alert.contributor)
        )
    if not alerts:
        shown.caption = "none"
    return shown


def _measures(result: MCResult) -> RichTable:
    title = f"Monte Carlo, {result.model}: {result.n_paths:,} scenarios, {252.0 * result.horizon:.3g} days"
    shown = RichTable(title=title, header_style="bold")
    shown.add_column("Confidence")
    for column in ("VaR", "± error", "CVaR", "± error"):
        shown.add_column(column, justify="right", no_wrap=True)
    for tail in result.tails:
        figures = (tail.var, tail.var_error, tail.es, tail.es_error)
        shown.add_row(f"{tail.confidence:.0%}", *(f"{figure:,.0f}" for figure in figures))
    notes = [f"{result.currency}, losses positive", f"law: {result.law}"]
    if result.repaired:
        notes.append(f"correlations repaired by {result.repaired:.2g}")
    if result.fast_error is not None:
        notes.append(f"by derivatives, off by {result.fast_error:.2%} of VaR in the tail")
    if result.greek_checks:
        notes.append(f"Greeks within {result.worst_z_score:.1f} standard errors of closed forms")
    if result.greeks_left_out:
        notes.append(f"Greeks of {len(result.greeks_left_out)} not simulated, as they pay by more than the last price")
    shown.caption = "; ".join(notes)
    return shown


def _parts(title: str, parts: Sequence[Contribution], head: str) -> RichTable:
    shown = RichTable(title=title, header_style="bold")
    shown.add_column(head, no_wrap=True)
    for column in ("VaR", "CVaR", "Without"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    widest = max((abs(part.es) for part in parts), default=0.0)
    for part in parts:
        without = MISSING if part.incremental_var != part.incremental_var else number(part.incremental_var, 0)
        shown.add_row(Text(part.name), number(part.var, 0), number(part.es, 0), without, _bar(-part.es, widest, _BAR))
    return shown


def _largest(parts: Sequence[Contribution]) -> list[Contribution]:
    return sorted(parts, key=lambda part: -abs(part.es))[:_MOST_ROWS]


def _most(by_unit: Mapping[str, float]) -> Text:
    if not by_unit:
        return Text(MISSING)
    return Text(max(by_unit, key=lambda name: abs(by_unit[name])))


def _bar(value: float, widest: float, width: int) -> Text:
    length = round(abs(value) / widest * width) if widest else 0
    return Text("█" * length, style="green" if value > 0.0 else "red", no_wrap=True, overflow="crop")


def _spark(result: MCResult) -> str:
    counts, edges = result.histogram(44)
    top = max(int(counts.max()), 1)
    bars = "".join(_HEIGHT[min(int(count / top * len(_HEIGHT)), len(_HEIGHT) - 1)] for count in counts.tolist())
    return f"{edges[0]:,.0f} {bars} {edges[-1]:+,.0f}"
