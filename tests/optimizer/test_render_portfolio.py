"""Renders of portfolios, frontiers, rebalancing and the market line, for typical and for unusual ones."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.cvar_frontier import cvar_frontier
from bank_python.optimizer.factory import OPTIMIZERS, create_optimizer
from bank_python.optimizer.frontier import EfficientFrontier
from bank_python.optimizer.portfolio import portfolio_of
from bank_python.optimizer.rebalancer import Rebalancer
from bank_python.render_portfolio import show
from bank_python.risk.market_line import security_market_line

BAR = "█"
MARKUP = ["[A]", "[bold]B[/bold]", "[/]"]


def seen(view, width=100):
    console = Console(file=io.StringIO(), record=True, width=width)
    console.print(view)
    return console.export_text()


def styled(view):
    """Return the text with its colours as terminal escape sequences."""
    console = Console(file=io.StringIO(), record=True, width=100, force_terminal=True, color_system="standard")
    console.print(view)
    return console.export_text(styles=True)


def line_of(text, start):
    """Return the first line that begins with a text, without frame and bars and with single blanks."""
    lines = (" ".join(line.strip("│╭╮╰╯ \n").split()) for line in text.splitlines())
    return next(line for line in lines if line.startswith(start))


def without_bars(line):
    return line.replace(BAR, "").strip()


def pair(names=("BND", "SPY"), means=(0.03, 0.08)):
    return CovarianceData(tickers=list(names), covariance=[[0.0025, 0.0], [0.0, 0.04]], expected_returns=means)


def many(assets, rows=60, seed=1):
    returns = 0.0005 + 0.01 * np.random.default_rng(seed).standard_normal((rows, assets))
    return CovarianceData.from_returns(returns, [f"T{i}" for i in range(assets)], estimator="ledoit_wolf")


# --- a portfolio -------------------------------------------------------------------------------------


def test_a_portfolio_by_hand():
    proof = Certificate(kkt_residual=2e-16, duality_gap=3e-15, at_lower=("BND",), binding=("group bonds",))
    told = {"transaction_cost": 0.01}
    text = seen(portfolio_of(pair(), "max_sharpe", [0.4, 0.6], proof, risk_free_rate=0.02, figures=told))
    # Variance 0.16 * 0.0025 + 0.36 * 0.04 = 0.0148, of which SPY has 0.0144; return 0.06.
    assert "▶ PORTFOLIO OPTIMISER" in text
    assert line_of(text, "Assets") == "Assets: 2 · Method: Max Sharpe"
    assert line_of(text, "SPY") == f"SPY 60.0% 97.3% {24 * BAR}"
    assert line_of(text, "BND") == f"BND 40.0% 2.7% {16 * BAR}"
    assert text.index("SPY") < text.index("BND")
    assert line_of(text, "Return:") == "Return: +6.0%"
    assert line_of(text, "Vol:") == "Vol: 12.2%"
    assert line_of(text, "Sharpe (rf 2.0%):") == "Sharpe (rf 2.0%): 0.33"
    assert line_of(text, "transaction cost:") == "transaction cost: 0.0100"
    assert "2e-16" in line_of(text, "KKT residual")
    assert "3e-15" in line_of(text, "KKT residual")
    assert "1 at lower" in text
    assert line_of(text, "group bonds") == "group bonds: binding"


@pytest.mark.parametrize("kind", sorted(set(OPTIMIZERS) - {"black_litterman", "tracking"}))
def test_every_optimum_shows_what_it_holds(kind):
    found = create_optimizer(kind, many(4)).optimize()
    text = seen(found)
    assert f"Assets: {len(found.tickers)}" in text
    assert kind not in text  # methods are shown by their display names
    assert line_of(text, "Matrix") == "Matrix: Ledoit–Wolf"
    for name, weight in found.by_ticker().items():
        if weight >= 1e-3:
            assert without_bars(line_of(text, name)).startswith(f"{name} {weight:.1%}")
    assert line_of(text, "Vol:") == f"Vol: {found.volatility:.1%}"
    for name, figure in found.figures.items():
        assert line_of(text, f"{name.replace('_', ' ')}:").endswith(f" {figure:.4f}")


def test_a_method_and_a_matrix_without_a_name_stand_as_they_are():
    data = CovarianceData(tickers=["X"], covariance=[[0.04]], estimator="my own")
    text = seen(portfolio_of(data, "by hand", [1.0]))
    assert line_of(text, "Assets") == "Assets: 1 · Method: by hand"
    assert line_of(text, "Matrix") == "Matrix: my own"


def test_short_weights_are_red_and_last():
    held = portfolio_of(pair(), "by hand", [1.5, -0.5])
    text = seen(held)
    # Variance 2.25 * 0.0025 + 0.25 * 0.04 = 0.015625, of which BND has 0.005625.
    assert line_of(text, "BND") == f"BND 150.0% 36.0% {24 * BAR}"
    assert line_of(text, "SPY") == f"SPY -50.0% 64.0% {8 * BAR}"
    colours = {line.split()[1]: line for line in styled(held).splitlines() if BAR in line}
    assert f"\x1b[32m{24 * BAR}" in colours["BND"]
    assert f"\x1b[31m{8 * BAR}" in colours["SPY"]


def test_without_expected_returns_there_is_no_return_and_no_ratio():
    data = CovarianceData(tickers=["X"], covariance=[[0.04]])
    text = seen(portfolio_of(data, "min_variance", [1.0], risk_free_rate=0.03))
    assert line_of(text, "Return:") == "Return: —"
    assert line_of(text, "Vol:") == "Vol: 20.0%"
    assert line_of(text, "Sharpe") == "Sharpe (rf 3.0%): —"
    assert "nan" not in text


def test_cash_alone_has_no_ratio():
    text = seen(portfolio_of(pair().with_cash(0.02), "by hand", [0.0, 0.0, 1.0], risk_free_rate=0.02))
    assert line_of(text, "CASH") == f"CASH 100.0% 0.0% {24 * BAR}"
    assert line_of(text, "Vol:") == "Vol: 0.0%"
    assert line_of(text, "Sharpe") == "Sharpe (rf 2.0%): —"
    assert line_of(text, "2 not held") == "2 not held"


def test_a_portfolio_that_holds_nothing():
    text = seen(portfolio_of(pair(), "by hand", [0.0, 0.0]))
    assert line_of(text, "2 not held") == "2 not held"
    assert line_of(text, "Return:") == "Return: +0.0%"
    assert BAR not in text
    assert "SPY" not in text


def test_dust_is_not_held():
    text = seen(portfolio_of(pair(), "by hand", [1e-9, 1.0 - 1e-9]))
    assert line_of(text, "1 not held") == "1 not held"
    assert "BND" not in text


def test_of_many_assets_the_largest_are_shown():
    weights = np.arange(1.0, 501.0)
    weights[:100] = 0.0
    held = portfolio_of(many(500), "by hand", weights / weights.sum())
    text = seen(held)
    shown = [line.split()[1] for line in text.splitlines() if BAR in line]
    assert shown == [f"T{i}" for i in range(499, 479, -1)]
    assert line_of(text, "380 more held") == "380 more held; 100 not held"
    assert len(text.splitlines()) < 45


@pytest.mark.parametrize(("assets", "said"), [(20, None), (21, "1 more held"), (25, "5 more held")])
def test_twenty_rows_at_most(assets, said):
    text = seen(portfolio_of(many(assets), "by hand", np.full(assets, 1.0 / assets)))
    assert sum(BAR in line for line in text.splitlines()) == 20
    assert ("more held" in text) == (said is not None)
    assert said is None or line_of(text, said) == said


def test_names_are_not_markup():
    covariance = np.diag([0.04, 0.09, 0.01])
    data = CovarianceData(tickers=MARKUP, covariance=covariance, estimator="[dim]mine")
    proof = Certificate(kkt_residual=0.0, duality_gap=0.0, binding=("group [tech]",))
    text = seen(portfolio_of(data, "[red]by hand", [0.5, 0.3, 0.2], proof))
    for name, weight in zip(MARKUP, ("50.0%", "30.0%", "20.0%"), strict=True):
        assert without_bars(line_of(text, name)).startswith(f"{name} {weight}")
    assert "Method: [red]by hand" in text
    assert "Matrix: [dim]mine" in text
    assert "group [tech]: binding" in text


@settings(max_examples=40, deadline=None)
@given(weights=st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=30))
def test_any_weights_can_be_seen(weights):
    data = CovarianceData(tickers=[f"T{i:02}" for i in range(len(weights))], covariance=np.eye(len(weights)))
    text = seen(portfolio_of(data, "by hand", weights))
    rows = [line.split()[1:3] for line in text.splitlines() if line.startswith("│  T")]
    held = sorted((weight for weight in weights if abs(weight) >= 5e-5), reverse=True)
    assert len(rows) == min(20, len(held))
    if len(held) <= 20:
        assert [weight for _, weight in rows] == [f"{weight:.1%}" for weight in held]
    assert max(line.count(BAR) for line in text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 100


def test_it_is_shown_in_the_terminal(capsys):
    held = portfolio_of(pair(), "max_sharpe", [0.4, 0.6], risk_free_rate=0.02)
    show(held)
    shown = capsys.readouterr().out
    assert "SPY" in shown
    assert held.performance() == held.performance(verbose=True)
    assert capsys.readouterr().out == shown
    assert seen(held) == seen(held.__rich__())


# --- frontiers ---------------------------------------------------------------------------------------


def picture(text):
    """Return the rows of the drawing, without its frame."""
    return [line.split("│", 1)[1] for line in text.splitlines() if line[8:9] == "│"]


def rows_of(text):
    """Return the cells of a table's rows."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line[:1] == "│"]


