"""The command lines of ``showcase.py``, ``prop_desk.py`` and the installed command ``bank-python``."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from bank_python.terminal import CleanFormatter, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["main", "prop_desk", "run", "showcase"]


class FeedName(StrEnum):
    """Names of the feeds that a command line can choose."""

    SIMULATED = "simulated"
    HISTORY = "history"
    YAHOO = "yahoo"
    CCXT = "ccxt"


_Feed = Annotated[
    FeedName,
    typer.Option(
        help="Source of prices: simulated (offline), history (replay of 20 S&P 500 shares, extra 'history'), "
        "yahoo or ccxt (live, extra 'live'). Symbols that it does not quote are simulated and marked as such."
    ),
]
_Seed = Annotated[int, typer.Option(help="Seed of the simulated market; the same seed gives the same numbers.", min=0)]


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
    feed: _Feed = FeedName.SIMULATED,
    seed: _Seed = 7,
) -> None:
    """Show what bank_python can do, in scenes played on a desk of fourteen traders.

    Examples: showcase.py --list;  showcase.py --only 2;  showcase.py --dense 5 | tail -1
    """
    from bank_python.desk.showcase import run

    if list_:
        run.list_scenes()
    elif dense is not None:
        run.play_dense(feed=feed.value, seed=seed, only=only, iterations=dense)
    else:
        run.play(feed=feed.value, seed=seed, only=only, plain=plain)


def prop_desk(
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
    plain: Annotated[bool, typer.Option("--plain", help="Use no colours, as with NO_COLOR.")] = False,
    feed: _Feed = FeedName.SIMULATED,
    refresh: Annotated[float, typer.Option(help="Seconds between two polls of the feeds.", min=0.1)] = 2.0,
    scenarios: Annotated[
        int,
        typer.Option(help="Scenarios of the value at risk; the same seed and number give the same figures.", min=100),
    ] = 10_000,
    proxy: Annotated[bool, typer.Option("--proxy", help="Value scenarios by a proxy, and show its error.")] = False,
    seed: _Seed = 7,
) -> None:
    """Show fourteen traders at work, in six panels: firm, traders, market, positions, conditions and engine.

    Examples: prop_desk.py --live;  prop_desk.py --live --refresh 0.5;  prop_desk.py --once --plain;
    prop_desk.py --once --json;  prop_desk.py --once --svg desk.svg --ticks 20
    """
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
    start(feed=feed.value, seed=seed, refresh=refresh, scenarios=scenarios, proxy=proxy, plain=plain)


def run(command: Callable[..., None]) -> None:
    """Run one command as a program: errors are one line on stderr (exit code 1), Ctrl-C exits quietly (130)."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    _guarded(app)


def main() -> None:
    """Run the installed command ``bank-python``, or ``python -m bank_python``; without a command, list the commands."""
    about = "A trading and risk platform in Python: a live trading desk, and a showcase of the library."
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=about)
    app.command("showcase")(showcase)
    app.command("desk")(prop_desk)
    _guarded(app)


def _guarded(app: typer.Typer) -> None:
    from bank_python.errors import BankError

    # No valid argument has control characters; an error message must not send them to the terminal.
    arguments = [clean(argument) for argument in sys.argv[1:]]
    try:
        with _clean_log_lines():
            app(arguments, standalone_mode=True)
    except BankError as error:
        sys.stderr.write(f"error: {clean(str(error))}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


@contextmanager
def _clean_log_lines() -> Iterator[None]:
    """Clean log records without a handler, which logging writes to stderr, of control characters."""
    handler = logging.lastResort
    if handler is None:
        yield
        return
    before = handler.formatter
    handler.setFormatter(CleanFormatter())
    try:
        yield
    finally:
        handler.setFormatter(before)
