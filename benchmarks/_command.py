"""The command line of a benchmark: which cases, how many turns, on one thread; versions first, ratios last."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING

from _report import Report

from bank_python.numerics import keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["run_cases", "run_on_one_thread"]


def run_on_one_thread(names: Sequence[str], main: Callable[[], None]) -> None:
    """Call a program whose libraries have one thread each: they look when they are loaded, so it may start anew."""
    if any(os.environ.get(name) != "1" for name in names):
        os.environ.update(dict.fromkeys(names, "1"))
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - this very program
    main()


def run_cases(
    about: str | None,
    cases: Mapping[str, Callable[[Report, int], None]],
    packages: Sequence[str],
    one_thread: Sequence[str],
) -> None:
    """Run the cases that the command line chooses."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(cases), help=f"cases, by comma: {', '.join(cases)}")
    parser.add_argument("--rounds", type=int, default=5, help="turns of which the median is taken")
    parser.add_argument("--quick", action="store_true", help="one turn")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in packages))
    print(f"{platform.system()} {platform.machine()}, CPU time, {', '.join(f'{name}=1' for name in one_thread[:2])}")
    report = Report()
    for name in chosen.only.split(","):
        cases[name](report, 1 if chosen.quick else chosen.rounds)
    report.close()
