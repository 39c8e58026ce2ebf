"""The MARKET panel: quotes and their changes since the desk was opened, in as many columns as fit.

Quotes are grouped in blocks (best shares, worst shares, funds, FX …). Rows are given to the blocks in turn, so even a
small panel has a quote of each asset class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.amounts import WARNING, moved, price, span
from bank_python.desk.live.columns import fit
from bank_python.desk.live.pane import BORDER_HEIGHT, BORDER_WIDTH, pane
from bank_python.desk.view import QuoteGroup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import DeskView, QuoteTrouble, QuoteView, Status

__all__ = ["market_panel"]

_LEFT_OUT = frozenset({QuoteGroup.VOLATILITIES, QuoteGroup.FUNDING})  # inputs of other contracts' prices
_COLUMN, _GUTTER = 30, 3
_PRICE, _CHANGE = 8, 7
_MIN_ROWS_FOR_HEADING = 3
_ROOM_FOR_REASONS = 20  # lines
_MAX_REASONS = 3


@dataclass(frozen=True, slots=True)
class _Block:
    heading: str
    rows: Sequence[Text]


def market_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw the best and worst shares since opening, funds, FX, rates, credit, indices and crypto."""
    inside, lines = width - BORDER_WIDTH, height - BORDER_HEIGHT
    count = max((inside + _GUTTER) // (_COLUMN + _GUTTER), 1)
    cells = (inside - _GUTTER * (count - 1)) // count
    blocks = _blocks(view, cells, glyphs)
    reasons = _reasons(view.status, inside, glyphs) if lines >= _ROOM_FOR_REASONS else []
    columns = _filled(blocks, count, lines - len(reasons))
    gutter = " " * _GUTTER
    rows = [
        Text(gutter).join(fit(column[i] if i < len(column) else Text(), cells, glyphs) for column in columns)
        for i in range(lines - len(reasons))
    ]
    return pane(
        "MARKET",
        [*rows, *reasons],
        width,
        height,
        glyphs,
        headings="since opening".rjust(inside),
        legend=_legend(inside),
    )


def _legend(inside: int) -> str:
    legend = "~ simulated  ! stale"
    longer = f"{legend}, with the age of the quote"
    return longer if len(longer) <= inside else legend


def _reasons(status: Status, inside: int, glyphs: Glyphs) -> list[Text]:
    lines = []
    for trouble in status.reasons[:_MAX_REASONS]:
        age = "" if trouble.age is None else f" {span(trouble.age)}"
        text = f"{len(trouble.symbols)} {trouble.state}{age} ({trouble.symbols[0]}): {trouble.reason}"
        lines.append(fit(Text(text, style=WARNING), inside, glyphs))
    return lines


def _blocks(view: DeskView, cells: int, glyphs: Glyphs) -> list[_Block]:
    lines: dict[QuoteGroup, list[QuoteView]] = {group: [] for group in QuoteGroup if group not in _LEFT_OUT}
    for line in view.quotes:
        if line.group in lines:
            lines[line.group].append(line)
    shares = [line for line in lines.pop(QuoteGroup.SHARES) if line.change is not None]
    half = (len(shares) + 1) // 2
    named = {"Best shares": shares[:half], "Worst shares": shares[: half - 1 : -1] if len(shares) > 1 else []}
    named |= {group.value: members for group, members in lines.items()}
    blocks = [
        _Block(name, [_row(line, view.status.troubles, cells, glyphs) for line in members])
        for name, members in named.items()
        if members
    ]
    if shares:
        return blocks
    return [_Block("Shares", [fit(Text("shares: no quote", style=WARNING), cells, glyphs)]), *blocks]


def _row(line: QuoteView, troubles: Mapping[str, QuoteTrouble], cells: int, glyphs: Glyphs) -> Text:
    symbol = fit(Text(line.symbol), cells - _PRICE - _CHANGE - 2, glyphs)
    if line.price is None or line.change is None:
        return Text.assemble(symbol, fit(Text("no quote", style=WARNING), _PRICE + _CHANGE + 2, glyphs, left=False))
    trouble = troubles.get(line.symbol)
    mark = Text("~" if line.simulated else " ", style="dim") if trouble is None else Text("!", style=WARNING)
    change = moved(line.change, line.unit) if trouble is None else Text(_age(trouble), style=WARNING)
    shown = Text(price(line.price, line.unit))
    return Text.assemble(
        symbol, fit(shown, _PRICE, glyphs, left=False), mark, " ", fit(change, _CHANGE, glyphs, left=False)
    )


def _age(trouble: QuoteTrouble) -> str:
    return "stale" if trouble.age is None else f"{span(trouble.age)} old"


def _filled(blocks: Sequence[_Block], count: int, lines: int) -> list[list[Text]]:
    """Return `count` columns of `lines` lines, filled with rows of the blocks in turn."""
    enough = [min(_MIN_ROWS_FOR_HEADING, len(block.rows)) for block in blocks]
    headed = _distributed(blocks, enough, count, lines, headed=True) is not None
    rows = [0] * len(blocks)
    columns: list[list[Text]] = [[] for _ in range(count)]
    growing = list(range(len(blocks)))
    while growing:
        for i in list(growing):
            rows[i] += 1
            tried = _distributed(blocks, rows, count, lines, headed=headed) if rows[i] <= len(blocks[i].rows) else None
            if tried is None:
                rows[i] -= 1
                growing.remove(i)
            else:
                columns = tried
    return columns


def _distributed(
    blocks: Sequence[_Block], rows: Sequence[int], count: int, lines: int, *, headed: bool
) -> list[list[Text]] | None:
    """Return the columns for given numbers of rows, with each block in one column; ``None`` if they do not fit."""
    columns: list[list[Text]] = [[]]
    for block, number in zip(blocks, rows, strict=True):
        if not number:
            continue
        heading = [Text(block.heading, style="dim italic")] if headed else []
        part = [*heading, *block.rows[:number]]
        space = [Text()] if headed and columns[-1] else []
        if len(columns[-1]) + len(space) + len(part) <= lines:
            columns[-1] += [*space, *part]
        elif len(part) <= lines:
            columns.append(part)
        else:
            return None
    empty: list[list[Text]] = [[] for _ in range(count - len(columns))]
    return columns + empty if len(columns) <= count else None
