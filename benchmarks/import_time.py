"""The cost of ``import bank_python`` over ``import numpy``, on which it stands.

Each round starts one fresh interpreter per statement, in shuffled order, so that a busy moment of the
machine, or what ran just before, falls on all alike; an interpreter that imports nothing gives the floor.
The clock runs inside the interpreter, around the import alone, so its start-up is not counted. The last
line is the median, over the rounds, of each round's own ratio; the aim is below 1.5.

Run it with ``make bench`` or ``python benchmarks/import_time.py --rounds 40``.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import subprocess
import sys
from importlib.metadata import version
from typing import Final

STATEMENTS: Final = ("pass", "import numpy", "import bank_python")

_PROGRAM: Final = "from time import perf_counter; a = perf_counter(); {statement}; print(perf_counter() - a)"


def seconds_to_run(statement: str) -> float:
    """Time one statement in a fresh interpreter, in seconds."""
    program = _PROGRAM.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)


def measure(rounds: int) -> dict[str, list[float]]:
    """Time every statement `rounds` times, once a round, after one unrecorded round that warms the disk cache."""
    shuffler = random.Random(rounds)
    times: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for round_number in range(rounds + 1):
        for statement in shuffler.sample(STATEMENTS, k=len(STATEMENTS)):
            seconds = seconds_to_run(statement)
            if round_number:
                times[statement].append(seconds)
    return times


def report(times: dict[str, list[float]]) -> str:
    """Lay the medians and quartiles out as a table, versions above, the median ratio below."""
    lines = [
        f"Python {platform.python_version()}, numpy {version('numpy')}, bank-python {version('bank-python')}",
        f"{platform.system()} {platform.machine()}, {len(times['pass'])} rounds, milliseconds",
        "",
        f"{'statement':<20} {'median':>8} {'quartiles':>17}",
    ]
    for statement, seconds in times.items():
        low, median, high = (1000 * q for q in statistics.quantiles(seconds, n=4, method="inclusive"))
        lines.append(f"{statement:<20} {median:>8.2f} {low:>8.2f} {high:>8.2f}")
    pairs = zip(times["import bank_python"], times["import numpy"], strict=True)
    ratio = statistics.median(ours / numpys for ours, numpys in pairs)
    lines += ["", f"import bank_python / import numpy = {ratio:.3f}"]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the import time of bank_python with numpy's.")
    parser.add_argument("--rounds", type=int, default=20, help="recorded rounds, at least 2 (default 20)")
    rounds = parser.parse_args().rounds
    if rounds < 2:
        parser.error("--rounds must be at least 2, to have quartiles")
    print(report(measure(rounds)))


if __name__ == "__main__":
    main()
