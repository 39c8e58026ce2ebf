"""Playing of the showcase: in colour with pauses, in plain text, or as JSON lines."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.rule import Rule

from bank_python.barbara import BarbaraDB
from bank_python.desk.build import build_desk
from bank_python.desk.showcase.figures import firm_figures
from bank_python.desk.showcase.stage import SceneResult, Stage, choose_scenes, scenes
from bank_python.desk.view import QuoteGroup
from bank_python.desk.view_builder import build_view
from bank_python.errors import BankError
from bank_python.sheet import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.desk.showcase.stage import Scene

__all__ = ["list_scenes", "play", "play_dense"]

_GROUPS = frozenset(QuoteGroup) - {QuoteGroup.SHARES, QuoteGroup.VOLATILITIES, QuoteGroup.FUNDING}


def list_scenes() -> None:
    """Print number, title and summary of each scene."""
    console = Console(highlight=False)
    for item in scenes():
        console.print(text(f"{item.number:>2}. {item.name}"))
        console.print(text(f"    {item.summary}", "dim"))


def play(*, feed: str, seed: int, only: str, plain: bool) -> None:
    """Play scenes and print their tables.

    Parameters
    ----------
    feed : str
        Name of the market's feed, one of :data:`~bank_python.market_data.choose.FEED_NAMES`.
    seed : int
        Seed of the simulated market, also for the symbols that another feed does not quote.
    only : str
        Numbers or parts of titles of the scenes to play, separated by commas; all scenes if empty.
    plain : bool
        Whether to use no colours and not to pause between scenes.
    """
    chosen = choose_scenes(only)
    console = Console(no_color=plain or None, highlight=False)
    pausing = not plain and console.is_terminal and sys.stdin.isatty()
    with _staged(feed, seed, console) as stage:
        for item in chosen:
            _show(console, item, stage)
            if pausing and item is not chosen[-1]:
                console.input(text("Press Enter for the next scene, Ctrl-C to quit … ", "dim"))


def play_dense(*, feed: str, seed: int, only: str, iterations: int) -> None:
    """Print the facts of each scene, then `iterations` ticks of the market, each as one line of JSON."""
    chosen = choose_scenes(only)
    with _staged(feed, seed, Console(file=sys.stderr, quiet=True)) as stage:
        for item in chosen:
            _write_line({"type": "scene", "number": item.number, "name": item.name, **_played(item, stage).facts})
        for i in range(1, iterations + 1):
            _write_line({"type": "iteration", "iteration": i, **_intraday(stage)})


def _intraday(stage: Stage) -> dict[str, Any]:
    desk = stage.desk
    step = desk.tick()
    view = build_view(desk)
    return {
        "firm": firm_figures(view),
        "traders": {trader.name: trader.pnl for trader in view.traders if trader.pnl is not None},
        "market": {line.symbol: line.price for line in view.quotes if line.group in _GROUPS and line.price is not None},
        "updated": len(step.update.updated),
        "stale": list(view.status.troubles),
        "evaluated": step.recalculation.evaluated,
        "seconds": step.recalculation.seconds,
    }


def _show(console: Console, item: Scene, stage: Stage) -> None:
    console.print()
    console.print(Rule(text(f"{item.number}. {item.name}"), align="left"))
    console.print(text(item.summary, "italic"))
    for view in _played(item, stage).views:
        console.print(text(view) if isinstance(view, str) else view)


def _played(item: Scene, stage: Stage) -> SceneResult:
    try:
        return item.play(stage)
    except BankError as error:  # a scene without quotes fails, and the next one is played
        return SceneResult({"error": error.message}, [text(f"This scene cannot be played: {error.message}", "yellow")])


@contextmanager
def _staged(feed: str, seed: int, console: Console) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="bank_python_") as folder:
        path = Path(folder) / "desk.db"
        with console.status(text(f"Building the desk on the {feed} market …")):
            desk = build_desk(seed=seed, feed=feed, db=BarbaraDB.open("desk;default", path=path))
        stage = Stage(desk, path)
        try:
            yield stage
        finally:
            stage.desk.feed.close()
            stage.desk.db.close()


def _write_line(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts, allow_nan=False) + "\n")
    sys.stdout.flush()
