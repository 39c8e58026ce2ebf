"""Batches of contracts of one class, converted to arrays and priced together.

A :class:`ContractBatch` is a table with a row for each argument of the class's ``price``
(:attr:`~bank_python.dagger.contract.Contract.argument_names`) and a column for each contract. Greeks, attribution,
valuation plans and simulations price it, or copies of it with some rows changed, each in one call. A contract batch is
immutable. A :class:`LiveBatch` is mutable: contracts are added and removed, and single cells are overwritten as their
inputs change.

The price of a contract that has none is NaN, and :meth:`ContractBatch.diagnose` says why. :func:`attempt` and
:func:`price_masked` return an exception raised by ``price`` together with the prices instead of raising it.

Examples
--------
>>> from bank_python.dagger import ArrayNode, Source, Term
>>> class Forward(ArrayNode):
...     spot = Source("price of the underlying")
...     strike = Term("delivery price")
...     price = staticmethod(lambda strike, spot: spot - strike)
>>> rows = [{"spot": 100.0, "strike": 80.0}, {"spot": 100.0, "strike": 120.0}]
>>> batch = ContractBatch.from_mappings(Forward, rows, ["A", "B"])
>>> batch.value.tolist(), batch.priced(batch.moved(spot=batch.row("spot") + 5.0)).tolist()
([20.0, -20.0], [25.0, -15.0])
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

import numpy as np

from bank_python.dagger.node import shown
from bank_python.dagger.outcome import Failure, Outcome, upstream_failure
from bank_python.errors import ValuationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from bank_python.dagger.contract import Contract
    from bank_python.dagger.node import Node

__all__ = [
    "Attempt",
    "ContractBatch",
    "LiveBatch",
    "attempt",
    "diagnosis",
    "input_failure",
    "node_cells",
    "price_masked",
    "price_nodes",
    "unvalued",
]

_Kind = TypeVar("_Kind", bound="Contract")
_FEWEST = 4


def node_cells(contracts: Sequence[Contract]) -> list[tuple[int, int, Node]]:
    """Return the cells of a batch that are fed by nodes, as tuples of argument index, contract index and node."""
    return [(place, column, node) for column, item in enumerate(contracts) for place, node in item.node_sources()]


@dataclass(frozen=True, slots=True, eq=False)
class ContractBatch(Generic[_Kind]):
    """Contracts of one class, as a table of the arguments of their ``price`` function.

    Parameters
    ----------
    kind : type of Contract
        Class of the contracts.
    contracts : tuple of Contract
        The contracts; empty in a batch that was built from numbers alone.
    table : array of shape (arguments, contracts)
        Arguments of ``price``, sources first, then terms.
    labels : tuple of str
        Names of the contracts, where they are known.
    """

    kind: type[_Kind]
    contracts: tuple[_Kind, ...]
    table: NDArray[np.float64]
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, contracts: Sequence[_Kind], read: Callable[[Node], object]) -> Self:
        """Build a batch of contracts of one class.

        Parameters
        ----------
        contracts : sequence of Contract
            Contracts of the batch, at least one; every source of each has a numerical value.
        read : callable
            Function that takes a node and returns its value.
        """
        rows = np.array([contract.arguments(read) for contract in contracts], dtype=np.float64)
        labels = tuple(contract.name for contract in contracts)
        return cls(type(contracts[0]), tuple(contracts), rows.T.copy(), labels)

    @classmethod
    def gather(
        cls, contracts: Iterable[_Kind], read: Callable[[Node], object]
    ) -> tuple[list[Self], dict[_Kind, Exception]]:
        """Group contracts by class into batches, leaving out those without a value.

        Parameters
        ----------
        contracts : iterable of Contract
            Contracts of any classes, in any order; duplicates are used once.
        read : callable
            Function that takes a node and returns its value, or raises its error.

        Returns
        -------
        batches : list of ContractBatch
            One batch per class, in the order of the first contract of each class.
        errors : dict of Contract to Exception
            Contracts without a value, with the reason.
        """
        kinds: dict[type[_Kind], list[_Kind]] = {}
        errors: dict[_Kind, Exception] = {}
        for contract in dict.fromkeys(contracts):
            try:
                read(cast("Node", contract))
            except Exception as error:  # noqa: BLE001 - a valuation may fail with any error
                errors[contract] = error
            else:
                kinds.setdefault(type(contract), []).append(contract)
        return [cls.of(members, read) for members in kinds.values()], errors

    @classmethod
    def from_mappings(
        cls, kind: type[_Kind], arguments: Sequence[Mapping[str, float]], labels: Sequence[str] = ()
    ) -> Self:
        """Build a batch from the numerical arguments of contracts.

        Parameters
        ----------
        kind : type of Contract
            Class of the contracts.
        arguments : sequence of mapping of str to float
            One mapping per contract, with the values of its sources and terms by name, as :meth:`inputs` returns them.
        labels : sequence of str
            Names of the contracts.
        """
        rows = [[given[name] for name in kind.argument_names] for given in arguments]
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(kind.argument_names))
        return cls(kind, (), table.T.copy(), tuple(labels))

    def __len__(self) -> int:
        return int(self.table.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arguments, one per row of the table."""
        return self.kind.argument_names

    @property
    def value(self) -> NDArray[np.float64]:
        """Prices of the contracts, of shape (contracts,)."""
        return self.priced(self.table)

    def place(self, name: str) -> int:
        """Return the index of an argument's row in the table."""
        return self.names.index(name)

    def row(self, name: str) -> NDArray[np.float64]:
        """Return the values of one argument for all contracts, of shape (contracts,)."""
        return cast("NDArray[np.float64]", self.table[self.place(name)])

    def inputs(self, i: int) -> dict[str, float]:
        """Return the arguments of the contract at index `i` by name."""
        return dict(zip(self.names, self.table[:, i].tolist(), strict=True))

    def diagnose(self, i: int) -> str:
        """Return the reason why the contract at index `i` has no price."""
        return self.kind.diagnose(self.inputs(i))

    def moved(self, **values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a copy of the table in which the rows of some arguments are replaced."""
        table = self.table.copy()
        for name, row in values.items():
            table[self.place(name)] = row
        return table

    def priced(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the prices for another table of shape (arguments, ...); the result has the shape of one row."""
        flat = np.ascontiguousarray(table.reshape(len(self.names), -1))
        return self.kind.call_price(flat).reshape(table.shape[1:])

    def prices(self, rows: Sequence[NDArray[Any]], shape: tuple[int, ...]) -> NDArray[Any]:
        """Return prices of shape `shape`, (contracts, scenarios), for arguments that broadcast to that shape."""
        return self.kind.call_price(rows, shape)

    def closed_form(self, name: str) -> Any | None:
        """Return the result of the class's closed-form function `name` (``price_and_greeks``); None if it has none."""
        binding = self.kind.bindings.get(name)
        if binding is None:
            return None
        with np.errstate(all="ignore"):
            return binding(self.table)

    def with_table(self, table: NDArray[np.float64]) -> Self:
        """Return a batch of the same contracts with other arguments of ``price``."""
        return replace(self, table=table)

    def chosen(self, contracts: NDArray[np.bool_]) -> Self:
        """Return a batch of the contracts for which the boolean array `contracts` is true."""
        places = np.flatnonzero(contracts).tolist()
        return replace(
            self,
            contracts=tuple(self.contracts[i] for i in places) if self.contracts else (),
            table=self.table[:, contracts],
            labels=tuple(self.labels[i] for i in places) if self.labels else (),
        )

    def without_nodes(self) -> Self:
        """Return a copy without references to nodes, which can be stored or sent to another process."""
        return replace(self, contracts=())


class LiveBatch(Generic[_Kind]):
    """A mutable batch: contracts of one class are added and removed, and single arguments are overwritten.

    Parameters
    ----------
    kind : type of Contract
        Class of the contracts.

    Attributes
    ----------
    contracts : list of Contract
        Contract of each column.
    cells : array of shape (arguments, capacity)
        Arguments of ``price``; columns beyond the number of contracts are spare. Replaced by a larger array when full.

    Notes
    -----
    NaN in a cell means that the input has no numerical value; :func:`input_failure` finds the reason.
    """

    def __init__(self, kind: type[_Kind]) -> None:
        self.kind = kind
        self.contracts: list[_Kind] = []
        self.cells: NDArray[np.float64] = np.full((len(kind.argument_names), _FEWEST), np.nan)
        self._everything: NDArray[np.intp] = np.arange(0)

    def __len__(self) -> int:
        return len(self.contracts)

    @property
    def table(self) -> NDArray[np.float64]:
        """Writable view of the arguments, of shape (arguments, contracts)."""
        return self.cells[:, : len(self.contracts)]

    @property
    def capacity(self) -> int:
        """Number of contracts that fit before the array is replaced by a larger one."""
        return int(self.cells.shape[1])

    @property
    def everything(self) -> NDArray[np.intp]:
        """Indices of all columns; the same array object as long as their number is unchanged."""
        if len(self._everything) != len(self.contracts):
            self._everything = np.arange(len(self.contracts))
        return self._everything

    def frozen(self) -> ContractBatch[_Kind]:
        """Return an immutable copy of the batch."""
        labels = tuple(contract.name for contract in self.contracts)
        return ContractBatch(self.kind, tuple(self.contracts), self.table.copy(), labels)

    def append(self, contract: _Kind, arguments: Sequence[float] | float = math.nan) -> int:
        """Add a contract and return the index of its column; its arguments may be written later."""
        column = len(self.contracts)
        if column == self.capacity:
            self.cells = np.concatenate([self.cells, np.full_like(self.cells, np.nan)], axis=1)
        self.contracts.append(contract)
        self.cells[:, column] = arguments
        return column

    def remove(self, column: int) -> _Kind | None:
        """Remove a contract; the last contract moves into its column and is returned, unless it is the one removed."""
        last = self.contracts.pop()
        if column == len(self.contracts):
            return None
        self.contracts[column] = last
        self.cells[:, column] = self.cells[:, len(self.contracts)]
        return last

    def write(self, argument: int, columns: int | NDArray[np.intp], values: float | NDArray[np.float64]) -> None:
        """Write one argument of one or several contracts; NaN for an input without a numerical value."""
        if columns is self._everything:
            self.cells[argument, : len(self.contracts)] = values
        else:
            self.cells[argument, columns] = values

    def write_column(self, column: int, arguments: Sequence[float]) -> None:
        """Write all arguments of one contract."""
        self.cells[:, column] = arguments

    def write_terms(self, column: int, terms: Iterable[float]) -> None:
        """Write the terms of one contract, in the order of their declaration."""
        self.cells[len(self.kind.source_names) :, column] = list(terms)

    def price(self, columns: NDArray[np.intp] | None = None) -> Attempt:
        """Price some or all contracts in one call; the price of a contract that has none is NaN.

        Parameters
        ----------
        columns : array of int, shape (n,), optional
            Indices of the contracts to price; all by default.
        """
        if columns is None or len(columns) == len(self.contracts):
            return attempt(self.kind, self.table)
        return attempt(self.kind, self.cells.take(columns, axis=1))

    def lacking(self) -> NDArray[np.bool_]:
        """Return a boolean array of shape (contracts,): which contracts have a source that is NaN, so no price."""
        return np.asarray(np.isnan(self.table[: len(self.kind.source_names)]).any(axis=0))

    def failure(self, column: int, read: Callable[[Node], Outcome]) -> Failure:
        """Return the failure of a contract without a price: that of an input, or the diagnosis of ``price``."""
        contract = self.contracts[column]
        return input_failure(contract, read) or diagnosis(contract, read)


class Attempt(NamedTuple):
    """Result of one call of ``price``.

    Parameters
    ----------
    values : array of shape (contracts,)
        Prices of the contracts, NaN for one that has none.
    error : Exception or None
        Exception raised by ``price``; all prices are then NaN.
    """

    values: NDArray[np.float64]
    error: Exception | None


def attempt(kind: type[Contract], rows: NDArray[np.float64]) -> Attempt:
    """Price a table of shape (arguments, contracts); an exception is returned, not raised."""
    try:
        return Attempt(kind.call_price(rows), None)
    except Exception as error:  # noqa: BLE001 - any error of a price function becomes the contracts' outcome
        return Attempt(np.full(rows.shape[1], np.nan), error)


def price_masked(
    kind: type[Contract], table: NDArray[np.float64], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], dict[int, Exception]]:
    """Price contracts under shocks where a mask is true; an exception under one shock does not affect the others.

    Parameters
    ----------
    kind : type of Contract
        Class of the contracts.
    table : array of shape (arguments, contracts, shocks)
        Arguments of ``price``; each is passed as a contiguous flat array, in one call as long as nothing raises.
    mask : array of bool, shape (contracts, shocks)
        True for the prices to compute.

    Returns
    -------
    values : array of shape (contracts, shocks)
        Prices, NaN where `mask` is false or there is no price.
    errors : dict of int to Exception
        Exceptions raised by ``price``, by index of the shock.
    """
    values, errors = np.full(mask.shape, np.nan), {}
    flat = table.reshape(len(table), -1)
    if not mask.any():
        return values, {}
    whole = mask.all()
    found, error = attempt(kind, flat if whole else np.compress(mask.ravel(), flat, axis=1))
    if error is None:
        if whole:
            return found.reshape(mask.shape), {}
        values[mask] = found
        return values, {}
    for shock in np.flatnonzero(mask.any(axis=0)).tolist():
        rows = mask[:, shock]
        values[rows, shock], error = attempt(kind, np.compress(rows, table[:, :, shock], axis=1))
        if error is not None:
            errors[shock] = error
    return values, errors


