"""The TAILS panel: tail index and fragility of each trader, the heaviest left tail first; none before the first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.amounts import WARNING, signed_money
from bank_python.desk.live.columns import Column, fitted
from bank_python.desk.live.pane import BORDER_HEIGHT, BORDER_WIDTH, pane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import DeskView, TailsView, TailView

__all__ = ["tails_lines", "tails_panel", "tails_text"]

_TITLE = "TAILS"
_HEAVY = 2.0
"""Tail index up to which a P&L has no variance; it is highlighted."""
_FRAGILE, _WHY = "fragile", "why"
_LIGHT = 99.95
"""Tail index from which it is written as > 99: such a tail is not a power law."""


def tails_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw tail indices with errors, MAD/SD, max-to-sum and fragility of each trader and of the firm."""
    inside, room = width - BORDER_WIDTH, height - BORDER_HEIGHT
    known = view.tails
    if known is None:
        return pane(_TITLE, [Text("no tails yet", style="dim")], width, height, glyphs)
    ordered = sorted(known.traders, key=lambda line: math.inf if line.left is None else line.left)
    shown = [*ordered[: max(room - 1, 0)], known.firm][:room]
    table = fitted(_columns(shown, glyphs), inside, glyphs)
    legend = _legend(known, [] if _WHY in table.headings else shown, inside)
    return pane(_TITLE, table.rows, width, height, glyphs, headings=table.headings, legend=legend)


def tails_lines(view: DeskView) -> int:
    """Return the height at which the panel shows all traders and the firm."""
    return 0 if view.tails is None else len(view.tails.traders) + 1 + BORDER_HEIGHT


def tails_text(known: TailsView) -> str:
    """Return the heaviest left tail and the number of fragile books in a few words; empty if neither is known."""
    indices = [(line.left, line.name) for line in known.traders if line.left is not None]
    fragile = sum(line.verdict == _FRAGILE for line in known.traders)
    words = [f"heaviest tail {name} {_figure(index)}" for index, name in [min(indices)]] if indices else []
    return ", ".join([*words, f"{fragile} fragile"]) if any(line.verdict for line in known.traders) else "".join(words)


def _legend(known: TailsView, silent: Sequence[TailView], inside: int) -> str:
    """Return the first legend that fits: why a figure is missing, if the table does not say so, or what they are."""
    source = "; some histories simulated" if known.simulated else ""
    legends = (
        *(f"{line.name}: {line.reason}" for line in silent if line.reason),
        f"tail index of losses in a year's daily moves, dim: may be no power law; H in days' sd; {known.pace}{source}",
        f"tail index of losses in a year's daily moves; H of shocks in days' sd; {known.pace}",
        f"tail index of losses; H of shocks in days' sd; {known.pace}",
        "tail index of losses; H in days' sd",
    )
    return next((legend for legend in legends if len(legend) <= inside), "tail index of losses")


def _columns(lines: Sequence[TailView], glyphs: Glyphs) -> list[Column]:
    return [
        Column("", [Text(line.name) for line in lines], left=True, width=7),
        Column("index", [_index(line.left, glyphs, thin=line.may_be_thin) for line in lines], width=4),
        Column("± se", [_error(line.left_error) for line in lines], rank=1, width=4),
        Column("gains", [_index(line.right, glyphs) for line in lines], rank=4, width=4),
        Column("± se", [_error(line.right_error) for line in lines], rank=7, width=4),
        Column("MAD/SD", [_share(line.mad_sd, glyphs, 3) for line in lines], rank=5, width=5),
        Column("max/sum", [_share(line.max_to_sum, glyphs, 2) for line in lines], rank=6, width=4),
        Column("H", [_in_days(line, glyphs) for line in lines], rank=2, width=6),
        Column("H $", [signed_money(line.heuristic, glyphs) for line in lines], rank=8, width=8),
        Column("", [_verdict(line, glyphs) for line in lines], left=True, width=11),
        *_reasons(lines),
    ]


def _reasons(lines: Sequence[TailView]) -> list[Column]:
    if not any(line.reason for line in lines):
        return []
    return [Column(_WHY, [Text(line.reason, style="dim") for line in lines], rank=3, left=True, shrinks_to=24)]


def _figure(index: float) -> str:
    return f"{index:.1f}" if index < _LIGHT else ">99"


def _index(index: float | None, glyphs: Glyphs, *, thin: bool = False) -> Text:
    if index is None:
        return Text(glyphs.missing, style="dim")
    return Text(_figure(index), style="dim" if thin else WARNING if index <= _HEAVY else "")


def _error(error: float | None) -> Text:
    return Text("" if error is None else _figure(error), style="dim")


def _share(share: float | None, glyphs: Glyphs, digits: int) -> Text:
    return Text(glyphs.missing if share is None else f"{share:.{digits}f}", style="dim")


def _in_days(line: TailView, glyphs: Glyphs) -> Text:
    days = line.heuristic_days
    if days is None:
        return Text(glyphs.missing, style="dim")
    shown = f"{days:+.1f}"
    return Text("0" if shown.lstrip("+-") == "0.0" else shown, style=WARNING if line.verdict == _FRAGILE else "")


def _verdict(line: TailView, glyphs: Glyphs) -> Text:
    return Text(line.verdict or glyphs.missing, style=WARNING if line.verdict == _FRAGILE else "dim")
