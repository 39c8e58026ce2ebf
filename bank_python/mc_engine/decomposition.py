"""Contributions to the simulated risk: by trader, and by factor moved on its own in the tail scenarios."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.mc_engine.result import INTERACTION
from bank_python.risk.contributions import Contribution, contributions, find_tail
from bank_python.risk.tail_risk import tail_of_sorted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from bank_python.mc_engine.simulation import TailSample
    from bank_python.numerics import FloatArray
    from bank_python.risk.tail_risk import TailRisk
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["decompose_by_factor", "decompose_by_unit"]

_AMPLE = 9.0
"""Least ratio of known worst scenarios to tail scenarios for the incremental VaR of a factor that is not watched."""


def decompose_by_unit(
    plan: ValuationPlan, pnl: NDArray[Any], total: NDArray[Any], tails: Sequence[TailRisk]
) -> dict[str, tuple[Contribution, ...]]:
    """Return each unit's contributions to the risk, by confidence level.

    Parameters
    ----------
    plan : ValuationPlan
        Valuation plan of the holdings, whose units are traders or books.
    pnl : ndarray, shape (units, scenarios)
        P&L of each unit in each scenario.
    total : ndarray, shape (scenarios,)
        P&L of all units together.
    tails : sequence of TailRisk
        Risk measures of `total`, one for each confidence level.
    """
    exposures = plan.exposures()
    losses_without = [np.sort(one - total) for one in pnl]
    found = {}
    for risk in tails:
        tail = find_tail(total, risk.var, risk.es)
        without = [tail_of_sorted(losses, risk.confidence).var for losses in losses_without]
        found[f"{risk.confidence:g}"] = contributions(plan.units, pnl, tail, exposures, without)
    return found


def decompose_by_factor(
    plan: ValuationPlan,
    total: NDArray[Any],
    tails: Sequence[TailRisk],
    worst: TailSample,
    watched: Mapping[int, NDArray[Any]],
) -> dict[str, tuple[Contribution, ...]]:
    """Return each factor's contributions to the risk, by confidence level.

    The last contribution, ``interaction``, is the rest: joint moves of several factors, and the passing of time.

    Parameters
    ----------
    plan, total, tails
        Parameters of the same names of :func:`decompose_by_unit`.
    worst : TailSample
        Worst scenarios, at least those beyond and around every risk measure.
    watched : mapping of int to ndarray, shape (scenarios,)
        Single-factor P&L of the dominant factors in all scenarios, by factor index.

    Notes
    -----
    The incremental value at risk of a watched factor is exact. For any other factor it is computed from the worst
    scenarios, provided that they are about ten times as many as the tail: removing a factor with a small impact brings
    no scenario from outside them into the tail. Otherwise it is NaN.
    """
    parts = np.empty((len(plan.factors) + 1, len(worst.scenarios)))
    plan.single_factor_pnl(np.asarray(worst.levels, dtype=np.float64), out=parts[:-1])
    whole = total[worst.scenarios].astype(np.float64)
    np.subtract(whole, parts[:-1].sum(axis=0), out=parts[-1])
    names = (*(factor.name for factor in plan.factors), INTERACTION)
    exposures = np.append(plan.factor_exposures(), 0.0)
    inside = [find_tail(total, risk.var, risk.es).among(worst.scenarios) for risk in tails]
    shared = [contributions(names, parts, tail, exposures, [math.nan] * len(names)) for tail in inside]
    parts -= whole  # from here on: the losses without each factor
    parts.sort(axis=1)
    losses_without = {j: np.sort(single - total) for j, single in watched.items()}
    found = {}
    for risk, of_level in zip(tails, shared, strict=True):
        known = len(worst.scenarios) >= _AMPLE * (1.0 - risk.confidence) * len(total)
        without = _quantiles(parts, len(total), risk.confidence) if known else [math.nan] * len(names)
        for j, losses in losses_without.items():
            without[j] = tail_of_sorted(losses, risk.confidence).var
        found[f"{risk.confidence:g}"] = tuple(
            replace(part, incremental_var=risk.var - rest) for part, rest in zip(of_level, without, strict=True)
        )
    return found


def _quantiles(losses: FloatArray, n: int, level: float) -> list[float]:
    """Return the quantiles, row by row, of `n` losses from the largest of them in ascending order."""
    place = (n - 1) * (1.0 - level)
    above = min(math.floor(place), losses.shape[1] - 1)
    below = min(above + 1, losses.shape[1] - 1)
    upper, lower = losses[:, -1 - above], losses[:, -1 - below]
    found: list[float] = (upper - (upper - lower) * (place - above)).tolist()
    return found
