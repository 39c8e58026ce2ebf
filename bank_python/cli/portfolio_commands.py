"""Commands about portfolios: ``optimize``, ``frontier``, ``rebalance``."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from bank_python.cli.options import Given, command, listed

if TYPE_CHECKING:
    from bank_python.desk.commands.portfolio import Wanted

__all__ = ["add_to"]


class Backend(StrEnum):
    """Libraries that can compute a portfolio."""

    NATIVE = "native"
    PYPFOPT = "pypfopt"
    RISKFOLIO = "riskfolio"


_Method = Annotated[
    str,
    typer.Option(
        help="mv, rp, bl, hrp, cvar, risk_budget, max_sharpe, min_volatility, max_diversification, or another "
        "optimiser of the library."
    ),
]
_Backend = Annotated[Backend, typer.Option(help="Library that computes it; extras 'compare' and 'riskfolio'.")]
_Tickers = Annotated[str | None, typer.Option(metavar="A,B,…", help="Assets, separated by commas.", show_default=False)]
_Trader = Annotated[
    str | None, typer.Option(help="Take the shares, funds and coins of this trader.", show_default=False)
]
_Weights = Annotated[
    tuple[float, float] | None,
    typer.Option("--weights", metavar="LOW HIGH", help="Bounds of each weight, as 0 0.4.", show_default=False),
]
_Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget", metavar="TICKER=N", help="Part of the risk, for risk_budget; repeated.", show_default=False
    ),
]
_Views = Annotated[
    list[str] | None,
    typer.Option(
        "--view", metavar="VIEW", help="View for bl: AAPL=0.15, or XOM>JPM=0.04; repeated.", show_default=False
    ),
]


def add_to(program: typer.Typer) -> None:
    """Add the commands to a program."""
    for name, function in (("optimize", optimize), ("frontier", frontier), ("rebalance", rebalance)):
        command(program, name)(function)


def optimize(
    given: Given,
    *,
    method: _Method = "max_sharpe",
    backend: _Backend = Backend.NATIVE,
    tickers: _Tickers = None,
    trader: _Trader = None,
    weights: _Weights = None,
    budgets: _Budgets = None,
    views: _Views = None,
) -> None:
    """Compute an optimal portfolio at the desk's prices and two years of history, with a proof of optimality.

    Examples: prop_desk.py optimize --method rp;  prop_desk.py optimize --method bl --view AAPL=0.15
    """
    from bank_python.desk.commands.portfolio import optimize as optimized

    wanted = _wanted(method, backend, weights, budgets, views)
    given.read("optimize", partial(optimized, wanted=wanted, tickers=listed(tickers), trader=trader))


def frontier(
    given: Given,
    *,
    points: Annotated[int, typer.Option(help="Portfolios in CSV and JSON.", min=2)] = 30,
    tickers: _Tickers = None,
    trader: _Trader = None,
) -> None:
    """Trace the efficient frontier, without short positions.

    Example: prop_desk.py frontier --points 50 --csv frontier.csv
    """
    from bank_python.desk.commands.portfolio import trace_frontier

    given.read("frontier", partial(trace_frontier, points=points, tickers=listed(tickers), trader=trader))


def rebalance(
    given: Given,
    *,
    trader: Annotated[str, typer.Option(help="Trader whose shares, funds and coins are rebalanced.")] = "Diana",
    method: _Method = "risk_parity",
    backend: _Backend = Backend.NATIVE,
    tickers: _Tickers = None,
    weights: _Weights = None,
    budgets: _Budgets = None,
    views: _Views = None,
    capital: Annotated[
        float | None,
        typer.Option(
            help="Amount in USD that the weights divide; by default the gross value of the positions.",
            show_default=False,
        ),
    ] = None,
    band: Annotated[float, typer.Option(help="Largest deviation of a weight without a trade.", min=0.0)] = 0.05,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the trades and book none.")] = False,
) -> None:
    """Bring a trader's shares to optimal weights: an order for each trade, or with --dry-run a list of them.

    Example: prop_desk.py rebalance --trader Oscar --method min_volatility --dry-run
    """
    from bank_python.desk.commands.rebalance import rebalance as rebalanced

    wanted = _wanted(method, backend, weights, budgets, views)
    assets = listed(tickers)
    work = partial(
        rebalanced, trader=trader, wanted=wanted, tickers=assets, capital=capital, band=band, dry_run=dry_run
    )
    if dry_run:
        given.read("rebalance", work)
    else:
        given.change("rebalance", work)


def _wanted(
    method: str,
    backend: Backend,
    weights: tuple[float, float] | None,
    budgets: list[str] | None,
    views: list[str] | None,
) -> Wanted:
    from bank_python.desk.commands.portfolio import Wanted

    return Wanted(method, backend.value, weights, tuple(budgets or ()), tuple(views or ()))
