"""CPU time of calls that compete: in shuffled turn, each long enough to be measured, the median of the rounds."""

from __future__ import annotations

import gc
import random
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT_TURN = 0.02


def cpu(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Time calls in shuffled turn, the first of which does not count; return the median CPU seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    shuffler = random.Random(1)
    gc.collect()
    for round_number in range(rounds + 1):
        for name in shuffler.sample(list(calls), k=len(calls)):
            taken = turn(calls[name])
            if round_number:
                seconds[name].append(taken)
    return {name: statistics.median(times) for name, times in seconds.items()}


def turn(call: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, the mean of as many as fill a turn."""
    started, times = time.process_time(), 0
    while True:
        call()
        times += 1
        spent = time.process_time() - started
        if spent >= SHORT_TURN:
            return spent / times
