"""Commands about the market: ``volsurface``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from bank_python.cli.options import Given, command

__all__ = ["add_to"]


def add_to(program: typer.Typer) -> None:
    """Add the commands to a program."""
    command(program, "volsurface")(volsurface)


def volsurface(
    given: Given,
    ticker: Annotated[str, typer.Argument(help="Share, fund or coin, such as SPY.")],
    *,
    quotes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Fit SVI smiles to a CSV file with the columns strike, expiry (years) and vol (0.2 is 20 %).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show implied volatilities of a ticker by strike and expiry: what is quoted, and the surface of a model or fit.

    Examples: prop_desk.py volsurface SPY;  prop_desk.py volsurface SPY --quotes smile.csv
    """
    from bank_python.desk.commands.volsurface import fitted_surface, model_surface

    chosen = partial(model_surface, ticker=ticker)
    given.read("volsurface", chosen if quotes is None else partial(fitted_surface, ticker=ticker, quotes=quotes))
