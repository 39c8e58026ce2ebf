"""Fat tails: power laws, extreme values, hedging errors and the whole analysis, beside the packages for each.

One process, one thread (linear algebra too, which is settled before numpy is loaded), CPU time, medians of shuffled
turns; a call that is over quickly is repeated until a turn has lasted 20 ms, on every side. All get the same data, and
a case begins with a check that they find the same figures. Each file of :data:`MODULES` says what its cases are beside.

Run it with ``make bench`` or ``python benchmarks/taleb.py --only csn_scan``; ``--quick`` takes one turn.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from _command import run_cases, run_on_one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
MODULES = (
    *("_taleb_analyze", "_taleb_tail_index", "_taleb_power_law", "_taleb_extremes", "_taleb_hedging"),
    "_taleb_fragility",
)
"""Files with ``CASES``, functions of a report and a number of rounds by name, and ``PACKAGES``, their peers."""


def main() -> None:
    """Run the chosen cases."""
    cases: dict[str, Callable[[Report, int], None]] = {}
    packages = ["numpy", "bank-python"]
    for name in filter(find_spec, MODULES):
        module = import_module(name)
        cases |= module.CASES
        packages += [package for package in module.PACKAGES if package not in packages]
    run_cases(__doc__, cases, packages, ONE_THREAD)


if __name__ == "__main__":
    run_on_one_thread(ONE_THREAD, main)
