"""What the cases on fat tails share: timing with ratios to ours, and the check that two sides find the same."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from _timing import cpu

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

__all__ = ["OURS", "agree", "timed"]

OURS = "bank_python"


def timed(
    report: Report,
    title: str,
    calls: dict[str, Callable[[], object]],
    rounds: int,
    targets: dict[str, str] | None = None,
    note: str = "",
) -> dict[str, float]:
    """Time calls in shuffled turn, keep the ratios of the others to ours, and return the CPU seconds of each."""
    seconds = cpu(calls, rounds)
    report.case(f"{title}, CPU µs", {name: 1e6 * each for name, each in seconds.items()}, note)
    for name, each in seconds.items():
        if name != OURS:
            report.ratio(f"{title}: {name} / {OURS}", each / seconds[OURS], (targets or {}).get(name, "none"))
    return seconds


def agree(what: str, ours: Any, theirs: Any, tolerance: float) -> str:
    """Return how far two results differ as a share, or end the program if that is too far."""
    gap = float(np.max(np.abs(np.asarray(ours, dtype=float) / np.asarray(theirs, dtype=float) - 1.0)))
    if not gap <= tolerance:
        sys.exit(f"{what}: ours and theirs differ by {gap:.1e}")
    return f"largest difference {gap:.1e}"
