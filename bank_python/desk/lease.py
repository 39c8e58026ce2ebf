"""Whose a stored desk is: one owner at a time, who is named to everybody else."""

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
    """Become the owner of the desk in a store, until the lease is released or the process ends in any way.

    Raises
    ------
    DeskError
        Somebody else owns it (``holder`` says who), or the file has several names.
    """
    if db.path != IN_MEMORY and Path(db.path).stat().st_nlink > 1:
        raise DeskError(
            f"{db.path} is one of several names (hard links) of one file, each of which would have an owner and a log "
            "of its own; remove the others",
            path=db.path,
        )
    advice = "close it there, or look at it with Desk.open(path, read_only=True)"
    return Claim(db, "desk", what=f"the desk in {db.path}", advice=advice, error=DeskError)
