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

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import storable
from bank_python.errors import RiskError
from bank_python.results import Figures
from bank_python.risk.stress_mapping import DEFAULT_MAP, Betas, Status, stress_moves
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
        Contracts that depend on them, and are in none of the figures.
    betas : {"stated", "regressed", "given"}
        Which betas to the share index the mapped factors have (:class:`~bank_python.risk.stress_mapping.Betas`); empty
        in a result that was stored before it was kept.
    covered : float
        Share of the book that the figures are of, by absolute value, in [0, 1]; NaN in a result stored before.
    rest : mapping of str to float
        What is held of each contract left out, by absolute value, in the plan's currency.
    """

    key: str
    title: str
    pnl: float
    by_unit: Mapping[str, float]
    exact: int
    mapped: int
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    betas: str = ""
    covered: float = math.nan
    rest: Mapping[str, float] = field(default_factory=dict)

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
    choice: Betas | str | None = None,
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
    choice : Betas or {"stated", "regressed", "given"}, optional
        What `betas` are called in the results; "given" by default, and "stated" where there are none.

    Raises
    ------
    RiskError
        There is no scenario of that key, a contract has no price in one, or `choice` and `betas` do not go together.
    """
    named = _choice(choice, betas)
    return tuple(_run(plan, _scenario(scenario), rules, betas, named) for scenario in scenarios)


def _choice(choice: Betas | str | None, betas: Mapping[str, float] | None) -> Betas:
    if choice is None:
        return Betas.STATED if betas is None else Betas.GIVEN
    if choice not in (*Betas, *(known.value for known in Betas)):
        known = ", ".join(repr(item.value) for item in Betas)
        raise RiskError(f"choice={choice!r} of betas; choose one of {known}", value=choice)
    named = Betas(choice)
    if (named is Betas.STATED) is not (betas is None):
        wanted = (
            "takes no betas=: leave them out"
            if named is Betas.STATED
            else "needs betas=: regressed_betas(factor_model, plan), say"
        )
        raise RiskError(f"the choice {named.value!r} {wanted}", value=named.value)
    return named


def _scenario(scenario: StressScenario | str) -> StressScenario:
    if isinstance(scenario, StressScenario):
        return scenario
    if scenario not in STRESS_SCENARIOS:
        raise RiskError(f"no stress scenario {scenario!r}; there are {', '.join(STRESS_SCENARIOS)}", value=scenario)
    return STRESS_SCENARIOS[scenario]


def _run(
    plan: ValuationPlan,
    scenario: StressScenario,
    rules: Sequence[Rule],
    betas: Mapping[str, float] | None,
    choice: Betas,
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
        choice.value,
        *_coverage(plan, left_out),
    )


def _coverage(plan: ValuationPlan, left_out: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Return the share of the book that is not left out, and the value of what is."""
    gross = plan.gross_by_contract()
    rest = {name: gross[name] for name in left_out}
    whole = math.fsum(gross.values())
    if whole > 0.0:
        return 1.0 - math.fsum(rest.values()) / whole, rest
    return (1.0 - len(rest) / len(gross) if gross else 1.0), rest  # nothing has a value: by number


def _levels(plan: ValuationPlan, moves: Sequence[StressMove]) -> FloatArray:
    reached = [
        now if move.status is Status.MISSING else move.level
        for now, move in zip(plan.base.tolist(), moves, strict=True)
    ]
    return np.array(reached)[:, None]
