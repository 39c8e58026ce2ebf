"""Greeks of one contract, as returned by ``option.greeks()``, from closed forms or finite differences of prices.

Units are those of :class:`~bank_python.risk_models.Greeks`: per unit of spot, per 1.00 of volatility, rate, yield or
spread (a percentage point is a hundredth of it, a basis point a ten-thousandth), and per year of elapsed time (a day is
1/365).
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
    """Price and sensitivities of one unit of a contract, in its currency.

    Sensitivities to inputs that the contract does not depend on are 0.

    Parameters
    ----------
    price : float
        Value of one unit.
    delta : float
        Price change per unit of spot, or of the forward or exchange rate that is the contract's underlying.
    gamma : float
        Change of delta per unit of spot.
    vega : float
        Price change per 1.00 of volatility; a hundredth of it per percentage point.
    theta : float
        Price change per year of elapsed time with other inputs unchanged; 1/365 of it per day.
    rho : float
        Price change per 1.00 of the discount rate; a ten-thousandth of it per basis point.
    dividend_rho : float
        Price change per 1.00 of the underlying's yield: a dividend yield, or the foreign currency's rate.
    credit : float
        Price change per 1.00 of the credit spread; a ten-thousandth of it per basis point.
    vanna : float
        Change of delta per 1.00 of volatility.
    volga : float
        Change of vega per 1.00 of volatility.
    charm : float
        Change of delta per year of elapsed time with other inputs unchanged.
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
        """Return the figures multiplied by `amount` units."""
        return ContractGreeks(*(amount * value for value in dataclasses.astuple(self)))


class _Contract(Protocol):
    """Attributes needed of an Instrument, whose module imports this one."""

    source_names: ClassVar[tuple[str, ...]]
    simulated_as: ClassVar[Any]

    @property
    def value(self) -> float: ...

    @classmethod
    def factor_of(cls, source: str) -> Factor: ...


def take_contract_greeks(contract: _Contract) -> ContractGreeks:
    """Return a contract's price and sensitivities at the current values of its inputs.

    Raises
    ------
    BankError
        The contract has no value; the error is that of its ``value``.
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
    """Return the sources that are yields of the underlying."""
    of = contract.simulated_as
    foreign = [of.dividend] if of.dividend in contract.source_names and of.dividend != of.rate else []
    return list(dict.fromkeys([*_sources(contract, Factor.DIVIDEND), *foreign]))


def _first(found: Derivatives, names: Sequence[str]) -> float:
    return float(sum(found.first[name].item() for name in names))


def _second(found: Derivatives, names: Sequence[str], others: Sequence[str]) -> float:
    return float(sum(found.second[min(a, b), max(a, b)].item() for a in names for b in others))


def _value_of(node: Node) -> object:
    return node.value
