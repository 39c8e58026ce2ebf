"""The volatility of a coin over some hours, blended from three models, and what replaces one that cannot be fitted."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bank_python.desk.showcase.figures import quoted_value, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.risk_models import blend_volatility, combine_volatility
from bank_python.sheet import Sheet, names, numbers, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.showcase.stage import Stage
    from bank_python.market_data.feed import Bar
    from bank_python.risk_models import VolatilityBlend

_COIN, _IMPLIED = "BTC", "BTC_VOL"
_HORIZONS = (4.0, 8.0, 24.0)
_HORIZON = 8.0
_DAY = 24.0
_SHORT = 250
"""Number of bars that are too few for GARCH."""
_DAYS_IN_YEAR = 365.25


@scene("BLENDED VOLATILITY OF A COIN")
def blended_volatility(stage: Stage) -> SceneResult:
    """Blend HAR, GARCH and the average true range over some hours; one that cannot be fitted gives up its weight."""
    desk = stage.desk
    require_quotes(desk)
    past = desk.market.load_history(_COIN, "5y", into=PriceHistoryTable())
    hours_a_year = _DAY * _bars_a_year(past.bars)
    blends = [blend_volatility(past, horizon, bar_hours=_DAY) for horizon in _HORIZONS]
    full = blends[_HORIZONS.index(_HORIZON)]
    short = blend_volatility(replace(past, bars=past.bars[-_SHORT:]), _HORIZON, bar_hours=_DAY)
    implied = quoted_value(desk, _IMPLIED)
    views: list[Any] = [full, _table(past.source, blends, hours_a_year), f"The last {_SHORT} days alone:", short]
    facts = {
        "source": past.source,
        "horizon_hours": _HORIZON,
        "by_hours": {f"{blend.horizon_hours:g}": blend.volatility for blend in blends},
        "full": _facts(full),
        "short": _facts(short),
        "annualised": full.annualised(hours_a_year),
        "implied": implied,
    }
    if implied is not None:
        har, _, average = (part.volatility for part in full.parts)
        given = implied * math.sqrt(_HORIZON / hours_a_year)
        combined = combine_volatility(_HORIZON, har=har, garch=given, atr=average)
        facts["with_implied"] = combined.volatility
        views.append(
            f"With the implied volatility {_IMPLIED}, {implied:.1%} a year, in the place of GARCH the blend is "
            f"{combined.volatility:.3%} over {_HORIZON:g} hours."
        )
    return SceneResult(facts, views)


def _bars_a_year(bars: Sequence[Bar]) -> float:
    """Return the bars in a year: 365 of coins that trade every day, 261 in a market with weekends."""
    return (len(bars) - 1) / ((bars[-1].date - bars[0].date).days / _DAYS_IN_YEAR)


def _table(source: str, blends: Sequence[VolatilityBlend], hours_a_year: float) -> Sheet:
    columns = [names("Horizon"), shares("Volatility", 2), numbers("Price move", 0), shares("A year")]
    table = Sheet(f"Blended volatility of {_COIN} ({source} daily bars)", columns)
    for blend in blends:
        table.add(f"{blend.horizon_hours:g} hours", blend.volatility, blend.price_move, blend.annualised(hours_a_year))
    table.note(f"a year of {hours_a_year / _DAY:.0f} bars of 24 hours")
    return table


def _facts(blend: VolatilityBlend) -> dict[str, dict[str, Any]]:
    return {row.pop("model"): row for row in blend.to_table().to_list()}
