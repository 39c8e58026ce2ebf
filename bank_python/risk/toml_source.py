"""TOML that a user wrote: read, or refused with the place."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_python.errors import RiskError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["toml_of", "toml_text"]


def toml_text(path: str | PathLike[str]) -> str:
    """Return a file's text.

    Raises
    ------
    RiskError
        It cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RiskError(f"{path}: {error}; give a readable TOML file", value=str(path)) from error


def toml_of(text: str, origin: str) -> dict[str, Any]:
    """Return what TOML text says.

    Parameters
    ----------
    text : str
        The text.
    origin : str
        What the error calls it.

    Raises
    ------
    RiskError
        It is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RiskError(f"{origin} is no TOML: {error}; correct it", value=origin) from error
