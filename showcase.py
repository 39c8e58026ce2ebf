"""The scripted showcase: ``python showcase.py --help``."""

from __future__ import annotations

from bank_python.cli import run, showcase

if __name__ == "__main__":
    run(showcase)
