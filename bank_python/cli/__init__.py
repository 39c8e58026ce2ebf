"""The command lines of ``showcase.py``, ``prop_desk.py`` and the installed command ``bank-python``.

What a command computes is in :mod:`bank_python.desk`, which is loaded when a command runs, so that help comes at once.
"""

from bank_python.cli.programs import main, run
from bank_python.completion import public_names

__all__ = ["main", "run"]

__dir__ = public_names(__name__)
