r"""Full revaluation: positions as columns, and what they make when the market stands elsewhere.

A :class:`ValuationPlan` is what some books hold, taken out of the graph once: contracts of one class side by side, with
their terms, the factors that their inputs are, and how much of each every *unit* (a trader, a position) holds. It knows
no node and no graph, so it can be sent to another process. Handed the levels of all factors in many scenarios it calls
each class's own ``price`` with contracts down and scenarios across, and gives back the P&L of every unit,

.. math:: \sum_i q_i m_i \big(v_i^s x_i^s - v_i^0 x_i^0\big) - c_i \big(x_i^s - x_i^0\big)

with quantity q, multiplier m, price v, rate of exchange x and cost c: what the P&L nodes of the books would change by.

A source that is a leaf, or a number, is taken as it is. One that is an answer of a curve or a surface, or any other
derived node, moves with the leaves under it to first order (its slopes are taken once, from the graph).

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
from bank_python.deprecation import renamed
from bank_python.errors import RiskError, SimulationError
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

_LANES = 49_152
"""Prices asked for at a time: what a formula's temporaries can be of and still lie in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class PricedBlock:
    """Contracts of one class, in one currency, whose inputs move in the same way.

    Parameters
    ----------
    batch : ContractBatch
        The contracts, and the arguments of their ``price`` now; no nodes.
    movements : tuple of (int, Movement)
        Which rows of the table move, and how.
    clocks : tuple of int
        Which rows are the time.
    conversion : Conversion
        From the contracts' currency to the plan's.
    holdings : ndarray, shape (units, contracts)
        Units of each contract held.
    costs : ndarray, shape (units, contracts)
        What they cost, in the contracts' currency.
    values : ndarray, shape (contracts,)
        Their prices now.
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
        """The contracts' class."""
        return self.batch.kind

    @property
    def names(self) -> tuple[str, ...]:
        """The contracts."""
        return self.batch.labels

    @property
    def table(self) -> FloatArray:
        """The arguments of ``price`` now, shape (arguments, contracts)."""
        return self.batch.table

    @property
    def factors(self) -> NDArray[np.intp]:
        """Which factors the block depends on, ascending."""
        used = [movement.factors for _, movement in self.movements]
        return np.unique(np.concatenate([*used, self.conversion.factors]).astype(np.intp))

    def prices(self, levels: NDArray[Any], base: FloatArray, years: float = 0.0) -> NDArray[Any]:
        """Return the contracts' prices, shape (contracts, scenarios)."""
        return self.batch.prices(self.arguments(levels, base, years), (len(self.batch), levels.shape[1]))

    def arguments(self, levels: NDArray[Any], base: FloatArray, years: float = 0.0) -> list[NDArray[Any]]:
        """Return the arguments of ``price``, each of a shape that broadcasts to (contracts, scenarios)."""
        arguments: list[NDArray[Any]] = [row[:, None] for row in self.table]
        for row, movement in self.movements:
            arguments[row] = movement.levels(self.table[row], levels, base)
        for row in self.clocks:
            arguments[row] = arguments[row] + years
        return arguments

    def pnl(self, levels: NDArray[Any], base: FloatArray, years: float = 0.0) -> NDArray[Any]:
        """Return what the units make, shape (units, scenarios)."""
        change = self.prices(levels, base, years) - self.values[:, None].astype(levels.dtype, copy=False)
        if years:
            change = change + self.paid(years)[:, None]
        return self.converted(change, levels, base)

    def paid(self, years: float) -> FloatArray:
        """Return the cash that contracts pay before their end while so many years pass, shape (contracts,)."""
        aged = self.table.copy()
        aged[list(self.clocks)] += years
        before, after = (batch.closed_form("paid") for batch in (self.batch, self.batch.with_table(aged)))
        return np.zeros(len(self.names)) if before is None or after is None else np.asarray(after - before)

    def converted(self, change: NDArray[Any], levels: NDArray[Any], base: FloatArray) -> NDArray[Any]:
        """Return what the units make, in the plan's currency, of changes of prices, shape (contracts, scenarios)."""
        holdings = self.holdings.astype(levels.dtype, copy=False)
        made: NDArray[Any] = holdings @ change.astype(levels.dtype, copy=False)
        then = self.conversion.then(levels)
        if then is None:
            return made
        net = (self.holdings * self.values - self.costs).sum(axis=1)  # what is held, less what it was bought with
        made = made * then + net[:, None] * (then - self.conversion.now(base))
        return made.astype(levels.dtype, copy=False)

    def at(self, table: FloatArray) -> PricedBlock:
        """Return the block as it is when the arguments of ``price`` are others."""
        batch = self.batch.with_table(table)
        return replace(self, batch=batch, values=batch.value)

    def with_contracts(self, chosen: NDArray[np.bool_]) -> PricedBlock:
        """Return the block of some of the contracts."""
        movements = tuple((row, movement.chosen(chosen)) for row, movement in self.movements)
        return replace(
            self,
            batch=self.batch.chosen(chosen),
            movements=movements,
            holdings=self.holdings[:, chosen],
            costs=self.costs[:, chosen],
            values=self.values[chosen],
        )

    def on_its_own(self) -> tuple[PricedBlock, NDArray[np.intp]]:
        """Return the block with its own factors only, renumbered, and which they are."""
        known = self.factors
        place = {factor: i for i, factor in enumerate(known.tolist())}
        movements = tuple((row, movement.renumbered(place)) for row, movement in self.movements)
        return replace(self, movements=movements, conversion=self.conversion.renumbered(place)), known

    def touched_by(self, factor: int) -> NDArray[np.bool_]:
        """Return which contracts depend on a factor, shape (contracts,)."""
        if factor in self.conversion.factors:
            return np.ones(len(self.names), dtype=bool)
        rows = [movement.touched_by(factor, len(self.names)) for _, movement in self.movements]
        return np.logical_or.reduce(rows) if rows else np.zeros(len(self.names), dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class ValuationPlan:
    """What some units hold, ready to be revalued; made by :func:`plan_valuation`.

    Parameters
    ----------
    units : tuple of str
        Whose P&L is told apart.
    currency : str
        In which it is told.
    factors : tuple of RiskFactor
        What the holdings depend on.
    blocks : tuple of PricedBlock
        The holdings.
    """

    units: tuple[str, ...]
    currency: str
    factors: tuple[RiskFactor, ...]
    blocks: tuple[PricedBlock, ...]

    @property
    def base(self) -> FloatArray:
        """The factors' present levels, shape (factors,)."""
        return np.array([factor.level for factor in self.factors], dtype=np.float64)

    @property
    def contracts(self) -> int:
        """How many contracts are revalued in a scenario."""
        return sum(len(block.names) for block in self.blocks)

    @admits(RiskError)
    def index(self, factor: str) -> int:
        """Return the place of a factor.

        Raises
        ------
        RiskError
            Nothing that is held depends on it.
        """
        for i, known in enumerate(self.factors):
            if known.name == factor:
                return i
        raise RiskError(
            f"nothing that is held depends on {factor!r}; the factors are {', '.join(f.name for f in self.factors)}",
            name=factor,
        )

    def exposures(self) -> FloatArray:
        """Return what each unit holds, by absolute value, in the plan's currency, shape (units,)."""
        base = self.base
        held = [np.abs(block.holdings * block.values).sum(axis=1) * block.conversion.now(base) for block in self.blocks]
        return np.sum(held, axis=0) if held else np.zeros(len(self.units))

    def gross_by_contract(self) -> dict[str, float]:
        """Return what is held of each contract, by absolute value and summed over units, in the plan's currency."""
        base, found = self.base, dict[str, float]()
        for block in self.blocks:
            held = np.abs(block.holdings * block.values).sum(axis=0) * block.conversion.now(base)
            for name, value in zip(block.names, held.tolist(), strict=True):
                found[name] = found.get(name, 0.0) + value
        return found

    def factor_exposures(self) -> FloatArray:
        """Return what is held, by absolute value, of contracts that depend on each factor, shape (factors,)."""
        base, found = self.base, np.zeros(len(self.factors))
        for block in self.blocks:
            held = np.abs(block.holdings.sum(axis=0) * block.values) * block.conversion.now(base)
            for j in block.factors.tolist():
                found[j] += held[block.touched_by(j)].sum()
        return found

    @admits(RiskError)
    def pnl(self, levels: ArrayLike, years: float = 0.0) -> NDArray[Any]:
        """Revalue in full.

        Parameters
        ----------
        levels : array_like, shape (factors, scenarios)
            Where each factor stands, float64 or float32.
        years : float, default 0.0
            By how much the clock has moved on.

        Returns
        -------
        ndarray, shape (units, scenarios)
            P&L, of the dtype of `levels`. NaN where a contract has no price: :meth:`fault` says which.

        Raises
        ------
        RiskError
            There is not a row for each factor.

        Notes
        -----
        Where time passes, contracts age; what they read off curves and surfaces stays as it is read now.
        """
        stood = np.asarray(levels)
        if stood.dtype != np.float32:
            stood = np.asarray(stood, dtype=np.float64)
        if stood.ndim != 2 or len(stood) != len(self.factors):  # noqa: PLR2004 - factors down, scenarios across
            raise RiskError(f"levels of shape {stood.shape} for {len(self.factors)} factors: a row for each is wanted")
        total = np.zeros((len(self.units), stood.shape[1]), dtype=stood.dtype)
        for block in self.blocks:
            total += _stepwise(block, stood, self.base, years)
        return total

    def alone(
        self, levels: NDArray[Any], factors: Iterable[int] | None = None, out: FloatArray | None = None
    ) -> FloatArray:
        """Return what the whole holding makes if one factor moves and the others stay.

        Parameters
        ----------
        levels : ndarray, shape (factors, scenarios)
            Where each factor goes.
        factors : iterable of int, optional
            Of which it is wanted; all by default.
        out : ndarray, shape (wanted, scenarios), optional
            Where to put it.

        Returns
        -------
        ndarray, shape (wanted, scenarios)
        """
        wanted = range(len(self.factors)) if factors is None else list(factors)
        made, base = np.empty((len(wanted), levels.shape[1])) if out is None else out, self.base
        made[...] = 0.0
        for block in (_summed(block) for block in self.blocks):
            rests_on = set(block.factors.tolist())
            for row, j in enumerate(wanted):
                if j in rests_on:
                    part, known = block.with_contracts(block.touched_by(j)).on_its_own()
                    moved = np.repeat(base[known, None], levels.shape[1], axis=1)
                    moved[known == j] = levels[j]
                    made[row] += _stepwise(part, moved, base[known], 0.0)[0]
        return made

    def without(self, factors: Sequence[int]) -> ReducedPlan:
        """Return the plan of the contracts that depend on none of `factors`, and the names of the others."""
        blocks, left_out = [], []
        for block in self.blocks:
            touched = np.zeros(len(block.names), dtype=bool)
            for j in factors:
                touched |= block.touched_by(j)
            left_out += [name for name, out in zip(block.names, touched.tolist(), strict=True) if out]
            if not touched.all():
                blocks.append(block.with_contracts(~touched) if touched.any() else block)
        return ReducedPlan(replace(self, blocks=tuple(blocks)), tuple(left_out))

    def fault(self, levels: FloatArray, years: float = 0.0) -> SimulationError:
        """Return the error that says which contract has no price in which of the scenarios.

        Parameters
        ----------
        levels : ndarray, shape (factors, scenarios)
            In which :meth:`pnl` was not finite.
        years : float
            As for :meth:`pnl`.
        """
        stood = np.asarray(levels, dtype=np.float64)
        for block in self.blocks:
            prices = block.prices(stood, self.base, years)
            for i, s in np.argwhere(~np.isfinite(prices))[:1].tolist():
                inputs = {
                    name: float(np.broadcast_to(value, prices.shape)[i, s])
                    for name, value in zip(block.batch.names, block.arguments(stood, self.base, years), strict=True)
                }
                return SimulationError(
                    f"{block.names[i]} has no price in scenario {s}: {block.kind.diagnose(inputs)}; nothing is handed "
                    "back. Leave the contract out, or give its factors a factor model that keeps them in range",
                    name=block.names[i],
                )
        return SimulationError(
            "a rate of exchange is not finite in some scenario; check the factor model of the currencies"
        )


class ReducedPlan(NamedTuple):
    """A plan without some contracts, and the names of those left out."""

    plan: ValuationPlan
    left_out: tuple[str, ...]


@renamed(books="traders")
def plan_valuation(
    traders: Units, base_currency: str = "USD", read: Callable[[Node], object] | None = None
) -> ValuationPlan:
    """Take what traders or books hold out of the graph; each is a unit.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Whose: ``desk.traders``, any mix of traders and books, or a mapping from a name to one of them or to positions;
        see :func:`~bank_python.risk.holders.holders`.
    base_currency : str, default "USD"
        In which P&L is told.
    read : callable, optional
        From a node to its value, or raising its error: ``snapshot.__getitem__`` takes quotes and values of one tick.
        Quantities, terms and the slopes of curves are the present ones.

    Raises
    ------
    RiskError
        A book holds what is no instrument, or what has no value now; two books are called the same.
    InstrumentError
        There is no rate from a position's currency to the base currency.
    """
    held = holders(traders)
    return plan_holdings(list_holdings(held), tuple(holder.name for holder in held), base_currency, read)


def plan_holdings(
    holdings: Sequence[Holding],
    units: Sequence[str],
    base_currency: str = "USD",
    read: Callable[[Node], object] | None = None,
) -> ValuationPlan:
    """Take holdings out of the graph; see :func:`plan_valuation`.

    Parameters
    ----------
    holdings : sequence of Holding
        How much of what, for which unit.
    units : sequence of str
        The units, in the order of the P&L's rows.
    base_currency, read
        As for :func:`plan_valuation`.
    """
    reader = SourceReader(base_currency, read)
    unit_at = {name: i for i, name in enumerate(units)}
    grouped: dict[object, list[Holding]] = {}
    for holding in holdings:
        grouped.setdefault(reader.layout(holding), []).append(holding)
    blocks = tuple(_block(members, unit_at, reader) for members in grouped.values())
    return ValuationPlan(tuple(units), base_currency, reader.factors, blocks)


def _stepwise(block: PricedBlock, levels: NDArray[Any], base: FloatArray, years: float) -> NDArray[Any]:
    """Return a block's P&L, asking for as many prices at a time as stay in the cache."""
    made = np.empty((len(block.holdings), levels.shape[1]), dtype=levels.dtype)
    step = max(_LANES // len(block.names), 1)
    for start in range(0, levels.shape[1], step):
        part = slice(start, start + step)
        made[:, part] = block.pnl(levels[:, part], base, years)
    return made


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
    """Return the block as one unit holds it that holds all."""
    return replace(
        block, holdings=block.holdings.sum(axis=0, keepdims=True), costs=block.costs.sum(axis=0, keepdims=True)
    )
