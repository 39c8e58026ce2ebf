"""Volatility of a share index: forecasts of five models as nodes of the graph, and value at risk filtered by them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.desk.showcase.figures import past_prices, quoted_value, require_quotes, share_index
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.errors import ModelError
from bank_python.risk import ReactiveVolatility, value_at_risk
from bank_python.risk_models import parkinson_volatility, yang_zhang_volatility
from bank_python.sheet import Sheet, names, shares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray
    from bank_python.risk_models import GarchFit

_MODELS = {
    "GJR, Student-t": ("gjr", "t"),
    "EGARCH, normal": ("egarch", "normal"),
    "EWMA, decay 0.94": ("ewma", "normal"),
    "HAR": ("har", "normal"),
    "last 21 days": ("realised", "normal"),
}
_HORIZONS = (1, 5, 20)
_FALL = -0.05
_LEVEL, _MONTH = 0.99, 21
_FILTERS = ("ewma", "gjr")
_POINTS = 100.0


@scene("VOLATILITY FORECASTS")
def volatility(stage: Stage) -> SceneResult:
    """Forecast the volatility of a share index by five models, also in a what-if, and filter its VaR by two of them."""
    desk = stage.desk
    require_quotes(desk)
    symbol = share_index(desk)
    past = past_prices(desk, [symbol])
    source = next(iter(past.query(symbol)))["source"]
    with ExitStack() as nodes:
        models = {key: _node(desk, past, symbol, *key, nodes) for key in _keys()}
        now = {key: cast("float", model.forecast.value) for key, model in models.items()}
        with desk.graph.scenario({desk.leaf(symbol): (1.0 + _FALL) * float(past.closes(symbol)[-1])}):
            fallen = {name: cast("float", models[name, 1].forecast.value) for name in _MODELS}
        gjr = models[next(iter(_MODELS)), 1]
        fit, days = _fit(gjr), gjr.periods_per_year
    others = {**_of_bars(past, symbol, days), **_implied(desk, symbol)}
    risks, refused = _risks(past, symbol)
    facts = {
        "symbol": symbol,
        "source": source,
        "days_per_year": days,
        "forecasts": {name: {f"{horizon}": now[name, horizon] for horizon in _HORIZONS} for name in _MODELS},
        "if_it_fell_by_5_percent": fallen,
        "others": others,
        "gjr": fit.to_table().to_list(),
        "var_99": risks,
    }
    title = f"Volatility of {symbol} a year, forecast ({source} prices)"
    views = [
        f"Log returns of {symbol} per day ({source}):",
        fit,
        _forecasts(title, now, fallen, days),
        _others(symbol, others),
        _filtered(symbol, risks, refused),
    ]
    return SceneResult(facts, views)


def _keys() -> list[tuple[str, int]]:
    return [(name, horizon) for name in _MODELS for horizon in _HORIZONS]


def _node(
    desk: Desk, past: PriceHistoryTable, symbol: str, name: str, horizon: int, nodes: ExitStack
) -> ReactiveVolatility:
    """Return a forecast as a node, which is removed with the others."""
    model, distribution = _MODELS[name]
    node = ReactiveVolatility(
        desk.graph,
        past,
        symbol,
        model,
        distribution=distribution,
        horizon=horizon,
        name=f"SHOWCASE:{model}:{horizon}",
        spot=desk.leaf(symbol),
    )
    nodes.callback(node.remove)
    return node


def _fit(node: ReactiveVolatility) -> GarchFit:
    assert node.fit is not None  # noqa: S101 - a GARCH model has one
    return cast("GarchFit", node.fit.value)


def _of_bars(past: PriceHistoryTable, symbol: str, days: float) -> dict[str, float]:
    """Return the volatility a year of the last bars by their ranges; none if the source has no highs and lows."""
    bars = list(past.query(symbol))[-_MONTH:]
    columns = {name: [bar[name] for bar in bars] for name in ("open", "high", "low", "close")}
    if any(None in column for column in columns.values()):
        return {}
    parkinson = parkinson_volatility(columns["high"], columns["low"], periods_per_year=days)
    return {
        "Parkinson": float(parkinson),
        "Yang and Zhang": float(yang_zhang_volatility(*columns.values(), periods_per_year=days)),
    }


def _implied(desk: Desk, symbol: str) -> dict[str, float]:
    quotes = {f"{symbol}_VOL": quoted_value(desk, f"{symbol}_VOL"), "VIX": quoted_value(desk, "VIX")}
    return {name: quote / _POINTS if name == "VIX" else quote for name, quote in quotes.items() if quote is not None}


def _risks(past: PriceHistoryTable, symbol: str) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Return the VaR by method, now and after one more day with a fall, and the reasons of methods without one."""
    closes = past.closes(symbol)
    returns = closes[1:] / closes[:-1] - 1.0
    samples = {"now": returns, "after_a_fall": np.append(returns, _FALL)}
    found = {"historical": {case: value_at_risk(sample, _LEVEL) for case, sample in samples.items()}}
    refused = []
    for model in _FILTERS:
        try:
            found[f"filtered, {model}"] = {case: _filter(sample, model) for case, sample in samples.items()}
        except ModelError as error:
            refused.append(error.message)
    return found, refused


def _filter(returns: FloatArray, model: str) -> float:
    return value_at_risk(returns, _LEVEL, "filtered", vol_model=model)


def _forecasts(title: str, now: Mapping[tuple[str, int], float], fallen: Mapping[str, float], days: float) -> Sheet:
    columns = [shares(f"{horizon} day{'s' if horizon > 1 else ''}") for horizon in _HORIZONS]
    table = Sheet(title, [names("Model"), *columns, shares(f"1 day, after {_FALL:.0%}")])
    for name in _MODELS:
        table.add(name, *(now[name, horizon] for horizon in _HORIZONS), fallen[name])
    table.note(f"mean volatility over the days ahead, times √{days:.0f}; the present price counts as today's close")
    table.note(f"last column: what-if of a price {-_FALL:.0%} below the last close, in the graph")
    return table


def _others(symbol: str, figures: Mapping[str, float]) -> Sheet:
    table = Sheet(f"Volatility of {symbol} a year, measured and implied", [names("Measure"), shares("Volatility")])
    for name, figure in figures.items():
        table.add(name, figure)
    table.note(f"Parkinson, Yang and Zhang: from the ranges of the last {_MONTH} days; quotes: implied by options")
    return table


def _filtered(symbol: str, risks: Mapping[str, Mapping[str, Any]], refused: list[str]) -> Sheet:
    columns = [names("Method"), shares("Now", 2), shares(f"After a day of {_FALL:.0%}", 2)]
    table = Sheet(f"One-day VaR {_LEVEL:.0%} of {symbol}, share of the price", columns)
    for method, risk in risks.items():
        table.add(method, risk["now"], risk["after_a_fall"])
    table.note("filtered: each day's return rescaled from the volatility of its time to that of tomorrow")
    for reason in refused:
        table.note(reason)
    return table
