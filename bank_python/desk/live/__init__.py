"""The live desk in a terminal: its background jobs, its panels, and their layout on the screen."""

from bank_python.completion import public_names
from bank_python.desk.live.live_desk import LiveDesk

__all__ = ["LiveDesk"]

__dir__ = public_names(__name__)
