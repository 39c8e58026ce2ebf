"""Copies of a store's file, made without changing it, even while it is being written."""

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
        Path of the store's file, which is opened read-only: neither it nor its log is changed.
    target : path
        Path of the new file.

    Raises
    ------
    StoreError
        `source` cannot be read, or is not a store.
    """
    address = f"{Path(source).absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise StoreError(
            f"{source} cannot be read ({error}); check the path and its permissions", path=source
        ) from error