def three(means=(0.03, 0.08, 0.12), names=("BND", "SPY", "EM")):
    covariance = np.diag([0.0025, 0.04, 0.09]) + 0.001
    return CovarianceData(tickers=list(names), covariance=covariance, expected_returns=means)


def test_a_frontier_and_its_table():
    frontier = EfficientFrontier(three(), risk_free_rate=0.02)
    text, points, best = seen(frontier), frontier.points(9), frontier.max_sharpe()
    expected = [
        [f"{back:.1%}", f"{risk:.1%}"] for back, risk in zip(points.expected_returns, points.volatilities, strict=True)
    ]
    assert [row[:2] for row in rows_of(text)] == expected
    assert rows_of(text)[-1][3] == "EM 100%"
    assert f"{best.sharpe:.2f} (rf 2.0%)" in " ".join(text.split())
    assert f"{len(frontier.turning_points)} turning points" in text
    drawn = picture(text)
    assert (len(drawn), sum(row.count("★") for row in drawn)) == (16, 1)
    assert drawn[0].rstrip()[-1] == "·"  # the highest return has the most risk
    assert drawn[-1].lstrip()[0] == "·"
    assert drawn[-1].index("·") < 2
    assert f"{points.expected_returns[0]:7.1%} │" in text
    assert f"{points.expected_returns[-1]:7.1%} │" in text
    assert " ".join(text.split()).count(f"{points.volatilities[0]:.1%}") == 2  # under the drawing, and in the table


