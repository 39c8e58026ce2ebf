"""``python -m bank_python``: the commands of ``bank-python``, also where that is not installed."""

from __future__ import annotations

from bank_python.cli import main

if __name__ == "__main__":
    main()
