"""Tables of the desk's figures, used by several scenes of the showcase."""

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
    """Return a table of the traders' books."""
    columns = [names("Trader"), names("Strategy"), words("Focus", wraps=False)]
    table = Sheet("Traders", [*columns, *(numbers(title) for title in ("Positions", "Book value $", "P&L $"))])
    for row in figures:
        waiting = f" (+{row['waiting']} waiting)" if row["waiting"] else ""
        positions = f"{row['positions']}{waiting}"
        amounts = _amount(row["value"]), _signed(row["pnl"])
        table.add(row["trader"], row["strategy"], row["focus"], positions, *amounts)
    return table


def sources_view(sources: Sequence[Mapping[str, Any]]) -> Sheet:
    """Return a table of the sources of quotes; the simulated source is marked by its colour."""
    table = Sheet("Sources of quotes", [names("Kind"), names("Source"), numbers("Symbols"), words("State")])
    for row in sources:
        states = ", ".join(f"{count} {state}" for state, count in row["states"].items())
        table.add(row["kind"], text(row["source"], _source_style(row["source"])), str(row["quoted"]), states)
    return table


def troubles_view(troubles: Sequence[Mapping[str, Any]]) -> Sheet:
    """Return a table of the reasons why quotes are stale or missing."""
    columns = [names("State"), words("Tickers"), words("Reason")]
    table = Sheet("Stale and missing quotes", columns, title_style="bold yellow")
    for row in troubles:
        tickers = row["tickers"]
        more = f" and {len(tickers) - 3} more" if len(tickers) > 3 else ""  # noqa: PLR2004 - what fits a line
        table.add(row["state"], ", ".join(tickers[:3]) + more, row["reason"])
    return table


def bars_view(symbol: str, bars: Sequence[Mapping[str, Any]]) -> Sheet:
    """Return a table of a symbol's daily bars; figures that the source does not have are shown as a dash."""
    source = bars[0]["source"] if bars else "none"
    prices = ("open", "high", "low", "close")
    columns = [names("Date"), *(numbers(title.capitalize()) for title in prices), numbers("Volume", 0)]
    table = Sheet(f"{symbol}: last daily bars (source: {source})", columns)
    for bar in bars:
        table.add(bar["date"], *(bar[key] for key in prices), bar["volume"])
    return table


def recalculation_view(title: str, done: Recalculation, nodes: int) -> Sheet:
    """Return a table of the nodes that a recalculation evaluated, by class."""
    table = Sheet(title, [names("Class"), numbers("Evaluated")])
    for kind, count in sorted(done.by_class.items(), key=lambda item: -item[1]):
        table.add(kind, count)
    table.rule()
    table.add(f"total, of {nodes:,} nodes", done.evaluated)
    table.add("changed", done.changed)
    table.add("time", f"{done.seconds * 1e3:.2f} ms")
    return table


def changes_view(title: str, changes: Mapping[str, float]) -> Sheet:
    """Return a table of the changes of each trader's P&L, the largest first."""
    table = Sheet(title, [names("Trader"), numbers("P&L change $")])
    for name, change in sorted(changes.items(), key=lambda item: -abs(item[1])):
        table.add(name, signed(change))
    table.rule()
    table.add("Firm", signed(sum(changes.values())))
    return table


def jobs_view(runs: Mapping[str, Sequence[Any]]) -> Sheet:
    """Return a table of the runs of each job."""
    table = Sheet("Jobs", [names("Job"), numbers("Run"), words("Outcome"), numbers("Seconds")])
    for name, history in runs.items():
        for i, run in enumerate(history, start=1):
            table.add(name, i, run.outcome.name.lower(), f"{run.duration:.3f}")
    return table


def _amount(value: float | None) -> str:
    return "no quote" if value is None else number(value, 0)


def _signed(value: float | None) -> Text:
    return text("no quote", "yellow") if value is None else signed(value)


def _source_style(source: str) -> str:
    return "yellow" if source == "simulated" else "green"
