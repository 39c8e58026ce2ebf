"""Stress tests: what scenarios would make of what is held, revalued in full.

Examples
--------
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> from bank_python.risk.valuation import plan_valuation
>>> spy = Equity("SPY", spot_source=MarketData("SPY_SPOT", 585.0))
>>> book = Book("ALICE", [Position("P", instrument=spy, quantity=100, cost=585.0)])
>>> [result] = run_stresses(plan_valuation([book]), ["covid_2020"])
>>> round(result.pnl), result.missing
(-19832, ())
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import storable
from bank_python.errors import RiskError
from bank_python.figures import Figures
from bank_python.risk.stress_mapping import DEFAULT_MAP, Status, stress_moves
from bank_python.risk.stress_scenarios import REFERENCE_STRESSES, STRESS_SCENARIOS, StressScenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.risk.stress_mapping import Rule, StressMove
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["StressResult", "run_stresses"]


@storable("risk.StressResult", version=1)
@dataclass(frozen=True, slots=True)
class StressResult(Figures):
    """What one scenario would make.

    Parameters
    ----------
    key, title : str
        The scenario.
    pnl : float
        Of everything whose factors' moves are known.
    by_unit : mapping of str to float
        By trader.
    exact, mapped : int
        How many factors moved as the scenario says, and how many by a stated beta.
    missing : tuple of str
        Factors of which the scenario says nothing, not even by a beta.
    left_out : tuple of str
        Contracts that rest on them, and are in none of the figures.
    """

    key: str
    title: str
    pnl: float
    by_unit: Mapping[str, float]
    exact: int
    mapped: int
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def by_trader(self) -> dict[str, float]:
        """Return what each trader (or book, where books were given) makes, as :attr:`pnl` is the firm's."""
        return dict(self.by_unit)


@admits(RiskError)
def run_stresses(
    plan: ValuationPlan,
    scenarios: Iterable[StressScenario | str] = REFERENCE_STRESSES,
    *,
    rules: Sequence[Rule] = DEFAULT_MAP,
    betas: Mapping[str, float] | None = None,
) -> tuple[StressResult, ...]:
    """Revalue what is held in each scenario.

    Parameters
    ----------
    plan : ValuationPlan
        What is held.
    scenarios : iterable of StressScenario or str
        Scenarios, or keys of the library.
    rules, betas
        As for :func:`~bank_python.risk.stress_mapping.stress_moves`.

    Raises
    ------
    RiskError
        There is no scenario of that key, or a contract has no price in one.
    """
    return tuple(_run(plan, _scenario(scenario), rules, betas) for scenario in scenarios)


def _scenario(scenario: StressScenario | str) -> StressScenario:
    if isinstance(scenario, StressScenario):
        return scenario
    if scenario not in STRESS_SCENARIOS:
        raise RiskError(f"no stress scenario {scenario!r}; there are {', '.join(STRESS_SCENARIOS)}", value=scenario)
    return STRESS_SCENARIOS[scenario]


def _run(
    plan: ValuationPlan, scenario: StressScenario, rules: Sequence[Rule], betas: Mapping[str, float] | None
) -> StressResult:
    moves = stress_moves(scenario, plan.factors, rules, betas)
    unknown = [i for i, move in enumerate(moves) if move.status is Status.MISSING]
    levels = _levels(plan, moves)
    known, left_out = plan.without(unknown)
    made = known.pnl(levels)[:, 0]
    if not np.isfinite(made).all():
        raise known.fault(levels)
    statuses = [move.status for move in moves]
    return StressResult(
        scenario.key,
        scenario.title,
        float(made.sum()),
        dict(zip(plan.units, made.tolist(), strict=True)),
        statuses.count(Status.EXACT),
        statuses.count(Status.MAPPED),
        tuple(plan.factors[i].name for i in unknown),
        left_out,
    )


def _levels(plan: ValuationPlan, moves: Sequence[StressMove]) -> FloatArray:
    reached = [
        now if move.status is Status.MISSING else move.level
        for now, move in zip(plan.base.tolist(), moves, strict=True)
    ]
    return np.array(reached)[:, None]
