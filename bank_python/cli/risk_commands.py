"""Commands about risk and P&L: ``risk``, ``tails``, ``pnl``, ``pnl-attr``, ``stress``, ``mc``."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from bank_python.cli.options import Given, command, listed

__all__ = ["add_to"]


class Model(StrEnum):
    """Models of the market that a simulation can have."""

    GBM = "gbm"
    HESTON = "heston"
    MERTON = "merton"
    STUDENT_T = "student_t"
    BOOTSTRAP = "bootstrap"


class Mode(StrEnum):
    """Methods of the attribution of P&L."""

    TAYLOR = "taylor"
    WATERFALL = "waterfall"


class By(StrEnum):
    """Rows of the attribution of P&L."""

    TRADER = "trader"
    INSTRUMENT = "instrument"


def add_to(program: typer.Typer) -> None:
    """Add the commands to a program."""
    for name, function in (
        ("risk", risk),
        ("tails", tails),
        ("pnl", pnl),
        ("pnl-attr", pnl_attribution),
        ("stress", stress),
        ("mc", monte_carlo),
    ):
        command(program, name)(function)


def risk(
    given: Given,
    *,
    scenarios: Annotated[int, typer.Option(help="Scenarios of the value at risk.", min=100)] = 10_000,
) -> None:
    """Show value at risk, expected shortfall, Greeks, limits and alerts, of the firm and of each trader.

    Example: prop_desk.py risk --db desk.db --json
    """
    from bank_python.desk.commands.risk import measure_risk

    given.read("risk", partial(measure_risk, scenarios=scenarios))


def tails(
    given: Given,
    *,
    trader: Annotated[str | None, typer.Option(help="Measure only this trader's book.", show_default=False)] = None,
    tickers: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Tickers to measure; by default the prices that the books depend on.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List all tickers, not only those with the heaviest left tails.")
    ] = False,
) -> None:
    """Show tail index, MAD/SD, max-to-sum and fragility of each trader's book and of each ticker.

    Example: prop_desk.py tails --trader Bob
    """
    from bank_python.desk.commands.tails import measure_tails

    given.read("tails", partial(measure_tails, trader=trader, tickers=listed(tickers), everything=everything))


def pnl(
    given: Given,
    *,
    trader: Annotated[str | None, typer.Option(help="List only this trader.", show_default=False)] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List all positions, not only the largest gains and losses.")
    ] = False,
) -> None:
    """List value and P&L by trader and by position.

    Example: prop_desk.py pnl --trader Diana
    """
    from bank_python.desk.commands.pnl import list_pnl

    given.read("pnl", partial(list_pnl, trader=trader, everything=everything))


def pnl_attribution(
    given: Given,
    *,
    since: Annotated[
        dt.datetime | None,
        typer.Option(
            help="Time in UTC to start from; by default the earliest that the store still has.", show_default=False
        ),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="By derivatives (taylor), or step by step (waterfall).")] = Mode.TAYLOR,
    by: Annotated[By, typer.Option(help="Rows of the second table.")] = By.TRADER,
) -> None:
    """Attribute the P&L to risk factors: delta, gamma, vega, passing time, rates, credit, currencies, new trades.

    Example: prop_desk.py pnl-attr --db desk.db --since 2026-01-05T09:30:00
    """
    from bank_python.desk.commands.pnl import attribute_pnl

    moment = None if since is None else since.replace(tzinfo=since.tzinfo or dt.UTC)
    rows = by is By.INSTRUMENT
    work = partial(attribute_pnl, path=given.db, since=moment, mode=mode.value, by_instrument=rows)
    given.read("pnl-attr", work)


def stress(
    given: Given,
    *,
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help="Show one scenario with the moves behind it.", show_default=False)
    ] = None,
) -> None:
    """Revalue the desk in all stress scenarios, by trader.

    Examples: prop_desk.py stress;  prop_desk.py stress --scenario covid_2020
    """
    from bank_python.desk.commands.stress import explain_stress, stress_desk

    given.read("stress", stress_desk if scenario is None else partial(explain_stress, scenario=scenario))


def monte_carlo(
    given: Given,
    *,
    paths: Annotated[int, typer.Option(help="Number of scenarios.", min=2)] = 100_000,
    horizon: Annotated[float, typer.Option(help="Trading days that are simulated.", min=0.01, max=756.0)] = 1.0,
    model: Annotated[Model, typer.Option(help="Joint distribution of the risk factors.")] = Model.GBM,
) -> None:
    """Simulate the P&L of the desk with full revaluation; --seed is that of the scenarios, too.

    Example: prop_desk.py mc --model heston --horizon 10 --seed 42
    """
    from bank_python.desk.commands.mc import simulate

    given.read("mc", partial(simulate, paths=paths, horizon=horizon, model=model.value, seed=given.seed))
