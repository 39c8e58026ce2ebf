"""Contracts of one class as columns: what risk hands to the class's own ``price``.

Greeks, attribution and stress ask for many prices of many contracts. They never price by a second formula: the
contracts are grouped by class into a :class:`~bank_python.dagger.ContractBatch`, whose table the class's ``price``
takes, or a hundred versions of it, in one call.

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


class ContractGroups(NamedTuple):
    """Contracts by class; made by :func:`group_contracts`.

    Parameters
    ----------
    groups : list of ContractColumns
        In the order in which their classes come up.
    errors : dict of Instrument to Exception
        Why a contract has no value.
    """

    groups: list[ContractColumns]
    errors: dict[Instrument, Exception]


@admits(RiskError)
def group_contracts(contracts: Iterable[Instrument], read: Callable[[Node], object] = value_of) -> ContractGroups:
    """Group contracts by class, each once, with their inputs; those without a value are told apart.

    Parameters
    ----------
    contracts : iterable of Instrument
        In any order.
    read : callable, optional
        From a node to its value, or raising its error: ``snapshot.__getitem__`` looks at one tick.

    Returns
    -------
    ContractGroups
    """
    return ContractGroups(*ContractBatch.gather(contracts, read))
