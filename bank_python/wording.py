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
    from collections.abc import Iterable

__all__ = ["did_you_mean", "how_to_install", "message_of", "near_names"]


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
