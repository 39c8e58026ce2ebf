"""Display of the live desk: on a terminal's full screen, as successive frames in a pipe, or as one frame or picture."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from bank_python.desk.access import DeskSource, is_local, owned_desk, read_desk
from bank_python.desk.build import build_desk
from bank_python.desk.console import screen_console, working, write
from bank_python.desk.live.glyphs import glyphs_for
from bank_python.desk.live.interruption import quiet_logging, stop_requests
from bank_python.desk.live.keys import key_presses
from bank_python.desk.live.layout import LEAST_HEIGHT, LEAST_WIDTH, arranged
from bank_python.desk.live.live_desk import LiveDesk
from bank_python.desk.live.picture import write_picture
from bank_python.desk.output_file import check_target

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from bank_python.desk.desk import Desk

__all__ = ["show_once", "watch"]

_GLANCE = 0.1  # seconds between two checks of keys, signals and the terminal's size
_QUIT = frozenset("qQ\x03\x04")
_RENEW = frozenset("tT")


def show_once(
    *,
    source: DeskSource,
    refresh: float,
    scenarios: int,
    proxy: bool,
    plain: bool,
    as_json: bool = False,
    picture: str | None = None,
    ticks: int = 1,
) -> None:
    """Build a desk, poll the feeds, and print one frame.

    Parameters
    ----------
    source : DeskSource
        Source of the desk. A stored desk is read; if the file is not there, a new desk is built and saved.
    refresh : float
        Seconds between two polls in the schedule of the jobs.
    scenarios : int
        Number of scenarios of the risk simulation.
    proxy : bool
        Whether scenarios are valued by a proxy.
    plain : bool
        Whether to leave out colours and other styles.
    as_json : bool, default False
        Whether to print the view as one line of JSON instead of the frame.
    picture : str, optional
        File to which the frame is written as an SVG picture instead of being printed.
    ticks : int, default 1
        Number of polls before the frame, at least 1. From the second poll on, all background jobs are run as well.

    Raises
    ------
    DeskError
        The picture cannot be written.
    """
    if picture is not None:
        check_target(picture, source.path)
    console = screen_console(plain=plain)
    with _desk(source, own=not source.stored) as desk:
        live = LiveDesk(desk, refresh, n_paths=scenarios, proxy=proxy)
        live.update()
        if is_local(desk.feed):
            live.measure_risk()
        if ticks > 1 and is_local(desk.feed):
            live.load_signals()
        for _ in range(ticks - 1):
            live.run_jobs()
        if picture is not None:
            write_picture(live.view(), picture, plain=plain)
        elif as_json:
            write(f"{live.view().to_json()}\n")
        else:
            # On a terminal the prompt needs the last line.
            write(_page(live, console, below=1 if console.is_terminal else 0))


def watch(*, source: DeskSource, refresh: float, scenarios: int, proxy: bool, plain: bool) -> None:
    """Show the desk until ``q``, Ctrl-C or SIGTERM: on the whole screen of a terminal, or as frames in a pipe.

    Parameters
    ----------
    source : DeskSource
        Source of the desk. A stored desk is owned and saved; if the file is not there, a new one is built.
    refresh : float
        Seconds between two polls of the feeds.
    scenarios : int
        Number of scenarios of the risk simulation.
    proxy : bool
        Whether scenarios are valued by a proxy.
    plain : bool
        Whether to leave out colours and other styles.
    """
    console = screen_console(plain=plain)
    with (
        _desk(source, own=True) as desk,
        quiet_logging(),
        stop_requests() as stop,
        LiveDesk(desk, refresh, n_paths=scenarios, proxy=proxy) as live,
    ):
        if console.is_terminal and not console.is_dumb_terminal:
            with key_presses(stop) as wait:
                _on_screen(live, console, refresh, stop, wait)
        else:
            _in_pipe(live, console, refresh, stop)


@contextmanager
def _desk(source: DeskSource, *, own: bool) -> Iterator[Desk]:
    if source.path is not None:
        opened = owned_desk if own else read_desk
        with opened(replace(source, ticks=0)) as desk:  # the live desk polls
            yield desk
        return
    with working(f"Building the desk on the {source.feed or 'simulated'} market ..."):
        desk = build_desk(seed=source.seed, feed=source.feed)
    try:
        yield desk
    finally:
        desk.feed.close()
        desk.db.close()


def _on_screen(
    live: LiveDesk, console: Console, refresh: float, stop: threading.Event, wait: Callable[[float], str]
) -> None:
    glyphs = glyphs_for(console.encoding)
    with Live(console=console, screen=True, auto_refresh=False) as display:
        while not stop.is_set():
            latest, size = live.latest, console.size
            lines = arranged(live.view(), size.width, size.height, glyphs)
            display.update(Text("\n", no_wrap=True, overflow="crop").join(lines), refresh=True)
            until = time.monotonic() + refresh
            # Drawn again if there is a new view, if the terminal has been resized, and at the latest after one
            # refresh, as the ages on the screen grow even if nothing else changes.
            while time.monotonic() < until and live.latest is latest and console.size == size and not stop.is_set():
                keys = wait(_GLANCE)
                if _QUIT.intersection(keys):
                    return
                if _RENEW.intersection(keys):
                    live.renew_tails()


def _in_pipe(live: LiveDesk, console: Console, refresh: float, stop: threading.Event) -> None:
    while not stop.is_set() and write(_page(live, console)):
        stop.wait(refresh)


def _page(live: LiveDesk, console: Console, below: int = 0) -> str:
    """Return one frame as text, for the console's size or the minimum size, whichever is larger."""
    width, height = max(console.width, LEAST_WIDTH), max(console.height - below, LEAST_HEIGHT)
    lines = arranged(live.view(), width, height, glyphs_for(console.encoding))
    with console.capture() as captured:
        console.print(Text("\n").join(lines), width=width, no_wrap=True, crop=False, soft_wrap=True)
    return captured.get()
