"""Views of the desk's figures, shared by the showcase and the live desk. They compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.numerals import number, signed
from bank_python.sheet import Sheet, names, numbers, text, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.text import Text

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


def traders_view(figures: Sequence[Mapping[str, Any]]) -> Sheet:
    """Show every trader's book."""
    columns = [names("Trader"), names("Strategy"), words("Focus", wraps=False)]
    table = Sheet("Traders", [*columns, *(numbers(title) for title in ("Positions", "Book value $", "P&L $"))])
    for row in figures:
        waiting = f" (+{row['waiting']} waiting)" if row["waiting"] else ""
        held = f"{row['positions']}{waiting}"
        amounts = _amount(row["value"]), _signed(row["pnl"])
        table.add(row["trader"], row["strategy"], row["focus"], held, *amounts)
    return table


def sources_view(sources: Sequence[Mapping[str, Any]]) -> Sheet:
    """Show who quotes what; simulated quotes are marked."""
    table = Sheet("Where the quotes come from", [names("Kind"), names("Source"), numbers("Quoted"), words("State")])
    for row in sources:
        states = ", ".join(f"{count} {state}" for state, count in row["states"].items())
        table.add(row["kind"], text(row["source"], _source_style(row["source"])), str(row["quoted"]), states)
    return table


def troubles_view(troubles: Sequence[Mapping[str, Any]]) -> Sheet:
    """Show why quotes are stale or missing."""
    columns = [names("State"), words("Tickers"), words("Why")]
    table = Sheet("Quotes in trouble", columns, title_style="bold yellow")
    for row in troubles:
        tickers = row["tickers"]
        more = f" and {len(tickers) - 3} more" if len(tickers) > 3 else ""  # noqa: PLR2004 - what fits a line
        table.add(row["state"], ", ".join(tickers[:3]) + more, row["reason"])
    return table


def bars_view(symbol: str, bars: Sequence[Mapping[str, Any]]) -> Sheet:
    """Show a symbol's daily bars; a dash stands for what the source does not carry."""
    source = bars[0]["source"] if bars else "no source"
    prices = ("open", "high", "low", "close")
    columns = [names("date"), *(numbers(title) for title in prices), numbers("volume", 0)]
    table = Sheet(f"{symbol}, last bars from {source}", columns)
    for bar in bars:
        table.add(bar["date"], *(bar[key] for key in prices), bar["volume"])
    return table


def recalculation_view(title: str, done: Recalculation, nodes: int) -> Sheet:
    """Show what a recalculation evaluated."""
    table = Sheet(title, [names("Evaluated"), numbers()])
    for kind, count in sorted(done.by_class.items(), key=lambda item: -item[1]):
        table.add(kind, count)
    table.rule()
    table.add(f"of {nodes:,} nodes", done.evaluated)
    table.add("changed", done.changed)
    table.add("time", f"{done.seconds * 1e3:.2f} ms")
    return table


def changes_view(title: str, changes: Mapping[str, float]) -> Sheet:
    """Show what something did to each trader's P&L, the largest first."""
    table = Sheet(title, [names("Trader"), numbers("Change $")])
    for name, change in sorted(changes.items(), key=lambda item: -abs(item[1])):
        table.add(name, signed(change))
    table.rule()
    table.add("Firm", signed(sum(changes.values())))
    return table


def jobs_view(runs: Mapping[str, Sequence[Any]]) -> Sheet:
    """Show each job's runs."""
    table = Sheet("Jobs", [names("Job"), numbers("Run"), words("Outcome"), numbers("Seconds")])
    for name, history in runs.items():
        for i, run in enumerate(history, start=1):
            table.add(name, i, run.outcome.name, f"{run.duration:.3f}")
    return table


def _amount(value: float | None) -> str:
    return "no quote" if value is None else number(value, 0)


def _signed(value: float | None) -> Text:
    return text("no quote", "yellow") if value is None else signed(value)


def _source_style(source: str) -> str:
    return "yellow" if source == "simulated" else "green"
