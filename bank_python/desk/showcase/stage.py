"""Scenes of the showcase: registered functions, numbered in order, which are played on one desk.

A scene is a function of a :class:`Stage` that returns a :class:`SceneResult`: facts as JSON-able values, and views of
them for display. ``--dense`` prints the facts; otherwise the views are displayed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_python.deprecation import old_names, warn_of
from bank_python.errors import DeskError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bank_python.desk.desk import Desk

__all__ = ["Scene", "SceneResult", "Stage", "choose_scenes", "scene", "scenes"]

__getattr__ = old_names(__name__, {"Shown": "SceneResult"})


@dataclass
class Stage:
    """The desk on which scenes are played, and the file of its store."""

    desk: Desk
    path: Path


@dataclass(frozen=True)
class SceneResult:
    """The result of a scene: facts (JSON-able values by name) and views (Rich renderables or text)."""

    facts: dict[str, Any]
    views: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scene:
    """A registered scene."""

    number: int
    name: str
    play: Callable[[Stage], SceneResult]

    @property
    def summary(self) -> str:
        """First line of the docstring of the scene's function."""
        return (self.play.__doc__ or "").strip().splitlines()[0]

    @property
    def teaches(self) -> str:
        """The former name of :attr:`summary`."""
        warn_of("Scene.teaches", "Scene.summary")
        return self.summary


_SCENES: list[Scene] = []


def scene(name: str) -> Callable[[Callable[[Stage], SceneResult]], Callable[[Stage], SceneResult]]:
    """Return a decorator that registers a function as the next scene, with the title `name`."""

    def register(play: Callable[[Stage], SceneResult]) -> Callable[[Stage], SceneResult]:
        _SCENES.append(Scene(len(_SCENES) + 1, name, play))
        return play

    return register


def scenes() -> tuple[Scene, ...]:
    """Return all scenes in order."""
    from bank_python.desk.showcase import scenes as registered  # noqa: F401 - importing them registers them

    return tuple(_SCENES)


def choose_scenes(wanted: str) -> tuple[Scene, ...]:
    """Return the scenes given by numbers or parts of titles, separated by commas; all scenes if `wanted` is empty.

    Raises
    ------
    DeskError
        A number or part of a title matches no scene.
    """
    everything = scenes()
    if not wanted.strip():
        return everything
    chosen: dict[int, Scene] = {}
    for part in (piece.strip() for piece in wanted.split(",")):
        found = [
            item for item in everything if part == str(item.number) or (part and part.upper() in item.name.upper())
        ]
        if not found:
            raise DeskError(f"there is no scene {part!r}; showcase.py --list shows all scenes", value=part)
        chosen |= {item.number: item for item in found}
    return tuple(chosen[number] for number in sorted(chosen))
