"""The command that needs no desk: ``verify``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from bank_python.cli.options import Alone, command

__all__ = ["add_to"]


class Kind(StrEnum):
    """Kinds of values that can be verified."""

    PUBLISHED = "published"
    QUOTED = "quoted"
    COMPUTED = "computed"


def add_to(program: typer.Typer) -> None:
    """Add the command to a program."""
    command(program, "verify", options=Alone)(verify)


def verify(
    given: Alone,
    *,
    topic: Annotated[
        str | None, typer.Option(help="Verify one topic only, such as options.", show_default=False)
    ] = None,
    kind: Annotated[
        list[Kind] | None,
        typer.Option(help="Verify values of this kind only; may be given more than once.", show_default=False),
    ] = None,
) -> None:
    """Compute the values that books and papers print, and list them with their differences; exit code 1 if one differs.

    Examples: bank-python verify;  prop_desk.py verify --topic options;  prop_desk.py verify --json;
    prop_desk.py verify --kind published --kind quoted --csv values.csv
    """
    from bank_python.desk.commands.verify import verification_result, verify_library

    given.check()
    found = verify_library(topic, kind or None)
    given.deliver("verify", verification_result(found))
    found.check()
