"""A copy of a store's file, taken without changing anything about it, whoever writes to it meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bank_python.errors import StoreError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["copy_store"]


def copy_store(source: str | PathLike[str], target: str | PathLike[str]) -> None:
    """Copy the last commit of the store at `source` to a new file.

    Parameters
    ----------
    source : path
        The store's file, which is opened for reading alone: neither it nor its log is changed.
    target : path
        The file that is made.

    Raises
    ------
    StoreError
        `source` cannot be read, or is no store.
    """
    address = f"{Path(source).absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise StoreError(f"{source} cannot be read ({error}); check the path and its rights", path=source) from error
