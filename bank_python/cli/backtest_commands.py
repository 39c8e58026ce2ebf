"""Commands about strategies on past prices: ``backtest``, ``tearsheet``."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from bank_python.cli.options import Given, command, listed

__all__ = ["add_to"]


class Filled(StrEnum):
    """Where market orders fill."""

    NEXT_OPEN = "next_open"
    NEXT_CLOSE = "next_close"
    CLOSE = "close"


def add_to(program: typer.Typer) -> None:
    """Add the commands to a program."""
    for name, function in (("backtest", backtest), ("tearsheet", tearsheet)):
        command(program, name)(function)


def backtest(
    given: Given,
    *,
    strategy: Annotated[str, typer.Option(help="momentum, vol_arb, stat_arb, macro, or all of them.")] = "all",
    start: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="First day, as 2024-01-02; by default two years back.", show_default=False),
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last day; by default that of the histories.", show_default=False)
    ] = None,
    capital: Annotated[float, typer.Option(help="Cash at the start, in USD.")] = 1_000_000.0,
    tickers: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            help="Tickers, or pairs as JPM/GS for stat_arb; by default what the strategy's trader holds.",
            show_default=False,
        ),
    ] = None,
    fees_bps: Annotated[float, typer.Option(help="Commission in basis points of the value of a fill.")] = 10.0,
    slippage_bps: Annotated[float, typer.Option(help="Slippage in basis points of the price.")] = 5.0,
    fill: Annotated[
        Filled, typer.Option(help="Price at which orders fill; close is that which the signal has seen.")
    ] = Filled.NEXT_OPEN,
    cash_rate: Annotated[float, typer.Option(help="Interest a year on cash, 0.04 is 4 %.")] = 0.0,
    borrow_rate: Annotated[float, typer.Option(help="Fee a year on short positions.")] = 0.0,
    risk_free: Annotated[
        float | None,
        typer.Option(help="Risk-free rate a year of the ratios; by default the house's.", show_default=False),
    ] = None,
    whole_units: Annotated[bool, typer.Option("--whole-units", help="Trade whole units only.")] = False,
    verdict: Annotated[
        bool, typer.Option("--verdict", help="Judge each: costs doubled, random books, out of sample, luck.")
    ] = False,
) -> None:
    """Test the traders' strategies on the histories of the desk's feeds, and store the results with --db.

    Examples: prop_desk.py backtest --strategy momentum --start 2024-01-02 --end 2025-12-31 --capital 500000;
    prop_desk.py backtest --db desk.db --json;  prop_desk.py backtest --strategy stat_arb --tickers JPM/GS,KO/PEP;
    prop_desk.py backtest --strategy momentum --verdict
    """
    from bank_python.desk.commands.backtest import run_backtests
    from bank_python.risk_models.risk_free import RISK_FREE_RATE

    work = partial(
        run_backtests,
        strategy=strategy,
        start=start,
        end=end,
        universe=listed(tickers),
        risk_free_rate=RISK_FREE_RATE if risk_free is None else risk_free,
        db=given.db,
        with_verdict=verdict,
        initial_cash=capital,
        fees_bps=fees_bps,
        slippage_bps=slippage_bps,
        cash_rate=cash_rate,
        borrow_rate=borrow_rate,
        fill=fill.value,
        whole_units=whole_units,
    )
    given.read("backtest", work)


def tearsheet(
    given: Given,
    *,
    strategy: Annotated[
        str | None, typer.Option(help="Strategy; by default that of the last result.", show_default=False)
    ] = None,
    html: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the tearsheet to FILE as one HTML page.", show_default=False),
    ] = None,
) -> None:
    """Show the tearsheet of the back-test that was stored last: metrics with conventions, months, years, drawdowns.

    Example: prop_desk.py tearsheet --db desk.db --html momentum.html
    """
    from bank_python.desk.commands.backtest import show_tearsheet

    given.read("tearsheet", partial(show_tearsheet, strategy=strategy, html=html, db=given.db))
