"""Validation of keys and ring names, and the range of keys that a prefix covers."""

from __future__ import annotations

import os
import re

from bank_python.barbara.location import IN_MEMORY
from bank_python.errors import StoreArgumentError

__all__ = ["check_key", "check_text", "end_of_prefix", "parent_of", "parse_rings"]

_PATH = re.compile(r"[/\\]|\.(db3?|sqlite3?)$", re.IGNORECASE)
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def check_text(text: object, what: str) -> str:
    """Return `text` if it is a string that can be encoded as UTF-8, else raise an error that names `what`."""
    if not isinstance(text, str):
        raise StoreArgumentError(f"{what} must be a string, not {text!r} ({type(text).__name__})", value=text)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StoreArgumentError(
            f"{what} {text!r} contains half a surrogate pair: use whole characters", value=text
        ) from None
    return text


def check_key(key: object) -> str:
    """Return `key` unchanged if it is a valid key.

    Raises
    ------
    StoreArgumentError
        The key is not a string, is empty, or contains a lone surrogate.
    """
    text = check_text(key, "a key")
    if not text:
        raise StoreArgumentError("a key must not be empty: give it a path such as '/Config/currency'", value=key)
    return text


def parse_rings(rings: str) -> tuple[str, ...]:
    """Split ``"desk;default"`` into ring names; the first is the ring that is written to.

    Raises
    ------
    StoreArgumentError
        A name is empty, begins or ends with a blank, occurs twice, or looks like the path of a file.

    Examples
    --------
    >>> parse_rings("desk;default")
    ('desk', 'default')
    """
    if _looks_like_a_path(rings):
        file = os.fspath(rings)
        raise StoreArgumentError(
            f"{file!r} looks like a file, and the first argument names rings; did you mean "
            f'BarbaraDB.open("desk;default", path={file!r})?',
            value=rings,
        )
    names = tuple(check_text(rings, "the rings").split(";"))
    for name in names:
        if not name or name != name.strip():
            message = f"ring {name!r} in {rings!r} is empty, or begins or ends with a blank: write 'desk;default'"
            raise StoreArgumentError(message, value=rings)
    if len(set(names)) != len(names):
        raise StoreArgumentError(f"a ring is named twice in {rings!r}: name each once", value=rings)
    return names


def _looks_like_a_path(rings: object) -> bool:
    if isinstance(rings, os.PathLike):
        return True
    return isinstance(rings, str) and (rings == IN_MEMORY or _PATH.search(rings) is not None)


def end_of_prefix(prefix: str) -> str | None:
    """Return the smallest string after all strings that start with `prefix`; ``None`` if there is none.

    Queries use this range, not LIKE or GLOB, as it uses the index and has no special characters.

    Examples
    --------
    >>> end_of_prefix("/Market/")
    '/Market0'
    """
    for length in range(len(prefix), 0, -1):
        after = ord(prefix[length - 1]) + 1
        if after in _SURROGATES:
            after = _SURROGATES.stop
        if after <= _LAST:
            return prefix[: length - 1] + chr(after)
    return None


def parent_of(key: str) -> str:
    """Return the folder part of a key, with its slash: ``"/Market/"`` for ``"/Market/SOFR"``."""
    return key[: key.rfind("/") + 1]
