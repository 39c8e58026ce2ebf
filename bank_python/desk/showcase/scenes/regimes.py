"""Regimes of a share index by Markov switching, and their probabilities as nodes of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.desk.showcase.figures import past_prices, require_quotes, share_index
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.risk import ReactiveRegimes, fit_regimes
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.risk import RegimeFit

_DAYS = (-0.04, -0.02, 0.0, 0.02)
"""Returns since the last close."""
_AHEAD = (1, 5, 20, 60)
_WIDTH = 24


@scene("MARKET REGIMES")
def regimes(stage: Stage) -> SceneResult:
    """Fit a calm and a turbulent regime to a share index, test whether the data support them, and follow them live."""
    desk = stage.desk
    require_quotes(desk)
    symbol = share_index(desk)
    past = past_prices(desk, [symbol])
    live = ReactiveRegimes(desk.graph, past, symbol, name="SHOWCASE:REGIMES", spot=desk.leaf(symbol))
    try:
        fit = cast("RegimeFit", live.fit.value)
        now = cast("float", live.turbulence.value)
        after = {day: _turbulence(desk, live, symbol, day) for day in _DAYS}
    finally:
        live.remove()
    three = fit_regimes(np.diff(np.log(past.closes(symbol))), 3, order_by="variance")
    ahead = fit.forecast(max(_AHEAD))[:, -1]
    facts = {
        "symbol": symbol,
        "volatilities": fit.volatilities.tolist(),
        "durations": fit.durations.tolist(),
        "transition": fit.transition.tolist(),
        "turbulence_at_the_last_close": float(fit.probability_now[-1]),
        "turbulence_now": now,
        "turbulence_after": {f"{day:+.0%}": probability for day, probability in after.items()},
        "turbulence_in_days": {f"{days}": float(ahead[days - 1]) for days in _AHEAD},
        "two_supported": fit.is_supported,
        "bic": {"1": fit.single_bic, "2": fit.bic, "3": three.bic},
    }
    heading = f"Log returns of {symbol} per day ({next(iter(past.query(symbol)))['source']}):"
    title = f"Is {symbol} turbulent? Probability after the day's return"
    forecast = ", ".join(f"{ahead[days - 1]:.0%} in {days}" for days in _AHEAD)
    summary = f"After the last close it was {fit.probability_now[-1]:.0%}; forecast: {forecast} days."
    return SceneResult(facts, [heading, fit, _evidence((fit, three)), _live(title, now, after), summary])


def _turbulence(desk: Desk, live: ReactiveRegimes, symbol: str, day: float) -> float:
    price = (1.0 + day) * float(live.past[-1])
    with desk.graph.scenario({desk.leaf(symbol): price}):
        return cast("float", live.turbulence.value)


def _evidence(fits: Sequence[RegimeFit]) -> Sheet:
    columns = [
        names("Regimes"),
        numbers("Log-likelihood"),
        numbers("Parameters"),
        numbers("BIC", 1),
        words("Supported"),
    ]
    table = Sheet("Do the data support regimes?", columns)
    table.add("1", fits[0].single_loglikelihood, "2", fits[0].single_bic, "")
    for fit in fits:
        said = "yes" if fit.is_supported else "no"
        table.add(f"{fit.n_regimes}", fit.loglikelihood, f"{fit.n_parameters}", fit.bic, said)
    table.note("supported: a smaller BIC than one regime; the smallest of all is preferred")
    return table


def _live(title: str, now: float, after: Mapping[float, float]) -> Sheet:
    table = Sheet(title, [names("Day"), shares("Turbulent"), bars(width=_WIDTH)])
    table.add("so far", now, Bar(0.0, now, "cyan", rest="·"))
    for day, probability in after.items():
        table.add(f"{day:+.0%}", probability, Bar(0.0, probability, "cyan", rest="·"))
    table.note("what-ifs of the price in the graph: nothing is fitted again")
    return table
