"""Terminal view of the result of a back-test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerals import number
from bank_python.sheet import Sheet, names, words

if TYPE_CHECKING:
    from bank_python.backtester.result import BacktestResult

__all__ = ["result_view"]


_SHOWN = 6  # tickers


def result_view(result: BacktestResult) -> Sheet:
    """Show what a strategy did: the period, equity at its ends, fills, costs, and what has to be known."""
    first, last = result.dates[0], result.dates[-1]
    shown = Sheet(f"Back-test of {result.strategy}", [names("Figure"), words("Value")])
    tickers = result.panel.tickers
    more = f" and {len(tickers) - _SHOWN} more" if len(tickers) > _SHOWN else ""
    shown.add("bars", f"{len(result.panel):,} of {', '.join(tickers[:_SHOWN])}{more}")
    shown.add("period", f"{first:%Y-%m-%d} to {last:%Y-%m-%d}")
    shown.add("equity", f"{number(result.initial_cash, 2)} to {number(result.final_value, 2)}")
    shown.add("return", f"{result.final_value / result.initial_cash - 1.0:+.2%}")
    shown.add("orders filled", f"{result.trade_count:,} at the {result.fill.value.replace('_', ' ')}")
    shown.add("fees and slippage", number(result.cost, 2))
    known = result.exposure[~np.isnan(result.exposure)]
    shown.add("mean exposure", f"{float(known.mean()):.0%} of equity" if known.size else "unknown")
    if result.refusals:
        shown.add("orders refused", f"{len(result.refusals):,}, the first: {result.refusals[0].reason}")
    for note in result.notes:
        shown.note(note)
    shown.note(f"fingerprint {result.fingerprint[:16]}")
    return shown
