"""Terminal views of portfolios: the optimiser's panel, frontiers, rebalancing; see :mod:`bank_python.render`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from bank_python.render import MISSING, number, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.integrations.portfolio_comparison import PortfolioComparison
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.cvar_frontier import CvarFrontier
    from bank_python.optimizer.frontier import EfficientFrontier
    from bank_python.optimizer.portfolio import OptimalPortfolio
    from bank_python.optimizer.rebalancer import RebalancePlan
    from bank_python.risk.market_line import MarketLine

__all__ = [
    "cvar_frontier_view",
    "frontier_view",
    "market_line_view",
    "portfolio_comparison_view",
    "portfolio_view",
    "rebalance_view",
    "show",
]

_BAR = 24
_MOST_ROWS = 20
_LONGEST_NAME = 32
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
    "min_cvar": "Least CVaR",
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
    """Show a portfolio in the terminal."""
    Console().print(portfolio_view(portfolio))


def portfolio_view(portfolio: OptimalPortfolio) -> Panel:
    """Show weights, what they promise, and the proof."""
    method = _METHODS.get(portfolio.method, portfolio.method)
    head = Text(f"Assets: {len(portfolio.tickers)} · Method: {method}\n")
    head.append(f"Matrix: {_MATRICES.get(portfolio.estimator, portfolio.estimator)}")
    parts: list[RichTable | Text] = [
        head,
        Text("\nOptimal weights", style="bold"),
        _weights(portfolio),
        _left_out(portfolio),
    ]
    parts += [
        Text("\nPerformance", style="bold"),
        _performance(portfolio),
        Text("\nProof", style="bold"),
        _proof(portfolio),
    ]
    return Panel(Group(*parts), title="▶ PORTFOLIO OPTIMISER", title_align="left", expand=False)


def _weights(portfolio: OptimalPortfolio) -> RichTable:
    shown = RichTable(box=None, show_header=True, header_style="dim", padding=(0, 1))
    shown.add_column("", max_width=_LONGEST_NAME)  # names and bars give way on a narrow terminal, figures do not
    for column in ("Weight", "Of the risk"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("")
    largest = float(abs(portfolio.weights).max())
    for i in _most(portfolio):
        weight, share = float(portfolio.weights[i]), float(portfolio.risk_shares[i])
        name = Text(portfolio.tickers[i], no_wrap=True, overflow="ellipsis")
        shown.add_row(name, f"{weight:.1%}", f"{share:.1%}", _bar(weight, largest))
    return shown


def _held(portfolio: OptimalPortfolio) -> list[int]:
    held = [i for i, weight in enumerate(portfolio.weights.tolist()) if abs(weight) >= _SMALL]
    return sorted(held, key=lambda i: -float(portfolio.weights[i]))


def _most(portfolio: OptimalPortfolio) -> list[int]:
    """Return the assets with the largest weights, short ones too, in the order of their weights."""
    held = _held(portfolio)
    kept = set(sorted(held, key=lambda i: -abs(float(portfolio.weights[i])))[:_MOST_ROWS])
    return [i for i in held if i in kept]


def _left_out(portfolio: OptimalPortfolio) -> Text:
    held = len(_held(portfolio))
    notes = [f"{held - _MOST_ROWS} more held"] if held > _MOST_ROWS else []
    if held < len(portfolio.tickers):
        notes.append(f"{len(portfolio.tickers) - held} not held")
    return Text("; ".join(notes), style="dim")


def _performance(portfolio: OptimalPortfolio) -> RichTable:
    shown = RichTable.grid(padding=(0, 2))
    shown.add_column()
    shown.add_column(justify="right")
    shown.add_row("Return:", MISSING if math.isnan(portfolio.expected_return) else f"{portfolio.expected_return:+.1%}")
    shown.add_row("Vol:", f"{portfolio.volatility:.1%}")
    shown.add_row(
        f"Sharpe (rf {portfolio.risk_free_rate:.1%}):",
        MISSING if math.isnan(portfolio.sharpe) else f"{portfolio.sharpe:.2f}",
    )
    for name, figure in portfolio.figures.items():
        shown.add_row(Text(f"{name.replace('_', ' ')}:"), f"{figure:.4f}" if math.isfinite(figure) else MISSING)
    return shown


def _proof(portfolio: OptimalPortfolio) -> Text:
    proof = portfolio.certificate
    said = f"KKT residual {proof.kkt_residual:.0e}, gap {proof.duality_gap:.0e}; systems solved: {proof.iterations}"
    held = [
        f"{len(names)} at {which}" for names, which in ((proof.at_lower, "lower"), (proof.at_upper, "upper")) if names
    ]
    if held:
        said += f"\n{' and '.join(held)} bounds"
    for name in proof.binding:
        said += f"\n{name}: binding"
    return Text(said, style="dim")


def frontier_view(frontier: EfficientFrontier) -> Group:
    """Show a frontier as a picture and a table of some of its points."""
    fine, few = frontier.points(_POINTS), frontier.points(_ROWS)
    best = frontier.tangent
    marks = [(fine.volatilities, fine.expected_returns, "·")]
    if best is not None:
        marks.append(
            (best.volatility + 0.0 * fine.volatilities[:1], best.expected_return + 0.0 * fine.volatilities[:1], "★")
        )
    picture = _canvas(marks, "volatility a year", "return")
    rows = list(
        zip(few.expected_returns.tolist(), few.volatilities.tolist(), few.sharpes.tolist(), few.weights, strict=True)
    )
    shown = _frontier_table(("Return", "Vol", "Sharpe"))
    for back, risk, ratio, weights in rows:
        shown.add_row(
            f"{back:.1%}",
            f"{risk:.1%}",
            MISSING if math.isnan(ratio) else number(ratio),
            _largest(few.tickers, weights),
        )
    turns = len(frontier.turning_points)
    points = "turning point" if turns == 1 else "turning points"
    shown.caption = f"{turns} {points}, KKT residual {frontier.line.certificate_residual:.0e}"
    if best is not None:
        shown.caption += f"; ★ max Sharpe {best.sharpe:.2f} (rf {best.risk_free_rate:.1%})"
    return Group(picture, shown)


def cvar_frontier_view(frontier: CvarFrontier) -> Group:
    """Show a frontier of return and expected shortfall."""
    picture = _canvas([(frontier.cvars, frontier.expected_returns, "•")], "CVaR of one period", "return")
    shown = _frontier_table(("Return", f"CVaR {100.0 * frontier.confidence:g}%", "Vol"))
    for held in frontier.portfolios:
        figures = f"{held.expected_return:.1%}", f"{held.figures['cvar']:.2%}", f"{held.volatility:.1%}"
        shown.add_row(*figures, _largest(held.tickers, held.weights))
    return Group(picture, shown)


def _frontier_table(figures: Sequence[str]) -> RichTable:
    shown = RichTable(header_style="bold")
    for column in figures:
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("Largest weights")
    return shown


def _largest(tickers: Sequence[str], weights: FloatArray) -> Text:
    order = sorted(range(len(tickers)), key=lambda i: -abs(float(weights[i])))[:4]
    return Text(", ".join(f"{tickers[i]} {float(weights[i]):.0%}" for i in order if abs(float(weights[i])) >= _SMALL))


def _canvas(marks: Sequence[tuple[FloatArray, FloatArray, str]], across: str, up: str) -> Text:
    """Draw points on a grid of characters, later marks over earlier ones."""
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
    return Text(
        "\n".join([f"{up:>8}", *lines, " " * 8 + "└" + "─" * _WIDTH, " " * 9 + foot, f"{across:>{_WIDTH + 9}}"])
    )


def portfolio_comparison_view(compared: PortfolioComparison) -> Group:
    """Show one portfolio by several libraries: their figures, and the largest weights of each."""
    figures = RichTable(title=_METHODS.get(compared.kind, compared.kind), header_style="bold")
    figures.add_column("Library", no_wrap=True)
    for column in ("Gap to ours", "Weights off by", "Bounds broken by", "CPU ms"):
        figures.add_column(column, justify="right", no_wrap=True)
    for row in compared.rows:
        gap = MISSING if row.gap is None else f"{row.gap:+.1e}"
        told = gap, f"{row.largest_difference:.1e}", f"{row.breach:.0e}", f"{1e3 * row.seconds:,.2f}"
        figures.add_row(Text(f"{row.library} {row.version}"), *told)
    notes = [f"objective: {compared.objective_name}"] if compared.objective_name else []
    notes += [f"{library}: {reason}" for library, reason in compared.without]
    figures.caption = Text("\n".join(notes))
    return Group(figures, _weights_beside(compared))


def _weights_beside(compared: PortfolioComparison) -> RichTable:
    shown = RichTable(header_style="bold")
    shown.add_column("Ticker", no_wrap=True)
    for row in compared.rows:
        shown.add_column(Text(row.library), justify="right", no_wrap=True)
    ours = compared.ours.portfolio
    order = sorted(range(len(ours.tickers)), key=lambda i: -abs(float(ours.weights[i])))[:_MOST_ROWS]
    for i in order:
        shown.add_row(Text(ours.tickers[i]), *(f"{float(row.weights[i]):.2%}" for row in compared.rows))
    return shown


def rebalance_view(plan: RebalancePlan) -> RichTable:
    """Show targets, drifts and what to trade."""
    shown = RichTable(title="Rebalancing", header_style="bold")
    shown.add_column("Ticker", no_wrap=True)
    for column in ("Target", "Drift", "Band", "Shares", "Value", "Cost", "Drift after"):
        shown.add_column(column, justify="right", no_wrap=True)
    traded = {trade.ticker: trade for trade in plan.trades}
    for drift in plan.drifts:
        trade = traded.get(drift.ticker)
        figures = (MISSING,) * 3 if trade is None else (f"{trade.shares:+,g}", signed(trade.value), number(trade.cost))
        shown.add_row(
            Text(drift.ticker),
            f"{drift.target:.1%}",
            Text(f"{drift.before:+.1%}", style="red" if drift.left_band else ""),
            f"±{drift.band:.1%}",
            *figures,
            f"{drift.after:+.1%}",
        )
    due = "due" if plan.due else "not due: all within their bands"
    shown.caption = (
        f"{due}; wealth {plan.wealth:,.0f}, turnover {plan.turnover:.1%}, cost {plan.cost:,.2f}, "
        f"cash left {plan.cash_left:,.2f}"
    )
    return shown


def market_line_view(line: MarketLine) -> RichTable:
    """Show assets beside what the security market line asks of them."""
    shown = RichTable(title="Security market line", header_style="bold")
    shown.add_column("Ticker", no_wrap=True)
    for column in ("Beta", "Expected", "Required", "Alpha"):
        shown.add_column(column, justify="right", no_wrap=True)
    for point in line.points:
        alpha = Text(f"{point.alpha:+.1%}", style="green" if point.alpha > 0.0 else "red")
        figures = f"{point.beta:.2f}", f"{point.expected_return:.1%}", f"{point.required_return:.1%}"
        shown.add_row(Text(point.ticker), *figures, alpha)
    shown.caption = f"riskless {line.risk_free_rate:.1%}, market {line.market_return:.1%}, premium {line.premium:.1%}"
    return shown


def _bar(value: float, largest: float) -> Text:
    length = round(abs(value) / largest * _BAR) if largest else 0
    return Text("█" * length, style="green" if value > 0.0 else "red", no_wrap=True, overflow="crop")
