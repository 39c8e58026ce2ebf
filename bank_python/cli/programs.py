"""Running of the programs: errors are one line on stderr, Ctrl-C ends quietly."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from bank_python.terminal import CleanFormatter, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["main", "run"]


def run(command: Callable[..., None] | typer.Typer) -> None:
    """Run a command, or a program of several, and exit.

    Parameters
    ----------
    command : callable or typer.Typer
        Function that typer makes a command of, or a program. An error is one line on stderr (exit code 1), and Ctrl-C
        exits quietly (130).
    """
    if isinstance(command, typer.Typer):
        _guarded(command)
        return
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    _guarded(app)


def main() -> None:
    """Run the installed command ``bank-python``, or ``python -m bank_python``; without a command, list the commands."""
    from bank_python.cli import verification_commands
    from bank_python.cli.desk import desk_program
    from bank_python.cli.showcase import showcase

    about = "A trading and risk platform in Python: a live trading desk, and a showcase of the library."
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=about)
    app.command("showcase")(showcase)
    app.add_typer(desk_program(), name="desk")
    verification_commands.add_to(app)
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
