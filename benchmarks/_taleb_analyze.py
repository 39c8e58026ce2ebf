"""The whole analysis of 5,000 returns, with all curves, beside what packages take for the same figures.

There is no package with all of it, so the peers are the fastest that have a part: powerlaw for its one fit (with the
range of alpha that holds the answer), tailestim for one tail index by double bootstrap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _taleb_timed import OURS
from _timing import cpu

from bank_python.taleb import TailDiagnostics

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

PACKAGES = ("powerlaw", "tailestim")


def everything(returns: np.ndarray, rule: str, *, power_law: bool) -> None:
    """Analyse, and make every curve of the report."""
    report = TailDiagnostics.analyze(returns, rule=rule, power_law=power_law)
    for side in ("left", "right"):
        report.hill_curve(side)
        report.mean_excess_curve(side)
        report.survival_points(side)
    report.qq_points()
    report.max_to_sum_curves()


def analyze(report: Report, rounds: int) -> None:
    """Analyse 5,000 returns: without a bootstrap, with the scan for a power law, with the double bootstrap."""
    import powerlaw
    from tailestim import HillEstimator

    returns = 0.02 * np.random.default_rng(7).standard_t(3, 5_000)
    losses = -returns[returns < 0.0]
    calls = {
        OURS: lambda: everything(returns, "power", power_law=False),
        f"{OURS} and a power law": lambda: everything(returns, "power", power_law=True),
        f"{OURS}, power law, double bootstrap of three tails": lambda: everything(
            returns, "double_bootstrap", power_law=True
        ),
        "tailestim, one tail": lambda: HillEstimator(base_seed=0).fit(losses),
    }
    seconds = cpu(calls, rounds)
    slow = {
        "powerlaw, the power law alone": lambda: powerlaw.Fit(
            np.abs(returns), parameter_ranges={"alpha": [1, 10]}, verbose=False
        )
    }
    seconds |= cpu(slow, 1)
    report.case("analysis of 5,000 returns and all curves, CPU µs", {name: 1e6 * x for name, x in seconds.items()})
    ours, scanned, searched, one_tail, law = seconds.values()
    report.ratio("analysis without a bootstrap [ms]", 1e3 * ours, "≤ 25")
    report.ratio("analysis with the scan [ms]", 1e3 * scanned, "≤ 120")
    report.ratio("analysis with the double bootstrap [ms]", 1e3 * searched, "≤ 1000")
    report.ratio("three tails by double bootstrap: 3 tailestim / bank_python", 3.0 * one_tail / searched, "none")
    report.ratio("powerlaw's fit alone / analysis with the scan", law / scanned, "none")


CASES: dict[str, Callable[[Report, int], None]] = {"analyze": analyze}
