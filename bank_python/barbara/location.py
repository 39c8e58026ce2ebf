"""The default location of a store: ``$BANK_PYTHON_HOME``, else the user's data directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bank_python.errors import StoreArgumentError, StoreError

__all__ = ["IN_MEMORY", "resolve"]

IN_MEMORY = ":memory:"

_FILE = "barbara.db"


def _data_directory() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "bank_python"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "bank_python"
    shared = Path(os.environ.get("XDG_DATA_HOME", ""))
    # By the XDG specification a relative path is ignored.
    return (shared if shared.is_absolute() else Path.home() / ".local" / "share") / "bank_python"


def _home() -> Path:
    chosen = os.environ.get("BANK_PYTHON_HOME")
    directory = Path(chosen).expanduser() if chosen else _data_directory()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot create {directory} for the store ({error}): set BANK_PYTHON_HOME or give path="
        raise StoreError(message, path=directory) from error
    return directory


def resolve(path: str | os.PathLike[str] | None) -> str:
    """Return the absolute path of the file to open, or ``":memory:"``.

    Parameters
    ----------
    path : str or path-like or None
        Path of a file in an existing directory, ``":memory:"``, or ``None`` for ``barbara.db`` in
        ``$BANK_PYTHON_HOME``, by default the user's data directory, created with mode 0700.

    Raises
    ------
    StoreArgumentError
        The path is empty, a directory, or in a directory that does not exist.
    StoreError
        The default directory cannot be created.
    """
    if path is None:
        return str(_home() / _FILE)
    text = os.fspath(path)
    if text == IN_MEMORY:
        return text
    if not text or Path(text).is_dir() or not Path(text).parent.is_dir():
        message = f"{text!r} is not a file in an existing directory: create the directory or give path=':memory:'"
        raise StoreArgumentError(message, value=path)
    return str(Path(text).absolute())
