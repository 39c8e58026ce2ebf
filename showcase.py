"""The showcase of bank_python, a series of scenes; see ``python showcase.py --help``."""

from __future__ import annotations

from bank_python.cli import run
from bank_python.cli.showcase import showcase

if __name__ == "__main__":
    run(showcase)
