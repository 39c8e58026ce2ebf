"""``pnl``: value and P&L by trader and by position; ``pnl-attr``: the P&L by the market moves that caused it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from bank_python.desk.commands.result import CommandResult
from bank_python.desk.commands.views import attribution_by_view, positions_view, traders_view
from bank_python.desk.console import working
from bank_python.desk.past_state import past_state, store_copy
from bank_python.desk.view_builder import build_view
from bank_python.mntable import Table
from bank_python.risk import EFFECTS, PnLAttribution, capture

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bank_python.desk.desk import Desk
    from bank_python.desk.past_state import PastState
    from bank_python.desk.view import PositionView

__all__ = ["attribute_pnl", "list_pnl"]

_FEW = 10
_WORDS = ("trader", "instrument", "kind", "currency")
_FIGURES = ("quantity", "multiplier", "value", "pnl")


def list_pnl(desk: Desk, *, trader: str | None = None, everything: bool = False) -> CommandResult:
    """List value and P&L of the traders and of their positions.

    Parameters
    ----------
    desk : Desk
        Desk to list.
    trader : str, optional
        Name of the only trader whose positions are listed; by default those of all.
    everything : bool, default False
        Whether all positions are shown, and not only those with the largest gains and losses.

    Raises
    ------
    DeskError
        There is no such trader.
    """
    view = build_view(desk)
    chosen = None if trader is None else desk.traders[trader].name
    traders = [line for line in view.traders if chosen in {None, line.name}]
    positions = [line for line in view.positions if chosen in {None, line.trader}]
    shown = positions if everything or chosen is not None else _extremes(positions)
    facts = {
        "value": view.firm.value,
        "pnl": view.firm.pnl,
        "traders": [
            {"name": line.name, "strategy": line.strategy, "value": line.value, "pnl": line.pnl} for line in traders
        ],
        "positions": positions,
    }
    views = [
        traders_view(traders, view.firm if chosen is None else None),
        positions_view(shown, len(positions) - len(shown)),
    ]
    rows = [{name: getattr(line, name) for name in (*_WORDS, *_FIGURES)} for line in positions]
    schema = [*((name, str) for name in _WORDS), *((name, float | None) for name in _FIGURES)]
    return CommandResult(facts, views, Table.from_rows(schema, rows))


def _extremes(positions: Sequence[PositionView]) -> list[PositionView]:
    """Return the positions with the largest gains and losses, in the order of the view: by P&L."""
    known = [line for line in positions if line.pnl is not None]
    largest = sorted(known, key=lambda line: -abs(line.pnl or 0.0))[:_FEW]
    return [line for line in known if line in largest]


def attribute_pnl(
    desk: Desk,
    *,
    path: str | None = None,
    since: dt.datetime | None = None,
    mode: str = "taylor",
    by_instrument: bool = False,
) -> CommandResult:
    """Attribute the P&L since an earlier time to market moves, passing time, cash flows and new trades.

    Parameters
    ----------
    desk : Desk
        Desk with the present positions.
    path : str, optional
        File of the store that has the earlier state; by default the desk's own store.
    since : datetime, optional
        Earlier time, timezone-aware; by default the earliest at which the store still has the desk.
    mode : {"taylor", "waterfall"}, default "taylor"
        Method of the attribution.
    by_instrument : bool, default False
        Whether there is a row for each instrument instead of each trader.

    Raises
    ------
    DeskError
        The store has no desk at that time.
    RiskError
        There is no such method.
    """
    with ExitStack() as stack:
        stack.enter_context(working("Attributing the P&L ..."))
        opening = past_state(desk.db if path is None else stack.enter_context(store_copy(path)), since)
        day = PnLAttribution.between(opening.state, capture(desk.traders), mode)
    rows = day.by_instrument() if by_instrument else day.by_trader()
    totals = {name: {**row, "actual": sum(row.values())} for name, row in rows.items()}
    effects = [effect for effect in EFFECTS if any(row[effect] for row in totals.values())]
    facts = {
        "since": opening.saved_at,
        "opening_date": opening.date,
        "mode": day.mode,
        "currency": day.currency,
        "pnl": day.actual,
        "by_factor": day.by_factor(),
        "instruments" if by_instrument else "traders": totals,
        "unexplained_share": day.unexplained_share,
        "errors": {name: str(error) for name, error in day.errors.items()},
    }
    title = f"P&L by {'instrument' if by_instrument else 'trader'}, {day.currency}"
    views = [_since(opening), day, attribution_by_view(title, totals, effects)]
    return CommandResult(facts, views, day)


def _since(opening: PastState) -> str:
    return f"Since {opening.saved_at:%Y-%m-%d %H:%M:%S} UTC, valuation date {opening.date.isoformat()}"
