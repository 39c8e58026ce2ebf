"""Terminal views of fragility: the heuristic of P&L functions and books, correlations, barbells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerals import signed
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words
from bank_python.taleb.fragility import FragilityVerdict

if TYPE_CHECKING:
    from rich.text import Text

    from bank_python.taleb.book_fragility import BookFragility
    from bank_python.taleb.fragility import Fragility

__all__ = ["book_fragility_view", "fragility_view"]

_STYLES = {FragilityVerdict.FRAGILE: "red", FragilityVerdict.ROBUST: "", FragilityVerdict.ANTIFRAGILE: "green"}
_LARGE = 100.0


def fragility_view(found: Fragility) -> Sheet:
    """Show the heuristic of each factor by size of move, with its verdict."""
    sizes = [numbers(f"H at {multiple:g}×") for multiple in found.multiples.tolist()]
    columns = [names("Factor"), numbers("Step", 4), *sizes, shares("Of move", 1, sign=True), numbers("Power", 2)]
    shown = Sheet(f"Fragility: {found.verdict.value}", [*columns, words("Verdict")])
    digits = 0 if np.abs(found.heuristic).max() >= _LARGE else 4
    limits, relative, power = found.limit, found.relative[:, -1], found.growth
    for i, factor in enumerate(found.factors):
        figures = [_figure(h, limit, digits) for h, limit in zip(found.heuristic[i], limits[i], strict=True)]
        rest = _known(relative[i]), _known(power[i]), _said(found.verdict_on(factor))
        shown.add(factor, _known(found.steps[i]), *figures, *rest)
    shown.note("H: mean P&L of a move down and one up, less the P&L without; below 0 fragile, above 0 antifragile")
    shown.note("of move: H at the largest size relative to the larger P&L; power: growth of H with the step, 2 if even")
    return shown


def book_fragility_view(found: BookFragility) -> Sheet:
    """Show H of each book and of the firm for each move at the largest size, with the verdict."""
    rows = found.firm.factors
    columns = [names("Book"), *(numbers(f"H {row}", 0) for row in rows), numbers("Power", 1), words("Verdict"), bars()]
    multiple = found.firm.multiples[-1]
    shown = Sheet(f"Fragility of books, {found.currency}, moves of {multiple:g} steps", columns)
    widest = max((abs(float(item.heuristic[-1, -1])) for item in (*found.results, found.firm)), default=0.0)
    for name, item in zip((*found.units, "FIRM"), (*found.results, found.firm), strict=True):
        values, limits = item.heuristic[:, -1].tolist(), item.limit[:, -1].tolist()
        if name == "FIRM":
            shown.rule()
        bar = Bar.of(values[-1], widest)
        figures = [_figure(value, limit) for value, limit in zip(values, limits, strict=True)]
        shown.add(name, *figures, _known(float(item.growth[-1])), _said(item.verdict), bar)
    steps = zip(rows, found.firm.steps.tolist(), strict=True)
    sizes = ", ".join(f"{row} {step:g}" for row, step in steps if step == step)  # noqa: PLR0124 - not NaN
    shown.note(f"steps: {sizes}, moved down and up; joint: volatilities and credit spreads against spots")
    return shown


def _figure(value: float, limit: float, digits: int = 0) -> Text:
    """Return H with its sign; 0 where it is not distinguishable from rounding."""
    return signed(value, digits) if abs(value) > limit else text("0", "dim")


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _said(verdict: FragilityVerdict) -> Text:
    return text(verdict.value, _STYLES[verdict])
