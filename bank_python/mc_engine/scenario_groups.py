"""Groups of holdings on one underlying, and their P&L in all scenarios as a function of the present market.

A group is what one tick of one quote dirties: the shares, options and the rest on one underlying. Its P&L in every
scenario is a pure function of the group's own inputs, the scenarios being fixed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.dagger import Leaf
from bank_python.dagger.batch import node_cells
from bank_python.errors import SimulationError
from bank_python.instruments.factor import Factor
from bank_python.risk.contracts import underlying_of
from bank_python.risk.valuation import ValuationPlan, plan_holdings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from bank_python.dagger import DependencyGraph, Node
    from bank_python.mc_engine.draws import Draws
    from bank_python.numerics import FloatArray
    from bank_python.risk.holdings import Holding

__all__ = ["GroupRevaluation", "full_value", "group_holdings", "revaluation_of"]

_UNDERLYING = (Factor.SPOT, Factor.FX, Factor.CREDIT, Factor.RATE)


def group_holdings(holdings: Iterable[Holding]) -> dict[str, list[Holding]]:
    """Group holdings by the name of what their contracts are written on, in alphabetical order."""
    groups: dict[str, list[Holding]] = {}
    for holding in holdings:
        groups.setdefault(underlying_of(holding.contract, _UNDERLYING), []).append(holding)
    return {name: groups[name] for name in sorted(groups)}


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Which cells of a block's table are inputs, and which input each is."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    inputs: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class GroupRevaluation:
    """The P&L of a group in all scenarios, as a function of its inputs; made by :func:`revaluation_of`.

    Parameters
    ----------
    name : str
        The group's.
    inputs : tuple of Node
        What it depends on.
    plan : ValuationPlan
        What it holds, as one unit.
    cells : tuple of _Cells
        By block, where inputs stand in the table.
    factor_inputs : ndarray of int, shape (factors,)
        Which input each factor of the plan is.
    draws : Draws
        The scenarios.
    rows : ndarray of int, shape (factors,)
        Where the plan's factors stand in the draws.
    years : float
        By how much the clock moves on.
    value : callable
        From a plan and levels to P&L, shape (scenarios,): in full, or by a proxy.
    """

    name: str
    inputs: tuple[Node, ...]
    plan: ValuationPlan
    cells: tuple[_Cells, ...]
    factor_inputs: NDArray[np.intp]
    draws: Draws
    rows: NDArray[np.intp]
    years: float
    value: Callable[[ValuationPlan, NDArray[Any], float], NDArray[Any]]

    def __call__(self, *values: float) -> NDArray[Any]:
        """Return the group's P&L, shape (scenarios,).

        Raises
        ------
        SimulationError
            A contract has no price in some scenario.
        """
        plan = self.at(values)
        levels = self.draws.levels(self.rows, plan.base)
        made = self.value(plan, levels, self.years)
        if not np.isfinite(made).all():
            raise plan.fault(np.asarray(levels[:, ~np.isfinite(made)], dtype=np.float64), self.years)
        return made

    def full(self, values: Sequence[float], scenarios: NDArray[np.intp]) -> NDArray[Any]:
        """Return the P&L by full revaluation in some scenarios, for values of the inputs."""
        plan = self.at(values)
        return full_value(plan, self.draws.levels(self.rows, plan.base, scenarios), self.years)

    def at(self, values: Sequence[float]) -> ValuationPlan:
        """Return the plan for other values of the inputs."""
        given = np.asarray(values, dtype=np.float64)
        blocks = []
        for block, cells in zip(self.plan.blocks, self.cells, strict=True):
            table = block.table.copy()
            table[cells.rows, cells.columns] = given[cells.inputs]
            blocks.append(block.at(table))
        levels = given[self.factor_inputs].tolist()
        factors = [replace(factor, level=level) for factor, level in zip(self.plan.factors, levels, strict=True)]
        return replace(self.plan, factors=tuple(factors), blocks=tuple(blocks))


def revaluation_of(
    name: str,
    holdings: Sequence[Holding],
    graph: DependencyGraph,
    draws: Draws,
    years: float,
    currency: str,
    value: Callable[[ValuationPlan, NDArray[Any], float], NDArray[Any]],
) -> GroupRevaluation:
    """Return the revaluation of a group.

    Raises
    ------
    SimulationError
        A factor was not drawn.
    RiskError
        A contract has no value now.
    """
    unit = "whole"
    plan = plan_holdings([replace(holding, unit=unit) for holding in holdings], (unit,), currency)
    contracts = {holding.contract.name: holding.contract for holding in holdings}
    inputs: dict[Node, int] = {}
    cells = []
    for block in plan.blocks:
        members = [contracts[contract_name] for contract_name in block.names]
        found = [(row, column, inputs.setdefault(source, len(inputs))) for row, column, source in node_cells(members)]
        at = np.array(found, dtype=np.intp).reshape(-1, 3)
        cells.append(_Cells(at[:, 0], at[:, 1], at[:, 2]))
    leaves = [_leaf(graph, factor.name) for factor in plan.factors]
    places = [inputs.setdefault(leaf, len(inputs)) for leaf in leaves]
    rows = draws.rows([factor.name for factor in plan.factors])
    return GroupRevaluation(
        name, tuple(inputs), plan, tuple(cells), np.array(places, dtype=np.intp), draws, rows, years, value
    )


def full_value(plan: ValuationPlan, levels: FloatArray, years: float) -> NDArray[Any]:
    """Return the P&L by full revaluation, shape (scenarios,)."""
    made: NDArray[Any] = plan.pnl(levels, years)[0]
    return made


def _leaf(graph: DependencyGraph, name: str) -> Leaf:
    node = graph.node(name)
    if not isinstance(node, Leaf):
        raise SimulationError(f"{name} is no leaf of the graph: a risk factor is what is quoted", name=name)
    return node
