"""The live trading desk; see ``python prop_desk.py --help``."""

from __future__ import annotations

from bank_python.cli import prop_desk, run

if __name__ == "__main__":
    run(prop_desk)