def test_the_star_stands_where_the_ratio_is_best():
    frontier = EfficientFrontier(three(), risk_free_rate=0.02)
    best, ends = frontier.max_sharpe(), frontier.points(2)
    drawn = picture(seen(frontier))
    row = next(i for i, line in enumerate(drawn) if "★" in line)
    low, high = ends.expected_returns
    left, right = ends.volatilities
    assert row == round((high - best.expected_return) / (high - low) * 15)
    assert drawn[row].index("★") == round((best.volatility - left) / (right - left) * 63)


def test_where_nothing_beats_the_rate_there_is_no_star():
    text = seen(EfficientFrontier(three(), risk_free_rate=0.5))
    assert "★" not in text
    assert "max Sharpe" not in text
    assert [float(row[2]) for row in rows_of(text)] == sorted(float(row[2]) for row in rows_of(text))
    assert all(float(row[2]) < 0.0 for row in rows_of(text))


def test_falling_returns_can_be_drawn():
    text = seen(EfficientFrontier(three((-0.3, -0.1, -0.05)), risk_free_rate=-1.0))
    assert rows_of(text)[-1][0] == "-5.0%"
    assert "  -5.0% │" in text


@pytest.mark.parametrize(
    "data",
    [
        CovarianceData(tickers=["X"], covariance=[[0.04]], expected_returns=[0.05]),
        pair(means=(0.05, 0.05)),
    ],
)
def test_a_frontier_of_one_point(data):
    text = seen(EfficientFrontier(data))
    assert sum(row.count("★") for row in picture(text)) == 1
    assert "·" not in text
    assert {row[0] for row in rows_of(text)} == {"5.0%"}


def test_cash_at_the_rate_is_where_the_frontier_starts():
    text = seen(EfficientFrontier(pair().with_cash(0.02), risk_free_rate=0.02))
    assert rows_of(text)[0][:2] == ["2.0%", "0.0%"]
    assert rows_of(text)[0][3] == "CASH 100%"
    assert "★" in text


def test_names_on_a_frontier_are_not_markup():
    text = seen(EfficientFrontier(three(names=MARKUP)))
    assert rows_of(text)[-1][3] == "[/] 100%"
    assert "[bold]B[/bold]" in text
    assert "[A]" in text


def test_the_frontier_of_many_names_the_four_largest():
    frontier = EfficientFrontier(many(100))
    text, weights = seen(frontier), frontier.points(9).weights
    for row, held in zip(rows_of(text), weights, strict=True):
        order = np.argsort(-np.abs(held), kind="stable")[:4]
        assert row[3] == ", ".join(f"T{i} {held[i]:.0%}" for i in order if abs(held[i]) >= 5e-5)
    assert max(map(len, text.splitlines())) <= 100


