"""Terminal views of results: what ``__rich__`` of a table or an explanation shows.

The one module that lower layers reach up to, and only from inside ``__rich__``: a result knows *that* it can be
shown, this module knows how.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rich.table import Table as RichTable
from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from bank_python.dagger import Explanation
    from bank_python.mntable.view import Relation

__all__ = ["MISSING", "explanation_view", "number", "signed", "table_view"]

MISSING = "—"
"""What stands where a source carries nothing: never a zero."""

_MOST_ROWS = 20


def number(value: object, digits: int = 2) -> str:
    """Return a number as people read it: thousands separated, small ones with enough digits."""
    if value is None:
        return MISSING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.{digits}f}" if abs(value) >= 1.0 or value == 0.0 else f"{value:.{digits + 2}f}"


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
    line.append(f" = {number(explained.outcome, 4)}", style="cyan")
    if explained.terms:
        terms = ", ".join(f"{key} {value:g}" for key, value in explained.terms.items())
        line.append(f"  {terms}", style="dim")
    if explained.function:
        line.append(f"  ← {explained.function}", style="magenta")
    line.append(f"  tick {explained.changed_tick}", style="dim")
    return line
