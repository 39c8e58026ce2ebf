"""Running of commands: a desk is opened, the command works on it, and its result is written.

A command is a function of a desk that returns a :class:`~bank_python.desk.commands.result.CommandResult`. One that only
reads is run by :func:`read`, one that changes the desk by :func:`change`, which owns the desk until the command has
ended.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.desk.access import owned_desk, read_desk
from bank_python.desk.commands.views import desk_line
from bank_python.desk.console import screen_console, write
from bank_python.desk.output_file import check_target
from bank_python.display import Record
from bank_python.errors import DeskError
from bank_python.jsonable import jsonable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from bank_python.desk.access import DeskSource
    from bank_python.desk.commands.result import CommandResult
    from bank_python.desk.desk import Desk
    from bank_python.mntable import Table, View
    from bank_python.results import Tabular

__all__ = ["Output", "change", "deliver_alone", "read"]


@dataclass(frozen=True, slots=True)
class Output(Record):
    """How the result of a command is written.

    Parameters
    ----------
    as_json : bool, default False
        Whether to print one line of JSON instead of tables.
    csv : str, optional
        File to which the table of the result is written as well.
    plain : bool, default False
        Whether to leave out colours and other styles.
    """

    as_json: bool = False
    csv: str | None = None
    plain: bool = False


def read(name: str, work: Callable[[Desk], CommandResult], source: DeskSource, output: Output) -> None:
    """Run a command that leaves the desk as it is.

    Parameters
    ----------
    name : str
        Name of the command.
    work : callable
        Function of the desk that returns the result.
    source : DeskSource
        Source of the desk; a stored one is opened as a copy, whoever owns it.
    output : Output
        Form in which the result is written.

    Raises
    ------
    BankError
        The desk cannot be opened, the command fails, or the CSV file cannot be written.
    """
    _check_file(source, output)
    with read_desk(source) as desk:
        deliver(name, desk, work(desk), output)


def change(name: str, work: Callable[[Desk], CommandResult], source: DeskSource, output: Output) -> None:
    """Run a command that changes the desk.

    Parameters
    ----------
    name : str
        Name of the command.
    work : callable
        Function of the desk that returns the result.
    source : DeskSource
        Source of the desk; a stored one is owned until the command ends, and saved.
    output : Output
        Form in which the result is written.

    Raises
    ------
    BankError
        Another process owns the desk, the command fails, or the CSV file cannot be written.
    """
    _check_file(source, output)
    with owned_desk(source) as desk:
        deliver(name, desk, work(desk), output)


def _check_file(source: DeskSource, output: Output) -> None:
    """Raise an error if the CSV file cannot be written: what a command has traded would lack its report."""
    if output.csv is not None:
        check_target(output.csv, source.path)


def deliver(name: str, desk: Desk, result: CommandResult, output: Output) -> None:
    """Write the result of a command: first to the CSV file, then to stdout.

    Parameters
    ----------
    name : str
        Name of the command.
    desk : Desk
        Desk that the result belongs to.
    result : CommandResult
        Result to write.
    output : Output
        Form in which the result is written.

    Raises
    ------
    DeskError
        The CSV file cannot be written.
    """
    about = {"valuation_date": desk.clock.date, "tick": desk.graph.tick, "feed": desk.feed.name}
    _deliver(name, about, [desk_line(desk), result], result, output)


def deliver_alone(name: str, result: CommandResult, output: Output) -> None:
    """Write the result of a command that has no desk: first to the CSV file, then to stdout.

    Parameters
    ----------
    name : str
        Name of the command.
    result : CommandResult
        Result to write.
    output : Output
        Form in which the result is written.

    Raises
    ------
    DeskError
        The CSV file cannot be written.
    """
    _deliver(name, {}, [result], result, output)


def _deliver(name: str, about: dict[str, Any], page: list[Any], result: CommandResult, output: Output) -> None:
    if output.csv is not None and result.table is not None:
        _write_csv(result.table, output.csv)
    if output.as_json:
        facts = jsonable({"command": name} | about | dict(result.facts))
        write(f"{json.dumps(facts, allow_nan=False, ensure_ascii=False)}\n")
    else:
        write(_page(screen_console(plain=output.plain), page))


def _write_csv(table: View | Table | Tabular, path: str) -> None:
    try:
        table.to_csv(check_target(path))
    except OSError as error:
        raise DeskError(f"{path} cannot be written: {error.strerror or error}; give another file", path=path) from error


def _page(console: Console, parts: list[Any]) -> str:
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return captured.get()
