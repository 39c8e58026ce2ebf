"""The command line of the trading desk: the live desk itself, and its commands."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated, Any

import typer

from bank_python.cli import (
    backtest_commands,
    config_commands,
    market_commands,
    order_commands,
    portfolio_commands,
    risk_commands,
    verification_commands,
)
from bank_python.cli.options import Db, FeedOption, Plain, SeedOption, was_given

__all__ = ["desk_program", "prop_desk"]

_FAMILIES = (
    *(order_commands, risk_commands, market_commands, portfolio_commands),
    *(backtest_commands, config_commands, verification_commands),
)
"""Modules with commands, each with a function ``add_to(program)``."""
_SHARED = frozenset({"db", "feed", "seed", "ticks", "json", "plain"})


def desk_program() -> typer.Typer:
    """Return the program: without a command the live desk, with one that command."""
    program = typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, invoke_without_command=True, no_args_is_help=False
    )
    program.callback()(prop_desk)
    for family in _FAMILIES:
        family.add_to(program)
    return program


def prop_desk(
    context: typer.Context,
    *,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="Follow the market until q or Ctrl-C (the default on a terminal). In a pipe, print one plain frame "
            "after another.",
        ),
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Print one frame and exit (the default if stdout is not a terminal).")
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print the figures of a frame as one line of JSON and exit; implies --once."),
    ] = False,
    svg: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write one frame to FILE as an SVG picture of 120 columns and exit; implies --once.",
            show_default=False,
        ),
    ] = None,
    ticks: Annotated[
        int,
        typer.Option(
            help="Number of polls before the frame that --once, --json or --svg shows; more than 1 implies --once.",
            min=1,
        ),
    ] = 1,
    plain: Plain = False,
    db: Db = None,
    feed: FeedOption = None,
    refresh: Annotated[float, typer.Option(help="Seconds between two polls of the feeds.", min=0.1)] = 2.0,
    scenarios: Annotated[
        int,
        typer.Option(help="Scenarios of the value at risk; the same seed and number give the same figures.", min=100),
    ] = 10_000,
    proxy: Annotated[bool, typer.Option("--proxy", help="Value scenarios by a proxy, and show its error.")] = False,
    seed: SeedOption = 7,
) -> None:
    """Show fourteen traders at work: firm, market, positions, orders, tails and fragility, conditions, engine.

    With --db FILE, --live owns the desk in FILE and saves it there, and --once shows a copy of it; either builds a new
    desk where there is none. Without it the desk is in memory and ends with the program.

    Examples: prop_desk.py --live;  prop_desk.py --live --refresh 0.5;  prop_desk.py --once --plain;
    prop_desk.py --once --json;  prop_desk.py --once --svg desk.svg --ticks 20;  prop_desk.py --live --db desk.db;
    prop_desk.py risk --db desk.db
    """
    if context.invoked_subcommand is not None:
        context.obj = _for_the_command(context)
        return
    from bank_python.desk.access import DeskSource
    from bank_python.desk.live import run

    kinds = {"--once": once, "--json": json, "--svg": svg is not None, "--ticks": ticks > 1}
    single = [option for option, given in kinds.items() if given]
    if live and single:
        raise typer.BadParameter(f"--live and {single[0]} exclude each other: choose one", param_hint="--live")
    if json and svg is not None:
        raise typer.BadParameter("--json and --svg exclude each other: choose one", param_hint="--json")
    if live or (not single and sys.stdout.isatty()):
        start = run.watch
    else:
        start = partial(run.show_once, as_json=json, picture=svg, ticks=ticks)
    source = DeskSource(db, None if feed is None else feed.value, seed)
    start(source=source, refresh=refresh, scenarios=scenarios, proxy=proxy, plain=plain)


def _for_the_command(context: typer.Context) -> dict[str, Any]:
    """Return the options given before a command that it takes; others are the live desk's alone."""
    given = [name for name in context.params if was_given(context, name)]
    other = next((name for name in given if name not in _SHARED), None)
    if other is not None:
        raise typer.BadParameter(
            f"--{other} belongs to the live desk, not to the command {context.invoked_subcommand}; leave it out",
            param_hint=f"--{other}",
        )
    return {name: context.params[name] for name in given}
