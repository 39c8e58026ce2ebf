"""How one contract's value moves: the figures that ``option.greeks()`` gives, from closed forms or from prices.

Units are those of :class:`~bank_python.risk_models.Greeks` throughout the house: by one unit of spot, by 1.00 of
volatility, rate, yield or spread (a point is a hundredth of it, a basis point a ten-thousandth), and by a year gone by
(a day is a 365th).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from bank_python.dagger import ContractBatch
from bank_python.instruments.derivatives import take_derivatives
from bank_python.instruments.factor import Factor
from bank_python.results import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.dagger import Node
    from bank_python.dagger.contract import Contract
    from bank_python.instruments.derivatives import Derivatives

__all__ = ["ContractGreeks", "take_contract_greeks"]

_SPOTS = (Factor.SPOT, Factor.FX)


@dataclass(frozen=True, slots=True)
class ContractGreeks(Figures):
    """One contract's price and sensitivities, in its currency, for one unit of it.

    A sensitivity to what the contract does not depend on is 0.

    Parameters
    ----------
    price : float
        Its value.
    delta : float
        Price change for one unit of spot (of a forward or an exchange rate, where it is written on that).
    gamma : float
        Delta change for one unit of spot.
    vega : float
        Price change for 1.00 of volatility; for a point, a hundredth of it.
    theta : float
        Price change for a year gone by at the present inputs; for a day, a 365th of it.
    rho : float
        Price change for 1.00 of the rate by which it is discounted; for a basis point, a ten-thousandth of it.
    dividend_rho : float
        Price change for 1.00 of what the underlying pays: a dividend yield, or the rate of the foreign currency.
    credit : float
        Price change for 1.00 of the credit spread; for a basis point, a ten-thousandth of it.
    vanna : float
        Delta change for 1.00 of volatility.
    volga : float
        Vega change for 1.00 of volatility.
    charm : float
        Delta change for a year gone by at the present inputs.
    """

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float
    dividend_rho: float
    credit: float
    vanna: float
    volga: float
    charm: float

    def scaled(self, amount: float) -> ContractGreeks:
        """Return the figures of so many units."""
        return ContractGreeks(*(amount * value for value in dataclasses.astuple(self)))


class _Contract(Protocol):
    """What is asked of an instrument here, which is defined above this file."""

    source_names: ClassVar[tuple[str, ...]]
    simulated_as: ClassVar[Any]

    @property
    def value(self) -> float: ...

    @classmethod
    def factor_of(cls, source: str) -> Factor: ...


def take_contract_greeks(contract: _Contract) -> ContractGreeks:
    """Return a contract's price and sensitivities at the present value of its inputs.

    Raises
    ------
    BankError
        It has no value now; the error is that of its ``value``.
    """
    price = contract.value
    found = take_derivatives(ContractBatch.of([cast("Contract", contract)], _value_of))
    spots, vols = _sources(contract, *_SPOTS), _sources(contract, Factor.VOL)
    clocks, yields = _sources(contract, Factor.TIME), _yields(contract)
    rates = [name for name in _sources(contract, Factor.RATE) if name not in yields]
    return ContractGreeks(
        price=price,
        delta=_first(found, spots),
        gamma=_second(found, spots, spots),
        vega=_first(found, vols),
        theta=_first(found, clocks),
        rho=_first(found, rates),
        dividend_rho=_first(found, yields),
        credit=_first(found, _sources(contract, Factor.CREDIT)),
        vanna=_second(found, spots, vols),
        volga=_second(found, vols, vols),
        charm=_second(found, spots, clocks),
    )


def _sources(contract: _Contract, *kinds: Factor) -> list[str]:
    return [name for name in contract.source_names if contract.factor_of(name) in kinds]


def _yields(contract: _Contract) -> list[str]:
    """Return the sources that are what the underlying pays."""
    of = contract.simulated_as
    foreign = [of.dividend] if of.dividend in contract.source_names and of.dividend != of.rate else []
    return list(dict.fromkeys([*_sources(contract, Factor.DIVIDEND), *foreign]))


def _first(found: Derivatives, names: Sequence[str]) -> float:
    return float(sum(found.first[name].item() for name in names))


def _second(found: Derivatives, names: Sequence[str], others: Sequence[str]) -> float:
    return float(sum(found.second[min(a, b), max(a, b)].item() for a in names for b in others))


def _value_of(node: Node) -> object:
    return node.value
