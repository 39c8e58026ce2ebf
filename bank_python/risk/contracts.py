"""Contracts grouped by class into columns of arguments, to be priced together.

Greeks, attribution and stress tests need many prices of many contracts. They use no second formula: the contracts are
grouped by class into a :class:`~bank_python.dagger.ContractBatch`, and one call of the class's own ``price`` takes its
table, or many shifted copies of it.

Examples
--------
>>> from bank_python.instruments import Equity, Option
>>> terms = {"spot_source": 100.0, "vol_source": 0.2, "rate_source": 0.0, "expiry": 1.0}
>>> groups, errors = group_contracts([Option("A", strike=90, **terms), Option("B", strike=100, **terms)])
>>> groups[0].value.round(4)
array([13.5891,  7.9656])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from bank_python.admission import admits
from bank_python.dagger import ContractBatch, Node
from bank_python.display import short_text
from bank_python.errors import RiskError
from bank_python.instruments.factor import Factor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bank_python.instruments import Instrument

    ContractColumns: TypeAlias = ContractBatch[Instrument]
else:
    ContractColumns = ContractBatch

__all__ = ["ContractColumns", "group_contracts", "underlying_of", "value_of"]


def underlying_of(contract: Instrument, kinds: Sequence[Factor] = (Factor.SPOT, Factor.FX, Factor.CREDIT)) -> str:
    """Return the name of a contract's underlying: its first source of `kinds`, else the contract itself."""
    for kind in kinds:
        for name in contract.source_names:
            source = getattr(contract, name)
            if contract.factor_of(name) is kind and isinstance(source, Node):
                return source.name
    return contract.name


def value_of(node: Node) -> object:
    """Return the present value of a node."""
    return node.value


class ContractGroups(NamedTuple):
    """Contracts grouped by class; returned by :func:`group_contracts`.

    Parameters
    ----------
    groups : list of ContractColumns
        Batches of contracts, one for each class, in the order in which the classes first occur.
    errors : dict of Instrument to Exception
        Errors of the contracts that have no value.
    """

    groups: list[ContractColumns]
    errors: dict[Instrument, Exception]

    def __repr__(self) -> str:
        return short_text(self)


@admits(RiskError)
def group_contracts(contracts: Iterable[Instrument], read: Callable[[Node], object] = value_of) -> ContractGroups:
    """Group contracts by class, with their present inputs; contracts without a value are returned separately.

    Parameters
    ----------
    contracts : iterable of Instrument
        Contracts in any order; one that occurs twice is taken once.
    read : callable, optional
        Function that returns a node's value or raises its error. The present value by default;
        ``snapshot.__getitem__`` reads the values of one tick.

    Returns
    -------
    ContractGroups
    """
    return ContractGroups(*ContractBatch.gather(contracts, read))
