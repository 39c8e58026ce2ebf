"""Terminal views of results, which are displayed by the ``__rich__`` method of the result.

The ``__rich__`` methods import this module, :mod:`bank_python.render_risk`, :mod:`bank_python.render_macro` and
:mod:`bank_python.render_portfolio` when a result is displayed; these are the only imports from lower layers into this
one. A view selects the columns of a result, and :mod:`bank_python.sheet` draws the table.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from bank_python.numerals import MISSING, number, signed
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, span_bar, text, words
from bank_python.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.dagger import Explanation, Greeks, Ladder, Plan, Profile
    from bank_python.integrations import Comparison
    from bank_python.market_data.price_history import PricePanel
    from bank_python.mntable.view import Relation
    from bank_python.risk import BookGreeks, PnLAttribution

__all__ = [
    "MISSING",
    "attribution_view",
    "book_greeks_view",
    "closes_view",
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

_MAX_ROWS = 20
_MAX_NAMES = 4
_MOST_DATES, _MOST_TICKERS = 10, 12
_GREEKS = ("delta", "gamma", "vega", "theta", "rho", "credit", "fx", "vanna", "volga", "charm")


def table_view(table: Relation, title: str = "") -> Sheet:
    """Return the first rows of a table or view; the first column of text identifies the rows."""
    rows = table.limit(_MAX_ROWS).to_list()
    numeric = {column: bool(rows) and isinstance(rows[0][column], int | float | None) for column in table.columns}
    first = next((column for column, is_numeric in numeric.items() if not is_numeric), None)
    columns = [names(column) if column == first else words(column) for column in table.columns]
    sheet = Sheet(title, [numbers(c.title) if numeric[c.title] else c for c in columns])
    for row in rows:
        sheet.add(*(number(row[column]) for column in table.columns))
    left = len(table) - len(rows)
    if left > 0:
        sheet.note(f"{left:,} more rows")
    return sheet


def closes_view(panel: PricePanel) -> Sheet:
    """Show the last closes of several tickers, a row for each date."""
    few = panel.tickers[:_MOST_TICKERS]
    shown = Sheet("Closes", [names("Date"), *(numbers(ticker) for ticker in few)])
    for date, row in list(zip(panel.dates, panel.closes.tolist(), strict=True))[-_MOST_DATES:]:
        shown.add(f"{date:%Y-%m-%d}", *(None if math.isnan(close) else close for close in row[: len(few)]))
    for left, what in (
        (len(panel.dates) - _MOST_DATES, "earlier dates"),
        (len(panel.tickers) - len(few), "more tickers"),
    ):
        if left > 0:
            shown.note(f"{left:,} {what}")
    return shown


def explanation_view(explained: Explanation) -> Tree:
    """Return the explanation of a node's value as a tree of its inputs."""
    tree = Tree(_explained_line(explained))
    _grow(tree, explained)
    return tree


def _grow(tree: Tree, explained: Explanation) -> None:
    for below in explained.inputs:
        _grow(tree.add(_explained_line(below)), below)
    if explained.more_inputs:
        inputs = "input" if explained.more_inputs == 1 else "inputs"
        tree.add(Text(f"… {explained.more_inputs} more {inputs}", style="dim"))


def _explained_line(explained: Explanation) -> Text:
    line = text(explained.name, "bold")
    line.append(" = ")
    if explained.previous is not None:
        line.append(f"{clean(number(explained.previous, 4))} → ", style="dim")
    line.append(clean(number(explained.outcome, 4)), style="cyan")
    if explained.terms:
        terms = ", ".join(f"{key} {value:g}" for key, value in explained.terms.items())
        line.append(f"  {clean(terms)}", style="dim")
    if explained.function:
        line.append(f"  ← {clean(explained.function)}", style="magenta")
    line.append(f"  tick {explained.changed_tick}", style="dim")
    if explained.as_of_tick is not None:
        line.append(f"  as of tick {explained.as_of_tick}", style="yellow")
    return line


def plan_view(plan: Plan) -> Sheet:
    """Return the nodes that a change of a leaf may recompute, in evaluation order."""
    shown = Sheet(f"Nodes that depend on {plan.leaf}", [numbers("Level"), numbers("Nodes"), words("Names")])
    for level, reached in enumerate(plan.by_level, start=1):
        more = f" and {len(reached) - _MAX_NAMES:,} more" if len(reached) > _MAX_NAMES else ""
        shown.add(level, len(reached), ", ".join(reached[:_MAX_NAMES]) + more)
    kinds = sorted(plan.by_class.items(), key=lambda item: -item[1])
    shown.rule()
    shown.add("all", len(plan), ", ".join(f"{count:,} {kind}" for kind, count in kinds))
    return shown


