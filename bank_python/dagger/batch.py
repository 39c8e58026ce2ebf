"""Contracts of one class side by side: the one place where a contract becomes a row of numbers, and is priced.

A :class:`ContractBatch` is a table with a row for each argument of the class's ``price``
(:attr:`~bank_python.dagger.contract.Contract.argument_names`) and a column for each contract. Greeks, attribution,
plans and simulations price it, or versions of it with some rows moved, each in one call. It never changes; a
:class:`LiveBatch` is one that does: contracts come and go, and single cells are written as their inputs move.

Whatever has no price is not a number in what comes back, and :meth:`ContractBatch.diagnose` says why; an exception
that ``price`` raises is handed back beside the numbers by :func:`attempt` and :func:`price_masked`.

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
    """Return the cells of a batch that follow nodes: argument, contract, and which node it is."""
    return [(place, column, node) for column, item in enumerate(contracts) for place, node in item.node_sources()]


@dataclass(frozen=True, slots=True, eq=False)
class ContractBatch(Generic[_Kind]):
    """Contracts of one class.

    Parameters
    ----------
    kind : type of Contract
        Their class.
    contracts : tuple of Contract
        The contracts; empty in a batch that was made of numbers.
    table : array of shape (arguments, contracts)
        The arguments of ``price``: sources, then terms.
    labels : tuple of str
        The contracts' names, where they are known.
    """

    kind: type[_Kind]
    contracts: tuple[_Kind, ...]
    table: NDArray[np.float64]
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, contracts: Sequence[_Kind], read: Callable[[Node], object]) -> Self:
        """Return a batch of contracts of one class, each of which has a number at each source.

        Parameters
        ----------
        contracts : sequence of Contract
            At least one.
        read : callable
            From a node to its value.
        """
        rows = np.array([contract.arguments(read) for contract in contracts], dtype=np.float64)
        labels = tuple(contract.name for contract in contracts)
        return cls(type(contracts[0]), tuple(contracts), rows.T.copy(), labels)

    @classmethod
    def gather(
        cls, contracts: Iterable[_Kind], read: Callable[[Node], object]
    ) -> tuple[list[Self], dict[_Kind, Exception]]:
        """Group contracts by class, each once; those without a value are told apart.

        Parameters
        ----------
        contracts : iterable of Contract
            In any order.
        read : callable
            From a node to its value, or raising its error.

        Returns
        -------
        batches : list of ContractBatch
            In the order in which their classes come up.
        errors : dict of Contract to Exception
            Why a contract has no value.
        """
        kinds: dict[type[_Kind], list[_Kind]] = {}
        errors: dict[_Kind, Exception] = {}
        for contract in dict.fromkeys(contracts):
            try:
                read(cast("Node", contract))
            except Exception as error:  # noqa: BLE001 - whatever a contract's value is missing for
                errors[contract] = error
            else:
                kinds.setdefault(type(contract), []).append(contract)
        return [cls.of(members, read) for members in kinds.values()], errors

    @classmethod
    def from_mappings(
        cls, kind: type[_Kind], arguments: Sequence[Mapping[str, float]], labels: Sequence[str] = ()
    ) -> Self:
        """Return a batch of contracts given as numbers.

        Parameters
        ----------
        kind : type of Contract
            The contracts' class.
        arguments : sequence of mapping of str to float
            For each contract its sources and terms by name, as :meth:`inputs` gives them.
        labels : sequence of str
            The contracts' names.
        """
        rows = [[given[name] for name in kind.argument_names] for given in arguments]
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(kind.argument_names))
        return cls(kind, (), table.T.copy(), tuple(labels))

    def __len__(self) -> int:
        return int(self.table.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """What each row of the table is."""
        return self.kind.argument_names

    @property
    def value(self) -> NDArray[np.float64]:
        """The contracts' prices, shape (contracts,)."""
        return self.priced(self.table)

    def place(self, name: str) -> int:
        """Return which row of the table an argument is."""
        return self.names.index(name)

    def row(self, name: str) -> NDArray[np.float64]:
        """Return one argument of all contracts, shape (contracts,)."""
        return cast("NDArray[np.float64]", self.table[self.place(name)])

    def inputs(self, i: int) -> dict[str, float]:
        """Return one contract's arguments by name."""
        return dict(zip(self.names, self.table[:, i].tolist(), strict=True))

    def diagnose(self, i: int) -> str:
        """Say why a contract has no price."""
        return self.kind.diagnose(self.inputs(i))

    def moved(self, **values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a copy of the table in which some rows have other values."""
        table = self.table.copy()
        for name, row in values.items():
            table[self.place(name)] = row
        return table

    def priced(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the prices that a table of the same rows gives; of shape (arguments, …), its columns are free."""
        flat = np.ascontiguousarray(table.reshape(len(self.names), -1))
        return self.kind.call_price(flat).reshape(table.shape[1:])

    def prices(self, rows: Sequence[NDArray[Any]], shape: tuple[int, ...]) -> NDArray[Any]:
        """Return the prices that rows of any shape give that broadcast to `shape`: contracts down, scenarios across."""
        return self.kind.call_price(rows, shape)

    def closed_form(self, name: str) -> Any | None:
        """Return what the class's function of that name (``price_and_greeks``) gives; None if it has none."""
        binding = self.kind.bindings.get(name)
        if binding is None:
            return None
        with np.errstate(all="ignore"):
            return binding(self.table)

    def with_table(self, table: NDArray[np.float64]) -> Self:
        """Return the batch of the same contracts as they are when the arguments of ``price`` are others."""
        return replace(self, table=table)

    def chosen(self, contracts: NDArray[np.bool_]) -> Self:
        """Return the batch of some of the contracts."""
        places = np.flatnonzero(contracts).tolist()
        return replace(
            self,
            contracts=tuple(self.contracts[i] for i in places) if self.contracts else (),
            table=self.table[:, contracts],
            labels=tuple(self.labels[i] for i in places) if self.labels else (),
        )

    def without_nodes(self) -> Self:
        """Return the batch as numbers alone, which can be kept, and sent to another process."""
        return replace(self, contracts=())


class LiveBatch(Generic[_Kind]):
    """Contracts of one class that come and go, in a table whose cells follow their inputs.

    Parameters
    ----------
    kind : type of Contract
        Their class.

    Attributes
    ----------
    contracts : list of Contract
        The contract of each column.
    cells : array of shape (arguments, capacity)
        The arguments of ``price``; columns beyond the contracts are spare. Replaced by a larger one when it is full.

    Notes
    -----
    Not a number in a cell says that the input has none: whoever writes it keeps the reason
    (:func:`input_failure` finds it anew).
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
        """The arguments, shape (arguments, contracts): a view, into which may be written."""
        return self.cells[:, : len(self.contracts)]

    @property
    def capacity(self) -> int:
        """How many contracts fit before the cells are replaced by larger ones."""
        return int(self.cells.shape[1])

    @property
    def everything(self) -> NDArray[np.intp]:
        """All columns; the same array as long as their number stays the same."""
        if len(self._everything) != len(self.contracts):
            self._everything = np.arange(len(self.contracts))
        return self._everything

    def frozen(self) -> ContractBatch[_Kind]:
        """Return the contracts as they are now."""
        labels = tuple(contract.name for contract in self.contracts)
        return ContractBatch(self.kind, tuple(self.contracts), self.table.copy(), labels)

    def append(self, contract: _Kind, arguments: Sequence[float] | float = math.nan) -> int:
        """Add a contract with its arguments, which may be written later, and return its column."""
        column = len(self.contracts)
        if column == self.capacity:
            self.cells = np.concatenate([self.cells, np.full_like(self.cells, np.nan)], axis=1)
        self.contracts.append(contract)
        self.cells[:, column] = arguments
        return column

    def remove(self, column: int) -> _Kind | None:
        """Take a contract out; the last one moves into its column and is returned, if it was another."""
        last = self.contracts.pop()
        if column == len(self.contracts):
            return None
        self.contracts[column] = last
        self.cells[:, column] = self.cells[:, len(self.contracts)]
        return last

    def write(self, argument: int, columns: int | NDArray[np.intp], values: float | NDArray[np.float64]) -> None:
        """Write one argument of one contract or several; not a number for an input that has none."""
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
        """Price some of the contracts, or all, in one call; a price that is not there is not a number.

        Parameters
        ----------
        columns : array of int, shape (wanted,), optional
            Which; all by default.
        """
        if columns is None or len(columns) == len(self.contracts):
            return attempt(self.kind, self.table)
        return attempt(self.kind, self.cells.take(columns, axis=1))

    def lacking(self) -> NDArray[np.bool_]:
        """Return which contracts have a source that is not a number, shape (contracts,); they have no price."""
        return np.asarray(np.isnan(self.table[: len(self.kind.source_names)]).any(axis=0))

    def failure(self, column: int, read: Callable[[Node], Outcome]) -> Failure:
        """Return the failure of a contract that has no price: that of its input, or why ``price`` has no number."""
        contract = self.contracts[column]
        return input_failure(contract, read) or diagnosis(contract, read)


class Attempt(NamedTuple):
    """What a call of ``price`` gave.

    Parameters
    ----------
    values : array of shape (contracts,)
        The prices; not a number where there is none.
    error : Exception or None
        What ``price`` raised; there are no prices then.
    """

    values: NDArray[np.float64]
    error: Exception | None


def attempt(kind: type[Contract], rows: NDArray[np.float64]) -> Attempt:
    """Price a table of shape (arguments, contracts); an exception is handed back, not raised."""
    try:
        return Attempt(kind.call_price(rows), None)
    except Exception as error:  # noqa: BLE001 - whatever a price function raises becomes the contracts' value
        return Attempt(np.full(rows.shape[1], np.nan), error)


def price_masked(
    kind: type[Contract], table: NDArray[np.float64], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], dict[int, Exception]]:
    """Price contracts under shocks, where a mask says; an exception under one shock does not touch the others.

    Parameters
    ----------
    kind : type of Contract
        The contracts' class.
    table : array of shape (arguments, contracts, shocks)
        Each argument reaches ``price`` contiguous and flat, in one call as long as nothing raises.
    mask : array of bool, shape (contracts, shocks)
        Which prices are wanted.

    Returns
    -------
    values : array of shape (contracts, shocks)
        The prices; not a number where none was wanted, or there is none.
    errors : dict of int to Exception
        By shock, what ``price`` raised.
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
    """Price nodes of one class in one call of its ``price``.

    A node with a failed input, or that comes out as not a number, fails alone.

    Parameters
    ----------
    nodes : sequence of Contract
        All of one class.
    read : callable
        From a node to its outcome.
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
            outcomes[i] = value if value == value else unvalued(nodes[i].name, batch.diagnose(column))  # noqa: PLR0124 - is it a number?
    return outcomes


def input_failure(node: Contract, read: Callable[[Node], Outcome]) -> Failure | None:
    """Return the failure of a node one of whose inputs is not a number, or ``None``."""
    for _, source in node.node_sources():
        outcome = read(source)
        if outcome.__class__ is Failure:
            return upstream_failure(node.name, outcome)
        if not isinstance(outcome, float | int | np.floating):
            return unvalued(node.name, f"its source {source.name} gives {shown(outcome)}, not a number")
    return None


def diagnosis(node: Contract, read: Callable[[Node], Outcome]) -> Failure:
    """Return the failure of a node that came out as not a number, its inputs being numbers."""
    inputs = dict(zip(node.argument_names, node.arguments(read), strict=True))
    return unvalued(node.name, node.diagnose(inputs))


def unvalued(name: str, reason: str) -> Failure:
    """Return the failure of the contract `name`, which has no value for a reason."""
    error = ValuationError(f"{name} cannot be valued: {reason}", name=name, reason=reason)
    return Failure(error, name, error)
