"""The showcase: scenes played on one desk, for people and as lines of JSON."""

from bank_python.completion import public_names
from bank_python.desk.showcase.run import list_scenes, play, play_dense
from bank_python.desk.showcase.stage import Shown, Stage, scene

__all__ = ["Shown", "Stage", "list_scenes", "play", "play_dense", "scene"]

__dir__ = public_names(__name__)
