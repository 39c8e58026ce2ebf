"""Hedging errors: 50,000 paths of 252 rebalancings under three laws, beside the drawing of their random numbers.

Numpy's draws of the three laws are made in blocks that stay in the cache, which is where they are fastest; a power law
needs signs as well. Ours draws by other formulas for Student's t and the power law, so the moves of prices alone,
without a hedge, stand beside it too. The others hedge by the same rule: a loop over steps with whole arrays and scipy's
``ndtr``, and a loop over paths that numba has compiled, with numpy's generator inside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from _taleb_timed import OURS, agree, timed
from numba import njit
from scipy.special import ndtr

from bank_python.taleb.hedging_error import HedgingErrorSimulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

__all__ = ["CASES", "PACKAGES"]

PACKAGES = ("scipy", "numba")
PATHS, STEPS, BLOCK = 50_000, 252, 4_096
TAIL, VOL, EXPIRY = 3.0, 0.2, 1.0
DEVIATION = VOL * math.sqrt(EXPIRY / STEPS)
LAWS = ("gaussian", "student_t", "power_law")
FACTORS = (DEVIATION, DEVIATION / math.sqrt(TAIL / (TAIL - 2.0)), DEVIATION)  # a Lomax with α = 3 has a variance of 1


def drawn_by_numpy() -> None:
    """Draw all random numbers of the three laws, block by block."""
    rng, out = np.random.default_rng(1), np.empty(BLOCK)
    for _ in range(PATHS * STEPS // BLOCK):
        rng.standard_normal(out=out)
    for _ in range(PATHS * STEPS // BLOCK):
        rng.standard_t(TAIL, BLOCK)
    for _ in range(PATHS * STEPS // BLOCK):
        np.copysign(rng.pareto(TAIL, BLOCK), rng.random(out=out) - 0.5)


def moved_by_ours() -> None:
    """Move prices under the three laws as the simulation does, without a hedge."""
    simulator = HedgingErrorSimulator(T=EXPIRY, n_steps=STEPS, vol=VOL)
    for name in LAWS:
        law = simulator.simulate(name, 2, seed=1).run.law
        for start in range(0, PATHS, BLOCK):
            paths = min(BLOCK, PATHS - start)
            walk, prices, logs = law.walk(np.random.default_rng(start), paths), np.ones(paths), np.zeros(paths)
            with np.errstate(divide="ignore"):
                for _ in range(STEPS):
                    walk.advance(prices, logs)


def draws(rng: np.random.Generator, law: int) -> np.ndarray:
    """Return returns of all paths over a step, by numpy."""
    if law == 0:
        return rng.standard_normal(PATHS)
    if law == 1:
        return rng.standard_t(TAIL, PATHS)
    return rng.pareto(TAIL, PATHS) * rng.choice((-1.0, 1.0), PATHS)


def plain(premium: float) -> list[np.ndarray]:
    """Return the errors by a loop over steps with whole arrays."""
    found = []
    for law, factor in enumerate(FACTORS):
        rng = np.random.default_rng(1)
        price, gain = np.full(PATHS, 100.0), np.zeros(PATHS)
        for k in range(STEPS):
            spread = VOL * math.sqrt(EXPIRY * (1.0 - k / STEPS))
            with np.errstate(divide="ignore"):
                delta = ndtr(np.log(price / 100.0) / spread + 0.5 * spread)
            later = price * np.maximum(1.0 + factor * draws(rng, law), 0.0)
            gain += delta * (later - price)
            price = later
        found.append(np.maximum(price - 100.0, 0.0) - premium - gain)
    return found


@njit(cache=False)
def compiled(rng: np.random.Generator, law: int, factor: float, premium: float) -> np.ndarray:
    """Return the errors by a loop over paths."""
    errors = np.empty(PATHS)
    for i in range(PATHS):
        price, gain = 100.0, 0.0
        for k in range(STEPS):
            delta = 0.0
            if price > 0.0:
                spread = VOL * math.sqrt(EXPIRY * (1.0 - k / STEPS))
                delta = 0.5 * math.erfc(-(math.log(price / 100.0) / spread + 0.5 * spread) * math.sqrt(0.5))
            if law == 0:
                x = rng.standard_normal()
            elif law == 1:
                x = rng.standard_t(TAIL)
            else:
                x = math.copysign(rng.pareto(TAIL), rng.random() - 0.5)
            later = price * max(1.0 + factor * x, 0.0)
            gain += delta * (later - price)
            price = later
        errors[i] = max(price - 100.0, 0.0) - premium - gain
    return errors


def hedging(report: Report, rounds: int) -> None:
    """Time the hedge under three laws."""
    simulator = HedgingErrorSimulator(T=EXPIRY, n_steps=STEPS, vol=VOL)

    def loop() -> list[np.ndarray]:
        rng = np.random.default_rng(1)
        return [compiled(rng, law, factor, simulator.premium) for law, factor in enumerate(FACTORS)]

    ours = [result.mad for result in simulator.compare_all(PATHS)]
    for errors in (plain(simulator.premium), loop()):
        # The mean absolute deviation of 50,000 heavy-tailed errors is known to 1 %.
        note = agree("mean absolute deviation", ours, [np.abs(each - each.mean()).mean() for each in errors], 0.05)
    calls: dict[str, Callable[[], object]] = {
        OURS: lambda: simulator.compare_all(PATHS),
        "drawing by numpy": drawn_by_numpy,
        "moving prices alone, ours": moved_by_ours,
        "plain loop over steps, ndtr": lambda: plain(simulator.premium),
        "numba, loop over paths": loop,
    }
    targets = {"drawing by numpy": "≥ 0.5", "numba, loop over paths": "none"}
    timed(report, f"hedging, {PATHS:,} paths × {STEPS} steps × three laws", calls, rounds, targets, note)


CASES: dict[str, Callable[[Report, int], None]] = {"hedging": hedging}
