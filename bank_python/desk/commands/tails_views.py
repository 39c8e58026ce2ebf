"""Tables of tails and fragility."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bank_python.numerals import MISSING, signed
from bank_python.sheet import Sheet, names, numbers, text, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.desk.view import TailsView, TailView

__all__ = ["tickers_tails_view", "traders_tails_view"]

_STYLES = {"fragile": "yellow", "antifragile": "green"}
_VERDICT = "Verdict"
_FIGURES = ("Losses α", "Gains α", "MAD/SD", "Max/sum")


def traders_tails_view(traders: Sequence[TailView], firm: TailView | None, tails: TailsView) -> Sheet:
    """Show tails and fragility of traders, and of the firm last, if it is given."""
    columns = [names("Trader"), *(numbers(title) for title in (*_FIGURES, "H, days")), words(_VERDICT)]
    shown = Sheet("Tails of the books", columns)
    for line in traders:
        _add(shown, line.name, asdict(line), _in_days(line.heuristic_days))
    if firm is not None:
        shown.rule()
        _add(shown, text(firm.name, "bold"), asdict(firm), _in_days(firm.heuristic_days))
    shown.note(f"α: tail index ± standard error (Hill), of the {tails.source}")
    shown.note("a moment of order α or higher does not exist; of a year's days, α is 2.4 on average for Student's t(3)")
    shown.note("and 4.2 for a normal distribution, which has no power law")
    shown.note("MAD/SD is 0.798 for a normal distribution; max/sum is the share of the largest square in their sum")
    shown.note(f"H: mean P&L of shocks up and down, in standard deviations of a day; {tails.shocks}")
    _note_thin(shown, [line.may_be_thin for line in traders])
    if tails.simulated:
        shown.note("histories are simulated, all or some")
    return shown


def tickers_tails_view(rows: Sequence[Mapping[str, Any]], left: int) -> Sheet:
    """Show tails of tickers, and the fragility of the books to each.

    Parameters
    ----------
    rows : sequence of mapping
        Figures by name, a mapping for each ticker.
    left : int
        Number of tickers that are not shown.
    """
    columns = [names("Ticker"), *(numbers(title) for title in (*_FIGURES, "H, USD")), words(_VERDICT)]
    shown = Sheet("Tails of daily returns", columns)
    for row in rows:
        _add(shown, row["name"], row, None if row["heuristic"] is None else signed(row["heuristic"]))
    _note_thin(shown, [row["may_be_thin"] for row in rows])
    shown.note("H and verdict: of the books, to shocks of this ticker alone")
    if left:
        shown.note(f"the heaviest left tails; {left} more with --all, or some with --tickers A,B")
    return shown


def _note_thin(shown: Sheet, thin: Sequence[bool]) -> None:
    if any(thin):
        count = f"all {len(thin)}" if all(thin) else f"{sum(thin)} of the {len(thin)}"
        shown.note(
            f"{count} tails of losses may be lighter than any power law (moment estimate), and α without meaning"
        )


def _add(shown: Sheet, name: object, figures: Mapping[str, Any], heuristic: object) -> None:
    verdict = figures["verdict"]
    tails = (_with_error(figures[side], figures[f"{side}_error"]) for side in ("left", "right"))
    shares = (None if figures[key] is None else f"{figures[key]:.3f}" for key in ("mad_sd", "max_to_sum"))
    shown.add(name, *tails, *shares, heuristic, text(verdict or MISSING, _STYLES.get(verdict, "")))
    if figures["reason"]:
        shown.note(f"{figures['name']}: {figures['reason']}")


def _with_error(index: float | None, error: float | None) -> str | None:
    return None if index is None else f"{index:.1f}" if error is None else f"{index:.1f} ± {error:.1f}"


def _in_days(days: float | None) -> Any:
    return None if days is None else signed(round(days, 1) + 0.0, 1)  # adding 0 takes the sign off -0.0
