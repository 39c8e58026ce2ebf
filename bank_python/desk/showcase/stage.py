"""The showcase's stage: scenes are registered functions, numbered in order, played on one desk.

A scene takes the :class:`Stage` and returns a :class:`Shown`: the facts, as JSON-able values, and views of them
for people. ``--dense`` prints the facts, everything else the views, so both always say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_python.errors import DeskError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bank_python.desk.desk import Desk

__all__ = ["Scene", "Shown", "Stage", "choose_scenes", "scene", "scenes"]


@dataclass
class Stage:
    """What scenes play on: a desk, and the file it is kept in."""

    desk: Desk
    path: Path


@dataclass(frozen=True)
class Shown:
    """What a scene shows: facts (JSON-able, by name) and views (Rich renderables or text)."""

    facts: dict[str, Any]
    views: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scene:
    """A registered scene."""

    number: int
    name: str
    play: Callable[[Stage], Shown]

    @property
    def teaches(self) -> str:
        """The first line of the scene's docstring."""
        return (self.play.__doc__ or "").strip().splitlines()[0]


_SCENES: list[Scene] = []


def scene(name: str) -> Callable[[Callable[[Stage], Shown]], Callable[[Stage], Shown]]:
    """Register a function as the next scene, under `name`."""

    def register(play: Callable[[Stage], Shown]) -> Callable[[Stage], Shown]:
        _SCENES.append(Scene(len(_SCENES) + 1, name, play))
        return play

    return register


def scenes() -> tuple[Scene, ...]:
    """Return every scene in order."""
    from bank_python.desk.showcase import scenes as registered  # noqa: F401 - importing them registers them

    return tuple(_SCENES)


def choose_scenes(wanted: str) -> tuple[Scene, ...]:
    """Return the scenes named by `wanted`: numbers or parts of names, separated by commas; all if empty.

    Raises
    ------
    DeskError
        One of them is no scene.
    """
    everything = scenes()
    if not wanted.strip():
        return everything
    chosen: dict[int, Scene] = {}
    for part in (piece.strip() for piece in wanted.split(",")):
        found = [item for item in everything if part == str(item.number) or (part and part.upper() in item.name)]
        if not found:
            raise DeskError(f"no scene {part!r}; showcase.py --list shows them, by number and name", value=part)
        chosen |= {item.number: item for item in found}
    return tuple(chosen[number] for number in sorted(chosen))
