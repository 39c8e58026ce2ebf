"""Tables of the desk's back-tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.numerals import MISSING, number
from bank_python.sheet import Sheet, names, numbers, shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.backtester import BacktestResult

__all__ = ["backtests_view"]


def backtests_view(rows: Sequence[Mapping[str, Any]], results: Mapping[str, BacktestResult]) -> Sheet:
    """Show a row for each strategy: return, Sharpe ratio, largest drawdown, orders filled, costs and final value."""
    first = next(iter(results.values()))
    span = f"{first.dates[0]:%Y-%m-%d} to {first.dates[-1]:%Y-%m-%d}"
    figures = [shares("Return", 2, sign=True), numbers("Sharpe"), shares("Max DD", 2), numbers("Trades", 0)]
    shown = Sheet(f"Back-tests, {span}", [names("Strategy"), *figures, numbers("Costs", 0), numbers("Final value", 0)])
    for row in rows:
        if row["error"] is not None:
            shown.add(row["strategy"], *[None] * 6)
            shown.note(f"{row['strategy']} did not run: {row['error']}")
            continue
        sharpe = MISSING if row["sharpe"] is None else f"{row['sharpe']:.2f}"
        money = number(row["costs"], 0), number(row["final_value"], 0)
        shown.add(row["strategy"], row["return"], sharpe, row["max_dd"], f"{row['trades']:,}", *money)
    costs = f"{first.costs.fees_bps:g} bp of fees and {first.costs.slippage_bps:g} bp of slippage"
    shown.note(
        f"from {number(first.initial_cash, 0)}, orders filled at the {first.fill.value.replace('_', ' ')}, {costs}"
    )
    shared = [note for note in first.notes if all(note in result.notes for result in results.values())]
    own = [f"{name}: {note}" for name, result in results.items() for note in result.notes if note not in shared]
    for note in (*shared, *own):
        shown.note(note)
    return shown
