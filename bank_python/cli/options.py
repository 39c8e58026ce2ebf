"""Options that several commands have, and the way in which every command of the desk is declared.

A command is a function whose first parameter is a :class:`Given`, with the options that all commands of the desk have,
or an :class:`Alone`, if it needs no desk; the decorator :func:`command` adds these options to its own, and takes those
that were given before the command, as in ``prop_desk.py --db desk.db risk``.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.desk.access import DeskSource
    from bank_python.desk.commands import CommandResult
    from bank_python.desk.desk import Desk

__all__ = [
    "DB_VARIABLE",
    "Alone",
    "Db",
    "FeedName",
    "FeedOption",
    "Given",
    "Json",
    "Plain",
    "SeedOption",
    "command",
    "listed",
    "was_given",
]

DB_VARIABLE = "BANK_PYTHON_DB"
"""Environment variable with the file of the desk."""


class FeedName(StrEnum):
    """Names of the feeds that a command line can choose."""

    SIMULATED = "simulated"
    HISTORY = "history"
    YAHOO = "yahoo"
    CCXT = "ccxt"


FeedOption = Annotated[
    FeedName | None,
    typer.Option(
        help="Source of prices: simulated (offline; that of a new desk), history (replay of 20 S&P 500 shares, extra "
        "'history'), yahoo or ccxt (live, extra 'live'). Symbols that it does not quote are simulated and marked as "
        "such. A stored desk goes on with its own.",
        show_default=False,
    ),
]
SeedOption = Annotated[
    int, typer.Option(help="Seed of the simulated market of a new desk; the same seed gives the same numbers.", min=0)
]
Db = Annotated[
    str | None,
    typer.Option(metavar="FILE", envvar=DB_VARIABLE, help="File in which the desk is stored.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
Plain = Annotated[bool, typer.Option("--plain", help="Use no colours, as with NO_COLOR.")]
_Ticks = Annotated[
    int | None,
    typer.Option(
        help="Number of polls of the market first; by default 5 for a new desk and none for a stored one (live "
        "markets: 1).",
        min=0,
        show_default=False,
    ),
]
_Csv = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write the figures to FILE as well, as CSV.", show_default=False)
]


@dataclass(frozen=True)
class Given:
    """Options that all commands of the desk have, as they were given."""

    db: Db = None
    feed: FeedOption = None
    seed: SeedOption = 7
    ticks: _Ticks = None
    json: Json = False
    csv: _Csv = None
    plain: Plain = False

    @property
    def source(self) -> DeskSource:
        """Where the desk comes from."""
        from bank_python.desk.access import DeskSource

        return DeskSource(self.db, None if self.feed is None else self.feed.value, self.seed, self.ticks)

    def read(self, name: str, work: Callable[[Desk], CommandResult]) -> None:
        """Run a command that leaves the desk as it is; see :func:`bank_python.desk.commands.read`."""
        from bank_python.desk.commands import Output, read

        read(name, work, self.source, Output(self.json, self.csv, self.plain))

    def change(self, name: str, work: Callable[[Desk], CommandResult]) -> None:
        """Run a command that changes the desk; see :func:`bank_python.desk.commands.change`."""
        from bank_python.desk.commands import Output, change

        change(name, work, self.source, Output(self.json, self.csv, self.plain))


@dataclass(frozen=True)
class Alone:
    """Options of a command that needs no desk, as they were given."""

    json: Json = False
    csv: _Csv = None
    plain: Plain = False

    def check(self) -> None:
        """Raise an error if the file of the figures cannot be written; to be called before the work."""
        from bank_python.desk.output_file import check_target

        if self.csv is not None:
            check_target(self.csv)

    def deliver(self, name: str, result: CommandResult) -> None:
        """Write the result of a command; see :func:`bank_python.desk.commands.deliver_alone`."""
        from bank_python.desk.commands import Output, deliver_alone

        deliver_alone(name, result, Output(self.json, self.csv, self.plain))


def command(
    app: typer.Typer, name: str, *, options: type[Given | Alone] = Given, has_negatives: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds a function to a program as a command, with the common options below its own.

    Parameters
    ----------
    app : typer.Typer
        Program to add to.
    name : str
        Name of the command.
    options : type, default Given
        Common options of the command: those of a desk, or :class:`Alone`.
    has_negatives : bool, default False
        Whether an argument may be a negative number, which is not taken for an option then.
    """
    settings = {"ignore_unknown_options": True} if has_negatives else None
    shared = tuple(inspect.signature(options, eval_str=True).parameters.values())
    names = tuple(field.name for field in fields(options))

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        keyword = inspect.Parameter.KEYWORD_ONLY
        context = inspect.Parameter("context", keyword, annotation=typer.Context)

        def called(context: typer.Context, **values: Any) -> None:
            common = {key: values.pop(key) for key in names}
            function(options(**_inherited(context, common)), **values)

        parameters = [context, *(p.replace(kind=keyword) for p in (*own, *shared))]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # which typer reads
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        called.__doc__ = function.__doc__
        app.command(name, context_settings=settings)(called)
        return function

    return register


def was_given(context: typer.Context, name: str) -> bool:
    """Return whether an option was given on the command line, not by default or by the environment.

    Parameters
    ----------
    context : typer.Context
        Context of the command.
    name : str
        Name of the option's parameter.
    """
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def listed(names: str | None) -> tuple[str, ...] | None:
    """Return the names in a list with commas, without blanks around them; None if there is no list.

    Parameters
    ----------
    names : str or None
        Text of an option.
    """
    return None if names is None else tuple(part for item in names.split(",") if (part := item.strip()))


def _inherited(context: typer.Context, common: dict[str, Any]) -> dict[str, Any]:
    """Return the common options, those from before the command in place of those that were not given after it."""
    before: dict[str, Any] = context.obj or {}
    other = next((name for name in before if name not in common), None)
    if other is not None:
        raise typer.BadParameter(
            f"--{other} belongs to commands that have a desk, {context.info_name} has none; leave it out",
            param_hint=f"--{other}",
        )
    return {
        name: before[name] if name in before and not was_given(context, name) else value
        for name, value in common.items()
    }