def profile_view(profile: Profile) -> Sheet:
    """Return the evaluation time by class of node, the largest first."""
    columns = [names("Class"), numbers("Evaluations"), numbers("Calls"), numbers("ms"), shares("Share", 0), bars()]
    shown = Sheet("Evaluation time by class", columns)
    for row in profile.rows:
        share = row.seconds / profile.seconds if profile.seconds else 0.0
        shown.add(row.name, row.evaluations, row.calls, f"{1e3 * row.seconds:,.3f}", share, Bar(0.0, share))
    shown.rule()
    shown.add("all", profile.evaluations, "", f"{1e3 * profile.seconds:,.3f}", "", "")
    return shown


def ladder_view(ladder: Ladder) -> Sheet:
    """Return a ladder: at each level of the leaf the value of the target, and its change as a number and a bar."""
    known = [value for value in (*ladder.values.tolist(), ladder.base) if math.isfinite(value)]
    origin = ladder.base if math.isfinite(ladder.base) else min(known, default=0.0)
    axis = f"{number(min(known))} … {number(max(known))}" if known else ""
    columns = [numbers("Shock"), numbers("Level", 4), numbers("Value"), numbers("Change"), bars(axis)]
    shown = Sheet(f"Ladder of {ladder.target} over {ladder.leaf}", columns)
    rows = zip(ladder.shocks.tolist(), ladder.levels.tolist(), ladder.values.tolist(), ladder.errors, strict=True)
    for shock, level, value, error in rows:
        by = f"{shock:+.2%}" if ladder.relative else f"{shock:+g}"
        if error is not None:
            shown.add(by, level, None, None, text(type(error).__name__, "red"))
        else:
            change = value - ladder.base
            difference = None if math.isnan(change) else signed(change, 2 if abs(change) >= 1.0 or not change else 4)
            shown.add(by, level, value, difference, span_bar(known, origin, value))
    return shown


def greeks_view(greeks: Greeks) -> Sheet:
    """Return the derivatives of targets by leaves, one row per pair."""
    figures = [numbers(column, 4) for column in ("Value", "Delta", "Gamma", "Bump")]
    shown = Sheet("Greeks", [names("Target"), names("Leaf"), *figures])
    for target, leaf in greeks:
        shown.add(target, leaf, *(float(figure) for figure in greeks[target, leaf][:4]))
    return shown


def book_greeks_view(greeks: BookGreeks) -> Sheet:
    """Return the Greeks per one per cent, one point or one day, one row per book, the firm last."""
    title = f"Greeks, {greeks.currency} per one per cent, one point or one day"
    shown = Sheet(title, [names("Book"), *(numbers(greek.capitalize()) for greek in _GREEKS)])
    by_book = {greek: greeks.by_trader(greek, "percent") for greek in _GREEKS}
    for book in dict.fromkeys(greeks.books):
        shown.add(book, *(signed(by_book[greek][book]) for greek in _GREEKS))
    shown.rule()
    shown.add(text("firm", "bold"), *(signed(greeks.total(greek, "percent")) for greek in _GREEKS))
    _note_errors(shown, greeks.errors)
    return shown


def attribution_view(day: PnLAttribution) -> Sheet:
    """Return P&L by effect as a waterfall, with the largest contributor to each effect."""
    effects = day.by_factor()
    columns = [names("Effect"), numbers("P&L"), bars(), words("Largest contributor")]
    shown = Sheet(f"P&L attribution, {day.currency} ({day.mode.value})", columns)
    levels = [0.0, *accumulate(effects.values())]
    for (effect, value), start, end in zip(effects.items(), levels, levels[1:], strict=False):
        if value:
            largest = max(day.by_trader().items(), key=lambda item: abs(item[1][effect]))
            contributor = text(f"{clean(largest[0])} ").append(signed(largest[1][effect]))
            shown.add(effect.replace("_", " "), signed(value), span_bar(levels, start, end), contributor)
    shown.rule()
    shown.add(text("P&L", "bold"), signed(day.actual), span_bar(levels, 0.0, day.actual), "")
    _note_errors(shown, day.errors)
    return shown


def comparison_view(compared: Comparison) -> Sheet:
    """Return the figures of a contract from this library and another one, with the computation times."""
    columns = [names("Figure"), *(numbers(title) for title in ("bank_python", compared.library, "Difference"))]
    shown = Sheet(compared.contract, columns)
    for figure in compared.figures:
        cells = f"{figure.ours:.10g}", f"{figure.theirs:.10g}", f"{figure.difference:.1e}"
        shown.add(figure.name.replace("_", " "), *cells)
    ours = f"time per contract: bank_python {1e6 * compared.ours_seconds:.3g} µs"
    if compared.batch_seconds is not None:
        ours += f" ({1e6 * compared.batch_seconds:.3g} µs in a batch)"
    shown.note(f"{ours}, {compared.library} {1e6 * compared.theirs_seconds:.3g} µs")
    return shown


def _note_errors(shown: Sheet, errors: Mapping[str, Exception]) -> None:
    if errors:
        shown.note(f"positions without a value: {', '.join(sorted(errors)[:_MAX_NAMES])}")
