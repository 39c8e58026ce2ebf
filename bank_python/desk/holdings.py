"""The holdings of traders, as data: each kind of holding defines its contract and the number of units.

A holding refers to its underlying by the desk's symbol. If the market does not quote that symbol (a panel of twenty
shares, for example), :func:`stand_in` chooses a symbol that takes its place, always the same one.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from bank_python.barbara import storable
from bank_python.desk.contracts import OPTION_MULTIPLIER, bond_named, option_on, protection_on
from bank_python.display import Record
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
    """A holding of a trader: a symbol, a number of units, and the contract that is held.

    Parameters
    ----------
    symbol : str
        Symbol of the underlying on the desk.
    """

    symbol: str

    multiplier: ClassVar[float]
    """Units of the underlying per unit of the holding."""
    is_listed: ClassVar[bool]
    """Whether the symbol is quoted by the market; otherwise it is one of the desk's bonds."""
    has_volatility: ClassVar[bool]
    """Whether the contract is valued with the symbol's implied volatility."""

    @property
    @abstractmethod
    def units(self) -> float:
        """Number of units; negative for a short holding."""

    @abstractmethod
    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:
        """Return the contract of the holding: that of the graph, or a new one, which is not registered.

        Parameters
        ----------
        graph : DependencyGraph
            Graph with the leaves of the quotes.
        clock : Clock
            Valuation date.
        """

    def moved_to(self, symbol: str) -> Self:
        """Return the same holding in another underlying."""
        return self if symbol == self.symbol else replace(self, symbol=symbol)


@dataclass(frozen=True, slots=True)
class _Quoted(Holding):
    """Units of an instrument that is quoted directly."""

    quantity: float

    multiplier = 1.0
    is_listed = True
    has_volatility = False

    @property
    def units(self) -> float:
        """Number of units; negative for a short holding."""
        return self.quantity

    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:  # noqa: ARG002 - it has no expiry
        """Return the instrument of the symbol."""
        return cast("Instrument", graph.node(self.symbol))


@guessable
@storable("desk.Shares", version=1)
@dataclass(frozen=True, slots=True)
class Shares(_Quoted, Record):
    """A number of shares or fund units; negative for a short holding."""


@guessable
@storable("desk.Currency", version=1)
@dataclass(frozen=True, slots=True)
class Currency(_Quoted, Record):
    """Units of the base currency of a currency pair."""


@guessable
@storable("desk.Coins", version=1)
@dataclass(frozen=True, slots=True)
class Coins(_Quoted, Record):
    """Units of a crypto asset."""


@guessable
@storable("desk.Options", version=1)
@dataclass(frozen=True, slots=True)
class Options(Holding, Record):
    """Listed options on 100 shares each.

    Parameters
    ----------
    symbol : str
        Symbol of the underlying share.
    moneyness : float
        Strike divided by the spot at which the position is opened.
    years : float
        Time to expiry in years, from the opening of the position.
    contracts : float
        Number of options; negative for written ones.
    is_call : bool, default True
        Whether the options are calls; puts otherwise.
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
        """Number of options; negative for written ones."""
        return self.contracts

    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:
        """Return the option, with its strike rounded to a listed one."""
        return option_on(self.symbol, self.moneyness, self.years, graph, clock, is_call=self.is_call)


@guessable
@storable("desk.Bonds", version=1)
@dataclass(frozen=True, slots=True)
class Bonds(Holding, Record):
    """Units (face 100) of one of the desk's bonds."""

    quantity: float

    multiplier = 1.0
    is_listed = False
    has_volatility = False

    @property
    def units(self) -> float:
        """Number of bonds; negative for a short holding."""
        return self.quantity

    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:
        """Return the bond of the symbol."""
        return bond_named(self.symbol, graph, clock)


@guessable
@storable("desk.Protection", version=1)
@dataclass(frozen=True, slots=True)
class Protection(Holding, Record):
    """Bought credit protection on a name, in units of 1,000,000 notional; negative for sold protection."""

    quantity: float

    multiplier = 1.0
    is_listed = True
    has_volatility = False

    @property
    def units(self) -> float:
        """Number of swaps; negative for sold protection."""
        return self.quantity

    def contract(self, graph: DependencyGraph, clock: Clock) -> Instrument:
        """Return the five-year credit default swap on the name."""
        return protection_on(self.symbol, graph, clock)


def stand_in(symbol: str, sectors: Mapping[str, str], available: Sequence[str]) -> str | None:
    """Return `symbol` if it is available, else another symbol of its sector, else any; ``None`` if there is none.

    Parameters
    ----------
    symbol : str
        Symbol to look up.
    sectors : mapping of str to str
        Sector by symbol, for `symbol` and the available ones.
    available : sequence of str
        Available symbols. The result depends only on these, their sectors and `symbol`.
    """
    if symbol in available or not available:
        return symbol if available else None
    alike = sorted(name for name in available if sectors.get(name) == sectors.get(symbol)) or sorted(available)
    return alike[zlib.crc32(symbol.encode()) % len(alike)]
