"""Terminal views of results: what ``__rich__`` of a table or an explanation shows.

The one module that lower layers reach up to, and only from inside ``__rich__``: a result knows *that* it can be
shown, this module knows how.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table as RichTable
from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.dagger import Explanation, Greeks, Ladder, Plan, Profile
    from bank_python.integrations import Comparison
    from bank_python.mntable.view import Relation
    from bank_python.risk import BookGreeks, PnLAttribution

__all__ = [
    "MISSING",
    "attribution_view",
    "book_greeks_view",
    "comparison_view",
    "explanation_view",
    "greeks_view",
    "ladder_view",
    "number",
    "plan_view",
    "profile_view",
    "signed",
    "table_view",
]

MISSING = "—"
"""What stands where a source carries nothing: never a zero."""

_MOST_ROWS = 20
_LONGEST = 60
_MOST_NAMES = 4
_BAR = 24


def number(value: object, digits: int = 2) -> str:
    """Return a number as people read it: thousands separated, small ones with enough digits."""
    if value is None:
        return MISSING
    if isinstance(value, np.ndarray):
        return f"{value.size:,} numbers" if value.size != 1 else number(value.item(), digits)
    if isinstance(value, tuple):
        return f"({', '.join(number(item, digits) for item in value)})"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _brief(str(value))
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.{digits}f}" if abs(value) >= 1.0 or value == 0.0 else f"{value:.{digits + 2}f}"


def _brief(said: str) -> str:
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def signed(value: float, digits: int = 0) -> Text:
    """Return an amount with its sign, green when made and red when lost."""
    style = "green" if value > 0.0 else "red" if value < 0.0 else "dim"
    return Text(f"{value:+,.{digits}f}", style=style)


def table_view(table: Relation, title: str | None = None) -> RichTable:
    """Show the first rows of a table or view."""
    shown = RichTable(title=title, header_style="bold")
    rows = list(islice(iter(table), _MOST_ROWS))
    for column in table.columns:
        numeric = bool(rows) and isinstance(rows[0][column], int | float | None)
        shown.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        shown.add_row(*(number(row[column]) for column in table.columns))
    left = len(table) - len(rows)
    if left > 0:
        shown.caption = f"{left:,} more rows"
    return shown


def explanation_view(explained: Explanation) -> Tree:
    """Show why a node has its value, as a tree."""
    tree = Tree(_explained_line(explained))
    _grow(tree, explained)
    return tree


def _grow(tree: Tree, explained: Explanation) -> None:
    for below in explained.inputs:
        _grow(tree.add(_explained_line(below)), below)
    if explained.more_inputs:
        tree.add(Text(f"… {explained.more_inputs} more inputs", style="dim"))


def _explained_line(explained: Explanation) -> Text:
    line = Text(explained.name, style="bold")
    line.append(" = ")
    if explained.previous is not None:
        line.append(f"{number(explained.previous, 4)} → ", style="dim")
    line.append(number(explained.outcome, 4), style="cyan")
    if explained.terms:
        terms = ", ".join(f"{key} {value:g}" for key, value in explained.terms.items())
        line.append(f"  {terms}", style="dim")
    if explained.function:
        line.append(f"  ← {explained.function}", style="magenta")
    line.append(f"  tick {explained.changed_tick}", style="dim")
    if explained.as_of_tick is not None:
        line.append(f"  as of tick {explained.as_of_tick}", style="yellow")
    return line


def plan_view(plan: Plan) -> RichTable:
    """Show what a change of a leaf could recompute, in evaluation order."""
    shown = _figures(f"A change of {plan.leaf} reaches", ("Level", "Nodes"))
    shown.add_column("Names")
    for level, names in enumerate(plan.by_level, start=1):
        more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
        shown.add_row(f"{level}", f"{len(names):,}", Text(", ".join(names[:_MOST_NAMES]) + more))
    kinds = sorted(plan.by_class.items(), key=lambda item: -item[1])
    shown.add_section()
    shown.add_row("all", f"{len(plan):,}", Text(", ".join(f"{count:,} {kind}" for kind, count in kinds)))
    return shown


def profile_view(profile: Profile) -> RichTable:
    """Show where the time went, the dearest class first."""
    shown = RichTable(title="Where the time went", header_style="bold")
    shown.add_column("Class")
    for column in ("Evaluations", "Calls", "ms"):
        shown.add_column(column, justify="right")
    shown.add_column("Share")
    for row in profile.rows:
        share = row.seconds / profile.seconds if profile.seconds else 0.0
        figures = f"{row.evaluations:,}", f"{row.calls:,}", f"{1e3 * row.seconds:,.3f}"
        shown.add_row(Text(row.name), *figures, _picture(f"{share:4.0%} {'█' * round(share * _BAR)}"))
    shown.add_section()
    shown.add_row("all", f"{profile.evaluations:,}", "", f"{1e3 * profile.seconds:,.3f}", "")
    return shown


def ladder_view(ladder: Ladder) -> RichTable:
    """Show a ladder: at each level the value, how far it is from the present one, and that as a picture."""
    shown = _figures(f"{ladder.target} along {ladder.leaf}", ("Shock", "Level", "Value", "Change"))
    known = [value for value in (*ladder.values.tolist(), ladder.base) if math.isfinite(value)]
    origin = ladder.base if math.isfinite(ladder.base) else min(known, default=0.0)
    axis = f"{number(min(known))} … {number(max(known))}" if known else ""
    shown.add_column(Text(axis, no_wrap=True, overflow="ellipsis"))
    rows = zip(ladder.shocks.tolist(), ladder.levels.tolist(), ladder.values.tolist(), ladder.errors, strict=True)
    for shock, level, value, error in rows:
        by = f"{shock:+.2%}" if ladder.relative else f"{shock:+g}"
        if error is not None:
            shown.add_row(by, number(level, 4), MISSING, MISSING, Text(type(error).__name__, style="red"))
        else:
            change = value - ladder.base
            moved = MISSING if math.isnan(change) else signed(change, 2 if abs(change) >= 1.0 or not change else 4)
            shown.add_row(by, number(level, 4), number(value), moved, _bar(known, origin, value))
    return shown


def greeks_view(greeks: Greeks) -> RichTable:
    """Show derivatives, a row for each target and leaf."""
    shown = RichTable(title="Greeks", header_style="bold")
    for column in ("Target", "Leaf"):
        shown.add_column(column)
    for column in ("Value", "Delta", "Gamma", "Bump"):
        shown.add_column(column, justify="right")
    for target, leaf in greeks:
        slope = greeks[target, leaf]
        figures = (MISSING if math.isnan(cell) else number(cell, 4) for cell in slope[:4])
        shown.add_row(Text(target), Text(leaf), *figures)
    return shown


def book_greeks_view(greeks: BookGreeks) -> RichTable:
    """Show what one per cent of each factor brings, a row for each book, the firm last."""
    columns = ("delta", "gamma", "vega", "theta", "rho", "credit", "fx", "vanna", "volga", "charm")
    shown = _figures(f"Greeks, {greeks.currency}: one per cent, one point, one day", ())
    shown.add_column("Book")
    for column in columns:
        shown.add_column(column.capitalize(), justify="right", no_wrap=True)
    by_book = {column: greeks.by_trader(column, "percent") for column in columns}
    for book in dict.fromkeys(greeks.books):
        shown.add_row(Text(book), *(signed(by_book[column][book]) for column in columns))
    shown.add_section()
    shown.add_row(Text("firm", style="bold"), *(signed(greeks.total(column, "percent")) for column in columns))
    if greeks.errors:
        shown.caption = f"without a value: {', '.join(sorted(greeks.errors)[:_MOST_NAMES])}"
    return shown


def attribution_view(day: PnLAttribution) -> RichTable:
    """Show P&L by effect as a waterfall, what the traders made of it beside."""
    made = day.by_factor()
    shown = _figures(f"P&L attribution, {day.currency} ({day.mode.value})", ())
    shown.add_column("Effect")
    shown.add_column("P&L", justify="right", no_wrap=True)
    shown.add_column("", min_width=_BAR, no_wrap=True)
    shown.add_column("Most by", overflow="ellipsis")
    levels = [0.0]
    for value in made.values():
        levels.append(levels[-1] + value)
    for (effect, value), start, end in zip(made.items(), levels, levels[1:], strict=False):
        if value:
            most = max(day.by_trader().items(), key=lambda item: abs(item[1][effect]))
            by = Text(f"{most[0]} ").append(signed(most[1][effect]))
            shown.add_row(effect.replace("_", " "), signed(value), _bar(levels, start, end), by)
    shown.add_section()
    shown.add_row(Text("P&L", style="bold"), signed(day.actual), _bar(levels, 0.0, day.actual), "")
    if day.errors:
        shown.caption = f"without a value: {', '.join(sorted(day.errors)[:_MOST_NAMES])}"
    return shown


def comparison_view(compared: Comparison) -> RichTable:
    """Show a contract priced twice, and how long it took."""
    shown = RichTable(title=Text(compared.contract), header_style="bold")
    shown.add_column("Figure")
    for column in ("bank_python", compared.library, "Difference"):
        shown.add_column(column, justify="right")
    for figure in compared.figures:
        shown.add_row(
            figure.name.replace("_", " "), f"{figure.ours:.10g}", f"{figure.theirs:.10g}", f"{figure.difference:.1e}"
        )
    ours = f"{1e6 * compared.ours_seconds:.3g} µs"
    if compared.batch_seconds is not None:
        ours += f" alone, {1e6 * compared.batch_seconds:.3g} µs in a batch"
    shown.caption = f"{ours}; {compared.library} {1e6 * compared.theirs_seconds:.3g} µs"
    return shown


def _figures(title: str, columns: Sequence[str]) -> RichTable:
    shown = RichTable(title=Text(title), header_style="bold")
    for column in columns:
        shown.add_column(column, justify="right", no_wrap=True)
    return shown


def _bar(known: Sequence[float], origin: float, value: float) -> Text:
    """Draw how far `value` lies from `origin`, on an axis as wide as all that is known."""
    low, high = min(known, default=0.0), max(known, default=0.0)
    value = min(max(value, low), high)  # an infinite one reaches the end
    zero, end = (round((x - low) / (high - low) * _BAR) if high > low else 0 for x in (origin, value))
    left, right = sorted((zero, end))
    bar = _picture(" " * left).append("█" * (right - left), style="green" if end > zero else "red")
    return bar.append("│" if left == right else "")


def _picture(drawn: str) -> Text:
    """Return what gives way where a line is too short, so that the numbers beside it stay whole."""
    return Text(drawn, no_wrap=True, overflow="crop")
