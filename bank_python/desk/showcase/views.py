"""Rich views of the desk's figures, shared by the showcase and the live desk. They compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from bank_python.render import number, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.dagger import Recalculation

__all__ = [
    "bars_view",
    "changes_view",
    "jobs_view",
    "recalculation_view",
    "sources_view",
    "traders_view",
    "troubles_view",
]


def traders_view(figures: Sequence[Mapping[str, Any]]) -> Table:
    """Show every trader's book."""
    table = Table(title="Traders", header_style="bold")
    table.add_column("Trader", no_wrap=True)
    table.add_column("Strategy", no_wrap=True)
    table.add_column("Focus")
    for column in ("Positions", "Book value $", "P&L $"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in figures:
        waiting = f" (+{row['waiting']} waiting)" if row["waiting"] else ""
        table.add_row(
            row["trader"],
            row["strategy"],
            Text(row["focus"], no_wrap=True, overflow="ellipsis"),
            f"{row['positions']}{waiting}",
            _amount(row["value"]),
            _signed(row["pnl"]),
        )
    return table


def sources_view(sources: Sequence[Mapping[str, Any]]) -> Table:
    """Show who quotes what; simulated quotes are marked."""
    table = Table(title="Where the quotes come from", header_style="bold")
    for column in ("Kind", "Source", "Quoted", "State"):
        table.add_column(column, justify="right" if column == "Quoted" else "left")
    for row in sources:
        states = ", ".join(f"{count} {state}" for state, count in row["states"].items())
        table.add_row(row["kind"], Text(row["source"], style=_source_style(row["source"])), str(row["quoted"]), states)
    return table


def troubles_view(troubles: Sequence[Mapping[str, Any]]) -> Table:
    """Show why quotes are stale or missing."""
    table = Table(title="Quotes in trouble", header_style="bold", title_style="yellow")
    for column in ("State", "Tickers", "Why"):
        table.add_column(column)
    for row in troubles:
        tickers = row["tickers"]
        more = f" and {len(tickers) - 3} more" if len(tickers) > 3 else ""  # noqa: PLR2004 - what fits a line
        table.add_row(row["state"], ", ".join(tickers[:3]) + more, row["reason"])
    return table


def bars_view(symbol: str, bars: Sequence[Mapping[str, Any]]) -> Table:
    """Show a symbol's daily bars; a dash stands for what the source does not carry."""
    source = bars[0]["source"] if bars else "no source"
    table = Table(title=f"{symbol}, last bars from {source}", header_style="bold")
    for column in ("date", "open", "high", "low", "close", "volume"):
        table.add_column(column, justify="left" if column == "date" else "right")
    for bar in bars:
        table.add_row(
            bar["date"], *(number(bar[key]) for key in ("open", "high", "low", "close")), _whole(bar["volume"])
        )
    return table


def recalculation_view(title: str, done: Recalculation, nodes: int) -> Table:
    """Show what a recalculation evaluated."""
    table = Table(title=title, header_style="bold")
    table.add_column("Evaluated")
    table.add_column("", justify="right")
    for kind, count in sorted(done.by_class.items(), key=lambda item: -item[1]):
        table.add_row(kind, f"{count:,}")
    table.add_section()
    table.add_row(f"of {nodes:,} nodes", f"{done.evaluated:,}")
    table.add_row("changed", f"{done.changed:,}")
    table.add_row("time", f"{done.seconds * 1e3:.2f} ms")
    return table


def changes_view(title: str, changes: Mapping[str, float]) -> Table:
    """Show what something did to each trader's P&L, the largest first."""
    table = Table(title=title, header_style="bold", min_width=len(title))
    table.add_column("Trader")
    table.add_column("Change $", justify="right")
    for name, change in sorted(changes.items(), key=lambda item: -abs(item[1])):
        table.add_row(name, signed(change))
    table.add_section()
    table.add_row("Firm", signed(sum(changes.values())))
    return table


def jobs_view(runs: Mapping[str, Sequence[Any]]) -> Table:
    """Show each job's runs."""
    table = Table(title="Jobs", header_style="bold")
    for column in ("Job", "Run", "Outcome", "Seconds"):
        table.add_column(column)
    for name, history in runs.items():
        for i, run in enumerate(history, start=1):
            table.add_row(name, str(i), run.outcome.name, f"{run.duration:.3f}")
    return table


def _whole(value: float | None) -> str:
    return number(value, 0)


def _amount(value: float | None) -> str:
    return "no quote" if value is None else number(value, 0)


def _signed(value: float | None) -> Text:
    return Text("no quote", style="yellow") if value is None else signed(value)


def _source_style(source: str) -> str:
    return "yellow" if source == "simulated" else "green"
