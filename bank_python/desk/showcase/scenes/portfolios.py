"""Portfolios of one's own making: by reward and risk, by risk alone, by one's views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.optimizer import Constraints, Group, View, create_optimizer
from bank_python.sheet import Sheet, names, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.showcase.stage import Stage
    from bank_python.optimizer import BlackLittermanOptimizer, OptimalPortfolio

_BOUNDS = (0.02, 0.40)
_TURNOVER = 0.30
_COST = 0.001
_TECHNOLOGY, _SAFE = ("AAPL", "MSFT", "NVDA"), ("GLD", "TLT")


@scene("PORTFOLIO OPT — MEAN-VARIANCE")
def mean_variance(stage: Stage) -> Shown:
    """Take the largest Sharpe ratio within bounds, then with groups, turnover and costs: each with its proof."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    held = dict.fromkeys(data.tickers, 1.0 / len(data.tickers))
    best = create_optimizer("max_sharpe", data, bounds=_BOUNDS, risk_free_rate=RATE).optimize()
    real = create_optimizer(
        "mean_variance",
        data,
        risk_aversion=2.0,
        risk_free_rate=RATE,
        constraints=Constraints(
            groups=_groups(data.tickers),
            turnover=_TURNOVER,
            transaction_cost=_COST,
            current=held,
        ),
    ).optimize()
    said = (
        f"From equal weights, at most {_TURNOVER:.0%} traded at {_COST:.1%} each: what holds the second portfolio "
        "where it is stands in its proof. Two years' means are a weak guide to the next: see the views, two scenes on."
    )
    facts = {"max_sharpe": _facts(best), "with_constraints": _facts(real)}
    return Shown(facts, [best, real, said])


@scene("PORTFOLIO OPT — RISK PARITY")
def risk_parity(stage: Stage) -> Shown:
    """Let every asset make the same part of the risk, or twice the part for bonds; no returns are guessed."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    equal = create_optimizer("risk_parity", data, risk_free_rate=RATE).optimize()
    budgets = {ticker: 2.0 if ticker == "TLT" else 1.0 for ticker in data.tickers}
    tilted = create_optimizer("risk_parity", data, budgets=budgets, risk_free_rate=RATE).optimize()
    spread = create_optimizer("max_diversification", data, risk_free_rate=RATE).optimize()
    facts = {"equal": _facts(equal), "tilted": _facts(tilted), "max_diversification": _facts(spread)}
    return Shown(facts, [equal, spread, _beside({"equal risk": equal, "TLT twice": tilted})])


@scene("PORTFOLIO OPT — BLACK-LITTERMAN")
def black_litterman(stage: Stage) -> Shown:
    """Start from what the market must believe, add two views, and see which weights move."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    views = [View({"AAPL": 1.0}, 0.15, confidence=0.6), View({"XOM": 1.0, "JPM": -1.0}, 0.04)]
    alone: BlackLittermanOptimizer = create_optimizer("black_litterman", data, views=())  # type: ignore[assignment]  # by its kind
    before = alone.optimize()
    optimizer: BlackLittermanOptimizer = create_optimizer("black_litterman", data, views=views)  # type: ignore[assignment]  # by its kind
    after = optimizer.optimize()
    believed = optimizer.posterior
    columns = [shares(title) for title in ("Equilibrium", "After the views", "Weight before", "after")]
    moved = Sheet("AAPL returns 15%, XOM beats JPM by 4%", [names(), *columns])
    for i, ticker in enumerate(data.tickers):
        figures = believed.prior[i], believed.expected_returns[i], before.weights[i], after.weights[i]
        moved.add(ticker, *map(float, figures))
    facts = {
        "prior": dict(zip(data.tickers, believed.prior.tolist(), strict=True)),
        "posterior": dict(zip(data.tickers, believed.expected_returns.tolist(), strict=True)),
        "without_views": _facts(before),
        "with_views": _facts(after),
    }
    return Shown(facts, [moved, after])


def _groups(tickers: Sequence[str]) -> list[Group]:
    technology, safe = ([ticker for ticker in names if ticker in tickers] for names in (_TECHNOLOGY, _SAFE))
    groups = [Group("technology", technology, upper=0.35)]
    return [*groups, Group("safe", safe, lower=0.2)] if safe else groups


def _beside(portfolios: dict[str, OptimalPortfolio]) -> Sheet:
    columns = [shares(title) for name in portfolios for title in (f"{name}: weight", "of the risk")]
    shown = Sheet("", [names(), *columns])
    first = next(iter(portfolios.values()))
    for i, ticker in enumerate(first.tickers):
        cells = [float(figure[i]) for held in portfolios.values() for figure in (held.weights, held.risk_shares)]
        shown.add(ticker, *cells)
    return shown


def _facts(portfolio: OptimalPortfolio) -> dict[str, Any]:
    return {
        "weights": portfolio.clean_weights(),
        "expected_return": portfolio.expected_return,
        "volatility": portfolio.volatility,
        "sharpe": portfolio.sharpe,
        "kkt_residual": portfolio.certificate.kkt_residual,
        "active": list(portfolio.certificate.active_bounds),
        **portfolio.figures,
    }
