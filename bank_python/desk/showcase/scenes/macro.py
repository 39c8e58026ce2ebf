"""Macro gauges in words, correlations between currencies, gold, coins, shares and rates, and trends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.desk.assets import with_common_past
from bank_python.desk.showcase.figures import past_prices, require_quotes, share_index
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.macro import correlation_board, macro_regime, read_gauges, simulate_macro, trend_board
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.risk import fit_regimes

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage

_PERIOD = "5y"
_PAIR, _RATE = "EURUSD", "UST10Y"
_DOLLAR = "USD (1/EURUSD)"
_ASSETS = (_PAIR, "GLD", "BTC", "ETH", "SPY", _RATE)


@scene("MACRO GAUGES, CORRELATIONS AND TRENDS")
def macro(stage: Stage) -> SceneResult:
    """Read 21 macro gauges in words, with one joint reading, and test correlations and trends of six markets."""
    desk = stage.desk
    require_quotes(desk)
    board = read_gauges(simulate_macro(end=desk.clock.date))
    name, probability = _market_regime(desk)
    regime = macro_regime(board, fitted=name, probability=probability)
    prices = _prices(desk)
    rates = [rate for rate in (_RATE,) if rate in prices]
    correlations = correlation_board(prices, differences=rates)
    trends = trend_board({name: series for name, series in prices.items() if name not in rates})
    facts = {
        "is_simulated": board.is_simulated,
        "reading": regime.reading,
        "stress_share": board.stress_share,
        "in_stress": [gauge.reading for gauge in board.gauges if gauge.state.value == "stress"],
        "correlations": {f"{pair.first}/{pair.second}": pair.rolling for pair in correlations.pairs},
        "changed": {
            f"{pair.first}/{pair.second}": pair.verdict for pair in correlations.pairs if pair.verdict != "stable"
        },
        "trends": {trend.name: trend.verdict for trend in trends.trends},
    }
    remark = (
        f"The gauges are invented: simulate_macro stands in for FRED's files, which read_fred reads. {_DOLLAR} is the "
        "inverse of the quoted pair, so that it rises with the dollar."
    )
    return SceneResult(facts, [board, regime, correlations, trends, remark])


def _market_regime(desk: Desk) -> tuple[str, float]:
    """Return the present regime of the share index in words, with its probability."""
    symbol = share_index(desk)
    fit = fit_regimes(np.diff(np.log(past_prices(desk, [symbol]).closes(symbol))), order_by="variance")
    word = "turbulent" if fit.current_regime else "calm"
    return f"of {symbol}: {word}", float(fit.probability_now[fit.current_regime])


def _prices(desk: Desk) -> dict[str, Any]:
    """Return the histories of the markets that one feed quotes, the dollar in place of the pair."""
    symbols = with_common_past(desk, _ASSETS)
    past = {symbol: desk.market.load_history(symbol, _PERIOD, into=PriceHistoryTable()) for symbol in symbols}
    if _PAIR not in past:
        return {**past}
    return {_DOLLAR: [(bar.date, 1.0 / bar.close) for bar in past.pop(_PAIR).bars], **past}
