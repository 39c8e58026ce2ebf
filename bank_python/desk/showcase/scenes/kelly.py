"""The Kelly criterion for a strategy: how much of one's wealth to invest, and how little a history says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.desk.assets import RATE
from bank_python.desk.showcase.figures import past_prices, require_quotes, share_index
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.risk import kelly_from_returns

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage
    from bank_python.numerics import FloatArray

_AVERAGE = 200
_YEAR = 252
_FRACTION = 0.5


@scene("KELLY CRITERION")
def kelly(stage: Stage) -> SceneResult:
    """Estimate the Kelly fraction of a share index and of a trend rule on it, each with its estimation error."""
    desk = stage.desk
    require_quotes(desk)
    symbol = share_index(desk)
    closes = past_prices(desk, [symbol]).closes(symbol)
    samples = {"held": closes[1:] / closes[:-1] - 1.0, "trend": _trend(closes)}
    held, trend = (
        kelly_from_returns(returns, fraction=_FRACTION, risk_free_rate=RATE, periods_per_year=_YEAR)
        for returns in samples.values()
    )
    facts = {
        "symbol": symbol,
        **{
            name: {
                "kelly": found.kelly,
                "unrestricted": found.unrestricted,
                "error": found.error,
                "probability_not_positive": found.probability_not_positive,
                "shrunk": found.shrunk,
                "growth_at_half_kelly": found.growth_at(found.used),
            }
            for name, found in (("held", held), ("trend", trend))
        },
    }
    heading = f"{symbol} while its price is above the mean of the last {_AVERAGE} days, else cash:"
    remark = (
        f"Growth and volatility are a year of {_YEAR} days. An estimate of less than two errors says little: the "
        "shrunk fraction takes that into account."
    )
    return SceneResult(facts, [f"{symbol}, always held:", held, heading, trend, remark])


def _trend(closes: FloatArray) -> FloatArray:
    """Return the daily returns of holding the index only on days after a close above its moving average."""
    averages = np.convolve(closes, np.full(_AVERAGE, 1.0 / _AVERAGE), "valid")
    known = closes[_AVERAGE - 1 :]
    return np.where(known[:-1] > averages[:-1], known[1:] / known[:-1] - 1.0, RATE / _YEAR)
