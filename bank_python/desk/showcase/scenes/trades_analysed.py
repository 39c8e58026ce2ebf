"""Trade analysis: how well trades were entered and left, and what chance alone would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.desk.showcase.figures import past_prices, quoted_shares, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.trading_engine import ExecutionModel, TradeAnalysis

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from bank_python.desk.showcase.stage import Stage
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine import TradeStatistics

_SHARES, _AVERAGE, _MONEY = 8, 50, 10_000.0
_COSTS = ExecutionModel(spread_bps=4.0, slippage_bps=1.0, fee_per_share=0.005)
_SIGNALS = ("trend", "coin toss")


@scene("TRADE ANALYSIS")
def trades_analysed(stage: Stage) -> SceneResult:
    """Analyse the trades of a trend rule beside those of a coin: entries, exits, excursions, luck, and the market."""
    desk = stage.desk
    require_quotes(desk)
    symbols = quoted_shares(desk)[:_SHARES]
    past = past_prices(desk, symbols, "2y")
    rng = np.random.default_rng(3)
    fills: list[dict[str, Any]] = []
    bars = {}
    for symbol in symbols:
        bars[symbol] = list(past.query(symbol))
        closes = past.closes(symbol)
        for signal, held in zip(_SIGNALS, (_trend(closes), _tossed(closes, rng)), strict=True):
            fills += _fills(symbol, signal, bars[symbol], held)
    closing = {symbol: [(_day(row), row["close"]) for row in rows] for symbol, rows in bars.items()}
    analysis = TradeAnalysis(fills, closing, seed=1)
    groups = analysis.by("signal")
    figures = {group.name: group for group in groups.groups}
    facts = {
        "symbols": symbols,
        "round_trips": len(analysis),
        "open_lots": len(analysis.open_lots),
        **{signal: _facts(figures[signal]) for signal in _SIGNALS if signal in figures},
    }
    heading = f"{_SHARES} shares for two years: held above their mean of {_AVERAGE} days, or while a coin says so."
    means = ", ".join(f"the {name} {figures[name].expectancy:+,.0f}" for name in _SIGNALS if name in figures)
    remark = (
        f"Mean gain of a trade: {means}. The bootstrap says whether a mean may be luck, not whether the rule made it: "
        "shares that rise pay the coin as well. A rule is worth what it makes beyond that."
    )
    trend = figures.get("trend")
    return SceneResult(facts, [heading, groups, *([trend] if trend else []), remark])


def _trend(closes: FloatArray) -> FloatArray:
    """Return whether a share is held after each close: while it is above its moving average."""
    averages = np.convolve(closes, np.full(_AVERAGE, 1.0 / _AVERAGE), "valid")
    held = np.zeros(len(closes), dtype=bool)
    held[_AVERAGE - 1 :] = closes[_AVERAGE - 1 :] > averages
    return held


def _tossed(closes: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return whether a share is held after each close, if one day in ten a coin is tossed."""
    held = np.zeros(len(closes), dtype=bool)
    for i in range(_AVERAGE, len(closes)):
        held[i] = bool(rng.integers(2)) if rng.random() < 0.1 else held[i - 1]  # noqa: PLR2004 - one day in ten
    return held


def _fills(symbol: str, signal: str, bars: list[Any], held: FloatArray) -> Iterator[dict[str, Any]]:
    """Give a fill on the close after each change, with its costs."""
    quantity = 0.0
    for i in range(1, len(bars)):
        wanted = bool(held[i - 1])
        if wanted == bool(quantity):
            continue
        close, side = float(bars[i]["close"]), "buy" if wanted else "sell"
        size = round(_MONEY / close, 2) if wanted else quantity
        cost = _COSTS.price_of(side, size, close)
        quantity = size if wanted else 0.0
        order = {"instrument": symbol, "side": side, "quantity": size, "expected_price": close}
        # Two traders: the fills of one in a share are one position, whatever their signals.
        yield order | {
            "trader": signal,
            "signal": signal,
            "price": cost.price,
            "fees": cost.fees,
            "time": _day(bars[i]),
        }


def _day(bar: Any) -> dt.date:
    day: dt.date = bar["date"].date()
    return day


def _facts(group: TradeStatistics) -> dict[str, Any]:
    names = ("total", "hit_rate", "payoff", "mae", "mfe", "capture", "entry_efficiency", "exit_efficiency")
    return {
        "trades": group.n,
        **{name: getattr(group, name) for name in (*names, "slippage_bps")},
        "probability_not_positive": group.luck.p_not_positive,
        "verdict": group.luck.verdict,
    }
