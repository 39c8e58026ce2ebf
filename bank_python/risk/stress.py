"""Stress tests: P&L of holdings in scenarios, by full revaluation.

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
from bank_python.risk.stress_mapping import Betas, Status, stress_moves
from bank_python.risk.stress_scenarios import REFERENCE_STRESSES
from bank_python.risk.stress_shocks import scenarios_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.risk.stress_mapping import Rule, StressMove
    from bank_python.risk.stress_scenarios import StressScenario
    from bank_python.risk.stress_shocks import Scenarios
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["StressResult", "run_stresses"]


@storable("risk.StressResult", version=1)
@dataclass(frozen=True, slots=True)
class StressResult(Figures):
    """P&L of holdings in one stress scenario.

    Parameters
    ----------
    key, title : str
        Key and title of the scenario.
    pnl : float
        P&L of all contracts for which the moves of all factors are known, in currency units.
    by_unit : mapping of str to float
        P&L of each trader (or book), in currency units.
    exact, mapped : int
        Number of factors with a shock of their own in the scenario, and of factors moved by a beta to a driver.
    missing : tuple of str
        Names of the factors without a shock, even by a beta.
    left_out : tuple of str
        Names of the contracts that depend on missing factors; they are left out of all figures.
    betas : {"stated", "regressed", "given"}
        Source of the mapped factors' betas to the share index (:class:`~bank_python.risk.stress_mapping.Betas`); empty
        in a result stored by an early version.
    covered : float
        Share of the book's gross value that the figures cover, in [0, 1]; NaN in a result stored by an early version.
    rest : mapping of str to float
        Gross value of each contract left out, in the plan's currency.
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
        """Return the P&L of each trader (or book, if books were given); they add up to :attr:`pnl`."""
        return dict(self.by_unit)


@admits(RiskError)
def run_stresses(
    plan: ValuationPlan,
    scenarios: Scenarios | None = None,
    *,
    rules: Sequence[Rule] | None = None,
    betas: Mapping[str, float] | None = None,
    choice: Betas | str | None = None,
) -> tuple[StressResult, ...]:
    """Revalue holdings in each stress scenario.

    Parameters
    ----------
    plan : ValuationPlan
        Holdings to revalue.
    scenarios : iterable of StressScenario, str or mapping, optional
        Scenarios, their keys in the stress library, or mappings of drivers and factors to shocks, such as
        ``{"equity": -0.2, "vol": 0.1}`` or ``{"AAPL_SPOT": -0.3}``, with their units as
        :mod:`bank_python.risk.stress_shocks` says and all other factors unchanged. Also one scenario alone, or a
        mapping of titles to such mappings. By default :data:`~bank_python.risk.REFERENCE_STRESSES`.
    rules, betas
        Mapping rules and betas, as for :func:`~bank_python.risk.stress_mapping.stress_moves`.
    choice : Betas or {"stated", "regressed", "given"}, optional
        Source of `betas` that the results report; "given" by default, and "stated" without `betas`.

    Returns
    -------
    tuple of StressResult
        Results in the order of `scenarios`.

    Raises
    ------
    RiskError
        There is no scenario of a key, no driver or factor of a name, a contract has no price in a scenario, or `choice`
        contradicts `betas`.

    Examples
    --------
    >>> from bank_python.instruments import Book, Equity, Position
    >>> from bank_python.market_data import MarketData
    >>> from bank_python.risk.valuation import plan_valuation
    >>> spy = Equity("SPY", spot_source=MarketData("SPY_SPOT", 500.0))
    >>> plan = plan_valuation([Book("ALICE", [Position("P", instrument=spy, quantity=100, cost=500.0)])])
    >>> [(result.title, round(result.pnl)) for result in run_stresses(plan, [{"equity": -0.2}, {"SPY": 0.1}])]
    [('equity -0.2', -10000), ('SPY 0.1', 5000)]
    """
    source = _choice(choice, betas)
    chosen = scenarios_of(REFERENCE_STRESSES if scenarios is None else scenarios, plan.factors)
    return tuple(_run(plan, scenario, rules, betas, source) for scenario in chosen)


def _choice(choice: Betas | str | None, betas: Mapping[str, float] | None) -> Betas:
    if choice is None:
        return Betas.STATED if betas is None else Betas.GIVEN
    if choice not in (*Betas, *(known.value for known in Betas)):
        known = ", ".join(repr(item.value) for item in Betas)
        raise RiskError(f"choice={choice!r} is not a source of betas; choose one of {known}", value=choice)
    named = Betas(choice)
    if (named is Betas.STATED) is not (betas is None):
        remedy = (
            "takes no betas=; leave them out"
            if named is Betas.STATED
            else "needs betas=; give regressed_betas(factor_model, plan), for example"
        )
        raise RiskError(f"choice={named.value!r} {remedy}", value=named.value)
    return named


def _run(
    plan: ValuationPlan,
    scenario: StressScenario,
    rules: Sequence[Rule] | None,
    betas: Mapping[str, float] | None,
    choice: Betas,
) -> StressResult:
    moves = stress_moves(scenario, plan.factors, rules, betas)
    missing = [i for i, move in enumerate(moves) if move.status is Status.MISSING]
    levels = _levels(plan, moves)
    covered, left_out = plan.without(missing)
    pnl = covered.pnl(levels)[:, 0]
    if not np.isfinite(pnl).all():
        raise covered.fault(levels)
    statuses = [move.status for move in moves]
    return StressResult(
        scenario.key,
        scenario.title,
        float(pnl.sum()),
        dict(zip(plan.units, pnl.tolist(), strict=True)),
        statuses.count(Status.EXACT),
        statuses.count(Status.MAPPED),
        tuple(plan.factors[i].name for i in missing),
        left_out,
        choice.value,
        *_coverage(plan, left_out),
    )


def _coverage(plan: ValuationPlan, left_out: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Return the covered share of the book's gross value, and the gross value of each contract left out."""
    gross = plan.gross_by_contract()
    rest = {name: gross[name] for name in left_out}
    total = math.fsum(gross.values())
    if total > 0.0:
        return 1.0 - math.fsum(rest.values()) / total, rest
    return (1.0 - len(rest) / len(gross) if gross else 1.0), rest  # all values are 0: the share by number


def _levels(plan: ValuationPlan, moves: Sequence[StressMove]) -> FloatArray:
    levels = [
        now if move.status is Status.MISSING else move.level
        for now, move in zip(plan.base.tolist(), moves, strict=True)
    ]
    return np.array(levels)[:, None]
