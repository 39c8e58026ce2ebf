"""Contracts of one class as columns: what risk hands to the class's own ``price``.

Greeks, attribution and stress ask for many prices of many contracts. They never price by a second formula: the
contracts are grouped by class, their inputs and terms stand in a table with one row an argument and one column a
contract, and the class's ``price`` takes the table, or a hundred versions of it, in one call.

Examples
--------
>>> from bank_python.instruments import Equity, Option
>>> terms = {"spot_source": 100.0, "vol_source": 0.2, "rate_source": 0.0, "expiry": 1.0}
>>> groups, errors = group_contracts([Option("A", strike=90, **terms), Option("B", strike=100, **terms)])
>>> groups[0].value.round(4)
array([13.5891,  7.9656])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import Node

from bank_python.instruments.factor import Factor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bank_python.instruments import Instrument
    from bank_python.numerics import FloatArray

__all__ = ["ContractColumns", "group_contracts", "underlying_of", "value_of"]


@dataclass(frozen=True, slots=True, eq=False)
class ContractColumns:
    """Contracts of one class.

    Parameters
    ----------
    kind : type of Instrument
        Their class.
    contracts : tuple of Instrument
        The contracts.
    table : ndarray, shape (arguments, contracts)
        The arguments of ``price``, in its order: sources, then terms.
    """

    kind: type[Instrument]
    contracts: tuple[Instrument, ...]
    table: FloatArray

    @property
    def names(self) -> tuple[str, ...]:
        """What each row of the table is."""
        return (*self.kind.source_names, *self.kind.term_names)

    @property
    def value(self) -> FloatArray:
        """The contracts' prices, shape (contracts,)."""
        return self.priced(self.table)

    def row(self, name: str) -> FloatArray:
        """Return one argument of all contracts, shape (contracts,)."""
        return cast("FloatArray", self.table[self.names.index(name)])

    def moved(self, **values: FloatArray) -> FloatArray:
        """Return a copy of the table in which some rows have other values."""
        table = self.table.copy()
        for name, row in values.items():
            table[self.names.index(name)] = row
        return table

    def priced(self, table: FloatArray) -> FloatArray:
        """Return the prices that a table of the same rows gives; of shape (arguments, …), its columns are free."""
        flat = np.ascontiguousarray(table.reshape(len(self.names), -1))
        return self.kind.call_price(flat).reshape(table.shape[1:])


def underlying_of(contract: Instrument, kinds: Sequence[Factor] = (Factor.SPOT, Factor.FX, Factor.CREDIT)) -> str:
    """Return the name of what a contract is written on: its first source of those kinds; or its own name."""
    for kind in kinds:
        for name in contract.source_names:
            source = getattr(contract, name)
            if contract.factor_of(name) is kind and isinstance(source, Node):
                return source.name
    return contract.name


def value_of(node: Node) -> object:
    """Return the node's present value."""
    return node.value


def group_contracts(
    contracts: Iterable[Instrument], read: Callable[[Node], object] = value_of
) -> tuple[list[ContractColumns], dict[Instrument, Exception]]:
    """Group contracts by class, each once, with their inputs; those without a value are told apart.

    Parameters
    ----------
    contracts : iterable of Instrument
        In any order.
    read : callable, optional
        From a node to its value, or raising its error: ``snapshot.__getitem__`` looks at one tick.

    Returns
    -------
    groups : list of ContractColumns
        In the order in which their classes come up.
    errors : dict of Instrument to Exception
        Why a contract has no value.
    """
    kinds: dict[type[Instrument], list[Instrument]] = {}
    errors: dict[Instrument, Exception] = {}
    for contract in dict.fromkeys(contracts):
        try:
            read(contract)
        except Exception as error:  # noqa: BLE001 - whatever a contract's value is missing for
            errors[contract] = error
        else:
            kinds.setdefault(type(contract), []).append(contract)
    return [_columns(kind, members, read) for kind, members in kinds.items()], errors


def _columns(kind: type[Instrument], members: list[Instrument], read: Callable[[Node], object]) -> ContractColumns:
    rows = [[*_inputs(contract, read), *contract.terms.values()] for contract in members]
    return ContractColumns(kind, tuple(members), np.array(rows, dtype=np.float64).T.copy())


def _inputs(contract: Instrument, read: Callable[[Node], object]) -> list[float]:
    sources = [getattr(contract, name) for name in contract.source_names]
    return [float(cast("float", read(source))) if isinstance(source, Node) else source for source in sources]
