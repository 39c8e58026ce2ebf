"""Ownership of a stored desk: one process at a time, which is named in the error that others get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bank_python.barbara.claim import Claim
from bank_python.barbara.location import IN_MEMORY
from bank_python.errors import DeskError

if TYPE_CHECKING:
    from bank_python.barbara import BarbaraDB

__all__ = ["take_lease"]


def take_lease(db: BarbaraDB) -> Claim:
    """Take ownership of the desk in a store, until the lease is released or the process ends.

    Raises
    ------
    DeskError
        Another process owns it (``holder`` identifies that process), or the file has several hard links.
    """
    if db.path != IN_MEMORY and Path(db.path).stat().st_nlink > 1:
        raise DeskError(
            f"{db.path} is one of several names (hard links) of a file, each of which would have its own owner and "
            "log; remove the others",
            path=db.path,
        )
    advice = "close it there, or open a copy with Desk.open(path, read_only=True)"
    return Claim(db, "desk", what=f"the desk in {db.path}", advice=advice, error=DeskError)
