"""Backtest of value at risk: number of exceptions, their clustering, and the size of losses beyond the VaR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.desk.showcase.figures import require_quotes, share_index
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.errors import DeskError, ModelError
from bank_python.risk import TailMethod, backtest_var, tail_risk
from bank_python.sheet import Sheet, names, numbers, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.desk.showcase.stage import Stage
    from bank_python.numerics import FloatArray

_PERIOD, _WINDOW, _LEVEL = "5y", 250, 0.99
_METHODS = (
    TailMethod.HISTORICAL,
    TailMethod.WEIGHTED,
    TailMethod.FILTERED,
    TailMethod.PARAMETRIC,
    TailMethod.CORNISH_FISHER,
    TailMethod.EVT,
)


@scene("VALUE AT RISK BACKTEST")
def backtesting(stage: Stage) -> SceneResult:
    """Estimate the VaR of a share index by six methods, each day from the year before, and backtest the estimates."""
    desk = stage.desk
    require_quotes(desk)
    symbol = share_index(desk)
    history = desk.listings[symbol].feed.history(symbol, _PERIOD)
    closes = np.array([bar.close for bar in history.bars])
    if not (closes > 0.0).all():
        raise DeskError(
            f"{history.source} has a close of {symbol} that is not positive; use another feed", feed=history.source
        )
    returns = closes[1:] / closes[:-1] - 1.0
    window = min(_WINDOW, len(returns) // 2)
    tests = {method.value: _tested(returns, window, method) for method in _METHODS}
    title = f"One-day VaR {_LEVEL:.0%} of {symbol} ({history.source}), {len(returns) - window:,} days"
    return SceneResult({"symbol": symbol, "source": history.source, "tests": tests}, [_table(title, tests)])


def _table(title: str, tests: Mapping[str, Mapping[str, Any]]) -> Sheet:
    figures = [numbers(column) for column in ("Hits", "Expected", "Kupiec", "Christoffersen")]
    table = Sheet(title, [names("Method"), *figures, words("Basel"), numbers("Z2")])
    table.note("hits: days with a loss beyond the VaR")
    table.note("Kupiec, Christoffersen: p-values; small ones reject the method")
    table.note("Z2 (Acerbi and Székely) below 0: losses beyond the VaR are worse than forecast")
    for method, test in tests.items():
        name = method.replace("_", " ")
        if "error" in test:
            table.add(name, *[None] * 6)
            continue
        counts = f"{test['exceptions']}", f"{test['expected']:.1f}"
        results = f"{test['kupiec_p']:.3f}", f"{test['christoffersen_p']:.3f}", test["traffic_light"]
        table.add(name, *counts, *results, f"{test['z2']:+.2f}")
    return table


def _tested(returns: FloatArray, window: int, method: TailMethod) -> dict[str, Any]:
    days = range(window, len(returns))
    try:
        forecasts = [tail_risk(returns[day - window : day], _LEVEL, method) for day in days]
    except ModelError as error:
        return {"error": str(error)}
    var, es = np.array([risk.var for risk in forecasts]), np.array([risk.es for risk in forecasts])
    tried = backtest_var(returns[window:], var, es=es, confidence=_LEVEL)
    assert tried.acerbi_szekely is not None  # noqa: S101 - there is an expected shortfall
    return {
        "exceptions": tried.exceptions,
        "expected": tried.expected,
        "kupiec_p": tried.christoffersen.coverage.p_value,
        "christoffersen_p": tried.christoffersen.p_value,
        "traffic_light": tried.traffic_light.zone,
        "z2": tried.acerbi_szekely.z2,
    }
