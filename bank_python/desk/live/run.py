"""Watching the desk: live on a terminal's alternate screen, as plain frames down a pipe, or one frame and out."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bank_python.desk.build import build_desk
from bank_python.desk.live.glyphs import glyphs_for
from bank_python.desk.live.interruption import quiet_logging, stop_requests
from bank_python.desk.live.keys import key_presses
from bank_python.desk.live.layout import LEAST_HEIGHT, LEAST_WIDTH, arranged
from bank_python.desk.live.live_desk import LiveDesk
from bank_python.terminal import clean

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from bank_python.desk.desk import Desk

__all__ = ["screen_console", "show_once", "watch"]

_GLANCE = 0.1  # seconds between two looks at keys, signals and the terminal's size
_AT_HAND = frozenset({"simulated", "history"})  # markets whose past needs no network
_QUIT = frozenset("qQ\x03\x04")


def screen_console(*, plain: bool) -> Console:
    """Return the console to draw on.

    Parameters
    ----------
    plain : bool
        No colour, nor any other style; the same where ``NO_COLOR`` is set, and where stdout is no terminal.
    """
    colourless = plain or bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()
    return Console(
        color_system=None if colourless else "auto",
        force_terminal=sys.stdout.isatty(),  # rich would believe FORCE_COLOR that a pipe is a terminal
        highlight=False,
        emoji=False,
        markup=False,
    )


def show_once(
    *, feed: str, seed: int, refresh: float, scenarios: int, proxy: bool, plain: bool, as_json: bool = False
) -> None:
    """Build a desk, look at the market once, print one frame.

    Parameters
    ----------
    feed : str
        Name of the market.
    seed : int
        Of the simulated market, or of the simulated part of another.
    refresh : float
        Seconds between two looks, as the jobs' schedule has it.
    scenarios : int
        Number of scenarios of the simulation.
    proxy : bool
        Whether it values by a proxy.
    plain : bool
        No colour.
    as_json : bool, default False
        Print the desk's view as one line of JSON, in the place of the frame.
    """
    console = screen_console(plain=plain)
    with _desk(feed, seed) as desk:
        live = LiveDesk(desk, refresh, n_paths=scenarios, proxy=proxy)
        live.look()
        if feed in _AT_HAND:
            live.measure_risk()
        if as_json:
            _write(f"{live.view().to_json()}\n")
            return
        # On a terminal the prompt needs the last line.
        _write(_page(live, console, below=1 if console.is_terminal else 0))


def watch(*, feed: str, seed: int, refresh: float, scenarios: int, proxy: bool, plain: bool) -> None:
    """Show the desk until ``q``, Ctrl-C or SIGTERM: on the whole screen, or frame after frame down a pipe.

    Parameters
    ----------
    feed : str
        Name of the market.
    seed : int
        Of the simulated market, or of the simulated part of another.
    refresh : float
        Seconds from one look at the market to the next.
    scenarios : int
        Number of scenarios of the simulation.
    proxy : bool
        Whether it values by a proxy.
    plain : bool
        No colour.
    """
    console = screen_console(plain=plain)
    with (
        _desk(feed, seed) as desk,
        quiet_logging(),
        stop_requests() as stop,
        LiveDesk(desk, refresh, n_paths=scenarios, proxy=proxy) as live,
    ):
        if console.is_terminal and not console.is_dumb_terminal:
            with key_presses(stop) as wait:
                _on_screen(live, console, refresh, stop, wait)
        else:
            _down_the_pipe(live, console, refresh, stop)


@contextmanager
def _desk(feed: str, seed: int) -> Iterator[Desk]:
    with _said(f"Building the desk on the {feed} market ..."):
        desk = build_desk(seed=seed, feed=feed)
    try:
        yield desk
    finally:
        desk.feed.close()
        desk.db.close()


@contextmanager
def _said(words: str) -> Iterator[None]:
    """Say on the terminal what is being waited for, and take it back afterwards."""
    told = sys.stderr.isatty()
    if told:
        sys.stderr.write(clean(words))
        sys.stderr.flush()
    try:
        yield
    finally:
        if told:
            sys.stderr.write("\r" + " " * len(words) + "\r")
            sys.stderr.flush()


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
            # Drawn anew when there is news, when the terminal has another size, and at the latest when time is up:
            # the ages on the screen go on when nothing else does.
            while time.monotonic() < until and live.latest is latest and console.size == size and not stop.is_set():
                if _QUIT.intersection(wait(_GLANCE)):
                    return


def _down_the_pipe(live: LiveDesk, console: Console, refresh: float, stop: threading.Event) -> None:
    while not stop.is_set() and _write(_page(live, console)):
        stop.wait(refresh)


def _page(live: LiveDesk, console: Console, below: int = 0) -> str:
    """Return one frame as text, for the console's size, or for the least size where that is smaller."""
    width, height = max(console.width, LEAST_WIDTH), max(console.height - below, LEAST_HEIGHT)
    lines = arranged(live.view(), width, height, glyphs_for(console.encoding))
    with console.capture() as captured:
        console.print(Text("\n").join(lines), width=width, no_wrap=True, crop=False, soft_wrap=True)
    return captured.get()


def _write(page: str) -> bool:
    """Write to stdout, and say whether anybody still reads it."""
    try:
        sys.stdout.write(page)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer must not fail again when the interpreter flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
