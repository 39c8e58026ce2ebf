"""Keeping freed memory at hand: a choice of the program, which the library never makes by itself."""

from __future__ import annotations

import numpy as np

__all__ = ["keep_freed_memory"]

_LARGEST = 32 * 2**20


def keep_freed_memory(megabytes: int = 8) -> None:
    """Let the C library keep memory that was freed, in the place of giving it back to the system.

    A formula makes and drops dozens of arrays. glibc takes blocks of more than 128 KB from the system each time, which
    zeroes them page by page, and that can take several times as long as the formula: for arrays of some 16,000 to a
    million numbers. Once a block of a larger size has been freed, it keeps blocks up to that size at hand. A program
    that prices such arrays in a loop calls this once, when it starts. Results are the same, to the bit.

    Parameters
    ----------
    megabytes : int, default 8
        Up to which size freed blocks are kept, from 1 to 31. What is kept at hand counts as the process's memory.

    Raises
    ------
    ValueError
        `megabytes` is not a whole number from 1 to 31.

    Notes
    -----
    Nothing is set: a block of that size is made and freed, and its pages are never touched. Where the C library is
    another (macOS, Windows, musl), that does nothing. The variable ``MALLOC_MMAP_THRESHOLD_`` does the same from
    outside.

    References
    ----------
    mallopt(3), "dynamic mmap threshold": the largest block that counts is 32 MB.

    Examples
    --------
    >>> keep_freed_memory()
    """
    if not isinstance(megabytes, int) or isinstance(megabytes, bool) or not 1 <= megabytes < _LARGEST // 2**20:  # type: ignore[redundant-expr]  # checked for untyped callers
        raise ValueError(f"megabytes={megabytes!r} is not a whole number from 1 to 31; the C library keeps no more")
    np.empty(megabytes * 2**20, dtype=np.uint8)
