"""Tail indices and kappas: the double bootstrap, Hill's curve, and all figures of a sample without a bootstrap.

The same sample on every side: 5,000 values of Student's t
with three degrees of freedom, of which the positive ones are the tail. tailestim resamples 500 times at one size and
its square over the number of values; we do so 200 times at each of five sizes and their squares, and take the median.
Before the case, Hill's estimates of both are compared at every k.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from _timing import cpu

from bank_python.taleb.hill import hill_curve
from bank_python.taleb.kappa import mad_over_sd, sample_kappa
from bank_python.taleb.max_to_sum import max_to_sum_curves
from bank_python.taleb.moments import moment_evidence
from bank_python.taleb.tail_fraction import TailRule, choose_k
from bank_python.taleb.tail_index import tail_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

PACKAGES = ("tailestim",)
OURS = "bank_python"


def sample() -> np.ndarray:
    return np.random.default_rng(7).standard_t(3.0, 5_000)


def bootstrap(report: Report, rounds: int) -> None:
    """Choose the number of largest values by double bootstrap, beside tailestim."""
    from tailestim import HillEstimator

    losses = sample()
    tail = losses[losses > 0.0]

    def theirs() -> Any:
        estimator = HillEstimator(base_seed=0)
        estimator.fit(tail)
        return estimator.get_result()

    found, curve = theirs(), hill_curve(tail)
    print(f"  chosen: ours {choose_k(tail)}, tailestim {int(found.k_star_)}")
    at = np.asarray(found.k_arr_).astype(int) - 1
    apart = float(np.abs(np.asarray(found.xi_arr_) * curve.alpha[at] - 1.0).max())
    if not apart < 1e-9:
        raise SystemExit(f"Hill's estimates differ by {apart:.1g}")
    medians = cpu({OURS: lambda: choose_k(tail), "tailestim": theirs}, rounds)
    report.case("double bootstrap, 2,510 positive values", {name: 1e6 * took for name, took in medians.items()})
    report.ratio(f"double bootstrap: tailestim / {OURS}", medians["tailestim"] / medians[OURS], "≥ 1")


def figures(report: Report, rounds: int) -> None:
    """Find everything about tail index, kappas and moments of 5,000 returns without a bootstrap."""
    x = sample()
    index = tail_index(np.abs(x), TailRule.POWER)
    calls: dict[str, Callable[[], object]] = {
        "Hill's curve at all k": lambda: hill_curve(x),
        "tail index of one side, rule power": lambda: tail_index(x, TailRule.POWER),
        "mean over standard deviation": lambda: mad_over_sd(x),
        "kappa of sums of two, with its error": lambda: sample_kappa(x),
        "kappa of sums of thirty, with its error": lambda: sample_kappa(x, 30),
        "maximum to sum, four curves": lambda: max_to_sum_curves(x),
        "evidence on one moment": lambda: moment_evidence(x, 2.0, index),
    }
    for rule in (TailRule.KS, TailRule.REISS_THOMAS):
        calls[f"tail index of one side, rule {rule.value}"] = lambda rule=rule: tail_index(x, rule)
    medians = cpu(calls, rounds)
    report.case("5,000 returns", {name: 1e6 * took for name, took in medians.items()})
    parts = list(medians.values())[:4] + list(medians.values())[5:7]
    report.ratio(
        "both sides, both kappas, four curves, one moment [ms]", 1e3 * (sum(parts) + parts[0] + parts[1]), "≤ 10"
    )


CASES: dict[str, Callable[[Report, int], None]] = {"double_bootstrap": bootstrap, "tail_figures": figures}
