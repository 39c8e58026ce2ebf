"""The command line of the showcase."""

from __future__ import annotations

from typing import Annotated

import typer

from bank_python.cli.options import FeedName, FeedOption, SeedOption

__all__ = ["showcase"]


def showcase(
    *,
    plain: Annotated[bool, typer.Option("--plain", help="Use no colours and do not pause between scenes.")] = False,
    dense: Annotated[
        int | None,
        typer.Option(help="Print JSON lines: the figures of every scene, then N ticks of the market.", min=0),
    ] = None,
    only: Annotated[
        str, typer.Option(help="Play only these scenes, given by number or part of the title, e.g. 1,TRADE.")
    ] = "",
    list_: Annotated[bool, typer.Option("--list", help="List the scenes and exit.")] = False,
    feed: FeedOption = FeedName.SIMULATED,
    seed: SeedOption = 7,
) -> None:
    """Show what bank_python can do, in scenes played on a desk of fourteen traders.

    Examples: showcase.py --list;  showcase.py --only 2;  showcase.py --dense 5 | tail -1
    """
    from bank_python.desk.showcase import run

    name = (feed or FeedName.SIMULATED).value
    if list_:
        run.list_scenes()
    elif dense is not None:
        run.play_dense(feed=name, seed=seed, only=only, iterations=dense)
    else:
        run.play(feed=name, seed=seed, only=only, plain=plain)
