"""Groups of holdings on one underlying, and their P&L in all scenarios as a function of the current market.

A group holds the shares, options and other contracts on one underlying, which a tick of one quote affects together. As
the scenarios are fixed, its P&L in every scenario is a pure function of the group's own inputs.
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
    """Group holdings by the name of their underlying, in alphabetical order."""
    groups: dict[str, list[Holding]] = {}
    for holding in holdings:
        groups.setdefault(underlying_of(holding.contract, _UNDERLYING), []).append(holding)
    return {name: groups[name] for name in sorted(groups)}


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Cells of a block's table that are inputs of the group, and the index of each one's input."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    inputs: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class GroupRevaluation:
    """P&L of a group in all scenarios, as a function of its inputs; see :func:`revaluation_of`.

    Parameters
    ----------
    name : str
        Name of the group: that of its underlying.
    inputs : tuple of Node
        Nodes that the group's value depends on.
    plan : ValuationPlan
        Valuation plan of the group's holdings, as one unit.
    cells : tuple of _Cells
        Positions of the inputs in the table of each block of the plan.
    factor_inputs : ndarray of int, shape (factors,)
        Index in `inputs` of each factor of the plan.
    draws : Draws
        Scenarios of all factors.
    rows : ndarray of int, shape (factors,)
        Row in the draws of each factor of the plan.
    years : float
        Time in years by which the valuation date moves.
    value : callable
        Valuation function from plan, levels and years to P&L of shape (scenarios,): full revaluation or a proxy.
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
        pnl = self.value(plan, levels, self.years)
        if not np.isfinite(pnl).all():
            raise plan.fault(np.asarray(levels[:, ~np.isfinite(pnl)], dtype=np.float64), self.years)
        return pnl

    def full(self, values: Sequence[float], scenarios: NDArray[np.intp]) -> NDArray[Any]:
        """Return the P&L by full revaluation in the given scenarios, for given values of the inputs."""
        plan = self.at(values)
        return full_value(plan, self.draws.levels(self.rows, plan.base, scenarios), self.years)

    def at(self, values: Sequence[float]) -> ValuationPlan:
        """Return the valuation plan at given values of the inputs."""
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
    """Build the revaluation of a group of holdings.

    Raises
    ------
    SimulationError
        The scenarios lack a factor.
    RiskError
        A contract has no value in the current market.
    """
    unit = "group"
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
    pnl: NDArray[Any] = plan.pnl(levels, years)[0]
    return pnl


def _leaf(graph: DependencyGraph, name: str) -> Leaf:
    node = graph.node(name)
    if not isinstance(node, Leaf):
        raise SimulationError(f"{name} is not a leaf of the graph; a risk factor must be a quoted leaf", name=name)
    return node
