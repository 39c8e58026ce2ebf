"""The live desk on a terminal: its background jobs, its panels, and how they share the screen."""

from bank_python.completion import public_names
from bank_python.desk.live.live_desk import LiveDesk

__all__ = ["LiveDesk"]

__dir__ = public_names(__name__)
