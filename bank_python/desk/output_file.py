"""Files that commands write, checked before the desk is opened: what has been traded must not lack its report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bank_python.errors import DeskError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["check_target"]

_OF_STORES = ("", "-wal", "-shm", "-journal")  # SQLite's own files beside a store


def check_target(path: str | PathLike[str], store: str | PathLike[str] | None = None) -> Path:
    """Return the path of a file if it can be written; to be called before the desk is built.

    Parameters
    ----------
    path : path
        File to write. A symbolic link is followed.
    store : path, optional
        File of the desk, which is not written over.

    Raises
    ------
    DeskError
        The folder does not exist or is not writable, the path is not a regular, writable file, or it is the desk's.
    """
    if not os.fspath(path):
        raise DeskError("the name of the file to write is empty; give one", value="")
    target = Path(path).resolve()
    if not target.parent.is_dir():
        raise DeskError(f"cannot write {path}: there is no folder {target.parent}; create it first", value=str(path))
    if target.exists() and not target.is_file():
        raise DeskError(f"cannot write {path}: it is not a regular file; give another name", value=str(path))
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise DeskError(f"cannot write {path}: permission denied; choose another folder or file", value=str(path))
    if store is not None and _is_of_store(target, Path(store).resolve()):
        raise DeskError(f"cannot write {path}: it is a file of the desk; give another name", value=str(path))
    return target


def _is_of_store(target: Path, store: Path) -> bool:
    if target.exists() and store.exists() and target.samefile(store):
        return True
    return target in {store.with_name(f"{store.name}{ending}") for ending in _OF_STORES}
