"""The showcase: scenes played on one desk, displayed as tables or printed as lines of JSON."""

from bank_python.completion import public_names
from bank_python.deprecation import old_names
from bank_python.desk.showcase.run import list_scenes, play, play_dense
from bank_python.desk.showcase.stage import SceneResult, Stage, scene

__all__ = ["SceneResult", "Stage", "list_scenes", "play", "play_dense", "scene"]

__dir__ = public_names(__name__)

__getattr__ = old_names(__name__, {"Shown": "SceneResult"})
