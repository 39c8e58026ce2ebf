"""What traders hold, as data: each kind of holding says which contract it needs and how many of it.

A holding names its underlying by the house's symbol. Where the market at hand does not quote that symbol (a
panel of twenty shares, say), :func:`stand_in` gives the name that takes its place, the same one each time.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from bank_python.barbara import storable
from bank_python.desk.contracts import OPTION_MULTIPLIER, bond_named, option_on, protection_on
from bank_python.guessing import guessable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from bank_python.dagger import DependencyGraph
    from bank_python.instruments import Instrument
    from bank_python.market_data import Clock

__all__ = ["Bonds", "Coins", "Currency", "Holding", "Options", "Protection", "Shares", "stand_in"]


@dataclass(frozen=True, slots=True)
class Holding(ABC):
    """Something that a trader holds: a symbol, how many units of it, and the contract that it comes to.

    Parameters
    ----------
    symbol : str
        The underlying, by the house's name.
    """

    symbol: str

    multiplier: ClassVar[float]
    """Units of the contract in one unit held."""
    is_listed: ClassVar[bool]
    """Whether the symbol is one that the market quotes, and not one of the desk's own bonds."""
    has_volatility: ClassVar[bool]
    """Whether its contract is valued with the symbol's implied volatility."""

    @property
    @abstractmethod
    def units(self) -> float:
        """How many are held; negative is short."""

    @abstractmethod
    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:
        """Return the contract that is held: from the graph if it is there, else a new one, which is not registered.

        Parameters
        ----------
        graph : DependencyGraph
            Holds the quotes' leaves.
        clock : Clock
            The valuation time.
        """

    def moved_to(self, symbol: str) -> Self:
        """Return the same holding in another underlying."""
        return self if symbol == self.symbol else replace(self, symbol=symbol)


@dataclass(frozen=True, slots=True)
class _Quoted(Holding):
    """So many units of what the market quotes by itself."""

    quantity: float

    multiplier = 1.0
    is_listed = True
    has_volatility = False

    @property
    def units(self) -> float:
        """How many are held; negative is short."""
        return self.quantity

    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:  # noqa: ARG002 - time does not matter to it
        """Return the instrument of that symbol."""
        return cast("Instrument", graph.node(self.symbol))


@guessable
@storable("desk.Shares", version=1)
@dataclass(frozen=True, slots=True)
class Shares(_Quoted):
    """So many shares or fund units; negative is short."""


@guessable
@storable("desk.Currency", version=1)
@dataclass(frozen=True, slots=True)
class Currency(_Quoted):
    """Units of a pair's base currency."""


@guessable
@storable("desk.Coins", version=1)
@dataclass(frozen=True, slots=True)
class Coins(_Quoted):
    """Units of a crypto asset."""


@guessable
@storable("desk.Options", version=1)
@dataclass(frozen=True, slots=True)
class Options(Holding):
    """Listed options on 100 shares each.

    Parameters
    ----------
    symbol : str
        The underlying.
    moneyness : float
        Strike over spot at opening.
    years : float
        To expiry, from opening.
    contracts : float
        Negative is written.
    is_call : bool
        Call or put.
    """

    moneyness: float
    years: float
    contracts: float
    is_call: bool = True

    multiplier = OPTION_MULTIPLIER
    is_listed = True
    has_volatility = True

    @property
    def units(self) -> float:
        """How many options are held; negative is written."""
        return self.contracts

    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:
        """Return the option, its strike rounded as exchanges list them."""
        return option_on(self.symbol, self.moneyness, self.years, graph, clock, is_call=self.is_call)


@guessable
@storable("desk.Bonds", version=1)
@dataclass(frozen=True, slots=True)
class Bonds(Holding):
    """Units (face 100) of one of the desk's bonds."""

    quantity: float

    multiplier = 1.0
    is_listed = False
    has_volatility = False

    @property
    def units(self) -> float:
        """How many bonds are held; negative is short."""
        return self.quantity

    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:
        """Return the bond of that name."""
        return bond_named(self.symbol, graph, clock)


@guessable
@storable("desk.Protection", version=1)
@dataclass(frozen=True, slots=True)
class Protection(Holding):
    """Credit protection bought on so many times 1,000,000 of a name; negative is sold."""

    quantity: float

    multiplier = 1.0
    is_listed = True
    has_volatility = False

    @property
    def units(self) -> float:
        """How many swaps are held; negative is protection sold."""
        return self.quantity

    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:
        """Return the five-year credit default swap on the name."""
        return protection_on(self.symbol, graph, clock)


def stand_in(symbol: str, sectors: Mapping[str, str], available: Sequence[str]) -> str | None:
    """Return `symbol` if it is available, else a name of its sector, else any; ``None`` if there is none.

    Parameters
    ----------
    symbol : str
        The name wanted.
    sectors : mapping of str to str
        Sector by symbol, for the wanted and the available names.
    available : sequence of str
        The names there are. The choice depends on these and `symbol` alone.
    """
    if symbol in available or not available:
        return symbol if available else None
    alike = sorted(name for name in available if sectors.get(name) == sectors.get(symbol)) or sorted(available)
    return alike[zlib.crc32(symbol.encode()) % len(alike)]
