"""Wording of messages: suggestions for a mistyped name, installation hints, and the text of an error.

Examples
--------
>>> near_names("APPL", ["MSFT", "AAPL"])
('AAPL',)
>>> did_you_mean("appl", ["MSFT", "AAPL"], "register it first")
"did you mean 'AAPL'?"
>>> did_you_mean("SOFR", ["MSFT", "AAPL"], "register it first")
'register it first'
"""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

__all__ = ["OtherWord", "did_you_mean", "how_to_install", "message_of", "near_names", "words_of"]


def near_names(name: object, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """Return up to `most` of the known names that are similar to `name`, best match first, ignoring case."""
    spellings: dict[str, list[str]] = {}
    for item in sorted(known):
        spellings.setdefault(item.casefold(), []).append(item)
    near = get_close_matches(str(name).casefold(), spellings, n=most)
    return tuple(islice((item for folded in near for item in spellings[folded]), most))


def did_you_mean(name: object, known: Iterable[str], otherwise: str, most: int = 3) -> str:
    """Return a suggestion with which an error message can end, or `otherwise` if no known name is similar to `name`."""
    near = near_names(name, known, most)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else otherwise


def how_to_install(extra: str) -> str:
    """Return the commands that install the optional packages of an extra; the library itself is on no package index."""
    return f"make install EXTRAS={extra}, or pip install '.[{extra}]', in a checkout"


def message_of(error: BaseException) -> str:
    """Return the message of an error, or a note in its place if the error's own ``__str__`` raises."""
    try:
        return str(error)
    except Exception as failed:  # noqa: BLE001 - code of users may raise anything
        return f"{type(error).__name__} without a message, as its __str__ raised {type(failed).__name__}"


class OtherWord:
    """An attribute that a class does not have, as a descriptor: reading raises the right word.

    For classes whose attributes are read in hot loops: the ``__getattr__`` of :func:`words_of` makes every reading
    slower, also of the attributes that are there.

    Parameters
    ----------
    remedy : str
        Attribute or call to use in its place.
    """

    def __init__(self, remedy: str) -> None:
        self.remedy = remedy
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> Any:
        message = f"{owner.__name__!r} object has no attribute {self.name!r}; use {self.remedy}"
        raise AttributeError(message, name=self.name, obj=instance)


def words_of(words: Mapping[str, str]) -> Callable[[Any, str], Any]:
    """Return a ``__getattr__`` for a class: errors give the attribute that corresponds to another library's.

    Parameters
    ----------
    words : mapping of str to str
        Attributes or calls to use, by the attribute that the class does not have.

    Notes
    -----
    Python also calls ``__getattr__`` when a property raises an AttributeError. That error is not replaced: the property
    is read again.
    """

    def look_up(self: Any, name: str) -> Any:
        if any(name in vars(kind) for kind in type(self).__mro__):
            return object.__getattribute__(self, name)
        remedy = f"; use {words[name]}" if name in words else ""
        message = f"{type(self).__name__!r} object has no attribute {name!r}{remedy}"
        raise AttributeError(message, name=name, obj=self)

    return look_up
