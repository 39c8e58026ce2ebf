"""What traders hold, as data: each kind of holding says which contract it needs and how many of it.

A holding names its underlying by the house's symbol. Where the market at hand does not quote that symbol (a
panel of twenty shares, say), :func:`stand_in` gives the name that takes its place, the same one each time.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bank_python.barbara import storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Bonds", "Coins", "Currency", "Holding", "Options", "Protection", "Shares", "stand_in"]


@storable("desk.Shares", version=1)
@dataclass(frozen=True, slots=True)
class Shares:
    """So many shares or fund units; negative is short."""

    symbol: str
    quantity: float


@storable("desk.Options", version=1)
@dataclass(frozen=True, slots=True)
class Options:
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

    symbol: str
    moneyness: float
    years: float
    contracts: float
    is_call: bool = True


@storable("desk.Bonds", version=1)
@dataclass(frozen=True, slots=True)
class Bonds:
    """Units (face 100) of one of the desk's bonds."""

    symbol: str
    quantity: float


@storable("desk.Protection", version=1)
@dataclass(frozen=True, slots=True)
class Protection:
    """Credit protection bought on so many times 1,000,000 of a name; negative is sold."""

    symbol: str
    quantity: float


@storable("desk.Currency", version=1)
@dataclass(frozen=True, slots=True)
class Currency:
    """Units of a pair's base currency."""

    symbol: str
    quantity: float


@storable("desk.Coins", version=1)
@dataclass(frozen=True, slots=True)
class Coins:
    """Units of a crypto asset."""

    symbol: str
    quantity: float


Holding: TypeAlias = Shares | Options | Bonds | Protection | Currency | Coins


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