def test_a_frontier_of_cvar():
    frontier = cvar_frontier(many(3), count=5, confidence=0.9)
    text = seen(frontier)
    assert "CVaR 90%" in text
    expected = [
        [f"{held.expected_return:.1%}", f"{held.figures['cvar']:.2%}", f"{held.volatility:.1%}"]
        for held in frontier.portfolios
    ]
    assert [row[:3] for row in rows_of(text)] == expected
    drawn = picture(text)
    assert (drawn[0].rstrip()[-1], drawn[-1][0]) == ("•", "•")
    assert 2 <= sum(row.count("•") for row in drawn) <= 5
    assert " ".join(text.split()).count("CVaR of one period") == 1


def test_names_on_a_frontier_of_cvar_are_not_markup():
    data = CovarianceData.from_returns(many(3).returns, MARKUP)
    largest = rows_of(seen(cvar_frontier(data, count=2)))[0][3]
    assert all(name in largest for name in MARKUP)


# --- rebalancing -------------------------------------------------------------------------------------


def test_a_plan_by_hand():
    rebalancer = Rebalancer({"[A]": 0.6, "BND": 0.4}, band=0.05, cost_rate=0.001)
    plan = rebalancer.plan({"[A]": 70, "BND": 300}, {"[A]": 500.0, "BND": 50.0}, cash=125.0)
    text = seen(plan)
    # 35,000 and 15,000 of 50,125; ten shares of 500 are sold and 101 of 50 bought, for a thousandth of either.
    assert rows_of(text) == [
        ["[A]", "60.0%", "+9.8%", "±5.0%", "-10", "-5,000", "5.00", "-0.1%"],
        ["BND", "40.0%", "-10.1%", "±5.0%", "+101", "+5,050", "5.05", "+0.0%"],
    ]
    said = " ".join(text.split())
    assert said.endswith("due; wealth 50,125, turnover 20.0%, cost 10.05, cash left 64.95")
    assert "not due" not in said
    assert styled(plan).count("\x1b[31m") == 3  # two drifts outside their bands, and a sale


def test_a_plan_that_is_not_due_trades_nothing():
    plan = Rebalancer({"A": 0.6, "B": 0.4}).plan({"A": 61, "B": 390}, {"A": 500.0, "B": 50.0}, cash=0.0)
    text = seen(plan)
    assert rows_of(text) == [
        ["A", "60.0%", "+1.0%", "±5.0%", "—", "—", "—", "+1.0%"],
        ["B", "40.0%", "-1.0%", "±5.0%", "—", "—", "—", "-1.0%"],
    ]
    assert "not due: all assets are within their bands" in text
    assert "\x1b[31m" not in styled(plan)


def test_a_plan_with_parts_of_shares_and_something_to_sell_whole():
    rebalancer = Rebalancer({"BTC": 1.0}, band=0.0, lot=0.001)
    text = seen(rebalancer.plan({"BTC": 0.5, "OLD": 3.5}, {"BTC": 64_000.0, "OLD": 100.0}))
    first, second = sorted(rows_of(text))
    assert first[0] == "BTC"
    assert first[4] == "+0.005"  # 350 of cash buy five thousandths for 320
    assert second == ["OLD", "0.0%", "+1.1%", "±0.0%", "-3.5", "-350", "0.00", "+0.0%"]
    assert "cash left 30.00" in " ".join(text.split())


def test_a_plan_of_many_assets_shows_all():
    names = [f"T{i}" for i in range(50)]
    plan = Rebalancer(dict.fromkeys(names, 0.02)).plan({}, dict.fromkeys(names, 10.0), cash=1e6)
    assert [row[0] for row in rows_of(seen(plan))] == [drift.ticker for drift in plan.drifts]
    assert len(plan.drifts) == 50


# --- the market line ---------------------------------------------------------------------------------


def test_a_market_line_by_hand():
    expected = {"[T]": 0.2, "Z": 0.01, "M": 0.12}
    line = security_market_line({"[T]": 1.82, "Z": 0.0, "M": 1.0}, expected, risk_free_rate=0.05, market_return=0.12)
    text = seen(line)
    assert rows_of(text) == [
        ["[T]", "1.82", "20.0%", "17.7%", "+2.3%"],
        ["Z", "0.00", "1.0%", "5.0%", "-4.0%"],
        ["M", "1.00", "12.0%", "12.0%", "+0.0%"],
    ]
    assert "risk-free rate 5.0%, market 12.0%, premium 7.0%" in " ".join(text.split())
    assert "\x1b[32m+2.3%" in styled(line)
    assert "\x1b[31m-4.0%" in styled(line)


def test_a_market_below_the_rate():
    line = security_market_line({"T": 2.0}, {"T": 0.0}, risk_free_rate=0.05, market_return=0.02)
    assert rows_of(seen(line)) == [["T", "2.00", "0.0%", "-1.0%", "+1.0%"]]
    assert "premium -3.0%" in " ".join(seen(line).split())
