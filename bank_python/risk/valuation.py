r"""Full revaluation of holdings in scenarios, without the graph.

A :class:`ValuationPlan` is a copy of the holdings of some books, taken from the graph once: contracts grouped by
class, their terms and inputs, the risk factors behind the inputs, and the amount of each contract that every *unit* (a
trader or a position) holds. It has no reference to nodes or the graph, so it can be sent to another process. Given the
levels of all factors in many scenarios it calls each class's own ``price`` on arrays of contracts by scenarios, and
returns the P&L of every unit,

.. math:: \sum_i q_i m_i \big(v_i^s x_i^s - v_i^0 x_i^0\big) - c_i \big(x_i^s - x_i^0\big)

with quantity q, multiplier m, price v, exchange rate x and cost basis c: the change of the books' P&L nodes.

A source that is a leaf moves exactly. A source that is a curve or surface lookup, or any other derived node, moves to
first order with the leaves that it depends on; the slopes are computed from the graph when the plan is created.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.instruments import Book, Option, Position
>>> from bank_python.market_data import MarketData
>>> spot, vol = MarketData("SPOT", 100.0), MarketData("VOL", 0.2)
>>> call = Option("C", spot_source=spot, vol_source=vol, rate_source=0.02, strike=100.0, expiry=0.5)
>>> plan = plan_valuation([Book("ALICE", [Position("P", instrument=call, quantity=10, multiplier=100)])])
>>> [factor.name for factor in plan.factors]
['SPOT', 'VOL']
>>> plan.pnl([[90.0, 100.0, 110.0], [0.25, 0.20, 0.18]]).round(0)
array([[-3025.,     0.,  6394.]])
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import renamed, warn_of
from bank_python.display import Record, short_text
from bank_python.errors import RiskError, SimulationError
from bank_python.guessing import guessable
from bank_python.instruments.factor import Factor
from bank_python.risk.holders import holders
from bank_python.risk.holdings import Holding, list_holdings
from bank_python.risk.sources import SourceReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from bank_python.dagger import ContractBatch, Node
    from bank_python.instruments import Instrument
    from bank_python.numerics import FloatArray
    from bank_python.risk.factors import RiskFactor
    from bank_python.risk.holders import Units
    from bank_python.risk.sources import Conversion, Movement

__all__ = ["PricedBlock", "ValuationPlan", "plan_holdings", "plan_valuation"]

_BATCH_SIZE = 49_152
"""Number of prices computed at a time, so that the temporary arrays of a formula fit into the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class PricedBlock:
    """Contracts of one class and currency, with inputs that depend on factors in the same way.

    Parameters
    ----------
    batch : ContractBatch
        Contracts with the present arguments of their ``price``, without nodes.
    movements : tuple of (int, Movement)
        Rows of the table of arguments that depend on factors, with their dependence.
    clocks : tuple of int
        Rows of the table that hold the time.
    conversion : Conversion
        Exchange rate from the contracts' currency to the plan's.
    holdings : ndarray, shape (units, contracts)
        Amount of each contract that each unit holds.
    costs : ndarray, shape (units, contracts)
        Cost bases of the holdings, in the contracts' currency.
    values : ndarray, shape (contracts,)
        Present prices of the contracts.
    """

    batch: ContractBatch[Instrument]
    movements: tuple[tuple[int, Movement], ...]
    clocks: tuple[int, ...]
    conversion: Conversion
    holdings: FloatArray
    costs: FloatArray
    values: FloatArray

    @property
    def kind(self) -> type[Instrument]:
        """Class of the contracts."""
        return self.batch.kind

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the contracts."""
        return self.batch.labels

    @property
    def table(self) -> FloatArray:
        """Present arguments of ``price``, shape (arguments, contracts)."""
        return self.batch.table

    @property
    def factors(self) -> NDArray[np.intp]:
        """Indices of the factors that the block depends on, in ascending order."""
        used = [movement.factors for _, movement in self.movements]
        return np.unique(np.concatenate([*used, self.conversion.factors]).astype(np.intp))

    def prices(self, levels: NDArray[Any], base: FloatArray, years: float = 0.0) -> NDArray[Any]:
        """Return the prices of the contracts in each scenario, shape (contracts, scenarios)."""
        return self.batch.prices(self.arguments(levels, base, years), (len(self.batch), levels.shape[1]))

    def arguments(self, levels: NDArray[Any], base: FloatArray, years: float = 0.0) -> list[NDArray[Any]]:
        """Return the arguments of ``price`` in each scenario, which broadcast to (contracts, scenarios)."""
        arguments: list[NDArray[Any]] = [row[:, None] for row in self.table]
        for row, movement in self.movements:
            arguments[row] = movement.levels(self.table[row], levels, base)
        for row in self.clocks:
            arguments[row] = arguments[row] + years
        return arguments

    def pnl(self, levels: NDArray[Any], base: FloatArray, years: float = 0.0) -> NDArray[Any]:
        """Return the P&L of each unit in each scenario, shape (units, scenarios)."""
        change = self.prices(levels, base, years) - self.values[:, None].astype(levels.dtype, copy=False)
        if years:
            change = change + self.paid(years)[:, None]
        return self.converted(change, levels, base)

    def paid(self, years: float) -> FloatArray:
        """Return the cash that each contract pays over a number of years, shape (contracts,)."""
        aged = self.table.copy()
        aged[list(self.clocks)] += years
        before, after = (batch.closed_form("paid") for batch in (self.batch, self.batch.with_table(aged)))
        return np.zeros(len(self.names)) if before is None or after is None else np.asarray(after - before)

    def converted(self, change: NDArray[Any], levels: NDArray[Any], base: FloatArray) -> NDArray[Any]:
        """Convert price changes, shape (contracts, scenarios), to the P&L of each unit in the plan's currency."""
        holdings = self.holdings.astype(levels.dtype, copy=False)
        pnl: NDArray[Any] = holdings @ change.astype(levels.dtype, copy=False)
        rate = self.conversion.then(levels)
        if rate is None:
            return pnl
        net = (self.holdings * self.values - self.costs).sum(axis=1)  # present P&L in the contracts' currency
        pnl = pnl * rate + net[:, None] * (rate - self.conversion.now(base))
        return pnl.astype(levels.dtype, copy=False)

    def at(self, table: FloatArray) -> PricedBlock:
        """Return the block with other present arguments of ``price``."""
        batch = self.batch.with_table(table)
        return replace(self, batch=batch, values=batch.value)

    def with_contracts(self, chosen: NDArray[np.bool_]) -> PricedBlock:
        """Return the block with a subset of the contracts."""
        movements = tuple((row, movement.chosen(chosen)) for row, movement in self.movements)
        return replace(
            self,
            batch=self.batch.chosen(chosen),
            movements=movements,
            holdings=self.holdings[:, chosen],
            costs=self.costs[:, chosen],
            values=self.values[chosen],
        )

    def with_own_factors(self) -> tuple[PricedBlock, NDArray[np.intp]]:
        """Return the block with its factors renumbered from 0, and their indices in the plan."""
        own = self.factors
        place = {factor: i for i, factor in enumerate(own.tolist())}
        movements = tuple((row, movement.renumbered(place)) for row, movement in self.movements)
        return replace(self, movements=movements, conversion=self.conversion.renumbered(place)), own

    def depends_on(self, factor: int) -> NDArray[np.bool_]:
        """Return whether each contract depends on a factor, shape (contracts,)."""
        if factor in self.conversion.factors:
            return np.ones(len(self.names), dtype=bool)
        rows = [movement.depends_on(factor, len(self.names)) for _, movement in self.movements]
        return np.logical_or.reduce(rows) if rows else np.zeros(len(self.names), dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class ValuationPlan(Record):
    """Holdings of some units, ready to be revalued; returned by :func:`plan_valuation`.

    Parameters
    ----------
    units : tuple of str
        Names of the traders or positions that P&L is reported for.
    currency : str
        ISO 4217 code of the currency of the P&L.
    factors : tuple of RiskFactor
        Risk factors that the holdings depend on.
    blocks : tuple of PricedBlock
        Holdings, in blocks of similar contracts.
    """

    units: tuple[str, ...]
    currency: str
    factors: tuple[RiskFactor, ...]
    blocks: tuple[PricedBlock, ...]

    @property
    def base(self) -> FloatArray:
        """Present levels of the factors, shape (factors,)."""
        return np.array([factor.level for factor in self.factors], dtype=np.float64)

    @property
    def contracts(self) -> int:
        """Number of contracts that are revalued in a scenario."""
        return sum(len(block.names) for block in self.blocks)

    @admits(RiskError)
    def index(self, factor: str) -> int:
        """Return the index of a factor.

        Parameters
        ----------
        factor : str
            Name of the factor.

        Raises
        ------
        RiskError
            No holding depends on the factor.
        """
        for i, known in enumerate(self.factors):
            if known.name == factor:
                return i
        raise RiskError(
            f"no holding depends on {factor!r}; choose one of {', '.join(f.name for f in self.factors)}",
            name=factor,
        )

    def exposures(self) -> FloatArray:
        """Return the gross value of each unit's holdings in the plan's currency, shape (units,)."""
        base = self.base
        held = [np.abs(block.holdings * block.values).sum(axis=1) * block.conversion.now(base) for block in self.blocks]
        return np.sum(held, axis=0) if held else np.zeros(len(self.units))

    def gross_by_contract(self) -> dict[str, float]:
        """Return the gross value of each contract, summed over units, in the plan's currency."""
        base, gross = self.base, dict[str, float]()
        for block in self.blocks:
            held = np.abs(block.holdings * block.values).sum(axis=0) * block.conversion.now(base)
            for name, value in zip(block.names, held.tolist(), strict=True):
                gross[name] = gross.get(name, 0.0) + value
        return gross

    def factor_exposures(self) -> FloatArray:
        """Return the gross value of the contracts that depend on each factor, shape (factors,)."""
        base, gross = self.base, np.zeros(len(self.factors))
        for block in self.blocks:
            held = np.abs(block.holdings.sum(axis=0) * block.values) * block.conversion.now(base)
            for j in block.factors.tolist():
                gross[j] += held[block.depends_on(j)].sum()
        return gross

    @admits(RiskError)
    def pnl(self, levels: ArrayLike, years: float = 0.0) -> NDArray[Any]:
        """Return the P&L of each unit in each scenario, by full revaluation.

        Parameters
        ----------
        levels : array_like, shape (factors, scenarios)
            Levels of all factors in each scenario, float64 or float32.
        years : float, default 0.0
            Time that passes up to the scenarios, in years.

        Returns
        -------
        ndarray, shape (units, scenarios)
            P&L in the plan's currency, with the dtype of `levels`. NaN where a contract has no price; :meth:`fault`
            returns an error that names it.

        Raises
        ------
        RiskError
            The number of rows of `levels` is not the number of factors.

        Notes
        -----
        As time passes contracts age, but the terms at which curves and surfaces are looked up do not change.
        """
        market = np.asarray(levels)
        if market.dtype != np.float32:
            market = np.asarray(market, dtype=np.float64)
        if market.ndim != 2 or len(market) != len(self.factors):  # noqa: PLR2004 - factors by scenarios
            raise RiskError(f"levels of shape {market.shape} for {len(self.factors)} factors; give a row for each")
        total = np.zeros((len(self.units), market.shape[1]), dtype=market.dtype)
        for block in self.blocks:
            total += _pnl_in_batches(block, market, self.base, years)
        return total

    def single_factor_pnl(
        self, levels: NDArray[Any], factors: Iterable[int] | None = None, out: FloatArray | None = None
    ) -> FloatArray:
        """Return the P&L of all units together if one factor moves and the others do not.

        Parameters
        ----------
        levels : ndarray, shape (factors, scenarios)
            Levels of all factors in each scenario.
        factors : iterable of int, optional
            Indices of the factors to move, one at a time; all by default.
        out : ndarray, shape (moved, scenarios), optional
            Array to write the result to.

        Returns
        -------
        ndarray, shape (moved, scenarios)
            P&L in the plan's currency, a row for each of `factors`.
        """
        indices = range(len(self.factors)) if factors is None else list(factors)
        pnl, base = np.empty((len(indices), levels.shape[1])) if out is None else out, self.base
        pnl[...] = 0.0
        for block in (_summed(block) for block in self.blocks):
            inputs = set(block.factors.tolist())
            for row, j in enumerate(indices):
                if j in inputs:
                    part, own = block.with_contracts(block.depends_on(j)).with_own_factors()
                    moved = np.repeat(base[own, None], levels.shape[1], axis=1)
                    moved[own == j] = levels[j]
                    pnl[row] += _pnl_in_batches(part, moved, base[own], 0.0)[0]
        return pnl

    def alone(
        self, levels: NDArray[Any], factors: Iterable[int] | None = None, out: FloatArray | None = None
    ) -> FloatArray:
        """Return the result of :meth:`single_factor_pnl`, which is the new name of this method."""
        warn_of("ValuationPlan.alone", "single_factor_pnl")
        return self.single_factor_pnl(levels, factors, out)

    def without(self, factors: Sequence[int]) -> ReducedPlan:
        """Return the plan without the contracts that depend on some factors.

        Parameters
        ----------
        factors : sequence of int
            Indices of the factors.
        """
        blocks, left_out = [], []
        for block in self.blocks:
            excluded = np.zeros(len(block.names), dtype=bool)
            for j in factors:
                excluded |= block.depends_on(j)
            left_out += [name for name, out in zip(block.names, excluded.tolist(), strict=True) if out]
            if not excluded.all():
                blocks.append(block.with_contracts(~excluded) if excluded.any() else block)
        return ReducedPlan(replace(self, blocks=tuple(blocks)), tuple(left_out))

    def fault(self, levels: FloatArray, years: float = 0.0) -> SimulationError:
        """Return an error that names the first contract without a price, and the scenario.

        Parameters
        ----------
        levels : ndarray, shape (factors, scenarios)
            Levels of all factors in scenarios for which :meth:`pnl` is not finite.
        years : float, default 0.0
            Time that passes up to the scenarios, in years.
        """
        market = np.asarray(levels, dtype=np.float64)
        for block in self.blocks:
            prices = block.prices(market, self.base, years)
            for i, s in np.argwhere(~np.isfinite(prices))[:1].tolist():
                inputs = {
                    name: float(np.broadcast_to(value, prices.shape)[i, s])
                    for name, value in zip(block.batch.names, block.arguments(market, self.base, years), strict=True)
                }
                return SimulationError(
                    f"{block.names[i]} has no price in scenario {s}: {block.kind.diagnose(inputs)}; leave the contract "
                    "out, or use a factor model that keeps its factors in range",
                    name=block.names[i],
                )
        return SimulationError(
            "an exchange rate is not finite in some scenario; check the factor model of the currencies"
        )


class ReducedPlan(NamedTuple):
    """A plan without some contracts; returned by :meth:`ValuationPlan.without`.

    Parameters
    ----------
    plan : ValuationPlan
        Plan of the remaining contracts.
    left_out : tuple of str
        Names of the contracts left out.
    """

    plan: ValuationPlan
    left_out: tuple[str, ...]

    def __repr__(self) -> str:
        return short_text(self)


@renamed(books="traders")
@guessable
def plan_valuation(
    traders: Units, base_currency: str = "USD", read: Callable[[Node], object] | None = None
) -> ValuationPlan:
    """Create a plan to revalue the holdings of traders or books; each trader or book is a unit.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Owners of the positions: ``desk.traders``, any mix of traders and books, or a mapping from a name to a trader,
        a book or a list of positions; see :func:`~bank_python.risk.holders.holders`.
    base_currency : str, default "USD"
        ISO 4217 code of the currency of the P&L.
    read : callable, optional
        Function that returns a node's value or raises its error. The present value by default;
        ``snapshot.__getitem__`` reads quotes and values of one tick. Quantities, terms and the slopes of curves are the
        present ones in any case.

    Raises
    ------
    RiskError
        A position holds a node that is not an instrument, or an instrument without a value; or two books have the same
        name.
    InstrumentError
        There is no exchange rate from a position's currency to the base currency.
    """
    held = holders(traders)
    return plan_holdings(list_holdings(held), tuple(holder.name for holder in held), base_currency, read)


def plan_holdings(
    holdings: Sequence[Holding],
    units: Sequence[str],
    base_currency: str = "USD",
    read: Callable[[Node], object] | None = None,
) -> ValuationPlan:
    """Create a plan to revalue holdings; see :func:`plan_valuation`.

    Parameters
    ----------
    holdings : sequence of Holding
        Amounts of contracts, each with its unit.
    units : sequence of str
        Names of the units, in the order of the rows of the P&L.
    base_currency, read
        Currency of the P&L and function that reads nodes, as for :func:`plan_valuation`.
    """
    reader = SourceReader(base_currency, read)
    unit_at = {name: i for i, name in enumerate(units)}
    grouped: dict[object, list[Holding]] = {}
    for holding in holdings:
        grouped.setdefault(reader.layout(holding), []).append(holding)
    blocks = tuple(_block(members, unit_at, reader) for members in grouped.values())
    return ValuationPlan(tuple(units), base_currency, reader.factors, blocks)


def _pnl_in_batches(block: PricedBlock, levels: NDArray[Any], base: FloatArray, years: float) -> NDArray[Any]:
    """Return the P&L of a block, computed for a limited number of scenarios at a time."""
    pnl = np.empty((len(block.holdings), levels.shape[1]), dtype=levels.dtype)
    step = max(_BATCH_SIZE // len(block.names), 1)
    for start in range(0, levels.shape[1], step):
        part = slice(start, start + step)
        pnl[:, part] = block.pnl(levels[:, part], base, years)
    return pnl


def _block(members: Sequence[Holding], unit_at: dict[str, int], reader: SourceReader) -> PricedBlock:
    contracts = list(dict.fromkeys(holding.contract for holding in members))
    column = {contract: i for i, contract in enumerate(contracts)}
    held, costs = np.zeros((2, len(unit_at), len(contracts)))
    for holding in members:
        cell = unit_at[holding.unit], column[holding.contract]
        held[cell] += holding.amount
        costs[cell] += holding.cost
    batch = reader.batch(contracts)
    clocks = [i for i, name in enumerate(batch.kind.source_names) if batch.kind.factor_of(name) is Factor.TIME]
    movements, conversion = reader.movements(contracts), reader.conversion(members[0])
    return PricedBlock(batch, movements, tuple(clocks), conversion, held, costs, batch.value)


def _summed(block: PricedBlock) -> PricedBlock:
    """Return the block with the holdings of all units added up to one unit."""
    return replace(
        block, holdings=block.holdings.sum(axis=0, keepdims=True), costs=block.costs.sum(axis=0, keepdims=True)
    )
