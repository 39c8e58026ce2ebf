"""Commands about the settings of the desk: ``config``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from bank_python.cli.options import Given, command

__all__ = ["add_to"]


def add_to(program: typer.Typer) -> None:
    """Add the commands to a program."""
    command(program, "config")(config)


def config(
    given: Given,
    *,
    change: Annotated[
        tuple[str, str] | None,
        typer.Option("--set", metavar="KEY VALUE", help="Set a setting.", show_default=False),
    ] = None,
    unset: Annotated[
        str | None, typer.Option(metavar="KEY", help="Return a setting to its default.", show_default=False)
    ] = None,
) -> None:
    """List the settings of the desk, or change one: limits before orders, costs of fills, pace of signals and tails.

    Examples: prop_desk.py config --db desk.db;  prop_desk.py config --db desk.db --set max_order_notional 2e6
    """
    from bank_python.desk.commands.config import change_settings, list_settings

    if change is None and unset is None:
        given.read("config", list_settings)
    else:
        given.change("config", partial(change_settings, change=change, unset=unset))
