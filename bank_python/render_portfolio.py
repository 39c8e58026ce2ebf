"""Terminal views of portfolios, frontiers and rebalancing plans; see :mod:`bank_python.render`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from bank_python.numerals import number, signed
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.integrations.portfolio_comparison import PortfolioComparison
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.cvar_frontier import CvarFrontier
    from bank_python.optimizer.frontier import EfficientFrontier
    from bank_python.optimizer.portfolio import OptimalPortfolio
    from bank_python.optimizer.rebalancer import RebalancePlan
    from bank_python.risk.market_line import MarketLine

__all__ = [
    "covariance_view",
    "cvar_frontier_view",
    "frontier_view",
    "market_line_view",
    "portfolio_comparison_view",
    "portfolio_view",
    "rebalance_view",
    "show",
]

_MOST_ROWS = 20
_MOST_COLUMNS = 10
_SMALL = 5e-5
_WIDTH, _HEIGHT = 64, 16
_POINTS = 120
_ROWS = 9

_METHODS = {
    "mean_variance": "Mean-variance",
    "min_variance": "Minimum variance",
    "max_sharpe": "Max Sharpe",
    "risk_parity": "Risk parity",
    "max_diversification": "Max diversification",
    "hrp": "Hierarchical risk parity",
    "black_litterman": "Black–Litterman",
    "min_cvar": "Minimum CVaR",
    "barbell": "Barbell",
    "tracking": "Tracking",
}
_MATRICES = {
    "sample": "sample",
    "ewma": "EWMA",
    "ledoit_wolf": "Ledoit–Wolf",
    "ledoit_wolf_constant": "Ledoit–Wolf, constant correlation",
    "oas": "OAS",
    "pca": "principal components",
    "repaired": "repaired (Higham)",
}


def show(portfolio: OptimalPortfolio) -> None:
    """Print a portfolio to the terminal."""
    Console().print(portfolio)


def portfolio_view(portfolio: OptimalPortfolio) -> Panel:
    """Show the weights, the expected performance and the certificate of a portfolio."""
    method = _METHODS.get(portfolio.method, portfolio.method)
    matrix = _MATRICES.get(portfolio.estimator, portfolio.estimator)
    parts: list[Sheet | Text] = [
        text(f"Assets: {len(portfolio.tickers)} · Method: {method}"),
        text(f"Matrix: {matrix}"),
        Text("\nOptimal weights", style="bold"),
        _weights(portfolio),
        _left_out(portfolio),
    ]
    parts += [
        Text("\nPerformance", style="bold"),
        _performance(portfolio),
        Text("\nCertificate", style="bold"),
        _proof(portfolio),
    ]
    return Panel(Group(*parts), title="▶ PORTFOLIO OPTIMISER", title_align="left", expand=False)


def _weights(portfolio: OptimalPortfolio) -> Sheet:
    shown = Sheet("", [names(), shares("Weight"), shares("Risk share"), bars()], framed=False)
    largest = float(abs(portfolio.weights).max())
    for i in _largest_weights(portfolio):
        weight, share = float(portfolio.weights[i]), float(portfolio.risk_shares[i])
        shown.add(portfolio.tickers[i], weight, share, Bar.of(weight, largest))
    return shown


def _held(portfolio: OptimalPortfolio) -> list[int]:
    held = [i for i, weight in enumerate(portfolio.weights.tolist()) if abs(weight) >= _SMALL]
    return sorted(held, key=lambda i: -float(portfolio.weights[i]))


def _largest_weights(portfolio: OptimalPortfolio) -> list[int]:
    """Return the assets with the largest absolute weights, in descending order of weight."""
    held = _held(portfolio)
    largest = set(sorted(held, key=lambda i: -abs(float(portfolio.weights[i])))[:_MOST_ROWS])
    return [i for i in held if i in largest]


def _left_out(portfolio: OptimalPortfolio) -> Text:
    held = len(_held(portfolio))
    notes = [f"{held - _MOST_ROWS} more held"] if held > _MOST_ROWS else []
    if held < len(portfolio.tickers):
        notes.append(f"{len(portfolio.tickers) - held} not held")
    return Text("; ".join(notes), style="dim")


def _performance(portfolio: OptimalPortfolio) -> Sheet:
    shown = Sheet("", [names(), numbers()], framed=False)
    back = portfolio.expected_return
    shown.add("Return:", None if math.isnan(back) else f"{back:+.1%}")
    shown.add("Vol:", f"{portfolio.volatility:.1%}")
    ratio = None if math.isnan(portfolio.sharpe) else f"{portfolio.sharpe:.2f}"
    shown.add(f"Sharpe (rf {portfolio.risk_free_rate:.1%}):", ratio)
    for name, figure in portfolio.figures.items():
        shown.add(f"{name.replace('_', ' ')}:", f"{figure:.4f}" if math.isfinite(figure) else None)
    return shown


def _proof(portfolio: OptimalPortfolio) -> Text:
    proof = portfolio.certificate
    lines = [f"KKT residual {proof.kkt_residual:.0e}, gap {proof.duality_gap:.0e}; systems solved: {proof.iterations}"]
    sides = (proof.at_lower, "lower"), (proof.at_upper, "upper")
    at_bounds = [f"{len(tickers)} at {which}" for tickers, which in sides if tickers]
    if at_bounds:
        lines.append(f"{' and '.join(at_bounds)} bounds")
    lines += [f"{name}: binding" for name in proof.binding]
    return Text("\n").join([text(line, "dim") for line in lines])


def frontier_view(frontier: EfficientFrontier) -> Group:
    """Show an efficient frontier as a chart and a table of some of its points."""
    fine, few = frontier.points(_POINTS), frontier.points(_ROWS)
    best = frontier.tangent
    marks = [(fine.volatilities, fine.expected_returns, "·")]
    if best is not None:
        marks.append(
            (best.volatility + 0.0 * fine.volatilities[:1], best.expected_return + 0.0 * fine.volatilities[:1], "★")
        )
    picture = _canvas(marks, "annual volatility", "return")
    shown = _frontier_table(("Return", "Vol", "Sharpe"))
    figures = few.expected_returns.tolist(), few.volatilities.tolist(), few.sharpes.tolist()
    for back, risk, ratio, weights in zip(*figures, few.weights, strict=True):
        sharpe = None if math.isnan(ratio) else number(ratio)
        shown.add(f"{back:.1%}", f"{risk:.1%}", sharpe, _largest(few.tickers, weights))
    turns = len(frontier.turning_points)
    points = "turning point" if turns == 1 else "turning points"
    shown.note(f"{turns} {points}, KKT residual {frontier.line.certificate_residual:.0e}")
    if best is not None:
        shown.note(f"★ max Sharpe {best.sharpe:.2f} (rf {best.risk_free_rate:.1%})")
    return Group(picture, shown)


def cvar_frontier_view(frontier: CvarFrontier) -> Group:
    """Show a frontier of expected return and expected shortfall as a chart and a table."""
    picture = _canvas([(frontier.cvars, frontier.expected_returns, "•")], "CVaR of one period", "return")
    shown = _frontier_table(("Return", f"CVaR {100.0 * frontier.confidence:g}%", "Vol"))
    for best in frontier.portfolios:
        figures = f"{best.expected_return:.1%}", f"{best.figures['cvar']:.2%}", f"{best.volatility:.1%}"
        shown.add(*figures, _largest(best.tickers, best.weights))
    return Group(picture, shown)


def _frontier_table(figures: Sequence[str]) -> Sheet:
    return Sheet("", [*(numbers(column) for column in figures), words("Largest weights")])


def _largest(tickers: Sequence[str], weights: FloatArray) -> str:
    order = sorted(range(len(tickers)), key=lambda i: -abs(float(weights[i])))[:4]
    return ", ".join(f"{tickers[i]} {float(weights[i]):.0%}" for i in order if abs(float(weights[i])) >= _SMALL)


def _canvas(marks: Sequence[tuple[FloatArray, FloatArray, str]], across: str, up: str) -> Text:
    """Draw points on a grid of characters; later marks overwrite earlier ones."""
    left, right = min(float(x.min()) for x, _, _ in marks), max(float(x.max()) for x, _, _ in marks)
    low, high = min(float(y.min()) for _, y, _ in marks), max(float(y.max()) for _, y, _ in marks)
    grid = [[" "] * _WIDTH for _ in range(_HEIGHT)]
    for xs, ys, mark in marks:
        for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
            column = round((x - left) / (right - left or 1.0) * (_WIDTH - 1))
            row = round((high - y) / (high - low or 1.0) * (_HEIGHT - 1))
            grid[row][column] = mark
    sides = {0: f"{high:7.1%} ", _HEIGHT - 1: f"{low:7.1%} "}
    lines = [f"{sides.get(i, ' ' * 8)}│{''.join(row)}" for i, row in enumerate(grid)]
    foot = f"{left:.1%}".ljust(_WIDTH - 8) + f"{right:.1%}".rjust(8)
    below = " " * 8 + "└" + "─" * _WIDTH, " " * 9 + foot, f"{across:>{_WIDTH + 9}}"
    return Text("\n".join([f"{up:>8}", *lines, *below]), no_wrap=True, overflow="crop")


def covariance_view(data: CovarianceData) -> Sheet:
    """Show volatilities, expected returns and correlations of the first assets."""
    few = data.tickers[:_MOST_COLUMNS]
    columns = [names("Ticker"), shares("Vol"), shares("Return"), *(numbers(ticker) for ticker in few)]
    shown = Sheet("Volatilities and correlations", columns)
    means = [None] * len(data.tickers) if data.expected_returns is None else data.expected_returns.tolist()
    rows = zip(data.tickers, data.volatilities.tolist(), means, data.correlation.tolist(), strict=True)
    for ticker, vol, mean, row in list(rows)[:_MOST_ROWS]:
        shown.add(ticker, vol, mean, *(f"{round(value, 2) + 0.0:.2f}" for value in row[: len(few)]))
    shown.note(f"estimator: {_MATRICES.get(data.estimator, data.estimator)}; vol and return per year")
    if len(data.tickers) > _MOST_COLUMNS:
        shown.note(f"correlations with {len(data.tickers) - _MOST_COLUMNS} more assets are not shown")
    return shown


def portfolio_comparison_view(compared: PortfolioComparison) -> Group:
    """Show a portfolio by several libraries: their figures and the largest weights."""
    columns = [numbers(column) for column in ("Gap to ours", "Weight difference", "Violation", "CPU ms")]
    figures = Sheet(_METHODS.get(compared.kind, compared.kind), [names("Library"), *columns])
    for row in compared.rows:
        gap = None if row.gap is None else f"{row.gap:+.1e}"
        measures = gap, f"{row.largest_difference:.1e}", f"{row.breach:.0e}", f"{1e3 * row.seconds:,.2f}"
        figures.add(f"{row.library} {row.version}", *measures)
    if compared.objective_name:
        figures.note(f"objective: {compared.objective_name}")
    for library, reason in compared.without:
        figures.note(reason if reason.startswith(library) else f"{library}: {reason}")
    return Group(figures, _weights_beside(compared))


def _weights_beside(compared: PortfolioComparison) -> Sheet:
    shown = Sheet("", [names("Ticker"), *(shares(row.library, 2) for row in compared.rows)])
    ours = compared.ours.portfolio
    order = sorted(range(len(ours.tickers)), key=lambda i: -abs(float(ours.weights[i])))[:_MOST_ROWS]
    for i in order:
        shown.add(ours.tickers[i], *(float(row.weights[i]) for row in compared.rows))
    return shown


def rebalance_view(plan: RebalancePlan) -> Sheet:
    """Show the target weights, drifts and trades of a rebalancing plan."""
    drifts = [shares("Target"), shares("Drift"), shares("Band")]
    trades = [numbers("Shares"), numbers("Value"), numbers("Cost"), shares("Drift after", sign=True)]
    shown = Sheet("Rebalancing", [names("Ticker"), *drifts, *trades])
    traded = {trade.ticker: trade for trade in plan.trades}
    for drift in plan.drifts:
        trade = traded.get(drift.ticker)
        figures = (None,) * 3 if trade is None else (f"{trade.shares:+,g}", signed(trade.value), trade.cost)
        before = text(f"{drift.before:+.1%}", "red" if drift.left_band else "")
        shown.add(drift.ticker, drift.target, before, f"±{drift.band:.1%}", *figures, drift.after)
    shown.note("due" if plan.due else "not due: all assets are within their bands")
    money = f"wealth {plan.wealth:,.0f}, turnover {plan.turnover:.1%}, cost {plan.cost:,.2f}"
    shown.note(f"{money}, cash left {plan.cash_left:,.2f}")
    return shown


def market_line_view(line: MarketLine) -> Sheet:
    """Show the expected return of assets beside the return that the security market line requires."""
    columns = [names("Ticker"), numbers("Beta"), shares("Expected"), shares("Required"), shares("Alpha")]
    shown = Sheet("Security market line", columns)
    for point in line.points:
        alpha = text(f"{point.alpha:+.1%}", "green" if point.alpha > 0.0 else "red")
        shown.add(point.ticker, f"{point.beta:.2f}", point.expected_return, point.required_return, alpha)
    shown.note(f"risk-free rate {line.risk_free_rate:.1%}, market {line.market_return:.1%}, premium {line.premium:.1%}")
    return shown
