"""The efficient frontier, and the security market line of the capital asset pricing model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.assets import ASSETS, MARKET, RATE, asset_data
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.optimizer import EfficientFrontier, cvar_frontier
from bank_python.risk import market_line_from_returns

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_BOUNDS = (0.0, 0.40)
_POINTS = 8


@scene("EFFICIENT FRONTIER")
def frontier(stage: Stage) -> SceneResult:
    """Compute the exact frontier by the critical line algorithm, and another one with CVaR as the risk measure."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    exact = EfficientFrontier(data, bounds=_BOUNDS, risk_free_rate=RATE)
    tails = cvar_frontier(data, count=_POINTS, risk_free_rate=RATE)
    best, least = exact.max_sharpe(), exact.min_variance()
    facts = {
        "turning_points": len(exact.turning_points),
        "kkt_residual": exact.line.certificate_residual,
        "max_sharpe": {"sharpe": best.sharpe, "weights": best.clean_weights()},
        "min_variance": {"volatility": least.volatility, "weights": least.clean_weights()},
        "cvar_frontier": [
            {"expected_return": float(back), "cvar": float(loss)}
            for back, loss in zip(tails.expected_returns, tails.cvars, strict=True)
        ],
    }
    return SceneResult(facts, [exact, tails])


@scene("CAPM AND THE SECURITY MARKET LINE")
def market_line(stage: Stage) -> SceneResult:
    """Regress each asset on the market, and compare its mean return with the return that its beta requires."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk, (*ASSETS, MARKET))
    past, names = data.returns_for("betas"), [ticker for ticker in data.tickers if ticker != MARKET]
    market = past[:, -1] if MARKET in data.tickers else past.mean(axis=1)
    line = market_line_from_returns(past[:, : len(names)], names, market, risk_free_rate=RATE)
    facts = {
        "market": MARKET if MARKET in data.tickers else "equal weights",
        "market_return": line.market_return,
        "betas": {point.ticker: point.beta for point in line.points},
        "alphas": {point.ticker: point.alpha for point in line.points},
    }
    return SceneResult(facts, [line])
