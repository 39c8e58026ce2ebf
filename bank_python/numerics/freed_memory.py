"""A setting of the C allocator: freed memory is kept for reuse. The library never applies it by itself."""

from __future__ import annotations

import numpy as np

__all__ = ["keep_freed_memory"]

_LARGEST = 32 * 2**20


def keep_freed_memory(megabytes: int = 8) -> None:
    """Make the C library keep freed memory for reuse instead of returning it to the system.

    A formula allocates and frees dozens of arrays. glibc requests each block of more than 128 KB from the system, which
    zeroes it page by page; for arrays of some 16,000 to a million numbers this can take several times as long as the
    formula. Once a larger block has been freed, glibc keeps blocks up to that size for reuse. A program that prices
    such arrays in a loop should call this function once at its start. Results are not affected.

    Parameters
    ----------
    megabytes : int, default 8
        Largest size, in megabytes, of a freed block that is kept; from 1 to 31. Kept blocks count as memory of the
        process.

    Raises
    ------
    ValueError
        `megabytes` is not a whole number from 1 to 31.

    Notes
    -----
    A block of that size is allocated and freed, and its pages are never touched; glibc then raises its threshold. With
    other C libraries (macOS, Windows, musl) there is no effect. The environment variable ``MALLOC_MMAP_THRESHOLD_``
    has the same effect.

    References
    ----------
    mallopt(3), "dynamic mmap threshold": the threshold is at most 32 MB.

    Examples
    --------
    >>> keep_freed_memory()
    """
    if not isinstance(megabytes, int) or isinstance(megabytes, bool) or not 1 <= megabytes < _LARGEST // 2**20:  # type: ignore[redundant-expr]  # checked for untyped callers
        raise ValueError(
            f"megabytes={megabytes!r} is not a whole number from 1 to 31, the sizes that the C library can keep"
        )
    np.empty(megabytes * 2**20, dtype=np.uint8)
