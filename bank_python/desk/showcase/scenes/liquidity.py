"""Liquidity: days to liquidate the firm's shares and funds, and a value at risk that includes time and spreads."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from bank_python.desk.factor_model import load_past
from bank_python.desk.showcase.figures import SHARES, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.instruments import Equity
from bank_python.mc_engine import MCConfig, MonteCarloEngine
from bank_python.risk import holders, liquidation_schedule, liquidity_adjusted_var
from bank_python.risk.state import exchange_rate
from bank_python.sheet import Sheet, names, numbers, shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.instruments import Position
    from bank_python.risk import LiquidityAdjustedVar

_CONFIG = MCConfig(n_paths=20_000, random_seed=42, stresses=(), validate_greeks=False)
_PARTICIPATION = 0.2
"""Share of a market's volume that the firm's sales make up."""
_MONTH = 21
_TRADED = 1e8
"""Assumed value traded per day in USD, for prices without volumes."""
_SPREAD, _DEVIATION = 0.0005, 0.0003
"""Assumed mean and standard deviation of all relative spreads: 5 and 3 basis points."""
_SIZES = (1, 300, 1_000)
_MOST = 0.95


@scene("LIQUIDITY")
def liquidity(stage: Stage) -> SceneResult:
    """Liquidate the firm's shares at a fifth of the usual volumes, and add time and spreads to their value at risk."""
    desk = stage.desk
    require_quotes(desk)
    positions = _positions(desk)
    values = _values(positions)
    traded = _traded(desk, values)
    volumes = f"the means of {_MONTH} days of the histories" if traded else f"assumed to be {_TRADED:,.0f} USD a day"
    traded = traded or dict.fromkeys(values, _TRADED)
    sold = {symbol: value for symbol, value in values.items() if symbol in traded and value}
    book = liquidation_schedule(sold, {symbol: traded[symbol] for symbol in sold}, participation=_PARTICIPATION)
    held = [position for symbol, position in positions if symbol in sold]
    var = MonteCarloEngine({"shares": held}, desk.graph).run(_CONFIG).var_99
    days = book.days_for(_MOST)
    adjusted = {
        size: liquidity_adjusted_var(
            size * var,
            {symbol: size * value for symbol, value in sold.items()},
            _SPREAD,
            spread_deviations=_DEVIATION,
            days=size * days,
        )
        for size in _SIZES
    }
    facts = {
        "positions": len(book.names),
        "volumes": volumes,
        "without_volume": sorted(set(values) - set(sold)),
        "gross_value": math.fsum(book.values),
        "participation": _PARTICIPATION,
        "days_for_95_percent": days,
        "slowest": dict(sorted(zip(book.names, book.days.tolist(), strict=True), key=lambda item: -item[1])[:3]),
        "assumed_spread": _SPREAD,
        "var_99": var,
        "adjusted": {f"{size}": of.value for size, of in adjusted.items()},
        "factor": {f"{size}": of.factor for size, of in adjusted.items()},
    }
    remark = (
        f"Assumed, not quoted: spreads of {1e4 * _SPREAD:g} basis points with a standard deviation of "
        f"{1e4 * _DEVIATION:g}. Volumes are {volumes}."
    )
    return SceneResult(facts, [book, adjusted[1], _sizes(adjusted, days), remark])


def _positions(desk: Desk) -> list[tuple[str, Position]]:
    """Return all positions in shares and funds themselves with their symbols, without those in derivatives."""
    symbols = {symbol for symbol, listing in desk.listings.items() if listing.kind in SHARES}
    every = (position for trader in desk.traders for position in trader.positions if position.quantity)
    held = ((item.instrument, item) for item in every)
    return [(share.name, item) for share, item in held if isinstance(share, Equity) and share.name in symbols]


def _values(positions: Sequence[tuple[str, Position]]) -> dict[str, float]:
    """Return the net value of the positions by symbol, in USD."""
    values: dict[str, list[float]] = defaultdict(list)
    [firm] = holders({"firm": [position for _, position in positions]})
    for symbol, position in positions:
        rate = exchange_rate(firm, position.currency, "USD")
        values[symbol].append(rate * float(position.value))
    return {symbol: math.fsum(of) for symbol, of in values.items()}


def _traded(desk: Desk, symbols: Iterable[str]) -> dict[str, float]:
    """Return the value that is traded per day, the mean of a month; without symbols whose source has no volumes."""
    load_past(desk)
    found = {}
    for symbol in symbols:
        bars = list(desk.past.query(symbol))[-_MONTH:]
        traded = [bar["close"] * bar["volume"] for bar in bars if bar["volume"]]
        if traded:
            found[symbol] = math.fsum(traded) / len(traded)
    return found


def _sizes(adjusted: Mapping[int, LiquidityAdjustedVar], days: float) -> Sheet:
    columns = [names("Size"), numbers("Days"), numbers("VaR 99%", 0), numbers("Adjusted", 0), shares("More")]
    table = Sheet("The same positions, larger (USD)", columns)
    for size, of in adjusted.items():
        table.add(f"× {size:,}", f"{size * days:,.3g}", of.var, of.value, of.value / of.var - 1.0)
    table.note(f"days: until {_MOST:.0%} of the value is sold, over which the adjusted VaR is taken (at least one)")
    return table
