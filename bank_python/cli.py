"""Command lines: what ``showcase.py``, ``prop_desk.py`` and the installed ``bank-python`` start."""

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
    """The markets a command line can choose from."""

    SIMULATED = "simulated"
    HISTORY = "history"
    YAHOO = "yahoo"
    CCXT = "ccxt"


_Feed = Annotated[
    FeedName,
    typer.Option(
        help="The market: simulated (offline), history (20 real S&P shares replayed, extra 'history'), "
        "yahoo or ccxt (live, extra 'live'). What it does not quote is simulated, and marked so."
    ),
]
_Seed = Annotated[int, typer.Option(help="Seed of the simulated market: same seed, same numbers.", min=0)]


def showcase(
    *,
    plain: Annotated[bool, typer.Option("--plain", help="No colour, no pauses.")] = False,
    dense: Annotated[
        int | None, typer.Option(help="JSON lines: every scene's facts, then N ticks of intraday market.", min=0)
    ] = None,
    only: Annotated[str, typer.Option(help="Play only these scenes: numbers or parts of names, e.g. 1,TRADE.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="List the scenes and leave.")] = False,
    feed: _Feed = FeedName.SIMULATED,
    seed: _Seed = 7,
) -> None:
    """Play the scenes of bank_python on a desk of fourteen traders.

    Try: showcase.py --list;  showcase.py --only 2;  showcase.py --dense 5 | tail -1
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
            help="Follow the market until q or Ctrl-C (the default on a terminal). Down a pipe: plain frames, one "
            "after another.",
        ),
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Print one frame and leave (the default where stdout is no terminal).")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print all that a frame shows as one line of JSON and leave; implies --once.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="No colour; NO_COLOR does the same.")] = False,
    feed: _Feed = FeedName.SIMULATED,
    refresh: Annotated[float, typer.Option(help="Seconds from one look at the market to the next.", min=0.1)] = 2.0,
    scenarios: Annotated[
        int, typer.Option(help="Scenarios of the value at risk: same seed and number, same figures.", min=100)
    ] = 10_000,
    proxy: Annotated[
        bool, typer.Option("--proxy", help="Value scenarios by a proxy, and say by how much it is off.")
    ] = False,
    seed: _Seed = 7,
) -> None:
    """Watch fourteen traders work: firm, traders, market, positions and engine in five panels.

    Try: prop_desk.py --live;  prop_desk.py --live --refresh 0.5;  prop_desk.py --once --plain;
    prop_desk.py --once --json
    """
    from bank_python.desk.live import run

    if live and once:
        raise typer.BadParameter("--live and --once exclude each other: choose one", param_hint="--live")
    if live and json:
        raise typer.BadParameter("--live and --json exclude each other: choose one", param_hint="--live")
    if live or (not once and not json and sys.stdout.isatty()):
        start = run.watch
    else:
        start = partial(run.show_once, as_json=json)
    start(feed=feed.value, seed=seed, refresh=refresh, scenarios=scenarios, proxy=proxy, plain=plain)


def run(command: Callable[..., None]) -> None:
    """Run one command as a program: errors are one line on stderr (exit 1), Ctrl-C leaves quietly (exit 130)."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    _guarded(app)


def main() -> None:
    """Start the installed command ``bank-python``, or ``python -m bank_python``; without a command, list them."""
    app = typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="A bank's platform, at home."
    )
    app.command("showcase")(showcase)
    app.command("desk")(prop_desk)
    _guarded(app)


def _guarded(app: typer.Typer) -> None:
    from bank_python.errors import BankError

    # An argument with control characters means nothing here; what is said of it must not be obeyed by the terminal.
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
    """Write warnings that nobody else handles, which logging sends to stderr, in clean lines."""
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