def price_nodes(nodes: Sequence[Contract], read: Callable[[Node], Outcome]) -> list[Outcome]:
    """Return the outcomes of nodes of one class, priced in one call.

    A node with a failed input, or whose price is NaN, gets a failure of its own; the others are not affected.

    Parameters
    ----------
    nodes : sequence of Contract
        Nodes to price, all of one class.
    read : callable
        Function that takes a node and returns its outcome.
    """
    failures = {i: failure for i, node in enumerate(nodes) if (failure := input_failure(node, read)) is not None}
    good = [i for i in range(len(nodes)) if i not in failures]
    outcomes: list[Outcome] = [failures.get(i) for i in range(len(nodes))]
    if not good:
        return outcomes
    batch = ContractBatch.of([nodes[i] for i in good], read)
    values, error = attempt(batch.kind, batch.table)
    for column, (i, value) in enumerate(zip(good, values.tolist(), strict=True)):
        if error is not None:
            outcomes[i] = Failure(error, nodes[i].name, error)
        else:
            is_number = value == value  # noqa: PLR0124 - NaN is not equal to itself
            outcomes[i] = value if is_number else unvalued(nodes[i].name, batch.diagnose(column))
    return outcomes


def input_failure(node: Contract, read: Callable[[Node], Outcome]) -> Failure | None:
    """Return the failure of a node that has an input without a numerical value, or ``None``."""
    for _, source in node.node_sources():
        outcome = read(source)
        if outcome.__class__ is Failure:
            return upstream_failure(node.name, outcome)
        if not isinstance(outcome, float | int | np.floating):
            return unvalued(node.name, f"its source {source.name} is {shown(outcome)}, not a number")
    return None


def diagnosis(node: Contract, read: Callable[[Node], Outcome]) -> Failure:
    """Return the failure of a node whose price is NaN although its inputs are numbers."""
    inputs = dict(zip(node.argument_names, node.arguments(read), strict=True))
    return unvalued(node.name, node.diagnose(inputs))


def unvalued(name: str, reason: str) -> Failure:
    """Return the failure of the contract `name`, with the reason why it cannot be valued."""
    error = ValuationError(f"{name} cannot be valued: {reason}", name=name, reason=reason)
    return Failure(error, name, error)
