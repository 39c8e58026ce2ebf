"""Liquidity: days to liquidate the firm's shares and funds, and a value at risk that includes time and spreads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.share_positions import (
    PARTICIPATION,
    liquidation,
    share_positions,
    share_values,
    traded_values,
)
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.errors import DeskError
from bank_python.mc_engine import MCConfig, MonteCarloEngine
from bank_python.risk import liquidity_adjusted_var
from bank_python.sheet import Sheet, names, numbers, shares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.desk.showcase.stage import Stage
    from bank_python.risk import LiquidityAdjustedVar

_CONFIG = MCConfig(n_paths=20_000, random_seed=42, stresses=(), validate_greeks=False)
_SPREAD, _DEVIATION = 0.0005, 0.0003
"""Assumed mean and standard deviation of all relative spreads: 5 and 3 basis points."""
_TRADED = 1e8
"""Assumed value traded per day, for prices without volumes."""
_SIZES = (1, 100, 1_000)
_MOST = 0.95


@scene("LIQUIDITY")
def liquidity(stage: Stage) -> SceneResult:
    """Liquidate the firm's shares at a tenth of the usual volumes, and add time and spreads to their value at risk."""
    desk = stage.desk
    require_quotes(desk)
    values = share_values(desk)
    traded = traded_values(desk, list(values))
    volumes = "the means of a quarter of the histories" if traded else f"assumed to be {_TRADED:,.0f} USD a day each"
    book = liquidation(values, traded or dict.fromkeys(values, _TRADED))
    if book is None:
        raise DeskError("the firm has no positions in shares")
    positions = [position for position in share_positions(desk) if position.instrument.name in book.names]
    var = MonteCarloEngine({"shares": positions}, desk.graph).run(_CONFIG).var_99
    days = book.days_for(_MOST)
    adjusted = {
        size: liquidity_adjusted_var(
            size * var,
            {name: size * value for name, value in zip(book.names, book.values.tolist(), strict=True)},
            _SPREAD,
            spread_deviations=_DEVIATION,
            days=size * days,
        )
        for size in _SIZES
    }
    facts = {
        "positions": len(book.names),
        "volumes_assumed": not traded,
        "without_volume": sorted(set(values) - set(book.names)),
        "gross_value": math.fsum(book.values),
        "participation": PARTICIPATION,
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


def _sizes(adjusted: Mapping[int, LiquidityAdjustedVar], days: float) -> Sheet:
    columns = [names("Size"), numbers("Days"), numbers("VaR 99%", 0), numbers("Adjusted", 0), shares("More")]
    table = Sheet("The same positions, larger (USD)", columns)
    for size, of in adjusted.items():
        table.add(f"× {size:,}", f"{size * days:,.3g}", of.var, of.value, of.value / of.var - 1.0)
    table.note(f"days: until {_MOST:.0%} of the value is sold, over which the adjusted VaR is taken (at least one)")
    return table
