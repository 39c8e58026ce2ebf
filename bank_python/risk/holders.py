"""Holders of positions: traders, books, and named lists of positions, in one form for all risk functions.

Examples
--------
>>> from bank_python.instruments import Book, Equity, Position
>>> share = Position("P", instrument=Equity("KO", spot_source=60.0), quantity=10)
>>> [holder.name for holder in holders([Book("ALICE", [share])])]
['ALICE']
>>> [holder.name for holder in holders({"HEDGES": [share]})]
['HEDGES']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from bank_python.display import Record
from bank_python.errors import RiskError
from bank_python.guessing import guessable
from bank_python.instruments import Book, Position

if TYPE_CHECKING:
    from bank_python.dagger import Graph

__all__ = ["HasBook", "Holder", "Units", "books_of", "holders"]


@runtime_checkable
class HasBook(Protocol):
    """A trader: any object with a name and a book."""

    @property
    def name(self) -> str:
        """Name of the trader."""
        ...

    @property
    def book(self) -> Book:
        """Book of the trader's positions."""
        ...


_Unit: TypeAlias = "Book | HasBook | Holder"
Units: TypeAlias = "_Unit | Iterable[_Unit] | Mapping[str, _Unit | Iterable[Position]]"
"""Argument of risk functions: a trader or book, any mix of them, or a mapping from names to these or to positions."""

_WANTED = "give traders, books, or a mapping from a name to one of them or to a list of positions"


@dataclass(frozen=True, slots=True, eq=False)
class Holder(Record):
    """A named holder of positions; returned by :func:`holders`.

    Parameters
    ----------
    name : str
        Name under which P&L and risk are reported.
    book : Book, optional
        Book of the positions; None for a plain list of positions.
    fixed : tuple of Position
        Positions of a holder without a book.
    """

    name: str
    book: Book | None
    fixed: tuple[Position, ...] = ()

    @property
    def positions(self) -> tuple[Position, ...]:
        """Present positions."""
        return self.fixed if self.book is None else self.book.positions

    @property
    def graph(self) -> Graph | None:
        """Graph that the positions are registered in, which has the exchange rates; None if there is none."""
        if self.book is not None:
            return self.book.graph
        return next((position.graph for position in self.fixed if position.graph is not None), None)


@guessable
def holders(units: Units) -> tuple[Holder, ...]:
    """Return holders with unique names from traders, books or lists of positions.

    Parameters
    ----------
    units : trader, book, iterable of them, or mapping
        Traders and books. A trader is any object with a ``name`` and a ``book``. The keys of a mapping replace the
        names; its values may also be lists of positions.

    Raises
    ------
    RiskError
        An item is neither a trader nor a book, or two have the same name; the message names it.
    """
    if isinstance(units, Mapping):
        found = tuple(_named(name, unit) for name, unit in units.items())
    else:
        found = tuple(_holder(unit) for unit in _listed(units))
    names = [holder.name for holder in found]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise RiskError(
            f"two books have the same name: {', '.join(doubled)}; give a mapping with a different name for each",
            name=doubled[0],
        )
    return found


def books_of(units: Units) -> tuple[Book, ...]:
    """Return the books of traders and books, in the given order.

    Raises
    ------
    RiskError
        The argument is refused by :func:`holders`, or an item is a plain list of positions.
    """
    found = holders(units)
    for holder in found:
        if holder.book is None:
            raise RiskError(f"{holder.name} is a list of positions; put them in a Book", name=holder.name)
    return tuple(holder.book for holder in found if holder.book is not None)


def _listed(units: object) -> Iterable[object]:
    if isinstance(units, Book | HasBook):
        return [units]
    if isinstance(units, Iterable) and not isinstance(units, str | bytes):
        return units
    raise RiskError(f"{units!r} is neither trader nor book; {_WANTED}", value=units)


def _holder(unit: object) -> Holder:
    if isinstance(unit, Holder):
        return unit
    if isinstance(unit, Book):
        return Holder(unit.name, unit)
    if isinstance(unit, HasBook) and isinstance(unit.book, Book):
        return Holder(unit.name, unit.book)
    raise RiskError(f"{unit!r} is neither trader nor book; {_WANTED}", value=unit)


def _named(name: object, unit: object) -> Holder:
    if not isinstance(name, str) or not name:
        raise RiskError(f"{name!r} is not a name; {_WANTED}", value=name)
    if isinstance(unit, Iterable) and not isinstance(unit, str | bytes | Book | HasBook):
        held = tuple(unit)
        if all(isinstance(position, Position) for position in held):
            return Holder(name, None, held)
    book = unit if isinstance(unit, Book) else getattr(unit, "book", None)
    if isinstance(book, Book):
        return Holder(name, book)
    raise RiskError(f"{name}: {unit!r} is neither trader, book nor a list of positions; {_WANTED}", name=name)
