"""Who and what makes the simulated risk: traders, and factors moved alone in the tail's scenarios."""

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


def decompose_by_unit(
    plan: ValuationPlan, pnl: NDArray[Any], total: NDArray[Any], tails: Sequence[TailRisk]
) -> dict[str, tuple[Contribution, ...]]:
    """Return, by level, what each unit adds.

    Parameters
    ----------
    plan : ValuationPlan
        What is held.
    pnl : ndarray, shape (units, scenarios)
        P&L.
    total : ndarray, shape (scenarios,)
        Its sum over the units.
    tails : sequence of TailRisk
        The measures of the sum.
    """
    held = plan.exposures()
    rests = [np.sort(one - total) for one in pnl]
    found = {}
    for risk in tails:
        tail = find_tail(total, risk.var, risk.es)
        without = [tail_of_sorted(rest, risk.confidence).var for rest in rests]
        found[f"{risk.confidence:g}"] = contributions(plan.units, pnl, tail, held, without)
    return found


def decompose_by_factor(
    plan: ValuationPlan,
    total: NDArray[Any],
    tails: Sequence[TailRisk],
    worst: TailSample,
    watched: Mapping[int, NDArray[Any]],
) -> dict[str, tuple[Contribution, ...]]:
    """Return, by level, what each factor adds, and last what none makes alone: factors together, and time.

    Parameters
    ----------
    plan, total, tails
        As for :func:`decompose_by_unit`.
    worst : TailSample
        The worst scenarios, at least those beyond and around every measure.

    watched : mapping of int to ndarray
        What factors that make much of the risk make alone, in all scenarios.

    Notes
    -----
    The incremental value at risk of a watched factor is exact. That of another is read from the worst scenarios, where
    they are ten times as many as lie beyond the measure: a factor that makes little brings no other scenario into the
    tail by standing still. Where they are not, it is not told.
    """
    parts = np.empty((len(plan.factors) + 1, len(worst.scenarios)))
    plan.single_factor_pnl(np.asarray(worst.levels, dtype=np.float64), out=parts[:-1])
    whole = total[worst.scenarios].astype(np.float64)
    np.subtract(whole, parts[:-1].sum(axis=0), out=parts[-1])
    names = (*(factor.name for factor in plan.factors), INTERACTION)
    held = np.append(plan.factor_exposures(), 0.0)
    inside = [find_tail(total, risk.var, risk.es).among(worst.scenarios) for risk in tails]
    shared = [contributions(names, parts, tail, held, [math.nan] * len(names)) for tail in inside]
    parts -= whole  # now the losses without each
    parts.sort(axis=1)
    rests = {j: np.sort(alone - total) for j, alone in watched.items()}
    found = {}
    for risk, of_level in zip(tails, shared, strict=True):
        known = len(worst.scenarios) >= _AMPLE * (1.0 - risk.confidence) * len(total)
        without = _quantiles(parts, len(total), risk.confidence) if known else [math.nan] * len(names)
        for j, rest in rests.items():
            without[j] = tail_of_sorted(rest, risk.confidence).var
        found[f"{risk.confidence:g}"] = tuple(
            replace(part, incremental_var=risk.var - left) for part, left in zip(of_level, without, strict=True)
        )
    return found


def _quantiles(losses: FloatArray, n: int, level: float) -> list[float]:
    """Return, row by row, the quantile of n losses of which only the largest are there, in ascending order."""
    place = (n - 1) * (1.0 - level)
    above = min(math.floor(place), losses.shape[1] - 1)
    below = min(above + 1, losses.shape[1] - 1)
    upper, lower = losses[:, -1 - above], losses[:, -1 - below]
    found: list[float] = (upper - (upper - lower) * (place - above)).tolist()
    return found
