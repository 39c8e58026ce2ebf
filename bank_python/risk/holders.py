"""Who holds: traders, books, or lists of positions under a name, as risk looks at them all alike.

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

from bank_python.errors import RiskError
from bank_python.instruments import Book, Position

if TYPE_CHECKING:
    from bank_python.dagger import Graph

__all__ = ["HasBook", "Holder", "Units", "books_of", "holders"]


@runtime_checkable
class HasBook(Protocol):
    """A trader: whoever has a name and a book."""

    @property
    def name(self) -> str:
        """Who it is."""
        ...

    @property
    def book(self) -> Book:
        """What they hold."""
        ...


_Unit: TypeAlias = "Book | HasBook | Holder"
Units: TypeAlias = "_Unit | Iterable[_Unit] | Mapping[str, _Unit | Iterable[Position]]"
"""Whose risk is asked for: a trader or a book, any mix of them, or a mapping from a name to one or to positions."""

_WANTED = "give traders, books, or a mapping from a name to one of them or to a list of positions"


@dataclass(frozen=True, slots=True, eq=False)
class Holder:
    """Somebody who holds positions; made by :func:`holders`.

    Parameters
    ----------
    name : str
        Under which P&L and risk are told.
    book : Book, optional
        Theirs; None for a plain list of positions.
    fixed : tuple of Position
        That list.
    """

    name: str
    book: Book | None
    fixed: tuple[Position, ...] = ()

    @property
    def positions(self) -> tuple[Position, ...]:
        """What is held now."""
        return self.fixed if self.book is None else self.book.positions

    @property
    def graph(self) -> Graph | None:
        """Which has the rates of exchange."""
        if self.book is not None:
            return self.book.graph
        return next((position.graph for position in self.fixed if position.graph is not None), None)


def holders(units: Units) -> tuple[Holder, ...]:
    """Return who holds, from traders, books or positions.

    Parameters
    ----------
    units : trader, book, iterable of them, or mapping
        A trader is whoever has a ``name`` and a ``book``. A mapping gives each a name of its own; it may also hold
        lists of positions.

    Raises
    ------
    RiskError
        One is neither trader nor book, or two have the same name; the message says which.
    """
    if isinstance(units, Mapping):
        found = tuple(_named(name, unit) for name, unit in units.items())
    else:
        found = tuple(_holder(unit) for unit in _listed(units))
    names = [holder.name for holder in found]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise RiskError(
            f"two books are called the same: {', '.join(doubled)}; their P&L could not be told apart. Give a mapping "
            "with a name for each",
            name=doubled[0],
        )
    return found


def books_of(units: Units) -> tuple[Book, ...]:
    """Return the books of traders and books, in order.

    Raises
    ------
    RiskError
        As for :func:`holders`; or one is a plain list of positions.
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
        raise RiskError(f"{name!r} is no name; {_WANTED}", value=name)
    if isinstance(unit, Iterable) and not isinstance(unit, str | bytes | Book | HasBook):
        held = tuple(unit)
        if all(isinstance(position, Position) for position in held):
            return Holder(name, None, held)
    book = unit if isinstance(unit, Book) else getattr(unit, "book", None)
    if isinstance(book, Book):
        return Holder(name, book)
    raise RiskError(f"{name}: {unit!r} is neither trader, book nor a list of positions; {_WANTED}", name=name)
