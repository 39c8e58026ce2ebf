"""TOML text from users, with errors that name the file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_python.errors import RiskError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["toml_of", "toml_text"]


def toml_text(path: str | PathLike[str]) -> str:
    """Return the text of a file.

    Raises
    ------
    RiskError
        The file cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RiskError(f"{path}: {error}; give a readable TOML file", value=str(path)) from error


def toml_of(text: str, origin: str) -> dict[str, Any]:
    """Parse TOML text.

    Parameters
    ----------
    text : str
        TOML text.
    origin : str
        Name of the text in error messages, such as a path.

    Raises
    ------
    RiskError
        The text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RiskError(f"{origin} is not TOML: {error}; correct it", value=origin) from error
