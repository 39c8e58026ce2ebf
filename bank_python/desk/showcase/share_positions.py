"""The firm's positions in shares and funds, and how much of each is traded in the market per day."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from bank_python.desk.factor_model import load_past
from bank_python.desk.showcase.figures import SHARES
from bank_python.instruments import Equity
from bank_python.risk import holders, liquidation_schedule
from bank_python.risk.state import exchange_rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.desk.desk import Desk
    from bank_python.instruments import Position
    from bank_python.risk import Liquidation

__all__ = ["PARTICIPATION", "liquidation", "share_positions", "share_values", "traded_values"]

PARTICIPATION = 0.1
"""Share of a market's volume that the firm's sales make up."""
_DAYS = 63  # a quarter


def share_positions(desk: Desk) -> list[Position]:
    """Return all positions in shares and funds themselves, without those in derivatives."""
    shares = {symbol for symbol, listing in desk.listings.items() if listing.kind in SHARES}
    every = (position for trader in desk.traders for position in trader.positions if position.quantity)
    return [item for item in every if isinstance(item.instrument, Equity) and item.instrument.name in shares]


def share_values(desk: Desk, currency: str = "USD") -> dict[str, float]:
    """Return the net value of the firm's positions by symbol, in one currency; in a scenario that of the scenario."""
    values: dict[str, list[float]] = defaultdict(list)
    [firm] = holders({"firm": share_positions(desk)})
    for position in firm.positions:
        rate = exchange_rate(firm, position.currency, currency)
        values[position.instrument.name].append(rate * float(position.value))
    return {symbol: math.fsum(of) for symbol, of in values.items()}


def traded_values(desk: Desk, symbols: list[str]) -> dict[str, float]:
    """Return the value that is traded per day, the mean of a quarter; without symbols whose source has no volumes."""
    load_past(desk)
    found = {}
    for symbol in symbols:
        bars = list(desk.past.query(symbol))[-_DAYS:]
        traded = [bar["close"] * bar["volume"] for bar in bars if bar["volume"] is not None]
        if len(traded) == len(bars):
            found[symbol] = math.fsum(traded) / len(traded)
    return found


def liquidation(values: Mapping[str, float], traded: Mapping[str, float]) -> Liquidation | None:
    """Return the liquidation of the positions whose traded value is known; None if there is none."""
    known = {symbol: value for symbol, value in values.items() if symbol in traded and value}
    if not known:
        return None
    return liquidation_schedule(known, {symbol: traded[symbol] for symbol in known}, participation=PARTICIPATION)
