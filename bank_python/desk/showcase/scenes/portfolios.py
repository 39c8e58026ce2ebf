"""Portfolio optimisation: mean-variance, risk parity, and Black-Litterman with views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
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
def mean_variance(stage: Stage) -> SceneResult:
    """Maximise the Sharpe ratio within bounds, then optimise with groups, turnover and costs; both with a proof."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    equal = dict.fromkeys(data.tickers, 1.0 / len(data.tickers))
    best = create_optimizer("max_sharpe", data, bounds=_BOUNDS, risk_free_rate=RATE).optimize()
    constrained = create_optimizer(
        "mean_variance",
        data,
        risk_aversion=2.0,
        risk_free_rate=RATE,
        constraints=Constraints(
            groups=_groups(data.tickers),
            turnover=_TURNOVER,
            transaction_cost=_COST,
            current=equal,
        ),
    ).optimize()
    summary = (
        f"The second portfolio starts from equal weights, with a turnover of at most {_TURNOVER:.0%} and transaction "
        f"costs of {_COST:.1%}; its proof lists the binding constraints. Mean returns of two years are a weak "
        "forecast: the Black-Litterman scene replaces them."
    )
    facts = {"max_sharpe": _facts(best), "with_constraints": _facts(constrained)}
    return SceneResult(facts, [best, constrained, summary])


@scene("PORTFOLIO OPT — RISK PARITY")
def risk_parity(stage: Stage) -> SceneResult:
    """Give every asset the same contribution to risk, or bonds twice that of the others, without expected returns."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    equal = create_optimizer("risk_parity", data, risk_free_rate=RATE).optimize()
    budgets = {ticker: 2.0 if ticker == "TLT" else 1.0 for ticker in data.tickers}
    tilted = create_optimizer("risk_parity", data, budgets=budgets, risk_free_rate=RATE).optimize()
    spread = create_optimizer("max_diversification", data, risk_free_rate=RATE).optimize()
    facts = {"equal": _facts(equal), "tilted": _facts(tilted), "max_diversification": _facts(spread)}
    return SceneResult(facts, [equal, spread, _beside({"equal risk": equal, "TLT twice": tilted})])


@scene("PORTFOLIO OPT — BLACK-LITTERMAN")
def black_litterman(stage: Stage) -> SceneResult:
    """Start from the returns implied by market equilibrium, add two views, and compare the optimal weights."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    views = [View({"AAPL": 1.0}, 0.15, confidence=0.6), View({"XOM": 1.0, "JPM": -1.0}, 0.04)]
    before = create_optimizer("black_litterman", data, views=()).optimize()
    optimizer = cast("BlackLittermanOptimizer", create_optimizer("black_litterman", data, views=views))
    after = optimizer.optimize()
    posterior = optimizer.posterior
    columns = [shares(title) for title in ("Prior return", "Posterior return", "Weight before", "Weight after")]
    table = Sheet("Views: AAPL returns 15%; XOM outperforms JPM by 4%", [names("Ticker"), *columns])
    for i, ticker in enumerate(data.tickers):
        figures = posterior.prior[i], posterior.expected_returns[i], before.weights[i], after.weights[i]
        table.add(ticker, *map(float, figures))
    facts = {
        "prior": dict(zip(data.tickers, posterior.prior.tolist(), strict=True)),
        "posterior": dict(zip(data.tickers, posterior.expected_returns.tolist(), strict=True)),
        "without_views": _facts(before),
        "with_views": _facts(after),
    }
    return SceneResult(facts, [table, after])


def _groups(tickers: Sequence[str]) -> list[Group]:
    technology, safe = ([ticker for ticker in names if ticker in tickers] for names in (_TECHNOLOGY, _SAFE))
    groups = [Group("technology", technology, upper=0.35)]
    return [*groups, Group("safe", safe, lower=0.2)] if safe else groups


def _beside(portfolios: dict[str, OptimalPortfolio]) -> Sheet:
    columns = [shares(title) for name in portfolios for title in (f"{name}: weight", "risk share")]
    table = Sheet("Risk budgets: equal, and twice the share for TLT", [names("Ticker"), *columns])
    first = next(iter(portfolios.values()))
    for i, ticker in enumerate(first.tickers):
        cells = [float(figure[i]) for each in portfolios.values() for figure in (each.weights, each.risk_shares)]
        table.add(ticker, *cells)
    return table


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
