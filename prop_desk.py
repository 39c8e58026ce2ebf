"""The live trading desk; see ``python prop_desk.py --help``."""

from __future__ import annotations

from bank_python.cli import run
from bank_python.cli.desk import desk_program

if __name__ == "__main__":
    run(desk_program())
